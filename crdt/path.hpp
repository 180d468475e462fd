// Where in a record a cell lies. A path is a byte string of segments, from the field downwards:
//
//   path     = segment+ | special
//   segment  = name blob (1..) | type u8
//   special  = 00 01 existence | 00 02 delete marker | 00 03 erase marker
//
// A segment's name is a field name, a key of a map, or the canonical bytes of a set's element; its
// type says what lies there. So a path carries its type: two sites that use one field with two
// types keep both, side by side. Everything below a segment starts with the segment's bytes, and
// everything of a name, whatever its type, starts with the name's blob: prefixes of bytes are
// subtrees.
//
// The merge looks at exactly one thing of a type: types from 0x40 on are *runs* (one cell per
// actor, continued in place, such as a counter), those from 0x20 on are *shrinking* (a cell whose
// payload only ever loses pieces, such as a run of text), all others are plain. So sites merge
// types that they do not know. Numbers are stored and never reused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crdt/bytes.hpp"

namespace inos {

enum class CellType : std::uint8_t {
    register_ = 1,    // a value: the cell's payload is the value's canonical bytes
    set = 2,          // at its own path: "there is a set"; elements below
    flag = 3,         // enable and disable cells below
    map = 4,          // at its own path: "there is a map"; keys below
    list = 5,         // at its own path: "there is a list"; elements below
    text = 6,         // at its own path: "there is a text"; runs of characters below
    marker = 7,       // deletes what lies beside it, below the same parent: an element of a list;
                      // payload: a VersionVector, what it saw there
    element = 8,      // an element of a set or a list, or one of a flag's two sides
    position = 9,     // where an element of a list was moved to; payload: a Position
    lost = 10,        // says that a run of the same name was cleared while its author, who had not
                      // seen it, went on counting; payload: varint, the seq that began the run
    text_run = 0x20,  // consecutive characters; payload: Pieces (crdt/pieces.hpp)
    counter = 0x40,
    bounded_counter = 0x41,  // at its own path nothing; below it counters, one for each right
};

inline constexpr std::uint8_t kShrinkingTypesFrom = 0x20;
inline constexpr std::uint8_t kRunTypesFrom = 0x40;

inline constexpr std::string_view kExistencePath{"\0\1", 2};
inline constexpr std::string_view kDeletePath{"\0\2", 2};
inline constexpr std::string_view kErasePath{"\0\3", 2};

inline constexpr int kPathDepthMax = 16;

inline std::string path_name(std::string_view parent, std::string_view name) {
    std::string path(parent);
    put_blob(path, name);
    return path;
}

inline std::string path_child(std::string_view parent, std::string_view name, CellType type) {
    std::string path = path_name(parent, name);
    path += static_cast<char>(type);
    return path;
}

struct Segment {
    std::string_view name;
    CellType type{};
};

// Takes the first segment off `path`; nullopt for an empty, special or malformed path.
inline std::optional<Segment> take_segment(std::string_view& path) {
    Reader in(path);
    Segment segment;
    segment.name = in.blob();
    segment.type = static_cast<CellType>(in.byte());
    if (!in.ok() || segment.name.empty()) return std::nullopt;
    path = in.rest();
    return segment;
}

inline bool is_special(std::string_view path) {
    return !path.empty() && path.front() == '\0';
}

// Where the `lost` cells of the run at `path` lie: below it, so that what clears the run clears
// them.
inline constexpr std::string_view kLostName = "lost";
inline std::string lost_path(std::string_view path) {
    return path_child(path, kLostName, CellType::lost);
}

// The type of the path's last segment is its last byte.
inline bool is_run(std::string_view path) {
    return !is_special(path) && !path.empty() &&
           static_cast<std::uint8_t>(path.back()) >= kRunTypesFrom;
}
// The run whose `lost` cells lie at `path`; nullopt for all other paths.
inline std::optional<std::string_view> run_of_lost(std::string_view path) {
    std::string const tail = lost_path({});
    if (!path.ends_with(tail)) return std::nullopt;
    path.remove_suffix(tail.size());
    return is_run(path) ? std::optional(path) : std::nullopt;
}
// What a removal had seen of a list element.
inline bool is_marker(std::string_view path) {
    return !is_special(path) && !path.empty() && path.back() == static_cast<char>(CellType::marker);
}
inline bool is_shrinking(std::string_view path) {
    return !is_special(path) && !path.empty() && !is_run(path) &&
           static_cast<std::uint8_t>(path.back()) >= kShrinkingTypesFrom;
}

}  // namespace inos
