#include "tools/commands.hpp"

#include "tools/command_line.hpp"

namespace inos {

void add_commands(CommandLine& line) {
    // Sites
    add_init(line);
    add_invite(line);
    add_invites(line);
    add_join(line);
    add_carry_over(line);
    add_run(line);
    add_backup(line);
    add_restore(line);
    // Records
    add_get(line);
    add_put(line);
    add_patch(line);
    add_delete(line);
    add_erase(line);
    add_orphans(line);
    add_list(line);
    add_import(line);
    add_export(line);
    add_watch(line);
    add_conflicts(line);
    add_resolve(line);
    add_history(line);
    add_explain(line);
    add_restore_record(line);
    add_duplicates(line);
    add_merge_records(line);
    add_unmerge(line);
    add_schema(line);
    add_simulate(line);
    // The network
    add_status(line);
    add_peers(line);
    add_members(line);
    add_retire(line);
    add_role(line);
    add_rotate_key(line);
    add_recover(line);
    add_verify(line);
    // This program
    add_completion(line);
}

}  // namespace inos
