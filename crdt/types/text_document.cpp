#include "crdt/types/text_document.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace inos {
namespace {

constexpr CellType kRun = CellType::text_run;

// What a piece's text may have beside the payload's count, gap and length.
constexpr std::size_t kRunBytesMax = kPayloadBytesMax - 8;

std::string run_path(std::string_view own, Position const& position) {
    return path_child(own, position.encode(), kRun);
}

// The last code point boundary at or before `bytes`.
std::size_t boundary(std::string_view text, std::size_t bytes) {
    if (bytes >= text.size()) return text.size();
    while ((static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80)
        --bytes;
    return bytes;
}

// Ascending, and ranges that touch become one.
PieceRanges in_order(PieceRanges ranges) {
    std::sort(ranges.begin(), ranges.end(), [](PieceRange const& a, PieceRange const& b) {
        return a.begin < b.begin;
    });
    PieceRanges joined;
    for (PieceRange const& range : ranges) {
        if (!joined.empty() && joined.back().end() == range.begin)
            joined.back().length += range.length;
        else
            joined.push_back(range);
    }
    return joined;
}

}  // namespace

struct TextDocument::Front {
    Position position;  // of the stretch's first character
    Stretch stretch;
};

TextDocument::TextDocument(Record const& record, std::string_view own) : own_(own) {
    load(record);
}

void TextDocument::load(Record const& record) {
    std::vector<Front> fronts;
    for (Cell const* cell : cells_under(record, own_)) {
        std::string_view rest = std::string_view(cell->path).substr(own_.size());
        auto const segment = take_segment(rest);
        if (!segment || !rest.empty() || segment->type != kRun) continue;
        auto position = Position::decode(segment->name);
        auto const pieces = Pieces::decode(cell->payload);
        if (!position || !pieces) continue;
        counter_ = std::max(counter_, max_counter(*position));
        runs_.push_back({*std::move(position), cell, 0, {}});
        for (Piece const& piece : pieces->items()) {
            runs_.back().length += piece.length;
            length_ += piece.length;
            fronts.push_back(front({runs_.size() - 1, piece.begin, piece.length, piece.text}));
        }
    }
    put_in_order(std::move(fronts));
}

// A heap of stretches by their first characters. The first one is taken up to where the next one
// begins; what is left of it goes back. As a run stands whole between two characters of another, no
// stretch is parted more than once for each other one.
void TextDocument::put_in_order(std::vector<Front> fronts) {
    std::vector<std::size_t> heap(fronts.size());
    std::iota(heap.begin(), heap.end(), std::size_t{0});
    auto const later = [&](std::size_t a, std::size_t b) { return precedes(fronts[b], fronts[a]); };
    std::make_heap(heap.begin(), heap.end(), later);
    stretches_.reserve(fronts.size());
    while (!heap.empty()) {
        std::pop_heap(heap.begin(), heap.end(), later);
        Front& first = fronts[heap.back()];
        Stretch const all = first.stretch;
        std::uint64_t const count =
            heap.size() == 1 ? all.length : count_before(first, fronts[heap.front()]);
        if (count == all.length) {
            stretches_.push_back(all);
            heap.pop_back();
            continue;
        }
        std::size_t const bytes = bytes_of(all.text, count);
        stretches_.push_back({all.run, all.index, count, all.text.substr(0, bytes)});
        first = front({all.run, all.index + count, all.length - count, all.text.substr(bytes)});
        std::push_heap(heap.begin(), heap.end(), later);
    }
}

Position TextDocument::position(Stretch const& stretch, std::uint64_t offset) const {
    return runs_[stretch.run].position.advanced(stretch.index + offset);
}

TextDocument::Front TextDocument::front(Stretch stretch) const {
    return {position(stretch, 0), stretch};
}

bool TextDocument::precedes(Front const& a, Front const& b) const {
    auto const order = a.position <=> b.position;
    if (order != 0) return order < 0;
    return std::tie(runs_[a.stretch.run].cell->dot, a.stretch.run) <
           std::tie(runs_[b.stretch.run].cell->dot, b.stretch.run);
}

// How many characters of `a`, of which the first precedes `b`, do.
std::uint64_t TextDocument::count_before(Front const& a, Front const& b) const {
    auto const does = [&](std::uint64_t offset) {
        return precedes({position(a.stretch, offset), a.stretch}, b);
    };
    if (does(a.stretch.length - 1)) return a.stretch.length;
    std::uint64_t low = 1, high = a.stretch.length - 1;  // low - 1 does, high does not
    while (low < high) {
        std::uint64_t const middle = low + (high - low) / 2;
        if (does(middle))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

std::string TextDocument::text() const {
    std::string out;
    for (Stretch const& stretch : stretches_)
        out += stretch.text;
    return out;
}

std::size_t TextDocument::split_at(std::uint64_t at) {
    std::size_t i = 0;
    while (i < stretches_.size() && at >= stretches_[i].length)
        at -= stretches_[i++].length;
    if (at == 0 || i == stretches_.size()) return i;
    Stretch& front = stretches_[i];
    std::size_t const bytes = bytes_of(front.text, at);
    Stretch const back{front.run, front.index + at, front.length - at, front.text.substr(bytes)};
    front.length = at;
    front.text = front.text.substr(0, bytes);
    stretches_.insert(stretches_.begin() + static_cast<std::ptrdiff_t>(i) + 1, back);
    return i + 1;
}

void TextDocument::remove(std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
        Stretch const& stretch = stretches_[i];
        if (runs_[stretch.run].cell)
            runs_[stretch.run].removed.push_back({stretch.index, stretch.length});
        length_ -= stretch.length;
    }
    stretches_.erase(stretches_.begin() + static_cast<std::ptrdiff_t>(first),
                     stretches_.begin() + static_cast<std::ptrdiff_t>(last));
}

// Between two characters at one position there is no place. So those from the stretch `before` on
// that share their position with the one in front of it are removed, to be inserted again; the
// answer is their text.
std::string TextDocument::take_twins(std::size_t before) {
    std::string taken;
    if (before == 0) return taken;
    Stretch const left = stretches_[before - 1];
    Position const shared = position(left, left.length - 1);
    while (before < stretches_.size() && position(stretches_[before], 0) == shared) {
        std::uint64_t at = 1;
        for (std::size_t i = 0; i < before; ++i)
            at += stretches_[i].length;
        std::size_t const next = split_at(at);
        taken += stretches_[before].text;
        remove(before, next);
    }
    return taken;
}

// A position in front of the stretch `before`.
std::optional<Position> TextDocument::place(std::size_t before, ActorId author) const {
    std::optional<Position> left, right;
    if (before > 0) {
        Stretch const& stretch = stretches_[before - 1];
        left = position(stretch, stretch.length - 1);
    }
    if (before < stretches_.size()) right = position(stretches_[before], 0);
    Position found = between(left ? &*left : nullptr, right ? &*right : nullptr, author, counter_);
    if (found.waypoints().size() > kPositionDepthMax) return std::nullopt;
    return found;
}

bool TextDocument::splice(std::uint64_t at,
                          std::uint64_t removed,
                          std::string_view inserted,
                          ActorId author) {
    std::size_t const first = split_at(at);
    remove(first, split_at(at + removed));
    if (inserted.empty()) return true;
    std::string& text = inserted_.emplace_back(inserted);
    text += take_twins(first);
    auto found = place(first, author);
    if (!found) return false;
    std::uint64_t const count = code_points(text);
    counter_ = std::max(counter_, max_counter(*found));
    runs_.push_back({*std::move(found), nullptr, count, {}});
    Stretch const stretch{runs_.size() - 1, 0, count, text};
    stretches_.insert(stretches_.begin() + static_cast<std::ptrdiff_t>(first), stretch);
    length_ += count;
    return true;
}

void TextDocument::plan(EditPlan& plan) const {
    plan_removals(plan);
    plan_insertions(plan);
}

void TextDocument::plan_removals(EditPlan& plan) const {
    for (Run const& run : runs_) {
        if (run.removed.empty()) continue;
        std::uint64_t const removed = std::accumulate(
            run.removed.begin(), run.removed.end(), std::uint64_t{0}, [](auto sum, auto range) {
                return sum + range.length;
            });
        auto const range = plan.record.at(run.cell->path);
        if (removed == run.length && range.end - range.begin == 1)
            plan.remove(run.cell->path);
        else
            plan.cut(run.cell->path, {run.cell->dot, in_order(run.removed)});
    }
}

// Insertions that stand one behind the other at consecutive positions are one run.
void TextDocument::plan_insertions(EditPlan& plan) const {
    for (std::size_t i = 0; i < stretches_.size();) {
        Stretch const& first = stretches_[i++];
        if (runs_[first.run].cell) continue;
        Position const start = position(first, 0);
        std::string text(first.text);
        std::uint64_t length = first.length;
        for (; i < stretches_.size() && !runs_[stretches_[i].run].cell; ++i) {
            if (position(stretches_[i], 0) != start.advanced(length)) break;
            text += stretches_[i].text;
            length += stretches_[i].length;
        }
        plan_run(plan, start, text);
    }
}

void TextDocument::plan_run(EditPlan& plan, Position const& position, std::string_view text) const {
    Position at = position;
    while (!text.empty()) {
        std::size_t const bytes = boundary(text, kRunBytesMax);
        Pieces const whole(text.substr(0, bytes));
        plan.write(run_path(own_, at), whole.encode());
        at = at.advanced(whole.items().front().length);
        text.remove_prefix(bytes);
    }
}

std::vector<Edit> shortened_writes(Edit const& write, PieceRanges const& cut) {
    // The position is the last segment's name; what is in front of that segment is the text's path.
    std::string_view rest = write.path;
    std::string_view name;
    std::size_t own = 0;
    while (!rest.empty()) {
        own = write.path.size() - rest.size();
        auto const segment = take_segment(rest);
        if (!segment) return {write};
        name = segment->name;
    }
    auto const position = Position::decode(name);
    auto pieces = Pieces::decode(write.payload);
    if (!position || !pieces) return {write};
    pieces->cut(cut);
    std::vector<Edit> writes;
    for (Piece const& piece : pieces->items())
        writes.push_back(
            {write.kind,
             run_path(std::string_view(write.path).substr(0, own), position->advanced(piece.begin)),
             Pieces(piece.text).encode()});
    return writes;
}

}  // namespace inos
