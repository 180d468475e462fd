// The program `inos`: the list of its commands.
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "storage/crypto/crypto.hpp"
#include "tools/command_line.hpp"
#include "tools/commands.hpp"

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of the write, with a message
    inos::crypto::init();
    auto terminal = inos::Terminal::of_process();
    char const* const data = std::getenv("INOS_DATA");
    inos::CommandLine line(terminal, INOS_VERSION, data ? data : "");

    // Sites
    inos::add_init(line);
    inos::add_invite(line);
    inos::add_invites(line);
    inos::add_join(line);
    inos::add_run(line);
    // Records
    inos::add_get(line);
    inos::add_put(line);
    inos::add_patch(line);
    inos::add_delete(line);
    inos::add_erase(line);
    inos::add_orphans(line);
    inos::add_list(line);
    inos::add_import(line);
    inos::add_export(line);
    inos::add_watch(line);
    inos::add_conflicts(line);
    inos::add_resolve(line);
    inos::add_history(line);
    inos::add_explain(line);
    inos::add_restore_record(line);
    inos::add_duplicates(line);
    inos::add_merge_records(line);
    inos::add_unmerge(line);
    inos::add_schema(line);
    // The network
    inos::add_status(line);
    inos::add_peers(line);
    inos::add_members(line);
    inos::add_verify(line);

    return line.run({argv + 1, argv + argc});
}
