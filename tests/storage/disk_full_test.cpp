// A disk that is full, or nearly: what a replica takes then, and how it goes on by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/record_repair.hpp"
#include "tests/storage/states_support.hpp"

namespace inos::test {
namespace {

using ::testing::HasSubstr;
using Outcome = FaultEngine::Outcome;

constexpr std::uint64_t kMib = 1u << 20;
constexpr DiskSpace kRoomy{8'192 * kMib, 16'384 * kMib};

TEST(DiskSpaceMarks, D19_are_a_part_of_a_small_disk) {
    SpaceMarks const marks;
    std::uint64_t const big = 1u << 20, foreign = 256, own = 64;
    for (auto const& [free, room] : {std::pair{own - 1, Room::removals},
                                     {own, Room::own},
                                     {foreign - 1, Room::own},
                                     {foreign, Room::everything}})
        EXPECT_EQ(room_on(DiskSpace{free * kMib, big * kMib}, marks), room) << free;
    // 100 MiB: 5 MiB and 1.25 MiB.
    for (auto const& [free, room] : {std::pair{kMib, Room::removals},
                                     {kMib * 5 / 4, Room::own},
                                     {5 * kMib - 1, Room::own},
                                     {5 * kMib, Room::everything}})
        EXPECT_EQ(room_on(DiskSpace{free, 100 * kMib}, marks), room) << free;
    EXPECT_EQ(room_on(std::nullopt, marks), Room::everything);
    EXPECT_EQ(room_on(DiskSpace{0, 100 * kMib}, kNoMarks), Room::everything);
    EXPECT_EQ(foreign_mark(DiskSpace{0, 100 * kMib}, marks), 5 * kMib);
}

class DiskFull : public ::testing::Test {
protected:
    static constexpr char kSchema[] = R"({"c": {"fields": {"n": {"type": "counter"}}}})";

    void SetUp() override {
        site.set_schema(kSchema);
        space.converge();
    }
    static Transaction increment(std::string request) {
        Transaction transaction{
            "test",
            {{Write::Kind::patch, {"c", "x"}, {{"n", Value(Object{{"$inc", Value(1)}})}}, {}}}};
        transaction.request = {std::move(request), "increment"};
        return transaction;
    }
    Result<Committed> ask(std::string request) {
        return site->commit({increment(std::move(request))}).front();
    }
    void expect_sound() {
        EXPECT_EQ(value_of(site->recompute_root()), site->root());
        value_of(site->check_indexes());
        EXPECT_FALSE(site->failed());
        EXPECT_EQ(site->disk_status().state, DiskState::ok);
        space.converge();
        EXPECT_EQ(space[1]->root(), site->root());
        EXPECT_EQ(space[1]->vector(), site->vector());
    }
    // The n-th write from now finds the disk full.
    void fill_at(std::size_t write, Outcome outcome) {
        site.engine->fail_write(write, outcome, Errc::no_space);
    }

