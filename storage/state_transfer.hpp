// A site's whole state, for one that needs what others have cut from their logs: what travels.
//
//   manifest = body | signature 64 of the source over "inos state 2" | space 16 | body
//   body     = version u8 (2) | source 32 | records varint | root 16 | count varint, head*
//   head     = actor u64 | seq varint | chain 32 | signature 64 | floor varint
//            | if floor > 0: known varint | chain 32 | hlc u64             ascending by actor
//   part     = manifest blob, empty but for the first one | last u8
//            | count varint, (name blob, value blob, extra blob)*          ascending by name
//
// The source holds each actor's entries up to `seq`, signed there by the author. Those up to
// `floor` do not come as entries: the receiver's log begins behind it, if it has less than `seq`.
// `known` is in [1, floor]: hashes come from there on, which the receiver holds or which is 1.
// A row's name is its kind and what it is about:
//
//   'd' | actor u64              value: what the author had seen at floor: VersionVector
//   'h' | actor u64 | block u64  value: 16 bytes of the chain at each of [known, floor] in the
//                                block (storage/log_starts.hpp)
//   'l' | actor u64 | seq u64    value: an entry above floor; extra: its author's signature, if any
//   'r' | collection | 00 | key  value: a record, maybe without cells; extra: that it was erased
//
// The receiver asks for part after part, each behind the last name that it holds durably, and says
// every time what it holds of each actor: so both ends compare their histories, on which "covered
// and absent" rests. A snapshot is known by the hash of its manifest.
//
// Plain values. Errors: Errc::protocol, with what is wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/entry.hpp"
#include "storage/crypto/crypto.hpp"
#include "storage/membership.hpp"
#include "storage/result.hpp"

namespace inos {

inline constexpr std::size_t kStatePartBytes = 1 << 20;  // about, of rows
inline constexpr std::size_t kStatePartRows = 5'000;
inline constexpr std::size_t kStatePartBytesMax = 3'900'000;  // has to fit into a message
// What a source can make a receiver stage; more than one machine's site holds.
inline constexpr std::uint64_t kStateBytesMax = std::uint64_t{64} << 30;
inline constexpr std::size_t kStateManifestBytesMax = 2 << 20;
inline constexpr std::uint64_t kStateIdleMs = 60'000;  // then nobody keeps a snapshot any more
inline constexpr std::uint64_t kStateLifeMs =
    24 * 3'600'000;                                        // nor then, however often it is asked
inline constexpr std::uint64_t kStateRetryMs = 3'600'000;  // after one that could not be taken
inline constexpr std::uint64_t kStateEntriesMin = 1'000;   // so many go as entries in any case
inline constexpr std::size_t kStateWriteBytes = 4u << 20;  // of one write that puts it in force

struct StateHead {
    ActorId actor;
    Seq seq = 0;
    crypto::Hash32 chain{};
    crypto::Signature signature{};  // its author's
    Seq floor = 0, known = 0;
    crypto::Hash32 floor_chain{};
    Hlc floor_hlc;  // about, of the entry at the floor
};

struct StateManifest {
    SiteId source{};
    std::uint64_t records = 0;  // about, to show how far it is
    crypto::Hash16 root{};
    std::vector<StateHead> heads;  // ascending by actor

    VersionVector vector() const;
    StateHead const* find(ActorId actor) const;
    // How many rows of deps, hashes and entries belong to it.
    std::uint64_t deps() const, hashes() const, entries() const;
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

namespace state_row {
inline constexpr char kDeps = 'd', kHashes = 'h', kEntry = 'l', kRecord = 'r';
// Without the number: of an actor's deps. The number is a block's or an entry's.
std::string name(char kind, ActorId actor, std::optional<std::uint64_t> number = std::nullopt);
struct Numbered {
    char kind = 0;
    ActorId actor;
    std::uint64_t number = 0;
};
// Of any row but a record's.
std::optional<Numbered> parse(std::string_view name);
}  // namespace state_row

struct StateRow {
    std::string name, value, extra;
    std::size_t bytes() const { return name.size() + value.size() + extra.size(); }
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

// What became of a part that came. stale: an answer to another question, and nothing. in_force: it
// was the last one.
enum class StateTaken { stale, more, in_force };

// How far a state is that arrives here.
struct StateProgress {
    std::uint64_t here = 0, records = 0;  // entries count as records
};

}  // namespace inos
