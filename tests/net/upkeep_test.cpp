// Acknowledgements travel between nodes, deleted records are purged everywhere, and erasures are
// confirmed by every site.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/schema_document.hpp"
#include "tools/simulation/sim_world.hpp"

namespace inos {
namespace {

using sim::SimNode;
using sim::SimWorld;

struct Chain {
    SimWorld world{{.seed = 5, .store_delay_ms = 3}};
    SimNode& a = world.found("a");
    SimNode& b = world.member("b");
    SimNode& c = world.member("c", Role::reader);

    Chain() {
        world.connect(a, b);
        world.connect(b, c);
    }
    void erase(SimNode& at, char const* key) {
        at.commit({{Write::Kind::erase, {"c", key}, {}, {}}});
    }
    void remove(SimNode& at, char const* key) {
        at.commit({{Write::Kind::delete_, {"c", key}, {}, {}}});
    }
};

TEST(Upkeep, a_deleted_record_is_purged_at_every_site_though_they_meet_through_others) {
    Chain chain;
    chain.a.put("c", "x", R"({"n": 1})");
    ASSERT_TRUE(chain.world.converge());
    chain.remove(chain.b, "x");
    auto const purged = [&] {
        return chain.a.logged("purged") + chain.b.logged("purged") + chain.c.logged("purged") == 3;
    };
    EXPECT_TRUE(chain.world.run_until(purged, 400'000));
    EXPECT_TRUE(chain.world.all_equal());
}

// What a site drops while it goes on exchanging with those that still hold it is not fetched again,
// neither on the connection nor on a new one.
TEST(Upkeep, A14_what_was_purged_here_is_not_fetched_again_from_those_who_hold_it) {
    Chain chain;
    chain.a.put("c", "x", R"({"n": 1})");
    ASSERT_TRUE(chain.world.converge());
    chain.remove(chain.b, "x");
    auto const cells = [](SimNode& node) {
        return sim::value_of(node.replica().record_at({"c", "x"})).cells().size();
    };
    ASSERT_TRUE(chain.world.run_until([&] { return cells(chain.a) == 0; }, 400'000));
    ASSERT_GT(cells(chain.b) + cells(chain.c), 0u) << "all have purged at once";
    auto const frames = chain.world.network().frames();
    for (int i = 0; i < 50; ++i) {
        if (i == 20) chain.a.restart();
        chain.world.step(3'000);
        EXPECT_EQ(cells(chain.a), 0u);
    }
    EXPECT_LT(chain.world.network().frames() - frames, 60u);  // acknowledgements, one handshake
    EXPECT_EQ(cells(chain.b) + cells(chain.c), 0u);
    EXPECT_EQ(chain.a.logged("purged"), 1u);
    EXPECT_TRUE(chain.world.all_equal());
}

TEST(Upkeep, A16_old_entries_are_cut_at_every_site_and_the_exchange_goes_on) {
    SimWorld world({.seed = 6, .log_retention_ms = 30'000});
    SimNode& a = world.found("a");
    SimNode& b = world.member("b");
    world.connect(a, b);
    for (int n = 0; n < 50; ++n)
        (n % 2 == 0 ? a : b)
            .put("c", "x" + std::to_string(n % 3), R"({"n": )" + std::to_string(n) + "}");
    ASSERT_TRUE(world.converge());
    auto const log_keys = [](SimNode& node) {
        return sim::contents(node.engine(), Family::log).size();
    };
    ASSERT_GT(log_keys(a), 50u);
    EXPECT_TRUE(world.run_until([&] { return log_keys(a) + log_keys(b) <= 4; }, 400'000));
    a.restart();
    a.put("c", "x0", R"({"n": 200})");
    ASSERT_TRUE(world.converge());
    EXPECT_EQ(b.field("c", "x0", "n"), Value(200));
    EXPECT_EQ(a.logged("alarm") + b.logged("alarm"), 0u);
}

TEST(Upkeep, A3_nothing_is_purged_while_one_site_is_away) {
    Chain chain;
    chain.a.put("c", "x", R"({"n": 1})");
    ASSERT_TRUE(chain.world.converge());
    chain.world.step(130'000);
    chain.c.stop();
    chain.remove(chain.a, "x");
    chain.world.step(400'000);
    EXPECT_EQ(chain.a.logged("purged") + chain.b.logged("purged"), 0u);
    ASSERT_EQ(chain.a.replica().purge_blockers().size(), 1u);
    EXPECT_EQ(chain.a.replica().purge_blockers()[0].name, "c");
    chain.c.start();
    EXPECT_TRUE(chain.world.run_until([&] { return chain.a.logged("purged") == 1; }, 400'000));
}

TEST(Upkeep, A17_an_erasure_is_confirmed_by_every_site) {
    Chain chain;
    chain.a.put("c", "x", R"({"n": "secret"})");
    ASSERT_TRUE(chain.world.converge());
    chain.erase(chain.a, "x");
    auto const confirmed = [&] {
        auto const status = chain.b.replica().erasure_status();
        return status.size() == 1 && status[0].done.size() == 3;
    };
    EXPECT_TRUE(chain.world.run_until(confirmed, 400'000));
    for (SimNode* node : {&chain.a, &chain.b, &chain.c}) {
        EXPECT_EQ(node->engine().scrubs(), 1u);
        for (auto const& [key, value] : sim::contents(node->engine()))
            EXPECT_EQ(value.find("secret"), std::string::npos);
    }
    EXPECT_TRUE(chain.world.all_equal());
}

TEST(Upkeep, nothing_is_said_when_nothing_has_changed) {
    Chain chain;
    chain.a.put("c", "x", R"({"n": 1})");
    ASSERT_TRUE(chain.world.converge());
    chain.world.step(200'000);
    auto const before = chain.a.peer("b")->bytes_out;
    chain.world.step(600'000);
    EXPECT_EQ(chain.a.peer("b")->bytes_out, before);
}

// Deleting again cannot be done here, because the records cannot be read. The others still hear
// what this site holds.
TEST(Upkeep, a_step_that_fails_does_not_keep_a_site_from_acknowledging) {
    SimWorld world{{.seed = 5}};
    SimNode& a = world.found("a");
    auto const schema = sim::object_of(R"({"c": {"delete": "delete-wins"}})");
    a.commit(schema_writes(schema, a.replica().schema_documents()));
    a.put("c", "x", R"({"n": 1})");
    world.step(130'000);
    auto const before = a.replica().acknowledgements();
    ASSERT_EQ(before.size(), 1u);
    a.commit({{Write::Kind::delete_, {"c", "x"}, {}, {}}});
    a.engine().fail_reads(true);
    world.step(130'000);
    a.engine().fail_reads(false);
    EXPECT_GT(a.logged("alarm"), 0u);
    EXPECT_NE(a.replica().acknowledgements(), before);
}

TEST(Upkeep, a_restart_keeps_what_others_have_acknowledged) {
    Chain chain;
    chain.a.put("c", "x", R"({"n": 1})");
    ASSERT_TRUE(chain.world.converge());
    chain.world.step(200'000);
    EXPECT_EQ(chain.c.replica().acknowledgements().size(), 3u);
    chain.c.restart();
    EXPECT_EQ(chain.c.replica().acknowledgements().size(), 3u);
    EXPECT_TRUE(sim::value_of(chain.c.replica().stable()) == chain.c.replica().vector());
}

// At every tick, not once a second, and told once when it cannot be done.
TEST(Upkeep, D29_builds_the_indexes_that_a_schema_asks_for) {
    SimWorld world{{.seed = 7}};
    SimNode& a = world.found("a");
    for (int round = 0; round < 3; ++round) {
        std::vector<Write> writes;
        for (int i = 0; i < 2'000; ++i)
            writes.push_back({Write::Kind::put,
                              {"c", std::to_string(round * 2'000 + i)},
                              {{"n", Value(i)}},
                              {}});
        a.commit(std::move(writes));
    }
    a.commit(schema_writes(sim::object_of(R"({"c": {"index": ["n"]}})"), {}));
    auto const is_ready = [&] { return a.replica().index_status().at(0).ready; };
    EXPECT_FALSE(is_ready());
    EXPECT_TRUE(world.run_until(is_ready, 2'000));
    sim::value_of(a.replica().check_indexes());
}

TEST(Upkeep, a_failure_that_lasts_is_told_once_a_minute) {
    SimWorld world{{.seed = 8}};
    SimNode& a = world.found("a");
    a.put("c", "x", R"({"n": 1})");
    world.step(5'000);
    a.engine().fail_reads(true);
    std::size_t const before = a.logged("alarm");
    world.step(50'000);
    EXPECT_EQ(a.logged("alarm"), before + 1);
    world.step(60'000);
    EXPECT_EQ(a.logged("alarm"), before + 2);
    a.engine().fail_reads(false);
}

}  // namespace
}  // namespace inos
