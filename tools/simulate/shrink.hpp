// Makes a plan that shows a mistake smaller: without steps, sites, writes, fields, interruptions,
// and with smaller values, as long as it still shows it. Delta debugging (Zeller, Hildebrandt
// 2002): large pieces first. Deterministic: what may be tried is bounded by a count, not by time.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "tools/simulate/plan.hpp"

namespace inos::simulate {

inline constexpr std::size_t kShrinkTriesMax = 1'500;

struct Shrunk {
    Plan plan;
    std::size_t tries = 0;  // how often `fails` was asked
    bool complete = true;   // false: the tries were used up before nothing smaller was found
};

// `fails` says whether a plan shows the mistake; `plan` does.
Shrunk shrink(Plan plan,
              std::function<bool(Plan const&)> const& fails,
              std::size_t tries_max = kShrinkTriesMax);

// All plans that are smaller in one place, for those who search themselves; large pieces first.
std::vector<Plan> smaller(Plan const& plan);

// Values that are simpler than this one, the simplest first; none for the simplest.
std::vector<Value> simpler(Value const& value);

}  // namespace inos::simulate
