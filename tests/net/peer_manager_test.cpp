// Peer managers with their links and sessions over a simulated network: who is let in, which
// connection stays, what happens when one breaks.
#include "net/peer_manager.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/keys.hpp"
#include "tests/support/sim.hpp"
#include "tools/simulation/sim_world.hpp"

namespace inos::test {
namespace {

using testing::HasSubstr;

VerifyReport verified(SimWorld& world, SimNode& node) {
    std::optional<Result<VerifyReport>> report;
    node.peers().verify([&](Result<VerifyReport> made) { report = std::move(made); });
    EXPECT_TRUE(world.run_until([&] { return report.has_value(); }, kVerifyTimeoutMs + 200));
    return value_of(*std::move(report));
}

std::string state_of(VerifyReport const& report, std::string const& name) {
    for (auto const& peer : report.peers)
        if (peer.name == name) return peer.state;
    return "not listed";
}

// Keys of one site with a channel key that nobody certified.
SiteKeys with_other_channel_key(SiteKeys keys) {
    keys.channel = crypto::KeyPair::generate();
    return keys;
}

class TwoSites : public testing::TestWithParam<std::uint64_t> {
protected:
    TwoSites()
        : world({.seed = 11, .store_delay_ms = GetParam()}),
          a(world.found("a")),
          b(world.member("b")) {}

    bool connected() { return a.connected_with("b") && b.connected_with("a"); }

