// A network for many nodes in one thread, with virtual time: an implementation of Transport and
// Connection whose delays and faults come from a seed, and the same seed gives the same run.
//
// What it keeps of transport.hpp: frames arrive whole, in order and once; callbacks never come from
// inside a call of the owner and never after close(); a handshake that takes 10 s ends; a peer that
// cannot be reached for 60 s is given up. What it does to connections: delay, stall in one or both
// directions, cut, be slow; and what no network does but a broken machine on the way may: change,
// drop, repeat, swap and shorten frames. A connection whose stream has a hole ends after 60 s at
// the latest, as TCP's would. What a machine has sent arrives though it has died meanwhile, or its
// first part does; what was on the way to it is lost.
//
// A node may be paused: what happens to it waits, as with a stopped process, while its peers and
// the network go on.
//
//   SimNetwork network(seed);
//   auto transport = network.transport("kiel");     a node's door, listening at ws://kiel:PORT
//   network.run_for(1'000);                         everything due in the next second happens
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/transport.hpp"
#include "tools/simulation/tape.hpp"

namespace inos::sim {

// While one exists, libsodium's random bytes come from a seed: keys, nonces, ids, jitter.
class SeededRandomness {
public:
    explicit SeededRandomness(std::uint64_t seed);
    ~SeededRandomness();
    SeededRandomness(SeededRandomness const&) = delete;
    SeededRandomness& operator=(SeededRandomness const&) = delete;
};

class SimTransport;
class SimConnection;

enum class FrameFault { corrupted, dropped, repeated, swapped, shortened };
inline constexpr std::size_t kFrameFaults = 5;

// Why two nodes cannot reach each other, and why a connection was broken: for counting what faults
// really hit.
enum class BlockCause { partition, one_way, isolation, flapping };
inline constexpr std::size_t kBlockCauses = 4;
enum class CutCause { cut, hole, silence, down };
inline constexpr std::size_t kCutCauses = 4;

class SimNetwork {
public:
    static constexpr std::uint64_t kHandshakeDeadlineMs = 10'000;
    static constexpr std::uint64_t kIdleTimeoutMs = 60'000;
    static constexpr std::uint64_t kDialTimeoutMs = 3'000;
    // More events in one moment: nodes that keep each other busy for ever. Throws.
    static constexpr std::uint64_t kEventsAtOnceMax = 200'000;

    explicit SimNetwork(std::uint64_t seed);
    ~SimNetwork();

    // ---- time ----------------------------------------------------------------------------------
    std::uint64_t now_ms() const { return now_ms_; }
    // Not before now. An event of a node waits while the node is paused.
    void at(std::uint64_t when_ms, std::function<void()> what, std::string const& node = {});
    void after(std::uint64_t delay_ms, std::function<void()> what, std::string const& node = {}) {
        at(now_ms_ + delay_ms, std::move(what), node);
    }
    bool step(
        std::uint64_t until_ms);  // the next event up to then; false: time is there, none left
    void run_for(std::uint64_t ms);
    // Told the time before anything happens at it.
    void on_time(std::function<void(std::uint64_t now_ms)> callback) { on_time_ = callback; }

    // ---- nodes ---------------------------------------------------------------------------------
    // Must not outlive the network. Destroying it is a crash of the node: its connections end
    // without a callback, and the other ends learn of it.
    std::unique_ptr<Transport> transport(std::string node);
    static std::string address(std::string const& node) { return "ws://" + node + ":7711"; }

    // ---- faults between two nodes ---------------------------------------------------------------
    void set_delay(std::uint64_t min_ms, std::uint64_t max_ms);
    // No frame passes and no dial succeeds until heal(); connections that last so for 60 s end.
    void partition(std::string const& a,
                   std::string const& b,
                   BlockCause cause = BlockCause::partition);
    void partition_one_way(std::string const& from, std::string const& to);
    void heal(std::string const& a, std::string const& b);
    void heal_all();
    // The same, of what was blocked for this cause.
    void end_block(std::string const& a, std::string const& b, BlockCause cause);
    // What is armed (frames to be spoiled, a cut to come) does not happen any more.
    void disarm();
    bool reachable(std::string const& a, std::string const& b) const;  // both ways
    // Ends the connections there are; what was under way is lost.
    void cut(std::string const& a, std::string const& b);
    // Happens to the next frame.
    void spoil_next(std::string const& from, std::string const& to, FrameFault fault);
    void corrupt_next(std::string const& from, std::string const& to) {
        spoil_next(from, to, FrameFault::corrupted);
    }
    // Instead of the n-th frame from now (from 1, all connections together) its connection is cut.
    void cut_at_frame(std::uint64_t n) { cut_at_ = frames_ + n; }

    // ---- faults of one node ---------------------------------------------------------------------
    // It takes so much a second from all its connections; 0: nothing any more; nullopt: at once.
    void set_reading(std::string const& node, std::optional<std::uint64_t> bytes_per_second);
    void pause(std::string const& node);
    void resume(std::string const& node);
    // It is dead, though its transport still exists: it says nothing more and nothing reaches it.
    void silence(std::string const& node);
    bool paused(std::string const& node) const { return paused_.contains(node); }

