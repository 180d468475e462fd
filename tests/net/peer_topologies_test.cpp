// Many sites, and connections that break at the worst moment: everybody ends with the same.
#include <map>

#include <gtest/gtest.h>

#include "tests/support/sim.hpp"
#include "tools/simulation/sim_world.hpp"

namespace inos::test {
namespace {

enum class Shape { chain, ring, star, mesh, tree };

struct Network {
    explicit Network(Shape shape, std::size_t sites, std::uint64_t seed)
        : world({.seed = seed, .store_delay_ms = seed % 2 * 3}), tape(Tape::seeded(seed)) {
        world.found("s0");
        for (std::size_t i = 1; i < sites; ++i)
            world.member("s" + std::to_string(i));
        for (std::size_t i = 1; i < sites; ++i)
            switch (shape) {
                case Shape::chain:
                    join(i, i - 1);
                    break;
                case Shape::ring:
                    join(i, i - 1);
                    if (i + 1 == sites) join(i, 0);
                    break;
                case Shape::star:
                    join(i, 0);
                    break;
                case Shape::tree:
                    join(i, tape.below(i));
                    break;
                case Shape::mesh:
                    for (std::size_t j = 0; j < i; ++j) {
                        join(i, j);
                        if (tape.chance(50)) join(j, i);  // both dial
                    }
            }
    }
    void join(std::size_t i, std::size_t j) { world.connect(world[i], world[j]); }

