// What a damaged log, a damaged disk or an erasure that is under way must not do to records that
// are as they have to be.
#include <gmock/gmock.h>

#include "tests/storage/repair_fixture.hpp"

namespace inos {
namespace {

using namespace test;
using testing::HasSubstr;

Dot newest_of(Site& site) {
    return {site.actor(), site->vector().at(site.actor())};
}

// ---- one damaged entry --------------------------------------------------------------------------

// Whichever entry it is: what can be read stays as it is, alone and whatever the other site sends.
TEST(RecordRepair, D20_a_damaged_entry_changes_no_record_that_can_be_read) {
    Shop shop;
    shop.site().patch("c", "ann", object_of(R"({"name": "Anna", "city": "Ulm"})"));
    shop.site().erase("c", "bob");
    shop.space.converge();
    shop.site().put("c", "dan", object_of(R"({"name": "Dan"})"));
    shop.site().erase("c", "dan");
    shop.space.converge();
    shop.space.acknowledge();
    for (std::size_t i : {0u, 1u})
        EXPECT_GT(value_of(shop.space[i]->purge(100)), 0u);
    shop.before = contents(*shop.site().engine);
    std::vector<std::string> keys;
    for (char const* key : {"ann", "bob", "cid", "dan"})
        keys.push_back(shared_key(key));
    for (auto const& [actor, head] : shop.site()->vector().items())
        for (Seq seq = 1; seq <= head; ++seq) {
            SCOPED_TRACE(std::to_string(actor.value) + " " + std::to_string(seq));
            auto const log_key = keys::log(1, {actor, seq});
            flip(shop.site(), Family::log, log_key);
            auto const damaged = contents(*shop.site().engine);
            EXPECT_EQ(check(shop.site()).mended, 0u);
            EXPECT_TRUE(contents(*shop.site().engine) == damaged);
            for (Teller const& teller : {kReader, kStandIn, kAdmin}) {
                RecordRepair repair(*shop.site(), keys);
                finish(repair);
                auto const open = repair.next_open();
                if (!open.empty())
                    value_of(repair.merge(value_of(shared_states(*shop.space[1], open)), teller));
                finish(repair);
                EXPECT_EQ(repair.take_report().mended, 0u);
                EXPECT_TRUE(contents(*shop.site().engine) == damaged);
            }
            put_raw(shop.site(), Family::log, log_key, shop.before.at({Family::log, log_key}));
        }
}

// An admin's state is taken as it is, so that both hold the same afterwards.
TEST(RecordRepair, D20_where_the_overwriting_entry_is_damaged_the_admins_state_is_taken_as_it_is) {
    for (bool deletes : {false, true}) {
        Shop shop;
        if (deletes)
            shop.site().erase("c", "ann");
        else
            shop.site().patch("c", "ann", object_of(R"({"name": "Anna", "city": "Ulm"})"));
        shop.space.converge();
        flip(shop.site(), Family::log, keys::log(1, newest_of(shop.site())));
        put_raw(shop.site(), Family::records, record_key("ann"), std::string("no record"));
        EXPECT_EQ(check(shop.site()).left.size(), 1u);
        repair_with(shop.site(), shop.space[1], kAdmin);
        EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
        EXPECT_EQ(shop.site().records(), shop.space[1].records());
        EXPECT_EQ(value_of(shop.site()->record_at({"c", "ann"})),
                  value_of(shop.space[1]->record_at({"c", "ann"})));
    }
}

// ---- erasures -----------------------------------------------------------------------------------

// The tag of an erased record under another collection's name is nobody's.
TEST(RecordRepair, D6_marks_under_a_foreign_collection_are_never_made) {
    for (bool damaged : {false, true}) {
        Shop shop;
        shop.site().erase_for_good("c", "ann");
        shop.space.converge();
        auto const tag = shop.site()->erasures().begin()->first;
        auto const marks = keys::erased_key(crypto::view(tag));
        if (damaged) flip(shop.site(), Family::log, keys::log(1, {shop.site().actor(), 1}));
        shop.before = contents(*shop.site().engine);
        std::string const forged = "d" + std::string(1, '\0') + marks;
        SharedState told{
            forged,
            Standing::whole,
            value_of(shop.site()->record_at({"c", marks})).encode(),
        };
        for (Teller const& teller : {kReader, kAdmin}) {
            RecordRepair repair(*shop.site(), std::vector{forged});
            finish(repair);
            value_of(repair.merge({told}, teller));
            finish(repair);
            EXPECT_EQ(repair.take_report().mended, 0u);
            EXPECT_TRUE(contents(*shop.site().engine) == shop.before);
        }
        // And where they are, they go if the log shows that nobody has made them.
        put_raw(shop.site(),
                Family::records,
                record_key(marks, "d"),
                raw(shop.site(), Family::records, record_key(marks)));
        auto const report = check(shop.site());
        if (!damaged) shop.expect_mended(report);
    }
}

// The proof came with stubs of other entries, the erase itself has not come yet.
TEST(RecordRepair, A17_a_record_whose_erase_is_still_to_come_stands_until_then) {
    Space space(3);
    space[0].put("c", "ann", object_of(R"({"name": "Ann", "city": "Kiel"})"));
    space[1].patch("c", "ann", object_of(R"({"n": 1})"));
    space.converge();
    space[1].patch("c", "ann", object_of(R"({"city": "Bonn"})"));
    space.pull(1, 0);
    space[0].erase_for_good("c", "ann");
    space.pull(0, 1);
    // Of site 1 its own entries only: a stub, with the proof.
    VersionVector known = space[2]->vector();
    auto batch = value_of(space[1]->collect(known, 1 << 20));
    std::erase_if(batch.runs, [&](EntryRun const& run) { return run.actor == space[0].actor(); });
    std::erase_if(batch.heads,
                  [&](SignedHead const& head) { return head.actor == space[0].actor(); });
    value_of(space[2]->apply(batch));
    ASSERT_TRUE(space[2]->is_erased(RecordName{"c", "ann"}));
    ASSERT_TRUE(raw(space[2], Family::records, record_key("ann")));
    auto const before = contents(*space[2].engine);
    EXPECT_EQ(check(space[2]).mended, 0u);
    RecordRepair repair(*space[2], {{shared_key("ann")}});
    finish(repair);
    EXPECT_TRUE(contents(*space[2].engine) == before);
    space.converge();
    EXPECT_FALSE(raw(space[2], Family::records, record_key("ann")));
    for (auto const& [key, value] : contents(*space[2].engine, Family::log)) {
        EXPECT_EQ(value.find("Kiel"), std::string::npos);
        EXPECT_EQ(value.find("Bonn"), std::string::npos);
    }
    EXPECT_EQ(space[2]->root(), space[0]->root());
}

// A record that was lost when its erase came: nothing led to what the log holds of it.
TEST(RecordRepair, A17_what_the_log_still_holds_of_an_erased_record_goes_too) {
    for (bool comes_back : {false, true}) {
        Shop shop;
        auto const ann = raw(shop.site(), Family::records, record_key("ann"));
        put_raw(shop.site(), Family::records, record_key("ann"), std::nullopt);
        shop.space[1].erase_for_good("c", "ann");
        shop.space.pull(1, 0);
        if (comes_back) put_raw(shop.site(), Family::records, record_key("ann"), ann);
        EXPECT_EQ(check(shop.site()).mended, 1u);
        EXPECT_FALSE(raw(shop.site(), Family::records, record_key("ann")));
        for (auto const& [key, value] : contents(*shop.site().engine, Family::log)) {
            EXPECT_EQ(value.find("Kiel"), std::string::npos);
            EXPECT_EQ(value.find("Bonn"), std::string::npos);
        }
        EXPECT_TRUE(shop.site()->needs_scrub());
        EXPECT_EQ(check(shop.site()).mended, 0u);
        shop.space.converge();
        EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
    }
}

// ---- blocks of the disk -------------------------------------------------------------------------

TEST(RecordRepair, D25_what_is_written_while_a_block_is_dropped_stays) {
    Shop shop;
    for (int i = 0; i < 100; ++i)
        shop.site().put("c", "r" + std::to_string(i), object_of(R"({"n": 0})"));
    shop.site().engine->make_unreadable(Family::records, record_key("r1"));
    RecordRepair repair(*shop.site());
    int steps = 0;
    while (!value_of(repair.step(2'000))) {
        shop.site().put("c", "s" + std::to_string(steps), object_of(R"({"n": 1})"));
        shop.site().put("c", "a" + std::to_string(steps), object_of(R"({"n": 1})"));
        ASSERT_LT(++steps, 2'000) << "it never ends";
    }
    EXPECT_GT(steps, 10);
    shop.space.converge();
    EXPECT_EQ(shop.site().records(), shop.space[1].records());
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
    EXPECT_EQ(value_of(shop.site()->recompute_root()), shop.site()->root());
}

// Two blocks, and behind each a record that only a damaged entry has written; and another space.
TEST(RecordRepair, D20_what_lies_behind_a_block_that_cannot_be_read_stays) {
    Shop shop;
    Seq const first = shop.site()->vector().at(shop.site().actor()) + 1;
    for (char const* key : {"b1", "bz", "d1"})
        shop.site().put("c", key, object_of(R"({"n": 1})"));
    for (std::uint32_t space : {2u, 3u})
        for (char const* key : {"a", "b", "c"})
            put_raw(shop.site(), Family::records, keys::record(space, "c", key), "other");
    shop.space.converge();
    shop.before = contents(*shop.site().engine);
    for (Seq seq = first; seq < first + 3; ++seq)
        flip(shop.site(), Family::log, keys::log(1, {shop.site().actor(), seq}));
    auto const damaged = contents(*shop.site().engine, Family::records);
    shop.site().engine->make_unreadable(Family::records, record_key("ann"));
    shop.site().engine->make_unreadable(Family::records, record_key("bob"));
    shop.site().engine->make_unreadable(Family::records, keys::record(2, "c", "b"));
    auto const report = check(shop.site());
    auto expected = damaged;
    expected.erase({Family::records, keys::record(2, "c", "b")});
    auto const held = contents(*shop.site().engine, Family::records);
    for (auto const& [key, value] : expected)
        EXPECT_TRUE(held.contains(key)) << key.second;
    for (char const* key : {"b1", "bz", "d1"})
        EXPECT_EQ(shop.site().field("c", key, "n"), Value(1)) << key;
}

// One author's log is cut and the other's is not. What is left of the cut one is not read before
// what its author had seen by then: whichever of the two is read first.
TEST(RecordRepair, D25_where_a_log_begins_its_author_had_seen_entries_that_are_still_there) {
    for (std::size_t first : {0u, 1u}) {
        SCOPED_TRACE(first);
        Space space(2);
        Site& writer = space[first];
        Site& overwriter = space[1 - first];
        writer.put("c", "r", object_of(R"({"old": 1, "both": 1})"));
        space.converge();
        overwriter.put("c", "other", object_of(R"({"n": 1})"));
        Seq const start = overwriter->vector().at(overwriter.actor());
        overwriter.put("c", "r", object_of(R"({"new": 1, "both": 2})"));
        overwriter.put("c", "r", object_of(R"({"new": 2})"));
        space.converge();
        for (std::size_t i : {0u, 1u}) {
            Site& site = space[i];
            auto const root = site->root();
            auto const right = raw(site, Family::records, record_key("r"));
            cut(site, overwriter.actor(), start);
            put_raw(site, Family::records, record_key("r"), std::string("no record"));
            EXPECT_EQ(check(site).mended, 1u);
            EXPECT_EQ(raw(site, Family::records, record_key("r")), right);
            EXPECT_EQ(site->root(), root);
        }
    }
}

}  // namespace
}  // namespace inos
