// The HTTP API's part in what schemas ask of values, and in duplicates.
#include <gmock/gmock.h>

#include "tests/net/api_fixture.hpp"

namespace inos::test {
namespace {

using ::testing::HasSubstr;

std::string const kMerge = "/v1/duplicates/merge";
std::string const kUnmerge = "/v1/duplicates/unmerge";

std::string path(std::string const& id) {
    return "/v1/collections/customers/records/" + id;
}

class ApiDuplicates : public ApiTest {
protected:
    ApiDuplicates() {
        json(200, "POST", "/v1/schema", R"({"customers":{"identity":["email"],"fields":{
            "email":{"type":"register","format":"email"},
            "name":{"type":"register","max":5,"check":"warn"}}}})");
    }
    std::string text(int status,
                     std::string method,
                     std::string const& target,
                     std::string body = {}) {
        return write_json(json(status, std::move(method), target, std::move(body)));
    }
};

TEST_F(ApiDuplicates, a_value_that_the_schema_refuses_is_422_with_its_field) {
    Value const answer = json(422, "PUT", path("a"), R"({"email":"ann"})");
    Value const& error = *answer.find("error");
    EXPECT_EQ(*error.find("code"), Value("invalid"));
    EXPECT_EQ(*error.find("field"), Value("email"));
    EXPECT_EQ(*error.find("message"),
              Value("\"email\" of \"a\" in \"customers\", \"ann\", has to be an e-mail address "
                    "such as name@example.org (format \"email\")"));
    json(404, "GET", path("a"));
}

TEST_F(ApiDuplicates, warnings_come_with_the_answer_of_a_write_that_is_made) {
    Value const answer = json(201, "PUT", path("a"), R"({"name":"Wilhelmina"})");
    ASSERT_TRUE(answer.find("warnings")) << write_json(answer);
    Value const warning = answer.find("warnings")->as<Array>()->front();
    EXPECT_EQ(*warning.find("field"), Value("name"));
    EXPECT_THAT(*warning.find("message")->as<std::string>(),
                HasSubstr("has 10 characters; at most 5 are allowed"));
    EXPECT_EQ(json(200, "PATCH", path("a"), R"({"n":1})").find("warnings"), nullptr);
    std::string const ops = R"({"ops":[{"op":"put","collection":"customers","id":"b","fields":{}},
        {"op":"patch","collection":"customers","id":"a","fields":{"name":"Wilhelminae"}}]})";
    Value const done = json(200, "POST", "/v1/transactions", ops);
    Array const& list = *done.find("ops")->as<Array>();
    EXPECT_EQ(list[0].find("warnings"), nullptr);
    EXPECT_NE(list[1].find("warnings"), nullptr);
    EXPECT_NE(json(200,
                   "POST",
                   "/v1/conflicts/resolve",
                   R"({"collection":"customers","id":"a","field":"name","value":"Wilhelminaeus"})")
                  .find("warnings"),
              nullptr);
}

TEST_F(ApiDuplicates, are_found_merged_and_taken_back) {
    json(201, "PUT", path("a"), R"({"email":"ann@b.se","name":"Ann"})");
    json(201, "PUT", path("b"), R"({"email":"Ann@B.se","name":"A","city":"Lund"})");
    std::string const found = text(200, "GET", "/v1/duplicates");
    EXPECT_EQ(found,
              R"({"complete":true,"groups":[{"collection":"customers","identity":)"
              R"({"email":"ann@b.se"},"ids":["a","b"]}],"merged":[]})");
    EXPECT_EQ(text(200, "GET", "/v1/duplicates?collection=customers"), found);
    std::string const pair = R"({"collection":"customers","into":"a","from":"b"})";
    EXPECT_EQ(text(200, "POST", kMerge, pair),
              R"({"alias":"b","changed":true,"copied":["city"],"differing":[)"
              R"({"field":"email","kept":"ann@b.se","left":"Ann@B.se"},)"
              R"({"field":"name","kept":"Ann","left":"A"}],"id":"a"})");
    Value const b = json(200, "GET", path("b"));
    EXPECT_EQ(*b.find("id"), Value("a"));
    EXPECT_EQ(*b.find("alias"), Value("b"));
    EXPECT_EQ(*b.find("fields")->find("city"), Value("Lund"));
    EXPECT_EQ(json(200, "GET", path("a")).find("alias"), nullptr);
    EXPECT_EQ(*json(200, "PATCH", path("b"), R"({"n":1})").find("id"), Value("a"));
    EXPECT_EQ(text(200, "GET", "/v1/duplicates"),
              R"({"complete":true,"groups":[],"merged":[{"changed":false,"collection":)"
              R"("customers","from":"b","into":"a","orphaned":false,"rivals":[]}]})");
    EXPECT_EQ(
        json(200, "GET", "/v1/collections/customers/records").find("records")->as<Array>()->size(),
        1u);
    EXPECT_EQ(text(200, "GET", "/v1/collections"), R"([{"name":"customers","records":1}])");
    EXPECT_EQ(text(200, "POST", kMerge, pair),
              R"({"alias":"b","changed":false,"copied":[],"differing":[)"
              R"({"field":"email","kept":"ann@b.se","left":"Ann@B.se"},)"
              R"({"field":"name","kept":"Ann","left":"A"}],"id":"a"})");
    EXPECT_EQ(text(200, "POST", kUnmerge, pair), R"({"changed":true,"id":"b"})");
    EXPECT_EQ(*json(200, "GET", path("b")).find("fields")->find("name"), Value("A"));
    json(404, "POST", kUnmerge, pair);
}

