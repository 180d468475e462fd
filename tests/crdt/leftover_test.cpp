// What is left of a value that was taken away while another site went on with it: it is no value,
// so it decides nothing beside one that is, and what it stands for stays visible as a conflict.
#include <gtest/gtest.h>

#include "tests/support/mini_rights.hpp"

namespace inos::test {
namespace {

constexpr std::uint64_t kNow = 1'700'000'000'000, kMinute = 60'000;
RecordName const kAnn{"free", "ann"};

Value operation(char const* name, Value operand) {
    return Value(Object{{name, std::move(operand)}});
}
Value inc(std::int64_t n) {
    return operation("$inc", Value(n));
}

class Leftover : public testing::Test {
protected:
    Leftover() {
        auto& fields = schemas_["stocked"].fields;
        fields["stock"].type = CellType::bounded_counter;
        fields["lines"].type = CellType::list;
    }

    // Both sites change what both have, A later than B; then both know all.
    void at_once(RecordName const& name, Object of_a, Object of_b) {
        a.set_time(kNow + kMinute);
        b.set_time(kNow);
        EXPECT_NE(a.patch(name, std::move(of_a)), nullptr);
        EXPECT_NE(b.patch(name, std::move(of_b)), nullptr);
        sync();
    }
    void sync() {
        a.pull(b);
        b.pull(a);
        ASSERT_EQ(a.bytes(), b.bytes());
    }
    Value read(char const* field, RecordName const& name = kAnn) const {
        auto const fields = b.resolved(name).fields;
        auto const* value = find_member(fields, field);
        return value ? *value : Value("absent");
    }
    // "field: shown | loser, ..." of the only conflict; the fields of all where there are more.
    std::string conflicts(RecordName const& name = kAnn) const {
        std::string out;
        for (Conflict const& conflict : b.resolved(name).conflicts) {
            out += (out.empty() ? "" : "; ") + conflict.field + ":";
            for (ConflictValue const& value : conflict.values) {
                auto const* text = value.value.as<std::string>();
                out += value.lost              ? " increment"
                       : text                  ? " " + *text
                       : value.value.is_null() ? " nothing"
                                               : " other";
                if (value.wins) out += " |";
            }
        }
        return out;
    }
    void decide(MiniReplica& site, char const* field, Value const& value) {
        auto const planned = plan_resolution(site.record(kAnn),
                                             site.schema(kAnn),
                                             kAnn,
                                             field,
                                             value,
                                             {site.actor(), site.vv().at(site.actor()) + 1});
        ASSERT_TRUE(std::holds_alternative<std::optional<Op>>(planned));
        ASSERT_TRUE(std::get<std::optional<Op>>(planned).has_value());
        site.commit_ops({*std::get<std::optional<Op>>(planned)});
    }

