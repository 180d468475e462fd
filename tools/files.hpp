// Files as commands read and write them. Errors name the file and what the operating system says.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "storage/result.hpp"

namespace inos {

// The whole file. Errc::not_found, io, or too_large.
Result<std::string> read_file(std::string const& path, std::size_t bytes_max);

// Replaces the file in one step: a temporary one beside it is renamed. A crash leaves the old file.
Result<void> replace_file(std::string const& path, std::string_view content);

// "No such file or directory" and so on, for the present errno.
Error file_error(std::string const& doing, std::string const& path);

}  // namespace inos
