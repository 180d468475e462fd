#include "crdt/record.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "crdt/types/types.hpp"
#include "tests/support/corrupt.hpp"

namespace inos {
namespace {

constexpr ActorId kA{1}, kB{2};
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

std::string field(std::string_view name, CellType type = CellType::register_) {
    return path_child({}, name, type);
}

Cell cell(std::string path, Dot dot, std::string payload = {}, std::string source = "crm") {
    return {std::move(path), dot, Hlc::from(dot.seq, 0), std::move(source), std::move(payload)};
}

Record record_of(std::vector<Cell> cells) {
    Record record;
    for (Cell& c : cells)
        record.insert(std::move(c));
    return record;
}

std::string marker(std::initializer_list<VersionVector::Item> items) {
    VersionVector seen;
    for (auto const& [actor, seq] : items)
        seen.set(actor, seq);
    std::string out;
    seen.encode(out);
    return out;
}

Record example() {
    return record_of({cell(std::string(kExistencePath), {kA, 1}),
                      cell(field("name"), {kA, 1}, encode(Value("Ann"))),
                      cell(field("name"), {kB, 4}, encode(Value("Anna")), "shop"),
                      cell(field("points", CellType::counter), {kB, 5}, RunCell{7, 2}.encode(), ""),
                      cell(std::string(kDeletePath), {kB, 6}, marker({{kA, 1}}))});
}

TEST(Record, comes_back_from_its_bytes) {
    for (Record const& record : {Record(), example()}) {
        auto const back = Record::decode(record.encode());
        ASSERT_TRUE(back);
        EXPECT_EQ(*back, record);
    }
}

TEST(Record, the_order_of_inserting_leaves_no_trace_in_the_bytes) {
    auto const cells = example().cells();
    EXPECT_EQ(record_of({cells.rbegin(), cells.rend()}).encode(), example().encode());
}

TEST(Record, inserting_the_same_path_and_dot_again_replaces) {
    Record record = record_of({cell(field("f"), {kA, 1}, "x"), cell(field("f"), {kA, 1}, "y")});
    ASSERT_EQ(record.cells().size(), 1u);
    EXPECT_EQ(record[0].payload, "y");
}

// Every way to have some of nine cells, one of them twice, and to get some of nine more.
TEST(Record, inserting_many_at_once_is_inserting_them_one_after_the_other) {
    std::vector<Cell> cells;
    for (char const* name : {"a", "b", "c"})
        for (Dot const dot : {Dot{kA, 1}, Dot{kA, 2}, Dot{kB, 1}})
            cells.push_back(cell(field(name), dot));
    for (std::size_t have = 0; have < 512; ++have)
        for (std::size_t come = 0; come < 512; come += 3) {
            Record at_once;
            for (std::size_t i = 0; i < cells.size(); ++i)
                if (have >> i & 1) at_once.insert(cells[i]);
            Record in_turn = at_once;
            std::vector<Cell> many;
            for (std::size_t i = 0; i < cells.size(); ++i) {
                std::size_t const at = (i * 5 + have) % cells.size();
                if (!(come >> at & 1)) continue;
                many.push_back(cells[at]);
                many.back().payload = "new";
            }
            if (!many.empty()) {
                many.push_back(many.front());
                many.back().payload = "newest";
            }
            for (Cell const& one : many)
                in_turn.insert(one);
            at_once.insert_all(many);
            ASSERT_EQ(at_once, in_turn) << have << " " << come;
        }
}

TEST(Record, ranges_find_a_path_and_what_lies_below_it) {
    std::string const map = field("m", CellType::map);
    Record const record = record_of({cell(map, {kA, 1}),
                                     cell(path_child(map, "k", CellType::register_), {kA, 1}),
                                     cell(path_child(map, "kk", CellType::register_), {kA, 1}),
                                     cell(field("ma"), {kA, 1}),
                                     cell(field("m"), {kB, 1})});
    auto const count = [](Record::Range range) { return range.end - range.begin; };
    EXPECT_EQ(count(record.at(map)), 1u);
    EXPECT_EQ(count(record.under(map)), 3u);
    EXPECT_EQ(count(record.under(path_name({}, "m"))), 4u) << "a name is no prefix of a longer one";
    EXPECT_EQ(count(record.under(path_name(map, "k"))), 1u);
    EXPECT_EQ(count(record.at(field("none"))), 0u);
    EXPECT_EQ(count(record.under({})), 5u);
}

TEST(Record, remove_if_takes_only_from_its_range) {
    Record record = example();
    record.remove_if(record.at(field("name")), [](Cell const& c) { return c.dot.actor == kA; });
    EXPECT_EQ(record.cells().size(), 4u);
    record.remove_if([](Cell const&) { return true; });
    EXPECT_TRUE(record.empty());
}

TEST(Record, corrupt_bytes_are_refused_or_canonical) {
    test::for_every_corruption(example().encode(), [](std::string const& bad) {
        auto const read = Record::decode(bad);
        if (read) {
            EXPECT_EQ(read->encode(), bad);
        }
    });
}

// One record's bytes, put together from parts that a test can get wrong.
struct Parts {
    std::vector<std::string> sources{"crm", "shop"};
    struct Stamp {
        Dot dot;
        std::uint64_t source;
    };
    std::vector<Stamp> stamps{{{kA, 1}, 0}, {{kB, 1}, 1}};
    std::vector<std::pair<std::string, std::uint64_t>> cells{{field("f"), 0}, {field("f"), 1}};

