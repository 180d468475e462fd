// inos status: the site on one screen.
#include <memory>
#include <ostream>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"
#include "tools/peer_table.hpp"

namespace inos {
namespace {

constexpr std::size_t kRootShown = 12;

void print_space(Context& context, Value const& space) {
    auto& out = context.terminal.out;
    out << "space   " << clean_text(text_of(space, "name")) << '\n'
        << "records " << grouped(static_cast<std::uint64_t>(number_of(space, "records"))) << '\n'
        << "root    " << text_of(space, "root").substr(0, kRootShown)
        << context.terminal.dim("  equal at all sites that have seen the same") << '\n';
    std::string names;
    for (auto const& member : array_of(space, "members")) {
        std::string const role = text_of(member, "role");
        names += (names.empty() ? "" : ", ") + text_of(member, "name") +
                 (role.empty() ? "" : " (" + role + ")");
    }
    out << "members " << fit_text(names, context.terminal.width - 8) << '\n';
    std::string const standing = text_of(space, "standing");
    if (standing == "retired" || standing == "refused")
        out << "        " << context.terminal.red("this site is no member of the space any more")
            << context.terminal.dim("  it can be read; ask for an invitation to join again")
            << '\n';
    if (space.find("admins") && number_of(space, "admins") == 1)
        out << "admins  " << context.terminal.yellow("there is only one admin")
            << context.terminal.dim("  if it is lost, only the recovery code helps; see inos role")
            << '\n';
    if (auto const* continuity = space.find("continuity"); continuity && continuity->find("reason"))
        out << "actor   " << context.terminal.yellow(text_of(*continuity, "reason")) << '\n';
    for (auto const& fork : array_of(space, "forks"))
        out << "fork    "
            << context.terminal.red("two copies of " + clean_text(text_of(fork, "site")) +
                                    " have been writing as one, from entry " +
                                    std::to_string(number_of(fork, "entry")) + " or earlier on")
            << context.terminal.dim("  sites with different halves exchange nothing; stop a copy")
            << '\n';
    if (Value const* arriving = space.find("arriving"); arriving && !arriving->is_null())
        out << "state   " << number_of(*arriving, "records") << " of about "
            << counted(number_of(*arriving, "of"), "record") << " have arrived"
            << context.terminal.dim("  they are shown when all are here") << '\n';
    for (auto const& index : array_of(space, "indexes")) {
        if (index.find("ready") && *index.find("ready") == Value(true)) continue;
        std::string fields;
        for (auto const& field : array_of(index, "fields"))
            if (auto const* name = field.as<std::string>())
                fields += (fields.empty() ? "" : ", ") + *name;
        out << "index   " << clean_text(text_of(index, "collection")) << ": " << clean_text(fields)
            << " is being built, " << number_of(index, "done") << " of about "
            << counted(number_of(index, "of"), "record")
            << context.terminal.dim("  queries do not use it yet") << '\n';
    }
    for (auto const& silent : array_of(space, "purge_waits_for")) {
        std::string const since = text_of(silent, "since");
        out << "purge   waits for " << clean_text(text_of(silent, "site")) << ", "
            << (since.empty() ? "never heard of" : "silent since " + since)
            << context.terminal.dim("  deleted records stay until it has seen that") << '\n';
    }
}

// What the site's own inspection of what is stored has found, and how far it is.
void print_inspection(Context& context, Value const& inspection) {
    auto& out = context.terminal.out;
    auto const found = number_of(inspection, "findings");
    auto const* last = inspection.find("last");
    if (found > 0)
        out << "stored  "
            << context.terminal.red(counted(static_cast<std::uint64_t>(found), "finding") +
                                    " of damage")
            << context.terminal.dim("  see inos doctor") << '\n';
    else if (last && !last->is_null())
        out << "stored  all in order at " << text_of(*last, "ended") << '\n';
    if (bool_of(inspection, "under_way"))
        out << "        being looked at: " << text_of(inspection, "phase") << ", "
            << number_of(inspection, "done") << " of about " << number_of(inspection, "of") << '\n';
}

}  // namespace

void add_status(CommandLine& line) {
    line.add("status", "Show the site, its space and its peers on one screen")
        .example("inos status", "is everything connected and up to date?")
        .example("inos status --json | jq '.spaces[0].root'", "for scripts")
        .body([](Context& context) -> Result<int> {
            INOS_TRY(auto client, Client::open(context));
            INOS_TRY(auto const status, client->call({"GET", "/v1/status", {}, {}, ""}));
            if (context.json) {
                print_json_line(context, status);
                return kExitDone;
            }
            auto const* site = status.find("site");
            auto& terminal = context.terminal;
            terminal.out << "site    " << clean_text(site ? text_of(*site, "name") : "") << "  "
                         << terminal.dim(site ? text_of(*site, "id") : "") << '\n'
                         << "node    "
                         << (client->node_is_running() ? terminal.green("running")
                                                       : terminal.yellow("not running"))
                         << '\n';
            if (status.find("writable") && !bool_of(status, "writable")) {
                terminal.out
                    << terminal.red(
                           "writes are refused since a write to the disk failed; restart the node")
                    << '\n';
            }
            for (auto const& space : array_of(status, "spaces"))
                print_space(context, space);
            if (auto const* inspection = status.find("inspection"))
                print_inspection(context, *inspection);
            terminal.out << '\n';
            print_peers(context, array_of(status, "peers"));
            return kExitDone;
        });
}

}  // namespace inos
