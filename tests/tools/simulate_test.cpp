// Runs of `inos simulate`: what breaks is found and told shortly, what holds is left alone, and the
// checks that every run makes can fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/schema_document.hpp"
#include "tools/simulate/plan_checks.hpp"
#include "tools/simulate/search.hpp"
#include "tools/simulate/story.hpp"
#include "tools/simulate/workload.hpp"
#include "tools/simulation/basics.hpp"

namespace inos::simulate {
namespace {

using sim::object_of;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Setting setting_of(char const* schema, std::string const& rules) {
    Setting setting;
    setting.document = object_of(schema);
    EXPECT_THAT(check_schema(setting.document), IsEmpty());
    setting.schemas = schemas_of(setting.document);
    CheckedRules checked = check_rules(parse_rules(rules), setting.schemas);
    EXPECT_THAT(checked.problems, IsEmpty());
    setting.rules = std::move(checked.rules);
    return setting;
}

constexpr char const* kAllTypes = R"({
    "customers": {"identity": ["email"], "delete": "delete-wins", "fields": {
        "email": {"type": "register", "required": true, "format": "email", "canon": "lower"},
        "phone": {"type": "register", "format": "e164"},
        "born": {"type": "register", "format": "iso-date"},
        "country": {"type": "register", "format": "country"},
        "notes": {"type": "register", "policy": "keep-all", "max": 20},
        "state": {"type": "register", "enum": ["new", "old"]},
        "mailing": {"type": "register", "policy": "order", "order": ["no", "yes"]},
        "name": {"type": "register", "policy": "priority", "ranking": ["crm", "shop"]}}},
    "products": {"fields": {
        "price": {"type": "register", "max": 5},
        "sold": {"type": "counter"},
        "stock": {"type": "bounded-counter", "min": 2},
        "tags": {"type": "set", "enum": ["a", "b"]},
        "listed": {"type": "flag", "wins": "disable"},
        "parts": {"type": "map"},
        "lines": {"type": "list"},
        "memo": {"type": "text"}}}})";

constexpr char const* kStock =
    R"({"products": {"fields": {"stock": {"type": "counter"}, "name": {"type": "register"}}}})";
constexpr char const* kBounded =
    R"({"products": {"fields": {"stock": {"type": "bounded-counter", "min": 0}}}})";

Step patch(std::size_t site, char const* collection, char const* key, char const* fields) {
    Step step;
    step.site = site;
    step.writes.push_back({Write::Kind::patch, {collection, key}, object_of(fields), {}});
    return step;
}

Step meeting(std::vector<std::size_t> sites) {
    Step step;
    step.kind = StepKind::meet;
    step.sites = std::move(sites);
    return step;
}

// ---- workload -----------------------------------------------------------------------------------

TEST(Simulate, the_same_seed_makes_the_same_plan_and_the_same_run) {
    Setting const setting = setting_of(kAllTypes, "");
    Workload const workload(setting.schemas, {});
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        Plan const one = workload.plan(seed, 3), other = workload.plan(seed, 3);
        auto const told = [&](Plan const& plan) {
            return story(plan, run_plan(plan, setting, {{}, true}), setting);
        };
        EXPECT_EQ(told(one), told(other));
        EXPECT_NE(told(one), told(workload.plan(seed + 100, 3)));
    }
}

TEST(Simulate, most_of_what_is_invented_fits_the_schema) {
    Setting const setting = setting_of(kAllTypes, "");
    SearchReport const report = search(setting, {.sites = 3, .runs = 15});
    EXPECT_THAT(report.findings, IsEmpty())
        << failure_text(*report.findings[0].result.failure, setting);
    EXPECT_GT(report.counts.done, report.counts.writes / 2);
    EXPECT_GT(report.counts.meetings, 0u);
    EXPECT_GT(report.counts.conflicts, 0u);
    EXPECT_GT(report.counts.deletes, 0u);
    EXPECT_GT(report.counts.restarts + report.counts.powers, 0u);
}

