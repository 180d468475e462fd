// JSON in and out: exact integers and doubles, and refusals that name the place.
#include "storage/json.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace inos {
namespace {

std::string round_trip(std::string_view text) {
    auto const value = parse_json(text);
    return value ? write_json(*value) : "refused: " + value.error().message;
}

TEST(Json, writes_what_it_read) {
    for (std::string_view const text : {
             "null",
             "true",
             "false",
             "0",
             "-1",
             "9223372036854775807",
             "-9223372036854775808",
             "9007199254740993",
             "0.1",
             "1.0",
             "-2.5",
             "1e+300",
             "5e-324",
             "1.7976931348623157e+308",
             "\"\"",
             "\"Gr\xc3\xbc\xc3\x9f Gott\"",
             "\"tab\\tquote\\\"slash/back\\\\nul\\u0000\\u001f\"",
             "[]",
             "{}",
             "[1,[2,{}],\"x\"]",
             "{\"a\":1,\"b\":{\"c\":[null]}}",
         })
        EXPECT_EQ(round_trip(text), text);
}

TEST(Json, integers_and_doubles_stay_apart) {
    EXPECT_TRUE(parse_json("1")->as<std::int64_t>());
    EXPECT_TRUE(parse_json("1.0")->as<double>());
    EXPECT_TRUE(parse_json("1e2")->as<double>());
    EXPECT_EQ(round_trip("1e2"), "100.0");
    EXPECT_EQ(round_trip("-0"), "0");
    EXPECT_EQ(round_trip("-0.0"), "0.0");
    EXPECT_EQ(round_trip("1e-400"), "0.0");
    EXPECT_EQ(round_trip("0.00000000000000000001e400").substr(0, 7), "refused");
}

TEST(Json, doubles_are_the_nearest) {
    // Cases that parsers which multiply by powers of ten get wrong by one unit in the last place.
    EXPECT_EQ(*parse_json("9007199254740993.0")->as<double>(), 9007199254740992.0);
    EXPECT_EQ(*parse_json("2.2250738585072011e-308")->as<double>(), 2.2250738585072011e-308);
    EXPECT_EQ(*parse_json("1.00000000000000011102230246251565")->as<double>(),
              1.00000000000000011102230246251565);
    EXPECT_EQ(*parse_json("8.988465674311579e307")->as<double>(), 8.988465674311579e307);
}

TEST(Json, keys_are_sorted_when_written) {
    EXPECT_EQ(round_trip(R"({"b":1,"a":2})"), R"({"a":2,"b":1})");
}

struct Refusal {
    std::string text, words;
};

TEST(Json, refuses_and_says_where) {
    std::string const deep = std::string(33, '[') + std::string(33, ']');
    Refusal const cases[] = {
        {"9223372036854775808", "does not fit into 64 bits; write it as a string"},
        {"-9223372036854775809", "does not fit into 64 bits"},
        {"123456789012345678901234567890", "the number 123456789012345678901234567890 does not"},
        {"1e309", "too large for a double"},
        {"{\"a\":1,\n \"a\":2}", "the key \"a\" stands twice in one object, at line 2, column "},
        {"", "only an empty text"},
        {"{\"a\":", "ends too early, at line 1, column 6"},
        {"[1,]", "the text is not JSON"},
        {"{'a':1}", "at line 1, column 2"},
        {"[1]\n[2]", "more after the end of the JSON document, at line 2, column 1"},
        {"[NaN]", "the text is not JSON"},
        {"[01]", "line 1, column 3"},
        {"// x\n1", "the text is not JSON"},
        {"\"\xff\"", "not well-formed UTF-8, at line 1, column "},
        {"\"\xc3\"", "not well-formed UTF-8"},
        {"\"\xed\xa0\x80\"", "not well-formed UTF-8"},
        {"\"\\ud800\"", "the text is not JSON"},
        {deep, "nested deeper than 32 levels"},
        {"\"\xc3\xbc\xc3\xbc\" x", "line 1, column 6"},
    };
    for (auto const& [text, words] : cases) {
        auto const value = parse_json(text);
        ASSERT_FALSE(value) << text;
        EXPECT_EQ(value.error().code, Errc::invalid);
        EXPECT_NE(value.error().message.find(words), std::string::npos)
            << text << ": " << value.error().message;
    }
}

TEST(Json, allows_nesting_up_to_the_limit) {
    std::string const deepest = std::string(31, '[') + "1" + std::string(31, ']');
    EXPECT_EQ(round_trip(deepest), deepest);
    std::string const deeper = std::string(35, '[') + std::string(35, ']');
    EXPECT_FALSE(parse_json(deeper));
    EXPECT_TRUE(parse_json(deeper, 35));
}

TEST(Json, finds_duplicates_among_many_keys) {
    std::string text = "{";
    for (int i = 0; i < 100; ++i)
        text += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ",";
    EXPECT_TRUE(parse_json(text + "\"z\":1}"));
    for (char const* twice : {"k0", "k15", "k16", "k99"}) {
        auto const value = parse_json(text + "\"" + twice + "\":1}");
        ASSERT_FALSE(value) << twice;
        EXPECT_NE(value.error().message.find(twice), std::string::npos);
    }
}

TEST(Json, wants_an_object_where_one_is_needed) {
    EXPECT_EQ(parse_json_object("{\"a\":1}")->size(), 1u);
    EXPECT_NE(parse_json_object("[1]").error().message.find("has to be an object"),
              std::string::npos);
}

TEST(Json, pretty_is_indented) {
    auto const value = parse_json(R"({"a":[1,2],"b":{},"c":[]})");
    EXPECT_EQ(write_json(*value, JsonStyle::pretty),
              "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": []\n}");
}

RC_GTEST_PROP(JsonProperty, every_double_comes_back, (std::uint64_t bits)) {
    double const d = std::bit_cast<double>(bits);
    RC_PRE(std::isfinite(d));
    auto const value = parse_json(double_text(d));
    RC_ASSERT(value.has_value());
    RC_ASSERT(*value == Value(d));
}

RC_GTEST_PROP(JsonProperty, every_text_and_integer_comes_back, (std::string text, std::int64_t n)) {
    std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    Value const value(Array{Value(text), Value(n), Value(Object{{text, Value(n)}})});
    auto const back = parse_json(write_json(value));
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == value);
}

RC_GTEST_PROP(JsonProperty, any_bytes_are_read_or_refused, (std::string bytes)) {
    auto const value = parse_json(bytes);
    if (value) RC_ASSERT(*parse_json(write_json(*value)) == *value);
}

}  // namespace
}  // namespace inos
