#include "net/moment.hpp"

#include <algorithm>
#include <array>

#include "net/api_format.hpp"

namespace inos {
namespace {

constexpr std::size_t kMillisDigitsMax = 15;  // a version vector's text is longer

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Reads a text from the front; what is missing makes it fail for good.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    bool done() const { return ok_ && rest_.empty(); }
    bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
    bool skip(char c) {
        if (!next_is(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void expect(char c) { ok_ = skip(c) && ok_; }
    // Exactly `digits` of them, of a number from `least` to `most`.
    std::int64_t number(std::size_t digits, std::int64_t least, std::int64_t most) {
        std::int64_t value = 0;
        ok_ = ok_ && rest_.size() >= digits;
        for (std::size_t i = 0; ok_ && i < digits; ++i) {
            ok_ = is_digit(rest_[i]);
            value = value * 10 + (rest_[i] - '0');
        }
        ok_ = ok_ && value >= least && value <= most;
        if (ok_) rest_.remove_prefix(digits);
        return ok_ ? value : least;
    }
    // The digits behind a point, as thousandths; further ones are dropped.
    std::int64_t thousandths() {
        std::int64_t value = 0, weight = 100;
        ok_ = ok_ && !rest_.empty() && is_digit(rest_.front());
        for (; !rest_.empty() && is_digit(rest_.front()); weight /= 10, rest_.remove_prefix(1))
            value += weight * (rest_.front() - '0');
        return value;
    }

private:
    std::string_view rest_;
    bool ok_ = true;
};

std::int64_t days_in(std::int64_t year, std::int64_t month) {
    static constexpr std::array<std::int64_t, 12> kDays{
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool const leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return kDays[static_cast<std::size_t>(month - 1)] + (leap && month == 2 ? 1 : 0);
}

std::int64_t days_since_1970(std::int64_t year, std::int64_t month, std::int64_t day) {
    std::int64_t days =
        365 * (year - 1970) + (year - 1969) / 4 - (year - 1901) / 100 + (year - 1601) / 400;
    for (std::int64_t m = 1; m < month; ++m)
        days += days_in(year, m);
    return days + day - 1;
}

std::optional<std::uint64_t> parse_iso(std::string_view text) {
    Scanner in(text);
    std::int64_t const year = in.number(4, 1970, 9999);
    in.expect('-');
    std::int64_t const month = in.number(2, 1, 12);
    in.expect('-');
    std::int64_t const day = in.number(2, 1, days_in(year, month));
    std::int64_t ms = days_since_1970(year, month, day) * 86'400'000;
    if (in.skip('T') || in.skip(' ')) {
        ms += in.number(2, 0, 23) * 3'600'000;
        in.expect(':');
        ms += in.number(2, 0, 59) * 60'000;
        if (in.skip(':')) {
            ms += in.number(2, 0, 59) * 1'000;
            if (in.skip('.')) ms += in.thousandths();
        }
        if (in.next_is('+') || in.next_is('-')) {
            std::int64_t const sign = in.skip('+') ? -1 : (in.expect('-'), 1);
            ms += sign * in.number(2, 0, 23) * 3'600'000;
            in.expect(':');
            ms += sign * in.number(2, 0, 59) * 60'000;
        } else {
            in.skip('Z');
        }
    }
    if (!in.done() || ms < 0) return std::nullopt;
    return static_cast<std::uint64_t>(ms);
}

}  // namespace

std::string Moment::text() const {
    return time_ms ? utc_text(*time_ms) : frontier_text(vector);
}

Result<Moment> parse_moment(std::string_view text) {
    bool const digits = !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
    if (digits && text.size() <= kMillisDigitsMax) {
        std::uint64_t ms = 0;
        for (char const c : text)
            ms = ms * 10 + static_cast<std::uint64_t>(c - '0');
        return Moment{ms, {}};
    }
    if (auto const ms = parse_iso(text)) return Moment{ms, {}};
    if (auto vector = parse_frontier(text)) return Moment{std::nullopt, *std::move(vector)};
    return fail(Errc::usage,
                "\"" + std::string(text.substr(0, 100)) +
                    "\" is no moment: give a time like 2026-01-31T10:00:07Z, Unix milliseconds, or "
                    "what an X-Inos-Frontier header carried",
                "at");
}

}  // namespace inos
