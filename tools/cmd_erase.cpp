// inos erase: erases a record for good at all sites, and shows how far that has come.
#include <memory>
#include <ostream>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"
#include "tools/write_options.hpp"

namespace inos {
namespace {

std::string joined(Array const& texts) {
    std::string text;
    for (Value const& item : texts)
        text += (text.empty() ? "" : ", ") + cell_text(&item);
    return text.empty() ? "-" : text;
}

Result<int> show_status(Context& context) {
    INOS_TRY(auto client, Client::open(context));
    INOS_TRY(auto const answer, client->call({"GET", "/v1/erasures", {}, {}, ""}));
    if (context.json) {
        for (Value const& one : array_of(answer, "erasures"))
            print_json_line(context, one);
        return 0;
    }
    Table table({"erasure", "collection", "asked for at", "when", "gone at", "waiting for"});
    for (Value const& one : array_of(answer, "erasures"))
        table.add({text_of(one, "tag").substr(0, 8),
                   text_of(one, "collection"),
                   text_of(one, "site"),
                   text_of(one, "time"),
                   joined(array_of(one, "done")),
                   joined(array_of(one, "waiting"))});
    if (table.empty())
        context.terminal.out << "nothing was erased\n";
    else
        table.print(context.terminal);
    return 0;
}

}  // namespace

void add_erase(CommandLine& line) {
    struct Options : WriteOptions {
        std::string collection, id;
        bool status = false;
    };
    auto options = std::make_shared<Options>();
    auto& command = line.add("erase", "Erase a record for good, with its history, at all sites");
    command.optional_argument("COLLECTION", options->collection, "the collection")
        .optional_argument("ID", options->id, "the record's id")
        .flag("--status", options->status, "list what was erased and which sites have done it");
    add_write_options(command, *options);
    command
        .note(
            "For the right to be forgotten. Contents go from records, log and history of every "
            "site as soon\n"
            "as it hears of it, and from its disk a little later. The id cannot be used again: "
            "give ids that\n"
            "people bring along, such as addresses, a number behind them. There is no way back.")
        .example("inos erase customers c-17", "erase a customer")
        .example("inos erase --status", "which sites have no byte of it any more")
        .body([options](Context& context) -> Result<int> {
            if (options->status) {
                if (options->collection.empty()) return show_status(context);
                return fail(Errc::usage, "--status lists all erasures and takes no record");
            }
            if (options->collection.empty() || options->id.empty())
                return fail(Errc::usage,
                            "say which record to erase: inos erase COLLECTION ID; or --status");
            ApiRequest request{"DELETE", record_path(options->collection, options->id), {}, {}, ""};
            request.query["erase"] = "true";
            apply_write_options(request, *options);
            return send_write(context, request, options->collection + "/" + options->id, "erased");
        });
}

}  // namespace inos
