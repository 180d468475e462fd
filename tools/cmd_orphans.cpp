// inos orphans: edits whose record all sites have purged. They come from an old copy of a site.
#include <memory>
#include <ostream>

#include "storage/json.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"
#include "tools/write_options.hpp"

namespace inos {
namespace {

Result<int> list_orphans(Context& context, std::string const& collection) {
    INOS_TRY(auto client, Client::open(context));
    Table table({"collection", "id", "fields"});
    std::string after;
    do {
        ApiRequest request{"GET", "/v1/orphans", {}, {}, ""};
        if (!collection.empty()) request.query["collection"] = collection;
        if (!after.empty()) request.query["after"] = after;
        INOS_TRY(auto const page, client->call(request));
        for (Value const& one : array_of(page, "orphans")) {
            if (context.json) print_json_line(context, one);
            table.add(
                {text_of(one, "collection"), text_of(one, "id"), cell_text(one.find("fields"))});
        }
        after = text_of(page, "next");
    } while (!after.empty());
    if (context.json) return kExitDone;
    if (table.empty())
        context.terminal.out << "no edits without a record\n";
    else
        table.print(context.terminal);
    return kExitDone;
}

}  // namespace

void add_orphans(CommandLine& line) {
    struct Options {
        std::string collection, id;
        bool keep = false, drop = false;
    };
    auto options = std::make_shared<Options>();
    line.add("orphans", "Edits of deleted records that are gone at all sites")
        .optional_argument("COLLECTION", options->collection, "only of this collection")
        .optional_argument("ID", options->id, "the one to decide")
        .flag("--keep", options->keep, "the record starts afresh with these fields")
        .flag("--drop", options->drop, "the edit goes")
        .note(
            "Such an edit comes from a site that was put back from an old copy and changed a "
            "record that\n"
            "everybody had seen deleted. It is kept, and not shown, until somebody decides.")
        .example("inos orphans", "list them")
        .example("inos orphans customers c-17 --keep", "bring the customer back with that edit")
        .body([options](Context& context) -> Result<int> {
            bool const decides = options->keep || options->drop || !options->id.empty();
            if (!decides) return list_orphans(context, options->collection);
            if (options->keep == options->drop || options->id.empty())
                return fail(Errc::usage,
                            "name the collection, the id, and either --keep or --drop");
            Object const body{{"collection", Value(options->collection)},
                              {"id", Value(options->id)},
                              {"keep", Value(options->keep)}};
            ApiRequest const request{"POST", "/v1/orphans", {}, {}, write_json(Value(body))};
            return send_write(context,
                              request,
                              options->collection + "/" + options->id,
                              options->keep ? "kept" : "dropped");
        });
}

}  // namespace inos
