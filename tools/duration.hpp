// Durations as people write them: "90s", "15m", "1h", "7d". Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/result.hpp"

namespace inos {

// Seconds, from 1 to a year. Errc::usage.
Result<std::uint64_t> parse_duration(std::string_view text);

}  // namespace inos
