// Lists: what operators and assignments do, what concurrent ones come to, and what is refused.
#include "crdt/types/list.hpp"

#include <gtest/gtest.h>

#include "tests/support/mini_replica.hpp"

namespace inos {
namespace {

using test::CommitPtr;
using test::MiniReplica;

RecordName const kOrder{"orders", "1"};

Value texts(std::vector<char const*> const& items) {
    Array array;
    for (char const* item : items)
        array.push_back(Value(item));
    return Value(std::move(array));
}

class List : public testing::Test {
protected:
    List() { schemas_["orders"].fields["lines"].type = CellType::list; }

    static std::string at() { return path_name({}, "lines"); }
    Value read(MiniReplica const& site) const {
        auto const fields = site.resolved(kOrder).fields;
        auto const* value = find_member(fields, "lines");
        return value ? *value : Value("absent");
    }
    // The id of the element that reads as `value`.
    std::string id(MiniReplica const& site, Value const& value) const {
        for (ListElement const& element : list_state(site.record(kOrder), at()).shown)
            if (decode_value(element.values.front()->payload) == value)
                return element_id(element.name);
        return "none";
    }
    Value id_value(MiniReplica const& site, char const* text) const {
        return Value(id(site, Value(text)));
    }
    static CommitPtr operate(MiniReplica& site, Object operation) {
        auto made = site.patch(kOrder, {{"lines", Value(std::move(operation))}});
        EXPECT_FALSE(site.error()) << site.error()->message;
        return made;
    }
    CommitPtr insert(MiniReplica& site, Value after, Value value) {
        return operate(
            site,
            {{"$insert", Value(Object{{"after", std::move(after)}, {"value", std::move(value)}})}});
    }
    CommitPtr set(MiniReplica& site, char const* element, Value value) {
        return operate(
            site,
            {{"$set",
              Value(Object{{"element", id_value(site, element)}, {"value", std::move(value)}})}});
    }
    CommitPtr move(MiniReplica& site, char const* element, Value after) {
        return operate(
            site,
            {{"$move",
              Value(Object{{"element", id_value(site, element)}, {"after", std::move(after)}})}});
    }
    CommitPtr remove(MiniReplica& site, char const* element) {
        return operate(site, {{"$remove", id_value(site, element)}});
    }
    CommitPtr assign(MiniReplica& site, Value value) {
        auto made = site.patch(kOrder, {{"lines", std::move(value)}});
        EXPECT_FALSE(site.error()) << site.error()->message;
        return made;
    }
    std::string refused(MiniReplica& site, Value value, ChangeError::Kind kind) {
        auto const before = site.bytes();
        EXPECT_EQ(site.patch(kOrder, {{"lines", std::move(value)}}), nullptr);
        EXPECT_EQ(site.bytes(), before);
        if (!site.error()) return "accepted";
        EXPECT_EQ(site.error()->kind, kind);
        EXPECT_EQ(site.error()->field, "lines");
        return site.error()->message;
    }
    void meet(MiniReplica& x, MiniReplica& y) {
        x.pull(y);
        y.pull(x);
        EXPECT_EQ(x.bytes(), y.bytes());
    }
    // a and b both hold the list.
    void begin(std::vector<char const*> const& items) {
        assign(a, texts(items));
        b.pull(a);
    }

