#include "storage/disk_space.hpp"

#include <algorithm>

namespace inos {
namespace {

std::uint64_t mark(std::uint64_t bytes, std::uint64_t part, DiskSpace const& disk) {
    return std::min(bytes, disk.total / std::max<std::uint64_t>(part, 1));
}

}  // namespace

Room room_on(std::optional<DiskSpace> const& disk, SpaceMarks const& marks) {
    if (!disk) return Room::everything;
    if (disk->free < mark(marks.own, marks.own_part, *disk)) return Room::removals;
    if (disk->free < mark(marks.foreign, marks.foreign_part, *disk)) return Room::own;
    return Room::everything;
}

std::uint64_t foreign_mark(std::optional<DiskSpace> const& disk, SpaceMarks const& marks) {
    return disk ? mark(marks.foreign, marks.foreign_part, *disk) : 0;
}

char const* disk_state_name(DiskState state) {
    switch (state) {
        case DiskState::ok:
            return "ok";
        case DiskState::low:
            return "low";
        case DiskState::lower:
            return "lower";
        case DiskState::full:
            return "full";
        case DiskState::failed:
            return "failed";
    }
    return "failed";
}

std::string DiskStatus::words() const {
    std::string const free =
        space ? "the disk has only " + size_text(space->free) + " left" : "the disk is full";
    std::string const until = wanted > 0
                                  ? "; it goes on by itself from " + size_text(wanted) + " on"
                                  : "; it goes on by itself when there is room again";
    switch (state) {
        case DiskState::ok:
            return {};
        case DiskState::low:
            return free + ", so this site takes no entries of other sites for now" + until;
        case DiskState::lower:
            return free + ", so this site takes nothing for now but deletes and erasures" + until;
        case DiskState::full:
            return "the disk is full, and a write has failed, so this site takes no writes" +
                   until + " (" + error + ")";
        case DiskState::failed:
            break;
    }
    return "an earlier write to the disk failed, so this node takes no more writes; see to the "
           "disk and start the node again (" +
           error + ")";
}

Error no_room(DiskStatus const& status) {
    return Error{Errc::no_space, status.words(), {}};
}

std::string size_text(std::uint64_t bytes) {
    constexpr std::uint64_t kKib = 1u << 10, kMib = 1u << 20;
    if (bytes >= kMib) return std::to_string(bytes / kMib) + " MiB";
    if (bytes >= kKib) return std::to_string(bytes / kKib) + " KiB";
    return std::to_string(bytes) + " bytes";
}

}  // namespace inos
