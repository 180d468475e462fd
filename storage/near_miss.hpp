// Finds what somebody probably meant: for error messages that offer the near miss. Pure; any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inos {

// The candidate with the fewest changed, added, removed or swapped neighbouring bytes, if these are
// few enough for a typing mistake (a third of the longer word). Of equals the first one.
std::optional<std::string> near_miss(std::string_view word,
                                     std::vector<std::string> const& candidates);

// `; did you mean "counter"?`, or nothing.
std::string did_you_mean(std::string_view word, std::vector<std::string> const& candidates);

}  // namespace inos
