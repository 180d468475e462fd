#include "crdt/hlc.hpp"

#include <gtest/gtest.h>

namespace inos {
namespace {

constexpr std::uint64_t kNow = 1'700'000'000'000;
constexpr std::uint64_t kTenYears = 10ull * 365 * 24 * 3600 * 1000;

TEST(HlcClock, follows_the_wall_clock) {
    HlcClock clock;
    EXPECT_EQ(clock.tick(kNow), Hlc::from(kNow, 0));
    EXPECT_EQ(clock.tick(kNow + 1), Hlc::from(kNow + 1, 0));
}

TEST(HlcClock, B5_100000_ticks_in_one_millisecond_carry_into_the_milliseconds) {
    HlcClock clock;
    Hlc last = clock.tick(kNow);
    for (int i = 1; i < 100'000; ++i) {
        Hlc const next = clock.tick(kNow);
        ASSERT_LT(last, next);
        last = next;
    }
    EXPECT_EQ(last.ms(), kNow + 1);
    EXPECT_EQ(last.counter(), 100'000 - 65'536 - 1);
    EXPECT_EQ(clock.tick(kNow + 2), Hlc::from(kNow + 2, 0)) << "and the wall clock catches up";
}

TEST(HlcClock, B3_a_clock_set_back_never_stops_or_repeats_a_stamp) {
    HlcClock clock;
    Hlc const before = clock.tick(kNow);
    Hlc last = before;
    for (std::uint64_t const now : {kNow - 1, kNow - kTenYears, std::uint64_t{0}, kNow}) {
        Hlc const next = clock.tick(now);
        EXPECT_LT(last, next);
        last = next;
    }
    EXPECT_EQ(last.ms(), kNow);
    EXPECT_EQ(clock.tick(kNow + 1), Hlc::from(kNow + 1, 0));
}

TEST(HlcClock, B4_goes_on_from_the_persisted_stamp_after_a_restart) {
    HlcClock clock(Hlc::from(kNow, 7));
    EXPECT_EQ(clock.tick(kNow - kTenYears), Hlc::from(kNow, 8));
}

TEST(HlcClock, what_was_received_is_older_than_what_is_written_next) {
    HlcClock clock;
    clock.tick(kNow);
    Hlc const received = Hlc::from(kNow + 59'999, 12);
    clock.observe(received, kNow);
    EXPECT_GT(clock.tick(kNow), received);
    clock.observe(Hlc::from(5, 5), kNow);
    EXPECT_GT(clock.tick(kNow), received) << "an old stamp moves nothing";
}

// The bound is on time, not on the counter: one millisecond below, at and above it.
TEST(HlcClock, B2_a_received_stamp_moves_the_clock_at_most_a_minute_ahead) {
    for (std::uint16_t const counter : {0, 9}) {
        for (std::uint64_t const ahead : {kHlcAheadMaxMs - 1, kHlcAheadMaxMs}) {
            HlcClock clock;
            clock.observe(Hlc::from(kNow + ahead, counter), kNow);
            EXPECT_EQ(clock.last(), Hlc::from(kNow + ahead, counter));
        }
        HlcClock clock;
        clock.observe(Hlc::from(kNow + kHlcAheadMaxMs + 1, counter), kNow);
        EXPECT_EQ(clock.last().ms(), kNow + kHlcAheadMaxMs);
    }
}

TEST(HlcClock, B2_the_alarm_is_for_more_than_five_minutes_ahead) {
    HlcClock clock;
    EXPECT_FALSE(clock.observe(Hlc::from(kNow + kSkewAlarmMs - 1, 0), kNow));
    EXPECT_FALSE(clock.observe(Hlc::from(kNow + kSkewAlarmMs, 0xffff), kNow));
    EXPECT_TRUE(clock.observe(Hlc::from(kNow + kSkewAlarmMs + 1, 0), kNow));
    EXPECT_FALSE(clock.observe(Hlc::from(kNow - kTenYears, 0), kNow)) << "behind is no alarm";
}

TEST(HlcClock, B1_B3_a_stamp_of_ten_years_ahead_leaves_the_clock_usable) {
    HlcClock clock;
    clock.tick(kNow);
    EXPECT_TRUE(clock.observe(Hlc::from(kNow + kTenYears, 0), kNow));
    EXPECT_LE(clock.tick(kNow).ms(), kNow + kHlcAheadMaxMs);
    EXPECT_TRUE(clock.observe(kHlcMax, kNow));
    EXPECT_LE(clock.tick(kNow).ms(), kNow + kHlcAheadMaxMs);
    EXPECT_EQ(clock.tick(kNow + kHlcAheadMaxMs + 1), Hlc::from(kNow + kHlcAheadMaxMs + 1, 0));
}

}  // namespace
}  // namespace inos
