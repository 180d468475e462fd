// What the API answers when a bounded counter has too little at this site.
#include <gtest/gtest.h>

#include "tests/net/api_fixture.hpp"

namespace inos::test {
namespace {

using ApiRights = ApiTest;

TEST_F(ApiRights, E4_a_bounded_counter_without_rights_here_is_409_and_says_where_they_are) {
    json(200,
         "POST",
         "/v1/schema",
         R"({"products":{"fields":{"stock":{"type":"bounded-counter","min":1}}}})");
    space.converge();
    space[1].put("products", "lamp", {{"stock", Value(9)}});
    space.converge();
    std::string const path = "/v1/collections/products/records/lamp";
    json(200, "PATCH", path, R"({"stock":{"$inc":2}})");
    auto const body = json(409, "PATCH", path, R"({"stock":{"$inc":-5}})");
    Value const& error = *body.find("error");
    EXPECT_EQ(*error.find("code"), Value("rights"));
    EXPECT_EQ(*error.find("field"), Value("stock"));
    std::int64_t const here = *error.find("available")->as<std::int64_t>();
    // The min is kept back from the site with the lower actor.
    EXPECT_EQ(here, space[0].actor() < space[1].actor() ? 1 : 2);
    EXPECT_EQ(*error.find("elsewhere"), Value(10 - here));
    EXPECT_EQ(*error.find("message"),
              Value("\"stock\" of \"lamp\" in \"products\": 5 wanted, " + std::to_string(here) +
                    " available at this site, " + std::to_string(10 - here) +
                    " at other sites (they are asked for; try again)"));
    EXPECT_EQ(write_json(*json(200, "GET", path).find("fields")), R"({"stock":11})");
    // Also in a transaction, of which nothing is done.
    auto const all = json(409,
                          "POST",
                          "/v1/transactions",
                          R"({"ops":[{"op":"put","collection":"orders","id":"1","fields":{}},
                                     {"op":"patch","collection":"products","id":"lamp",
                                      "fields":{"stock":{"$inc":-5}}}]})");
    EXPECT_EQ(*all.find("error")->find("available"), Value(here));
    json(404, "GET", "/v1/collections/orders/records/1");
    // What no site could do is no matter of rights; a failed If-Match stays a 412.
    json(422, "PATCH", path, R"({"stock":0})");
    json(422, "PATCH", path, R"({"stock":1.5})");
    json(412, "PATCH", path, R"({"stock":{"$inc":-5}})", {{"if-match", "\"x\""}});
}

}  // namespace
}  // namespace inos::test
