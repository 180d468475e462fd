// Values as keys of a secondary index: the order of the bytes is the order of the values, as
// value_order() has it (expression_eval.hpp), and equal values have equal bytes.
//
//   value   = 1 null | 2 false | 3 true
//           | 4 number | double u64 | rest u16   the greatest double that is not above the number,
//                                     as bits that ascend with it, and how much more the number is
//           | 5 text | bytes, 00 as 00 ff | end    end: 00 01, or 00 02 where the text goes on
//
// Integers of 64 bits and doubles lie in one order, exactly: 1 = 1.0, and 2^53 + 1 is between 2^53
// and 2^53 + 2. Of a text only the first kIndexTextMax bytes count: longer ones that begin alike
// have equal bytes, so whoever finds them has to compare the values themselves. Arrays and objects
// have no place in an index. No value's bytes begin with another's, so several in a row stay in
// order.
//
// Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "crdt/value.hpp"

namespace inos {

inline constexpr std::size_t kIndexTextMax = 256;

// nullopt: arrays and objects.
std::optional<std::string> index_key(Value const& value);

// All keys of texts that begin with the prefix, or may: from `first` on, before `end`.
struct IndexRange {
    std::string first, end;
};
IndexRange index_prefix(std::string_view prefix);
// The first bytes that are behind all that begin with these; empty: there are none.
std::string bytes_behind(std::string bytes);
// All keys of numbers, all of texts: what an order is asked within.
IndexRange index_numbers();
IndexRange index_texts();

}  // namespace inos
