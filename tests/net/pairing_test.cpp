// Pairing by code, from the invitation to the first exchange, and what keeps others out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/sim.hpp"
#include "tools/simulation/sim_world.hpp"

namespace inos::test {
namespace {

using testing::HasSubstr;

InviteRequest request(Role role, std::uint64_t ttl_s = 3'600, std::vector<std::string> scope = {}) {
    return {role, std::move(scope), ttl_s, {}};
}

class Pairing : public testing::TestWithParam<std::uint64_t> {
protected:
    Pairing() : world({.seed = 5, .store_delay_ms = GetParam()}), a(world.found("a")) {}

    // The code with another secret.
    static std::string guess(std::string const& code) {
        PairingCode decoded = value_of(decode_pairing_code(code));
        decoded.secret[0] ^= 1;
        return value_of(encode_pairing_code(decoded));
    }
    std::size_t members() const { return a.peers().local().membership->actors().size(); }
    bool joins(SimNode& node, std::string const& code) {
        return world.join(node, code).has_value();
    }

    SimWorld world;
    SimNode& a;
};

INSTANTIATE_TEST_SUITE_P(Stores, Pairing, testing::Values(0, 7));

TEST_P(Pairing, makes_a_stranger_a_member) {
    a.put("customers", "ann", R"({"name":"Ann"})");
    SimNode& b = world.stranger("b");
    auto const invite = world.invite(a, request(Role::writer));
    EXPECT_EQ(a.peers().invites().size(), 1u);
    EXPECT_EQ(a.peers().invites()[0].code, "");
    auto const joined = world.join(b, invite.code);
    ASSERT_TRUE(joined) << joined.error().message;
    EXPECT_EQ(joined->inviter, "a");
    EXPECT_EQ(joined->grant.genesis.name, "test");
    EXPECT_TRUE(world.run_until([&] { return a.connected_with("b"); }, 2'000));
    EXPECT_TRUE(world.converge(2'000));
    EXPECT_EQ(b.field("customers", "ann", "name"), Value("Ann"));
    b.put("customers", "bob", R"({"name":"Bob"})");
    EXPECT_TRUE(world.converge(2'000));
    EXPECT_EQ(a.field("customers", "bob", "name"), Value("Bob"));
    EXPECT_TRUE(a.peers().invites().empty());
    EXPECT_EQ(a.logged("site_admitted"), 1u);
}

TEST_P(Pairing, gives_the_role_and_scope_of_the_invitation) {
    SimNode& b = world.stranger("b");
    auto const invite = world.invite(a, request(Role::writer, 3'600, {"orders"}));
    ASSERT_TRUE(joins(b, invite.code));
    auto const* member = b.replica().membership().by_site(b.keys().identity.public_key);
    EXPECT_EQ(member->role, Role::writer);
    EXPECT_EQ(member->scope, std::vector<std::string>{"orders"});
    SimNode& c = world.stranger("c");
    ASSERT_TRUE(joins(c, world.invite(a, request(Role::reader)).code));
    EXPECT_EQ(c.replica().membership().by_site(c.keys().identity.public_key)->role, Role::reader);
}

TEST_P(Pairing, works_after_a_restart_of_the_inviter) {
    auto const invite = world.invite(a, {});
    a.restart();
    EXPECT_TRUE(joins(world.stranger("b"), invite.code));
}

TEST_P(Pairing, tries_the_next_address) {
    InviteRequest addressed;
    addressed.addresses = {"ws://nowhere:1", a.address()};
    EXPECT_TRUE(joins(world.stranger("b"), world.invite(a, addressed).code));
}

TEST_P(Pairing, refuses_an_expired_invitation) {
    auto const invite = world.invite(a, request(Role::writer, 60));
    world.step(61'000);
    EXPECT_FALSE(joins(world.stranger("b"), invite.code));
    EXPECT_TRUE(a.peers().invites().empty());
    EXPECT_EQ(members(), 1u);
}

TEST_P(Pairing, refuses_a_second_site) {
    auto const invite = world.invite(a, {});
    ASSERT_TRUE(joins(world.stranger("b"), invite.code));
    auto const second = world.join(world.stranger("c"), invite.code);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::forbidden);
    EXPECT_THAT(second.error().message, HasSubstr("ask for a new"));
    EXPECT_EQ(members(), 2u);
}

TEST_P(Pairing, lets_only_one_of_two_in_that_come_at_once) {
    auto const invite = world.invite(a, {});
    auto const one = world.begin_join(world.stranger("b"), invite.code);
    auto const other = world.begin_join(world.stranger("c"), invite.code);
    ASSERT_TRUE(world.run_until([&] { return one->outcome && other->outcome; }, 30'000));
    EXPECT_NE(one->outcome->has_value(), other->outcome->has_value());
    EXPECT_EQ(members(), 2u);
}

TEST_P(Pairing, refuses_a_revoked_invitation) {
    auto const invite = world.invite(a, {});
    EXPECT_EQ(a.peers().revoke_invite("zz").error().code, Errc::not_found);
    value_of(a.peers().revoke_invite(invite.id));
    EXPECT_EQ(a.peers().revoke_invite(invite.id).error().code, Errc::not_found);
    EXPECT_FALSE(joins(world.stranger("b"), invite.code));
    a.restart();
    EXPECT_FALSE(joins(world.stranger("c"), invite.code));
    EXPECT_EQ(members(), 1u);
}

TEST_P(Pairing, voids_an_invitation_after_five_wrong_secrets) {
    auto const invite = world.invite(a, {});
    SimNode& guesser = world.stranger("guesser");
    for (int i = 1; i <= kInviteFailuresMax; ++i) {
        EXPECT_FALSE(joins(guesser, guess(invite.code)));
        EXPECT_EQ(a.logged("pairing_failed"), static_cast<std::size_t>(i));
        if (i == 2) a.restart();  // does not forget them
    }
    EXPECT_FALSE(joins(world.stranger("b"), invite.code));
    a.restart();
    EXPECT_FALSE(joins(world.stranger("c"), invite.code));
    EXPECT_EQ(members(), 1u);
}

TEST_P(Pairing, survives_four_wrong_secrets) {
    auto const invite = world.invite(a, {});
    SimNode& guesser = world.stranger("guesser");
    for (int i = 1; i < kInviteFailuresMax; ++i)
        EXPECT_FALSE(joins(guesser, guess(invite.code)));
    EXPECT_TRUE(joins(world.stranger("b"), invite.code));
}

// Whoever fails while an admission is being written must not undo that the invitation was taken.
TEST_P(Pairing, stays_taken_when_another_handshake_fails_meanwhile) {
    auto const invite = world.invite(a, {});
    SimNode& b = world.stranger("b");
    SimNode& guesser = world.stranger("guesser");
    for (int offset = 0; offset < 30; offset += 3) {
        auto const one = world.begin_join(b, invite.code);
        world.step(static_cast<std::uint64_t>(offset));
        auto const other = world.begin_join(guesser, guess(invite.code));
        ASSERT_TRUE(world.run_until([&] { return one->outcome && other->outcome; }, 60'000));
        if (offset >= 9) break;  // four failures at most
    }
    EXPECT_FALSE(joins(world.stranger("c"), invite.code));
    EXPECT_EQ(members(), 2u);
}

// The connection is cut at each frame in turn. Whatever was lost, the same site may try again, and
// a network that fails is not held against the invitation.
TEST_P(Pairing, goes_on_after_a_cut_at_any_frame) {
    std::size_t const frames = 5;  // three of the handshake, the grant, the answer to it
    for (std::size_t i = 1; i <= frames + 2; ++i) {
        auto const invite = world.invite(a, {});
        SimNode& b = world.stranger("b" + std::to_string(i));
        for (int again = 0; again < 6; ++again) {
            world.network().cut_at_frame(i);
            if (world.join(b, invite.code)) break;
            b.forget_grant();
        }
        world.network().cut_at_frame(1'000'000);
        if (!b.is_member()) {
            EXPECT_TRUE(joins(b, invite.code)) << i;
        }
        EXPECT_EQ(members(), i + 1);
        EXPECT_TRUE(world.converge());
    }
    EXPECT_GT(world.network().cuts(), 5u);
}

TEST_P(Pairing, answers_the_same_site_again_while_the_invitation_is_open) {
    auto const invite = world.invite(a, request(Role::writer, 600));
    SimNode& b = world.stranger("b");
    auto const first = world.join(b, invite.code);
    b.stop();
    b.forget_grant();  // its disk failed before the grant was durable
    auto const second = world.join(b, invite.code);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->grant.actor, second->grant.actor);
    EXPECT_EQ(members(), 2u);
    b.stop();
    world.step(601'000);
    EXPECT_FALSE(joins(b, invite.code));
}

TEST_P(Pairing, needs_a_joiner_that_can_keep_the_grant) {
    auto const invite = world.invite(a, {});
    SimNode& b = world.stranger("b");
    b.engine().fail_write(1, FaultEngine::Outcome::lost, Errc::no_space);
    auto const failed = world.join(b, invite.code);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::no_space);
    EXPECT_FALSE(b.is_member());
    EXPECT_TRUE(joins(b, invite.code));
}

TEST_P(Pairing, is_for_admins_to_offer) {
    SimNode& b = world.member("b");
    std::optional<Result<InviteInfo>> answer;
    b.peers().invite({}, [&](Result<InviteInfo> made) { answer = std::move(made); });
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error().code, Errc::forbidden);
    EXPECT_THAT(answer->error().message, HasSubstr("writer"));
    SimNode& admin = world.member("admin", Role::admin);
    EXPECT_TRUE(joins(world.stranger("c"), world.invite(admin, {}).code));
}

TEST_P(Pairing, needs_an_address) {
    a.peers().listening_on({});
    std::optional<Result<InviteInfo>> answer;
    a.peers().invite({}, [&](Result<InviteInfo> made) { answer = std::move(made); });
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error().code, Errc::usage);
}

TEST_P(Pairing, gives_no_secret_to_a_site_that_did_not_make_the_code) {
    auto const invite = world.invite(a, {});
    SimNode& b = world.stranger("b");
    auto code = value_of(decode_pairing_code(invite.code));
    code.inviter_id_hash[0] ^= 1;
    auto const joined = world.join(b, value_of(encode_pairing_code(code)));
    ASSERT_FALSE(joined);
    EXPECT_EQ(joined.error().code, Errc::protocol);
    EXPECT_EQ(members(), 1u);
    EXPECT_TRUE(joins(b, invite.code));
}

TEST_P(Pairing, ends_for_the_joiner_when_the_inviter_falls_silent) {
    auto const invite = world.invite(a, {});
    SimNode& b = world.stranger("b");
    auto const pairing = world.begin_join(b, invite.code);
    auto const frames = world.network().frames();
    ASSERT_TRUE(world.run_until([&] { return world.network().frames() == frames + 3; }, 1'000));
    world.network().partition("a", "b");
    EXPECT_TRUE(world.run_until([&] { return pairing->outcome.has_value(); }, 15'000));
}

TEST_P(Pairing, makes_room_for_invitations_when_old_ones_are_over) {
    for (std::size_t i = 0; i < kInvitesMax; ++i)
        world.invite(a, request(Role::writer, 600));
    std::optional<Result<InviteInfo>> answer;
    a.peers().invite({}, [&](Result<InviteInfo> made) { answer = std::move(made); });
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error().code, Errc::too_large);
    world.step(3'600'000);
    EXPECT_TRUE(joins(world.stranger("b"), world.invite(a, {}).code));
    EXPECT_EQ(value_of(load_invites(a.replica())).size(), 1u);
}

TEST_P(Pairing, brings_a_whole_space_together) {
    SimNode& b = world.stranger("b");
    SimNode& c = world.stranger("c");
    ASSERT_TRUE(joins(b, world.invite(a, request(Role::admin)).code));
    ASSERT_TRUE(world.run_until([&] { return b.connected_with("a"); }, 2'000));
    ASSERT_TRUE(joins(c, world.invite(b, {}).code));  // an admin that the founder let in
    c.put("customers", "cyd", R"({"name":"Cyd"})");
    EXPECT_TRUE(world.converge(5'000));
    EXPECT_EQ(a.field("customers", "cyd", "name"), Value("Cyd"));
}

}  // namespace
}  // namespace inos::test