TEST(Simulate, every_type_and_format_of_the_schema_is_written) {
    Setting const setting = setting_of(kAllTypes, "");
    Workload const workload(setting.schemas, {});
    std::map<std::string, int> written;
    sim::Tape tape = sim::Tape::seeded(5);
    for (int i = 0; i < 300; ++i)
        for (auto const& [name, value] : workload.write(tape, 0).fields)
            if (!value.is_null()) ++written[name];
    for (auto const& [collection, schema] : setting.schemas)
        for (auto const& [name, field] : schema.fields)
            EXPECT_GT(written[name], 5) << name;
}

// ---- rules --------------------------------------------------------------------------------------

TEST(Simulate, a_counter_that_two_sites_empty_is_told_in_a_few_steps) {
    Setting const setting = setting_of(kStock, "stock >= 0");
    SearchReport const report = search(setting, {.sites = 3, .runs = 100});
    ASSERT_THAT(report.findings, SizeIs(1));
    Finding const& finding = report.findings[0];
    EXPECT_TRUE(finding.shrunk.complete);
    EXPECT_EQ(finding.shrunk.plan.sites, 2u);
    EXPECT_LE(finding.shrunk.plan.steps.size(), 4u);
    ASSERT_TRUE(finding.result.failure);
    EXPECT_EQ(finding.result.failure->kind, FailureKind::rule);
    EXPECT_THAT(failure_text(*finding.result.failure, setting),
                HasSubstr("stock >= 0 is false for products/"));
    EXPECT_THAT(advice(*finding.result.failure, setting), HasSubstr("bounded-counter"));
}

TEST(Simulate, a_bounded_counter_holds) {
    Setting const setting = setting_of(kBounded, "stock >= 0");
    SearchReport const report = search(setting, {.sites = 3, .runs = 40});
    EXPECT_THAT(report.findings, IsEmpty())
        << failure_text(*report.findings[0].result.failure, setting);
    EXPECT_EQ(report.runs, 40u);
    EXPECT_GT(report.counts.rule_checks, 100u);
    EXPECT_GT(report.counts.refused, 0u);  // for lack of rights
}

TEST(Simulate, duplicates_of_two_sites_are_found) {
    Setting const setting = setting_of(
        R"({"customers": {"fields": {"email": {"type": "register", "format": "email"}}}})",
        "count(customers where email = X) <= 1");
    SearchReport const report = search(setting, {.sites = 4, .runs = 100});
    ASSERT_THAT(report.findings, SizeIs(1));
    EXPECT_EQ(report.findings[0].shrunk.plan.steps.size(), 2u);
    EXPECT_THAT(failure_text(*report.findings[0].result.failure, setting),
                HasSubstr("count(customers where email = X) is 2, X is \""));
    EXPECT_THAT(advice(*report.findings[0].result.failure, setting), HasSubstr("inos duplicates"));
}

TEST(Simulate, a_rule_that_broke_leaves_the_others_to_be_looked_at) {
    Setting const setting = setting_of(
        R"({"orders": {"fields": {"sent": {"type": "flag"}, "paid": {"type": "flag"}}}})",
        "not (sent = true and paid = false)\ncount(orders) < 1000");
    SearchReport const report = search(setting, {.sites = 2, .runs = 40});
    ASSERT_THAT(report.findings, SizeIs(1));
    EXPECT_EQ(report.findings[0].result.failure->rule, 0u);
    EXPECT_EQ(report.runs, 40u);
}

TEST(Simulate, a_rule_may_be_broken_before_anybody_writes) {
    Setting const setting = setting_of(kStock, "count(products) >= 1");
    SearchReport const report = search(setting, {.sites = 2, .runs = 2});
    ASSERT_THAT(report.findings, SizeIs(1));
    EXPECT_THAT(report.findings[0].shrunk.plan.steps, IsEmpty());
    EXPECT_THAT(story(report.findings[0].shrunk.plan, report.findings[0].result, setting),
                ElementsAre(HasSubstr("before anybody has written anything")));
}

