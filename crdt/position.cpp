#include "crdt/position.hpp"

#include <algorithm>

#include "crdt/bytes.hpp"

namespace inos {
namespace {

using Path = std::vector<Waypoint>;

constexpr std::uint64_t kCounterMax = ~std::uint64_t{0} >> 1;  // one bit is for the side
// Blocks and offsets up to the first are read, those up to the second are gone on from: adding to
// what was read never overflows, and what is written can be read.
constexpr std::uint64_t kStepMax = std::uint64_t{1} << 60;
constexpr std::uint64_t kStepFrom = std::uint64_t{1} << 59;

// How the next node of a run's chain, which hangs on `side` of a node, stands to another path from
// that node: to the node itself (nullptr) or to what goes on with `next`. The chain is nearer to
// the node than runs that began later.
std::strong_ordering chain_against(Side side, RunId run, Waypoint const* next) {
    bool const same_side = next && next->side == side;
    bool const less = same_side ? (side == Side::right) == (next->run >= run) : side == Side::left;
    return less ? std::strong_ordering::less : std::strong_ordering::greater;
}

std::strong_ordering reversed(std::strong_ordering order) {
    return 0 <=> order;
}

// On which side of the node that is the first `size` waypoints of `node` (0: the root, a node
// before none and after none) a path lies below it; nullopt when it does not.
std::optional<Side> side_below(Path const& path, Path const& node, std::size_t size) {
    if (size == 0) return path.front().side;
    auto const last = static_cast<std::ptrdiff_t>(size) - 1;
    if (path.size() < size || !std::equal(node.begin(), node.begin() + last, path.begin()))
        return std::nullopt;
    Waypoint const& at = node[size - 1];
    Waypoint const& on = path[size - 1];
    if (on.side != at.side || on.run != at.run) return std::nullopt;
    if (on.block != at.block) {
        if (on.block > at.block && at.offset == 0) return Side::left;
        return std::nullopt;
    }
    if (on.offset > at.offset) return Side::right;
    if (on.offset < at.offset || path.size() == size) return std::nullopt;
    return path[size].side;
}

// How many waypoints of `from` to keep so that a new run on `side` of them stands on that side of
// `from`, but on this side of `other`: as few as possible.
std::size_t kept(Path const& from, Position const* other, Side side, RunId run) {
    for (std::size_t i = 0; i < from.size(); ++i) {
        if (from[i].side != side || from[i].run >= run) continue;
        if (!other || side_below(other->waypoints(), from, i) != side) return i;
    }
    return from.size();
}

Position with_run(Path const& from, std::size_t size, Side side, RunId run) {
    Path path(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(size));
    path.push_back({side, run, 0, 0});
    return Position(std::move(path));
}

}  // namespace

Position Position::advanced(std::uint64_t count) const {
    Position next = *this;
    if (!next.waypoints_.empty()) next.waypoints_.back().offset += count;
    return next;
}

std::strong_ordering Position::operator<=>(Position const& other) const {
    auto const& p = waypoints_;
    auto const& q = other.waypoints_;
    auto const [x, y] = std::mismatch(p.begin(), p.end(), q.begin(), q.end());
    auto const at_or_null = [](auto it, Path const& path) {
        return it == path.end() ? nullptr : &*it;
    };
    if (x == p.end() && y == q.end()) return std::strong_ordering::equal;
    if (x == p.end())
        return y->side == Side::left ? std::strong_ordering::greater : std::strong_ordering::less;
    if (y == q.end())
        return x->side == Side::left ? std::strong_ordering::less : std::strong_ordering::greater;
    if (x->side != y->side) return x->side <=> y->side;
    if (x->run != y->run) return x->side == Side::right ? x->run <=> y->run : y->run <=> x->run;
    Waypoint const* next_x = at_or_null(x + 1, p);
    Waypoint const* next_y = at_or_null(y + 1, q);
    if (x->block > y->block)
        return y->offset > 0 ? std::strong_ordering::less
                             : chain_against(Side::left, x->run, next_y);
    if (x->block < y->block)
        return x->offset > 0 ? std::strong_ordering::greater
                             : reversed(chain_against(Side::left, x->run, next_x));
    return x->offset > y->offset ? chain_against(Side::right, x->run, next_y)
                                 : reversed(chain_against(Side::right, x->run, next_x));
}

std::string Position::encode() const {
    std::string out;
    for (Waypoint const& point : waypoints_) {
        put_varint(out, point.run.counter << 1 | static_cast<std::uint64_t>(point.side));
        put_u64(out, point.run.actor.value);
        put_varint(out, point.block);
        put_varint(out, point.offset);
    }
    return out;
}

std::optional<Position> Position::decode(std::string_view bytes) {
    Reader in(bytes);
    Path path;
    while (!in.at_end()) {
        std::uint64_t const head = in.varint();
        ActorId const actor{in.u64()};
        std::uint64_t const block = in.varint(), offset = in.varint();
        if (!in.ok() || block > kStepMax || offset > kStepMax || path.size() == kPositionDepthMax)
            return std::nullopt;
        path.push_back({static_cast<Side>(head & 1), {head >> 1, actor}, block, offset});
    }
    if (path.empty() || !in.ok()) return std::nullopt;
    return Position(std::move(path));
}

std::uint64_t max_counter(Position const& position) {
    std::uint64_t highest = 0;
    for (Waypoint const& point : position.waypoints())
        highest = std::max(highest, point.run.counter);
    return highest;
}

Position between(Position const* left,
                 Position const* right,
                 ActorId author,
                 std::uint64_t counter_above) {
    RunId const run{std::min(counter_above, kCounterMax - 1) + 1, author};
    if (!left && !right) return with_run({}, 0, Side::right, run);
    static Path const kNone;
    Path const& a = left ? left->waypoints() : kNone;
    Path const& b = right ? right->waypoints() : kNone;
    // What is below the left neighbour on its right comes before the right neighbour, unless that
    // one is there itself; and the other way round. At most one of the two is below the other.
    bool const follows = left && (!right || side_below(b, a, a.size()) != Side::right);
    bool const precedes = right && (!left || side_below(a, b, b.size()) != Side::left);
    if (follows && a.back().run.actor == author && a.back().offset < kStepFrom)
        return left->advanced(1);
    if (precedes && b.back().run.actor == author && b.back().offset == 0 &&
        b.back().block < kStepFrom) {
        Path path = b;
        ++path.back().block;
        return Position(std::move(path));
    }
    std::size_t const keep_a = follows ? kept(a, right, Side::right, run) : 0;
    std::size_t const keep_b = precedes ? kept(b, left, Side::left, run) : 0;
    if (follows && (!precedes || keep_a <= keep_b)) return with_run(a, keep_a, Side::right, run);
    return with_run(b, keep_b, Side::left, run);
}

}  // namespace inos
