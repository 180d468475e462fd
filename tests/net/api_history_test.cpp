// The API's past: history, reads as of a moment, explanations, and bringing a state back.
#include <gmock/gmock.h>

#include "net/api_format.hpp"
#include "net/moment.hpp"
#include "storage/log_retention.hpp"
#include "tests/net/api_fixture.hpp"

namespace inos::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char const* kRecord = "/v1/collections/customers/records/c-1";

std::string path(std::string const& rest) {
    return kRecord + rest;
}

class ApiHistory : public ApiTest {
protected:
    // Ann in Oslo at 12:26:40, in Lund ten seconds later; answers the frontier in between.
    std::string make_past() {
        space[0].put("customers", "c-1", object_of(R"({"name":"Ann","city":"Oslo"})"));
        std::string const between = frontier_text(space[0]->vector());
        space[0].clock.advance(10'000);
        space[0].patch("customers", "c-1", object_of(R"({"city":"Lund"})"));
        return between;
    }
    Value field(Value const& record, std::string_view name) {
        Value const* fields = record.find("fields");
        Value const* value = fields ? fields->find(name) : nullptr;
        return value ? *value : Value();
    }
    std::string dot(Value const& step) { return *step.find("dot")->as<std::string>(); }
};

TEST_F(ApiHistory, history_lists_the_steps_with_site_source_and_words) {
    make_past();
    auto const answer = json(200, "GET", path("/history"));
    EXPECT_EQ(*answer.find("complete"), Value(true));
    EXPECT_EQ(*answer.find("next"), Value());
    auto const& steps = *answer.find("steps")->as<Array>();
    ASSERT_EQ(steps.size(), 2u);
    EXPECT_EQ(*steps[0].find("kind"), Value("fresh"));
    EXPECT_EQ(*steps[0].find("time"), Value("2025-06-15T15:06:40.000Z"));
    EXPECT_EQ(*steps[1].find("site"), Value("site0"));
    EXPECT_EQ(*steps[1].find("source"), Value("test"));
    EXPECT_EQ(*steps[1].find("arrived"), Value("2025-06-15T15:06:50.000Z"));
    EXPECT_EQ(*steps[1].find("outcome"), Value("in_effect"));
    EXPECT_EQ(write_json(*steps[1].find("changes")),
              R"([{"field":"city","from":"Oslo","outcome":"in_effect","to":"Lund",)"
              R"("words":"set to \"Lund\""}])");
    // A step's vector is the moment right behind it.
    auto const first = steps[0].find("vector")->as<std::string>();
    EXPECT_EQ(field(json(200, "GET", path("?at=" + *first)), "city"), Value("Oslo"));
}

