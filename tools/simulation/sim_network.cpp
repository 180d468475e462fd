#include "tools/simulation/sim_network.hpp"

#include <algorithm>
#include <deque>
#include <utility>

#include <sodium.h>

#include "net/peer_url.hpp"
#include "storage/crypto/crypto.hpp"

namespace inos::sim {
namespace {

Tape random_tape;

std::uint32_t random_word() {
    return random_tape.word();
}

void random_fill(void* const out, std::size_t const size) {
    auto* bytes = static_cast<unsigned char*>(out);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<unsigned char>(random_tape.word() >> 24);
}

char const* random_name() {
    return "seeded";
}

randombytes_implementation seeded_implementation{
    random_name, random_word, nullptr, nullptr, random_fill, nullptr};

}  // namespace

SeededRandomness::SeededRandomness(std::uint64_t seed) {
    crypto::init();  // takes random bytes of its own when it is called first
    random_tape = Tape::seeded(seed);
    randombytes_set_implementation(&seeded_implementation);
}

SeededRandomness::~SeededRandomness() {
    randombytes_set_implementation(&randombytes_sysrandom_implementation);
}

// ---- connections --------------------------------------------------------------------------------

// What lies between the two ends of a connection: outlives them as long as something is under way.
struct SimNetwork::Pipe {
    struct Item {
        std::uint64_t due_ms = 0;
        std::string bytes;
        bool end = false;  // of the stream: bytes is the reason
    };
    SimNetwork* network = nullptr;
    std::string node[2];  // who dialled, who listened
    std::string path;
    std::weak_ptr<SimConnection> end[2];
    std::deque<Item> to[2];                 // on the way to that end
    std::size_t queued[2] = {0, 0};         // bytes of it
    std::uint64_t last_due_ms[2] = {0, 0};  // frames do not overtake each other
    std::optional<std::string> held[2];     // a frame that goes behind the next one
    bool broken = false;

    Pair pair() const { return pair_of(node[0], node[1]); }
};

class SimConnection final : public Connection, public std::enable_shared_from_this<SimConnection> {
public:
    SimConnection(std::shared_ptr<SimNetwork::Pipe> pipe, int side)
        : pipe_(std::move(pipe)), side_(side) {}
    ~SimConnection() override { close({}); }

    void start(ConnectionHandlers handlers) override {
        INOS_ASSERT(!handlers_ && !started_);
        INOS_ASSERT(handlers.on_frame && handlers.on_closed && handlers.on_drained);
        started_ = true;
        if (ended_) return;
        handlers_ = std::make_shared<ConnectionHandlers const>(std::move(handlers));
        later([](SimConnection& self) {
            if (self.failure_) return self.report(*self.failure_);
            self.pipe_->network->pump(self.pipe_, self.side_);
        });
    }
    void established() override { established_ = true; }
    void send(std::string frame) override {
        INOS_ASSERT(!frame.empty() && frame.size() <= kFrameLimit);
        if (ended_ || pipe_->broken) return;
        put({0, std::move(frame), false});
        if (queued_bytes() <= kQueueHardLimit) return;
        Error const error{Errc::too_large, "the peer does not take what is sent to it", {}};
        later([error](SimConnection& self) { self.fail(error); });
    }
    std::size_t queued_bytes() const override { return pipe_->queued[1 - side_]; }
    void close(std::string_view reason) override {
        if (ended_) return;
        ended_ = true;
        if (!pipe_->broken) put({0, std::string(reason.substr(0, 123)), true});
        handlers_.reset();
    }
    std::string remote_address() const override { return pipe_->node[1 - side_] + ":1"; }
    std::string path() const override { return pipe_->path; }

    bool reading() const { return started_ && !ended_; }
    bool ended() const { return ended_; }
    bool is_established() const { return established_; }
    void vanish() {  // the node is no more
        ended_ = true;
        handlers_.reset();
    }
    void on_frame(std::string frame) {
        auto const handlers = handlers_;  // closing lets go of them
        if (!ended_ && handlers) handlers->on_frame(std::move(frame));
    }
    void drained() {
        auto const handlers = handlers_;
        if (!ended_ && handlers) handlers->on_drained();
    }
    // The connection is over at this end; told when the owner listens.
    void report(Error const& why) {
        if (ended_) return;
        if (!started_) {
            failure_ = why;
            return;
        }
        ended_ = true;
        auto const handlers = std::exchange(handlers_, nullptr);
        handlers->on_closed(why);
    }
    void fail(Error const& why) {
        if (ended_) return;
        put({0, why.message, true});
        report(why);
    }

private:
    template <class F>
    void later(F what) {
        auto const call = [weak = weak_from_this(), what] {
            if (auto const self = weak.lock()) what(*self);
        };
        pipe_->network->after(0, call, pipe_->node[side_]);
    }
    void put(SimNetwork::Pipe::Item item) {
        SimNetwork& network = *pipe_->network;
        int const to = 1 - side_;
        auto& due = pipe_->last_due_ms[to];
        due = std::max(due, network.now_ms() + network.delay());
        item.due_ms = due;
        if (!item.end) pipe_->queued[to] += item.bytes.size();
        pipe_->to[to].push_back(std::move(item));
        network.at(
            due, [pipe = pipe_, to] { pipe->network->pump(pipe, to); }, pipe_->node[to]);
    }

