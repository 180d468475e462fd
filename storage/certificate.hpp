// Genesis and certificates: who founded a space, who was admitted to it, with which rights.
//
//   genesis      = name blob | founder site 32 | nonce 16
//   space id     = first 16 bytes of BLAKE2b-256("inos space 1" | genesis)
//   certificate  = kind u8 (1) | version u8 (1) | space 16 | actor u64 | site 32 | channel 32
//                | sealing 32 | name blob | role u8 | scope: count, collection blob*
//                | issuer site 32 | issuer's VersionVector | extension blob | signature 64
//   signature    = Ed25519 by the issuer over "inos certificate 1" | all bytes before it
//   extension    = empty
//                | nonce 16                                     the actor follows
//                | 'c' | nonce 16 | replaced: count, hash 16* | issued: count, hash 16*   the same,
//                                                               and a change of rights
//   actor        = first 8 bytes of BLAKE2b-256("inos actor 1" | all bytes before the signature,
//                  with zeros for the actor), where it follows
//   hash         = BLAKE2b-128 of a whole statement, signature included
//
// A certificate is immutable: a change of role or rights is a new actor with a new certificate. So
// is a site's own going on under a new actor. Certificates whose actor follows from them never name
// the same one, even if two copies of one machine drew the same random numbers. `scope` empty: all.
//
// A certificate is one kind of statement of the membership log (storage/statement.hpp); who is
// believed is decided by storage/membership.hpp. Values and pure functions; any thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/ids.hpp"
#include "crdt/version_vector.hpp"
#include "storage/crypto/crypto.hpp"
#include "storage/result.hpp"

namespace inos {

using SpaceId = std::array<std::uint8_t, 16>;
using SiteId = crypto::PublicKey;  // the site's Ed25519 identity key
using StatementHash = crypto::Hash16;
using Nonce = std::array<std::uint8_t, 16>;

inline constexpr std::size_t kCertificateBytesMax = 64 << 10;

enum class Role : std::uint8_t { admin = 1, writer = 2, reader = 3, relay = 4 };  // never reused
char const* role_name(Role role);
std::optional<Role> parse_role(std::string_view name);

struct Genesis {
    std::string name;
    SiteId founder{};
    std::array<std::uint8_t, 16> nonce{};

    std::string encode() const;
    static std::optional<Genesis> decode(std::string_view bytes);
    SpaceId id() const;
};

struct Certificate {
    SpaceId space{};
    ActorId actor;
    SiteId site{};
    crypto::PublicKey channel{};  // X25519, Noise static key
    crypto::PublicKey sealing{};  // X25519, for keys sealed to the site
    std::string name;             // what people call the site
    Role role = Role::reader;
    std::vector<std::string> scope;  // collections it may write; empty: all
    SiteId issuer{};
    VersionVector issuer_vv;  // what the issuer held at admission
    std::string extension = {};

    bool may_write() const { return role == Role::admin || role == Role::writer; }
    bool may_write(std::string_view collection) const;
    bool operator==(Certificate const&) const = default;
};

// Names the certificates of the site that the new one takes the place of; and, for a site that has
// been an admin, the statements made by it that go on to count.
struct RightsChange {
    std::vector<StatementHash> replaced, issued;
    bool operator==(RightsChange const&) const = default;
};

// The certificate's bytes, signed by the issuer.
std::string issue(Certificate const& certificate, crypto::SigningKey const& issuer);
// The same with an actor that follows from the rest and `nonce`.
std::string issue_following(Certificate certificate,
                            Nonce const& nonce,
                            crypto::SigningKey const& issuer);
// The same for a site that is a member: what takes the place of its certificates.
std::string issue_change(Certificate certificate,
                         RightsChange const& change,
                         Nonce const& nonce,
                         crypto::SigningKey const& issuer);
std::optional<RightsChange> change_of(Certificate const& certificate);
// Does the actor follow from the certificate, where it has to: always, or where the certificate
// says so? `bytes`: the whole certificate.
bool actor_follows(Certificate const& certificate, std::string_view bytes, bool always);
// What its issuer has signed.
std::string certificate_statement(std::string_view unsigned_bytes);
// A site's own going on under a new actor, with the rights that it had.
bool is_continuation(Certificate const& certificate, SiteId const& founder);
bool continues(Certificate const& next, Certificate const& known);
// Decodes without judging the signature or the issuer.
Result<Certificate> decode_certificate(std::string_view bytes);

}  // namespace inos
