// 256 short English words, one for each byte value: people compare six of them to see that two
// sites speak to each other and to nobody in between. Plain nouns and adjectives of three to six
// letters; no two share their first three letters, so that a half-heard word is still told apart.
//
// The list is part of the wire contract: both sides must show the same words, so it never changes.
#pragma once

#include <cstdint>
#include <string_view>

namespace inos {

std::string_view word_of_byte(std::uint8_t byte);

}  // namespace inos
