// The machine's clock, for everything that is built below tools/.
#pragma once

#include <chrono>
#include <cstdint>

#include "storage/clock.hpp"

namespace inos {

class SystemClock final : public Clock {
public:
    std::uint64_t now_ms() const override {
        return milliseconds(std::chrono::system_clock::now().time_since_epoch());
    }
    std::uint64_t monotonic_ms() const override {
        return milliseconds(std::chrono::steady_clock::now().time_since_epoch());
    }

private:
    template <class Duration>
    static std::uint64_t milliseconds(Duration duration) {
        auto const count = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
        return static_cast<std::uint64_t>(count);
    }
};

}  // namespace inos
