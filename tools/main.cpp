// The program `inos`.
#include <csignal>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "storage/crypto/crypto.hpp"
#include "tools/command_line.hpp"
#include "tools/commands.hpp"

namespace {

std::string variable(char const* name) {
    char const* const value = std::getenv(name);
    return value ? value : "";
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of the write, with a message
    inos::crypto::init();
    auto terminal = inos::Terminal::of_process();
    inos::CommandLine::Variables variables{
        variable("INOS_DATA"), variable("INOS_UNLOCK"), variable("CREDENTIALS_DIRECTORY")};
    inos::CommandLine line(terminal, INOS_VERSION, std::move(variables));
    inos::add_commands(line);
    return line.run({argv + 1, argv + argc});
}
