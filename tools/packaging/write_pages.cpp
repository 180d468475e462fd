// Writes what the packages have besides the program, from the program's tables: the manual, the
// completions, and /etc/inos/inos.toml. Run when they are built:
//
//   inos_write_pages DIRECTORY DATE
#include <fstream>
#include <iostream>
#include <sstream>
#include <utility>

#include "tools/command_line.hpp"
#include "tools/commands.hpp"
#include "tools/completion.hpp"
#include "tools/config.hpp"
#include "tools/manual.hpp"

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: inos_write_pages DIRECTORY DATE\n";
        return inos::kExitUsage;
    }
    std::istringstream in;
    std::ostringstream out;
    inos::Terminal terminal{in, out, out};
    inos::CommandLine line(terminal, INOS_VERSION, "");
    inos::add_commands(line);
    inos::CommandTable const table{line.commands(), line.global_options()};
    inos::ManualEdition const edition{INOS_VERSION, argv[2]};
    std::pair<char const*, std::string> const pages[] = {
        {"inos.1", manual_of_commands(table, edition)},
        {"inos.toml.5", manual_of_config(inos::config_keys(), edition)},
        {"inos.bash", bash_completion(table)},
        {"_inos", zsh_completion(table)},
        {"inos.fish", fish_completion(table)},
        {"inos.toml", config_file_text(inos::ConfigFile::machine)}};
    for (auto const& [name, text] : pages) {
        std::string const path = std::string(argv[1]) + "/" + name;
        std::ofstream file(path, std::ios::binary);
        if (!(file << text).flush()) {
            std::cerr << "inos_write_pages: cannot write " << path << '\n';
            return inos::kExitFailed;
        }
    }
    return inos::kExitDone;
}