TEST_F(ApiDuplicates, sites_that_chose_different_masters_are_shown_as_a_conflict) {
    for (char const* id : {"a", "b", "d"})
        json(201, "PUT", path(id), R"({"email":"ann@b.se"})");
    space.converge();
    json(200, "POST", kMerge, R"({"collection":"customers","into":"a","from":"b"})");
    DirectStore other_store{*space[1].replica};
    Api other{other_store, node, space[1].clock};
    space[1].clock.advance(1'000);
    other.handle(request("POST", kMerge, R"({"collection":"customers","into":"d","from":"b"})"),
                 [](HttpResponse response) { EXPECT_EQ(response.status, 200) << response.body; });
    space.converge();
    Value const conflicts = json(200, "GET", "/v1/conflicts");
    Array const& records = *conflicts.find("records")->as<Array>();
    ASSERT_EQ(records.size(), 1u) << write_json(conflicts);
    EXPECT_EQ(*records[0].find("collection"), Value("customers"));
    EXPECT_EQ(*records[0].find("id"), Value("b"));
    ASSERT_TRUE(records[0].find("conflicts")->find("_alias"));
    EXPECT_EQ(*records[0].find("conflicts")->find("_alias")->as<Array>()->front().find("value"),
              Value("d"));
    json(200, "POST", kMerge, R"({"collection":"customers","into":"a","from":"b"})");
    EXPECT_TRUE(json(200, "GET", "/v1/conflicts").find("records")->as<Array>()->empty());
    EXPECT_EQ(*json(200, "GET", path("b")).find("id"), Value("a"));
}

TEST_F(ApiDuplicates, errors_say_what_is_wrong) {
    json(201, "PUT", path("a"), "{}");
    struct Case {
        std::string method, target, body;
        int status;
        std::string words;
    };
    Case const cases[] = {
        {"GET", "/v1/duplicates?collection=orders", "", 400, "has no identity"},
        {"GET", "/v1/duplicates?collection=_alias", "", 403, "reserved"},
        {"GET", "/v1/duplicates?limit=1", "", 400, "unknown query parameter"},
        {"POST", kMerge, "[]", 400, "has to be an object"},
        {"POST",
         kMerge,
         R"({"collection":"customers","into":"a"})",
         422,
         "\\\"from\\\" is missing"},
        {"POST", kMerge, R"({"colection":"customers"})", 422, "did you mean"},
        {"POST", kMerge, R"({"collection":"_x","into":"a","from":"b"})", 403, "reserved"},
        {"POST", kMerge, R"({"collection":"customers","into":"a","from":"b"})", 404, "no record"},
        {"POST", kMerge, R"({"collection":"customers","into":"a","from":"a"})", 422, "same one"},
        {"POST",
         kUnmerge,
         R"({"collection":"customers","into":"a","from":"b"})",
         404,
         "stands for"},
    };
    for (Case const& c : cases) {
        auto const response = send(c.method, c.target, c.body);
        EXPECT_EQ(response.status, c.status) << c.target << c.body << response.body;
        EXPECT_THAT(response.body, HasSubstr(c.words)) << c.target << c.body;
    }
}

}  // namespace
}  // namespace inos::test
