// Files of rules for `inos simulate`: read, checked against a schema, looked at in a few records.
#include "storage/json.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tools/simulate/rule_eval.hpp"

using namespace inos;
using namespace inos::simulate;

namespace {

Object object_of(char const* json) {
    return parse_json_object(json).value();
}

Schemas const& schemas() {
    static Schemas const all = schemas_of(object_of(R"({
        "customers": {"fields": {"email": {"type": "register", "format": "email"},
                                 "contact": {"type": "map"}, "tags": {"type": "set"}}},
        "orders": {"fields": {"state": {"type": "register", "enum": ["open", "sent"]},
                              "paid": {"type": "flag"}, "total": {"type": "counter"}}},
        "products": {"fields": {"stock": {"type": "counter"}, "name": {"type": "register"}}}})"));
    return all;
}

Snapshot const& records() {
    static Snapshot const snapshot = {
        {"customers",
         {{"1", object_of(R"({"email": "a@b.org", "tags": ["vip"]})")},
          {"2", object_of(R"({"email": "a@b.org", "contact": {"city": "Lund"}})")}}},
        {"orders", {{"1", object_of(R"({"state": "sent", "paid": false, "total": 7})")}}},
        {"products",
         {{"1", object_of(R"({"stock": -9223372036854775808})")},
          {"2", object_of(R"({"stock": 1.5, "name": null})")}}}};
    return snapshot;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string_view const text = fuzz::view(data, size);
    RuleFile const file = parse_rules(text);
    for (RuleProblem const& problem : file.problems)
        fuzz::expect(problem.line > 0 && problem.column > 0 && !problem.message.empty(),
                     "a problem has a place and says what is wrong");
    for (Rule const& rule : file.rules) {
        std::string const written = expression_text(rule.expr);
        RuleFile const again = parse_rules(written);
        fuzz::expect(again.rules.size() == 1 && again.problems.empty(), "a rule can be written");
        fuzz::expect(expression_text(again.rules[0].expr) == written, "it is the same rule then");
    }
    CheckedRules const checked = check_rules(file, schemas());
    for (CheckedRule const& rule : checked.rules) {
        auto const breach = find_breach(rule, records());
        fuzz::expect(!breach || breach->collection == rule.collection, "a breach has its record");
    }
    (void)hints_of(checked.rules, schemas());
    return 0;
}
