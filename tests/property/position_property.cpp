// Several authors insert and remove in views of their own, which they merge now and then. Whatever
// the history: a new place lies exactly where its author asked for it, all agree on the order, and
// what is written in one direction at one place stays together. The order is compared with that of
// a naive tree, in which every node of a run is a step of its own.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crdt/position.hpp"
#include "tests/support/tape.hpp"

namespace inos::test {
namespace {

// A step down in the tree: to a child on one side; the run's own next node is the nearest of those
// that carry the run's name.
struct Step {
    Side side;
    RunId run;
    bool begins;  // the run begins here, else it goes on
    bool operator==(Step const&) const = default;
};

std::vector<Step> steps_of(Position const& position) {
    std::vector<Step> steps;
    for (Waypoint const& point : position.waypoints()) {
        steps.push_back({point.side, point.run, true});
        steps.insert(steps.end(), point.block, {Side::left, point.run, false});
        steps.insert(steps.end(), point.offset, {Side::right, point.run, false});
    }
    return steps;
}

// -1, 0 or 1: in-order, siblings nearer to the node the lower they are.
int naive_order(Position const& a, Position const& b) {
    auto const x = steps_of(a), y = steps_of(b);
    std::size_t i = 0;
    while (i < x.size() && i < y.size() && x[i] == y[i])
        ++i;
    auto const rank = [](std::vector<Step> const& steps, std::size_t at) {
        if (at == steps.size()) return std::tuple(0, RunId{}, false);
        return std::tuple(steps[at].side == Side::left ? -1 : 1, steps[at].run, steps[at].begins);
    };
    auto const p = rank(x, i), q = rank(y, i);
    if (p == q) return 0;
    if (std::get<0>(p) != std::get<0>(q)) return std::get<0>(p) < std::get<0>(q) ? -1 : 1;
    return (p < q) == (std::get<0>(p) > 0) ? -1 : 1;
}

int sign(std::strong_ordering order) {
    return order < 0 ? -1 : order > 0;
}

// What one author knows: insertions by number, and which of them were removed.
struct View {
    ActorId author;
    std::map<int, Position> inserted;
    std::set<int> removed;

    std::vector<Position> shown() const {
        std::vector<Position> all;
        for (auto const& [number, position] : inserted)
            if (!removed.contains(number)) all.push_back(position);
        std::sort(all.begin(), all.end());
        return all;
    }
    int number_of(Position const& position) const {
        for (auto const& [number, other] : inserted)
            if (other == position && !removed.contains(number)) return number;
        return -1;
    }
    void learn(View const& other) {
        inserted.insert(other.inserted.begin(), other.inserted.end());
        removed.insert(other.removed.begin(), other.removed.end());
    }
    std::uint64_t counter_above() const {
        std::uint64_t highest = 0;
        for (Position const& position : shown())
            highest = std::max(highest, max_counter(position));
        return highest;
    }
};

class World {
public:
    explicit World(std::size_t authors) {
        for (std::size_t i = 0; i < authors; ++i)
            views_.push_back({ActorId{i + 1}, {}, {}});
    }

    void step(Tape& tape) {
        View& view = views_[tape.below(views_.size())];
        std::size_t const kind = tape.below(10);
        auto const all = view.shown();
        if (kind < 2) {
            view.learn(views_[tape.below(views_.size())]);
        } else if (kind < 4 && !all.empty()) {
            std::size_t const first = tape.below(all.size());
            std::size_t const last = std::min(all.size(), first + 1 + tape.below(4));
            for (std::size_t i = first; i < last; ++i)
                view.removed.insert(view.number_of(all[i]));
        } else {
            std::size_t const gap = tape.chance(40) ? last_gap_ : tape.below(all.size() + 1);
            last_gap_ = insert(view, std::min(gap, all.size()), 1 + tape.below(3));
        }
    }

    // Inserts `count` in front of the gap-th of those shown; answers the gap behind them.
    std::size_t insert(View& view, std::size_t gap, std::size_t count) {
        auto const all = view.shown();
        Position const* left = gap > 0 ? &all[gap - 1] : nullptr;
        Position const* right = gap < all.size() ? &all[gap] : nullptr;
        Position const first = between(left, right, view.author, view.counter_above());
        for (std::size_t i = 0; i < count; ++i) {
            Position const place = first.advanced(i);
            RC_ASSERT((!left || *left < place));
            RC_ASSERT((!right || place < *right));
            RC_ASSERT(view.number_of(place) == -1);
            RC_ASSERT(Position::decode(place.encode()) == place);
            view.inserted[next_++] = place;
        }
        auto const now = view.shown();
        RC_ASSERT(now[gap] == first);
        RC_ASSERT(now[gap + count - 1] == first.advanced(count - 1));
        return gap + count;
    }

