#include "net/http_server.hpp"

#include <cerrno>
#include <coroutine>
#include <exception>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "net/http_stream.hpp"
#include "net/socket_file.hpp"
#include "net/tcp_socket.hpp"

namespace inos {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using local = asio::local::stream_protocol;
using Socket = asio::generic::stream_protocol::socket;  // one session type for TCP and Unix sockets
using Stream = beast::basic_stream<asio::generic::stream_protocol>;
using Task = asio::awaitable<void>;
using State = HttpServer::State;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kReadBytes = 4 * 1024;
constexpr std::size_t kOverloadSlots = 64;  // connections that are told 503

class Session;

}  // namespace

// What the server, its coroutines and its sessions share. The coroutines keep it alive.
struct HttpServer::State {
    State(asio::io_context& context, HttpHandler on_request, HttpServerOptions limits)
        : io(context), handler(std::move(on_request)), options(limits), stop_timer(context) {}

    asio::io_context& io;
    HttpHandler handler;
    Guard guard;
    HttpServerOptions const options;
    bool stopped = false;
    asio::steady_timer stop_timer;
    std::vector<std::shared_ptr<tcp::acceptor>> tcp_acceptors;
    std::vector<std::shared_ptr<local::acceptor>> local_acceptors;
    std::vector<SocketFile> socket_files;
    std::map<Session*, std::weak_ptr<Session>> sessions;

    void close_sessions(bool busy_too);
};

namespace {

// One connection: reads a request, has it answered, writes the response, and so on.
class Session : public std::enable_shared_from_this<Session> {
public:
    Session(std::shared_ptr<State> state, Socket socket, bool from_socket, bool overloaded)
        : state_(std::move(state)),
          stream_(std::move(socket)),
          answered_(state_->io),
          from_socket_(from_socket),
          overloaded_(overloaded) {}
    ~Session();

    static Task run(std::shared_ptr<Session> self);
    void answer(std::uint64_t request_number, HttpResponse response);
    void close();
    void stop_stream();
    bool busy() const { return busy_; }

private:
    using Parser = http::request_parser<http::string_body>;

    static asio::awaitable<bool> read_head(std::shared_ptr<Session> self, bool first);
    static asio::awaitable<bool> read_body(std::shared_ptr<Session> self);
    static Task wait_for_answer(std::shared_ptr<Session> self);
    static asio::awaitable<bool> write(std::shared_ptr<Session> self,
                                       std::string data,
                                       std::chrono::milliseconds deadline);
    static asio::awaitable<bool> respond(std::shared_ptr<Session> self);
    static asio::awaitable<bool> respond_with_stream(std::shared_ptr<Session> self);
    static Task wait_for_piece(std::shared_ptr<Session> self);
    static Task linger(std::shared_ptr<Session> self);
    bool judge_head();
    void call_handler();
    void watch_client(Socket::wait_type what);
    void look_at_client();
    bool refuse_read(error_code error);
    void take_head();
    bool wants_continue() const;

    std::shared_ptr<State> state_;
    Stream stream_;
    beast::flat_buffer buffer_;
    std::optional<Parser> parser_;
    HttpRequest request_;
    std::optional<HttpResponse> response_;
    asio::steady_timer answered_;                // cancelled when response_ was set
    asio::steady_timer::time_point give_up_at_;  // the end of waiting for response_
    std::uint64_t request_number_ = 0;
    bool const from_socket_;
    bool const overloaded_;
    bool is_head_ = false;
    bool busy_ = false;      // between a request's head and the end of its response
    bool waiting_ = false;   // in wait_for_answer()
    bool watching_ = false;  // see watch_client()
    bool closed_ = false;
};

// What a handler's respond function holds. If all copies are dropped without a call, the client
// still gets an answer.
class Answer {
public:
    Answer(std::weak_ptr<Session> session, std::uint64_t request_number)
        : session_(std::move(session)), request_number_(request_number) {}
    ~Answer() { give(http_error(500, "internal", "the request was dropped without an answer")); }
    Answer(Answer const&) = delete;
    Answer& operator=(Answer const&) = delete;

