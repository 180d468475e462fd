#include "crdt/types/text_diff.hpp"

#include <algorithm>
#include <optional>

namespace inos {
namespace {

// A text by its code points, each the bytes that it takes.
class CodePoints {
public:
    explicit CodePoints(std::string_view text) : text_(text) {
        for (std::size_t i = 0; i < text.size(); ++i)
            if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) starts_.push_back(i);
        starts_.push_back(text.size());
    }
    std::size_t size() const { return starts_.size() - 1; }
    std::string_view operator[](std::size_t i) const { return slice(i, i + 1); }
    std::string_view slice(std::size_t first, std::size_t last) const {
        return text_.substr(starts_[first], starts_[last] - starts_[first]);
    }

private:
    std::string_view text_;
    std::vector<std::size_t> starts_;
};

// A character of the old text that goes (x), or one of the new text that comes (y) in front of x.
struct Step {
    std::size_t x = 0, y = 0;
    bool removes = false;
};

class Search {
public:
    Search(CodePoints const& before,
           CodePoints const& after,
           std::size_t prefix,
           std::size_t suffix)
        : before_(before),
          after_(after),
          prefix_(prefix),
          width_(static_cast<std::ptrdiff_t>(before.size() - prefix - suffix)),
          height_(static_cast<std::ptrdiff_t>(after.size() - prefix - suffix)) {}

    // The steps in ascending order; nullopt when a limit is reached.
    std::optional<std::vector<Step>> run() {
        std::uint64_t work = 0;
        for (std::ptrdiff_t d = 0; d <= static_cast<std::ptrdiff_t>(kTextDifferencesMax); ++d) {
            std::vector<std::ptrdiff_t> next(static_cast<std::size_t>(2 * d + 1), -1);
            for (std::ptrdiff_t k = -d; k <= d; k += 2) {
                std::ptrdiff_t x = d == 0 ? 0 : start(k, d);
                std::ptrdiff_t const from = x;
                while (x < width_ && x - k < height_ && same(x, x - k))
                    ++x;
                work += static_cast<std::uint64_t>(x - from) + 1;
                next[static_cast<std::size_t>(k + d)] = x;
                if (x >= width_ && x - k >= height_) return walk_back(d);
            }
            if (work > kTextDiffStepsMax) return std::nullopt;
            rounds_.push_back(std::move(next));
        }
        return std::nullopt;
    }

private:
    bool same(std::ptrdiff_t x, std::ptrdiff_t y) const {
        return before_[prefix_ + static_cast<std::size_t>(x)] ==
               after_[prefix_ + static_cast<std::size_t>(y)];
    }
    // How far diagonal k got with d differences.
    std::ptrdiff_t reached(std::ptrdiff_t d, std::ptrdiff_t k) const {
        return rounds_[static_cast<std::size_t>(d)][static_cast<std::size_t>(k + d)];
    }
    // Does the d-th difference on diagonal k insert (from diagonal k + 1) or remove (from k - 1)?
    bool inserts(std::ptrdiff_t k, std::ptrdiff_t d) const {
        return k == -d || (k != d && reached(d - 1, k - 1) < reached(d - 1, k + 1));
    }
    std::ptrdiff_t start(std::ptrdiff_t k, std::ptrdiff_t d) const {
        return inserts(k, d) ? reached(d - 1, k + 1) : reached(d - 1, k - 1) + 1;
    }

    std::vector<Step> walk_back(std::ptrdiff_t d) const {
        std::vector<Step> steps;
        std::ptrdiff_t k = width_ - height_;
        for (; d > 0; --d) {
            bool const inserted = inserts(k, d);
            k += inserted ? 1 : -1;
            std::ptrdiff_t const x = reached(d - 1, k);
            steps.push_back({prefix_ + static_cast<std::size_t>(x),
                             prefix_ + static_cast<std::size_t>(x - k),
                             !inserted});
        }
        std::reverse(steps.begin(), steps.end());
        return steps;
    }

    CodePoints const& before_;
    CodePoints const& after_;
    std::size_t prefix_;
    std::ptrdiff_t width_, height_;
    std::vector<std::vector<std::ptrdiff_t>> rounds_;  // by d, diagonals -d to d: how far x got
};

}  // namespace

std::vector<TextChange> diff_texts(std::string_view before, std::string_view after) {
    if (before == after) return {};
    CodePoints const old(before), now(after);
    std::size_t const shorter = std::min(old.size(), now.size());
    std::size_t prefix = 0, suffix = 0;
    while (prefix < shorter && old[prefix] == now[prefix])
        ++prefix;
    while (suffix < shorter - prefix &&
           old[old.size() - 1 - suffix] == now[now.size() - 1 - suffix])
        ++suffix;
    auto const steps = Search(old, now, prefix, suffix).run();
    if (!steps)
        return {{prefix, old.size() - suffix - prefix, now.slice(prefix, now.size() - suffix)}};
    std::vector<TextChange> changes;
    for (std::size_t i = 0; i < steps->size();) {
        Step const first = (*steps)[i];
        std::size_t x = first.x, y = first.y;
        for (; i < steps->size() && (*steps)[i].x == x && (*steps)[i].y == y; ++i)
            ++((*steps)[i].removes ? x : y);
        changes.push_back({first.x, x - first.x, now.slice(first.y, y)});
    }
    return changes;
}

}  // namespace inos
