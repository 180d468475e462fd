// What the log says of one record, entry by entry (Replica::history). Plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crdt/entry.hpp"
#include "crdt/hlc.hpp"
#include "crdt/ids.hpp"
#include "crdt/version_vector.hpp"

namespace inos {

inline constexpr std::size_t kHistoryMax = 10'000;          // changes of one record's history
inline constexpr std::size_t kHistoryBytesMax = 64u << 20;  // what these take in memory, about

// One step of a record's history: an op that touched it, with what its entry says.
struct HistoryStep {
    Dot dot;
    Hlc hlc;
    std::string source;
    std::uint64_t arrived_ms = 0;  // here, by this node's clock
    VersionVector deps;            // what its author had seen, its own entries before it included
    Op op;                         // of an unknown kind: only `kind` and `body`
};

// What is read of a history at most; the newest step is read whatever its size.
struct HistoryLimits {
    std::size_t steps = kHistoryMax;
    std::size_t bytes = kHistoryBytesMax;
};

struct RecordHistory {
    std::vector<HistoryStep> steps;  // in a causal order, the oldest first
    bool cut = false;                // by the limits: there are older ones
    // The log does not reach back to the beginning: what was before this (Unix ms) is not kept.
    std::optional<std::uint64_t> kept_from_ms = std::nullopt;

    bool empty() const { return steps.empty(); }
    std::size_t size() const { return steps.size(); }
};

}  // namespace inos
