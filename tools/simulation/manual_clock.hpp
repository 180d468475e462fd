// A clock that stands still until somebody moves it.
#pragma once

#include <atomic>

#include "storage/clock.hpp"

namespace inos::sim {

inline constexpr std::uint64_t kTestNowMs = 1'750'000'000'000;  // June 2025

class ManualClock final : public Clock {
public:
    std::uint64_t now_ms() const override { return wall_ms_; }
    std::uint64_t monotonic_ms() const override { return monotonic_ms_; }

    // Time goes by.
    void advance(std::uint64_t ms) {
        if (!frozen_) wall_ms_ += ms;
        monotonic_ms_ += ms;
    }
    void freeze(bool frozen) { frozen_ = frozen; }  // the wall clock alone
    bool frozen() const { return frozen_; }
    void boot() { monotonic_ms_ = kBootMs; }  // the machine comes up: a new monotonic clock
    // Somebody sets the wall clock.
    void set(std::uint64_t wall_ms) { wall_ms_ = wall_ms; }

private:
    static constexpr std::uint64_t kBootMs = 1'000;
    std::atomic<std::uint64_t> wall_ms_{kTestNowMs}, monotonic_ms_{kBootMs};
    bool frozen_ = false;
};

}  // namespace inos::sim
