// A running node: one open site, its store's thread, its peers over WebSockets, and the HTTP API,
// on one io_context. Thin: what is decided is decided in PeerManager, Session and Api, which the
// simulator drives with other transports and clocks.
//
//   node's thread   io_context: transport, links, sessions, HTTP, timers
//   store's thread  the replica: group commit, apply, collect, and sealing of batches (StoreThread)
//
// Threads: made, used and stopped on the thread that runs the io_context. stop(), then run the
// io_context until it has nothing to do, then destroy.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/clock.hpp"
#include "storage/result.hpp"
#include "storage/site_directory.hpp"

namespace boost::asio {
class io_context;
}

namespace inos {

struct NodeAddress {
    std::string host;
    std::uint16_t port = 0;  // 0: the kernel chooses
};

struct NodeOptions {
    std::optional<NodeAddress> listen;   // for peers
    std::optional<NodeAddress> api;      // HTTP over TCP, beside the socket
    bool socket = true;                  // DIR/api.sock
    std::vector<std::string> api_hosts;  // further Host names that the API answers to, with port
    std::vector<std::string> peers;      // dialled besides the remembered ones
    // How often at most this site says to all others what it holds durably. More often: deleted
    // records go sooner, and more of the line goes into it.
    std::uint64_t acknowledge_every_ms = 60'000;
    // How long entries stay in the log that all members hold, and with them the history; none: for
    // ever. A site that needs what is gone gets the records instead.
    std::optional<std::uint64_t> log_retention_ms = std::nullopt;
    std::function<void(std::string_view event, std::string const& text)> log;
};

class Node {
public:
    static Result<std::unique_ptr<Node>> start(boost::asio::io_context& io,
                                               std::unique_ptr<OpenSite> site,
                                               Clock const& clock,
                                               NodeOptions options);
    ~Node();
    Node(Node const&) = delete;
    Node& operator=(Node const&) = delete;

    // Ends links and connections, finishes what the store has taken. Idempotent.
    void stop();

    std::string const& sync_address() const;  // ws://HOST:PORT, empty when not listening
    std::string const& api_address() const;   // http://HOST:PORT, empty without TCP

    // How far the site is behind the sites that it is connected with, for progress bars.
    struct Progress {
        bool connected = false;
        std::size_t peers_connected = 0;
        bool caught_up =
            false;  // holds all that it must before it takes writes, and all that peers had
        std::uint64_t behind = 0;
        std::uint64_t held = 0;                   // entries
        std::optional<StateProgress> state = {};  // instead of entries: records that have arrived
        std::string last_error;                   // why there is no connection
    };
    Progress progress() const;

private:
    struct Parts;
    explicit Node(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

struct JoinResult {
    std::string inviter;
    std::string space;
    std::string words;  // six words that the inviter's side can compare
};

// Joins a space with a pairing code and leaves a complete site directory behind, or nothing but
// keys beside it (DIR.joining), with which a second try goes on. Blocks; bounded by the transport's
// deadlines. `keep` makes what the inviter gives durable; by default create_member().
Result<JoinResult> join_space(std::string const& code_text,
                              std::string const& dir,
                              std::string const& site_name,
                              Clock const& clock,
                              std::function<Result<void>(SpaceGrant const&)> keep = nullptr);

// Runs the site without listening until it has everything that its peers have; `show` is called a
// few times a second. Errc::unavailable after `patience_ms` without any connection or progress.
Result<void> catch_up(std::string const& dir,
                      Clock const& clock,
                      std::uint64_t patience_ms,
                      std::function<void(Node::Progress const&)> const& show);

}  // namespace inos
