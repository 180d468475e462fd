// What records a condition selects, and what is shown of them.
#include "storage/query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/json.hpp"
#include "tools/simulation/basics.hpp"

namespace inos::test {
namespace {

using sim::object_of;
using sim::value_of;
using testing::HasSubstr;

Object const& ann() {
    static Object const fields = parse_json_object(R"({
        "name": "Ann Ähre", "city": "Kiel", "age": 42, "rate": 1.5, "vip": true, "note": null,
        "tags": ["new", "b2b"], "contact": {"phone": "+49 431", "fax": ""}, "two words": 1})")
                                     .value();
    return fields;
}

bool selects(std::string_view where) {
    auto const parsed = Where::parse(where);
    EXPECT_TRUE(parsed) << where << ": " << parsed.error().message;
    return parsed && parsed->selects("c-17", ann());
}

std::string problem(std::string_view where) {
    auto const parsed = Where::parse(where);
    if (parsed) return "accepted";
    EXPECT_EQ(parsed.error().code, Errc::usage);
    EXPECT_EQ(parsed.error().field, "where");
    return parsed.error().message;
}

TEST(Where, compares_fields_with_values_and_with_each_other) {
    for (char const* where : {R"(city = "Kiel")",
                              "city = 'Kiel' and age >= 42",
                              "age = 42.0",
                              "age > rate",
                              "rate < 2",
                              "age <= 42",
                              R"(city != "Bonn")",
                              "vip",
                              "not (age < 18)",
                              R"(contact.phone prefix "+49")",
                              R"(name contains "Ähre")",
                              R"(tags contains "b2b")",
                              "count(tags) = 2",
                              "count(contact) = 2",
                              R"(contact.fax = "")",
                              "age + 1 = 43",
                              "-age = -42",
                              "`two words` = 1",
                              R"(id = "c-17")",
                              R"(city = "Bonn" or city = "Kiel")"})
        EXPECT_TRUE(selects(where)) << where;
    for (char const* where : {R"(city = "kiel")",
                              R"(city < 5)",
                              R"(age = "42")",
                              "not vip",
                              R"(city prefix "iel")",
                              R"(tags contains "b2")",
                              "age < 42",
                              R"(city = "Bonn" or age > 50)",
                              R"(id prefix "d")"})
        EXPECT_FALSE(selects(where)) << where;
}

TEST(Where, absent_null_and_empty_are_three_things) {
    EXPECT_TRUE(selects("exists note"));
    EXPECT_TRUE(selects("note = null"));
    EXPECT_TRUE(selects("phone = null"));
    EXPECT_FALSE(selects("exists phone"));
    EXPECT_FALSE(selects("exists contact.mobile"));
    EXPECT_TRUE(selects("exists contact.fax"));
    EXPECT_FALSE(selects("contact.fax = null"));
    EXPECT_TRUE(selects("exists note and not exists phone"));
    EXPECT_TRUE(selects("exists id"));
    // Neither true nor false, and so is its opposite.
    for (char const* where : {"phone = 5",
                              "not (phone = 5)",
                              "phone != 5",
                              "phone",
                              "not phone",
                              "phone = 5 or phone != 5",
                              "note < 5",
                              "count(phone) = 0",
                              "phone in (1, 2)",
                              "not phone in (1, 2)"})
        EXPECT_FALSE(selects(where)) << where;
    EXPECT_TRUE(selects("phone = 5 or vip"));
    EXPECT_FALSE(selects("phone = 5 and vip"));
}

TEST(Where, one_of_several_values) {
    EXPECT_TRUE(selects(R"(city in ("Bonn", "Kiel"))"));
    EXPECT_FALSE(selects(R"(city in ("Bonn"))"));
    EXPECT_TRUE(selects(R"(not city in ("Bonn", 'Ulm'))"));
    EXPECT_TRUE(selects("age in (1, 42.0)"));
    EXPECT_TRUE(selects("42 in (age, rate)"));
    EXPECT_TRUE(selects("phone in (1, null)")) << "as phone = null";
    EXPECT_FALSE(selects("not age in (1, phone)")) << "it might be that";
}

TEST(Where, a_field_may_be_called_as_an_operator_is) {
    Object const fields = object_of(R"({"in": 1, "prefix": "a", "id": 7, "exists": 2})");
    for (char const* where : {"in in (1, 2)", R"(prefix prefix "a")", "id = 7", "`exists` = 2"})
        EXPECT_TRUE(value_of(Where::parse(where)).selects("x", fields)) << where;
}

TEST(Where, what_cannot_be_read_is_named_with_its_place) {
    EXPECT_EQ(problem("age >= "),
              "\"where\" at character 8: it ends where there should be a value");
    EXPECT_THAT(problem("name = \"Ähre\" and"), HasSubstr("at character 18: it ends"));
    EXPECT_THAT(problem("age == 1"), HasSubstr("\"==\" is written \"=\" here"));
    EXPECT_THAT(problem("city in \"Kiel\""), HasSubstr("\"(\" and the values that it may be"));
    EXPECT_THAT(problem("city in (\"Kiel\""), HasSubstr("\",\" or \")\""));
    EXPECT_THAT(problem("exists 5"), HasSubstr("a name"));
    EXPECT_THAT(problem("sum(orders.total) > 1"), HasSubstr("is about one record"));
    EXPECT_THAT(problem("count(orders where total > 1) > 1"), HasSubstr("is about one record"));
    EXPECT_THAT(problem("age + 1"), HasSubstr("is neither true nor false"));
    EXPECT_THAT(problem("\"text\""), HasSubstr("is neither true nor false"));
    EXPECT_THAT(problem("  "), HasSubstr("is empty"));
    EXPECT_THAT(problem("a\xff = 1"), HasSubstr("is not UTF-8"));
    EXPECT_THAT(problem(std::string(200, '(')), HasSubstr("nests deeper"));
    EXPECT_THAT(problem(std::string(20'000, 'a')), HasSubstr("is longer than"));
    std::string many = "age in (0";
    for (int i = 0; i < 1'000; ++i)
        many += ",1";
    EXPECT_THAT(problem(many + ")"), HasSubstr("more than 1000 values"));
}

TEST(Where, the_text_of_an_expression_reads_as_the_same_expression) {
    for (char const* where : {"a = 1 and (b = 2 or not c in (1, 2)) and exists d.e",
                              R"(a prefix "x\"y" or - (b + 1) < count(c))",
                              "not (a = 1 and b in (c, d + 1))"}) {
        std::string const text = expression_text(value_of(Where::parse(where)).expr());
        EXPECT_EQ(expression_text(value_of(Where::parse(text)).expr()), text);
    }
}

TEST(Projection, shows_these_fields_and_no_others) {
    auto const shown = [](std::string_view fields) {
        return write_json(Value(value_of(Projection::parse(fields)).of(ann())));
    };
    EXPECT_EQ(shown("city"), R"({"city":"Kiel"})");
    EXPECT_EQ(shown("note, phone ,contact.phone"),
              R"({"contact":{"phone":"+49 431"},"note":null})");
    EXPECT_EQ(shown("contact.phone,contact"), R"({"contact":{"fax":"","phone":"+49 431"}})");
    EXPECT_EQ(shown("contact,contact.phone"), R"({"contact":{"fax":"","phone":"+49 431"}})");
    EXPECT_EQ(shown("`two words`,city.x"), R"({"two words":1})");
    for (char const* wrong : {"", "a,", ",a", "a b", "5", "a,,b", "count(a)", "a = 1"}) {
        auto const parsed = Projection::parse(wrong);
        ASSERT_FALSE(parsed) << wrong;
        EXPECT_THAT(parsed.error().message, HasSubstr("a field is named here")) << wrong;
        EXPECT_EQ(parsed.error().field, "fields");
    }
}

}  // namespace
}  // namespace inos::test
