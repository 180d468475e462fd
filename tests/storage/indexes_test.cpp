// Secondary indexes: which one answers a query, what that saves, and their life with schemas,
// restarts, deletes and erasures.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/keys.hpp"
#include "storage/run_query.hpp"
#include "tests/support/space.hpp"

namespace inos::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char const* kIndexed = R"({"c": {"index": ["city", ["state", "created"]]}})";

// Records c0, c1, ...: of ten cities; one of five is open.
struct Filled {
    Space space{2};
    Site& site = space[0];

    explicit Filled(std::size_t count = 100) {
        for (std::size_t i = 0; i < count; ++i)
            site.put("c",
                     "c" + std::to_string(i),
                     {{"city", Value("city" + std::to_string(i % 10))},
                      {"state", Value(i % 5 == 0 ? "open" : "done")},
                      {"created", Value(static_cast<std::int64_t>(i * 7 % 101))}});
    }
    void index(char const* schema = kIndexed) {
        site.set_schema(schema);
        build(site);
    }
    static void build(Site& site) {
        while (value_of(site->build_indexes(30)))
            ;
    }
};

Query asked(std::string_view where, std::string_view order = {}) {
    Query query{"c"};
    if (!where.empty()) query.where = value_of(Where::parse(where));
    if (!order.empty()) query.order = value_of(Order::parse(order));
    return query;
}

struct Answer {
    std::vector<std::string> ids;
    QueryEnd end;
};

Answer answer(Site& site, Query const& query) {
    Answer answer;
    answer.end = value_of(run_query(*site, query, [&](RecordView& record) {
        answer.ids.push_back(record.id);
        return true;
    }));
    return answer;
}

std::vector<std::string> used(Site& site, Query const& query) {
    std::vector<std::string> fields;
    QueryPlan const plan = plan_of(*site, query);
    for (auto const& path : plan.index ? plan.index->fields : std::vector<FieldPath>())
        fields.push_back(dotted(path));
    return fields;
}

// Is the id anywhere in the family of indexes?
bool names(Site& site, std::string const& id) {
    auto const rows = contents(*site.engine, Family::index);
    return std::any_of(rows.begin(), rows.end(), [&](auto const& row) {
        return (row.first.second + row.second).find(id) != std::string::npos;
    });
}

TEST(Indexes, answer_a_condition_by_reading_only_what_it_selects) {
    Filled filled;
    Query const query = asked(R"(city = "city3" and created > 40)");
    auto const scanned = answer(filled.site, query);
    EXPECT_THAT(used(filled.site, query), IsEmpty());
    EXPECT_EQ(scanned.end.looked_at, 100u);
    filled.index();
    auto const found = answer(filled.site, query);
    EXPECT_THAT(used(filled.site, query), ElementsAre("city"));
    EXPECT_EQ(found.end.looked_at, 10u);
    EXPECT_EQ(found.ids, scanned.ids);
    EXPECT_FALSE(found.ids.empty());
}

TEST(Indexes, give_an_order_without_reading_more_than_the_page) {
    Filled filled;
    filled.index();
    Query query = asked(R"(state = "open")", "-created");
    query.limit = 3;
    auto const newest = answer(filled.site, query);
    EXPECT_THAT(used(filled.site, query), ElementsAre("state", "created"));
    EXPECT_TRUE(plan_of(*filled.site, query).ordered);
    EXPECT_EQ(newest.end.looked_at, 3u);
    ASSERT_THAT(newest.ids, SizeIs(3));
    // The same without it: of 20 open ones those with the greatest i * 7 % 101.
    std::vector<std::pair<std::int64_t, std::string>> open;
    for (std::size_t i = 0; i < 100; i += 5)
        open.emplace_back(i * 7 % 101, "c" + std::to_string(i));
    std::sort(open.rbegin(), open.rend());
    EXPECT_THAT(newest.ids, ElementsAre(open[0].second, open[1].second, open[2].second));
    query.after = *newest.end.next;
    EXPECT_EQ(answer(filled.site, query).ids.front(), open[3].second);
}

