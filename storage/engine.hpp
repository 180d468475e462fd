// The ordered key-value store below a replica, small enough to be put on other databases: ordered
// keys in families, atomic batches, consistent scans.
//
// Keys are compared as unsigned bytes. Thread safety: all functions may be called from any thread;
// a Cursor belongs to one thread and must not outlive its Engine. Errors: Errc::io when the disk
// failed, Errc::no_space when it is full, Errc::corruption when stored bytes are not what was
// written. After a failed write the outcome is unknown: all of the batch is there or none of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/disk_space.hpp"
#include "storage/result.hpp"

namespace inos {

// Stored by name in the database; numbers are only indexes.
enum class Family : std::uint8_t {
    records = 0,
    log = 1,
    index = 2,
    digests = 3,
    journal = 4,
    meta = 5,
    staging = 6
};
inline constexpr std::size_t kFamilies = 7;
char const* family_name(Family family);

// Changes that are made together or not at all. A later change of a key replaces an earlier one.
struct WriteBatch {
    struct Change {
        Family family;
        std::string key;
        std::optional<std::string> value;  // none: remove the key
    };
    std::vector<Change> changes;

    void put(Family family, std::string key, std::string value) {
        changes.push_back({family, std::move(key), std::move(value)});
    }
    void remove(Family family, std::string key) {
        changes.push_back({family, std::move(key), std::nullopt});
    }
};

// A consistent view of one key range, ascending or descending, as of the moment it was made.
class Cursor {
public:
    virtual ~Cursor() = default;
    virtual bool valid() const = 0;  // at a key of the range; false at its end or after an error
    virtual void next() = 0;         // precondition: valid()
    virtual std::string_view key() const = 0;    // until next()
    virtual std::string_view value() const = 0;  // until next()
    virtual Result<void> status() const = 0;     // look at it when valid() has become false
};

enum class Direction : std::uint8_t { ascending, descending };

// flushed: handed to the operating system, survives the program's end. synced: on the disk.
enum class Durability : std::uint8_t { flushed, synced };

class Engine {
public:
    virtual ~Engine() = default;
    virtual Result<std::optional<std::string>> get(Family family, std::string_view key) const = 0;
    // Keys k with from <= k < to.
    virtual std::unique_ptr<Cursor> scan(Family family,
                                         std::string_view from,
                                         std::string_view to,
                                         Direction direction) const = 0;
    std::unique_ptr<Cursor> scan(Family family, std::string_view from, std::string_view to) const {
        return scan(family, from, to, Direction::ascending);
    }
    virtual Result<void> write(WriteBatch const& batch, Durability durability) = 0;
    // Removed and replaced values, and removed keys, leave no byte on the disk: not in tables, logs
    // or notes about them. Takes as long as reading and writing all that is stored; reads and
    // writes go on meanwhile. Errc::unavailable: not while cursors are open; try again later.
    // `cancelled` may become true on another thread: Errc::unavailable soon after.
    virtual Result<void> scrub(std::atomic<bool>& cancelled) = 0;
    // Of the family only these keys stay, ascending, with their values; what cannot be read goes.
    // All of it or nothing, whenever the machine stops. Takes as long as writing them.
    // Errc::unavailable: not while cursors are open.
    virtual Result<void> keep_only(Family family, std::vector<std::string> const& keys) = 0;
    // After a write that failed: opens the database anew, without trying anything again on a file
    // that the disk has failed on. What is there then is on the disk, whatever became of the write.
    // An error: it cannot be written yet, but read where that is possible; may be called again.
    // Errc::unavailable: not while cursors are open.
    virtual Result<void> recover() = 0;
    // Of the disk that it writes to; nullopt: nobody knows.
    virtual std::optional<DiskSpace> space() const { return std::nullopt; }
};

}  // namespace inos
