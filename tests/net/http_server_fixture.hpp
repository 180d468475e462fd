// A server on a thread of its own whose handler streams, echoes, holds, throws or forgets, as the
// path says.
#pragma once

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "net/http_server.hpp"
#include "net/http_stream.hpp"
#include "tests/net/io_thread.hpp"

namespace inos::test {

inline std::string const kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
inline std::string const kStream = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";

class HttpServerTest : public testing::Test {
protected:
    void TearDown() override {
        thread.call([&] {
            held.clear();
            server.reset();
            streams.clear();
        });
        thread.finish();
    }

    void start(HttpServerOptions options = {}) {
        thread.call([&] {
            auto handler = [this](HttpRequest request, HttpRespond respond) {
                handle(std::move(request), std::move(respond));
            };
            server = std::make_unique<HttpServer>(thread.io, handler, options);
            port = server->listen_tcp("127.0.0.1", 0).value();
        });
    }

    void handle(HttpRequest request, HttpRespond respond) {
        ++handled;
        if (request.path == "/throw") throw std::runtime_error("on purpose");
        if (request.path == "/forget") return;
        if (request.path == "/hold") {
            held.push_back(std::move(respond));
            return;
        }
        if (request.path == "/stream") {
            HttpResponse response{200, {{"Content-Type", "text/event-stream"}}, ""};
            response.stream = std::make_shared<HttpStream>(": beat\n\n");
            response.stream->on_close([this] { ++closed; });
            streams.push_back(response.stream);
            respond(std::move(response));
            return;
        }
        if (request.path == "/twice") respond(HttpResponse{200, {}, "first"});
        if (request.path == "/large") {
            respond(HttpResponse{200, {}, std::string(4u << 20, 'x')});
            return;
        }
        std::string body = request.method + ' ' + request.path + ' ' + request.body;
        if (request.from_socket) body += " socket";
        respond(HttpResponse{200, {{"Content-Type", "text/plain"}}, body});
    }

    void wait_until_held(std::size_t count) {
        auto const end = std::chrono::steady_clock::now() + kPatience;
        while (thread.call([&] { return held.size(); }) < count) {
            ASSERT_LT(std::chrono::steady_clock::now(), end);
            std::this_thread::yield();
        }
    }

    template <class Condition>
    void wait_for(Condition condition) {
        auto const end = std::chrono::steady_clock::now() + kPatience;
        while (!thread.call(condition)) {
            ASSERT_LT(std::chrono::steady_clock::now(), end);
            std::this_thread::yield();
        }
    }
    // A client whose stream has begun, and its head.
    RawClient streaming(std::string& head) {
        RawClient client = RawClient::tcp(port);
        client.send(kStream);
        head = client.read_until("\r\n\r\n");
        return client;
    }
    void write(std::string const& bytes) {
        thread.call([&] { streams.back()->write(bytes); });
    }

    std::string once(std::string const& request) {
        RawClient client = RawClient::tcp(port);
        client.send(request);
        return client.read_all();
    }

    IoThread thread;
    std::unique_ptr<HttpServer> server;
    std::uint16_t port = 0;
    std::vector<HttpRespond> held;
    std::vector<std::shared_ptr<HttpStream>> streams;
    std::atomic<int> handled = 0;
    std::atomic<int> closed = 0;  // streams that the server has ended
};

inline std::string const kError = "{\"error\":{\"code\":\"";

inline bool has_status(std::string const& response, int status) {
    return response.starts_with("HTTP/1.1 " + std::to_string(status) + ' ');
}

}  // namespace inos::test
