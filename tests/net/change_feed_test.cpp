// The change feed: what a client of GET /v1/changes gets, over a real replica.
#include "net/change_feed.hpp"

#include <gmock/gmock.h>

#include "storage/keys.hpp"
#include "tests/net/change_feed_fixture.hpp"

namespace inos::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(ChangeFeedTest, sends_what_there_is_and_then_what_comes) {
    space[0].put("customers", "ann", name("Ann"));
    Client& client = watch("?since=0");
    EXPECT_EQ(client.answer->status, 200);
    EXPECT_EQ(client.answer->headers.at("Content-Type"), "text/event-stream");
    auto const first = events(client);
    ASSERT_THAT(first, SizeIs(1));
    EXPECT_EQ(write_json(first[0].data),
              R"({"collection":"customers","cursor":")" + cursor() +
                  R"(","fields":{"name":"Ann"},"id":"ann","site":"site0","source":"test"})");
    EXPECT_EQ(first[0].id, cursor());
    space[1].clock.advance(1'000);
    space.pull(0, 1);
    space[1].erase("customers", "ann");
    space.pull(1, 0);
    EXPECT_THAT(events(client), IsEmpty());
    api.on_progress();
    auto const second = events(client);
    ASSERT_THAT(second, SizeIs(1));
    EXPECT_TRUE(second[0].data.find("fields")->is_null());
    EXPECT_EQ(member(second[0], "site"), "site1");
    EXPECT_EQ(second[0].id, cursor());
    api.on_progress();
    EXPECT_THAT(events(client), IsEmpty());
}

TEST_F(ChangeFeedTest, without_a_cursor_begins_now_and_says_where) {
    space[0].put("customers", "ann", name("Ann"));
    Client& client = watch("");
    auto const hello = events(client);
    ASSERT_THAT(hello, SizeIs(1));
    EXPECT_EQ(hello[0].name, "cursor");
    EXPECT_EQ(hello[0].id, cursor());
    EXPECT_EQ(member(hello[0], "cursor"), cursor());
    space[0].put("customers", "bob", name("Bob"));
    api.on_progress();
    EXPECT_THAT(seen(client), ElementsAre("bob=Bob"));
}

TEST_F(ChangeFeedTest, resumes_behind_any_cursor_without_a_gap) {
    std::vector<std::string> cursors{"0"};
    for (int i = 0; i < 4; ++i) {
        space[0].put("customers", "c" + std::to_string(i), name("x"));
        cursors.push_back(cursor());
    }
    for (std::size_t i = 0; i < cursors.size(); ++i) {
        EXPECT_THAT(seen(watch("?since=" + cursors[i] + "&live=false")), SizeIs(4 - i));
        EXPECT_THAT(seen(watch("?since=0&live=false", {{"last-event-id", cursors[i]}})),
                    SizeIs(4 - i));
    }
    EXPECT_THAT(seen(watch("?since=&live=false")), SizeIs(4));
}

TEST_F(ChangeFeedTest, gives_every_event_but_the_last_of_a_group_the_cursor_it_began_with) {
    space[0].put("customers", "ann", name("Ann"));
    std::string const before = cursor();
    space[0].put("customers", "bob", name("Bob"));
    space[0].put("customers", "cy", name("Cy"));
    auto const group = events(watch("?since=" + before));
    ASSERT_THAT(group, SizeIs(2));
    EXPECT_EQ(member(group[0], "cursor"), before);
    EXPECT_EQ(group[0].id, "");
    EXPECT_EQ(*group[0].data.find("more"), Value(true));
    EXPECT_EQ(member(group[1], "cursor"), cursor());
    EXPECT_EQ(group[1].id, cursor());
    EXPECT_EQ(group[1].data.find("more"), nullptr);
}

// E14: at another site, too, a transaction is seen whole or not at all: what an event without
// "more" ends has both of its records.
TEST_F(ChangeFeedTest, E14_a_transaction_over_two_records_is_never_half_in_a_group) {
    DirectStore other_store{*space[1].replica};
    Api other(other_store, node, space[1].clock);
    Client& client = watch_at(other, "?since=0");
    for (int round = 0; round < 5; ++round) {
        std::string const value = std::to_string(round);
        for (int i = 0; i < round; ++i)
            space[0].put("noise", "n" + std::to_string(i), name(value));
        space[0].commit({{Write::Kind::put, {"orders", "o"}, name(value), {}},
                         {Write::Kind::put, {"stock", "s"}, name(value), {}}});
        space.pull(0, 1, 1);
        other.on_progress();
        auto const group = seen(client);
        ASSERT_THAT(group, SizeIs(static_cast<std::size_t>(round) + 2));
        for (std::size_t i = 0; i + 1 < group.size(); ++i)
            EXPECT_TRUE(group[i].ends_with('+')) << group[i];
        EXPECT_EQ(group[group.size() - 2], "o=" + value + "+");
        EXPECT_EQ(group.back(), "s=" + value);
    }
}

