// How plans are made smaller, without running any.
#include "tools/simulate/shrink.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/simulation/basics.hpp"

namespace inos::simulate {
namespace {

using sim::object_of;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Step write(std::size_t site, char const* key, char const* fields) {
    Step step;
    step.site = site;
    step.writes.push_back({Write::Kind::patch, {"c", key}, object_of(fields), {}});
    return step;
}

Step meet(std::vector<std::size_t> sites, std::uint64_t cut_at = 0) {
    Step step;
    step.kind = StepKind::meet;
    step.sites = std::move(sites);
    step.cut_at = cut_at;
    return step;
}

bool writes(Step const& step, std::string_view key) {
    return step.kind == StepKind::write &&
           std::any_of(step.writes.begin(), step.writes.end(), [&](Write const& each) {
               return each.name.key == key;
           });
}

// Two different sites write "x" and "y".
bool two_sites(Plan const& plan) {
    for (Step const& one : plan.steps)
        for (Step const& other : plan.steps)
            if (writes(one, "x") && writes(other, "y") && one.site != other.site) return true;
    return false;
}

Plan long_plan() {
    Plan plan{7, 5, {}};
    for (int i = 0; i < 10; ++i)
        plan.steps.push_back(write(1, "noise", R"({"a": 1})"));
    plan.steps.push_back(meet({0, 1, 2, 3, 4}, 9));
    plan.steps.push_back(write(2, "x", R"({"a": 900, "b": "red"})"));
    plan.steps.push_back(meet({1, 3}));
    plan.steps.push_back(write(4, "y", R"({"a": {"$inc": -20}})"));
    for (int i = 0; i < 10; ++i)
        plan.steps.push_back(write(0, "noise", R"({"a": 1})"));
    return plan;
}

TEST(Shrink, what_is_not_needed_goes) {
    Shrunk const shrunk = shrink(long_plan(), two_sites);
    EXPECT_TRUE(shrunk.complete);
    EXPECT_EQ(shrunk.plan.sites, 2u);
    EXPECT_EQ(shrunk.plan.seed, 7u);
    ASSERT_THAT(shrunk.plan.steps, SizeIs(2));
    for (Step const& step : shrunk.plan.steps) {
        EXPECT_LT(step.site, 2u);
        EXPECT_THAT(step.writes[0].fields, IsEmpty());
    }
}

TEST(Shrink, what_is_needed_stays) {
    auto const needs = [](Plan const& plan) {
        bool const cut = std::any_of(plan.steps.begin(), plan.steps.end(), [](Step const& step) {
            return step.cut_at > 0 && step.sites.size() >= 3;
        });
        bool const large = std::any_of(plan.steps.begin(), plan.steps.end(), [](Step const& step) {
            auto const* a = step.writes.empty() ? nullptr : find_member(step.writes[0].fields, "a");
            auto const* number = a ? a->as<std::int64_t>() : nullptr;
            return number && *number > 100;
        });
        return cut && large;
    };
    Shrunk const shrunk = shrink(long_plan(), needs);
    EXPECT_EQ(shrunk.plan.sites, 3u);
    ASSERT_THAT(shrunk.plan.steps, SizeIs(2));
    EXPECT_EQ(shrunk.plan.steps[0].cut_at, 9u);
    EXPECT_THAT(shrunk.plan.steps[0].sites, ElementsAre(0, 1, 2));
    EXPECT_EQ(shrunk.plan.steps[1].writes[0].fields, object_of(R"({"a": 101})"));
}

TEST(Shrink, it_ends_when_its_tries_are_used_up) {
    std::size_t asked = 0;
    auto const fails = [&](Plan const& plan) {
        ++asked;
        return two_sites(plan);
    };
    Shrunk const shrunk = shrink(long_plan(), fails, 5);
    EXPECT_EQ(asked, 5u);
    EXPECT_EQ(shrunk.tries, 5u);
    EXPECT_FALSE(shrunk.complete);
    EXPECT_TRUE(two_sites(shrunk.plan));
}

TEST(Shrink, a_transaction_loses_the_writes_that_are_not_needed) {
    Plan plan{1, 2, {write(0, "x", R"({"a": 1})"), write(1, "y", "{}")}};
    plan.steps[0].writes.push_back({Write::Kind::delete_, {"c", "noise"}, {}, {}});
    plan.steps[0].source = "crm";
    Shrunk const shrunk = shrink(plan, two_sites);
    ASSERT_THAT(shrunk.plan.steps, SizeIs(2));
    ASSERT_THAT(shrunk.plan.steps[0].writes, SizeIs(1));
    EXPECT_EQ(shrunk.plan.steps[0].writes[0].name.key, "x");
    EXPECT_EQ(shrunk.plan.steps[0].source, "");
}

TEST(Shrink, values_become_simpler_until_there_is_nothing_simpler) {
    EXPECT_THAT(simpler(Value(0)), IsEmpty());
    EXPECT_THAT(simpler(Value("red")), IsEmpty());
    EXPECT_THAT(simpler(Value(-4)), ElementsAre(Value(0), Value(-1), Value(-2), Value(-3)));
    EXPECT_THAT(simpler(Value(INT64_MIN)), Contains(Value(INT64_MIN + 1)));
    EXPECT_THAT(simpler(Value(Array{Value(1), Value("b")})),
                Contains(Value(Array{Value(0), Value("b")})));
    EXPECT_THAT(
        simpler(Value(object_of(R"({"$inc": -2})"))),
        ElementsAre(Value(object_of(R"({"$inc": 0})")), Value(object_of(R"({"$inc": -1})"))));
}

}  // namespace
}  // namespace inos::simulate
