// The connections of a SimNetwork, from one node to another. Only for its own sources.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "storage/result.hpp"
#include "tools/simulation/sim_network.hpp"

namespace inos::sim {

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
    bool gone[2] = {false, false};          // the machine at that end has died
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
        if (pipe_->gone[to] || pipe_->gone[side_]) return;
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

}  // namespace inos::sim
