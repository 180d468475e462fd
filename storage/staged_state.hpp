// What has arrived of a state, row by row under the names that it came with, as it lies in the
// family `staging` (storage/keys.hpp). Thread: the replica's. Errors: Errc::corruption for what is
// malformed or missing, once all of it was checked (replica_states.cpp).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "crdt/change.hpp"
#include "crdt/record.hpp"
#include "storage/digest.hpp"
#include "storage/engine.hpp"
#include "storage/state_transfer.hpp"

namespace inos {

// Collection and key of a record's row, whose name is its key in the engine without the space.
std::optional<RecordName> name_of_row(std::string_view name);

// A row as it is staged: value blob | extra blob | of an entry the chain at it.
struct StagedRow {
    std::string_view value, extra, chain;

    static std::string encode(StateRow const& row);
    static std::optional<StagedRow> decode(std::string_view bytes);
};

// Keys of the family `staging`.
namespace staging {
inline constexpr char kManifest = 'm', kPosition = 'p', kSwitching = 'q';
std::string key(std::uint32_t space, std::string_view name);
std::string key(std::uint32_t space, char name);
}  // namespace staging

class StagedState {
public:
    static constexpr std::size_t kRecordNameAt = 5;  // in a record's key

    StagedState(Engine const& engine, std::uint32_t space) : engine_(engine), space_(space) {}

    // The chain at an entry that came.
    Result<std::string> chain(Dot dot) const;
    // What came of hashes from `first` to `last`, or to the end of their block.
    Result<std::string> hashes(StateHead const& head, Seq first, Seq last) const;
    Result<VersionVector> floor_deps(StateHead const& head) const;
    // Of all records that the source holds as erased.
    Result<std::set<RecordTag>> marks() const;
    std::unique_ptr<Cursor> entries(Dot first, Dot behind) const;

    static Error corrupt();

private:
    std::string key(char kind, ActorId actor, std::optional<std::uint64_t> number = {}) const {
        return staging::key(space_, state_row::name(kind, actor, number));
    }

    Engine const& engine_;
    std::uint32_t space_;
};

// Sums over what the rows of the records say of themselves, by collection.
Result<std::map<std::string, CollectionSums, std::less<>>> sum_heads(Engine const& engine,
                                                                     std::uint32_t space);

// A cell that both hold is the same, but for what is made of several entries. Errc::protocol.
Result<void> check_same_cells(Record const& ours, Record const& theirs);

Error malformed_state(char const* what);  // Errc::protocol
Error other_history();                    // Errc::conflict

}  // namespace inos
