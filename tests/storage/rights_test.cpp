// Rights of bounded counters in a replica: what a refused write says, transfers, and what is left.
#include "storage/rights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/space.hpp"

namespace inos::test {
namespace {

using testing::ElementsAre;

RecordName const kLamp{"products", "lamp"};

class Rights : public testing::Test {
protected:
    Rights() {
        space[0].set_schema(R"({"products":{"fields":{"stock":{"type":"bounded-counter"}}}})");
        space.converge();
    }

    static Write inc(std::int64_t delta) {
        Object fields{{"stock", Value(Object{{"$inc", Value(delta)}})}};
        return {Write::Kind::patch, kLamp, std::move(fields), {}};
    }
    static Write transfer(std::int64_t amount, ActorId to) {
        Write write;
        write.kind = Write::Kind::transfer;
        write.name = kLamp;
        write.fields = {{"stock", Value(amount)}};
        write.to = to;
        return write;
    }
    std::int64_t available(std::size_t at) {
        auto const rights = value_of(space[at].replica->rights(kLamp, "stock"));
        return rights ? rights->available(space[at].actor()) : -1;
    }

    Space space{3};
};

TEST_F(Rights, a_refused_write_says_how_much_there_is) {
    space[0].commit({inc(8)});
    space.converge();
    space[1].commit({inc(2)});
    auto const before = space[1].records();
    auto const refused = space[1].try_commit({inc(-5)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::rights);
    EXPECT_EQ(refused.error().field, "stock");
    EXPECT_EQ(refused.error().message,
              "\"stock\" of \"lamp\" in \"products\": 5 wanted, 2 available at this site, 8 at "
              "other sites (they are asked for; try again)");
    ASSERT_TRUE(refused.error().rights);
    EXPECT_EQ(refused.error().rights->shortage, (Shortage{5, 2, 8}));
    EXPECT_EQ(refused.error().prefixed("x").rights, refused.error().rights);
    EXPECT_EQ(need_of(*refused.error().rights), (RightsNeed{kLamp, "stock", 3, false}));
    EXPECT_EQ(space[1].records(), before);
    auto const hopeless = space[1].try_commit({inc(-11)});
    EXPECT_EQ(need_of(*hopeless.error().rights).amount, 0);
}

TEST_F(Rights, a_transfer_is_an_entry_and_lasts) {
    space[0].commit({inc(8)});
    auto const made = space[0].commit({transfer(3, space[1].actor())}, "inos");
    ASSERT_TRUE(made.dot);
    EXPECT_EQ(available(0), 5);
    space[0].reopen();
    EXPECT_EQ(available(0), 5);
    space.converge();
    EXPECT_EQ(available(1), 3);
    EXPECT_FALSE(space[0].try_commit({inc(-6)}));
    space[1].commit({inc(-3)});
    space[0].commit({inc(-5)});
    space.converge();
    EXPECT_EQ(space[2].field("products", "lamp", "stock"), Value(0));
    for (std::size_t at : {0, 1, 2})
        EXPECT_EQ(value_of(space[at].replica->recompute_root()), space[0].replica->root());
}

TEST_F(Rights, E4_of_which_a_transfer_and_a_use_both_want_the_last_only_one_is_done) {
    space[0].commit({inc(8)});
    auto const results = space[0].replica->commit(
        {{"shop", {inc(-5)}}, {"inos", {transfer(5, space[1].actor())}}, {"shop", {inc(-3)}}});
    EXPECT_TRUE(results[0]);
    ASSERT_FALSE(results[1]);
    EXPECT_EQ(results[1].error().code, Errc::rights);
    EXPECT_FALSE(results[1].error().rights) << "this site needs nothing";
    EXPECT_TRUE(results[2]);
    EXPECT_EQ(available(0), 0);
}

TEST_F(Rights, a_transfer_of_what_is_no_bounded_counter_is_refused) {
    auto const to = space[1].actor();
    EXPECT_EQ(space[0].try_commit({transfer(1, to)}).error().code, Errc::invalid);
    space[0].commit({inc(8)});
    EXPECT_EQ(space[0].try_commit({transfer(1, space[0].actor())}).error().code, Errc::invalid);
    EXPECT_EQ(space[0].try_commit({transfer(0, to)}).error().code, Errc::invalid);
    Write odd = transfer(1, to);
    odd.fields = {{"name", Value(1)}};
    EXPECT_EQ(space[0].try_commit({odd}).error().code, Errc::invalid);
    odd.fields = {{"stock", Value("1")}};
    EXPECT_EQ(space[0].try_commit({odd}).error().code, Errc::invalid);
    EXPECT_EQ(value_of(space[0].replica->rights(kLamp, "name")), std::nullopt);
    EXPECT_EQ(value_of(space[0].replica->rights({"products", "chair"}, "stock")), std::nullopt);
}

TEST_F(Rights, a_commit_that_leaves_little_says_what_to_ask_for) {
    space[0].commit({inc(60)});
    EXPECT_TRUE(space[0].commit({inc(-1)}).low.empty());
    space[0].commit({transfer(20, space[1].actor())});
    space.converge();
    EXPECT_TRUE(space[1].commit({inc(-5)}).low.empty());
    // 7 of 46: less than half of a third.
    EXPECT_THAT(space[1].commit({inc(-8)}).low,
                ElementsAre(RightsNeed{kLamp, "stock", 46 / 3 - 7, true}));
    EXPECT_TRUE(space[1].commit({inc(2)}).low.empty()) << "nothing was used";
}

}  // namespace
}  // namespace inos::test
