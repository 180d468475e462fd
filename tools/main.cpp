// The program `inos`.
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
    inos::add_commands(line);
    return line.run({argv + 1, argv + argc});
}
