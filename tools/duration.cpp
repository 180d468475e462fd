#include "tools/duration.hpp"

#include <charconv>

namespace inos {
namespace {

constexpr std::uint64_t kSecondsMax = 365ull * 24 * 3'600;

std::uint64_t seconds_of(std::string_view unit) {
    if (unit == "s") return 1;
    if (unit == "m") return 60;
    if (unit == "h") return 3'600;
    return unit == "d" ? 24 * 3'600 : 0;
}

}  // namespace

Result<std::uint64_t> parse_duration(std::string_view text) {
    std::uint64_t count = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    std::uint64_t const unit = seconds_of(text.substr(static_cast<std::size_t>(end - text.data())));
    if (error != std::errc() || unit == 0 || count == 0 || count > kSecondsMax / unit) {
        return fail(Errc::usage,
                    "\"" + std::string(text) +
                        "\" is no duration; write 90s, 15m, 1h or 7d, at most a year");
    }
    return count * unit;
}

}  // namespace inos
