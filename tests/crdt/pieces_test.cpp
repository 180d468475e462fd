// What is left of a run of text: cutting, intersecting, and the bytes, each value in one form only.
#include "crdt/pieces.hpp"

#include <gtest/gtest.h>

#include "crdt/bytes.hpp"

namespace inos {
namespace {

constexpr Dot kDot{ActorId{0xa}, 3};
// A letter of each length in UTF-8: 1, 2, 3, 4 bytes.
std::string const kMixed = "a\xc3\xa9\xe6\x96\x87\xf0\x9f\x9a\xb2";

std::string cut(std::string const& text, PieceRanges const& ranges) {
    Pieces pieces(text);
    pieces.cut(ranges);
    return pieces.encode();
}

// "0:ab 5:c": each piece with its beginning.
std::string show(std::string const& payload) {
    auto const pieces = Pieces::decode(payload);
    if (!pieces) return payload.empty() ? "" : "malformed";
    std::string out;
    for (Piece const& piece : pieces->items())
        out +=
            (out.empty() ? "" : " ") + std::to_string(piece.begin) + ":" + std::string(piece.text);
    return out;
}

std::string raw(std::initializer_list<std::pair<std::uint64_t, std::string>> pieces) {
    std::string out;
    put_varint(out, pieces.size());
    for (auto const& [gap, text] : pieces) {
        put_varint(out, gap);
        put_blob(out, text);
    }
    return out;
}

std::string raw_cut(Dot dot,
                    std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> ranges) {
    std::string out;
    put_u64(out, dot.actor.value);
    put_varint(out, dot.seq);
    put_varint(out, ranges.size());
    for (auto const& [gap, length] : ranges) {
        put_varint(out, gap);
        put_varint(out, length);
    }
    return out;
}

TEST(Pieces, code_points_are_counted_whatever_their_length) {
    EXPECT_EQ(code_points(""), 0u);
    EXPECT_EQ(code_points(kMixed), 4u);
    std::size_t const ends[] = {0, 1, 3, 6, 10, 10};
    for (std::uint64_t n = 0; n < std::size(ends); ++n)
        EXPECT_EQ(bytes_of(kMixed, n), ends[n]);
    EXPECT_EQ(code_points("e\xcc\x81"), 2u) << "a letter and its accent are two";
}

TEST(Pieces, a_cut_takes_code_points_by_their_first_index) {
    EXPECT_EQ(show(cut("abcdef", {{0, 1}})), "1:bcdef");
    EXPECT_EQ(show(cut("abcdef", {{5, 1}})), "0:abcde");
    EXPECT_EQ(show(cut("abcdef", {{1, 2}, {4, 1}})), "0:a 3:d 5:f");
    EXPECT_EQ(show(cut("abcdef", {{4, 100}})), "0:abcd");
    EXPECT_EQ(show(cut("abcdef", {{6, 1}})), "0:abcdef");
    EXPECT_EQ(show(cut(kMixed, {{1, 2}})), "0:a 3:\xf0\x9f\x9a\xb2");
    Pieces gone("abc");
    gone.cut({{0, 3}});
    EXPECT_TRUE(gone.empty());
}

TEST(Pieces, cuts_add_up_in_any_order) {
    PieceRanges const one{{1, 3}}, two{{0, 2}, {5, 1}}, far{{2, 1}, {7, 9}};
    Pieces ab("0123456789"), ba = ab;
    for (auto const* ranges : {&one, &two, &far})
        ab.cut(*ranges);
    for (auto const* ranges : {&far, &two, &one, &one})
        ba.cut(*ranges);
    EXPECT_EQ(ab, ba);
    EXPECT_EQ(show(ab.encode()), "4:4 6:6");
}

TEST(Pieces, what_both_sides_hold_is_what_neither_cut) {
    std::string const left = cut(kMixed + "xyz", {{0, 1}, {4, 1}});
    std::string const right = cut(kMixed + "xyz", {{2, 1}, {4, 2}});
    std::string const both = cut(kMixed + "xyz", {{0, 1}, {2, 1}, {4, 2}});
    EXPECT_EQ(common_pieces(left, right), both);
    EXPECT_EQ(common_pieces(right, left), both);
    EXPECT_EQ(common_pieces(left, left), left);
    EXPECT_EQ(common_pieces(cut("abcd", {{0, 2}}), cut("abcd", {{2, 2}})), "");
    EXPECT_EQ(show(common_pieces(cut("abcdef", {{0, 1}, {2, 1}, {4, 1}}), cut("abcdef", {{3, 1}}))),
              "1:b 5:f");
}

TEST(Pieces, sides_that_disagree_about_a_text_keep_what_they_agree_on) {
    EXPECT_EQ(show(common_pieces(raw({{0, "abcd"}}), raw({{0, "axcd"}}))), "0:a 2:cd");
    EXPECT_EQ(show(common_pieces(raw({{0, "axcd"}}), raw({{0, "abcd"}}))), "0:a 2:cd");
    EXPECT_EQ(common_pieces(raw({{0, "a"}}), "malformed"), "");
    EXPECT_EQ(common_pieces("malformed", raw({{0, "a"}})), "");
}

TEST(Pieces, D14_bytes_come_back_and_have_one_form) {
    for (std::string const& bytes : {raw({{0, "a"}}), raw({{3, kMixed}, {1, "b"}, {200, "c"}})}) {
        auto const pieces = Pieces::decode(bytes);
        ASSERT_TRUE(pieces);
        EXPECT_EQ(pieces->encode(), bytes);
    }
    EXPECT_TRUE(Pieces::decode(raw({{0, "a"}}))->whole());
    EXPECT_FALSE(Pieces::decode(raw({{1, "a"}}))->whole());
    EXPECT_FALSE(Pieces::decode(raw({{0, "a"}, {1, "b"}}))->whole());
    EXPECT_FALSE(Pieces::decode("")) << "no count";
    EXPECT_FALSE(Pieces::decode(raw({}))) << "nothing left is no cell";
    EXPECT_FALSE(Pieces::decode(raw({{0, ""}}))) << "an empty piece";
    EXPECT_FALSE(Pieces::decode(raw({{0, "a"}, {0, "b"}}))) << "pieces that touch";
    EXPECT_FALSE(Pieces::decode(raw({{0, "a"}}) + "x")) << "left-over bytes";
    EXPECT_FALSE(Pieces::decode(raw({{0, "\xc3"}}))) << "half a character";
    EXPECT_FALSE(Pieces::decode(raw({{kPieceIndexMax + 1, "a"}})));
    EXPECT_FALSE(Pieces::decode(raw({{kPieceIndexMax, "a"}})));
    EXPECT_FALSE(Pieces::decode(raw({{~std::uint64_t{0}, "a"}, {9, "b"}})));
    EXPECT_FALSE(Pieces::decode("\x7f")) << "a count beyond the bytes";
}

TEST(Pieces, D14_cuts_come_back_from_their_bytes_and_have_one_form) {
    Cut const good{kDot, {{0, 2}, {5, 1}, {300, 7}}};
    EXPECT_EQ(Cut::decode(good.encode()), good);
    EXPECT_EQ(good.encode(), raw_cut(kDot, {{0, 2}, {3, 1}, {294, 7}}));
    EXPECT_TRUE(Cut::decode(raw_cut(kDot, {{4, 1}})));
    EXPECT_FALSE(Cut::decode(""));
    EXPECT_FALSE(Cut::decode(raw_cut(kDot, {}))) << "nothing to cut";
    EXPECT_FALSE(Cut::decode(raw_cut(kDot, {{0, 0}}))) << "an empty range";
    EXPECT_FALSE(Cut::decode(raw_cut(kDot, {{0, 1}, {0, 1}}))) << "ranges that touch";
    EXPECT_FALSE(Cut::decode(raw_cut({kDot.actor, 0}, {{0, 1}}))) << "no such dot";
    EXPECT_FALSE(Cut::decode(raw_cut({kDot.actor, kSeqMax + 1}, {{0, 1}})));
    EXPECT_FALSE(Cut::decode(raw_cut(kDot, {{0, 1}}) + "x")) << "left-over bytes";
    EXPECT_FALSE(Cut::decode(raw_cut(kDot, {{kPieceIndexMax, 1}})));
    EXPECT_FALSE(Cut::decode(raw_cut(kDot, {{1, kPieceIndexMax}})));
    EXPECT_FALSE(Cut::decode(raw_cut(kDot, {{~std::uint64_t{0}, ~std::uint64_t{0}}})));
}

}  // namespace
}  // namespace inos
