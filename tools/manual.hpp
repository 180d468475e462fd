// The manual pages: inos(1) from the table of the command line, inos.toml(5) from the table of the
// configuration. In the macros of man(7), for man, mandoc and groff. Pure.
#pragma once

#include <string>
#include <vector>

#include "tools/completion.hpp"
#include "tools/config.hpp"

namespace inos {

struct ManualEdition {
    std::string version;  // "0.1.0"
    std::string date;     // "2026-11-24"
};

std::string manual_of_commands(CommandTable const& table, ManualEdition const& edition);
std::string manual_of_config(std::vector<ConfigKey> const& keys, ManualEdition const& edition);

// Text that roff shows as it is.
std::string roff(std::string_view text);

}  // namespace inos
