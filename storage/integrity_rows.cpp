// The part of an inspection that looks at the rows of the indexes, and at the notes of the replica.
#include <algorithm>
#include <utility>

#include "storage/integrity_reading.hpp"
#include "storage/invites.hpp"
#include "storage/keys.hpp"
#include "storage/record_ranges.hpp"
#include "storage/remembered_requests.hpp"
#include "storage/replica_indexes.hpp"
#include "storage/replica_stage.hpp"
#include "storage/site_directory.hpp"
#include "storage/statement.hpp"

namespace inos {
namespace {

constexpr std::size_t kRowCost = 128;  // of the budget, besides its bytes
constexpr std::size_t kKindAt = 4;     // behind the space's number

std::optional<Dot> dot_of(std::string_view row_key) {
    Reader in(row_key.substr(kKindAt + 1));
    ActorId const actor{in.u64()};
    Dot const dot{actor, in.u64()};
    return in.finished() ? std::optional(dot) : std::nullopt;
}

bool is_vector(std::string_view bytes) {
    Reader in(bytes);
    return VersionVector::decode(in).has_value() && in.finished();
}

}  // namespace

// ---- indexes ------------------------------------------------------------------------------------

Result<void> Inspector::look_at_rows(std::size_t& left) {
    std::uint32_t const space = replica_.options_.space;
    auto cursor = replica_.engine_.scan(Family::index, from_, keys::space_end(space));
    for (; cursor->valid() && left > 0; cursor->next()) {
        left -= std::min(left, kRowCost + cursor->key().size() + cursor->value().size());
        INOS_CHECK(look_at_row(cursor->key(), cursor->value(), left));
        from_ = std::string(cursor->key()) + '\0';
        ++inspected_.index_rows;
    }
    if (cursor->valid()) return {};
    INOS_TRY(bool const all, ended(*cursor, Family::index));
    static_cast<void>(all);  // what lies behind is not known either
    INOS_CHECK(rebuild_indexes());
    next_phase(IntegrityPhase::log);
    return {};
}

Result<void> Inspector::look_at_row(std::string_view row_key,
                                    std::string_view value,
                                    std::size_t& left) {
    char const kind = row_key.size() > kKindAt ? row_key[kKindAt] : '\0';
    if (kind == 's') return look_at_secondary(row_key, left);
    if (kind == 'c' || kind == 'd' || kind == 'o') {
        auto const named = keys::indexed_record(row_key);
        auto const name = named ? record_of_key(row_key.substr(kKindAt + 1)) : std::nullopt;
        if (!name) {
            note({.kind = FindingKind::index_row_extra,
                  .family = Family::index,
                  .key = std::string(row_key.substr(kKindAt))});
            return {};
        }
        std::string key = name->collection + '\0' + name->key;
        if (replica_.damaged_.contains(key)) return {};
        INOS_TRY(auto const record, record_of(*name, left));
        if (!record) return {};  // looked at as a record
        bool const shown = kind == 'c'
                               ? belongs_to_conflicts(digest_class(state_of(*record)), *record)
                           : kind == 'd' ? upkeep_flags(*record).markers
                                         : upkeep_flags(*record).orphan;
        if (shown) return {};
        if (!record->empty()) {
            damaged(FindingKind::index_row_extra, *name);
            return {};
        }
        note({.kind = FindingKind::index_row_extra,
              .family = Family::index,
              .collection = name->collection,
              .key = name->key});
        WriteBatch batch;  // it is nobody's
        batch.remove(Family::index, std::string(row_key));
        return replica_.write_batch(batch, Durability::flushed);
    }
    if (kind != 'v' && kind != 'x') return {};
    auto const dot = dot_of(row_key);
    bool right = dot && replica_.vector_.covers(*dot);
    if (right && kind == 'v') right = is_vector(value);
    if (right && kind == 'x') {
        auto const entry =
            replica_.engine_.get(Family::log, keys::log(replica_.options_.space, *dot));
        if (!entry && entry.error().code != Errc::corruption) return tl::unexpected(entry.error());
        auto const stored =
            entry && *entry ? StoredEntry::decode(**entry, dot->actor) : std::nullopt;
        // One that cannot be read, or is not there, is found in the log.
        right = !stored || stored->reason != VoidReason::none;
    }
    if (!right)
        note({.kind = FindingKind::entry_row,
              .family = Family::index,
              .actor = dot ? dot->actor : ActorId(),
              .seq = dot ? dot->seq : 0});
    return {};
}

// An empty one where nothing is stored; nullopt where it cannot be read.
Result<std::optional<Record>> Inspector::record_of(RecordName const& name,
                                                   std::size_t& left) const {
    auto const value = replica_.engine_.get(
        Family::records, keys::record(replica_.options_.space, name.collection, name.key));
    if (!value && value.error().code != Errc::corruption) return tl::unexpected(value.error());
    if (!value) return std::optional<Record>();
    if (!*value) return std::optional(Record());
    left -= std::min(left, (*value)->size());
    auto stored = StoredRecord::decode(**value, name);
    if (!stored) return std::optional<Record>();
    return std::optional(std::move(stored->record));
}

// Whole ids only: what is being cleared may be anything.
Result<void> Inspector::look_at_secondary(std::string_view row_key, std::size_t& left) {
    auto& indexes = *replica_.indexes_;
    std::string_view const rest = row_key.substr(kKindAt + 1);
    std::string const id(rest.substr(0, kIndexIdBytes));
    auto const known = indexes.kept_.find(id);
    if (known == indexes.kept_.end()) {
        note({.kind = FindingKind::index_extra, .family = Family::index});
        return {};
    }
    auto const& kept = known->second;
    if (kept.phase == Replica::Indexes::Phase::clearing || kept.fields.empty()) return {};
    auto const values = rest.substr(std::min(rest.size(), kIndexIdBytes));
    auto const components = index_components(values, kept.fields.size());
    bool right = false;
    if (components) {
        std::size_t size = 0;
        for (auto const component : *components)
            size += component.size();
        RecordName const name{kept.collection, std::string(values.substr(size))};
        INOS_TRY(auto const record, record_of(name, left));
        if (!record) return {};
        auto const rows =
            record->empty() ? std::vector<std::string>() : indexes.entries(name, *record);
        right = std::find(rows.begin(), rows.end(), row_key) != rows.end();
    }
    if (right) return {};
    Finding finding{.kind = FindingKind::index_extra, .family = Family::index};
    finding.collection = kept.collection;
    for (FieldPath const& path : kept.fields)
        finding.fields.push_back(dotted(path));
    note(std::move(finding));
    wrong_indexes_.insert(kept.collection);
    return {};
}

Result<void> Inspector::rebuild_indexes() {
    WriteBatch batch;
    for (std::string const& collection : wrong_indexes_)
        replica_.indexes_->begin_again(batch, collection);
    wrong_indexes_.clear();
    if (batch.changes.empty()) return {};
    return replica_.write_batch(batch, Durability::synced);
}

// ---- notes --------------------------------------------------------------------------------------

Result<void> Inspector::look_at_meta(std::size_t& left) {
    std::uint32_t const space = replica_.options_.space;
    auto cursor = replica_.engine_.scan(Family::meta, from_, keys::space_end(space));
    for (; cursor->valid() && left > 0; cursor->next()) {
        left -= std::min(left, kRowCost + cursor->key().size() + cursor->value().size());
        char const kind = cursor->key().size() > kKindAt ? cursor->key()[kKindAt] : '\0';
        auto const name = cursor->key().substr(std::min(cursor->key().size(), kKindAt + 1));
        if (!readable(kind, name, cursor->value()))
            note({.kind = FindingKind::meta, .family = Family::meta, .key = std::string(1, kind)});
        from_ = std::string(cursor->key()) + '\0';
        ++inspected_.meta_rows;
    }
    if (cursor->valid()) return {};
    INOS_TRY(bool const all, ended(*cursor, Family::meta));
    static_cast<void>(all);
    INOS_CHECK(look_at_sums_rows());
    INOS_CHECK(look_at_format());
    next_phase(IntegrityPhase::done);
    return {};
}

// Kinds that are not known here are of a newer version.
bool Inspector::readable(char kind, std::string_view name, std::string_view value) const {
    SpaceId const& space = replica_.membership_->space();
    switch (kind) {
        case 'a': {
            auto const stored = Replica::ActorState::decode(value);
            auto const used = replica_.actors_.find(ActorId{Reader(name).u64()});
            return stored && used != replica_.actors_.end() &&
                   stored->encode() == used->second.encode();
        }
        case 'b': {
            auto const stored = LogStart::decode(value);
            auto const* used = replica_.log_starts_.find(ActorId{Reader(name).u64()});
            return stored && used && stored->seq == used->seq && stored->chain == used->chain;
        }
        case 'c':
        case 'l':
            return crypto::view(statement_hash(value)) == name;
        case 'e':
            return decode_erasure(name, value).has_value();
        case 'f':
            return Fork::decode(ActorId{Reader(name).u64()}, value).has_value();
        case 'g': {
            auto const genesis = Genesis::decode(value);
            return genesis && genesis->id() == space;
        }
        case 'i':
            return Invite::decode(value).has_value();
        case 'k':
            return decode_acknowledgement(space, value).has_value();
        case 'm':
            return ContinuityRecord::decode(value).has_value();
        case 'o':
            return value.size() == sizeof(std::uint64_t) &&
                   Reader(value).u64() == replica_.options_.actor.value;
        case 'r':
            return RememberedRequest::decode(value).has_value();
        case 's':
            return is_vector(value);
        default:
            return true;
    }
}

// What is in use was read from them, and is written with every change.
Result<void> Inspector::look_at_sums_rows() {
    INOS_TRY(bool const waits, waits_for_repair());
    if (waits) return {};
    std::uint32_t const space = replica_.options_.space;
    std::set<std::string> met;
    auto cursor =
        replica_.engine_.scan(Family::digests, keys::space_begin(space), keys::space_end(space));
    for (; cursor->valid(); cursor->next()) {
        std::string const collection(cursor->key().substr(kKindAt));
        met.insert(collection);
        CollectionSums stored;
        auto const used = replica_.sums_.find(collection);
        bool const right = CollectionSums::decode(cursor->value(), stored) &&
                           used != replica_.sums_.end() && stored == used->second;
        if (!right)
            note({.kind = FindingKind::sums_row,
                  .family = Family::digests,
                  .collection = collection});
    }
    INOS_TRY(bool const all, ended(*cursor, Family::digests));
    if (!all) return {};
    for (auto const& [collection, sums] : replica_.sums_)
        if (!met.contains(collection) && !(sums == CollectionSums()))
            note({.kind = FindingKind::sums_row,
                  .family = Family::digests,
                  .collection = collection});
    return {};
}

// No directory at all: in memory, as tests have it.
Result<void> Inspector::look_at_format() {
    INOS_TRY(auto const format, replica_.engine_.get(Family::meta, keys::directory("format")));
    if (format && *format != directory_format())
        note({.kind = FindingKind::format, .family = Family::meta});
    return {};
}

}  // namespace inos
