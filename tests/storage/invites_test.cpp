// Invitations as they are stored: one use, whatever else happens at the door meanwhile.
#include "storage/invites.hpp"

#include <gtest/gtest.h>

#include "tests/support/space.hpp"

namespace inos {
namespace {

using test::Space;
using test::value_of;

constexpr std::uint64_t kNowS = 1'000;

Invite open_invite() {
    Invite invite;
    invite.id = {1, 2, 3};
    invite.psk = crypto::Secret::random();
    invite.expires_unix_s = kNowS + 60;
    return invite;
}

Applicant applicant(std::string name) {
    auto const keys = crypto::SigningKey::generate();
    return {keys.public_key, {}, {}, std::move(name)};
}

TEST(Invites, let_in_one_site_and_the_same_one_again) {
    Space space(1);
    auto const& key = space[0].keys.identity;
    Invite const invite = open_invite();
    value_of(save_invite(*space[0], invite));
    Applicant const first = applicant("first");
    auto const taken = value_of(admit(*space[0], key, invite.id, first, kNowS));
    auto const again = value_of(admit(*space[0], key, invite.id, first, kNowS));
    EXPECT_EQ(taken.certificate, again.certificate);
    auto const second = admit(*space[0], key, invite.id, applicant("second"), kNowS);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::forbidden);
}

// The failure was noticed before the admission was known where connections are counted.
TEST(Invites, stay_taken_when_another_handshake_fails) {
    Space space(1);
    auto const& key = space[0].keys.identity;
    Invite const invite = open_invite();
    value_of(save_invite(*space[0], invite));
    value_of(admit(*space[0], key, invite.id, applicant("first"), kNowS));
    value_of(count_failure(*space[0], invite.id));
    auto const stored = value_of(load_invites(*space[0]));
    ASSERT_EQ(stored.size(), 1u);
    EXPECT_EQ(stored[0].failures, 1);
    EXPECT_TRUE(stored[0].used_by);
    EXPECT_FALSE(admit(*space[0], key, invite.id, applicant("second"), kNowS));
}

TEST(Invites, are_void_after_some_failures_and_gone_when_revoked) {
    Space space(1);
    auto const& key = space[0].keys.identity;
    Invite const invite = open_invite();
    value_of(save_invite(*space[0], invite));
    for (int i = 0; i < kInviteFailuresMax; ++i)
        value_of(count_failure(*space[0], invite.id));
    EXPECT_FALSE(admit(*space[0], key, invite.id, applicant("late"), kNowS));
    value_of(remove_invite(*space[0], invite.id));
    value_of(count_failure(*space[0], invite.id));
    EXPECT_TRUE(value_of(load_invites(*space[0])).empty());
}

}  // namespace
}  // namespace inos
