// The rules by which a node's hybrid logical clock moves (docs/data-model.md, clocks). Pure: the
// wall clock's reading is an argument. One owner, no thread safety of its own.
#pragma once

#include <cstdint>

#include "crdt/ids.hpp"

namespace inos {

inline constexpr std::uint64_t kHlcAheadMaxMs = 60'000;  // a received time moves us at most so far
inline constexpr std::uint64_t kSkewAlarmMs =
    5 * 60'000;  // further ahead: name the site in an alarm

class HlcClock {
public:
    HlcClock() = default;
    explicit HlcClock(Hlc last) : last_(last) {}

    Hlc last() const { return last_; }

    // The stamp of the next local entry: strictly greater than all before, at least the wall clock.
    // 65,536 entries in one millisecond carry into the milliseconds.
    Hlc tick(std::uint64_t now_ms);

    // Takes note of a received stamp, as far as now + kHlcAheadMaxMs. Answers true when the stamp
    // is so far ahead of the wall clock that somebody should be told.
    bool observe(Hlc received, std::uint64_t now_ms);

private:
    Hlc last_;
};

}  // namespace inos