TEST_F(ApiHistory, a_history_whose_beginning_was_cut_says_from_when_on_it_is_kept) {
    std::string const between = make_past();
    space.converge();
    space.acknowledge();
    ASSERT_EQ(value_of(cut_log(*space[0], 5'000, 100)), 1u);
    auto const answer = json(200, "GET", path("/history"));
    EXPECT_EQ(*answer.find("complete"), Value(false));
    EXPECT_EQ(*answer.find("kept_from"), Value("2025-06-15T15:06:50.000Z"));
    ASSERT_EQ(answer.find("steps")->as<Array>()->size(), 1u);
    EXPECT_EQ(*json(200, "GET", path("/explain")).find("complete"), Value(false));
    auto const past = json(410, "GET", path("?at=" + between));
    EXPECT_THAT(write_json(past), HasSubstr("before 2025-06-15T15:06:50.000Z is no longer kept"));
    // Of another record nothing is known, then or at all.
    space[0].put("customers", "c-2", object_of(R"({"name":"Bob"})"));
    json(410, "GET", "/v1/collections/customers/records/c-2?at=2025-06-15T15:06:30Z");
    json(404, "GET", "/v1/collections/customers/records/c-2?at=2025-06-15T15:06:45Z");
}

TEST_F(ApiHistory, history_goes_back_page_by_page) {
    make_past();
    space[0].patch("customers", "c-1", object_of(R"({"city":"Kiel"})"));
    auto const all = json(200, "GET", path("/history"));
    auto const& steps = *all.find("steps")->as<Array>();
    ASSERT_EQ(steps.size(), 3u);
    auto const page = json(200, "GET", path("/history?limit=2"));
    EXPECT_EQ(*page.find("steps"), Value(Array{steps[1], steps[2]}));
    EXPECT_EQ(*page.find("next"), Value(dot(steps[1])));
    auto const rest = json(200, "GET", path("/history?limit=2&before=" + dot(steps[1])));
    EXPECT_EQ(*rest.find("steps"), Value(Array{steps[0]}));
    EXPECT_EQ(*rest.find("next"), Value());
    json(400, "GET", path("/history?before=nothing"));
    json(400, "GET", path("/history?limit=0"));
    json(404, "GET", "/v1/collections/customers/records/none/history");
    json(403, "GET", "/v1/collections/_alias/records/x/history");
}

TEST_F(ApiHistory, as_of_a_moment_is_read_without_anything_to_write_against) {
    std::string const between = make_past();
    auto const response = send("GET", path("?at=2025-06-15T15:06:49.999Z"));
    EXPECT_EQ(response.status, 200);
    EXPECT_FALSE(response.headers.contains("ETag"));
    EXPECT_EQ(response.body,
              R"({"at":"2025-06-15T15:06:49.999Z","conflicts":{},)"
              R"("fields":{"city":"Oslo","name":"Ann"},"id":"c-1"})");
    EXPECT_EQ(field(json(200, "GET", path("?at=1750000010000")), "city"), Value("Lund"));
    EXPECT_EQ(field(json(200, "GET", path("?at=" + between)), "city"), Value("Oslo"));
    auto const before = json(404, "GET", path("?at=2025-06-15"));
    EXPECT_THAT(write_json(before), HasSubstr("as of 2025-06-15T00:00:00.000Z"));
    json(400, "GET", path("?at=yesterday"));
    json(404, "GET", "/v1/collections/customers/records/none?at=0");
}

TEST_F(ApiHistory, a_vector_that_is_not_held_yet_is_waited_for) {
    make_past();
    space[1].put("customers", "c-2", {});
    VersionVector ahead = space[1]->vector();
    std::optional<HttpResponse> answer;
    api.handle(request("GET", path("?at=" + frontier_text(ahead))),
               [&](HttpResponse response) { answer = std::move(response); });
    EXPECT_FALSE(answer);
    space.pull(1, 0);
    api.on_progress();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 404);  // c-1 was not there yet for those entries
}

TEST_F(ApiHistory, conflicts_of_the_past_are_read_too) {
    make_conflict("c-1");
    auto const both = frontier_text(space[0]->vector());
    space[0].patch("customers", "c-1", object_of(R"({"name":"Annie"})"));
    auto const then = json(200, "GET", path("?at=" + both));
    EXPECT_EQ(then.find("conflicts")->find("name")->as<Array>()->size(), 2u);
    EXPECT_EQ(write_json(*json(200, "GET", kRecord).find("conflicts")), "{}");
}

TEST_F(ApiHistory, explains_a_field_with_what_lost) {
    make_conflict("c-1");
    auto const answer = json(200, "GET", path("/explain?field=name"));
    EXPECT_EQ(*answer.find("state"), Value("exists"));
    Value const* name = answer.find("fields")->find("name");
    ASSERT_TRUE(name);
    EXPECT_EQ(*name->find("value"), Value("Anne"));
    EXPECT_EQ(*name->find("rule"), Value("policy \"latest\": the later of 2 concurrent writes"));
    EXPECT_EQ(*name->find("written")->find("site"), Value("site1"));
    auto const& lost = *name->find("lost")->as<Array>();
    ASSERT_EQ(lost.size(), 1u);
    EXPECT_EQ(*lost[0].find("value"), Value("Anna"));
    EXPECT_EQ(*lost[0].find("site"), Value("site0"));
    auto const& before = *name->find("before")->as<Array>();
    ASSERT_EQ(before.size(), 1u);
    EXPECT_EQ(*before[0].find("value"), Value("Ann"));
    auto const unknown = json(404, "GET", path("/explain?field=nam"));
    EXPECT_THAT(write_json(unknown), HasSubstr("did you mean"));
    json(404, "GET", "/v1/collections/customers/records/none/explain");
}

TEST_F(ApiHistory, a_deleted_record_is_explained_and_has_a_history) {
    make_past();
    space[0].erase("customers", "c-1");
    auto const answer = json(200, "GET", path("/explain"));
    EXPECT_EQ(*answer.find("state"), Value("deleted"));
    EXPECT_EQ(answer.find("deletes")->as<Array>()->size(), 1u);
    EXPECT_EQ(json(200, "GET", path("/history")).find("steps")->as<Array>()->size(), 3u);
    json(404, "GET", path("?at=1750000010001&elements=true"));
}

TEST_F(ApiHistory, restoring_writes_the_old_state_as_a_new_change) {
    std::string const between = make_past();
    auto const answer = json(200, "POST", path("/restore"), R"({"at":")" + between + R"("})");
    EXPECT_EQ(*answer.find("changed"), Value(true));
    EXPECT_EQ(space[0].field("customers", "c-1", "city"), Value("Oslo"));
    EXPECT_EQ(json(200, "GET", path("/history")).find("steps")->as<Array>()->size(), 3u);
    auto const again = json(200, "POST", path("/restore"), R"({"at":")" + between + R"("})");
    EXPECT_EQ(*again.find("changed"), Value(false));
    EXPECT_EQ(*again.find("version"), *answer.find("version"));
    json(412,
         "POST",
         path("/restore"),
         R"({"at":")" + between + R"(","if_match":"00112233445566778899aabbccddeeff"})");
}

TEST_F(ApiHistory, restoring_brings_a_deleted_record_back) {
    make_past();
    space[0].clock.advance(1'000);
    space[0].erase("customers", "c-1");
    json(201, "POST", path("/restore"), R"({"at":1750000010000})");
    EXPECT_EQ(space[0].get("customers", "c-1")->fields,
              object_of(R"({"name":"Ann","city":"Lund"})"));
    json(404, "POST", path("/restore"), R"({"at":"2025-06-15"})");
    json(400, "POST", path("/restore"), R"({"at":"then"})");
    json(400, "POST", path("/restore"), R"({})");
    json(400, "POST", path("/restore"), R"({"att":1})");
}

TEST_F(ApiHistory, counters_and_sets_are_restored_by_the_difference) {
    space[0].set_schema(R"({"customers":{"fields":{"points":{"type":"counter"},
                                                   "tags":{"type":"set"}}}})");
    space[0].put("customers", "c-1", object_of(R"({"points":10,"tags":["a","b"]})"));
    std::string const then = frontier_text(space[0]->vector());
    space[0].patch("customers",
                   "c-1",
                   object_of(R"({"points":{"$inc":7},"tags":{"$remove":"a","$add":"c"}})"));
    space.converge();
    space[1].patch("customers", "c-1", object_of(R"({"points":{"$inc":1},"tags":{"$add":"d"}})"));
    json(200, "POST", path("/restore"), R"({"at":")" + then + R"("})");
    EXPECT_EQ(space[0].field("customers", "c-1", "points"), Value(10));
    space.converge();
    EXPECT_EQ(space[0].field("customers", "c-1", "points"), Value(11));
    EXPECT_EQ(space[0].field("customers", "c-1", "tags"),
              Value(Array{Value("a"), Value("b"), Value("d")}));
}

