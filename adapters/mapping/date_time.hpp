// Dates and times as systems write them. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace inos {

// A date as YYYY-MM-DD, of "2026-01-31", "20260131", "2026/01/31", "31.01.2026" or the date of a
// time. "01/02/2026" is two dates and none.
std::optional<std::string> iso_date(std::string_view text);

struct DateTime {
    std::int64_t ms = 0;      // since 1970, as UTC where there is a zone, else as the clock shows
    std::uint32_t nanos = 0;  // 0 to 999,999 beyond the millisecond
    bool has_zone = false;
};

// "2026-01-31T10:00:00.5+01:00", with a space for T, seconds and fraction left out or not, a zone
// as Z, +HH:MM, +HHMM or +HH, or without a zone.
std::optional<DateTime> parse_date_time(std::string_view text);

// "2026-01-31T09:00:00.5Z": no more digits of the fraction than are needed. Without a zone no Z.
// The year has to be one of 0000 to 9999, else nothing.
std::optional<std::string> date_time_text(DateTime const& time);

}  // namespace inos
