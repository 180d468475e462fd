// A network for many nodes in one thread, with virtual time: an implementation of Transport and
// Connection whose delays and faults come from a seed, and the same seed gives the same run.
//
// What it keeps of transport.hpp: frames arrive whole, in order and once; callbacks never come from
// inside a call of the owner and never after close(); a handshake that takes 10 s ends; a peer that
// cannot be reached for 60 s is given up. What it does to connections: delay, stall, cut, corrupt.
//
//   SimNetwork network(seed);
//   auto transport = network.transport("kiel");     a node's door, listening at ws://kiel:PORT
//   network.run_for(1'000);                         everything due in the next second happens
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "net/transport.hpp"
#include "tests/support/tape.hpp"

namespace inos::test {

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

class SimNetwork {
public:
    static constexpr std::uint64_t kHandshakeDeadlineMs = 10'000;
    static constexpr std::uint64_t kIdleTimeoutMs = 60'000;
    static constexpr std::uint64_t kDialTimeoutMs = 3'000;

    explicit SimNetwork(std::uint64_t seed);
    ~SimNetwork();

    // ---- time ----------------------------------------------------------------------------------
    std::uint64_t now_ms() const { return now_ms_; }
    void at(std::uint64_t when_ms, std::function<void()> what);  // not before now
    void after(std::uint64_t delay_ms, std::function<void()> what) {
        at(now_ms_ + delay_ms, std::move(what));
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

    // ---- faults, between two nodes in both directions -------------------------------------------
    void set_delay(std::uint64_t min_ms, std::uint64_t max_ms);
    // No frame passes and no dial succeeds until heal(); connections that last so for 60 s end.
    void partition(std::string const& a, std::string const& b);
    void heal(std::string const& a, std::string const& b);
    void heal_all();
    bool reachable(std::string const& a, std::string const& b) const;
    // Ends the connections there are; what was under way is lost.
    void cut(std::string const& a, std::string const& b);
    // Changes one bit of the next frame.
    void corrupt_next(std::string const& from, std::string const& to);
    // Instead of the n-th frame from now (from 1, all connections together) its connection is cut.
    void cut_at_frame(std::uint64_t n) { cut_at_ = frames_ + n; }

    // ---- what happened --------------------------------------------------------------------------
    std::uint64_t frames() const { return frames_; }  // delivered or cut
    std::uint64_t bytes() const { return bytes_; }
    std::uint64_t cuts() const { return cuts_; }
    std::uint64_t corruptions() const { return corruptions_; }
    std::uint64_t trace() const { return trace_; }  // equal for equal runs
    std::vector<std::pair<std::uint64_t, std::string>> const& dials() const { return dials_; }
    std::size_t connections(std::string const& a, std::string const& b) const;  // open at both ends

private:
    friend class SimTransport;
    friend class SimConnection;
    struct Pipe;
    struct Event {
        std::uint64_t when_ms, number;
        std::function<void()> what;
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
    void break_pipe(std::shared_ptr<Pipe> const& pipe, std::string const& why);
    void stalled(Pair const& pair);
    void note(std::uint64_t fact) { trace_ = (trace_ ^ fact) * 0x100000001b3; }

    Tape tape_;
    std::uint64_t now_ms_ = 0, next_event_ = 0;
    std::uint64_t delay_min_ = 1, delay_max_ = 20;
    std::vector<Event> events_;  // a heap
    std::function<void(std::uint64_t)> on_time_;
    std::list<std::shared_ptr<Pipe>> pipes_;
    std::map<std::string, Listener> listeners_;  // by address
    std::map<Pair, std::uint64_t> partitions_;   // and the number of the event that made it
    std::set<Pair> corrupt_;                     // from, to
    std::uint64_t frames_ = 0, bytes_ = 0, cuts_ = 0, corruptions_ = 0, cut_at_ = 0;
    std::uint64_t trace_ = 0xcbf29ce484222325;
    std::vector<std::pair<std::uint64_t, std::string>> dials_;
};

}  // namespace inos::test
