// Where the log of each actor begins, once its older entries were cut (Replica::truncate), and what
// stays of these: 16 bytes of the chain at each, so that old copies of a directory and forks are
// still told from what is held here.
//
//   meta   space u32 | 'b' | actor u64            -> version u8 | seq varint | hlc u64 | chain 32
//   index  space u32 | 'h' | actor u64 | block u64 -> first u8 | hash 16 *
//
// A block is kHashesPerKey consecutive numbers of an actor, from 1 on; `first` is how many of its
// hashes are not there at its beginning. What the author of the last entry that was cut had seen is
// stored as for every kDepsEvery-th entry, and its signature stays in the log.
//
// A value; used on the replica's thread. Errors: Errc::corruption of what is stored.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/hlc.hpp"
#include "crdt/ids.hpp"
#include "crdt/version_vector.hpp"
#include "storage/crypto/crypto.hpp"
#include "storage/engine.hpp"

namespace inos {

inline constexpr Seq kHashesPerKey = 64;

struct LogStart {
    Seq seq = 0;  // of the last entry that was cut: the log begins behind it
    Hlc hlc;      // its stamp
    crypto::Hash32 chain{};

    std::string encode() const;
    static std::optional<LogStart> decode(std::string_view bytes);
};

class LogStarts {
public:
    static Result<LogStarts> load(Engine const& engine, std::uint32_t space);

    LogStart const* find(ActorId actor) const;
    Seq of(ActorId actor) const;  // 0: nothing was cut
    bool is_cut(Dot dot) const { return dot.seq > 0 && dot.seq <= of(dot.actor); }
    // The last entry that was cut of some actor: a link to it says that a history was cut there.
    Dot any_cut() const;
    void set(ActorId actor, LogStart const& start) { starts_.insert_or_assign(actor, start); }
    bool empty() const { return starts_.empty(); }
    // The latest stamp of all that was cut; what was before may not be known any more.
    std::optional<Hlc> last_cut() const;
    // Does the vector name all that was cut?
    bool within(VersionVector const& vector) const;

private:
    std::map<ActorId, LogStart> starts_;
};

// Adds the chains of `actor`'s entries from `first` on to what is kept of those that were cut.
Result<void> put_cut_chains(Engine const& engine,
                            std::uint32_t space,
                            Dot first,
                            std::vector<crypto::Hash16> const& chains,
                            WriteBatch& batch);
// What is kept of a chain: its first bytes.
crypto::Hash16 cut_hash(crypto::Hash32 const& chain);
// The first 16 bytes of the chain at each entry of [first, last], all of which were cut.
Result<std::string> cut_chains(
    Engine const& engine, std::uint32_t space, ActorId actor, Seq first, Seq last);
// The first 16 bytes of the chain at an entry that was cut; nullopt: not kept.
Result<std::optional<crypto::Hash16>> cut_chain(Engine const& engine, std::uint32_t space, Dot dot);

}  // namespace inos