    std::vector<View>& views() { return views_; }
    int next() const { return next_; }

private:
    std::vector<View> views_;
    std::size_t last_gap_ = 0;
    int next_ = 0;
};

World random_world(Tape& tape) {
    World world(1 + tape.below(4));
    for (std::size_t n = tape.below(80); n > 0; --n)
        world.step(tape);
    return world;
}

Position random_position(Tape& tape) {
    std::vector<Waypoint> waypoints(1 + tape.below(4));
    for (Waypoint& point : waypoints)
        point = {tape.chance(50) ? Side::left : Side::right,
                 {tape.below(3), ActorId{tape.below(2)}},
                 tape.below(3),
                 tape.below(3)};
    return Position(std::move(waypoints));
}

RC_GTEST_PROP(Positions, a_new_place_is_where_its_author_asked_for_it, (Tape tape)) {
    World world = random_world(tape);
    View all = world.views()[0];
    for (View const& view : world.views())
        all.learn(view);
    auto const places = all.shown();
    for (std::size_t i = 1; i < places.size(); ++i)
        RC_ASSERT(places[i - 1] < places[i]);
}

// Also of positions that no honest author makes.
RC_GTEST_PROP(Positions, the_order_is_that_of_the_naive_tree, (Tape tape)) {
    std::vector<Position> some;
    for (int i = 0; i < 12; ++i)
        some.push_back(random_position(tape));
    World world = random_world(tape);
    for (View const& view : world.views())
        for (auto const& [number, position] : view.inserted)
            if (some.size() < 40) some.push_back(position);
    for (Position const& a : some)
        for (Position const& b : some) {
            RC_ASSERT(sign(a <=> b) == naive_order(a, b));
            RC_ASSERT((a == b) == (naive_order(a, b) == 0));
        }
}

RC_GTEST_PROP(Positions, B9_the_order_is_total, (Tape tape)) {
    for (int i = 0; i < 50; ++i) {
        auto const a = random_position(tape), b = random_position(tape), c = random_position(tape);
        RC_ASSERT(sign(a <=> b) == -sign(b <=> a));
        if (a < b && b < c) RC_ASSERT(a < c);
        RC_ASSERT((a.encode() == b.encode()) == ((a <=> b) == 0));
    }
}

// Everybody writes a word at the same place of the same document, one letter after the other, from
// the front or from the back, without hearing of the others.
RC_GTEST_PROP(Positions, concurrent_words_are_not_mixed, (Tape tape)) {
    World world = random_world(tape);
    View base = world.views()[0];
    for (View const& view : world.views())
        base.learn(view);
    std::size_t const size = base.shown().size();
    std::size_t const gap = tape.chance(40) ? size : tape.below(size + 1);
    std::vector<std::pair<int, int>> words;
    View all = base;
    for (View& view : world.views()) {
        view.learn(base);
        int const first = world.next();
        bool const forwards = tape.chance(50);
        std::size_t at = gap;
        for (std::size_t n = 2 + tape.below(5); n > 0; --n) {
            std::size_t const behind = world.insert(view, at, 1 + (forwards ? tape.below(2) : 0));
            if (forwards) at = behind;
        }
        words.push_back({first, world.next()});
        all.learn(view);
    }
    auto const places = all.shown();
    std::vector<std::size_t> order;  // which word, by place
    for (Position const& place : places) {
        int const number = all.number_of(place);
        for (std::size_t i = 0; i < words.size(); ++i)
            if (number >= words[i].first && number < words[i].second) order.push_back(i);
    }
    order.erase(std::unique(order.begin(), order.end()), order.end());
    RC_ASSERT(order.size() == words.size());
}

// Any author, at the place where the last one wrote: the paths do not grow with every step.
RC_GTEST_PROP(Positions, writing_on_at_one_place_keeps_paths_short, (Tape tape)) {
    World world(3);
    View& first = world.views()[0];
    world.insert(first, 0, 2);
    bool const forwards = tape.chance(50);
    std::size_t gap = 1;
    for (int i = 0; i < 30; ++i) {
        View& view = world.views()[tape.below(3)];
        for (View const& other : world.views())
            view.learn(other);
        std::size_t const behind = world.insert(view, gap, 1);
        if (forwards) gap = behind;
        for (Position const& position : view.shown())
            RC_ASSERT(position.waypoints().size() <= 3u);
    }
}

}  // namespace
}  // namespace inos::test
