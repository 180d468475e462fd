// From what people ask for to ops: what makes a dot and what does not, and what is refused.
#include "crdt/change.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/support/mini_replica.hpp"

namespace inos {
namespace {

using test::MiniReplica;
using test::Request;

constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
RecordName const kAnn{"customers", "ann"};

class Change : public testing::Test {
protected:
    Change() {
        auto& fields = schemas_["customers"].fields;
        fields["name"].type = CellType::register_;
        fields["notes"].policy = RegisterPolicy::keep_all;
        fields["points"].type = CellType::counter;
        fields["tags"].type = CellType::set;
        fields["vip"].type = CellType::flag;
        fields["contact"].type = CellType::map;
        fields["future"].type_known = false;
        fields["lines"].type = CellType::element;  // of no field in this version
    }

    static Value op(char const* name, Value operand) {
        return Value(Object{{name, std::move(operand)}});
    }
    Object fields() const { return a.resolved(kAnn).fields; }
    Value read(char const* field) const {
        auto const all = fields();
        auto const* value = find_member(all, field);
        return value ? *value : Value("absent");
    }
    std::optional<ChangeError::Kind> refused(char const* field, Value value) {
        auto const before = a.bytes();
        EXPECT_EQ(a.patch(kAnn, {{field, std::move(value)}}), nullptr);
        EXPECT_EQ(a.bytes(), before);
        if (!a.error()) return std::nullopt;
        EXPECT_EQ(a.error()->field.substr(0, std::string(field).size()), field);
        EXPECT_FALSE(a.error()->message.empty());
        return a.error()->kind;
    }

