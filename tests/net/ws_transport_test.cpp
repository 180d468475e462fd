// The WebSocket transport over real sockets. Most tests run both ends in this thread; those with a
// client that breaks the rules run the transport on a thread of its own.
#include "net/ws_transport.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include "net/peer_url.hpp"
#include "tests/net/io_thread.hpp"

namespace inos {
namespace {

using namespace std::chrono_literals;
using test::IoThread;
using test::RawClient;
using test::run_until;

// A connection with everything that it reported.
struct End {
    std::shared_ptr<Connection> connection;
    std::vector<std::string> frames;
    std::optional<Error> closed;
    int drained = 0;

    void start() {
        connection->start({[this](std::string frame) { frames.push_back(std::move(frame)); },
                           [this](Error reason) { closed = std::move(reason); },
                           [this] { ++drained; }});
    }
};

class WsTransportTest : public testing::Test {
protected:
    void make(WsOptions options = {}) {
        transport = std::make_unique<WsTransport>(io, options);
        url = transport
                  ->listen("127.0.0.1",
                           0,
                           [this](std::shared_ptr<Connection> connection) {
                               auto end = std::make_unique<End>();
                               end->connection = std::move(connection);
                               if (start_accepted) end->start();
                               accepted.push_back(std::move(end));
                           })
                  .value();
    }

    // A started connection to ourselves; its other end is accepted.back().
    std::unique_ptr<End> connect(std::string const& path = "") {
        auto end = std::make_unique<End>();
        std::size_t const before = accepted.size();
        std::optional<Error> error;
        transport->dial(url + path, [&](Result<std::shared_ptr<Connection>> result) {
            if (result) end->connection = *result;
            if (!result) error = result.error();
        });
        EXPECT_TRUE(
            run_until(io, [&] { return error || (end->connection && accepted.size() > before); }));
        EXPECT_FALSE(error) << error->message;
        if (end->connection) end->start();
        return end;
    }

    Error dial_error(std::string const& where) {
        std::optional<Result<std::shared_ptr<Connection>>> result;
        transport->dial(where, [&](auto answer) { result = std::move(answer); });
        EXPECT_FALSE(result) << "a callback came from inside the call";
        EXPECT_TRUE(run_until(io, [&] { return result.has_value(); }));
        return result->has_value() ? Error{} : result->error();
    }

    // Ends everything and checks that nothing keeps the io_context busy.
    void expect_rest() {
        transport->stop();
        io.restart();
        auto const end = std::chrono::steady_clock::now() + test::kPatience;
        while (!io.stopped() && std::chrono::steady_clock::now() < end)
            io.run_one_for(50ms);
        EXPECT_TRUE(io.stopped());
    }

