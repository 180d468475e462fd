// A schema file as commands take it: read, parsed and checked, with all that is wrong with it told
// at once.
#pragma once

#include <string>
#include <vector>

#include "crdt/value.hpp"
#include "tools/command_line.hpp"

namespace inos {

inline constexpr std::size_t kSchemaBytesMax = 1u << 20;

// The file's document when it is right. Otherwise every mistake stands on standard error,
// "FILE:LINE:COLUMN: what", and the error counts them.
Result<Object> checked_schema(Context& context, std::string const& path);

// Prints the mistakes of a file and answers the error for them.
Error problems_in(Context& context,
                  std::string const& path,
                  std::vector<std::string> const& problems);

}  // namespace inos
