// What a replica knows of erasures: what proves them, what became of them, and what a scrub of the
// disk is told. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/entry.hpp"
#include "storage/crypto/crypto.hpp"

namespace inos {

// That a record was erased, as its eraser signed it: what makes stubs in entries believable.
struct Erasure {
    RecordTag tag{};
    std::string collection;
    ActorId actor;
    crypto::Signature signature{};
    bool operator==(Erasure const&) const = default;
};

// As it is stored, under its tag: version u8 | collection blob | actor u64 | signature 64.
std::string encode_erasure(Erasure const& erasure);
std::optional<Erasure> decode_erasure(std::string_view tag, std::string_view bytes);

// What became of an erasure, as far as this node knows.
struct ErasureStatus {
    RecordTag tag{};
    std::string collection;
    std::string site;  // where it was asked for; empty while the erase itself has not come
    Hlc time;
    std::string source;
    std::vector<std::string> done, waiting;  // sites that hold no byte of it any more, and others
};

// Taken before a scrub of the engine, given back after it.
inline constexpr std::size_t kErasedNamesMax = 10'000;

struct ScrubTicket {
    VersionVector vector;
    std::uint64_t erasing_writes = 0;  // until then
};

}  // namespace inos
