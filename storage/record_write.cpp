// The part of record repair that writes: records with their lists through the log, what shows a
// record as damaged, and the sums that are kept of all records.

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/entry_hash.hpp"
#include "storage/feed_cursor.hpp"
#include "storage/keys.hpp"
#include "storage/repair_case.hpp"
#include "storage/replica_indexes.hpp"
#include "storage/replica_states.hpp"
#include "storage/store_format.hpp"

namespace inos {
namespace {

constexpr std::string_view kSchemaCollection = "_schema";

std::string const kFamilyEnd(8, '\xff');

bool can_scan(Engine const& engine, std::string const& from) {
    auto const cursor = engine.scan(Family::records, from, kFamilyEnd);
    return cursor->valid() || cursor->status();
}

// Where reading goes on behind what cannot be read at `from`. There may be several such places, so
// that nothing is found by halving: keys are probed in their order, byte by byte. Before the first
// one that can be scanned, and behind the one probed before it, it goes on in the same way.
std::string readable_from(Engine const& engine, std::string const& from) {
    constexpr int kBytes = 256;
    std::string low = from, high;
    for (std::size_t at = from.size() + 1; high.empty() && at-- > 0;) {
        int const first = at < from.size() ? static_cast<unsigned char>(from[at]) + 1 : 0;
        for (int byte = first; high.empty() && byte < kBytes; ++byte) {
            std::string probe = from.substr(0, at) + static_cast<char>(byte);
            (can_scan(engine, probe) ? high : low) = std::move(probe);
        }
    }
    if (high.empty()) return kFamilyEnd;
    while (low.size() < kRecordKeyBytesMax + kFamilyEnd.size()) {
        std::string const before = low;
        for (int byte = 0; byte < kBytes; ++byte) {
            std::string probe = before + static_cast<char>(byte);
            if (can_scan(engine, probe)) {
                high = std::move(probe);
                break;
            }
            low = std::move(probe);
        }
        if (low == before) break;  // nothing is between the two
    }
    return high;
}

}  // namespace

// The list through the log is written anew, in the order in which the entries were read. One that
// is not `whole` ends in what was cut, or in itself.
Result<void> Replica::Stage::relink(RecordTag const& tag,
                                    std::vector<Dot> const& order,
                                    std::size_t first,
                                    std::size_t end,
                                    bool whole) {
    Dot const cut = replica_.log_starts_.any_cut();
    for (std::size_t k = first; k < end; ++k) {
        Dot const before = k > 0 ? order[k - 1] : whole ? Dot() : cut.seq > 0 ? cut : order[0];
        std::string const key = keys::log(replica_.options_.space, order[k]);
        std::optional<std::string> value;
        auto const staged = entries_.find(order[k]);
        if (staged != entries_.end()) {
            value = batch_.changes[staged->second].value;
        } else {
            INOS_TRY(value, replica_.engine_.get(Family::log, key));
        }
        auto stored = value ? StoredEntry::decode(*value, order[k].actor) : std::nullopt;
        auto const frame = stored ? frame_entry(stored->bytes) : std::nullopt;
        if (!frame) return tl::unexpected(corrupt_entry(order[k]));
        auto const tags = op_tags(*frame, replica_.options_.digest_key);
        stored->links.resize(tags.size());
        for (std::size_t i = 0; i < tags.size(); ++i)
            if (tags[i] == tag && !frame->ops[i].kind_and_body.empty()) stored->links[i] = before;
        std::string encoded = stored->encode(order[k].actor);
        if (staged != entries_.end()) {
            batch_.changes[staged->second].value = std::move(encoded);
        } else {
            entries_.emplace(order[k], batch_.changes.size());
            batch_.put(Family::log, key, std::move(encoded));
        }
    }
    return {};
}

// What the log holds of a record that was erased goes; a list is joined again.
Result<void> RecordRepair::rewrite(Replica::Stage& stage,
                                   Case const& c,
                                   std::size_t first,
                                   std::size_t end) const {
    auto const& found = *search_->find(c.name);
    if (c.relink) return stage.relink(found.tag, found.order, first, end, c.proven);
    for (std::size_t k = first; k < end; ++k) {
        Dot before;
        INOS_CHECK(stage.rewrite_log(found.remains[k], found.tag, before));
    }
    return {};
}

std::size_t RecordRepair::rewritten(Case const& c) const {
    if (c.relink) return search_->find(c.name)->order.size();
    return c.gone && c.erased ? search_->find(c.name)->remains.size() : 0;
}

// Long lists are written before the records, so that no write is too large; these, and that they
// wait, stay as they are until then. False: there is not so much.
Result<bool> RecordRepair::write_ahead(std::vector<Case> const& cases) {
    std::size_t all = 0;
    for (Case const& c : cases)
        all += rewritten(c);
    if (all <= kRewrittenAtOnce) return false;
    for (Case const& c : cases) {
        std::size_t const end = rewritten(c);
        for (std::size_t first = 0; first < end; first += kRewrittenAtOnce) {
            Replica::Stage stage(replica_);
            stage.scrub = c.gone;
            INOS_CHECK(rewrite(stage, c, first, std::min(end, first + kRewrittenAtOnce)));
            INOS_CHECK(replica_.write(stage, Durability::flushed));
        }
    }
    return true;
}

// Whatever the indexes say of these records, they are told anew. Of a record that was lost or
// cannot be read it is supposed that the sums still count what it was: they are summed again later.
Result<void> RecordRepair::write(std::vector<Case> const& cases) {
    // Before the stage reads any entry: one may have touched several of them.
    INOS_TRY(bool const ahead, write_ahead(cases));
    Replica::Stage stage(replica_);
    bool any = false, differs = false;
    for (Case const& c : cases) {
        if (!c.changed && !c.gone) continue;
        any = true;
        RangeItem const now = item_of(c.name, c.gone ? Record() : c.record);
        differs = differs || !c.readable || !(now == c.stored);
        Replica::Staged staged;
        staged.name = c.name;
        staged.record = c.gone ? Record() : c.record;
        staged.last = c.last;
        staged.stored_class = c.readable ? c.stored.digest_class : now.digest_class;
        staged.stored_digest = c.readable ? c.stored.digest : now.digest;
        staged.index_unknown = true;
        staged.dirty = !c.gone;
        staged.gone = c.gone;
        stage.scrub = stage.scrub || (c.gone && c.erased);
        schemas_touched_ = schemas_touched_ || c.name.collection == kSchemaCollection;
        if (c.relink) staged.last = search_->find(c.name)->order.back();
        if (!ahead) INOS_CHECK(rewrite(stage, c, 0, rewritten(c)));
        if (c.erasure) {
            stage.put_proof(*c.erasure);
            stage.marked_.insert(c.erasure->tag);
        }
        stage.records_.emplace(keys::space_begin(replica_.options_.space) + c.key,
                               std::move(staged));
    }
    if (!any) return {};
    changed_ = true;
    if (differs)
        put_feed_generation(
            stage.batch_, replica_.options_.space, crypto::view(replica_.fresh_nonce()));
    replica_.purged_with_ = {};  // what was built again may have been purged
    // What stood there may not be what its entries were made of.
    for (auto const& [key, staged] : stage.records_)
        replica_.indexes_->begin_again(stage.batch_, staged.name.collection);
    return replica_.write(stage, Durability::synced);
}

// Where a block of them cannot be read, what is known rules until all of them can be.
Result<void> RecordRepair::load_touched_schemas() {
    if (!schemas_touched_) return {};
    auto const loaded = replica_.load_schemas();
    schemas_touched_ = !loaded;
    return !loaded && loaded.error().code == Errc::corruption ? Result<void>() : loaded;
}

// What nobody here can tell is kept as it was found, but shows, and waits among the damaged
// records; what is right again does not wait any more.
Result<void> RecordRepair::mark_damaged(std::vector<Case> const& cases) {
    WriteBatch marks;
    std::uint32_t const space = replica_.options_.space;
    auto damaged = replica_.damaged_;
    for (Case const& c : cases) {
        bool const waits = damaged.contains(c.key);
        bool const stays = c.readable && !c.erased;
        bool const right = c.changed || c.gone || stays || !(c.unknown || c.left_out);
        if (right && waits) {
            damaged.erase(c.key);
            marks.remove(Family::meta, keys::damaged_record(space, c.key));
        } else if (!right && !waits && damaged.size() < kDamagedMax) {
            damaged.insert(c.key);
            marks.put(Family::meta, keys::damaged_record(space, c.key), {});
        }
        if (right || c.left_out) continue;
        std::string marked = StoredRecord::marked_as_damaged(c.bytes);
        if (marked == c.bytes) continue;
        changed_ = true;
        replica_.indexes_->begin_again(marks, c.name.collection);
        marks.put(Family::records, keys::space_begin(space) + c.key, std::move(marked));
    }
    if (marks.changes.empty()) return {};
    INOS_CHECK(replica_.write_batch(marks, Durability::synced));
    replica_.damaged_ = std::move(damaged);
    return {};
}

// ---- sums ---------------------------------------------------------------------------------------

// What is known to be there and still cannot be read goes as bytes, and not as a name: it waits.
Result<void> RecordRepair::mark_unreadable(std::set<std::string> const& named) {
    WriteBatch marks;
    auto damaged = replica_.damaged_;
    for (std::string const& key : named) {
        auto const value = replica_.engine_.get(Family::records, key);
        if (value || value.error().code != Errc::corruption) continue;
        replica_.indexes_->begin_again(marks, key.substr(4, key.find('\0', 4) - 4));
        marks.put(Family::records, key, StoredRecord::marked_as_damaged({}));
        marks.put(Family::meta,
                  keys::damaged_record(replica_.options_.space, std::string_view(key).substr(4)),
                  {});
        if (damaged.size() < kDamagedMax) damaged.insert(key.substr(4));
    }
    if (marks.changes.empty()) return {};
    INOS_CHECK(replica_.write_batch(marks, Durability::synced));
    replica_.damaged_ = std::move(damaged);
    return {};
}

// All that may be there: what can be read, and what the log names. Where no scan goes on, it begins
// anew at the first key from where it does.
Result<void> RecordRepair::known_keys(std::set<std::string>& keys) {
    for (bool end = false; !end;) {
        INOS_TRY(end, search_->read(std::numeric_limits<std::size_t>::max()));
    }
    std::uint32_t const space = replica_.options_.space;
    std::string const begin = keys::space_begin(space);
    for (auto const& key : doubtful_)
        keys.insert(begin + key);
    for (RecordName const& name : search_->touched_since())
        keys.insert(keys::record(space, name.collection, name.key));
    for (auto const& [tag, erasure] : replica_.erasures_)
        keys.insert(keys::record(space, erasure.collection, keys::erased_key(crypto::view(tag))));
    INOS_CHECK(mark_unreadable(keys));
    std::string from;
    for (;;) {
        auto cursor = replica_.engine_.scan(Family::records, from, kFamilyEnd);
        for (; cursor->valid(); cursor->next()) {
            keys.emplace(cursor->key());
            from = std::string(cursor->key()) + '\0';
        }
        auto const status = cursor->status();
        if (status) return {};
        if (status.error().code != Errc::corruption) return status;
        from = readable_from(replica_.engine_, from);
    }
}

// False: that has been done already.
bool RecordRepair::look_at_everything() {
    if (std::exchange(everything_, true)) return false;
    heads_ = std::make_unique<LogHeads>(replica_);
    phase_ = Phase::heads;
    return true;
}

// With the batch: where the log does not name them all, nobody knows which.
void RecordRepair::note_missing(WriteBatch& batch) {
    if (search_->reader().whole() && !replica_.rows_missing_) return;
    replica_.rows_missing_ = true;
    batch.put(Family::meta, keys::meta_kind(replica_.options_.space, 'n'), std::string());
    report_.note_left({{},
                       "records that the log does not name any more may be missing; they come "
                       "back from an admin's site whose root differs"});
}

Result<void> RecordRepair::note_rows_complete(Replica& replica) {
    WriteBatch batch;
    batch.remove(Family::meta, keys::meta_kind(replica.options_.space, 'n'));
    INOS_CHECK(replica.write_batch(batch, Durability::synced));
    replica.rows_missing_ = false;
    return {};
}

// What the engine cannot read any more has been built again from the log, and lies beside it now.
Result<bool> RecordRepair::drop_unreadable(Error const& error) {
    summing_.reset();
    if (look_at_everything()) return false;
    if (std::exchange(renewed_, true) || doubtful_.size() >= kDoubtsMax)
        return tl::unexpected(error);
    std::set<std::string> keys;
    INOS_CHECK(known_keys(keys));
    WriteBatch before;
    note_missing(before);
    // Nobody's root may look like ours until what is left has been summed.
    for (auto& [collection, sums] : replica_.sums_) {
        sums = {};
        sums.add(DigestClass::unmarked, kNotComparable);
        before.put(Family::digests, keys::digest(replica_.options_.space, collection), {});
    }
    replica_.indexes_->begin_again(before);  // rows go without a word
    if (!before.changes.empty()) INOS_CHECK(replica_.write_batch(before, Durability::synced));
    replica_.states_->drop_given();  // they read it
    INOS_CHECK(replica_.engine_.keep_only(Family::records, {keys.begin(), keys.end()}));
    report_.note_repaired({{}, "records lay where the disk cannot be read; written anew"});
    changed_ = true;
    look_again();  // what lay behind it has not been looked at yet
    return false;
}

void RecordRepair::look_again() {
    search_.reset();
    heads_ = std::make_unique<LogHeads>(replica_);
    phase_ = Phase::heads;
    from_.clear();
    rows_from_.clear();
    erasures_from_.reset();
    erasures_done_ = false;
    report_.looked = 0;
}

// Sums what the records' heads say, with what is written meanwhile (Replica::write). Whoever else
// sums begins again, for there is one such walk at a time.
Result<bool> RecordRepair::sum_some(std::size_t budget) {
    std::uint32_t const space = replica_.options_.space;
    if (!summing_ || replica_.summing_.lock() != summing_) {
        summing_ = std::make_shared<Replica::Summing>();
        replica_.summing_ = summing_;
        summing_->from = keys::space_begin(space);
        for (auto const& [collection, value] : replica_.sums_)
            summing_->sums[collection];
    }
    auto cursor = replica_.engine_.scan(Family::records, summing_->from, keys::space_end(space));
    std::size_t left = budget;
    for (; cursor->valid() && left > 0; cursor->next()) {
        left -= std::min(left, cursor->key().size() + cursor->value().size());
        auto const name = record_of_key(cursor->key().substr(4));
        if (name && is_newer_row(cursor->value(), kRecordVersion))
            return tl::unexpected<Error>(newer_record(*name, cursor->value()));
        auto const head = StoredRecord::head(cursor->value());
        if (name) summing_->sums[name->collection].add(head.digest_class, head.digest);
    }
    if (cursor->valid()) {
        summing_->from = cursor->key();
        return false;
    }
    auto const status = cursor->status();
    cursor.reset();
    if (!status && status.error().code == Errc::corruption) return drop_unreadable(status.error());
    INOS_CHECK(status);
    auto const made = std::move(summing_->sums);
    summing_.reset();
    if (made == replica_.sums_) return true;
    WriteBatch batch;
    // Nothing that is known explains it: rows were lost, or are older than what was kept of them.
    if (!changed_ && !replica_.sums_lost_) {
        if (look_at_everything()) return false;
        note_missing(batch);
    }
    for (auto const& [collection, value] : made)
        batch.put(Family::digests, keys::digest(space, collection), value.encode());
    INOS_CHECK(replica_.write_batch(batch, Durability::synced));
    replica_.sums_ = made;
    if (!changed_)
        report_.note_repaired({{}, "the sums were not those of the records; summed again"});
    changed_ = true;
    return true;
}

// In one step, which reads all records: for those who check everything.
Result<void> RecordRepair::mend_indexes() {
    if (!by_hand_) return {};
    INOS_TRY(auto const wrong, replica_.indexes_->mend());
    for (std::string const& what : wrong)
        report_.note_repaired({{}, what + "; it is built again"});
    changed_ = changed_ || !wrong.empty();
    return {};
}

}  // namespace inos
