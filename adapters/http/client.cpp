#include "adapters/http/client.hpp"

#include <algorithm>
#include <cerrno>
#include <coroutine>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <sys/socket.h>
#include <sys/un.h>

namespace inos {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using local = asio::local::stream_protocol;
using Endpoint = asio::generic::stream_protocol::endpoint;
using Stream = beast::basic_stream<asio::generic::stream_protocol>;
using Parser = http::response_parser<http::string_body>;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t kResponseHeaderLimit = 64 * 1024;
constexpr std::uint16_t kDefaultPort = 80;
constexpr std::size_t kPieceBytes = 16 * 1024;

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        auto const byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7f;
    });
}

bool is_token(std::string_view text) {
    constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               kOthers.find(c) != std::string_view::npos;
    });
}

// Sending a request of these methods twice does what sending it once does (RFC 9110, 9.2.2).
bool is_idempotent(std::string_view method) {
    return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
           method == "OPTIONS";
}

// Whatever would let a caller's value write lines of its own into the request.
Result<void> check_request(HttpClientRequest const& request) {
    bool const target_ok = request.target.starts_with('/') && !has_control(request.target) &&
                           request.target.find_first_of(" \t") == std::string::npos;
    if (!is_token(request.method)) {
        return fail(Errc::invalid, "\"" + request.method + "\" is no HTTP method");
    }
    if (!target_ok) {
        return fail(Errc::invalid,
                    "the request target \"" + request.target +
                        "\" must begin with a slash and hold no blanks or control characters; "
                        "percent-encode them");
    }
    for (auto const& [name, value] : request.headers) {
        if (is_token(name) && !has_control(value)) continue;
        return fail(Errc::invalid, "the HTTP header \"" + name + "\" has a forbidden character");
    }
    return {};
}

}  // namespace

struct HttpClient::Impl {
    explicit Impl(HttpClientOptions limits) : options(limits) {}

    // One try over the present connection, or a new one.
    struct Try {
        Result<HttpClientResponse> response = HttpClientResponse{};
        bool may_repeat = false;  // the kept connection had been closed: nothing was answered
    };

    Try run(HttpClientRequest const& request) { return wait_for(attempt(request)); }
    Try wait_for(asio::awaitable<Try> work);
    Result<HttpClientResponse> exchange(HttpClientRequest const& request);
    asio::awaitable<Result<std::vector<Endpoint>>> look_up();
    asio::awaitable<Result<void>> connect();
    asio::awaitable<Try> attempt(HttpClientRequest const& request);
    asio::awaitable<Try> attempt_stream(HttpClientRequest const& request, OnPiece const& on_piece);
    std::string text_of(HttpClientRequest const& request) const;
    HttpClientResponse take_response(Parser& parser) const;
    Try lost(error_code error, bool reused, bool answered, std::string_view doing);
    Error problem(Errc code, std::string_view what) const;
    bool is_alive();
    void disconnect() {
        stream.reset();
        buffer.clear();
    }

    HttpClientOptions options;
    std::string socket_path;  // or, if empty:
    std::string host;
    std::uint16_t port = kDefaultPort;
    std::string host_header;
    std::string path_prefix;
    asio::io_context io{1};
    std::optional<Stream> stream;  // after io, so that it goes first
    beast::flat_buffer buffer;
};

Error HttpClient::Impl::problem(Errc code, std::string_view what) const {
    std::string const where = socket_path.empty() ? "http://" + host_header : socket_path;
    return Error{code, "request to \"" + where + "\" failed: " + std::string(what), {}};
}