    void give(HttpResponse response) {
        auto const session = std::exchange(session_, {}).lock();
        if (session) {
            session->answer(request_number_, std::move(response));
        } else if (response.stream) {
            response.stream->close();
        }
    }

private:
    std::weak_ptr<Session> session_;
    std::uint64_t request_number_;
};

Session::~Session() {
    if (response_ && response_->stream) response_->stream->close();
    state_->sessions.erase(this);
    if (state_->stopped && state_->sessions.empty()) state_->stop_timer.cancel();
}

void Session::close() {
    closed_ = true;
    stream_.close();
    answered_.cancel();
    if (response_ && response_->stream) response_->stream->close();
}

void Session::stop_stream() {
    if (response_ && response_->stream) response_->stream->stop();
}

void Session::answer(std::uint64_t request_number, HttpResponse response) {
    if (closed_ || response_ || request_number != request_number_) {
        if (response.stream) response.stream->close();
        return;
    }
    response_ = std::move(response);
    answered_.cancel();
}

Task Session::run(std::shared_ptr<Session> self) {
    bool go_on = true;
    bool first = true;
    while (go_on && !self->closed_) {
        bool const has_request = co_await read_head(self, first);
        if (!has_request) break;
        first = false;
        bool const wants_body = self->judge_head();
        if (wants_body) {
            bool const complete = co_await read_body(self);
            if (!complete) break;
        }
        if (!self->response_) {
            self->call_handler();
            co_await wait_for_answer(self);
        }
        go_on = co_await respond(self);
    }
    self->close();
}

// Waits for the first byte of a request, then for its head. False: there will be none, and no
// response to give; otherwise response_ is set if the head was bad.
asio::awaitable<bool> Session::read_head(std::shared_ptr<Session> self, bool first) {
    HttpServerOptions const& options = self->state_->options;
    self->busy_ = false;
    self->response_.reset();
    self->is_head_ = false;
    ++self->request_number_;
    self->give_up_at_ = asio::steady_timer::time_point::max();
    self->parser_.emplace();
    self->parser_->header_limit(static_cast<std::uint32_t>(options.header_limit));
    self->parser_->body_limit(options.body_limit);
    if (self->buffer_.size() == 0) {
        self->stream_.expires_after(first ? options.header_deadline : options.keep_alive);
        auto const space = self->buffer_.prepare(kReadBytes);
        auto const [error, size] = co_await self->stream_.async_read_some(space, kToken);
        if (error || self->closed_) co_return false;
        self->buffer_.commit(size);
    }
    self->stream_.expires_after(options.header_deadline);
    auto const [error, size] =
        co_await http::async_read_header(self->stream_, self->buffer_, *self->parser_, kToken);
    if (self->closed_) co_return false;
    self->busy_ = true;
    if (error) co_return self->refuse_read(error);
    self->take_head();
    co_return true;
}

// Sets the response to what could not be read, if the client can still hear it.
bool Session::refuse_read(error_code error) {
    std::string const limit = std::to_string(state_->options.body_limit);
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
        response_ = http_error(
            431, "too_large", "the head of the request is larger than this server reads (8 KiB)");
    } else if (error == http::error::body_limit) {
        response_ = http_error(
            413, "too_large", "the body is larger than " + limit + " bytes; send it in parts");
    } else if (error == http::error::end_of_stream || error == http::error::partial_message ||
               error.category() != make_error_code(http::error::bad_method).category()) {
        return false;
    } else {
        response_ = http_error(400, "invalid", "this is no HTTP/1.1 request: " + error.message());
    }
    return true;
}

void Session::take_head() {
    auto const& message = parser_->get();
    request_ = HttpRequest{};
    request_.from_socket = from_socket_;
    request_.method.assign(message.method_string().data(), message.method_string().size());
    is_head_ = request_.method == "HEAD";
    if (is_head_) request_.method = "GET";
    for (auto const& field : message) {
        std::string name(field.name_string().data(), field.name_string().size());
        for (char& c : name) {
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        }
        std::string_view const value(field.value().data(), field.value().size());
        auto const [same, is_new] = request_.headers.try_emplace(std::move(name), value);
        if (!is_new) same->second.append(", ").append(value);
    }
    auto const target = message.target();
    auto const parsed = parse_target({target.data(), target.size()}, request_);
    if (!parsed) response_ = http_error(parsed.error());
}

