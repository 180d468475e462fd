#include "net/node.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <coroutine>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/socket.h>

#include "net/api.hpp"
#include "net/http_guard.hpp"
#include "net/http_server.hpp"
#include "net/joiner.hpp"
#include "net/peer_manager.hpp"
#include "net/peer_url.hpp"
#include "net/store_thread.hpp"
#include "net/upkeep.hpp"
#include "net/ws_transport.hpp"

namespace inos {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds kTick{100};

// The token of DIR/api.token, made at the first start.
Result<std::string> api_token(std::string const& dir) {
    std::string const path = dir + "/api.token";
    auto known = read_secret_file(path);
    if (!known && known.error().code == Errc::not_found) {
        std::string const token = crypto::hex(crypto::Secret::random().view());
        INOS_CHECK(write_secret_file(path, token + "\n"));
        return token;
    }
    if (!known) return tl::unexpected(known.error());
    while (!known->empty() && (known->back() == '\n' || known->back() == '\r'))
        known->pop_back();
    if (known->size() < 32)
        return fail(Errc::usage,
                    "the token in \"" + path + "\" is too short; remove the file for a new one",
                    path);
    return *std::move(known);
}

// Where others can dial what listens on all addresses: those of the network interfaces, as far as
// they are up, and at last the loopback, for sites on the same machine.
std::vector<std::string> reachable_addresses(std::string const& listening) {
    auto const url = parse_peer_url(listening);
    bool const any = url && (url->host == "0.0.0.0" || url->host == "::");
    if (!any) return {listening};
    std::vector<std::string> addresses;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) list = nullptr;
    for (ifaddrs* at = list; at; at = at->ifa_next) {
        bool const usable = at->ifa_addr && at->ifa_addr->sa_family == AF_INET &&
                            (at->ifa_flags & IFF_UP) != 0 && (at->ifa_flags & IFF_LOOPBACK) == 0;
        char host[NI_MAXHOST];
        if (!usable || addresses.size() + 1 >= kPairingAddressesMax) continue;
        if (::getnameinfo(
                at->ifa_addr, sizeof(sockaddr_in), host, sizeof host, nullptr, 0, NI_NUMERICHOST) ==
            0)
            addresses.push_back("ws://" + host_and_port(host, url->port));
    }
    ::freeifaddrs(list);
    addresses.push_back("ws://" + host_and_port("127.0.0.1", url->port));
    return addresses;
}

}  // namespace

// In the order of construction; destroyed from the end. The store's thread ends before what its
// answers go to.
struct Node::Parts {
    Parts(asio::io_context& context,
          std::unique_ptr<OpenSite> open,
          Clock const& time,
          NodeOptions o)
        : io(context),
          clock(time),
          options(std::move(o)),
          site(std::move(open)),
          transport(context),
          store_thread(*site->replica,
                       [&context](std::function<void()> f) { asio::post(context, std::move(f)); }),
          store(store_thread),
          ticker(context) {}

    void tick() {
        if (stopped) return;
        peers->tick();
        upkeep->tick();
        api->tick(clock.monotonic_ms());
        ticker.expires_after(kTick);
        ticker.async_wait([this, alive = alive](boost::system::error_code error) {
            if (*alive && !error) tick();
        });
    }

    void log(std::string_view event, std::string const& text) const {
        if (options.log) options.log(event, text);
    }

    asio::io_context& io;
    Clock const& clock;
    NodeOptions options;
    std::unique_ptr<OpenSite> site;
    WsTransport transport;
    StoreThread store_thread;
    WatchedStore store;
    std::unique_ptr<PeerManager> peers;
    std::unique_ptr<Api> api;
    std::unique_ptr<Upkeep> upkeep;
    std::thread scrubber;  // at most one scrub at a time
    std::atomic<bool> scrub_cancelled = false;
    std::unique_ptr<HttpServer> socket_server;
    std::unique_ptr<HttpServer> tcp_server;
    std::unique_ptr<HttpGuard> guard;
    asio::steady_timer ticker;
    std::string sync_address, api_address;
    bool stopped = false;
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);

    Result<void> open_peers();
    Result<void> open_api();
    void scrub(std::function<void(Result<void>)> done);
    void stop_scrub() {
        scrub_cancelled = true;
        if (scrubber.joinable()) scrubber.join();
    }
};

