// inos get: shows one record with its conflicts.
#include <memory>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {

void add_get(CommandLine& line) {
    struct Options {
        std::string collection, id;
    };
    auto options = std::make_shared<Options>();
    line.add("get", "Show a record")
        .argument("COLLECTION", options->collection, "the collection")
        .argument("ID", options->id, "the record's id")
        .note(
            "Shows the fields, the version for --if-match, and under \"conflicts\" every value "
            "that was\n"
            "written at the same time as the one shown, with site, source and time.")
        .example("inos get customers c-17", "for people")
        .example("inos get customers c-17 --json | jq .fields.email", "for scripts")
        .body([options](Context& context) -> Result<int> {
            INOS_TRY(auto client, Client::open(context));
            INOS_TRY(
                auto record,
                client->call({"GET", record_path(options->collection, options->id), {}, {}, ""}));
            print_json_document(context, record);
            return kExitDone;
        });
}

}  // namespace inos
