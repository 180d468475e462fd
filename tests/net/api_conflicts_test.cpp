// What the API shows of conflicts, and how they are decided.
#include <gmock/gmock.h>

#include "tests/net/api_fixture.hpp"
#include "tests/support/broken_author.hpp"

namespace inos::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char const* kAnn = "/v1/collections/customers/records/ann";

using ApiConflicts = ApiTest;

TEST_F(ApiConflicts, show_every_value_with_its_origin_the_winner_first) {
    make_conflict("ann");
    auto const record = json(200, "GET", kAnn);
    Array const& values = *record.find("conflicts")->find("name")->as<Array>();
    ASSERT_EQ(values.size(), 2u);
    EXPECT_EQ(write_json(values[0]),
              R"({"site":"site1","source":"test","time":"2025-06-15T15:06:45.000Z",)"
              R"("value":"Anne","wins":true})");
    EXPECT_EQ(*values[1].find("value"), Value("Anna"));
    EXPECT_EQ(*values[1].find("wins"), Value(false));
}

TEST_F(ApiConflicts, A7_show_increments_of_a_counter_that_was_taken_away) {
    space[0].set_schema(R"({"customers": {"fields": {"points": {"type": "counter"}}}})");
    space[0].put("customers", "ann", object_of(R"({"points": 10})"));
    space.converge();
    space[0].patch("customers", "ann", object_of(R"({"points": {"$inc": 2}})"));
    space[1].patch("customers", "ann", object_of(R"({"points": null})"));
    space.converge();
    auto const record = json(200, "GET", kAnn);
    EXPECT_EQ(record.find("fields")->find("points"), nullptr);
    auto const* values = record.find("conflicts")->find("points");
    ASSERT_NE(values, nullptr);
    EXPECT_EQ(write_json(*values),
              R"([{"site":"","source":"","time":null,"value":null,"wins":true},)"
              R"({"lost":true,"site":"site0","source":"test","time":"2025-06-15T15:06:40.000Z",)"
              R"("value":null,"wins":false}])");
    EXPECT_THAT(send("GET", "/v1/conflicts").body, HasSubstr("points"));
    auto const decided = send("POST",
                              "/v1/conflicts/resolve",
                              R"({"collection":"customers","id":"ann","field":"points",)"
                              R"("value":null})");
    EXPECT_EQ(decided.status, 200) << decided.body;
    EXPECT_THAT(send("GET", "/v1/conflicts").body, Not(HasSubstr("points")));
}

TEST_F(ApiConflicts, are_found_and_resolved) {
    make_conflict("ann");
    space[0].put("customers", "bob", {});
    auto const found = json(200, "GET", "/v1/conflicts");
    Array const& records = *found.find("records")->as<Array>();
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(*records[0].find("collection"), Value("customers"));
    EXPECT_EQ(*records[0].find("id"), Value("ann"));
    EXPECT_EQ(records[0].find("conflicts")->find("name")->as<Array>()->size(), 2u);
    EXPECT_TRUE(found.find("next")->is_null());

    auto const answer =
        json(200,
             "POST",
             "/v1/conflicts/resolve",
             R"({"collection":"customers","id":"ann","field":"name","value":"Anne"})");
    EXPECT_EQ(*answer.find("changed"), Value(true));
    EXPECT_EQ(write_json(*json(200, "GET", kAnn).find("conflicts")), "{}");
    EXPECT_EQ(json(200, "GET", "/v1/conflicts").find("records")->as<Array>()->size(), 0u);
}

