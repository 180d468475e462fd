// inos verify: whether all sites hold the same. The last line and the exit status are for scripts.
#include <memory>
#include <ostream>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {
namespace {

constexpr std::size_t kRootShown = 12;

// "2 agree" is no news; the others are named with what is the matter.
std::string summary(Array const& peers, std::size_t agreeing) {
    std::string text = "verify: " + std::to_string(agreeing) + " of " +
                       std::to_string(peers.size() + 1) + " sites agree;";
    char const* separator = " ";
    for (auto const& peer : peers) {
        std::string const state = text_of(peer, "state");
        if (state == "agrees") continue;
        text += separator + clean_text(text_of(peer, "name")) + " " +
                (state == "differs" || state.empty() ? state : "is " + state);
        separator = ", ";
    }
    return text;
}

Result<int> verify(Context& context) {
    INOS_TRY(auto client, Client::open(context));
    INOS_TRY(auto const report, client->call({"POST", "/v1/verify", {}, {}, "{}"}));
    auto const& peers = array_of(report, "peers");
    bool const agree = bool_of(report, "agree");
    if (context.json) {
        print_json_line(context, report);
        return agree ? kExitDone : kExitFailed;
    }
    Table table({"site", "state", "behind", "ahead", "root"});
    table.add({"this one", "", "", "", text_of(report, "root").substr(0, kRootShown)});
    std::size_t agreeing = 1;
    for (auto const& peer : peers) {
        if (text_of(peer, "state") == "agrees") ++agreeing;
        table.add({text_of(peer, "name"),
                   text_of(peer, "state"),
                   cell_text(peer.find("behind")),
                   cell_text(peer.find("ahead")),
                   text_of(peer, "root").substr(0, kRootShown)});
    }
    auto& terminal = context.terminal;
    table.print(terminal);
    if (!client->node_is_running() && !peers.empty()) {
        terminal.err << "inos: no node is running here, so the other sites were not asked\n";
    }
    if (agree) {
        std::string const sites = std::to_string(peers.size() + 1);
        terminal.out << terminal.green("verify: all " + sites + " sites agree") << '\n';
        return kExitDone;
    }
    terminal.out << terminal.red(summary(peers, agreeing)) << '\n';
    return kExitFailed;
}

}  // namespace

void add_verify(CommandLine& line) {
    line.add("verify", "Check that all sites hold the same records")
        .note(
            "Compares the roots, keyed sums over every record: equal roots mean equal records. "
            "Exit status 0\n"
            "when all sites of the space agree, 1 when one differs, is behind or cannot be asked.")
        .example("inos verify", "ends with: verify: all 3 sites agree")
        .example("inos verify --json", "for scripts")
        .body(verify);
}

}  // namespace inos
