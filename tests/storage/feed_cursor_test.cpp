// Which cursors of the change feed a store goes on from, and what it says of the others.
#include "storage/feed_cursor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/storage/repair_fixture.hpp"
#include "tests/storage/states_support.hpp"

namespace inos::test {
namespace {

using ::testing::HasSubstr;

Object name(std::string const& text) {
    return {{"name", Value(text)}};
}

class FeedCursors : public States {
protected:
    static FeedCursor cursor(Site& site) { return value_of(feed_cursor(*site)); }
    static CursorStanding judge(Site& site, FeedCursor const& cursor) {
        return value_of(judge_cursor(*site, cursor));
    }
    static FeedGeneration generation(Site& site) {
        return value_of(feed_generation(*site.engine, 1));
    }
    static void put_back(Site& site, Contents const& copy) {
        site.engine->replace(copy);
        site.reopen();
    }
};

TEST_F(FeedCursors, are_texts) {
    space[0].put("c", "ann", name("Ann"));
    auto const made = cursor(space[0]);
    EXPECT_EQ(FeedCursor::parse(made.text()), made);
    FeedCursor const bare{made.at};
    EXPECT_EQ(FeedCursor::parse(bare.text()), bare);
    EXPECT_EQ(FeedCursor::parse("00"), FeedCursor());
    std::string const text = made.text();
    for (std::string const& bad : {std::string("-"),
                                   std::string("x"),
                                   text + "00",
                                   text.substr(0, text.size() - 2),
                                   text.substr(0, text.find('-') + 1),
                                   text.substr(text.find('-')),
                                   "00" + text,
                                   text + "-00"})
        EXPECT_EQ(FeedCursor::parse(bad), std::nullopt) << bad;
}

TEST_F(FeedCursors, are_good_at_every_site_that_holds_what_they_name) {
    space[0].put("c", "ann", name("Ann"));
    auto const made = cursor(space[0]);
    EXPECT_EQ(judge(space[0], made), CursorStanding::good);
    EXPECT_EQ(judge(space[0], {made.at}), CursorStanding::good);
    EXPECT_EQ(judge(space[1], made), CursorStanding::ahead);
    EXPECT_EQ(judge(space[1], {made.at}), CursorStanding::ahead);
    space.converge();
    space[1].put("c", "bob", name("Bob"));
    EXPECT_EQ(judge(space[1], made), CursorStanding::good);
    space[0].reopen();
    EXPECT_EQ(judge(space[0], made), CursorStanding::good);
    EXPECT_EQ(judge(space[0], {}), CursorStanding::good);
}

// C13
TEST_F(FeedCursors, C13_of_a_store_that_was_put_back_are_known) {
    space[0].put("c", "ann", name("Ann"));
    Contents const copy = contents(*space[0].engine);
    space[0].put("c", "bob", name("Bob"));
    auto const lost = cursor(space[0]);
    put_back(space[0], copy);
    EXPECT_EQ(judge(space[0], lost), CursorStanding::ahead_of_older);
    EXPECT_EQ(judge(space[1], lost), CursorStanding::ahead);
    // The same numbers again, of other entries: to compare numbers would be to skip them.
    space[0].put("c", "cy", name("Cy"));
    EXPECT_EQ(space[0]->vector(), lost.at);
    EXPECT_EQ(judge(space[0], lost), CursorStanding::other_history);
    EXPECT_EQ(judge(space[0], {lost.at}), CursorStanding::good);  // that cannot be told
    space[0].put("c", "dee", name("Dee"));
    EXPECT_EQ(judge(space[0], lost), CursorStanding::other_history);
    space.pull(0, 1);
    EXPECT_EQ(judge(space[1], lost), CursorStanding::other_history);
}

TEST_F(FeedCursors, C13_of_entries_that_came_back_from_a_peer_are_good) {
    Contents const copy = contents(*space[0].engine);
    space[0].put("c", "ann", name("Ann"));
    auto const made = cursor(space[0]);
    space.pull(0, 1);
    put_back(space[0], copy);
    EXPECT_EQ(judge(space[0], made), CursorStanding::ahead_of_older);
    space.pull(1, 0);
    EXPECT_EQ(judge(space[0], made), CursorStanding::good);
}

TEST_F(FeedCursors, C11_of_another_space_are_refused) {
    Space other({{"a"}, {"b"}}, {.seed = 77});
    other[0].put("c", "ann", name("Ann"));
    EXPECT_EQ(judge(space[0], cursor(other[0])), CursorStanding::other_space);
}

TEST_F(FeedCursors, C9_of_a_retired_site_wait_for_nothing) {
    space[1].put("c", "ann", name("Ann"));
    auto const made = cursor(space[1]);
    EXPECT_EQ(judge(space[0], made), CursorStanding::ahead);
    value_of(space[0]->retire(id(space[1])));
    EXPECT_EQ(judge(space[0], made), CursorStanding::ahead_of_lost);
}

// What a repair changes no entry tells of.
TEST_F(FeedCursors, from_before_a_repair_are_refused_at_that_site_only) {
    space[0].put("c", "ann", name("Ann"));
    space[0].put("c", "bob", name("Bob"));
    space.converge();
    auto const made = cursor(space[0]);
    EXPECT_EQ(generation(space[0]), FeedGeneration{});
    check(space[0]);  // finds nothing
    EXPECT_EQ(generation(space[0]), FeedGeneration{});
    put_raw(space[0], Family::records, record_key("bob"), std::nullopt);
    EXPECT_EQ(check(space[0]).mended, 1u);
    auto const first = generation(space[0]);
    EXPECT_NE(first, FeedGeneration{});
    EXPECT_EQ(judge(space[0], made), CursorStanding::repaired);
    EXPECT_EQ(judge(space[1], made), CursorStanding::good);
    auto const later = cursor(space[0]);
    EXPECT_EQ(judge(space[0], later), CursorStanding::good);
    space[0].reopen();
    EXPECT_EQ(judge(space[0], later), CursorStanding::good);
    put_raw(space[0], Family::records, record_key("ann"), std::nullopt);
    check(space[0]);
    EXPECT_NE(generation(space[0]), first);
    EXPECT_EQ(judge(space[0], later), CursorStanding::repaired);
}

TEST_F(FeedCursors, from_before_a_state_are_refused) {
    fill(20);
    auto const made = cursor(space[1]);
    for (int n = 0; n < 20; ++n)
        space[0].put("c", "y" + std::to_string(n), name("y"));
    auto const theirs = cursor(space[0]);
    transfer(space[0], space[1]);
    EXPECT_EQ(space[1]->vector(), space[0]->vector());
    EXPECT_EQ(judge(space[1], made), CursorStanding::repaired);
    EXPECT_EQ(judge(space[1], theirs), CursorStanding::good);
    auto const now = cursor(space[1]);
    EXPECT_EQ(now.at, theirs.at);
    EXPECT_EQ(now.origin->chains, theirs.origin->chains);
    EXPECT_EQ(judge(space[1], now), CursorStanding::good);
}

TEST_F(FeedCursors, of_cut_entries_keep_their_chains) {
    space[0].put("c", "ann", name("Ann"));
    auto const made = cursor(space[0]);
    space[0].put("c", "ann", name("Anna"));
    space[0].put("c", "ann", name("Annie"));
    space.converge();
    cut(space[0]);
    EXPECT_TRUE(space[0]->log_starts().is_cut({space[0].actor(), 1}));
    EXPECT_EQ(judge(space[0], made), CursorStanding::good);
    auto wrong = made;
    wrong.origin->chains[0] ^= 1;
    EXPECT_EQ(judge(space[0], wrong), CursorStanding::other_history);
}

TEST_F(FeedCursors, that_are_refused_say_what_to_do) {
    auto const waits = cursor_refused(CursorStanding::ahead);
    EXPECT_EQ(waits.code, Errc::unavailable);
    EXPECT_THAT(waits.message, HasSubstr("ask again"));
    for (auto const standing : {CursorStanding::ahead_of_older,
                                CursorStanding::ahead_of_lost,
                                CursorStanding::other_space,
                                CursorStanding::other_history,
                                CursorStanding::repaired}) {
        auto const error = cursor_refused(standing);
        EXPECT_EQ(error.code, Errc::gone);
        EXPECT_THAT(error.message, HasSubstr("inos watch --snapshot"));
    }
}

TEST_F(FeedCursors, a_generation_that_cannot_be_read_is_no_generation) {
    for (std::string const& bad : {std::string(), std::string("\2") + std::string(8, 'x')}) {
        put_raw(space[0], Family::meta, keys::meta_kind(1, 'w'), bad);
        auto const found = feed_generation(*space[0].engine, 1);
        ASSERT_FALSE(found);
        EXPECT_EQ(found.error().code, Errc::corruption);
    }
}

}  // namespace
}  // namespace inos::test
