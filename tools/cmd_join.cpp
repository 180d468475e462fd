// inos join: a new site in an existing space. Returns when the site holds what the others hold.
#include <filesystem>
#include <memory>
#include <ostream>

#include "net/node.hpp"
#include "tools/catching_up.hpp"
#include "tools/commands.hpp"
#include "tools/config.hpp"
#include "tools/files.hpp"
#include "tools/output.hpp"
#include "tools/progress.hpp"
#include "tools/system_clock.hpp"
#include "tools/unlock.hpp"

namespace inos {
namespace {

struct Options {
    std::string code, site;
    bool no_wait = false, encrypt = false;
};

void print_joined(Context& context,
                  JoinResult const& joined,
                  std::string const& dir,
                  std::string const& kept) {
    auto& out = context.terminal.out;
    if (context.json) {
        Object result;
        set_member(result, "data", Value(dir));
        set_member(result, "space", Value(joined.space));
        set_member(result, "inviter", Value(joined.inviter));
        set_member(result, "words", Value(joined.words));
        if (!kept.empty()) set_member(result, "retired_data", Value(kept));
        print_json_line(context, Value(std::move(result)));
        return;
    }
    out << "joined the space \"" << clean_text(joined.space) << "\" by invitation of \""
        << clean_text(joined.inviter) << "\"\nwords: " << joined.words
        << "  (the same at both ends, unless somebody sits in between)\nnext: inos run --data "
        << dir << '\n';
    if (!kept.empty())
        out << "the site that was retired is kept in " << kept
            << "; what of it never reached anybody: inos carry-over " << kept << " --data " << dir
            << '\n';
}

// Does the directory hold a site that is no member of its space any more? It may not be in use.
Result<bool> holds_former_member(Context const& context,
                                 std::string const& dir,
                                 Clock const& clock) {
    std::error_code ignored;
    if (!std::filesystem::exists(dir + "/db", ignored)) return false;
    INOS_TRY(auto const key, unlock(context, dir));
    INOS_TRY(auto const site, open_site(dir, clock, Durability::synced, pointer_to(key)));
    return !site->replica->membership().by_site(site->keys.identity.public_key);
}

Result<void> rename_directory(std::string const& from, std::string const& to) {
    std::error_code error;
    std::filesystem::rename(from, to, error);
    if (!error) return {};
    return fail(
        Errc::io, "cannot rename \"" + from + "\" to \"" + to + "\": " + error.message(), from);
}

std::string again_of(std::string const& dir) {
    return dir + ".again";
}

// A retired site's keys never match again: it joins as a new site, in a new directory that then
// takes the place of the old one. The old one stays beside it, with what only it holds.
Result<JoinResult> join_again(std::string const& code,
                              std::string const& dir,
                              std::string const& site,
                              Clock const& clock,
                              Encryption const* encryption,
                              std::string& kept) {
    std::string const fresh = again_of(dir);
    INOS_TRY(auto joined, join_space(code, fresh, site, clock, nullptr, encryption));
    std::error_code ignored;
    int number = 1;
    while (std::filesystem::exists(dir + ".retired-" + std::to_string(number), ignored))
        ++number;
    kept = dir + ".retired-" + std::to_string(number);
    INOS_CHECK(rename_directory(dir, kept));
    INOS_CHECK(rename_directory(fresh, dir));
    return joined;
}

Result<int> join(Context& context, Options const& options) {
    INOS_TRY(auto dir, context.data_dir());
    while (dir.size() > 1 && dir.back() == '/')
        dir.pop_back();
    SystemClock const clock;
    INOS_TRY(bool const again, holds_former_member(context, dir, clock));
    // What takes the place of an encrypted directory is encrypted.
    bool const encrypt = options.encrypt || (again && context.keys->contains(dir));
    INOS_TRY(auto const encryption,
             encryption_for(context, encrypt, joining_directory(again ? again_of(dir) : dir)));
    auto const* const made = pointer_to(encryption);
    std::string kept;
    INOS_TRY(auto const joined,
             again ? join_again(options.code, dir, options.site, clock, made, kept)
                   : join_space(options.code, dir, options.site, clock, nullptr, made));
    INOS_CHECK(replace_file(dir + "/inos.toml", config_file_text()));
    DataKey const* const key = made ? &made->key : nullptr;
    if (!options.no_wait) INOS_CHECK(catch_up_shown(context, dir, clock, key));
    print_joined(context, joined, dir, kept);
    return kExitDone;
}

}  // namespace

Result<void> catch_up_shown(Context& context,
                            std::string const& dir,
                            Clock const& clock,
                            DataKey const* key) {
    constexpr std::uint64_t kPatienceMs = 30'000;  // without any progress
    Progress progress(context.terminal, "catching up", 0);
    auto const show = [&](Node::Progress const& now) {
        progress.set_total(now.state ? now.state->records : now.held + now.behind);
        progress.update(now.state ? now.state->here : now.held,
                        !now.connected ? "connecting"
                        : now.state    ? "records"
                                       : "");
    };
    return catch_up(dir, clock, kPatienceMs, show, key);
}

void add_join(CommandLine& line) {
    auto options = std::make_shared<Options>();
    line.add("join", "Make a new site in an existing space, with a pairing code")
        .argument("CODE", options->code, "what inos invite printed at a site of the space")
        .option(
            "--site", options->site, "NAME", "what people call the site, such as office (needed)")
        .flag("--no-wait", options->no_wait, "return when admitted; catch up when the node runs")
        .flag("--encrypt", options->encrypt, "nobody reads it without a passphrase or key file")
        .note(
            "The inviting site must be running and reachable. Interrupted? Run the same again. In "
            "the "
            "directory\n"
            "of a site that was retired it makes a new site in its place, and keeps the old "
            "directory "
            "beside it.")
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
