#include "storage/staged_state.hpp"

#include <algorithm>

#include "storage/keys.hpp"
#include "storage/log_starts.hpp"
#include "storage/replica_stage.hpp"

namespace inos {

Error malformed_state(char const* what) {
    return Error{Errc::protocol, what, {}};
}

Error other_history() {
    return Error{Errc::conflict,
                 "the histories of this site and the peer differ, so no state goes from one to the "
                 "other; `inos status` shows forks",
                 {}};
}

std::string staging::key(std::uint32_t space, std::string_view name) {
    return keys::space_begin(space) + std::string(name);
}
std::string staging::key(std::uint32_t space, char name) {
    return keys::meta_kind(space, name);
}

std::optional<RecordName> name_of_row(std::string_view name) {
    std::size_t const zero = name.find('\0');
    if (zero == std::string_view::npos) return std::nullopt;
    return RecordName{std::string(name.substr(0, zero)), std::string(name.substr(zero + 1))};
}

std::string StagedRow::encode(StateRow const& row) {
    std::string out;
    put_blob(out, row.value);
    put_blob(out, row.extra);
    return out;
}

std::optional<StagedRow> StagedRow::decode(std::string_view bytes) {
    Reader in(bytes);
    StagedRow row;
    row.value = in.blob();
    row.extra = in.blob();
    row.chain = in.ok() ? in.rest() : std::string_view();
    return in.ok() ? std::optional(row) : std::nullopt;
}

Result<void> check_same_cells(Record const& ours, Record const& theirs) {
    for (Cell const& cell : theirs.cells()) {
        if (is_run(cell.path) || is_shrinking(cell.path)) continue;
        auto const range = ours.at(cell.path);
        for (std::size_t i = range.begin; i < range.end; ++i)
            if (ours[i].dot == cell.dot && ours[i] != cell)
                return tl::unexpected(
                    malformed_state("a state holds another value than its author wrote"));
    }
    return {};
}

Error StagedState::corrupt() {
    return Error{Errc::corruption, "what has arrived of a state cannot be read", {}};
}

Result<std::string> StagedState::chain(Dot dot) const {
    INOS_TRY(auto const value,
             engine_.get(Family::staging, key(state_row::kEntry, dot.actor, dot.seq)));
    auto const row = value ? StagedRow::decode(*value) : std::nullopt;
    if (!row) return tl::unexpected(corrupt());
    return std::string(row->chain);
}

Result<std::string> StagedState::hashes(StateHead const& head, Seq first, Seq last) const {
    Seq const block = (first - 1) / kHashesPerKey;
    Seq const held_from = std::max(head.known, block * kHashesPerKey + 1);
    Seq const end = std::min({last, head.floor, (block + 1) * kHashesPerKey});
    INOS_TRY(auto const value,
             engine_.get(Family::staging, key(state_row::kHashes, head.actor, block)));
    auto const row = value ? StagedRow::decode(*value) : std::nullopt;
    constexpr std::size_t kBytes = sizeof(crypto::Hash16);
    if (!row || first < held_from || row->value.size() < (end - held_from + 1) * kBytes)
        return tl::unexpected(corrupt());
    return std::string(row->value.substr((first - held_from) * kBytes, (end - first + 1) * kBytes));
}

Result<VersionVector> StagedState::floor_deps(StateHead const& head) const {
    if (head.floor == 0) return VersionVector();
    INOS_TRY(auto const value, engine_.get(Family::staging, key(state_row::kDeps, head.actor)));
    auto const row = value ? StagedRow::decode(*value) : std::nullopt;
    Reader in(row ? row->value : std::string_view());
    auto deps = VersionVector::decode(in);
    if (!row || !deps || !in.finished()) return tl::unexpected(corrupt());
    return *std::move(deps);
}

Result<std::set<RecordTag>> StagedState::marks() const {
    std::set<RecordTag> marks;
    auto cursor = engine_.scan(Family::staging,
                               staging::key(space_, state_row::kRecord),
                               staging::key(space_, state_row::kRecord + 1));
    for (; cursor->valid(); cursor->next()) {
        auto const name = name_of_row(cursor->key().substr(kRecordNameAt));
        if (!name) return tl::unexpected(corrupt());
        if (!name->key.starts_with('\1')) continue;
        RecordTag tag{};
        std::copy(name->key.begin() + 1, name->key.end(), tag.begin());
        marks.insert(tag);
    }
    INOS_CHECK(cursor->status());
    return marks;
}

std::unique_ptr<Cursor> StagedState::entries(Dot first, Dot behind) const {
    return engine_.scan(Family::staging,
                        key(state_row::kEntry, first.actor, first.seq),
                        key(state_row::kEntry, behind.actor, behind.seq));
}

Result<std::map<std::string, CollectionSums, std::less<>>> sum_heads(Engine const& engine,
                                                                     std::uint32_t space) {
    std::map<std::string, CollectionSums, std::less<>> sums;
    auto cursor = engine.scan(Family::records, keys::space_begin(space), keys::space_end(space));
    for (; cursor->valid(); cursor->next()) {
        auto const name = name_of_row(cursor->key().substr(4));
        if (!name) return tl::unexpected(StagedState::corrupt());
        auto const head = StoredRecord::head(cursor->value());
        sums[name->collection].add(head.digest_class, head.digest);
    }
    INOS_CHECK(cursor->status());
    return sums;
}

}  // namespace inos
