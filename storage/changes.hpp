// What changed in a replica beyond a version vector, in groups. A group is what the replica holds
// at one moment beyond the vector where the group begins: one change for every record that the
// entries in between touched, each with its fields at that moment. So whoever takes whole groups
// never sees half a transaction, and the vector at the group's end is where the next one begins.
//
// How a group is read, in steps that are bounded so that writes are not held up:
//   1. the names of the touched records, from the log. Beyond names_max of them every record counts
//      as touched, and of the names only those of deleted ones are kept, since they may be purged
//      by then: at one moment that comes to the same, only with records that the reader may know
//      already. So it is for an empty vector, but that no names are needed;
//   2. the moment: the vector is read, and with it either all records that were touched, or, where
//      they are many, a cursor over all records, which is a consistent view;
//   3. the changes, ascending by collection and key.
// Entries without effect, reserved collections and the marks of erased records give no changes. An
// erasure gives one, as a deletion does, as long as the replica remembers the name (erased_name);
// behind one whose name is forgotten nobody can go on: Errc::gone. Entries of schemas give the
// collections whose records may read otherwise now, which are not read again for that.
// Memory: names_max names, direct_bytes of records.
//
// Thread: the replica's. Lifetime: the replica outlives it; it holds a view of the engine, so it
// should not be kept for hours.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/feed_cursor.hpp"
#include "storage/replica.hpp"

namespace inos {

struct RecordChange {
    RecordName name;
    std::optional<Object> fields;  // none: deleted, or not visible for another reason
    ActorId actor;                 // of the newest entry that touched the record ...
    std::string source;            // ... and who asked for it
};

struct ChangePage {
    std::vector<RecordChange> changes;
    bool done = false;  // the group ends here
};

struct ChangeLimits {
    std::size_t names_max = 100'000;
    std::size_t direct_max = 10'000;      // records that are read at once, ...
    std::size_t direct_bytes = 4u << 20;  // ... as long as they are not larger together
    std::size_t step_ops = 10'000;        // a call reads about so many ops of the log, ...
    std::size_t step_records = 1'000;     // ... looks at no more records ...
    std::size_t step_bytes = 256u << 10;  // ... and answers with about so much
};

class ChangeReader {
public:
    // Of one collection, or of all if it is empty.
    explicit ChangeReader(VersionVector since, std::string collection, ChangeLimits limits = {});

    // The next piece of the group, which may be empty. Precondition: the replica holds what `since`
    // names, and the last page was not done. Errc::gone: the log does not reach back to `since`,
    // or does not tell any more what changed.
    Result<ChangePage> next(Replica const& replica);

    // It holds a view of the whole engine, which keeps what was removed since then.
    bool holds_view() const { return cursor_ != nullptr; }

    VersionVector const& from() const { return from_; }
    // When the last page was done:
    VersionVector const& to() const { return to_.at; }
    FeedCursor const& cursor() const { return to_; }
    std::set<std::string> const& schemas() const { return schemas_; }  // that were touched

private:
    struct Touch {  // by the newest entry
        Hlc hlc;
        Dot dot;
        std::string source;
        bool deleted = false;  // ... or by an earlier one
    };
    using Touches = std::map<std::string, Touch>;  // by key in the engine

    Result<bool> read_names(Replica const& replica);
    Result<void> read_log(Replica const& replica, ActorId actor, Seq last, std::size_t& budget);
    Result<std::size_t> take_entry(Replica const& replica, Dot dot, std::string_view bytes);
    void touch(Replica const& replica, RecordName const& record, Touch const& by);
    Result<void> bound_names();
    Result<void> touch_aliases(Replica const& replica, std::string const& key, Touch const& by);
    Result<void> open(Replica const& replica);
    Result<bool> read_directly(Replica const& replica);
    void open_cursor(Replica const& replica);
    Result<void> scan(Replica const& replica, ChangePage& page);
    void take_ready(ChangePage& page);
    bool is_wanted(std::string_view collection, std::string_view key) const;
    Result<std::optional<RecordChange>> change(Replica const& replica,
                                               std::string_view key,
                                               std::optional<std::string_view> value,
                                               Touch const* touch,
                                               std::size_t& bytes) const;

    enum class Phase { names, ready, scan };

    VersionVector from_;
    FeedCursor to_;
    std::string collection_;
    ChangeLimits limits_;
    Phase phase_ = Phase::names;
    VersionVector read_;  // names: how far the log was read
    bool all_ = false;    // every record counts as touched
    Touches touches_;
    std::set<std::string> schemas_;
    std::vector<RecordChange> ready_;  // ready: the changes, ...
    std::vector<std::size_t> sizes_;   // ... and about how much they are
    std::size_t given_ = 0;            // ... of which so many were given
    std::unique_ptr<Cursor> cursor_;   // scan
};

}  // namespace inos
