// inos history: every change of a record, the newest first.
#include <algorithm>
#include <memory>
#include <ostream>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {
namespace {

constexpr std::uint64_t kPageMax = 1'000;  // what the API answers at a time

std::string outcome_words(Context& context, Value const& value) {
    std::string const outcome = text_of(value, "outcome");
    if (outcome == "in_effect") return context.terminal.green("in effect");
    if (outcome == "lost") return context.terminal.yellow("lost to a concurrent write");
    return context.terminal.dim("replaced");
}

// "set to "Lund"; was "Malmö"", without what the words say already.
std::string change_words(Value const& change) {
    std::string text =
        clean_text(text_of(change, "field")) + ": " + clean_text(text_of(change, "words"));
    auto const* from = change.find("from");
    auto const* to = change.find("to");
    bool const same = (!from && !to) || (from && to && *from == *to);
    if (same) return text;
    constexpr std::size_t kWidth = 60;
    text += "   (" + (from ? fit_text(cell_text(from), kWidth) : "nothing") + " -> ";
    return text + (to ? fit_text(cell_text(to), kWidth) : "nothing") + ")";
}

void print_step(Context& context, Value const& step) {
    std::ostream& out = context.terminal.out;
    std::string const kind = text_of(step, "kind");
    out << text_of(step, "time") << "  " << clean_text(text_of(step, "site")) << " ("
        << clean_text(text_of(step, "source")) << ")  ";
    if (kind == "delete") out << "deleted  ";
    if (kind == "fresh") out << "created  ";
    if (kind == "unknown") out << "a change that this version does not know  ";
    out << outcome_words(context, step) << '\n';
    for (Value const& change : array_of(step, "changes")) {
        out << "    " << change_words(change);
        bool const other = text_of(change, "outcome") != text_of(step, "outcome");
        if (other) out << "   " << outcome_words(context, change);
        out << '\n';
    }
    std::string meta = text_of(step, "dot") + ", arrived " + text_of(step, "arrived");
    std::size_t const concurrent = array_of(step, "concurrent_with").size();
    if (concurrent > 0)
        meta += ", at the same time as " + cell_text(&array_of(step, "concurrent_with").front());
    if (concurrent > 1) meta += " and " + counted(concurrent - 1, "other");
    out << "    " << context.terminal.dim(meta) << '\n';
}

struct Options {
    std::string collection, id;
    std::uint64_t limit = 50;
    bool own = false;
};

Result<int> run(Context& context, Options const& options) {
    INOS_TRY(auto client, Client::open(context));
    std::uint64_t left = options.limit;
    std::string before, kept_from;
    bool complete = true;
    do {
        ApiRequest request{
            "GET", record_path(options.collection, options.id) + "/history", {}, {}, ""};
        request.query["limit"] = std::to_string(std::min(left, kPageMax));
        if (!before.empty()) request.query["before"] = before;
        if (options.own) request.query["own"] = "true";
        INOS_TRY(auto const page, client->call(request));
        Array const& steps = array_of(page, "steps");
        for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
            if (context.json)
                print_json_line(context, *step);
            else
                print_step(context, *step);
        }
        left -= std::min<std::uint64_t>(left, steps.size());
        before = text_of(page, "next");
        complete = bool_of(page, "complete");
        kept_from = text_of(page, "kept_from");
    } while (left > 0 && !before.empty());
    if (!before.empty() && !context.json)
        context.terminal.out << context.terminal.dim("(there are earlier changes; --limit)")
                             << '\n';
    if (!kept_from.empty())
        context.terminal.err << "warning: history before " << clean_text(kept_from)
                             << " is no longer kept here\n";
    else if (!complete)
        context.terminal.err
            << "warning: the log of this site does not reach back to the beginning "
               "of the record\n";
    return kExitDone;
}

}  // namespace

void add_history(CommandLine& line) {
    auto options = std::make_shared<Options>();
    line.add("history", "Show every change of a record, the newest first")
        .argument("COLLECTION", options->collection, "the collection")
        .argument("ID", options->id, "the record's id")
        .option("--limit", options->limit, "N", "at most so many changes; default 50")
        .flag("--own", options->own, "of an alias: what lies under its own id")
        .note(
            "Times are those of the sites' own clocks; \"arrived\" is this site's. In brackets is "
            "what a\n"
            "change made of the field here. Deleted records have a history, erased ones do not.")
        .example("inos history customers c-17", "who changed what, and how it ended")
        .example("inos get customers c-17 --at 2026-01-31T10:00:00Z", "the record as it was")
        .body([options](Context& context) { return run(context, *options); });
}

}  // namespace inos
