#include "tools/testing/testing.hpp"

#include <ostream>
#include <utility>
#include <vector>

#include "storage/schema_document.hpp"
#include "tools/schema_file.hpp"
#include "tools/simulate/shrink.hpp"
#include "tools/simulate/story.hpp"
#include "tools/simulate/workload.hpp"
#include "tools/simulation/crdt_gen.hpp"
#include "tools/simulation/people.hpp"

namespace inos::testing {
namespace {

using sim::Tape;
using simulate::Plan;
using simulate::Setting;

// What a function reads off a tape of random words; fewer and smaller words make less.
template <class Make>
auto off_a_tape(Make make) {
    auto const word = rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint32_t>());
    return rc::gen::map(rc::gen::scale(5.0, rc::gen::container<std::vector<std::uint32_t>>(word)),
                        [make](std::vector<std::uint32_t> words) {
                            Tape tape(std::move(words));
                            return make(tape);
                        });
}

Object random_document(Tape& tape) {
    CollectionSchema schema;
    if (tape.chance(30)) schema.on_delete = DeletePolicy::delete_wins;
    for (auto const& [name, field] : sim::typed_schema().fields)
        if (tape.chance(40)) schema.fields.emplace(name, field);
    if (schema.fields.empty()) schema.fields["register"].type = CellType::register_;
    return Object{{"things", Value(sim::document_of(schema))}};
}

std::string place(std::string const& file, simulate::RuleProblem const& problem) {
    return file + ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column) + ": " +
           problem.message;
}

}  // namespace

rc::Gen<Object> schema_documents() {
    return off_a_tape([](Tape& tape) { return random_document(tape); });
}

rc::Gen<Entry> entries() {
    return off_a_tape([](Tape& tape) { return sim::random_entry(tape); });
}

Result<Setting> make_setting(std::string_view schema_toml, std::string_view rules) {
    INOS_TRY(auto const file, SchemaFile::parse(schema_toml, "schema"));
    if (auto const problems = file.describe(check_schema(file.document())); !problems.empty())
        return fail(Errc::invalid, problems.front());
    Setting setting = make_setting(file.document());
    auto checked = simulate::check_rules(simulate::parse_rules(rules), setting.schemas);
    if (!checked.problems.empty())
        return fail(Errc::invalid, place("rules", checked.problems.front()));
    setting.rules = std::move(checked.rules);
    return setting;
}

Setting make_setting(Object document) {
    Setting setting;
    setting.schemas = simulate::schemas_of(document);
    setting.document = std::move(document);
    return setting;
}

rc::Gen<Plan> executions(Setting const& setting, std::size_t sites) {
    simulate::Workload const workload(setting.schemas,
                                      simulate::hints_of(setting.rules, setting.schemas));
    auto const drawn =
        rc::gen::map(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>()),
                     [workload, sites](std::uint64_t seed) { return workload.plan(seed, sites); });
    // Not with a smaller seed, which would be another execution altogether, but with less in it.
    return rc::gen::shrink(rc::gen::noShrink(drawn), [](Plan const& plan) {
        return rc::seq::fromContainer(simulate::smaller(plan));
    });
}

std::optional<std::string> find_broken(Setting const& setting, Plan const& plan) {
    auto const result = simulate::run_plan(plan, setting, {{}, true});
    if (!result.failure) return std::nullopt;
    std::string text = simulate::failure_text(*result.failure, setting) + '\n';
    for (std::string const& line : simulate::story(plan, result, setting))
        text += line + '\n';
    return text;
}

}  // namespace inos::testing

namespace inos::simulate {

void showValue(Plan const& plan, std::ostream& out) {
    out << plan.sites << " sites, seed " << plan.seed;
    for (Step const& step : plan.steps)
        out << "\n  " << step_text(step);
}

}  // namespace inos::simulate
