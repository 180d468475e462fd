#include "net/ws_transport.hpp"

#include <algorithm>
#include <coroutine>
#include <deque>
#include <exception>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "net/close_reason.hpp"
#include "net/handshake_limits.hpp"
#include "net/peer_url.hpp"
#include "net/tcp_socket.hpp"

namespace inos {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using Task = asio::awaitable<void>;
using Stream = websocket::stream<beast::tcp_stream, false>;
using Hub = WsTransport::Hub;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t kUpgradeHeaderLimit = 8 * 1024;
constexpr std::size_t kMaskingBufferBytes = 32 * 1024;  // a dialler masks and writes in such pieces

class Link;

Error unavailable(std::string text) {
    return Error{Errc::unavailable, std::move(text), {}};
}

Error read_error(error_code error, websocket::close_reason const& reason) {
    if (error == websocket::error::closed) {
        std::string text = "the peer closed the connection";
        if (!reason.reason.empty()) {
            text += ": \"" + printable_text({reason.reason.data(), reason.reason.size()}) + '"';
        }
        return Error{Errc::unavailable, text, {}};
    }
    if (error == websocket::error::message_too_big || error == websocket::error::buffer_overflow) {
        return Error{Errc::too_large,
                     "the peer sent a frame of more than " + std::to_string(kFrameLimit) + " bytes",
                     {}};
    }
    if (error == beast::error::timeout) {
        return unavailable("the peer was silent for too long");
    }
    if (error.category() == error_code(websocket::error::closed).category()) {
        return Error{Errc::protocol, "the peer broke the framing: " + error.message(), {}};
    }
    return unavailable("the connection was lost: " + error.message());
}

}  // namespace

struct Listener {
    std::shared_ptr<tcp::acceptor> acceptor;
    AcceptHandler on_accept;  // empty after stop()
};

// What the transport, its coroutines and its connections share. The coroutines keep it alive.
struct WsTransport::Hub {
    Hub(asio::io_context& context, WsOptions limits)
        : io(context),
          options(limits),
          handshakes(limits.pending_max, limits.pending_per_address_max) {}

    asio::io_context& io;
    WsOptions const options;
    bool stopped = false;
    std::vector<std::shared_ptr<Listener>> listeners;
    std::map<Link*, std::weak_ptr<Link>> links;  // the connections that have not ended
    HandshakeLimits handshakes;                  // accepted and not established
};

namespace {

// One connection from its TCP socket to its end, shared by its coroutines and the owner's handle.
// States: upgrading -> open -> closing (close() or refuse(): the writer says goodbye) -> done.
class Link : public std::enable_shared_from_this<Link> {
public:
    Link(std::shared_ptr<Hub> hub, tcp::socket socket)
        : hub_(std::move(hub)),
          stream_(std::make_unique<Stream>(std::move(socket))),
          deadline_(hub_->io),
          stall_(hub_->io) {}
    ~Link() { leave_hub(); }

    void enter_hub();
    void count_as_pending(std::string address) { pending_address_ = std::move(address); }
    void arm_handshake_deadline();
    void opened(std::string path, tcp::endpoint const& remote);

    bool done() const { return done_; }
    Error const& failure() const { return failure_; }
    Stream& stream() { return *stream_; }  // only while not done()
    std::shared_ptr<Hub> const& hub() const { return hub_; }
    std::string const& path() const { return path_; }
    std::string const& remote() const { return remote_; }
    std::size_t queued_bytes() const { return done_ ? 0 : queued_bytes_; }

    void start(ConnectionHandlers handlers);
    void established();
    void send(std::string frame);
    void close(std::string_view reason);
    void drop(Error error);  // ends everything now; the owner hears of it later
    void forget_owner() { handlers_.reset(); }

private:
    static Task read_loop(std::shared_ptr<Link> self);
    static Task write_loop(std::shared_ptr<Link> self);
    bool take_frame(beast::flat_buffer& buffer);
    bool frame_written(error_code error);
    void refuse(websocket::close_code code, std::string text);
    void begin_closing(websocket::close_reason reason);
    void spawn_writer();
    void report();
    void arm(Deadline& deadline, std::chrono::milliseconds after, Error error);
    void leave_pending();
    void leave_hub();