TEST_F(ApiConflicts, come_in_pages_across_collections) {
    for (char const* id : {"a", "b", "c"})
        make_conflict(id);
    space[0].put("zoo", "x", {});
    std::vector<std::string> ids;
    std::string after;
    do {
        auto const page =
            json(200, "GET", "/v1/conflicts?limit=1" + (after.empty() ? "" : "&after=" + after));
        for (Value const& record : *page.find("records")->as<Array>())
            ids.push_back(*record.find("id")->as<std::string>());
        after = page.find("next")->is_null() ? "" : *page.find("next")->as<std::string>();
    } while (!after.empty());
    EXPECT_EQ(ids, (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(json(200, "GET", "/v1/conflicts?collection=zoo").find("records")->as<Array>()->size(),
              0u);
}

TEST_F(ApiConflicts, come_in_shorter_pages_when_they_are_long) {
    std::string const long_text(250'000, 'x');
    constexpr std::size_t kRecords = 20;  // 10 MB of values
    auto const id = [](std::size_t i) { return "r" + std::to_string(100 + i); };
    for (std::size_t i = 0; i < kRecords; ++i) {
        space[0].put("big", id(i), {{"t", Value("a" + long_text)}});
        space[1].put("big", id(i), {{"t", Value("b" + long_text)}});
    }
    space.pull(1, 0);
    auto const first = send("GET", "/v1/conflicts?limit=1000");
    EXPECT_LT(first.body.size(), kAnswerBytesMax + 600'000);
    auto const page = *parse_json(first.body, 64);
    std::size_t const count = page.find("records")->as<Array>()->size();
    EXPECT_GT(count, 0u);
    ASSERT_LT(count, kRecords);
    auto const rest =
        json(200, "GET", "/v1/conflicts?after=" + *page.find("next")->as<std::string>());
    EXPECT_EQ(rest.find("records")->as<Array>()->size(), kRecords - count);
    EXPECT_TRUE(rest.find("next")->is_null());
}

// ---- edits without a record ---------------------------------------------------------------------

class ApiOrphans : public ApiTest {
protected:
    // Edits of records that site 0 does not have, as an old copy of site 1 would send them.
    void receive_orphans(std::vector<RecordName> const& names, std::string const& text) {
        BrokenAuthor old_copy(space[1], space.id(), space.digest_key());
        for (RecordName const& name : names) {
            Op op = simple_op(name.collection, name.key, text);
            op.fresh = false;
            old_copy.say(old_copy.header({name.collection, "name"}), {op});
            value_of(space[0]->apply(old_copy.batch(old_copy.next().seq - 1)));
        }
    }
    // Their ids, in pages as `query` asks for them.
    std::vector<std::vector<std::string>> pages(std::string const& query) {
        std::vector<std::vector<std::string>> all;
        std::string after;
        do {
            auto const page =
                json(200, "GET", "/v1/orphans?" + query + (after.empty() ? "" : "&after=" + after));
            all.emplace_back();
            for (Value const& one : *page.find("orphans")->as<Array>())
                all.back().push_back(*one.find("id")->as<std::string>());
            after = page.find("next")->is_null() ? "" : *page.find("next")->as<std::string>();
        } while (!after.empty() && all.size() < 100);
        return all;
    }
};

TEST_F(ApiOrphans, come_in_pages_across_collections) {
    receive_orphans({{"c", "1"}, {"c", "2"}, {"d", "1"}, {"c", "3"}}, "edited");
    using Pages = std::vector<std::vector<std::string>>;
    EXPECT_EQ(pages("limit=10"), (Pages{{"1", "2", "3", "1"}}));
    EXPECT_EQ(pages("limit=3"), (Pages{{"1", "2", "3"}, {"1"}}));
    EXPECT_EQ(pages("limit=2&collection=c"), (Pages{{"1", "2"}, {"3"}}));
    EXPECT_EQ(pages("collection=d"), (Pages{{"1"}}));
    EXPECT_EQ(pages("collection=e"), (Pages{{}}));
    EXPECT_EQ(send("GET", "/v1/orphans?after=zz").status, 400);
}

TEST_F(ApiOrphans, come_in_shorter_pages_when_they_are_long) {
    std::vector<RecordName> names;
    for (int i = 0; i < 40; ++i)
        names.push_back({"c", "r" + std::to_string(100 + i)});
    receive_orphans(names, std::string(250'000, 'x'));
    EXPECT_LT(send("GET", "/v1/orphans?limit=1000").body.size(), kAnswerBytesMax + 300'000);
    auto const all = pages("limit=1000");
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].size() + all[1].size(), names.size());
}
}  // namespace
}  // namespace inos::test
