// The commands of the program, one file each: tools/cmd_<name>.cpp. Each function adds its
// command's description and body to the command line.
#pragma once

namespace inos {

class CommandLine;

// All of them, in the order of the help.
void add_commands(CommandLine& line);

void add_init(CommandLine& line);
void add_invite(CommandLine& line);
void add_invites(CommandLine& line);
void add_join(CommandLine& line);
void add_backup(CommandLine& line);
void add_restore(CommandLine& line);
void add_carry_over(CommandLine& line);
void add_run(CommandLine& line);
void add_get(CommandLine& line);
void add_put(CommandLine& line);
void add_patch(CommandLine& line);
void add_delete(CommandLine& line);
void add_erase(CommandLine& line);
void add_orphans(CommandLine& line);
void add_list(CommandLine& line);
void add_import(CommandLine& line);
void add_export(CommandLine& line);
void add_conflicts(CommandLine& line);
void add_resolve(CommandLine& line);
void add_history(CommandLine& line);
void add_explain(CommandLine& line);
void add_restore_record(CommandLine& line);
void add_status(CommandLine& line);
void add_peers(CommandLine& line);
void add_members(CommandLine& line);
void add_retire(CommandLine& line);
void add_role(CommandLine& line);
void add_rotate_key(CommandLine& line);
void add_recover(CommandLine& line);
void add_duplicates(CommandLine& line);
void add_merge_records(CommandLine& line);
void add_unmerge(CommandLine& line);
void add_schema(CommandLine& line);
void add_simulate(CommandLine& line);
void add_verify(CommandLine& line);
void add_completion(CommandLine& line);
void add_watch(CommandLine& line);

}  // namespace inos
