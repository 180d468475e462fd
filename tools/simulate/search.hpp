// Looks for a history that breaks a rule: runs of many seeds, and of what breaks in them the
// shortest history that can be found. Deterministic. The thread of the caller; one search at a time
// in a process (plan_run.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tools/simulate/plan_run.hpp"
#include "tools/simulate/shrink.hpp"

namespace inos::simulate {

struct SearchOptions {
    std::size_t sites = 3;
    std::uint64_t first_seed = 1, runs = 100;
    std::size_t shrink_tries_max = kShrinkTriesMax;
    // Told now and then: runs that are done, and while a history is made smaller how often that was
    // tried (else 0).
    std::function<void(std::uint64_t runs, std::size_t tries)> on_progress = {};
};

struct Finding {
    std::uint64_t seed = 0;  // of the run that showed it first
    std::size_t steps = 0;   // that this run had
    Shrunk shrunk;
    RunResult result;  // of the shrunk plan, told
};

struct SearchReport {
    std::uint64_t runs = 0;         // that were made; fewer than asked for when all rules broke
    Counts counts;                  // of all runs, without those for shrinking
    std::vector<Finding> findings;  // at most one for each rule, and one of each other kind
};

// A rule that broke once is left alone in the runs after it, so that the others are looked at
// through all of them.
SearchReport search(Setting const& setting, SearchOptions const& options);

}  // namespace inos::simulate
