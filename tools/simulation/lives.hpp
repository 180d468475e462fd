// The processes and machines of a run: they end in all ways, come up again or do not, and each time
// it is checked that they hold what they held before.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "tools/simulation/run_state.hpp"

namespace inos::sim {

class Lives {
public:
    explicit Lives(RunState& run) : run_(run) {}

    // Told when a machine stops, before anything is taken away.
    void on_down(std::function<void(SimNode&)> callback) { on_down_ = std::move(callback); }

    // One of the actions stop, kill, pause, power_loss and power_loss_in_call.
    void harm(SimNode& node, Action action);
    // The process ends; nothing that it wrote is lost.
    void fall(SimNode& node, bool politely);
    // The machine has stopped within a call of its engine.
    void power_lost(SimNode& node);
    // Opens the node if it is down, by chance with a disk that fails meanwhile. It may stay down.
    void start(SimNode& node);
    void wake(SimNode& node);
    // An older directory takes the place of the node's. It may stay down.
    void put_back(SimNode& node, Contents const& copy);
    // I8: what a node holds only grows.
    void look();

private:
    struct Life {
        VersionVector before;  // when it was last seen running
        ActorId actor;
        bool may_lose_own = false;
        std::set<ActorId> left;  // actors that wrote more than a directory that was put back knows
        VersionVector last;      // when somebody looked
    };
    void lose_power(SimNode& node);
    void disturb_start(SimNode& node);
    void mark_lost(SimNode& node);

    RunState& run_;
    std::function<void(SimNode&)> on_down_;
    std::map<std::string, Life> lives_;
};

}  // namespace inos::sim