TEST(Indexes, the_best_of_several_is_taken) {
    Filled filled;
    filled.index(R"({"c": {"index": ["city", ["city", "state"], ["state", "city", "created"]]}})");
    auto const fields = [&](char const* where, char const* order = "") {
        return used(filled.site, asked(where, order));
    };
    EXPECT_THAT(fields(R"(city = "a")"), ElementsAre("city"));
    EXPECT_THAT(fields(R"(city = "a" and state = "b")"), ElementsAre("city", "state"));
    EXPECT_THAT(fields(R"(city = "a" and state = "b" and created < 5)"),
                ElementsAre("state", "city", "created"));
    EXPECT_THAT(fields(R"(state prefix "o")"), ElementsAre("state", "city", "created"));
    EXPECT_THAT(fields("", "city,state"), ElementsAre("city", "state"));
    EXPECT_THAT(fields("", "-state,-city,-created"), ElementsAre("state", "city", "created"));
    EXPECT_THAT(fields("", "city,-state"), IsEmpty());
    EXPECT_THAT(fields("created = 5"), IsEmpty());
    EXPECT_THAT(fields(R"(city = "a" or state = "b")"), IsEmpty());
}

TEST(Indexes, the_one_that_would_help_is_named) {
    auto const line = [](char const* where, char const* order = "") {
        Query const query = asked(where, order);
        auto const fields = helpful_index(query.where ? &*query.where : nullptr, query.order);
        return fields.empty() ? "none" : index_line(fields);
    };
    EXPECT_EQ(line(R"(city = "a")"), R"(index = ["city"])");
    EXPECT_EQ(line(R"(age > 5 and city = "a")"), R"(index = [["city","age"]])");
    EXPECT_EQ(line(R"(age > 5 and city = "a")", "-name,-age"),
              R"(index = [["city","name","age"]])");
    EXPECT_EQ(line(R"(city = "a")", "name,-age"), R"(index = ["city"])");
    EXPECT_EQ(line("age + 1 = 4"), "none");
    EXPECT_EQ(line("", "name,-age"), "none");
}

TEST(Indexes, are_built_piece_by_piece_over_restarts_and_not_used_before) {
    Filled filled;
    filled.site.set_schema(kIndexed);
    Query const query = asked(R"(city = "city3")");
    // By turns: there was nothing to clear in either, then one of them is begun.
    for (int step = 0; step < 3; ++step)
        ASSERT_TRUE(value_of(filled.site->build_indexes(30)));
    auto const status = filled.site->index_status();
    ASSERT_THAT(status, SizeIs(2));
    EXPECT_EQ(status[0].collection, "c");
    EXPECT_EQ(status[0].done + status[1].done, 30u);
    EXPECT_EQ(status[0].records, 100u);
    filled.site.reopen();
    EXPECT_EQ(filled.site->index_status()[0].done + filled.site->index_status()[1].done, 30u);
    EXPECT_THAT(used(filled.site, query), IsEmpty());
    // Writes meanwhile, on either side of what is done.
    filled.site.patch("c", "c0", {{"city", Value("city3")}});
    filled.site.patch("c", "c98", {{"city", Value("city3")}});
    filled.site.erase("c", "c13");
    Filled::build(filled.site);
    EXPECT_THAT(used(filled.site, query), ElementsAre("city"));
    EXPECT_THAT(answer(filled.site, query).ids, SizeIs(11));
    EXPECT_TRUE(filled.site->check_indexes());
}

// Entries of an index that no schema asks for are not kept up: it may not be used again as it is.
TEST(Indexes, D29_an_index_that_was_not_asked_for_meanwhile_is_built_anew) {
    Filled filled;
    filled.index();
    filled.site.set_schema(R"({"c": {"index": []}})");
    EXPECT_THAT(filled.site->index_status(), IsEmpty());
    filled.site.reopen();
    filled.site.patch("c", "c0", {{"city", Value("city3")}});
    filled.site.set_schema(kIndexed);
    EXPECT_THAT(used(filled.site, asked(R"(city = "city3")")), IsEmpty());
    Filled::build(filled.site);
    EXPECT_THAT(answer(filled.site, asked(R"(city = "city3")")).ids, SizeIs(11));
    EXPECT_TRUE(filled.site->check_indexes());
}

