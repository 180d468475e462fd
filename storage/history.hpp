// A record's past: what the log holds of it (Replica::history), read as a story. Which change did
// what, how each ended, and what the record was at an earlier moment.
//
// Moments. A version vector names a set of entries; the record as of it is what a site shows that
// holds just these. A time means: the entries with a stamp up to it, by their authors' clocks, and
// all that these had seen, whatever its stamp; so no change is shown without what it was based on.
//
// What a change did is found by replay: the record is built up step by step with the merge's own
// function, and a field is read before and after. So it is exact for every type, and says what the
// change did *here*: at another site concurrent changes may have come in another order.
//
// Pure but for read_past(). Costs: a replay applies up to kHistoryMax ops, of kHistoryBytesMax in
// all; fields are read for the steps that are described only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crdt/schema.hpp"
#include "storage/edit_words.hpp"
#include "storage/replica.hpp"

namespace inos {

inline constexpr std::size_t kConcurrentMax = 50;      // of one step that are named
inline constexpr std::size_t kToldBytesMax = 8 << 20;  // values and words in one telling

struct RecordPast {
    RecordName name;
    std::vector<HistoryStep> steps;  // in a causal order, the oldest first
    Record now;                      // as it is stored
    bool complete = true;            // the steps reach back to the beginning
    std::optional<std::uint64_t> kept_from_ms = std::nullopt;  // RecordHistory's
};

// Of what lies under this very key, alias or not. Errc::gone: the record was erased.
Result<RecordPast> read_past(Replica const& replica,
                             RecordName const& name,
                             HistoryLimits const& limits = {});

// Had the step's author seen that entry when it was made?
bool saw(HistoryStep const& step, Dot dot);
// Neither had seen the other.
bool concurrent(HistoryStep const& a, HistoryStep const& b);

// The entries that count as of a time.
VersionVector moment_of(RecordPast const& past, std::uint64_t unix_ms);
// The record as these entries make it. Precondition: the past is complete.
Record record_as_of(RecordPast const& past, VersionVector const& moment);

// The value of a field, or of a map's member, among resolved fields.
std::optional<Value> value_at(Object const& fields, std::vector<std::string> const& names);

enum class StepKind { change, fresh, delete_, unknown };

enum class Outcome {
    in_effect,  // as a part of what is read
    replaced,   // by a write that had seen it
    lost,       // to a concurrent write
};

struct FieldStep {
    std::string field;  // dotted path
    std::string words;
    std::optional<Value> from, to;  // absent: there was or is none; both: not known
    Outcome outcome = Outcome::in_effect;
};

struct StepStory {
    std::size_t step = 0;  // index into the past
    StepKind kind = StepKind::change;
    std::vector<FieldStep> fields;
    std::vector<Dot> concurrent;  // at most kConcurrentMax
    std::optional<bool> exists;   // after it; none: what was before is not known
    Outcome outcome = Outcome::in_effect;

    std::size_t bytes() const;  // of values and words
};

// The steps from `first` up to `last`, the latter not included. Fewer, without the oldest, where
// their values are over kToldBytesMax together; at least one.
std::vector<StepStory> tell_steps(RecordPast const& past,
                                  CollectionSchema const& schema,
                                  std::size_t first,
                                  std::size_t last,
                                  SiteNames const& names);

}  // namespace inos
