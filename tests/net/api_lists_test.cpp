// Lists of records at the API: pages, conditions, orders, counts, and how they are answered.
#include <gmock/gmock.h>

#include "net/api.hpp"
#include "tests/net/api_fixture.hpp"

namespace inos::test {
namespace {

using ApiLists = ApiTest;

TEST_F(ApiLists, lists_come_in_pages) {
    for (int i = 0; i < 250; ++i)
        space[0].put("customers", "c" + std::to_string(1'000 + i), {});
    std::string after;
    std::vector<std::size_t> sizes;
    std::string last;
    do {
        auto const page = json(200,
                               "GET",
                               "/v1/collections/customers/records?limit=120" +
                                   (after.empty() ? "" : "&after=" + after));
        Array const& records = *page.find("records")->as<Array>();
        sizes.push_back(records.size());
        for (Value const& record : records) {
            EXPECT_LT(last, *record.find("id")->as<std::string>());
            last = *record.find("id")->as<std::string>();
        }
        after = page.find("next")->is_null() ? "" : *page.find("next")->as<std::string>();
    } while (!after.empty());
    EXPECT_EQ(sizes, (std::vector<std::size_t>{120, 120, 10}));
    EXPECT_EQ(
        json(200, "GET", "/v1/collections/customers/records").find("records")->as<Array>()->size(),
        100u);
    EXPECT_EQ(send("GET", "/v1/collections/none/records").body, R"({"records":[],"next":null})");
}

TEST_F(ApiLists, lists_those_that_a_condition_selects_and_of_them_what_is_asked_for) {
    for (int i = 0; i < 12; ++i)
        send("PUT",
             "/v1/collections/orders/records/" + std::to_string(100 + i),
             R"({"n":)" + std::to_string(i) + R"(,"ship":{"city":")" + (i % 3 ? "Kiel" : "Ulm") +
                 R"("}})");
    std::string const query = "/v1/collections/orders/records?where=ship.city=\"Ulm\"";
    auto page = json(200, "GET", query + "&fields=n&limit=3");
    std::vector<std::string> shown;
    for (Value const& record : *page.find("records")->as<Array>())
        shown.push_back(*record.find("id")->as<std::string>() + write_json(*record.find("fields")));
    EXPECT_THAT(shown, testing::ElementsAre(R"(100{"n":0})", R"(103{"n":3})", R"(106{"n":6})"));
    page = json(200, "GET", query + "&after=" + *page.find("next")->as<std::string>());
    ASSERT_EQ(page.find("records")->as<Array>()->size(), 1u);
    EXPECT_EQ(*page.find("records")->as<Array>()->front().find("id"), Value("109"));
    EXPECT_TRUE(page.find("next")->is_null());
}

TEST_F(ApiLists, are_put_in_order_and_counted_and_the_way_there_is_told) {
    for (int i = 0; i < 12; ++i)
        send("PUT",
             "/v1/collections/orders/records/" + std::to_string(100 + i),
             R"({"n":)" + std::to_string(i * 7 % 12) + R"(,"city":")" + (i % 3 ? "Kiel" : "Ulm") +
                 R"("})");
    std::string const records = "/v1/collections/orders/records";
    std::string const query = records + "?where=city=\"Ulm\"&order=-n&limit=3";
    auto const ids = [](Value const& page) {
        std::vector<std::string> shown;
        for (Value const& record : *page.find("records")->as<Array>())
            shown.push_back(*record.find("id")->as<std::string>());
        return shown;
    };
    auto const plan = [&] { return *json(200, "GET", query + "&explain=true").find("plan"); };
    for (bool const indexed : {false, true}) {
        if (indexed) {
            send("POST", "/v1/schema", R"({"orders":{"index":[["city","n"]]}})");
            while (*space[0]->build_indexes(5))
                ;
        }
        EXPECT_EQ(write_json(*plan().find("index")), indexed ? R"(["city","n"])" : "null");
        EXPECT_EQ(*plan().find("order"), Value(indexed ? "index" : "sorted"));
        auto const page = json(200, "GET", query);
        EXPECT_THAT(ids(page), testing::ElementsAre("103", "106", "109"));
        auto const rest =
            json(200, "GET", query + "&after=" + *page.find("next")->as<std::string>());
        EXPECT_THAT(ids(rest), testing::ElementsAre("100"));
        EXPECT_TRUE(rest.find("next")->is_null());
        auto const counted = json(200, "GET", records + "?where=city=\"Ulm\"&count=true");
        EXPECT_EQ(write_json(counted), R"({"count":4,"next":null})");
    }
    EXPECT_EQ(send("GET", records + "?count=true").body, R"({"count":12,"next":null})");
}

TEST_F(ApiLists, a_list_ends_when_it_is_long_enough) {
    std::string const text(250'000, 'x');
    for (int i = 0; i < 40; ++i)
        space[0].put("big", "r" + std::to_string(100 + i), {{"t", Value(text)}});
    auto const first = send("GET", "/v1/collections/big/records?limit=1000");
    EXPECT_LT(first.body.size(), kAnswerBytesMax + 300'000);
    auto const page = *parse_json(first.body, 64);
    std::size_t const count = page.find("records")->as<Array>()->size();
    EXPECT_LT(count, 40u);
    auto const rest = json(
        200, "GET", "/v1/collections/big/records?after=" + *page.find("next")->as<std::string>());
    EXPECT_EQ(rest.find("records")->as<Array>()->size(), 40 - count);
    EXPECT_TRUE(rest.find("next")->is_null());
}

}  // namespace
}  // namespace inos::test
