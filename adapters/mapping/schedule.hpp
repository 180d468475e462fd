// When something is due: at an interval, or at minutes that a cron-like text names. Times are UTC.
//
//   "30 3 * * 1-5"   minute hour day-of-month month day-of-week (0 and 7 are Sunday), each "*" or a
//                    list of numbers and ranges with steps: "*/15", "1-5", "8,12,18", "10-50/20"
//
// As with cron, when both days are restricted a day that fits either is due. Pure; any thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/result.hpp"

namespace inos {

struct CronSchedule {
    std::bitset<60> minutes;
    std::bitset<24> hours;
    std::bitset<32> days;     // 1..31
    std::bitset<13> months;   // 1..12
    std::bitset<7> weekdays;  // 0: Sunday
    bool any_day = true;      // the text says "*"
    bool any_weekday = true;

    // Errc::invalid says what is wrong with the text; a text that no day ever fits is wrong, too.
    static Result<CronSchedule> parse(std::string_view text);

    // The first due minute after `after_ms` (Unix time); none within eight years.
    std::optional<std::uint64_t> next(std::uint64_t after_ms) const;

    bool operator==(CronSchedule const&) const = default;
};

// "250ms", "90s", "15m", "1h", "7d" in milliseconds, from 1 ms to a year. Errc::invalid.
Result<std::uint64_t> parse_duration_ms(std::string_view text);

}  // namespace inos
