// inos explain: why a record says what it says.
#include <memory>
#include <ostream>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {
namespace {

constexpr std::size_t kValueWidth = 60;
constexpr std::size_t kSharesShown = 20;

// "shop (crm), 2026-01-31T10:00:07.125Z, arrived 2026-01-31T10:00:09.001Z"
std::string origin_words(Value const* origin) {
    if (origin == nullptr || origin->is_null()) return "not known";
    std::string words = clean_text(text_of(*origin, "site")) + " (" +
                        clean_text(text_of(*origin, "source")) + "), " + text_of(*origin, "time");
    std::string const arrived = text_of(*origin, "arrived");
    return arrived.empty() ? words : words + ", arrived " + arrived;
}

std::string value_words(Value const& holder) {
    Value const* value = holder.find("value");
    return value ? fit_text(cell_text(value), kValueWidth) : "nothing";
}

void print_shares(Context& context, Value const& story) {
    std::ostream& out = context.terminal.out;
    Array const& shares = array_of(story, "shares");
    for (std::size_t i = 0; i < shares.size() && i < kSharesShown; ++i)
        out << "    " << value_words(shares[i]) << "   by " << origin_words(&shares[i]) << '\n';
    if (shares.size() > kSharesShown)
        out << "    "
            << context.terminal.dim("... and " + counted(shares.size() - kSharesShown, "other"))
            << '\n';
}

void print_field(Context& context, std::string const& field, Value const& story) {
    std::ostream& out = context.terminal.out;
    out << clean_text(field) << " = " << context.terminal.green(value_words(story)) << "   "
        << context.terminal.dim(text_of(story, "type")) << '\n';
    out << "    " << clean_text(text_of(story, "rule")) << '\n';
    Value const* written = story.find("written");
    bool const has_shares = !array_of(story, "shares").empty();
    if (has_shares)
        print_shares(context, story);
    else if (written && !written->is_null())
        out << "    written by " << origin_words(written) << '\n';
    for (Value const& right : array_of(story, "rights"))
        out << "    " << clean_text(text_of(right, "site")) << " may use "
            << number_of(right, "rights") << '\n';
    for (Value const& rival : array_of(story, "lost"))
        out << "    " << context.terminal.yellow("lost: " + value_words(rival)) << "   by "
            << origin_words(&rival) << ": " << clean_text(text_of(rival, "why")) << '\n';
    for (Value const& former : array_of(story, "before"))
        out << "    before: " << value_words(former) << "   until "
            << origin_words(former.find("replaced_by")) << '\n';
}

void print_state(Context& context, Value const& answer) {
    std::ostream& out = context.terminal.out;
    std::string const state = text_of(answer, "state");
    bool const deletes = !array_of(answer, "deletes").empty();
    if (state == "exists" && !deletes) return;
    out << state << ": " << clean_text(text_of(answer, "why")) << '\n';
    for (Value const& origin : array_of(answer, "deletes"))
        out << "    deleted by " << origin_words(&origin) << '\n';
    for (Value const& origin : array_of(answer, "edits_beside"))
        out << "    edited by " << origin_words(&origin) << '\n';
}

void print_explanation(Context& context, Value const& answer) {
    print_state(context, answer);
    Value const* fields = answer.find("fields");
    auto const* object = fields ? fields->as<Object>() : nullptr;
    for (Member const& member : object ? *object : Object{})
        print_field(context, member.key, member.value);
    if (!bool_of(answer, "complete"))
        context.terminal.err
            << "warning: the log of this site does not reach back to the beginning "
               "of the record; earlier values are not shown\n";
}

}  // namespace

void add_explain(CommandLine& line) {
    struct Options {
        std::string collection, id, field;
    };
    auto options = std::make_shared<Options>();
    line.add("explain", "Show why a record says what it says")
        .argument("COLLECTION", options->collection, "the collection")
        .argument("ID", options->id, "the record's id")
        .optional_argument("FIELD", options->field, "only this field, or the map's member a.b")
        .note(
            "Of each field: the value, who wrote it, through which source and when, the rule that "
            "made it\n"
            "win, what was written at the same time and lost, and the values before.")
        .example("inos explain customers c-17 city", "one field")
        .example("inos history customers c-17", "every change, in order")
        .body([options](Context& context) -> Result<int> {
            INOS_TRY(auto client, Client::open(context));
            ApiRequest request{
                "GET", record_path(options->collection, options->id) + "/explain", {}, {}, ""};
            if (!options->field.empty()) request.query["field"] = options->field;
            INOS_TRY(auto const answer, client->call(request));
            if (context.json)
                print_json_line(context, answer);
            else
                print_explanation(context, answer);
            return kExitDone;
        });
}

}  // namespace inos