TEST(Indexes, one_that_is_dropped_leaves_nothing) {
    Filled filled;
    filled.index();
    auto const entries = [&](char kind) {
        std::size_t count = 0;
        for (auto const& [key, value] : contents(*filled.site.engine, Family::index))
            if (key.second.size() > 4 && key.second[4] == kind) ++count;
        return count;
    };
    EXPECT_EQ(entries('s'), 200u);
    filled.site.set_schema(R"({"c": {"index": ["city"]}})");
    Filled::build(filled.site);
    EXPECT_EQ(entries('s'), 100u);
    filled.site.set_schema(R"({"c": {}})");
    Filled::build(filled.site);
    EXPECT_EQ(entries('s'), 0u);
    EXPECT_EQ(entries('t'), 0u);
}

TEST(Indexes, follow_other_sites_deletes_and_erasures) {
    Filled filled(20);
    filled.index();
    Site& other = filled.space[1];
    filled.space.pull(0, 1);
    Filled::build(other);
    Query const query = asked(R"(city = "city3")");
    EXPECT_THAT(answer(other, query).ids, ElementsAre("c13", "c3"));
    filled.site.patch("c", "c4", {{"city", Value("city3")}});
    filled.site.erase("c", "c3");
    filled.site.erase_for_good("c", "c13");
    filled.space.pull(0, 1);
    EXPECT_THAT(answer(other, query).ids, ElementsAre("c4"));
    EXPECT_TRUE(other->check_indexes());
    // The last one, too, at which building ended.
    filled.site.erase_for_good("c", "c9");
    filled.space.pull(0, 1);
    EXPECT_FALSE(names(other, "c13"));
    EXPECT_FALSE(names(other, "c9"));
}

// The disk is scrubbed when nothing names what was erased any more.
TEST(Indexes, A17_one_that_is_cleared_or_built_is_waited_for_by_the_scrub) {
    Filled filled(20);
    filled.index();
    filled.site.set_schema(R"({"c": {"index": ["created"]}})");
    filled.site.erase_for_good("c", "c13");
    EXPECT_TRUE(names(filled.site, "c13"));
    EXPECT_FALSE(filled.site->needs_scrub());
    while (value_of(filled.site->build_indexes(7))) {
        EXPECT_FALSE(names(filled.site, "c13") && filled.site->needs_scrub());
    }
    EXPECT_FALSE(names(filled.site, "c13"));
    EXPECT_TRUE(filled.site->needs_scrub());
    // One that building has just come to.
    filled.site.set_schema(R"({"c": {"index": ["city"]}})");
    for (int i = 0; i < 100 && !names(filled.site, "c7"); ++i)
        value_of(filled.site->build_indexes(1));
    ASSERT_TRUE(names(filled.site, "c7"));
    filled.site.erase_for_good("c", "c7");
    EXPECT_FALSE(filled.site->needs_scrub());
    Filled::build(filled.site);
    EXPECT_FALSE(names(filled.site, "c7"));
    EXPECT_TRUE(filled.site->needs_scrub());
}

TEST(Indexes, an_order_without_one_is_refused_where_there_is_too_much_to_sort) {
    Filled filled(101);
    Query query = asked("", "-created");
    query.sort_max = 100;
    auto const refused = run_query(*filled.site, query, [](RecordView&) { return true; });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::too_large);
    EXPECT_EQ(refused.error().field, "order");
    EXPECT_THAT(refused.error().message, HasSubstr(R"(index = ["created"],)"));
    query.sort_max = 101;
    auto const sorted = answer(filled.site, query).ids;
    EXPECT_THAT(sorted, SizeIs(101));
    filled.index(R"({"c": {"index": ["created"]}})");
    query.sort_max = 100;
    EXPECT_EQ(answer(filled.site, query).ids, sorted);
    // A stretch of an index that is too long for its ids to be put in order is not used for that.
    Query all = asked("created >= 0");
    all.sort_max = 100;
    EXPECT_TRUE(plan_of(*filled.site, all).index);
    auto const by_id = answer(filled.site, all).ids;
    EXPECT_THAT(by_id, SizeIs(101));
    EXPECT_TRUE(std::is_sorted(by_id.begin(), by_id.end()));
}

