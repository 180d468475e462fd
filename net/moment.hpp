// A moment of the past as people and programs name it: a time, or a version vector.
//
//   2026-01-31T10:00:07.125Z      ISO 8601; also without milliseconds, seconds or the time of day
//   2026-01-31T11:00+01:00        with an offset; without one and without Z it is UTC, too
//   1769853607125                 Unix milliseconds
//   0161061ee48f5f00a70c          the text of X-Inos-Frontier
//
// A time stands for its very beginning: 2026-01-31 is midnight UTC before that day. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crdt/version_vector.hpp"
#include "storage/result.hpp"

namespace inos {

struct Moment {
    std::optional<std::uint64_t> time_ms;  // or, if there is none:
    VersionVector vector;

    std::string text() const;  // 2026-01-31T10:00:07.125Z, or the vector's text
};

// Errc::usage for what is none of the forms.
Result<Moment> parse_moment(std::string_view text);

}  // namespace inos
