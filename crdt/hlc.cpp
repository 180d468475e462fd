#include "crdt/hlc.hpp"

#include <algorithm>

namespace inos {

Hlc HlcClock::tick(std::uint64_t now_ms) {
    Hlc const wall = Hlc::from(now_ms, 0);
    last_ = wall > last_ ? wall : Hlc{last_.value + 1};
    return last_;
}

bool HlcClock::observe(Hlc received, std::uint64_t now_ms) {
    bool const too_far = received.ms() > now_ms + kHlcAheadMaxMs;
    last_ = std::max(last_, too_far ? Hlc::from(now_ms + kHlcAheadMaxMs, 0) : received);
    return received.ms() > now_ms + kSkewAlarmMs;
}

}  // namespace inos
