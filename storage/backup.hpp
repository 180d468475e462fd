// A backup of a site: what its database holds at one moment, without what makes it this site.
//
//   file     = "inos backup 1\n" | frame*
//   frame    = kind u8 | length u32 | body
//     's' seal      salt 16 | passes u32 | memory u32 (KiB) | proof        first, if it is sealed
//     'a' about     as contents, without files and chunks | hash 32 of it
//     'r' chunk     zstd(rows)     rows = family u8 | (blob key | blob value)*
//     'f' file      zstd(blob name | content)
//     'c' contents  | hash 32 of it                                        last
//     'e' error     text: the node could not go on                         last, instead
//   contents = version u8 (1) | blob format | space 16 | blob space name | site 32 | blob site name
//            | actor u64 | taken varint (Unix ms) | records varint | entries varint
//            | count, (blob name | hash 32)* files | count, (hash 32 | size varint)* chunks
//   hash     = BLAKE2b-256 of what is compressed; keyed, if sealed
//
// In a sealed one the bodies of 'a', 'r', 'f' and 'c' are XChaCha20-Poly1305 over what is drawn
// here, under a key from a passphrase (Argon2id, RFC 9106); 's' proves the key by sealing nothing.
// The contents name every chunk, in their order, so that nothing can be left out or put in.
//
// A chunk ends where a hash of a key says so: one that was not touched is the same in the next
// backup, and a directory of backups keeps it once.
//
// Not in it: the marker and the invitations (who restores is another directory, and a code is used
// once), states that were arriving, and the private keys, which are files.
//
// Pure values and functions but for BackupReader, which reads an engine. Any thread, one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crdt/ids.hpp"
#include "storage/crypto/crypto.hpp"
#include "storage/engine.hpp"
#include "storage/result.hpp"

namespace inos {

inline constexpr std::string_view kBackupMagic = "inos backup 1\n";
inline constexpr std::size_t kBackupFrameMax = 256u << 20;
inline constexpr std::size_t kBackupChunkBytes = 256u << 10;  // on average
inline constexpr std::size_t kPassphraseMin = 8;              // bytes

struct BackupFrame {
    char kind = 0;
    std::string body;
};
std::string frame_bytes(BackupFrame const& frame);

// Frames from pieces that are cut anywhere. The magic comes first.
class BackupParser {
public:
    // Calls `take` with each frame. Errc::invalid: this is no backup, or a newer one.
    Result<void> feed(std::string_view piece, std::function<Result<void>(BackupFrame)> const& take);
    // Errc::corruption: the end was cut off.
    Result<void> finish() const;

private:
    std::string rest_;
    bool begun_ = false;
};

struct BackupContents {
    struct File {
        std::string name;
        crypto::Hash32 hash{};
        bool operator==(File const&) const = default;
    };
    struct Chunk {
        crypto::Hash32 hash{};
        std::uint64_t size = 0;  // of its rows, uncompressed
        bool operator==(Chunk const&) const = default;
    };

    std::string format;  // of the directory: storage/site_directory.hpp
    crypto::Hash16 space{};
    std::string space_name;
    crypto::Hash32 site{};  // its public key
    std::string site_name;
    ActorId actor;
    std::uint64_t taken_ms = 0;
    std::uint64_t records = 0, entries = 0;  // that people see; that the log holds
    std::vector<File> files;
    std::vector<Chunk> chunks;

    bool operator==(BackupContents const&) const = default;
    std::string encode() const;
    static std::optional<BackupContents> decode(std::string_view bytes);
};

// Reads a database as it is now, without keeping writers waiting: one chunk at a time.
class BackupReader {
public:
    // `about`: all but the files and the chunks.
    BackupReader(Engine const& engine, BackupContents about);

    // The next bytes of the file. Errc::io, corruption: nothing more comes.
    Result<std::string> next();
    bool done() const { return done_; }

private:
    Result<std::optional<std::string>> next_rows();

    BackupContents about_;
    std::array<std::unique_ptr<Cursor>, kFamilies> cursors_;
    std::size_t family_ = 0;
    bool begun_ = false, done_ = false;
};

// When the last backup was sent whole, by the node's clock (Unix ms); nullopt: never. In
// meta 00000000 | "backup" -> u64, so what is restored says so of itself, too.
Result<void> note_backup(Engine& engine, std::uint64_t now_ms);
Result<std::optional<std::uint64_t>> last_backup(Engine const& engine);

// What no backup holds: see above.
bool is_left_out(Family family, std::string_view key);
// Calls `take` with each row of a chunk. Errc::corruption: these are no rows.
Result<void> each_row(std::string_view rows,
                      std::function<void(Family, std::string_view, std::string_view)> const& take);
// Whether progress is counted by this row: one of records, or an entry.
bool counts_as_row(Family family, std::string_view key);

// What a passphrase makes of a backup. Never printed.
class BackupSeal {
public:
    // A new one, for writing. About a second, 256 MiB of memory.
    static Result<BackupSeal> make(std::string_view passphrase);
    // Of one that is there. Errc::forbidden: it is another passphrase.
    static Result<BackupSeal> open(std::string_view passphrase, BackupFrame const& frame);

    BackupFrame frame() const;
    std::string close(char kind, std::string_view body) const;
    // Errc::corruption.
    Result<std::string> open(char kind, std::string_view sealed) const;
    std::string_view hash_key() const { return hash_key_.view(); }

private:
    crypto::Hash16 salt_{};
    crypto::PassphraseCost cost_;
    std::string proof_;
    crypto::Secret key_, hash_key_;
};

// Of the content of a chunk or a file. `seal`: nullptr for a plain backup.
crypto::Hash32 part_hash(std::string_view content, BackupSeal const* seal);
// A frame and what it holds: compressed, if it is a chunk or a file, and sealed.
BackupFrame part_frame(char kind, std::string_view content, BackupSeal const* seal);
Result<std::string> part_content(BackupFrame const& frame, BackupSeal const* seal);

std::string file_content(std::string_view name, std::string_view content);
Result<std::pair<std::string, std::string>> read_file_content(std::string_view content);

}  // namespace inos
