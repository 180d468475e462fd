// Defects of replicated stores, each told as what happens here instead, as far as records and their
// merge are concerned. Those that are about one rule, type or part stand in its own test.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/support/mini_replica.hpp"

namespace inos {
namespace {

using test::CommitPtr;
using test::MiniReplica;
using test::Request;

RecordName const kAnn{"customers", "ann"};
constexpr std::uint64_t kNow = 1'700'000'000'000, kYear = 31'557'600'000;

Value operation(char const* name, Value operand) {
    return Value(Object{{name, std::move(operand)}});
}

class Traps : public testing::Test {
protected:
    Traps() {
        auto& fields = schemas_["customers"].fields;
        fields["points"].type = CellType::counter;
        fields["address"].type = CellType::register_;
        fields["email"].policy = RegisterPolicy::priority;
        fields["email"].ranking = {"manager", "shop"};
    }

    static void sync(MiniReplica& x, MiniReplica& y) {
        x.pull(y);
        y.pull(x);
        ASSERT_EQ(x.bytes(), y.bytes());
    }
    static Value read(MiniReplica const& site,
                      std::string_view field,
                      RecordName const& name = kAnn) {
        auto const fields = site.resolved(name).fields;
        auto const* value = find_member(fields, field);
        return value ? *value : Value("absent");
    }
    static void decide(MiniReplica& site, std::string_view field, Value const& value) {
        auto const planned = plan_resolution(site.record(kAnn),
                                             site.schema(kAnn),
                                             kAnn,
                                             field,
                                             value,
                                             {site.actor(), site.vv().at(site.actor()) + 1});
        site.commit_ops({*std::get<std::optional<Op>>(planned)});
    }

