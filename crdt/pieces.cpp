#include "crdt/pieces.hpp"

#include <algorithm>

#include "crdt/bytes.hpp"
#include "crdt/value.hpp"

namespace inos {
namespace {

bool begins_code_point(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

// Takes the first `count` code points off `piece`, which has at least as many.
Piece take_front(Piece& piece, std::uint64_t count) {
    std::size_t const bytes = bytes_of(piece.text, count);
    Piece const front{piece.begin, count, piece.text.substr(0, bytes)};
    piece.text.remove_prefix(bytes);
    piece.begin += count;
    piece.length -= count;
    return front;
}

// Adds the code points in which two texts of the same length and beginning agree.
void add_common(std::vector<Piece>& out, Piece a, Piece b) {
    if (a.text == b.text) return out.push_back(a);
    bool joins = false;
    while (a.length > 0) {
        Piece const ours = take_front(a, 1);
        bool const same = ours.text == take_front(b, 1).text;
        if (same && joins) {
            Piece& last = out.back();
            last.text = {last.text.data(), last.text.size() + ours.text.size()};
            ++last.length;
        } else if (same) {
            out.push_back(ours);
        }
        joins = same;
    }
}

}  // namespace

std::uint64_t code_points(std::string_view text) {
    return static_cast<std::uint64_t>(std::count_if(text.begin(), text.end(), begins_code_point));
}

std::size_t bytes_of(std::string_view text, std::uint64_t count) {
    std::size_t i = 0;
    for (; i < text.size(); ++i) {
        if (!begins_code_point(text[i])) continue;
        if (count == 0) break;
        --count;
    }
    return i;
}

std::string Cut::encode() const {
    std::string out;
    put_u64(out, dot.actor.value);
    put_varint(out, dot.seq);
    put_varint(out, ranges.size());
    std::uint64_t at = 0;
    for (PieceRange const& range : ranges) {
        put_varint(out, range.begin - at);
        put_varint(out, range.length);
        at = range.end();
    }
    return out;
}

std::optional<Cut> Cut::decode(std::string_view payload) {
    Reader in(payload);
    Cut cut;
    cut.dot.actor.value = in.u64();
    cut.dot.seq = in.varint();
    if (cut.dot.seq == 0 || cut.dot.seq > kSeqMax) return std::nullopt;
    cut.ranges.resize(in.count(2));
    std::uint64_t at = 0;
    for (PieceRange& range : cut.ranges) {
        std::uint64_t const gap = in.varint();
        range.length = in.varint();
        if (range.length == 0 || (gap == 0 && at > 0)) return std::nullopt;
        if (gap > kPieceIndexMax - at || range.length > kPieceIndexMax - at - gap)
            return std::nullopt;
        range.begin = at + gap;
        at = range.end();
    }
    if (!in.finished() || cut.ranges.empty()) return std::nullopt;
    return cut;
}

void Pieces::cut(PieceRanges const& ranges) {
    std::vector<Piece> kept;
    auto range = ranges.begin();
    for (Piece piece : pieces_) {
        while (piece.length > 0) {
            while (range != ranges.end() && range->end() <= piece.begin)
                ++range;
            if (range == ranges.end() || range->begin >= piece.end()) {
                kept.push_back(piece);
                break;
            }
            if (range->begin > piece.begin)
                kept.push_back(take_front(piece, range->begin - piece.begin));
            take_front(piece, std::min(range->end(), piece.end()) - piece.begin);
        }
    }
    pieces_ = std::move(kept);
}

void Pieces::intersect(Pieces const& other) {
    std::vector<Piece> kept;
    auto ours = pieces_.begin();
    auto const end = other.pieces_.end();
    for (auto it = other.pieces_.begin(); it != end; ++it) {
        Piece theirs = *it;
        while (theirs.length > 0 && ours != pieces_.end()) {
            if (ours->begin < theirs.begin)
                take_front(*ours, std::min(ours->length, theirs.begin - ours->begin));
            else if (theirs.begin < ours->begin)
                take_front(theirs, std::min(theirs.length, ours->begin - theirs.begin));
            std::uint64_t const both = std::min(ours->length, theirs.length);
            if (both > 0 && ours->begin == theirs.begin)
                add_common(kept, take_front(*ours, both), take_front(theirs, both));
            if (ours->length == 0) ++ours;
        }
    }
    pieces_ = std::move(kept);
}

std::string Pieces::encode() const {
    std::string out;
    put_varint(out, pieces_.size());
    std::uint64_t at = 0;
    for (Piece const& piece : pieces_) {
        put_varint(out, piece.begin - at);
        put_blob(out, piece.text);
        at = piece.end();
    }
    return out;
}

std::optional<Pieces> Pieces::decode(std::string_view payload) {
    Reader in(payload);
    Pieces out;
    out.pieces_.resize(in.count(3));
    std::uint64_t at = 0;
    for (Piece& piece : out.pieces_) {
        std::uint64_t const gap = in.varint();
        piece.text = in.blob();
        if (piece.text.empty() || !valid_utf8(piece.text)) return std::nullopt;
        if ((gap == 0 && at > 0) || gap > kPieceIndexMax - at) return std::nullopt;
        piece.begin = at + gap;
        piece.length = code_points(piece.text);
        if (piece.length > kPieceIndexMax - piece.begin) return std::nullopt;
        at = piece.end();
    }
    if (!in.finished() || out.empty()) return std::nullopt;
    return out;
}

std::string common_pieces(std::string_view a, std::string_view b) {
    if (a == b) return std::string(a);
    auto ours = Pieces::decode(a);
    auto const theirs = Pieces::decode(b);
    if (!ours || !theirs) return {};
    ours->intersect(*theirs);
    return ours->empty() ? std::string() : ours->encode();
}

}  // namespace inos
