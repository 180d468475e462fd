// Passphrases come from files: not from the command line, which other programs can see.
#pragma once

#include <optional>
#include <string>

#include "storage/result.hpp"

namespace inos {

// The file's first line; nothing if no file is named. Errc::usage: it is empty.
Result<std::optional<std::string>> read_passphrase(std::string const& file);

}  // namespace inos
