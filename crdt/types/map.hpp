// A map: a JSON object merged leaf by leaf. A cell at the map's own path says that there is a map;
// each key is a field of its own below it, of any type. Remove of a key takes what it had seen, so
// a concurrent change below the key stays. Recursive map after Kleppmann and Beresford 2017, "A
// Conflict-Free Replicated JSON Datatype".
#pragma once

#include "crdt/types/types.hpp"

namespace inos {

TypeRules map_rules();

// Field names present below `prefix` (empty: the record itself), ascending as in the record.
std::vector<std::string> names_under(Record const& record, std::string_view prefix);

// How an object's members are taken: `replace` takes what is shown and not named, writes nulls
// (PUT); `merge` leaves it alone, and null removes (RFC 7396). A value that the field reads as
// already plans nothing, whatever else is there, but where rival values are to be settled.
enum class AssignMode { replace, merge };
void assign_field(EditPlan& plan, FieldTarget const& target, Value const& value, AssignMode mode);
void assign_map(EditPlan& plan, FieldTarget const& target, Value const& value, AssignMode mode);
// Of a field that `replace` does not name: it goes if it is shown. What is not shown, somebody who
// puts back what was read has not seen: increments that a conflict tells of, newer types.
void take_away(EditPlan& plan, std::string_view path, FieldSchema const* schema);

}  // namespace inos
