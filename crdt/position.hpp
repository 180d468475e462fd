// Where an element of a list or a character of a text stands: a self-contained path in a tree, so
// that the order of two positions needs nothing but themselves, and removed neighbours leave no
// stubs. The tree is that of Weidner and Kleppmann 2023, "The Art of the Fugue: Minimizing
// Interleaving in Collaborative Text Editing": a position is a node, its left children and what is
// below them come before it, its right children after. Consecutive nodes of one author share a run.
//
//   position  = waypoint+                       from the root downwards
//   waypoint  = counter varint << 1 | side (0 left, 1 right) | actor u64 | block varint
//               | offset varint
//
// A run is named by (counter, actor). Its blocks 0, 1, 2, ... stand in front of each other: block
// k+1 begins as the left child of block k's offset 0, so that prepending does not deepen the tree;
// within a block, offset n+1 is the right child of offset n, so that appending does not either.
// Of the children of one node on one side, those of the lower run (counter, actor) are nearer to
// the node; the next node of the node's own run counts as one of them. A new run's counter is above
// all that its author sees, so a later run may stand as a sibling of its neighbour's ancestors, and
// the tree stays flat where people only append or only prepend.
//
// Concurrent runs at one place do not mix: each stays whole, as long as its author wrote it in one
// direction. Pure values.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/ids.hpp"

namespace inos {

inline constexpr std::size_t kPositionDepthMax = 512;  // waypoints; deeper ones are not decoded

struct RunId {
    std::uint64_t counter = 0;
    ActorId actor;
    auto operator<=>(RunId const&) const = default;
};

enum class Side : std::uint8_t { left = 0, right = 1 };

struct Waypoint {
    Side side = Side::right;
    RunId run;
    std::uint64_t block = 0;
    std::uint64_t offset = 0;
    bool operator==(Waypoint const&) const = default;
};

class Position {
public:
    Position() = default;
    explicit Position(std::vector<Waypoint> waypoints) : waypoints_(std::move(waypoints)) {}

    std::vector<Waypoint> const& waypoints() const { return waypoints_; }
    // The place `count` nodes further in the same block.
    Position advanced(std::uint64_t count) const;

    // The order of the sequence; a total order, and equal only for the same node.
    std::strong_ordering operator<=>(Position const& other) const;
    bool operator==(Position const& other) const = default;

    std::string encode() const;
    static std::optional<Position> decode(std::string_view bytes);

private:
    std::vector<Waypoint> waypoints_;
};

// The highest run counter in a position: what a new run's has to be above.
std::uint64_t max_counter(Position const& position);

// A place between two neighbours, of which either may be missing (the beginning, the end). The
// places behind it in the same block (advanced()) lie between them as well.
// `counter_above`: the highest counter in the whole sequence that the author sees.
// Precondition: *left < *right, and nothing that the author sees lies between them.
Position between(Position const* left,
                 Position const* right,
                 ActorId author,
                 std::uint64_t counter_above);

}  // namespace inos
