#include "tools/simulation/sim_network.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include <sodium.h>

#include "net/peer_url.hpp"
#include "storage/crypto/crypto.hpp"
#include "tools/simulation/sim_connection.hpp"

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

// ---- doors of nodes ----------------------------------------------------------------------------

class SimTransport final : public Transport {
public:
    SimTransport(SimNetwork& network, std::string node)
        : network_(network), node_(std::move(node)) {}
    ~SimTransport() override {
        forget();
        for (auto const& pipe : std::list(network_.pipes_)) {
            for (int side : {0, 1}) {
                auto const end = pipe->end[side].lock();
                if (pipe->node[side] != node_ || !end || end->ended()) continue;
                end->vanish();
                network_.bury(pipe, side);
            }
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
    events_at_once_ = 0;
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
    if (++events_at_once_ > kEventsAtOnceMax)
        throw std::runtime_error("I9: the nodes keep each other busy without any time going by");
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
    return !blocked_.contains({a, b}) && !blocked_.contains({b, a});
}

bool SimNetwork::passes(std::string const& from, std::string const& to) {
    auto const found = blocked_.find({from, to});
    if (found == blocked_.end()) return true;
    if (!std::exchange(found->second.noticed, true))
        ++held_back_[static_cast<std::size_t>(found->second.cause)];
    return false;
}

void SimNetwork::note(std::string_view bytes) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        word = word << 8 | static_cast<unsigned char>(bytes[i]);
        if (i % 8 == 7) note(std::exchange(word, 0));
    }
    note(word);
}

std::uint64_t SimNetwork::cuts() const {
    return std::accumulate(cuts_.begin(), cuts_.end(), std::uint64_t{0});
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
    bool const there = passes(from.node(), parsed->host);
    bool const back = passes(parsed->host, from.node());
    if (!there || !back) return refuse(kDialTimeoutMs, "no answer");
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
        if (pipe->broken || !passes(pipe->node[1 - to], pipe->node[to])) return;
        auto const end = pipe->end[to].lock();
        if (end && !end->ended() && !end->reading()) return;  // not started yet
        if (!reads_now(pipe, to)) return;
        Pipe::Item item = std::move(queue.front());
        queue.pop_front();
        if (item.end) {
            if (pipe->gone[1 - to]) {
                if (end) end->report({Errc::io, item.bytes, {}});
                pipe->broken = true;
                return;
            }
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
    if (reader.bytes_per_second == 0) {
        if (!std::exchange(reader.noticed, true)) ++silences_;
        return false;
    }
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
    note(frame);
    bytes_ += frame.size();
    if (++frames_ == cut_at_) return break_pipe(pipe, CutCause::cut, "the connection was cut");
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

void SimNetwork::silence(std::string const& node) {
    std::erase_if(listeners_,
                  [&](auto const& item) { return item.second.transport->node() == node; });
    for (auto const& pipe : std::list(pipes_))
        for (int side : {0, 1}) {
            if (pipe->node[side] != node) continue;
            if (auto const end = pipe->end[side].lock()) end->vanish();
            bury(pipe, side);
        }
}

std::size_t SimNetwork::connections(std::string const& a, std::string const& b) const {
    return static_cast<std::size_t>(
        std::count_if(pipes_.begin(), pipes_.end(), [&](auto const& pipe) {
            auto const one = pipe->end[0].lock(), other = pipe->end[1].lock();
            return pipe->pair() == pair_of(a, b) && !pipe->broken && one && other &&
                   !one->ended() && !other->ended();
        }));
}

std::size_t SimNetwork::queued_most() const {
    std::size_t most = 0;
    for (auto const& pipe : pipes_)
        if (!pipe->broken) most = std::max({most, pipe->queued[0], pipe->queued[1]});
    return most;
}

std::vector<std::pair<std::string, std::string>> SimNetwork::connected() const {
    std::vector<Pair> pairs;
    for (auto const& pipe : pipes_) {
        auto const one = pipe->end[0].lock(), other = pipe->end[1].lock();
        bool const live = !pipe->broken && one && other && !one->ended() && !other->ended();
        if (live) pairs.emplace_back(pipe->node[0], pipe->node[1]);
    }
    return pairs;
}

}  // namespace inos::sim
