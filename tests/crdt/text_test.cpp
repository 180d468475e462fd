// The type text, each rule told as what people at two or three sites do.
#include "crdt/types/text.hpp"

#include <gtest/gtest.h>

#include "crdt/types/text_diff.hpp"
#include "crdt/types/text_document.hpp"
#include "tests/support/mini_replica.hpp"

namespace inos {
namespace {

using test::MiniReplica;
using test::Request;
using Kind = ChangeError::Kind;

RecordName const kNote{"notes", "1"};
std::string const kBike = "\xf0\x9f\x9a\xb2", kAccent = "\xc3\xa9", kHan = "\xe6\x96\x87";

Value splice(std::int64_t at, std::int64_t removed, std::string_view inserted) {
    return Value(
        Object{{"at", Value(at)}, {"delete", Value(removed)}, {"insert", Value(inserted)}});
}
Value operation(Value operand) {
    return Value(Object{{"$splice", std::move(operand)}});
}

class Text : public testing::Test {
protected:
    Text() { schemas_["notes"].fields["memo"].type = CellType::text; }

    static test::CommitPtr type(MiniReplica& site,
                                std::int64_t at,
                                std::string_view inserted,
                                std::int64_t removed = 0) {
        return site.patch(kNote, {{"memo", operation(splice(at, removed, inserted))}});
    }
    static std::string read(MiniReplica const& site) {
        auto const fields = site.resolved(kNote).fields;
        auto const* value = find_member(fields, "memo");
        auto const* text = value ? value->as<std::string>() : nullptr;
        return text ? *text : "no text";
    }
    static void sync(MiniReplica& x, MiniReplica& y) {
        x.pull(y);
        y.pull(x);
        ASSERT_EQ(x.bytes(), y.bytes());
    }
    static std::size_t runs(MiniReplica const& site) {
        std::size_t count = 0;
        for (Cell const& cell : site.record(kNote).cells())
            count += is_shrinking(cell.path);
        return count;
    }
    std::string refusal(Value value) {
        auto const before = a.bytes();
        EXPECT_EQ(a.patch(kNote, {{"memo", std::move(value)}}), nullptr);
        EXPECT_EQ(a.bytes(), before);
        return a.error() ? a.error()->message : "";
    }
    std::size_t edits(test::CommitPtr const& commit) { return commit->entry.ops[0].edits.size(); }

