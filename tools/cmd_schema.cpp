// inos schema: how the fields of collections merge.
#include <memory>
#include <ostream>

#include "storage/json.hpp"
#include "storage/schema_document.hpp"
#include "tools/checked_schema.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {
namespace {

Result<int> show(Context& context) {
    INOS_TRY(auto client, Client::open(context));
    INOS_TRY(auto const schema, client->call({"GET", "/v1/schema", {}, {}, ""}));
    if (context.json) {
        print_json_line(context, schema);
    } else if (auto const* document = schema.as<Object>(); document && !document->empty()) {
        context.terminal.out << schema_toml(*document);
    } else {
        context.terminal.out
            << "# no schema: values are registers with policy \"latest\", objects are maps\n";
    }
    return kExitDone;
}

Result<int> check_file(Context& context, std::string const& path) {
    INOS_TRY(auto const document, checked_schema(context, path));
    if (context.json) {
        print_json_line(context, Value(document));
    } else {
        context.terminal.out << path << ": " << counted(document.size(), "collection")
                             << ", no problems\n";
    }
    return kExitDone;
}

Result<int> apply_file(Context& context, std::string const& path) {
    INOS_TRY(auto const document, checked_schema(context, path));
    INOS_TRY(auto client, Client::open(context));
    INOS_TRY(auto const answer, client->call({"POST", "/v1/schema", {}, {}, write_json(document)}));
    if (context.json) {
        print_json_line(context, answer);
    } else {
        context.terminal.out << "schema of " << counted(document.size(), "collection")
                             << " applied; other sites get it with the next exchange\n";
    }
    return kExitDone;
}

}  // namespace

void add_schema(CommandLine& line) {
    auto file = std::make_shared<std::string>();
    auto& command = line.add("schema", "Show, check or apply how fields merge");
    command
        .note(
            "A schema says per field what happens when two sites change it at the same time. It is "
            "data:\n"
            "apply it at one site and all have it. Changing it later rewrites nothing and loses "
            "nothing.\n\n"
            "  [customers.fields]\n"
            "  email  = { type = \"register\", policy = \"priority\", ranking = [\"crm\", "
            "\"shop\"] }\n"
            "  points = { type = \"counter\" }\n"
            "  tags   = { type = \"set\" }")
        .example("inos schema check shop.toml",
                 "find mistakes, with line and column; needs no site")
        .example("inos schema apply shop.toml", "make it the schema of the space")
        .example("inos schema show > shop.toml", "what is in force");
    command.subcommand("show", "Print the schema in force")
        .example("inos schema show > shop.toml", "to change it and apply it again")
        .body(show);
    command.subcommand("check", "Check a schema file")
        .argument("FILE", *file, "the TOML file")
        .example("inos schema check shop.toml", "prints FILE:LINE:COLUMN: message for each mistake")
        .body([file](Context& context) { return check_file(context, *file); });
    command.subcommand("apply", "Check a schema file and apply it")
        .argument("FILE", *file, "the TOML file")
        .note("Collections that the file does not name keep their schema.")
        .example("inos schema apply shop.toml", "at one site; the others get it by themselves")
        .body([file](Context& context) { return apply_file(context, *file); });
}

}  // namespace inos