// ---- what sites do ------------------------------------------------------------------------------

TEST(Simulate, a_site_leaves_out_what_breaks_a_rule_where_it_stands) {
    Setting const setting = setting_of(kStock, "stock >= 0");
    Plan const plan{1,
                    2,
                    {patch(0, "products", "1", R"({"stock": {"$inc": 1}})"),
                     patch(0, "products", "1", R"({"stock": {"$inc": -2}})"),
                     patch(0, "products", "1", R"({"stock": {"$inc": -1}})")}};
    RunResult const result = run_plan(plan, setting, {{}, true});
    EXPECT_FALSE(result.failure);
    EXPECT_EQ(result.steps[0].write->end, WriteEnd::done);
    EXPECT_EQ(result.steps[1].write->end, WriteEnd::left_out);
    EXPECT_EQ(result.steps[2].write->end, WriteEnd::done);
    EXPECT_THAT(result.steps[1].sights, IsEmpty());
    EXPECT_EQ(result.counts.left_out, 1u);
}

TEST(Simulate, sites_hear_of_each_other_when_they_meet_and_not_before) {
    Setting const setting = setting_of(kStock, "");
    Plan const plan{1,
                    3,
                    {patch(0, "products", "1", R"({"name": "Cup"})"),
                     meeting({0, 2}),
                     patch(1, "products", "1", R"({"name": "Jug"})")}};
    RunResult const result = run_plan(plan, setting, {{}, true});
    EXPECT_FALSE(result.failure);
    EXPECT_THAT(story(plan, result, setting),
                ElementsAre("  1. A patches products/1 {\"name\":\"Cup\"}",
                            "         A shows products/1 {\"name\":\"Cup\"}",
                            "  2. A and C meet",
                            "         C shows products/1 {\"name\":\"Cup\"}",
                            "  3. B patches products/1 {\"name\":\"Jug\"}",
                            "         B shows products/1 {\"name\":\"Jug\"}",
                            "  4. at the end all sites meet",
                            HasSubstr("A shows products/1 {\"name\":\"Jug\"}, in conflict: name "
                                      "\"Jug\" or \"Cup\""),
                            HasSubstr("B shows products/1 {\"name\":\"Jug\"}, in conflict"),
                            HasSubstr("C shows products/1 {\"name\":\"Jug\"}, in conflict")));
    EXPECT_EQ(result.counts.conflicts, 1u);
}

TEST(Simulate, what_lacked_rights_is_tried_again_at_the_next_meeting) {
    Setting const setting = setting_of(kBounded, "stock >= 0");
    Plan const plan{1,
                    2,
                    {patch(0, "products", "1", R"({"stock": {"$inc": 4}})"),
                     meeting({0, 1}),
                     patch(1, "products", "1", R"({"stock": {"$inc": -2}})"),
                     meeting({0, 1})}};
    RunResult const result = run_plan(plan, setting, {{}, true});
    EXPECT_FALSE(result.failure);
    EXPECT_EQ(result.steps[2].write->end, WriteEnd::refused);
    ASSERT_THAT(result.steps[3].retries, SizeIs(1));
    EXPECT_EQ(result.steps[3].retries[0].second.end, WriteEnd::done);
    EXPECT_THAT(story(plan, result, setting),
                Contains(HasSubstr("B shows products/1 {\"stock\":2}")));
}

