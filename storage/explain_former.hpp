// What fields read as before: for each of those that are explained, the values that its last
// changes replaced, found by one replay of the past for all of them. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crdt/types/bounded_counter.hpp"
#include "storage/explain.hpp"

namespace inos {

// A field in the making.
struct ToldField {
    std::string at;  // its path up to its name, without a type
    FieldSchema const* schema = nullptr;
    bool is_default = false;
    FieldStory story;
    std::optional<Origin> last;  // the last change of it that the log holds
};

// What is left of a counter that was taken away, and rights that were passed on: nobody wrote the
// value with them.
inline bool makes_no_value(Cell const* cell) {
    return run_of_lost(cell->path) || holds_passed_rights(cell->path);
}

// Sets `last` and `story.before` of each; the latter only if the past is complete.
void add_former_values(RecordPast const& past,
                       CollectionSchema const& schema,
                       std::vector<ToldField>& fields);

}  // namespace inos
