// inos simulate: what several sites can do to a schema's data at the same time, and whether the
// rules that somebody relies on hold through it. Needs no site.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>

#include "storage/json.hpp"
#include "tools/checked_schema.hpp"
#include "tools/commands.hpp"
#include "tools/files.hpp"
#include "tools/output.hpp"
#include "tools/progress.hpp"
#include "tools/simulate/search.hpp"
#include "tools/simulate/story.hpp"

namespace inos {
namespace {

using namespace simulate;

constexpr std::uint64_t kNotGiven = UINT64_MAX;
constexpr std::uint64_t kRunsDefault = 100, kRunsMax = 1'000'000;
constexpr std::size_t kRuleFileBytesMax = 1u << 20;

struct Options {
    std::string schema, rules;
    std::uint64_t sites = 3, runs = kNotGiven, seed = kNotGiven;
};

Result<SearchOptions> search_options(Options const& options) {
    auto const wrong = [](std::string message, char const* option) {
        return fail(Errc::usage, std::move(message), option);
    };
    if (options.schema.empty())
        return wrong("--schema FILE is missing: the schema whose data is simulated", "--schema");
    if (options.sites < kSitesMin || options.sites > kSitesMax)
        return wrong("--sites " + std::to_string(options.sites) + " is not possible; say " +
                         std::to_string(kSitesMin) + " to " + std::to_string(kSitesMax) + " sites" +
                         (options.sites == 1 ? ": one alone writes nothing at the same "
                                               "time as another"
                                             : ""),
                     "--sites");
    SearchOptions search;
    search.sites = options.sites;
    search.runs = options.runs != kNotGiven   ? options.runs
                  : options.seed != kNotGiven ? 1
                                              : kRunsDefault;
    search.first_seed = options.seed != kNotGiven ? options.seed : 1;
    if (search.runs < 1 || search.runs > kRunsMax)
        return wrong("--runs " + std::to_string(search.runs) + " is not possible; say 1 to " +
                         grouped(kRunsMax),
                     "--runs");
    if (search.first_seed > INT64_MAX - search.runs)
        return wrong("--seed " + std::to_string(search.first_seed) + " is too large", "--seed");
    return search;
}

Result<std::vector<CheckedRule>> read_rules(Context& context,
                                            std::string const& path,
                                            Schemas const& schemas) {
    if (path.empty()) return std::vector<CheckedRule>();
    INOS_TRY(auto const text, read_file(path, kRuleFileBytesMax));
    CheckedRules checked = check_rules(parse_rules(text), schemas);
    std::vector<std::string> problems;
    for (RuleProblem const& problem : checked.problems)
        problems.push_back(path + ":" + std::to_string(problem.line) + ":" +
                           std::to_string(problem.column) + ": " + problem.message);
    if (!problems.empty()) return tl::unexpected<Error>(problems_in(context, path, problems));
    if (checked.rules.empty())
        return fail(Errc::invalid,
                    "\"" + path + "\" has no rules; write one a line, such as stock >= 0",
                    path);
    return std::move(checked.rules);
}

// Broken between words, so that lines have at most kWidth columns where that is possible.
std::string wrapped(std::string_view text) {
    constexpr std::size_t kWidth = 90;
    std::string out;
    std::size_t used = 0;
    while (!text.empty()) {
        std::size_t const end = std::min(text.find(' '), text.size());
        std::string_view const word = text.substr(0, end);
        bool const fits = used + display_width(word) < kWidth;
        if (!out.empty()) out += fits ? ' ' : '\n';
        used = fits ? used + 1 + display_width(word) : display_width(word);
        out += word;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

// A path as a shell takes it.
std::string shell_word(std::string const& text) {
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-+=:,";
    if (text.find_first_not_of(kPlain) == std::string::npos) return text;
    std::string quoted = "'";
    for (char const c : text)
        quoted += c == '\'' ? "'\\''" : std::string(1, c);
    return quoted + "'";
}

class Report {
public:
    Report(Context& context,
           Options const& options,
           Setting const& setting,
           SearchOptions const& search,
           SearchReport const& found)
        : context_(context), options_(options), setting_(setting), search_(search), found_(found) {}

    void print() const {
        print_tried();
        print_rules();
        for (Finding const& finding : found_.findings)
            print_finding(finding);
    }

    Value json() const {
        Object document{{"schema", Value(options_.schema)}};
        set_member(document, "sites", number(search_.sites));
        set_member(document, "runs", number(found_.runs));
        set_member(document, "seed", number(search_.first_seed));
        set_member(document, "tried", tried_json());
        Array rules, failures;
        for (std::size_t i = 0; i < setting_.rules.size(); ++i) {
            Object rule{{"line", number(setting_.rules[i].line)}};
            set_member(rule, "rule", Value(setting_.rules[i].text));
            set_member(rule, "held", Value(finding_of(i) == nullptr));
            rules.push_back(Value(std::move(rule)));
        }
        for (Finding const& finding : found_.findings)
            failures.push_back(failure_json(finding));
        set_member(document, "rules", Value(std::move(rules)));
        set_member(document, "failures", Value(std::move(failures)));
        return Value(std::move(document));
    }

private:
    static Value number(std::uint64_t count) { return Value(static_cast<std::int64_t>(count)); }

    Finding const* finding_of(std::optional<std::size_t> rule) const {
        for (Finding const& finding : found_.findings) {
            bool const is_rule = finding.result.failure->kind == FailureKind::rule;
            if (rule ? is_rule && finding.result.failure->rule == *rule : !is_rule) return &finding;
        }
        return nullptr;
    }

    std::string seeds() const {
        std::uint64_t const first = search_.first_seed, last = first + found_.runs - 1;
        return first == last ? "seed " + std::to_string(first)
                             : "seeds " + std::to_string(first) + " to " + std::to_string(last);
    }

    void print_tried() const {
        Counts const& counts = found_.counts;
        auto& out = context_.terminal.out;
        out << counted(found_.runs, "run") << " of " << counted(search_.sites, "site") << ", "
            << seeds() << (found_.runs < search_.runs ? ", until every rule was broken" : "")
            << '\n'
            << "  " << counted(counts.writes, "write") << ": " << grouped(counts.done) << " done, "
            << grouped(counts.unchanged) << " changed nothing, " << grouped(counts.refused)
            << " refused";
        if (!setting_.rules.empty())
            out << ", " << grouped(counts.left_out) << " left out by a site that saw a rule break";
        out << "\n  " << counted(counts.transactions, "transaction") << " with several records, "
            << counted(counts.deletes, "delete") << ", " << counted(counts.conflicts, "conflict")
            << " in the end\n  " << counted(counts.meetings, "meeting") << " ("
            << grouped(counts.cuts) << " cut off), " << counted(counts.restarts, "restart") << ", "
            << counted(counts.powers, "power cut") << ", " << counted(counts.clocks, "clock change")
            << "\n\n";
    }

    void print_rules() const {
        auto& out = context_.terminal.out;
        auto const line = [&](Finding const* finding, std::string const& text) {
            out << (finding ? context_.terminal.red("broken") : context_.terminal.green("held  "))
                << "  " << clean_text(text) << '\n';
        };
        for (std::size_t i = 0; i < setting_.rules.size(); ++i)
            line(finding_of(i),
                 options_.rules + ":" + std::to_string(setting_.rules[i].line) + ": " +
                     setting_.rules[i].text);
        line(finding_of(std::nullopt),
             "all sites come to the same, no write is lost, bounded counters keep their min");
    }

    void print_finding(Finding const& finding) const {
        auto& out = context_.terminal.out;
        Plan const& plan = finding.shrunk.plan;
        Failure const& failure = *finding.result.failure;
        out << "\nBroken: " << clean_text(failure_text(failure, setting_)) << '\n'
            << "The shortest history found, of " << counted(plan.steps.size(), "step") << " (seed "
            << finding.seed << " had " << finding.steps << "):\n\n";
        for (std::string const& text : story(plan, finding.result, setting_))
            out << clean_text(text) << '\n';
        out << '\n'
            << wrapped(advice(failure, setting_) + ".")
            << "\nAgain: " << clean_text(command(finding)) << '\n';
    }

    std::string command(Finding const& finding) const {
        std::string text = "inos simulate --schema " + shell_word(options_.schema);
        if (!options_.rules.empty()) text += " --rules " + shell_word(options_.rules);
        return text + " --sites " + std::to_string(search_.sites) + " --seed " +
               std::to_string(finding.seed);
    }

    Value tried_json() const {
        Counts const& counts = found_.counts;
        Object tried{{"writes", number(counts.writes)}};
        set_member(tried, "done", number(counts.done));
        set_member(tried, "unchanged", number(counts.unchanged));
        set_member(tried, "refused", number(counts.refused));
        set_member(tried, "left_out", number(counts.left_out));
        set_member(tried, "transactions", number(counts.transactions));
        set_member(tried, "deletes", number(counts.deletes));
        set_member(tried, "conflicts", number(counts.conflicts));
        set_member(tried, "meetings", number(counts.meetings));
        set_member(tried, "cuts", number(counts.cuts));
        set_member(tried, "restarts", number(counts.restarts));
        set_member(tried, "power_cuts", number(counts.powers));
        set_member(tried, "clocks", number(counts.clocks));
        set_member(tried, "rule_checks", number(counts.rule_checks));
        return Value(std::move(tried));
    }

    Value failure_json(Finding const& finding) const {
        static constexpr char const* kKinds[] = {"rule", "bound", "differ", "lost"};
        Failure const& failure = *finding.result.failure;
        Object document{{"kind", Value(kKinds[static_cast<std::size_t>(failure.kind)])}};
        if (failure.kind == FailureKind::rule) {
            set_member(document, "line", number(setting_.rules[failure.rule].line));
            set_member(document, "rule", Value(setting_.rules[failure.rule].text));
        }
        if (failure.site) set_member(document, "site", Value(site_name(*failure.site)));
        set_member(document, "text", Value(failure_text(failure, setting_)));
        set_member(document, "advice", Value(advice(failure, setting_)));
        set_member(document, "seed", number(finding.seed));
        set_member(document, "sites", number(finding.shrunk.plan.sites));
        set_member(document, "steps", story_json(finding.shrunk.plan, finding.result, setting_));
        return Value(std::move(document));
    }

    Context& context_;
    Options const& options_;
    Setting const& setting_;
    SearchOptions const& search_;
    SearchReport const& found_;
};

Result<int> run(Context& context, Options const& options) {
    INOS_TRY(SearchOptions search_how, search_options(options));
    Setting setting;
    INOS_TRY(setting.document, checked_schema(context, options.schema));
    setting.schemas = schemas_of(setting.document);
    if (setting.schemas.empty())
        return fail(Errc::invalid,
                    "\"" + options.schema + "\" has no collections, so there is nothing to write",
                    options.schema);
    INOS_TRY(setting.rules, read_rules(context, options.rules, setting.schemas));
    Progress bar(context.terminal, "simulating", search_how.runs);
    search_how.on_progress = [&](std::uint64_t runs, std::size_t tries) {
        bar.update(runs,
                   tries == 0 ? grouped(runs) + " of " + grouped(search_how.runs)
                              : "making a history shorter, try " + grouped(tries));
    };
    SearchReport const found = search(setting, search_how);
    bar.clear();
    Report const report(context, options, setting, search_how, found);
    if (context.json)
        print_json_line(context, report.json());
    else
        report.print();
    return found.findings.empty() ? kExitDone : kExitFailed;
}

}  // namespace

void add_simulate(CommandLine& line) {
    auto options = std::make_shared<Options>();
    line.add("simulate", "Try out what sites can do to a schema's data at the same time")
        .option("--schema", options->schema, "FILE", "the schema file; needs no site")
        .option(
            "--rules", options->rules, "FILE", "rules that are to hold at every site, one a line")
        .option("--sites", options->sites, "N", "how many sites, 2 to 16; default 3")
        .option("--runs", options->runs, "N", "how many runs; default 100, or 1 with --seed")
        .option("--seed", options->seed, "N", "the seed of the first run; default 1")
        .note(
            "Invents writes that fit the schema, at sites that meet now and then, are killed, lose "
            "power or\n"
            "have a wrong clock. A site makes no write that breaks a rule as far as it can see, so "
            "what is\n"
            "found is what goes wrong because sites do not know of each other. Of that the "
            "shortest "
            "history\n"
            "is shown. The same seed does the same.\n\n"
            "  stock >= 0                                  # of every record that has the field\n"
            "  count(customers where email = X) <= 1       # for every X\n"
            "  not (orders.state = \"sent\" and orders.paid = false)")
        .example("inos simulate --schema shop.toml", "do all sites come to the same?")
        .example("inos simulate --schema shop.toml --rules rules.txt",
                 "and do these rules hold? Status 1 if not")
        .body([options](Context& context) { return run(context, *options); });
}

}  // namespace inos
