// A bounded counter: who may use how much, how rights move, and what is said when they are missing.
#include "crdt/types/bounded_counter.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mini_rights.hpp"

namespace inos::test {
namespace {

using testing::ElementsAre;
using Kind = ChangeError::Kind;
using Share = FieldRights::Share;

constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
constexpr ActorId kA{1}, kB{2}, kC{3};
RecordName const kLamp{"products", "lamp"};

class BoundedCounter : public testing::Test {
protected:
    BoundedCounter() {
        auto& fields = schemas_["products"].fields;
        fields["stock"].type = CellType::bounded_counter;
        fields["reserve"].type = CellType::bounded_counter;
        fields["reserve"].min = 5;
    }

    static Value op(char const* name, Value operand) {
        return Value(Object{{name, std::move(operand)}});
    }
    static bool add(MiniReplica& site, std::int64_t delta, char const* field = "stock") {
        site.patch(kLamp, {{field, op("$inc", Value(delta))}});
        return !site.error();
    }
    static Value read(MiniReplica const& site, char const* field = "stock") {
        auto const fields = site.resolved(kLamp).fields;
        auto const* value = find_member(fields, field);
        return value ? *value : Value("absent");
    }
    static std::optional<ChangeError> refused(MiniReplica& site, char const* field, Value value) {
        auto const before = site.bytes();
        EXPECT_EQ(site.patch(kLamp, {{field, std::move(value)}}), nullptr);
        EXPECT_EQ(site.bytes(), before);
        return site.error();
    }
    std::int64_t available(MiniReplica const& site, char const* field = "stock") const {
        return rights_at(site, kLamp, field).available(site.actor());
    }
    void converge() {
        for (int round = 0; round < 2; ++round)
            for (auto* to : {&a, &b, &c})
                for (auto* from : {&a, &b, &c})
                    to->pull(*from);
        EXPECT_EQ(a.bytes(), b.bytes());
        EXPECT_EQ(a.bytes(), c.bytes());
    }

