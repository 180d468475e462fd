#include "net/socket_file.hpp"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace inos {
namespace {

// 0 if somebody listens there; otherwise errno.
int connect_problem(std::string const& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
    path.copy(address.sun_path, path.size());
    int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    void const* const plain = &address;
    int const failed = ::connect(fd, static_cast<sockaddr const*>(plain), sizeof address);
    int const problem = failed != 0 ? errno : 0;
    ::close(fd);
    return problem;
}

}  // namespace

Result<void> socket_problem(std::string const& path, Errc code, std::string_view why) {
    return fail(code, "cannot listen on the socket \"" + path + "\": " + std::string(why), path);
}

Result<void> clear_socket_path(std::string const& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) {
        if (errno == ENOENT) return {};
        return socket_problem(path, Errc::io, std::strerror(errno));
    }
    if (!S_ISSOCK(info.st_mode)) {
        return socket_problem(
            path, Errc::usage, "a file that is not a socket is there; move it away");
    }
    int const problem = connect_problem(path);
    if (problem == 0) {
        return socket_problem(path,
                              Errc::conflict,
                              "another process answers there; is a node already running on this "
                              "data directory?");
    }
    if (problem != ECONNREFUSED) return socket_problem(path, Errc::io, std::strerror(problem));
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return socket_problem(path, Errc::io, "the one of an ended process cannot be removed");
    }
    return {};
}

std::optional<SocketFile> SocketFile::at(std::string const& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return std::nullopt;
    return SocketFile{path, info.st_dev, info.st_ino};
}

void SocketFile::remove() const {
    auto const now = at(path);
    if (now && now->device == device && now->inode == inode) ::unlink(path.c_str());
}

}  // namespace inos
