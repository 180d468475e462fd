// inos conflicts: fields where sites wrote different values at the same time.
#include <memory>
#include <ostream>

#include "storage/json.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {
namespace {

// The conflicts of one record, {field: [values]}, as rows of the table.
void add_rows(Table& table, Value const& record) {
    auto const* conflicts = record.find("conflicts");
    auto const* fields = conflicts ? conflicts->as<Object>() : nullptr;
    if (fields == nullptr) return;
    for (auto const& [field, values] : *fields) {
        auto const* array = values.as<Array>();
        for (auto const& value : array ? *array : Array{}) {
            table.add({text_of(record, "collection"),
                       text_of(record, "id"),
                       field,
                       bool_of(value, "lost")           ? "an increment"
                       : text_of(value, "site").empty() ? "(absent)"
                                                        : cell_text(value.find("value")),
                       bool_of(value, "wins")   ? "shown"
                       : bool_of(value, "lost") ? "adds nothing"
                                                : "",
                       text_of(value, "site"),
                       text_of(value, "source"),
                       text_of(value, "time")});
        }
    }
}

}  // namespace

void add_conflicts(CommandLine& line) {
    auto collection = std::make_shared<std::string>();
    line.add("conflicts", "List fields with more than one concurrent value")
        .optional_argument("COLLECTION", *collection, "only of this collection")
        .note(
            "The value marked \"shown\" is what the field reads as, by its policy. The others are "
            "kept until\n"
            "somebody writes the field again or decides with inos resolve. \"adds nothing\" marks\n"
            "increments of a counter that somebody took away without having seen them; inos\n"
            "explain tells how much they were.")
        .example("inos conflicts", "all of them")
        .example("inos resolve customers c-17 email '\"zoe@example.org\"'", "decide one")
        .body([collection](Context& context) -> Result<int> {
            INOS_TRY(auto client, Client::open(context));
            Table table({"collection", "id", "field", "value", "", "site", "source", "time"});
            std::string after;
            do {
                ApiRequest request{"GET", "/v1/conflicts", {}, {}, ""};
                if (!collection->empty()) request.query["collection"] = *collection;
                if (!after.empty()) request.query["after"] = after;
                INOS_TRY(auto const page, client->call(request));
                for (auto const& record : array_of(page, "records")) {
                    if (context.json) print_json_line(context, record);
                    add_rows(table, record);
                }
                after = text_of(page, "next");
            } while (!after.empty());
            if (context.json) return kExitDone;
            if (table.empty()) {
                context.terminal.out << "no conflicts\n";
            } else {
                table.print(context.terminal);
            }
            return kExitDone;
        });
}

}  // namespace inos
