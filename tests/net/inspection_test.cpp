// The inspection as a node runs it: how much of the node it takes, what it tells and when it stops
// telling, and what the API shows of it.
#include "net/inspection.hpp"

#include <gmock/gmock.h>

#include "net/store.hpp"
#include "tests/storage/repair_fixture.hpp"

namespace inos {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr InspectionOptions kOptions{.step_bytes = 1'000,
                                     .step_every_ms = 1'000,
                                     .share = 100,
                                     .first_after_ms = 5'000,
                                     .pass_every_ms = 100'000,
                                     .again_ms = 20'000};

// A store that takes some time for each request.
class SlowStore final : public Store {
public:
    SlowStore(Replica& replica, ManualClock& clock) : replica_(replica), clock_(clock) {}
    void commit(Transaction transaction, std::function<void(Result<Committed>)> done) override {
        done(replica_.commit({std::move(transaction)}).front());
    }
    void run(std::function<void(Replica&)> work, std::function<void()> done) override {
        ++runs;
        clock_.advance(takes_ms);
        work(replica_);
        clock_.advance(takes_ms);
        done();
    }
    std::uint64_t takes_ms = 0;
    std::size_t runs = 0;

private:
    Replica& replica_;
    ManualClock& clock_;
};

class InspectionTest : public testing::Test {
protected:
    Shop shop;
    SlowStore store{*shop.site().replica, shop.site().clock};
    std::vector<std::string> told;
    Inspection inspection{kOptions,
                          store,
                          shop.site().clock,
                          [this](std::string_view event, std::string const& text) {
                              told.push_back(std::string(event) + " " + text);
                          }};

    InspectionStatus const& status() const { return inspection.status(); }
    void pass_time(std::uint64_t ms) {
        for (std::uint64_t at = 0; at < ms; at += 100) {
            shop.site().clock.advance(100);
            inspection.tick();
        }
    }
    void pass_until(std::uint64_t passes) {
        for (int n = 0; n < 10'000 && status().passes < passes; ++n)
            pass_time(100);
        ASSERT_EQ(status().passes, passes);
    }
};

TEST_F(InspectionTest, goes_by_small_steps_once_a_second_and_then_rests) {
    pass_time(4'900);
    EXPECT_EQ(store.runs, 0u);
    pass_time(3'000);
    EXPECT_TRUE(status().under_way);
    EXPECT_GE(store.runs, 2u);
    EXPECT_LE(store.runs, 4u) << "one in a second";
    pass_until(1);
    EXPECT_FALSE(status().under_way);
    ASSERT_TRUE(status().last);
    EXPECT_FALSE(status().last->full);
    EXPECT_TRUE(status().last->seen.sums_compared);
    EXPECT_GE(status().last->ended_ms, status().last->began_ms);
    std::size_t const runs = store.runs;
    pass_time(90'000);
    EXPECT_EQ(store.runs, runs);
    pass_until(2);
    EXPECT_THAT(told, IsEmpty());
}

TEST_F(InspectionTest, rests_a_hundred_times_as_long_as_a_step_took) {
    // Only what the work itself takes is its own; here it is none of the two waits around it, so
    // time has to pass within: by a clock that the work sees move.
    class Moving final : public Clock {
    public:
        explicit Moving(ManualClock& clock) : clock_(clock) {}
        std::uint64_t now_ms() const override { return clock_.now_ms(); }
        std::uint64_t monotonic_ms() const override {
            clock_.advance(20);
            return clock_.monotonic_ms();
        }

    private:
        ManualClock& clock_;
    } const moving(shop.site().clock);
    Inspection slow(kOptions, store, moving, [](std::string_view, std::string const&) {});
    std::size_t ticks = 0;
    auto const began = shop.site().clock.monotonic_ms();
    for (; store.runs < 6; ++ticks) {
        shop.site().clock.advance(80);
        slow.tick();
    }
    EXPECT_GE(shop.site().clock.monotonic_ms() - began, 5 * 20 * kOptions.share);
}

TEST_F(InspectionTest, asked_for_it_does_not_rest) {
    inspection.begin_full();
    EXPECT_TRUE(status().full);
    inspection.begin_full();  // goes on
    for (int n = 0; n < 1'000 && status().passes == 0; ++n)
        inspection.drive(1);
    EXPECT_EQ(status().passes, 1u);
    EXPECT_FALSE(status().full);
    EXPECT_TRUE(status().last->full);
    inspection.drive(1'000);
    EXPECT_EQ(status().passes, 1u) << "nobody has asked again";
}

TEST_F(InspectionTest, D20_tells_what_it_finds_once_and_shows_it_until_it_is_mended) {
    flip(shop.site(), Family::records, record_key("ann"));
    pass_until(1);
    ASSERT_THAT(told, SizeIs(1));
    EXPECT_THAT(told[0], HasSubstr("alarm inspection: the record \"ann\" of \"c\" is damaged"));
    ASSERT_THAT(status().findings, SizeIs(1));
    pass_until(3);
    EXPECT_THAT(told, SizeIs(1)) << "it is known";
    mend(shop.site());
    pass_time(2 * kInspectionRecheckMs);
    EXPECT_THAT(status().findings, IsEmpty());
    pass_until(4);
    EXPECT_THAT(status().last->seen.findings, IsEmpty());
    flip(shop.site(), Family::records, record_key("ann"));
    pass_until(5);
    EXPECT_THAT(told, testing::Contains(HasSubstr("\"ann\"")).Times(2));
}

TEST_F(InspectionTest, many_findings_are_not_told_one_by_one) {
    for (int n = 0; n < 40; ++n) {
        std::string const key = "many" + std::to_string(n);
        shop.site().put("c", key, {{"n", Value(n)}});
        flip(shop.site(), Family::records, record_key(key));
    }
    pass_until(1);
    EXPECT_THAT(told, SizeIs(kFindingsTold + 1));
    EXPECT_THAT(status().findings, SizeIs(40));
}

TEST_F(InspectionTest, says_what_keeps_it_from_looking_and_goes_on) {
    shop.site().engine->fail_reads(true);
    pass_time(8'000);
    EXPECT_THAT(status().obstacle, HasSubstr("an injected error of a read"));
    pass_time(30'000);
    EXPECT_THAT(told, SizeIs(1));
    shop.site().engine->fail_reads(false);
    pass_until(1);
    EXPECT_EQ(status().obstacle, "");
    EXPECT_THAT(status().last->seen.findings, IsEmpty());
}

TEST_F(InspectionTest, one_that_is_asked_for_begins_again_from_the_beginning) {
    pass_time(6'500);
    ASSERT_TRUE(status().under_way);
    inspection.begin_full();
    pass_until(1);
    EXPECT_TRUE(status().last->full);
    EXPECT_EQ(status().last->seen.records, contents(*shop.site().engine, Family::records).size());
}

}  // namespace
}  // namespace inos
