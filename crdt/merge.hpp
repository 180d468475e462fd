// The merge: one rule for all types (docs/data-model.md). Nothing here looks at a type's meaning,
// at a clock, or at the schema, so state converges whatever the configuration of the sites.
//
// Total functions over plain values. Applying entries twice is prevented by the version vector of
// the caller (storage/replica.hpp); applying them in any causal order gives the same bytes.
//
// The causality follows the dotted version vectors and dot stores of Almeida, Shoker and Baquero
// 2018, "Delta State Replicated Data Types", with whole-entry contexts instead of per-key ones.
#pragma once

#include <string_view>

#include "crdt/entry.hpp"
#include "crdt/record.hpp"

namespace inos {

// What an op needs to know of its entry. `deps` is the author's whole version vector just before
// the entry, the author's own seq included.
struct OpOrigin {
    Dot dot;
    Hlc hlc;
    std::string_view source;
    VersionVector const& deps;
};

// Applies one op of a known kind to the record's state; ops of unknown kinds do nothing.
//  1. fresh: every cell that ctx covers goes (a run's: whose start ctx covers), an existence cell
//  comes
//  2. else, unless the op is a delete: the delete markers that ctx covers go
//  3. per edit: cells on the path that ctx covers go, then the new one is added
//  4. a record with an erase mark keeps only that, now and later
// ctx is the op's own, as far as it lies within deps, or deps.
void apply(Record& record, Op const& op, OpOrigin const& origin);

// Merges a peer's state of the record into ours. A cell that only one side has was removed by the
// other if the other's version vector covers it; so no tombstones are needed. Both states must be
// of one and the same history (chain heads compared by the caller).
void merge(Record& ours,
           VersionVector const& our_vv,
           Record const& theirs,
           VersionVector const& their_vv);

}  // namespace inos
