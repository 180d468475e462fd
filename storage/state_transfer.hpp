// A site's whole state, for one that needs what others have cut from their logs: what travels.
//
//   manifest = body | signature 64 of the source over "inos state 1" | space 16 | body
//   body     = version u8 (1) | source 32 | records varint | root 16
//            | count varint, (actor u64, seq varint, chain 32, signature 64, hlc u64, deps vv)*
//                                                            ascending by actor
//   part     = manifest blob, empty but for the first one | last u8
//            | count varint, (name blob, record blob, proof blob)*       ascending by name
//   name     = collection | 00 | key, as in the engine's keys; proof: that the record was erased
//
// The receiver asks for part after part, each behind the last name that it holds durably, and says
// every time what it holds of each actor: so both ends compare their histories, on which "covered
// and absent" rests. A snapshot is known by the hash of its manifest.
//
// Plain values. Errors: Errc::protocol, with what is wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/entry.hpp"
#include "storage/crypto/crypto.hpp"
#include "storage/membership.hpp"
#include "storage/result.hpp"

namespace inos {

inline constexpr std::size_t kStatePartBytes = 1 << 20;  // about, of records
inline constexpr std::size_t kStatePartRows = 5'000;
inline constexpr std::size_t kStatePartBytesMax = 3'900'000;         // has to fit into a message
inline constexpr std::size_t kStateBytesMax = std::size_t{1} << 30;  // of all records, in memory
inline constexpr std::size_t kStateManifestBytesMax = 2 << 20;
inline constexpr std::uint64_t kStateIdleMs = 60'000;  // then nobody keeps a snapshot any more

struct StateHead {
    ActorId actor;
    Seq seq = 0;
    crypto::Hash32 chain{};
    crypto::Signature signature{};  // its author's
    Hlc hlc;
    VersionVector deps;  // whole, of its last entry
};

struct StateManifest {
    SiteId source{};
    std::uint64_t records = 0;  // about, to show how far it is
    crypto::Hash16 root{};
    std::vector<StateHead> heads;

    VersionVector vector() const;
    std::string encode(SpaceId const& space, crypto::SigningKey const& key) const;
};
// Checks the signature against the site that it names; not whether that is a member.
Result<StateManifest> decode_state_manifest(SpaceId const& space, std::string_view bytes);

struct StateAsk {
    crypto::Hash16 id{};         // zeros: of any snapshot, from its beginning
    std::string after;           // the last name that is held; empty: none
    std::vector<DepHead> heads;  // what the receiver holds of each actor
};

struct StatePartLimits {
    std::size_t bytes = kStatePartBytes, rows = kStatePartRows;
};

struct StateRow {
    std::string name, record, proof;
    std::size_t bytes() const { return name.size() + record.size() + proof.size(); }
};

struct StatePart {
    crypto::Hash16 id{};
    std::string after;     // what the ask said
    std::string manifest;  // empty but for the first part
    bool last = false;
    std::vector<StateRow> rows;

    std::string encode() const;  // without id and after
    static Result<StatePart> decode(std::string_view bytes);
};

// How far a state is that arrives here.
struct StateProgress {
    std::uint64_t here = 0, records = 0;
};

}  // namespace inos
