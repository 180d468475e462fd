// Base32 for what people copy, read aloud and type: Crockford's alphabet, lower case when written,
// any case when read, "o" read as 0 and "i", "l" as 1, dashes and white space ignored.
//
//   text = 5 bits a character, high bits first; the last character is filled up with zero bits
//
// One byte string has one text (apart from what reading forgives): a length that no byte string
// has, and filling bits that are not zero, are errors. Plain functions, any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "storage/result.hpp"

namespace inos {

std::string base32_encode(std::string_view bytes);

// Errc::invalid names the first unusable character and its position in the text, counted from 1 and
// increased by `position_offset` (for a text that is part of a longer one).
Result<std::string> base32_decode(std::string_view text, std::size_t position_offset = 0);

// The characters that count, in their written form; the first step of base32_decode().
Result<std::string> base32_normalize(std::string_view text, std::size_t position_offset = 0);

// One character for the low five bits of `value`.
char base32_digit(unsigned value);

}  // namespace inos
