// What the step (step.cpp) and the settling of its writes (settle.cpp) share. Pure.
#pragma once

#include <string>
#include <vector>

#include "adapters/engine/step.hpp"

namespace inos {

inline std::string path_text(FieldView const& view) {
    return view.map->record.text();
}

// Elements of a set, each once, ascending by their bytes. No array: no element.
std::vector<Value> set_elements(Value const& value);
std::vector<Value> elements_without(std::vector<Value> const& all, std::vector<Value> const& less);

// What stands in the object, by external pointer.
Value value_of_parts(std::vector<Outbound::Part> const& parts);

// The field's value in the object, as the shadow keeps it. Precondition: it is not hidden.
SeenValue seen_value(FieldView const& view);

// From now on this stands in the object. Counts how often it goes back to what stood there before;
// true: too often, and the field is quarantined now.
bool change_seen(ShadowField& field, SeenValue now, Errors const& errors, std::uint64_t now_ms);
StepProblem flip_problem(std::string path, Errors const& errors);

// The cells at and below the place that the pointer names.
Record::Range cells_range(Record const& record, Pointer const& pointer);

// Tokens that cannot be stored are not kept.
std::string kept_token(std::string_view token);

}  // namespace inos
