// A site's data directory: what is in it, how it is made, opened and locked.
//
//   DIR/inos.toml       configuration (tools/config.hpp)
//   DIR/keys/           identity.key, channel.key, sealing.key, space-<16 hex>.key; mode 0700,
//                       the files 0600
//   DIR/db/             RocksDB; what the site is stands in its meta family
//   DIR/marker          tells this directory from its copies (storage/marker_file.hpp)
//   DIR/data.key        only if the directory is encrypted: its key, wrapped (storage/data_key.hpp)
//   DIR/lock            held while a process has the directory open
//   DIR/api.sock        the local API's socket
//   DIR/api.token       the bearer token for --api
//
// Making a directory is all or nothing: it is built under a temporary name and moved into place.
// Errors name the file and what to do. Thread: any, one at a time.
//
// In an encrypted directory db/ is encrypted, and the files below keys/ are sealed, with the data
// key; the rest is not and tells nothing of what the records hold (docs/operations.md). Who makes a
// directory with an Encryption, or opens one with its DataKey, gives null where there is none.
#pragma once

#include <memory>
#include <string>

#include "storage/continuity.hpp"
#include "storage/crypto/key_files.hpp"
#include "storage/data_key.hpp"
#include "storage/engine.hpp"
#include "storage/key_ring.hpp"
#include "storage/membership.hpp"
#include "storage/replica.hpp"
#include "storage/result.hpp"

namespace inos {

// What a joiner brings home from pairing, and a founder makes.
struct SpaceGrant {
    Genesis genesis;
    SpaceKeys keys;
    ActorId actor;                        // ours
    std::vector<std::string> statements;  // the membership log; our certificate is in it
    std::vector<std::string> peers;       // addresses to dial
};

// Founds a space and a site in it; answers the recovery code (storage/recovery.hpp), stored
// nowhere. Errc::conflict when the directory has a site already.
Result<std::string> create_founder(std::string const& dir,
                                   std::string const& site_name,
                                   std::string const& space_name,
                                   Encryption const* encryption = nullptr);
// Joining, in two steps, because the keys are needed to be admitted: makes (or finds, after an
// interrupted attempt) the keys in DIR.joining; then fills that directory and moves it into place.
// Errc::conflict: an interrupted attempt was not encrypted with the same key.
Result<SiteKeys> prepare_member(std::string const& dir, Encryption const* encryption = nullptr);
Result<void> create_member(std::string const& dir,
                           SpaceGrant const& grant,
                           DataKey const* key = nullptr);
// Where prepare_member() and SiteRestore build the directory of one that joins, and where an
// interrupted attempt has left its keys, with its data.key if it was encrypted.
std::string joining_directory(std::string const& dir);
// Errc::conflict when DIR has a site already or holds other files.
Result<void> check_free(std::string const& dir);

// The version of the directory's format, as the database notes it.
std::string_view directory_format();

// A site's directory made of a backup (storage/backup.hpp), under a temporary name until it is
// whole. What was restored goes on under another actor, so it cannot contradict what the site wrote
// behind the backup. Given up when destroyed unfinished.
class SiteRestore {
public:
    // `joins`: it becomes a new member, with the keys of prepare_member(). Errc::conflict as
    // check_free().
    static Result<std::unique_ptr<SiteRestore>> begin(std::string const& dir,
                                                      bool joins,
                                                      Encryption const* encryption = nullptr);
    ~SiteRestore();
    SiteRestore(SiteRestore const&) = delete;
    SiteRestore& operator=(SiteRestore const&) = delete;

    // Errc::corruption: no rows, or some that no backup holds.
    Result<void> put_rows(std::string_view rows);
    // "inos.toml", or a key of the site, which is private. Errc::invalid: no such name.
    Result<void> put_file(std::string const& name, std::string_view content);

    // One of the two is last. As the site that it was, whose keys were among the files;
    Result<void> finish();
    // or as the one that was admitted. Errc::conflict: into another space.
    Result<void> finish(SpaceGrant const& grant);

private:
    SiteRestore(std::string dir, std::string building, bool joins, std::optional<DataKey> key)
        : dir_(std::move(dir)),
          building_(std::move(building)),
          joins_(joins),
          key_(std::move(key)) {}
    Error over() const;
    Result<void> end(ContinuityRecord continuity, WriteBatch batch);

    std::string dir_, building_;
    bool const joins_;
    std::optional<DataKey> const key_;
    std::unique_ptr<Engine> engine_;  // until it is finished
};

// Held while a process has the directory open; the file names the process.
class DirectoryLock {
public:
    // Errc::conflict: "in use by process N".
    static Result<std::unique_ptr<DirectoryLock>> take(std::string const& dir);
    ~DirectoryLock();
    DirectoryLock(DirectoryLock const&) = delete;
    DirectoryLock& operator=(DirectoryLock const&) = delete;

private:
    explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

// An open data directory. Holds the lock; the members die in reverse order.
struct OpenSite {
    std::string dir;
    std::string name;  // the site's
    SiteKeys keys;
    SpaceKeys space_keys;
    std::vector<std::string> peers;  // remembered addresses
    std::unique_ptr<DirectoryLock> lock;
    std::unique_ptr<Engine> engine;
    std::unique_ptr<Replica> replica;

    OpenSite() = default;
    ~OpenSite();
    OpenSite(OpenSite const&) = delete;
    OpenSite& operator=(OpenSite const&) = delete;
};

// Opens and locks the directory. Errc::conflict "in use by process N"; Errc::not_found with
// "inos init" when there is no site; key files are checked as in key_files.hpp. Errc::forbidden: it
// is encrypted and there is no key.
Result<std::unique_ptr<OpenSite>> open_site(std::string const& dir,
                                            Clock const& clock,
                                            Durability durability,
                                            DataKey const* key = nullptr);

// Remembers the addresses to dial, durably.
Result<void> save_peers(Engine& engine, std::vector<std::string> const& peers);

// The secret key file of a space, as text: "inos-key-1 space SEAL DIGEST", 64 hex digits each, and
// " EPOCH:KEY" for each key of a later epoch that came with the admission.
std::string space_keys_text(SpaceKeys const& keys);
std::optional<SpaceKeys> parse_space_keys(std::string_view text);

}  // namespace inos
