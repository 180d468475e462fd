// inos join: a new site in an existing space. Returns when the site holds what the others hold.
#include <memory>
#include <ostream>

#include "net/node.hpp"
#include "tools/commands.hpp"
#include "tools/config.hpp"
#include "tools/files.hpp"
#include "tools/output.hpp"
#include "tools/progress.hpp"
#include "tools/system_clock.hpp"

namespace inos {
namespace {

constexpr std::uint64_t kPatienceMs = 30'000;  // without any progress

struct Options {
    std::string code, site;
    bool no_wait = false;
};

void print_joined(Context& context, JoinResult const& joined, std::string const& dir) {
    auto& out = context.terminal.out;
    if (context.json) {
        Object result;
        set_member(result, "data", Value(dir));
        set_member(result, "space", Value(joined.space));
        set_member(result, "inviter", Value(joined.inviter));
        set_member(result, "words", Value(joined.words));
        print_json_line(context, Value(std::move(result)));
        return;
    }
    out << "joined the space \"" << clean_text(joined.space) << "\" by invitation of \""
        << clean_text(joined.inviter) << "\"\nwords: " << joined.words
        << "  (the same at both ends, unless somebody sits in between)\nnext: inos run --data "
        << dir << '\n';
}

Result<int> join(Context& context, Options const& options) {
    INOS_TRY(auto const dir, context.data_dir());
    SystemClock const clock;
    INOS_TRY(auto const joined, join_space(options.code, dir, options.site, clock));
    INOS_CHECK(replace_file(dir + "/inos.toml", config_file_text()));
    if (!options.no_wait) {
        Progress progress(context.terminal, "catching up", 0);
        INOS_CHECK(catch_up(dir, clock, kPatienceMs, [&](Node::Progress const& now) {
            progress.set_total(now.held + now.behind);
            progress.update(now.held, now.connected ? "" : "connecting");
        }));
    }
    print_joined(context, joined, dir);
    return kExitDone;
}

}  // namespace

void add_join(CommandLine& line) {
    auto options = std::make_shared<Options>();
    line.add("join", "Make a new site in an existing space, with a pairing code")
        .argument("CODE", options->code, "what inos invite printed at a site of the space")
        .option(
            "--site", options->site, "NAME", "what people call the site, such as office (needed)")
        .flag("--no-wait", options->no_wait, "return when admitted; catch up when the node runs")
        .note("The inviting site must be running and reachable. Interrupted? Run the same again.")
        .example("inos join inos1-... --data /var/lib/inos --site office", "then: inos run")
        .body([options](Context& context) -> Result<int> {
            if (options->site.empty()) {
                return fail(Errc::usage,
                            "--site is missing: the name of the new site, such as --site office");
            }
            return join(context, *options);
        });
}

}  // namespace inos
