// A run as a story for people: what each site did, who met whom, and what each one showed after it.
// Pure; any thread.
//
//    1. A patches products/1 {"stock":{"$inc":1}}
//         A shows products/1 {"stock":1}
//    2. A and B meet
//         B shows products/1 {"stock":1}
#pragma once

#include <string>
#include <vector>

#include "tools/simulate/plan_run.hpp"

namespace inos::simulate {

// One line per element, without line ends. `result` is of a run that was told
// (RunOptions::tell).
std::vector<std::string> story(Plan const& plan, RunResult const& result, Setting const& setting);

// What is wrong in the end: "at A, stock >= 0 is false for products/1: stock is -1".
std::string failure_text(Failure const& failure, Setting const& setting);

// What somebody could do about a broken rule; empty: nothing in general.
std::string advice(Failure const& failure, Setting const& setting);

// One step in words: "A and B meet, and are cut off at message 3".
std::string step_text(Step const& step);

// The same for programs: {"site", "does", ...} for each step, and what was shown after it.
Value story_json(Plan const& plan, RunResult const& result, Setting const& setting);

}  // namespace inos::simulate
