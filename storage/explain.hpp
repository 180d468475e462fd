// Why a record says what it says: per field the value, who wrote it and when, the rule that made it
// win, what stands beside it, and what it replaced. Read from the record's cells and its past, by
// today's schema. Pure, total; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/types/bounded_counter.hpp"
#include "storage/history.hpp"

namespace inos {

inline constexpr std::size_t kFormerMax = 5;     // values before the present one
inline constexpr std::size_t kFormerScan = 100;  // changes of a field that are looked at for them
inline constexpr std::size_t kSharesMax = 1'000;
inline constexpr std::size_t kGoneFieldsMax = 200;  // fields that were taken away

// The entry that wrote something.
struct Origin {
    Dot dot;
    Hlc hlc;
    std::string source;
    std::optional<std::uint64_t> arrived_ms;  // here; none: the log does not say
};

// What one site, or one write, contributes to a value that is made of several.
struct Share {
    std::string element;  // of a list: the element's id
    Value value;          // a counter's total, an element, or a text's number of characters
    Origin origin;        // the newest write of it
};

// A concurrent value that is not the one shown.
struct Rival {
    Value value;
    Origin origin;
    std::string why;
};

// What the field read as before.
struct Former {
    Value value;
    std::optional<Origin> written;
    Origin replaced;  // the change that ended it
};

struct FieldStory {
    std::string field;  // dotted path; maps are told leaf by leaf
    std::string type;
    std::optional<Value> value;  // none: the field was taken away, or cannot be read
    std::optional<Origin> written;
    std::string rule;
    std::vector<Share> shares;  // of counters, sets, lists and texts; at most kSharesMax
    std::vector<Rival> lost;
    std::vector<Former> before;         // the newest first; empty where the past is not complete
    std::optional<FieldRights> rights;  // of a bounded counter
};

struct RecordStory {
    enum class State { missing, exists, deleted } state = State::missing;
    std::string why;
    std::vector<Origin> deletes;       // that stand, or the last one
    std::vector<Origin> not_deleting;  // edits that the deletes had not seen
    std::vector<FieldStory> fields;    // ascending; none of a record that is not there
    bool complete = true;
};

// Of one field and what is below it, or of all fields if `field` is empty.
RecordStory explain(RecordPast const& past,
                    CollectionSchema const& schema,
                    std::string_view field = {});

}  // namespace inos
