// The generators that others get: what they make is right, and what fails becomes small.
#include "tools/testing/testing.hpp"

#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "storage/schema_document.hpp"
#include "tools/simulation/basics.hpp"

namespace {

using namespace inos;
using inos::testing::entries;
using inos::testing::executions;
using inos::testing::find_broken;
using inos::testing::make_setting;
using inos::testing::schema_documents;
using simulate::Plan;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char const* kStock = "[products.fields]\nstock = { type = \"counter\" }\n";

RC_GTEST_PROP(Testing, schemas_have_no_problems, ()) {
    Object const document = *schema_documents();
    RC_ASSERT(check_schema(document).empty());
    RC_ASSERT(make_setting(document).schemas.size() == 1u);
}

RC_GTEST_PROP(Testing, entries_are_in_effect, ()) {
    Entry const entry = *entries();
    std::string const bytes = encode_entry(entry.header, Salt{1}, entry.ops);
    DecodedEntry const decoded = decode_entry(bytes, entry.header.dot);
    RC_ASSERT(decoded.reason == VoidReason::none);
    RC_ASSERT(decoded.entry.ops == entry.ops);
}

// The first plan of many that breaks the rules, and the smallest that rapidcheck comes to.
TEST(Testing, an_execution_that_breaks_a_rule_becomes_small) {
    auto const setting = sim::value_of(make_setting(kStock, "stock >= 0"));
    auto const all = executions(setting, 3);
    rc::Random random(7);
    auto failing = all(random, rc::kNominalSize);
    for (int i = 0; i < 100 && !find_broken(setting, failing.value()); ++i)
        failing = all(random = random.split(), rc::kNominalSize);
    ASSERT_TRUE(find_broken(setting, failing.value()));
    for (bool smaller = true; smaller;) {
        smaller = false;
        auto shrinks = failing.shrinks();
        for (auto next = shrinks.next(); next && !smaller; next = shrinks.next()) {
            if (!find_broken(setting, next->value())) continue;
            failing = *next;
            smaller = true;
        }
    }
    Plan const plan = failing.value();
    EXPECT_EQ(plan.sites, 2u);
    EXPECT_LE(plan.steps.size(), 4u);
    EXPECT_THAT(*find_broken(setting, plan), HasSubstr("stock >= 0 is false for products/"));
    std::ostringstream shown;
    showValue(plan, shown);
    EXPECT_THAT(shown.str(), StartsWith("2 sites, seed "));
    EXPECT_THAT(shown.str(), HasSubstr("\n  A and B meet"));
}

TEST(Testing, executions_differ) {
    auto const setting = sim::value_of(make_setting(kStock));
    std::set<std::uint64_t> seeds;
    rc::Random random(1);
    for (int i = 0; i < 20; ++i)
        seeds.insert(executions(setting)(random = random.split(), rc::kNominalSize).value().seed);
    EXPECT_GT(seeds.size(), 15u);
}

TEST(Testing, a_schema_or_rule_that_is_wrong_says_where) {
    auto const message = [](auto const& result) {
        return result ? std::string() : result.error().message;
    };
    EXPECT_EQ(message(make_setting(kStock, "# none")), "");
    EXPECT_THAT(message(make_setting("[products\n")), StartsWith("schema:1:"));
    EXPECT_THAT(message(make_setting("[p.fields]\nn = { type = \"cuonter\" }\n")),
                HasSubstr("did you mean \"counter\""));
    EXPECT_THAT(message(make_setting(kStock, "stock >= 0\nstcok >= 0")), StartsWith("rules:2:1: "));
}

}  // namespace