TEST_F(ChangeFeedTest, a_cursor_of_one_site_is_good_at_another) {
    space[0].put("customers", "ann", name("Ann"));
    space.converge();
    std::string const here = cursor();
    space[1].put("customers", "bob", name("Bob"));
    DirectStore other_store{*space[1].replica};
    Api other(other_store, node, space[1].clock);
    EXPECT_THAT(seen(watch_at(other, "?since=" + here + "&live=false")), ElementsAre("bob=Bob"));
}

// C13: a node put back from an older copy holds less than the cursor names. It waits until it holds
// that much again, so nothing in between is skipped.
TEST_F(ChangeFeedTest, C13_an_older_node_waits_until_it_holds_what_the_cursor_names) {
    space[1].put("customers", "ann", name("Ann"));
    space[1].put("customers", "bob", name("Bob"));
    std::string const newer = cursor(1);
    Client& client = watch("?since=" + newer);
    Client& other = watch("?since=" + newer);
    EXPECT_FALSE(client.answer);
    space[1].put("customers", "cy", name("Cy"));
    space[0].put("customers", "dee", name("Dee"));
    api.on_progress();
    EXPECT_FALSE(client.answer);
    other.stream = nullptr;
    space.pull(1, 0);
    api.on_progress();
    ASSERT_TRUE(client.answer);
    EXPECT_THAT(seen(client), ElementsAre("cy=Cy+", "dee=Dee"));
}

TEST_F(ChangeFeedTest, C13_a_cursor_that_stays_ahead_is_refused_after_a_while) {
    space[1].put("customers", "ann", name("Ann"));
    Client& client = watch("?since=" + cursor(1));
    api.tick(space[0].clock.monotonic_ms() + kFrontierWaitMs - 1);
    EXPECT_FALSE(client.answer);
    api.tick(space[0].clock.monotonic_ms() + kFrontierWaitMs);
    ASSERT_TRUE(client.answer);
    EXPECT_EQ(client.answer->status, 503);
    EXPECT_THAT(client.answer->body, HasSubstr("what the cursor names"));
    space.pull(1, 0);
    api.on_progress();
    EXPECT_EQ(client.stream, nullptr);
}

TEST_F(ChangeFeedTest, of_one_collection_leaves_out_the_others_but_moves_on) {
    Client& client = watch("?since=0&collection=orders");
    space[0].put("customers", "ann", name("Ann"));
    api.on_progress();
    EXPECT_THAT(events(client), IsEmpty());
    api.tick(space[0].clock.monotonic_ms() + kPositionMs - 1);
    EXPECT_THAT(events(client), IsEmpty());
    api.tick(space[0].clock.monotonic_ms() + kPositionMs);
    auto const position = events(client);
    ASSERT_THAT(position, SizeIs(1));
    EXPECT_EQ(position[0].name, "cursor");
    EXPECT_EQ(position[0].id, cursor());
    api.tick(space[0].clock.monotonic_ms() + 3 * kPositionMs);
    EXPECT_THAT(events(client), IsEmpty());
    space[0].put("orders", "o", name("O"));
    api.on_progress();
    EXPECT_THAT(seen(client), ElementsAre("o=O"));
}

TEST_F(ChangeFeedTest, that_is_not_live_ends_and_says_where) {
    space[0].put("customers", "ann", name("Ann"));
    Client& client = watch("?since=0&live=false&collection=orders");
    EXPECT_TRUE(client.stream->ended());
    auto const last = events(client);
    ASSERT_THAT(last, SizeIs(1));
    EXPECT_EQ(last[0].id, cursor());
    Client& nothing = watch("?since=" + cursor() + "&live=false");
    EXPECT_TRUE(nothing.stream->ended());
    EXPECT_THAT(events(nothing), IsEmpty());
}

