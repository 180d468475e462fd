// inos put: makes a record's fields what they should be.
#include <memory>

#include "storage/json.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"
#include "tools/write_options.hpp"

namespace inos {

void add_put(CommandLine& line) {
    struct Options : WriteOptions {
        std::string collection, id, json;
    };
    auto options = std::make_shared<Options>();
    auto& command = line.add("put", "Store a record: these fields, and no others");
    command.argument("COLLECTION", options->collection, "the collection; made by its first record")
        .argument("ID", options->id, "the record's id, 1 to 256 bytes of text")
        .argument("JSON",
                  options->json,
                  "the fields as a JSON object, or - to read it from standard input");
    add_write_options(command, *options);
    command.note("Fields that are not named are unset. To change some fields only, use inos patch.")
        .example("inos put customers c-17 '{\"name\": \"Zoë Ångström\", \"city\": \"Malmö\"}'",
                 "store a customer")
        .example("inos put customers c-17 - < c-17.json", "the same from a file")
        .body([options](Context& context) -> Result<int> {
            INOS_TRY(auto fields, json_argument(context, options->json, "the fields"));
            ApiRequest request{
                "PUT", record_path(options->collection, options->id), {}, {}, write_json(fields)};
            apply_write_options(request, *options);
            return send_write(context, request, options->collection + "/" + options->id);
        });
}

}  // namespace inos
