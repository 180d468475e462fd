// Answers that go on, and clients that follow them, over real sockets.
#include "net/http_stream.hpp"
#include "tests/net/http_server_fixture.hpp"

namespace inos::test {
namespace {

TEST_F(HttpServerTest, sends_the_pieces_of_a_stream_as_they_come_and_goes_on_after_its_end) {
    start();
    std::string head;
    RawClient client = streaming(head);
    EXPECT_TRUE(has_status(head, 200));
    EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), std::string::npos) << head;
    EXPECT_EQ(head.find("Content-Length"), std::string::npos) << head;
    write("one\n");
    EXPECT_EQ(client.read_until("one\n\r\n"), "4\r\none\n\r\n");
    client.send(kGet);  // waits for its turn
    write(std::string(300, 'y'));
    EXPECT_EQ(client.read_until("yyy\r\n"), "12c\r\n" + std::string(300, 'y') + "\r\n");
    thread.call([&] { streams.back()->end(); });
    EXPECT_EQ(client.read_until("0\r\n\r\n"), "0\r\n\r\n");
    EXPECT_TRUE(client.read_response().ends_with("GET /a "));
    EXPECT_EQ(closed, 0);
}

TEST_F(HttpServerTest, sends_a_stream_to_an_old_client_until_the_connection_ends) {
    start();
    RawClient client = RawClient::tcp(port);
    client.send("GET /stream HTTP/1.0\r\n\r\n");
    std::string const head = client.read_until("\r\n\r\n");
    EXPECT_EQ(head.find("chunked"), std::string::npos) << head;
    EXPECT_NE(head.find("Connection: close"), std::string::npos) << head;
    write("one");
    EXPECT_EQ(client.read_until("one"), "one");
    thread.call([&] {
        streams.back()->write("two");
        streams.back()->end();
    });
    EXPECT_EQ(client.read_all(), "two");
}

TEST_F(HttpServerTest, answers_head_for_a_stream_and_closes_it) {
    start();
    RawClient client = RawClient::tcp(port);
    client.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n" + kGet);
    EXPECT_NE(client.read_until("\r\n\r\n").find("event-stream"), std::string::npos);
    EXPECT_TRUE(client.read_response().ends_with("GET /a "));
    EXPECT_EQ(closed, 1);
}

TEST_F(HttpServerTest, sends_heartbeats_while_a_stream_is_silent) {
    HttpServerOptions options;
    options.heartbeat = 10ms;
    start(options);
    std::string head;
    RawClient client = streaming(head);
    std::string const beat = "8\r\n: beat\n\n\r\n";
    EXPECT_EQ(client.read_bytes(2 * beat.size()), beat + beat);
    EXPECT_EQ(closed, 0);
}

TEST_F(HttpServerTest, tells_the_producer_that_the_client_has_gone) {
    start();
    std::string head;
    RawClient client = streaming(head);
    write("one");
    client.read_until("one\r\n");
    client.close();
    wait_for([&] { return closed == 1; });
    write("two");  // into the void
    EXPECT_FALSE(thread.call([&] { return streams.back()->has_room(); }));
}

TEST_F(HttpServerTest, holds_a_producer_back_while_the_client_does_not_read) {
    HttpServerOptions options;
    options.stream_deadline = 200ms;
    start(options);
    std::string head;
    std::size_t sent = 0;
    auto const fill = [&] {
        std::string const piece(100'000, 'z');
        for (; streams.back()->has_room(); sent += piece.size())
            streams.back()->write(piece);
    };
    RawClient client = streaming(head);
    thread.call([&] {
        streams.back()->on_room(fill);
        fill();
    });
    client.read_bytes(4'000'000);  // so it was called again
    std::size_t const so_far = thread.call([&] { return sent; });
    EXPECT_GE(so_far, 3'900'000u);
    wait_for([&] { return closed == 1; });  // a client that takes nothing is hung up on
    // What the kernel's buffers on both sides take, which it makes larger as it likes: without
    // being held back the producer would not have come to an end at all.
    EXPECT_LT(thread.call([&] { return sent; }), so_far + 100'000'000);
}

TEST_F(HttpServerTest, ends_streams_properly_when_it_stops) {
    start();
    std::string head;
    RawClient client = streaming(head);
    thread.call([&] {
        streams.back()->write("last");
        server->stop();
    });
    EXPECT_EQ(client.read_all(), "4\r\nlast\r\n0\r\n\r\n");
    EXPECT_EQ(closed, 1);
    thread.finish();
}

TEST_F(HttpServerTest, closes_the_streams_of_a_server_that_is_destroyed) {
    start();
    std::string head;
    RawClient client = streaming(head);
    thread.call([&] { server.reset(); });
    client.read_all();
    EXPECT_EQ(closed, 1);
}

}  // namespace
}  // namespace inos::test
