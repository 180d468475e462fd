// inos recover: makes this site an admin with the code on paper, when the admins are lost.
#include <memory>
#include <ostream>

#include "storage/json.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {

void add_recover(CommandLine& line) {
    struct Options {
        std::string code;
        std::vector<std::string> lost;
    };
    auto options = std::make_shared<Options>();
    line.add("recover", "Make this site an admin, with the recovery code, when the admin is lost")
        .argument("CODE", options->code, "what inos init printed, or the last inos recover")
        .option("--lost", options->lost, "SITE", "an admin that is lost, and is retired; several")
        .note(
            "Run it at a site that is still a member. The lost admins are retired for good, as by "
            "inos retire;\n"
            "without --lost the only other admin, if there is one. The code is used up, and a new "
            "one "
            "is printed.")
        .example("inos recover inosr1-...", "the only admin's machine burnt down")
        .example("inos recover inosr1-... --lost hq --lost desk", "two admins are lost")
        .body([options](Context& context) -> Result<int> {
            INOS_TRY(auto client, Client::open(context));
            Array lost;
            for (auto const& site : options->lost)
                lost.push_back(Value(site));
            Object body{{"code", Value(options->code)}};
            if (!lost.empty()) set_member(body, "lost", Value(std::move(lost)));
            INOS_TRY(
                auto const answer,
                client->call({"POST", "/v1/members/recover", {}, {}, write_json(Value(body))}));
            if (context.json) {
                print_json_line(context, answer);
                return kExitDone;
            }
            auto& out = context.terminal.out;
            out << "this site is an admin now\n";
            for (auto const& site : array_of(answer, "retired"))
                out << clean_text(cell_text(&site)) << " is no member of the space any more\n";
            out << "\nnew recovery code: "
                << context.terminal.green(text_of(answer, "recovery_code"))
                << "\nThe old one is used up. Write the new one on paper; it is not shown again.\n";
            return kExitDone;
        });
}

}  // namespace inos