// Decides by the head alone; true if the body is wanted.
bool Session::judge_head() {
    if (!response_ && overloaded_) {
        response_ = http_error(503, "unavailable", "too many connections; try again later");
        response_->headers["Retry-After"] = "1";
    }
    if (!response_ && state_->guard) response_ = state_->guard(request_);
    return !response_ && !parser_->is_done();
}

bool Session::wants_continue() const {
    auto const expect = parser_->get()[http::field::expect];
    return beast::iequals(expect, "100-continue") && buffer_.size() == 0;
}

// False: the connection is of no use any more.
asio::awaitable<bool> Session::read_body(std::shared_ptr<Session> self) {
    bool const is_expected = self->wants_continue();
    if (is_expected) {
        std::string go_ahead = "HTTP/1.1 100 Continue\r\n\r\n";
        auto const deadline = self->state_->options.body_deadline;
        bool const written = co_await write(self, std::move(go_ahead), deadline);
        if (!written) co_return false;
    }
    self->stream_.expires_after(self->state_->options.body_deadline);
    auto const [error, size] =
        co_await http::async_read(self->stream_, self->buffer_, *self->parser_, kToken);
    if (self->closed_) co_return false;
    if (error) co_return self->refuse_read(error);
    self->request_.body = std::move(self->parser_->get().body());
    co_return true;
}

void Session::call_handler() {
    auto const answer = std::make_shared<Answer>(weak_from_this(), request_number_);
    try {
        state_->handler(std::move(request_),
                        [answer](HttpResponse response) { answer->give(std::move(response)); });
    } catch (std::exception const& e) {
        answer->give(http_error(500, "internal", std::string("the request failed: ") + e.what()));
    }
}

Task Session::wait_for_answer(std::shared_ptr<Session> self) {
    self->stream_.expires_never();
    self->waiting_ = true;
    if (!self->response_) self->watch_client(Socket::wait_read);
    while (!self->response_ && !self->closed_) {
        self->answered_.expires_at(self->give_up_at_);
        auto const [cancelled] = co_await self->answered_.async_wait(kToken);
        if (!cancelled && !self->response_) self->close();
    }
    self->waiting_ = false;
}

// Writes all of data; each piece that the network takes starts the deadline anew, so that a large
// response to a slow client is fine and a client that stopped reading is not.
asio::awaitable<bool> Session::write(std::shared_ptr<Session> self,
                                     std::string data,
                                     std::chrono::milliseconds deadline) {
    std::size_t written = 0;
    while (written < data.size()) {
        self->stream_.expires_after(deadline);
        auto const rest = asio::buffer(data) + written;
        auto const [error, size] = co_await self->stream_.async_write_some(rest, kToken);
        if (error || self->closed_) co_return false;
        written += size;
    }
    co_return true;
}

// The one place where responses leave. True if the connection can take another request.
asio::awaitable<bool> Session::respond(std::shared_ptr<Session> self) {
    if (!self->response_) co_return false;
    if (self->response_->stream) co_return co_await respond_with_stream(self);
    HttpResponse const response = std::move(*self->response_);
    bool const is_read = self->parser_->is_done();
    bool const keep_alive = is_read && self->parser_->keep_alive() && !self->state_->stopped;
    std::string data = response_head(response, keep_alive);
    bool const has_body = !self->is_head_ && response.status != 204 && response.status != 304;
    if (has_body) data += response.body;
    auto const deadline = self->state_->options.body_deadline;
    bool const written = co_await write(self, std::move(data), deadline);
    if (!written) co_return false;
    if (!is_read) co_await linger(self);
    co_return keep_alive && !self->state_->stopped;
}