    SimWorld world;
    Tape tape;
};

class Topology : public testing::TestWithParam<Shape> {};
INSTANTIATE_TEST_SUITE_P(
    Shapes,
    Topology,
    testing::Values(Shape::chain, Shape::ring, Shape::star, Shape::mesh, Shape::tree));

TEST_P(Topology, of_ten_sites_converges_to_equal_roots) {
    for (std::uint64_t seed : {1, 2}) {
        Network network(GetParam(), 10, seed);
        SimWorld& world = network.world;
        for (auto const& node : world.nodes())
            node->put("customers", node->name(), R"({"name":"x"})");
        ASSERT_TRUE(world.converge(20'000)) << seed;
        for (int round = 0; round < 5; ++round) {
            for (auto const& node : world.nodes())
                if (network.tape.chance(60))
                    node->patch("customers", "s0", R"({"visits":{"$inc":1}})");
            world.step(network.tape.below(100));
        }
        ASSERT_TRUE(world.converge(10'000)) << seed;
        for (auto const& node : world.nodes()) {
            EXPECT_EQ(value_of(node->replica().recompute_root()), world[0].replica().root());
            EXPECT_EQ(node->logged("alarm"), 0u) << node->log().back();
            EXPECT_EQ(node->replica().record_count(), 10u);
        }
        world.step(60'000);  // and who is connected with whom does not change any more
        std::size_t connections = 0;
        for (auto const& one : world.nodes())
            for (auto const& other : world.nodes())
                if (one->name() < other->name()) {
                    auto const count = world.network().connections(one->name(), other->name());
                    EXPECT_LE(count, 1u) << one->name() << " " << other->name();
                    EXPECT_EQ(count == 1, one->connected_with(other->name()));
                    EXPECT_EQ(count == 1, other->connected_with(one->name()));
                    connections += count;
                }
        std::size_t const expected = GetParam() == Shape::mesh   ? 45
                                     : GetParam() == Shape::ring ? 10
                                                                 : 9;
        EXPECT_EQ(connections, expected);
    }
}

TEST(Chain, passes_entries_on_though_the_ends_never_meet) {
    Network network(Shape::chain, 3, 3);
    SimWorld& world = network.world;
    world[0].put("customers", "ann", R"({"name":"Ann"})");
    auto const there = [&] { return world[2].field("customers", "ann", "name") == Value("Ann"); };
    EXPECT_TRUE(world.run_until(there, 3'000));
    world.network().partition("s0", "s1");
    world[2].put("customers", "cyd", R"({"name":"Cyd"})");
    world.step(2'000);
    EXPECT_EQ(world[1].field("customers", "cyd", "name"), Value("Cyd"));
    world.network().heal_all();
    EXPECT_TRUE(world.converge());
    EXPECT_EQ(world[0].field("customers", "cyd", "name"), Value("Cyd"));
}

// A first exchange of several batches in both directions, cut at each frame in turn: every run
// resumes where it was and ends with the same.
TEST(FirstSync, interrupted_at_any_frame_resumes_and_converges) {
    auto const run = [](std::uint64_t cut_at) {
        SimWorld world({.seed = 4, .store_delay_ms = 2});
        SimNode& a = world.found("a");
        SimNode& b = world.member("b");
        for (int i = 0; i < 20; ++i) {
            std::string filler;  // what does not compress
            Tape tape = Tape::seeded(static_cast<std::uint64_t>(i));
            while (filler.size() < 60'000)
                filler += static_cast<char>('0' + tape.below(70));
            for (char& c : filler)
                if (c == '"' || c == '\\') c = 'q';
            a.put("notes", "a" + std::to_string(i), "{\"text\":\"" + filler + "\"}");
            if (i < 3) b.put("notes", "b" + std::to_string(i), "{\"text\":\"" + filler + "\"}");
        }
        world.step(200);
        world.network().cut_at_frame(cut_at);
        world.connect(a, b);
        EXPECT_TRUE(world.converge(30'000)) << "cut at frame " << cut_at;
        EXPECT_TRUE(world.run_until([&] { return a.connected_with("b"); }, 10'000));
        world.step(1'000);
        EXPECT_EQ(a.logged("alarm") + b.logged("alarm"), 0u) << "cut at frame " << cut_at;
        EXPECT_EQ(b.replica().record_count(), 23u);
        EXPECT_EQ(world.network().cuts(), cut_at == 0 ? 0u : 1u);
        return world.network().frames();
    };
    std::uint64_t const frames = run(0);
    EXPECT_GT(frames, 20u);
    EXPECT_LT(frames, 80u);
    for (std::uint64_t at = 1; at <= frames; ++at)
        run(at);
}

// The morning after: a hub comes back, and many have something new. They do not all come at one
// moment, and none of them has to wait for long.
TEST(ManySites, D27_two_hundred_come_back_without_a_stampede) {
    constexpr std::size_t kSites = 200;
    SimWorld world({.seed = 27, .acknowledge_every_ms = 3'600'000});
    SimNode& hub = world.found("s0");
    for (std::size_t i = 1; i < kSites; ++i)
        world.connect(world.member("s" + std::to_string(i), Role::writer, false), hub);
    ASSERT_TRUE(world.converge(60'000));
    hub.stop();
    world.step(120'000);
    for (std::size_t i = 10; i < kSites; i += 10)
        world[i].put("customers", world[i].name(), R"({"n":1})");
    std::size_t const before = world.network().dials().size();
    std::uint64_t const opened = world.network().now_ms();
    hub.start();
    ASSERT_TRUE(world.converge(3 * kBackoffMaxMs));
    std::map<std::uint64_t, std::size_t> in_second;
    for (std::size_t i = before; i < world.network().dials().size(); ++i)
        ++in_second[(world.network().dials()[i].first - opened) / 1'000];
    for (auto const& [second, dials] : in_second)
        EXPECT_LE(dials, kSites / 4) << "in second " << second;
    EXPECT_EQ(hub.replica().record_count(), kSites / 10 - 1);
}

TEST(SimNetwork, the_same_seed_gives_the_same_run) {
    auto const run = [](std::uint64_t seed) {
        Network network(Shape::mesh, 4, seed);
        for (auto const& node : network.world.nodes())
            node->put("customers", node->name(), R"({"name":"x"})");
        network.world.step(500);
        network.world.network().cut("s0", "s1");
        network.world[2].restart();
        network.world.step(5'000);
        return network.world.network().trace();
    };
    EXPECT_EQ(run(7), run(7));
    EXPECT_NE(run(7), run(8));
}

}  // namespace
}  // namespace inos::test
