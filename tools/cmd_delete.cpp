// inos delete: deletes a record at all sites.
#include <memory>

#include "tools/commands.hpp"
#include "tools/write_options.hpp"

namespace inos {

void add_delete(CommandLine& line) {
    struct Options : WriteOptions {
        std::string collection, id;
    };
    auto options = std::make_shared<Options>();
    auto& command = line.add("delete", "Delete a record");
    command.argument("COLLECTION", options->collection, "the collection")
        .argument("ID", options->id, "the record's id");
    add_write_options(command, *options);
    command
        .note(
            "Unless the schema says delete-wins, an edit that another site makes without knowing "
            "of the\n"
            "delete brings the whole record back.")
        .example("inos delete customers c-17", "delete a customer")
        .example("inos delete customers c-17 --if-match VERSION",
                 "only if nobody changed it meanwhile")
        .body([options](Context& context) -> Result<int> {
            ApiRequest request{"DELETE", record_path(options->collection, options->id), {}, {}, ""};
            apply_write_options(request, *options);
            return send_write(context, request, options->collection + "/" + options->id);
        });
}

}  // namespace inos
