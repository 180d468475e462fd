// The file of a Unix socket that a server listens on. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "storage/result.hpp"

namespace inos {

// "cannot listen on the socket ...", and why.
Result<void> socket_problem(std::string const& path, Errc code, std::string_view why);

// Makes room for a socket at path: fails unless nothing is there, or a socket that nobody serves,
// which is removed. Errc::conflict if somebody answers, Errc::usage if it is another file.
Result<void> clear_socket_path(std::string const& path);

// A socket's file, to be told from one that another server puts in its place.
struct SocketFile {
    std::string path;
    dev_t device = 0;
    ino_t inode = 0;

    static std::optional<SocketFile> at(std::string const& path);
    void remove() const;  // nothing if another file is there by now
};

}  // namespace inos
