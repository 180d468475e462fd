// Entries on their way from one site to another, as their authors made them. Plain values.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "crdt/ids.hpp"
#include "storage/crypto/crypto.hpp"
#include "storage/erasure.hpp"

namespace inos {

// What a batch may hold, for the one who makes it and for the one who takes it. A stretch that its
// author signed only at the end cannot be cut by those who forward it, so a larger one would stop
// at the next site for ever.
inline constexpr std::size_t kBatchBytesMax = 3'500'000;  // of entries
inline constexpr std::size_t kBatchEntriesMax = 100'000;
inline constexpr std::size_t kBatchErasuresMax = 100'000;
inline constexpr std::size_t kEntryWeight = 32;  // what an entry costs besides its bytes

// A gapless piece of one actor's log.
struct EntryRun {
    ActorId actor;
    Seq first = 0;
    std::vector<std::string> entries;
};

struct SignedHead {
    ActorId actor;
    Seq seq = 0;
    crypto::Signature signature{};
};

// A causally closed set of entries in causal order; the last entry of every actor in it is signed.
struct EntryBatch {
    std::vector<EntryRun> runs;
    std::vector<SignedHead> heads;
    std::vector<Erasure> erasures;  // of the stubs in the entries

    bool empty() const { return runs.empty(); }
    std::size_t entries() const;
    std::size_t bytes() const;   // of all entries
    std::size_t weight() const;  // what collect()'s target counts: bytes, and a little per entry
};

}  // namespace inos
