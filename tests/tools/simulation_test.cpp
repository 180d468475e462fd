// The simulator's own parts: the disk that forgets, the network's faults, and checkers that see
// what is wrong.
#include "tools/simulation/simulation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/schema_document.hpp"
#include "tools/simulation/checkers.hpp"
#include "tools/simulation/rebuild.hpp"

namespace inos::sim {
namespace {

using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::ThrowsMessage;

WriteBatch put(char const* key, char const* value) {
    WriteBatch batch;
    batch.put(Family::records, key, value);
    return batch;
}

std::optional<std::string> read(FaultEngine const& engine, char const* key) {
    return value_of(engine.get(Family::records, key));
}

// ---- disk ---------------------------------------------------------------------------------------

TEST(FaultEngine, a_loss_of_power_keeps_what_was_synced_and_a_prefix_of_the_rest) {
    FaultEngine engine(std::make_unique<MemoryEngine>());
    value_of(engine.write(put("a", "1"), Durability::flushed));
    value_of(engine.write(put("b", "1"), Durability::synced));  // and all before it
    value_of(engine.write(put("a", "2"), Durability::flushed));
    value_of(engine.write(put("a", "3"), Durability::flushed));
    value_of(engine.write(put("c", "1"), Durability::flushed));
    EXPECT_EQ(engine.unsynced(), 3u);
    engine.lose_unsynced(1);
    EXPECT_EQ(read(engine, "a"), "2");
    EXPECT_EQ(read(engine, "b"), "1");
    EXPECT_EQ(read(engine, "c"), std::nullopt);
    EXPECT_EQ(engine.unsynced(), 0u);
}

TEST(FaultEngine, nothing_happens_after_the_call_in_which_power_is_lost) {
    for (auto const outcome : {FaultEngine::Outcome::lost, FaultEngine::Outcome::kept}) {
        FaultEngine engine(std::make_unique<MemoryEngine>());
        int deaths = 0;
        engine.die_at_call(2, outcome, [&deaths] { ++deaths; });
        EXPECT_TRUE(engine.get(Family::records, "a"));
        EXPECT_FALSE(engine.write(put("a", "1"), Durability::synced));
        EXPECT_FALSE(engine.write(put("b", "1"), Durability::synced));
        EXPECT_FALSE(engine.get(Family::records, "a"));
        EXPECT_FALSE(engine.scan(Family::records, "a", "z")->status());
        EXPECT_EQ(deaths, 1);
        bool const kept = outcome == FaultEngine::Outcome::kept;
        EXPECT_EQ(engine.unsynced(), kept ? 1u : 0u);  // the sync never came back
        engine.heal();
        EXPECT_EQ(read(engine, "a").has_value(), kept);
        EXPECT_EQ(read(engine, "b"), std::nullopt);
    }
}

TEST(FaultEngine, a_full_disk_takes_nothing_until_there_is_room) {
    FaultEngine engine(std::make_unique<MemoryEngine>());
    engine.fill(true);
    EXPECT_EQ(engine.write(put("a", "1"), Durability::synced).error().code, Errc::no_space);
    EXPECT_EQ(read(engine, "a"), std::nullopt);
    engine.fill(false);
    EXPECT_TRUE(engine.write(put("a", "1"), Durability::synced));
}

// ---- network ------------------------------------------------------------------------------------

struct Two {
    SimWorld world{SimOptions{.seed = 3, .store_delay_ms = 0}};
    SimNode& a = world.found("a");
    SimNode& b = world.member("b");

