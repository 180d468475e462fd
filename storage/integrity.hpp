// Looking at everything that a replica holds, slowly and while it works: whether records, sums,
// indexes, log and notes are what was stored, and say the same. Errors of a disk that no checksum
// shows, and faults of the program itself, come to light before somebody needs what they spoilt.
//
// A pass goes through phases:
//   records  each one's bytes against its digest, its places in all indexes, and over the whole
//            walk the sums of the collections against the records
//   index    each row against the record, or the entry, that it names
//   log      each actor's chain, computed entry by entry, against what is stored; numbers without
//            gap, deps and links that name entries, every signature
//   meta     each row can be read, and is what is in use; the directory's format
//
// A step reads about as much as it is told, and holds nothing of the engine afterwards. Writes go
// on in between: what belongs together is compared within one step, and for the sums writes behind
// the walk are counted as they come (Replica::Summing). While records wait for their repair, sums
// are not compared; when a state comes into force, the pass begins again. So nothing is found that
// is not there.
//
// What is found is handed to those who repair (record_repair.hpp): damaged records, and rows of
// indexes about a record, wait for their repair from then on; sums that differ make the repair look
// at everything; a secondary index that is wrong is built again.
//
// Thread: the replica's; must not outlive it. Memory: kFindingsMax findings.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "storage/replica.hpp"

namespace inos {

inline constexpr std::size_t kFindingsMax = 1'000;
inline constexpr std::size_t kIntegrityStepBytes = 1u << 20;  // that one step reads, about

enum class FindingKind : std::uint8_t {
    record_damaged,    // its bytes are not what was stored, or cannot be read
    record_key,        // a row that no record can have
    record_erased,     // it was erased, and is here
    mark_unproven,     // the mark of an erasure that nobody has signed
    index_row_lacks,   // the indexes do not show what the record is
    index_row_extra,   // ... or show what it is not
    index_lacks,       // a secondary index lacks records
    index_extra,       // ... or names records by values that they do not have
    sums,              // the sums are not those of the records: rows are missing, or too many
    sums_row,          // a collection's sums in the database are not those in use
    unreadable,        // the disk cannot read a block of a family
    entry_missing,     // a gap in an actor's log
    entry_unreadable,  //
    entry_chain,       // not what its author chained
    entry_deps,        // it names entries that are not here, or not those
    entry_links,       // the history of a record leads nowhere
    entry_stray,       // an entry that the site does not know to hold
    entry_row,         // what is kept beside an entry is missing or cannot be read
    signature,         // not its author's, or missing
    meta,              // a row that cannot be read, or is not what is in use
    format,            // of another version of the program
};
inline constexpr std::size_t kFindingKinds = static_cast<std::size_t>(FindingKind::format) + 1;

// Who puts it right.
enum class Remedy : std::uint8_t {
    itself,   // the site does, with its peers where the log cannot tell
    repair,   // `inos verify --repair`
    restart,  // it is right in memory, or in the database: opening the site again decides
    replace,  // nobody here can: the site has to be made anew from another one, or from a backup
    upgrade,  // a newer program
};

struct Finding {
    FindingKind kind{};
    Remedy remedy{};
    Family family = Family::records;  // in which it lies
    std::string collection = {}, key = {};
    std::vector<std::string> fields = {};  // of a secondary index: dotted paths
    ActorId actor = {};
    Seq seq = 0;              // the first of them
    std::uint64_t count = 1;  // records, rows, entries
    bool operator==(Finding const&) const = default;
};

enum class IntegrityPhase : std::uint8_t { records, index, log, meta, done };

// What was looked at in a pass so far, and found.
struct Inspected {
    IntegrityPhase phase = IntegrityPhase::records;
    std::uint64_t records = 0, index_rows = 0, entries = 0, signatures = 0, meta_rows = 0;
    std::uint64_t of = 0;     // records and entries that there were when it began
    std::uint64_t bytes = 0;  // that were read, about
    bool sums_compared = false;
    bool whole = true;  // false: some of it could not be read, or there is more than is named
    std::vector<Finding> findings;

    std::uint64_t done() const { return records + entries; }
};

class Inspector {
public:
    explicit Inspector(Replica& replica);
    ~Inspector();
    Inspector(Inspector const&) = delete;
    Inspector& operator=(Inspector const&) = delete;

    // The next step begins a pass.
    void begin();
    // True: the pass is over. Errors are of the disk: the next step goes on at the same place.
    // Errc::unavailable: not now, a state comes into force or a write has failed.
    Result<bool> step(std::size_t budget = kIntegrityStepBytes);
    Inspected inspected() const;
    // The latest stamp that the replica knows to have issued or taken: a clock behind it is wrong.
    static Hlc last_stamp(Replica const& replica);

    // Those of the findings that are there still, as far as that can be told by a look at one
    // record each; the others are mended.
    Result<std::vector<Finding>> still_there(std::vector<Finding> const& findings) const;

private:
    using Place = std::tuple<FindingKind, Family, std::string, std::string, ActorId>;
    struct Reading;  // where in the log it is
    struct Adding;   // the sums of the records so far

    void note(Finding finding);
    void damaged(FindingKind kind, RecordName const& name);
    Result<void> may_look() const;
    Result<bool> waits_for_repair() const;
    Result<bool> ended(Cursor const& cursor, Family family);
    void next_phase(IntegrityPhase phase);

    // integrity_records.cpp
    Result<void> look_at_records(std::size_t& left);
    Result<void> skip_unreadable();
    Result<void> look_at_record(std::string_view row_key, std::string_view value);
    Result<std::optional<FindingKind>> judge(RecordName const& name, std::string_view value) const;
    Result<bool> shown_in_indexes(RecordName const& name, Record const& record) const;
    Result<void> look_in_secondary(RecordName const& name, Record const& record);
    Result<void> compare_sums();
    // integrity_rows.cpp
    Result<void> look_at_rows(std::size_t& left);
    Result<void> look_at_row(std::string_view row_key, std::string_view value, std::size_t& left);
    Result<void> look_at_secondary(std::string_view row_key, std::size_t& left);
    Result<std::optional<Record>> record_of(RecordName const& name, std::size_t& left) const;
    Result<void> rebuild_indexes();
    Result<void> look_at_meta(std::size_t& left);
    bool readable(char kind, std::string_view name, std::string_view value) const;
    Result<void> look_at_sums_rows();
    Result<void> look_at_format();
    // integrity_log.cpp
    Result<void> look_at_log(std::size_t& left);
    Result<bool> begin_actor();
    void place_reading();
    Result<void> read_actor(std::size_t& left);
    Result<void> look_at_entry(Seq seq, std::string_view value, std::size_t& left);
    Result<void> look_at_deps(Dot dot, EntryHeader const& header);
    Result<void> look_at_links(Dot dot,
                               StoredEntry const& stored,
                               std::vector<RecordTag> const& tags,
                               std::size_t& left);
    Result<void> look_beside(Dot dot, StoredEntry const& stored);
    void look_at_signature(Seq seq, std::string_view value);
    Result<void> end_actor();
    void wrong_entry(FindingKind kind, Seq seq, std::uint64_t count = 1);

    Replica& replica_;
    std::weak_ptr<void const> pin_;  // Replica::log_pin_
    bool begun_ = false;
    Inspected inspected_;
    std::map<Place, Finding> findings_;
    std::string from_;  // the engine key where the phase goes on
    std::unique_ptr<Adding> adding_;
    std::set<std::string> wrong_indexes_;  // their collections
    std::unique_ptr<Reading> reading_;
};

}  // namespace inos
