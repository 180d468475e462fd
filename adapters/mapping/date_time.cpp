#include "adapters/mapping/date_time.hpp"

#include <chrono>

#include "storage/text_forms.hpp"

namespace inos {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kDayMs = 24 * 60 * kMinuteMs;

std::string padded(std::int64_t number, std::size_t digits) {
    std::string text = std::to_string(number);
    return text.size() < digits ? std::string(digits - text.size(), '0') + text : text;
}

std::string joined(std::string_view year, std::string_view month, std::string_view day) {
    return std::string(year) + "-" + std::string(month) + "-" + std::string(day);
}

// Takes parts off the front of a text.
class Scan {
public:
    explicit Scan(std::string_view text) : rest_(text) {}

    bool done() const { return rest_.empty(); }
    bool take(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    // Exactly so many digits.
    std::optional<int> number(std::size_t digits) {
        if (rest_.size() < digits) return std::nullopt;
        int value = 0;
        for (char const c : rest_.substr(0, digits)) {
            if (c < '0' || c > '9') return std::nullopt;
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(digits);
        return value;
    }
    // 1 to 9 digits behind a point, in nanoseconds; 0 where there is none.
    std::optional<std::uint32_t> fraction() {
        if (!take('.') && !take(',')) return 0;
        std::uint32_t value = 0, digits = 0;
        for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++digits) {
            if (digits < 9) value = value * 10 + static_cast<std::uint32_t>(rest_.front() - '0');
            rest_.remove_prefix(1);
        }
        if (digits == 0) return std::nullopt;
        for (; digits < 9; ++digits)
            value *= 10;
        return value;
    }

private:
    std::string_view rest_;
};

std::int64_t days_of(std::string_view date) {
    using namespace std::chrono;
    auto const number = [&](std::size_t at, std::size_t digits) {
        return *Scan(date.substr(at)).number(digits);
    };
    year_month_day const day{year(number(0, 4)),
                             month(static_cast<unsigned>(number(5, 2))),
                             std::chrono::day(static_cast<unsigned>(number(8, 2)))};
    return sys_days(day).time_since_epoch().count();
}

// The offset of a zone in minutes. Precondition: something follows.
std::optional<int> zone(Scan& scan) {
    if (scan.take('Z') || scan.take('z')) return 0;
    bool const west = scan.take('-');
    if (!west && !scan.take('+')) return std::nullopt;
    auto const hours = scan.number(2);
    if (!hours || *hours > 18) return std::nullopt;
    int minutes = 0;
    bool const colon = scan.take(':');
    if (colon || !scan.done()) {
        auto const given = scan.number(2);
        if (!given || *given > 59) return std::nullopt;
        minutes = *given;
    }
    return (west ? -1 : 1) * (*hours * 60 + minutes);
}

}  // namespace

std::optional<std::string> iso_date(std::string_view text) {
    std::string date(text);
    if (text.size() == 8)
        date = joined(text.substr(0, 4), text.substr(4, 2), text.substr(6));
    else if (text.size() == 10 && text[2] == '.' && text[5] == '.')
        date = joined(text.substr(6), text.substr(3, 2), text.substr(0, 2));
    else if (text.size() == 10 && text[4] == '/' && text[7] == '/')
        date[4] = date[7] = '-';
    else if (text.size() > 10 && parse_date_time(text))
        date = text.substr(0, 10);
    if (!is_iso_date(date)) return std::nullopt;
    return date;
}

std::optional<DateTime> parse_date_time(std::string_view text) {
    if (text.size() < 16 || !is_iso_date(text.substr(0, 10))) return std::nullopt;
    Scan scan(text.substr(10));
    if (!scan.take('T') && !scan.take('t') && !scan.take(' ')) return std::nullopt;
    auto const hour = scan.number(2);
    if (!hour || *hour > 23 || !scan.take(':')) return std::nullopt;
    auto const minute = scan.number(2);
    if (!minute || *minute > 59) return std::nullopt;
    std::optional<int> second = 0;
    std::optional<std::uint32_t> nanos = 0;
    if (scan.take(':')) {
        second = scan.number(2);
        if (!second || *second > 59) return std::nullopt;
        nanos = scan.fraction();
        if (!nanos) return std::nullopt;
    }
    DateTime time;
    time.ms = days_of(text) * kDayMs + (*hour * 60 + *minute) * kMinuteMs + *second * 1'000 +
              *nanos / 1'000'000;
    time.nanos = *nanos % 1'000'000;
    if (scan.done()) return time;
    auto const offset = zone(scan);
    if (!offset || !scan.done()) return std::nullopt;
    time.ms -= *offset * kMinuteMs;
    time.has_zone = true;
    return time;
}

std::optional<std::string> date_time_text(DateTime const& time) {
    using namespace std::chrono;
    std::int64_t const day = (time.ms >= 0 ? time.ms : time.ms - kDayMs + 1) / kDayMs;
    std::int64_t const of_day = time.ms - day * kDayMs;
    if (day < -719'528 || day > 2'932'896) return std::nullopt;  // years 0000 to 9999
    year_month_day const date{sys_days(std::chrono::days(static_cast<int>(day)))};
    std::string text = joined(padded(static_cast<int>(date.year()), 4),
                              padded(static_cast<unsigned>(date.month()), 2),
                              padded(static_cast<unsigned>(date.day()), 2));
    text += "T" + padded(of_day / 3'600'000, 2) + ":" + padded(of_day / kMinuteMs % 60, 2) + ":" +
            padded(of_day / 1'000 % 60, 2);
    std::string fraction = padded(of_day % 1'000, 3) + padded(time.nanos, 6);
    fraction.resize(fraction.find_last_not_of('0') + 1);
    if (!fraction.empty()) text += "." + fraction;
    return text + (time.has_zone ? "Z" : "");
}

}  // namespace inos
