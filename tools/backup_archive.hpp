// Backups on a disk: one file as storage/backup.hpp draws it, or a directory that holds many and
// keeps what they have in common once.
//
//   DIR/inos-backup              magic | frame 's' if they are sealed
//   DIR/chunks/2 hex/64 hex      magic | frame of a chunk or a file, named by its hash
//   DIR/backups/2026-11-23T20-40-07.125Z     magic | frame 'c'
//
// What is written has another name until it is whole and on the disk. One program at a time writes
// into a directory: the others get Errc::conflict. Thread: one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/backup.hpp"
#include "tools/terminal.hpp"

namespace inos {

// A directory, or the name of one: it ends in a slash.
bool is_backup_directory(std::string const& path);

class BackupWriter {
public:
    struct Written {
        std::string name;  // the file, or the backup's name in the directory
        std::uint64_t bytes = 0;
        std::uint64_t new_bytes = 0;  // the rest was there already
    };

    virtual ~BackupWriter() = default;
    // What it is sealed with; nullptr: nothing.
    virtual BackupSeal const* seal() const = 0;
    // The backup begins; `about` has no chunks yet.
    virtual Result<void> begin(BackupContents const& about) = 0;
    virtual Result<void> add(char kind, std::string_view content) = 0;
    // Makes it durable, under its name. What was written has been read again and is right.
    virtual Result<Written> finish(BackupContents contents) = 0;
};

struct BackupTarget {
    std::string path;
    std::optional<std::string> passphrase;
    bool replace = false;    // a file that is there
    std::uint64_t keep = 0;  // so many backups in a directory; 0: all
};
// Errc::conflict: the file is there already, or another program writes into the directory.
// Errc::forbidden: a directory is sealed with another passphrase, or not sealed.
Result<std::unique_ptr<BackupWriter>> open_backup_writer(BackupTarget target);

class BackupArchive {
public:
    using OnPart = std::function<Result<void>(char kind, std::string const& content)>;

    virtual ~BackupArchive() = default;
    // What it says about itself; of a file the numbers are to be believed after read().
    BackupContents const& about() const { return about_; }
    bool is_sealed() const { return seal_.has_value(); }
    // Every chunk and file, in their order; what comes is right, and at its end all has come.
    // Errc::corruption: it is damaged.
    virtual Result<BackupContents> read(OnPart const& on_part) = 0;

protected:
    BackupSeal const* seal() const { return seal_ ? &*seal_ : nullptr; }
    BackupContents about_;
    std::optional<BackupSeal> seal_;
};

// read() with a progress bar.
Result<BackupContents> read_shown(BackupArchive& archive,
                                  Terminal& terminal,
                                  char const* label,
                                  BackupArchive::OnPart const& on_part);
// The same, of which nothing is wanted but that it is whole.
Result<BackupContents> check_whole(BackupArchive& archive, Terminal& terminal);

struct BackupSource {
    std::string path;
    std::string name;  // of a backup in a directory; empty: the newest
    std::optional<std::string> passphrase;
};
// Errc::usage: a passphrase is missing. Errc::forbidden: it is another one. Errc::not_found.
Result<std::unique_ptr<BackupArchive>> open_backup(BackupSource const& source);

// The backups in a directory, the oldest first.
Result<std::vector<std::string>> backup_names(std::string const& directory);

}  // namespace inos