    std::shared_ptr<Hub> hub_;
    std::unique_ptr<Stream> stream_;
    Deadline deadline_;  // of the handshake, later of closing
    Deadline stall_;     // of the frame being written
    std::string path_;
    std::string remote_;
    std::shared_ptr<ConnectionHandlers const> handlers_;
    std::deque<std::string> queue_;  // the front one is being written while writing_
    std::size_t queued_bytes_ = 0;
    websocket::close_reason close_reason_;
    Error failure_;
    std::optional<std::string> pending_address_;  // counted in Hub::handshakes
    bool open_ = false;
    bool writing_ = false;
    bool closing_ = false;
    bool done_ = false;
};

// What a coroutine of a link does with an exception that nobody expected: the connection ends.
auto end_of(std::shared_ptr<Link> link) {
    return [link = std::move(link)](std::exception_ptr problem) {
        if (!problem) return;
        try {
            std::rethrow_exception(problem);
        } catch (std::exception const& e) {
            link->drop(Error{Errc::internal, std::string("connection failed: ") + e.what(), {}});
        }
    };
}

void Link::enter_hub() {
    hub_->links.emplace(this, weak_from_this());
}

void Link::leave_pending() {
    if (pending_address_) hub_->handshakes.end(*pending_address_);
    pending_address_.reset();
}

void Link::leave_hub() {
    leave_pending();
    hub_->links.erase(this);
}

void Link::arm(Deadline& deadline, std::chrono::milliseconds after, Error error) {
    deadline.timer.expires_after(after);
    deadline.timer.async_wait([weak = weak_from_this(),
                               watched = &deadline,
                               generation = ++deadline.generation,
                               reason = std::move(error)](error_code aborted) {
        auto const self = weak.lock();
        if (aborted || !self || watched->generation != generation) return;
        self->drop(reason);
    });
}

void Link::arm_handshake_deadline() {
    arm(deadline_,
        hub_->options.handshake_deadline,
        unavailable("the handshake was not done in time"));
}

void Link::opened(std::string path, tcp::endpoint const& remote) {
    path_ = std::move(path);
    remote_ = host_and_port(plain_address(remote.address()).to_string(), remote.port());
    // From now on Beast uses this one for closing, also after a breach of the framing.
    websocket::stream_base::timeout timeout{};
    stream_->get_option(timeout);
    timeout.handshake_timeout = hub_->options.close_timeout;
    stream_->set_option(timeout);
    open_ = true;
}

void Link::start(ConnectionHandlers handlers) {
    INOS_ASSERT(!handlers_);
    if (closing_) return;
    handlers_ = std::make_shared<ConnectionHandlers const>(std::move(handlers));
    if (done_) {
        asio::post(hub_->io, [self = shared_from_this()] { self->report(); });
        return;
    }
    asio::co_spawn(hub_->io, read_loop(shared_from_this()), end_of(shared_from_this()));
}

void Link::established() {
    if (done_ || closing_) return;
    deadline_.cancel();
    leave_pending();
}

void Link::send(std::string frame) {
    INOS_ASSERT(!frame.empty() && frame.size() <= kFrameLimit);
    if (done_ || closing_) return;
    if (queued_bytes_ + frame.size() > kQueueHardLimit) {
        drop(Error{Errc::too_large,
                   "more than " + std::to_string(kQueueHardLimit) + " bytes wait for the peer",
                   {}});
        return;
    }
    queued_bytes_ += frame.size();
    queue_.push_back(std::move(frame));
    spawn_writer();
}

void Link::close(std::string_view reason) {
    forget_owner();
    if (done_ || closing_) return;
    if (!open_) {
        drop(unavailable("closed"));
        return;
    }
    websocket::close_reason goodbye(websocket::close_code::normal);
    std::string_view const text = cut_reason(reason);
    goodbye.reason.assign(text.data(), text.size());
    begin_closing(goodbye);
}

// The peer broke a rule: what is queued for it is forgotten, it is told, and so is the owner.
void Link::refuse(websocket::close_code code, std::string text) {
    if (done_ || closing_) return;
    std::size_t const keep = writing_ ? 1 : 0;
    while (queue_.size() > keep) {
        queued_bytes_ -= queue_.back().size();
        queue_.pop_back();
    }
    failure_ = Error{Errc::protocol, "the peer sent " + text, {}};
    asio::post(hub_->io, [self = shared_from_this()] { self->report(); });
    websocket::close_reason goodbye(code);
    goodbye.reason.assign(text.data(), text.size());
    begin_closing(goodbye);
}

void Link::begin_closing(websocket::close_reason reason) {
    closing_ = true;
    close_reason_ = reason;
    arm(deadline_,
        hub_->options.close_timeout,
        unavailable("the peer did not answer the close in time"));
    spawn_writer();
}

void Link::drop(Error error) {
    if (done_) return;
    done_ = true;
    if (!closing_) failure_ = std::move(error);
    deadline_.cancel();
    stall_.cancel();
    stream_->next_layer().close();
    leave_hub();
    // The stream goes as well: its own idle timer would keep the io_context busy. Not here, since
    // this may be called by one of the stream's operations; and not before it is open, since the
    // operations of the upgrade hold references to it (those end with the coroutine, and the link
    // with them).
    asio::post(hub_->io, [self = shared_from_this()] {
        if (self->open_) self->stream_.reset();
        self->report();
    });
}

void Link::report() {
    auto const handlers = std::exchange(handlers_, nullptr);
    if (handlers && handlers->on_closed) handlers->on_closed(failure_);
}

void Link::spawn_writer() {
    if (writing_) return;
    writing_ = true;
    asio::co_spawn(hub_->io, write_loop(shared_from_this()), end_of(shared_from_this()));
}

Task Link::read_loop(std::shared_ptr<Link> self) {
    beast::flat_buffer buffer;
    while (!self->done_) {
        auto const [error, size] = co_await self->stream_->async_read(buffer, kToken);
        if (self->done_) co_return;
        if (error) {
            // While closing the writer waits for the same end and drops the link.
            if (!self->closing_) self->drop(read_error(error, self->stream_->reason()));
            co_return;
        }
        bool const go_on = self->take_frame(buffer);
        if (!go_on) co_return;
        buffer.consume(size);
    }
}

bool Link::take_frame(beast::flat_buffer& buffer) {
    if (closing_) return true;  // read on until the peer answers the close
    if (!stream_->got_binary()) {
        refuse(websocket::close_code::unknown_data, "a text message; only binary ones are allowed");
        return false;
    }
    if (buffer.size() == 0) {
        refuse(websocket::close_code::policy_error, "an empty message");
        return false;
    }
    auto const handlers = handlers_;  // on_frame may close the connection, which lets go of them
    auto const data = buffer.cdata();
    if (handlers && handlers->on_frame) {
        handlers->on_frame(std::string(static_cast<char const*>(data.data()), data.size()));
    }
    return true;
}

// Writes what is queued, then says goodbye when closing. Runs while there is something to do.
Task Link::write_loop(std::shared_ptr<Link> self) {
    while (!self->done_ && !self->queue_.empty()) {
        self->arm(self->stall_,
                  self->hub_->options.stall_timeout,
                  unavailable("the peer did not take any data for too long"));
        auto const [error, size] =
            co_await self->stream_->async_write(asio::buffer(self->queue_.front()), kToken);
        self->stall_.cancel();
        bool const go_on = self->frame_written(error);
        if (!go_on) break;
    }
    if (!self->done_ && self->closing_) {
        co_await self->stream_->async_close(self->close_reason_, kToken);
        self->drop(unavailable("closed"));
    }
    self->writing_ = false;
    if (self->done_) self->queue_.clear();
}

bool Link::frame_written(error_code error) {
    if (done_) return false;
    if (error) {
        drop(unavailable("the connection was lost: " + error.message()));
        return false;
    }
    std::size_t const before = queued_bytes_;
    queued_bytes_ -= queue_.front().size();
    queue_.pop_front();
    bool const drained = queued_bytes_ == 0 || (before >= kQueueLow && queued_bytes_ < kQueueLow);
    auto const handlers = handlers_;
    if (drained && handlers && handlers->on_drained) handlers->on_drained();
    return true;
}

// What the owner holds. Dropping it closes the link, so that no callback outlives its owner's
// interest.
class Handle final : public Connection {
public:
    explicit Handle(std::shared_ptr<Link> link) : link_(std::move(link)) {}
    ~Handle() override { link_->close({}); }
    Handle(Handle const&) = delete;
    Handle& operator=(Handle const&) = delete;