    test::Schemas schemas_;
    MiniReplica a{ActorId{1}, "crm", schemas_};
    MiniReplica b{ActorId{2}, "shop", schemas_};
};

using Kind = ChangeError::Kind;

TEST_F(Change, E13_writing_what_is_there_already_makes_no_dot) {
    Object const all{{"contact", Value(Object{{"mail", Value("m")}, {"none", Value()}})},
                     {"free", Value(Array{Value(1)})},
                     {"name", Value("Ann")},
                     {"notes", Value("n")},
                     {"points", Value(5)},
                     {"tags", Value(Array{Value("b"), Value("a")})},
                     {"vip", Value(true)}};
    ASSERT_NE(a.put(kAnn, all), nullptr);
    EXPECT_EQ(a.put(kAnn, all), nullptr);
    EXPECT_FALSE(a.error());
    EXPECT_EQ(a.patch(kAnn, {{"name", Value("Ann")}}), nullptr);
    EXPECT_EQ(a.patch(kAnn, {{"unset", Value()}}), nullptr);
    EXPECT_EQ(a.patch(kAnn, {}), nullptr);
    EXPECT_EQ(a.vv().at(a.actor()), 1u);
    EXPECT_EQ(a.put(kAnn, fields()), nullptr) << "nor does putting back what was read";
    EXPECT_FALSE(a.error());
}

TEST_F(Change, E13_a_field_with_siblings_is_written_even_with_the_value_that_wins) {
    a.put(kAnn, {{"name", Value("Ann")}});
    b.put(kAnn, {{"name", Value("Anna")}});
    a.pull(b);
    ASSERT_EQ(a.resolved(kAnn).conflicts.size(), 1u);
    EXPECT_NE(a.patch(kAnn, {{"name", read("name")}}), nullptr);
    EXPECT_TRUE(a.resolved(kAnn).conflicts.empty());
}

TEST_F(Change, E13_putting_back_several_kept_values_changes_nothing) {
    a.put(kAnn, {{"notes", Value("x")}});
    b.put(kAnn, {{"notes", Value("y")}});
    a.pull(b);
    ASSERT_EQ(read("notes").as<Array>()->size(), 2u);
    EXPECT_EQ(a.put(kAnn, fields()), nullptr);
    EXPECT_NE(a.patch(kAnn, {{"notes", Value("z")}}), nullptr);
    EXPECT_EQ(read("notes"), Value(Array{Value("z")}));
}

TEST_F(Change, put_replaces_and_patch_merges) {
    a.put(kAnn, {{"name", Value("Ann")}, {"x", Value(Object{{"k", Value(1)}, {"l", Value(2)}})}});
    a.patch(kAnn, {{"x", Value(Object{{"k", Value()}, {"m", Value(3)}})}});
    EXPECT_EQ(read("x"), Value(Object{{"l", Value(2)}, {"m", Value(3)}}));
    EXPECT_EQ(read("name"), Value("Ann"));
    a.put(kAnn, {{"x", Value(Object{{"l", Value(2)}})}});
    EXPECT_EQ(fields(), (Object{{"x", Value(Object{{"l", Value(2)}})}}));
}

TEST_F(Change, E10_null_unsets_in_a_patch_and_is_a_value_in_a_put) {
    a.put(kAnn, {{"name", Value()}, {"x", Value("")}});
    EXPECT_EQ(read("name"), Value());
    EXPECT_EQ(read("x"), Value(""));
    a.patch(kAnn, {{"name", Value()}});
    EXPECT_EQ(read("name"), Value("absent"));
    a.patch(kAnn, {{"name", op("$null", Value(true))}});
    EXPECT_EQ(read("name"), Value());
}

TEST_F(Change, an_empty_object_is_a_map_that_is_there) {
    a.put(kAnn, {{"contact", Value(Object{})}, {"x", Value(Object{})}});
    EXPECT_EQ(read("contact"), Value(Object{}));
    EXPECT_EQ(read("x"), Value(Object{}));
    a.patch(kAnn, {{"x", Value()}});
    EXPECT_EQ(read("x"), Value("absent"));
}

TEST_F(Change, operations_do_what_they_say) {
    a.put(kAnn, {});
    a.patch(kAnn,
            {{"points", op("$inc", Value(3))},
             {"tags", op("$add", Value(Array{Value("a"), Value("b")}))},
             {"vip", op("$enable", Value(true))}});
    a.patch(kAnn,
            {{"points", op("$inc", Value(-1))},
             {"tags", Value(Object{{"$add", Value("c")}, {"$remove", Value("a")}})},
             {"vip", op("$enable", Value(false))}});
    EXPECT_EQ(fields(),
              (Object{{"points", Value(2)},
                      {"tags", Value(Array{Value("b"), Value("c")})},
                      {"vip", Value(false)}}));
    EXPECT_NE(a.patch(kAnn, {{"tags", op("$add", Value("b"))}}), nullptr) << "$add always writes";
    EXPECT_NE(a.patch(kAnn, {{"vip", op("$enable", Value(false))}}), nullptr);
}

TEST_F(Change, a_counter_set_to_a_number_counts_the_difference) {
    a.put(kAnn, {{"points", Value(5)}});
    b.pull(a);
    a.patch(kAnn, {{"points", Value(7)}});
    b.patch(kAnn, {{"points", Value(8)}});
    a.pull(b);
    EXPECT_EQ(read("points"), Value(10));
}

TEST_F(Change, E3_a_counter_never_leaves_its_range) {
    a.put(kAnn, {{"points", Value(kMost)}});
    EXPECT_EQ(refused("points", op("$inc", Value(1))), Kind::limit);
    EXPECT_EQ(refused("points", Value(-2)), Kind::limit);
    EXPECT_NE(a.patch(kAnn, {{"points", op("$inc", Value(-1))}}), nullptr);
    EXPECT_EQ(read("points"), Value(kMost - 1));
}

TEST_F(Change, values_that_do_not_fit_are_refused) {
    a.put(kAnn, {{"points", Value(1)}, {"free", Value("f")}});
    EXPECT_EQ(refused("points", Value("1")), Kind::wrong_type);
    EXPECT_EQ(refused("points", Value(1.0)), Kind::wrong_type);
    EXPECT_EQ(refused("tags", Value("a")), Kind::wrong_type);
    EXPECT_EQ(refused("vip", Value(1)), Kind::wrong_type);
    EXPECT_EQ(refused("contact", Value("m")), Kind::wrong_type);
    EXPECT_EQ(refused("name", op("$inc", Value(1))), Kind::wrong_type);
    EXPECT_EQ(refused("free", op("$add", Value(1))), Kind::wrong_type);
    EXPECT_EQ(refused("points", op("$null", Value(true))), Kind::wrong_type);
    EXPECT_EQ(refused("points", op("$inc", Value(0.5))), Kind::bad_operation);
    EXPECT_EQ(refused("points", op("$dec", Value(1))), Kind::bad_operation);
    EXPECT_EQ(refused("vip", op("$enable", Value(1))), Kind::bad_operation);
    EXPECT_EQ(refused("name", op("$null", Value(false))), Kind::bad_operation);
    EXPECT_EQ(
        refused("tags", Value(Object{{"$add", Value("a")}, {"$remove", Value(Array{Value("a")})}})),
        Kind::bad_operation);
    EXPECT_EQ(refused("tags", Value(Object{{"$add", Value("a")}, {"$inc", Value(1)}})),
              Kind::bad_operation);
    EXPECT_EQ(refused("tags", Value(Object{{"$add", Value("a")}, {"x", Value(1)}})),
              Kind::bad_operation);
    EXPECT_EQ(refused("free", Value(Array{op("$inc", Value(1))})), Kind::bad_operation);
}

TEST_F(Change, D12_a_type_that_this_version_cannot_write_is_refused_not_overwritten) {
    a.put(kAnn, {});
    EXPECT_EQ(refused("future", Value(1)), Kind::wrong_type);
    EXPECT_EQ(refused("future", op("$null", Value(true))), Kind::wrong_type);
    EXPECT_EQ(refused("future", op("$inc", Value(1))), Kind::wrong_type);
    EXPECT_EQ(refused("lines", Value(Array{})), Kind::wrong_type);
    EXPECT_EQ(refused("lines", op("$null", Value(true))), Kind::wrong_type);
}

TEST_F(Change, names_are_checked) {
    EXPECT_EQ(refused("", Value(1)), Kind::limit);
    EXPECT_EQ(refused("$x", Value(1)), Kind::limit);
    EXPECT_EQ(refused("a\n", Value(1)), Kind::limit);
    EXPECT_EQ(refused("x", Value(Object{{"", Value(1)}})), Kind::limit);
    EXPECT_EQ(refused("x", Value(Object{{std::string(257, 'k'), Value(1)}})), Kind::limit);
}

TEST_F(Change, maps_nest_up_to_a_limit_that_counts_levels_and_not_dots) {
    auto const nest = [](int levels, std::string const& key) {
        Value value(Object{{"$add", Value("e")}});  // an element lies one segment deeper
        for (int i = 1; i < levels; ++i)
            value = Value(Object{{key, value}});
        return value;
    };
    EXPECT_NE(a.patch(kAnn, {{"x", nest(kPathDepthMax - 1, "k")}}), nullptr);
    EXPECT_EQ(refused("y", nest(kPathDepthMax, "k")), Kind::limit);
    EXPECT_NE(a.patch(kAnn, {{"z", nest(2, "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17")}}),
              nullptr);
}

TEST_F(Change, a_value_that_could_not_be_read_back_is_refused) {
    a.put(kAnn, {});
    Value deep(1);
    for (int i = 0; i <= kValueDepthMax; ++i)
        deep = Value(Array{deep});
    EXPECT_EQ(refused("name", deep), Kind::limit);
    EXPECT_EQ(refused("tags", Value(Array{deep})), Kind::limit);
    EXPECT_EQ(refused("tags", op("$add", Value(Array{deep}))), Kind::limit);
    EXPECT_EQ(refused("name", Value(std::nan(""))), Kind::limit);
    EXPECT_EQ(refused("name", Value("\xff")), Kind::limit);
    EXPECT_EQ(refused("name", Value(std::string(kPayloadBytesMax, 'x'))), Kind::limit);
    EXPECT_EQ(refused("tags", Value(Array{Value(std::string(kPayloadBytesMax, 'x'))})),
              Kind::limit);
}

TEST_F(Change, a_transaction_with_one_bad_change_does_nothing) {
    RecordName const bob{"customers", "bob"};
    EXPECT_EQ(a.commit({{Request::Kind::put, bob, {{"name", Value("Bob")}}, {}},
                        {Request::Kind::patch, kAnn, {{"points", Value("?")}}, {}}}),
              nullptr);
    EXPECT_TRUE(a.records().empty());
}

TEST_F(Change, compose_two_changes_of_one_record_are_one_op) {
    a.put(kAnn, {{"name", Value("Ann")}, {"points", Value(1)}});
    auto const commit =
        a.commit({{Request::Kind::patch, kAnn, {{"name", Value("A")}, {"points", Value(4)}}, {}},
                  {Request::Kind::patch,
                   kAnn,
                   {{"name", Value("B")}, {"points", op("$inc", Value(1))}},
                   {}}});
    ASSERT_NE(commit, nullptr);
    ASSERT_EQ(commit->entry.ops.size(), 1u);
    EXPECT_EQ(commit->entry.ops[0].edits.size(), 2u);
    EXPECT_EQ(read("name"), Value("B"));
    EXPECT_EQ(read("points"), Value(5));
}

TEST_F(Change, compose_a_record_made_and_deleted_at_once_leaves_nothing) {
    EXPECT_EQ(a.commit({{Request::Kind::put, kAnn, {{"name", Value("A")}}, {}},
                        {Request::Kind::delete_, kAnn, {}, {}}}),
              nullptr);
    EXPECT_TRUE(a.records().empty());
}

TEST_F(Change, compose_a_field_added_and_unset_at_once_leaves_nothing) {
    a.put(kAnn, {{"name", Value("A")}});
    EXPECT_EQ(a.commit({{Request::Kind::patch, kAnn, {{"x", Value(1)}}, {}},
                        {Request::Kind::patch, kAnn, {{"x", Value()}}, {}}}),
              nullptr);
    EXPECT_EQ(a.commit({{Request::Kind::patch, kAnn, {{"points", Value(1)}}, {}},
                        {Request::Kind::patch, kAnn, {{"points", Value()}}, {}}}),
              nullptr);
    EXPECT_EQ(fields(), (Object{{"name", Value("A")}}));
}

TEST_F(Change, compose_deleted_and_made_again_at_once_starts_afresh) {
    a.put(kAnn, {{"name", Value("A")}, {"points", Value(9)}});
    a.commit({{Request::Kind::delete_, kAnn, {}, {}},
              {Request::Kind::put, kAnn, {{"points", Value(1)}}, {}},
              {Request::Kind::patch, kAnn, {{"points", op("$inc", Value(1))}}, {}}});
    EXPECT_EQ(fields(), (Object{{"points", Value(2)}}));
}

TEST_F(Change, a_delete_of_what_is_not_there_makes_no_op) {
    EXPECT_EQ(a.erase(kAnn), nullptr);
    a.put(kAnn, {});
    EXPECT_NE(a.erase(kAnn), nullptr);
    EXPECT_EQ(a.erase(kAnn), nullptr);
}

}  // namespace
}  // namespace inos