    SimWorld world;
    SimNode& a;
    SimNode& b;
};

// 0: a store that answers at once; 7: one that answers later, as the program's does.
INSTANTIATE_TEST_SUITE_P(Stores, TwoSites, testing::Values(0, 7));

TEST_P(TwoSites, exchange_what_each_has) {
    a.put("customers", "ann", R"({"name":"Ann"})");
    b.put("customers", "bob", R"({"name":"Bob"})");
    world.connect(a, b);
    EXPECT_TRUE(world.run_until([&] { return connected(); }, 2'000));
    EXPECT_TRUE(world.converge(2'000));
    EXPECT_EQ(a.field("customers", "bob", "name"), Value("Bob"));
    EXPECT_EQ(b.field("customers", "ann", "name"), Value("Ann"));
    EXPECT_EQ(world.network().connections("a", "b"), 1u);
}

TEST_P(TwoSites, see_each_others_writes_as_they_happen) {
    world.connect(a, b);
    ASSERT_TRUE(world.run_until([&] { return connected(); }, 2'000));
    for (int i = 0; i < 20; ++i) {
        (i % 2 ? a : b).patch("customers", "ann", "{\"points\":" + std::to_string(i) + "}");
        EXPECT_TRUE(world.converge(1'000));
    }
    EXPECT_EQ(a.logged("peer_connected"), 1u);
    EXPECT_EQ(a.logged("alarm"), 0u);
}

TEST_P(TwoSites, D1_go_on_after_an_edit_offline) {
    world.connect(a, b);
    ASSERT_TRUE(world.run_until([&] { return connected(); }, 2'000));
    world.network().partition("a", "b");
    a.put("customers", "ann", R"({"name":"Ann"})");
    b.put("customers", "ann", R"({"name":"Anne"})");
    world.step(90'000);
    EXPECT_FALSE(a.connected_with("b"));
    EXPECT_FALSE(world.all_equal());
    world.network().heal_all();
    EXPECT_TRUE(world.converge());
    EXPECT_EQ(a.field("customers", "ann", "name"), b.field("customers", "ann", "name"));
}

TEST_P(TwoSites, outlast_a_short_silence_without_a_new_connection) {
    world.connect(a, b);
    ASSERT_TRUE(world.run_until([&] { return connected(); }, 2'000));
    world.network().partition("a", "b");
    a.put("customers", "ann", R"({"name":"Ann"})");
    world.step(20'000);
    world.network().heal_all();
    EXPECT_TRUE(world.converge(1'000));
    EXPECT_EQ(a.logged("peer_connected"), 1u);
}

TEST_P(TwoSites, connect_again_after_a_restart_of_either) {
    world.connect(a, b);
    a.put("customers", "ann", R"({"name":"Ann"})");
    ASSERT_TRUE(world.run_until([&] { return connected() && world.all_equal(); }, 2'000));
    b.restart();
    b.put("customers", "bob", R"({"name":"Bob"})");
    EXPECT_TRUE(world.converge(5'000));
    a.restart();
    a.put("customers", "cyd", R"({"name":"Cyd"})");
    EXPECT_TRUE(world.run_until([&] { return connected() && world.all_equal(); }, 5'000));
}

TEST_P(TwoSites, that_dial_each_other_at_once_keep_one_connection) {
    for (std::uint64_t delay : {1, 5, 50, 200, 700}) {
        world.network().set_delay(delay, delay);
        a.stop();
        b.stop();
        world.step(2'000);
        a.start();
        b.start();
        world.connect(a, b);
        world.connect(b, a);
        ASSERT_TRUE(world.run_until([&] { return connected(); }, 20'000)) << delay;
        world.step(60'000);
        EXPECT_TRUE(connected()) << delay;
        EXPECT_EQ(world.network().connections("a", "b"), 1u) << delay;
        EXPECT_EQ(a.peers().peers().size(), 1u);
        EXPECT_EQ(b.peers().peers().size(), 1u);
        EXPECT_EQ(a.peer("b")->last_error, "");
        EXPECT_EQ(b.peer("a")->last_error, "");
        a.put("customers", "delay" + std::to_string(delay), R"({"name":"x"})");
        EXPECT_TRUE(world.converge(10 * delay + 2'000)) << delay;
    }
}

TEST_P(TwoSites, replace_a_connection_after_a_corrupt_frame) {
    world.connect(a, b);
    ASSERT_TRUE(world.run_until([&] { return connected(); }, 2'000));
    world.network().corrupt_next("a", "b");
    a.put("customers", "ann", R"({"name":"Ann"})");
    EXPECT_TRUE(world.converge(5'000));
    EXPECT_EQ(world.network().corruptions(), 1u);
    EXPECT_EQ(b.logged("peer_disconnected"), 1u);
    EXPECT_TRUE(world.run_until([&] { return connected(); }, 5'000));
}

TEST_P(TwoSites, tell_what_a_peer_has_acknowledged) {
    VersionVector entry;
    world.connect(a, b);
    ASSERT_TRUE(world.run_until([&] { return connected(); }, 2'000));
    std::optional<std::size_t> sites;
    a.commit({{Write::Kind::put, {"customers", "ann"}, object_of(R"({"n":1})"), {}}},
             [&](Result<Committed> committed) {
                 Dot const dot = *value_of(std::move(committed)).dot;
                 entry.set(dot.actor, dot.seq);
                 a.peers().wait_acknowledged(entry, 1, 5'000, [&](std::size_t n) { sites = n; });
             });
    EXPECT_FALSE(sites);
    EXPECT_TRUE(world.run_until([&] { return sites.has_value(); }, 1'000));
    EXPECT_EQ(sites, 1u);
    EXPECT_EQ(a.peers().acknowledged_by(entry), 1u);
    // It is durable there: a restart does not take it back.
    b.restart();
    EXPECT_TRUE(b.replica().vector().includes(entry));
}

TEST_P(TwoSites, stop_waiting_for_acknowledgements_in_time) {
    std::optional<std::size_t> sites;
    a.peers().wait_acknowledged({}, 2, 5'000, [&](std::size_t n) { sites = n; });
    world.step(4'800);
    EXPECT_FALSE(sites);
    world.step(400);
    EXPECT_EQ(sites, 0u);
}

TEST_P(TwoSites, wait_for_so_many_acknowledgements_and_no_more) {
    std::size_t answers = 0;
    for (int i = 0; i < 1'003; ++i)
        a.peers().wait_acknowledged({}, 2, 5'000, [&](std::size_t) { ++answers; });
    EXPECT_EQ(answers, 3u);
    world.step(5'200);
    EXPECT_EQ(answers, 1'003u);
}

TEST_P(TwoSites, D17_verify_that_they_agree) {
    a.put("customers", "ann", R"({"name":"Ann"})");
    EXPECT_EQ(state_of(verified(world, a), "b"), "unreachable");
    world.connect(a, b);
    ASSERT_TRUE(world.run_until([&] { return connected() && world.all_equal(); }, 2'000));
    auto const report = verified(world, a);
    EXPECT_TRUE(report.agree);
    EXPECT_EQ(state_of(report, "b"), "agrees");
    EXPECT_EQ(report.root, a.replica().root().text());
    EXPECT_TRUE(verified(world, b).agree);
}

TEST_P(TwoSites, verify_right_after_the_handshake_without_waiting_in_vain) {
    world.connect(a, b);
    ASSERT_TRUE(world.run_until([&] { return a.connected_with("b"); }, 2'000));
    std::optional<Result<VerifyReport>> report;
    a.peers().verify([&](Result<VerifyReport> made) { report = std::move(made); });
    EXPECT_TRUE(world.run_until([&] { return report.has_value(); }, 1'000));
    EXPECT_TRUE((*report)->agree);
}

TEST_P(TwoSites, D17_verify_names_what_is_under_way) {
    world.connect(a, b);
    ASSERT_TRUE(world.run_until([&] { return connected(); }, 2'000));
    world.step(200);
    world.network().partition("a", "b");
    a.put("customers", "ann", R"({"name":"Ann"})");
    world.step(100);
    auto const report = verified(world, a);
    EXPECT_FALSE(report.agree);
    EXPECT_EQ(state_of(report, "b"), "ahead");
    EXPECT_EQ(report.peers[0].ahead, 1u);
}

// One site's sum is not that of its records: a fault that only the comparison of roots can show.
TEST_P(TwoSites, D17_alarm_and_repair_when_equal_entries_made_different_records) {
    a.put("customers", "ann", R"({"name":"Ann"})");
    world.connect(a, b);
    ASSERT_TRUE(world.run_until([&] { return connected() && world.all_equal(); }, 2'000));
    b.crash();
    WriteBatch damage;
    for (auto const& [key, value] : contents(b.engine(), Family::digests)) {
        CollectionSums sums;
        ASSERT_TRUE(CollectionSums::decode(value, sums));
        sums.unmarked += Digest128::from({1});
        damage.put(Family::digests, key.second, sums.encode());
    }
    ASSERT_FALSE(damage.changes.empty());
    value_of(b.engine().write(damage, Durability::synced));
    b.start();
    ASSERT_TRUE(world.run_until([&] { return connected(); }, 5'000));
    world.step(1'000);
    EXPECT_EQ(a.logged("alarm \"b\": holds the same entries"), 1u);
    EXPECT_EQ(b.logged("alarm \"a\": holds the same entries"), 1u);
    // Sums that are not those of the records are made anew.
    EXPECT_EQ(a.logged("record_repaired"), 0u);
    EXPECT_EQ(b.logged("record_repaired"), 1u);
    auto const report = verified(world, a);
    EXPECT_TRUE(report.agree);
    EXPECT_EQ(state_of(report, "b"), "agrees");
}

TEST_P(TwoSites, hang_up_and_forget_a_removed_address) {
    world.connect(a, b);
    ASSERT_TRUE(world.run_until([&] { return connected(); }, 2'000));
    value_of(a.peers().remove_peer(b.address()));
    world.step(60'000);
    EXPECT_FALSE(a.connected_with("b"));
    EXPECT_EQ(world.network().connections("a", "b"), 0u);
    EXPECT_TRUE(a.peers().peers().empty());
    EXPECT_EQ(a.peers().remove_peer(b.address()).error().code, Errc::not_found);
    value_of(a.peers().add_peer(b.address()));
    EXPECT_TRUE(world.run_until([&] { return connected(); }, 2'000));
}

TEST_P(TwoSites, dial_again_at_once_when_an_address_is_added_again) {
    world.connect(a, b);
    ASSERT_TRUE(world.run_until([&] { return connected(); }, 2'000));
    b.stop();
    world.step(120'000);
    EXPECT_FALSE(a.connected_with("b"));
    EXPECT_NE(a.peers().peers()[0].last_error, "");
    b.start();
    value_of(a.peers().add_peer(b.address()));
    EXPECT_TRUE(world.run_until([&] { return connected(); }, 500));
}

TEST_P(TwoSites, refuse_addresses_that_are_none) {
    EXPECT_EQ(a.peers().add_peer("http://b").error().code, Errc::invalid);
    auto const pair = a.peers().add_peer("ws://b:7711/v1/pair/0011223344556677");
    EXPECT_EQ(pair.error().code, Errc::invalid);
    EXPECT_TRUE(a.peers().peers().empty());
}

TEST_P(TwoSites, C14_redial_with_growing_and_jittered_waits) {
    b.stop();
    value_of(a.peers().add_peer("ws://nowhere:1"));
    world.step(600'000);
    auto const& dials = world.network().dials();
    ASSERT_GT(dials.size(), 15u);
    std::set<std::uint64_t> late_waits;
    for (std::size_t i = 1; i < dials.size(); ++i) {
        std::uint64_t const wait = dials[i].first - dials[i - 1].first;
        std::uint64_t const full = std::min(kBackoffMaxMs, kBackoffMinMs << std::min(i - 1, 10ul));
        EXPECT_GE(wait, full / 2) << i;
        EXPECT_LE(wait, full + 500) << i;
        if (i > 8) late_waits.insert(wait);
    }
    EXPECT_GT(late_waits.size(), 5u);
}

// A connection that fails as soon as it stands must not be tried four times a second for ever.
TEST_P(TwoSites, redial_with_growing_waits_when_each_session_fails) {
    a.put("customers", "ann", R"({"name":"Ann"})");
    world.step(100);
    world.connect(a, b);
    a.crash();
    WriteBatch damage;  // the log lacks what the version vector says it holds
    for (auto const& [key, value] : contents(a.engine(), Family::log))
        damage.remove(Family::log, key.second);
    value_of(a.engine().write(damage, Durability::synced));
    a.start();
    world.step(600'000);
    EXPECT_GT(world.network().dials().size(), 10u);
    EXPECT_LT(world.network().dials().size(), 60u);
}

TEST_P(TwoSites, take_new_keys_once_a_day) {
    world.connect(a, b);
    ASSERT_TRUE(world.run_until([&] { return connected(); }, 2'000));
    a.clock().advance(kLinkLifeMs);
    world.step(5'000);
    EXPECT_TRUE(connected());
    EXPECT_EQ(a.logged("peer_connected"), 2u);
    EXPECT_EQ(world.network().connections("a", "b"), 1u);
}

TEST_P(TwoSites, say_nothing_more_after_stop) {
    world.connect(a, b);
    a.put("customers", "ann", R"({"name":"Ann"})");
    world.step(3);
    a.peers().stop();
    std::size_t const lines = a.log().size();
    world.step(5'000);
    EXPECT_EQ(a.log().size(), lines);
    EXPECT_FALSE(b.connected_with("a"));
}

// What a connection brought goes on to others though the connection is gone by then.
TEST_P(TwoSites, D3_pass_on_what_came_over_a_connection_that_broke) {
    SimNode& c = world.member("c");
    world.connect(a, b);
    world.connect(b, c);
    ASSERT_TRUE(world.run_until([&] { return connected() && b.connected_with("c"); }, 2'000));
    world.step(500);
    world.network().set_delay(1, 1);
    a.put("customers", "ann", R"({"name":"Ann"})");
    auto const arrived = [&] { return b.connected_with("a") && b.peer("a")->entries_in == 1; };
    ASSERT_TRUE(world.run_until(arrived, 1'000));
    world.network().partition("a", "b");
    value_of(a.peers().remove_peer(b.address()));
    world.network().cut("a", "b");
    auto const there = [&] { return c.field("customers", "ann", "name") == Value("Ann"); };
    EXPECT_TRUE(world.run_until(there, 2'000));
}

// ---- who is let in ------------------------------------------------------------------------------

TEST(PeerAdmission, a_site_does_not_connect_with_itself) {
    SimWorld world;
    SimNode& a = world.found("a");
    world.connect(a, a);
    world.step(20'000);
    EXPECT_EQ(world.network().connections("a", "a"), 0u);
    EXPECT_EQ(a.logged("peer_connected"), 0u);
    EXPECT_THAT(a.peers().peers().at(0).last_error, HasSubstr("is this site itself"));
    EXPECT_LT(world.network().dials().size(), 15u);
}

TEST(PeerAdmission, C11_C12_members_of_different_spaces_refuse_each_other) {
    SimWorld world;
    SimNode& a = world.found("a");
    SimNode& b = world.stranger("b");
    Genesis other{"other", b.keys().identity.public_key, {}};
    Certificate certificate;
    certificate.space = other.id();
    certificate.actor = ActorId{7};
    certificate.site = b.keys().identity.public_key;
    certificate.channel = b.keys().channel.public_key;
    certificate.name = "b";
    certificate.role = Role::admin;
    auto const bytes = issue(certificate, b.keys().identity);
    value_of(b.keep({other, {}, certificate.actor, {bytes}, {}}));
    b.start();
    world.connect(a, b);
    world.connect(b, a);
    world.step(30'000);
    EXPECT_EQ(a.logged("peer_connected") + b.logged("peer_connected"), 0u);
    EXPECT_EQ(world.network().connections("a", "b"), 0u);
    EXPECT_THAT(a.peers().peers().at(0).last_error, HasSubstr("no member of this space"));
    EXPECT_THAT(b.peers().peers().at(0).last_error, HasSubstr("no member of this space"));
    EXPECT_EQ(a.replica().membership().actors().size(), 1u);
}

// A site that is a member, but whose certificate names another channel key, is refused both when it
// dials and when it is dialled.
class WrongKey : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(KnownOrNot, WrongKey, testing::Bool());

TEST_P(WrongKey, is_refused) {
    bool const known = GetParam();
    SimWorld world;
    SimNode& a = world.found("a");
    SimNode& b = world.member("b", Role::writer, known);
    if (!known) {  // only b's own certificate says that it is a member
        a.stop();
        a.forget_certificates_but(1);
        a.start();
    }
    b.stop();
    b.set_keys(with_other_channel_key(b.keys()));
    b.start();
    world.connect(a, b);
    world.step(10'000);
    EXPECT_EQ(a.logged("peer_connected"), 0u);
    value_of(a.peers().remove_peer(b.address()));
    world.connect(b, a);
    world.step(10'000);
    EXPECT_EQ(a.logged("peer_connected"), 0u);
    EXPECT_FALSE(a.connected_with("b"));
    EXPECT_EQ(world.network().connections("a", "b"), 0u);
}

TEST(PeerAdmission, a_member_that_a_site_has_not_heard_of_is_let_in_by_its_certificate) {
    for (bool dials : {false, true}) {
        SimWorld world;
        SimNode& a = world.found("a");
        SimNode& b = world.member("b");
        SimNode& c = world.member("c", Role::writer, false);  // only a knows it
        a.stop();
        c.put("customers", "cyd", R"({"name":"Cyd"})");
        dials ? world.connect(c, b) : world.connect(b, c);
        EXPECT_TRUE(world.run_until([&] { return b.connected_with("c"); }, 2'000));
        EXPECT_TRUE(world.converge(2'000));
        EXPECT_EQ(b.field("customers", "cyd", "name"), Value("Cyd"));
        b.restart();
        EXPECT_EQ(b.replica().membership().actors().size(), 3u);
        (void)a;
    }
}

// b knows neither the new site nor the admin that let it in, and meets nobody else.
TEST(PeerAdmission, a_member_shows_the_certificates_up_to_the_founder) {
    SimWorld world;
    SimNode& a = world.found("a");
    SimNode& b = world.member("b");
    SimNode& admin = world.member("admin", Role::admin, false);
    SimNode& c = world.member("c", Role::writer, false, &admin);
    a.stop();
    admin.stop();
    c.put("customers", "cyd", R"({"name":"Cyd"})");
    world.connect(c, b);
    EXPECT_TRUE(world.run_until([&] { return b.connected_with("c"); }, 2'000));
    EXPECT_TRUE(world.converge(2'000));
}

TEST(PeerAdmission, new_members_become_known_through_others) {
    SimWorld world;
    SimNode& a = world.found("a");
    SimNode& b = world.member("b");
    SimNode& c = world.member("c");
    world.connect(a, b);
    world.connect(b, c);
    ASSERT_TRUE(world.run_until([&] { return b.connected_with("c"); }, 2'000));
    SimNode& d = world.member("d", Role::writer, false);
    d.put("customers", "dan", R"({"name":"Dan"})");
    world.connect(d, a);
    EXPECT_TRUE(world.converge(3'000));
    EXPECT_EQ(c.replica().membership().actors().size(), 4u);
    EXPECT_EQ(c.field("customers", "dan", "name"), Value("Dan"));
    EXPECT_EQ(c.logged("alarm"), 0u);
}

}  // namespace
}  // namespace inos::test
