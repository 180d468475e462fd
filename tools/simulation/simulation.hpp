// One run of the simulator: real nodes with all that a seed does to them, then everything is healed
// and has to come out right. A seed stands for the whole run: the same seed gives the same lines,
// with every compiler.
//
//   Outcome: run_seed(17, {}) -> counts, a hash of all lines, and what failed, if anything did
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "tools/simulation/faults.hpp"

namespace inos::sim {

struct RunOptions {
    std::function<void(std::string const& line)> out;  // every event, if somebody wants to read it
};

struct RunReport {
    std::uint64_t seed = 0;
    FaultCounts faults;
    std::uint64_t virtual_ms = 0, healed_ms = 0;  // the whole run; how long convergence took
    std::uint64_t asked = 0, acknowledged = 0, entries = 0, frames = 0;
    std::uint64_t hash = 0;              // of all lines and of every frame on the network
    std::string described;               // what kind of run it was
    std::optional<std::string> failure;  // what did not hold
};

RunReport run_seed(std::uint64_t seed, RunOptions const& options);

}  // namespace inos::sim
