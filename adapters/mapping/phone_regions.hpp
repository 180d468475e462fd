// The table behind phone.hpp: one line a region,
//
//   region;calling code;"main" or "";international prefix;national prefix;what replaces it;pattern
//
// Prefixes and the pattern of a national number are regular expressions of whole matches; `$1` in a
// replacement is a group of the prefix. "001" is no region: codes of services the world over.
#pragma once

#include <string_view>

namespace inos {

extern std::string_view const kPhoneRegions;

}  // namespace inos