    test::Schemas schemas_;
    MiniReplica a{ActorId{1}, "crm", schemas_};
    MiniReplica b{ActorId{2}, "shop", schemas_};
};

using Kind = ChangeError::Kind;

TEST_F(List, operators_do_what_they_say) {
    insert(a, Value(), Value("one"));
    insert(a, id_value(a, "one"), Value("three"));
    insert(a, id_value(a, "one"), Value("two"));
    insert(a, Value(), Value("zero"));
    EXPECT_EQ(read(a), texts({"zero", "one", "two", "three"}));
    set(a, "two", Value("2"));
    move(a, "three", Value());
    EXPECT_EQ(read(a), texts({"three", "zero", "one", "2"}));
    move(a, "three", id_value(a, "zero"));
    remove(a, "one");
    EXPECT_EQ(read(a), texts({"zero", "three", "2"}));
    EXPECT_TRUE(a.resolved(kOrder).conflicts.empty());
}

TEST_F(List, before_and_several_values_and_several_operations_at_once) {
    begin({"m"});
    operate(
        a,
        {{"$insert",
          Value(Array{Value(Object{{"before", id_value(a, "m")}, {"values", texts({"k", "l"})}}),
                      Value(Object{{"before", Value()}, {"value", Value("z")}})})}});
    EXPECT_EQ(read(a), texts({"k", "l", "m", "z"}));
    Object both{{"$insert", Value(Object{{"after", id_value(a, "z")}, {"value", Value("n")}})},
                {"$move", Value(Object{{"element", id_value(a, "k")}, {"before", Value()}})},
                {"$remove", Value(Array{id_value(a, "l"), id_value(a, "m")})},
                {"$set", Value(Object{{"element", id_value(a, "z")}, {"value", Value("Z")}})}};
    operate(a, Object(both));
    EXPECT_EQ(read(a), texts({"Z", "n", "k"}));
}

TEST_F(List, an_empty_list_is_there_and_null_takes_it_away) {
    EXPECT_EQ(read(a), Value("absent"));
    ASSERT_NE(assign(a, texts({})), nullptr);
    EXPECT_EQ(read(a), texts({}));
    EXPECT_EQ(assign(a, texts({})), nullptr);
    assign(a, texts({"x"}));
    a.patch(kOrder, {{"lines", Value()}});
    EXPECT_EQ(read(a), Value("absent"));
    EXPECT_TRUE(a.record(kOrder).under(at()).begin == a.record(kOrder).under(at()).end);
}

TEST_F(List, an_assigned_array_writes_only_the_difference) {
    begin({"a", "b", "c", "d"});
    auto const edits = [](CommitPtr const& made) { return made->entry.ops.at(0).edits.size(); };
    EXPECT_EQ(assign(a, texts({"a", "b", "c", "d"})), nullptr) << "E13";
    std::string const old_d = id(a, Value("d"));
    EXPECT_EQ(edits(assign(a, texts({"d", "a", "b", "c"}))), 1u) << "one element moves";
    EXPECT_EQ(id(a, Value("d")), old_d);
    EXPECT_EQ(edits(assign(a, texts({"d", "a", "B", "c"}))), 1u) << "one element is edited";
    EXPECT_EQ(edits(assign(a, texts({"d", "a", "c"}))), 1u) << "one goes";
    EXPECT_EQ(edits(assign(a, texts({"d", "a", "n", "n", "c"}))), 2u) << "two come";
    EXPECT_EQ(read(a), texts({"d", "a", "n", "n", "c"}));
}

TEST_F(List, in_long_lists_what_stays_in_its_order_is_not_moved) {
    auto const edits = [](CommitPtr const& made) { return made->entry.ops.at(0).edits.size(); };
    Array array;
    for (int i = 0; i < 2'100; ++i)
        array.push_back(Value(i));
    assign(a, Value(Array(array)));
    array.front() = Value("first");
    array.back() = Value("last");
    EXPECT_EQ(edits(assign(a, Value(Array(array)))), 2u) << "two elements are edited";
    array.front() = Value("other");
    array.back() = Value("end");
    std::rotate(array.begin() + 700, array.begin() + 705, array.begin() + 1'400);
    EXPECT_EQ(edits(assign(a, Value(Array(array)))), 7u) << "five of them are moved";
    EXPECT_EQ(read(a), Value(array));
}

// Which of many equal elements stays makes no difference to who reads them.
TEST_F(List, in_long_lists_of_few_values_what_stays_is_not_moved) {
    auto const edits = [](CommitPtr const& made) { return made->entry.ops.at(0).edits.size(); };
    Array array;
    for (int i = 0; i < 2'100; ++i)
        array.push_back(Value(i * i % 97));
    assign(a, Value(Array(array)));
    array.erase(array.begin());
    array.insert(array.begin() + 1'000, Value("new"));
    array.back() = Value("last");
    EXPECT_LE(edits(assign(a, Value(Array(array)))), 4u);
    EXPECT_EQ(read(a), Value(array));
}

TEST_F(List, long_lists_may_be_turned_round) {
    Array array;
    for (int i = 0; i < 3'000; ++i)
        array.push_back(Value(i));
    assign(a, Value(Array(array)));
    array.front() = Value("first");
    array.back() = Value("last");
    std::rotate(array.begin() + 10, array.begin() + 2'000, array.end() - 10);
    assign(a, Value(Array(array)));
    EXPECT_EQ(read(a), Value(array));
}

TEST_F(List, E13_what_changes_nothing_writes_nothing) {
    begin({"x", "y"});
    EXPECT_EQ(set(a, "x", Value("x")), nullptr);
    EXPECT_EQ(move(a, "y", id_value(a, "x")), nullptr);
    EXPECT_EQ(move(a, "x", Value()), nullptr);
    EXPECT_EQ(operate(a, {{"$insert", Value(Object{{"after", Value()}, {"values", texts({})}})}}),
              nullptr);
}

TEST_F(List, E15_concurrent_moves_leave_one_element_at_the_later_place) {
    begin({"x", "y", "z"});
    a.set_time(1'700'000'001'000);
    b.set_time(1'700'000'002'000);
    move(a, "x", id_value(a, "z"));
    move(b, "x", id_value(b, "y"));
    meet(a, b);
    EXPECT_EQ(read(a), texts({"y", "x", "z"}));
    move(a, "x", Value());
    meet(a, b);
    EXPECT_EQ(read(b), texts({"x", "y", "z"}));
    EXPECT_EQ(cells_at(b.record(kOrder),
                       element_place_path(list_state(b.record(kOrder), at()).shown[0].path))
                  .size(),
              1u);
}

TEST_F(List, E15_a_move_and_an_edit_at_the_same_time_both_hold) {
    begin({"x", "y"});
    move(a, "x", id_value(a, "y"));
    set(b, "x", Value("X"));
    meet(a, b);
    EXPECT_EQ(read(a), texts({"y", "X"}));
    EXPECT_TRUE(a.resolved(kOrder).conflicts.empty());
}

TEST_F(List, A2_a_removed_element_that_is_edited_at_the_same_time_comes_back_whole) {
    begin({"x", "y", "z"});
    move(a, "x", id_value(a, "y"));
    b.pull(a);
    remove(a, "x");
    set(b, "x", Value("X"));
    meet(a, b);
    EXPECT_EQ(read(a), texts({"y", "X", "z"})) << "at the place where it was";
    remove(b, "X");
    meet(a, b);
    EXPECT_EQ(read(a), texts({"y", "z"}));
}

TEST_F(List, A2_a_removed_element_that_is_moved_at_the_same_time_comes_back_whole) {
    begin({"x", "y"});
    remove(a, "x");
    move(b, "x", id_value(b, "y"));
    meet(a, b);
    EXPECT_EQ(read(a), texts({"y", "x"})) << "with its value";
}

TEST_F(List, a_write_to_an_element_that_came_back_takes_the_removal_away) {
    begin({"x"});
    remove(a, "x");
    set(b, "x", Value("X"));
    meet(a, b);
    auto const marked = [&] { return list_state(a.record(kOrder), at()).shown.at(0).marked; };
    ASSERT_TRUE(marked());
    set(a, "X", Value("X"));
    ASSERT_TRUE(list_state(a.record(kOrder), at()).shown.size() == 1);
    EXPECT_FALSE(marked());
    meet(a, b);
    EXPECT_EQ(read(b), texts({"X"}));
}

TEST_F(List, A10_two_removals_at_the_same_time_are_one) {
    begin({"x", "y"});
    remove(a, "x");
    remove(b, "x");
    meet(a, b);
    EXPECT_EQ(read(a), texts({"y"}));
    EXPECT_EQ(removed_elements(a.record(kOrder)).size(), 1u);
}

TEST_F(List, A7_an_edit_that_the_one_who_took_the_list_away_had_not_seen_stays) {
    begin({"x", "y"});
    a.patch(kOrder, {{"lines", Value()}});
    set(b, "x", Value("X"));
    move(b, "y", Value());
    meet(a, b);
    EXPECT_EQ(read(a), texts({"X"})) << "of y only a place is left: it is not shown";
    insert(a, Value(), Value("new"));
    meet(a, b);
    EXPECT_EQ(read(b), texts({"new", "X"}));
}

// Whoever took the list away does not know its places any more and takes them again; an edit at the
// same time keeps the old elements, so that two stand at each place.
TEST_F(List, something_can_stand_between_two_elements_of_one_place) {
    begin({"x", "y", "z"});
    a.patch(kOrder, {{"lines", Value()}});
    assign(a, texts({"x'", "y'", "z'"}));
    set(b, "x", Value("X"));
    set(b, "y", Value("Y"));
    set(b, "z", Value("Z"));
    meet(a, b);
    ASSERT_EQ(read(a), texts({"X", "x'", "Y", "y'", "Z", "z'"})) << "pairs at one place each";
    auto const twice = [this] { return std::pair(a, b); };

    auto [inserted, other] = twice();
    insert(inserted, id_value(inserted, "X"), Value("after X"));
    EXPECT_EQ(read(inserted), texts({"X", "after X", "x'", "Y", "y'", "Z", "z'"}));
    meet(inserted, other);
    EXPECT_TRUE(inserted.resolved(kOrder).conflicts.empty());

    auto [moved, elsewhere] = twice();
    operate(
        moved,
        {{"$move",
          Value(Object{{"element", id_value(moved, "z'")}, {"before", id_value(moved, "y'")}})}});
    EXPECT_EQ(read(moved), texts({"X", "x'", "Y", "z'", "y'", "Z"}));
    meet(moved, elsewhere);

    auto [assigned, third] = twice();
    Value const wanted = texts({"Z", "X", "1", "2", "x'", "Y", "3", "y'", "z'"});
    assign(assigned, wanted);
    EXPECT_EQ(read(assigned), wanted);
    meet(assigned, third);
}

TEST_F(List, A9_a_list_written_anew_shares_no_element_with_the_one_that_was_taken_away) {
    begin({"x"});
    a.erase(kOrder);
    a.put(kOrder, {{"lines", texts({"new"})}});
    set(b, "x", Value("X"));
    meet(a, b);
    EXPECT_EQ(read(a).as<Array>()->size(), 2u) << "an edit of the old element does not hit the new";
    EXPECT_TRUE(a.resolved(kOrder).conflicts.empty());
}

TEST_F(List, concurrent_runs_at_one_place_are_not_mixed) {
    begin({"x", "y"});
    std::string last_a = "x", last_b = "x";
    for (char const* item : {"a1", "a2", "a3"}) {
        insert(a, id_value(a, last_a.c_str()), Value(item));
        last_a = item;
    }
    for (char const* item : {"b3", "b2", "b1"})
        insert(b, id_value(b, "x"), Value(item));
    meet(a, b);
    auto const got = read(a);
    EXPECT_TRUE(got == texts({"x", "a1", "a2", "a3", "b1", "b2", "b3", "y"}) ||
                got == texts({"x", "b1", "b2", "b3", "a1", "a2", "a3", "y"}));
}

TEST_F(List, concurrent_edits_of_one_element_are_a_conflict_of_that_element) {
    begin({"x", "y"});
    a.set_time(1'700'000'001'000);
    b.set_time(1'700'000'002'000);
    set(a, "x", Value("A"));
    set(b, "x", Value("B"));
    meet(a, b);
    EXPECT_EQ(read(a), texts({"B", "y"}));
    auto const conflicts = a.resolved(kOrder).conflicts;
    ASSERT_EQ(conflicts.size(), 1u);
    EXPECT_EQ(conflicts[0].field, "lines." + id(a, Value("B")));
    ASSERT_EQ(conflicts[0].values.size(), 2u);
    EXPECT_EQ(conflicts[0].values[0].value, Value("B"));
    EXPECT_TRUE(conflicts[0].values[0].wins);
    EXPECT_EQ(conflicts[0].values[1].value, Value("A"));
    EXPECT_TRUE(may_conflict(a.record(kOrder)));

    auto const resolve_to = [&](std::string const& field, Value const& value) {
        return plan_resolution(a.record(kOrder),
                               schemas_["orders"],
                               kOrder,
                               field,
                               value,
                               Author{a.actor(), a.vv().at(a.actor()) + 1});
    };
    auto planned = resolve_to(conflicts[0].field, Value("A"));
    ASSERT_TRUE(std::holds_alternative<std::optional<Op>>(planned));
    a.commit_ops({*std::get<std::optional<Op>>(planned)});
    EXPECT_EQ(read(a), texts({"A", "y"}));
    EXPECT_TRUE(a.resolved(kOrder).conflicts.empty());
    EXPECT_TRUE(std::holds_alternative<ChangeError>(resolve_to("lines.00", Value("A"))));
    EXPECT_TRUE(
        std::holds_alternative<ChangeError>(resolve_to("no." + id(a, Value("A")), Value())));
}

TEST_F(List, an_assignment_settles_conflicts_of_elements_that_it_keeps) {
    begin({"x"});
    set(a, "x", Value("A"));
    set(b, "x", Value("B"));
    meet(a, b);
    ASSERT_NE(assign(a, read(a)), nullptr);
    EXPECT_TRUE(a.resolved(kOrder).conflicts.empty());
    EXPECT_EQ(assign(a, read(a)), nullptr);
}

TEST_F(List, lists_nest_in_maps_and_need_no_schema) {
    a.patch(kOrder,
            {{"m",
              Value(Object{
                  {"l",
                   Value(Object{
                       {"$insert", Value(Object{{"after", Value()}, {"value", Value(1)}})}})}})}});
    ASSERT_FALSE(a.error());
    a.patch(kOrder, {{"m", Value(Object{{"l", Value(Array{Value(1), Value(2)})}})}});
    std::string const nested = path_name(own_path(path_name({}, "m"), CellType::map), "l");
    EXPECT_EQ(list_state(a.record(kOrder), nested).shown.size(), 2u) << "an array stays a list";
    auto resolved = a.resolved(kOrder);
    name_elements(a.record(kOrder), schemas_["orders"], resolved.fields);
    auto const* list = find_member(resolved.fields, "m")->find("l")->as<Array>();
    ASSERT_EQ(list->size(), 2u);
    EXPECT_EQ(*(*list)[1].find("value"), Value(2));
    auto const name = parse_element_id(*(*list)[1].find("element")->as<std::string>());
    EXPECT_EQ(name, list_state(a.record(kOrder), nested).shown[1].name);
}

TEST_F(List, a_list_too_deep_in_maps_is_refused) {
    Value inner(Object{{"$insert", Value(Object{{"after", Value()}, {"value", Value(1)}})}});
    for (int depth = 0; depth < 13; ++depth)
        inner = Value(Object{{"m", std::move(inner)}});
    a.patch(kOrder, {{"m", Value(Object{{"m", inner}})}});
    ASSERT_TRUE(a.error());
    EXPECT_EQ(a.error()->kind, Kind::limit);
    a.patch(kOrder, {{"m", inner}});
    EXPECT_FALSE(a.error());
}

TEST_F(List, bad_operands_are_refused_by_name) {
    begin({"x"});
    auto const bad = [&](Object operation) {
        return refused(a, Value(std::move(operation)), Kind::bad_operation);
    };
    Value const x = id_value(a, "x");
    EXPECT_NE(bad({{"$remove", Value("00ff")}}).find("no element \"00ff\""), std::string::npos);
    EXPECT_NE(bad({{"$remove", Value("00ff")}}).find("?elements=true"), std::string::npos);
    EXPECT_NE(bad({{"$remove", Value(1)}}).find("by its id"), std::string::npos);
    EXPECT_NE(bad({{"$remove", Value(Array{x, x})}}).find("no element"), std::string::npos);
    EXPECT_NE(bad({{"$move", Value(Object{{"element", x}})}}).find("\"after\""), std::string::npos);
    EXPECT_NE(bad({{"$move", Value(Object{{"element", x}, {"after", x}})}}).find("beside itself"),
              std::string::npos);
    EXPECT_NE(bad({{"$move", Value(Object{{"element", x}, {"to", x}})}}).find("no \"to\""),
              std::string::npos);
    EXPECT_NE(bad({{"$insert", Value(Object{{"after", Value()}})}}).find("\"value\""),
              std::string::npos);
    EXPECT_NE(bad({{"$insert", Value("x")}}).find("takes an object"), std::string::npos);
    EXPECT_NE(bad({{"$insert",
                    Value(Object{{"after", Value()}, {"before", Value()}, {"value", Value(1)}})}})
                  .find("\"after\""),
              std::string::npos);
    EXPECT_NE(bad({{"$insert", Value(Object{{"after", Value()}, {"values", Value(1)}})}})
                  .find("\"values\""),
              std::string::npos);
    EXPECT_NE(bad({{"$set", Value(Object{{"element", x}})}}).find("\"value\""), std::string::npos);
    EXPECT_NE(
        bad({{"$set", Value(Object{{"element", x}, {"value", Value(Object{{"$a", Value()}})}})}})
            .find("cannot begin with $"),
        std::string::npos);
    EXPECT_NE(bad({{"$add", x}, {"$insert", x}}).find("does not go with"), std::string::npos);
    EXPECT_NE(refused(a, Value("text"), Kind::wrong_type).find("takes an array"),
              std::string::npos);
    std::string const large(kPayloadBytesMax, 'x');
    EXPECT_NE(refused(a, Value(Array{Value(large)}), Kind::limit).find("an element of"),
              std::string::npos);
}

TEST_F(List, a_removed_element_is_unknown_to_later_operations_of_the_same_change) {
    begin({"x"});
    Value const x = id_value(a, "x");
    Object const operation{{"$remove", x},
                           {"$set", Value(Object{{"element", x}, {"value", Value(1)}})}};
    EXPECT_NE(refused(a, Value(operation), Kind::bad_operation).find("no element"),
              std::string::npos);
}

TEST_F(List, what_one_transaction_inserts_and_removes_leaves_nothing) {
    begin({"x"});
    // The id of the element that an entry will make is known only inside the transaction.
    auto const made =
        a.commit({{test::Request::Kind::patch, kOrder, {{"lines", texts({"x", "y"})}}, {}},
                  {test::Request::Kind::patch, kOrder, {{"lines", texts({"x"})}}, {}}});
    EXPECT_EQ(made, nullptr);
    EXPECT_FALSE(a.error());
}

TEST_F(List, a_place_deeper_than_the_limit_is_refused_with_a_clear_message) {
    std::vector<Waypoint> path(kPositionDepthMax, {Side::right, {1, ActorId{9}}, 0, 0});
    Op op;
    op.kind = 1;
    op.collection = kOrder.collection;
    op.key = kOrder.key;
    op.fresh = true;
    for (char const* value : {"x", "y"}) {
        op.edits.push_back(
            {1, element_value_path(element_path(at(), 1, Position(path))), encode(Value(value))});
        path.back().run.counter = 2;
    }
    b.commit_ops({op});
    a.pull(b);
    ASSERT_EQ(read(a), texts({"x", "y"}));
    Object const insertion{{"after", id_value(a, "x")}, {"value", Value("no")}};
    std::string const message =
        refused(a, Value(Object{{"$insert", Value(insertion)}}), Kind::limit);
    EXPECT_NE(message.find("write it anew"), std::string::npos);
    insert(a, id_value(a, "y"), Value("z"));
    EXPECT_EQ(read(a), texts({"x", "y", "z"}));
    assign(a, Value());
    assign(a, texts({"x"}));
    EXPECT_EQ(read(a), texts({"x"}));
}

TEST_F(List, cells_that_nobody_would_write_are_skipped) {
    begin({"x"});
    std::string const own = own_path(at(), CellType::list);
    std::string const element = list_state(a.record(kOrder), at()).shown[0].path;
    Record record = a.record(kOrder);
    auto const put = [&](std::string path, std::string payload) {
        record.insert({std::move(path), {ActorId{7}, 1}, {}, "", std::move(payload)});
    };
    put(path_child(own, "no position", CellType::element), "");
    put(element_value_path(path_child(own, "no position", CellType::element)), encode(Value(1)));
    put(path_child(own, "x", CellType::register_), encode(Value(1)));
    put(element_value_path(element), "\xff");
    put(element_place_path(element), "\xff");
    put(element_marker_path(element), "\xff");
    put(element_value_path(element_path(at(), 1, between(nullptr, nullptr, ActorId{7}, 0))),
        "\xff");
    auto const state = list_state(record, at());
    ASSERT_EQ(state.shown.size(), 1u);
    EXPECT_EQ(state.shown[0].values.size(), 1u);
}

TEST_F(List, ids_are_hexadecimal_and_others_are_none) {
    begin({"x"});
    std::string const text = id(a, Value("x"));
    EXPECT_EQ(element_id(*parse_element_id(text)), text);
    EXPECT_FALSE(parse_element_id(""));
    EXPECT_FALSE(parse_element_id("0"));
    EXPECT_FALSE(parse_element_id("zz"));
    EXPECT_FALSE(parse_element_id("01"));
    EXPECT_FALSE(parse_element_id(text + "00"));
    EXPECT_FALSE(parse_element_id("AB" + text));
}

}  // namespace
}  // namespace inos
