// Rights of bounded counters between peer managers on a simulated network: a decrement is refused
// where the rights are missing, they are asked for, and it succeeds when they have come.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/schema_document.hpp"
#include "tests/support/sim.hpp"
#include "tools/simulation/sim_world.hpp"

namespace inos::test {
namespace {

RecordName const kLamp{"products", "lamp"};

class PeerRights : public testing::TestWithParam<std::uint64_t> {
protected:
    PeerRights()
        : world({.seed = 5, .store_delay_ms = GetParam()}),
          a(world.found("a")),
          b(world.member("b")),
          c(world.member("c")) {
        world.connect(a, b);
        world.connect(b, c);
        world.connect(a, c);
        EXPECT_TRUE(world.run_until([&] { return connected(); }, 2'000));
        a.commit(schema_writes(
            object_of(R"({"products":{"fields":{"stock":{"type":"bounded-counter"}}}})"), {}));
        EXPECT_TRUE(world.converge(2'000));
    }

    bool connected() {
        return a.connected_with("b") && b.connected_with("c") && c.connected_with("a");
    }

    // Runs until the change is durable, or refused.
    std::optional<Error> change(SimNode& node, std::int64_t delta) {
        std::optional<Result<Committed>> result;
        Object fields{{"stock", Value(Object{{"$inc", Value(delta)}})}};
        node.commit({{Write::Kind::patch, kLamp, std::move(fields), {}}},
                    [&](Result<Committed> made) { result = std::move(made); });
        EXPECT_TRUE(world.run_until([&] { return result.has_value(); }, 1'000));
        if (*result) return std::nullopt;
        EXPECT_EQ(result->error().code, Errc::rights);
        return result->error();
    }
    // Until it succeeds; how often it was refused.
    int tries(SimNode& node, std::int64_t delta, int most = 5) {
        for (int refused = 0; refused < most; ++refused) {
            if (!change(node, delta)) return refused;
            world.step(300);
        }
        return most;
    }
    std::int64_t held(SimNode& node) {
        auto const rights = value_of(node.replica().rights(kLamp, "stock"));
        return rights ? rights->of(node.replica().actor()) : 0;
    }
    std::int64_t value(SimNode& node) {
        return *node.field("products", "lamp", "stock").as<std::int64_t>();
    }

    SimWorld world;
    SimNode& a;
    SimNode& b;
    SimNode& c;
};

INSTANTIATE_TEST_SUITE_P(Stores, PeerRights, testing::Values(0, 7));

TEST_P(PeerRights, a_refused_decrement_succeeds_after_the_rights_have_come) {
    ASSERT_FALSE(change(a, 10));
    ASSERT_TRUE(world.converge(1'000));
    auto const error = change(b, -4);
    ASSERT_TRUE(error);
    ASSERT_TRUE(error->rights);
    EXPECT_EQ(error->rights->shortage, (Shortage{4, 0, 10}));
    EXPECT_TRUE(world.run_until([&] { return held(b) == 4; }, 1'000));
    EXPECT_FALSE(change(b, -4));
    EXPECT_TRUE(world.converge(1'000));
    EXPECT_EQ(value(a), 6);
    EXPECT_EQ(value(c), 6);
}

TEST_P(PeerRights, E4_stock_is_not_sold_twice_while_the_sites_cannot_reach_each_other) {
    ASSERT_FALSE(change(a, 10));
    ASSERT_TRUE(world.converge(1'000));
    EXPECT_EQ(tries(b, -4), 1);
    world.step(1'000);  // what b asks for ahead of need arrives too
    ASSERT_TRUE(world.converge(1'000));
    for (auto const& [from, to] : {std::pair("a", "b"), {"a", "c"}, {"b", "c"}})
        world.network().partition(from, to);
    EXPECT_EQ(value(a), 6);
    EXPECT_EQ(value(b), 6);
    int sold = 0;
    for (SimNode* node : {&a, &b, &c})
        while (!change(*node, -1))
            ++sold;
    EXPECT_EQ(sold, 6);
    a.restart();
    EXPECT_TRUE(change(a, -1));
    world.network().heal_all();
    EXPECT_TRUE(world.converge());
    for (SimNode* node : {&a, &b, &c})
        EXPECT_EQ(value(*node), 0);
}

TEST_P(PeerRights, are_gathered_from_as_many_sites_as_it_takes) {
    for (SimNode* node : {&a, &b, &c})
        ASSERT_FALSE(change(*node, 5));
    ASSERT_TRUE(world.converge(1'000));
    EXPECT_LE(tries(c, -15), 2);
    EXPECT_TRUE(change(a, -1));
    EXPECT_TRUE(world.converge(1'000));
    EXPECT_EQ(value(b), 0);
}

TEST_P(PeerRights, two_sites_that_want_the_last_pieces_do_not_keep_each_other_from_them) {
    ASSERT_FALSE(change(a, 5));
    ASSERT_FALSE(change(b, 5));
    ASSERT_TRUE(world.converge(1'000));
    // Both want all, over and over, at the same moments.
    int done = 0;
    for (int round = 0; round < 20 && done == 0; ++round) {
        bool const first = !change(a, -10), second = !change(b, -10);
        done += first + second;
        world.step(100);
    }
    EXPECT_EQ(done, 1);
    EXPECT_TRUE(world.converge(1'000));
    EXPECT_EQ(value(a), 0);
}

TEST_P(PeerRights, are_asked_for_ahead_of_need_by_a_site_that_uses_them_up) {
    ASSERT_FALSE(change(a, 60));
    ASSERT_TRUE(world.converge(1'000));
    EXPECT_EQ(tries(b, -1), 1);
    EXPECT_TRUE(world.run_until([&] { return held(b) > 5; }, 3'000));
    EXPECT_GE(held(a), 20) << "half stays where it was";
    for (int i = 0; i < 6; ++i)
        EXPECT_FALSE(change(b, -1)) << i;
}

TEST_P(PeerRights, are_not_asked_for_when_there_are_not_enough_anywhere) {
    ASSERT_FALSE(change(a, 3));
    ASSERT_TRUE(world.converge(1'000));
    EXPECT_TRUE(change(b, -4));
    world.step(500);
    EXPECT_EQ(held(a), 3);
}

TEST_P(PeerRights, go_to_nobody_who_may_not_write) {
    SimNode& reader = world.member("reader", Role::reader);
    world.connect(reader, a);
    ASSERT_FALSE(change(a, 10));
    ASSERT_TRUE(world.converge(5'000));
    reader.peers().need_rights({kLamp, "stock", 4, false});
    world.step(500);
    EXPECT_EQ(held(a), 10);
    // A request for what is no bounded counter passes without effect.
    b.peers().need_rights({{"products", "chair"}, "stock", 4, false});
    b.peers().need_rights({kLamp, "name", 4, false});
    world.step(500);
    EXPECT_TRUE(connected());
}

}  // namespace
}  // namespace inos::test