// A client that does not read holds no more here than a buffer and one group; it gets everything,
// and every group is one moment although the records went on changing.
TEST_F(ChangeFeedTest, waits_for_a_slow_client) {
    std::string const large(100'000, 'x');
    auto const put_all = [&](std::string const& mark) {
        std::vector<Write> writes;
        for (int i = 10; i < 36; ++i)
            writes.push_back({Write::Kind::put,
                              {"c", "k" + std::to_string(i)},
                              {{"mark", Value(mark)}, {"text", Value(large)}},
                              {}});
        space[0].commit(std::move(writes));
    };
    put_all("a");
    Client& client = watch("?since=0");
    put_all("b");
    api.on_progress();
    EXPECT_FALSE(client.stream->has_room());
    client.text = client.stream->take();
    EXPECT_LT(client.text.size(), kHttpStreamBytesMax + 500'000);
    std::string marks;
    for (Event const& event : events(client)) {
        marks += *event.data.find("fields")->find("mark")->as<std::string>();
        if (!event.data.find("more")) marks += '.';
    }
    EXPECT_EQ(marks, std::string(26, 'a') + "." + std::string(26, 'b') + ".");
}

// A view of the engine keeps what was erased on the disk.
TEST_F(ChangeFeedTest, A17_a_slow_client_makes_way_for_erased_data) {
    for (int i = 0; i < 3'000; ++i)
        space[0].put("c", "k" + std::to_string(i), name(std::string(1'000, 'x')));
    Client& slow = watch("?since=0");
    Client& quick = watch("?since=" + cursor());
    api.make_way();
    EXPECT_TRUE(seen(quick).empty());
    space[0].clock.advance(59'000);
    api.make_way();
    EXPECT_EQ(slow.stream->has_room(), false);
    space[0].clock.advance(2'000);
    api.make_way();
    std::vector<Event> last;
    for (int i = 0; i < 3'000 && (last.empty() || last.back().name != "error"); ++i)
        if (auto some = events(slow); !some.empty()) last = std::move(some);
    ASSERT_FALSE(last.empty());
    EXPECT_EQ(last.back().name, "error");
    EXPECT_THAT(write_json(last.back().data), HasSubstr("erased data"));
    space[0].put("c", "new", name("new"));
    api.on_progress();
    EXPECT_THAT(seen(quick), ElementsAre("new=new"));
}

TEST_F(ChangeFeedTest, ends_when_the_client_goes_or_the_server_stops) {
    Client& first = watch("");
    Client& second = watch("");
    space[0].put("customers", "ann", name("Ann"));
    first.stream->close();
    second.stream->stop();
    api.on_progress();
    EXPECT_THAT(seen(first), IsEmpty());
    EXPECT_THAT(seen(second), IsEmpty());
    EXPECT_THAT(send("GET", "/metrics").body, HasSubstr("inos_watchers 0\n"));
}

TEST_F(ChangeFeedTest, has_a_limit_of_clients) {
    for (std::size_t i = 0; i < kWatchersMax; ++i)
        EXPECT_EQ(watch("").answer->status, 200);
    EXPECT_EQ(watch("").answer->status, 503);
    clients.front()->stream->close();
    EXPECT_EQ(watch("").answer->status, 200);
}

TEST_F(ChangeFeedTest, refuses_what_makes_no_sense) {
    EXPECT_THAT(json(400, "GET", "/v1/changes?since=zz")
                    .find("error")
                    ->find("message")
                    ->as<std::string>()
                    ->c_str(),
                HasSubstr("cursor is malformed"));
    json(400, "GET", "/v1/changes?live=maybe");
    json(403, "GET", "/v1/changes?collection=_schema");
    json(400, "GET", "/v1/changes?form=xml");
}

TEST_F(ChangeFeedTest, says_in_the_stream_that_it_cannot_go_on) {
    space[0].put("customers", "ann", name("Ann"));
    Client& client = watch("?since=" + cursor());
    space[0].put("customers", "bob", name("Bob"));
    WriteBatch damage;
    damage.put(Family::records, keys::record(1, "customers", "bob"), "rubbish");
    value_of(space[0].engine->write(damage, Durability::synced));
    api.on_progress();
    auto const last = events(client);
    ASSERT_THAT(last, SizeIs(1));
    EXPECT_EQ(last[0].name, "error");
    EXPECT_TRUE(client.stream->ended());
    EXPECT_EQ(watch("?since=0").answer->status, 500);
}

}  // namespace
}  // namespace inos::test
