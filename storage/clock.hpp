// Time, passed in from outside so that the simulator can be the clock. Implementations may be
// called from any thread.
#pragma once

#include <cstdint>

namespace inos {

class Clock {
public:
    virtual ~Clock() = default;
    virtual std::uint64_t now_ms() const = 0;  // wall clock: milliseconds since the Unix epoch
    virtual std::uint64_t monotonic_ms() const = 0;  // never goes back; from an arbitrary start
};

}  // namespace inos
