#include "storage/record_repair.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "crdt/merge.hpp"
#include "crdt/pieces.hpp"
#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/repair_case.hpp"

namespace inos {
namespace {

constexpr std::string_view kSchemaCollection = "_schema", kSpacesCollection = "_spaces";
constexpr std::size_t kSettledAtOnce = 128;
constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

bool is_marks(RecordName const& name) {
    return !name.key.empty() && name.key.front() == '\1';
}

RecordTag tag_of_marks(RecordName const& name) {
    RecordTag tag{};
    std::copy(name.key.begin() + 1, name.key.end(), tag.begin());
    return tag;
}

// A counter's cell that an earlier entry has begun.
bool continues_run(Cell const& cell) {
    auto const run = is_run(cell.path) ? RunCell::decode(cell.payload) : std::nullopt;
    return run && run->start < cell.dot.seq;
}

bool may_tell(Teller const& teller, RecordName const& name) {
    bool const of_admins =
        name.collection == kSchemaCollection || name.collection == kSpacesCollection;
    return teller.admin || (teller.stands_in && !of_admins);
}

// What a counter's author has counted last, by its run: also one of which only that is left.
Dot counted(Record const& record, std::string_view run, ActorId actor) {
    Dot last{actor, 0};
    for (std::string const& path : {std::string(run), lost_path(run)}) {
        auto const at = record.at(path);
        for (std::size_t i = at.begin; i < at.end; ++i)
            if (record[i].dot.actor == actor) last.seq = std::max(last.seq, record[i].dot.seq);
    }
    return last;
}

}  // namespace

void RepairReport::note_repaired(RepairNote note) {
    ++mended;
    if (repaired.size() < kRepairNotesMax) repaired.push_back(std::move(note));
}

void RepairReport::note_left(RepairNote note) {
    ++lost;
    if (left.size() < kRepairNotesMax) left.push_back(std::move(note));
}

void RepairReport::add(RepairReport const& other) {
    looked += other.looked;
    for (RepairNote const& note : other.repaired)
        note_repaired(note);
    for (RepairNote const& note : other.left)
        note_left(note);
    mended += other.mended - other.repaired.size();
    lost += other.lost - other.left.size();
    for (auto const& words : other.log_damage)
        if (std::find(log_damage.begin(), log_damage.end(), words) == log_damage.end())
            log_damage.push_back(words);
}

RecordRepair::RecordRepair(Replica& replica, std::optional<std::vector<std::string>> keys)
    : replica_(replica),
      everything_(!keys),
      by_hand_(!keys),
      phase_(everything_ ? Phase::heads : Phase::search) {
    if (everything_) {
        heads_ = std::make_unique<LogHeads>(replica_);
        return;
    }
    for (auto& key : *keys)
        if (doubtful_.size() < kDoubtsMax && record_of_key(key)) doubtful_.insert(std::move(key));
    report_.looked = doubtful_.size();
    begin_search();
    if (doubtful_.empty()) phase_ = Phase::sums;  // there may be nothing wrong but these
}

RecordRepair::~RecordRepair() = default;

RepairReport RecordRepair::take_report() {
    for (auto const& [key, why] : std::exchange(unresolved_, {}))
        report_.note_left({*record_of_key(key), why});
    return std::exchange(report_, {});
}

std::vector<std::string> RecordRepair::next_open() {
    std::vector<std::string> keys;
    for (auto const& key : open_)
        if (keys.size() < kStateKeysMax && asked_.insert(key).second) keys.push_back(key);
    return keys;
}

// What was read is not the log any more.
bool RecordRepair::begin_again() {
    bool const current =
        (!heads_ || heads_->reader().current()) && (!search_ || search_->reader().current());
    if (current) return false;
    summing_.reset();
    open_.clear();
    unresolved_.clear();
    if (everything_) {
        look_again();
    } else {
        begin_search();
    }
    return true;
}

Result<bool> RecordRepair::step(std::size_t budget) {
    if (begin_again()) return false;
    switch (phase_) {
        case Phase::heads: {
            INOS_TRY(bool const end, heads_->read(budget));
            if (end) phase_ = Phase::records;
            return false;
        }
        case Phase::records:
            INOS_CHECK(look_at_records(budget));
            return false;
        case Phase::rows: {
            std::size_t left = budget;
            INOS_TRY(bool const end, look_at_rows(left));
            if (end) phase_ = Phase::search;
            return false;
        }
        case Phase::search: {
            INOS_TRY(bool const end, search_->read(budget));
            if (!end) return false;
            report_.log_damage = search_->reader().damage();
            for (RecordName const& name : search_->names_of_tags()) {
                std::string key = name.collection + '\0' + name.key;
                if (doubtful_.insert(key).second) pending_.push_back(std::move(key));
            }
            phase_ = Phase::settle;
            return false;
        }
        case Phase::settle:
            INOS_CHECK(settle_some());
            return false;
        case Phase::sums: {
            INOS_TRY(bool const end, sum_some(budget));
            if (!end) return false;
            INOS_CHECK(load_touched_schemas());
            INOS_CHECK(mend_indexes());
            phase_ = Phase::done;
            return true;
        }
        case Phase::done:
            return true;
    }
    return true;
}

// ---- what one record is worth -------------------------------------------------------------------

RangeItem RecordRepair::item_of(RecordName const& name, Record const& record) const {
    RangeItem item{name.collection + '\0' + name.key, {}, digest_class(state_of(record))};
    if (item.digest_class != DigestClass::none)
        item.digest =
            record_digest(replica_.options_.digest_key, name.collection, name.key, record);
    return item;
}

// Bytes that the engine cannot read any more are there as well.
Result<RecordRepair::Case> RecordRepair::look(std::string const& key) const {
    Case c;
    c.key = key;
    c.name = *record_of_key(key);
    std::string const stored_key = keys::space_begin(replica_.options_.space) + key;
    auto value = replica_.engine_.get(Family::records, stored_key);
    bool const unreadable = !value && value.error().code == Errc::corruption;
    if (!value && !unreadable) return tl::unexpected(value.error());
    c.present = unreadable || value->has_value();
    if (!is_marks(c.name) && replica_.is_erased(c.name)) {
        // The proof may come before the erase itself: until then the record stands.
        c.erasing = replica_.pending_erasures_.contains(
            record_tag(replica_.options_.digest_key, c.name.collection, c.name.key));
        c.erased = !c.erasing;
    }
    if (unreadable || !*value) return c;
    c.bytes = **value;
    auto stored = StoredRecord::decode(c.bytes, c.name);
    if (!stored && stored.error().code != Errc::corruption) return tl::unexpected(stored.error());
    if (!stored) return c;
    c.record = std::move(stored->record);
    c.last = stored->last;
    RangeItem const is = item_of(c.name, c.record);
    c.readable = is.digest == stored->digest && is.digest_class == stored->digest_class;
    c.stored = is;
    if (c.readable && !is_marks(c.name)) {
        INOS_TRY(c.indexed, indexed(c.name, c.record));
    }
    return c;
}

// Marks are those of one collection: the same tag erased in another one says nothing of them.
bool RecordRepair::is_erased_in(std::string_view collection, RecordTag const& tag) const {
    auto const erasure = replica_.erasures_.find(tag);
    return erasure != replica_.erasures_.end() && erasure->second.collection == collection;
}

// Readable, and older than the log: its list leads to no end that would be missing, and not through
// all entries that touched the record.
bool RecordRepair::fell_back(Case const& c, FoundRecord const& found) const {
    if (!c.readable || found.marks || !found.links_kept || found.left_out) return false;
    Dot at = c.last;
    std::size_t named = 0;
    for (; named < found.order.size(); ++named) {
        auto const link = found.links.find(at);
        if (link == found.links.end()) break;
        // It says that it is not whole: what was before may have been in rows that are missing.
        if (link->second == at) return replica_.rows_missing_;
        at = link->second;
    }
    bool const told = at.seq == 0 || search_->reader().is_cut(at);
    return told && named < found.order.size();
}

// Is it lost: can it not be read, or is it missing, or older than the log? All else is left alone,
// for what is not in the log any more may be what made it so.
bool RecordRepair::lost(Case const& c, FoundRecord const& found) const {
    if (c.readable) return fell_back(c, found);
    bool const lost_marks = found.marks && is_erased_in(c.name.collection, found.tag) &&
                            !replica_.pending_erasures_.contains(found.tag);
    return c.present || found.newest.seq > 0 || found.left_out || lost_marks;
}

// Does the log show all that ever touched the record? Where it was cut, the list through it says
// which entries did, written with the record itself. A record that holds what was cut gainsays a
// list without. Where the log is damaged, nothing tells which records are concerned.
bool RecordRepair::decides(Case const& c, FoundRecord const& found) const {
    LogReader const& log = search_->reader();
    if (found.left_out) return false;
    if (log.whole()) return true;
    if (!log.damage().empty() || found.marks || found.newest.seq == 0) return false;
    if (found.trail != Trail::whole || !lost(c, found)) return false;
    auto const& cells = c.record.cells();
    if (std::any_of(
            cells.begin(), cells.end(), [&](Cell const& cell) { return log.is_cut(cell.dot); }))
        return false;
    // Cells without a record: it was purged here, and what was before went with the log.
    return !upkeep_flags(found.record).orphan;
}

void RecordRepair::decide(Case& c, FoundRecord& found) {
    if (c.erasing) return;
    if (c.erased) {
        bool const waits = replica_.damaged_.contains(c.key);
        if (!c.present && found.remains.empty() && !waits) return;
        c.left_out = !found.remains_kept || !found.erased_before;  // not all would go from the log
        if (c.left_out) unresolved_[c.key] = "it was erased; what the log holds of it goes later";
        if (c.left_out) return;
        c.gone = true;
        report_.note_repaired({c.name, "it was erased, and here again; removed"});
    } else if (decides(c, found)) {
        by_log(c, found);
    } else {
        leave(c, found);
    }
    if (!c.readable || c.indexed || c.changed || c.gone) return;
    c.changed = true;
    report_.note_repaired({c.name, "the indexes did not show what it is; they do again"});
}

void RecordRepair::by_log(Case& c, FoundRecord const& found) {
    if (found.newest.seq == 0) {
        if (!c.present) return;
        c.gone = true;
        report_.note_repaired({c.name, "no entry has ever written it; removed"});
        return;
    }
    bool const proof_lost = found.marks && !is_erased_in(c.name.collection, found.tag);
    if (found.marks && (proof_lost || !c.readable)) c.erasure = found.erasure;
    c.proven = search_->reader().whole();
    c.relink = c.proven && found.trail == Trail::broken && found.links_kept && !found.marks;
    bool const list_known = found.links_kept || !c.readable;
    Dot const last = found.marks ? Dot() : list_known ? found.last : c.last;
    bool const right = c.readable && item_of(c.name, found.record) == c.stored;
    if (right && !c.relink && !proof_lost && c.last == last) return;
    c.last = last;
    c.changed = true;
    if (right) {
        report_.note_repaired({c.name, "its history was cut off; joined again"});
        return;
    }
    report_.note_repaired({c.name,
                           !c.present    ? "it was missing; built again from the log"
                           : !c.readable ? "it was not what was stored; built again from the log"
                                         : "it was not what the log says; built again from it"});
    c.record = found.record;
}

// What is lost only others can tell; all else stays as it is. Where rows may be missing, they may
// be any.
void RecordRepair::leave(Case& c, FoundRecord const& found) {
    bool const is_lost = lost(c, found);
    c.left_out = found.left_out;
    if (found.left_out) {
        if (!c.readable) unresolved_[c.key] = "there is too much of it for this round";
        return;
    }
    c.unknown = is_lost && !c.readable;
    if (is_lost || (!c.present && replica_.rows_missing_)) open_.insert(c.key);
    if (is_lost)
        unresolved_[c.key] = c.readable ? "it is not all that the log says, or that was before: an "
                                          "admin's site has to tell"
                                        : "it is damaged, and the log does not tell it whole: an "
                                          "admin's site has to";
}

// ---- a round ------------------------------------------------------------------------------------

void RecordRepair::begin_search() {
    search_ = std::make_unique<LogSearch>(replica_);
    for (auto const& key : doubtful_) {
        RecordName const name = *record_of_key(key);
        search_->want(name);
        // Whose record may have been in a block that could not be read when its erase came.
        if (is_marks(name) && replica_.is_erased(tag_of_marks(name)))
            search_->want(tag_of_marks(name));
    }
    pending_.assign(doubtful_.rbegin(), doubtful_.rend());
    phase_ = Phase::search;
}

Result<void> RecordRepair::settle_some() {
    for (bool end = false; !end;) {
        INOS_TRY(end, search_->read(kAll));  // what has come since
    }
    std::vector<Case> cases;
    std::size_t rewritten = 0;  // entries of the log
    for (; !pending_.empty() && cases.size() < kSettledAtOnce && rewritten < kRewrittenAtOnce;
         pending_.pop_back()) {
        INOS_TRY(Case c, look(pending_.back()));
        auto* const found = search_->find(c.name);
        if (found) decide(c, *found);
        if (found && c.relink) rewritten += found->order.size();
        if (found && c.gone) rewritten += found->remains.size();
        cases.push_back(std::move(c));
    }
    INOS_CHECK(write(cases));
    if (pending_.empty()) INOS_CHECK(load_touched_schemas());
    INOS_CHECK(mark_damaged(cases));
    if (pending_.empty()) phase_ = Phase::sums;
    return {};
}

// ---- with a peer --------------------------------------------------------------------------------

Result<std::vector<SharedState>> shared_states(Replica const& replica,
                                               std::vector<std::string> const& keys,
                                               std::size_t* looked) {
    std::vector<SharedState> states;
    std::size_t bytes = 0, read = 0;
    for (auto const& key : keys) {
        auto const name = record_of_key(key);
        if (!name || (!states.empty() && key <= states.back().key))
            return fail(Errc::protocol, "records are asked for that cannot be, or not in order");
        if (read >= kSharedBytesTarget) break;
        auto const stored =
            replica.engine().get(Family::records, keys::space_begin(replica.space_number()) + key);
        read += stored && *stored ? (*stored)->size() : 0;
        SharedState state{key, Standing::whole, {}};
        auto const record = replica.checked_record(*name);
        if (!record && record.error().code != Errc::corruption)
            return tl::unexpected(record.error());
        if (record && !record->empty()) state.record = record->encode();
        if (!record || state.record.size() > kSharedBytesMax) state = {key, Standing::damaged, {}};
        if (!states.empty() && bytes + state.record.size() > kSharedBytesTarget) break;
        bytes += state.record.size();
        states.push_back(std::move(state));
    }
    if (looked) *looked = read;
    return states;
}

// Whether a peer's state can be so: a cell of an entry that we hold has to be one that this entry
// makes.
bool RecordRepair::consistent(Record const& theirs, FoundRecord const& found) const {
    std::map<Dot, std::vector<Cell>> made_cells;
    for (HistoryStep const& step : found.steps) {
        Record by_step = made_by(step);
        auto& cells = made_cells[step.dot];
        cells.insert(cells.end(), by_step.cells().begin(), by_step.cells().end());
    }
    std::map<Dot, Record> made;
    for (auto& [dot, cells] : made_cells)
        made[dot].insert_all(std::move(cells));
    auto const made_at = [](Record const& by, std::string_view path, auto fits) {
        auto const range = by.at(path);
        for (std::size_t i = range.begin; i < range.end; ++i)
            if (fits(by[i])) return true;
        return false;
    };
    auto const made_so = [&](Cell const& cell) {
        auto const by = made.find(cell.dot);
        if (by == made.end()) return false;
        // Of a count that goes on only its place can be told: the sum is that of entries before it,
        // too.
        auto const lost = run_of_lost(cell.path);
        if (lost || continues_run(cell)) {
            std::string_view const run = lost.value_or(cell.path);
            return made_at(by->second, run, [](Cell const&) { return true; }) ||
                   made_at(by->second, lost_path(run), [](Cell const&) { return true; });
        }
        return made_at(by->second, cell.path, [&cell](Cell const& own) {
            return is_shrinking(own.path) ? common_pieces(own.payload, cell.payload) == cell.payload
                                          : own == cell;
        });
    };
    auto const sound = [&](Cell const& cell) {
        return cell.dot.seq > 0 && replica_.vector_.covers(cell.dot) &&
               (cell.path == kErasePath) == found.marks &&
               (!search_->reader().intact(cell.dot) || made_so(cell));
    };
    return std::all_of(theirs.cells().begin(), theirs.cells().end(), sound);
}

// Whether the state has in it what our entries say: made again in their order, they change nothing.
// Of entries that one which is damaged may have answered, that cannot be told. Counts would go on
// from what is there; so of these the last one has to be there.
bool RecordRepair::complete(RecordName const& name,
                            Record const& theirs,
                            FoundRecord const& found) const {
    std::set<Dot> tried;
    Record again = theirs;
    for (HistoryStep step : found.steps) {
        if (!search_->reader().after_damage(step.deps)) continue;
        tried.insert(step.dot);
        std::erase_if(step.op.edits, [](Edit const& edit) {
            return edit.kind == static_cast<std::uint64_t>(EditKind::count);
        });
        apply_to(again, step);
    }
    Record kept = found.record;
    purge(kept, replica_.vector_);  // the peer may have purged it
    auto const& ours = kept.cells();
    return item_of(name, again) == item_of(name, theirs) &&
           std::all_of(ours.begin(), ours.end(), [&](Cell const& cell) {
               auto const lost = run_of_lost(cell.path);
               if (!tried.contains(cell.dot) || !(lost || is_run(cell.path))) return true;
               std::string_view const run = lost.value_or(cell.path);
               return counted(theirs, run, cell.dot.actor).seq >= cell.dot.seq;
           });
}

// Nothing is mixed: what comes of that, no entries have made.
void RecordRepair::take(Case& c, FoundRecord const& found, Record const& theirs) {
    if (!c.present && theirs.empty()) return;
    if (!found.marks) {
        // Its list has to go on saying that it is not all of it: see decides().
        c.last = found.newest.seq > 0 ? found.last : replica_.log_starts_.any_cut();
        c.relink = found.links_kept && !found.order.empty() && found.trail != Trail::cut;
    }
    if (found.marks) c.erasure = found.erasure;
    c.record = theirs;
    c.changed = true;
    report_.note_repaired({c.name, "taken from the peer"});
}

// Why a peer's state is not taken; null: it is.
char const* RecordRepair::refusal(Case const& c,
                                  FoundRecord const& found,
                                  SharedState const& theirs,
                                  std::optional<Record> const& record,
                                  Teller const& teller) const {
    if (!may_tell(teller, c.name)) return "only an admin's site could tell";
    if (theirs.standing == Standing::damaged) return "it is damaged at the peer, too";
    if (!record) return "the peer sent a state that no entries have made";
    if (!found.steps_kept) return "its history is too long to be compared";
    bool const proof = !found.marks || found.erasure || is_erased_in(c.name.collection, found.tag);
    if (!proof || !consistent(*record, found))
        return "the peer sent a state that no entries have made";
    bool const whole = found.marks || complete(c.name, *record, found);
    return whole ? nullptr : "the peer's state lacks what entries of this site's log say";
}

Result<void> RecordRepair::merge(std::vector<SharedState> const& theirs, Teller const& teller) {
    if (!search_ || !search_->reader().current()) return {};
    for (bool end = false; !end;) {
        INOS_TRY(end, search_->read(kAll));
    }
    std::vector<Case> cases;
    for (SharedState const& state : theirs) {
        if (!open_.contains(state.key)) continue;
        INOS_TRY(Case c, look(state.key));
        auto const* found = search_->find(c.name);
        if (c.erased || c.erasing || !found || found->left_out || decides(c, *found)) continue;
        if (!lost(c, *found) && (c.present || !replica_.rows_missing_)) continue;
        auto const record =
            state.record.empty() ? std::optional(Record()) : Record::decode(state.record);
        if (auto const* const refused = refusal(c, *found, state, record, teller)) {
            if (lost(c, *found)) unresolved_[c.key] = refused;
            continue;
        }
        take(c, *found, *record);
        open_.erase(state.key);
        unresolved_.erase(state.key);
        cases.push_back(std::move(c));
    }
    INOS_CHECK(write(cases));
    if (pending_.empty()) INOS_CHECK(load_touched_schemas());
    INOS_CHECK(mark_damaged(cases));
    if (changed_) phase_ = Phase::sums;
    return {};
}

}  // namespace inos
