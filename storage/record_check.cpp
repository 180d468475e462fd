// The part of record repair that looks at everything: each record by itself, and whether the newest
// entry of its history is the one that the log says.

#include <algorithm>
#include <utility>

#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/repair_case.hpp"

namespace inos {
namespace {

RecordTag marks_tag(RecordName const& name) {
    RecordTag tag{};
    std::copy(name.key.begin() + 1, name.key.end(), tag.begin());
    return tag;
}

}  // namespace

void RecordRepair::doubt(RecordName const& name) {
    if (doubtful_.size() < kDoubtsMax) doubtful_.insert(name.collection + '\0' + name.key);
}

// Do the indexes say of the record what they should?
Result<bool> RecordRepair::indexed(RecordName const& name, Record const& record) const {
    std::uint32_t const space = replica_.options_.space;
    UpkeepFlags const flags = upkeep_flags(record);
    bool const conflict = belongs_to_conflicts(digest_class(state_of(record)), record);
    std::pair<std::string, bool> const rows[] = {
        {keys::conflict(space, name.collection, name.key), conflict},
        {keys::index_record(space, 'd', name.collection, name.key), flags.markers},
        {keys::index_record(space, 'o', name.collection, name.key), flags.orphan}};
    for (auto const& [key, belongs] : rows) {
        auto const row = replica_.engine_.get(Family::index, key);
        if (!row && row.error().code != Errc::corruption) return tl::unexpected(row.error());
        if (!row || row->has_value() != belongs) return false;
    }
    return true;
}

// Takes the record off the heads that the log names.
Result<bool> RecordRepair::in_doubt(RecordName const& name, std::string_view value) {
    auto const stored = StoredRecord::decode(value, name);
    if (!stored && stored.error().code != Errc::corruption) return tl::unexpected(stored.error());
    bool const marks = name.key.front() == '\1';
    Dot head;
    if (!marks) {
        auto const tag = record_tag(replica_.options_.digest_key, name.collection, name.key);
        auto const known = heads_->heads().find(tag);
        if (known != heads_->heads().end()) {
            head = known->second;
            heads_->heads().erase(known);
        }
    }
    if (!stored) return true;
    RangeItem const is = item_of(name, stored->record);
    if (is.digest_class != stored->digest_class || !(is.digest == stored->digest)) return true;
    if (marks) {  // with their erasure look_at_erasures() has seen to them
        auto const tag = marks_tag(name);
        return !heads_->erased().contains({tag, name.collection});
    }
    if (replica_.is_erased(name)) return true;
    INOS_TRY(bool const is_indexed, indexed(name, stored->record));
    if (!is_indexed) return true;
    // Entries that were cut name no head: what is older than the log stands in none.
    bool const older = head.seq == 0 && heads_->reader().is_cut(stored->last);
    return !(stored->last == head) && !older;
}

// Every erasure that the log holds has its proof and its marks, and there are no others. True: all
// of them are looked at.
Result<bool> RecordRepair::look_at_erasures(std::size_t& left) {
    constexpr std::size_t kCost = 256;
    auto const& erased = heads_->erased();
    auto at = erasures_from_ ? erased.upper_bound(*erasures_from_) : erased.begin();
    for (; at != erased.end() && left > 0; ++at) {
        auto const& [tag, collection] = *at;
        left -= std::min(left, kCost);
        RecordName const name{collection, keys::erased_key(crypto::view(tag))};
        INOS_TRY(Case const c, look(name.collection + '\0' + name.key));
        if (!c.readable || !replica_.is_erased(tag)) doubt(name);
        erasures_from_ = *at;
    }
    if (at != erased.end()) return false;
    // Those whose erase was cut.
    for (auto const& [tag, erasure] : replica_.erasures_) {
        RecordName const name{erasure.collection, keys::erased_key(crypto::view(tag))};
        if (erased.contains({tag, erasure.collection}) || replica_.pending_erasures_.contains(tag))
            continue;
        INOS_TRY(Case const c, look(name.collection + '\0' + name.key));
        if (!c.readable) doubt(name);
    }
    return true;
}

// Where the engine cannot read on, what is left of the heads leads to the other records.
Result<void> RecordRepair::look_at_records(std::size_t budget) {
    for (bool end = false; !end;) {
        INOS_TRY(end, heads_->read(budget));  // what has come since
    }
    std::uint32_t const space = replica_.options_.space;
    std::size_t left = budget;
    if (!erasures_done_) {
        INOS_TRY(erasures_done_, look_at_erasures(left));
        if (left == 0) return {};
    }
    auto cursor = replica_.engine_.scan(
        Family::records, keys::space_begin(space) + from_, keys::space_end(space));
    for (; cursor->valid() && left > 0; cursor->next()) {
        left -= std::min(left, cursor->key().size() + cursor->value().size());
        ++report_.looked;
        std::string key(cursor->key().substr(4));
        auto const name = record_of_key(key);
        if (!name) report_.note_left({{std::move(key), {}}, "no record can have this key"});
        if (!name) continue;
        INOS_TRY(bool const doubted, in_doubt(*name, cursor->value()));
        if (doubted) doubt(*name);
    }
    if (cursor->valid()) {
        from_ = cursor->key().substr(4);
        return {};
    }
    auto const status = cursor->status();
    if (!status && status.error().code != Errc::corruption) return status;
    report_.log_damage = heads_->reader().damage();
    begin_search();
    // Those of erased records have to be gone from the log.
    std::size_t room = kDoubtsMax - std::min(kDoubtsMax, doubtful_.size());
    for (auto at = heads_->heads().begin(); at != heads_->heads().end() && room > 0; ++at, --room)
        search_->want(at->first);
    heads_.reset();
    phase_ = Phase::rows;
    return {};
}

// Rows of the indexes that are nobody's: of records that went with what the disk cannot read.
Result<bool> RecordRepair::look_at_rows(std::size_t& left) {
    constexpr std::size_t kCost = 256;
    std::uint32_t const space = replica_.options_.space;
    if (rows_from_.empty()) rows_from_ = keys::space_begin(space);
    auto cursor = replica_.engine_.scan(Family::index, rows_from_, keys::space_end(space));
    WriteBatch batch;
    for (; cursor->valid() && left > 0; cursor->next()) {
        left -= std::min(left, kCost);
        char const kind = cursor->key()[4];
        auto const name = keys::indexed_record(cursor->key());
        if (!name || (kind != 'c' && kind != 'd' && kind != 'o')) continue;
        auto const record =
            replica_.engine_.get(Family::records, keys::record(space, name->first, name->second));
        if (record && !*record) batch.remove(Family::index, std::string(cursor->key()));
    }
    bool const end = !cursor->valid();
    auto const status = cursor->status();
    if (!status && status.error().code != Errc::corruption) return tl::unexpected(status.error());
    if (!end) rows_from_ = cursor->key();
    if (!batch.changes.empty()) INOS_CHECK(replica_.write_batch(batch, Durability::synced));
    return end;
}

}  // namespace inos
