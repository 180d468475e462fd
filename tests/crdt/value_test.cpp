#include "crdt/value.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/support/corrupt.hpp"

namespace inos {
namespace {

Value nested(int depth) {
    Value value(1);
    for (int i = 0; i < depth; ++i)
        value = Value(Array{value});
    return value;
}

TEST(Value, every_kind_comes_back_from_its_bytes) {
    Value const values[] = {Value(),
                            Value(false),
                            Value(true),
                            Value(0),
                            Value(-1),
                            Value(std::numeric_limits<std::int64_t>::max()),
                            Value(std::numeric_limits<std::int64_t>::min()),
                            Value(0.1),
                            Value(std::numeric_limits<double>::denorm_min()),
                            Value(""),
                            Value("Stra\xc3\x9f"
                                  "e"),
                            Value(Array{}),
                            Value(Array{Value(1), Value("1"), Value(1.0)}),
                            Value(Object{}),
                            Value(Object{{"b", Value(2)}, {"a", Value(Array{Value()})}})};
    for (Value const& value : values) {
        auto const back = decode_value(encode(value));
        ASSERT_TRUE(back) << encode(value);
        EXPECT_EQ(*back, value);
    }
}

TEST(Value, E10_null_false_zero_and_empty_are_all_different) {
    Value const values[] = {
        Value(), Value(false), Value(0), Value(0.0), Value(""), Value(Array{}), Value(Object{})};
    for (auto const& a : values)
        for (auto const& b : values)
            EXPECT_EQ(encode(a) == encode(b), &a == &b);
}

TEST(Value, E12_equal_values_have_equal_bytes) {
    EXPECT_EQ(encode(Value(Object{{"b", Value(1)}, {"a", Value(2)}})),
              encode(Value(Object{{"a", Value(2)}, {"b", Value(1)}})));
    EXPECT_EQ(encode(Value(-0.0)), encode(Value(0.0)));
    EXPECT_FALSE(decode_value(std::string("\x04\x80\0\0\0\0\0\0\0", 9))) << "minus zero";
    EXPECT_FALSE(decode_value(encode(Value(std::nan("")))));
    EXPECT_FALSE(decode_value(encode(Value(std::numeric_limits<double>::infinity()))));
}

TEST(Value, of_equal_keys_the_last_one_stays) {
    Value const value(Object{{"a", Value(1)}, {"b", Value(2)}, {"a", Value(3)}});
    ASSERT_EQ(value.as<Object>()->size(), 2u);
    EXPECT_EQ(*value.find("a"), Value(3));
    EXPECT_EQ(value.find("c"), nullptr);
    EXPECT_EQ(Value(1).find("a"), nullptr);
}

TEST(Value, set_member_keeps_the_order) {
    Object object;
    for (char const* key : {"m", "a", "z", "m"})
        set_member(object, key, Value(key));
    ASSERT_EQ(object.size(), 3u);
    EXPECT_EQ(object[0].key, "a");
    EXPECT_EQ(object[1].key, "m");
    EXPECT_EQ(object[2].key, "z");
    EXPECT_NE(find_member(object, "z"), nullptr);
    EXPECT_EQ(find_member(object, "y"), nullptr);
}

TEST(Value, keys_out_of_order_or_twice_are_refused) {
    std::string const a{"\1a\0", 3}, b{"\1b\0", 3};
    EXPECT_TRUE(decode_value("\7\2" + a + b));
    EXPECT_FALSE(decode_value("\7\2" + b + a));
    EXPECT_FALSE(decode_value("\7\2" + a + a));
}

TEST(Value, nesting_ends_at_its_limit) {
    EXPECT_TRUE(decode_value(encode(nested(kValueDepthMax))));
    EXPECT_FALSE(decode_value(encode(nested(kValueDepthMax + 1))));
    EXPECT_FALSE(decode_value(std::string(100'000, '\6'))) << "no overflow of the stack";
    std::string deep;
    for (int i = 0; i < 100'000; ++i)
        deep += "\6\1";
    EXPECT_FALSE(decode_value(deep));
}

TEST(Value, a_claimed_count_beyond_the_bytes_is_refused) {
    EXPECT_FALSE(decode_value("\6\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"));
    EXPECT_FALSE(decode_value("\7\xff\xff\xff\xff\x0f"));
    EXPECT_FALSE(decode_value("\5\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"));
    EXPECT_FALSE(decode_value("\x08"));
    EXPECT_FALSE(decode_value(""));
}

TEST(Value, numbers_have_only_their_shortest_form) {
    EXPECT_TRUE(decode_value(std::string("\3\0", 2)));
    EXPECT_FALSE(decode_value(std::string("\3\x80\0", 3)));
    EXPECT_FALSE(decode_value("\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\2")) << "over 64 bits";
}

TEST(Value, corrupt_bytes_are_refused_or_canonical) {
    Value const value(Object{{"a", Value(Array{Value(1), Value(0.5), Value(), Value(true)})},
                             {"name", Value("J\xc3\xb6rg")},
                             {"o", Value(Object{{"x", Value(-70000)}})}});
    test::for_every_corruption(encode(value), [](std::string const& bad) {
        auto const read = decode_value(bad);
        if (read) {
            EXPECT_EQ(encode(*read), bad);
        }
    });
}

TEST(Utf8, well_formed_text_and_nothing_else) {
    for (std::string const good : {"",
                                   "a",
                                   "\xc2\x80",
                                   "\xdf\xbf",
                                   "\xe0\xa0\x80",
                                   "\xed\x9f\xbf",
                                   "\xee\x80\x80",
                                   "\xef\xbf\xbf",
                                   "\xf0\x90\x80\x80",
                                   "\xf4\x8f\xbf\xbf"})
        EXPECT_TRUE(valid_utf8(good)) << good;
    for (std::string const bad : {"\x80",
                                  "\xbf",
                                  "\xc0\x80",
                                  "\xc1\xbf",
                                  "\xc2",
                                  "\xc2\x41",
                                  "\xe0\x9f\xbf",
                                  "\xe1\x80",
                                  "\xed\xa0\x80",
                                  "\xed\xbf\xbf",
                                  "\xf0\x8f\xbf\xbf",
                                  "\xf0\x90\x80",
                                  "\xf4\x90\x80\x80",
                                  "\xf5\x80\x80\x80",
                                  "\xff",
                                  "a\xe2\x82"})
        EXPECT_FALSE(valid_utf8(bad));
}

TEST(Name, is_1_to_256_bytes_without_control_characters) {
    EXPECT_TRUE(valid_name("a"));
    EXPECT_TRUE(valid_name("K\xc3\xb6nig & S\xc3\xb6hne"));
    EXPECT_TRUE(valid_name(std::string(kNameBytesMax, 'n')));
    EXPECT_TRUE(valid_name("\xc2\xa0"));
    EXPECT_FALSE(valid_name(""));
    EXPECT_FALSE(valid_name(std::string(kNameBytesMax + 1, 'n')));
    EXPECT_FALSE(valid_name("a\n"));
    EXPECT_FALSE(valid_name(std::string("a\0", 2)));
    EXPECT_FALSE(valid_name("\x7f"));
    EXPECT_FALSE(valid_name("\xc2\x85"));
    EXPECT_FALSE(valid_name("\xff"));
}

}  // namespace
}  // namespace inos