    test::Schemas schemas_;
    MiniReplica a{ActorId{1}, "manager", schemas_};
    MiniReplica b{ActorId{2}, "shop", schemas_};
    MiniReplica c{ActorId{3}, "crm", schemas_};
};

TEST_F(Traps, A12_a_delete_has_no_fields_and_travels_like_any_entry) {
    a.put(kAnn, {{"city", Value("Kiel")}});
    c.pull(a);
    CommitPtr const deleted = a.erase(kAnn);
    ASSERT_TRUE(deleted->entry.ops.front().edits.empty());
    b.pull(a);
    c.pull(b);  // by way of a site that never saw the record alive
    EXPECT_FALSE(c.exists(kAnn));
    EXPECT_EQ(c.log().back()->bytes, deleted->bytes);
}

TEST_F(Traps, A13_a_site_that_drops_its_copy_deletes_nothing_elsewhere) {
    a.put(kAnn, {{"city", Value("Kiel")}});
    sync(a, c);
    auto const before = a.bytes();
    MiniReplica again(ActorId{4}, "crm", schemas_);  // the site of c, without its records
    EXPECT_EQ(a.pull(again), 0u);
    a.merge_state(again);
    EXPECT_EQ(a.bytes(), before);
    again.merge_state(a);
    EXPECT_EQ(again.bytes(), before);
}

TEST_F(Traps, A15_a_key_that_was_purged_at_one_site_only_is_used_again) {
    a.put(kAnn, {{"points", Value(5)}});
    sync(a, b);
    a.erase(kAnn);
    sync(a, b);
    ASSERT_EQ(b.purge(b.vv()), 1u);
    ASSERT_TRUE(b.record(kAnn).empty());
    MiniReplica kept = a, purged = b;
    b.put(kAnn, {{"points", Value(1)}});
    a.pull(b);
    EXPECT_EQ(a.bytes(), b.bytes());
    kept.put(kAnn, {{"points", Value(2)}});
    purged.pull(kept);
    EXPECT_EQ(purged.bytes(), kept.bytes());
    EXPECT_EQ(read(purged, "points"), Value(2));
}

TEST_F(Traps, B11_the_source_is_the_one_at_the_write_not_the_one_of_today) {
    a.put(kAnn, {{"email", Value("old@example.org")}});
    sync(a, b);
    a.patch(kAnn, {{"email", Value("a@example.org")}});
    b.patch(kAnn, {{"email", Value("b@example.org")}});
    a.set_source("nobody");  // whoever wrote as manager is no manager any more
    sync(a, b);
    for (MiniReplica const* site : {&a, &b}) {
        EXPECT_EQ(read(*site, "email"), Value("a@example.org"));
        auto const conflicts = site->resolved(kAnn).conflicts;
        ASSERT_EQ(conflicts.size(), 1u);
        EXPECT_EQ(conflicts[0].values[0].source, "manager");
    }
}

TEST_F(Traps, B14_a_systems_write_is_placed_by_what_it_had_seen_and_not_by_its_time) {
    a.put(kAnn, {{"city", Value("Kiel")}});
    sync(a, b);
    VersionVector const shadow = b.vv();
    a.patch(kAnn, {{"city", Value("Ulm")}});
    b.pull(a);
    // It had not seen Ulm: a conflict, however late its time stamp is.
    b.set_time(kNow + kYear);
    b.commit({{Request::Kind::patch, kAnn, {{"city", Value("Bonn")}}, shadow}});
    EXPECT_EQ(b.resolved(kAnn).conflicts.size(), 1u);
    // It had seen everything: it replaces everything, however early its time stamp is.
    sync(a, b);
    c.pull(b);
    c.set_time(kNow - kYear);
    c.commit({{Request::Kind::patch, kAnn, {{"city", Value("Jena")}}, c.vv()}});
    EXPECT_TRUE(c.resolved(kAnn).conflicts.empty());
    EXPECT_EQ(read(c, "city"), Value("Jena"));
}

TEST_F(Traps, B16_two_decisions_of_one_conflict_are_a_conflict_of_the_decisions) {
    a.put(kAnn, {{"city", Value("Kiel")}});
    b.put(kAnn, {{"city", Value("Ulm")}});
    sync(a, b);
    decide(a, "city", Value("Kiel"));
    decide(b, "city", Value("Bonn"));
    sync(a, b);
    auto const conflicts = a.resolved(kAnn).conflicts;
    ASSERT_EQ(conflicts.size(), 1u);
    ASSERT_EQ(conflicts[0].values.size(), 2u) << "what both had decided against is gone";
    for (auto const& value : conflicts[0].values)
        EXPECT_NE(value.value, Value("Ulm"));
    decide(a, "city", Value("Bonn"));
    sync(a, b);
    EXPECT_TRUE(b.resolved(kAnn).conflicts.empty());
    EXPECT_EQ(read(b, "city"), Value("Bonn"));
}

TEST_F(Traps, E1_an_entry_that_comes_again_is_not_counted_again) {
    CommitPtr const five = a.put(kAnn, {{"points", Value(5)}});
    CommitPtr const two = a.patch(kAnn, {{"points", operation("$inc", Value(2))}});
    for (int again = 0; again < 3; ++again) {
        EXPECT_TRUE(b.receive(five));
        EXPECT_TRUE(b.receive(two));
        b.merge_state(a);
    }
    EXPECT_EQ(read(b, "points"), Value(7));
    // A total from outside is the difference to what is read, so importing it again adds nothing.
    EXPECT_EQ(b.patch(kAnn, {{"points", Value(7)}}), nullptr);
}

TEST_F(Traps, E2_the_same_beginning_at_two_sites_is_there_once) {
    for (MiniReplica* site : {&a, &b})
        site->put(kAnn, {{"city", Value("Kiel")}, {"points", Value(0)}, {"tags", Value(Array())}});
    sync(a, b);
    EXPECT_EQ(a.resolved(kAnn).fields,
              (Object{{"city", Value("Kiel")}, {"points", Value(0)}, {"tags", Value(Array())}}));
    EXPECT_TRUE(a.resolved(kAnn).conflicts.empty());
}

TEST_F(Traps, E6_a_natural_key_used_at_two_sites_is_one_record_with_both_values_shown) {
    a.put(kAnn, {{"city", Value("Kiel")}, {"phone", Value("1")}});
    b.put(kAnn, {{"city", Value("Ulm")}, {"mail", Value("x@example.org")}});
    sync(a, b);
    EXPECT_EQ(a.resolved(kAnn).fields.size(), 3u);
    ASSERT_EQ(a.resolved(kAnn).conflicts.size(), 1u);
    EXPECT_EQ(a.resolved(kAnn).conflicts[0].values.size(), 2u);
}

TEST_F(Traps, E8_a_reference_outlives_what_it_refers_to_and_may_come_first) {
    RecordName const order{"orders", "1"};
    a.put(kAnn, {{"city", Value("Kiel")}});
    sync(a, b);
    b.put(order, {{"customer", Value("ann")}});
    a.erase(kAnn);
    sync(a, b);
    EXPECT_FALSE(a.exists(kAnn));
    EXPECT_EQ(read(a, "customer", order), Value("ann")) << "a delete takes nothing else along";
    EXPECT_TRUE(c.receive(b.put({"orders", "2"}, {{"customer", Value("bob")}})) || c.pull(b) > 0);
    EXPECT_EQ(read(c, "customer", {"orders", "2"}), Value("bob")) << "nobody has seen bob yet";
}

TEST_F(Traps, E11_what_belongs_together_is_never_mixed_of_two_writers) {
    auto const address = [](char const* street, char const* city) {
        return Value(Object{{"city", Value(city)}, {"street", Value(street)}});
    };
    a.put(kAnn, {{"address", address("Dock 1", "Kiel")}});
    sync(a, b);
    a.patch(kAnn, {{"address", address("Dock 2", "Kiel")}});
    b.patch(kAnn, {{"address", address("Dock 1", "Ulm")}});
    sync(a, b);
    Value const read_value = read(a, "address");
    EXPECT_TRUE(read_value == address("Dock 2", "Kiel") || read_value == address("Dock 1", "Ulm"));
    EXPECT_EQ(a.resolved(kAnn).conflicts.size(), 1u);
}

TEST_F(Traps, E14_a_transaction_over_two_records_arrives_whole) {
    RecordName const order{"orders", "1"};
    a.put(kAnn, {{"points", Value(5)}});
    b.pull(a);
    auto const both =
        a.commit({{Request::Kind::patch, kAnn, {{"points", operation("$inc", Value(1))}}, {}},
                  {Request::Kind::put, order, {{"customer", Value("ann")}}, {}}});
    ASSERT_TRUE(b.receive(both));
    EXPECT_EQ(read(b, "points"), Value(6));
    EXPECT_TRUE(b.exists(order));
    EXPECT_FALSE(c.receive(both)) << "what it had seen is missing here";
    EXPECT_FALSE(c.exists(order)) << "so nothing of it is here";
}

// Each way to choose among values: concurrent writes in both orders of arrival, a write that had
// seen the other one and would lose against it if it had not, and three at once in every order.
struct Choice {
    char const* name;
    FieldSchema field;
    std::array<Value, 3> writes;  // of the sites with the sources manager, shop, crm, clocks rising
    Value of_two, of_three;
    std::size_t shown;   // how many different values the three are
    Value after_seeing;  // the second write, made by one who had seen the first
};

std::vector<Choice> choices() {
    auto const field = [](CellType type, RegisterPolicy policy, bool disable_wins = false) {
        FieldSchema out;
        out.type = type;
        out.policy = policy;
        out.ranking = {"manager", "shop"};
        out.order = {"given", "withdrawn"};
        out.disable_wins = disable_wins;
        return out;
    };
    auto const array = [](auto... text) { return Value(Array{Value(text)...}); };
    Value const on = operation("$enable", Value(true)), off = operation("$enable", Value(false));
    auto const reg = CellType::register_;
    Value const x("x"), y("y"), z("z"), given("given"), withdrawn("withdrawn");
    return {
        {"latest", field(reg, RegisterPolicy::latest), {x, y, z}, y, z, 3, y},
        {"priority", field(reg, RegisterPolicy::priority), {x, y, z}, x, x, 3, y},
        {"order",
         field(reg, RegisterPolicy::order),
         {withdrawn, given, z},
         withdrawn,
         withdrawn,
         3,
         given},
        {"keep_all",
         field(reg, RegisterPolicy::keep_all),
         {x, y, z},
         array("y", "x"),
         array("z", "y", "x"),
         3,
         array("y")},
        {"enable_wins",
         field(CellType::flag, RegisterPolicy::latest),
         {on, off, off},
         Value(true),
         Value(true),
         2,
         Value(false)},
        {"disable_wins",
         field(CellType::flag, RegisterPolicy::latest, true),
         {off, on, on},
         Value(false),
         Value(false),
         2,
         Value(true)},
    };
}

class Policies : public testing::TestWithParam<std::size_t> {
protected:
    Policies() {
        schemas_["customers"].fields["f"] = choice_.field;
        for (std::uint64_t i = 0; i < 3; ++i) {
            sites_.emplace_back(ActorId{i + 1}, std::array{"manager", "shop", "crm"}[i], schemas_);
            if (i == 0) sites_[0].put(kAnn, {{"other", Value(1)}});
            sites_[i].pull(sites_[0]);
            sites_[i].set_time(kNow + i * 1'000);
        }
    }

    void write(std::size_t site) { sites_[site].patch(kAnn, {{"f", choice_.writes[site]}}); }

    // What a newcomer reads that the sites' entries reach in this order.
    Resolved read_by(std::vector<std::size_t> const& order) const {
        MiniReplica reader(ActorId{9}, "crm", schemas_);
        for (std::size_t const site : order)
            reader.pull(sites_[site]);
        return reader.resolved(kAnn);
    }

    void expect(Resolved const& resolved, Value const& value, std::size_t shown) const {
        auto const* read = find_member(resolved.fields, "f");
        ASSERT_TRUE(read);
        EXPECT_EQ(*read, value);
        EXPECT_EQ(resolved.conflicts.empty() ? 1 : resolved.conflicts[0].values.size(), shown);
    }

    Choice const choice_ = choices()[GetParam()];
    test::Schemas schemas_;
    std::vector<MiniReplica> sites_;
};

TEST_P(Policies, B9_B10_concurrent_writes_in_both_orders_of_arrival) {
    write(0);
    write(1);
    expect(read_by({0, 1}), choice_.of_two, 2);
    expect(read_by({1, 0}), choice_.of_two, 2);
}

TEST_P(Policies, B6_a_write_that_had_seen_the_other_replaces_it) {
    write(0);
    sites_[1].pull(sites_[0]);
    sites_[1].set_time(kNow - kYear);
    write(1);
    expect(read_by({0, 1}), choice_.after_seeing, 1);
    expect(read_by({1}), choice_.after_seeing, 1);
}

TEST_P(Policies, B9_B10_B13_three_at_once_in_every_order) {
    std::vector<std::size_t> order{0, 1, 2};
    for (std::size_t const site : order)
        write(site);
    do
        expect(read_by(order), choice_.of_three, choice_.shown);
    while (std::next_permutation(order.begin(), order.end()));
}

INSTANTIATE_TEST_SUITE_P(Each,
                         Policies,
                         testing::Range<std::size_t>(0, 6),
                         [](testing::TestParamInfo<std::size_t> const& each) {
                             return std::string(choices()[each.param].name);
                         });

}  // namespace
}  // namespace inos
