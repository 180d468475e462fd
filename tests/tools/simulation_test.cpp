// The simulator's own parts: the disk that forgets, the network's faults, and runs that can be
// repeated. Its checkers are tested in checkers_test.cpp.
#include "tools/simulation/simulation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/simulation/sim_world.hpp"

namespace inos::sim {
namespace {

using testing::Ge;
using testing::SizeIs;

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
        engine.die_at(2, FaultEngine::Counted::calls, outcome, [&deaths] { ++deaths; });
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

TEST(FaultEngine, a_loss_of_power_can_be_counted_in_writes) {
    FaultEngine engine(std::make_unique<MemoryEngine>());
    engine.die_at(2, FaultEngine::Counted::writes, FaultEngine::Outcome::lost, [] {});
    value_of(engine.write(put("a", "1"), Durability::synced));
    EXPECT_EQ(read(engine, "a"), "1");
    EXPECT_FALSE(engine.write(put("b", "1"), Durability::synced));
    EXPECT_TRUE(engine.dead());
}

TEST(FaultEngine, whoever_looks_from_outside_uses_up_no_fault) {
    FaultEngine engine(std::make_unique<MemoryEngine>());
    engine.die_at(1, FaultEngine::Counted::calls, FaultEngine::Outcome::lost, [] {});
    engine.fail_reads(true);
    {
        FaultEngine::Undisturbed const guard(engine);
        EXPECT_TRUE(engine.get(Family::records, "a"));
        EXPECT_TRUE(engine.scan(Family::records, "a", "z")->status());
        EXPECT_TRUE(engine.write(put("a", "1"), Durability::synced));
    }
    EXPECT_EQ(engine.calls(), 0u);
    EXPECT_EQ(engine.failures(DiskFault::read), 0u);
    EXPECT_FALSE(engine.get(Family::records, "a"));
    EXPECT_TRUE(engine.dead());
}

TEST(FaultEngine, failures_are_counted_by_what_they_were) {
    FaultEngine engine(std::make_unique<MemoryEngine>());
    engine.fail_write(1, FaultEngine::Outcome::kept);
    engine.fail_reads(true);
    engine.fill(true);
    EXPECT_FALSE(engine.write(put("a", "1"), Durability::synced));
    EXPECT_EQ(engine.failures(DiskFault::full), 1u);
    EXPECT_EQ(engine.failures(DiskFault::write_kept), 0u);
    engine.fill(false);
    engine.fail_write(1, FaultEngine::Outcome::kept);
    EXPECT_FALSE(engine.write(put("a", "1"), Durability::synced));
    EXPECT_FALSE(engine.get(Family::records, "a"));
    EXPECT_EQ(engine.failures(DiskFault::write_kept), 1u);
    EXPECT_EQ(engine.failures(DiskFault::read), 1u);
}

// ---- nodes --------------------------------------------------------------------------------------

TEST(SimNode, a_node_whose_disk_fails_does_not_start_and_can_be_tried_again) {
    SimWorld world;
    SimNode& a = world.found("a");
    a.crash();
    a.engine().fail_reads(true);
    EXPECT_FALSE(a.try_start());
    EXPECT_FALSE(a.running());
    a.engine().heal();
    EXPECT_TRUE(a.try_start());
    EXPECT_TRUE(a.running());
}

TEST(SimNode, power_may_be_lost_while_a_node_starts) {
    SimWorld world;
    SimNode& a = world.found("a");
    a.crash();
    a.lose_power_at(2, FaultEngine::Counted::calls, FaultEngine::Outcome::lost);
    EXPECT_FALSE(a.try_start());
    EXPECT_TRUE(a.lost_power());
    a.lose_power(0);
    EXPECT_FALSE(a.lost_power());
    EXPECT_TRUE(a.try_start());
}

TEST(SimNode, commits_that_wait_side_by_side_are_one_group) {
    SimWorld world(SimOptions{.store_delay_ms = 5});
    SimNode& a = world.found("a");
    std::size_t const writes = a.engine().writes();
    a.put("c", "x", R"({"n": 1})");
    a.put("c", "y", R"({"n": 2})");
    world.step(20);
    EXPECT_EQ(a.commits_under_way(), 0u);
    EXPECT_EQ(a.engine().writes(), writes + 1);
    EXPECT_EQ(a.groups(), 1u);
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

TEST(SimNetwork, what_a_machine_sent_arrives_though_it_has_died) {
    std::size_t arrived = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SimWorld world(SimOptions{.seed = seed});
        SimNode& a = world.found("a");
        SimNode& b = world.member("b");
        world.connect(b, a);
        EXPECT_TRUE(world.converge());
        world.step(1'000);
        world.network().set_delay(50, 50);
        a.put("c", "x", R"({"n": 1})");
        a.crash();
        world.step(1'000);
        EXPECT_FALSE(b.connected_with("a"));
        if (!b.field("c", "x", "n").is_null()) ++arrived;
    }
    EXPECT_GT(arrived, 0u);
    EXPECT_LT(arrived, 20u);
}

TEST(SimNetwork, a_block_counts_once_it_holds_something_back) {
    Two two;
    SimNetwork& network = two.world.network();
    network.partition("a", "b");
    network.heal_all();
    EXPECT_EQ(network.held_back(BlockCause::partition), 0u);
    network.partition("a", "b");
    two.write();
    two.world.step(1'000);
    EXPECT_EQ(network.held_back(BlockCause::partition), 1u);
    EXPECT_THAT(network.blocked(), SizeIs(2));
}

TEST(SimNetwork, nodes_that_are_busy_without_end_stop_the_run) {
    SimWorld world;
    std::function<void()> again = [&] { world.network().after(0, again); };
    again();
    EXPECT_THROW(world.step(1), std::runtime_error);
}

TEST(SimNetwork, a_reader_that_takes_nothing_leaves_its_sender_waiting) {
    Two two;
    two.world.network().set_reading("b", 0);
    two.write();
    EXPECT_FALSE(two.world.converge(5'000));
    two.world.network().set_reading("b", std::nullopt);
    EXPECT_TRUE(two.world.converge(1'000));
}

// ---- runs -------------------------------------------------------------------------------------

TEST(Simulation, the_same_seed_gives_the_same_lines) {
    auto const lines = [](std::uint64_t seed) {
        std::string all;
        run_seed(seed, {[&all](std::string const& line) { all += line + '\n'; }});
        return all;
    };
    EXPECT_EQ(lines(7), lines(7));
    EXPECT_NE(lines(7), lines(8));
}

TEST(Simulation, the_hash_sees_what_was_sent) {
    EXPECT_EQ(run_seed(7, {}).hash, run_seed(7, {}).hash);
    EXPECT_NE(run_seed(7, {}).hash, run_seed(8, {}).hash);
    SimWorld one, other;
    for (SimWorld* world : {&one, &other}) {
        SimNode& a = world->found("a");
        SimNode& b = world->member("b");
        world->connect(b, a);
        a.put("c", "x", world == &one ? R"({"n": 1})" : R"({"n": 2})");
        EXPECT_TRUE(world->converge());
    }
    EXPECT_EQ(one.network().frames(), other.network().frames());
    EXPECT_NE(one.network().trace(), other.network().trace());
}

}  // namespace
}  // namespace inos::sim