    // ---- what happened --------------------------------------------------------------------------
    std::uint64_t frames() const { return frames_; }  // delivered or cut
    std::uint64_t bytes() const { return bytes_; }
    std::uint64_t cuts() const;  // of connections, for any reason
    std::uint64_t cuts(CutCause cause) const { return cuts_[static_cast<std::size_t>(cause)]; }
    // Blocked directions that have held back a frame or a dial.
    std::uint64_t held_back(BlockCause cause) const {
        return held_back_[static_cast<std::size_t>(cause)];
    }
    std::uint64_t corruptions() const { return spoiled(FrameFault::corrupted); }
    std::uint64_t spoiled(FrameFault fault) const {
        return spoiled_[static_cast<std::size_t>(fault)];
    }
    std::uint64_t stalls() const { return stalls_; }      // times that a reader was too slow
    std::uint64_t silences() const { return silences_; }  // readers that left a frame lying
    std::uint64_t waits() const { return waits_; }        // pauses in which something had to wait
    // Connections whose end came behind frames of a machine that was dead by then.
    std::uint64_t afterlives() const { return afterlives_; }
    std::uint64_t trace() const { return trace_; }  // equal for equal runs: what was sent, and when
    std::vector<std::pair<std::uint64_t, std::string>> const& dials() const { return dials_; }
    std::size_t connections(std::string const& a, std::string const& b) const;  // open at both ends
    std::size_t queued_most() const;  // bytes on the way, of the connection that has most
    std::vector<std::pair<std::string, std::string>> connected()
        const;                                                         // who dialled, who listened
    std::vector<std::pair<std::string, std::string>> blocked() const;  // from, to

private:
    friend class SimTransport;
    friend class SimConnection;
    struct Pipe;
    struct Event {
        std::uint64_t when_ms, number;
        std::string node;
        std::function<void()> what;
    };
    struct Pause {
        std::uint64_t number = 0;    // of the event that began it
        std::vector<Event> waiting;  // what happens when it is over
    };
    struct Reader {
        std::uint64_t bytes_per_second = 0;
        std::uint64_t free_at_us = 0;  // when it takes the next frame
        bool noticed = false;          // something waits for it
    };
    struct Block {
        std::uint64_t number = 0;  // of the event that began it
        BlockCause cause{};
        bool noticed = false;  // something was held back
    };
    struct Listener {
        SimTransport* transport;
        AcceptHandler on_accept;
    };
    using Pair = std::pair<std::string, std::string>;

    static Pair pair_of(std::string const& a, std::string const& b) {
        return a < b ? Pair(a, b) : Pair(b, a);
    }
    std::uint64_t delay() { return delay_min_ + tape_.below(delay_max_ - delay_min_ + 1); }
    void dial(SimTransport& from, std::string const& url, DialHandler on_done);
    void connect(std::weak_ptr<SimTransport*> from,
                 std::string const& listener,
                 std::string const& path,
                 DialHandler on_done);
    void move_time(std::uint64_t to_ms);
    void pump(std::shared_ptr<Pipe> const& pipe, int to);
    void deliver(std::shared_ptr<Pipe> const& pipe, int to, std::string frame);
    void break_pipe(std::shared_ptr<Pipe> const& pipe, CutCause cause, std::string const& why);
    void bury(std::shared_ptr<Pipe> const& pipe, int dead);
    void block(std::string const& from, std::string const& to, BlockCause cause);
    // Does anything pass now? Notes what is held back.
    bool passes(std::string const& from, std::string const& to);
    void open_direction(std::string const& from, std::string const& to);
    void stalled(Pair const& pair);
    void break_all(std::string const& node, CutCause cause, std::string const& why);
    bool reads_now(std::shared_ptr<Pipe> const& pipe, int to);
    bool spoil(std::shared_ptr<Pipe> const& pipe, int to, std::string& frame);
    void hand_over(std::shared_ptr<Pipe> const& pipe, int to, std::string frame);
    void end_later(std::shared_ptr<Pipe> const& pipe);
    void note(std::uint64_t fact) { trace_ = (trace_ ^ fact) * 0x100000001b3; }
    void note(std::string_view bytes);

    Tape tape_;
    std::uint64_t now_ms_ = 0, next_event_ = 0, events_at_once_ = 0;
    std::uint64_t delay_min_ = 1, delay_max_ = 20;
    std::vector<Event> events_;  // a heap
    std::function<void(std::uint64_t)> on_time_;
    std::list<std::shared_ptr<Pipe>> pipes_;
    std::map<std::string, Listener> listeners_;  // by address
    std::map<Pair, Block> blocked_;              // from, to
    std::map<Pair, FrameFault> spoil_;           // from, to
    std::map<std::string, Reader> readers_;      // those that are slow
    std::map<std::string, Pause> paused_;
    std::uint64_t frames_ = 0, bytes_ = 0, cut_at_ = 0;
    std::uint64_t stalls_ = 0, silences_ = 0, waits_ = 0, afterlives_ = 0;
    std::array<std::uint64_t, kFrameFaults> spoiled_{};
    std::array<std::uint64_t, kCutCauses> cuts_{};
    std::array<std::uint64_t, kBlockCauses> held_back_{};
    std::uint64_t trace_ = 0xcbf29ce484222325;
    std::vector<std::pair<std::uint64_t, std::string>> dials_;
};

}  // namespace inos::sim
