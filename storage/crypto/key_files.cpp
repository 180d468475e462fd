#include "storage/crypto/key_files.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/store_format.hpp"

namespace inos {
namespace {

constexpr std::string_view kMagic = "inos-key-1", kMagicName = "inos-key-";
constexpr std::uint64_t kMagicVersion = 1;
constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kOthers = 0077;

struct KeyFile {
    char const* name;
    std::string_view kind;
};
constexpr KeyFile kIdentity{"identity.key", "identity"};
constexpr KeyFile kChannel{"channel.key", "channel"};
constexpr KeyFile kSealing{"sealing.key", "sealing"};
constexpr std::array<KeyFile, 3> kKeyFiles{kIdentity, kChannel, kSealing};

// Owns a file descriptor.
class File {
public:
    explicit File(int fd) : fd_(fd) {}
    File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    File& operator=(File&&) = delete;
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    int fd() const { return fd_; }
    bool ok() const { return fd_ >= 0; }

private:
    int fd_;
};

std::string octal(mode_t mode) {
    std::array<char, 8> text;
    std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777));
    return text.data();
}

// The error of a failed system call on `path`, from errno.
Error system_error(std::string_view what, std::string const& path) {
    int const code = errno;
    std::string const where = std::string(what) + " \"" + path + "\"";
    switch (code) {
        case ENOENT:
            return {Errc::not_found, where + ": there is no such file or directory", path};
        case EEXIST:
        case ENOTEMPTY:
            return {Errc::conflict, where + ": it exists and is not overwritten", path};
        case ELOOP:
            return {Errc::forbidden,
                    where + ": it is a symbolic link; put the file itself there",
                    path};
        case ENOTDIR:
            return {Errc::forbidden,
                    where + ": it, or what it lies in, is no directory or a symbolic link",
                    path};
        case EACCES:
        case EPERM:
            return {Errc::forbidden, where + ": " + std::strerror(code), path};
        case ENOSPC:
        case EDQUOT:
            return {Errc::no_space, where + ": " + std::strerror(code), path};
        default:
            return {Errc::io, where + ": " + std::strerror(code), path};
    }
}

auto failed(std::string_view what, std::string const& path) {
    return tl::unexpected<Error>(system_error(what, path));
}

// Refuses what others could read, or could have put there.
Result<void> check_private(int fd, std::string const& path, bool directory) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) return failed("examine", path);
    if (directory ? !S_ISDIR(info.st_mode) : !S_ISREG(info.st_mode))
        return fail(Errc::forbidden,
                    "\"" + path + "\" is not a plain " + (directory ? "directory" : "file"),
                    path);
    if (info.st_uid != ::geteuid())
        return fail(Errc::forbidden,
                    "\"" + path + "\" belongs to user " + std::to_string(info.st_uid) +
                        ", but this program runs as user " + std::to_string(::geteuid()) +
                        "; run it as the owner or chown it",
                    path);
    if ((info.st_mode & kOthers) != 0)
        return fail(Errc::forbidden,
                    "\"" + path + "\" has mode " + octal(info.st_mode) +
                        ", so others may have read it; if nobody has, run chmod " +
                        (directory ? octal(kDirectoryMode) : octal(kFileMode)) + " " + path,
                    path);
    return {};
}

Result<File> open_directory(std::string const& path, bool must_be_private) {
    File directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory.ok()) return failed("open directory", path);
    if (must_be_private) {
        INOS_CHECK(check_private(directory.fd(), path, true));
    }
    return directory;
}

