// Keys of secondary indexes: in the order of the values, equal for equal ones.
#include "storage/index_key.hpp"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "storage/expression_eval.hpp"
#include "tests/support/tape.hpp"

namespace inos::test {
namespace {

using sim::Tape;

std::string key_of(Value const& value) {
    return index_key(value).value();
}

bool within(std::string const& key, IndexRange const& range) {
    return range.first <= key && key < range.end;
}

// Often a neighbour of what doubles and integers can just tell apart.
Value any_number(Tape& tape) {
    static constexpr std::int64_t kEdges[] = {0,
                                              1,
                                              -1,
                                              (std::int64_t{1} << 53),
                                              -(std::int64_t{1} << 53),
                                              (std::int64_t{1} << 62),
                                              std::numeric_limits<std::int64_t>::max(),
                                              std::numeric_limits<std::int64_t>::min()};
    std::int64_t n = tape.chance(60) ? tape.pick(kEdges)
                                     : static_cast<std::int64_t>(tape.word64() >> tape.below(64));
    auto const step = static_cast<std::int64_t>(tape.below(2'100)) - 1'050;
    if (!__builtin_add_overflow(n, step, &n) && tape.chance(60)) return Value(n);
    double d = static_cast<double>(n);
    if (tape.chance(40)) d += 0.5;
    if (tape.chance(20)) d *= 1e30;
    if (tape.chance(20)) d /= 1e30;
    return Value(d);
}

std::string any_text(Tape& tape, std::size_t most) {
    static constexpr char kBytes[] = {'\0', '\1', 'a', 'b', '\x7f', '\xc3', '\xff'};
    std::string text(tape.below(most), '\0');
    for (char& c : text)
        c = tape.pick(kBytes);
    return text;
}

RC_GTEST_PROP(IndexKey, numbers_of_both_kinds_lie_in_one_exact_order, (Tape tape)) {
    Value const a = any_number(tape), b = any_number(tape);
    int const order = *value_order(a, b);
    int const keys = key_of(a).compare(key_of(b));
    RC_ASSERT((keys < 0) == (order < 0));
    RC_ASSERT((keys == 0) == (order == 0));
    RC_ASSERT(within(key_of(a), index_numbers()));
}

RC_GTEST_PROP(IndexKey, texts_lie_in_the_order_of_their_bytes, (Tape tape)) {
    std::string const a = any_text(tape, 6), b = any_text(tape, 6);
    int const keys = key_of(Value(a)).compare(key_of(Value(b)));
    RC_ASSERT((keys < 0) == (a < b));
    RC_ASSERT((keys == 0) == (a == b));
    RC_ASSERT(within(key_of(Value(a)), index_texts()));
    RC_ASSERT(within(key_of(Value(a)), index_prefix(b)) == a.starts_with(b));
    // And so do several values in a row.
    std::string const c = any_text(tape, 6), d = any_text(tape, 6);
    std::string const one = key_of(Value(a)) + key_of(Value(c));
    std::string const other = key_of(Value(b)) + key_of(Value(d));
    RC_ASSERT((one < other) == (std::pair(a, c) < std::pair(b, d)));
}

TEST(IndexKey, numbers_at_the_edges_ascend) {
    constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
    constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
    std::vector<Value> const ascending{Value(-std::numeric_limits<double>::max()),
                                       Value(-0x1.0000000000001p63),
                                       Value(kMin),
                                       Value(kMin + 1),
                                       Value(-1.5),
                                       Value(-1),
                                       Value(-5e-324),
                                       Value(0),
                                       Value(5e-324),
                                       Value(1),
                                       Value(1.5),
                                       Value(std::int64_t{1} << 53),
                                       Value((std::int64_t{1} << 53) + 1),
                                       Value(0x1p53 + 2),
                                       Value(kMax - 1),
                                       Value(kMax),
                                       Value(0x1p63),
                                       Value(1e300)};
    for (std::size_t i = 1; i < ascending.size(); ++i)
        EXPECT_LT(key_of(ascending[i - 1]), key_of(ascending[i])) << i;
    EXPECT_EQ(key_of(Value(kMin)), key_of(Value(-0x1p63)));
    EXPECT_EQ(key_of(Value(1)), key_of(Value(1.0)));
    EXPECT_EQ(key_of(Value(0)), key_of(Value(-0.0)));
}

TEST(IndexKey, kinds_stay_apart_and_arrays_and_objects_have_none) {
    std::vector<Value> const ascending{
        Value(), Value(false), Value(true), Value(1e308), Value(""), Value("\xff\xff")};
    for (std::size_t i = 1; i < ascending.size(); ++i)
        EXPECT_LT(key_of(ascending[i - 1]), key_of(ascending[i])) << i;
    EXPECT_FALSE(index_key(Value(Array{})));
    EXPECT_FALSE(index_key(Value(Object{})));
}

TEST(IndexKey, of_long_texts_the_beginning_counts) {
    std::string const just(kIndexTextMax, 'x');
    EXPECT_LT(key_of(Value(just)), key_of(Value(just + "a")));
    EXPECT_EQ(key_of(Value(just + "a")), key_of(Value(just + "b")));
    EXPECT_LT(key_of(Value(just + "a")), key_of(Value("y")));
    EXPECT_TRUE(within(key_of(Value(just + "ab")), index_prefix(just + "a")));
    EXPECT_LE(key_of(Value(std::string(10'000, '\0'))).size(), 2 * kIndexTextMax + 3);
}

}  // namespace
}  // namespace inos::test
