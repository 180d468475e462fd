#include "storage/near_miss.hpp"

#include <algorithm>

namespace inos {
namespace {

constexpr std::size_t kWordBytesMax = 64;  // longer words are not compared: the cost is quadratic

// Optimal string alignment distance: like Levenshtein's, and swapped neighbours count once.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i)
        d[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j)
        d[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            std::size_t const change = a[i - 1] == b[j - 1] ? 0 : 1;
            d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
            bool const swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[a.size()][b.size()];
}

}  // namespace

std::optional<std::string> near_miss(std::string_view word,
                                     std::vector<std::string> const& candidates) {
    std::optional<std::string> best;
    std::size_t best_distance = 0;
    for (std::string const& candidate : candidates) {
        std::size_t const longer = std::max(word.size(), candidate.size());
        if (longer > kWordBytesMax) continue;
        std::size_t const changes = distance(word, candidate);
        bool const near = changes <= std::max<std::size_t>(longer / 3, 1) && changes < longer;
        if (!near || (best && changes >= best_distance)) continue;
        best = candidate;
        best_distance = changes;
    }
    return best;
}

std::string did_you_mean(std::string_view word, std::vector<std::string> const& candidates) {
    auto const meant = near_miss(word, candidates);
    return meant ? "; did you mean \"" + *meant + "\"?" : std::string();
}

}  // namespace inos
