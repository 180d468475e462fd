// The part of an inspection that looks at records, and at the sums of them.
#include <algorithm>
#include <utility>

#include "storage/entry_hash.hpp"
#include "storage/integrity_reading.hpp"
#include "storage/keys.hpp"
#include "storage/record_ranges.hpp"
#include "storage/replica_indexes.hpp"
#include "storage/replica_stage.hpp"
#include "storage/replica_states.hpp"

namespace inos {
namespace {

constexpr std::size_t kRecordCost = 256;  // of the budget, besides its bytes

}  // namespace

Result<void> Inspector::look_at_records(std::size_t& left) {
    std::uint32_t const space = replica_.options_.space;
    auto cursor = replica_.engine_.scan(Family::records, from_, keys::space_end(space));
    for (; cursor->valid() && left > 0; cursor->next()) {
        left -= std::min(left, kRecordCost + cursor->key().size() + cursor->value().size());
        INOS_CHECK(look_at_record(cursor->key(), cursor->value()));
        from_ = std::string(cursor->key()) + '\0';
        ++inspected_.records;
        // Counted with all that is in front of `from`: in the same step, or not at all.
        if (!adding_ || replica_.summing_.lock() != adding_->summing) {
            adding_.reset();
            continue;
        }
        adding_->summing->from = from_;
        auto const name = record_of_key(cursor->key().substr(4));
        auto const head = StoredRecord::head(cursor->value());
        if (name) adding_->summing->sums[name->collection].add(head.digest_class, head.digest);
    }
    if (cursor->valid()) return {};
    INOS_TRY(bool const all, ended(*cursor, Family::records));
    cursor.reset();
    if (!all) return skip_unreadable();
    INOS_CHECK(compare_sums());
    adding_.reset();
    next_phase(IntegrityPhase::index);
    return {};
}

// Where the records go on is not to be known: at the next collection they certainly do. What lies
// in between waits for the repair, which knows the records that there have to be.
Result<void> Inspector::skip_unreadable() {
    adding_.reset();
    std::string const at = from_.substr(4);
    std::string const collection = at.substr(0, at.find('\0'));
    std::string last = at;
    if (!last.empty()) last.pop_back();
    bool const is_record = record_of_key(last).has_value();
    // An error of corruption it is, or ended() would have said another.
    auto const noted = replica_.states_->scanned(fail(Errc::corruption, "a block of records"),
                                                 is_record ? last : std::string());
    static_cast<void>(noted.has_value());
    auto const next = at.empty() ? replica_.sums_.begin() : replica_.sums_.upper_bound(collection);
    if (next == replica_.sums_.end())
        next_phase(IntegrityPhase::index);
    else
        from_ = keys::record(replica_.options_.space, next->first, {});
    return {};
}

Result<void> Inspector::look_at_record(std::string_view row_key, std::string_view value) {
    auto const name = record_of_key(row_key.substr(4));
    if (!name) {
        note({.kind = FindingKind::record_key, .key = std::string(row_key.substr(4))});
        return {};
    }
    // It waits already, marked: a round of repair is to see to it.
    bool const waits = replica_.damaged_.contains(std::string(row_key.substr(4)));
    if (waits) {
        note({.kind = FindingKind::record_damaged,
              .collection = name->collection,
              .key = name->key});
        return {};
    }
    INOS_TRY(auto const wrong, judge(*name, value));
    if (wrong) {
        damaged(*wrong, *name);
        return {};
    }
    auto const stored = StoredRecord::decode(value, *name);
    if (!stored) return {};
    return look_in_secondary(*name, stored->record);
}

Result<std::optional<FindingKind>> Inspector::judge(RecordName const& name,
                                                    std::string_view value) const {
    using Wrong = std::optional<FindingKind>;
    auto const stored = StoredRecord::decode(value, name);
    if (!stored) return Wrong(FindingKind::record_damaged);
    DigestClass const now = digest_class(state_of(stored->record));
    Digest128 digest;
    if (now != DigestClass::none)
        digest =
            record_digest(replica_.options_.digest_key, name.collection, name.key, stored->record);
    if (now != stored->digest_class || !(digest == stored->digest))
        return Wrong(FindingKind::record_damaged);
    if (!replica_.vector_.covers(stored->last)) return Wrong(FindingKind::record_damaged);
    if (name.key.front() == '\1') {
        RecordTag tag{};
        std::copy(name.key.begin() + 1, name.key.end(), tag.begin());
        if (!replica_.is_erased(tag)) return Wrong(FindingKind::mark_unproven);
    } else if (!replica_.erasures_.empty()) {
        auto const tag = record_tag(replica_.options_.digest_key, name.collection, name.key);
        bool const gone = replica_.is_erased(tag) && !replica_.pending_erasures_.contains(tag);
        if (gone) return Wrong(FindingKind::record_erased);
    }
    INOS_TRY(bool const shown, shown_in_indexes(name, stored->record));
    return shown ? Wrong() : Wrong(FindingKind::index_row_lacks);
}

// In those of conflicts, of deletions and of edits without a record.
Result<bool> Inspector::shown_in_indexes(RecordName const& name, Record const& record) const {
    std::uint32_t const space = replica_.options_.space;
    UpkeepFlags const flags = upkeep_flags(record);
    bool const conflict = belongs_to_conflicts(digest_class(state_of(record)), record);
    std::pair<char, bool> const rows[] = {
        {'c', conflict}, {'d', flags.markers}, {'o', flags.orphan}};
    for (auto const& [kind, belongs] : rows) {
        auto const row = replica_.engine_.get(
            Family::index, keys::index_record(space, kind, name.collection, name.key));
        if (!row && row.error().code != Errc::corruption) return tl::unexpected(row.error());
        if (!row || row->has_value() != belongs) return false;
    }
    return true;
}

// One that is being built lacks what it has not come to.
Result<void> Inspector::look_in_secondary(RecordName const& name, Record const& record) {
    auto& indexes = *replica_.indexes_;
    for (std::string const& row : indexes.entries(name, record)) {
        std::string const id = row.substr(5, kIndexIdBytes);
        auto const kept = indexes.kept_.find(id);
        if (kept == indexes.kept_.end()) continue;
        bool const built = kept->second.phase == Replica::Indexes::Phase::ready ||
                           (!kept->second.built.empty() && name.key <= kept->second.built);
        if (!built) continue;
        auto const there = replica_.engine_.get(Family::index, row);
        if (!there && there.error().code != Errc::corruption) return tl::unexpected(there.error());
        if (there && *there) continue;
        Finding finding{.kind = FindingKind::index_lacks, .family = Family::index};
        finding.collection = name.collection;
        for (FieldPath const& path : kept->second.fields)
            finding.fields.push_back(dotted(path));
        note(std::move(finding));
        wrong_indexes_.insert(name.collection);
    }
    return {};
}

Result<void> Inspector::compare_sums() {
    if (!adding_ || replica_.summing_.lock() != adding_->summing) return {};
    if (replica_.rows_missing_) return {};
    auto const& made_sums = adding_->summing->sums;
    INOS_TRY(bool const waits, waits_for_repair());
    if (waits) return {};
    inspected_.sums_compared = true;
    std::set<std::string> collections;
    for (auto const& [collection, sums] : made_sums)
        collections.insert(collection);
    for (auto const& [collection, sums] : replica_.sums_)
        collections.insert(collection);
    bool differ = false;
    for (std::string const& collection : collections) {
        auto const made = made_sums.find(collection);
        auto const kept = replica_.sums_.find(collection);
        CollectionSums const none;
        bool const same = (made == made_sums.end() ? none : made->second) ==
                          (kept == replica_.sums_.end() ? none : kept->second);
        if (same) continue;
        differ = true;
        note({.kind = FindingKind::sums, .family = Family::digests, .collection = collection});
    }
    adding_.reset();  // the repair makes its own
    // Any record does: when it was looked at, the repair sums, and then looks for what is missing.
    if (differ)
        static_cast<void>(
            replica_.states_->scanned(fail(Errc::corruption, "sums that differ"), {}).has_value());
    return {};
}

}  // namespace inos
