// Records that are damaged below a replica, as by a failing disk or a faulty program: in the middle
// of a run, so that entries, purges, logs that are cut and states meet them; at the end of
// a run, when all nodes hold the same, and then they have to come to the same again by repair; and
// nodes that hold, and say, what is not so: the others keep what they have.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tools/simulation/lives.hpp"
#include "tools/simulation/run_state.hpp"

namespace inos::sim {

class Damage {
public:
    Damage(RunState& run, Lives& lives) : run_(run), lives_(lives) {}

    // At any moment. Nodes that come upon it repair it by themselves.
    void spoil_one();
    // Precondition: everything is healed, and all nodes hold the same.
    void damage_and_repair();

private:
    std::vector<SimNode*> nodes() const;  // that hold records
    void falsify_some(SimNode& node);
    void falsify(SimNode& node);
    void damage(SimNode& node);
    void damage_beside(SimNode& node);
    void damage_log(SimNode& node);
    void put_log_back();
    void disturb(SimNode& node);
    void repair(SimNode& node, int tries = 5);
    void put(SimNode& node,
             Family family,
             std::string const& key,
             std::optional<std::string> value);

    RunState& run_;
    Lives& lives_;
    SimNode* without_log_ = nullptr;  // where entries of the log are damaged: what they were
    Contents log_;
    bool removes_ = true;            // records may go without a trace
    std::set<std::string> removed_;  // names of the nodes where some have
};

}  // namespace inos::sim
