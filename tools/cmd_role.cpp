// inos role, inos rotate-key: what an admin changes about members.
#include <memory>
#include <ostream>

#include "storage/json.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {

void add_role(CommandLine& line) {
    struct Options {
        std::string site, role;
        std::vector<std::string> scope;
    };
    auto options = std::make_shared<Options>();
    line.add("role", "Change what a site may do")
        .argument("SITE", options->site, "its name or id, as inos members shows it")
        .argument("ROLE", options->role, "admin, writer or reader")
        .choices("ROLE", {"admin", "writer", "reader"})
        .option("--write",
                options->scope,
                "COLLECTION",
                "what a writer may write; several; without it everything")
        .note(
            "The site goes on under a new actor with the new rights as soon as it hears of it. "
            "Only "
            "at an admin\n"
            "site, and about another one. Of changes at two admins at once the more restrictive "
            "one "
            "holds.")
        .example("inos role kiosk reader", "it writes nothing any more")
        .example("inos role office writer --write orders", "it writes orders only")
        .body([options](Context& context) -> Result<int> {
            INOS_TRY(auto client, Client::open(context));
            Array scope;
            for (auto const& collection : options->scope)
                scope.push_back(Value(collection));
            Object body{{"site", Value(options->site)}, {"role", Value(options->role)}};
            if (!scope.empty()) set_member(body, "write", Value(std::move(scope)));
            INOS_TRY(auto const answer,
                     client->call({"POST", "/v1/members", {}, {}, write_json(Value(body))}));
            if (context.json) {
                print_json_line(context, answer);
                return kExitDone;
            }
            context.terminal.out << clean_text(text_of(answer, "name")) << " is "
                                 << text_of(answer, "role") << " now\n";
            return kExitDone;
        });
}

void add_rotate_key(CommandLine& line) {
    line.add("rotate-key", "Seal with a new key from now on")
        .note(
            "Each member gets the key sealed to it, in the membership log; what was sealed before "
            "can "
            "still be\n"
            "opened. Retiring a site does this by itself. Only at an admin site.")
        .example("inos rotate-key", "somebody may have copied a key file")
        .body([](Context& context) -> Result<int> {
            INOS_TRY(auto client, Client::open(context));
            INOS_TRY(auto const answer,
                     client->call({"POST", "/v1/members/rotate-key", {}, {}, ""}));
            if (context.json) {
                print_json_line(context, answer);
                return kExitDone;
            }
            context.terminal.out << "key " << text_of(answer, "key") << " of epoch "
                                 << number_of(answer, "epoch") << " seals from now on\n";
            return kExitDone;
        });
}

}  // namespace inos
