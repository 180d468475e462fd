// People ask the nodes of a run, and what they are told is written down and judged: an
// acknowledgement has to have an entry that its node holds, and a refusal a reason.
#pragma once

#include <functional>
#include <string>

#include "tools/simulation/people.hpp"
#include "tools/simulation/run_state.hpp"

namespace inos::sim {

class Asking {
public:
    // An erasure makes all sites acknowledge, and then they purge: see Swarm::of().
    explicit Asking(RunState& run)
        : run_(run), people_(Tape::seeded(run.tape.word64()), !run.swarm.has(Action::put_back)) {}

    static bool can_ask(SimNode const& node) {
        return node.running() && !node.paused() && !node.lost_power();
    }
    // The schema that a run begins with and something to sell, at the founder.
    void begin(SimNode& founder);
    // Some people ask some of the nodes.
    void crowd();
    // Somebody asks this one, which can be asked.
    void at(SimNode& node);
    // An admin has another idea of `typed`.
    void change_schema(SimNode& admin);

private:
    SimNode* somebody();
    void ask(SimNode& node, std::function<void(Asked&)> const& fill);
    void merge_records(SimNode& node);
    void name_version(SimNode& node, Asked& asked);
    void submit(SimNode& node, Asked& asked);
    void set_schema(SimNode& node, Object const& document);
    void answered(SimNode& node, Asked& asked, Result<Committed> const& result);
    void done(SimNode& node, Asked& asked, Committed const& committed);
    bool rights_change() const;
    void judge_refusal(Asked const& asked, Error const& error);

    RunState& run_;
    People people_;
    std::vector<std::string> versions_;  // that somebody has read sometime
};

}  // namespace inos::sim
