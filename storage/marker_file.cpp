#include "storage/marker_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace inos {
namespace {

constexpr char kMachineIdPath[] = "/etc/machine-id";
constexpr char kBootIdPath[] = "/proc/sys/kernel/random/boot_id";

class Descriptor {
public:
    explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
    ~Descriptor() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    Descriptor(Descriptor const&) = delete;
    Descriptor& operator=(Descriptor const&) = delete;
    int get() const { return descriptor_; }

private:
    int descriptor_;
};

// An id of one short line; empty when there is none to be had.
std::string read_id(char const* path) {
    Descriptor const file(::open(path, O_RDONLY | O_CLOEXEC));
    char text[64] = {};
    auto const size = file.get() < 0 ? -1 : ::read(file.get(), text, sizeof text);
    std::string id(text, size > 0 ? static_cast<std::size_t>(size) : 0);
    while (!id.empty() && (id.back() == '\n' || id.back() == ' '))
        id.pop_back();
    return id;
}

std::string marker_path(std::string const& dir) {
    return dir + "/marker";
}

auto failed(char const* what, std::string const& path) {
    return fail(Errc::io,
                std::string("cannot ") + what + " \"" + path + "\": " + std::strerror(errno),
                path);
}

Result<DirectoryMarks> marks_of(int file, std::string const& path, MachineIds const& ids) {
    DirectoryMarks marks;
    struct stat status {};
    bool const is_read = ::pread(file, marks.nonce.data(), marks.nonce.size(), 0) >= 0 &&
                         ::fstat(file, &status) == 0;
    if (!is_read) return failed("read", path);
    marks.inode = status.st_ino;
    marks.device = status.st_dev;
    marks.changed_ns = static_cast<std::uint64_t>(status.st_ctim.tv_sec) * 1'000'000'000 +
                       static_cast<std::uint64_t>(status.st_ctim.tv_nsec);
    marks.machine = ids.machine;
    marks.boot = ids.boot;
    return marks;
}

Result<void> put_nonce(int file, std::string const& path, MarkerNonce const& nonce) {
    bool const is_written =
        ::pwrite(file, nonce.data(), nonce.size(), 0) == static_cast<ssize_t>(nonce.size()) &&
        ::ftruncate(file, nonce.size()) == 0 && ::fsync(file) == 0;
    if (!is_written) return failed("write", path);
    return {};
}

int open_marker(std::string const& path, int flags) {
    return ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
}

}  // namespace

MachineIds machine_ids() {
    return {read_id(kMachineIdPath), read_id(kBootIdPath)};
}

MarkerNonce fresh_marker_nonce() {
    MarkerNonce nonce{};
    crypto::random_bytes(nonce.data(), nonce.size());
    return nonce;
}

Result<DirectoryMarks> read_marks(std::string const& dir, MachineIds const& ids) {
    std::string const path = marker_path(dir);
    Descriptor const file(open_marker(path, 0));
    if (file.get() < 0 && errno == ENOENT) return renew_marks(dir, ids, fresh_marker_nonce());
    if (file.get() < 0) return failed("open", path);
    return marks_of(file.get(), path, ids);
}

Result<DirectoryMarks> renew_marks(std::string const& dir,
                                   MachineIds const& ids,
                                   MarkerNonce const& nonce) {
    std::string const path = marker_path(dir);
    Descriptor const file(open_marker(path, O_CREAT));
    if (file.get() < 0) return failed("open", path);
    INOS_CHECK(put_nonce(file.get(), path, nonce));
    return marks_of(file.get(), path, ids);
}

}  // namespace inos