// On a thread of its own: it reads and writes all that is stored.
void Node::Parts::scrub(std::function<void(Result<void>)> done) {
    if (stopped) return;  // an answer of the store that came after the end
    if (scrubber.joinable()) scrubber.join();
    scrubber = std::thread([this, done = std::move(done)] {
        auto scrubbed = site->replica->engine().scrub(scrub_cancelled);
        asio::post(io, [done, scrubbed = std::move(scrubbed)] { done(scrubbed); });
    });
}

Result<void> Node::Parts::open_peers() {
    PeerManager::Options peer_options;
    peer_options.keys = site->keys;
    peer_options.name = site->name;
    peer_options.space_keys = site->space_keys;
    peer_options.peers = site->peers;
    for (auto const& url : options.peers) {
        INOS_TRY(PeerUrl const parsed, parse_peer_url(url));
        if (parsed.path != kSyncPath)
            return fail(Errc::usage, "\"" + url + "\" is an address for pairing, not of a peer");
        auto& all = peer_options.peers;
        if (std::find(all.begin(), all.end(), url) == all.end()) all.push_back(url);
    }
    INOS_TRY(auto invites, load_invites(*site->replica));
    peers = std::make_unique<PeerManager>(
        std::move(peer_options),
        store,
        transport,
        clock,
        std::make_shared<LocalState const>(local_state(*site->replica)),
        std::move(invites),
        [this](std::string_view event, std::string const& text) { log(event, text); });
    store.on_commit([this] { peers->refresh(); });
    store.on_rights([this](RightsNeed const& need) { peers->need_rights(need); });
    api = std::make_unique<Api>(store, *peers, clock);
    peers->on_progress([this] { api->on_progress(); });
    upkeep = std::make_unique<Upkeep>(
        Upkeep::Options{options.acknowledge_every_ms, options.log_retention_ms},
        store,
        clock,
        [this](std::function<void(Result<void>)> done) {
            scrub([this, done = std::move(done)](Result<void> scrubbed) {
                if (!scrubbed && scrubbed.error().code == Errc::unavailable) api->make_way();
                done(std::move(scrubbed));
            });
        },
        [this] { peers->refresh(); },
        [this](std::string_view event, std::string const& text) { log(event, text); });
    if (!options.listen) return {};
    INOS_TRY(sync_address,
             transport.listen(options.listen->host,
                              options.listen->port,
                              [this](std::shared_ptr<Connection> connection) {
                                  peers->accept(std::move(connection));
                              }));
    peers->listening_on(reachable_addresses(sync_address));
    return {};
}

Result<void> Node::Parts::open_api() {
    auto const handler = [this](HttpRequest request, HttpRespond respond) {
        api->handle(std::move(request), std::move(respond));
    };
    if (options.socket) {
        socket_server = std::make_unique<HttpServer>(io, handler);
        INOS_CHECK(socket_server->listen_unix(site->dir + "/api.sock"));
    }
    if (!options.api) return {};
    INOS_TRY(std::string const token, api_token(site->dir));
    tcp_server = std::make_unique<HttpServer>(io, handler);
    INOS_TRY(std::uint16_t const port,
             tcp_server->listen_tcp(options.api->host, options.api->port));
    HttpGuard::Options guard_options;
    guard_options.hosts = default_http_hosts(port);
    for (auto const& host : options.api_hosts)
        guard_options.hosts.push_back(host);
    guard_options.tokens.push_back({http_token_hash(token), "api"});
    guard = std::make_unique<HttpGuard>(std::move(guard_options));
    tcp_server->set_guard([this](HttpRequest& request) {
        auto refusal = guard->check(request);
        if (refusal) api->count_answer(refusal->status);
        return refusal;
    });
    api_address = "http://" + host_and_port(options.api->host, port);
    return {};
}

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Node::~Node() {
    stop();
    *parts_->alive = false;
}

Result<std::unique_ptr<Node>> Node::start(asio::io_context& io,
                                          std::unique_ptr<OpenSite> site,
                                          Clock const& clock,
                                          NodeOptions options) {
    std::unique_ptr<Node> node(
        new Node(std::make_unique<Parts>(io, std::move(site), clock, std::move(options))));
    Parts& parts = *node->parts_;
    INOS_CHECK(parts.open_peers());
    INOS_CHECK(parts.open_api());
    parts.tick();
    return node;
}

