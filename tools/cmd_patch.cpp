// inos patch: changes some of a record's fields.
#include <memory>

#include "storage/json.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"
#include "tools/write_options.hpp"

namespace inos {

void add_patch(CommandLine& line) {
    struct Options : WriteOptions {
        std::string collection, id, json;
    };
    auto options = std::make_shared<Options>();
    auto& command = line.add("patch", "Change some fields of a record");
    command.argument("COLLECTION", options->collection, "the collection")
        .argument("ID", options->id, "the record's id")
        .argument("JSON",
                  options->json,
                  "a merge patch as a JSON object, or - to read it from standard input");
    add_write_options(command, *options);
    command
        .note(
            "null unsets a field; an object changes the members it names.\n"
            "Typed changes: {\"stock\":{\"$inc\":-2}} counts, "
            "{\"tags\":{\"$add\":[\"vip\"],\"$remove\":[\"new\"]}}\n"
            "changes a set, {\"consent\":{\"$enable\":true}} a flag,\n"
            "{\"memo\":{\"$splice\":{\"at\":0,\"delete\":2,\"insert\":\"new\"}}} a text.")
        .example("inos patch customers c-17 '{\"city\": \"Lund\", \"fax\": null}'",
                 "a new city, and no fax any more")
        .example("inos patch products p-3 '{\"stock\": {\"$inc\": -2}}'", "two were sold")
        .example("inos patch customers c-17 '{\"city\": \"Lund\"}' --if-match VERSION",
                 "only if nobody changed it meanwhile")
        .body([options](Context& context) -> Result<int> {
            INOS_TRY(auto fields, json_argument(context, options->json, "the patch"));
            ApiRequest request{
                "PATCH", record_path(options->collection, options->id), {}, {}, write_json(fields)};
            apply_write_options(request, *options);
            return send_write(context, request, options->collection + "/" + options->id);
        });
}

}  // namespace inos
