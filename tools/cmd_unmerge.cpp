// inos unmerge: takes inos merge-records back.
#include <memory>
#include <ostream>

#include "storage/json.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {

void add_unmerge(CommandLine& line) {
    struct Options {
        std::string collection, into, from;
    };
    auto options = std::make_shared<Options>();
    line.add("unmerge", "Bring a merged record back as its own")
        .argument("COLLECTION", options->collection, "the collection")
        .argument("INTO", options->into, "the record that FROM was merged into")
        .argument("FROM", options->from, "the id that stands for it")
        .note("FROM is again what lies under its id. What was copied into INTO stays there.")
        .example("inos unmerge customers c-17 web-902", "two customers again")
        .example("inos duplicates --merged", "which ids stand for other records")
        .body([options](Context& context) -> Result<int> {
            INOS_TRY(auto client, Client::open(context));
            Object body;
            set_member(body, "collection", Value(options->collection));
            set_member(body, "into", Value(options->into));
            set_member(body, "from", Value(options->from));
            INOS_TRY(auto const answer,
                     client->call({"POST", "/v1/duplicates/unmerge", {}, {}, write_json(body)}));
            if (context.json) {
                print_json_line(context, answer);
            } else {
                context.terminal.out << options->collection << "/" << options->from
                                     << " is a record of its own again\n";
            }
            return kExitDone;
        });
}

}  // namespace inos
