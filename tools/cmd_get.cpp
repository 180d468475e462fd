// inos get: shows one record with its conflicts.
#include <memory>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {

void add_get(CommandLine& line) {
    struct Options {
        std::string collection, id, at;
        bool elements = false;
    };
    auto options = std::make_shared<Options>();
    line.add("get", "Show a record")
        .argument("COLLECTION", options->collection, "the collection")
        .argument("ID", options->id, "the record's id")
        .flag("--elements", options->elements, "show lists with the ids of their elements")
        .option("--at",
                options->at,
                "MOMENT",
                "as it was then: a time like 2026-01-31T10:00:00Z, Unix milliseconds, or a "
                "\"vector\" of inos history --json")
        .note(
            "Shows the fields, the version for --if-match, and under \"conflicts\" every value "
            "that was\n"
            "written at the same time as the one shown, with site, source and time.")
        .example("inos get customers c-17", "for people")
        .example("inos get customers c-17 --json | jq .fields.email", "for scripts")
        .body([options](Context& context) -> Result<int> {
            INOS_TRY(auto client, Client::open(context));
            ApiRequest request{"GET", record_path(options->collection, options->id), {}, {}, ""};
            if (options->elements) request.query["elements"] = "true";
            if (!options->at.empty()) request.query["at"] = options->at;
            INOS_TRY(auto record, client->call(std::move(request)));
            print_json_document(context, record);
            return kExitDone;
        });
}

}  // namespace inos
