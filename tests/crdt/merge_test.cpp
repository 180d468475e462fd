// The rules of the merge, one by one, each told as what happens at two or three sites.
#include "crdt/merge.hpp"

#include <gtest/gtest.h>

#include "crdt/pieces.hpp"
#include "tests/support/mini_replica.hpp"

namespace inos {
namespace {

using test::CommitPtr;
using test::MiniReplica;
using test::Request;

RecordName const kAnn{"customers", "ann"};

class Merge : public testing::Test {
protected:
    Merge() {
        auto& fields = schemas_["customers"].fields;
        fields["points"].type = CellType::counter;
        fields["tags"].type = CellType::set;
        schemas_["strict"].on_delete = DeletePolicy::delete_wins;
        schemas_["strict"].fields = fields;
    }

    static Value inc(std::int64_t n) { return Value(Object{{"$inc", Value(n)}}); }
    static Value add(char const* e) { return Value(Object{{"$add", Value(e)}}); }
    static Value drop(char const* e) { return Value(Object{{"$remove", Value(e)}}); }
    static void sync(MiniReplica& x, MiniReplica& y) {
        x.pull(y);
        y.pull(x);
        ASSERT_EQ(x.vv(), y.vv());
        ASSERT_EQ(x.bytes(), y.bytes());
    }
    // All of them learn all, by entries.
    void sync_all() {
        for (int round = 0; round < 2; ++round) {
            sync(a, b);
            sync(b, c);
        }
        sync(a, c);
    }
    static Value read(MiniReplica const& site, std::string_view field, RecordName const& n = kAnn) {
        auto const fields = site.resolved(n).fields;
        auto const* value = find_member(fields, field);
        return value ? *value : Value("absent");
    }

