#include "adapters/mapping/schedule.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <string>
#include <vector>

namespace inos {
namespace {

constexpr std::uint64_t kMinuteMs = 60'000;
constexpr int kDaysAhead = 8 * 366;  // from one 29 February to the next across 1900, 2100, ...
constexpr std::uint64_t kDurationMsMax = 365ull * 24 * 3'600'000;

struct CronField {
    char const* name;
    int low, high;
};

constexpr std::array<CronField, 5> kFields{{{"minute", 0, 59},
                                            {"hour", 0, 23},
                                            {"day of the month", 1, 31},
                                            {"month", 1, 12},
                                            {"day of the week", 0, 7}}};

std::optional<int> number_of(std::string_view text) {
    int number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    bool const whole = error == std::errc() && end == text.data() + text.size();
    return whole && !text.empty() && text[0] != '-' ? std::optional(number) : std::nullopt;
}

std::vector<std::string_view> parts_of(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        std::size_t const end = std::min(text.find(separator, begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

// One range of a list, such as "*/15" or "1-5". False if it is none.
bool set_range(std::bitset<64>& set, std::string_view text, CronField const& field) {
    auto const halves = parts_of(text, '/');
    std::optional<int> const step = halves.size() == 2 ? number_of(halves[1]) : 1;
    if (halves.size() > 2 || !step || *step < 1) return false;
    std::optional<int> low = field.low, high = field.high;
    if (halves[0] != "*") {
        auto const ends = parts_of(halves[0], '-');
        if (ends.size() > 2) return false;
        low = number_of(ends[0]);
        high = ends.size() == 2 ? number_of(ends[1]) : halves.size() == 2 ? high : low;
    }
    if (!low || !high || *low < field.low || *high > field.high || *low > *high) return false;
    for (int n = *low; n <= *high; n += *step)
        set.set(static_cast<std::size_t>(n));
    return true;
}

bool fits_day(CronSchedule const& schedule, std::chrono::year_month_day const& date) {
    if (!schedule.months[static_cast<unsigned>(date.month())]) return false;
    bool const day = schedule.days[static_cast<unsigned>(date.day())];
    std::chrono::weekday const weekday{std::chrono::sys_days(date)};
    bool const in_week = schedule.weekdays[weekday.c_encoding()];
    if (schedule.any_day || schedule.any_weekday) return day && in_week;
    return day || in_week;
}

}  // namespace

Result<CronSchedule> CronSchedule::parse(std::string_view text) {
    std::string const quoted = "\"" + std::string(text) + "\"";
    std::vector<std::string_view> words;
    for (std::string_view const word : parts_of(text, ' '))
        if (!word.empty()) words.push_back(word);
    if (words.size() != kFields.size())
        return fail(Errc::invalid,
                    quoted +
                        " is no schedule: it has to name minute, hour, day of the month, "
                        "month and day of the week, such as \"30 3 * * *\"");
    std::array<std::bitset<64>, 5> sets;
    for (std::size_t i = 0; i < kFields.size(); ++i)
        for (std::string_view const range : parts_of(words[i], ','))
            if (!set_range(sets[i], range, kFields[i]))
                return fail(Errc::invalid,
                            quoted + " is no schedule: \"" + std::string(words[i]) + "\" is no " +
                                kFields[i].name + " from " + std::to_string(kFields[i].low) +
                                " to " + std::to_string(kFields[i].high));
    if (sets[4][7]) sets[4].set(0);
    CronSchedule schedule;
    schedule.minutes = std::bitset<60>(sets[0].to_ullong());
    schedule.hours = std::bitset<24>(sets[1].to_ullong());
    schedule.days = std::bitset<32>(sets[2].to_ullong());
    schedule.months = std::bitset<13>(sets[3].to_ullong());
    schedule.weekdays = std::bitset<7>(sets[4].to_ullong() & 0x7F);
    schedule.any_day = words[2].front() == '*';
    schedule.any_weekday = words[4].front() == '*';
    if (!schedule.next(0)) return fail(Errc::invalid, quoted + " names a day that no month has");
    return schedule;
}

std::optional<std::uint64_t> CronSchedule::next(std::uint64_t after_ms) const {
    using namespace std::chrono;
    std::uint64_t const from = after_ms / kMinuteMs + 1;  // the first minute that may be due
    std::uint64_t const minutes_a_day = 24 * 60;
    std::uint64_t const first_day = from / minutes_a_day;
    for (std::uint64_t day = first_day; day < first_day + kDaysAhead; ++day) {
        if (!fits_day(*this, year_month_day(sys_days(std::chrono::days(static_cast<int>(day))))))
            continue;
        std::uint64_t const begin = day == first_day ? from % minutes_a_day : 0;
        for (std::uint64_t minute = begin; minute < minutes_a_day; ++minute)
            if (hours[minute / 60] && minutes[minute % 60])
                return (day * minutes_a_day + minute) * kMinuteMs;
    }
    return std::nullopt;
}

Result<std::uint64_t> parse_duration_ms(std::string_view text) {
    std::uint64_t count = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    std::string_view const unit = text.substr(static_cast<std::size_t>(end - text.data()));
    std::uint64_t const factor = unit == "ms"  ? 1
                                 : unit == "s" ? 1'000
                                 : unit == "m" ? 60'000
                                 : unit == "h" ? 3'600'000
                                 : unit == "d" ? 24 * 3'600'000
                                               : 0;
    if (error != std::errc() || factor == 0 || count == 0 || count > kDurationMsMax / factor)
        return fail(Errc::invalid,
                    "\"" + std::string(text) +
                        "\" is no duration; write 500ms, 90s, 15m, 1h or 7d, at most a year");
    return count * factor;
}

}  // namespace inos
