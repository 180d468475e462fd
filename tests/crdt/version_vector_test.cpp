#include "crdt/version_vector.hpp"

#include <gtest/gtest.h>

#include "tests/support/corrupt.hpp"

namespace inos {
namespace {

constexpr ActorId kA{1}, kB{2}, kC{~std::uint64_t{0}};

VersionVector vv(std::initializer_list<VersionVector::Item> items) {
    VersionVector out;
    for (auto const& [actor, seq] : items)
        out.set(actor, seq);
    return out;
}

std::string bytes(VersionVector const& v) {
    std::string out;
    v.encode(out);
    return out;
}

std::optional<VersionVector> decode(std::string_view encoded) {
    Reader in(encoded);
    auto out = VersionVector::decode(in);
    return in.finished() ? out : std::nullopt;
}

TEST(VersionVector, covers_exactly_the_prefix_of_each_actor) {
    auto const v = vv({{kA, 3}});
    EXPECT_TRUE(v.covers({kA, 1}));
    EXPECT_TRUE(v.covers({kA, 3}));
    EXPECT_FALSE(v.covers({kA, 4}));
    EXPECT_FALSE(v.covers({kB, 1}));
    EXPECT_EQ(v.at(kB), 0u);
}

TEST(VersionVector, order_of_setting_leaves_no_trace) {
    EXPECT_EQ(vv({{kB, 2}, {kA, 1}, {kC, 9}}), vv({{kC, 9}, {kA, 1}, {kB, 2}}));
    auto v = vv({{kA, 1}, {kB, 2}});
    v.set(kA, 0);
    EXPECT_EQ(v, vv({{kB, 2}}));
    v.set(kA, 0);
    EXPECT_EQ(v, vv({{kB, 2}}));
}

TEST(VersionVector, raise_never_lowers_and_merge_takes_the_highest) {
    auto v = vv({{kA, 5}});
    v.raise(kA, 4);
    EXPECT_EQ(v.at(kA), 5u);
    v.raise(kA, 6);
    v.merge(vv({{kA, 2}, {kB, 7}}));
    EXPECT_EQ(v, vv({{kA, 6}, {kB, 7}}));
}

TEST(VersionVector, includes_is_a_partial_order) {
    auto const ab = vv({{kA, 1}, {kB, 1}}), a = vv({{kA, 1}}), a2 = vv({{kA, 2}});
    EXPECT_TRUE(ab.includes(a));
    EXPECT_FALSE(a.includes(ab));
    EXPECT_FALSE(ab.includes(a2));
    EXPECT_FALSE(a2.includes(ab));
    EXPECT_TRUE(ab.includes(ab));
    EXPECT_TRUE(a.includes({}));
    EXPECT_FALSE(VersionVector().includes(a));
}

TEST(VersionVector, corrupt_bytes_are_refused_or_canonical) {
    auto const v = vv({{kA, 1}, {kB, 300}, {kC, kSeqMax}});
    ASSERT_EQ(decode(bytes(v)), v);
    test::for_every_corruption(bytes(v), [](std::string const& bad) {
        auto const read = decode(bad);
        if (read) {
            EXPECT_EQ(bytes(*read), bad);
        }
    });
}

TEST(VersionVector, zeros_disorder_and_numbers_beyond_the_limit_are_refused) {
    auto const item = [](std::uint64_t actor, Seq seq) {
        std::string out;
        put_u64(out, actor);
        put_varint(out, seq);
        return out;
    };
    EXPECT_TRUE(decode("\1" + item(1, kSeqMax)));
    EXPECT_FALSE(decode("\1" + item(1, kSeqMax + 1)));
    EXPECT_FALSE(decode("\1" + item(1, 0)));
    EXPECT_FALSE(decode("\2" + item(2, 1) + item(1, 1)));
    EXPECT_FALSE(decode("\2" + item(1, 1) + item(1, 1)));
    EXPECT_FALSE(decode("\xff\xff\xff\xff\x0f" + item(1, 1))) << "a count beyond the bytes";
}

}  // namespace
}  // namespace inos
