// What is left of a run of text, and what an edit takes away of it. Every character of an insertion
// keeps its index for ever, counted in Unicode code points from the insertion's beginning; removals
// name indexes, so removals at several sites add up in any order, and none leaves a stub.
//
//   pieces  = count varint (1..), (gap varint, text blob)*     the payload of a shrinking cell
//   cut     = actor u64 | seq varint | count varint (1..), (gap varint, length varint)*
//
// A gap counts the code points between the end of the piece (or range) before, or the beginning,
// and this one; it is 0 only before the first. Texts are UTF-8 and not empty, lengths are above 0:
// equal pieces have equal bytes. A cut's actor and seq are the dot of the cell that it cuts.
//
// Total functions over plain values. Pieces are views into the payload that they were decoded from
// and are good as long as that is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/ids.hpp"

namespace inos {

inline constexpr std::uint64_t kPieceIndexMax = std::uint64_t{1} << 62;

// Both for well-formed UTF-8: how many code points a text has, and how many bytes its first `count`
// ones take (all, if it has fewer).
std::uint64_t code_points(std::string_view text);
std::size_t bytes_of(std::string_view text, std::uint64_t count);

// Code points of an insertion, by index.
struct PieceRange {
    std::uint64_t begin = 0, length = 0;
    std::uint64_t end() const { return begin + length; }
    bool operator==(PieceRange const&) const = default;
};
using PieceRanges = std::vector<PieceRange>;  // ascending, not empty, not adjacent

struct Cut {
    Dot dot;
    PieceRanges ranges;

    std::string encode() const;
    static std::optional<Cut> decode(std::string_view payload);
    bool operator==(Cut const&) const = default;
};

struct Piece {
    std::uint64_t begin = 0, length = 0;
    std::string_view text;
    std::uint64_t end() const { return begin + length; }
    bool operator==(Piece const&) const = default;
};

class Pieces {
public:
    Pieces() = default;
    // All of an insertion: text that is not empty.
    explicit Pieces(std::string_view text) : pieces_{{0, code_points(text), text}} {}

    bool empty() const { return pieces_.empty(); }
    std::vector<Piece> const& items() const { return pieces_; }
    // Nothing but one piece at the beginning: what an author may write.
    bool whole() const { return pieces_.size() == 1 && pieces_.front().begin == 0; }

    void cut(PieceRanges const& ranges);
    // Keeps what both hold: the same character at the same index.
    void intersect(Pieces const& other);

    std::string encode() const;
    static std::optional<Pieces> decode(std::string_view payload);
    bool operator==(Pieces const&) const = default;

private:
    std::vector<Piece> pieces_;
};

// What is left of a cell of which one side holds `a` and the other `b`; empty for nothing. The same
// for (b, a), whatever the bytes.
std::string common_pieces(std::string_view a, std::string_view b);

}  // namespace inos
