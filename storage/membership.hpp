// Who belongs to a space and what they may do: certificates, checked back to the space's founder.
//
//   genesis      = name blob | founder site 32 | nonce 16
//   space id     = first 16 bytes of BLAKE2b-256("inos space 1" | genesis)
//   certificate  = kind u8 (1 actor) | version u8 (1) | space 16 | actor u64 | site 32 | channel 32
//                | sealing 32 | name blob | role u8 | scope: count, collection blob*
//                | issuer site 32 | issuer's VersionVector | extension blob | signature 64
//   signature    = Ed25519 by the issuer over "inos certificate 1" | all bytes before it
//   extension    = empty, or the nonce (16 bytes) from which the actor follows:
//   actor        = first 8 bytes of BLAKE2b-256("inos actor 1" | all bytes before the signature,
//                  with zeros for the actor)
//
// A certificate is immutable: a change of role or rights is a new actor with a new certificate. It
// is valid when its issuer is the founder named in the genesis, or holds a valid certificate as
// admin, or is the same site continuing with the same role and scope under a new actor. `scope`
// empty: all.
//
// A site that goes on under a new actor takes one that follows from the certificate: so two that
// differ in anything, such as those of two copies of one machine, never name the same actor.
//
// Values and pure functions; the caller keeps the set in its store and passes time and keys in.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crdt/ids.hpp"
#include "crdt/version_vector.hpp"
#include "storage/crypto/crypto.hpp"
#include "storage/result.hpp"

namespace inos {

using SpaceId = std::array<std::uint8_t, 16>;
using SiteId = crypto::PublicKey;  // the site's Ed25519 identity key

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

// The certificate's bytes, signed by the issuer.
std::string issue(Certificate const& certificate, crypto::SigningKey const& issuer);
// The same for a site that goes on under a new actor: the actor follows from the rest and `nonce`.
std::string issue_continuation(Certificate certificate,
                               std::array<std::uint8_t, 16> const& nonce,
                               crypto::SigningKey const& site);
// Decodes without judging the signature or the issuer.
Result<Certificate> decode_certificate(std::string_view bytes);

// The certificates of one space that this node knows and has checked.
class Membership {
public:
    explicit Membership(Genesis genesis);

    Genesis const& genesis() const { return genesis_; }
    SpaceId const& space() const { return space_; }

    // Checks the certificate back to the founder and adds it. False: it was known already. Errors
    // say what is wrong with it. Certificates may come in any order of which each one's issuer is
    // known.
    Result<bool> add(std::string_view bytes);
    // Adds as many of a set in any order as can be checked; answers those that were new.
    Result<std::vector<std::string>> add_all(std::vector<std::string> const& set);

    Certificate const* by_actor(ActorId actor) const;
    // What an admin issued, where `certificate` is the site's own continuation of it; else itself.
    Certificate const& granted(Certificate const& certificate) const;
    // The newest certificate of a site, or of the site with this channel key.
    Certificate const* by_site(SiteId const& site) const;
    Certificate const* by_channel(crypto::PublicKey const& channel) const;
    std::vector<Certificate> sites() const;  // one per site, by name

    std::optional<std::string> bytes_of(ActorId actor) const;
    std::vector<std::string> const& all_bytes() const { return bytes_; }  // in the order they came
    std::vector<ActorId> actors() const;                                  // ascending
    // Equal for equal sets, whatever the order.
    crypto::Hash16 const& digest() const { return digest_; }

private:
    Result<void> check_issuer(Certificate const& certificate) const;
    bool by_admin(Certificate const& certificate) const;
    void update_newest(SiteId const& site);
    void update_digest();

    Genesis genesis_;
    SpaceId space_;
    std::vector<std::string> bytes_;
    std::map<ActorId, Certificate> by_actor_;
    std::map<ActorId, std::size_t> bytes_of_;  // index into bytes_
    std::map<SiteId, ActorId> newest_;
    std::vector<crypto::Hash16> hashes_;  // of all certificates, ascending
    crypto::Hash16 digest_{};
};

}  // namespace inos
