// Records that are about the same thing: found by the fields that a schema calls the collection's
// identity, and merged by making one's id an alias of the other's (storage/aliases.hpp). Nothing is
// ever deleted for being a duplicate, and no write is refused for making one: two sites that cannot
// reach each other would both be right.
//
// What is found is computed when it is asked for: each record is read once, and its identity kept
// as 8 bytes and its id, so kDuplicateBytesMax of memory are enough for millions of records.
//
// Thread: the replica's. The writes that are planned here are for one transaction, so that all
// sites see a merge whole.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/replica.hpp"

namespace inos {

inline constexpr std::size_t kDuplicateBytesMax = 256u << 20;
inline constexpr std::size_t kDuplicateGroupsMax = 1'000;  // in one answer
inline constexpr std::size_t kDuplicateIdsMax = 1'000;     // of one group
inline constexpr std::size_t kDuplicateStep = 1'000;       // records that one step reads, about
inline constexpr std::size_t kMergedMax = 1'000;           // merged records in one answer

struct DuplicateGroup {
    std::string collection;
    Object identity;               // as it was compared: texts trimmed and in small letters
    std::vector<std::string> ids;  // at least two, ascending
};

struct Duplicates {
    std::vector<DuplicateGroup> groups;  // by collection, then by their lowest ids
    bool complete = true;                // false: there are more
};

// The search, step by step, so that other work of the thread goes on in between. What is written
// meanwhile may be found or not; what was deleted or changed is not.
class DuplicateSearch {
public:
    // Of one collection, or of all if it is empty.
    explicit DuplicateSearch(std::string collection);

    // Reads about `budget` records more (> 0). Answers whether all is done; errors as of
    // find_duplicates(), and nothing more may be asked for after one.
    Result<bool> step(Replica const& replica, std::size_t budget);
    // What was found, once all is done.
    Duplicates take() { return std::move(answer_); }

private:
    struct Found {
        std::uint64_t hash = 0;
        std::size_t begin = 0, size = 0;  // the id, in ids_
    };

    Result<void> begin(Replica const& replica);
    Result<void> scan(Replica const& replica, std::size_t& budget);
    Result<void> compare(Replica const& replica, std::size_t& budget);
    void finish_collection();

    std::string only_;
    bool begun_ = false;
    std::deque<std::string> collections_;  // to do; the rest is about the first of them
    CollectionSchema schema_;
    std::vector<std::string> names_;  // the identity; empty: not begun
    bool scanning_ = true;
    std::string from_;  // engine key where the scan goes on
    std::vector<Found> found_;
    std::string ids_;  // all of them, one behind the other
    std::size_t at_ = 0;
    std::vector<DuplicateGroup> groups_;
    Duplicates answer_;
};

// Groups of visible records that agree in all fields of the identity. Records that lack one of
// them, or have null or an empty text there, are left out. Of one collection, or of all if it is
// empty. Errc::invalid: the collection has no identity; Errc::too_large: more records than fit into
// the memory.
Result<Duplicates> find_duplicates(Replica const& replica, std::string_view collection);

// A record that was merged into another one.
struct MergedRecord {
    Alias alias;
    std::string master;               // what reads of it show: `to`, or where that leads
    bool changed = false;             // edited since, by somebody who did not know of the merge
    bool orphaned = false;            // the master was deleted, and the record under the id was not
    std::vector<std::string> rivals;  // where other sites wanted it to lead at the same time
};
// At most kMergedMax + 1 of them: one more than an answer holds says that there are more.
Result<std::vector<MergedRecord>> merged_records(Replica const& replica,
                                                 std::string_view collection);

struct FieldDifference {
    std::string field;  // dotted path
    Value kept, left;   // the master's value, which stays; null where the master has none
};

struct RecordMerge {
    std::string into;  // the record that both ids stand for
    std::vector<Write> writes;
    std::vector<std::string> copied;  // dotted paths of fields that the master lacked
    std::vector<FieldDifference> differing;
};

// Makes `from` an alias of `into`, and gives `into` the fields that it lacks. Values that the
// schema refuses there are not copied but differ, and so do all kept values of a `keep-all` field
// but the first. The record under `from` stays stored as it is.
// Done again it copies what `from` has got meanwhile; where sites disagreed about the master, it
// decides.
Result<RecordMerge> plan_merge(Replica const& replica,
                               std::string const& collection,
                               std::string const& into,
                               std::string const& from);

// Takes the alias back: `from` is a record of its own again, as it lies under its id. What was
// copied into `into` stays there.
Result<std::vector<Write>> plan_unmerge(Replica const& replica,
                                        std::string const& collection,
                                        std::string const& into,
                                        std::string const& from);

}  // namespace inos
