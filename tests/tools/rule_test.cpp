// Rules of `inos simulate`: what is read, what is refused and where, and when one is broken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/simulate/rule_eval.hpp"
#include "tools/simulation/basics.hpp"

namespace inos::simulate {
namespace {

using sim::object_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::StartsWith;

Schemas const& shop() {
    static Schemas const schemas = schemas_of(object_of(R"({
        "customers": {"identity": ["email"], "fields": {
            "email": {"type": "register", "format": "email"},
            "name": {"type": "text"},
            "notes": {"type": "register", "policy": "keep-all"},
            "points": {"type": "counter"},
            "contact": {"type": "map"},
            "tags": {"type": "set"}}},
        "orders": {"fields": {
            "customer": {"type": "register"},
            "state": {"type": "register", "enum": ["open", "sent"]},
            "total": {"type": "counter"},
            "paid": {"type": "flag"}}},
        "products": {"fields": {
            "name": {"type": "text"},
            "stock": {"type": "bounded-counter", "min": 0}}}})"));
    return schemas;
}

// The one problem of one line, as "COLUMN: message"; empty for none.
std::string problem(std::string const& line) {
    auto const checked = check_rules(parse_rules(line), shop());
    if (checked.problems.empty()) return {};
    EXPECT_THAT(checked.problems, SizeIs(1));
    EXPECT_EQ(checked.problems[0].line, 1u);
    return std::to_string(checked.problems[0].column) + ": " + checked.problems[0].message;
}

std::string written(std::string const& line) {
    RuleFile const file = parse_rules(line);
    EXPECT_THAT(file.problems, IsEmpty()) << line;
    return file.rules.empty() ? "" : expression_text(file.rules[0].expr);
}

CheckedRule rule(std::string const& line) {
    auto const checked = check_rules(parse_rules(line), shop());
    EXPECT_THAT(checked.problems, IsEmpty()) << line << ": " << checked.problems.front().message;
    return checked.rules.at(0);
}

// Is the rule broken where a customer, an order or a product has these fields?
bool broken(std::string const& line, char const* collection, char const* fields) {
    return find_breach(rule(line), {{collection, {{"1", object_of(fields)}}}}).has_value();
}

// ---- reading ------------------------------------------------------------------------------------

TEST(Rule, operators_bind_as_everywhere) {
    EXPECT_EQ(written("a=1 or b=2 and not c=3"), "a = 1 or b = 2 and not c = 3");
    EXPECT_EQ(written("(a = 1 or b = 2) and c = 3"), "(a = 1 or b = 2) and c = 3");
    EXPECT_EQ(written("not (a = 1 and b = 2)"), "not (a = 1 and b = 2)");
    EXPECT_EQ(written("a - (b - 1) + 2 >= -5"), "a - (b - 1) + 2 >= -5");
    EXPECT_EQ(written("((a)) >= (((0)))"), "a >= 0");
}

TEST(Rule, a_name_may_be_anything_between_backticks) {
    EXPECT_EQ(written("`order lines`.`no.` > 1"), "`order lines`.`no.` > 1");
    EXPECT_EQ(written("`and` = 1"), "`and` = 1");
    EXPECT_EQ(written("`stock` >= 0"), "stock >= 0");
    EXPECT_EQ(written("stock-1 >= 0"), "stock-1 >= 0");  // one name, as in TOML
}

TEST(Rule, texts_stand_in_quotes_of_either_kind) {
    EXPECT_EQ(written(R"(a = 'it is "so"')"), R"(a = "it is \"so\"")");
    EXPECT_EQ(written(R"(a = "back\\slash # no comment")"), R"(a = "back\\slash # no comment")");
}

TEST(Rule, a_file_has_one_rule_a_line_with_comments) {
    RuleFile const file = parse_rules("# first\n\n  a >= 0  # of a\r\n\tcount(b) <= 1\n#last");
    EXPECT_THAT(file.problems, IsEmpty());
    ASSERT_THAT(file.rules, SizeIs(2));
    EXPECT_EQ(file.rules[0].line, 3u);
    EXPECT_EQ(file.rules[0].text, "a >= 0");
    EXPECT_EQ(file.rules[1].line, 4u);
}

TEST(Rule, what_cannot_be_read_is_named_with_its_column) {
    EXPECT_EQ(problem("stock >= "), "9: it ends where there should be a value");
    EXPECT_THAT(problem("stock >= 0 0"),
                StartsWith("12: \"0\" stands where there should be and, or"));
    EXPECT_THAT(problem("stock == 0"), StartsWith("7: \"==\" is written \"=\" here"));
    EXPECT_THAT(problem("stock >= 0 && stock < 9"), StartsWith("12: \"&&\" is written \"and\""));
    EXPECT_THAT(problem("1 <= stock <= 5"), StartsWith("12: comparisons do not chain"));
    EXPECT_THAT(problem("stock >= 5x"), StartsWith("10: \"5x\" is no number"));
    EXPECT_THAT(problem("stock >= 99999999999999999999"), HasSubstr("is no number"));
    EXPECT_THAT(problem("name = \"open"),
                StartsWith("8: the text that begins here has no closing"));
    EXPECT_THAT(problem("(stock >= 0"), HasSubstr("it ends where there should be \")\""));
    EXPECT_THAT(problem("maximum(stock) = 1"), StartsWith("1: there is no \"maximum\"()"));
    EXPECT_THAT(problem("count(customers where) = 1"), StartsWith("22: \")\" stands where"));
    EXPECT_THAT(problem("and >= 0"), HasSubstr("a name that is \"and\" between backticks"));
    EXPECT_THAT(problem("\xc3\xa4\xc3\xb6 >= & 1"), StartsWith("7: "));  // in characters
    EXPECT_THAT(problem("a\xff = 1"), HasSubstr("not UTF-8"));
    EXPECT_THAT(problem(std::string(200, '(')), HasSubstr("nests deeper"));
    EXPECT_THAT(problem(std::string(5'000, 'a')), HasSubstr("longer than 4096 bytes"));
    std::string many;
    for (std::size_t i = 0; i <= kRulesMax; ++i)
        many += "stock >= 0\n";
    RuleFile const file = parse_rules(many);
    ASSERT_THAT(file.problems, SizeIs(1));
    EXPECT_EQ(file.problems[0].line, kRulesMax + 1);
}

// ---- names and types ----------------------------------------------------------------------------

TEST(Rule, unknown_names_come_with_the_near_miss) {
    EXPECT_THAT(problem("products.stcok >= 0"),
                StartsWith("1: the schema has no field \"stcok\" in \"products\"; did you mean "
                           "\"stock\"?"));
    EXPECT_THAT(problem("prodcuts.stock >= 0"), HasSubstr("did you mean \"products\"?"));
    EXPECT_THAT(problem("stcok >= 0"), HasSubstr("did you mean \"stock\"?"));
    EXPECT_THAT(problem("count(custmers) <= 5"),
                StartsWith("1: the schema has no collection \"custmers\"; did you mean "
                           "\"customers\"?"));
    EXPECT_THAT(problem("count(customers where emial = X) <= 1"),
                StartsWith("23: the schema has no field \"emial\" in \"customers\"; did you mean"));
    EXPECT_THAT(problem("customers >= 5"), HasSubstr("it is a collection; say"));
    EXPECT_THAT(problem("state = \"sents\""),
                HasSubstr("none of the values that \"state\" may have; did you mean \"sent\"?"));
}

TEST(Rule, what_can_never_be_compared_is_refused) {
    EXPECT_EQ(problem("name = 5"),
              "8: \"customers.name\" is a text and 5 is a number: they are never equal");
    EXPECT_THAT(problem("stock >= \"many\""), HasSubstr("are never equal and have no order"));
    EXPECT_THAT(problem("paid >= true"), HasSubstr("<, <=, > and >= are for numbers and texts"));
    EXPECT_THAT(problem("stock > null"), HasSubstr("null is no value"));
    EXPECT_THAT(problem("tags = \"vip\""), HasSubstr("\"customers.tags\" is several values"));
    EXPECT_THAT(problem("stock"), HasSubstr("is a number, and true or false has to stand here"));
    EXPECT_THAT(problem("not stock"), HasSubstr("compare it with something"));
    EXPECT_THAT(problem("stock + name > 5"), HasSubstr("+ and - are for numbers"));
    EXPECT_THAT(problem("sum(orders.state) > 5"), HasSubstr("sum() adds numbers"));
    EXPECT_THAT(problem("sum(orders) > 5"), HasSubstr("sum() needs a field: sum(orders.FIELD)"));
    EXPECT_THAT(problem("count(products.stock) > 5"), HasSubstr("count() is for collections"));
    EXPECT_THAT(problem("stock contains 5"), HasSubstr("contains is for texts, sets and lists"));
    EXPECT_THAT(problem("stock.parts > 5"), HasSubstr("is a bounded-counter and has no parts"));
}

TEST(Rule, other_records_are_reached_by_count_and_sum_only) {
    EXPECT_THAT(problem("products.stock >= orders.total"),
                HasSubstr("bring other records in with count(orders where ...)"));
    EXPECT_THAT(problem("stock >= total"), HasSubstr("no collection has all the fields"));
    EXPECT_EQ(problem("sum(orders.total where customer = customers.id) >= points"), "");
    EXPECT_THAT(problem("count(orders where count(customers) = 1) = 1"),
                HasSubstr("inside one another"));
}

TEST(Rule, a_variable_has_to_be_compared_with_a_field) {
    EXPECT_EQ(problem("count(customers where email = X) <= 1"), "");
    EXPECT_THAT(problem("count(customers) <= X"), HasSubstr("\"X\" is compared with no field"));
    EXPECT_THAT(problem("count(customers where email = A and name = B and id = C) <= 1"),
                HasSubstr("more than 2 variables"));
}

TEST(Rule, without_a_collection_it_is_about_every_one_that_has_the_fields) {
    auto const checked = check_rules(parse_rules("name != \"\""), shop());
    ASSERT_THAT(checked.rules, SizeIs(2));
    EXPECT_EQ(checked.rules[0].collection, "customers");
    EXPECT_EQ(checked.rules[1].collection, "products");
    EXPECT_THAT(checked.rules[1].text, HasSubstr("(products)"));
    EXPECT_EQ(rule("stock >= 0").collection, "products");
    EXPECT_EQ(rule("count(customers) < 9").collection, "");
}

TEST(Rule, hints_are_what_fields_are_compared_with) {
    auto const hints = hints_of(
        check_rules(parse_rules("points <= 100\ncontact.city != 'Lund'\n0 < points"), shop()).rules,
        shop());
    ASSERT_THAT(hints, SizeIs(2));
    FieldHint const& points = hints.at({"customers", {"points"}});
    EXPECT_EQ(points.type, Type::number);
    EXPECT_THAT(points.values, ElementsAre(Value(100), Value(0)));
    EXPECT_EQ(hints.at({"customers", {"contact", "city"}}).type, Type::text);
}

// ---- when it is broken --------------------------------------------------------------------------

TEST(Rule, it_is_broken_where_it_is_false_and_not_where_it_is_unknown) {
    EXPECT_TRUE(broken("stock >= 0", "products", R"({"stock": -1})"));
    EXPECT_FALSE(broken("stock >= 0", "products", R"({"stock": 0})"));
    EXPECT_FALSE(broken("stock >= 0", "products", R"({"name": "Cup"})"));
    EXPECT_FALSE(broken("stock >= 0", "products", R"({"stock": null})"));
    EXPECT_FALSE(broken("not stock >= 0", "products", R"({})"));
    EXPECT_FALSE(broken("stock >= 0", "products", R"({"stock": "many"})"));
    EXPECT_TRUE(broken("email != null", "customers", R"({})"));
    EXPECT_FALSE(broken("email = null", "customers", R"({})"));
    EXPECT_TRUE(broken("email = null", "customers", R"({"email": "a@b.org"})"));
}

TEST(Rule, and_or_and_not_pass_the_unknown_on) {
    EXPECT_TRUE(broken("stock > 5 and name = 'x'", "products", R"({"stock": 1})"));
    EXPECT_FALSE(broken("stock < 5 and name = 'x'", "products", R"({"stock": 1})"));
    EXPECT_FALSE(broken("stock > 5 or name = 'x'", "products", R"({"stock": 1})"));
    EXPECT_TRUE(broken("stock > 5 or name = 'x'", "products", R"({"stock": 1, "name": "y"})"));
    EXPECT_TRUE(broken(
        "not (state = 'sent' and paid = false)", "orders", R"({"state": "sent", "paid": false})"));
    EXPECT_FALSE(broken("not (state = 'sent' and paid = false)", "orders", R"({"state": "sent"})"));
}

TEST(Rule, numbers_are_compared_by_value_and_added_without_overflow) {
    EXPECT_FALSE(broken("stock = 1.0", "products", R"({"stock": 1})"));
    EXPECT_FALSE(broken("stock + 1 > 9e18", "products", R"({"stock": 9223372036854775807})"));
    EXPECT_TRUE(broken("stock - 1 > 0", "products", R"({"stock": -9223372036854775808})"));
    EXPECT_TRUE(broken("- stock > 5", "products", R"({"stock": 5})"));
}

TEST(Rule, sets_and_maps_can_be_looked_into) {
    EXPECT_FALSE(broken("tags contains 'vip'", "customers", R"({"tags": ["new", "vip"]})"));
    EXPECT_TRUE(broken("tags contains 'vip'", "customers", R"({"tags": ["new"]})"));
    EXPECT_TRUE(broken("name contains 'nn'", "customers", R"({"name": "Zoe"})"));
    EXPECT_TRUE(broken("count(tags) <= 1", "customers", R"({"tags": ["new", "vip"]})"));
    EXPECT_FALSE(broken("count(tags) <= 1", "customers", R"({})"));
    EXPECT_TRUE(broken("contact.city = 'Lund'", "customers", R"({"contact": {"city": "Oslo"}})"));
    EXPECT_TRUE(broken("customers.id != '1'", "customers", R"({})"));
}

TEST(Rule, one_of_several_prefixes_and_what_is_there) {
    EXPECT_TRUE(broken("customers.name in ('Ann', 'Bob')", "customers", R"({"name": "Zoe"})"));
    EXPECT_FALSE(broken("customers.name in ('Ann', 'Zoe')", "customers", R"({"name": "Zoe"})"));
    EXPECT_TRUE(broken("name prefix 'A'", "customers", R"({"name": "Zoe"})"));
    EXPECT_TRUE(broken("exists customers.name", "customers", R"({})"));
    EXPECT_FALSE(broken("exists customers.name", "customers", R"({"name": null})"));
    EXPECT_THAT(problem("stock prefix 'a'"), HasSubstr("prefix is for texts"));
    EXPECT_THAT(problem("stock in (1, 'a')"), HasSubstr("they are never equal"));
    EXPECT_THAT(problem("exists X"), HasSubstr("\"X\""));
}

TEST(Rule, count_goes_through_every_value_of_a_variable) {
    Snapshot const snapshot = {{"customers",
                                {{"1", object_of(R"({"email": "a@b.org"})")},
                                 {"2", object_of(R"({"email": "c@d.org"})")},
                                 {"3", object_of(R"({"email": "c@d.org"})")},
                                 {"4", object_of(R"({"name": "Zoe"})")},
                                 {"5", object_of(R"({"name": "Ann"})")}}}};
    auto const breach = find_breach(rule("count(customers where email = X) <= 1"), snapshot);
    ASSERT_TRUE(breach);
    EXPECT_THAT(breach->values,
                ElementsAre(Pair("count(customers where email = X)", Value(2)),
                            Pair("X", Value("c@d.org"))));
    EXPECT_FALSE(find_breach(rule("count(customers where email = X) <= 2"), snapshot));
}

TEST(Rule, sum_goes_through_the_records_of_one) {
    Snapshot const snapshot = {
        {"customers",
         {{"ann", object_of(R"({"points": 10})")}, {"bob", object_of(R"({"points": 10})")}}},
        {"orders",
         {{"1", object_of(R"({"customer": "ann", "total": 10})")},
          {"2", object_of(R"({"customer": "bob", "total": 6})")},
          {"3", object_of(R"({"customer": "bob", "total": 5})")}}}};
    auto const breach =
        find_breach(rule("sum(orders.total where customer = customers.id) <= points"), snapshot);
    ASSERT_TRUE(breach);
    EXPECT_EQ(breach->id, "bob");
    EXPECT_THAT(breach->values,
                ElementsAre(Pair("sum(orders.total where customer = customers.id)", Value(11)),
                            Pair("id", Value("bob")),
                            Pair("points", Value(10))));
}

}  // namespace
}  // namespace inos::simulate
