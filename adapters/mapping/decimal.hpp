// Decimal numbers as texts of digits, exact whatever their length: "12.50". Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crdt/value.hpp"

namespace inos {

inline constexpr int kDecimalPlacesMax = 18;
inline constexpr std::size_t kDecimalDigitsMax = 400;  // in front of the point

// The number with `places` digits behind the point, halves rounded away from zero; without a sign
// for zero. Nothing for what is neither a number nor a text of one.
std::optional<std::string> decimal_text(Value const& value, int places);

// The same with as many places as it has, without zeros at its end: "12.5", "12".
std::optional<std::string> decimal_text(Value const& value);

// The decimal times 10^places as a whole number, if it is one that 64 bits hold.
std::optional<std::int64_t> scaled_integer(std::string_view decimal, int places);

}  // namespace inos