TEST_F(ApiHistory, what_is_restored_has_the_types_that_it_had_without_a_schema_too) {
    space[0].patch("customers", "c-1", object_of(R"({"hits": {"$inc": 3}, "tags": {"$add": "a"},
        "on": {"$enable": true}, "memo": {"$splice": {"at": 0, "insert": "hej"}},
        "none": {"$null": true},
        "lines": {"$insert": {"after": null, "value": "x"}}, "deep": {"hits": {"$inc": 1}}})"));
    std::string const then = frontier_text(space[0]->vector());
    Object const before = space[0].get("customers", "c-1")->fields;
    space[0].erase("customers", "c-1");
    json(201, "POST", path("/restore"), R"({"at":")" + then + R"("})");
    EXPECT_EQ(space[0].get("customers", "c-1")->fields, before);
    json(200, "PATCH", path(""), R"({"hits": {"$inc": 1}, "tags": {"$add": "b"},
        "on": {"$enable": false}, "memo": {"$splice": {"at": 3, "insert": "!"}},
        "lines": {"$insert": {"before": null, "value": "y"}}, "deep": {"hits": {"$inc": 1}}})");
    EXPECT_EQ(space[0].get("customers", "c-1")->fields, object_of(R"({"hits": 4,
        "tags": ["a", "b"], "on": false, "memo": "hej!", "lines": ["x", "y"], "none": null,
        "deep": {"hits": 2}})"));
    json(200, "POST", path("/restore"), R"({"at":")" + then + R"("})");
    EXPECT_EQ(space[0].get("customers", "c-1")->fields, before);
}

