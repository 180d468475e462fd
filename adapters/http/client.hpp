// A blocking HTTP/1.1 client over TCP or a Unix socket, one request at a time, for connectors (each
// in a thread of its own) and the command line.
//
// The connection is kept for the next request. If the server closed it in the meantime, the request
// is sent again on a new one, once; requests that change something and are not idempotent (POST,
// PATCH) only when nothing of them can have reached the server. Redirects are answers like any
// other: nothing is followed, so credentials go nowhere else. Threads: used by one thread at a
// time. Lifetime: independent of everything else. Errors: Errc::unavailable (not reachable, or no
// complete answer in time), Errc::too_large (response over its limit), Errc::protocol (no HTTP
// answer), Errc::invalid (request or URL malformed), Errc::unsupported (https). A status of 400 or
// more is an answer, not an error.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/http/types.hpp"
#include "storage/result.hpp"

namespace inos {

struct HttpClientOptions {
    std::chrono::milliseconds connect_timeout{5'000};
    // From sending the request to the last byte of its answer.
    std::chrono::milliseconds answer_timeout{30'000};
    std::size_t response_limit = 64u << 20;  // bytes of the body
};

class HttpClient {
public:
    // Neither connects: the first request does.
    static HttpClient over_socket(std::string path, HttpClientOptions options = {});
    // http://HOST[:PORT], IPv6 in brackets; a path in the URL is put in front of every target.
    static Result<HttpClient> over_tcp(std::string_view url, HttpClientOptions options = {});

    HttpClient(HttpClient&&) noexcept;
    HttpClient& operator=(HttpClient&&) noexcept;
    ~HttpClient();

    Result<HttpClientResponse> request(HttpClientRequest const& request);

    // Sends a request whose answer goes on for as long as the server likes, and hands over its body
    // as it comes, on a connection of its own; `on_piece` answers false when it has enough. Returns
    // when the answer has ended. answer_timeout is the longest silence; an answer that was cut off
    // is Errc::unavailable. Another status than 200 is an answer like that of request(), whole.
    using OnPiece = std::function<bool(std::string_view)>;
    Result<HttpClientResponse> stream(HttpClientRequest const& request, OnPiece const& on_piece);

    struct Impl;  // defined in the .cpp file

private:
    explicit HttpClient(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

}  // namespace inos
