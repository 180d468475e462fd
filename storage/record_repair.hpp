// Puts records right that are not what they have to be (docs/decisions/0012). The log is what
// decides: its entries are chained and signed by their authors, so a record is built up again from
// them, at the site that holds it wrong, and no peer's word counts. Where the log does not show a
// record whole (an entry is damaged, or was cut), one that can be read and is no older than the log
// is left alone, and so is what is absent. In place of one that is lost an admin's state is taken,
// if it has in it all that our intact entries say.
//
// Records that were found damaged wait for it (Replica::damaged_records).
//
// One object is one round. The owner calls step() until it says that it is over, so that the
// replica's thread does other things in between: a step reads about as much as it is told. Writes
// of records in between are taken into account; when a state comes into force, it begins again.
// Thread: the replica's; it must not outlive it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/log_search.hpp"
#include "storage/record_ranges.hpp"
#include "storage/replica.hpp"

namespace inos {

// What a site can say for a record that it holds, or does not hold. On the wire; never reused.
enum class Standing : std::uint8_t {
    damaged = 0,  // it is not what was stored
    whole = 1,    // it is what was stored
};
inline constexpr Standing kStandingMax = Standing::whole;
inline constexpr std::size_t kStateKeysMax = 128;           // asked for at a time
inline constexpr std::size_t kSharedBytesTarget = 1 << 20;  // of one answer; or one state
inline constexpr std::size_t kSharedBytesMax = 3 << 20;     // larger ones stay where they are
inline constexpr std::size_t kRepairNotesMax = 1'000;       // of each list of a report
inline constexpr std::size_t kDoubtsMax = 100'000;        // records of one round; the next goes on
inline constexpr std::size_t kRepairStepBytes = 2 << 20;  // that one step reads, about
inline constexpr std::size_t kRewrittenAtOnce = 2'000;    // entries of the log, in one write

struct SharedState {
    std::string key;  // collection | 00 | key
    Standing standing = Standing::damaged;
    std::string record;  // Record::encode(); empty: none
    bool operator==(SharedState const&) const = default;
};

struct RepairNote {
    RecordName name;
    std::string what;  // "its digest differs; built again from the log"
};

struct RepairReport {
    std::size_t looked = 0;            // records
    std::size_t mended = 0, lost = 0;  // how many there are of the next two, shown or not
    std::vector<RepairNote> repaired;  // what was wrong here, and is right now
    std::vector<RepairNote> left;      // what is wrong here, and why it stays so
    std::vector<std::string> log_damage;

    void note_repaired(RepairNote note);
    void note_left(RepairNote note);
    void add(RepairReport const& other);
};

// Who sends a state.
struct Teller {
    bool admin = false;
    bool stands_in = false;  // a writer of all collections, where this site is the only admin
};

// What is held under the keys, which are ascending, as far as one answer has room for it; the rest
// is left out. `looked`: bytes that were read for it, sent or not.
Result<std::vector<SharedState>> shared_states(Replica const& replica,
                                               std::vector<std::string> const& keys,
                                               std::size_t* looked = nullptr);

class RecordRepair {
public:
    // Of these records, by their keys (record_of_key); of everything: without keys.
    explicit RecordRepair(Replica& replica,
                          std::optional<std::vector<std::string>> keys = std::nullopt);
    ~RecordRepair();

    // True: nothing is left to do but what only a peer can tell.
    Result<bool> step(std::size_t budget = kRepairStepBytes);
    // To be asked for, at most kStateKeysMax at a time; those asked for are not named again.
    std::vector<std::string> next_open();
    // A peer's answer. The caller has made sure that both sites hold the same entries on the same
    // chains. Then step() goes on.
    Result<void> merge(std::vector<SharedState> const& theirs, Teller const& teller);
    // What was found so far; said once.
    RepairReport take_report();
    bool changed() const { return changed_; }

    // Rows of records may be missing, and nobody here knows which. No state is given then.
    static bool rows_missing(Replica const& replica) { return replica.rows_missing_; }
    // The root is that of a site whose word counts, over the same entries: none is.
    static Result<void> note_rows_complete(Replica& replica);

private:
    struct Case;
    enum class Phase { heads, records, rows, search, settle, sums, done };

    Result<void> look_at_records(std::size_t budget);
    Result<bool> look_at_erasures(std::size_t& left);
    Result<bool> look_at_rows(std::size_t& left);
    void doubt(RecordName const& name);
    void begin_search();
    Result<void> settle_some();
    Result<bool> sum_some(std::size_t budget);
    Result<void> mend_indexes();
    bool look_at_everything();
    void note_missing(WriteBatch& batch);
    Result<bool> drop_unreadable(Error const& error);
    Result<void> known_keys(std::set<std::string>& keys);
    Result<void> mark_unreadable(std::set<std::string> const& named);
    Result<Case> look(std::string const& key) const;
    void decide(Case& c, FoundRecord& found);
    bool fell_back(Case const& c, FoundRecord const& found) const;
    bool lost(Case const& c, FoundRecord const& found) const;
    bool decides(Case const& c, FoundRecord const& found) const;
    void by_log(Case& c, FoundRecord const& found);
    void leave(Case& c, FoundRecord const& found);
    bool is_erased_in(std::string_view collection, RecordTag const& tag) const;
    bool consistent(Record const& theirs, FoundRecord const& found) const;
    char const* refusal(Case const& c,
                        FoundRecord const& found,
                        SharedState const& theirs,
                        std::optional<Record> const& record,
                        Teller const& teller) const;
    bool complete(RecordName const& name, Record const& theirs, FoundRecord const& found) const;
    void take(Case& c, FoundRecord const& found, Record const& theirs);
    Result<void> write(std::vector<Case> const& cases);
    Result<void> rewrite(Replica::Stage& stage,
                         Case const& c,
                         std::size_t first,
                         std::size_t end) const;
    std::size_t rewritten(Case const& c) const;
    Result<bool> write_ahead(std::vector<Case> const& cases);
    Result<void> load_touched_schemas();
    bool begin_again();
    void look_again();
    Result<void> mark_damaged(std::vector<Case> const& cases);
    RangeItem item_of(RecordName const& name, Record const& record) const;
    Result<bool> in_doubt(RecordName const& name, std::string_view value);
    Result<bool> indexed(RecordName const& name, Record const& record) const;

    Replica& replica_;
    bool everything_;
    bool const by_hand_;  // of everything from the beginning, and not for what was met on the way
    Phase phase_;
    std::unique_ptr<LogHeads> heads_;
    std::unique_ptr<LogSearch> search_;
    std::string from_;                          // where the walk through the records goes on
    std::optional<ErasedMarks> erasures_from_;  // the walk through the erasures
    bool erasures_done_ = false;
    std::string rows_from_;             // the walk through the rows of the indexes
    std::set<std::string> doubtful_;    // keys
    std::vector<std::string> pending_;  // of them, to be settled; the next one last
    std::set<std::string> open_, asked_;
    std::map<std::string, char const*> unresolved_;  // and why
    RepairReport report_;
    std::shared_ptr<Replica::Summing> summing_;
    bool schemas_touched_ = false;  // read again at the end, when all of them can be
    bool renewed_ = false;
    bool changed_ = false;
};

}  // namespace inos
