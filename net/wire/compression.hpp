// zstd, with a bound on what comes out. Pure; any thread.
#pragma once

#include <string>

#include "storage/result.hpp"

namespace inos::wire {

std::string compress(std::string const& content);
// Errc::protocol: it declares no size, one over `bytes_max`, or not its own. Memory is taken only
// after the declared size was looked at.
Result<std::string> decompress(std::string const& bytes, std::size_t bytes_max);

}  // namespace inos::wire
