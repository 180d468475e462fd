// Two sessions in a loop that look for the records in which their sites differ.
#include "tests/net/session_sides.hpp"
#include "tests/storage/repair_fixture.hpp"

namespace inos::test {
namespace {

constexpr char const* kBob = "bob";

// Two sites that hold the same entries, one of them without one of the records.
struct Differing {
    Differing() : space(2) {
        for (int i = 0; i < 300; ++i)
            space[0].put("c", "r" + std::to_string(i), {{"n", Value(i)}});
        space[0].put("c", kBob, {{"n", Value(1)}});
        space.converge();
        lose_without_trace(space[1], kBob);
        a.emplace(space, 0);
        b.emplace(space, 1);
        converse(*a, *b);
    }
    Space space;
    std::optional<Side> a, b;
};

TEST(TwoSessions, D17_each_side_finds_what_differs) {
    Differing sites;
    EXPECT_EQ(sites.a->alarms + sites.b->alarms, 2u);
    for (Side* side : {&*sites.a, &*sites.b}) {
        ASSERT_TRUE(side->session.can_search());
        side->search();
        EXPECT_FALSE(side->session.can_search()) << "one at a time";
        converse(*sites.a, *sites.b);
        ASSERT_TRUE(side->found);
        EXPECT_TRUE(side->found->whole);
        EXPECT_EQ(side->found->keys, std::vector{shared_key(kBob)});
    }
    sites.b->ask_states({shared_key(kBob)});
    converse(*sites.a, *sites.b);
    ASSERT_TRUE(sites.b->states && sites.b->states->answer);
    EXPECT_EQ(sites.b->states->answer->states.size(), 1u);
}

// Nobody is made to read for who holds other entries, or the same records.
TEST(TwoSessions, D17_who_has_nothing_to_repair_gets_no_answer) {
    Differing sites;
    wire::RepairAsk ask{sites.space.id(),
                        {},
                        {},
                        wire::vector_digest(sites.space[0]->vector(), sites.space[0]->chains()),
                        sites.space[1]->root().bytes()};
    EXPECT_TRUE(value_of(answer_repair(*sites.space[0], ask, true)).answer.ready);
    auto equal = ask;
    equal.root = sites.space[0]->root().bytes();
    auto other = ask;
    other.vector[0] ^= 1;
    for (auto const& refused : {equal, other}) {
        auto const made = value_of(answer_repair(*sites.space[0], refused, true));
        EXPECT_FALSE(made.answer.ready);
        EXPECT_TRUE(made.answer.summary.parts.empty() && made.answer.summary.items.empty());
    }
    EXPECT_FALSE(value_of(answer_repair(*sites.space[0], ask, false)).answer.ready);
    // What could not be answered is asked again.
    sites.space[0].put("c", "late", {{"n", Value(1)}});
    sites.b->search();
    std::size_t asked = 0;
    for (std::uint64_t now = 0; now < 2'000; now += 100) {
        sites.b->tick(now);
        asked += sites.b->out.size();
        while (!sites.b->out.empty()) {
            sites.a->receive(sites.b->out.front());
            sites.b->out.pop_front();
        }
        while (!sites.a->out.empty()) {
            sites.b->receive(sites.a->out.front());
            sites.a->out.pop_front();
        }
    }
    EXPECT_GE(asked, 5u);
    EXPECT_LE(asked, 2'000 / kRepairAgainMs + 2);
    EXPECT_FALSE(sites.b->found) << "it goes on when the entries are the same";
    sites.a->refresh();
    converse(*sites.a, *sites.b);
    sites.b->tick(3'000);
    converse(*sites.a, *sites.b);
    ASSERT_TRUE(sites.b->found);
    EXPECT_EQ(sites.b->found->keys, std::vector{shared_key(kBob)});
}

// What ends at a block that cannot be read may have been read for long.
TEST(TwoSessions, D24_an_answer_that_fails_costs_as_much_as_any) {
    Differing sites;
    wire::RepairAsk ask{sites.space.id(),
                        {},
                        {},
                        wire::vector_digest(sites.space[0]->vector(), sites.space[0]->chains()),
                        sites.space[1]->root().bytes()};
    sites.space[0].engine->make_unreadable(Family::records, record_key("r99"));
    auto const made = value_of(answer_repair(*sites.space[0], ask, true));
    EXPECT_FALSE(made.answer.ready);
    EXPECT_GE(made.cost, kRangeScanMax);
}

// A peer that asks without end gets a share of the store's time, and a second question is a breach.
TEST(TwoSessions, D17_answers_are_given_as_fast_as_they_may_cost) {
    Differing sites;
    wire::RepairAsk ask{sites.space.id(),
                        {},
                        {},
                        wire::vector_digest(sites.space[0]->vector(), sites.space[0]->chains()),
                        sites.space[1]->root().bytes()};
    auto const cost = value_of(answer_repair(*sites.space[0], ask, true)).cost;
    EXPECT_GT(cost, 300u);
    std::size_t answers = 0;
    constexpr std::uint64_t kMs = 20'000;
    bool open = false;
    for (std::uint64_t now = 1; now <= kMs; ++now) {
        sites.a->tick(now);
        if (!open) sites.a->receive(wire::encode(ask));
        open = sites.a->out.empty();
        answers += sites.a->out.size();
        sites.a->out.clear();
    }
    EXPECT_FALSE(sites.a->end);
    EXPECT_LE(answers * cost, kRepairCostBurst + kMs * kRepairCostPerMs + cost);
    EXPECT_GE(answers * cost, kMs * kRepairCostPerMs / 2);
    while (!sites.a->end)
        sites.a->receive(wire::encode(ask));
    EXPECT_EQ(sites.a->end->code, Errc::protocol);
}

// A root that changes before the peer's hello has come is told with an answer to it.
TEST(TwoSessions, D17_what_was_mended_before_the_hello_is_told_after_it) {
    Differing sites;
    Side a(sites.space, 0), b(sites.space, 1);
    RecordRepair repair(*sites.space[1], std::vector{shared_key(kBob)});
    while (!value_of(repair.step())) {
    }
    b.refresh();
    converse(a, b);
    EXPECT_TRUE(a.session.roots_agree());
    EXPECT_TRUE(b.session.roots_agree());
}

// A slow peer is given up, not asked twice; its answer may come late.
TEST(TwoSessions, D17_an_answer_that_comes_late_is_no_breach) {
    Differing sites;
    sites.b->search();
    ASSERT_EQ(sites.b->out.size(), 1u);
    sites.b->tick(kRepairSearchMs + 1);
    ASSERT_TRUE(sites.b->found);
    EXPECT_FALSE(sites.b->found->whole);
    EXPECT_FALSE(sites.b->session.can_search()) << "the question is still open";
    converse(*sites.a, *sites.b);
    EXPECT_FALSE(sites.a->end || sites.b->end);
    EXPECT_TRUE(sites.b->session.can_search());
}

// Who answers that it cannot answer is not waited for any longer than who does not answer.
TEST(TwoSessions, D24_a_peer_that_never_answers_holds_nobody_up) {
    for (bool silent : {true, false}) {
        Differing sites;
        sites.b->search();
        std::uint64_t now = 0;
        for (; !sites.b->found && now < kRepairSearchMs; now += 100) {
            bool const asked = !sites.b->out.empty();
            sites.b->out.clear();
            if (asked && !silent) {
                wire::RepairAnswer later;
                later.space = sites.space.id();
                later.ready = false;
                later.vector[0] = 1;
                sites.b->receive(wire::encode(later));
            }
            sites.b->tick(now);
        }
        ASSERT_TRUE(sites.b->found);
        EXPECT_FALSE(sites.b->found->whole);
        EXPECT_LE(now, kRepairAnswerMs + 1'000);
        EXPECT_GE(now, kRepairAnswerMs - 1'000);
    }
}

// Sums that lie make this side read its records: as often as the peer could make it by asking.
TEST(TwoSessions, D24_what_a_peer_says_is_compared_as_fast_as_it_may_cost) {
    Differing sites;
    constexpr std::uint64_t kMs = 600;
    sites.b->compare_cost = kRepairCostBurst + kMs * kRepairCostPerMs;
    sites.b->search();
    for (std::uint64_t now = 0; now < kMs; now += 50) {
        converse(*sites.a, *sites.b);
        sites.b->tick(now);
        EXPECT_FALSE(sites.b->found) << now;
    }
    for (std::uint64_t now = kMs; now < 4 * kMs && !sites.b->found; now += 50) {
        sites.b->tick(now);
        converse(*sites.a, *sites.b);
    }
    ASSERT_TRUE(sites.b->found);
    EXPECT_EQ(sites.b->found->keys, std::vector{shared_key(kBob)});
}

// What no honest site answers ends the search, not the session: entries go on.
TEST(TwoSessions, D17_a_lying_answer_ends_the_search_only) {
    auto const sum = [](std::uint8_t byte) {
        crypto::Hash16 bytes{};
        bytes[0] = byte;
        return Digest128::from(bytes);
    };
    std::vector<RangeSummary> lies;
    lies.push_back({{"", ""}, {{"", sum(1), 9}}, {}});                     // a part that is all
    lies.push_back({{"", ""}, {{"m", sum(1), 9}, {"k", sum(2), 9}}, {}});  // not ascending
    lies.push_back({{"", ""}, {{"m", sum(1), 1u << 30}, {"", sum(2), 9}}, {}});
    lies.push_back({{"a", ""}, {}, {}});  // another range
    for (RangeSummary const& lie : lies) {
        Differing sites;
        sites.b->search();
        sites.b->receive(wire::encode(wire::RepairAnswer{sites.space.id(), {}, lie, {}}));
        ASSERT_TRUE(sites.b->found);
        EXPECT_FALSE(sites.b->found->whole);
        EXPECT_TRUE(sites.b->found->keys.empty());
        EXPECT_FALSE(sites.b->end);
    }
    // Sums that do not add up to what was said of the whole.
    Differing sites;
    sites.b->search();
    RangeSummary const first{{"", ""}, {{"m", sum(1), 9}, {"", sum(2), 9}}, {}};
    sites.b->receive(wire::encode(wire::RepairAnswer{sites.space.id(), {}, first, {}}));
    EXPECT_FALSE(sites.b->found);
    RangeSummary const second{{"m", ""}, {{"p", sum(5), 4}, {"", sum(5), 4}}, {}};
    sites.b->receive(wire::encode(wire::RepairAnswer{sites.space.id(), {}, second, {}}));
    ASSERT_TRUE(sites.b->found);
    EXPECT_FALSE(sites.b->found->whole);
    EXPECT_FALSE(sites.b->end);
}

}  // namespace
}  // namespace inos::test
