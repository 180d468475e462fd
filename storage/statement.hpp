// What admins and sites state about membership besides certificates: retirements, actors' ends,
// keys, recovery keys. All statements together, certificates too, are the membership log.
//
//   statement   = kind u8 | version u8 | space 16 | issuer site 32 | body | signature 64
//   signature   = Ed25519 by the issuer over "inos statement 1" | all bytes before it
//
//   kind 2, retirement   site 32 | made varint (Unix ms) | held: count, (actor u64 | seq varint
//                        | chain 32)* | issued: count, hash 16* | extension blob
//   kind 3, actor's end  actor u64 | seq varint | chain 32 | extension blob
//   kind 4, key          epoch varint | key id 8 | count, (site 32 | sealed blob)* | extension blob
//   kind 5, recovery     recovery key 32 (Ed25519) | extension blob
//   sealed               crypto_box_seal of the key (32) to the site's sealing key
//   key id               = first 8 bytes of BLAKE2b-256("inos key id 1" | key)
//
// Kind 1 is the certificate (storage/certificate.hpp), with a layout of its own. Kinds and versions
// that this program does not know are kept and passed on like all others: the frame stays.
//
// Pure; any thread. Errors: Errc::protocol.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/certificate.hpp"

namespace inos {

inline constexpr std::size_t kStatementBytesMax = 1 << 20;

enum class StatementKind : std::uint8_t {  // never reused
    certificate = 1,
    retirement = 2,
    actor_end = 3,
    key = 4,
    recovery = 5,
};

// An entry of an actor, and with its chain all before it.
struct ActorPoint {
    ActorId actor;
    Seq seq = 0;
    crypto::Hash32 chain{};
    bool operator==(ActorPoint const&) const = default;
};

// The site is no member any more, for ever.
struct Retirement {
    SiteId site{};
    std::uint64_t made_ms = 0;          // by its issuer's clock; for people only
    std::vector<ActorPoint> held;       // what the issuer held of the site's actors
    std::vector<StatementHash> issued;  // statements of the site that go on to count
    bool operator==(Retirement const&) const = default;
};

// Its site writes nothing more under it.
struct ActorEnd {
    ActorPoint last;
    bool operator==(ActorEnd const&) const = default;
};

// Names a key that seals batches: later epochs come after rotations.
struct KeyName {
    std::uint64_t epoch = 0;
    std::uint64_t id = 0;
    auto operator<=>(KeyName const&) const = default;
};
std::uint64_t key_id(crypto::Secret const& key);

// A key of the space, for the sites that are named.
struct KeyStatement {
    struct Envelope {
        SiteId site{};
        std::string sealed;
        bool operator==(Envelope const&) const = default;
    };
    KeyName name;
    std::vector<Envelope> envelopes;
    bool operator==(KeyStatement const&) const = default;
};

// A key that may act as an admin; what it belongs to is printed on paper (storage/recovery.hpp).
struct RecoveryKey {
    SiteId key{};
    bool operator==(RecoveryKey const&) const = default;
};

struct UnknownStatement {
    bool operator==(UnknownStatement const&) const = default;
};

struct Statement {
    SiteId issuer{};
    std::variant<Certificate, Retirement, ActorEnd, KeyStatement, RecoveryKey, UnknownStatement>
        what;
};

// The statement's bytes, signed. Not for certificates, which have issue().
std::string state(SpaceId const& space,
                  std::variant<Retirement, ActorEnd, KeyStatement, RecoveryKey> const& what,
                  crypto::SigningKey const& issuer);

// Decodes any kind and looks whether it is of this space; judges neither signature nor issuer.
// Errc::unsupported for a certificate of a newer version.
Result<Statement> decode_statement(SpaceId const& space, std::string_view bytes);
// Has its issuer signed it?
bool is_signed(Statement const& statement, std::string_view bytes);
StatementHash statement_hash(std::string_view bytes);

}  // namespace inos