    Schemas schemas_;
    MiniReplica a{kA, "crm", schemas_};
    MiniReplica b{kB, "shop", schemas_};
    MiniReplica c{kC, "shop", schemas_};
};

TEST_F(BoundedCounter, E4_stock_stays_at_zero_though_each_site_saw_enough) {
    ASSERT_TRUE(add(a, 10));
    b.pull(a);
    EXPECT_EQ(read(b), Value(10));
    // As a plain counter both would have sold 8.
    EXPECT_TRUE(add(a, -8));
    EXPECT_FALSE(add(b, -8));
    ASSERT_EQ(b.error()->kind, Kind::rights);
    EXPECT_EQ(b.error()->shortage, (Shortage{8, 0, 10}));
    converge();
    EXPECT_EQ(read(a), Value(2));
}

TEST_F(BoundedCounter, is_used_with_rights_that_were_passed_on) {
    add(a, 10);
    ASSERT_FALSE(pass_rights(a, kLamp, "stock", 4, kB));
    EXPECT_EQ(available(a), 6);
    // On the way they are nobody's.
    EXPECT_FALSE(add(a, -7));
    EXPECT_FALSE(add(b, -1));
    b.pull(a);
    EXPECT_EQ(available(b), 4);
    EXPECT_FALSE(add(b, -5));
    EXPECT_TRUE(add(b, -4));
    EXPECT_TRUE(add(a, -6));
    converge();
    EXPECT_EQ(read(c), Value(0));
}

TEST_F(BoundedCounter, rights_can_be_passed_on_again_and_back) {
    add(a, 10);
    pass_rights(a, kLamp, "stock", 7, kB);
    b.pull(a);
    ASSERT_FALSE(pass_rights(b, kLamp, "stock", 3, kC));
    ASSERT_FALSE(pass_rights(b, kLamp, "stock", 2, kA));
    converge();
    EXPECT_THAT(rights_at(a, kLamp, "stock").shares,
                ElementsAre(Share{kA, 5}, Share{kB, 2}, Share{kC, 3}));
    EXPECT_EQ(read(a), Value(10));
}

TEST_F(BoundedCounter, rights_that_are_not_there_are_not_passed_on) {
    add(a, 10);
    b.pull(a);
    EXPECT_EQ(pass_rights(a, kLamp, "stock", 11, kB)->shortage, (Shortage{11, 10, 0}));
    EXPECT_EQ(pass_rights(b, kLamp, "stock", 1, kC)->kind, Kind::rights);
    EXPECT_EQ(pass_rights(a, kLamp, "stock", 0, kB)->kind, Kind::bad_operation);
    EXPECT_EQ(pass_rights(a, kLamp, "stock", -3, kB)->kind, Kind::bad_operation);
    EXPECT_EQ(pass_rights(a, kLamp, "stock", 1, kA)->kind, Kind::bad_operation);
    EXPECT_EQ(pass_rights(a, kLamp, "reserve", 1, kB)->kind, Kind::bad_operation);
    a.erase(kLamp);
    EXPECT_EQ(pass_rights(a, kLamp, "stock", 1, kB)->kind, Kind::bad_operation);
}

TEST_F(BoundedCounter, says_what_is_here_and_what_is_elsewhere) {
    add(a, 10);
    b.pull(a);
    add(b, 2);
    EXPECT_EQ(refused(b, "stock", op("$inc", Value(-5)))->message,
              "5 wanted, 2 available at this site, 10 at other sites (they are asked for; try "
              "again)");
    EXPECT_EQ(refused(b, "stock", op("$inc", Value(-13)))->message,
              "13 wanted, 2 available at this site, 10 at other sites, which is too little");
    EXPECT_EQ(refused(a, "stock", op("$inc", Value(-11)))->message,
              "11 wanted, 10 available at this site, 0 at other sites");
    EXPECT_EQ(refused(b, "stock", Value(3))->shortage, (Shortage{9, 2, 10}));
}

TEST_F(BoundedCounter, set_to_a_number_is_the_difference) {
    a.put(kLamp, {{"stock", Value(10)}});
    EXPECT_EQ(a.put(kLamp, {{"stock", Value(10)}}), nullptr);
    b.pull(a);
    a.patch(kLamp, {{"stock", Value(7)}});
    b.patch(kLamp, {{"stock", Value(12)}});
    converge();
    EXPECT_EQ(read(a), Value(9));
    // Nothing was written over: two sites that set it at once both count.
    EXPECT_TRUE(a.resolved(kLamp).conflicts.empty());
}

TEST_F(BoundedCounter, of_zero_exists) {
    a.put(kLamp, {{"stock", Value(0)}});
    EXPECT_EQ(read(a), Value(0));
    EXPECT_EQ(a.patch(kLamp, {{"stock", Value(0)}}), nullptr);
    EXPECT_EQ(a.patch(kLamp, {{"stock", op("$inc", Value(0))}}), nullptr);
    EXPECT_FALSE(a.error());
    a.patch(kLamp, {{"stock", Value()}});
    EXPECT_EQ(read(a), Value("absent"));
}

TEST_F(BoundedCounter, E3_takes_whole_numbers_and_never_leaves_their_range) {
    EXPECT_EQ(refused(a, "stock", Value(1.0))->kind, Kind::wrong_type);
    EXPECT_EQ(refused(a, "stock", Value("1"))->kind, Kind::wrong_type);
    EXPECT_EQ(refused(a, "stock", op("$inc", Value(0.5)))->kind, Kind::bad_operation);
    EXPECT_EQ(refused(a, "stock", op("$add", Value(1)))->kind, Kind::wrong_type);
    EXPECT_EQ(refused(a, "stock", Value(-1))->kind, Kind::bad_operation);
    a.put(kLamp, {{"stock", Value(kMost)}});
    EXPECT_EQ(refused(a, "stock", op("$inc", Value(1)))->kind, Kind::limit);
    EXPECT_EQ(refused(a, "stock", op("$inc", Value(kLeast)))->kind, Kind::rights);
    EXPECT_TRUE(add(a, -kMost));
    EXPECT_EQ(read(a), Value(0));
    // What a site has added in all only grows, and has an end too.
    EXPECT_EQ(refused(a, "stock", op("$inc", Value(1)))->kind, Kind::limit);
}

TEST_F(BoundedCounter, E3_a_sum_beyond_the_range_stays_at_its_end_and_can_be_used) {
    a.put(kLamp, {{"stock", Value(kMost)}});
    b.put(kLamp, {{"stock", Value(kMost)}});
    converge();
    EXPECT_EQ(read(a), Value(kMost));
    EXPECT_TRUE(add(a, -kMost));
    EXPECT_EQ(read(a), Value(kMost));
    EXPECT_EQ(available(a), 0);
    b.pull(a);
    EXPECT_TRUE(add(b, -kMost));
    EXPECT_EQ(read(b), Value(0));
}

TEST_F(BoundedCounter, keeps_its_min_back_from_the_lower_actors_first) {
    EXPECT_EQ(refused(a, "reserve", Value(4))->message, "4 is under the counter's min of 5");
    EXPECT_EQ(refused(a, "reserve", op("$inc", Value(4)))->message,
              "the counter cannot begin with 4, under its min of 5");
    a.put(kLamp, {{"reserve", Value(8)}});
    // b has not heard of a's, so its own has to make up the min.
    b.put(kLamp, {{"reserve", Value(8)}});
    EXPECT_EQ(available(b, "reserve"), 3);
    EXPECT_TRUE(add(b, -3, "reserve"));
    EXPECT_FALSE(add(b, -1, "reserve"));
    converge();
    EXPECT_EQ(available(a, "reserve"), 3);
    EXPECT_EQ(available(b, "reserve"), 5);
    EXPECT_TRUE(add(a, -3, "reserve"));
    EXPECT_TRUE(add(b, -5, "reserve"));
    converge();
    EXPECT_EQ(read(a, "reserve"), Value(5));
}

TEST_F(BoundedCounter, E4_a_raised_min_shifts_nothing_and_holds_for_those_who_know_it) {
    auto& min = schemas_["products"].fields["stock"].min;
    a.put(kLamp, {{"stock", Value(10)}});
    add(a, -8);
    b.pull(a);
    add(b, 10);
    a.pull(b);
    min = 5;
    EXPECT_EQ(read(a), Value(12));
    EXPECT_EQ(rights_at(a, kLamp, "stock").of(kA), -3);
    EXPECT_EQ(available(a), 0);
    EXPECT_EQ(available(b), 7);
    // Also not by several sites together.
    pass_rights(b, kLamp, "stock", 5, kC);
    c.pull(b);
    EXPECT_EQ(available(b) + available(c), 4);
    pass_rights(b, kLamp, "stock", 5, kC);
    c.pull(b);
    EXPECT_EQ(available(c), 7);
    min = 20;
    EXPECT_EQ(read(c), Value(12));
    EXPECT_EQ(available(c), 0);
    EXPECT_TRUE(add(c, 1));
    auto const conflicts = c.resolved(kLamp).conflicts;
    ASSERT_EQ(conflicts.size(), 1u);
    EXPECT_EQ(conflicts[0].values[0].value, Value(13));
    EXPECT_EQ(conflicts[0].values[1].value, Value(20));
    EXPECT_EQ(c.put(kLamp, c.resolved(kLamp).fields), nullptr);
    EXPECT_FALSE(c.error());
}

TEST_F(BoundedCounter, used_while_it_was_taken_away_is_a_conflict_that_the_next_increments_settle) {
    a.put(kLamp, {{"name", Value("Lamp")}, {"stock", Value(10)}});
    pass_rights(a, kLamp, "stock", 6, kB);
    converge();
    a.patch(kLamp, {{"stock", Value()}});
    EXPECT_EQ(read(a), Value("absent"));
    ASSERT_TRUE(add(b, -6));
    converge();
    auto const resolved = a.resolved(kLamp);
    EXPECT_EQ(read(a), Value(0));
    ASSERT_EQ(resolved.conflicts.size(), 1u);
    EXPECT_EQ(resolved.conflicts[0].field, "stock");
    EXPECT_EQ(resolved.conflicts[0].values[0].value, Value(0));
    EXPECT_EQ(resolved.conflicts[0].values[1].value, Value(-6));
    EXPECT_EQ(resolved.conflicts[0].values[1].dot.actor, kB);
    EXPECT_FALSE(add(a, -1));
    EXPECT_TRUE(add(a, 8));
    EXPECT_EQ(read(a), Value(2));
    EXPECT_TRUE(a.resolved(kLamp).conflicts.empty());
    // What b lacks now nobody else may use on top.
    EXPECT_EQ(available(a), 2);
    pass_rights(a, kLamp, "stock", 4, kC);
    converge();
    EXPECT_LE(available(a) + available(b) + available(c), 2);
}

TEST_F(BoundedCounter,
       E13_under_zero_is_put_back_as_it_reads_without_an_entry_and_settled_by_a_decision) {
    a.put(kLamp, {{"stock", Value(10)}});
    pass_rights(a, kLamp, "stock", 6, kB);
    converge();
    a.patch(kLamp, {{"stock", Value()}});
    add(b, -6);
    converge();
    EXPECT_EQ(a.put(kLamp, a.resolved(kLamp).fields), nullptr);
    EXPECT_EQ(a.patch(kLamp, {{"stock", Value(0)}}), nullptr);
    EXPECT_FALSE(a.error());
    ASSERT_EQ(a.resolved(kLamp).conflicts.size(), 1u);
    auto const planned =
        plan_resolution(a.record(kLamp), a.schema(kLamp), kLamp, "stock", Value(0), {kA, 4});
    a.commit_ops({*std::get<std::optional<Op>>(planned)});
    EXPECT_EQ(read(a), Value(0));
    EXPECT_TRUE(a.resolved(kLamp).conflicts.empty());
    EXPECT_EQ(rights_at(a, kLamp, "stock").value, 0);
    a.patch(kLamp, {{"stock", Value(4)}});
    EXPECT_EQ(read(a), Value(4));
}

TEST_F(BoundedCounter, A7_rights_passed_on_alone_do_not_bring_a_field_back) {
    a.put(kLamp, {{"name", Value("Lamp")}, {"stock", Value(10)}});
    b.pull(a);
    b.patch(kLamp, {{"stock", Value()}});
    pass_rights(a, kLamp, "stock", 6, kC);
    converge();
    EXPECT_EQ(read(a), Value("absent"));
    EXPECT_EQ(available(c), 0);
    EXPECT_FALSE(add(c, -1));
    // And begun again it does not remember them.
    b.patch(kLamp, {{"stock", Value(3)}});
    converge();
    EXPECT_EQ(read(a), Value(3));
    EXPECT_EQ(available(b), 3);
    EXPECT_EQ(available(c), 0);
}

TEST_F(BoundedCounter, A8_that_was_deleted_with_its_record_starts_from_nothing) {
    a.put(kLamp, {{"stock", Value(10)}});
    b.pull(a);
    a.erase(kLamp);
    a.put(kLamp, {{"stock", Value(2)}});
    converge();
    EXPECT_EQ(read(b), Value(2));
    EXPECT_EQ(available(a), 2);
}

TEST_F(BoundedCounter, is_chosen_by_a_schema_and_then_stays_what_it_is) {
    a.put(kLamp, {{"free", Value(1)}, {"stock", Value(4)}});
    EXPECT_TRUE(a.record(kLamp).at(path_child({}, "free", CellType::register_)).end > 0);
    schemas_.clear();
    EXPECT_EQ(read(a), Value(4));
    EXPECT_TRUE(add(a, -1));
    a.patch(kLamp, {{"stock", Value(2)}});
    EXPECT_EQ(read(a), Value(2));
    EXPECT_EQ(refused(a, "stock", op("$inc", Value(-3)))->kind, Kind::rights);
    a.patch(kLamp, {{"other", op("$inc", Value(-3))}});
    EXPECT_EQ(read(a, "other"), Value(-3)) << "$inc alone makes a plain counter";
}

TEST_F(BoundedCounter, counts_in_one_transaction_what_its_first_writes_used) {
    a.put(kLamp, {{"stock", Value(5)}});
    auto const inc = [](std::int64_t n) {
        return Request{Request::Kind::patch, kLamp, {{"stock", op("$inc", Value(n))}}, {}};
    };
    EXPECT_EQ(a.commit({inc(-3), inc(-3)}), nullptr);
    EXPECT_EQ(a.error()->kind, Kind::rights);
    EXPECT_EQ(read(a), Value(5));
    EXPECT_NE(a.commit({inc(-3), inc(1), inc(-3)}), nullptr);
    EXPECT_EQ(read(a), Value(0));
}

TEST_F(BoundedCounter, reads_cells_that_nobody_plans_as_nothing) {
    a.put(kLamp, {{"stock", Value(5)}});
    Record record = a.record(kLamp);
    std::string const own = path_child({}, "stock", CellType::bounded_counter);
    auto const put = [&](std::string const& path, std::string payload) {
        record.insert({path, {kB, 1}, Hlc::from(1, 0), "", std::move(payload)});
    };
    put(path_child(own, "i", CellType::counter), RunCell{-7, 1}.encode());
    put(path_child(own, "u", CellType::counter), "rubbish");
    put(path_child(own, "t", CellType::counter), RunCell{7, 1}.encode());
    put(path_child(own, "i", CellType::register_), encode(Value(7)));
    put(path_child(path_child(own, "i", CellType::counter), "x", CellType::counter),
        RunCell{7, 1}.encode());
    put(own, "at its own path");
    auto const rights = field_rights(record, path_name({}, "stock"), nullptr);
    ASSERT_TRUE(rights);
    EXPECT_EQ(rights->value, 5);
    EXPECT_EQ(rights->available(kA), 5);
    EXPECT_EQ(rights->available(kB), 0);
}

// ---- decisions ----------------------------------------------------------------------------------

FieldRights shared(std::vector<Share> shares) {
    FieldRights rights;
    for (Share const& share : shares)
        rights.value += share.rights;
    rights.shares = std::move(shares);
    return rights;
}

TEST(RightsDecisions, all_is_granted_at_need_and_half_of_it_ahead_of_need) {
    auto const rights = shared({{kA, 9}, {kB, 1}, {kC, -4}});
    EXPECT_EQ(rights_to_grant(rights, kA, 5, false), 5);
    EXPECT_EQ(rights_to_grant(rights, kA, 50, false), 9);
    EXPECT_EQ(rights_to_grant(rights, kA, 3, true), 3);
    EXPECT_EQ(rights_to_grant(rights, kA, 50, true), 4);
    EXPECT_EQ(rights_to_grant(rights, kB, 50, true), 0);
    EXPECT_EQ(rights_to_grant(rights, kC, 50, false), 0);
    EXPECT_EQ(rights_to_grant(rights, kA, kLeast, false), 0);
    EXPECT_EQ(rights_to_grant(rights, ActorId{9}, 5, false), 0);
}

TEST(RightsDecisions, a_site_asks_ahead_when_it_has_less_than_half_of_a_fair_share) {
    EXPECT_EQ(rights_to_ask_ahead(shared({{kA, 10}, {kB, 30}}), kA, 2), 0);
    EXPECT_EQ(rights_to_ask_ahead(shared({{kA, 9}, {kB, 31}}), kA, 2), 11);
    EXPECT_EQ(rights_to_ask_ahead(shared({{kB, 40}}), kA, 4), 10);
    EXPECT_EQ(rights_to_ask_ahead(shared({{kB, 40}}), kA, 0), 40);
    EXPECT_EQ(rights_to_ask_ahead(shared({}), kA, 3), 0);
    EXPECT_EQ(rights_to_ask_ahead(shared({{kA, -3}, {kB, 2}}), kA, 3), 0);
    auto bounded = shared({{kA, 0}, {kB, 40}});
    bounded.min = 40;
    EXPECT_EQ(rights_to_ask_ahead(bounded, kA, 2), 0);
    EXPECT_EQ(rights_to_ask_ahead(shared({{kB, kMost}}), kA, 2), kMost / 2);
}

TEST(RightsDecisions, the_largest_holders_that_can_be_reached_are_asked_until_it_is_enough) {
    auto const rights = shared({{kA, 0}, {kB, 3}, {kC, 7}, {ActorId{4}, 100}, {ActorId{5}, -1}});
    std::vector<ActorId> const near{kB, kC, ActorId{5}, ActorId{6}};
    EXPECT_THAT(rights_holders(rights, near, 5, false), ElementsAre(Share{kC, 5}));
    EXPECT_THAT(rights_holders(rights, near, 8, false), ElementsAre(Share{kC, 7}, Share{kB, 1}));
    EXPECT_THAT(rights_holders(rights, near, 80, false), ElementsAre(Share{kC, 7}, Share{kB, 3}));
    EXPECT_THAT(rights_holders(rights, near, 8, true), ElementsAre(Share{kC, 8}));
    EXPECT_TRUE(rights_holders(rights, {kA}, 8, false).empty());
    EXPECT_TRUE(rights_holders(rights, near, 0, true).empty());
}

}  // namespace
}  // namespace inos::test
