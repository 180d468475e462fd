// The law of maps that go both ways: a record value that goes out and comes back is what it was.
// Checked on values when a mapping is read (those of an enum, and samples of each shape), and on
// generated ones by a property test. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adapters/mapping/field_values.hpp"

namespace inos {

// The external object that holds what write_external() has written of the value.
Object external_of(std::vector<Outbound::Part> const& parts);

// What is wrong with the way of this canonical value out and back; nothing when it comes back, or is
// not written, or when what comes back says nothing.
std::optional<std::string> round_trip_problem(FieldMap const& map, Value const& value);

// Values of each shape that a map may have to carry.
std::vector<Value> sample_values();

}  // namespace inos
