#include "storage/record_repair.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

#include "crdt/merge.hpp"
#include "storage/keys.hpp"
#include "storage/log_search.hpp"
#include "storage/repair_case.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

constexpr std::string_view kSchemaCollection = "_schema";

bool is_marks(RecordName const& name) {
    return !name.key.empty() && name.key.front() == '\1';
}

RecordTag tag_of_marks(RecordName const& name) {
    RecordTag tag{};
    std::copy(name.key.begin() + 1, name.key.end(), tag.begin());
    return tag;
}

auto rank(Cell const& cell) {
    return std::tie(cell.hlc, cell.source, cell.payload);
}

// Of two copies of one cell that ought to be the same, both sites keep the same one.
void agree_on_copies(Record& ours, Record& theirs) {
    for (std::size_t i = 0; i < ours.cells().size(); ++i) {
        auto const range = theirs.at(ours[i].path);
        for (std::size_t k = range.begin; k < range.end; ++k) {
            if (ours[i].dot != theirs[k].dot) continue;
            Cell const& kept = rank(ours[i]) < rank(theirs[k]) ? theirs[k] : ours[i];
            Cell copy = kept;
            if (is_shrinking(copy.path)) {
                ours[i].hlc = theirs[k].hlc = copy.hlc;
                ours[i].source = theirs[k].source = copy.source;
            } else {
                ours[i] = theirs[k] = std::move(copy);
            }
        }
    }
}

}  // namespace

void RepairReport::add(RepairReport other) {
    looked += other.looked;
    std::move(other.repaired.begin(), other.repaired.end(), std::back_inserter(repaired));
    std::move(other.left.begin(), other.left.end(), std::back_inserter(left));
    for (auto& words : other.log_damage)
        if (std::find(log_damage.begin(), log_damage.end(), words) == log_damage.end())
            log_damage.push_back(std::move(words));
}

RangeItem RecordRepair::item_of(RecordName const& name, Record const& record) const {
    RangeItem item{name.collection + '\0' + name.key, {}, digest_class(state_of(record))};
    if (item.digest_class != DigestClass::none)
        item.digest =
            record_digest(replica_.options_.digest_key, name.collection, name.key, record);
    return item;
}

// ---- what one record is worth -------------------------------------------------------------------

// A record that was purged and then edited by somebody with an old copy is what its later steps
// have made.
bool RecordRepair::follows_from(Case const& c, std::vector<HistoryStep> const& steps) const {
    RangeItem const held = item_of(c.name, c.record);
    if (item_of(c.name, replay(steps)) == held) return true;
    auto const purged = replay_purged(steps);
    return std::any_of(purged.begin(), purged.end(), [&](Record const& record) {
        return item_of(c.name, record) == held;
    });
}

Result<RecordRepair::Case> RecordRepair::look(std::string const& key) const {
    Case c;
    auto const name = record_of_key(key);
    if (!name) return fail(Errc::protocol, "a record was named by a key that no record can have");
    c.key = key;
    c.name = *name;
    std::string const stored_key = keys::space_begin(replica_.options_.space) + key;
    INOS_TRY(auto const value, replica_.engine_.get(Family::records, stored_key));
    c.present = value.has_value();
    if (value) {
        auto const head = StoredRecord::head(*value);
        c.stored_class = head.digest_class;
        c.stored_digest = head.digest;
        auto stored = StoredRecord::decode(*value, c.name);
        if (stored) {
            c.record = std::move(stored->record);
            c.last = stored->last;
            RangeItem const is = item_of(c.name, c.record);
            c.readable = is.digest == head.digest && is.digest_class == head.digest_class;
        }
    }
    c.erased = !is_marks(c.name) && replica_.is_erased(c.name);
    if (c.erased) c.standing = c.present ? Standing::damaged : Standing::proven;
    return c;
}

// The log's word is final where the log is whole.
void RecordRepair::settle_by_log(Case& c, LogSearch const& search, RepairReport& report) const {
    if (!search.damage().empty()) {
        c.standing = c.readable ? Standing::unproven : Standing::damaged;
        return;
    }
    auto const& steps = search.steps(c.name);
    Dot const last = is_marks(c.name) ? Dot() : search.last(c.name);
    c.standing = Standing::proven;
    if (steps.empty()) {
        if (!c.present) return;
        c.gone = true;
        report.repaired.push_back({c.name, "no entry has ever written it; removed"});
        return;
    }
    if (c.readable && follows_from(c, steps)) {
        if (c.last == last) return;
        c.last = last;
        c.changed = true;
        report.repaired.push_back({c.name, "its history was cut off; joined again"});
        return;
    }
    c.repaired_as = !c.present    ? "it was missing; built again from the log"
                    : !c.readable ? "it was not what was stored; built again from the log"
                                  : "it was not what the log says; built again from it";
    c.record = replay(steps);
    c.last = last;
    c.changed = true;
    report.repaired.push_back({c.name, c.repaired_as});
}

Result<std::vector<RecordRepair::Case>> RecordRepair::settle(std::vector<std::string> const& keys,
                                                             RepairReport& report) {
    std::vector<Case> cases;
    LogSearch search(replica_, replica_.options_.digest_key);
    bool doubtful = false;
    for (auto const& key : keys) {
        INOS_TRY(Case c, look(key));
        if (c.erased && c.present) {
            c.gone = true;
            c.standing = Standing::proven;
            report.repaired.push_back({c.name, "it was erased, and here again; removed"});
        }
        if (c.standing != Standing::proven) {
            search.want(c.name);
            doubtful = true;
        }
        cases.push_back(std::move(c));
    }
    if (!doubtful) return cases;
    INOS_CHECK(search.run());
    for (Case& c : cases)
        if (c.standing != Standing::proven) settle_by_log(c, search, report);
    for (auto const& words : search.damage())
        report.add({0, {}, {}, {words}});
    return cases;
}