    void start(ConnectionHandlers handlers) override { link_->start(std::move(handlers)); }
    void established() override { link_->established(); }
    void send(std::string frame) override { link_->send(std::move(frame)); }
    std::size_t queued_bytes() const override { return link_->queued_bytes(); }
    void close(std::string_view reason) override { link_->close(reason); }
    std::string remote_address() const override { return link_->remote(); }
    std::string path() const override { return link_->path(); }

private:
    std::shared_ptr<Link> link_;
};

void configure(Stream& stream, WsOptions const& options, std::string_view subprotocol) {
    websocket::stream_base::timeout timeout{};
    timeout.handshake_timeout = options.handshake_deadline;
    timeout.idle_timeout = options.idle_timeout;
    timeout.keep_alive_pings = true;
    stream.set_option(timeout);
    stream.set_option(
        websocket::stream_base::decorator([name = std::string(subprotocol)](http::fields& fields) {
            fields.set(http::field::sec_websocket_protocol, name);
        }));
    stream.read_message_max(kFrameLimit);
    stream.write_buffer_bytes(kMaskingBufferBytes);
    stream.auto_fragment(false);
    stream.binary(true);
    set_no_delay(stream.next_layer().socket());
}

// Why an upgrade request is refused ("403 Forbidden"), or nothing.
std::string_view refusal_of(http::request<http::empty_body> const& request,
                            std::string_view target,
                            bool has_extra_bytes) {
    auto const protocol = subprotocol_of(target);
    if (!protocol) return "404 Not Found";
    if (request.find(http::field::origin) != request.end()) return "403 Forbidden";  // a browser
    if (!websocket::is_upgrade(request)) return "426 Upgrade Required";
    http::token_list offered(request[http::field::sec_websocket_protocol]);
    boost::core::string_view const wanted(protocol->data(), protocol->size());
    // A client that talks before it was answered is not one of ours.
    if (has_extra_bytes || !offered.exists(wanted)) return "400 Bad Request";
    return {};
}

Task serve(std::shared_ptr<Link> link, std::shared_ptr<Listener> listener, tcp::endpoint remote) {
    beast::flat_buffer buffer;
    http::request_parser<http::empty_body> parser;
    parser.header_limit(kUpgradeHeaderLimit);
    auto const [read_problem, size] =
        co_await http::async_read_header(link->stream().next_layer(), buffer, parser, kToken);
    if (link->done()) co_return;
    if (read_problem) {
        link->drop(Error{Errc::protocol, "no upgrade request: " + read_problem.message(), {}});
        co_return;
    }
    auto const target = parser.get().target();
    std::string const path(target.data(), target.size());
    std::string_view const refusal = refusal_of(parser.get(), path, buffer.size() != 0);
    if (!refusal.empty()) {
        std::string const answer = "HTTP/1.1 " + std::string(refusal) +
                                   "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        co_await asio::async_write(link->stream().next_layer(), asio::buffer(answer), kToken);
        link->drop(Error{Errc::protocol, "upgrade request refused", {}});
        co_return;
    }
    configure(link->stream(), link->hub()->options, *subprotocol_of(path));
    auto const [accept_problem] = co_await link->stream().async_accept(parser.get(), kToken);
    if (link->done()) co_return;
    auto const on_accept = listener->on_accept;  // may be cleared by stop() while it runs
    if (accept_problem || !on_accept) {
        link->drop(Error{Errc::protocol, "upgrade failed: " + accept_problem.message(), {}});
        co_return;
    }
    link->opened(path, remote);
    on_accept(std::make_shared<Handle>(link));
}

void admit(std::shared_ptr<Hub> const& hub,
           std::shared_ptr<Listener> const& listener,
           tcp::socket socket) {
    error_code gone;
    tcp::endpoint const remote = socket.remote_endpoint(gone);
    if (gone || hub->links.size() >= hub->options.connections_max) return;  // closes the socket
    std::string const address = plain_address(remote.address()).to_string();
    if (!hub->handshakes.begin(address)) return;
    auto const link = std::make_shared<Link>(hub, std::move(socket));
    link->enter_hub();
    link->count_as_pending(address);
    link->arm_handshake_deadline();
    asio::co_spawn(hub->io, serve(link, listener, remote), end_of(link));
}

asio::awaitable<Result<tcp::endpoint>> connect(std::shared_ptr<Link> link, PeerUrl url) {
    auto const endpoints = co_await look_up(link->hub()->io, url.host, url.port);
    if (link->done()) co_return tl::unexpected<Error>(link->failure());
    if (!endpoints) co_return tl::unexpected<Error>(endpoints.error());
    std::string last_problem = "the host has no address";
    for (tcp::endpoint const& endpoint : *endpoints) {
        auto const [problem] = co_await link->stream().next_layer().async_connect(endpoint, kToken);
        if (link->done()) co_return tl::unexpected<Error>(link->failure());
        if (!problem) co_return endpoint;
        last_problem = problem.message();
        link->stream().next_layer().close();
    }
    co_return fail(Errc::unavailable, last_problem);
}

asio::awaitable<Result<void>> open(std::shared_ptr<Link> link, PeerUrl url) {
    auto const endpoint = co_await connect(link, url);
    if (!endpoint) co_return tl::unexpected<Error>(endpoint.error());
    std::string_view const subprotocol = *subprotocol_of(url.path);
    configure(link->stream(), link->hub()->options, subprotocol);
    websocket::response_type answer;
    std::string const host = host_and_port(url.host, url.port);
    auto const [problem] = co_await link->stream().async_handshake(answer, host, url.path, kToken);
    if (link->done()) co_return tl::unexpected<Error>(link->failure());
    auto const agreed = answer[http::field::sec_websocket_protocol];
    if (problem == websocket::error::upgrade_declined || (!problem && agreed != subprotocol)) {
        co_return fail(Errc::protocol,
                       "it is no site's sync address (HTTP status " +
                           std::to_string(answer.result_int()) + " to " + url.path + ")");
    }
    if (problem) co_return fail(Errc::unavailable, problem.message());
    link->opened(url.path, *endpoint);
    co_return Result<void>();
}

Task dial_task(std::shared_ptr<Link> link, PeerUrl url, DialHandler on_done) {
    Result<void> const opened = co_await open(link, url);
    if (link->hub()->stopped) co_return;
    if (opened) {
        std::shared_ptr<Connection> connection = std::make_shared<Handle>(link);
        on_done(std::move(connection));
        co_return;
    }
    link->drop(opened.error());
    Error const error =
        opened.error().prefixed("cannot connect to ws://" + host_and_port(url.host, url.port));
    on_done(tl::unexpected<Error>(error));
}

}  // namespace

