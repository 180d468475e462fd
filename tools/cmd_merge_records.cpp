// inos merge-records: makes one record's id an alias of another's.
#include <memory>
#include <ostream>

#include "storage/json.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {
namespace {

void print_merge(Context& context, std::string const& collection, Value const& answer) {
    auto& out = context.terminal.out;
    out << collection << "/" << clean_text(text_of(answer, "alias")) << " stands for " << collection
        << "/" << clean_text(text_of(answer, "id")) << '\n';
    std::string copied;
    for (Value const& field : array_of(answer, "copied"))
        copied += (copied.empty() ? "" : ", ") + cell_text(&field);
    if (!copied.empty()) out << "copied: " << clean_text(copied) << '\n';
    Table table({"field", "kept", "left behind"});
    for (Value const& one : array_of(answer, "differing"))
        table.add(
            {text_of(one, "field"), cell_text(one.find("kept")), cell_text(one.find("left"))});
    if (!table.empty()) table.print(context.terminal);
}

}  // namespace

void add_merge_records(CommandLine& line) {
    struct Options {
        std::string collection, into, from;
    };
    auto options = std::make_shared<Options>();
    line.add("merge-records", "Make a duplicate's id stand for another record")
        .argument("COLLECTION", options->collection, "the collection")
        .argument("INTO", options->into, "the record that stays")
        .argument("FROM", options->from, "the record that is about the same thing")
        .note(
            "Both ids then read and write the one record, at all sites. It gets the fields that it "
            "lacks;\n"
            "where both have a field its own value stays, and the other one is shown. FROM stays "
            "stored\n"
            "as it is, and inos unmerge brings it back.")
        .example("inos merge-records customers c-17 web-902", "web-902 stands for c-17")
        .example("inos duplicates customers", "which records to look at")
        .body([options](Context& context) -> Result<int> {
            INOS_TRY(auto client, Client::open(context));
            Object body;
            set_member(body, "collection", Value(options->collection));
            set_member(body, "into", Value(options->into));
            set_member(body, "from", Value(options->from));
            INOS_TRY(auto const answer,
                     client->call({"POST", "/v1/duplicates/merge", {}, {}, write_json(body)}));
            if (context.json) {
                print_json_line(context, answer);
            } else {
                print_merge(context, options->collection, answer);
            }
            return kExitDone;
        });
}

}  // namespace inos
