// Invitations: one-use, expiring permissions to join the space, kept by the admin site that made
// them.
//
//   meta  space u32 | 'i' | invite id 8 -> version u8 (1) | psk 32 | role u8 | scope: count, blob*
//                                          | expires unix s varint | failures varint | used u8
//                                          | [site 32 | certificate blob] | addresses: count, blob*
//
// Only a hash of the code's secret is kept (the psk). Taking an invitation and admitting the site
// is one write; a site that took it and asks again before it expires (its connection broke) gets
// the same certificate. After kInviteFailuresMax failed handshakes an invitation is void.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "storage/engine.hpp"
#include "storage/membership.hpp"
#include "storage/replica.hpp"

namespace inos {

inline constexpr int kInviteFailuresMax = 5;
inline constexpr std::size_t kInvitesMax = 1'000;

struct Invite {
    std::array<std::uint8_t, 8> id{};
    crypto::Secret psk;
    Role role = Role::writer;
    std::vector<std::string> scope;
    std::uint64_t expires_unix_s = 0;
    int failures = 0;
    std::optional<SiteId> used_by;
    std::string certificate;  // once used
    std::vector<std::string> addresses;

    std::string encode() const;
    static std::optional<Invite> decode(std::string_view bytes);
    bool open(std::uint64_t now_unix_s) const {
        return failures < kInviteFailuresMax && now_unix_s < expires_unix_s;
    }
};

// On the replica's thread.
Result<std::vector<Invite>> load_invites(Replica const& replica);
Result<void> save_invite(Replica& replica, Invite const& invite);
// One failed handshake more. Reads the invitation as it is stored now: whoever took it meanwhile
// keeps it. Nothing happens when it was revoked.
Result<void> count_failure(Replica& replica, std::array<std::uint8_t, 8> const& id);
Result<void> remove_invite(Replica& replica, std::array<std::uint8_t, 8> const& id);

// Who asks to be admitted; keys and name are certified by the site itself.
struct Applicant {
    SiteId site{};
    crypto::PublicKey channel{}, sealing{};
    std::string name;
};

// Admits the applicant under the invitation, durably, and answers the invitation as it is now, with
// the certificate in it. Errc::forbidden when another site has taken it, when it is void or over,
// or when this site is no admin.
Result<Invite> admit(Replica& replica,
                     crypto::SigningKey const& issuer,
                     std::array<std::uint8_t, 8> const& id,
                     Applicant const& applicant,
                     std::uint64_t now_unix_s);

}  // namespace inos
