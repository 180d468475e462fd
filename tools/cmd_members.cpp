// inos members: the sites of the space.
#include <memory>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {

void add_members(CommandLine& line) {
    line.add("members", "List the sites of the space and their rights")
        .example("inos members", "who belongs to the space, as far as this site knows")
        .example("inos members --json", "for scripts")
        .body([](Context& context) -> Result<int> {
            INOS_TRY(auto client, Client::open(context));
            INOS_TRY(auto const answer, client->call({"GET", "/v1/members", {}, {}, ""}));
            auto const* listed = answer.as<Array>();
            Array const& members = listed ? *listed : array_of(answer, "members");
            if (context.json) {
                print_json_line(context, Value(members));
                return kExitDone;
            }
            Table table({"name", "role", "may write", "site"});
            for (auto const& member : members) {
                std::string scope;
                for (auto const& collection : array_of(member, "scope")) {
                    scope += (scope.empty() ? "" : ", ") + cell_text(&collection);
                }
                std::string const role = text_of(member, "role");
                bool const writes = role == "admin" || role == "writer";
                table.add({text_of(member, "name"),
                           role,
                           !writes         ? "nothing"
                           : scope.empty() ? "everything"
                                           : scope,
                           text_of(member, "site")});
            }
            table.print(context.terminal);
            return kExitDone;
        });
}

}  // namespace inos
