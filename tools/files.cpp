#include "tools/files.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

namespace inos {

Error file_error(std::string const& doing, std::string const& path) {
    int const number = errno;
    Errc const code = number == ENOENT   ? Errc::not_found
                      : number == ENOSPC ? Errc::no_space
                                         : Errc::io;
    return Error{code, doing + " \"" + path + "\": " + std::strerror(number), path};
}

Result<std::string> read_file(std::string const& path, std::size_t bytes_max) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> const file(std::fopen(path.c_str(), "rb"),
                                                               &std::fclose);
    if (!file) return tl::unexpected<Error>(file_error("cannot open", path));
    std::string content;
    char chunk[64 * 1024];
    for (std::size_t count = 0; (count = std::fread(chunk, 1, sizeof chunk, file.get())) > 0;) {
        content.append(chunk, count);
        if (content.size() > bytes_max) {
            return fail(Errc::too_large,
                        "\"" + path + "\" is larger than " + std::to_string(bytes_max) + " bytes",
                        path);
        }
    }
    if (std::ferror(file.get()) != 0) return tl::unexpected<Error>(file_error("cannot read", path));
    return content;
}

Result<void> replace_file(std::string const& path, std::string_view content) {
    std::string const temporary = path + ".new";
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(temporary.c_str(), "wb"),
                                                         &std::fclose);
    if (!file) return tl::unexpected<Error>(file_error("cannot create", temporary));
    bool const written =
        std::fwrite(content.data(), 1, content.size(), file.get()) == content.size() &&
        std::fflush(file.get()) == 0 && ::fsync(::fileno(file.get())) == 0;
    if (!written || std::rename(temporary.c_str(), path.c_str()) != 0) {
        Error const error = file_error("cannot write", path);
        std::remove(temporary.c_str());
        return tl::unexpected<Error>(error);
    }
    return {};
}

}  // namespace inos
