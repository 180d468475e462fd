// From one text to another in as few characters removed and inserted as possible, so that an editor
// that only knows whole texts changes no more than its user did. Common beginnings and ends first,
// then Myers 1986, "An O(ND) Difference Algorithm and Its Variations"; where the texts differ in
// more than kTextDifferencesMax characters, or the search gets long, the whole middle is replaced.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace inos {

inline constexpr std::uint64_t kTextDifferencesMax = 1000;
inline constexpr std::uint64_t kTextDiffStepsMax = 1 << 24;

// Counts code points. `at` is in the old text; `inserted` is a view into the new one.
struct TextChange {
    std::uint64_t at = 0, removed = 0;
    std::string_view inserted;
    bool operator==(TextChange const&) const = default;
};

// Ascending, none next to another; none when the texts are equal. Both are well-formed UTF-8.
std::vector<TextChange> diff_texts(std::string_view before, std::string_view after);

}  // namespace inos
