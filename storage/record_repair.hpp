// Puts records right that are not what they have to be. The log is what decides: its entries are
// chained and signed by their authors, so a record that differs from what the log says is built
// again from it, at the site that holds it wrong. Only where the log cannot tell (it is damaged, or
// does not reach back), or where both sites can prove what they hold (one has purged what the other
// has not), the records' states are merged, with the other site's (docs/decisions/0012).
//
// Thread: the replica's; made for a call or two, holds nothing. What looks at records reads the
// whole log once per call: nothing that is stored about a damaged record can be believed.
#pragma once

#include <string>
#include <vector>

#include "storage/record_ranges.hpp"
#include "storage/replica.hpp"

namespace inos {

class LogSearch;
struct StoredRecord;

// What a site can say for a record that it holds, or does not hold. On the wire; never reused.
enum class Standing : std::uint8_t {
    damaged = 0,   // it is not what was stored
    unproven = 1,  // it is what was stored, but the log does not hold all that made it so
    proven = 2,    // it is what the log says
};
inline constexpr Standing kStandingMax = Standing::proven;
inline constexpr std::size_t kStateKeysMax = kRangeFoundMax;  // asked for at a time
inline constexpr std::size_t kStatesLooked = 256;             // of these in one answer
inline constexpr std::size_t kStateBytesTarget = 1 << 20;     // of one answer; or one state
inline constexpr std::size_t kStateBytesMax = 3 << 20;        // larger ones stay where they are

struct SharedState {
    std::string key;  // collection | 00 | key
    Standing standing = Standing::damaged;
    std::string record;  // Record::encode()
    bool operator==(SharedState const&) const = default;
};

struct RepairNote {
    RecordName name;
    std::string what;  // "its digest differs; built again from the log"
};

struct RepairReport {
    std::size_t looked = 0;            // records
    std::vector<RepairNote> repaired;  // what was wrong here, and is right now
    std::vector<RepairNote> left;      // what is wrong here, and why it stays so
    std::vector<std::string> log_damage;

    void add(RepairReport other);
};

class RecordRepair {
public:
    explicit RecordRepair(Replica& replica) : replica_(replica) {}

    // ---- this site alone -----------------------------------------------------------------------
    // Looks at up to `budget` records from the key `from` on, each against its own digest, and puts
    // right what the log can. Answers where to go on; empty at the end.
    Result<std::string> check(std::string const& from, std::size_t budget, RepairReport& report);
    // Sets the sums right that are kept of the records, reads the log from end to end, and puts
    // right what does not stand where the log says: records that are lost, out of date or
    // nobody's. After check() has seen all.
    Result<void> check_whole(RepairReport& report);

    // ---- with a peer ---------------------------------------------------------------------------
    // What is held under the keys, as far as one answer has room for it; the rest is left out.
    Result<std::vector<SharedState>> states(std::vector<std::string> const& keys);
    // Puts right what the log can. Answers what is then to be asked for: the records that still are
    // not as the peer holds them.
    Result<std::vector<std::string>> heal(std::vector<RangeItem> const& theirs,
                                          RepairReport& report);
    // Takes the peer's states into account. The caller has made sure that both sites hold the same
    // entries on the same chains. Errc::protocol: a state holds what no entry has written.
    Result<void> merge(std::vector<SharedState> const& theirs, RepairReport& report);

private:
    struct Case;

    Result<Case> look(std::string const& key) const;
    Result<std::vector<Case>> settle(std::vector<std::string> const& keys, RepairReport& report);
    void settle_by_log(Case& c, LogSearch const& search, RepairReport& report) const;
    bool follows_from(Case const& c, std::vector<HistoryStep> const& steps) const;
    RangeItem item_of(RecordName const& name, Record const& record) const;
    std::string wrong(RecordName const& name, std::string_view value) const;
    Result<std::vector<std::string>> out_of_place(LogSearch& search) const;
    Result<void> merge_one(Case& c, SharedState const& theirs, RepairReport& report) const;
    Result<void> write(std::vector<Case> const& cases);
    Result<bool> set_sums();

    Replica& replica_;
};

}  // namespace inos