Result<void> write_all(int fd, std::string_view content, std::string const& path) {
    while (!content.empty()) {
        ssize_t const written = ::write(fd, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return failed("write", path);
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

// `path` is `name` in `directory`, for messages. A file that could not be written whole is removed.
Result<void> write_at(int directory,
                      char const* name,
                      std::string const& path,
                      std::string_view content) {
    int const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    File file(::openat(directory, name, flags, kFileMode));
    if (!file.ok()) return failed("create", path);
    auto written = [&]() -> Result<void> {
        if (::fchmod(file.fd(), kFileMode) != 0) return failed("set the mode of", path);
        INOS_CHECK(write_all(file.fd(), content, path));
        if (::fsync(file.fd()) != 0) return failed("sync", path);
        return {};
    }();
    if (!written) ::unlinkat(directory, name, 0);
    return written;
}

Result<std::string> read_at(int directory, char const* name, std::string const& path) {
    // Non-blocking, so that a pipe planted under the name does not hang the start.
    File file(::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file.ok()) return failed("open", path);
    INOS_CHECK(check_private(file.fd(), path, false));
    std::string content(kSecretFileBytesMax + 1, '\0');
    std::size_t size = 0;
    while (size < content.size()) {
        ssize_t const got = ::read(file.fd(), content.data() + size, content.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed("read", path);
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    std::string out = content.substr(0, size);
    sodium_memzero(content.data(), content.size());
    if (size > kSecretFileBytesMax)
        return fail(Errc::too_large,
                    "\"" + path + "\" is over the limit of " + std::to_string(kSecretFileBytesMax) +
                        " bytes for a secret",
                    path);
    return out;
}

std::string key_line(KeyFile const& file, crypto::Secret const& secret) {
    return std::string(kMagic) + " " + std::string(file.kind) + " " + crypto::hex(secret.view()) +
           "\n";
}

Result<crypto::Secret> read_key(int directory, std::string const& path, KeyFile const& file) {
    std::string const file_path = path + "/" + file.name;
    auto content = read_at(directory, file.name, file_path);
    if (!content && content.error().code == Errc::not_found)
        return fail(Errc::not_found,
                    "the key file \"" + file_path +
                        "\" is missing; put it back from a backup, or set up the site anew",
                    file_path);
    if (!content) return tl::unexpected<Error>(content.error());

    if (auto const newer =
            newer_text(*content, kMagicName, kMagicVersion, "the key file \"" + file_path + "\"")) {
        sodium_memzero(content->data(), content->size());
        return tl::unexpected<Error>(*newer);
    }
    std::string const head = std::string(kMagic) + " " + std::string(file.kind) + " ";
    std::size_t const hex_size = crypto::Secret::size() * 2;
    bool const shaped = content->size() == head.size() + hex_size + 1 &&
                        content->starts_with(head) && content->back() == '\n';
    auto bytes = shaped ? crypto::unhex(std::string_view(*content).substr(head.size(), hex_size))
                        : std::nullopt;
    sodium_memzero(content->data(), content->size());
    if (!bytes)
        return fail(Errc::corruption,
                    "the key file \"" + file_path + "\" is not one line \"" + head +
                        "\" and 64 hexadecimal digits; put it back from a backup",
                    file_path);
    crypto::Secret secret(*bytes);
    sodium_memzero(bytes->data(), bytes->size());
    return secret;
}

// Makes DATA/keys.new with all three files, synced. What an interrupted attempt left is removed
// first: its keys were never used, since only the renamed directory is ever loaded.
Result<void> write_new_directory(int data, std::string const& path, SiteKeys const& keys) {
    constexpr char const* kNew = "keys.new";
    if (File stale(::openat(data, kNew, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        stale.ok()) {
        for (KeyFile const& file : kKeyFiles)
            ::unlinkat(stale.fd(), file.name, 0);
        if (::unlinkat(data, kNew, AT_REMOVEDIR) != 0) return failed("remove", path);
    }
    if (::mkdirat(data, kNew, kDirectoryMode) != 0) return failed("create directory", path);
    INOS_TRY(File const directory, open_directory(path, false));
    if (::fchmod(directory.fd(), kDirectoryMode) != 0) return failed("set the mode of", path);
    std::array<crypto::Secret const*, 3> const secrets{
        &keys.identity.seed, &keys.channel.secret, &keys.sealing.secret};
    for (std::size_t i = 0; i < kKeyFiles.size(); ++i) {
        std::string line = key_line(kKeyFiles[i], *secrets[i]);
        auto const written =
            write_at(directory.fd(), kKeyFiles[i].name, path + "/" + kKeyFiles[i].name, line);
        sodium_memzero(line.data(), line.size());
        if (!written) return written;
    }
    if (::fsync(directory.fd()) != 0) return failed("sync", path);
    return {};
}

}  // namespace

Result<SiteKeys> create_site_keys(std::string const& data_dir) {
    std::string const path = data_dir + "/keys";
    INOS_TRY(File const data, open_directory(data_dir, false));
    struct stat info {};
    if (::fstatat(data.fd(), "keys", &info, AT_SYMLINK_NOFOLLOW) == 0)
        return fail(Errc::conflict,
                    "\"" + path +
                        "\" exists: this directory has keys already, and keys are never "
                        "overwritten; choose another data directory",
                    path);
    SiteKeys keys{
        crypto::SigningKey::generate(), crypto::KeyPair::generate(), crypto::KeyPair::generate()};
    INOS_CHECK(write_new_directory(data.fd(), path + ".new", keys));
    // If another process was quicker this fails: a directory with files in it is never replaced.
    if (::renameat(data.fd(), "keys.new", data.fd(), "keys") != 0)
        return failed("create directory", path);
    if (::fsync(data.fd()) != 0) return failed("sync", data_dir);
    return keys;
}

Result<SiteKeys> load_site_keys(std::string const& data_dir) {
    std::string const path = data_dir + "/keys";
    auto directory = open_directory(path, true);
    if (!directory && directory.error().code == Errc::not_found)
        return fail(Errc::not_found,
                    "there are no keys in \"" + path +
                        "\"; create a site with inos init or join one with inos join",
                    path);
    if (!directory) return tl::unexpected<Error>(directory.error());
    INOS_TRY(auto const identity, read_key(directory->fd(), path, kIdentity));
    INOS_TRY(auto const channel, read_key(directory->fd(), path, kChannel));
    INOS_TRY(auto const sealing, read_key(directory->fd(), path, kSealing));
    return SiteKeys{crypto::SigningKey::from_seed(identity),
                    crypto::KeyPair::from_secret(channel),
                    crypto::KeyPair::from_secret(sealing)};
}

Result<void> write_secret_file(std::string const& path, std::string_view content) {
    if (content.size() > kSecretFileBytesMax)
        return fail(Errc::too_large, "the secret for \"" + path + "\" is too long", path);
    std::size_t const slash = path.rfind('/');
    std::string const directory_path = slash == std::string::npos ? "."
                                       : slash == 0               ? "/"
                                                                  : path.substr(0, slash);
    std::string const name = slash == std::string::npos ? path : path.substr(slash + 1);
    File const directory(::open(directory_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.ok()) return failed("open directory", directory_path);
    INOS_CHECK(write_at(directory.fd(), name.c_str(), path, content));
    if (::fsync(directory.fd()) != 0) return failed("sync", directory_path);
    return {};
}

Result<std::string> read_secret_file(std::string const& path) {
    return read_at(AT_FDCWD, path.c_str(), path);
}

}  // namespace inos