// The response stays where it is, so that close() and stop_stream() reach its stream.
asio::awaitable<bool> Session::respond_with_stream(std::shared_ptr<Session> self) {
    auto const body = self->response_->stream;
    bool const chunks = self->parser_->get().version() >= 11;
    bool const keep_alive =
        chunks && self->parser_->is_done() && self->parser_->keep_alive() && !self->state_->stopped;
    auto const deadline = self->state_->options.stream_deadline;
    auto const framing = chunks ? HttpFraming::chunks : HttpFraming::connection;
    std::string head = response_head(*self->response_, keep_alive, framing);
    body->on_data([session = self.get()] { session->answered_.cancel(); });
    self->watch_client(Socket::wait_read);
    if (self->state_->stopped) body->stop();
    bool const begun = co_await write(self, std::move(head), deadline);
    if (!begun || self->is_head_) {
        body->close();
        co_return begun&& keep_alive && !self->state_->stopped;
    }
    bool written = true;
    while (written && (!body->ended() || body->has_data())) {
        co_await wait_for_piece(self);
        if (self->closed_) co_return false;
        std::string piece = body->take();
        if (piece.empty() && !body->ended()) piece = body->heartbeat();
        if (piece.empty()) continue;
        if (chunks) piece = http_chunk(piece);
        written = co_await write(self, std::move(piece), deadline);
    }
    body->close();
    if (written && chunks) {
        std::string last = http_chunk({});
        written = co_await write(self, std::move(last), deadline);
    }
    co_return written&& keep_alive && !self->state_->stopped;
}

// Until there is a piece to send, the stream has ended, or it is time for a heartbeat.
Task Session::wait_for_piece(std::shared_ptr<Session> self) {
    auto const body = self->response_->stream;
    self->stream_.expires_never();
    self->answered_.expires_after(self->state_->options.heartbeat);
    bool waiting = true;
    while (waiting && !self->closed_ && !body->has_data() && !body->ended()) {
        auto const [cancelled] = co_await self->answered_.async_wait(kToken);
        waiting = static_cast<bool>(cancelled);
    }
}

// Nothing is read while an answer is made or a stream is sent, so the client's end is noticed by
// asking whether there is anything to read. Further requests may be: they wait, and the next write
// that fails tells.
void Session::watch_client(Socket::wait_type what) {
    if (std::exchange(watching_, true)) return;
    stream_.socket().async_wait(what, [weak = weak_from_this()](error_code error) {
        auto const self = weak.lock();
        if (!self || error || self->closed_) return;
        self->watching_ = false;
        self->look_at_client();
    });
}

// A client that has shut down its side only still waits for its answer. Of a Unix socket it can be
// told whether it is gone; over TCP that looks the same, so it gets some time.
void Session::look_at_client() {
    bool const streams = response_ && response_->stream;
    if (!waiting_ && !streams) return;
    char byte = 0;
    auto const fd = stream_.socket().native_handle();
    auto const size = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (size > 0) return;
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return watch_client(Socket::wait_read);
    pollfd state{fd, POLLIN, 0};
    bool const gone = size < 0 || ::poll(&state, 1, 0) < 0 || (state.revents & POLLHUP) != 0;
    if (gone || (streams && !from_socket_)) return close();
    if (!from_socket_ && give_up_at_ == asio::steady_timer::time_point::max()) {
        give_up_at_ = asio::steady_timer::clock_type::now() + state_->options.half_closed;
        answered_.cancel();
    }
    watch_client(Socket::wait_error);
}

// The rest of a request that nobody wants is read and dropped for a while: closing a socket with
// unread data resets the connection, and the client might never see the response.
Task Session::linger(std::shared_ptr<Session> self) {
    error_code error;
    self->stream_.socket().shutdown(asio::socket_base::shutdown_send, error);
    self->buffer_.clear();
    self->stream_.expires_after(self->state_->options.linger);
    while (!error && !self->closed_) {
        auto const space = self->buffer_.prepare(kReadBytes);
        auto const [problem, size] = co_await self->stream_.async_read_some(space, kToken);
        error = problem;
    }
}

