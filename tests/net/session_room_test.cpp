// Two sessions of which one side has little room on its disk.
#include "tests/net/session_sides.hpp"

namespace inos::test {
namespace {

constexpr DiskSpace kRoomy{1u << 30, 2'000'000'000}, kTight{1u << 20, 2'000'000'000};

class SessionRoom : public ::testing::Test {
protected:
    void begin() {
        a.emplace(space, 0);
        b.emplace(space, 1);
        converse(*a, *b);
    }
    void set_room(bool room) {
        space[1].engine->set_space(room ? kRoomy : kTight);
        b->refresh();
        converse(*a, *b);
    }
    void put(int count) {
        for (int i = 0; i < count; ++i)
            space[0].put("c", "x" + std::to_string(number++), {{"text", Value(text)}});
        a->refresh();
    }
    void expect_same() {
        EXPECT_EQ(space[0]->vector(), space[1]->vector());
        EXPECT_EQ(space[0]->root(), space[1]->root());
        EXPECT_TRUE(a->session.settled());
        EXPECT_TRUE(b->session.settled());
        EXPECT_FALSE(a->end || b->end);
        EXPECT_EQ(b->session.load().pending_bytes, 0u);
    }

    Space space{2};
    std::optional<Side> a, b;
    int number = 0;
    std::string text = "t";
};

TEST_F(SessionRoom, D19_a_side_without_room_says_so_and_is_sent_nothing_until_it_has) {
    begin();
    set_room(false);
    EXPECT_FALSE(a->session.peer_has_room());
    put(3);
    converse(*a, *b);
    EXPECT_EQ(b->batches_in, 0u);
    // What it writes itself goes out all the while.
    space[1].put("c", "own", {});
    b->refresh();
    converse(*a, *b);
    EXPECT_TRUE(space[0].get("c", "own"));
    for (std::uint64_t now = 0; now <= 600'000; now += 5'000) {
        a->tick(now);
        b->tick(now);
        converse(*a, *b);
    }
    EXPECT_FALSE(a->end || b->end) << "nobody runs out of patience";
    EXPECT_EQ(a->session.ahead(), 3u);
    set_room(true);
    EXPECT_TRUE(a->session.peer_has_room());
    EXPECT_EQ(b->batches_in, 1u);
    expect_same();
}

TEST_F(SessionRoom, D19_what_was_on_its_way_is_kept_and_taken_in_its_order) {
    text = std::string(200'000, 't');
    begin();
    for (std::size_t refused_at = 0; refused_at < 4; ++refused_at) {
        // Several batches under way when the disk gets full.
        put(12);
        space[1].engine->set_space(kTight);
        std::size_t const before = b->applied;
        while (!a->out.empty()) {
            b->receive(a->out.front());
            a->out.pop_front();
        }
        EXPECT_EQ(b->applied, before);
        EXPECT_GT(b->session.load().pending, 1u);
        EXPECT_GT(b->session.load().pending_bytes, 0u);
        for (std::size_t i = 0; i < refused_at; ++i) {
            b->refresh();
            b->tick(b->now_ms + 21'000);
        }
        converse(*a, *b);
        EXPECT_FALSE(a->session.peer_has_room());
        put(1);
        converse(*a, *b);
        set_room(true);
        expect_same();
    }
}

// One that an earlier version sends on, without knowing what it is told.
TEST_F(SessionRoom, D12_a_peer_that_does_not_know_the_message_is_kept_waiting) {
    begin();
    Session session(space.id(), state_of(space[1]), 0);
    (void)session.start(kWall);
    wire::Hello hello;
    auto const local = local_state(*space[0]);
    hello.spaces.push_back({space.id(),
                            wire::vector_digest(local.vector, local.chains),
                            local.root.bytes(),
                            local.table.membership,
                            local.acknowledgements->digest});
    (void)session.received(hello, 0, kWall);
    space[1].engine->set_space(kTight);
    auto const count = [](session::Actions const& actions) {
        std::size_t acks = 0;
        for (auto const& action : actions)
            if (auto const* send = std::get_if<session::Send>(&action)) {
                EXPECT_FALSE(std::holds_alternative<wire::Room>(send->message));
                acks += std::holds_alternative<wire::Ack>(send->message) ? 1u : 0u;
            }
        return acks;
    };
    std::size_t acks = count(session.progress(state_of(space[1]), 1'000));
    EXPECT_EQ(acks, 1u);
    for (std::uint64_t now = 2'000; now < 120'000; now += 1'000)
        acks += count(session.tick(now));
    EXPECT_EQ(acks, 6u);
}

TEST_F(SessionRoom, D24_word_of_another_space_ends_the_session) {
    begin();
    a->receive(wire::encode(wire::Room{SpaceId{}, false}));
    ASSERT_TRUE(a->end);
    EXPECT_EQ(a->end->code, Errc::protocol);
}

// A disk that is full in earnest, so that not even signatures and acknowledgements are kept.
TEST_F(SessionRoom, D19_a_session_outlives_a_failed_write_at_either_end) {
    begin();
    for (std::size_t full : {1u, 0u}) {
        space[full].engine->fill(true);
        EXPECT_FALSE(space[full].try_commit({{Write::Kind::put, {"c", "y"}, {}, {}}}));
        a->refresh();
        b->refresh();
        put(0);
        std::size_t const other = 1 - full;
        space[other].put("c", "from" + std::to_string(other), {});
        a->refresh();
        b->refresh();
        converse(*a, *b);
        EXPECT_FALSE(a->end || b->end);
        EXPECT_NE(space[0]->vector(), space[1]->vector());
        space[full].engine->fill(false);
        value_of(space[full]->recover());
        a->refresh();
        b->refresh();
        converse(*a, *b);
        expect_same();
    }
}

TEST_F(SessionRoom, D19_entries_that_need_a_signature_wait_for_it) {
    SpaceSetup setup;
    setup.durability = Durability::flushed;
    Space flushed(2, setup);
    Side one(flushed, 0), two(flushed, 1);
    converse(one, two);
    flushed[0].put("c", "a", {});
    flushed[0].engine->fill(true);
    one.refresh();
    converse(one, two);
    EXPECT_FALSE(one.end || two.end);
    EXPECT_FALSE(flushed[1].get("c", "a"));
    flushed[0].engine->fill(false);
    value_of(flushed[0]->recover());
    one.refresh();
    converse(one, two);
    EXPECT_TRUE(flushed[1].get("c", "a"));
}

}  // namespace
}  // namespace inos::test
