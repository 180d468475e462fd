// The small strong types that name who wrote what: actor, sequence number, dot; and the hybrid
// logical clock's time stamp. Plain values.
#pragma once

#include <compare>
#include <cstdint>

namespace inos {

// One writing life of a site in a space: 64 random bits, certified (storage/membership.hpp).
struct ActorId {
    std::uint64_t value = 0;
    auto operator<=>(ActorId const&) const = default;
};

// Number of an entry within its actor: 1, 2, 3, ... without gaps. 0 means "none yet".
using Seq = std::uint64_t;
inline constexpr Seq kSeqMax = Seq{1} << 62;  // entries beyond are void: arithmetic cannot overflow

// Names an entry; together with a path it names the cell that the entry wrote.
struct Dot {
    ActorId actor;
    Seq seq = 0;
    auto operator<=>(Dot const&) const = default;
};

// Hybrid logical clock (Kulkarni et al. 2014, "Logical Physical Clocks"): 48 bits of milliseconds
// since the Unix epoch and 16 bits of counter. The time only ever breaks ties between writes of
// which neither had seen the other.
struct Hlc {
    std::uint64_t value = 0;

    static constexpr Hlc from(std::uint64_t ms, std::uint16_t counter) {
        return Hlc{ms << 16 | counter};
    }
    constexpr std::uint64_t ms() const { return value >> 16; }
    constexpr std::uint16_t counter() const { return static_cast<std::uint16_t>(value); }
    auto operator<=>(Hlc const&) const = default;
};
inline constexpr Hlc kHlcMax{~std::uint64_t{0} >> 1};  // entries beyond are void

}  // namespace inos
