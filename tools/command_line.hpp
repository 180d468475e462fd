// The command line: what commands, options and arguments there are, help that teaches, and errors
// in one form: `inos: ...` on standard error, with the near miss, exit status 2 for wrong usage.
//
// Each tools/cmd_*.cpp adds one command by describing it and giving its body. The body's error
// becomes the message and the exit status (see exit_status). Only command_line.cpp knows CLI11.
// Thread: one. Lifetime: the CommandLine outlives everything added to it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/result.hpp"
#include "tools/terminal.hpp"

namespace inos {

// What users' scripts rely on; never changed.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNotFound = 3;
inline constexpr int kExitConflict = 4;

int exit_status(Errc code);

// One run of the program, as a command's body sees it.
struct Context {
    Terminal& terminal;
    std::string data;   // --data DIR, INOS_DATA; may be empty, see data_dir
    std::string space;  // --space NAME; empty: the site's only one
    bool json = false;

    // The data directory, or Errc::usage when none was named.
    Result<std::string> data_dir() const;
};

// The exit status, or why it failed.
using CommandBody = std::function<Result<int>(Context&)>;

class Command {
public:
    struct Impl;  // defined in the .cpp file
    explicit Command(std::unique_ptr<Impl> impl);
    ~Command();
    Command(Command const&) = delete;
    Command& operator=(Command const&) = delete;

    // Arguments by position, in the order of the calls.
    Command& argument(std::string const& name, std::string& value, std::string const& help);
    Command& optional_argument(std::string const& name,
                               std::string& value,
                               std::string const& help);

    // "--limit" or "-n,--limit"; `name` stands for the value in the help.
    Command& option(std::string const& flags,
                    std::string& value,
                    std::string const& name,
                    std::string const& help);
    Command& option(std::string const& flags,
                    std::uint64_t& value,
                    std::string const& name,
                    std::string const& help);
    // May be given several times, and several values may follow.
    Command& option(std::string const& flags,
                    std::vector<std::string>& values,
                    std::string const& name,
                    std::string const& help);
    Command& flag(std::string const& flags, bool& value, std::string const& help);

    // The values that an option ("--role") or an argument ("ROLE") of this command can have, for
    // the shells' completion and the manual; the command checks them itself.
    Command& choices(std::string const& name, std::vector<std::string> values);

    // Text under the options; examples are lines of a shell, each with a comment.
    Command& note(std::string const& text);
    Command& example(std::string const& line, std::string const& what);

    Command& subcommand(std::string const& name, std::string const& summary);
    // What runs when this command is the last one named.
    void body(CommandBody body);

private:
    friend class CommandLine;
    void describe_option(std::string const& flags,
                         std::string const& name,
                         std::string const& help,
                         bool several);

    std::unique_ptr<Impl> impl_;
};

// What was described, for those who make help, manual and completion of it.
struct ListedArgument {
    std::string name, help;
    bool required = true;
    std::vector<std::string> choices;
};
struct ListedOption {
    std::vector<std::string> names;  // "-n", "--limit"
    std::string value;               // what stands for the value; empty: a flag
    std::string help;
    bool several = false;  // several values may follow
    std::vector<std::string> choices;
};
struct ListedCommand {
    std::string name;  // "schema apply"
    std::string summary;
    bool can_run = true;               // else it only has subcommands
    std::vector<std::string> options;  // every "--limit", "--help" among them
    std::vector<ListedArgument> arguments;
    std::vector<ListedOption> own_options;
    std::string notes;                                          // lines
    std::vector<std::pair<std::string, std::string>> examples;  // a line for the shell; what for
};

class CommandLine {
public:
    // `data` is the default of --data: the value of INOS_DATA.
    CommandLine(Terminal& terminal, std::string version, std::string data);
    ~CommandLine();

    Command& add(std::string const& name, std::string const& summary);

    // Every command, "schema" and "schema apply" among them.
    std::vector<ListedCommand> commands() const;
    // The options of all commands.
    std::vector<ListedOption> global_options() const;

    // Parses, runs the command's body, prints its error; answers the exit status.
    int run(std::vector<std::string> arguments);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace inos