// ---- writing ------------------------------------------------------------------------------------

// Whatever the indexes say of these records, they are told anew.
Result<void> RecordRepair::write(std::vector<Case> const& cases) {
    Replica::Stage stage(replica_);
    bool any = false;
    for (Case const& c : cases) {
        if (!c.changed && !c.gone) continue;
        any = true;
        Replica::Staged staged;
        staged.name = c.name;
        staged.record = c.record;
        staged.last = c.last;
        staged.stored_class = c.present ? c.stored_class : DigestClass::none;
        staged.stored_digest = c.stored_digest;
        UpkeepFlags const flags = c.gone ? UpkeepFlags() : upkeep_flags(c.record);
        staged.stored_upkeep = {!flags.markers, !flags.orphan};
        DigestClass const now = digest_class(state_of(c.record));
        staged.stored_conflict = c.gone || !belongs_to_conflicts(now, c.record);
        staged.dirty = !c.gone;
        staged.gone = c.gone;
        if (c.name.collection == kSchemaCollection) stage.schema_changed = true;
        stage.records_.emplace(keys::space_begin(replica_.options_.space) + c.key,
                               std::move(staged));
    }
    if (!any) return {};
    INOS_CHECK(replica_.write(stage, Durability::synced));
    // What the old bytes had counted as is not known.
    INOS_CHECK(set_sums());
    return {};
}

// ---- with a peer --------------------------------------------------------------------------------

Result<std::vector<SharedState>> RecordRepair::states(std::vector<std::string> const& keys) {
    RepairReport report;
    std::vector<SharedState> states;
    std::size_t bytes = 0;
    std::vector<std::string> const some(
        keys.begin(), keys.begin() + std::min<std::ptrdiff_t>(kStatesLooked, std::ssize(keys)));
    INOS_TRY(auto const cases, settle(some, report));
    INOS_CHECK(write(cases));
    for (Case const& c : cases) {
        SharedState state{c.key, c.standing, {}};
        if (c.standing != Standing::damaged && !c.gone) state.record = c.record.encode();
        if (state.record.size() > kStateBytesMax) state = {c.key, Standing::damaged, {}};
        if (!states.empty() && bytes + state.record.size() > kStateBytesTarget) break;
        bytes += state.record.size();
        states.push_back(std::move(state));
    }
    return states;
}

Result<std::vector<std::string>> RecordRepair::heal(std::vector<RangeItem> const& theirs,
                                                    RepairReport& report) {
    std::vector<std::string> keys, differing;
    for (RangeItem const& item : theirs)
        keys.push_back(item.key);
    INOS_TRY(auto const cases, settle(keys, report));
    INOS_CHECK(write(cases));
    report.looked += cases.size();
    for (std::size_t i = 0; i < cases.size(); ++i) {
        RangeItem const own = item_of(cases[i].name, cases[i].gone ? Record() : cases[i].record);
        if (cases[i].standing == Standing::damaged || !(own == theirs[i]))
            differing.push_back(theirs[i].key);
    }
    return differing;
}

Result<void> RecordRepair::merge_one(Case& c,
                                     SharedState const& theirs,
                                     RepairReport& report) const {
    auto record = theirs.record.empty() ? std::optional(Record()) : Record::decode(theirs.record);
    VersionVector const& vector = replica_.vector_;
    bool const sound =
        record &&
        std::all_of(record->cells().begin(), record->cells().end(), [&](Cell const& cell) {
            return cell.dot.seq > 0 && vector.covers(cell.dot) &&
                   (cell.path == kErasePath) == is_marks(c.name);
        });
    if (!sound) return fail(Errc::protocol, "the peer sent a record that no entries have made");
    if (c.gone || c.erased) return {};
    RangeItem const before = item_of(c.name, c.record);
    bool const erasure_known = !is_marks(c.name) || replica_.is_erased(tag_of_marks(c.name));
    if (theirs.standing > c.standing && erasure_known) {
        bool const unreadable = !c.readable;
        c.record = *std::move(record);
        c.changed = c.changed || unreadable || !(item_of(c.name, c.record) == before);
    } else if (theirs.standing == c.standing && c.standing != Standing::damaged) {
        agree_on_copies(c.record, *record);
        inos::merge(c.record, vector, *record, vector);
        c.changed = c.changed || !(item_of(c.name, c.record) == before);
    } else {
        if (c.standing == Standing::damaged)
            report.left.push_back({c.name, "it is damaged here and at the peer"});
        return {};
    }
    if (c.changed) report.repaired.push_back({c.name, "brought together with the peer's"});
    return {};
}

Result<void> RecordRepair::merge(std::vector<SharedState> const& theirs, RepairReport& report) {
    std::vector<std::string> keys;
    for (SharedState const& state : theirs)
        keys.push_back(state.key);
    INOS_TRY(auto cases, settle(keys, report));
    for (std::size_t i = 0; i < cases.size(); ++i)
        INOS_CHECK(merge_one(cases[i], theirs[i], report));
    return write(cases);
}

}  // namespace inos
