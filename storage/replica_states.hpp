// Inside the replica: snapshots that others are given, part after part, and one that arrives here
// and comes into force at once, with the switch.
//
// Given: a cursor over the records as of one moment, for each asking site, and the last part, which
// may have been lost on the way. Taken: rows in the family `staging`, the position in the same
// write; so a receiver goes on after a restart, if the source still has the same snapshot.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "storage/replica_stage.hpp"

namespace inos {

class Replica::States {
public:
    explicit States(Replica& replica) : replica_(replica) {}

    Result<void> load();
    Result<StatePart> give(SiteId const& to, StateAsk const& ask, StatePartLimits const& limits);
    std::optional<StateAsk> ask(SiteId const& from);
    Result<bool> take(SiteId const& from, StatePart const& part);
    std::optional<StateProgress> progress() const;
    void drop_idle();
    // Snapshots of before an erasure: they hold what was erased, and keep it on the disk.
    void drop_given() { given_.clear(); }
    // What has arrived goes; it may come again from the beginning. Where it may hold what a write
    // erases, it counts for nothing from that write on.
    Result<void> forget();
    void give_up_with(WriteBatch& batch) const;

private:
    struct Given {
        crypto::Hash16 id{};
        std::string manifest;
        std::string at;  // up to where parts were made
        std::unique_ptr<Cursor> cursor;
        StatePart last;
        std::uint64_t asked_ms = 0;
    };
    struct Taken {
        crypto::Hash16 id{};
        StateManifest manifest;
        VersionVector vector;  // of the manifest
        std::string after;
        std::uint64_t rows = 0, bytes = 0, asked_ms = 0;
    };
    class Switch;

    Result<void> may_give(StateAsk const& ask) const;
    Result<void> sync_own();
    Result<std::string> make_manifest() const;
    Result<Given*> snapshot(SiteId const& to, StateAsk const& ask);
    Result<void> next_part(Given& given, StatePartLimits const& limits) const;
    Result<void> begin(SiteId const& from, StatePart const& part);
    Result<void> check_heads(StateManifest const& manifest) const;
    Result<bool> switch_over();
    Result<void> check_row(StateRow const& row, VersionVector const& vector) const;

    Replica& replica_;
    std::map<SiteId, Given> given_;
    std::optional<Taken> taken_;
    VersionVector asked_with_;  // our vector, at the last ask
};

// Collection and key of a row's name, which is its key in the engine without the space.
std::optional<RecordName> name_of_row(std::string_view name);

}  // namespace inos
