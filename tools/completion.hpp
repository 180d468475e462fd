// Scripts with which bash, zsh and fish complete the commands of `inos`, made from the table of the
// command line, so that they cannot lag behind it.
//
// They complete commands, options, the values that an option or argument can have, files, and names
// of collections: the latter only where a node runs (DIR/api.sock is there), since opening the
// store for a keystroke would take too long. Pure.
#pragma once

#include <string>
#include <vector>

#include "tools/command_line.hpp"

namespace inos {

struct CommandTable {
    std::vector<ListedCommand> commands;
    std::vector<ListedOption> global_options;
};

// What completes a value: "file", "dir", "collection", "-" (nothing), or the values themselves,
// "=admin writer reader". `value` is what stands for it in the help: "FILE", "COLLECTION".
std::string completed_by(std::string const& value, std::vector<std::string> const& choices);

std::string bash_completion(CommandTable const& table);
std::string zsh_completion(CommandTable const& table);
std::string fish_completion(CommandTable const& table);

}  // namespace inos
