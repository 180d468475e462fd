// Sites that were retired, among peers who know it and peers who do not yet.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/peer_manager.hpp"
#include "tests/support/sim.hpp"
#include "tools/simulation/sim_world.hpp"

namespace inos::test {
namespace {

using testing::HasSubstr;

class Retiring : public testing::TestWithParam<std::uint64_t> {
protected:
    Retiring()
        : world({.seed = 5, .store_delay_ms = GetParam(), .acknowledge_every_ms = 1'000}),
          a(world.found("a")),
          b(world.member("b")),
          c(world.member("c")) {}

    void retire(SimNode& by, SimNode& whom) {
        value_of(by.replica().retire(whom.keys().identity.public_key));
        by.peers().refresh();
    }
    bool knows(SimNode& node, SimNode& retired) {
        return node.replica().membership().is_retired(retired.keys().identity.public_key);
    }
    Error refusal_of_write(SimNode& node) {
        std::optional<Result<Committed>> answer;
        node.commit({{Write::Kind::put, {"customers", "x"}, {}, {}}},
                    [&](Result<Committed> result) { answer = std::move(result); });
        EXPECT_TRUE(world.run_until([&] { return answer.has_value(); }, 1'000));
        return answer && !*answer ? answer->error() : Error();
    }
    bool equal(SimNode& x, SimNode& y) {
        return x.replica().vector() == y.replica().vector() &&
               x.replica().root() == y.replica().root();
    }

    SimWorld world;
    SimNode& a;
    SimNode& b;
    SimNode& c;
};

// 0: a store that answers at once; 7: one that answers later, as the program's does.
INSTANTIATE_TEST_SUITE_P(Stores, Retiring, testing::Values(0, 7));

TEST_P(Retiring, M4_ends_the_sessions_of_the_site_at_once_and_tells_it_why) {
    world.connect(a, c);
    world.connect(b, c);
    world.connect(a, b);
    ASSERT_TRUE(world.run_until(
        [&] { return a.connected_with("c") && b.connected_with("c") && a.connected_with("b"); },
        3'000));
    retire(a, c);
    EXPECT_TRUE(world.run_until([&] { return knows(c, c) && knows(b, c); }, 1'000));
    world.step(100);
    EXPECT_FALSE(a.connected_with("c"));
    EXPECT_FALSE(b.connected_with("c"));
    Error const refused = refusal_of_write(c);
    EXPECT_EQ(refused.code, Errc::forbidden);
    EXPECT_THAT(refused.message, HasSubstr("this site was retired from the space by \"a\""));
    EXPECT_EQ(c.logged("alarm"), 1u);
    world.step(60'000);
    EXPECT_FALSE(a.connected_with("c") || b.connected_with("c") || c.connected_with("a"));
    EXPECT_TRUE(a.connected_with("b"));
}

TEST_P(Retiring, C9_a_site_that_was_away_is_told_when_it_dials) {
    world.connect(c, a);
    ASSERT_TRUE(world.run_until([&] { return c.connected_with("a"); }, 3'000));
    c.stop();
    retire(a, c);
    c.start();
    c.put("customers", "late", R"({"name":"nobody knows yet"})");
    EXPECT_TRUE(world.run_until([&] { return knows(c, c); }, 5'000));
    EXPECT_FALSE(a.connected_with("c"));
    EXPECT_EQ(a.replica().get({"customers", "late"}).value(), std::nullopt);
    EXPECT_EQ(c.field("customers", "late", "name"), Value("nobody knows yet")) << "still readable";
    c.restart();
    EXPECT_EQ(refusal_of_write(c).code, Errc::forbidden) << "it remembers";
}

TEST_P(Retiring, C9_a_site_that_only_listens_is_told_when_it_is_dialled) {
    c.stop();
    retire(a, c);
    c.start();
    world.connect(a, c);
    EXPECT_TRUE(world.run_until([&] { return knows(c, c); }, 5'000));
    EXPECT_FALSE(a.connected_with("c"));
}

// A site that knows its own retirement tells those that do not, and gives them nothing.
TEST_P(Retiring, C9_the_retired_site_itself_spreads_the_word) {
    world.connect(c, a);
    ASSERT_TRUE(world.run_until([&] { return c.connected_with("a"); }, 3'000));
    c.put("customers", "ann", R"({"name":"Ann"})");
    ASSERT_TRUE(world.run_until([&] { return equal(a, c); }, 3'000));
    retire(a, c);
    ASSERT_TRUE(world.run_until([&] { return knows(c, c); }, 3'000));
    world.connect(c, b);
    EXPECT_TRUE(world.run_until([&] { return knows(b, c); }, 3'000));
    EXPECT_TRUE(b.replica().vector().empty());
}

TEST_P(Retiring, C10_what_unknowing_members_took_is_taken_everywhere) {
    world.connect(b, c);
    ASSERT_TRUE(world.run_until([&] { return b.connected_with("c"); }, 3'000));
    c.put("customers", "ann", R"({"name":"Ann"})");
    ASSERT_TRUE(world.run_until([&] { return b.field("customers", "ann", "name") == Value("Ann"); },
                                3'000));
    retire(a, c);
    c.put("customers", "bob", R"({"name":"Bob"})");
    ASSERT_TRUE(world.run_until([&] { return b.field("customers", "bob", "name") == Value("Bob"); },
                                3'000));
    world.connect(a, b);
    EXPECT_TRUE(world.run_until([&] { return equal(a, b) && knows(b, c); }, 5'000));
    EXPECT_EQ(a.field("customers", "bob", "name"), Value("Bob"));
    world.step(1'000);
    EXPECT_FALSE(b.connected_with("c"));
    EXPECT_TRUE(knows(c, c));
    EXPECT_EQ(a.logged("alarm") + b.logged("alarm"), 0u);
}

TEST_P(Retiring, A3_a_site_that_was_lost_holds_purging_back_until_it_is_retired) {
    world.connect(a, b);
    world.connect(b, c);
    a.put("customers", "ann", R"({"name":"Ann"})");
    ASSERT_TRUE(world.converge());
    c.crash();
    a.commit({{Write::Kind::delete_, {"customers", "ann"}, {}, {}}});
    world.step(200'000);
    EXPECT_EQ(a.logged("purged"), 0u);
    EXPECT_EQ(value_of(a.replica().record_at({"customers", "ann"})).empty(), false);
    retire(a, c);
    EXPECT_TRUE(world.run_until([&] { return a.logged("purged") == 1 && b.logged("purged") == 1; },
                                200'000));
    EXPECT_TRUE(equal(a, b));
}

// The word of a member that took entries of the retired site before it knew counts as that site's:
// as long as they are under way nobody takes what they may touch for settled.
TEST_P(Retiring, A4_nothing_is_purged_before_the_last_words_of_a_retired_site_are_here) {
    world.connect(a, b);
    world.connect(b, c);
    a.put("customers", "ann", R"({"name":"Ann"})");
    ASSERT_TRUE(world.converge());
    world.network().partition("a", "b");
    c.patch("customers", "ann", R"({"city":"Bergen"})");
    ASSERT_TRUE(world.run_until(
        [&] { return b.field("customers", "ann", "city") == Value("Bergen"); }, 3'000));
    retire(a, c);
    a.commit({{Write::Kind::delete_, {"customers", "ann"}, {}, {}}});
    world.network().heal_all();
    ASSERT_TRUE(world.run_until([&] { return equal(a, b) && knows(b, c); }, 60'000));
    world.step(200'000);
    EXPECT_TRUE(equal(a, b));
    EXPECT_EQ(a.field("customers", "ann", "city"), Value("Bergen")) << "the delete had not seen it";
    EXPECT_EQ(a.logged("purged") + b.logged("purged"), 0u);
}

TEST_P(Retiring, C9_an_admin_that_is_retired_invites_nobody) {
    SimNode& d = world.member("d", Role::admin);
    world.connect(a, d);
    auto const invited = world.invite(d);
    retire(a, d);
    ASSERT_TRUE(world.run_until([&] { return knows(d, d); }, 3'000));
    world.step(100);
    auto const refused = world.try_invite(d);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("only an admin site invites"));
    SimNode& e = world.stranger("e");
    EXPECT_FALSE(world.join(e, invited.code)) << "nor does an invitation made before help";
}

TEST_P(Retiring, C14_rotates_the_key_and_the_others_go_on_under_it) {
    world.connect(a, b);
    world.connect(a, c);
    a.put("customers", "ann", R"({"name":"Ann"})");
    ASSERT_TRUE(world.converge());
    retire(a, c);
    ASSERT_TRUE(world.run_until([&] { return knows(b, c) && knows(c, c); }, 3'000));
    EXPECT_EQ(b.replica().keys()->sealing(), a.replica().keys()->sealing());
    EXPECT_EQ(a.replica().keys()->sealing().epoch, 1u);
    EXPECT_EQ(c.replica().keys()->sealing().epoch, 0u);
    b.put("customers", "bob", R"({"name":"Bob"})");
    EXPECT_TRUE(world.converge());
    // Who joins now gets both keys.
    auto const invited = world.invite(a);
    SimNode& d = world.stranger("d");
    ASSERT_TRUE(world.join(d, invited.code));
    EXPECT_TRUE(world.converge());
    EXPECT_EQ(d.field("customers", "bob", "name"), Value("Bob"));
    EXPECT_EQ(d.replica().keys()->sealing(), a.replica().keys()->sealing());
    d.restart();
    EXPECT_EQ(d.replica().keys()->sealing(), a.replica().keys()->sealing());
}

// Each of the two keys was sealed to the site that the other admin has retired.
TEST_P(Retiring, C14_retirements_at_once_leave_no_former_member_with_the_key) {
    SimNode& d = world.member("d", Role::admin);
    SimNode& e = world.member("e");
    retire(a, c);
    retire(d, e);
    world.connect(a, d);
    ASSERT_TRUE(world.run_until([&] { return knows(a, e) && knows(d, c); }, 3'000));
    world.step(2'000);
    KeyName const key = a.replica().keys()->sealing();
    EXPECT_EQ(d.replica().keys()->sealing(), key);
    for (SimNode* former : {&c, &e})
        EXPECT_FALSE(a.replica().membership().was_given(former->keys().identity.public_key, key));
}

// Admitted by one admin while another one rotated the key: b is the only one that d ever meets.
TEST_P(Retiring, C14_a_member_gets_a_key_that_was_not_sealed_to_it_from_whom_it_meets) {
    world.connect(a, b);
    ASSERT_TRUE(world.run_until([&] { return b.connected_with("a"); }, 3'000));
    SimNode& d = world.member("d", Role::writer, false, &a);
    world.network().partition("a", "b");
    value_of(a.replica().rotate_key());
    a.peers().refresh();
    world.step(100);
    d.stop();
    world.network().heal_all();
    ASSERT_TRUE(world.run_until([&] { return b.replica().keys()->sealing().epoch == 1; }, 60'000));
    a.stop();
    b.put("customers", "bob", R"({"name":"Bob"})");
    d.start();
    world.connect(d, b);
    EXPECT_TRUE(world.run_until([&] { return d.field("customers", "bob", "name") == Value("Bob"); },
                                60'000));
    EXPECT_EQ(d.replica().keys()->sealing().epoch, 1u);
}

TEST_P(Retiring, M2_a_changed_role_takes_effect_while_the_node_runs) {
    world.connect(a, b);
    ASSERT_TRUE(world.run_until([&] { return b.connected_with("a"); }, 3'000));
    b.put("customers", "ann", R"({"name":"Ann"})");
    ASSERT_TRUE(world.run_until([&] { return a.field("customers", "ann", "name") == Value("Ann"); },
                                3'000));
    value_of(a.replica().change_role(b.keys().identity.public_key, Role::reader, {}));
    a.peers().refresh();
    world.step(500);
    EXPECT_EQ(refusal_of_write(b).code, Errc::forbidden);
    EXPECT_TRUE(a.connected_with("b"));
    value_of(a.replica().change_role(b.keys().identity.public_key, Role::writer, {"customers"}));
    a.peers().refresh();
    world.step(500);
    b.put("customers", "bob", R"({"name":"Bob"})");
    EXPECT_TRUE(world.run_until([&] { return a.field("customers", "bob", "name") == Value("Bob"); },
                                3'000));
    EXPECT_EQ(b.logged("actor_renewed"), 1u);
}

// Only neighbours ever meet, and never two pairs at a time.
TEST(AcknowledgementsByGossip, A1_a_chain_of_four_that_never_all_meet_purges) {
    SimWorld world({.seed = 8, .acknowledge_every_ms = 1'000});
    std::vector<SimNode*> chain{&world.found("a")};
    for (char const* name : {"b", "c", "d"})
        chain.push_back(&world.member(name));
    for (std::size_t i = 0; i + 1 < chain.size(); ++i)
        world.connect(*chain[i], *chain[i + 1]);
    chain[0]->put("customers", "ann", R"({"name":"Ann"})");
    ASSERT_TRUE(world.converge());
    chain[3]->commit({{Write::Kind::delete_, {"customers", "ann"}, {}, {}}});
    auto const meet = [&](std::size_t only) {
        for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
            auto const& one = chain[i]->name();
            auto const& other = chain[i + 1]->name();
            i == only ? world.network().heal(one, other) : world.network().partition(one, other);
        }
        world.step(100'000);
    };
    for (int round = 0; round < 6; ++round)
        for (std::size_t pair = 0; pair + 1 < chain.size(); ++pair)
            meet(pair);
    for (SimNode* node : chain)
        EXPECT_EQ(node->logged("purged"), 1u) << node->name();
    // A fifth one that nobody hears from holds it up, until it is retired.
    SimNode& lost = world.member("lost");
    lost.stop();
    chain[0]->put("customers", "bob", R"({"name":"Bob"})");
    chain[0]->commit({{Write::Kind::delete_, {"customers", "bob"}, {}, {}}});
    world.network().heal_all();
    ASSERT_TRUE(world.run_until(
        [&] { return chain[0]->replica().vector() == chain[3]->replica().vector(); }, 200'000));
    world.step(200'000);
    EXPECT_EQ(chain[3]->logged("purged"), 1u);
    value_of(chain[0]->replica().retire(lost.keys().identity.public_key));
    chain[0]->peers().refresh();
    EXPECT_TRUE(world.run_until([&] { return chain[3]->logged("purged") == 2; }, 400'000));
}

}  // namespace
}  // namespace inos::test