// Whether the kept connection can take another request. A server that closed it has sent an end of
// stream; one that sent anything else broke the protocol.
bool HttpClient::Impl::is_alive() {
    char byte = 0;
    auto const size = ::recv(stream->socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && buffer.size() == 0;
}

std::string HttpClient::Impl::text_of(HttpClientRequest const& request) const {
    std::string text = request.method + ' ' + path_prefix + request.target + " HTTP/1.1\r\n";
    text += "Host: " + host_header + "\r\n";
    for (auto const& [name, value] : request.headers) {
        bool const is_ours = beast::iequals(name, "host") || beast::iequals(name, "connection") ||
                             beast::iequals(name, "content-length") ||
                             beast::iequals(name, "transfer-encoding");
        if (!is_ours) text += name + ": " + value + "\r\n";
    }
    bool const bare = request.body.empty() && (request.method == "GET" || request.method == "HEAD");
    if (!bare) text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
    return text + "\r\n" + request.body;
}

HttpClientResponse head_of(http::response_header<> const& head) {
    HttpClientResponse response;
    response.status = static_cast<int>(head.result_int());
    for (auto const& field : head) {
        std::string name(field.name_string().data(), field.name_string().size());
        for (char& c : name) {
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        }
        std::string_view const value(field.value().data(), field.value().size());
        auto const [same, is_new] = response.headers.try_emplace(std::move(name), value);
        if (!is_new) same->second.append(", ").append(value);
    }
    return response;
}

HttpClientResponse HttpClient::Impl::take_response(Parser& parser) const {
    HttpClientResponse response = head_of(parser.get());
    response.body = std::move(parser.get().body());
    return response;
}

asio::awaitable<Result<std::vector<Endpoint>>> HttpClient::Impl::look_up() {
    std::vector<Endpoint> endpoints;
    if (!socket_path.empty()) {
        if (socket_path.size() >= sizeof(sockaddr_un::sun_path)) {
            co_return tl::unexpected<Error>(problem(
                Errc::usage, "the path is longer than the operating system allows for a socket"));
        }
        endpoints.emplace_back(local::endpoint(socket_path));
        co_return endpoints;
    }
    error_code not_numeric;
    auto const address = asio::ip::make_address(host, not_numeric);
    if (!not_numeric) {
        endpoints.emplace_back(tcp::endpoint(address, port));
        co_return endpoints;
    }
    tcp::resolver resolver(io);
    std::string const service = std::to_string(port);
    auto const [error, found] = co_await resolver.async_resolve(host, service, kToken);
    if (error) {
        co_return tl::unexpected<Error>(
            problem(Errc::unavailable, "the host cannot be found: " + error.message()));
    }
    for (auto const& entry : found)
        endpoints.emplace_back(entry.endpoint());
    co_return endpoints;
}

asio::awaitable<Result<void>> HttpClient::Impl::connect() {
    auto const endpoints = co_await look_up();
    if (!endpoints) co_return tl::unexpected<Error>(endpoints.error());
    std::string last_problem = "the host has no address";
    for (Endpoint const& endpoint : *endpoints) {
        stream.emplace(io);
        stream->expires_after(options.connect_timeout);
        auto const [error] = co_await stream->async_connect(endpoint, kToken);
        if (!error) co_return Result<void>();
        last_problem = error == beast::error::timeout ? "no connection in time" : error.message();
        disconnect();
    }
    if (!socket_path.empty()) last_problem += "; is the node running (inos run)?";
    co_return tl::unexpected<Error>(problem(Errc::unavailable, last_problem));
}

HttpClient::Impl::Try HttpClient::Impl::lost(error_code error,
                                             bool reused,
                                             bool answered,
                                             std::string_view doing) {
    disconnect();
    bool const is_timeout = error == beast::error::timeout;
    Try result;
    result.may_repeat = reused && !answered && !is_timeout;
    std::string text(doing);
    text += is_timeout ? std::string(": no complete answer in time") : ": " + error.message();
    bool const is_http = error.category() == make_error_code(http::error::bad_method).category() &&
                         error != http::error::end_of_stream &&
                         error != http::error::partial_message;
    Errc code = is_http ? Errc::protocol : Errc::unavailable;
    if (error == http::error::body_limit || error == http::error::header_limit) {
        code = Errc::too_large;
        text = "the answer is larger than " + std::to_string(options.response_limit) +
               " bytes, the most this client reads";
    }
    result.response = tl::unexpected<Error>(problem(code, text));
    return result;
}

// The request is the caller's, who blocks until this coroutine has ended.
asio::awaitable<HttpClient::Impl::Try> HttpClient::Impl::attempt(HttpClientRequest const& request) {
    bool const reused = stream.has_value();
    if (!reused) {
        Result<void> const connected = co_await connect();
        if (!connected) {
            Try failed;
            failed.response = tl::unexpected<Error>(connected.error());
            co_return failed;
        }
    }
    stream->expires_after(options.answer_timeout);
    std::string const text = text_of(request);
    auto const [write_error, written] =
        co_await asio::async_write(*stream, asio::buffer(text), kToken);
    // A server may answer and close before it has read everything: look for its answer all the
    // same.
    bool const refused_early = write_error && write_error != beast::error::timeout && written > 0;
    if (write_error && !refused_early) co_return lost(write_error, reused, false, "sending it");

    std::optional<Parser> parser;
    do {  // interim answers (100 Continue) come before the one that counts
        parser.emplace();
        parser->header_limit(kResponseHeaderLimit);
        parser->body_limit(options.response_limit);
        parser->skip(request.method == "HEAD");
        auto const [error, size] =
            co_await http::async_read_header(*stream, buffer, *parser, kToken);
        if (error) {
            bool const answered = buffer.size() != 0 || parser->got_some();
            co_return lost(error, reused, answered, "reading the answer");
        }
    } while (parser->get().result_int() / 100 == 1);
    if (!parser->is_done()) {
        auto const [error, size] = co_await http::async_read(*stream, buffer, *parser, kToken);
        if (error) co_return lost(error, reused, true, "reading the answer");
    }
    Try done;
    done.response = take_response(*parser);
    stream->expires_never();
    bool const keep = parser->keep_alive() && !write_error;
    if (!keep) disconnect();
    co_return done;
}

// The arguments are the caller's, who blocks until this coroutine has ended.
asio::awaitable<HttpClient::Impl::Try> HttpClient::Impl::attempt_stream(
    HttpClientRequest const& request, OnPiece const& on_piece) {
    Try result;
    Result<void> const connected = co_await connect();
    if (!connected) {
        result.response = tl::unexpected<Error>(connected.error());
        co_return result;
    }
    stream->expires_after(options.answer_timeout);
    std::string const text = text_of(request);
    auto const [write_error, written] =
        co_await asio::async_write(*stream, asio::buffer(text), kToken);
    if (write_error) co_return lost(write_error, false, false, "sending it");
    http::response_parser<http::buffer_body> parser;
    parser.header_limit(kResponseHeaderLimit);
    parser.body_limit(boost::none);
    auto const [head_error, head_size] =
        co_await http::async_read_header(*stream, buffer, parser, kToken);
    if (head_error) co_return lost(head_error, false, false, "reading the answer");
    HttpClientResponse response = head_of(parser.get());
    std::vector<char> space(kPieceBytes);
    bool wanted = true;
    while (wanted && !parser.is_done()) {
        auto& body = parser.get().body();
        body.data = space.data();
        body.size = space.size();
        stream->expires_after(options.answer_timeout);
        auto const [error, size] = co_await http::async_read_some(*stream, buffer, parser, kToken);
        if (error && error != http::error::need_buffer)
            co_return lost(error, false, true, "reading the answer");
        std::string_view const piece(space.data(), space.size() - body.size);
        if (response.status == 200)
            wanted = piece.empty() || on_piece(piece);
        else
            response.body += piece.substr(0, options.response_limit - response.body.size());
    }
    disconnect();
    result.response = std::move(response);
    co_return result;
}

HttpClient::Impl::Try HttpClient::Impl::wait_for(asio::awaitable<Try> work) {
    Try result;
    std::exception_ptr thrown;
    io.restart();
    asio::co_spawn(io, std::move(work), [&](std::exception_ptr problem_thrown, Try outcome) {
        thrown = problem_thrown;
        result = std::move(outcome);
    });
    io.run();
    if (thrown) std::rethrow_exception(thrown);
    return result;
}

Result<HttpClientResponse> HttpClient::Impl::exchange(HttpClientRequest const& request) {
    INOS_CHECK(check_request(request));
    if (stream && !is_alive()) disconnect();
    Try result = run(request);
    if (result.may_repeat && is_idempotent(request.method)) result = run(request);
    return std::move(result.response);
}

HttpClient::HttpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

HttpClient HttpClient::over_socket(std::string path, HttpClientOptions options) {
    auto impl = std::make_unique<Impl>(options);
    impl->socket_path = std::move(path);
    impl->host_header = "localhost";
    return HttpClient(std::move(impl));
}

Result<HttpClient> HttpClient::over_tcp(std::string_view url_text, HttpClientOptions options) {
    std::string const quoted = "the URL \"" + std::string(url_text.substr(0, 256)) + "\" ";
    auto const parsed =
        boost::urls::parse_uri(boost::core::string_view(url_text.data(), url_text.size()));
    if (!parsed) return fail(Errc::invalid, quoted + "is malformed; write http://HOST:PORT");
    boost::urls::url_view const& url = *parsed;
    if (url.scheme() == "https") {
        return fail(Errc::unsupported,
                    quoted +
                        "asks for TLS, which this version does not speak; use an http:// "
                        "address, or put a TLS proxy on this machine and use the proxy's");
    }
    if (url.scheme() != "http") return fail(Errc::invalid, quoted + "has a scheme other than http");
    if (url.has_userinfo() || url.has_query() || url.has_fragment() || url.host().empty()) {
        return fail(Errc::invalid, quoted + "must have a host and no user, query or fragment part");
    }
    auto impl = std::make_unique<Impl>(options);
    impl->host = url.host();
    if (impl->host.front() == '[') impl->host = impl->host.substr(1, impl->host.size() - 2);
    if (url.has_port()) impl->port = url.port_number();
    if (impl->port == 0) return fail(Errc::invalid, quoted + "has no port between 1 and 65535");
    impl->host_header.assign(url.encoded_host_and_port().data(),
                             url.encoded_host_and_port().size());
    impl->path_prefix.assign(url.encoded_path().data(), url.encoded_path().size());
    while (impl->path_prefix.ends_with('/'))
        impl->path_prefix.pop_back();
    return HttpClient(std::move(impl));
}

Result<HttpClientResponse> HttpClient::request(HttpClientRequest const& request) {
    return impl_->exchange(request);
}

Result<HttpClientResponse> HttpClient::stream(HttpClientRequest const& request,
                                              OnPiece const& on_piece) {
    INOS_CHECK(check_request(request));
    impl_->disconnect();
    return impl_->wait_for(impl_->attempt_stream(request, on_piece)).response;
}

}  // namespace inos