    std::string bytes() const {
        std::string out = "\1";
        put_varint(out, sources.size());
        for (auto const& source : sources)
            put_blob(out, source);
        put_varint(out, stamps.size());
        for (auto const& stamp : stamps) {
            put_u64(out, stamp.dot.actor.value);
            put_varint(out, stamp.dot.seq);
            put_u64(out, 77);
            put_varint(out, stamp.source);
        }
        put_varint(out, cells.size());
        for (auto const& [path, stamp] : cells) {
            put_blob(out, path);
            put_varint(out, stamp);
            put_blob(out, "p");
        }
        return out;
    }
};

TEST(Record, only_the_canonical_form_of_a_state_is_accepted) {
    EXPECT_TRUE(Record::decode(Parts().bytes()));
    Parts sources;
    sources.sources = {"shop", "crm"};
    EXPECT_FALSE(Record::decode(sources.bytes())) << "sources out of order";
    sources.sources = {"crm", "crm"};
    EXPECT_FALSE(Record::decode(sources.bytes())) << "a source twice";
    sources.sources = {"crm", "shop", "web"};
    EXPECT_FALSE(Record::decode(sources.bytes())) << "a source that nothing uses";
    Parts stamps;
    std::swap(stamps.stamps[0], stamps.stamps[1]);
    std::swap(stamps.cells[0].second, stamps.cells[1].second);
    EXPECT_FALSE(Record::decode(stamps.bytes())) << "stamps out of order";
    stamps = {};
    stamps.stamps.push_back({{kB, 2}, 1});
    EXPECT_FALSE(Record::decode(stamps.bytes())) << "a stamp that no cell has";
    stamps = {};
    stamps.stamps[1] = {{kA, 1}, 1};
    EXPECT_FALSE(Record::decode(stamps.bytes())) << "one dot with two stamps";
    stamps = {};
    stamps.stamps[1].source = 2;
    EXPECT_FALSE(Record::decode(stamps.bytes())) << "a source beyond the list";
    Parts cells;
    cells.cells[1].second = 0;
    EXPECT_FALSE(Record::decode(cells.bytes())) << "a cell twice";
    cells.cells[1].second = 2;
    EXPECT_FALSE(Record::decode(cells.bytes())) << "a stamp beyond the list";
    EXPECT_FALSE(Record::decode("\2" + Parts().bytes().substr(1))) << "another version";
}

TEST(RunCell, comes_back_from_its_bytes_and_nothing_else_does) {
    for (RunCell const run : {RunCell{0, 1}, RunCell{kMost, kSeqMax}, RunCell{kLeast, 7}}) {
        auto const back = RunCell::decode(run.encode());
        ASSERT_TRUE(back);
        EXPECT_EQ(back->total, run.total);
        EXPECT_EQ(back->start, run.start);
        test::for_every_corruption(run.encode(), [](std::string const& bad) {
            auto const read = RunCell::decode(bad);
            if (read) {
                EXPECT_EQ(read->encode(), bad);
            }
        });
    }
}

TEST(SaturatingAdd, E3_stays_at_the_ends_of_the_range) {
    EXPECT_EQ(saturating_add(kMost, 1), kMost);
    EXPECT_EQ(saturating_add(kMost, kMost), kMost);
    EXPECT_EQ(saturating_add(kLeast, -1), kLeast);
    EXPECT_EQ(saturating_add(kLeast, kMost), -1);
    EXPECT_EQ(saturating_add(2, -3), -1);
}

TEST(Visibility, an_update_outlives_a_delete_that_had_not_seen_it) {
    auto const existence = cell(std::string(kExistencePath), {kA, 1});
    auto const name = cell(field("name"), {kB, 2}, encode(Value(1)));
    auto const seen_both = cell(std::string(kDeletePath), {kA, 2}, marker({{kA, 1}, {kB, 2}}));
    auto const seen_one = cell(std::string(kDeletePath), {kA, 2}, marker({{kA, 1}}));
    struct {
        Record record;
        bool update_wins, delete_wins;
    } const cases[] = {
        {record_of({}), false, false},
        {record_of({existence}), true, true},
        {record_of({existence, name}), true, true},
        {record_of({name}), false, false},  // an orphan edit
        {record_of({existence, name, seen_both}), false, false},
        {record_of({existence, name, seen_one}), true, false},
        {record_of({name, seen_one}), false, false},
    };
    for (auto const& c : cases) {
        EXPECT_EQ(visible(state_of(c.record), DeletePolicy::update_wins), c.update_wins);
        EXPECT_EQ(visible(state_of(c.record), DeletePolicy::delete_wins), c.delete_wins);
    }
}

TEST(Visibility, A10_two_markers_cover_together) {
    auto const record =
        record_of({cell(std::string(kExistencePath), {kA, 1}),
                   cell(field("name"), {kB, 2}),
                   cell(std::string(kDeletePath), {kA, 2}, marker({{kA, 1}})),
                   cell(std::string(kDeletePath), {kB, 3}, marker({{kA, 1}, {kB, 2}}))});
    EXPECT_FALSE(visible(state_of(record), DeletePolicy::update_wins));
    EXPECT_FALSE(state_of(record).uncovered);
}

TEST(Visibility, a_marker_with_bad_bytes_covers_nothing) {
    auto const record = record_of({cell(std::string(kExistencePath), {kA, 1}),
                                   cell(std::string(kDeletePath), {kA, 2}, "\xff")});
    EXPECT_TRUE(visible(state_of(record), DeletePolicy::update_wins));
}

TEST(SeenCells, is_the_highest_seq_of_each_actor_without_the_markers) {
    VersionVector expected;
    expected.set(kA, 1);
    expected.set(kB, 5);
    EXPECT_EQ(seen_cells(example()), expected);
}

// A delete goes with what it took away and not before: some site may still have to hear of it.
TEST(RecordPurge, waits_until_every_cell_and_every_marker_is_stable) {
    std::vector<Cell> const deleted{cell(std::string(kExistencePath), {kA, 1}),
                                    cell(field("name"), {kA, 2}),
                                    cell(std::string(kDeletePath), {kB, 7}, marker({{kA, 2}}))};
    struct Case {
        Seq a, b;
        bool goes;
    };
    for (auto const& [a, b, goes] : {Case{2, 7, true},
                                     {2, 9, true},
                                     {1, 7, false},
                                     {2, 6, false},
                                     {0, 7, false},
                                     {9, 0, false}}) {
        VersionVector stable;
        stable.set(kA, a);
        stable.set(kB, b);
        Record record = record_of(deleted);
        EXPECT_EQ(purge(record, stable), goes) << a << ' ' << b;
        EXPECT_EQ(record.empty(), goes) << a << ' ' << b;
    }
}

}  // namespace
}  // namespace inos
