// inos invite: one pairing code for one new site.
#include <memory>
#include <ostream>

#include "storage/json.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/duration.hpp"
#include "tools/output.hpp"

namespace inos {
namespace {

struct Options {
    std::string role = "writer";
    std::vector<std::string> write, at;
    std::string ttl = "1h";
};

Array texts(std::vector<std::string> const& values) {
    Array array;
    for (auto const& value : values)
        array.emplace_back(value);
    return array;
}

Result<int> invite(Context& context, Options const& options) {
    INOS_TRY(auto const ttl_s, parse_duration(options.ttl));
    Object body;
    set_member(body, "role", Value(options.role));
    set_member(body, "ttl_s", Value(static_cast<std::int64_t>(ttl_s)));
    if (!options.write.empty()) set_member(body, "write", Value(texts(options.write)));
    if (!options.at.empty()) set_member(body, "at", Value(texts(options.at)));
    INOS_TRY(auto client, Client::open(context));
    INOS_TRY(auto const answer, client->call({"POST", "/v1/invites", {}, {}, write_json(body)}));
    if (context.json) {
        print_json_line(context, answer);
        return kExitDone;
    }
    context.terminal.out << text_of(answer, "code") << '\n';
    if (context.terminal.out_is_terminal) {
        context.terminal.err << "One site may join with this code, within " << options.ttl
                             << ", as " << options.role << ". Hand it over like a password:\n"
                             << "  inos join CODE --data DIR --site NAME\n";
    }
    return kExitDone;
}

}  // namespace

void add_invite(CommandLine& line) {
    auto options = std::make_shared<Options>();
    line.add("invite", "Make a pairing code that lets one new site in")
        .option("--role", options->role, "ROLE", "admin, writer (default) or reader")
        .choices("--role", {"admin", "writer", "reader"})
        .option("--write",
                options->write,
                "COLLECTION",
                "the only collections that it may write; default: all")
        .option("--ttl",
                options->ttl,
                "DURATION",
                "how long the code is good: 90s, 15m, 1h (default), at most 30d")
        .option(
            "--at",
            options->at,
            "URL",
            "where the new site reaches this one: ws://HOST:PORT; default: where the node listens")
        .note("The node must be running, and this site must be an admin. The code works once.")
        .example("inos invite", "a site that may write everything, within the hour")
        .example("inos invite --role writer --write orders --ttl 1d --at ws://shop.example:7711",
                 "a till")
        .body([options](Context& context) { return invite(context, *options); });
}

}  // namespace inos
