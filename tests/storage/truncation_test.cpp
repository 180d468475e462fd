// Cutting the log: what goes, what stays, and that everything that reads the log copes with what is
// gone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/changes.hpp"
#include "storage/history.hpp"
#include "storage/log_retention.hpp"
#include "storage/member_review.hpp"
#include "storage/undelivered.hpp"
#include "tests/storage/exchange_support.hpp"

namespace inos {
namespace {

using test::contents;
using test::object_of;
using test::Site;
using test::Space;
using test::text;
using test::value_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kAgeMs = 1'000;

Object number(int n) {
    return {{"n", Value(n)}};
}

std::size_t cut(Site& site, std::size_t budget = 100'000) {
    return value_of(cut_log(*site, kAgeMs, budget));
}

class Truncation : public testing::Test {
protected:
    // All hold and acknowledge the same, and time passes.
    void settle() {
        space.converge();
        space.acknowledge();
        for (auto const& site : space.sites())
            site->clock.advance(kAgeMs);
    }
    Seq start(std::size_t at, std::size_t author) {
        return space[at]->log_starts().of(space[author].actor());
    }
    std::size_t log_keys(std::size_t at) { return contents(*space[at].engine, Family::log).size(); }
    void expect_same() {
        for (auto const& site : space.sites()) {
            EXPECT_EQ(site->replica->vector(), space[0]->vector());
            EXPECT_EQ(site->replica->root(), space[0]->root());
            EXPECT_EQ(value_of(site->replica->recompute_root()), site->replica->root());
        }
    }
    // Takes entry after entry, as often as something goes.
    void cut_all(std::size_t at) {
        while (cut(space[at]) > 0) {
        }
    }
    // Of what site 2 wrote, which site 0 has retired; site 0 has it from there.
    void site_1_takes_from_2_and_hears_then() {
        space.pull(2, 1);
        value_of(space[1]->add_statements(space[0]->membership().all_bytes()));
        space.pull(1, 0);
    }

