// Whether this directory is certain to be the one that wrote last under the site's actor. Two
// directories that go on under one actor would give two entries the same number; so where it is not
// certain, the next write goes on under a new actor (Replica::commit), and nothing has to be asked.
//
// What tells a directory from its copies is its marker file (storage/marker_file.hpp). As the file
// was when the directory was last opened with certainty stands in the database:
//
//   the same file, unchanged, same machine, same boot   certain
//   the same, but another boot                          certain as soon as a peer has confirmed our
//                                                       last entry since (a disk may have been
//                                                       rolled back while nobody ran)
//   anything else                                       a new actor
//
// Every opening and every orderly end puts a new nonce into the file. The one to come is recorded
// before the file is written and the file's marks after it, so a crash in between does no harm.
//
// What these marks cannot show, a machine whose memory was rolled back or doubled, the peers see:
// they hold more of the actor than we do, or other entries. What a peer says without showing it
// (a version vector is not signed) makes the next write take a new actor, kSuspicionsPerDay times,
// and is forgotten with this run; what its author has signed is stored.
//
//   meta 'm'  = version u8 (1) | doubt u8 | 0, or 1 and marks | 0, or 1 and nonce 16 (to come)
//             | count, renewal varint (Unix ms)* | count, (actor u64 | left u8)*
//   marks     = nonce 16 | inode u64 | device u64 | changed u64 | machine blob | boot blob
//   meta 'f' | actor u64
//             = version u8 (1) | found varint (Unix ms) | seq varint | head | head
//   head      = seq varint | chain 32 | signature 64
//
// Pure values and functions, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/ids.hpp"
#include "storage/crypto/crypto.hpp"

namespace inos {

inline constexpr std::size_t kRenewalsPerDay = 16;
inline constexpr std::size_t kSuspicionsPerDay = 4;  // on what peers say without showing it

using MarkerNonce = std::array<std::uint8_t, 16>;

struct DirectoryMarks {
    MarkerNonce nonce{};                  // what the marker file holds
    std::uint64_t inode = 0, device = 0;  // of the marker file
    std::uint64_t changed_ns = 0;         // its change time, which no copying program can set
    std::string machine, boot;            // ids of the machine and of its present run
    bool operator==(DirectoryMarks const&) const = default;
};

// Why the actor may not simply be gone on with. Stored; numbers are never reused.
enum class Doubt : std::uint8_t {
    none = 0,
    unmarked = 1,     // nothing was recorded
    copied = 2,       // the marker file is another one
    overwritten = 3,  // it is the same file, but not as this database left it
    moved = 4,        // another machine
    rebooted = 5,     // all as it was, before the machine started again
    seen_more = 6,    // a peer holds entries of the actor that this directory did not have
    forked = 7,       // a peer holds other entries under the same numbers
};
// For people: why, in a few words; empty for none.
char const* doubt_text(Doubt doubt);
// A stable name for programs: "certain", "unmarked", ...
char const* doubt_name(Doubt doubt);

// How an actor was left when the site went on under a new one. Only of one that no other directory
// can be writing under is anything remembered.
enum class Left : std::uint8_t {
    trusted = 1,    // the marks matched, only no peer has confirmed its last entry
    confirmed = 2,  // then one did, and knew of no other life of this site
};

struct EarlierActor {
    ActorId actor;
    Left left = Left::trusted;
    bool operator==(EarlierActor const&) const = default;
};

struct ContinuityRecord {
    Doubt doubt = Doubt::none;  // one that no marks can take away
    std::optional<DirectoryMarks> marks;
    std::optional<MarkerNonce> next;      // that is about to be put into the marker file
    std::vector<std::uint64_t> renewals;  // of the last day, Unix ms
    std::vector<EarlierActor> earlier;    // actors that the site left here

    // The site was, or is, written to somewhere else: who knows what became of the earlier actors?
    void another_life(Doubt now = Doubt::none);
    // The directory as it is from now on, judged before as `doubt`: that stays with it, as the
    // directory is not asked for it again.
    void keep_marks(DirectoryMarks const& now, Doubt judged);
    bool operator==(ContinuityRecord const&) const = default;

    std::string encode() const;
    static std::optional<ContinuityRecord> decode(std::string_view bytes);
};

// nullopt for `present`: nobody looks at directories here, and what is stored decides.
Doubt judge_continuity(ContinuityRecord const& recorded,
                       std::optional<DirectoryMarks> const& present);

// Those of the last 24 h. A time ahead of the clock does not count: it may have been set back.
std::vector<std::uint64_t> recent_renewals(std::vector<std::uint64_t> const& renewals,
                                           std::uint64_t now_ms);

// An actor's last entry at one site, as its author signed it.
struct ActorHead {
    Seq seq = 0;
    crypto::Hash32 chain{};
    crypto::Signature signature{};
    bool operator==(ActorHead const&) const = default;
};

// Two histories under one actor: two copies of a site wrote. Kept as evidence: `theirs` is signed
// and stands where the holder of ours has another entry.
struct Fork {
    ActorId actor;
    Seq seq = 0;  // an entry that differs, or one behind it
    std::uint64_t found_ms = 0;
    ActorHead ours;
    ActorHead theirs;
    bool operator==(Fork const&) const = default;

    std::string encode() const;  // without the actor
    static std::optional<Fork> decode(ActorId actor, std::string_view bytes);
};

}  // namespace inos
