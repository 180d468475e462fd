// How much room a disk has to have for what a replica writes to it. Below the mark for foreign
// entries a site takes none and says so to its peers, which wait; below the mark for its own writes
// it refuses these before they are begun, and takes only what removes something. Acknowledging,
// purging, cutting the log and compacting go on all the while: they are what makes room.
//
//   bytes free   >= foreign   >= own        < own
//                everything   own writes    deletes and erasures
//
// Pure values and functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "storage/result.hpp"

namespace inos {

struct DiskSpace {
    std::uint64_t free = 0, total = 0;  // bytes
    bool operator==(DiskSpace const&) const = default;
};

// In bytes; of a small disk the named part of it, where that is less.
struct SpaceMarks {
    std::uint64_t foreign = 256u << 20, foreign_part = 20;
    std::uint64_t own = 64u << 20, own_part = 80;
};
inline constexpr SpaceMarks kNoMarks{0, 1, 0, 1};

enum class Room : std::uint8_t { removals, own, everything };

// nullopt: nobody knows, and nothing is refused for it.
Room room_on(std::optional<DiskSpace> const& disk, SpaceMarks const& marks);
// That has to be free before everything is taken again.
std::uint64_t foreign_mark(std::optional<DiskSpace> const& disk, SpaceMarks const& marks);

// What a replica can do with its disk, worst last.
enum class DiskState : std::uint8_t {
    ok,
    low,     // no foreign entries
    lower,   // no own writes either, but deletes and erasures
    full,    // a write has failed for want of room: none at all, until the disk was opened again
    failed,  // another one has failed: none, until somebody sees to it
};
// A stable name for programs.
char const* disk_state_name(DiskState state);

// Writes of its own; Room says which below that.
constexpr bool takes_writes(DiskState state) {
    return state == DiskState::ok || state == DiskState::low;
}

struct DiskStatus {
    DiskState state = DiskState::ok;
    std::optional<DiskSpace> space;
    std::uint64_t wanted = 0;  // bytes free, from which on everything is taken again
    std::string error;         // of the write that has failed
    // For people; empty while all is well.
    std::string words() const;
};

// Errc::no_space, in the words of the status.
Error no_room(DiskStatus const& status);
// "12 MiB"
std::string size_text(std::uint64_t bytes);

}  // namespace inos