    std::shared_ptr<SimNetwork::Pipe> pipe_;
    int side_;
    std::shared_ptr<ConnectionHandlers const> handlers_;
    std::optional<Error> failure_;
    bool started_ = false, ended_ = false, established_ = false;
};

class SimTransport final : public Transport {
public:
    SimTransport(SimNetwork& network, std::string node)
        : network_(network), node_(std::move(node)) {}
    ~SimTransport() override {
        forget();
        for (auto const& pipe : std::list(network_.pipes_)) {
            bool gone = false;
            for (int side : {0, 1}) {
                auto const end = pipe->end[side].lock();
                if (pipe->node[side] != node_ || !end || end->ended()) continue;
                end->vanish();
                gone = true;
            }
            if (gone) network_.break_pipe(pipe, "the other machine is down");
        }
    }

    Result<std::string> listen(std::string const& host,
                               std::uint16_t port,
                               AcceptHandler on_accept) override {
        INOS_ASSERT(host == node_ && port != 0);
        std::string const address = "ws://" + host_and_port(host, port);
        INOS_ASSERT(!network_.listeners_.contains(address));
        network_.listeners_[address] = {this, std::move(on_accept)};
        return address;
    }
    void dial(std::string const& url, DialHandler on_done) override {
        if (alive_) network_.dial(*this, url, std::move(on_done));
    }
    void stop() override {
        forget();
        for (auto const& pipe : std::list(network_.pipes_))
            for (int side : {0, 1})
                if (auto const end = pipe->end[side].lock(); end && pipe->node[side] == node_)
                    end->close("going away");
    }

    std::string const& node() const { return node_; }
    std::weak_ptr<SimTransport*> alive() const { return alive_; }

private:
    void forget() {
        alive_.reset();
        std::erase_if(network_.listeners_,
                      [this](auto const& item) { return item.second.transport == this; });
    }