void Node::stop() {
    Parts& parts = *parts_;
    if (std::exchange(parts.stopped, true)) return;
    parts.ticker.cancel();
    if (parts.socket_server) parts.socket_server->stop();
    if (parts.tcp_server) parts.tcp_server->stop();
    if (parts.peers) parts.peers->stop();
    parts.transport.stop();
    parts.stop_scrub();
    parts.store_thread.stop();
}

std::string const& Node::sync_address() const {
    return parts_->sync_address;
}
std::string const& Node::api_address() const {
    return parts_->api_address;
}

Node::Progress Node::progress() const {
    Progress progress;
    PeerManager const& peers = *parts_->peers;
    for (PeerStatus const& peer : peers.peers()) {
        if (peer.state == "connected") {
            progress.connected = true;
            ++progress.peers_connected;
            progress.behind = std::max(progress.behind, peer.behind);
        } else if (!peer.last_error.empty()) {
            progress.last_error = peer.last_error;
        }
    }
    for (auto const& [actor, seq] : peers.local().vector.items())
        progress.held += seq;
    progress.state = peers.local().state_progress;
    progress.caught_up = peers.settled() && peers.local().caught_up;
    return progress;
}

Result<JoinResult> join_space(std::string const& code_text,
                              std::string const& dir,
                              std::string const& site_name,
                              Clock const& clock,
                              std::function<Result<void>(SpaceGrant const&)> keep) {
    INOS_TRY(PairingCode code, decode_pairing_code(code_text));
    if (code.expires_unix_s <= clock.now_ms() / 1000)
        return fail(Errc::forbidden,
                    "the pairing code has expired; ask for a new one (`inos invite`)");
    if (!valid_name(site_name))
        return fail(Errc::usage,
                    "the name \"" + site_name +
                        "\" has to be 1 to 256 bytes of UTF-8 without control characters");
    INOS_TRY(SiteKeys const keys, prepare_member(dir));
    if (!keep) keep = [&dir](SpaceGrant const& grant) { return create_member(dir, grant); };
    asio::io_context io(1);
    WsTransport transport(io);
    std::optional<Result<Joiner::Joined>> outcome;
    auto joiner = std::make_shared<Joiner>(transport,
                                           std::move(code),
                                           keys,
                                           site_name,
                                           std::move(keep),
                                           [&](Result<Joiner::Joined> result) {
                                               outcome = std::move(result);
                                               transport.stop();
                                           });
    joiner->start();
    io.run();
    INOS_ASSERT(outcome.has_value());
    if (!*outcome) return tl::unexpected(outcome->error());
    JoinResult result{(*outcome)->inviter, (*outcome)->grant.genesis.name, {}};
    for (auto const word : (*outcome)->words)
        result.words += (result.words.empty() ? "" : " ") + std::string(word);
    return result;
}

Result<void> catch_up(std::string const& dir,
                      Clock const& clock,
                      std::uint64_t patience_ms,
                      std::function<void(Node::Progress const&)> const& show) {
    INOS_TRY(auto site, open_site(dir, clock, Durability::flushed));
    asio::io_context io(1);
    NodeOptions options;
    options.socket = false;
    INOS_TRY(auto const node, Node::start(io, std::move(site), clock, std::move(options)));
    std::uint64_t last_change_ms = clock.monotonic_ms();
    std::uint64_t last_held = 0, last_here = 0;
    Result<void> outcome;
    for (bool over = false; !over;) {
        io.run_for(kTick);
        auto const progress = node->progress();
        show(progress);
        std::uint64_t const here = progress.state ? progress.state->here : 0;
        if (progress.held != last_held || here != last_here) {
            last_held = progress.held;
            last_here = here;
            last_change_ms = clock.monotonic_ms();
        }
        over = progress.caught_up;
        if (!over && clock.monotonic_ms() > last_change_ms + patience_ms) {
            outcome = fail(Errc::unavailable,
                           "the site joined, but does not get on with catching up" +
                               (progress.last_error.empty() ? "" : ": " + progress.last_error) +
                               "; it goes on when it runs (`inos run`)");
            over = true;
        }
    }
    node->stop();
    io.run();
    return outcome;
}

}  // namespace inos
