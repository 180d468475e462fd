// Where a reader of the change feed stands, and whether this store can go on from there.
//
// A version vector alone says what somebody has seen by numbers. That is not enough: a store that
// was put back from an older copy may use numbers again, another space has other actors, and a
// record that was repaired has changed without an entry. So a cursor also carries what made it:
//
//   cursor = vv | "-" | space 4 | site 4 | generation 8 | chains 8          as text, all in hex
//
//   space       of the space's id
//   site        of the site whose node made it
//   generation  of that site's store: another one whenever records changed there without an entry
//               (a repair, a state in place of entries); zeros before the first time
//   chains      a hash over the chain at every entry that the vector names: its history
//
// A cursor is good at every site of the space that holds what it names on the same chains; the
// generation counts only at the site that made it. A vector without the rest (X-Inos-Frontier) can
// only be compared by its numbers.
//
// Used on the replica's thread, but for text() and parse(), which are pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crdt/version_vector.hpp"
#include "storage/engine.hpp"
#include "storage/result.hpp"

namespace inos {

class Replica;

using FeedGeneration = std::array<std::uint8_t, 8>;

struct FeedOrigin {
    std::array<std::uint8_t, 4> space{};
    std::array<std::uint8_t, 4> site{};
    FeedGeneration generation{};
    std::array<std::uint8_t, 8> chains{};
    bool operator==(FeedOrigin const&) const = default;
};

struct FeedCursor {
    VersionVector at;
    std::optional<FeedOrigin> origin = std::nullopt;

    std::string text() const;
    static std::optional<FeedCursor> parse(std::string_view text);
    bool operator==(FeedCursor const&) const = default;
};

// For the replica's state of now.
Result<FeedCursor> feed_cursor(Replica const& replica);

enum class CursorStanding {
    good,            // the log goes on from it
    ahead,           // entries that it names are not here (yet)
    ahead_of_older,  // ... and were, when this very site made it: this is an older copy
    ahead_of_lost,   // ... and the site that made it was retired
    other_space,
    other_history,  // entries that it names are here, and others than those
    repaired,       // records have changed since without entries
};

Result<CursorStanding> judge_cursor(Replica const& replica, FeedCursor const& cursor);
// What the cursor names may still come from a peer.
bool may_come(CursorStanding standing);
// Why it cannot be gone on from: Errc::unavailable of `ahead`, Errc::gone of the others.
Error cursor_refused(CursorStanding standing);
// Errc::gone: `why`, and what to do then.
Error begin_with_snapshot(std::string_view why);

// Of the store; zeros before the first change.
Result<FeedGeneration> feed_generation(Engine const& engine, std::uint32_t space);
// With the write that changes records without an entry. `random`: at least 8 bytes.
void put_feed_generation(WriteBatch& batch, std::uint32_t space, std::string_view random);

}  // namespace inos