    Space space{3};
};

TEST_F(Truncation, only_what_all_have_acknowledged_and_what_is_old_goes) {
    for (int n = 1; n <= 3; ++n)
        space[0].put("c", "x", number(n));
    space[0].clock.advance(10 * kAgeMs);
    EXPECT_EQ(cut(space[0]), 0u);  // nobody has acknowledged it
    space.converge();
    space.acknowledge();
    EXPECT_EQ(cut(space[1]), 0u);  // it came there just now
    EXPECT_EQ(cut(space[0]), 3u);
    EXPECT_EQ(start(0, 0), 3u);
    space[1].clock.advance(kAgeMs - 1);
    EXPECT_EQ(cut(space[1]), 0u);
    space[1].clock.advance(1);
    EXPECT_EQ(cut(space[1]), 3u);
    EXPECT_EQ(cut(space[1]), 0u);
    EXPECT_EQ(log_keys(1), 1u);  // the signature of the last one
    expect_same();
}

TEST_F(Truncation, A3_a_member_that_is_away_keeps_the_log) {
    settle();
    space[0].put("c", "x", number(1));
    space.pull(0, 1);
    value_of(space[0]->acknowledge());
    value_of(space[1]->acknowledge());
    for (auto const& [site, bytes] : space[1]->acknowledgements())
        value_of(space[0]->add_acknowledgements({bytes}));
    space[0].clock.advance(kAgeMs);
    EXPECT_EQ(cut(space[0]), 0u);
    settle();
    EXPECT_EQ(cut(space[0]), 1u);
}

TEST_F(Truncation, goes_on_where_it_was_in_pieces_and_after_a_restart) {
    for (int n = 0; n < 200; ++n)
        space[n % 2].put("c", "x" + std::to_string(n % 7), number(n));
    settle();
    auto const whole = contents(*space[2].engine, Family::log).size();
    std::size_t cut_entries = 0, calls = 0;
    for (std::size_t went = 1; went > 0; ++calls) {
        went = cut(space[2], 10);
        EXPECT_LE(went, 10u);
        cut_entries += went;
        if (calls == 5) space[2].reopen();
    }
    EXPECT_EQ(cut_entries, 200u);
    EXPECT_GT(calls, 15u);
    EXPECT_LT(log_keys(2), whole / 50);  // two signatures
    // Both go on: who has cut everything and who has cut nothing.
    space[0].put("c", "x1", number(1'000));
    space[2].put("c", "x2", number(1'001));
    settle();
    expect_same();
    EXPECT_EQ(space[2].field("c", "x1", "n"), Value(1'000));
    EXPECT_EQ(cut(space[2]), 2u);
}

TEST_F(Truncation, C1_the_chains_of_what_was_cut_are_still_known) {
    for (int n = 0; n < 150; ++n)
        space[1].put("c", "x", number(n));
    settle();
    std::vector<ChainPrefix> chains;
    for (Seq seq = 1; seq <= 150; ++seq)
        chains.push_back(*value_of(space[0]->chain_prefix_at({space[1].actor(), seq})));
    for (int piece = 0; piece < 9; ++piece) {
        cut(space[0], 40);
        space[0].reopen();
        for (Seq seq = 1; seq <= 150; ++seq)
            EXPECT_EQ(*value_of(space[0]->chain_prefix_at({space[1].actor(), seq})),
                      chains[seq - 1])
                << seq << " " << piece;
    }
    EXPECT_EQ(start(0, 1), 150u);
    EXPECT_EQ(value_of(space[0]->chain_prefix_at({space[1].actor(), 151})), std::nullopt);
    EXPECT_EQ(value_of(space[0]->chain_at({space[1].actor(), 149})), std::nullopt);
    // A copy of site 1 that stands at its entry 70, and one that has another entry there.
    ChainPrefix other = chains[69];
    other[0] ^= 1;
    EXPECT_THAT(value_of(space[0]->compare_heads({{space[1].actor(), 70, chains[69]}})).forks,
                IsEmpty());
    EXPECT_THAT(value_of(space[0]->compare_heads({{space[1].actor(), 70, other}})).forks,
                SizeIs(1));
}

TEST_F(Truncation, what_authors_had_seen_is_known_of_every_entry_that_is_left) {
    for (int n = 0; n < 200; ++n) {
        space[0].put("c", "x" + std::to_string(n), number(n));
        if (n % 9 == 0) {
            space[1].put("d", "y" + std::to_string(n), number(n));
            space.pull(1, 0);
        }
    }
    settle();
    std::vector<std::optional<VersionVector>> deps;
    for (Seq seq = 1; seq <= 200; ++seq)
        deps.push_back(value_of(space[2]->deps_of({space[0].actor(), seq})));
    while (cut(space[2], 41) > 0) {
        Seq const first = start(2, 0);
        EXPECT_EQ(value_of(space[2]->deps_of({space[0].actor(), first})), std::nullopt);
        for (Seq seq = first + 1; seq <= 200; ++seq)
            ASSERT_EQ(value_of(space[2]->deps_of({space[0].actor(), seq})), deps[seq - 1])
                << seq << " from " << first;
    }
    EXPECT_EQ(start(2, 0), 200u);
}

TEST_F(Truncation, a_history_ends_where_the_log_begins_and_says_so) {
    space[0].put("c", "x", number(1));
    space[1].put("c", "y", number(1));
    settle();
    space[1].patch("c", "x", number(2));
    space.converge();
    EXPECT_EQ(cut(space[2]), 2u);
    auto const x = value_of(read_past(*space[2], {"c", "x"}));
    EXPECT_THAT(x.steps, SizeIs(1));
    EXPECT_FALSE(x.complete);
    EXPECT_EQ(x.kept_from_ms, x.steps[0].hlc.ms());
    auto const y = value_of(read_past(*space[2], {"c", "y"}));
    EXPECT_THAT(y.steps, IsEmpty());
    EXPECT_FALSE(y.complete);
    EXPECT_TRUE(y.kept_from_ms);
    EXPECT_TRUE(value_of(read_past(*space[0], {"c", "y"})).complete);
    EXPECT_TRUE(value_of(read_past(*space[2], {"c", "z"})).complete);
}

TEST_F(Truncation, an_entry_waits_for_those_before_it_in_the_history_of_a_record) {
    space[1].put("c", "x", number(1));
    space.pull(1, 0);
    space[0].patch("c", "x", number(2));
    settle();
    LogRetention retention;
    retention.needed[space[1].actor()] = 0;
    EXPECT_EQ(value_of(space[0]->truncate(retention)), 0u);
    retention.needed.clear();
    EXPECT_EQ(value_of(space[0]->truncate(retention)), 2u);
}

TEST_F(Truncation, A17_erasing_reaches_all_that_is_left) {
    space[0].put("c", "person-1-key", text("secret-of-1"));
    settle();
    space[1].patch("c", "person-1-key", text("secret-of-1-too"));
    space.converge();
    EXPECT_EQ(cut(space[2]), 1u);
    space[1].erase_for_good("c", "person-1-key");
    settle();
    for (std::size_t at = 0; at < 3; ++at) {
        for (auto const& [key, value] : contents(*space[at].engine)) {
            EXPECT_THAT(key.second, testing::Not(HasSubstr("person-1-key"))) << at;
            EXPECT_THAT(value, testing::Not(HasSubstr("secret-of-1"))) << at;
        }
    }
    cut_all(2);
    expect_same();
    EXPECT_TRUE(space[2]->is_erased(RecordName{"c", "person-1-key"}));
}

TEST_F(Truncation, A16_nothing_stays_of_a_purged_record_whether_the_log_or_the_record_goes_first) {
    auto const rows = [&](std::size_t at) {
        return contents(*space[at].engine, Family::records).size();
    };
    space[0].put("c", "x", number(1));
    space.converge();
    space[1].erase("c", "x");
    settle();
    EXPECT_EQ(value_of(space[0]->purge(100)), 1u);
    EXPECT_EQ(rows(0), 1u);  // for the history
    EXPECT_EQ(cut(space[0]), 2u);
    EXPECT_EQ(rows(0), 0u);
    EXPECT_EQ(cut(space[1]), 2u);
    EXPECT_EQ(rows(1), 1u);
    EXPECT_EQ(value_of(space[1]->purge(100)), 1u);
    EXPECT_EQ(rows(1), 0u);
    expect_same();
    space[1].put("c", "x", number(3));
    settle();
    expect_same();
}

TEST_F(Truncation, who_lacks_what_was_cut_is_told_so) {
    space[0].put("c", "x", number(1));
    space[1].put("c", "y", number(1));
    settle();
    EXPECT_EQ(cut(space[0]), 2u);
    VersionVector before;
    before.set(space[1].actor(), 1);
    auto const batch = space[0]->collect(before, 1'000);
    ASSERT_FALSE(batch);
    EXPECT_EQ(batch.error().code, Errc::gone);
    EXPECT_THAT(batch.error().message, HasSubstr("\"site0\" up to number 1"));
    // A reader of changes begins again.
    ChangeReader reader(before, "");
    auto const page = reader.next(*space[0]);
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().code, Errc::gone);
}

TEST_F(Truncation, C10_what_an_admin_has_to_review_stays) {
    space[2].put("c", "x", number(1));
    settle();
    value_of(space[0]->retire(space[2].keys.identity.public_key));
    space[2].put("c", "x", number(2));
    space[2].put("c", "y", number(2));
    site_1_takes_from_2_and_hears_then();
    for (std::size_t at : {0u, 1u})
        value_of(space[at]->acknowledge());
    for (std::size_t at : {0u, 1u})
        for (auto const& [site, bytes] : space[1 - at]->acknowledgements())
            value_of(space[at]->add_acknowledgements({bytes}));
    space[0].clock.advance(kAgeMs);
    EXPECT_EQ(value_of(space[0]->stable()).at(space[2].actor()), 3u);
    EXPECT_EQ(cut(space[0]), 1u);
    auto const reviews = value_of(list_reviews(*space[0]));
    ASSERT_EQ(reviews.size(), 1u);
    EXPECT_EQ(reviews[0].from, 2u);
    EXPECT_THAT(reviews[0].records, SizeIs(2));
    auto kept = value_of(review_writes(*space[0], reviews[0], ReviewDecision::keep)).transaction;
    space[0].commit(std::move(kept.writes), kept.source);
    EXPECT_EQ(cut(space[0]), 2u);
}

TEST_F(Truncation, what_never_reached_anybody_is_found_behind_what_was_cut) {
    space[0].set_schema(R"({"c": {"fields": {"n": {"type": "counter"}}}})");
    space.converge();
    space[2].put("c", "x", object_of(R"({"n": 5, "name": "Ann", "city": "Bergen"})"));
    space[2].put("c", "gone", object_of(R"({"name": "Bob"})"));
    settle();
    VersionVector const elsewhere = space[2]->vector();
    cut_all(2);
    space[2].patch("c", "x", object_of(R"({"n": {"$inc": 2}, "city": "Berlin"})"));
    space[2].patch("c", "x", object_of(R"({"n": {"$inc": -1}})"));
    space[2].erase("c", "gone");
    auto const list = value_of(list_undelivered(*space[2], elsewhere));
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[0].name.key, "gone");
    EXPECT_TRUE(list[0].deleted);
    EXPECT_FALSE(list[1].deleted);
    EXPECT_EQ(list[1].fields, object_of(R"({"city": "Berlin", "n": {"$inc": 1}})"));
    auto const lost = list_undelivered(*space[2], {});
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, Errc::gone);
}

// Another site's value stands over that of the site: it is not taken for what the site wrote.
TEST_F(Truncation, what_others_wrote_is_not_carried_over) {
    space[0].set_schema(R"({"c": {"fields": {"n": {"type": "counter"}, "t": {"type": "set"}}}})");
    space.converge();
    space[2].put("c", "x", object_of(R"({"n": 5, "city": "Bergen", "t": ["a", "b"]})"));
    settle();
    VersionVector const elsewhere = space[2]->vector();
    cut_all(2);
    space[2].patch("c", "x", object_of(R"({"n": {"$inc": 7}, "city": "Berlin"})"));
    space[2].patch("c", "x", object_of(R"({"n": null})"));
    space[2].patch("c", "x", object_of(R"({"n": {"$inc": 2}, "t": {"$remove": "a"}})"));
    space[0].clock.advance(1'000);
    space[0].patch("c", "x", object_of(R"({"city": "Oslo"})"));
    space.pull(0, 2);
    space[2].patch("c", "x", object_of(R"({"name": "Ann"})"));
    space[0].patch("c", "x", object_of(R"({"city": "Trondheim"})"));
    auto list = value_of(list_undelivered(*space[2], elsewhere));
    ASSERT_EQ(list.size(), 1u);
    EXPECT_EQ(*find_member(list[0].fields, "n"), Value(object_of(R"({"$inc": 2})")));
    EXPECT_EQ(*find_member(list[0].fields, "name"), Value("Ann"));
    EXPECT_THAT(list[0].unclear, ElementsAre("t"));
    // Berlin stands beside Oslo, a conflict; after that was decided for Oslo it is gone.
    space[2].patch("c", "x", object_of(R"({"city": "Oslo now"})"));
    list = value_of(list_undelivered(*space[2], elsewhere));
    EXPECT_EQ(*find_member(list[0].fields, "city"), Value("Oslo now"));
}

// Old records are left as they are, told by name, and the others are reverted.
TEST_F(Truncation, C10_what_can_be_reverted_is_reverted_and_the_rest_is_named) {
    space[2].put("c", "old", number(1));
    settle();
    cut_all(0);
    value_of(space[0]->retire(space[2].keys.identity.public_key));
    space[2].patch("c", "old", number(2));
    space[2].put("c", "young", number(2));
    site_1_takes_from_2_and_hears_then();
    auto const reviews = value_of(list_reviews(*space[0]));
    ASSERT_EQ(reviews.size(), 1u);
    auto plan = value_of(review_writes(*space[0], reviews[0], ReviewDecision::revert));
    EXPECT_THAT(plan.left, ElementsAre(RecordName{"c", "old"}));
    space[0].commit(std::move(plan.transaction.writes), plan.transaction.source);
    EXPECT_FALSE(value_of(space[0]->get({"c", "young"})));
    EXPECT_EQ(space[0].field("c", "old", "n"), Value(2));
    EXPECT_THAT(value_of(list_reviews(*space[0])), IsEmpty());
}

// An old copy of site 1 writes on: what its entries had seen was cut here.
TEST_F(Truncation, C1_entries_of_an_old_copy_are_taken_though_what_they_had_seen_is_cut) {
    space[0].put("c", "x", number(1));
    space.converge();
    auto const copy = contents(*space[1].engine);
    space[0].put("c", "x", number(2));
    settle();
    cut_all(2);
    space[1].engine->replace(copy);
    space[1].reopen();
    EXPECT_EQ(space[1].field("c", "x", "n"), Value(1));
    space[1].put("c", "y", number(7));
    space.pull(1, 2);
    EXPECT_EQ(space[2].field("c", "y", "n"), Value(7));
    space.converge();
    expect_same();
}

// A loss of power takes the cut back: the same goes again.
TEST_F(Truncation, a_cut_that_is_lost_is_made_again) {
    for (int n = 0; n < 70; ++n)
        space[0].put("c", "x", number(n));
    settle();
    std::size_t const before = space[1].engine->unsynced();
    Seq const first = cut(space[1], 20), second = first + cut(space[1], 20);
    EXPECT_LT(first + 1, second);
    auto const known = [&] {
        return value_of(space[1]->chain_prefix_at({space[0].actor(), second}));
    };
    auto const chain = known();
    space[1].engine->lose_unsynced(before + 1);
    space[1].reopen();
    EXPECT_EQ(start(1, 0), first);
    EXPECT_EQ(known(), chain);
    cut_all(1);
    EXPECT_EQ(start(1, 0), 70u);
    EXPECT_EQ(known(), chain);
    expect_same();
}

}  // namespace
}  // namespace inos
