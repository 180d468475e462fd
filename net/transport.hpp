// Transport and Connection: how sync sessions reach other machines. Ordered, message-oriented,
// without trust: who is at the other end is found out by the channel above (Noise), never here. The
// program uses ws_transport.hpp; the simulator has its own implementation.
//
// Threads: everything here is called from, and calls back on, the transport's single thread.
// Callbacks: never from inside a call of the owner (send, close, dial, ... only note what is to be
// reported), one after the other, frames in the order in which the peer sent them.
// Bounds: a frame holds 1 to kFrameLimit bytes. An owner stops sending at kQueueLimit queued bytes
// and goes on at on_drained; a connection that is sent more than kQueueHardLimit all the same is
// broken off with Errc::too_large. Received frames are never queued: the next one is read from the
// network when on_frame has returned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "storage/result.hpp"

namespace inos {

inline constexpr std::size_t kFrameLimit = 65'535;               // one Noise message
inline constexpr std::size_t kQueueLimit = 8u << 20;             // back-pressure starts
inline constexpr std::size_t kQueueHardLimit = 2 * kQueueLimit;  // the connection ends
inline constexpr std::size_t kQueueLow = kQueueLimit / 2;        // on_drained when falling below
inline constexpr std::uint16_t kDefaultSyncPort = 7711;

struct ConnectionHandlers {
    // One frame of the peer.
    std::function<void(std::string frame)> on_frame;
    // The connection ended and not because of close(): the peer closed it, broke a rule of the
    // framing, was silent for too long, or the network failed. The last callback.
    std::function<void(Error reason)> on_closed;
    // queued_bytes() has fallen below kQueueLow, or to 0. May come more often than was waited for.
    std::function<void()> on_drained;
};

// One connection, accepted or dialled. Dropping the last pointer to it is close() without a reason.
class Connection {
public:
    virtual ~Connection() = default;

    // Sets the callbacks and begins to read. Called once; nothing is read or reported before.
    virtual void start(ConnectionHandlers handlers) = 0;

    // The handshake of the channel is done and the peer is who it should be. Until then the
    // connection counts as a handshake in progress and ends when the handshake deadline is over.
    virtual void established() = 0;

    // Queues a frame of 1 to kFrameLimit bytes (another size is a bug and stops the program). Has
    // no effect on a connection that has ended: on_closed tells, or has told.
    virtual void send(std::string frame) = 0;

    // Bytes that were sent here and not yet taken by the operating system.
    virtual std::size_t queued_bytes() const = 0;

    // Ends the connection: what is queued still goes out, then the peer is told the reason (at most
    // 123 bytes of it), all within a short deadline. No callback comes after close() was called,
    // not even on_closed; the callbacks and what they hold are released.
    virtual void close(std::string_view reason) = 0;

    // "203.0.113.5:40122" or "[2001:db8::5]:40122": for the log, not for trust.
    virtual std::string remote_address() const = 0;

    // What was asked for: "/v1/sync", or "/v1/pair/" and the 16 hex digits of an invitation's id.
    virtual std::string path() const = 0;
};

using AcceptHandler = std::function<void(std::shared_ptr<Connection>)>;
using DialHandler = std::function<void(Result<std::shared_ptr<Connection>>)>;

class Transport {
public:
    virtual ~Transport() = default;  // ends everything at once; no callback comes afterwards

    // Listens on a host name or address; port 0 lets the operating system choose. Answers the
    // address to dial ("ws://127.0.0.1:7711"). Each accepted connection is handed to on_accept,
    // which starts, keeps or drops it. May be called more than once, for several addresses.
    virtual Result<std::string> listen(std::string const& host,
                                       std::uint16_t port,
                                       AcceptHandler on_accept) = 0;

    // Connects to ws://HOST[:PORT][/v1/pair/ID]. The callback comes exactly once, except after
    // stop().
    virtual void dial(std::string const& url, DialHandler on_done) = 0;

    // Stops listening and dialling, and close()s each connection. Afterwards no callback comes;
    // what is queued may still go out while the thread keeps running. Idempotent.
    virtual void stop() = 0;
};

}  // namespace inos