TEST(Indexes, a_damaged_one_is_found) {
    Filled filled(20);
    filled.index();
    auto const entries = contents(*filled.site.engine, Family::index);
    std::string const begin = keys::meta_kind(1, 's');
    auto const entry = std::find_if(entries.begin(), entries.end(), [&](auto const& each) {
        return each.first.second.starts_with(begin);
    });
    ASSERT_NE(entry, entries.end());
    WriteBatch lost, put;
    lost.remove(Family::index, entry->first.second);
    value_of(filled.site.engine->write(lost, Durability::synced));
    auto const lacking = filled.site->check_indexes();
    ASSERT_FALSE(lacking);
    EXPECT_EQ(lacking.error().code, Errc::corruption);
    EXPECT_THAT(lacking.error().message, HasSubstr("lacks the record"));
    put.put(Family::index, entry->first.second, {});
    put.put(Family::index, entry->first.second + "x", {});
    value_of(filled.site.engine->write(put, Durability::synced));
    auto const foreign = filled.site->check_indexes();
    ASSERT_FALSE(foreign);
    EXPECT_THAT(foreign.error().message, HasSubstr("1 entries of no record's values"));
}

TEST(Order, says_what_is_wrong_with_it) {
    auto const problem = [](char const* text) {
        auto const order = Order::parse(text);
        return order ? std::string("accepted") : order.error().message;
    };
    EXPECT_EQ(problem("city,-created"), "accepted");
    EXPECT_THAT(problem(""), HasSubstr("a field is named here"));
    EXPECT_THAT(problem("city,,name"), HasSubstr("at character 6: a field is named here"));
    EXPECT_THAT(problem("city desc"), HasSubstr("-name descends"));
    EXPECT_THAT(problem("city,-city"), HasSubstr("city is named a second time"));
    EXPECT_THAT(problem("a,b,c,d,e,f,g,h,i"), HasSubstr("more than 8 fields"));
    Order const order = value_of(Order::parse("city"));
    for (char const* after : {"c-17", "zz.c", "A.", "BA.c", "", "BQ.x", "!!.x", "AAA.c"}) {
        auto const place = order.from_token(after);
        ASSERT_FALSE(place) << after;
        EXPECT_EQ(place.error().field, "after");
    }
    OrderPlace const place{{index_component(nullptr)}, "c-17-x"};
    auto const again = value_of(order.from_token(Order::token(place)));
    EXPECT_EQ(again.id, "c-17-x");
    EXPECT_EQ(again.values, place.values);
    // The longest one has room in the head of a request.
    Value const longest(std::string(1'000, '\0'));
    OrderPlace const far{std::vector<std::string>(kIndexFieldsMax, index_component(&longest)), "c"};
    EXPECT_LT(Order::token(far).size(), 6'000u);
}

TEST(IndexDefinitions, problems_are_named) {
    auto const problem = [](char const* json) {
        return index_problem(value_of(parse_json(json))).value_or("fine");
    };
    EXPECT_EQ(problem(R"(["email", ["city", "name"], "where.zip"])"), "fine");
    EXPECT_THAT(problem(R"("email")"), HasSubstr("has to be a list of fields"));
    EXPECT_THAT(problem(R"(["email", 7])"), HasSubstr("not 7"));
    EXPECT_THAT(problem(R"([[]])"), HasSubstr("not []"));
    EXPECT_THAT(problem(R"([["a", "a"]])"), HasSubstr("different ones"));
    EXPECT_THAT(problem(R"(["a.", "b"])"), HasSubstr("not \"a.\""));
    EXPECT_THAT(problem(R"(["a", "b", "a"])"), HasSubstr("names \"a\" twice"));
    EXPECT_THAT(problem(R"([["a","b","c","d","e","f","g","h","i"]])"), HasSubstr("at most 8"));
    EXPECT_THAT(problem(R"(["a","b","c","d","e","f","g","h","i","j","k","l","m","n","o","p","q"])"),
                HasSubstr("17 indexes"));
}

}  // namespace
}  // namespace inos::test