    boost::asio::io_context io{1};
    std::unique_ptr<WsTransport> transport;
    std::string url;
    bool start_accepted = true;
    std::vector<std::unique_ptr<End>> accepted;
};

TEST_F(WsTransportTest, carries_frames_both_ways_in_order) {
    make();
    auto const dialler = connect();
    End& listener = *accepted.at(0);
    EXPECT_EQ(listener.connection->path(), "/v1/sync");
    EXPECT_EQ(dialler->connection->path(), "/v1/sync");
    EXPECT_EQ("ws://" + dialler->connection->remote_address(), url);
    std::vector<std::string> sent;
    for (int i = 0; i < 500; ++i) {
        sent.push_back(std::to_string(i) + std::string(1, '\0'));
        dialler->connection->send(sent.back());
        listener.connection->send(sent.back());
    }
    ASSERT_TRUE(run_until(
        io, [&] { return listener.frames.size() == 500 && dialler->frames.size() == 500; }));
    EXPECT_EQ(listener.frames, sent);
    EXPECT_EQ(dialler->frames, sent);
    expect_rest();
}

TEST_F(WsTransportTest, says_which_invitation_was_dialled) {
    make();
    auto const dialler = connect("/v1/pair/0123456789abcdef");
    EXPECT_EQ(accepted.at(0)->connection->path(), "/v1/pair/0123456789abcdef");
}

TEST_F(WsTransportTest, listens_on_ipv6) {
    make();
    auto const address = transport->listen("::1", 0, [](auto) {});
    if (!address) GTEST_SKIP() << "no IPv6 here: " << address.error().message;
    EXPECT_TRUE(address->starts_with("ws://[::1]:")) << *address;
    bool reached = false;
    transport->dial(*address, [&](auto result) { reached = result.has_value(); });
    EXPECT_TRUE(run_until(io, [&] { return reached; }));
}

TEST_F(WsTransportTest, carries_frames_of_the_full_size) {
    make();
    auto const dialler = connect();
    std::string const frame(kFrameLimit, 'f');
    for (int i = 0; i < 40; ++i) {
        dialler->connection->send(frame);
        accepted[0]->connection->send(frame);
    }
    ASSERT_TRUE(run_until(
        io, [&] { return accepted[0]->frames.size() == 40 && dialler->frames.size() == 40; }));
    EXPECT_EQ(dialler->frames.back(), frame);
    EXPECT_EQ(accepted[0]->frames.back(), frame);
}

TEST_F(WsTransportTest, reports_the_queue_and_when_it_has_drained) {
    make();
    start_accepted = false;  // nobody reads at the other end
    auto const dialler = connect();
    while (dialler->connection->queued_bytes() < kQueueLimit) {
        dialler->connection->send(std::string(kFrameLimit, 'q'));
    }
    io.restart();
    io.run_for(20ms);
    EXPECT_GT(dialler->connection->queued_bytes(), kQueueLow);
    EXPECT_EQ(dialler->drained, 0);
    accepted[0]->start();
    ASSERT_TRUE(run_until(io, [&] { return dialler->connection->queued_bytes() == 0; }));
    EXPECT_GE(dialler->drained, 2);  // below the low mark, and empty
}

TEST_F(WsTransportTest, breaks_off_when_the_owner_ignores_the_queue) {
    make();
    start_accepted = false;
    auto const dialler = connect();
    for (std::size_t i = 0; i <= kQueueHardLimit / kFrameLimit + 1; ++i) {
        dialler->connection->send(std::string(kFrameLimit, 'q'));
        EXPECT_FALSE(dialler->closed) << "a callback came from inside the call";
    }
    ASSERT_TRUE(run_until(io, [&] { return dialler->closed.has_value(); }));
    EXPECT_EQ(dialler->closed->code, Errc::too_large);
    EXPECT_EQ(dialler->connection->queued_bytes(), 0u);
}

TEST_F(WsTransportTest, ends_a_connection_whose_peer_takes_nothing) {
    WsOptions options;
    options.stall_timeout = 100ms;
    make(options);
    start_accepted = false;
    auto const dialler = connect();
    while (dialler->connection->queued_bytes() < kQueueLimit) {
        dialler->connection->send(std::string(kFrameLimit, 'q'));
    }
    ASSERT_TRUE(run_until(io, [&] { return dialler->closed.has_value(); }));
    EXPECT_EQ(dialler->closed->code, Errc::unavailable);
    EXPECT_NE(dialler->closed->message.find("did not take any data"), std::string::npos);
}

TEST_F(WsTransportTest, writes_what_is_queued_before_it_closes) {
    make();
    auto const dialler = connect();
    for (int i = 0; i < 100; ++i)
        dialler->connection->send(std::string(10'000, 'x'));
    dialler->connection->close("that is all");
    ASSERT_TRUE(run_until(io, [&] { return accepted[0]->closed.has_value(); }));
    EXPECT_EQ(accepted[0]->frames.size(), 100u);
    EXPECT_NE(accepted[0]->closed->message.find("\"that is all\""), std::string::npos)
        << accepted[0]->closed->message;
    EXPECT_FALSE(dialler->closed);
    expect_rest();
}

TEST_F(WsTransportTest, cuts_a_long_reason_between_characters) {
    make();
    auto const dialler = connect();
    std::string reason = "a";
    for (int i = 0; i < 100; ++i)
        reason += "\xc3\xa9";  // each two bytes
    dialler->connection->close(reason);
    ASSERT_TRUE(run_until(io, [&] { return accepted[0]->closed.has_value(); }));
    EXPECT_EQ(accepted[0]->closed->code, Errc::unavailable) << accepted[0]->closed->message;
}

TEST_F(WsTransportTest, reports_nothing_after_close_even_from_inside_a_callback) {
    make();
    auto const dialler = connect();
    int calls = 0;
    End& listener = *accepted.at(0);
    auto const second = connect();
    second->connection->close("");
    dialler->connection->send("first");
    dialler->connection->send("second");
    auto const keep = std::make_shared<int>(1);  // the callbacks are released with it
    start_accepted = false;
    auto const third = connect();
    Connection& connection = *accepted.back()->connection;
    connection.start({[&connection, &calls, keep](std::string) {
                          ++calls;
                          connection.close("enough");
                      },
                      [&calls](Error) { calls += 100; },
                      {}});
    third->connection->send("first");
    third->connection->send("second");
    ASSERT_TRUE(run_until(io, [&] { return third->closed && listener.frames.size() == 2; }));
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(keep.use_count(), 1);
    EXPECT_FALSE(second->closed);
}

TEST_F(WsTransportTest, closes_when_the_last_pointer_is_dropped) {
    make();
    auto const dialler = connect();
    dialler->connection.reset();
    ASSERT_TRUE(run_until(io, [&] { return accepted[0]->closed.has_value(); }));
    expect_rest();
}

TEST_F(WsTransportTest, survives_closing_from_both_sides_at_once) {
    make();
    for (int round = 0; round < 30; ++round) {
        auto const dialler = connect();
        End& listener = *accepted.back();
        listener.connection->established();
        for (int i = 0; i < round % 4; ++i) {
            dialler->connection->send("x");
            listener.connection->send(std::string(50'000, 'y'));
        }
        io.restart();
        for (int i = 0; i < round; ++i)
            io.poll_one();
        dialler->connection->close("here");
        listener.connection->close("there");
    }
    expect_rest();
}

TEST_F(WsTransportTest, stops_with_open_connections_and_leaves_nothing_running) {
    WsOptions options;
    options.close_timeout = 100ms;
    make(options);
    std::vector<std::unique_ptr<End>> diallers;
    for (int i = 0; i < 3; ++i) {
        diallers.push_back(connect());
        accepted.back()->connection->established();
    }
    start_accepted = false;
    diallers.push_back(connect());  // its other end never reads
    bool answered = false;
    transport->dial(url, [&](auto) { answered = true; });
    transport->dial("ws://127.0.0.1:1/wrong", [&](auto) { answered = true; });
    expect_rest();
    EXPECT_FALSE(answered);
    for (auto const& dialler : diallers)
        EXPECT_FALSE(dialler->closed);
}

TEST_F(WsTransportTest, ends_at_once_when_destroyed) {
    make();
    auto const dialler = connect();
    dialler->connection->send(std::string(1000, 'x'));
    transport.reset();
    io.restart();
    io.run();  // returns: nothing is left
    EXPECT_FALSE(dialler->closed);
    EXPECT_FALSE(accepted[0]->closed);
    dialler->connection->send("nobody hears this");
}

TEST_F(WsTransportTest, ends_connections_that_are_not_established_in_time) {
    WsOptions options;
    options.handshake_deadline = 200ms;
    make(options);
    auto const kept = connect();
    kept->connection->established();
    accepted[0]->connection->established();
    auto const late = connect();
    ASSERT_TRUE(run_until(io, [&] { return late->closed && accepted[1]->closed; }));
    EXPECT_FALSE(kept->closed);
    EXPECT_FALSE(accepted[0]->closed);
}

TEST_F(WsTransportTest, keeps_a_quiet_connection_alive_with_pings) {
    WsOptions options;
    options.idle_timeout = 100ms;
    make(options);
    auto const dialler = connect();
    io.restart();
    io.run_for(500ms);
    EXPECT_FALSE(dialler->closed);
    dialler->connection->send("still here");
    EXPECT_TRUE(run_until(io, [&] { return accepted[0]->frames.size() == 1; }));
}

TEST_F(WsTransportTest, refuses_more_handshakes_than_allowed_from_one_address) {
    WsOptions options;
    options.pending_per_address_max = 2;
    make(options);
    auto const first = connect();
    auto const second = connect();
    EXPECT_EQ(dial_error(url).code, Errc::unavailable);
    accepted[0]->connection->established();
    auto const third = connect();
    EXPECT_EQ(accepted.size(), 3u);
}

TEST_F(WsTransportTest, refuses_more_handshakes_than_allowed_in_all) {
    WsOptions options;
    options.pending_max = 1;
    make(options);
    auto const first = connect();
    EXPECT_EQ(dial_error(url).code, Errc::unavailable);
    first->connection->close("");  // a place is free when the other end has seen it
    ASSERT_TRUE(run_until(io, [&] { return accepted[0]->closed.has_value(); }));
    auto const second = connect();
}

TEST_F(WsTransportTest, refuses_to_dial_above_the_limit_of_connections) {
    WsOptions options;
    options.connections_max = 2;
    make(options);
    auto const first = connect();  // both ends count
    Error const error = dial_error(url);
    EXPECT_EQ(error.code, Errc::unavailable);
    EXPECT_NE(error.message.find("2 connections"), std::string::npos) << error.message;
}

TEST_F(WsTransportTest, names_a_busy_port_and_what_to_do) {
    make();
    auto const again = transport->listen("127.0.0.1", parse_peer_url(url)->port, [](auto) {});
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::conflict);
    EXPECT_NE(again.error().message.find(url.substr(5)), std::string::npos);
    EXPECT_NE(again.error().message.find("inos run --listen HOST:PORT"), std::string::npos);
}

TEST_F(WsTransportTest, says_why_a_dial_failed) {
    make();
    EXPECT_EQ(dial_error("http://127.0.0.1:1").code, Errc::invalid);
    EXPECT_EQ(dial_error("wss://127.0.0.1:1").code, Errc::unsupported);
    Error const refused = dial_error("ws://127.0.0.1:1");
    EXPECT_EQ(refused.code, Errc::unavailable);
    EXPECT_NE(refused.message.find("ws://127.0.0.1:1"), std::string::npos) << refused.message;
    EXPECT_EQ(dial_error("ws://no-such-host.invalid").code, Errc::unavailable);
}

// What a client says that breaks the rules, and what comes back.
class RawWsTest : public testing::Test {
protected:
    void start(WsOptions options = {}) {
        thread.call([&] {
            transport = std::make_unique<WsTransport>(thread.io, options);
            auto const url = transport->listen("127.0.0.1", 0, [this](auto connection) {
                end.connection = std::move(connection);
                end.start();
            });
            port = parse_peer_url(url.value())->port;
        });
    }
    void TearDown() override {
        thread.call([&] {
            end.connection.reset();
            transport.reset();
        });
        thread.finish();
    }

    static std::string upgrade(std::string const& path, std::string const& protocol) {
        return "GET " + path +
               " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
               "Sec-WebSocket-Protocol: " +
               protocol + "\r\n";
    }
    RawClient connect() {
        RawClient client = RawClient::tcp(port);
        client.send(upgrade("/v1/sync", "inos.sync.1") + "\r\n");
        std::string const head = client.read_until("\r\n\r\n");
        EXPECT_TRUE(head.starts_with("HTTP/1.1 101 ")) << head;
        EXPECT_NE(head.find("Sec-WebSocket-Protocol: inos.sync.1"), std::string::npos) << head;
        EXPECT_EQ(head.find("Sec-WebSocket-Extensions"), std::string::npos) << head;
        // The answer may be here before the transport has handed the connection out.
        EXPECT_TRUE(wait_for([this] { return end.connection != nullptr; }));
        return client;
    }
    // A masked frame (with a mask of zeros): first byte, length, payload.
    static std::string frame(int first, std::string const& payload) {
        std::string bytes(1, static_cast<char>(first));
        if (payload.size() < 126) {
            bytes += static_cast<char>(0x80 | payload.size());
        } else {
            bytes += static_cast<char>(0xFE);
            bytes += static_cast<char>(payload.size() >> 8);
            bytes += static_cast<char>(payload.size() & 0xFF);
        }
        return bytes + std::string(4, '\0') + payload;
    }
    std::string answer_to(std::string const& request) {
        RawClient client = RawClient::tcp(port);
        client.send(request);
        return client.read_until("\r\n");
    }
    Error closed() {
        if (!wait_for([this] { return end.closed.has_value(); })) return Error{};
        return thread.call([&] { return *end.closed; });
    }
    template <class Condition>
    bool wait_for(Condition condition) {
        auto const deadline = std::chrono::steady_clock::now() + test::kPatience;
        while (!thread.call(condition)) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            std::this_thread::yield();
        }
        return true;
    }

    IoThread thread;
    std::unique_ptr<WsTransport> transport;
    std::uint16_t port = 0;
    End end;
};

constexpr int kText = 0x81;
constexpr int kBinary = 0x82;
constexpr int kBinaryPart = 0x02;
constexpr int kLastPart = 0x80;
constexpr int kMiddlePart = 0x00;

std::string close_code_of(std::string const& bytes) {  // of the first frame, which is unmasked
    if (bytes.size() < 4 || static_cast<unsigned char>(bytes[0]) != 0x88) return "none";
    return std::to_string(static_cast<unsigned char>(bytes[2]) * 256 +
                          static_cast<unsigned char>(bytes[3]));
}

TEST_F(RawWsTest, refuses_a_text_message) {
    start();
    RawClient client = connect();
    client.send(frame(kText, "hello"));
    EXPECT_EQ(closed().code, Errc::protocol);
    EXPECT_EQ(close_code_of(client.read_bytes(4)), "1003");
}

TEST_F(RawWsTest, refuses_an_empty_message) {
    start();
    RawClient client = connect();
    client.send(frame(kBinary, ""));
    EXPECT_EQ(closed().code, Errc::protocol);
    EXPECT_EQ(close_code_of(client.read_bytes(4)), "1008");
}

TEST_F(RawWsTest, takes_the_largest_message_and_refuses_a_larger_one) {
    start();
    RawClient client = connect();
    client.send(frame(kBinary, std::string(kFrameLimit, 'x')));
    client.send(frame(kBinaryPart, std::string(40'000, 'x')) + frame(kLastPart, "y"));
    client.send(frame(kBinaryPart, std::string(40'000, 'x')));
    client.send(frame(kMiddlePart, std::string(20'000, 'x')));
    client.send(frame(kLastPart, std::string(5'536, 'x')));
    EXPECT_EQ(close_code_of(client.read_bytes(4)), "1009");
    client.close();
    EXPECT_EQ(closed().code, Errc::too_large);
    EXPECT_EQ(thread.call([&] { return end.frames.size(); }), 2u);
}

TEST_F(RawWsTest, refuses_unmasked_and_reserved_frames) {
    start();
    RawClient client = connect();
    client.send(std::string("\x82\x01x", 3));
    EXPECT_EQ(close_code_of(client.read_bytes(4)), "1002");
    client.close();
    EXPECT_EQ(closed().code, Errc::protocol);
}

TEST_F(RawWsTest, reports_a_connection_that_breaks_off) {
    start();
    RawClient client = connect();
    client.send(frame(kBinary, "one") + "\x82");
    client.close();
    EXPECT_EQ(closed().code, Errc::unavailable);
    EXPECT_EQ(thread.call([&] { return end.frames; }), (std::vector<std::string>{"one"}));
}

TEST_F(RawWsTest, refuses_upgrades_that_are_not_a_sites) {
    start();
    EXPECT_EQ(answer_to("GET /v1/sync HTTP/1.1\r\n\r\n"), "HTTP/1.1 426 Upgrade Required\r\n");
    EXPECT_EQ(answer_to(upgrade("/", "inos.sync.1") + "\r\n"), "HTTP/1.1 404 Not Found\r\n");
    EXPECT_EQ(answer_to(upgrade("/v1/pair/xyz", "inos.pair.1") + "\r\n"),
              "HTTP/1.1 404 Not Found\r\n");
    EXPECT_EQ(answer_to(upgrade("/v1/sync", "inos.pair.1") + "\r\n"),
              "HTTP/1.1 400 Bad Request\r\n");
    EXPECT_EQ(answer_to(upgrade("/v1/sync", "inos.sync.1") + "Origin: http://x\r\n\r\n"),
              "HTTP/1.1 403 Forbidden\r\n");
    EXPECT_EQ(answer_to("garbage\r\n\r\n"), "");
    EXPECT_EQ(
        answer_to(upgrade("/v1/sync", "inos.sync.1") + "X: " + std::string(9000, 'x') + "\r\n\r\n"),
        "");
}

TEST_F(RawWsTest, closes_upgrades_that_come_too_slowly) {
    WsOptions options;
    options.handshake_deadline = 50ms;
    start(options);
    EXPECT_EQ(answer_to("GET /v1/sync HT"), "");
    EXPECT_EQ(answer_to(""), "");
}

TEST_F(RawWsTest, drops_a_peer_that_does_not_answer_pings) {
    WsOptions options;
    options.idle_timeout = 100ms;
    start(options);
    RawClient client = connect();
    EXPECT_EQ(closed().code, Errc::unavailable);
    EXPECT_EQ(static_cast<unsigned char>(client.read_bytes(1).at(0)), 0x89u);  // a ping came before
}

TEST_F(RawWsTest, drops_a_peer_that_does_not_answer_the_close) {
    WsOptions options;
    options.close_timeout = 50ms;
    start(options);
    RawClient client = connect();
    thread.call([&] { end.connection->close("bye"); });
    EXPECT_EQ(client.read_all().substr(4), "bye");
}

}  // namespace
}  // namespace inos
