// What a user sees of cells: policies, conflicts, and fields that two sites use with two types.
#include "crdt/resolve.hpp"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "crdt/types/types.hpp"

namespace inos {
namespace {

std::string at(std::string_view field, CellType type) {
    return path_child({}, field, type);
}

struct Written {
    Value value;
    Dot dot;
    std::uint64_t ms;
    std::string source;
};

Record registers(std::string_view field, std::vector<Written> const& writes) {
    Record record;
    for (Written const& w : writes)
        record.insert(
            {at(field, CellType::register_), w.dot, Hlc::from(w.ms, 0), w.source, encode(w.value)});
    return record;
}

CollectionSchema with(FieldSchema field, char const* name = "f") {
    CollectionSchema schema;
    schema.fields[name] = std::move(field);
    return schema;
}

FieldSchema policy(RegisterPolicy p) {
    FieldSchema field;
    field.policy = p;
    return field;
}

Value shown(Record const& record, CollectionSchema const& schema, char const* name = "f") {
    auto const fields = resolve(record, schema).fields;
    auto const* value = find_member(fields, name);
    // Read alone it is the same.
    auto const alone = resolve_fields(record, schema, {name, "another", name});
    auto const expected = value ? Object{{name, *value}} : Object();
    EXPECT_EQ(alone, expected);
    return value ? *value : Value("absent");
}

constexpr Dot kA1{ActorId{1}, 1}, kB1{ActorId{2}, 1}, kB2{ActorId{2}, 2}, kC1{ActorId{3}, 1};

TEST(Resolve, latest_is_by_hlc_then_by_dot) {
    CollectionSchema const none;
    EXPECT_EQ(shown(registers("f", {{Value("a"), kA1, 9, ""}, {Value("b"), kB1, 8, ""}}), none),
              Value("a"));
    EXPECT_EQ(shown(registers("f", {{Value("a"), kA1, 9, ""}, {Value("b"), kB1, 9, ""}}), none),
              Value("b"));
    EXPECT_EQ(shown(registers("f", {{Value("a"), kB2, 9, ""}, {Value("b"), kB1, 9, ""}}), none),
              Value("a"));
}

TEST(Resolve, priority_is_by_source_then_latest) {
    FieldSchema field = policy(RegisterPolicy::priority);
    field.ranking = {"crm", "manager"};
    auto const schema = with(field);
    auto const record = registers("f",
                                  {{Value("crm"), kA1, 1, "crm"},
                                   {Value("manager"), kB1, 2, "manager"},
                                   {Value("shop"), kC1, 3, "shop"}});
    EXPECT_EQ(shown(record, schema), Value("crm"));
    EXPECT_EQ(
        shown(registers("f", {{Value("shop"), kC1, 3, "shop"}, {Value("web"), kA1, 4, "web"}}),
              schema),
        Value("web"))
        << "unlisted ones by time";
    EXPECT_EQ(
        shown(registers("f", {{Value("old"), kC1, 3, "manager"}, {Value("web"), kA1, 4, "web"}}),
              schema),
        Value("old"));
}

TEST(Resolve, order_lets_the_later_value_of_the_list_win) {
    FieldSchema field = policy(RegisterPolicy::order);
    field.order = {"subscribed", "unsubscribed"};
    auto const schema = with(field);
    EXPECT_EQ(shown(registers("f",
                              {{Value("unsubscribed"), kA1, 1, ""},
                               {Value("subscribed"), kB1, 2, ""},
                               {Value("other"), kC1, 3, ""},
                               {Value(7), kB2, 4, ""}}),
                    schema),
              Value("unsubscribed"));
}

TEST(Resolve, keep_all_reads_as_an_array_of_differing_values) {
    auto const schema = with(policy(RegisterPolicy::keep_all));
    EXPECT_EQ(shown(registers("f", {{Value("a"), kA1, 1, ""}}), schema), Value(Array{Value("a")}));
    EXPECT_EQ(
        shown(registers(
                  "f",
                  {{Value("a"), kA1, 1, ""}, {Value("b"), kB1, 2, ""}, {Value("a"), kC1, 3, ""}}),
              schema),
        Value(Array{Value("a"), Value("b")}));
}

TEST(Resolve, a_policy_of_a_newer_version_reads_as_keep_all) {
    FieldSchema field;
    field.policy_known = false;
    EXPECT_EQ(
        shown(registers("f", {{Value("a"), kA1, 1, ""}, {Value("b"), kB1, 2, ""}}), with(field)),
        Value(Array{Value("b"), Value("a")}));
}

// Three siblings in every order of (rank, hlc, actor): the winner is always the highest of one
// total order, and the rest stand as the conflict in that order.
TEST(Resolve, B9_a_three_way_tie_is_decided_the_same_in_every_order) {
    FieldSchema field = policy(RegisterPolicy::priority);
    field.ranking = {"crm", "shop"};
    auto const schema = with(field);
    std::array<char const*, 3> const sources{"crm", "shop", "other"};
    for (int code = 0; code < 3 * 3 * 3 * 2 * 2 * 2; ++code) {
        int rest = code;
        auto const digit = [&rest](int base) {
            int const d = rest % base;
            rest /= base;
            return static_cast<std::size_t>(d);
        };
        std::vector<Written> writes;
        for (std::uint64_t i = 0; i < 3; ++i) {
            std::size_t const source = digit(3);
            std::uint64_t const ms = 10 + digit(2);
            writes.push_back(
                {Value(static_cast<std::int64_t>(i)), {ActorId{i + 1}, 1}, ms, sources[source]});
        }
        auto const key = [&](Written const& w) {
            auto const rank = std::find(sources.begin(), sources.end(), w.source) - sources.begin();
            return std::tuple(-rank, w.ms, w.dot.actor);
        };
        auto best = writes;
        std::sort(best.begin(), best.end(), [&](auto const& x, auto const& y) {
            return key(y) < key(x);
        });
        auto const resolved = resolve(registers("f", writes), schema);
        ASSERT_EQ(resolved.fields[0].value, best[0].value) << code;
        ASSERT_EQ(resolved.conflicts.size(), 1u);
        for (std::size_t i = 0; i < 3; ++i) {
            ASSERT_EQ(resolved.conflicts[0].values[i].value, best[i].value) << code;
            ASSERT_EQ(resolved.conflicts[0].values[i].wins, i == 0);
        }
        std::reverse(writes.begin(), writes.end());
        ASSERT_EQ(resolve(registers("f", writes), schema), resolved);
    }
}

TEST(Resolve, B13_losing_values_stay_readable_with_who_and_when) {
    auto const resolved =
        resolve(registers("f", {{Value("a"), kA1, 1, "crm"}, {Value("b"), kB1, 2, "shop"}}), {});
    ASSERT_EQ(resolved.conflicts.size(), 1u);
    auto const& values = resolved.conflicts[0].values;
    ASSERT_EQ(values.size(), 2u);
    EXPECT_EQ(resolved.conflicts[0].field, "f");
    EXPECT_EQ(values[0], (ConflictValue{Value("b"), kB1, Hlc::from(2, 0), "shop", true}));
    EXPECT_EQ(values[1], (ConflictValue{Value("a"), kA1, Hlc::from(1, 0), "crm", false}));
}

TEST(Resolve, equal_values_of_two_sites_are_no_conflict) {
    auto const resolved =
        resolve(registers("f", {{Value("a"), kA1, 1, ""}, {Value("a"), kB1, 2, ""}}), {});
    EXPECT_TRUE(resolved.conflicts.empty());
}

TEST(Resolve, E9_a_field_of_two_types_reads_the_schemas_and_reports_the_other) {
    Record record = registers("f", {{Value("text"), kA1, 9, "crm"}});
    record.insert(
        {at("f", CellType::counter), kB1, Hlc::from(1, 0), "shop", RunCell{4, 1}.encode()});
    FieldSchema counter;
    counter.type = CellType::counter;
    auto const by_schema = resolve(record, with(counter));
    EXPECT_EQ(by_schema.fields[0].value, Value(4));
    ASSERT_EQ(by_schema.conflicts.size(), 1u);
    EXPECT_EQ(by_schema.conflicts[0].values[0].value, Value(4));
    EXPECT_TRUE(by_schema.conflicts[0].values[0].wins);
    EXPECT_EQ(by_schema.conflicts[0].values[1].value, Value("text"));
    auto const by_time = resolve(record, {});
    EXPECT_EQ(by_time.fields[0].value, Value("text")) << "without a schema the latest cell's";
    ASSERT_EQ(by_time.conflicts.size(), 1u);
    EXPECT_EQ(by_time.conflicts[0].values[1].value, Value(4));
}

TEST(Resolve, E9_a_field_whose_only_type_is_not_the_schemas_is_absent_and_reported) {
    FieldSchema set;
    set.type = CellType::set;
    auto const resolved = resolve(registers("f", {{Value("text"), kA1, 9, "crm"}}), with(set));
    EXPECT_TRUE(resolved.fields.empty());
    ASSERT_EQ(resolved.conflicts.size(), 1u);
    EXPECT_EQ(resolved.conflicts[0].values[1].value, Value("text"));
}

TEST(Resolve, enable_wins_or_disable_by_schema) {
    Record record;
    std::string const flag = at("f", CellType::flag);
    record.insert({path_child(flag, "1", CellType::element), kA1, Hlc::from(1, 0), "crm", ""});
    record.insert({path_child(flag, "0", CellType::element), kB1, Hlc::from(9, 0), "shop", ""});
    FieldSchema field;
    field.type = CellType::flag;
    auto const enable = resolve(record, with(field));
    EXPECT_EQ(enable.fields[0].value, Value(true));
    ASSERT_EQ(enable.conflicts.size(), 1u);
    EXPECT_EQ(enable.conflicts[0].values[0].value, Value(true));
    field.disable_wins = true;
    EXPECT_EQ(resolve(record, with(field)).fields[0].value, Value(false));
}

TEST(Resolve, E10_null_empty_text_and_absent_are_three_things) {
    Record record = registers("null", {{Value(), kA1, 1, ""}});
    record.insert({at("empty", CellType::register_), kA1, Hlc::from(1, 0), "", encode(Value(""))});
    auto const fields = resolve(record, {}).fields;
    ASSERT_EQ(fields.size(), 2u);
    EXPECT_EQ(*find_member(fields, "null"), Value());
    EXPECT_EQ(*find_member(fields, "empty"), Value(""));
    EXPECT_EQ(find_member(fields, "absent"), nullptr);
}

TEST(Resolve, E3_a_counters_sum_stays_at_the_ends_of_the_range_in_any_order) {
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    Record record;
    std::int64_t const totals[] = {kMost, kMost, -kMost, 5};
    for (std::uint64_t i = 0; i < 4; ++i)
        record.insert({at("f", CellType::counter),
                       {ActorId{i + 1}, 1},
                       Hlc::from(1, 0),
                       "",
                       RunCell{totals[i], 1}.encode()});
    EXPECT_EQ(shown(record, {}), Value(kMost));
    record.insert({at("f", CellType::counter),
                   {ActorId{9}, 1},
                   Hlc::from(1, 0),
                   "",
                   RunCell{-6, 1}.encode()});
    EXPECT_EQ(shown(record, {}), Value(kMost - 1)) << "the sum is taken before it is cut";
}

TEST(Resolve, D12_cells_of_an_unknown_type_are_not_shown_and_harm_nothing) {
    Record record = registers("f", {{Value("a"), kA1, 1, ""}});
    record.insert({at("f", static_cast<CellType>(0x2a)), kB1, Hlc::from(0, 0), "", "?"});
    record.insert({at("g", static_cast<CellType>(0x2a)), kB1, Hlc::from(9, 0), "", "?"});
    record.insert({std::string("\1"), kB1, Hlc::from(9, 0), "", "a path cut short"});
    auto const resolved = resolve(record, {});
    EXPECT_EQ(resolved.fields, (Object{{"f", Value("a")}}));
}

TEST(Resolve, a_conflict_inside_a_map_names_its_leaf) {
    std::string const map = at("m", CellType::map);
    Record record;
    for (Dot const dot : {kA1, kB1})
        record.insert({path_child(map, "k", CellType::register_),
                       dot,
                       Hlc::from(1, 0),
                       "",
                       encode(Value(static_cast<std::int64_t>(dot.actor.value)))});
    auto const resolved = resolve(record, {});
    ASSERT_EQ(resolved.conflicts.size(), 1u);
    EXPECT_EQ(resolved.conflicts[0].field, "m.k");
    EXPECT_EQ(resolved.fields[0].value, Value(Object{{"k", Value(2)}}));
}

TEST(TypeList, names_and_numbers_lead_to_each_type) {
    for (TypeRules const& rules : type_list()) {
        EXPECT_EQ(rules_of(rules.type)->name, rules.name);
        EXPECT_EQ(rules_of(std::string_view(rules.name))->type, rules.type);
        EXPECT_STREQ(type_name(rules.type), rules.name);
    }
    EXPECT_EQ(rules_of(static_cast<CellType>(0x2a)), nullptr);
    EXPECT_EQ(rules_of(std::string_view("cuonter")), nullptr);
    EXPECT_EQ(type_name(static_cast<CellType>(0x2a)), nullptr);
}

}  // namespace
}  // namespace inos
