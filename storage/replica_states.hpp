// Inside the replica: snapshots that others are given, part after part (replica_give_states.cpp),
// and one that arrives here (replica_states.cpp) and comes into force (replica_switch.cpp).
//
// Given: a cursor over the records as of one moment, for each asking site, and the last part, which
// may have been lost on the way. What it says of chains and entries is read when it is asked for:
// they never change, but for erasures, which end the snapshot. Taken: rows in the family `staging`,
// under their names, the position in the same write; so a receiver goes on after a restart, if the
// source still has the same snapshot.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/replica_stage.hpp"
#include "storage/staged_state.hpp"

namespace inos {

inline constexpr std::uint64_t kStateRenewMs = 20'000;  // from one snapshot for a site to another
inline constexpr std::uint64_t kSlowestBytesPerMs = 8;  // a part takes so long on its way

class Replica::States {
public:
    explicit States(Replica& replica) : replica_(replica) {}

    // After everything else was read: ends a switch that was interrupted.
    Result<void> load();
    bool may_give() const;
    Result<bool> prefers(SiteId const& to, VersionVector const& theirs, bool gone);
    void failed_with(SiteId const& site) { failed_with_.insert(site); }
    Result<StatePart> give(SiteId const& to, StateAsk const& ask, StatePartLimits const& limits);
    std::optional<StateAsk> ask(SiteId const& from);
    Result<StateTaken> take(SiteId const& from, StatePart const& part);
    std::optional<StateProgress> progress() const;
    void drop_idle();
    Result<void> drop_needless();
    // Snapshots of before an erasure: they hold what was erased, and keep it on the disk.
    void drop_given() { given_.clear(); }
    // What has arrived goes; it may come again from the beginning. Where it may hold what a write
    // erases, it counts for nothing from that write on.
    Result<void> forget();
    void give_up_with(WriteBatch& batch) const;
    // How a scan of the records ended, of which `last` is the last one that was read: a block that
    // cannot be read is noted.
    Result<void> scanned(Result<void> status, std::string_view last) const;

private:
    struct Given {
        crypto::Hash16 id{};
        StateManifest content;
        std::string manifest;
        std::vector<std::string> deps;  // of each head that has a floor
        std::string at;                 // up to where parts were made
        std::unique_ptr<Cursor> records;
        Sums kept, sums;  // of all records, and of those that were sent, from the first on
        bool from_first = false;
        StatePart last;
        std::size_t unsigned_bytes = 0;  // of entries, since the last signature
        std::uint64_t made_ms = 0, asked_ms = 0;
    };
    struct Taken {
        crypto::Hash16 id{};
        StateManifest manifest;
        VersionVector vector;  // of the manifest
        std::string after;
        crypto::Hash32 chain{};  // at the last entry that came, if `after` names one
        std::uint64_t unsigned_bytes = 0, unsigned_entries = 0;  // of the last one's actor
        bool met_erased = false;  // a name in it may be of what is erased here
        std::uint64_t looked_ms = 0,
                      looked_bytes = 0;  // how far it was when another source offered
        std::uint64_t deps = 0, hashes = 0, entries = 0, records = 0, bytes = 0, asked_ms = 0;

        std::string position() const;
        bool read_position(std::string_view bytes);
        bool complete() const;
    };
    class PartMaker;
    class Switch;

    Result<void> check_ask(StateAsk const& ask) const;
    Result<VersionVector> floor_without(SiteId const& site) const;
    Result<void> fill_manifest(Given& given, SiteId const& to, StateAsk const& ask) const;
    Result<void> fill_floor(Given& given, StateHead& head, Seq floor, Seq have) const;
    Result<Given*> snapshot(SiteId const& to, StateAsk const& ask);
    Result<std::string> hashes(ActorId actor, Seq first, Seq last) const;

    Result<void> begin(SiteId const& from, StatePart const& part);
    Result<void> check_source(SiteId const& from) const;
    Result<void> check_head(StateHead const& head) const;
    Result<void> check_deps(Taken& taken, StateRow const& row) const;
    Result<void> check_hashes(Taken& taken, StateRow const& row) const;
    Result<void> check_entry(Taken& taken, StateRow const& row) const;
    Result<void> check_record(Taken& taken, StateRow const& row) const;
    Result<void> check_row(Taken& taken, StateRow const& row) const;
    Result<StateTaken> take_asked(SiteId const& from, StatePart const& part);
    std::optional<std::string> staged(StateRow row, crypto::Hash32 const& chain) const;
    void put_scrub(WriteBatch& batch) const;
    bool stalls(std::uint64_t now);
    Result<StateTaken> stage(StatePart const& part);
    Result<void> switch_over();

    Replica& replica_;
    std::map<SiteId, Given> given_;
    std::optional<Taken> taken_;
    std::optional<SiteId> asked_;   // whom we asked last
    std::set<SiteId> failed_with_;  // none came about
    std::map<SiteId, int> offers_;  // that no question has followed
    // Who was found to lack little of what everybody has, and when.
    std::map<SiteId, std::uint64_t> lacks_little_ms_;
    std::map<SiteId, std::uint64_t> refused_ms_;  // when what they sent was not taken
};

}  // namespace inos
