// inos retire: ends a site's membership for good.
#include <memory>
#include <ostream>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {

void add_retire(CommandLine& line) {
    auto site = std::make_shared<std::string>();
    line.add("retire", "Shut a site out of the space for good")
        .argument("SITE", *site, "its name or id, as inos members shows it")
        .note(
            "For a machine that was lost, stolen or given away. Every site that hears of it ends "
            "its connection\n"
            "with the site at once. What the site wrote and others took stays. Nobody waits for it "
            "any more.\n"
            "It can join again with a new invitation, as a new site. Only at an admin site.")
        .example("inos retire laptop", "the laptop was left in a taxi")
        .body([site](Context& context) -> Result<int> {
            INOS_TRY(auto client, Client::open(context));
            INOS_TRY(auto const answer,
                     client->call({"DELETE", "/v1/members", {{"site", *site}}, {}, ""}));
            if (context.json) {
                print_json_line(context, answer);
                return kExitDone;
            }
            context.terminal.out << clean_text(text_of(answer, "name"))
                                 << " is no member of the space any more"
                                 << (client->node_is_running()
                                         ? ""
                                         : " (others hear of it from the next inos run on)")
                                 << '\n';
            return kExitDone;
        });
}

}  // namespace inos