    test::Schemas schemas_;
    MiniReplica a{ActorId{1}, "crm", schemas_};
    MiniReplica b{ActorId{2}, "shop", schemas_};
    MiniReplica c{ActorId{3}, "office", schemas_};
};

TEST_F(Text, splices_insert_delete_and_replace) {
    type(a, 0, "hello");
    EXPECT_EQ(read(a), "hello");
    type(a, 5, " world");
    type(a, 0, ">> ");
    EXPECT_EQ(read(a), ">> hello world");
    type(a, 3, "J", 1);
    EXPECT_EQ(read(a), ">> Jello world");
    type(a, 8, "", 6);
    EXPECT_EQ(read(a), ">> Jello");
    a.patch(kNote, {{"memo", operation(Value(Object{{"at", Value(2)}, {"delete", Value(1)}}))}});
    a.patch(kNote, {{"memo", operation(Value(Object{{"at", Value(0)}, {"insert", Value("!")}}))}});
    EXPECT_EQ(read(a), "!>>Jello");
}

TEST_F(Text, places_count_code_points_of_every_script) {
    type(a, 0, "a" + kAccent + kHan + kBike + "z");
    type(a, 3, "-", 1);
    EXPECT_EQ(read(a), "a" + kAccent + kHan + "-z");
    type(a, 2, kBike);
    EXPECT_EQ(read(a), "a" + kAccent + kBike + kHan + "-z");
    type(a, 1, "\xd8\xb3\xd9\x84\xd8\xa7\xd9\x85", 3);
    EXPECT_EQ(read(a), "a\xd8\xb3\xd9\x84\xd8\xa7\xd9\x85-z");
    type(a, 1, "\xe0\xa4\xb9\xe0\xa4\xbf", 4);
    EXPECT_EQ(read(a), "a\xe0\xa4\xb9\xe0\xa4\xbf-z");
}

TEST_F(Text, several_splices_of_one_operation_follow_each_other) {
    a.patch(
        kNote,
        {{"memo",
          operation(Value(Array{
              splice(0, 0, "abc"), splice(1, 1, "xyz"), splice(2, 2, ""), splice(3, 0, "!")}))}});
    EXPECT_EQ(read(a), "axc!");
    auto const made =
        a.patch(kNote, {{"memo", operation(Value(Array{splice(4, 0, "12"), splice(6, 0, "34")}))}});
    EXPECT_EQ(edits(made), 1u) << "what continues is one run";
    EXPECT_EQ(read(a), "axc!1234");
}

TEST_F(Text, a_string_changes_only_what_differs) {
    a.put(kNote, {{"memo", Value("The quick brown fox")}});
    EXPECT_EQ(a.put(kNote, {{"memo", Value("The quick brown fox")}}), nullptr);
    b.pull(a);
    a.put(kNote, {{"memo", Value("The quick red fox")}});
    type(b, 0, "[", 0);
    type(b, 20, "]", 0);
    b.put(kNote, {{"memo", Value("[The quicker brown fox]")}});
    sync(a, b);
    EXPECT_EQ(read(a), "[The quicker red fox]");
    a.put(kNote, {{"memo", Value("")}});
    EXPECT_EQ(read(a), "");
    EXPECT_EQ(runs(a), 0u);
    EXPECT_EQ(a.put(kNote, {{"memo", Value("")}}), nullptr);
}

TEST_F(Text, E13_splices_that_change_nothing_make_no_dot) {
    type(a, 0, "abc");
    EXPECT_EQ(type(a, 1, ""), nullptr);
    EXPECT_EQ(a.patch(kNote, {{"memo", operation(Value(Array{}))}}), nullptr);
    EXPECT_FALSE(a.error());
    auto const gone = Value(Array{splice(3, 0, "typo"), splice(3, 4, "")});
    EXPECT_EQ(a.patch(kNote, {{"memo", operation(gone)}}), nullptr);
    EXPECT_FALSE(a.error());
}

TEST_F(Text, words_typed_at_one_place_at_the_same_time_stay_words) {
    type(a, 0, "()");
    sync(a, b);
    c.pull(a);
    for (char const letter : std::string("one"))
        type(a, static_cast<std::int64_t>(read(a).size()) - 1, std::string(1, letter));
    for (char const letter : std::string("owt"))
        type(b, 1, std::string(1, letter));
    type(c, 1, "three");
    sync(a, b);
    sync(b, c);
    sync(a, c);
    for (char const* word : {"one", "two", "three"})
        EXPECT_NE(read(a).find(word), std::string::npos) << read(a);
    EXPECT_EQ(read(a).size(), 13u);
}

TEST_F(Text, removals_that_overlap_add_up_and_insertions_between_stay) {
    type(a, 0, "0123456789");
    sync(a, b);
    c.pull(a);
    type(a, 1, "", 5);  // 0 6789
    type(b, 4, "", 5);  // 0123 9
    type(c, 5, "+");    // 01234+56789
    sync(a, b);
    EXPECT_EQ(read(a), "09");
    c.merge_state(a);
    EXPECT_EQ(read(c), "0+9");
    sync(a, c);
    EXPECT_EQ(read(a), "0+9");
}

TEST_F(Text, removing_a_run_leaves_no_cell) {
    type(a, 0, "one ");
    type(a, 4, "two");
    sync(a, b);
    type(a, 0, "", 2);
    type(b, 1, "", 3);
    sync(a, b);
    EXPECT_EQ(read(a), "two");
    EXPECT_EQ(runs(a), 1u);
    type(a, 0, "", 3);
    EXPECT_EQ(read(a), "");
    EXPECT_EQ(a.record(kNote).cells().size(), 2u) << "existence, and that there is a text";
}

TEST_F(Text, states_that_lost_different_halves_of_a_run_merge_to_nothing) {
    type(a, 0, "abcd");
    sync(a, b);
    type(a, 0, "", 2);
    type(b, 2, "", 2);
    MiniReplica by_state = a;
    by_state.merge_state(b);
    EXPECT_EQ(read(by_state), "");
    EXPECT_EQ(runs(by_state), 0u);
    a.pull(b);
    EXPECT_EQ(a.bytes(), by_state.bytes());
}

TEST_F(Text, a_cut_has_no_effect_on_what_its_entry_had_not_seen) {
    type(a, 0, "abc");
    Cell const run = a.record(kNote).cells().back();
    ASSERT_TRUE(is_shrinking(run.path));
    Op op;
    op.kind = 1;
    op.collection = kNote.collection;
    op.key = kNote.key;
    op.edits = {{5, run.path, Cut{run.dot, {{0, 2}}}.encode()}};
    auto const blind = b.commit_ops({op});  // b has not seen a's entry
    a.receive(blind);
    EXPECT_EQ(read(a), "abc");
    op.ctx = VersionVector();
    a.commit_ops({op});
    EXPECT_EQ(read(a), "abc") << "nor does its own ctx say so";
    op.ctx.reset();
    op.edits[0].payload = Cut{{run.dot.actor, 2}, {{0, 2}}}.encode();
    a.commit_ops({op});
    EXPECT_EQ(read(a), "abc") << "another dot";
    op.edits[0].payload = Cut{run.dot, {{0, 2}}}.encode();
    a.commit_ops({op});
    EXPECT_EQ(read(a), "c");
}

TEST_F(Text, A7_what_is_typed_while_the_field_is_taken_away_stays) {
    type(a, 0, "old");
    sync(a, b);
    a.patch(kNote, {{"memo", Value()}});
    type(b, 3, " and new");
    sync(a, b);
    EXPECT_EQ(read(a), " and new");
    type(b, 0, "the old", 0);
    EXPECT_EQ(read(b), "the old and new");
}

TEST_F(Text, D18_reading_does_not_depend_on_the_way_that_entries_came) {
    type(a, 0, "ab");
    b.pull(a);
    type(a, 1, "x");
    type(b, 1, "y");
    type(b, 3, "z");
    c.pull(b);
    c.pull(a);
    sync(a, b);
    EXPECT_EQ(c.bytes(), a.bytes());
    EXPECT_EQ(read(a), read(c));
}

TEST_F(Text, a_string_stays_a_register_without_a_schema_and_a_text_stays_a_text) {
    RecordName const free{"free", "1"};
    a.put(free, {{"r", Value("plain")}});
    EXPECT_EQ(a.patch(free, {{"r", operation(splice(0, 0, "x"))}}), nullptr);
    EXPECT_EQ(a.error()->kind, Kind::wrong_type);
    a.patch(free, {{"t", operation(splice(0, 0, "typed"))}});
    a.patch(free, {{"t", Value("typed again")}});
    auto const at = path_name({}, "t");
    EXPECT_EQ(types_at(a.record(free), at), std::vector{CellType::text});
    a.patch(free, {{"m", Value(Object{{"in", operation(splice(0, 0, "a map"))}})}});
    auto const all = a.resolved(free).fields;
    EXPECT_EQ(*find_member(all, "t"), Value("typed again"));
    EXPECT_EQ(*find_member(*find_member(all, "m")->as<Object>(), "in"), Value("a map"));
}

TEST_F(Text, what_cannot_be_done_is_refused_with_the_reason) {
    type(a, 0, "ab" + kBike);
    EXPECT_NE(refusal(operation(splice(4, 0, "x"))).find("3 characters"), std::string::npos);
    EXPECT_NE(refusal(operation(splice(2, 2, ""))).find("3 characters"), std::string::npos);
    EXPECT_NE(refusal(operation(splice(1, std::numeric_limits<std::int64_t>::max(), "")))
                  .find("3 characters"),
              std::string::npos);
    EXPECT_NE(
        refusal(operation(Value(Array{splice(3, 0, "x"), splice(5, 0, "y")}))).find("4 characters"),
        std::string::npos);
    for (Value const& wrong : {Value(7),
                               Value("text"),
                               Value(Object{}),
                               Value(Object{{"insert", Value("no place")}}),
                               Value(Object{{"at", Value(-1)}}),
                               Value(Object{{"at", Value(0.5)}}),
                               Value(Object{{"at", Value(0)}, {"remove", Value(1)}}),
                               Value(Object{{"at", Value(0)}, {"insert", Value(1)}}),
                               Value(Array{Value(1)})}) {
        EXPECT_NE(refusal(operation(wrong)).find("$splice takes"), std::string::npos);
        EXPECT_EQ(a.error()->kind, Kind::bad_operation);
    }
    EXPECT_NE(refusal(Value(7)).find("a text takes a string"), std::string::npos);
    EXPECT_EQ(a.error()->kind, Kind::wrong_type);
    EXPECT_NE(refusal(operation(splice(0, 0, "\xff"))).find("UTF-8"), std::string::npos);
    EXPECT_NE(refusal(Value("\xff")).find("UTF-8"), std::string::npos);
    EXPECT_EQ(read(a), "ab" + kBike);
}

TEST_F(Text, a_place_too_deep_in_itself_is_refused) {
    // Two people in turn write into the middle of what the other has just written.
    EditPlan plan{a.record(kNote), a.actor(), 1, {}, {}};
    std::string const own = own_path(path_name({}, "memo"), CellType::text);
    TextDocument document(plan.record, own);
    std::uint64_t depth = 0;
    while (depth < 2'000 && document.splice(depth, 0, "()", ActorId{1 + depth % 2}))
        ++depth;
    EXPECT_GE(depth, kPositionDepthMax / 2);
    EXPECT_LT(depth, 2 * kPositionDepthMax);
    document.plan(plan);
    Op op;
    op.kind = 1;
    op.collection = kNote.collection;
    op.key = kNote.key;
    op.fresh = true;
    op.edits = plan.edits;
    a.commit_ops({op});
    b.pull(a);
    auto& next = depth % 2 == 0 ? a : b;
    EXPECT_EQ(type(next, static_cast<std::int64_t>(depth), "x"), nullptr);
    ASSERT_TRUE(next.error());
    EXPECT_EQ(next.error()->kind, Kind::limit);
    EXPECT_EQ(read(next).size(), 2 * depth);
    EXPECT_NE(type(next, 0, "x"), nullptr);
    next.patch(kNote, {{"memo", Value()}});
    type(next, 0, "flat again");
    EXPECT_EQ(read(next), "flat again");
}

TEST_F(Text, a_long_insertion_is_several_writes_of_one_run) {
    std::string text;
    while (text.size() <= 2 * kPayloadBytesMax)
        text += "x" + kHan + kBike;
    auto const made = type(a, 0, text);
    ASSERT_NE(made, nullptr);
    EXPECT_EQ(runs(a), 3u);
    EXPECT_EQ(read(a), text);
    sync(a, b);
    type(b, 100'000, "|");
    type(a, 0, "", 8);
    sync(a, b);
    EXPECT_EQ(read(a).size(), text.size() + 1 - 20);
}

TEST_F(Text, compose_folds_the_removal_of_what_the_transaction_itself_typed) {
    type(a, 0, "base");
    auto const request = [](std::int64_t at, std::int64_t removed, std::string_view inserted) {
        return Request{
            Request::Kind::patch, kNote, {{"memo", operation(splice(at, removed, inserted))}}, {}};
    };
    auto made = a.commit({request(4, 0, "abcdef"), request(6, 2, "")});
    EXPECT_EQ(read(a), "baseabef");
    EXPECT_EQ(runs(a), 3u) << "base, ab, ef: a written run is whole";
    made = a.commit({request(8, 0, "gone"), request(8, 4, "")});
    EXPECT_EQ(made, nullptr);
    made = a.commit({request(8, 0, "uvw"), request(8, 1, ""), request(9, 1, "x")});
    EXPECT_EQ(read(a), "baseabefvx");
    made = a.commit({request(1, 2, "A"), request(0, 2, ""), request(0, 0, "B")});
    EXPECT_EQ(read(a), "Beabefvx");
    for (Edit const& edit : made->entry.ops[0].edits)
        EXPECT_NE(edit.payload, Pieces("A").encode());
    made = a.commit({request(0, 8, "new"), request(0, 2, ""), request(0, 0, "1")});
    EXPECT_EQ(read(a), "1w");
    b.pull(a);
    EXPECT_EQ(read(b), "1w");
}

TEST_F(Text, compose_keeps_the_removal_behind_a_write_that_is_shortened) {
    // The second op writes at the place that the first had freed, the third takes half of it away.
    type(a, 0, "x");
    auto const request = [](std::int64_t at, std::int64_t removed, std::string_view inserted) {
        return Request{
            Request::Kind::patch, kNote, {{"memo", operation(splice(at, removed, inserted))}}, {}};
    };
    a.commit({request(0, 1, ""), request(0, 0, "yz"), request(0, 1, "")});
    EXPECT_EQ(read(a), "z");
    EXPECT_EQ(runs(a), 1u);
}

TEST_F(Text, cells_at_one_position_and_malformed_ones_are_read_the_same_everywhere) {
    std::string const own = own_path(path_name({}, "memo"), CellType::text);
    Position const first({{Side::right, {1, ActorId{1}}, 0, 0}});
    auto const cell = [&](std::string path, Dot dot, std::string payload) {
        return Cell{std::move(path), dot, {}, "", std::move(payload)};
    };
    auto const run = [&](Position const& at, Dot dot, std::string_view text) {
        return cell(path_child(own, at.encode(), CellType::text_run), dot, Pieces(text).encode());
    };
    Record record;
    record.insert(run(first, {ActorId{2}, 1}, "bdf"));
    record.insert(run(first, {ActorId{1}, 1}, "ac"));
    record.insert(run(first.advanced(2), {ActorId{1}, 2}, "e"));
    record.insert(
        cell(path_child(own, first.encode(), CellType::text_run), {ActorId{3}, 1}, "malformed"));
    record.insert(cell(
        path_child(own, "nowhere", CellType::text_run), {ActorId{1}, 3}, Pieces("never").encode()));
    record.insert(cell(path_child(own, first.encode(), CellType::element),
                       {ActorId{1}, 3},
                       Pieces("never").encode()));
    TextDocument document(record, own);
    EXPECT_EQ(document.text(), "abcdef");
    EXPECT_EQ(document.length(), 6u);
    // An author who sees them gets what it asks for all the same.
    using Splices = std::vector<std::tuple<std::uint64_t, std::uint64_t, std::string>>;
    auto const edited = [&](Splices const& splices) {
        Record result = record;
        TextDocument draft(record, own);
        for (auto const& [at, removed, inserted] : splices)
            EXPECT_TRUE(draft.splice(at, removed, inserted, ActorId{9}));
        EditPlan plan{record, ActorId{9}, 1, {}, {}};
        draft.plan(plan);
        Op op;
        op.kind = 1;
        op.edits = plan.edits;
        VersionVector deps;
        for (std::uint64_t actor = 1; actor <= 3; ++actor)
            deps.set(ActorId{actor}, 9);
        apply(result, op, {{ActorId{9}, 1}, {}, "", deps});
        return TextDocument(result, own).text();
    };
    EXPECT_EQ(edited({{1, 0, "-"}}), "a-bcdef");
    EXPECT_EQ(edited({{5, 1, ""}, {3, 1, ""}, {1, 1, ""}}), "ace");
    EXPECT_EQ(edited({{2, 1, ""}, {0, 1, ""}}), "bdef");
}

TEST_F(Text, a_text_typed_in_a_thousand_splices_stays_small) {
    for (int i = 0; i < 1'000; ++i)
        type(a, i * 10, "0123456789");
    EXPECT_EQ(code_points(read(a)), 10'000u);
    std::size_t const typed = a.record(kNote).encode().size();
    RecordProperty("bytes_in_a_thousand_splices", static_cast<int>(typed));
    EXPECT_LT(typed, 75'000u);
    b.put(kNote, {{"memo", Value(read(a))}});
    EXPECT_LT(b.record(kNote).encode().size(), 10'200u) << "written at once";
    type(a, 0, "", 10'000);
    EXPECT_LT(a.record(kNote).encode().size(), 120u) << "removed text leaves nothing";
}

std::string applied(std::string_view before, std::string_view after) {
    std::string out;
    std::uint64_t at = 0;
    for (TextChange const& change : diff_texts(before, after)) {
        std::size_t const from = bytes_of(before, at), to = bytes_of(before, change.at);
        out += before.substr(from, to - from);
        out += change.inserted;
        at = change.at + change.removed;
    }
    return out += before.substr(bytes_of(before, at));
}

TEST(TextDiff, changes_as_little_as_possible) {
    using Changes = std::vector<TextChange>;
    EXPECT_EQ(diff_texts("abc", "abc"), Changes());
    EXPECT_EQ(diff_texts("", "abc"), (Changes{{0, 0, "abc"}}));
    EXPECT_EQ(diff_texts("abc", ""), (Changes{{0, 3, ""}}));
    EXPECT_EQ(diff_texts("one two three", "one 2 three"), (Changes{{4, 3, "2"}}));
    EXPECT_EQ(diff_texts("aXbYc", "abc"), (Changes{{1, 1, ""}, {3, 1, ""}}));
    EXPECT_EQ(diff_texts("abc", "aXbYc"), (Changes{{1, 0, "X"}, {2, 0, "Y"}}));
    EXPECT_EQ(diff_texts(kHan + "b" + kBike, kHan + kAccent + kBike), (Changes{{1, 1, kAccent}}));
}

TEST(TextDiff, replaces_the_middle_of_texts_that_differ_too_much) {
    std::string before = "<", after = "<";
    for (int i = 0; i < 3'000; ++i) {
        before += static_cast<char>('a' + i % 13);
        after += static_cast<char>('n' + i % 11);
    }
    before += "same end>";
    after += "same end>";
    auto const changes = diff_texts(before, after);
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes[0].at, 1u);
    EXPECT_EQ(changes[0].removed, 3'000u);
    EXPECT_EQ(applied(before, after), after);
}

TEST(TextDiff, gives_the_new_text_for_all_short_ones) {
    std::vector<std::string> texts{""};
    for (std::size_t i = 0; texts.size() < 121; ++i)
        for (std::string const& letter : {std::string("a"), kAccent, kBike})
            texts.push_back(texts[i] + letter);
    for (std::string const& before : texts)
        for (std::string const& after : texts)
            ASSERT_EQ(applied(before, after), after) << before << " -> " << after;
}

}  // namespace
}  // namespace inos
