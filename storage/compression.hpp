// zstd, with a bound on what comes out. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "storage/result.hpp"

namespace inos {

std::string compress(std::string_view content);
// Errc::protocol: it declares no size, one over `bytes_max`, or not its own. Memory is taken only
// after the declared size was looked at.
Result<std::string> decompress(std::string_view bytes, std::size_t bytes_max);

}  // namespace inos
