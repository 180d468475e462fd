// Decisions of conflicts: what they write, and that deciding what is settled changes no type.
#include <gtest/gtest.h>

#include "tests/support/mini_replica.hpp"

namespace inos::test {
namespace {

RecordName const kAnn{"customers", "ann"};

Value operation(char const* name, Value operand) {
    return Value(Object{{name, std::move(operand)}});
}
Value inc(std::int64_t n) {
    return operation("$inc", Value(n));
}

class Resolution : public testing::Test {
protected:
    Value read(char const* field) const {
        auto const fields = a.resolved(kAnn).fields;
        auto const* value = find_member(fields, field);
        return value ? *value : Value("absent");
    }
    void sync() {
        a.pull(b);
        b.pull(a);
        ASSERT_EQ(a.bytes(), b.bytes());
    }
    // Whether it makes an entry.
    bool decide(MiniReplica& site, char const* field, Value const& value) {
        auto const planned = plan_resolution(site.record(kAnn),
                                             site.schema(kAnn),
                                             kAnn,
                                             field,
                                             value,
                                             {site.actor(), site.vv().at(site.actor()) + 1});
        auto const* op = std::get_if<std::optional<Op>>(&planned);
        EXPECT_TRUE(op) << std::get<ChangeError>(planned).message;
        if (op && *op) site.commit_ops({**op});
        return op && *op;
    }

    Schemas schemas_;
    MiniReplica a{ActorId{1}, "crm", schemas_};
    MiniReplica b{ActorId{2}, "shop", schemas_};
};

TEST_F(Resolution, of_a_counter_twice_at_once_leaves_one_counter) {
    a.put(kAnn, {{"points", inc(1)}});
    sync();
    EXPECT_TRUE(decide(a, "points", Value(3)));
    EXPECT_FALSE(decide(a, "points", Value(3)));
    EXPECT_TRUE(decide(b, "points", Value(3)));
    sync();
    EXPECT_EQ(read("points"), Value(5)) << "each has added 2, as two admins who each set it to 3";
    EXPECT_TRUE(a.resolved(kAnn).conflicts.empty());
    EXPECT_EQ(types_at(a.record(kAnn), path_name({}, "points")), std::vector{CellType::counter});
}

TEST_F(Resolution, of_a_counter_that_somebody_took_away_is_a_counter) {
    a.put(kAnn, {{"points", inc(10)}, {"contact", Value(Object{{"visits", inc(10)}})}});
    sync();
    a.patch(kAnn, {{"points", inc(2)}, {"contact", Value(Object{{"visits", inc(2)}})}});
    b.patch(kAnn, {{"points", Value()}, {"contact", Value()}});
    sync();
    ASSERT_EQ(a.resolved(kAnn).conflicts.size(), 2u);
    EXPECT_TRUE(decide(a, "points", Value(12)));
    EXPECT_TRUE(decide(a, "contact.visits", Value(12)));
    EXPECT_TRUE(a.resolved(kAnn).conflicts.empty());
    sync();
    a.patch(kAnn, {{"points", inc(1)}, {"contact", Value(Object{{"visits", inc(1)}})}});
    b.patch(kAnn, {{"points", inc(1)}, {"contact", Value(Object{{"visits", inc(1)}})}});
    sync();
    EXPECT_EQ(read("points"), Value(14));
    EXPECT_EQ(read("contact"), Value(Object{{"visits", Value(14)}}));
    EXPECT_TRUE(a.resolved(kAnn).conflicts.empty());
}

TEST_F(Resolution, of_what_reads_so_already_writes_a_register_only_where_one_is_read) {
    Object const all{
        {"consent", operation("$enable", Value(true))},
        {"contact", Value(Object{{"mail", Value("m")}, {"seen", inc(1)}})},
        {"memo", operation("$splice", Value(Object{{"at", Value(0)}, {"insert", Value("Hi")}}))},
        {"points", inc(3)},
        {"tags", operation("$add", Value("vip"))}};
    a.put(kAnn, all);
    auto const fields = a.resolved(kAnn).fields;
    ASSERT_EQ(fields.size(), all.size());
    for (Member const& member : fields) {
        EXPECT_FALSE(decide(a, member.key.c_str(), member.value)) << member.key;
        EXPECT_EQ(types_at(a.record(kAnn), path_name({}, member.key)).size(), 1u) << member.key;
    }
    EXPECT_FALSE(decide(a, "contact.seen", Value(1)));
    EXPECT_TRUE(decide(a, "contact.mail", Value("m"))) << "it holds against what is not here yet";
    EXPECT_EQ(a.resolved(kAnn).fields, fields);
}

TEST_F(Resolution, of_a_set_over_the_size_of_a_value_makes_no_entry_that_others_refuse) {
    Array many;
    for (char c = 'a'; c < 'a' + 20; ++c)
        many.push_back(Value(std::string(kPayloadBytesMax / 16, c)));
    a.put(kAnn, {{"tags", operation("$add", Value(many))}});
    EXPECT_FALSE(decide(a, "tags", read("tags")));
}

TEST_F(Resolution, takes_an_operation_as_what_it_does) {
    a.put(kAnn, {{"zip", Value()}});
    decide(a, "zip", operation("$null", Value(true)));
    EXPECT_EQ(read("zip"), Value());
}

}  // namespace
}  // namespace inos::test