    test::Schemas schemas_;
    MiniReplica a{ActorId{1}, "crm", schemas_};
    MiniReplica b{ActorId{2}, "manager", schemas_};
    MiniReplica c{ActorId{3}, "shop", schemas_};
};

TEST_F(Merge, B6_a_write_that_saw_another_wins_whatever_the_clocks_say) {
    a.set_time(1'900'000'000'000);  // years ahead
    a.put(kAnn, {{"name", Value("old")}});
    b.set_time(1'700'000'000'000);
    b.pull(a);
    b.patch(kAnn, {{"name", Value("new")}});
    sync(a, b);
    EXPECT_EQ(read(a, "name"), Value("new"));
    EXPECT_TRUE(a.resolved(kAnn).conflicts.empty());
}

TEST_F(Merge, B7_a_field_that_nobody_touched_stays) {
    a.put(kAnn, {{"name", Value("Ann")}, {"city", Value("Kiel")}});
    sync(a, b);
    a.patch(kAnn, {{"city", Value("Bonn")}});
    b.patch(kAnn, {{"name", Value("Anna")}});
    sync(a, b);
    EXPECT_EQ(read(a, "city"), Value("Bonn"));
    EXPECT_EQ(read(a, "name"), Value("Anna"));
}

TEST_F(Merge, B8_the_number_of_edits_decides_nothing) {
    a.put(kAnn, {{"name", Value("Ann")}});
    sync(a, b);
    for (int i = 0; i < 20; ++i)
        a.patch(kAnn, {{"name", Value(i)}});
    b.set_time(1'800'000'000'000);
    b.patch(kAnn, {{"name", Value("later")}});
    sync(a, b);
    EXPECT_EQ(read(a, "name"), Value("later"));
}

TEST_F(Merge, A7_removing_a_map_key_keeps_a_change_below_it_that_it_had_not_seen) {
    a.put(kAnn, {{"contact", Value(Object{{"home", Value(Object{{"tel", Value("1")}})}})}});
    sync(a, b);
    a.patch(kAnn, {{"contact", Value(Object{{"home", Value()}})}});
    b.patch(kAnn, {{"contact", Value(Object{{"home", Value(Object{{"fax", Value("2")}})}})}});
    sync(a, b);
    EXPECT_EQ(read(a, "contact"), Value(Object{{"home", Value(Object{{"fax", Value("2")}})}}));
}

TEST_F(Merge, A7_an_increment_whose_counter_was_taken_away_meanwhile_is_shown_as_a_conflict) {
    a.put(kAnn, {{"points", Value(10)}});
    sync(a, b);
    a.patch(kAnn, {{"points", inc(2)}});
    a.patch(kAnn, {{"points", inc(3)}});
    b.patch(kAnn, {{"points", Value()}});
    sync(a, b);
    EXPECT_EQ(read(a, "points"), Value("absent"));
    auto const conflicts = b.resolved(kAnn).conflicts;
    ASSERT_EQ(conflicts.size(), 1u);
    EXPECT_EQ(conflicts[0].field, "points");
    ASSERT_EQ(conflicts[0].values.size(), 2u);
    EXPECT_EQ(conflicts[0].values[0], (ConflictValue{Value(), {}, {}, {}, true, false}));
    ConflictValue const& lost = conflicts[0].values[1];
    EXPECT_TRUE(lost.lost);
    EXPECT_FALSE(lost.wins);
    EXPECT_EQ(lost.dot, (Dot{a.actor(), 3}));
    EXPECT_EQ(lost.source, a.log().front()->entry.header.source);
    EXPECT_TRUE(may_conflict(b.record(kAnn)));

    // Whatever somebody writes who has seen it ends it: at the one site in this way, at the other
    // in that.
    auto const decided = [this](Value const& value) {
        MiniReplica at_b = b, at_a = a;
        auto const planned = plan_resolution(at_b.record(kAnn),
                                             at_b.schema(kAnn),
                                             kAnn,
                                             "points",
                                             value,
                                             {at_b.actor(), b.vv().at(b.actor()) + 1});
        at_b.commit_ops({*std::get<std::optional<Op>>(planned)});
        EXPECT_TRUE(at_b.resolved(kAnn).conflicts.empty());
        at_a.pull(at_b);
        EXPECT_EQ(at_a.bytes(), at_b.bytes());
        return read(at_a, "points");
    };
    EXPECT_EQ(decided(Value(5)), Value(5));
    EXPECT_EQ(decided(Value(0)), Value(0));
    EXPECT_EQ(decided(Value()), Value("absent"));
    MiniReplica put = b;
    EXPECT_EQ(put.put(kAnn, put.resolved(kAnn).fields), nullptr)
        << "to put back what was read is no decision about what was not to be seen";

    // Who had not seen it does not.
    c.pull(a, 2);
    c.patch(kAnn, {{"points", inc(4)}});
    a.patch(kAnn, {{"points", inc(1)}});
    sync_all();
    EXPECT_EQ(read(b, "points"), Value(5));
    EXPECT_TRUE(b.resolved(kAnn).conflicts.empty());
}

TEST_F(Merge, A7_ending_a_conflict_does_not_end_what_was_lost_later) {
    a.put(kAnn, {{"points", Value(10)}});
    sync(a, b);
    a.patch(kAnn, {{"points", inc(2)}});
    b.patch(kAnn, {{"points", Value()}});
    MiniReplica ahead = b;
    ahead.pull(a);
    ahead.patch(kAnn, {{"points", inc(1)}});
    a.patch(kAnn, {{"points", inc(3)}});
    ahead.pull(a);
    ASSERT_EQ(ahead.resolved(kAnn).conflicts.size(), 1u);
    EXPECT_EQ(ahead.resolved(kAnn).conflicts[0].values[0].value, Value(1));
    EXPECT_EQ(ahead.resolved(kAnn).conflicts[0].values[1].dot, (Dot{a.actor(), 3}));
    MiniReplica by_state = a;
    by_state.merge_state(ahead);
    EXPECT_EQ(by_state.bytes(), ahead.bytes());
}

TEST_F(Merge, A8_a_counter_that_was_removed_starts_from_nothing) {
    a.put(kAnn, {{"points", Value(5)}});
    sync(a, b);
    b.patch(kAnn, {{"points", inc(2)}});
    sync(a, b);
    a.patch(kAnn, {{"points", Value()}});
    EXPECT_EQ(read(a, "points"), Value("absent"));
    a.patch(kAnn, {{"points", inc(1)}});
    sync(a, b);
    EXPECT_EQ(read(b, "points"), Value(1));
    b.patch(kAnn, {{"points", inc(1)}});
    sync(a, b);
    EXPECT_EQ(read(a, "points"), Value(2));
}

TEST_F(Merge, A8_an_increment_concurrent_with_a_clear_of_its_run_adds_nothing) {
    a.put(kAnn, {{"points", Value(5)}});
    sync(a, b);
    a.patch(kAnn, {{"points", inc(1)}});  // continues the run that b clears
    b.patch(kAnn, {{"points", Value()}});
    MiniReplica by_state = b;
    by_state.merge_state(a);
    sync(a, b);
    EXPECT_EQ(read(a, "points"), Value("absent"));
    EXPECT_EQ(by_state.bytes(), a.bytes());
    a.patch(kAnn, {{"points", inc(3)}});
    sync(a, b);
    EXPECT_EQ(read(b, "points"), Value(3));
}

TEST_F(Merge, a_run_begun_by_another_actor_survives_a_clear_that_had_not_seen_it) {
    a.put(kAnn, {{"points", Value(5)}});
    sync(a, b);
    a.patch(kAnn, {{"points", Value()}});
    b.patch(kAnn, {{"points", inc(2)}});
    sync(a, b);
    EXPECT_EQ(read(a, "points"), Value(2));
}

TEST_F(Merge, a_run_goes_on_through_a_state_merge) {
    a.put(kAnn, {{"points", Value(5)}});
    b.merge_state(a);
    CommitPtr const more = a.patch(kAnn, {{"points", inc(2)}});
    MiniReplica stale = b;
    ASSERT_TRUE(b.receive(more));
    EXPECT_EQ(read(b, "points"), Value(7));
    b.merge_state(stale);
    EXPECT_EQ(read(b, "points"), Value(7)) << "an older state of the run adds nothing";
    stale.merge_state(b);
    EXPECT_EQ(stale.bytes(), b.bytes());
}

TEST_F(Merge, an_increment_of_a_run_that_is_not_there_adds_nothing) {
    a.put(kAnn, {{"points", Value(5)}});
    Op op;
    op.kind = 1;
    op.collection = kAnn.collection;
    op.key = kAnn.key;
    op.edits = {{4, path_child({}, "points", CellType::counter), RunCell{3, 77}.encode()}};
    a.commit_ops({op});
    EXPECT_EQ(read(a, "points"), Value(5));
    sync(a, b);
}

TEST_F(Merge, A9_a_record_deleted_and_created_again_starts_afresh) {
    a.put(kAnn, {{"name", Value("Ann")}, {"points", Value(5)}, {"tags", Value(Array{Value("x")})}});
    sync(a, b);
    b.erase(kAnn);
    sync(a, b);
    EXPECT_FALSE(a.exists(kAnn));
    a.put(kAnn, {{"points", Value(1)}});
    sync(a, b);
    EXPECT_EQ(b.resolved(kAnn).fields, (Object{{"points", Value(1)}}));
}

TEST_F(Merge, A9_a_record_created_again_across_a_partition_keeps_a_concurrent_edit) {
    a.put(kAnn, {{"name", Value("Ann")}});
    sync(a, b);
    a.erase(kAnn);
    a.put(kAnn, {{"city", Value("Kiel")}});
    b.patch(kAnn, {{"mail", Value("ann@example.org")}});
    sync(a, b);
    EXPECT_EQ(a.resolved(kAnn).fields,
              (Object{{"city", Value("Kiel")}, {"mail", Value("ann@example.org")}}));
}

TEST_F(Merge, A9_created_at_two_sites_at_once_is_one_record_with_both_fields) {
    a.put(kAnn, {{"name", Value("Ann")}});
    b.put(kAnn, {{"city", Value("Kiel")}});
    sync(a, b);
    EXPECT_EQ(a.resolved(kAnn).fields, (Object{{"city", Value("Kiel")}, {"name", Value("Ann")}}));
}

TEST_F(Merge, A6_an_edit_brings_a_deleted_record_back_whole) {
    a.put(kAnn, {{"name", Value("Ann")}, {"city", Value("Kiel")}});
    sync(a, b);
    a.erase(kAnn);
    b.patch(kAnn, {{"city", Value("Bonn")}});
    sync(a, b);
    EXPECT_EQ(a.resolved(kAnn).fields, (Object{{"city", Value("Bonn")}, {"name", Value("Ann")}}));
    a.patch(kAnn, {{"city", Value("Ulm")}});
    EXPECT_FALSE(state_of(a.record(kAnn)).markers) << "a later edit takes the marker away";
}

TEST_F(Merge, A6_under_delete_wins_a_concurrent_edit_does_not_bring_it_back) {
    RecordName const name{"strict", "ann"};
    a.put(name, {{"name", Value("Ann")}});
    sync(a, b);
    a.erase(name);
    b.patch(name, {{"name", Value("Anna")}});
    sync(a, b);
    EXPECT_FALSE(a.exists(name));
    b.put(name, {{"name", Value("again")}});
    sync(a, b);
    EXPECT_EQ(a.resolved(name).fields, (Object{{"name", Value("again")}}));
}

TEST_F(Merge, A10_two_deletes_at_once_and_a_third_site_all_agree) {
    a.put(kAnn, {{"name", Value("Ann")}});
    sync_all();
    a.erase(kAnn);
    b.erase(kAnn);
    c.pull(b);
    c.pull(a);
    EXPECT_FALSE(c.exists(kAnn));
    sync_all();
    for (MiniReplica const* site : {&a, &b, &c})
        EXPECT_FALSE(site->exists(kAnn));
}

TEST_F(Merge, A11_unsetting_a_field_reveals_no_losing_branch) {
    a.put(kAnn, {{"name", Value("Ann")}});
    sync(a, b);
    a.patch(kAnn, {{"name", Value("A")}});
    b.patch(kAnn, {{"name", Value("B")}});
    sync(a, b);
    a.patch(kAnn, {{"name", Value()}});
    sync(a, b);
    EXPECT_EQ(read(b, "name"), Value("absent"));
}

TEST_F(Merge, add_wins_over_a_concurrent_remove) {
    a.put(kAnn, {{"tags", Value(Array{Value("vip"), Value("new")})}});
    sync(a, b);
    a.patch(kAnn, {{"tags", drop("vip")}});
    b.patch(kAnn, {{"tags", add("vip")}});
    a.patch(kAnn, {{"tags", drop("new")}});
    sync(a, b);
    EXPECT_EQ(read(a, "tags"), Value(Array{Value("vip")}));
}

TEST_F(Merge, a_field_set_to_another_shape_takes_the_old_one_away) {
    a.put(kAnn, {{"x", Value(Object{{"k", Value(1)}})}});
    sync(a, b);
    b.patch(kAnn, {{"x", Value("plain")}});
    sync(a, b);
    EXPECT_EQ(read(a, "x"), Value("plain"));
    EXPECT_TRUE(a.resolved(kAnn).conflicts.empty());
    a.patch(kAnn, {{"x", Value(Object{{"l", Value(2)}})}});
    sync(a, b);
    EXPECT_EQ(read(b, "x"), Value(Object{{"l", Value(2)}}));
}

TEST_F(Merge, an_op_with_an_older_ctx_is_concurrent_with_what_it_had_not_seen) {
    a.put(kAnn, {{"name", Value("Ann")}});
    VersionVector const shadow = a.vv();
    b.pull(a);
    b.patch(kAnn, {{"name", Value("Anna")}});
    a.pull(b);
    a.commit({{Request::Kind::patch, kAnn, {{"name", Value("Anne")}}, shadow}});
    sync(a, b);
    auto const conflicts = a.resolved(kAnn).conflicts;
    ASSERT_EQ(conflicts.size(), 1u);
    EXPECT_EQ(conflicts[0].values.size(), 2u);
}

TEST_F(Merge, a_delete_with_an_older_ctx_leaves_what_it_had_not_seen) {
    a.put(kAnn, {{"name", Value("Ann")}});
    VersionVector const shadow = a.vv();
    b.pull(a);
    b.patch(kAnn, {{"name", Value("Anna")}});
    a.pull(b);
    a.commit({{Request::Kind::delete_, kAnn, {}, shadow}});
    sync(a, b);
    EXPECT_TRUE(b.exists(kAnn));
    EXPECT_EQ(read(b, "name"), Value("Anna"));
}

// Such an entry is authentic, and its author broke the rules. If its ctx were taken at its word, it
// would remove what came before it and spare what came after, at each site another.
TEST_F(Merge, a_ctx_beyond_the_entrys_own_deps_removes_nothing_that_the_author_had_not_seen) {
    a.put(kAnn, {{"name", Value("Ann")}});
    sync_all();
    b.patch(kAnn, {{"name", Value("Anna")}});
    Op op;
    op.kind = 1;
    op.collection = kAnn.collection;
    op.key = kAnn.key;
    op.edits = {{1, path_child({}, "name", CellType::register_), encode(Value("liar"))}};
    op.ctx = a.vv();
    op.ctx->set(b.actor(), 100);
    CommitPtr const lie = a.commit_ops({op});
    c.pull(a);  // the lie first, then what it claims to have seen
    sync_all();
    EXPECT_EQ(a.resolved(kAnn).conflicts.size(), 1u);
}

// Taken at its word such a delete would hide what others write in future.
TEST_F(Merge, A6_a_delete_covers_nothing_that_its_author_had_not_seen_whatever_it_claims) {
    a.put(kAnn, {{"name", Value("Ann")}});
    sync_all();
    Op op;
    op.kind = 2;
    op.collection = kAnn.collection;
    op.key = kAnn.key;
    op.seen = seen_cells(a.record(kAnn));
    op.seen.set(b.actor(), 100);
    op.seen.set(a.actor(), 100);
    a.commit_ops({op});
    EXPECT_FALSE(a.exists(kAnn));
    auto const markers = a.record(kAnn).at(kDeletePath);
    ASSERT_EQ(markers.end - markers.begin, 1u);
    Reader in(a.record(kAnn)[markers.begin].payload);
    VersionVector covered = *VersionVector::decode(in);
    EXPECT_EQ(covered.at(a.actor()), a.vv().at(a.actor())) << "at most the delete itself";
    EXPECT_EQ(covered.at(b.actor()), 0u);
    b.patch(kAnn, {{"name", Value("Anna")}});
    sync_all();
    EXPECT_TRUE(c.exists(kAnn));
    EXPECT_EQ(read(c, "name"), Value("Anna"));
}

// As many actors as an entry has room for; their number squared would be a minute of every site.
TEST_F(Merge, a_delete_that_claims_many_actors_takes_no_longer_than_reading_it) {
    a.put(kAnn, {{"name", Value("Ann")}});
    Op op;
    op.kind = 2;
    op.collection = kAnn.collection;
    op.key = kAnn.key;
    op.seen = seen_cells(a.record(kAnn));
    for (std::uint64_t i = 0; i < 300'000; ++i)
        op.seen.set(ActorId{(i << 32) + 1}, 1);
    a.commit_ops({op});
    EXPECT_FALSE(a.exists(kAnn));
    auto const markers = a.record(kAnn).at(kDeletePath);
    ASSERT_EQ(markers.end - markers.begin, 1u);
    EXPECT_LT(a.record(kAnn)[markers.begin].payload.size(), 100u);
}

TEST_F(Merge, A7_nor_does_the_removal_of_a_list_element) {
    a.put(kAnn, {{"name", Value("Ann")}});
    std::string const list = path_child({}, "lines", CellType::list);
    std::string const removal =
        path_child(path_child(list, "e", CellType::element), "d", CellType::marker);
    VersionVector claimed;
    claimed.set(a.actor(), 1);
    claimed.set(b.actor(), 100);
    Op op;
    op.kind = 1;
    op.collection = kAnn.collection;
    op.key = kAnn.key;
    op.edits = {{1, removal, {}}};
    claimed.encode(op.edits.front().payload);
    a.commit_ops({op});
    auto const markers = a.record(kAnn).at(removal);
    ASSERT_EQ(markers.end - markers.begin, 1u);
    VersionVector expected;
    expected.set(a.actor(), 1);
    std::string bytes;
    expected.encode(bytes);
    EXPECT_EQ(a.record(kAnn)[markers.begin].payload, bytes);
    sync_all();
}

TEST_F(Merge, D18_receiving_twice_or_too_early_changes_nothing) {
    CommitPtr const first = a.put(kAnn, {{"points", Value(5)}});
    CommitPtr const second = a.patch(kAnn, {{"points", inc(1)}});
    EXPECT_FALSE(b.receive(second));
    EXPECT_TRUE(b.receive(first));
    EXPECT_TRUE(b.receive(first));
    EXPECT_TRUE(b.receive(second));
    EXPECT_TRUE(b.receive(second));
    EXPECT_TRUE(b.receive(first));
    EXPECT_EQ(read(b, "points"), Value(6));
    b.merge_state(a);
    EXPECT_EQ(b.bytes(), a.bytes());
}

TEST_F(Merge, D12_types_and_kinds_of_a_newer_version_pass_through_an_old_site) {
    Op op;
    op.kind = 1;
    op.collection = kAnn.collection;
    op.key = kAnn.key;
    op.fresh = true;
    op.edits = {{1, path_child({}, "lines", static_cast<CellType>(0x1a)), "future"},
                {1, path_child({}, "memo", static_cast<CellType>(0x2a)), Pieces("new").encode()},
                {4, path_child({}, "rights", static_cast<CellType>(0x55)), RunCell{4, 1}.encode()},
                {99, "anything", "at all"}};
    Op unknown;
    unknown.kind = 77;
    unknown.body = "opaque";
    a.commit_ops({op, unknown});
    b.pull(a);
    c.pull(b);
    ASSERT_EQ(c.log().size(), 1u);
    EXPECT_EQ(c.log()[0]->bytes, a.log()[0]->bytes);
    EXPECT_EQ(c.bytes(), a.bytes());
    EXPECT_EQ(c.record(kAnn).cells().size(), 4u);
    op.fresh = false;
    op.edits = {{4, path_child({}, "rights", static_cast<CellType>(0x55)), RunCell{3, 1}.encode()}};
    a.commit_ops({op});
    c.merge_state(a);
    auto const path = path_child({}, "rights", static_cast<CellType>(0x55));
    auto const range = c.record(kAnn).at(path);
    ASSERT_EQ(range.end - range.begin, 1u);
    EXPECT_EQ(RunCell::decode(c.record(kAnn)[range.begin].payload)->total, 7);
}

TEST_F(Merge, A9_a_put_of_no_fields_makes_a_record_that_exists) {
    a.put(kAnn, {});
    sync(a, b);
    EXPECT_TRUE(b.exists(kAnn));
    EXPECT_TRUE(b.resolved(kAnn).fields.empty());
}

}  // namespace
}  // namespace inos
