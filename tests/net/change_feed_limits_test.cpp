// The change feed where it cannot simply go on: cursors that are too old or of another history, the
// log that is cut under open feeds, snapshots, and clients that are slow.
#include <gmock/gmock.h>

#include "net/api_format.hpp"
#include "storage/log_retention.hpp"
#include "tests/net/change_feed_fixture.hpp"

namespace inos::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ChangeFeedLimits : public ChangeFeedTest {
protected:
    void cut() {
        space.converge();
        space.acknowledge();
        while (value_of(cut_log(*space[0], 0, 1'000)) > 0) {
        }
    }
    // After the replica was opened again.
    struct Again {
        explicit Again(ChangeFeedLimits& test)
            : store(*test.space[0].replica), api(store, test.node, test.space[0].clock) {}
        DirectStore store;
        Api api;
    };
    // Of an answer that says that the cursor is of no use.
    static std::string gone(Client const& client) {
        if (!client.answer || client.answer->status != 410) return "no 410";
        Value const error = *value_of(parse_json(client.answer->body)).find("error");
        EXPECT_EQ(text(error, "code"), "gone");
        EXPECT_EQ(text(error, "cursor"), "0");
        return text(error, "message");
    }
    static std::string text(Value const& object, std::string_view member) {
        auto const* const value = object.find(member);
        return value ? *value->as<std::string>() : "";
    }
    // What the last of the events says went wrong.
    static std::string ended_with(Client& client) {
        auto const last = events(client);
        if (last.empty() || last.back().name != "error") return "no error";
        return text(*last.back().data.find("error"), "code") + ": " +
               text(*last.back().data.find("error"), "message");
    }
    void put_back(Contents const& copy) {
        space[0].engine->replace(copy);
        space[0].reopen();
    }
};

TEST_F(ChangeFeedLimits, C13_a_store_that_was_put_back_says_so) {
    space[0].put("c", "ann", name("Ann"));
    Contents const copy = contents(*space[0].engine);
    space[0].put("c", "bob", name("Bob"));
    std::string const lost = cursor();
    put_back(copy);
    Again again(*this);
    Client& early = watch_at(again.api, "?since=" + lost);
    EXPECT_FALSE(early.answer);  // a peer may have it
    again.api.tick(space[0].clock.monotonic_ms() + kFrontierWaitMs);
    EXPECT_THAT(gone(early), HasSubstr("put back from an older copy"));
    // What is written now has the numbers of what is lost.
    Client& waits = watch_at(again.api, "?since=" + lost);
    space[0].put("c", "cy", name("Cy"));
    again.api.on_progress();
    EXPECT_THAT(gone(waits), HasSubstr("two copies"));
    EXPECT_THAT(gone(watch_at(again.api, "?since=" + lost)), HasSubstr("two copies"));
    EXPECT_THAT(seen(watch_at(again.api, "?since=" + cursor())), IsEmpty());
}

TEST_F(ChangeFeedLimits, C11_a_cursor_of_another_space_is_refused) {
    Space other({{"a"}, {"b"}}, {.seed = 5});
    other[0].put("c", "ann", name("Ann"));
    EXPECT_THAT(gone(watch("?since=" + value_of(feed_cursor(*other[0])).text())),
                HasSubstr("another space"));
}

TEST_F(ChangeFeedLimits, a_frontier_is_a_cursor) {
    space[0].put("c", "ann", name("Ann"));
    std::string const frontier = frontier_text(space[0]->vector());
    space[0].put("c", "bob", name("Bob"));
    EXPECT_THAT(seen(watch("?since=" + frontier)), ElementsAre("bob=Bob"));
}

TEST_F(ChangeFeedLimits, records_that_change_without_an_entry_end_feeds) {
    space[0].put("c", "ann", name("Ann"));
    std::string const before = cursor();
    Client& open = watch("?since=0");
    EXPECT_THAT(seen(open), SizeIs(1));
    WriteBatch repair;
    put_feed_generation(repair, 1, "a random text");
    value_of(space[0].engine->write(repair, Durability::synced));
    EXPECT_THAT(events(open), IsEmpty());
    api.on_progress();
    EXPECT_THAT(ended_with(open), HasSubstr("gone: records of this node were repaired"));
    EXPECT_TRUE(open.stream->ended());
    EXPECT_THAT(gone(watch("?since=" + before)), HasSubstr("were repaired"));
    EXPECT_THAT(seen(watch("?since=" + cursor())), IsEmpty());
    EXPECT_THAT(send("GET", "/metrics").body,
                HasSubstr("inos_watchers_ended_total{reason=\"gone\"} 1\n"));
}

TEST_F(ChangeFeedLimits, D21_a_cursor_from_before_the_log_is_too_old) {
    space[0].put("c", "ann", name("Ann"));
    std::string const old = cursor();
    space[0].put("c", "ann", name("Anna"));
    space[0].put("c", "ann", name("Annie"));
    std::string const newest = cursor();
    EXPECT_THAT(seen(watch("?since=" + old)), ElementsAre("ann=Annie"));
    cut();
    EXPECT_THAT(gone(watch("?since=" + old)), HasSubstr("does not reach back"));
    EXPECT_THAT(gone(watch("", {{"last-event-id", old}})), HasSubstr("snapshot=true"));
    EXPECT_THAT(seen(watch("?since=" + newest)), IsEmpty());
    EXPECT_THAT(seen(watch("?since=0")), SizeIs(1));
}

// A client that does not read keeps nothing from being cut, and learns of it when it reads.
TEST_F(ChangeFeedLimits, D21_the_log_is_cut_under_a_slow_client) {
    for (int i = 10; i < 36; ++i)
        space[0].put("c", "k" + std::to_string(i), name(std::string(100'000, 'x')));
    Client& slow = watch("?since=0");
    Client& quick = watch("?since=" + cursor());
    EXPECT_FALSE(slow.stream->has_room());
    for (int i = 0; i < 3; ++i) {
        space[0].put("c", "new", name(std::to_string(i)));
        api.on_progress();
        EXPECT_THAT(seen(quick), SizeIs(1));
    }
    cut();
    EXPECT_TRUE(space[0]->log_starts().is_cut({space[0].actor(), 2}));
    space[0].put("c", "new", name("last"));
    api.on_progress();
    EXPECT_THAT(seen(quick), ElementsAre("new=last"));
    std::vector<Event> all;
    for (int i = 0; i < 100 && slow.stream->has_data(); ++i)
        for (Event& event : events(slow))
            all.push_back(std::move(event));
    // The group that it had begun is whole, with its cursor; what comes then cannot be told.
    ASSERT_EQ(all.size(), 27u);
    EXPECT_EQ(all[25].id.empty(), false);
    EXPECT_EQ(all[26].name, "error");
    EXPECT_EQ(text(*all[26].data.find("error"), "cursor"), "0");
    EXPECT_THAT(gone(watch("?since=" + all[25].id)), HasSubstr("does not reach back"));
}

TEST_F(ChangeFeedLimits, a_snapshot_is_what_is_visible_and_goes_on) {
    space[0].put("c", "ann", name("Ann"));
    space[0].put("c", "bob", name("Bob"));
    space[0].put("d", "cy", name("Cy"));
    space[0].erase("c", "bob");
    Client& client = watch("?snapshot=true");
    auto const first = events(client);
    ASSERT_THAT(first, SizeIs(3));
    EXPECT_EQ(first[0].name, "snapshot");
    EXPECT_EQ(write_json(first[0].data), R"({"snapshot":true})");
    EXPECT_EQ(first[1].id, "");
    EXPECT_EQ(first[2].id, cursor());
    EXPECT_EQ(client.retry, std::to_string(kRetryMs));
    space[0].erase("c", "ann");
    api.on_progress();
    EXPECT_THAT(seen(client), ElementsAre("ann=null"));
    EXPECT_THAT(seen(watch("?snapshot=true&collection=c")), IsEmpty());
    // A browser connects again to the same address, with the last id.
    EXPECT_THAT(seen(watch("?snapshot=true", {{"last-event-id", first[2].id}})),
                ElementsAre("ann=null"));
}

TEST_F(ChangeFeedLimits, a_snapshot_of_nothing_says_where_it_stands) {
    for (std::string const query : {"?snapshot=true", "?snapshot=true&live=false"}) {
        auto const told = events(watch(query));
        ASSERT_THAT(told, SizeIs(2));
        EXPECT_EQ(told[0].name, "snapshot");
        EXPECT_EQ(told[1].name, "cursor");
        EXPECT_EQ(told[1].id, cursor());
    }
    json(400, "GET", "/v1/changes?snapshot=true&since=0");
    json(400, "GET", "/v1/changes?snapshot=1");
}

TEST_F(ChangeFeedLimits, tells_that_a_schema_has_changed) {
    space[0].put("customers", "bob", name("Bob"));
    Client& all = watch("?since=" + cursor());
    Client& of_others = watch("?since=" + cursor() + "&collection=orders");
    space[0].set_schema(R"({"customers":{"fields":{"tags":{"type":"set"}}}})");
    space[0].put("customers", "ann", name("Ann"));
    api.on_progress();
    auto const told = events(all);
    ASSERT_THAT(told, SizeIs(2));
    EXPECT_EQ(told[0].name, "schema");
    EXPECT_EQ(write_json(told[0].data), R"({"collections":["customers"]})");
    EXPECT_EQ(told[1].id, cursor());
    EXPECT_THAT(events(of_others), IsEmpty());
}

TEST_F(ChangeFeedLimits, D21_a_client_that_takes_too_long_for_a_large_group_is_ended) {
    for (int i = 0; i < 3'000; ++i)
        space[0].put("c", "k" + std::to_string(i), name(std::string(1'000, 'x')));
    Client& slow = watch("?since=0");
    auto const begun = space[0].clock.monotonic_ms();
    api.tick(begun + kViewMsMax - 1);
    EXPECT_FALSE(slow.stream->ended());
    EXPECT_THAT(send("GET", "/metrics").body, HasSubstr("inos_watcher_behind_entries 3000\n"));
    api.tick(begun + kViewMsMax);
    EXPECT_TRUE(slow.stream->ended());
    EXPECT_THAT(ended_with(slow), HasSubstr("unavailable: the client takes too long"));
    EXPECT_THAT(send("GET", "/metrics").body,
                HasSubstr("inos_watchers_ended_total{reason=\"slow\"} 1\n"));
}

// Goal: a subscriber that never reads harms nobody. Method: 100,000 records change while one client
// reads nothing, one reads all and one follows another collection; what waits here for the first is
// bounded at every step, the others are told at once, and in the end it is told, too.
TEST_F(ChangeFeedLimits, D21_D22_a_client_that_never_reads_costs_a_buffer) {
    constexpr int kWrites = 500, kRecords = 200;
    Client& deaf = watch("?since=0");
    Client& quick = watch("?since=0&collection=c");
    Client& aside = watch("?since=0&collection=d");
    std::size_t most = 0, told = 0;
    for (int i = 0; i < kWrites; ++i) {
        std::vector<Write> writes;
        for (int k = 0; k < kRecords; ++k)
            writes.push_back({Write::Kind::put,
                              {"c", "k" + std::to_string(i * kRecords + k)},
                              name("0123456789"),
                              {}});
        space[0].commit(std::move(writes));
        if (i % 50 == 0) space[0].put("d", "x", name(std::to_string(i)));
        api.on_progress();
        std::size_t const now = events(quick).size();
        ASSERT_EQ(now, std::size_t{kRecords});
        told += now;
        ASSERT_THAT(events(aside), SizeIs(i % 50 == 0 ? 1 : 0));
        most = std::max(most, deaf.stream->waiting_bytes());
    }
    EXPECT_EQ(told, 100'000u);
    EXPECT_LT(most, kHttpStreamBytesMax + (512u << 10));
    RecordProperty("waiting_bytes", std::to_string(most));
    std::set<std::string> ids;
    for (std::size_t left = 1'000; left > 0 && deaf.stream->has_data(); --left)
        for (Event const& event : events(deaf))
            ids.insert(member(event, "id"));
    EXPECT_EQ(ids.size(), 100'001u);
    EXPECT_FALSE(deaf.stream->ended());
    EXPECT_THAT(send("GET", "/metrics").body, HasSubstr("inos_watcher_waiting_bytes 0\n"));
}

}  // namespace
}  // namespace inos::test
