// inos resolve: decides a conflict.
#include <memory>

#include "storage/json.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"
#include "tools/write_options.hpp"

namespace inos {

void add_resolve(CommandLine& line) {
    struct Options {
        std::string collection, id, field, json;
    };
    auto options = std::make_shared<Options>();
    line.add("resolve", "Decide a conflict: the field gets this value")
        .argument("COLLECTION", options->collection, "the collection")
        .argument("ID", options->id, "the record's id")
        .argument("FIELD", options->field, "the field, as inos conflicts shows it")
        .argument("JSON", options->json, "the value, or - to read it from standard input")
        .note(
            "The decision replaces every value that this site knows of, also when it is the one "
            "shown.")
        .example("inos resolve customers c-17 email '\"zoe@example.org\"'",
                 "a text is JSON too: mind the quotes")
        .example("inos resolve products p-3 price 12.5", "a number")
        .body([options](Context& context) -> Result<int> {
            INOS_TRY(auto value, json_argument(context, options->json, "the value"));
            Object body;
            set_member(body, "collection", Value(options->collection));
            set_member(body, "id", Value(options->id));
            set_member(body, "field", Value(options->field));
            set_member(body, "value", std::move(value));
            ApiRequest request{"POST", "/v1/conflicts/resolve", {}, {}, write_json(body)};
            return send_write(
                context, request, options->collection + "/" + options->id + ": " + options->field);
        });
}

}  // namespace inos
