#include "tools/passphrase.hpp"

#include "tools/files.hpp"

namespace inos {

Result<std::optional<std::string>> read_passphrase(std::string const& file) {
    constexpr std::size_t kBytesMax = 64u << 10;
    if (file.empty()) return std::optional<std::string>();
    INOS_TRY(std::string line, read_file(file, kBytesMax));
    if (auto const end = line.find_first_of("\r\n"); end != std::string::npos) line.resize(end);
    if (line.empty())
        return fail(Errc::usage,
                    "the first line of \"" + file +
                        "\" is empty; it is to hold the "
                        "passphrase",
                    file);
    return std::optional(std::move(line));
}

}  // namespace inos
