// An HTTP/1.1 server for the local API, over TCP and over a Unix socket. It knows requests,
// responses and limits; routes and rights are the handler's and the guard's (http_guard.hpp).
//
// A connection handles one request at a time: the next one of a pipeline is read when the response
// to this one has been written, so answers keep their order and a client cannot make us queue.
// A client that hangs up while its answer is made is let go at once; over TCP, where that looks
// like shutting down its side, after half_closed.
// A response may be a stream (http_stream.hpp): it goes out in chunks, or before HTTP/1.1 until the
// connection ends.
// Threads: one io_context that one thread runs; all calls, handlers and responds on that thread.
// Lifetime: the io_context outlives the server. After stop() nothing of the server keeps
// io_context::run() from returning for longer than stop_timeout.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/http_types.hpp"
#include "storage/result.hpp"

namespace boost::asio {
class io_context;
}

namespace inos {

struct HttpServerOptions {
    // TCP and Unix socket together. Above it requests are answered with 503, far above it
    // connections are closed at once.
    std::size_t connections_max = 1'024;
    std::size_t body_limit = kHttpBodyLimit;             // 413 above
    std::size_t header_limit = kHttpHeaderLimit;         // 431 above
    std::chrono::milliseconds header_deadline{10'000};   // from a request's first byte
    std::chrono::milliseconds body_deadline{30'000};     // for the body, and for the response
    std::chrono::milliseconds stream_deadline{120'000};  // for each piece of a stream
    std::chrono::milliseconds heartbeat{15'000};         // of a stream that has nothing to send
    std::chrono::milliseconds keep_alive{60'000};        // between two requests
    std::chrono::milliseconds half_closed{10'000};       // for the answer, once a TCP client ended
    std::chrono::milliseconds linger{2'000};             // see http_server.cpp
    std::chrono::milliseconds stop_timeout{5'000};       // for the requests that stop() finds
};

class HttpServer {
public:
    // Looks at a request before its body is read (`body` is empty then) and may refuse it or fill
    // in its role.
    using Guard = std::function<std::optional<HttpResponse>(HttpRequest& request)>;

    HttpServer(boost::asio::io_context& io, HttpHandler handler, HttpServerOptions options = {});
    ~HttpServer();  // ends every connection at once
    HttpServer(HttpServer const&) = delete;
    HttpServer& operator=(HttpServer const&) = delete;

    void set_guard(Guard guard);

    // Listens on a host name or address; port 0 lets the operating system choose. Answers the port.
    Result<std::uint16_t> listen_tcp(std::string const& host, std::uint16_t port);

    // Listens on a Unix socket that only this user can open (0600). Replaces the socket of a
    // program that has ended; fails with Errc::conflict if another one answers there, and with
    // Errc::usage if the path is something else than a socket or too long for the operating system
    // (107 bytes).
    Result<void> listen_unix(std::string const& path);

    // Stops accepting, removes the socket file and ends the connections: idle ones at once, streams
    // after what was written to them, the others after their response. Idempotent.
    void stop();

    struct State;  // defined in the .cpp file

private:
    std::shared_ptr<State> state_;
};

}  // namespace inos
