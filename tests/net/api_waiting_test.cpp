// What the API waits for: other sites' acknowledgements after a write, and entries that a client
// has seen elsewhere before a read.
#include <gmock/gmock.h>

#include "net/api_format.hpp"
#include "tests/net/api_fixture.hpp"

namespace inos::test {
namespace {

using ::testing::HasSubstr;

std::string const kAnn = "/v1/collections/customers/records/ann";

using ApiWait = ApiTest;

TEST_F(ApiWait, a_write_answers_202_when_too_few_sites_have_it) {
    node.acknowledged = 1;
    auto const enough = json(201, "PUT", kAnn + "?wait=1&timeout=3", R"({"n":1})");
    EXPECT_EQ(*enough.find("acknowledged"), Value(1));
    EXPECT_EQ(node.last_wait->sites, 1u);
    EXPECT_EQ(node.last_wait->timeout_ms, 3'000u);
    EXPECT_EQ(node.last_wait->held, space[0]->vector());
    auto const few = json(202, "PUT", kAnn + "?wait=2", R"({"n":2})");
    EXPECT_EQ(*few.find("acknowledged"), Value(1));
    EXPECT_EQ(node.last_wait->timeout_ms, 10'000u);
    EXPECT_EQ(send("POST", "/v1/transactions?wait=2", R"({"ops":[]})").status, 202);
}

TEST_F(ApiWait, a_delete_has_a_body_only_when_it_waited_in_vain) {
    send("PUT", kAnn, "{}");
    auto const in_vain = send("DELETE", kAnn + "?wait=1");
    EXPECT_EQ(in_vain.status, 202);
    EXPECT_EQ(in_vain.body, R"({"acknowledged":0})");
    EXPECT_EQ(send("DELETE", kAnn + "?wait=1").status, 404);
    node.acknowledged = 1;
    send("PUT", kAnn, "{}");
    auto const done = send("DELETE", kAnn + "?wait=1");
    EXPECT_EQ(done.status, 204);
    EXPECT_EQ(done.body, "");
}

TEST_F(ApiWait, a_write_waits_for_its_own_entry_only) {
    space[1].put("c", "1", {});
    space.pull(1, 0);
    send("PUT", kAnn + "?wait=1", R"({"n":1})");
    VersionVector entry;
    entry.set(space[0].actor(), 1);
    EXPECT_EQ(node.last_wait->held, entry);
}

TEST_F(ApiWait, a_write_that_changes_nothing_waits_for_all_that_may_have_made_it_so) {
    space[1].put("customers", "ann", object_of(R"({"n":1})"));
    space.pull(1, 0);
    EXPECT_EQ(send("PUT", kAnn + "?wait=1", R"({"n":1})").status, 202);
    EXPECT_EQ(node.last_wait->held, space[0]->vector());
    EXPECT_TRUE(node.last_wait->held.includes(space[1]->vector()));
}

TEST_F(ApiWait, no_wait_asks_nobody) {
    send("PUT", kAnn, "{}");
    send("PUT", kAnn + "?wait=0", R"({"n":1})");
    EXPECT_FALSE(node.last_wait);
}

class ApiFrontier : public ApiTest {
protected:
    struct Pending {
        std::optional<HttpResponse> answer;
    };
    // The request's answer, which may come later.
    std::shared_ptr<Pending> start(HttpRequest made) {
        auto pending = std::make_shared<Pending>();
        api.handle(std::move(made), [pending](HttpResponse response) {
            EXPECT_FALSE(pending->answer);
            pending->answer = std::move(response);
        });
        return pending;
    }
    std::string frontier_of_site_1() { return frontier_text(space[1]->vector()); }
    HttpRequest read_of(std::string const& frontier) {
        return request("GET", kAnn, "", {{"x-inos-frontier", frontier}});
    }
};

TEST_F(ApiFrontier, is_on_every_answer_and_covers_what_was_written) {
    auto const written = send("PUT", kAnn, R"({"n":1})");
    auto const frontier = parse_frontier(written.headers.at("X-Inos-Frontier"));
    ASSERT_TRUE(frontier);
    EXPECT_TRUE(frontier->covers({space[0].actor(), 1}));
    for (std::string const& path :
         {kAnn, std::string("/v1/collections"), std::string("/v1/nothing")})
        EXPECT_EQ(send("GET", path).headers.at("X-Inos-Frontier"), frontier_text(*frontier))
            << path;
    space[1].put("c", "1", {});
    space.pull(1, 0);
    auto const read = parse_frontier(send("GET", kAnn).headers.at("X-Inos-Frontier"));
    EXPECT_EQ(*read, space[0]->vector());
    auto const same = parse_frontier(send("PUT", kAnn, R"({"n":1})").headers.at("X-Inos-Frontier"));
    EXPECT_EQ(*same, space[0]->vector());
}

TEST_F(ApiFrontier, of_a_write_covers_what_the_client_had_seen_elsewhere) {
    space[1].put("c", "1", {});
    auto const written = send("PUT", kAnn, "{}", {{"x-inos-frontier", frontier_of_site_1()}});
    EXPECT_EQ(written.status, 201);
    auto const frontier = parse_frontier(written.headers.at("X-Inos-Frontier"));
    EXPECT_TRUE(frontier->includes(space[1]->vector()));
    EXPECT_TRUE(frontier->includes(space[0]->vector()));
}

TEST_F(ApiFrontier, that_this_node_holds_does_not_wait) {
    space[1].put("customers", "ann", {});
    space.pull(1, 0);
    EXPECT_EQ(send(read_of(frontier_of_site_1())).status, 200);
    EXPECT_EQ(api.waiting(), 0u);
}

TEST_F(ApiFrontier, makes_a_read_wait_until_the_entries_are_here) {
    space[1].put("customers", "ann", {});
    auto const pending = start(read_of(frontier_of_site_1()));
    EXPECT_FALSE(pending->answer);
    api.on_progress();
    EXPECT_FALSE(pending->answer) << "nothing has come yet";
    space.pull(1, 0);
    api.on_progress();
    ASSERT_TRUE(pending->answer);
    EXPECT_EQ(pending->answer->status, 200);
    EXPECT_EQ(api.waiting(), 0u);
}

TEST_F(ApiFrontier, wait_ends_with_503) {
    space[1].put("customers", "ann", {});
    auto const pending = start(read_of(frontier_of_site_1()));
    space[0].clock.advance(kFrontierWaitMs - 1);
    api.tick(space[0].clock.monotonic_ms());
    EXPECT_FALSE(pending->answer);
    space[0].clock.advance(1);
    api.tick(space[0].clock.monotonic_ms());
    ASSERT_TRUE(pending->answer);
    EXPECT_EQ(pending->answer->status, 503);
    EXPECT_THAT(pending->answer->body, HasSubstr("has not received yet"));
    EXPECT_EQ(api.waiting(), 0u);
}

TEST_F(ApiFrontier, waits_are_counted_and_bounded) {
    space[1].put("customers", "ann", {});
    std::vector<std::shared_ptr<Pending>> all;
    for (std::size_t i = 0; i < kWaitingMax; ++i)
        all.push_back(start(read_of(frontier_of_site_1())));
    EXPECT_EQ(api.waiting(), kWaitingMax);
    EXPECT_EQ(send(read_of(frontier_of_site_1())).status, 503);
    space.pull(1, 0);
    api.on_progress();
    for (auto const& pending : all) {
        ASSERT_TRUE(pending->answer);
        EXPECT_EQ(pending->answer->status, 200);
    }
}

TEST_F(ApiFrontier, that_is_malformed_is_refused) {
    std::string const good = frontier_text(space[0]->vector());
    for (std::string const& bad : {std::string("x"), good + "00", std::string("01"), good + "0"})
        EXPECT_EQ(send(read_of(bad)).status, 400) << bad;
}

// A store that answers when the test says so, as one on another thread does.
class LateStore final : public Store {
public:
    explicit LateStore(Replica& replica) : direct_(replica) {}
    void commit(Transaction transaction, std::function<void(Result<Committed>)> done) override {
        direct_.commit(std::move(transaction), std::move(done));
    }
    void run(std::function<void(Replica&)> work, std::function<void()> done) override {
        direct_.run(std::move(work), [] {});
        answers.push_back(std::move(done));
    }
    void answer_all() {
        while (!answers.empty()) {
            auto const next = std::move(answers.front());
            answers.erase(answers.begin());
            next();
        }
    }
    std::vector<std::function<void()>> answers;

private:
    DirectStore direct_;
};

TEST_F(ApiFrontier, progress_while_the_store_is_asked_is_not_missed) {
    LateStore late(*space[0].replica);
    Api its_api(late, node, space[0].clock);
    space[1].put("customers", "ann", {});
    std::optional<HttpResponse> answer;
    its_api.handle(read_of(frontier_of_site_1()),
                   [&](HttpResponse response) { answer = std::move(response); });
    late.answer_all();
    ASSERT_EQ(its_api.waiting(), 1u);
    its_api.on_progress();  // asks before the entries come ...
    space.pull(1, 0);
    its_api.on_progress();  // ... and must ask again because of this
    late.answer_all();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
}

}  // namespace
}  // namespace inos::test
