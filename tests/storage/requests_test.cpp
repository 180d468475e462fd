// Requests that a client makes again because it does not know what became of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/keys.hpp"
#include "storage/remembered_requests.hpp"
#include "tests/support/space.hpp"

namespace inos::test {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kHourMs = 3'600'000;

class Requests : public ::testing::Test {
protected:
    static Transaction increment(std::string name, std::int64_t by = 1) {
        Transaction transaction{
            "test",
            {{Write::Kind::patch, {"c", "x"}, {{"n", Value(Object{{"$inc", Value(by)}})}}, {}}}};
        transaction.request = {std::move(name), "increment by " + std::to_string(by)};
        return transaction;
    }
    Result<Committed> ask(Transaction const& transaction) {
        return site->commit({transaction}).front();
    }
    Value n() { return site.field("c", "x", "n"); }
    std::size_t rows() {
        std::size_t count = 0;
        for (auto const& [key, value] : contents(*site.engine, Family::meta))
            if (key.second.size() > 4 && key.second[4] == 'r') ++count;
        return count;
    }

    Space space{1};
    Site& site = space[0];

    void SetUp() override { site.set_schema(R"({"c": {"fields": {"n": {"type": "counter"}}}})"); }
};

TEST_F(Requests, W3_one_that_is_made_again_is_answered_as_before_and_not_done_twice) {
    Committed const first = value_of(ask(increment("one")));
    EXPECT_FALSE(first.replayed);
    value_of(ask(increment("two")));
    Committed const again = value_of(ask(increment("one")));
    EXPECT_TRUE(again.replayed);
    EXPECT_EQ(again.dot, first.dot);
    ASSERT_EQ(again.writes.size(), 1u);
    EXPECT_EQ(again.writes[0].id, "x");
    EXPECT_EQ(again.writes[0].version, first.writes[0].version) << "that of the first time";
    EXPECT_TRUE(again.writes[0].created);
    EXPECT_EQ(n(), Value(2));
}

TEST_F(Requests, W3_in_one_group_and_after_a_restart_they_are_known_too) {
    auto const results = site->commit({increment("one"), increment("one"), increment("two")});
    EXPECT_FALSE(results[0]->replayed);
    EXPECT_TRUE(results[1]->replayed);
    EXPECT_FALSE(results[2]->replayed);
    site.reopen();
    EXPECT_TRUE(value_of(ask(increment("two"))).replayed);
    EXPECT_EQ(n(), Value(2));
}

// The write that failed is on the disk or not: the retry is right either way.
TEST_F(Requests, W3_after_a_failed_write_of_which_nobody_knows) {
    std::int64_t expected = 0;
    for (auto const outcome : {FaultEngine::Outcome::kept, FaultEngine::Outcome::lost}) {
        auto const request = increment("request " + std::to_string(expected));
        site.engine->fail_write(1, outcome);
        ASSERT_FALSE(ask(request));
        site.reopen();
        EXPECT_EQ(n() == Value(expected + 1), outcome == FaultEngine::Outcome::kept);
        EXPECT_EQ(value_of(ask(request)).replayed, outcome == FaultEngine::Outcome::kept);
        EXPECT_EQ(n(), Value(++expected));
    }
}

TEST_F(Requests, one_that_was_refused_is_tried_anew) {
    auto request = increment("one");
    request.writes[0].if_match = "";
    site.put("c", "x", {});
    EXPECT_FALSE(ask(request));
    site.erase("c", "x");
    EXPECT_FALSE(value_of(ask(request)).replayed);
    EXPECT_TRUE(value_of(ask(request)).replayed);
    EXPECT_EQ(n(), Value(1));
}

TEST_F(Requests, one_that_changed_nothing_is_remembered_too) {
    site.put("c", "y", {{"city", Value("Kiel")}});
    Transaction request{"test",
                        {{Write::Kind::put, {"c", "y"}, {{"city", Value("Kiel")}}, {}}},
                        RequestName{"one", "put"}};
    EXPECT_FALSE(value_of(ask(request)).dot);
    site.put("c", "y", {{"city", Value("Ulm")}});
    EXPECT_TRUE(value_of(ask(request)).replayed);
    EXPECT_EQ(site.field("c", "y", "city"), Value("Ulm"));
}

TEST_F(Requests, another_one_under_the_same_name_is_refused) {
    value_of(ask(increment("one")));
    auto const other = ask(increment("one", 5));
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Errc::invalid);
    EXPECT_THAT(other.error().message, HasSubstr("another request was made under this"));
    EXPECT_EQ(n(), Value(1));
}

TEST_F(Requests, are_remembered_for_a_day_and_then_forgotten) {
    site.clock.set((site.clock.now_ms() / (24 * kHourMs) + 1) * 24 * kHourMs - 1);  // midnight
    value_of(ask(increment("one")));
    site.clock.set(site.clock.now_ms() + 24 * kHourMs);
    EXPECT_EQ(value_of(site->forget_requests(10)), 0u);
    EXPECT_TRUE(value_of(ask(increment("one"))).replayed);
    site.clock.set(site.clock.now_ms() + 24 * kHourMs);
    EXPECT_EQ(rows(), 1u);
    EXPECT_EQ(value_of(site->forget_requests(10)), 1u);
    EXPECT_EQ(rows(), 0u);
    EXPECT_FALSE(value_of(ask(increment("one"))).replayed);
}

TEST_F(Requests, A17_what_is_remembered_names_no_record) {
    Transaction request{"test",
                        {{Write::Kind::put, {"c", "anna"}, {{"city", Value("Kiel")}}, {}}},
                        RequestName{"the request of anna", "put anna Kiel"}};
    value_of(ask(request));
    ASSERT_EQ(rows(), 1u);
    for (auto const& [key, value] : contents(*site.engine, Family::meta))
        for (char const* text : {"anna", "Kiel"})
            EXPECT_EQ((key.second + value).find(text), std::string::npos);
}

TEST(RememberedRequest, is_read_as_it_was_written) {
    RememberedRequest request;
    request.contents = crypto::hash16("x");
    request.writes = {{true, true, true, "v1", "", {}}, {false, false, false, "", "", {}}};
    request.dot = Dot{ActorId{7}, 9};
    std::string const bytes = request.encode();
    auto const read = RememberedRequest::decode(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->contents, request.contents);
    EXPECT_EQ(read->dot, request.dot);
    EXPECT_EQ(read->writes[0].version, "v1");
    EXPECT_TRUE(read->writes[0].created);
    EXPECT_FALSE(read->writes[1].found);
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(RememberedRequest::decode(std::string_view(bytes).substr(0, size)));
    EXPECT_FALSE(RememberedRequest::decode(bytes + "x"));
}

}  // namespace
}  // namespace inos::test
