// States that come to sites whose records are damaged, and from such sites.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/record_repair.hpp"
#include "tests/storage/repair_fixture.hpp"
#include "tests/storage/states_support.hpp"
#include "tests/support/temp_dir.hpp"

namespace inos::test {
namespace {

using testing::ElementsAre;

void spoil(Site& site, std::string const& key) {
    put_raw(site, Family::records, record_key(key), std::string("no record"));
}

class DamagedStates : public States {
public:
    using States::cut, States::fill, States::id;
    using States::expect_same, States::part, States::space, States::take, States::transfer;

    // Site 0 has cut its log; `away` lacks what was cut, and some of its records are damaged.
    Site& make_away() {
        fill(6);
        Site& away = space.admit({"away"});
        space.pull(0, 2);
        space[0].patch("c", "x1", {{"n", Value(100)}});
        space[0].erase("c", "x2");
        cut(space[0]);
        return away;
    }
    void damage(Site& site) {
        spoil(site, "x0");                              // cannot be decoded, ...
        flip(site, Family::records, record_key("x1"));  // ... its digest differs, ...
        spoil(site, "x2");
        put_raw(site, Family::records, record_key("x3"), std::nullopt);  // ... and it is missing
    }
};

struct Each : DamagedStates {
    void TestBody() override {}
};

TEST_F(DamagedStates, D20_a_state_of_all_that_is_held_puts_right_what_is_damaged) {
    Site& away = make_away();
    damage(away);
    EXPECT_GT(transfer(space[0], away), 0u);
    expect_same(away, space[0]);
    EXPECT_EQ(away.records(), space[0].records());
    for (RepairNote const& note : check(away).repaired)
        ADD_FAILURE() << note.name.key << ": " << note.what;
    EXPECT_TRUE(away->damaged_records().empty());
}

TEST_F(DamagedStates, D20_what_is_damaged_waits_for_its_repair_where_not_all_of_it_comes) {
    Site& away = make_away();
    away.patch("c", "x0", {{"m", Value(7)}});
    damage(away);
    EXPECT_GT(transfer(space[0], away), 0u);
    EXPECT_FALSE(away->record_at({"c", "x0"}));
    EXPECT_FALSE(away->record_at({"c", "x1"}));
    EXPECT_TRUE(away->damaged_records().contains(shared_key("x0")));
    EXPECT_TRUE(away->damaged_records().contains(shared_key("x1")));
    away.reopen();
    space.pull(2, 0);
    space.pull(0, 2);
    mend(away);
    repair_with(away, space[0], kAdmin);
    EXPECT_EQ(away.field("c", "x0", "m"), Value(7));
    EXPECT_EQ(away.field("c", "x1", "n"), Value(100));
    EXPECT_FALSE(away.get("c", "x2"));
    EXPECT_TRUE(away->damaged_records().empty());
    // What is absent where a log was cut stays so: see 0012.
    EXPECT_THAT(differing(away, space[0]), ElementsAre(shared_key("x3")));
}

// Stopped by a loss of power at any write of the switch, with damage found when it goes on.
TEST_F(DamagedStates, D20_a_switch_that_goes_on_comes_to_its_end_past_damaged_records) {
    for (bool all : {true, false}) {
        for (std::size_t at = 1; at < 40; ++at) {
            Each each;
            Site& away = each.make_away();
            if (!all) away.put("c", "own", {{"n", Value(1)}});
            std::optional<StatePart> next;
            while (true) {
                next = each.part(each.space[0], away, 1);
                if (next->last) break;
                ASSERT_FALSE(value_of(each.take(each.space[0], away, *next)));
            }
            away.engine->die_at(
                at, FaultEngine::Counted::writes, FaultEngine::Outcome::kept, [] {});
            bool const done = each.take(each.space[0], away, *next).has_value();
            away.engine->heal();
            each.damage(away);
            away.reopen();
            if (all && away->vector() == each.space[0]->vector()) mend(away);
            if (away->vector() != each.space[0]->vector()) {
                // It had not begun.
                EXPECT_GT(each.transfer(each.space[0], away), 0u);
            }
            each.space.pull(2, 0);
            each.space.pull(0, 2);
            check(away);
            repair_with(away, each.space[0], kAdmin);
            for (auto const& key : differing(away, each.space[0]))
                EXPECT_EQ(key, shared_key("x3")) << at;
            EXPECT_TRUE(away->damaged_records().empty()) << at;
            if (done) break;
        }
    }
}

TEST_F(DamagedStates, D20_who_has_damaged_records_gives_no_state) {
    Site& away = make_away();
    flip(space[0], Family::records, record_key("x1"));
    auto const ask = *away->state_ask(id(space[0]));
    auto const give = [&] {
        space[0].clock.advance(20'000);
        return space[0]->give_state(id(away), ask, {kStatePartBytes, 100});
    };
    EXPECT_EQ(give().error().code, Errc::corruption);
    EXPECT_THAT(space[0]->damaged_records(), ElementsAre(shared_key("x1")));
    EXPECT_EQ(give().error().code, Errc::corruption);
    space.pull(0, 1);
    mend(space[0]);
    repair_with(space[0], space[1], kStandIn);
    ASSERT_TRUE(space[0]->damaged_records().empty());
    EXPECT_GT(transfer(space[0], away), 0u);
    expect_same(away, space[0]);
}

// What a round has read is not the log any more.
TEST_F(DamagedStates, D25_a_repair_begins_again_when_a_state_comes_into_force) {
    for (int steps : {0, 1, 2, 5, 9}) {
        Each each;
        Site& away = each.make_away();
        spoil(away, "x0");
        auto everything = std::make_unique<RecordRepair>(*away);
        RecordRepair some(*away, {{shared_key("x0"), shared_key("x1"), shared_key("x2")}});
        for (int i = 0; i < steps; ++i) {
            static_cast<void>(value_of(everything->step(300)));
            static_cast<void>(value_of(some.step(300)));
        }
        EXPECT_GT(each.transfer(each.space[0], away), 0u);
        auto const before = contents(*away.engine, Family::records);
        value_of(some.merge({{shared_key("x1"), Standing::whole, {}}}, kAdmin));
        finish(*everything);
        finish(some);
        EXPECT_TRUE(contents(*away.engine, Family::records) == before) << steps;
        each.expect_same(away, each.space[0]);
        everything.reset();
        EXPECT_TRUE(away->truncate({})) << "nothing holds the log";
    }
}

// A block that the receiver cannot read: its session goes on, a round of its own drops the block,
// and the state comes into force afterwards.
TEST_F(DamagedStates, D20_a_state_that_comes_upon_a_block_that_cannot_be_read_begins_a_repair) {
    for (char const* key : {"x0", "x3", "x5"}) {
        SCOPED_TRACE(key);
        Each each;
        Site& away = each.make_away();
        away.engine->make_unreadable(Family::records, record_key(key));
        Result<bool> taken = false;
        while (taken && !*taken)
            taken = each.take(each.space[0], away, each.part(each.space[0], away, 5));
        ASSERT_FALSE(taken);
        EXPECT_EQ(taken.error().code, Errc::corruption);
        ASSERT_FALSE(away->damaged_records().empty());
        mend(away);
        away.clock.advance(kStateRetryMs);
        EXPECT_GT(each.transfer(each.space[0], away), 0u);
        each.expect_same(away, each.space[0]);
        EXPECT_TRUE(away->damaged_records().empty());
    }
}

TEST_F(DamagedStates, D20_a_source_that_comes_upon_a_block_that_cannot_be_read_begins_a_repair) {
    for (char const* key : {"x0", "x3"}) {
        SCOPED_TRACE(key);
        Each each;
        Site& away = each.make_away();
        Site& source = each.space[0];
        source.engine->make_unreadable(Family::records, record_key(key));
        StateAsk const ask = *away->state_ask(id(source));
        source.clock.advance(20'000);
        auto const given = source->give_state(id(away), ask, {kStatePartBytes, 100});
        ASSERT_FALSE(given);
        EXPECT_EQ(given.error().code, Errc::corruption);
        EXPECT_FALSE(source->damaged_records().empty());
        mend(source);
        EXPECT_TRUE(raw(source, Family::records, record_key("x4")));
    }
}

// Whoever is given a state reads the records: a block of them is dropped all the same.
TEST(StatesOnDisk, D20_a_block_is_dropped_while_a_state_is_being_given) {
    TempDir directory;
    SpaceSetup setup;
    setup.rocks_below = directory.path();
    Space space(2, setup);
    for (int n = 0; n < 6; ++n)
        space[0].put("c", "x" + std::to_string(n), {{"n", Value(n)}});
    space.converge();
    SiteId const to = space[1].keys.identity.public_key;
    auto const ask = *space[1]->state_ask(space[0].keys.identity.public_key);
    ASSERT_FALSE(value_of(space[0]->give_state(to, ask, {kStatePartBytes, 1})).last);
    space[0].engine->make_unreadable(Family::records, record_key("x3"));
    EXPECT_FALSE(check(space[0]).repaired.empty());
    EXPECT_EQ(space[0].field("c", "x3", "n"), Value(3));
    EXPECT_EQ(space[0]->root(), space[1]->root());
}

// One author's log is cut here and the other's is not, and neither comes with the state: what is
// left of the cut one is not read before what its author had seen by then.
TEST_F(DamagedStates, D25_lists_of_a_switch_follow_what_authors_had_seen_where_a_log_begins) {
    for (std::size_t first : {0u, 1u}) {
        SCOPED_TRACE(first);
        Each each;
        Site& away = each.space.admit({"away"});
        Site& third = each.space.admit({"third"});
        each.space[first].put("c", "r", {{"n", Value(1)}});
        each.space.converge();
        Site& overwriter = each.space[1 - first];
        overwriter.put("c", "other", {{"n", Value(1)}});
        Seq const start = overwriter->vector().at(overwriter.actor());
        overwriter.put("c", "r", {{"n", Value(2)}});
        Dot const last{overwriter.actor(), start + 1};
        each.space.converge();
        test::cut(away, overwriter.actor(), start);
        third.put("c", "new", {{"n", Value(1)}});
        each.space.pull(3, 0);
        EXPECT_GT(each.transfer(each.space[0], away), 0u);
        each.expect_same(away, each.space[0]);
        auto const row = raw(away, Family::records, record_key("r"));
        ASSERT_TRUE(row);
        EXPECT_EQ(value_of(StoredRecord::decode(*row, {"c", "r"})).last, last);
    }
}

// Kept sums say what its disk has lost: rows that are missing, and one that fell back to an older
// state. The receiver has written, so that it cannot compare the root.
TEST_F(DamagedStates, D20_a_source_whose_disk_has_lost_records_gives_no_state_without_them) {
    for (bool fell_back : {false, true}) {
        SCOPED_TRACE(fell_back);
        Each each;
        each.fill(6);
        Site& away = each.space.admit({"away"});
        auto const old = raw(each.space[0], Family::records, record_key("x3"));
        each.space[0].patch("c", "x3", {{"more", Value(3)}});
        each.space.converge();
        each.cut(each.space[0]);
        Site& source = each.space[0];
        source.put("c", "new", {{"n", Value(1)}});
        away.put("c", "own", {{"n", Value(1)}});
        put_raw(source, Family::records, record_key("x3"), fell_back ? old : std::nullopt);
        std::optional<Error> refused;
        while (!refused) {
            auto const ask = *away->state_ask(each.id(source));
            auto const part = source->give_state(each.id(away), ask, {kStatePartBytes, 2});
            if (!part)
                refused = part.error();
            else
                ASSERT_FALSE(value_of(each.take(source, away, *part))) << "with the record lost";
        }
        EXPECT_EQ(refused->code, Errc::corruption);
        EXPECT_FALSE(source->damaged_records().empty());
        mend(source);
        EXPECT_TRUE(RecordRepair::rows_missing(*source))
            << "nothing is given before an admin has told";
        auto const ask = *away->state_ask(each.id(source));
        source.clock.advance(20'000);
        EXPECT_FALSE(source->give_state(each.id(away), ask, {kStatePartBytes, 2}));
        // Of one that fell back to what was cut nothing tells that it did.
        if (fell_back) continue;
        each.space.pull(0, 1);
        repair_with(source, each.space[1], kStandIn);
        EXPECT_EQ(source->root(), each.space[1]->root());
        EXPECT_EQ(source.field("c", "x3", "more"), Value(3));
        value_of(RecordRepair::note_rows_complete(*source));
        // What has come of the same state is refused: it lacks the record.
        Result<bool> taken = false;
        while (taken && !*taken)
            taken = each.take(source, away, each.part(source, away));
        EXPECT_THAT(taken.error().message, testing::HasSubstr("its root differs"));
        EXPECT_EQ(away.field("c", "x3", "more"), Value(3));
        away.clock.advance(kStateRetryMs);
        EXPECT_GT(each.transfer(source, away), 0u);
        EXPECT_EQ(away.field("c", "x3", "more"), Value(3));
        EXPECT_EQ(away.field("c", "own", "n"), Value(1));
    }
}

// Where rows may be missing, only those wait for an admin of which we had seen what did not come.
TEST_F(DamagedStates, D20_new_records_of_a_state_can_be_read_where_rows_may_be_missing) {
    fill(6);
    Site& away = space.admit({"away"});
    space.converge();
    space[0].patch("c", "x3", {{"early", Value(1)}});
    space.converge();
    for (auto const& site : space.sites())
        cut(*site);
    away.engine->make_unreadable(Family::records, record_key("x3"));
    check(away);
    ASSERT_FALSE(raw(away, Family::records, record_key("x3")));
    space[0].patch("c", "x3", {{"late", Value(2)}});
    space[0].put("c", "x9", {{"late", Value(2)}});
    space.pull(0, 1);
    away.put("c", "own", {{"n", Value(1)}});
    EXPECT_GT(transfer(space[0], away), 0u);
    EXPECT_EQ(away.field("c", "x9", "late"), Value(2));
    EXPECT_FALSE(away->record_at({"c", "x3"}));
    space.pull(2, 0);
    space.pull(0, 2);
    space.pull(0, 1);
    mend(away);
    repair_with(away, space[0], kAdmin);
    expect_same(away, space[0]);
    EXPECT_EQ(away.field("c", "x3", "early"), Value(1));
}

}  // namespace
}  // namespace inos::test
