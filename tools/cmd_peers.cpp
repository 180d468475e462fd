// inos peers: which sites this one is connected to.
#include <memory>
#include <ostream>

#include "storage/json.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"
#include "tools/peer_table.hpp"

namespace inos {
namespace {

Result<int> list(Context& context) {
    INOS_TRY(auto client, Client::open(context));
    INOS_TRY(auto const answer, client->call({"GET", "/v1/peers", {}, {}, ""}));
    auto const* listed = answer.as<Array>();
    Array const& peers = listed ? *listed : array_of(answer, "peers");
    if (context.json) {
        print_json_line(context, Value(peers));
    } else {
        print_peers(context, peers);
    }
    return kExitDone;
}

Result<int> change(Context& context, ApiRequest const& request, std::string const& done) {
    INOS_TRY(auto client, Client::open(context));
    INOS_TRY(auto const answer, client->call(request));
    if (context.json) {
        print_json_line(context, answer.is_null() ? Value(Object{}) : answer);
    } else {
        context.terminal.out << done
                             << (client->node_is_running() ? "" : " (from the next inos run on)")
                             << '\n';
    }
    return kExitDone;
}

}  // namespace

void add_peers(CommandLine& line) {
    auto url = std::make_shared<std::string>();
    auto& command = line.add("peers", "Show, add or remove the sites to exchange with");
    command
        .note("behind: entries that the peer has and this site lacks; ahead: the other way round.")
        .example("inos peers", "who is connected")
        .example("inos peers add ws://192.0.2.7:7711", "dial a site, now and after each start")
        .body(list);
    command.subcommand("add", "Dial a site at once, and after each start")
        .argument("URL", *url, "ws://HOST:PORT")
        .example("inos peers add ws://192.0.2.7:7711", "the site must be a member of the space")
        .body([url](Context& context) {
            Object body;
            set_member(body, "url", Value(*url));
            return change(
                context, {"POST", "/v1/peers", {}, {}, write_json(body)}, *url + " is dialled");
        });
    command.subcommand("remove", "Hang up and dial a site no more")
        .argument("URL", *url, "ws://HOST:PORT as inos peers shows it")
        .note("The other site may still dial this one.")
        .example("inos peers remove ws://192.0.2.7:7711",
                 "at both ends, to cut two sites off from each other")
        .body([url](Context& context) {
            return change(context,
                          {"DELETE", "/v1/peers", {{"url", *url}}, {}, ""},
                          *url + " is dialled no more");
        });
}

}  // namespace inos
