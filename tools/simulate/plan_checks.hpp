// What has to hold in every run whatever the rules, decided from what people were told and from the
// logs, not by asking the merge. Functions of the world at rest; nothing here takes part in a run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/simulate/site_view.hpp"

namespace inos::simulate {

// A write that was answered as done.
struct DoneWrite {
    Dot dot;
    std::size_t site = 0;
    std::vector<Write> writes;
};

// What was counted by these writes, where all writes to the field were increments; else nullopt.
struct Counted {
    std::int64_t sum = 0, added = 0;  // `added`: without the decrements
};
std::optional<Counted> only_increments(std::vector<DoneWrite> const& done,
                                       RecordName const& name,
                                       std::string const& field);

// More was taken from a bounded counter than its min allows, in words. Of counters that nobody set,
// cleared or deleted: for those data-model.md has no such promise.
std::optional<std::string> find_broken_bound(Schemas const& schemas,
                                             std::vector<DoneWrite> const& done);

// A write that left no trace, in words; when all nodes hold the same. See plan_run.hpp, "lost".
std::optional<std::string> find_lost(sim::SimWorld& world,
                                     Schemas const& schemas,
                                     std::vector<DoneWrite> const& done);

}  // namespace inos::simulate
