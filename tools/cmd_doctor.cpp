// inos doctor: what is well at this site, what is not, and for each what to do.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <ostream>
#include <thread>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/doctor_files.hpp"
#include "tools/output.hpp"
#include "tools/progress.hpp"

namespace inos {
namespace {

constexpr std::chrono::milliseconds kPoll{200};
constexpr std::size_t kTextAt = 20;  // columns in front of a sentence
constexpr std::size_t kTextMin = 40;

struct Report {
    std::vector<Diagnosis> findings;
    std::vector<std::string> unchecked;
    std::string node;  // "running", "stopped", "unreachable"
    Value inspection, damage = Value(Array{});
};

Severity severity_of(std::string const& name) {
    for (Severity const severity : {Severity::note, Severity::warning, Severity::problem})
        if (name == severity_name(severity)) return severity;
    return Severity::ok;
}

// Until all that is stored was looked at once from now on.
Result<void> inspect(Context& context, Client& client) {
    INOS_TRY(auto const begun, client.call({"POST", "/v1/doctor", {}, {}, "{}"}));
    std::int64_t const before = number_of(begun, "passes");
    Progress progress(context.terminal, "looking at all that is stored", 0);
    for (;;) {
        bool const running = client.node_is_running();
        INOS_TRY(auto const answer,
                 client.call({"GET", running ? "/v1/status" : "/v1/doctor", {}, {}, ""}));
        auto const* now = answer.find("inspection");
        if (!now || number_of(*now, "passes") > before) return {};
        std::string const obstacle = text_of(*now, "obstacle");
        if (!obstacle.empty())
            return fail(Errc::unavailable, "what is stored cannot be looked at: " + obstacle);
        progress.set_total(static_cast<std::uint64_t>(number_of(*now, "of")));
        progress.update(static_cast<std::uint64_t>(number_of(*now, "done")),
                        text_of(*now, "phase"));
        if (running) std::this_thread::sleep_for(kPoll);
    }
}

Result<void> ask(Context& context, Client& client, bool full, Report& report) {
    if (full) INOS_CHECK(inspect(context, client));
    INOS_TRY(auto const answer, client.call({"GET", "/v1/doctor", {}, {}, ""}));
    for (Value const& finding : array_of(answer, "findings"))
        report.findings.push_back({severity_of(text_of(finding, "severity")),
                                   text_of(finding, "check"),
                                   text_of(finding, "what"),
                                   text_of(finding, "do")});
    for (Value const& check : array_of(answer, "unchecked"))
        if (auto const* name = check.as<std::string>()) report.unchecked.push_back(*name);
    if (auto const* inspection = answer.find("inspection")) report.inspection = *inspection;
    report.damage = Value(array_of(answer, "damage"));
    return {};
}

// The files are looked at whoever has the directory open, and though nobody could open it.
Result<Report> examine(Context& context, bool full) {
    INOS_TRY(auto const dir, context.data_dir());
    std::error_code error;
    bool const site = std::filesystem::exists(dir + "/db", error);
    Report report;
    if (site) report.findings = judge_files(look_at_files(dir));
    auto client = Client::open(context);
    if (!client && !site) return tl::unexpected<Error>(client.error());
    Result<void> asked;
    report.node = "unreachable";
    if (client) {
        report.node = (*client)->node_is_running() ? "running" : "stopped";
        asked = ask(context, **client, full, report);
    } else {
        asked = tl::unexpected<Error>(client.error());
    }
    if (!asked) {
        report.findings.push_back(
            {Severity::problem,
             "site",
             "the site could not be asked: " + asked.error().message,
             "Put right what is named; if the database itself is broken, make the site anew: inos "
             "restore BACKUP --data NEWDIR, or inos join CODE --data NEWDIR"});
        report.unchecked = {"all that is stored", "peers", "roots", "invites"};
    } else if (report.node == "stopped") {
        report.findings.push_back({Severity::note,
                                   "site",
                                   "no node runs here, so nobody but this directory was asked",
                                   "Start it: inos run --data " + dir});
    }
    std::stable_sort(report.findings.begin(),
                     report.findings.end(),
                     [](auto const& a, auto const& b) { return a.severity > b.severity; });
    return report;
}

void print_json(Context& context, Report const& report, Severity worst) {
    Array findings, left_out;
    for (Diagnosis const& finding : report.findings)
        findings.push_back(Value(Object{{"severity", Value(severity_name(finding.severity))},
                                        {"check", Value(finding.check)},
                                        {"what", Value(finding.what)},
                                        {"do", Value(finding.todo)}}));
    for (std::string const& check : report.unchecked)
        left_out.push_back(Value(check));
    print_json_line(context,
                    Value(Object{{"severity", Value(severity_name(worst))},
                                 {"node", Value(report.node)},
                                 {"findings", Value(std::move(findings))},
                                 {"unchecked", Value(std::move(left_out))},
                                 {"inspection", report.inspection},
                                 {"damage", report.damage}}));
}

// Whole words, on lines that begin in the same column.
void print_wrapped(Terminal& terminal, std::string const& first, std::string const& text) {
    std::size_t const width =
        terminal.width > kTextAt + kTextMin ? terminal.width - kTextAt : kTextMin;
    std::string const clean = clean_text(text);
    std::string line = first;
    std::size_t used = 0, at = 0;
    while (at < clean.size()) {
        std::size_t const end = std::min(clean.find(' ', at), clean.size());
        std::string const word = clean.substr(at, end - at);
        std::size_t const size = display_width(word);
        if (used > 0 && used + 1 + size > width) {
            terminal.out << line << '\n';
            line = std::string(kTextAt, ' ');
            used = 0;
        }
        line += (used > 0 ? " " : "") + word;
        used += (used > 0 ? 1 : 0) + size;
        at = end + 1;
    }
    terminal.out << line << '\n';
}

std::string padded(std::string const& text, std::size_t width) {
    return text + std::string(text.size() < width ? width - text.size() : 1, ' ');
}

void print_table(Terminal& terminal, Report const& report) {
    for (Diagnosis const& finding : report.findings) {
        std::string const name = padded(severity_name(finding.severity), 8);
        std::string const head = finding.severity == Severity::problem   ? terminal.red(name)
                                 : finding.severity == Severity::warning ? terminal.yellow(name)
                                 : finding.severity == Severity::ok      ? terminal.green(name)
                                                                         : name;
        print_wrapped(terminal, head + padded(clean_text(finding.check), 12), finding.what);
        if (!finding.todo.empty())
            print_wrapped(terminal, std::string(kTextAt, ' '), "-> " + finding.todo);
    }
    if (report.unchecked.empty()) return;
    std::string left_out;
    for (std::string const& check : report.unchecked)
        left_out += (left_out.empty() ? "" : ", ") + check;
    print_wrapped(terminal, padded("", 8) + padded("not asked", 12), left_out);
}

Result<int> doctor(Context& context, bool full) {
    INOS_TRY(auto const report, examine(context, full));
    std::size_t counts[4] = {};
    for (Diagnosis const& finding : report.findings)
        ++counts[static_cast<std::size_t>(finding.severity)];
    std::size_t const problems = counts[3], warnings = counts[2], notes = counts[1];
    int const status = problems > 0 ? kExitFailed : kExitDone;
    if (context.json) {
        print_json(context,
                   report,
                   problems > 0   ? Severity::problem
                   : warnings > 0 ? Severity::warning
                   : notes > 0    ? Severity::note
                                  : Severity::ok);
        return status;
    }
    auto& terminal = context.terminal;
    print_table(terminal, report);
    std::string const summary = "doctor: " + counted(problems, "problem") + ", " +
                                counted(warnings, "warning") + ", " + counted(notes, "note");
    terminal.out << (problems > 0   ? terminal.red(summary)
                     : warnings > 0 ? terminal.yellow(summary)
                                    : terminal.green(summary))
                 << '\n';
    return status;
}

}  // namespace

void add_doctor(CommandLine& line) {
    auto full = std::make_shared<bool>(false);
    line.add("doctor", "Say what is well at this site, what is not, and what to do")
        .flag("--full", *full, "first look at all that is stored")
        .note(
            "Looks at keys, files and disk, the clock, members, peers, backups, and at what the "
            "site's own\n"
            "inspection has found: a running node looks at all that it stores once a day, slowly. "
            "--full does so\n"
            "now. Without a running node it opens the site itself. Exit status 1 when there is a "
            "problem;\n"
            "warnings and notes leave it at 0.")
        .example("inos doctor", "every week, or when something seems wrong")
        .example("inos doctor --full", "after an alarm, or when a disk is in doubt")
        .example("inos doctor --json | jq '.findings[] | select(.severity == \"problem\")'",
                 "for scripts")
        .body([full](Context& context) { return doctor(context, *full); });
}

}  // namespace inos
