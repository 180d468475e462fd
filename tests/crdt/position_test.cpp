// Positions: their order, where a new one goes, and their bytes.
#include "crdt/position.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "crdt/bytes.hpp"

namespace inos {
namespace {

constexpr ActorId kAnn{1}, kBob{2};

Waypoint at(Side side, std::uint64_t counter, ActorId actor, std::uint64_t block, std::uint64_t n) {
    return {side, {counter, actor}, block, n};
}
Position path(std::vector<Waypoint> waypoints) {
    return Position(std::move(waypoints));
}

constexpr Side kLeft = Side::left, kRight = Side::right;

TEST(Position, the_tree_is_read_from_left_to_right) {
    Waypoint const r0 = at(kRight, 5, kAnn, 0, 0);
    std::vector<Position> const order{
        path({at(kLeft, 9, kBob, 0, 0)}),   // below the root, in front
        path({at(kLeft, 1, kBob, 0, 0)}),   // nearer to the root
        path({at(kRight, 5, kAnn, 2, 0)}),  // the last block that began
        path({at(kRight, 5, kAnn, 1, 0)}),
        path({at(kRight, 5, kAnn, 1, 1)}),
        path({r0, at(kLeft, 3, kBob, 0, 0)}),  // nearer than block 1
        path({r0}),
        path({r0, at(kRight, 3, kBob, 0, 0)}),  // nearer than offset 1
        path({at(kRight, 5, kAnn, 0, 1), at(kLeft, 7, kBob, 0, 0)}),
        path({at(kRight, 5, kAnn, 0, 1)}),
        path({at(kRight, 5, kAnn, 0, 2)}),
        path({at(kRight, 5, kAnn, 0, 1), at(kRight, 7, kBob, 0, 0)}),  // later than the run: behind
        path({r0, at(kRight, 6, kBob, 0, 0)}),
        path({at(kRight, 5, kBob, 0, 0)}),  // same counter: by actor
        path({at(kRight, 6, kAnn, 0, 0)}),
    };
    for (std::size_t i = 0; i < order.size(); ++i)
        for (std::size_t k = 0; k < order.size(); ++k) {
            EXPECT_EQ(order[i] < order[k], i < k) << i << " " << k;
            EXPECT_EQ(order[i] == order[k], i == k) << i << " " << k;
        }
}

TEST(Position, a_later_run_on_the_left_of_a_node_stands_in_front_of_the_blocks_there) {
    Waypoint const r0 = at(kRight, 5, kAnn, 0, 0);
    Position const later = path({r0, at(kLeft, 6, kBob, 0, 0)});
    Position const block = path({at(kRight, 5, kAnn, 1, 7)});
    EXPECT_LT(later, block);
    EXPECT_LT(block, path({r0}));
}

TEST(Position, between_nothing_begins_a_run_above_the_highest_counter) {
    Position const first = between(nullptr, nullptr, kAnn, 41);
    EXPECT_EQ(first, path({at(kRight, 42, kAnn, 0, 0)}));
    EXPECT_EQ(max_counter(first), 42u);
    EXPECT_EQ(first.advanced(3), path({at(kRight, 42, kAnn, 0, 3)}));
}

TEST(Position, appending_to_the_own_run_goes_on_in_it_and_prepending_begins_a_block) {
    Position const first = between(nullptr, nullptr, kAnn, 0);
    Position const behind = between(&first, nullptr, kAnn, 1);
    EXPECT_EQ(behind, first.advanced(1));
    Position const before = between(nullptr, &first, kAnn, 1);
    EXPECT_EQ(before, path({at(kRight, 1, kAnn, 1, 0)}));
    EXPECT_EQ(between(&before, &first, kAnn, 1), before.advanced(1));
}

TEST(Position, words_written_backwards_at_the_end_are_not_mixed) {
    Position const end = between(nullptr, nullptr, {9}, 0);
    std::vector<Position> ann{between(&end, nullptr, kAnn, 1)};
    std::vector<Position> bob{between(&end, nullptr, kBob, 1)};
    for (int i = 0; i < 5; ++i) {
        ann.push_back(between(&end, &ann.back(), kAnn, 2));
        bob.push_back(between(&end, &bob.back(), kBob, 2));
    }
    EXPECT_TRUE(ann.front() < bob.back() || bob.front() < ann.back());
}

TEST(Position, the_tree_stays_flat_where_two_authors_take_turns) {
    Position last = between(nullptr, nullptr, kAnn, 0), first = last;
    for (std::uint64_t i = 1; i < 1'000; ++i) {
        Position const next = between(&last, nullptr, i % 2 ? kBob : kAnn, max_counter(last));
        ASSERT_LT(last, next);
        ASSERT_EQ(next.waypoints().size(), 1u);
        last = next;
    }
    for (std::uint64_t i = 1; i < 1'000; ++i) {
        Position const next = between(nullptr, &first, i % 2 ? kBob : kAnn, max_counter(first));
        ASSERT_LT(next, first);
        ASSERT_LE(next.waypoints().size(), 2u);
        first = next;
    }
}

TEST(Position, one_author_prepends_a_thousand_times_without_going_deeper) {
    Position const foreign = between(nullptr, nullptr, kBob, 0);
    Position first = foreign;
    for (int i = 0; i < 1'000; ++i) {
        Position const next = between(nullptr, &first, kAnn, 7);
        ASSERT_LT(next, first);
        first = next;
    }
    EXPECT_EQ(first.waypoints().size(), 2u);
    EXPECT_LT(first.encode().size(), 30u);
}

TEST(Position, counters_at_the_end_of_their_range_still_give_a_place_between) {
    constexpr std::uint64_t kMost = ~std::uint64_t{0} >> 1;
    Position const a = path({at(kRight, kMost, kBob, 0, 0)}),
                   b = path({at(kRight, kMost, {9}, 0, 0)});
    for (ActorId const author : {kAnn, ActorId{5}, ActorId{9}, ActorId{10}}) {
        Position const middle = between(&a, &b, author, kMost);
        EXPECT_LT(a, middle);
        EXPECT_LT(middle, b);
        EXPECT_EQ(Position::decode(middle.encode()), middle);
        Position const end = between(&b, nullptr, author, kMost);
        EXPECT_LT(b, end);
        Position const front = between(nullptr, &a, author, kMost);
        EXPECT_LT(front, a);
    }
}

TEST(Position, a_forged_run_at_the_end_of_its_range_is_not_continued) {
    constexpr std::uint64_t kFar = std::uint64_t{1} << 60;
    Position const far = path({at(kRight, 3, kAnn, kFar, kFar)});
    ASSERT_EQ(Position::decode(far.encode()), far);
    Position const behind = between(&far, nullptr, kAnn, 3);
    EXPECT_LT(far, behind);
    EXPECT_EQ(Position::decode(behind.encode()), behind);
    Position const block = path({at(kRight, 3, kAnn, kFar, 0)});
    Position const before = between(nullptr, &block, kAnn, 3);
    EXPECT_LT(before, block);
    EXPECT_EQ(Position::decode(before.encode()), before);
}

TEST(Position, bytes_are_one_waypoint_after_the_other) {
    Position const position = path({at(kRight, 3, {0x0102}, 0, 7), at(kLeft, 200, kBob, 1, 0)});
    std::string const bytes = position.encode();
    EXPECT_EQ(bytes.substr(0, 11), std::string("\x07\0\0\0\0\0\0\x01\x02\0\x07", 11));
    EXPECT_EQ(bytes.size(), 11u + 12u);
    EXPECT_EQ(Position::decode(bytes), position);
}

TEST(Position, malformed_bytes_are_not_decoded) {
    std::string const good = path({at(kRight, 3, kAnn, 1, 2)}).encode();
    EXPECT_FALSE(Position::decode(""));
    for (std::size_t size = 1; size < good.size(); ++size)
        EXPECT_FALSE(Position::decode(good.substr(0, size))) << size;
    EXPECT_FALSE(Position::decode(good + '\0')) << "left-over bytes";
    std::string longer = good;
    longer[0] = static_cast<char>(longer[0] | '\x80');
    longer.insert(1, 1, '\0');
    EXPECT_FALSE(Position::decode(longer)) << "a longer form of the number";
    Position const beyond = path({at(kRight, 3, kAnn, 0, (std::uint64_t{1} << 60) + 1)});
    EXPECT_FALSE(Position::decode(beyond.encode())) << "an offset over the limit";
}

TEST(Position, paths_over_the_limit_are_not_decoded) {
    std::vector<Waypoint> waypoints(kPositionDepthMax, at(kRight, 1, kAnn, 0, 0));
    EXPECT_TRUE(Position::decode(path(waypoints).encode()));
    waypoints.push_back(waypoints.front());
    EXPECT_FALSE(Position::decode(path(waypoints).encode()));
}

}  // namespace
}  // namespace inos