TEST(Simulate, faults_are_told_and_lose_nothing) {
    Setting const setting = setting_of(kStock, "");
    Plan plan{1, 2, {patch(0, "products", "1", R"({"stock": {"$inc": 4}})")}};
    for (StepKind const kind : {StepKind::restart, StepKind::power, StepKind::clock}) {
        plan.steps.emplace_back();
        plan.steps.back().kind = kind;
        if (kind == StepKind::clock) plan.steps.back().minutes = -120;
    }
    plan.steps.push_back(meeting({0, 1}));
    plan.steps.back().cut_at = 2;
    RunResult const result = run_plan(plan, setting, {{}, true});
    EXPECT_FALSE(result.failure) << failure_text(*result.failure, setting);
    EXPECT_EQ(result.counts.cuts, 1u);
    auto const lines = story(plan, result, setting);
    EXPECT_THAT(lines, Contains(HasSubstr("A is killed and starts again")));
    EXPECT_THAT(lines, Contains(HasSubstr("A loses power and starts again")));
    EXPECT_THAT(lines, Contains(HasSubstr("the clock of A is set back by 2 hours")));
    EXPECT_THAT(lines, Contains(HasSubstr("A and B meet, and are cut off at message 2")));
    EXPECT_THAT(lines, Contains(HasSubstr("B shows products/1 {\"stock\":4}")));
}

// ---- the checks of every run can fail -----------------------------------------------------------

struct Shop {
    Setting setting = setting_of(kStock, "");
    sim::SimWorld world{sim::SimOptions{.seed = 3}};
    sim::SimNode& a = world.found("A");
    std::vector<DoneWrite> done;

    void write(char const* fields) {
        std::vector<Write> const writes{
            {Write::Kind::patch, {"products", "1"}, object_of(fields), {}}};
        a.submit({"", writes}, [&](Result<Committed> const& result) {
            done.push_back({*sim::value_of(result).dot, 0, writes});
        });
    }
    std::optional<std::string> lost() { return find_lost(world, setting.schemas, done); }
};

TEST(Simulate, a_write_without_a_trace_is_found) {
    Shop shop;
    shop.write(R"({"name": "Cup"})");
    shop.write(R"({"stock": {"$inc": 5}})");
    shop.write(R"({"stock": {"$inc": -1}, "name": "Jug"})");
    EXPECT_EQ(shop.lost(), std::nullopt);
    auto const done = shop.done;
    shop.done[0].dot.seq = 77;
    EXPECT_THAT(shop.lost().value_or(""), HasSubstr("its entry is not at A"));
    shop.done = done;
    shop.done[1].writes[0].fields = object_of(R"({"stock": {"$inc": 6}})");
    EXPECT_THAT(shop.lost().value_or(""), HasSubstr("was counted to 5, and A shows 4"));
}

TEST(Simulate, a_value_that_is_neither_shown_nor_in_conflict_is_found) {
    Shop shop;
    shop.write(R"({"name": "Cup"})");
    EXPECT_EQ(shop.lost(), std::nullopt);
    WriteBatch batch;  // the record goes, and nothing says who took it away
    for (auto const& [key, value] : sim::contents(shop.a.engine(), Family::records))
        batch.remove(key.first, key.second);
    sim::value_of(shop.a.engine().write(batch, Durability::synced));
    EXPECT_THAT(shop.lost().value_or(""),
                HasSubstr("products/1: A gave \"name\" the value \"Cup\", and A neither shows it"));
}

TEST(Simulate, more_than_the_bound_allows_is_found) {
    Setting const setting = setting_of(kBounded, "");
    auto const count = [](std::int64_t by) {
        return DoneWrite{{},
                         0,
                         {{Write::Kind::patch,
                           {"products", "1"},
                           {{"stock", Value(Object{{"$inc", Value(by)}})}},
                           {}}}};
    };
    EXPECT_EQ(find_broken_bound(setting.schemas, {count(3), count(-3)}), std::nullopt);
    EXPECT_THAT(find_broken_bound(setting.schemas, {count(3), count(-2), count(-2)}).value_or(""),
                HasSubstr("\"stock\" was counted to -1, under its min of 0"));
    auto cleared = std::vector{count(3), count(-4)};
    cleared[0].writes[0].kind = Write::Kind::put;
    EXPECT_EQ(find_broken_bound(setting.schemas, cleared), std::nullopt);
}

}  // namespace
}  // namespace inos::simulate