TEST_F(ApiHistory, nothing_of_an_erased_record_is_told_or_restored) {
    make_past();
    space[0].erase_for_good("customers", "c-1");
    json(410, "GET", path("/history"));
    json(410, "GET", path("/explain"));
    json(410, "GET", path("?at=0"));
    auto const refused = json(410, "POST", path("/restore"), R"({"at":1750000010000})");
    EXPECT_THAT(write_json(refused), HasSubstr("erased for good"));
}

TEST_F(ApiHistory, an_alias_has_the_history_of_the_record_it_stands_for) {
    make_past();
    space[0].put("customers", "old", object_of(R"({"name":"Ann"})"));
    json(200,
         "POST",
         "/v1/duplicates/merge",
         R"({"collection":"customers","into":"c-1","from":"old"})");
    auto const followed = json(200, "GET", "/v1/collections/customers/records/old/history");
    EXPECT_EQ(*followed.find("id"), Value("c-1"));
    EXPECT_EQ(*followed.find("alias"), Value("old"));
    auto const own = json(200, "GET", "/v1/collections/customers/records/old/history?own=true");
    EXPECT_EQ(*own.find("id"), Value("old"));
    EXPECT_EQ(own.find("steps")->as<Array>()->size(), 1u);
    auto const explained = json(200, "GET", "/v1/collections/customers/records/old/explain");
    EXPECT_EQ(*explained.find("id"), Value("c-1"));
}

TEST(Moment, times_and_vectors_are_read) {
    auto const time = [](std::string_view text) {
        auto const moment = parse_moment(text);
        return moment && moment->time_ms ? utc_text(*moment->time_ms) : std::string("none");
    };
    EXPECT_EQ(time("2026-01-31T10:00:07.125Z"), "2026-01-31T10:00:07.125Z");
    EXPECT_EQ(time("2026-01-31T10:00:07.1259Z"), "2026-01-31T10:00:07.125Z");
    EXPECT_EQ(time("2026-01-31T10:00:07.5"), "2026-01-31T10:00:07.500Z");
    EXPECT_EQ(time("2026-01-31 10:00"), "2026-01-31T10:00:00.000Z");
    EXPECT_EQ(time("2026-03-01T00:30:00+01:00"), "2026-02-28T23:30:00.000Z");
    EXPECT_EQ(time("2024-02-29T23:30:00-01:00"), "2024-03-01T00:30:00.000Z");
    EXPECT_EQ(time("2100-03-01"), "2100-03-01T00:00:00.000Z");
    EXPECT_EQ(time("1970-01-01"), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(time("1750000000000"), "2025-06-15T15:06:40.000Z");
    for (char const* bad : {"",
                            "yesterday",
                            "2026-02-29",
                            "2026-13-01",
                            "2026-01-31T24:00",
                            "2026-01-31T10",
                            "2026-01-31T10:00:07.Z",
                            "2026-01-31Z",
                            "1970-01-01T00:00+01:00",
                            "1234567890123456789012",
                            "2026-1-31"})
        EXPECT_FALSE(parse_moment(bad)) << bad;
    VersionVector vector;
    vector.set(ActorId{7}, 3);
    auto const moment = parse_moment(frontier_text(vector));
    ASSERT_TRUE(moment);
    EXPECT_EQ(moment->vector, vector);
    EXPECT_EQ(moment->text(), frontier_text(vector));
}

}  // namespace
}  // namespace inos::test
