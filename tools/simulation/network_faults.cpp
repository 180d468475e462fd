// What a SimNetwork does to frames, connections and nodes.
#include <algorithm>
#include <utility>

#include "tools/simulation/sim_connection.hpp"

namespace inos::sim {

// ---- frames and connections ---------------------------------------------------------------------

// What was to happen to this frame. True: it does not arrive, or not now.
bool SimNetwork::spoil(std::shared_ptr<Pipe> const& pipe, int to, std::string& frame) {
    auto const found = spoil_.find({pipe->node[1 - to], pipe->node[to]});
    if (found == spoil_.end()) return false;
    FrameFault const fault = found->second;
    // What cannot be done to this frame is done to a later one.
    if (fault == FrameFault::shortened && frame.size() < 2) return false;
    if (fault == FrameFault::swapped && pipe->to[to].empty()) return false;
    spoil_.erase(found);
    if (fault == FrameFault::swapped) {
        pipe->held[to] = std::move(frame);
        end_later(pipe);
        return true;
    }
    ++spoiled_[static_cast<std::size_t>(fault)];
    switch (fault) {
        case FrameFault::corrupted: {
            std::size_t const at = tape_.below(frame.size());
            frame[at] ^= static_cast<char>(1u << tape_.below(8));
            return false;
        }
        case FrameFault::dropped:
            end_later(pipe);
            return true;
        case FrameFault::repeated:
            hand_over(pipe, to, frame);
            return false;
        default:
            frame.resize(1 + tape_.below(frame.size() - 1));
            return false;
    }
}

void SimNetwork::end_later(std::shared_ptr<Pipe> const& pipe) {
    after(kIdleTimeoutMs,
          [this, pipe] { break_pipe(pipe, CutCause::hole, "the stream has a hole"); });
}

void SimNetwork::break_pipe(std::shared_ptr<Pipe> const& pipe,
                            CutCause cause,
                            std::string const& why) {
    if (std::exchange(pipe->broken, true)) return;
    ++cuts_[static_cast<std::size_t>(cause)];
    for (int side : {0, 1}) {
        pipe->to[side].clear();
        pipe->queued[side] = 0;
        auto const tell = [weak = pipe->end[side], why] {
            if (auto const end = weak.lock()) end->report({Errc::io, why, {}});
        };
        after(delay(), tell, pipe->node[side]);
    }
}

// The machine at one end is dead. What it had sent is on the way, or the first part of it, and then
// comes the end.
void SimNetwork::bury(std::shared_ptr<Pipe> const& pipe, int dead) {
    int const to = 1 - dead;
    if (pipe->broken || std::exchange(pipe->gone[dead], true)) return;
    std::string const why = "the other machine is down";
    if (pipe->gone[to] || pipe->to[to].empty() || !tape_.chance(75))
        return break_pipe(pipe, CutCause::down, why);
    ++cuts_[static_cast<std::size_t>(CutCause::down)];
    ++afterlives_;
    pipe->to[dead].clear();
    pipe->queued[dead] = 0;
    auto& queue = pipe->to[to];
    if (tape_.chance(30)) {
        queue.resize(1 + tape_.below(queue.size()));
        pipe->queued[to] = 0;
        for (Pipe::Item const& item : queue)
            if (!item.end) pipe->queued[to] += item.bytes.size();
    }
    auto& due = pipe->last_due_ms[to];
    due = std::max(due, now_ms_ + delay());
    queue.push_back({due, why, true});
    at(
        due, [this, pipe, to] { pump(pipe, to); }, pipe->node[to]);
}

void SimNetwork::cut(std::string const& a, std::string const& b) {
    for (auto const& pipe : std::list(pipes_))
        if (pipe->pair() == pair_of(a, b))
            break_pipe(pipe, CutCause::cut, "the connection was cut");
}

void SimNetwork::spoil_next(std::string const& from, std::string const& to, FrameFault fault) {
    spoil_.insert_or_assign(Pair(from, to), fault);
}

// ---- partitions ---------------------------------------------------------------------------------

void SimNetwork::partition(std::string const& a, std::string const& b, BlockCause cause) {
    block(a, b, cause);
    block(b, a, cause);
}

void SimNetwork::partition_one_way(std::string const& from, std::string const& to) {
    block(from, to, BlockCause::one_way);
}

void SimNetwork::block(std::string const& from, std::string const& to, BlockCause cause) {
    Pair const direction(from, to);
    if (!blocked_.emplace(direction, Block{next_event_, cause, false}).second) return;
    after(kIdleTimeoutMs, [this, direction, number = blocked_[direction].number] {
        auto const still = blocked_.find(direction);
        if (still != blocked_.end() && still->second.number == number)
            stalled(pair_of(direction.first, direction.second));
    });
}

void SimNetwork::stalled(Pair const& pair) {
    for (auto const& pipe : std::list(pipes_))
        if (pipe->pair() == pair)
            break_pipe(pipe, CutCause::silence, "the peer was silent for too long");
}

void SimNetwork::heal(std::string const& a, std::string const& b) {
    open_direction(a, b);
    open_direction(b, a);
}

void SimNetwork::end_block(std::string const& a, std::string const& b, BlockCause cause) {
    for (Pair const& pair : {Pair(a, b), Pair(b, a)}) {
        auto const found = blocked_.find(pair);
        if (found != blocked_.end() && found->second.cause == cause)
            open_direction(pair.first, pair.second);
    }
}

void SimNetwork::open_direction(std::string const& from, std::string const& to) {
    if (blocked_.erase({from, to}) == 0) return;
    for (auto const& pipe : pipes_)
        for (int side : {0, 1})
            if (pipe->node[1 - side] == from && pipe->node[side] == to)
                after(
                    delay(), [this, pipe, side] { pump(pipe, side); }, to);
}

void SimNetwork::heal_all() {
    while (!blocked_.empty()) {
        Pair const pair = blocked_.begin()->first;
        heal(pair.first, pair.second);
    }
}

void SimNetwork::disarm() {
    spoil_.clear();
    cut_at_ = 0;
}

std::vector<std::pair<std::string, std::string>> SimNetwork::blocked() const {
    std::vector<Pair> pairs;
    for (auto const& [pair, block] : blocked_)
        pairs.push_back(pair);
    return pairs;
}

// ---- nodes that are slow or stand still ---------------------------------------------------------

void SimNetwork::set_reading(std::string const& node,
                             std::optional<std::uint64_t> bytes_per_second) {
    if (bytes_per_second)
        readers_.insert_or_assign(node, Reader{*bytes_per_second, now_ms_ * 1'000, false});
    else
        readers_.erase(node);
    for (auto const& pipe : pipes_)
        for (int side : {0, 1})
            if (pipe->node[side] == node)
                after(
                    0, [this, pipe, side] { pump(pipe, side); }, node);
}

void SimNetwork::pause(std::string const& node) {
    if (!paused_.emplace(node, Pause{next_event_, {}}).second) return;
    // Its peers' pings are not answered.
    after(kIdleTimeoutMs, [this, node, number = paused_[node].number] {
        auto const still = paused_.find(node);
        if (still != paused_.end() && still->second.number == number)
            break_all(node, CutCause::silence, "the peer was silent for too long");
    });
}

void SimNetwork::break_all(std::string const& node, CutCause cause, std::string const& why) {
    for (auto const& pipe : std::list(pipes_))
        if (pipe->node[0] == node || pipe->node[1] == node) break_pipe(pipe, cause, why);
}

void SimNetwork::resume(std::string const& node) {
    auto const found = paused_.find(node);
    if (found == paused_.end()) return;
    auto waiting = std::move(found->second.waiting);
    if (!waiting.empty()) ++waits_;
    paused_.erase(found);
    for (Event& event : waiting)
        at(now_ms_, std::move(event.what), node);
}

}  // namespace inos::sim
