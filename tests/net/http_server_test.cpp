// The HTTP server over real sockets: a client that sends exact bytes, the server on its own thread.
#include "net/http_server.hpp"

#include <vector>

#include <sys/stat.h>

#include "tests/net/http_server_fixture.hpp"

namespace inos::test {
namespace {

TEST_F(HttpServerTest, answers_many_requests_on_one_connection) {
    start();
    RawClient client = RawClient::tcp(port);
    for (int i = 0; i < 5; ++i) {
        client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
        std::string const response = client.read_response();
        EXPECT_TRUE(has_status(response, 200)) << response;
        EXPECT_TRUE(response.ends_with("POST /a abc")) << response;
    }
}

TEST_F(HttpServerTest, answers_a_pipeline_in_order_one_at_a_time) {
    start();
    RawClient client = RawClient::tcp(port);
    client.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n" + kGet);
    wait_until_held(1);
    EXPECT_EQ(handled, 1);
    thread.call([&] { held[0](HttpResponse{200, {}, "later"}); });
    EXPECT_TRUE(client.read_response().ends_with("later"));
    EXPECT_TRUE(client.read_response().ends_with("GET /b "));
    EXPECT_TRUE(client.read_response().ends_with("GET /a "));
}

TEST_F(HttpServerTest, closes_when_the_client_says_so) {
    start();
    std::string const response = once("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_NE(response.find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(response.ends_with("GET /a "));
    EXPECT_TRUE(once("GET /a HTTP/1.0\r\n\r\n").ends_with("GET /a "));
}

TEST_F(HttpServerTest, answers_head_as_get_without_the_body) {
    start();
    std::string const response = once("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_NE(response.find("Content-Length: 7\r\n"), std::string::npos) << response;
    EXPECT_TRUE(response.ends_with("\r\n\r\n")) << response;
}

TEST_F(HttpServerTest, reads_chunked_bodies) {
    start();
    EXPECT_TRUE(once("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                     "Connection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
                    .ends_with("POST /a abcde"));
}

TEST_F(HttpServerTest, tells_a_client_that_waits_for_it_to_go_on) {
    start();
    RawClient client = RawClient::tcp(port);
    client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc");
    EXPECT_TRUE(client.read_response().ends_with("POST /a abc"));
}

TEST_F(HttpServerTest, refuses_what_is_not_http_with_a_json_400) {
    start();
    for (std::string const request :
         {"garbage\r\n\r\n",
          "GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
          "GET * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
          "GET /a HTTP/7.1\r\n\r\n",
          "GET /a HTTP/1.1\r\nbad header\r\n\r\n",
          "POST /a HTTP/1.1\r\nContent-Length: x\r\n\r\n",
          "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
          "POST /a HTTP/1.1\r\nContent-Length: 1\r\n"
          "Content-Length: 2\r\n\r\nab",
          "POST /a HTTP/1.1\r\nContent-Length: 4\r\n"
          "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
        RawClient client = RawClient::tcp(port);
        client.send(request);
        std::string const response = client.read_response();
        EXPECT_TRUE(has_status(response, 400)) << request << response;
        EXPECT_NE(response.find(kError), std::string::npos) << response;
    }
    EXPECT_EQ(handled, 0);
}

TEST_F(HttpServerTest, refuses_a_body_over_the_limit_before_and_while_reading_it) {
    HttpServerOptions options;
    options.body_limit = 1000;
    start(options);
    std::string const big(200'000, 'x');
    for (std::string const head :
         {"Content-Length: 200000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n30d40\r\n"}) {
        RawClient client = RawClient::tcp(port);
        client.send("POST /a HTTP/1.1\r\nHost: x\r\n" + head + big);
        std::string const response = client.read_response();
        EXPECT_TRUE(has_status(response, 413)) << response;
        EXPECT_NE(response.find(kError + "too_large"), std::string::npos) << response;
    }
    EXPECT_TRUE(once("POST /a HTTP/1.1\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n" +
                     std::string(1000, 'y'))
                    .ends_with("y"));
    EXPECT_EQ(handled, 1);
}

TEST_F(HttpServerTest, takes_bodies_of_eight_mebibytes) {
    start();
    std::string const body(8u << 20, 'z');
    RawClient client = RawClient::tcp(port);
    client.send("POST /a HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    client.send(body);
    EXPECT_EQ(client.read_until("\r\n\r\n").substr(0, 15), "HTTP/1.1 200 OK");
    EXPECT_EQ(client.read_bytes(8 + body.size()), "POST /a " + body);
}

TEST_F(HttpServerTest, refuses_a_head_over_the_limit) {
    start();
    RawClient client = RawClient::tcp(port);
    client.send("GET /a HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n");
    EXPECT_TRUE(has_status(client.read_response(), 431));
}

TEST_F(HttpServerTest, closes_a_connection_whose_head_or_body_comes_too_slowly) {
    HttpServerOptions options;
    options.header_deadline = 50ms;
    options.body_deadline = 50ms;
    start(options);
    for (std::string const part :
         {"", "GET /a HT", "POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"}) {
        RawClient client = RawClient::tcp(port);
        client.send(part);
        EXPECT_EQ(client.read_all(), "") << part;
    }
    EXPECT_EQ(handled, 0);
}

TEST_F(HttpServerTest, closes_an_idle_connection_after_the_keep_alive_time) {
    HttpServerOptions options;
    options.keep_alive = 50ms;
    start(options);
    RawClient client = RawClient::tcp(port);
    client.send(kGet);
    EXPECT_TRUE(has_status(client.read_response(), 200));
    EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpServerTest, answers_500_for_handlers_that_throw_or_forget) {
    start();
    RawClient client = RawClient::tcp(port);
    client.send("GET /throw HTTP/1.1\r\nHost: x\r\n\r\nGET /forget HTTP/1.1\r\nHost: x\r\n\r\n" +
                kGet);
    EXPECT_NE(client.read_response().find("on purpose"), std::string::npos);
    EXPECT_TRUE(has_status(client.read_response(), 500));
    EXPECT_TRUE(has_status(client.read_response(), 200));
}

TEST_F(HttpServerTest, ignores_a_second_answer) {
    start();
    RawClient client = RawClient::tcp(port);
    client.send("GET /twice HTTP/1.1\r\nHost: x\r\n\r\n" + kGet);
    EXPECT_TRUE(client.read_response().ends_with("first"));
    EXPECT_TRUE(client.read_response().ends_with("GET /a "));
}

TEST_F(HttpServerTest, asks_the_guard_before_it_reads_the_body) {
    start();
    thread.call([&] {
        server->set_guard([](HttpRequest& request) -> std::optional<HttpResponse> {
            if (request.header("x-pass") == "yes") return std::nullopt;
            return http_error(403, "forbidden", "no");
        });
    });
    RawClient client = RawClient::tcp(port);
    client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /a HTTP/1.1\r\nX-Pass: yes\r\n\r\n");
    EXPECT_TRUE(has_status(client.read_response(), 403));
    EXPECT_TRUE(has_status(client.read_response(), 200));
    client.send("POST /a HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");  // and no body
    EXPECT_TRUE(has_status(client.read_response(), 403));
    EXPECT_EQ(handled, 1);
}

TEST_F(HttpServerTest, answers_503_above_the_limit_of_connections) {
    HttpServerOptions options;
    options.connections_max = 2;
    start(options);
    RawClient first = RawClient::tcp(port);
    RawClient second = RawClient::tcp(port);
    first.send(kGet);
    second.send(kGet);
    EXPECT_TRUE(has_status(first.read_response(), 200));
    EXPECT_TRUE(has_status(second.read_response(), 200));
    RawClient third = RawClient::tcp(port);
    third.send("GET /a HTTP/1.1\r\nConnection: close\r\n\r\n");
    std::string const response = third.read_all();
    EXPECT_TRUE(has_status(response, 503)) << response;
    EXPECT_NE(response.find("Retry-After"), std::string::npos) << response;
}

TEST_F(HttpServerTest, serves_many_clients_at_once) {
    start();
    std::atomic<int> good = 0;
    std::vector<std::thread> clients;
    for (int i = 0; i < 16; ++i) {
        clients.emplace_back([&, i] {
            RawClient client = RawClient::tcp(port);
            std::string const body(static_cast<std::size_t>(i * 1000), 'b');
            for (int round = 0; round < 20; ++round) {
                client.send("PUT /a HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) +
                            "\r\n\r\n" + body);
                if (client.read_response().ends_with("PUT /a " + body)) ++good;
            }
        });
    }
    for (std::thread& client : clients)
        client.join();
    EXPECT_EQ(good, 16 * 20);
}

TEST_F(HttpServerTest, survives_clients_that_leave_in_the_middle) {
    start();
    for (std::string const part : {"G",
                                   "POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc",
                                   "GET /large HTTP/1.1\r\n\r\n",
                                   "GET /hold HTTP/1.1\r\n\r\n"}) {
        RawClient client = RawClient::tcp(port);
        client.send(part);
    }
    wait_until_held(1);
    thread.call([&] { held[0](HttpResponse{}); });
    EXPECT_TRUE(has_status(once("GET /a HTTP/1.1\r\nConnection: close\r\n\r\n"), 200));
}

// What it asked for may be held for minutes: its place is free for others before.
TEST_F(HttpServerTest, lets_a_client_go_that_hangs_up_while_it_waits) {
    HttpServerOptions options;
    options.connections_max = 1;
    options.half_closed = 1ms;
    start(options);
    {
        RawClient client = RawClient::tcp(port);
        client.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
        wait_until_held(1);
        EXPECT_TRUE(has_status(once("GET /a HTTP/1.0\r\n\r\n"), 503));
    }
    auto const end = std::chrono::steady_clock::now() + kPatience;
    while (!has_status(once("GET /a HTTP/1.0\r\n\r\n"), 200))
        ASSERT_LT(std::chrono::steady_clock::now(), end);
    thread.call([&] { held[0](HttpResponse{200, {}, "too late"}); });
}

TEST_F(HttpServerTest, answers_a_client_that_has_shut_down_its_side) {
    start();
    RawClient client = RawClient::tcp(port);
    client.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    client.shut_down();
    wait_until_held(1);
    std::this_thread::sleep_for(50ms);
    thread.call([&] { held[0](HttpResponse{200, {}, "here"}); });
    EXPECT_TRUE(client.read_all().ends_with("here"));
}

TEST_F(HttpServerTest, stops_with_open_connections_and_leaves_nothing_running) {
    start();
    RawClient idle = RawClient::tcp(port);
    RawClient partial = RawClient::tcp(port);
    RawClient busy = RawClient::tcp(port);
    idle.send(kGet);
    EXPECT_TRUE(has_status(idle.read_response(), 200));
    partial.send("GET /");
    busy.send("GET /hold HTTP/1.1\r\n\r\n");
    wait_until_held(1);
    thread.call([&] { server->stop(); });
    EXPECT_TRUE(idle.is_closed());
    EXPECT_TRUE(partial.is_closed());
    EXPECT_FALSE(RawClient::tcp(port).connected());
    thread.call([&] { held[0](HttpResponse{200, {}, "last words"}); });
    EXPECT_TRUE(busy.read_all().ends_with("last words"));
    thread.finish();
    held.clear();
    server.reset();
    thread.io.restart();
    EXPECT_EQ(thread.io.poll(), 0u);
}

TEST_F(HttpServerTest, stops_waiting_for_a_handler_after_the_stop_timeout) {
    HttpServerOptions options;
    options.stop_timeout = 50ms;
    start(options);
    RawClient busy = RawClient::tcp(port);
    busy.send("GET /hold HTTP/1.1\r\n\r\n");
    wait_until_held(1);
    thread.call([&] { server->stop(); });
    EXPECT_EQ(busy.read_all(), "");
    thread.call([&] { held[0](HttpResponse{}); });
}

TEST_F(HttpServerTest, says_who_to_ask_when_the_port_is_taken) {
    start();
    auto const again = thread.call([&] { return server->listen_tcp("127.0.0.1", port); });
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::conflict);
    EXPECT_NE(again.error().message.find("127.0.0.1:" + std::to_string(port)), std::string::npos);
    EXPECT_NE(again.error().message.find("inos run --api HOST:PORT"), std::string::npos);
}

class UnixSocketTest : public HttpServerTest {
protected:
    Result<void> listen(std::string const& where) {
        return thread.call([&] { return server->listen_unix(where); });
    }
    TemporaryDirectory directory;
    std::string const path = directory.file("api.sock");
};

TEST_F(UnixSocketTest, serves_only_this_user_and_goes_away_with_the_server) {
    start();
    ASSERT_TRUE(listen(path));
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    RawClient client = RawClient::local(path);
    client.send(kGet);
    EXPECT_TRUE(client.read_response().ends_with("GET /a  socket"));
    thread.call([&] { server->stop(); });
    EXPECT_NE(::stat(path.c_str(), &info), 0);
}

TEST_F(UnixSocketTest, tells_a_client_that_has_shut_down_its_side_from_one_that_is_gone) {
    HttpServerOptions options;
    options.connections_max = 1;
    options.half_closed = 1ms;  // is not for sockets
    start(options);
    ASSERT_TRUE(listen(path));
    RawClient client = RawClient::local(path);
    client.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    client.shut_down();
    wait_until_held(1);
    std::this_thread::sleep_for(50ms);
    EXPECT_TRUE(has_status(once("GET /a HTTP/1.0\r\n\r\n"), 503)) << "it still has its place";
    client.close();
    auto const end = std::chrono::steady_clock::now() + kPatience;
    while (!has_status(once("GET /a HTTP/1.0\r\n\r\n"), 200))
        ASSERT_LT(std::chrono::steady_clock::now(), end);
}

TEST_F(UnixSocketTest, refuses_a_path_where_somebody_answers) {
    start();
    ASSERT_TRUE(listen(path));
    HttpServer other(thread.io, [](HttpRequest, HttpRespond) {});
    auto const result = thread.call([&] { return other.listen_unix(path); });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::conflict);
    EXPECT_NE(result.error().message.find("already running"), std::string::npos);
    RawClient client = RawClient::local(path);
    client.send(kGet);
    EXPECT_TRUE(has_status(client.read_response(), 200));
}

TEST_F(UnixSocketTest, replaces_the_socket_of_an_ended_process) {
    int const fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::listen(fd, 1);
    ::close(fd);  // the file stays, as after kill -9
    start();
    ASSERT_TRUE(listen(path));
    RawClient client = RawClient::local(path);
    client.send(kGet);
    EXPECT_TRUE(has_status(client.read_response(), 200));
}

TEST_F(UnixSocketTest, does_not_remove_a_file_that_is_no_socket) {
    start();
    std::FILE* const file = std::fopen(path.c_str(), "w");
    ASSERT_NE(file, nullptr);
    std::fclose(file);
    auto const result = listen(path);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::usage);
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
}

TEST_F(UnixSocketTest, names_paths_that_are_too_long_or_missing) {
    start();
    auto const too_long = listen("/tmp/" + std::string(120, 'x'));
    ASSERT_FALSE(too_long);
    EXPECT_EQ(too_long.error().code, Errc::usage);
    auto const missing = listen(directory.file("no/api.sock"));
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Errc::io);
}

}  // namespace
}  // namespace inos::test
