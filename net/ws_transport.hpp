// Transport over WebSocket on plain TCP: one binary message is one frame, nothing is compressed,
// both sides ping. Everything that an unknown peer can use up is bounded here, before any
// cryptography.
//
// Threads: one io_context that one thread runs; all calls come from that thread, or before it runs.
// Lifetime: the io_context outlives the transport and every Connection. After stop() (or
// destruction) nothing of the transport keeps io_context::run() from returning, once the
// connections are closed: close_timeout at most. A host name being looked up is the exception: the
// system's resolver cannot be interrupted.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "net/transport.hpp"

namespace boost::asio {
class io_context;
}

namespace inos {

struct WsOptions {
    // Accepted and dialled connections. At the limit a new one is closed at once, a dial is
    // refused.
    std::size_t connections_max = 256;
    // Accepted connections that are not established() yet, in all and per remote address. At the
    // limit a new one is closed at once; honest peers try again later.
    std::size_t pending_max = 64;
    std::size_t pending_per_address_max = 4;
    // From TCP accept (or the beginning of a dial) to established(), upgrade included.
    std::chrono::milliseconds handshake_deadline{10'000};
    // Silence after which a peer counts as gone. Pings go out after half of it, so a healthy
    // connection is never silent. Proxies in between often cut at 60 s: keep it at that or lower.
    std::chrono::milliseconds idle_timeout{60'000};
    // A frame of at most 64 KiB must be taken by the network within this time.
    std::chrono::milliseconds stall_timeout{60'000};
    // From close() to the end: what is queued and the closing handshake.
    std::chrono::milliseconds close_timeout{5'000};
};

class WsTransport final : public Transport {
public:
    explicit WsTransport(boost::asio::io_context& io, WsOptions options = {});
    ~WsTransport() override;
    WsTransport(WsTransport const&) = delete;
    WsTransport& operator=(WsTransport const&) = delete;

    Result<std::string> listen(std::string const& host,
                               std::uint16_t port,
                               AcceptHandler on_accept) override;
    void dial(std::string const& url, DialHandler on_done) override;
    void stop() override;

    struct Hub;  // the shared state, defined in the .cpp file

private:
    std::shared_ptr<Hub> hub_;
};

}  // namespace inos