    Space space{2};
    Site& site = space[0];
};

TEST_F(DiskFull, D19_a_replica_goes_on_without_a_new_start_and_W3_a_retry_is_done_once) {
    int n = 0;
    for (Outcome const outcome : {Outcome::lost, Outcome::kept}) {
        std::string const request = "request " + std::to_string(n);
        ActorId const actor = site.actor();
        fill_at(1, outcome);
        EXPECT_EQ(ask(request).error().code, Errc::no_space);
        EXPECT_TRUE(site->failed());
        Error const refused = ask(request).error();
        EXPECT_EQ(refused.code, Errc::no_space);
        EXPECT_THAT(refused.message, HasSubstr("goes on by itself"));
        bool const kept = outcome == Outcome::kept;
        Value const shown = site.field("c", "x", "n");
        EXPECT_EQ(shown, kept ? Value(n + 1) : Value()) << "reads go on";
        value_of(site->recover());
        EXPECT_EQ(site.engine->recoveries(), n + 1u);
        EXPECT_EQ(value_of(ask(request)).replayed, kept);
        EXPECT_EQ(site.field("c", "x", "n"), Value(++n));
        EXPECT_EQ(site->doubt(), Doubt::none);
        EXPECT_EQ(site->actor(), actor);
        expect_sound();
    }
    value_of(site->recover());
    EXPECT_EQ(site.engine->recoveries(), 2u) << "there was nothing to do";
}

TEST_F(DiskFull, D19_it_goes_on_only_when_there_is_room_above_the_mark) {
    site.engine->set_space(kRoomy);
    fill_at(1, Outcome::lost);
    EXPECT_FALSE(ask("one"));
    site.engine->fill(true);
    EXPECT_EQ(site->recover().error().code, Errc::no_space);
    EXPECT_EQ(site.engine->recoveries(), 0u);
    EXPECT_EQ(site->disk_status().state, DiskState::full);
    EXPECT_THAT(site->disk_status().words(), HasSubstr("256 MiB"));
    site.engine->fill(false);
    site.engine->set_space(DiskSpace{255 * kMib, kRoomy.total});
    EXPECT_EQ(site->recover().error().code, Errc::no_space);
    EXPECT_TRUE(site->failed());
    site.engine->set_space(DiskSpace{256 * kMib, kRoomy.total});
    value_of(site->recover());
    EXPECT_FALSE(value_of(ask("one")).replayed);
    expect_sound();
}

TEST_F(DiskFull, W4_no_other_failure_is_gone_on_after) {
    site.engine->fail_write(1, Outcome::lost, Errc::io);
    EXPECT_EQ(ask("one").error().code, Errc::io);
    Error const error = site->recover().error();
    EXPECT_EQ(error.code, Errc::io);
    EXPECT_THAT(error.message, HasSubstr("start the node again"));
    EXPECT_EQ(site->disk_status().state, DiskState::failed);
    EXPECT_EQ(site.engine->recoveries(), 0u);
    site.engine->fail_write(1, Outcome::lost, Errc::no_space);
    EXPECT_EQ(site->recover().error().code, Errc::io) << "the first failure counts";
    site.reopen();
    expect_sound();
}

TEST_F(DiskFull, D19_one_that_is_full_again_while_it_is_read_stays_as_it_was) {
    for (auto const outcome : {Outcome::lost, Outcome::kept}) {
        value_of(ask("before"));
        fill_at(1, outcome);
        EXPECT_FALSE(ask("one" + std::to_string(static_cast<int>(outcome))));
        auto const vector = site->vector();
        site.engine->fail_reads(true);
        EXPECT_FALSE(site->recover());
        EXPECT_TRUE(site->failed());
        EXPECT_EQ(site->vector(), vector) << "nothing is forgotten for what cannot be read";
        site.engine->fail_reads(false);
        value_of(site->recover());
        expect_sound();
    }
}

// What is on the disk leaves the node though nothing can be written: no signature has to be kept.
TEST_F(DiskFull, C4_what_was_acknowledged_reaches_others_while_the_disk_is_full) {
    value_of(ask("one"));
    site.engine->fill(true);
    EXPECT_FALSE(ask("two"));
    space.pull(0, 1);
    EXPECT_EQ(space[1].field("c", "x", "n"), Value(1));
    EXPECT_EQ(space[1]->vector(), site->vector());
}

TEST_F(DiskFull, C4_what_is_not_synced_does_not) {
    SpaceSetup setup;
    setup.durability = Durability::flushed;
    Space flushed(2, setup);
    flushed[0].put("c", "a", {});
    flushed[0].engine->fill(true);
    EXPECT_EQ(flushed[0]->collect({}, 1'000).error().code, Errc::no_space);
    EXPECT_EQ(flushed[0]->collect({}, 1'000).error().code, Errc::no_space);
    flushed[0].engine->fill(false);
    value_of(flushed[0]->recover());
    flushed.pull(0, 1);
    EXPECT_TRUE(flushed[1].get("c", "a"));
}

TEST_F(DiskFull, D19_members_that_a_failed_write_made_known_are_known_afterwards) {
    Certificate other = space[1].certificate;
    other.actor = ActorId{77};
    std::vector<std::string> const set{issue(other, site.keys.identity)};
    fill_at(1, Outcome::kept);
    EXPECT_FALSE(site->add_statements(set));
    auto const before = site->shared_membership();
    value_of(site->recover());
    EXPECT_TRUE(site->membership().by_actor(other.actor));
    EXPECT_FALSE(before->by_actor(other.actor)) << "what other threads hold never changes";
    EXPECT_EQ(value_of(site->add_statements(set)), 0u);
    expect_sound();
}

TEST_F(DiskFull, D19_a_new_actor_that_a_failed_write_has_taken_is_gone_on_with) {
    for (auto const outcome : {Outcome::lost, Outcome::kept}) {
        ActorId const actor = site->actor();
        // Its rights are changed, so the next write takes a new actor.
        Space two({{"site0", Role::admin, {}}, {"shop", Role::writer, {}}});
        two[1].put("c", "a", {});
        two.converge();
        value_of(two[0]->change_role(two[1].keys.identity.public_key, Role::writer, {"c", "d"}));
        value_of(two[1]->add_statements(two[0]->membership().all_bytes()));
        ActorId const old = two[1]->actor();
        two[1].engine->fail_write(1, outcome, Errc::no_space);
        EXPECT_FALSE(two[1].try_commit({{Write::Kind::put, {"c", "b"}, {}, {}}}));
        value_of(two[1]->recover());
        bool const kept = outcome == Outcome::kept;
        EXPECT_EQ(two[1]->actor() != old, kept);
        two[1].put("c", "b", {});
        EXPECT_NE(two[1]->actor(), old);
        EXPECT_EQ(two[1]->vector().at(two[1]->actor()), 1u);
        value_of(two[0]->add_statements(two[1]->membership().all_bytes()));
        two.converge();
        EXPECT_EQ(two[0]->root(), two[1]->root());
        EXPECT_EQ(site->actor(), actor);
    }
}

// A ticket for the scrub that was taken before an erasure does not stand for it.
TEST_F(DiskFull, A17_an_erasure_whose_write_failed_is_scrubbed) {
    site.put("c", "person", {});
    auto const ticket = site->scrub_ticket();
    fill_at(1, Outcome::kept);
    EXPECT_FALSE(site.try_commit({{Write::Kind::erase, {"c", "person"}, {}, {}}}));
    value_of(site->recover());
    EXPECT_TRUE(site->is_erased(RecordName{"c", "person"}));
    EXPECT_TRUE(site->needs_scrub());
    value_of(site->scrubbed(ticket));
    EXPECT_TRUE(site->needs_scrub());
    value_of(site->scrubbed(site->scrub_ticket()));
    EXPECT_FALSE(site->needs_scrub());
    expect_sound();
}

TEST_F(DiskFull, D17_a_repair_under_way_begins_again) {
    for (int i = 0; i < 30; ++i)
        site.put("c", "k" + std::to_string(i), {{"a", Value(i)}});
    std::size_t steps = 0;
    for (std::size_t at = 0; at < 40; ++at) {
        RecordRepair repair(*site);
        for (std::size_t i = 0; i < at; ++i)
            (void)repair.step(200);
        fill_at(1, at % 2 == 0 ? Outcome::kept : Outcome::lost);
        EXPECT_FALSE(site.try_commit(
            {{Write::Kind::put, {"c", "y"}, {{"a", Value(100 + static_cast<int>(at))}}, {}},
             {Write::Kind::delete_, {"c", "k3"}, {}, {}}}));
        value_of(site->recover());
        site.put("c", "y" + std::to_string(at), {});
        bool end = false;
        for (int i = 0; i < 1'000 && !end; ++i, ++steps)
            end = value_of(repair.step(200));
        ASSERT_TRUE(end);
        EXPECT_EQ(repair.take_report().mended, 0u) << at;
        ASSERT_EQ(value_of(site->recompute_root()), site->root()) << at;
    }
    EXPECT_GT(steps, 400u);
    expect_sound();
}

// ---- little room ----------------------------------------------------------------------------

class LittleRoom : public DiskFull {
protected:
    void leave(std::uint64_t mib) { site.engine->set_space(DiskSpace{mib * kMib, kRoomy.total}); }
};

TEST_F(LittleRoom, D19_entries_of_others_are_refused_first_and_nothing_is_latched) {
    space[1].put("c", "theirs", {});
    auto const batch = value_of(space[1]->collect(site->vector(), 100'000));
    leave(100);
    EXPECT_EQ(site->disk_status().state, DiskState::low);
    EXPECT_FALSE(site->has_room());
    auto const refused = site->apply(batch);
    EXPECT_EQ(refused.error().code, Errc::no_space);
    EXPECT_THAT(refused.error().message, HasSubstr("only 100 MiB"));
    EXPECT_FALSE(site->failed());
    value_of(ask("one"));
    value_of(site->acknowledge());
    leave(256);
    EXPECT_TRUE(site->has_room());
    EXPECT_EQ(value_of(site->apply(batch)).applied, 1u);
    expect_sound();
}

TEST_F(LittleRoom, D19_below_the_lower_mark_only_deletes_and_erasures_are_taken) {
    for (char const* key : {"a", "b", "c", "d"})
        site.put("c", key, {});
    value_of(ask("before"));
    leave(63);
    EXPECT_EQ(site->disk_status().state, DiskState::lower);
    std::size_t const writes = site.engine->writes();
    EXPECT_EQ(ask("one").error().code, Errc::no_space);
    Write const put{Write::Kind::put, {"c", "e"}, {}, {}};
    Write const patch{Write::Kind::patch, {"c", "a"}, {{"z", Value(1)}}, {}};
    Write const remove{Write::Kind::delete_, {"c", "a"}, {}, {}};
    EXPECT_EQ(site.try_commit({put}).error().code, Errc::no_space);
    EXPECT_EQ(site.try_commit({patch}).error().code, Errc::no_space);
    EXPECT_EQ(site.try_commit({remove, put}).error().code, Errc::no_space);
    EXPECT_EQ(site.engine->writes(), writes) << "refused before they are begun";
    EXPECT_TRUE(value_of(ask("before")).replayed) << "what was done is still said";
    site.erase("c", "a");
    site.erase_for_good("c", "b");
    // In one group each is judged for itself.
    auto const group =
        site->commit({{"test", {put}}, {"test", {{Write::Kind::delete_, {"c", "d"}, {}, {}}}}});
    EXPECT_FALSE(group[0]);
    EXPECT_TRUE(group[1]);
    EXPECT_FALSE(site->failed());
    EXPECT_FALSE(site.get("c", "a") || site.get("c", "d"));
    leave(256);
    expect_sound();
}

TEST_F(LittleRoom, D19_what_makes_room_goes_on) {
    for (int i = 0; i < 20; ++i)
        site.put("c", "x" + std::to_string(i), {{"a", Value(i)}});
    space.converge();
    leave(10);
    for (int i = 0; i < 20; ++i)
        site.erase("c", "x" + std::to_string(i));
    for (int round = 0; round < 2; ++round) {
        space.pull(0, 1);
        space.acknowledge();
    }
    EXPECT_EQ(value_of(site->purge(1'000)), 20u);
    EXPECT_GT(value_of(cut_log(*site, 0, 1'000)), 0u);
    value_of(site->forget_requests(1'000));
    EXPECT_FALSE(site->failed());
    leave(256);
    expect_sound();
}

class StatesWithLittleRoom : public States {};

TEST_F(StatesWithLittleRoom, D15_a_state_waits_for_room_and_goes_on_where_it_was) {
    fill(40);
    cut(space[0]);
    Site& away = space.admit({"away"});
    transfer_some(space[0], away);
    auto const progress = *away->state_progress();
    away.engine->set_space(DiskSpace{kMib, kRoomy.total});
    StatePart const next = part(space[0], away, 1);
    EXPECT_EQ(take(space[0], away, next).error().code, Errc::no_space);
    EXPECT_EQ(away->state_progress()->here, progress.here);
    away.engine->set_space(kRoomy);
    // Now it is full in earnest, in the middle of it.
    away.engine->fail_write(1, Outcome::lost, Errc::no_space);
    EXPECT_EQ(take(space[0], away, next).error().code, Errc::no_space);
    value_of(away->recover());
    ASSERT_TRUE(away->state_progress());
    EXPECT_EQ(away->state_progress()->here, progress.here);
    EXPECT_GT(transfer(space[0], away, 1), 10u);
    expect_same(away, space[0]);
}

// Who was given a state gets the next part of the same, or a new one.
TEST_F(StatesWithLittleRoom, D15_a_source_whose_disk_was_full_gives_on) {
    fill(40);
    cut(space[0]);
    Site& away = space.admit({"away"});
    transfer_some(space[0], away);
    space[0].engine->fail_write(1, Outcome::lost, Errc::no_space);
    EXPECT_FALSE(space[0].try_commit({{Write::Kind::put, {"c", "y"}, {}, {}}}));
    EXPECT_EQ(space[0]->give_state(id(away), *away->state_ask(id(space[0])), {}).error().code,
              Errc::no_space);
    value_of(space[0]->recover());
    space[0].clock.advance(60'000);
    EXPECT_GT(transfer(space[0], away, 1), 0u);
    expect_same(away, space[0]);
}

}  // namespace
}  // namespace inos::test
