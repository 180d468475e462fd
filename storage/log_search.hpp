// Reads the whole log once for everything that touched some records, and checks on the way that it
// is what its authors chained: what a record has to hold when nothing that is stored about it can
// be believed. Costs a hash of every entry; for repair only. Used on the replica's thread.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/replica.hpp"

namespace inos {

struct HashedEntry;

class LogSearch {
public:
    LogSearch(Replica const& replica, crypto::Secret const& digest_key)
        : replica_(replica), digest_key_(digest_key) {}

    // Before run(). A name may be that of an erased record's marks (keys::erased_key).
    void want(RecordName const& name);
    // Also notes where the history of every record begins.
    void want_heads() { want_heads_ = true; }
    Result<void> run();

    // Where the log is not what its authors chained, in words. While there is anything, what was
    // found may not be all.
    std::vector<std::string> const& damage() const { return damage_; }
    // All that touched the record: in the order in which it came here where that is known, else in
    // a causal one.
    std::vector<HistoryStep> const& steps(RecordName const& name) const;
    Dot last(RecordName const& name) const;  // where its history begins
    // By the engine's keys of the records that entries name.
    std::unordered_map<std::string, Dot>& heads() { return heads_; }

private:
    struct Found {
        RecordName name;
        bool marks = false;  // of an erased record
        std::vector<HistoryStep> steps;
        std::map<Dot, Dot> before;  // an entry, and the one before it that touched the record
        Dot last;
    };

    Result<void> read_log_of(ActorId actor, Seq head);
    void read_entry(Dot dot, StoredEntry const& entry, HashedEntry const& hashed);
    void note_heads(Dot dot, StoredEntry const& entry, HashedEntry const& hashed);
    void broken(ActorId actor, Seq seq, char const* what);
    static void put_in_order(Found& found);

    Replica const& replica_;
    crypto::Secret const& digest_key_;
    std::vector<Found> found_;
    std::map<RecordTag, std::vector<std::size_t>> by_tag_;
    std::map<RecordName, std::size_t> by_name_;
    bool want_heads_ = false;
    std::unordered_map<std::string, Dot> heads_;
    std::vector<std::string> damage_;
};

// What a record holds after these steps.
Record replay(std::vector<HistoryStep> const& steps);
// The same for a record of which all was purged at some moment in between, once for each moment at
// which that may have been.
std::vector<Record> replay_purged(std::vector<HistoryStep> const& steps);

}  // namespace inos