WsTransport::WsTransport(boost::asio::io_context& io, WsOptions options)
    : hub_(std::make_shared<Hub>(io, options)) {}

WsTransport::~WsTransport() {
    auto const links = hub_->links;
    for (auto const& [raw, weak] : links) {
        auto const link = weak.lock();
        if (!link) continue;
        link->forget_owner();
        link->drop(unavailable("the transport was destroyed"));
    }
    stop();
}

Result<std::string> WsTransport::listen(std::string const& host,
                                        std::uint16_t port,
                                        AcceptHandler on_accept) {
    auto const listener = std::make_shared<Listener>();
    INOS_TRY(listener->acceptor, open_acceptor(hub_->io, host, port, "--listen"));
    listener->on_accept = std::move(on_accept);
    hub_->listeners.push_back(listener);
    auto admit_socket = [hub = hub_, listener](tcp::socket socket) {
        admit(hub, listener, std::move(socket));
    };
    asio::co_spawn(hub_->io, accept_loop<tcp::acceptor>(listener->acceptor, admit_socket), rethrow);
    tcp::endpoint const bound = listener->acceptor->local_endpoint();
    return "ws://" + host_and_port(bound.address().to_string(), bound.port());
}

void WsTransport::dial(std::string const& url, DialHandler on_done) {
    auto refuse = [&](Error error) {
        asio::post(hub_->io, [hub = hub_, error, on_done] {
            if (!hub->stopped) on_done(tl::unexpected<Error>(error));
        });
    };
    auto parsed = parse_peer_url(url);
    if (!parsed) return refuse(parsed.error());
    if (hub_->stopped) return;
    if (hub_->links.size() >= hub_->options.connections_max) {
        return refuse(Error{Errc::unavailable,
                            "cannot connect to \"" + url + "\": this node has " +
                                std::to_string(hub_->links.size()) +
                                " connections, the most it may",
                            {}});
    }
    auto const link = std::make_shared<Link>(hub_, tcp::socket(hub_->io));
    link->enter_hub();
    link->arm_handshake_deadline();
    asio::co_spawn(hub_->io, dial_task(link, *parsed, std::move(on_done)), end_of(link));
}

void WsTransport::stop() {
    hub_->stopped = true;
    for (auto const& listener : hub_->listeners) {
        error_code ignored;
        listener->acceptor->close(ignored);
        listener->on_accept = nullptr;
    }
    hub_->listeners.clear();
    auto const links = hub_->links;
    for (auto const& [raw, weak] : links) {
        if (auto const link = weak.lock()) link->close("the site stops");
    }
}

}  // namespace inos