    SimNetwork& network_;
    std::string node_;
    std::shared_ptr<SimTransport*> alive_ = std::make_shared<SimTransport*>(this);
};

// ---- the network --------------------------------------------------------------------------------

SimNetwork::SimNetwork(std::uint64_t seed) : tape_(Tape::seeded(seed)) {}

SimNetwork::~SimNetwork() {
    for (auto const& pipe : pipes_)
        pipe->broken = true;  // what still holds an end says nothing any more
    events_.clear();
}

std::unique_ptr<Transport> SimNetwork::transport(std::string node) {
    return std::make_unique<SimTransport>(*this, std::move(node));
}

void SimNetwork::set_delay(std::uint64_t min_ms, std::uint64_t max_ms) {
    INOS_ASSERT(min_ms <= max_ms);
    delay_min_ = min_ms;
    delay_max_ = max_ms;
}

namespace {
constexpr auto kLater = [](auto const& a, auto const& b) {
    return std::pair(a.when_ms, a.number) > std::pair(b.when_ms, b.number);
};
}  // namespace

void SimNetwork::at(std::uint64_t when_ms, std::function<void()> what, std::string const& node) {
    events_.push_back({std::max(when_ms, now_ms_), next_event_++, node, std::move(what)});
    std::push_heap(events_.begin(), events_.end(), kLater);
}

void SimNetwork::move_time(std::uint64_t to_ms) {
    if (to_ms <= now_ms_) return;
    now_ms_ = to_ms;
    if (on_time_) on_time_(now_ms_);
}

bool SimNetwork::step(std::uint64_t until_ms) {
    if (events_.empty() || events_.front().when_ms > until_ms) {
        move_time(until_ms);
        return false;
    }
    std::pop_heap(events_.begin(), events_.end(), kLater);
    Event event = std::move(events_.back());
    events_.pop_back();
    move_time(event.when_ms);
    auto const waiting = paused_.find(event.node);
    if (waiting != paused_.end())
        waiting->second.waiting.push_back(std::move(event));
    else
        event.what();
    return true;
}

void SimNetwork::run_for(std::uint64_t ms) {
    std::uint64_t const until = now_ms_ + ms;
    while (step(until)) {
    }
}

bool SimNetwork::reachable(std::string const& a, std::string const& b) const {
    return open(a, b) && open(b, a);
}

void SimNetwork::dial(SimTransport& from, std::string const& url, DialHandler on_done) {
    dials_.emplace_back(now_ms_, from.node() + " " + url);
    auto const refuse = [&](std::uint64_t wait_ms, std::string const& why) {
        auto const answer = [alive = from.alive(), on_done, why] {
            if (!alive.expired()) on_done(fail(Errc::unavailable, why));
        };
        after(wait_ms, answer, from.node());
    };
    auto const parsed = parse_peer_url(url);
    if (!parsed) return refuse(0, parsed.error().message);
    if (!reachable(from.node(), parsed->host)) return refuse(kDialTimeoutMs, "no answer");
    std::string const listener = "ws://" + host_and_port(parsed->host, parsed->port);
    after(delay(), [this, alive = from.alive(), listener, path = parsed->path, on_done] {
        connect(alive, listener, path, on_done);
    });
}

void SimNetwork::connect(std::weak_ptr<SimTransport*> from,
                         std::string const& listener,
                         std::string const& path,
                         DialHandler on_done) {
    auto const dialler = from.lock();
    if (!dialler) return;
    auto const found = listeners_.find(listener);
    std::string const caller = (*dialler)->node();
    if (found == listeners_.end()) {
        auto const refuse = [from, on_done] {
            if (!from.expired()) on_done(fail(Errc::unavailable, "connection refused"));
        };
        return after(delay(), refuse, caller);
    }
    auto const pipe = std::make_shared<Pipe>();
    pipe->network = this;
    pipe->node[0] = caller;
    pipe->node[1] = found->second.transport->node();
    pipe->path = path;
    std::erase_if(pipes_, [](auto const& old) {
        return (old->end[0].expired() && old->end[1].expired()) || old->broken;
    });
    pipes_.push_back(pipe);
    auto const client = std::make_shared<SimConnection>(pipe, 0);
    auto const server = std::make_shared<SimConnection>(pipe, 1);
    pipe->end[0] = client;
    pipe->end[1] = server;
    for (int const side : {0, 1}) {
        auto const late = [weak = pipe->end[side]] {
            auto const self = weak.lock();
            if (self && !self->is_established())
                self->fail({Errc::unavailable, "the handshake took too long", {}});
        };
        after(kHandshakeDeadlineMs, late, pipe->node[side]);
    }
    auto const accept = [this, alive = found->second.transport->alive(), listener, server] {
        auto const still = listeners_.find(listener);
        if (!alive.expired() && still != listeners_.end()) still->second.on_accept(server);
    };
    after(0, accept, pipe->node[1]);
    auto const answer = [from, on_done, client] {
        if (!from.expired()) on_done(std::shared_ptr<Connection>(client));
    };
    after(delay(), answer, caller);
}

// Everything that is due goes to its end, unless something keeps it.
void SimNetwork::pump(std::shared_ptr<Pipe> const& pipe, int to) {
    auto& queue = pipe->to[to];
    while (!queue.empty() && queue.front().due_ms <= now_ms_) {
        if (pipe->broken || !open(pipe->node[1 - to], pipe->node[to])) return;
        auto const end = pipe->end[to].lock();
        if (end && !end->ended() && !end->reading()) return;  // not started yet
        if (!reads_now(pipe, to)) return;
        Pipe::Item item = std::move(queue.front());
        queue.pop_front();
        if (item.end) {
            if (end) end->report({Errc::unavailable, "the peer closed: " + item.bytes, {}});
            continue;
        }
        std::size_t const before = pipe->queued[to];
        pipe->queued[to] -= item.bytes.size();
        bool const low = before >= kQueueLow && pipe->queued[to] < kQueueLow;
        if (low || pipe->queued[to] == 0) {
            auto const tell = [weak = pipe->end[1 - to]] {
                if (auto const sender = weak.lock()) sender->drained();
            };
            after(0, tell, pipe->node[1 - to]);
        }
        deliver(pipe, to, std::move(item.bytes));
    }
}

// Whether the next frame may go to its reader, which may be slow: then it comes later.
bool SimNetwork::reads_now(std::shared_ptr<Pipe> const& pipe, int to) {
    auto const found = readers_.find(pipe->node[to]);
    if (found == readers_.end()) return true;
    Reader& reader = found->second;
    if (reader.bytes_per_second == 0) return false;
    std::uint64_t const now_us = now_ms_ * 1'000;
    if (reader.free_at_us > now_us) {
        ++stalls_;
        at((reader.free_at_us + 999) / 1'000, [this, pipe, to] { pump(pipe, to); }, pipe->node[to]);
        return false;
    }
    std::uint64_t const took_us =
        pipe->to[to].front().bytes.size() * 1'000'000 / reader.bytes_per_second;
    reader.free_at_us = now_us + took_us;
    return true;
}

void SimNetwork::deliver(std::shared_ptr<Pipe> const& pipe, int to, std::string frame) {
    note(now_ms_ * 31 + frame.size());
    bytes_ += frame.size();
    if (++frames_ == cut_at_) return break_pipe(pipe, "the connection was cut");
    if (spoil(pipe, to, frame)) return;
    hand_over(pipe, to, std::move(frame));
    if (auto held = std::exchange(pipe->held[to], std::nullopt)) {
        ++spoiled_[static_cast<std::size_t>(FrameFault::swapped)];
        hand_over(pipe, to, *std::move(held));
    }
}

void SimNetwork::hand_over(std::shared_ptr<Pipe> const& pipe, int to, std::string frame) {
    if (auto const end = pipe->end[to].lock()) end->on_frame(std::move(frame));
}

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
    after(kIdleTimeoutMs, [this, pipe] { break_pipe(pipe, "the stream has a hole"); });
}

void SimNetwork::break_pipe(std::shared_ptr<Pipe> const& pipe, std::string const& why) {
    if (std::exchange(pipe->broken, true)) return;
    ++cuts_;
    for (int side : {0, 1}) {
        pipe->to[side].clear();
        pipe->queued[side] = 0;
        auto const tell = [weak = pipe->end[side], why] {
            if (auto const end = weak.lock()) end->report({Errc::io, why, {}});
        };
        after(delay(), tell, pipe->node[side]);
    }
}

void SimNetwork::cut(std::string const& a, std::string const& b) {
    for (auto const& pipe : std::list(pipes_))
        if (pipe->pair() == pair_of(a, b)) break_pipe(pipe, "the connection was cut");
}

void SimNetwork::spoil_next(std::string const& from, std::string const& to, FrameFault fault) {
    spoil_.insert_or_assign(Pair(from, to), fault);
}

// ---- partitions ---------------------------------------------------------------------------------

void SimNetwork::partition(std::string const& a, std::string const& b) {
    block(a, b);
    block(b, a);
}

void SimNetwork::partition_one_way(std::string const& from, std::string const& to) {
    block(from, to);
}

void SimNetwork::block(std::string const& from, std::string const& to) {
    Pair const direction(from, to);
    if (!blocked_.emplace(direction, next_event_).second) return;
    after(kIdleTimeoutMs, [this, direction, number = blocked_[direction]] {
        auto const still = blocked_.find(direction);
        if (still != blocked_.end() && still->second == number)
            stalled(pair_of(direction.first, direction.second));
    });
}

void SimNetwork::stalled(Pair const& pair) {
    for (auto const& pipe : std::list(pipes_))
        if (pipe->pair() == pair) break_pipe(pipe, "the peer was silent for too long");
}

void SimNetwork::heal(std::string const& a, std::string const& b) {
    open_direction(a, b);
    open_direction(b, a);
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

// ---- nodes that are slow or stand still ---------------------------------------------------------

void SimNetwork::set_reading(std::string const& node,
                             std::optional<std::uint64_t> bytes_per_second) {
    if (bytes_per_second)
        readers_.insert_or_assign(node, Reader{*bytes_per_second, now_ms_ * 1'000});
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
            break_all(node, "the peer was silent for too long");
    });
}

void SimNetwork::break_all(std::string const& node, std::string const& why) {
    for (auto const& pipe : std::list(pipes_))
        if (pipe->node[0] == node || pipe->node[1] == node) break_pipe(pipe, why);
}

void SimNetwork::silence(std::string const& node) {
    std::erase_if(listeners_,
                  [&](auto const& item) { return item.second.transport->node() == node; });
    for (auto const& pipe : pipes_)
        for (int side : {0, 1})
            if (auto const end = pipe->end[side].lock(); end && pipe->node[side] == node)
                end->vanish();
    break_all(node, "the other machine is down");
}

void SimNetwork::resume(std::string const& node) {
    auto const found = paused_.find(node);
    if (found == paused_.end()) return;
    auto waiting = std::move(found->second.waiting);
    paused_.erase(found);
    for (Event& event : waiting)
        at(now_ms_, std::move(event.what), node);
}

std::size_t SimNetwork::connections(std::string const& a, std::string const& b) const {
    return static_cast<std::size_t>(
        std::count_if(pipes_.begin(), pipes_.end(), [&](auto const& pipe) {
            auto const one = pipe->end[0].lock(), other = pipe->end[1].lock();
            return pipe->pair() == pair_of(a, b) && !pipe->broken && one && other &&
                   !one->ended() && !other->ended();
        }));
}

}  // namespace inos::sim
