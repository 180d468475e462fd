// The blocking HTTP client against a server whose every byte the test decides, and against the
// project's own server over the Unix socket.
#include <atomic>
#include <memory>
#include <vector>

#include "adapters/http/client.hpp"
#include "net/http_server.hpp"
#include "net/http_stream.hpp"
#include "tests/net/io_thread.hpp"

namespace inos {
namespace {

using namespace std::chrono_literals;
using test::IoThread;
using test::TemporaryDirectory;

// Serves one connection after the other: for each, reads a request and writes the next of its
// scripted answers, then closes. An empty answer closes without one.
class ScriptedServer {
public:
    using Script = std::vector<std::vector<std::string>>;  // per connection, per request

    explicit ScriptedServer(Script script, bool hold_open = false)
        : script_(std::move(script)), hold_open_(hold_open) {
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(fd_, 16), 0);
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { run(); });
    }
    ~ScriptedServer() {
        join();
        ::close(fd_);
    }
    void join() {
        if (thread_.joinable()) thread_.join();
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    // The requests that came, after join().
    std::vector<std::string> requests;
    std::atomic<int> connections_closed = 0;

private:
    void run() {
        for (auto const& answers : script_) {
            int const client = ::accept(fd_, nullptr, nullptr);
            for (std::string const& answer : answers) {
                std::string const request = read_request(client);
                if (request.empty()) break;
                requests.push_back(request);
                if (::send(client, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
            }
            if (hold_open_) read_request(client);  // until the client closes
            ::close(client);
            ++connections_closed;
        }
    }

    static std::string read_request(int client) {
        std::string text;
        char buffer[4096];
        for (;;) {
            std::size_t const end = text.find("\r\n\r\n");
            std::size_t const length = text.find("Content-Length: ");
            std::size_t const body =
                length == std::string::npos ? 0 : std::stoul(text.substr(length + 16));
            if (end != std::string::npos && text.size() >= end + 4 + body) return text;
            auto const size = ::recv(client, buffer, sizeof buffer, 0);
            if (size <= 0) return {};
            text.append(buffer, static_cast<std::size_t>(size));
        }
    }

    Script script_;
    bool hold_open_;
    int fd_ = -1;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

std::string const kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

HttpClientRequest get(std::string target = "/") {
    return {"GET", std::move(target), {}, ""};
}
HttpClientRequest post(std::string body) {
    return {"POST", "/", {}, std::move(body)};
}

HttpClient client_of(ScriptedServer const& server, HttpClientOptions options = {}) {
    return HttpClient::over_tcp(server.url(), options).value();
}

void wait_for_close(ScriptedServer const& server, int count) {
    while (server.connections_closed < count)
        std::this_thread::yield();
}

TEST(HttpClient, sends_the_request_and_reads_the_answer) {
    ScriptedServer server(
        {{"HTTP/1.1 201 Created\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 3\r\n\r\nabc"}});
    auto client = HttpClient::over_tcp(server.url() + "/base/").value();
    auto const response = client.request(
        {"POST", "/x?y=z", {{"Content-Type", "application/json"}, {"Host", "evil"}}, "{}"});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 201);
    EXPECT_EQ(response->header("x-a"), "1, 2");
    EXPECT_EQ(response->body, "abc");
    server.join();
    EXPECT_EQ(server.requests.at(0),
              "POST /base/x?y=z HTTP/1.1\r\nHost: " + server.url().substr(7) +
                  "\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(HttpClient, keeps_the_connection) {
    ScriptedServer server({{kOk, kOk, kOk}});
    auto client = client_of(server);
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(client.request(get()).value().body, "ok");
}

TEST(HttpClient, connects_again_when_the_kept_connection_was_closed) {
    ScriptedServer server({{kOk}, {kOk}, {kOk}});
    auto client = client_of(server);
    EXPECT_TRUE(client.request(get()));
    wait_for_close(server, 1);
    EXPECT_TRUE(client.request(post("a")));  // nothing of it reached the closed one
    wait_for_close(server, 2);
    EXPECT_TRUE(client.request(get()));
}

TEST(HttpClient, repeats_only_idempotent_requests_when_the_server_closes_on_them) {
    ScriptedServer server({{kOk, ""}, {kOk, ""}});
    auto client = client_of(server);
    EXPECT_TRUE(client.request(get()));
    auto const again = client.request(get());
    EXPECT_TRUE(again) << again.error().message;
    auto const change = client.request(post("a"));
    ASSERT_FALSE(change);
    EXPECT_EQ(change.error().code, Errc::unavailable);
    server.join();
    EXPECT_EQ(server.requests.size(), 4u);
}

TEST(HttpClient, does_not_repeat_on_a_fresh_connection) {
    ScriptedServer server({{""}});
    auto client = client_of(server);
    EXPECT_EQ(client.request(get()).error().code, Errc::unavailable);
    server.join();
    EXPECT_EQ(server.requests.size(), 1u);
}

TEST(HttpClient, reads_chunked_close_delimited_head_and_interim_answers) {
    ScriptedServer server(
        {{"HTTP/1.1 100 Continue\r\n\r\n"
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n",
          "HTTP/1.1 204 No Content\r\n\r\n",
          "HTTP/1.1 200 OK\r\n\r\nuntil the end"}});
    auto client = client_of(server);
    EXPECT_EQ(client.request(get()).value().body, "abc");
    EXPECT_EQ(client.request({"HEAD", "/", {}, ""}).value().header("content-length"), "500");
    EXPECT_EQ(client.request(get()).value().status, 204);
    EXPECT_EQ(client.request(get()).value().body, "until the end");
}

TEST(HttpClient, does_not_follow_redirects) {
    ScriptedServer server(
        {{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"}});
    auto client = client_of(server);
    EXPECT_EQ(client.request(get()).value().status, 302);
}

TEST(HttpClient, refuses_answers_over_the_limit) {
    HttpClientOptions options;
    options.response_limit = 10;
    ScriptedServer server({{"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901"},
                           {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234567890"}});
    auto client = client_of(server, options);
    EXPECT_EQ(client.request(get()).error().code, Errc::too_large);
    EXPECT_TRUE(client.request(get()));
}

TEST(HttpClient, gives_up_on_an_answer_that_does_not_come_or_end) {
    HttpClientOptions options;
    options.answer_timeout = 100ms;
    ScriptedServer server({{""}, {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"}}, true);
    auto client = client_of(server, options);
    for (int i = 0; i < 2; ++i) {
        auto const result = client.request(get());
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, Errc::unavailable);
        EXPECT_NE(result.error().message.find("in time"), std::string::npos)
            << result.error().message;
    }
}

TEST(HttpClient, reports_a_broken_or_strange_answer) {
    ScriptedServer server(
        {{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"}, {"SSH-2.0\r\n\r\n"}});
    auto client = client_of(server);
    EXPECT_EQ(client.request(get()).error().code, Errc::unavailable);
    EXPECT_EQ(client.request(get()).error().code, Errc::protocol);
}

TEST(HttpClient, refuses_requests_that_would_write_headers_of_their_own) {
    HttpClient client = HttpClient::over_socket("/nowhere");
    EXPECT_EQ(client.request(get("/a\r\nX: y")).error().code, Errc::invalid);
    EXPECT_EQ(client.request(get("/a b")).error().code, Errc::invalid);
    EXPECT_EQ(client.request(get("a")).error().code, Errc::invalid);
    EXPECT_EQ(client.request({"GET", "/", {{"A", "b\r\nC: d"}}, ""}).error().code, Errc::invalid);
    EXPECT_EQ(client.request({"GET", "/", {{"A: b", "c"}}, ""}).error().code, Errc::invalid);
    EXPECT_EQ(client.request({"GET /", "/", {}, ""}).error().code, Errc::invalid);
}

TEST(HttpClient, judges_urls) {
    for (char const* url :
         {"", "127.0.0.1:80", "ftp://h", "http://", "http://u:p@h", "http://h?x", "http://h:0"}) {
        auto const client = HttpClient::over_tcp(url);
        ASSERT_FALSE(client) << url;
        EXPECT_EQ(client.error().code, Errc::invalid) << url;
    }
    auto const tls = HttpClient::over_tcp("https://h");
    ASSERT_FALSE(tls);
    EXPECT_EQ(tls.error().code, Errc::unsupported);
    EXPECT_TRUE(HttpClient::over_tcp("http://[::1]:8080/api"));
}

TEST(HttpClient, says_what_cannot_be_reached) {
    HttpClient client = HttpClient::over_socket("/no/such/api.sock");
    auto const result = client.request(get());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::unavailable);
    EXPECT_NE(result.error().message.find("/no/such/api.sock"), std::string::npos);
    EXPECT_NE(result.error().message.find("inos run"), std::string::npos);
    auto tcp = HttpClient::over_tcp("http://127.0.0.1:1").value();
    EXPECT_EQ(tcp.request(get()).error().code, Errc::unavailable);
}

TEST(HttpClient, talks_to_a_node_over_its_socket) {
    TemporaryDirectory directory;
    std::string const path = directory.file("api.sock");
    IoThread thread;
    HttpServer server(thread.io, [](HttpRequest request, HttpRespond respond) {
        respond(HttpResponse{200, {}, request.method + request.body});
    });
    ASSERT_TRUE(thread.call([&] { return server.listen_unix(path); }));
    HttpClient client = HttpClient::over_socket(path);
    std::string const body(1u << 20, 'b');
    for (int i = 0; i < 3; ++i) {
        auto const response = client.request(post(body));
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(response->body, "POST" + body);
    }
    auto const refused = client.request(post(std::string(9u << 20, 'b')));
    ASSERT_TRUE(refused) << refused.error().message;
    EXPECT_EQ(refused->status, 413);
    thread.call([&] { server.stop(); });
    EXPECT_EQ(client.request(get()).error().code, Errc::unavailable);
    thread.finish();
}

std::string const kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(HttpClientStream, hands_over_the_body_until_its_end) {
    ScriptedServer server({{kChunked + "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"}});
    auto client = HttpClient::over_tcp(server.url()).value();
    std::string text;
    auto const answer = client.stream(get(), [&](std::string_view piece) {
        text += piece;
        return true;
    });
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "");
    EXPECT_EQ(text, "onetwo");
    server.join();
}

TEST(HttpClientStream, says_when_it_was_cut_off) {
    ScriptedServer server({{kChunked + "3\r\none\r\n"}});
    auto client = HttpClient::over_tcp(server.url()).value();
    auto const answer = client.stream(get(), [](std::string_view) { return true; });
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::unavailable);
    server.join();
}

TEST(HttpClientStream, gives_an_answer_that_is_no_stream_as_a_whole) {
    ScriptedServer server({{"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"}});
    auto client = HttpClient::over_tcp(server.url()).value();
    auto const answer = client.stream(get(), [](std::string_view) -> bool {
        ADD_FAILURE();
        return false;
    });
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 404);
    EXPECT_EQ(answer->body, "none");
    server.join();
}

// Pieces arrive one by one while the stream goes on, and heartbeats keep the connection.
TEST(HttpClientStream, reads_a_live_stream_of_the_server_and_hangs_up_when_it_has_enough) {
    TemporaryDirectory directory;
    std::string const path = directory.file("api.sock");
    IoThread thread;
    auto const stream = std::make_shared<HttpStream>("beat");
    std::atomic<bool> closed = false;
    HttpServerOptions options;
    options.heartbeat = 20ms;
    auto server = std::make_unique<HttpServer>(
        thread.io,
        [&](HttpRequest, HttpRespond respond) {
            stream->on_close([&closed] { closed = true; });
            HttpResponse response;
            response.stream = stream;
            stream->write("first");
            respond(std::move(response));
        },
        options);
    ASSERT_TRUE(thread.call([&] { return server->listen_unix(path); }));
    HttpClientOptions patience;
    patience.answer_timeout = 5'000ms;
    HttpClient client = HttpClient::over_socket(path, patience);
    std::string text;
    auto const answer = client.stream(get(), [&](std::string_view piece) {
        text += piece;
        return text.size() < 13;
    });
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(text, "firstbeatbeat");
    while (!closed)
        std::this_thread::yield();
    thread.call([&] { server.reset(); });
    thread.finish();
}

}  // namespace
}  // namespace inos