void serve(std::shared_ptr<State> const& state, Socket socket, bool from_socket) {
    std::size_t const count = state->sessions.size();
    if (count >= state->options.connections_max + kOverloadSlots) return;  // closes the socket
    bool const overloaded = count >= state->options.connections_max;
    auto const session =
        std::make_shared<Session>(state, std::move(socket), from_socket, overloaded);
    state->sessions.emplace(session.get(), session);
    asio::co_spawn(state->io, Session::run(session), [session](std::exception_ptr problem) {
        if (problem) session->close();
    });
}

}  // namespace

void HttpServer::State::close_sessions(bool busy_too) {
    auto const all = sessions;
    for (auto const& [raw, weak] : all) {
        auto const session = weak.lock();
        if (!session) continue;
        if (busy_too || !session->busy())
            session->close();
        else
            session->stop_stream();
    }
}

HttpServer::HttpServer(asio::io_context& io, HttpHandler handler, HttpServerOptions options)
    : state_(std::make_shared<State>(io, std::move(handler), options)) {}

HttpServer::~HttpServer() {
    stop();
    state_->close_sessions(true);
    state_->stop_timer.cancel();
}

void HttpServer::set_guard(Guard guard) {
    state_->guard = std::move(guard);
}

Result<std::uint16_t> HttpServer::listen_tcp(std::string const& host, std::uint16_t port) {
    INOS_TRY(auto const acceptor, open_acceptor(state_->io, host, port, "--api"));
    state_->tcp_acceptors.push_back(acceptor);
    auto serve_socket = [state = state_](tcp::socket socket) {
        set_no_delay(socket);
        serve(state, Socket(std::move(socket)), false);
    };
    asio::co_spawn(state_->io, accept_loop<tcp::acceptor>(acceptor, serve_socket), rethrow);
    return acceptor->local_endpoint().port();
}

Result<void> HttpServer::listen_unix(std::string const& path) {
    constexpr std::size_t kPathLimit = sizeof(sockaddr_un::sun_path) - 1;
    if (path.empty() || path.size() > kPathLimit) {
        return socket_problem(path,
                              Errc::usage,
                              "its path has " + std::to_string(path.size()) +
                                  " bytes and the operating system allows " +
                                  std::to_string(kPathLimit) + "; use a shorter data directory");
    }
    INOS_CHECK(clear_socket_path(path));
    auto const acceptor = std::make_shared<local::acceptor>(state_->io);
    error_code problem;
    acceptor->open(local(), problem);
    // On Linux the socket file gets the mode that the socket has, so it is never open to others.
    if (!problem && ::fchmod(acceptor->native_handle(), 0600) != 0) {
        problem.assign(errno, boost::system::system_category());
    }
    if (!problem) acceptor->bind(local::endpoint(path), problem);
    if (!problem) acceptor->listen(asio::socket_base::max_listen_connections, problem);
    if (problem) return socket_problem(path, Errc::io, problem.message());
    if (auto const file = SocketFile::at(path)) state_->socket_files.push_back(*file);
    state_->local_acceptors.push_back(acceptor);
    auto serve_socket = [state = state_](local::socket socket) {
        serve(state, Socket(std::move(socket)), true);
    };
    asio::co_spawn(state_->io, accept_loop<local::acceptor>(acceptor, serve_socket), rethrow);
    return {};
}

void HttpServer::stop() {
    if (std::exchange(state_->stopped, true)) return;
    error_code ignored;
    for (auto const& acceptor : state_->tcp_acceptors)
        acceptor->close(ignored);
    for (auto const& acceptor : state_->local_acceptors)
        acceptor->close(ignored);
    for (SocketFile const& file : state_->socket_files)
        file.remove();
    state_->close_sessions(false);
    if (state_->sessions.empty()) return;
    state_->stop_timer.expires_after(state_->options.stop_timeout);
    state_->stop_timer.async_wait([state = state_](error_code cancelled) {
        if (!cancelled) state->close_sessions(true);
    });
}

}  // namespace inos
