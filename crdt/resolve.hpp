// From a record's cells and the collection's schema to the values that a user sees, and the
// conflicts: values of concurrent writes that differ from the one shown. A function of the state
// alone, independent of the order in which entries came.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crdt/record.hpp"
#include "crdt/schema.hpp"
#include "crdt/value.hpp"

namespace inos {

struct ConflictValue {
    Value value;
    Dot dot;
    Hlc hlc;
    std::string source;
    bool wins = false;
    // Stands for increments that add nothing, since the counter was taken away by somebody who had
    // not seen them; null, as of the last of them. How much they were is told by the log.
    bool lost = false;

    bool operator==(ConflictValue const&) const = default;
};

struct Conflict {
    std::string field;                  // dotted path
    std::vector<ConflictValue> values;  // the winner first

    bool operator==(Conflict const&) const = default;
};

struct Resolved {
    Object fields;
    std::vector<Conflict> conflicts;  // ascending by field

    bool operator==(Resolved const&) const = default;
};

// Reads every field, whether or not the record is deleted (visible() of record.hpp decides that).
Resolved resolve(Record const& record, CollectionSchema const& schema);

// The fields among these names alone, as resolve() reads them, without a look at the others.
// Names may be there more than once, in any order.
Object resolve_fields(Record const& record,
                      CollectionSchema const& schema,
                      std::vector<std::string_view> const& names);

// The `lost` cells of the field that stand for somebody's increments: of its counters, and of those
// inside a map that is not the type that is `read`. Those inside a map that is read are of its
// members.
std::vector<Cell const*> lost_increments(Record const& record,
                                         std::string_view path,
                                         CellType read);

// The latest cell at or below `prefix`, `lost` ones aside: they are no value. nullptr for none.
Cell const* latest_value(Record const& record, std::string_view prefix);

// Puts [{"element": id, "value": value}, ...] in place of every list among the fields that
// resolve() gave, also in maps, so that operations can name elements.
void name_elements(Record const& record, CollectionSchema const& schema, Object& fields);

// Whether some schema could make resolve() report a conflict: false means that none does, so an
// index of the others is enough to find all conflicts under whatever schema. One pass that looks
// at neighbouring cells.
bool may_conflict(Record const& record);

// What one field holds as the given type. `path` is the field's path up to and including its name,
// without a type. The parts of resolve that planning a change (change.hpp) needs too.
std::vector<CellType> types_at(Record const& record, std::string_view path);
// The type that is read: the schema's, else of those that have a value the one with the latest
// cell; register when there is no cell. What is left of a value that was taken away (a `lost` cell,
// a bare move in a list, passes of a bounded counter) does not count beside a value. A type of a
// newer version does.
CellType read_type(Record const& record, std::string_view path, FieldSchema const* schema);
bool has_value(Record const& record,
               std::string_view path,
               CellType type,
               FieldSchema const* schema);
Value read_value(Record const& record,
                 std::string_view path,
                 CellType type,
                 FieldSchema const* schema);

}  // namespace inos
