// The command line: what commands, options and arguments there are, help that teaches, and errors
// in one form: `inos: ...` on standard error, with the near miss, exit status 2 for wrong usage.
//
// Each tools/cmd_*.cpp adds one command by describing it and giving its body. The body's error
// becomes the message and the exit status (see exit_status). Only command_line.cpp knows CLI11.
// Thread: one. Lifetime: the CommandLine outlives everything added to it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
    // --unlock FILE, INOS_UNLOCK: what opens an encrypted directory (tools/unlock.hpp).
    std::string unlock = {};
    std::string credentials = {};  // CREDENTIALS_DIRECTORY: what the service manager hands over
    // The keys of the directories that this run has opened, so that nobody is asked twice.
    std::shared_ptr<std::map<std::string, DataKey>> keys =
        std::make_shared<std::map<std::string, DataKey>>();

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

    // Text under the options; examples are lines of a shell, each with a comment.
    Command& note(std::string const& text);
    Command& example(std::string const& line, std::string const& what);

    Command& subcommand(std::string const& name, std::string const& summary);
    // What runs when this command is the last one named.
    void body(CommandBody body);

private:
    friend class CommandLine;
    std::unique_ptr<Impl> impl_;
};

class CommandLine {
public:
    // What the process's environment says; each may be empty.
    struct Variables {
        std::string data;         // INOS_DATA: the default of --data
        std::string unlock;       // INOS_UNLOCK: the default of --unlock
        std::string credentials;  // CREDENTIALS_DIRECTORY
    };
    CommandLine(Terminal& terminal, std::string version, Variables variables);
    CommandLine(Terminal& terminal, std::string version, std::string data)
        : CommandLine(terminal, std::move(version), Variables{std::move(data), {}, {}}) {}
    ~CommandLine();

    Command& add(std::string const& name, std::string const& summary);

    // Every command that can be run, "schema apply" among them, with its options: "--limit".
    struct Listed {
        std::string name;
        std::vector<std::string> options;
    };
    std::vector<Listed> commands() const;

    // Parses, runs the command's body, prints its error; answers the exit status.
    int run(std::vector<std::string> arguments);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace inos
