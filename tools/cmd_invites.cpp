// inos invites: pairing codes that have not been used yet.
#include <memory>
#include <ostream>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {
namespace {

Result<int> list(Context& context) {
    INOS_TRY(auto client, Client::open(context));
    INOS_TRY(auto const answer, client->call({"GET", "/v1/invites", {}, {}, ""}));
    auto const* listed = answer.as<Array>();
    Array const& invites = listed ? *listed : array_of(answer, "invites");
    if (context.json) {
        print_json_line(context, Value(invites));
        return kExitDone;
    }
    Table table({"id", "role", "good until", "failed attempts"});
    for (auto const& invite : invites) {
        table.add({text_of(invite, "id"),
                   text_of(invite, "role"),
                   text_of(invite, "expires"),
                   cell_text(invite.find("failures"))});
    }
    if (table.empty()) {
        context.terminal.out << "no open invitations\n";
    } else {
        table.print(context.terminal);
    }
    return kExitDone;
}

}  // namespace

void add_invites(CommandLine& line) {
    auto id = std::make_shared<std::string>();
    auto& command = line.add("invites", "List open invitations, or revoke one");
    command.example("inos invites", "codes that nobody has used yet")
        .example("inos invites revoke 4f1c09aa73be2d10", "a code went to the wrong person")
        .body(list);
    command.subcommand("revoke", "Make a pairing code worthless")
        .argument("ID", *id, "the invitation's id, as inos invites shows it")
        .example("inos invites revoke 4f1c09aa73be2d10", "the code can be used no more")
        .body([id](Context& context) -> Result<int> {
            INOS_TRY(auto client, Client::open(context));
            INOS_TRY(auto const answer,
                     client->call({"DELETE", "/v1/invites", {{"id", *id}}, {}, ""}));
            if (context.json) {
                print_json_line(context, answer.is_null() ? Value(Object{}) : answer);
            } else {
                context.terminal.out << "invitation " << *id << " is revoked\n";
            }
            return kExitDone;
        });
}

}  // namespace inos
