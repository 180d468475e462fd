// inos dashboard: where a browser finds the pages of a running node.
//
// The address carries the token behind a "#": browsers keep that part to themselves, and the page
// takes it out of the address line at once. A browser is started with the name of a file that only
// this user may read, not with the token, which everybody could see in the list of processes.
#include <cstdio>
#include <memory>
#include <ostream>

#include <spawn.h>
#include <sys/wait.h>

#include "storage/crypto/key_files.hpp"
#include "storage/json.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/files.hpp"
#include "tools/output.hpp"

extern char** environ;

namespace inos {
namespace {

constexpr std::size_t kRunFileBytesMax = 4'096;

// A node that listens on all addresses is reached over the loopback from here.
std::string reachable(std::string address) {
    for (std::string_view const any : {"//0.0.0.0:", "//[::]:"}) {
        std::size_t const at = address.find(any);
        if (at != std::string::npos) address.replace(at, any.size(), "//127.0.0.1:");
    }
    return address;
}

Result<std::string> dashboard_address(Context& context) {
    INOS_TRY(auto const dir, context.data_dir());
    std::string const start = "start it with inos run --data " + dir + " --api 127.0.0.1:8080";
    bool running = false;
    {
        INOS_TRY(auto const client, Client::open(context));
        running = client->node_is_running();
    }
    if (!running)
        return fail(Errc::unavailable,
                    "no node runs in \"" + dir + "\", and the dashboard is a part of it; " + start);
    INOS_TRY(std::string const text, read_file(dir + "/run.json", kRunFileBytesMax));
    INOS_TRY(Value const run, parse_json(text, 8));
    std::string const address = text_of(run, "api");
    if (address.empty())
        return fail(Errc::unavailable,
                    "the node in \"" + dir +
                        "\" runs without an address for browsers; set api = \"127.0.0.1:8080\" in "
                        "its inos.toml and start it again, or " +
                        start);
    return reachable(address) + "/";
}

Result<std::string> token_of(std::string const& dir) {
    INOS_TRY(std::string token, read_secret_file(dir + "/api.token"));
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r'))
        token.pop_back();
    return token;
}

// A page that leads to the address, for this user's eyes only.
Result<std::string> write_door(std::string const& dir, std::string const& address) {
    std::string const path = dir + "/dashboard.html";
    std::remove(path.c_str());
    INOS_CHECK(write_secret_file(path,
                                 "<!doctype html><meta charset=\"utf-8\"><title>Dashboard</title>"
                                 "<meta name=\"referrer\" content=\"no-referrer\">"
                                 "<meta http-equiv=\"refresh\" content=\"0; url=" +
                                     address + "\">\n"));
    return path;
}

Result<void> open_in_browser(std::string file) {
    std::string program = "xdg-open";
    char* const arguments[] = {program.data(), file.data(), nullptr};
    pid_t child = 0;
    int status = 0;
    bool const started =
        ::posix_spawnp(&child, program.c_str(), nullptr, nullptr, arguments, environ) == 0 &&
        ::waitpid(child, &status, 0) == child;
    if (started && WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return fail(Errc::unavailable,
                "no browser could be opened (by xdg-open); run inos dashboard without --open and "
                "paste the address into a browser on this machine");
}

Result<int> dashboard(Context& context, bool open) {
    INOS_TRY(std::string const plain, dashboard_address(context));
    INOS_TRY(auto const dir, context.data_dir());
    INOS_TRY(std::string const token, token_of(dir));
    std::string const address = plain + "#token=" + token;
    if (open) {
        INOS_TRY(std::string const door, write_door(dir, address));
        INOS_CHECK(open_in_browser(door));
    }
    auto& out = context.terminal.out;
    if (context.json)
        print_json_line(context, Value(Object{{"url", Value(open ? plain : address)}}));
    else if (open)
        out << "opened " << plain << '\n';
    else
        out << address << '\n';
    return kExitDone;
}

}  // namespace

void add_dashboard(CommandLine& line) {
    auto open = std::make_shared<bool>(false);
    line.add("dashboard", "Print or open the address of the node's pages for a browser")
        .flag("--open", *open, "open it in this user's browser instead of printing it")
        .note(
            "The node has to run with --api. The address holds the token: whoever has it may do "
            "everything here.")
        .example("inos dashboard --data ./shop", "an address to paste into a browser")
        .example("inos dashboard --data ./shop --open", "on a machine with a screen")
        .body([open](Context& context) { return dashboard(context, *open); });
}

}  // namespace inos