    Schemas schemas_;
    MiniReplica a{ActorId{1}, "crm", schemas_};
    MiniReplica b{ActorId{2}, "shop", schemas_};
};

TEST_F(Leftover, a_later_increment_of_a_counter_that_is_gone_does_not_hide_a_value) {
    a.put(kAnn, {{"points", inc(10)}});
    sync();
    at_once(kAnn, {{"points", inc(2)}}, {{"points", Value("gold")}});
    EXPECT_EQ(read("points"), Value("gold"));
    EXPECT_EQ(conflicts(), "points: gold | increment");
    EXPECT_TRUE(may_conflict(b.record(kAnn)));
    EXPECT_EQ(b.put(kAnn, b.resolved(kAnn).fields), nullptr);
    b.patch(kAnn, {{"points", Value("silver")}});
    EXPECT_EQ(read("points"), Value("silver"));
    EXPECT_EQ(conflicts(), "");
}

TEST_F(Leftover, nor_does_it_make_the_rest_of_its_counter_the_newest) {
    MiniReplica c(ActorId{3}, "web", schemas_);
    a.set_time(kNow - 2 * kMinute);
    a.put(kAnn, {{"points", inc(10)}});
    c.set_time(kNow - kMinute);
    c.pull(a);
    c.patch(kAnn, {{"points", inc(1)}});  // a run of its own, which the write below has not seen
    b.set_time(kNow);
    sync();
    a.set_time(kNow + kMinute);
    a.patch(kAnn, {{"points", inc(2)}});
    b.patch(kAnn, {{"points", Value("gold")}});
    sync();
    b.pull(c);
    EXPECT_EQ(read("points"), Value("gold"));
    EXPECT_EQ(conflicts(), "points: gold | other increment");
}

TEST_F(Leftover, an_increment_in_a_map_that_is_gone_makes_no_map) {
    a.put(kAnn, {{"contact", Value(Object{{"visits", inc(10)}, {"city", Value("Kiel")}})}});
    sync();
    at_once(kAnn, {{"contact", Value(Object{{"visits", inc(2)}})}}, {{"contact", Value()}});
    EXPECT_EQ(read("contact"), Value("absent"));
    EXPECT_EQ(conflicts(), "contact.visits: nothing | increment");
    EXPECT_TRUE(may_conflict(b.record(kAnn)));
    EXPECT_EQ(b.put(kAnn, b.resolved(kAnn).fields), nullptr);
    decide(b, "contact.visits", Value());
    EXPECT_EQ(read("contact"), Value("absent"));
    EXPECT_EQ(conflicts(), "");
}

TEST_F(Leftover, an_increment_in_a_map_that_a_text_took_the_place_of_is_in_conflict_with_the_text) {
    a.put(kAnn, {{"contact", Value(Object{{"visits", inc(10)}})}});
    sync();
    at_once(kAnn, {{"contact", Value(Object{{"visits", inc(2)}})}}, {{"contact", Value("Kiel")}});
    EXPECT_EQ(read("contact"), Value("Kiel"));
    EXPECT_EQ(conflicts(), "contact: Kiel | increment");
    decide(b, "contact", Value("Kiel"));
    EXPECT_EQ(read("contact"), Value("Kiel"));
    EXPECT_EQ(conflicts(), "");
}

TEST_F(Leftover, a_map_without_its_own_cell_is_there_while_a_member_is) {
    a.put(kAnn, {{"contact", Value(Object{{"visits", inc(10)}, {"city", Value("Kiel")}})}});
    sync();
    at_once(kAnn, {{"contact", Value(Object{{"fax", Value("2")}})}}, {{"contact", Value()}});
    EXPECT_EQ(read("contact"), Value(Object{{"fax", Value("2")}}));
}

TEST_F(Leftover, a_bare_move_in_a_list_that_is_gone_does_not_hide_a_value) {
    RecordName const lamp{"stocked", "lamp"};
    a.put(lamp, {{"lines", Value(Array{Value("x"), Value("y")})}});
    sync();
    schemas_["stocked"].fields.erase("lines");
    Object listed{{"lines", Value(Array{Value("y"), Value("x")})}};  // one of the two is moved
    at_once(lamp, listed, {{"lines", Value("none")}});
    EXPECT_EQ(read("lines", lamp), Value("none"));
    EXPECT_EQ(conflicts(lamp), "");
}

TEST_F(Leftover, rights_passed_on_of_a_counter_that_is_gone_do_not_hide_a_value) {
    RecordName const lamp{"stocked", "lamp"};
    a.put(lamp, {{"stock", Value(10)}});
    sync();
    a.set_time(kNow + kMinute);
    ASSERT_EQ(pass_rights(a, lamp, "stock", 4, b.actor()), std::nullopt);
    schemas_["stocked"].fields.erase("stock");
    b.set_time(kNow);
    b.patch(lamp, {{"stock", Value("none")}});
    sync();
    EXPECT_EQ(read("stock", lamp), Value("none"));
    EXPECT_EQ(conflicts(lamp), "");
}

}  // namespace
}  // namespace inos::test
