// How assignments and operations on a list become edits. An assigned array is compared with what is
// shown, so that only the difference is written: equal elements stay what they are, values that
// stand elsewhere move, a stretch of as many other values is an edit of each element, and the rest
// is removed and inserted.
//
//   {"$remove": E | [E, ...],
//    "$set":    {"element": E, "value": V},
//    "$move":   {"element": E, "after": F},          or "before"
//    "$insert": {"after": F, "value": V}}            or "before"; or "values": [V, ...]
//
// are carried out in this order; the last three also take an array of such objects. "after": null
// is the front, "before": null the end. E and F are ids (element_id in crdt/types/list.hpp). Pure.
#pragma once

#include "crdt/types/types.hpp"

namespace inos {

void assign_list(EditPlan& plan, FieldTarget const& target, Value const& value);
void operate_list(EditPlan& plan, FieldTarget const& target, Object const& operation);

// Decides a conflict of one element: writes the value even if it is shown already. False when the
// list has no such element, or there is no list.
bool resolve_element(EditPlan& plan,
                     FieldTarget const& target,
                     std::string_view id,
                     Value const& value);

}  // namespace inos