    Two() {
        world.connect(b, a);
        EXPECT_TRUE(world.converge());
        world.step(1'000);
        EXPECT_TRUE(a.connected_with("b"));
    }
    void write() { a.put("c", "x", R"({"n": 1})"); }
};

TEST(SimNetwork, a_paused_node_hears_what_was_said_when_it_goes_on) {
    Two two;
    two.world.network().pause("b");
    two.write();
    two.world.step(10'000);
    EXPECT_FALSE(two.world.all_equal());
    two.world.network().resume("b");
    EXPECT_TRUE(two.world.converge(100));  // by the same connection
}

TEST(SimNetwork, peers_give_up_on_a_node_that_is_paused_for_long) {
    Two two;
    two.world.network().pause("b");
    two.world.step(SimNetwork::kIdleTimeoutMs + 1'000);
    EXPECT_FALSE(two.a.connected_with("b"));
    two.world.network().resume("b");
    EXPECT_TRUE(two.world.converge());
}

TEST(SimNetwork, one_direction_is_not_the_other) {
    Two two;
    two.world.network().partition_one_way("b", "a");
    two.write();
    EXPECT_TRUE(two.world.converge(1'000));
    EXPECT_FALSE(two.world.network().reachable("a", "b"));
    two.b.put("c", "y", R"({"n": 2})");
    EXPECT_FALSE(two.world.converge(SimWorld::kHealMs));
    two.world.network().heal_all();
    EXPECT_TRUE(two.world.converge());
}

TEST(SimNetwork, a_spoiled_frame_ends_the_connection_and_loses_nothing) {
    for (std::size_t i = 0; i < kFrameFaults; ++i) {
        SCOPED_TRACE(i);
        Two two;
        auto const fault = static_cast<FrameFault>(i);
        SimNetwork& network = two.world.network();
        std::size_t const dials = network.dials().size();
        network.spoil_next("b", "a", fault);
        network.cut("a", "b");  // a new connection begins with several frames
        two.write();
        two.world.step(SimNetwork::kIdleTimeoutMs);
        EXPECT_TRUE(two.world.converge());
        EXPECT_EQ(network.spoiled(fault), 1u);
        EXPECT_THAT(network.dials(), SizeIs(Ge(dials + 2)));  // after the cut, and after the fault
    }
}

TEST(SimNetwork, a_reader_that_takes_nothing_leaves_its_sender_waiting) {
    Two two;
    two.world.network().set_reading("b", 0);
    two.write();
    EXPECT_FALSE(two.world.converge(5'000));
    two.world.network().set_reading("b", std::nullopt);
    EXPECT_TRUE(two.world.converge(1'000));
}

// ---- checkers -----------------------------------------------------------------------------------

// Two nodes that hold one order, as the ledger says.
struct Checked : Two {
    Ledger ledger;
    Tape tape = Tape::seeded(1);

    Checked() {
        Asked& asked = ledger.ask();
        asked.source = "t1";
        asked.writes.push_back(
            {Write::Kind::put, {kOrders, "o1"}, Object{{"n", Value(std::int64_t{1})}}, {}});
        a.submit({asked.source, asked.writes}, [this](Result<Committed> const& result) {
            ledger.at(1).outcome = Outcome::acknowledged;
            ledger.at(1).dot = result->dot;
        });
        EXPECT_TRUE(world.converge());
    }
    void end() { check_end(world, ledger, tape); }
};

TEST(Checkers, agree_with_what_is_right) {
    Checked run;
    EXPECT_NO_THROW(run.end());
    EXPECT_NO_THROW(check_seen(run.world, run.ledger, 10));
}

TEST(Checkers, miss_what_was_acknowledged_and_is_gone) {
    Checked run;
    Asked& asked = run.ledger.ask();
    asked.outcome = Outcome::acknowledged;
    asked.dot = Dot{run.a.replica().actor(), 77};
    EXPECT_THAT([&] { run.end(); }, ThrowsMessage<CheckFailed>(HasSubstr("I1: t2")));
}

TEST(Checkers, find_what_was_refused_and_is_there) {
    Checked run;
    run.ledger.at(1).outcome = Outcome::refused;
    EXPECT_THAT([&] { run.end(); }, ThrowsMessage<CheckFailed>(HasSubstr("I1: t1")));
}

TEST(Checkers, see_another_value_than_the_one_that_was_written) {
    Checked run;
    run.b.put(kOrders, "o1", R"({"n": 5})");
    EXPECT_TRUE(run.world.converge());
    EXPECT_THAT([&] { check_seen(run.world, run.ledger, 10); },
                ThrowsMessage<CheckFailed>(HasSubstr("I8")));
    EXPECT_THAT([&] { run.end(); }, ThrowsMessage<CheckFailed>(HasSubstr("I1")));
}

TEST(Checkers, see_an_index_that_lacks_a_record) {
    Checked run;
    run.a.commit({{Write::Kind::delete_, {kOrders, "o1"}, {}, {}}});
    EXPECT_NO_THROW(check_indexes(run.a));
    auto const index = contents(run.a.engine(), Family::index);
    WriteBatch batch;
    for (auto const& [at, value] : index)
        if (at.second.size() > 4 && at.second[4] == 'd') batch.remove(Family::index, at.second);
    ASSERT_THAT(batch.changes, testing::Not(IsEmpty()));
    value_of(run.a.engine().write(batch, Durability::synced));
    EXPECT_THAT([&] { check_indexes(run.a); }, ThrowsMessage<CheckFailed>(HasSubstr("I3")));
}

TEST(Checkers, see_a_node_that_came_back_with_less) {
    Checked run;
    VersionVector before = run.b.replica().vector();
    before.raise(run.a.replica().actor(), 50);
    EXPECT_THAT([&] { check_recovered(run.world, run.b, before, true, run.ledger); },
                ThrowsMessage<CheckFailed>(HasSubstr("I8")));
}

TEST(Simulation, the_same_seed_gives_the_same_lines) {
    auto const lines = [](std::uint64_t seed) {
        std::string all;
        run_seed(seed, {[&all](std::string const& line) { all += line + '\n'; }});
        return all;
    };
    EXPECT_EQ(lines(7), lines(7));
    EXPECT_NE(lines(7), lines(8));
}

}  // namespace
}  // namespace inos::sim
