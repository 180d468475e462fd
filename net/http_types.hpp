// HTTP requests and responses as the API's handlers see them: plain values without any network in
// them. Also the pure parts of HTTP/1.1: reading a request target, writing the head of a response.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/result.hpp"

namespace inos {

class HttpStream;

inline constexpr std::size_t kHttpBodyLimit = 8u << 20;
inline constexpr std::size_t kHttpHeaderLimit = 8u << 10;

struct HttpRequest {
    std::string method;  // "GET"; a HEAD request arrives as GET
    std::string path;    // as it was sent, without the query: "/v1/collections/a/records/x%2Fy"
    // The parts between the slashes, decoded after splitting, so that an id may hold a slash:
    // {"v1", "collections", "a", "records", "x/y"}. "/" alone has none.
    std::vector<std::string> segments;
    std::map<std::string, std::string> query;    // decoded; the last one of a name counts
    std::map<std::string, std::string> headers;  // lower-case names; repeated ones joined with ", "
    std::string body;
    bool from_socket = false;  // came over the Unix socket, whose file permissions are its guard
    std::string role;          // of the token that let it in; empty on the socket

    // The value of a header (name in lower case), empty if it is missing.
    std::string_view header(std::string_view name) const;
    // The value of a parameter of the query, empty if it is missing.
    std::string_view param(std::string_view name) const;
};

struct HttpResponse {
    int status = 200;
    std::map<std::string, std::string> headers;  // Content-Length and Connection are the server's
    std::string body;
    // Instead of the body: one that goes on, see http_stream.hpp.
    std::shared_ptr<HttpStream> stream = {};
};

using HttpRespond = std::function<void(HttpResponse)>;

// Answers a request by calling respond once, at once or later, from the server's thread. Further
// calls are ignored, and a respond that is dropped without a call answers 500.
using HttpHandler = std::function<void(HttpRequest request, HttpRespond respond)>;

// {"error":{"code":...,"message":...}} with that status: the body of every refusal.
HttpResponse http_error(int status, std::string_view code, std::string_view message);

// The status of an expected failure (as result.hpp lists them), and its name in the body.
std::pair<int, std::string_view> status_and_code(Errc code);

// That status, with the same body.
HttpResponse http_error(Error const& error);

// Splits a request target ("/v1/x?limit=10", or the absolute form that proxies use) into path,
// segments and query. Refuses what is malformed: no leading slash, a bad percent sign, a decoded
// NUL.
Result<void> parse_target(std::string_view target, HttpRequest& request);

// How a client knows where the body ends: by Content-Length; by chunks, of a length each; or,
// before HTTP/1.1, because the connection does.
enum class HttpFraming { length, chunks, connection };

// "HTTP/1.1 200 OK" and the headers up to the empty line, with Connection and what the framing
// asks for. Header values with control characters are left out: they would let a value write
// headers of its own.
std::string response_head(HttpResponse const& response,
                          bool keep_alive,
                          HttpFraming framing = HttpFraming::length);

// A piece of a body in chunks; an empty one is the end.
std::string http_chunk(std::string_view piece);

}  // namespace inos
