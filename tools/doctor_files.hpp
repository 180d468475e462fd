// What `inos doctor` looks at by itself, without the node: the files of a site's directory, who
// owns them and who may read them, and the room on their disk. Judging is pure; look_at_files()
// asks the system.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/doctor.hpp"

namespace inos {

inline constexpr std::uint64_t kRoomWarningBytes = 1ull << 30;
inline constexpr std::uint64_t kRoomProblemBytes = 128ull << 20;

struct FileFacts {
    enum class Kind { missing, file, directory, socket, other };  // other: a link among them
    Kind kind = Kind::missing;
    std::uint32_t mode = 0;  // the permission bits
    std::uint32_t owner = 0;
    std::uint64_t bytes = 0;
};

struct DirectoryFacts {
    struct Named {
        std::string name;  // below the directory
        FileFacts facts;
    };
    std::string dir;
    std::uint32_t user = 0;  // who asks
    FileFacts self, key_directory, socket, token, config, database;
    std::vector<Named> keys;
    std::optional<std::uint64_t> room_bytes;  // nullopt: the system does not say
};

DirectoryFacts look_at_files(std::string const& dir);
// One for each check at least.
std::vector<Diagnosis> judge_files(DirectoryFacts const& facts);

}  // namespace inos
