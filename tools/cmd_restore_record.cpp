// inos restore-record: makes a record what it was.
#include <memory>

#include "storage/json.hpp"
#include "tools/commands.hpp"
#include "tools/write_options.hpp"

namespace inos {

void add_restore_record(CommandLine& line) {
    struct Options : WriteOptions {
        std::string collection, id, at;
    };
    auto options = std::make_shared<Options>();
    auto& command = line.add("restore-record", "Make a record what it was");
    command.argument("COLLECTION", options->collection, "the collection")
        .argument("ID", options->id, "the record's id")
        .option("--at",
                options->at,
                "MOMENT",
                "a time like 2026-01-31T10:00:00Z, Unix milliseconds, or a \"vector\" of inos "
                "history --json");
    add_write_options(command, *options);
    command
        .note(
            "Writes the fields as they were then, as inos put would: a new change of this site. "
            "What the\n"
            "record is now stays in its history. A deleted record comes back; an erased one does "
            "not.")
        .example("inos get customers c-17 --at 2026-01-31", "look first")
        .example("inos restore-record customers c-17 --at 2026-01-31", "then bring it back")
        .body([options](Context& context) -> Result<int> {
            if (options->at.empty())
                return fail(Errc::usage, "--at MOMENT is missing: what shall the record be again?");
            Object body{{"at", Value(options->at)}};
            if (!options->if_match.empty()) set_member(body, "if_match", Value(options->if_match));
            ApiRequest request{"POST",
                               record_path(options->collection, options->id) + "/restore",
                               {},
                               {},
                               write_json(body)};
            apply_write_options(request, *options);
            request.headers.erase("if-match");
            return send_write(context, request, options->collection + "/" + options->id);
        });
}

}  // namespace inos
