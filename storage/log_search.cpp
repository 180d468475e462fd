#include "storage/log_search.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "crdt/merge.hpp"
#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

bool is_erase(Op const& op) {
    return op.kind == static_cast<std::uint64_t>(OpKind::erase);
}

bool has_erase(EntryFrame const& frame) {
    return std::any_of(frame.ops.begin(), frame.ops.end(), [](auto const& op) {
        return !op.kind_and_body.empty() &&
               op.kind_and_body.front() == static_cast<char>(OpKind::erase);
    });
}

// Of every op that is no stub: its place in the frame.
template <class See>
void each_op(ProvenEntry const& item, See see) {
    auto op = item.entry.ops.begin();
    for (std::size_t i = 0; i < item.frame.ops.size() && op != item.entry.ops.end(); ++i)
        if (!item.frame.ops[i].kind_and_body.empty()) see(i, *op++);
}

Dot link_of(ProvenEntry const& item, std::size_t op) {
    return op < item.stored.links.size() ? item.stored.links[op] : Dot();
}

std::optional<RecordName> name_in(ProvenEntry const& item, std::size_t op) {
    auto const record =
        op_record(header_names(item.frame.header), item.frame.ops[op].kind_and_body);
    if (!record || !valid_name(record->collection) || !valid_name(record->key)) return std::nullopt;
    return RecordName{std::string(record->collection), std::string(record->key)};
}

// What a step takes in memory, about.
std::size_t size_of(HistoryStep const& step) {
    std::size_t bytes = sizeof(HistoryStep) + step.source.size() + step.op.key.size() +
                        step.op.collection.size() + step.op.body.size() +
                        step.deps.items().size() * sizeof(VersionVector::Item);
    for (Edit const& edit : step.op.edits)
        bytes += sizeof(Edit) + edit.path.size() + edit.payload.size();
    return bytes;
}

std::size_t size_of(Record const& record) {
    std::size_t bytes = record.cells().size() * sizeof(Cell);
    for (Cell const& cell : record.cells())
        bytes += cell.path.size() + cell.source.size() + cell.payload.size();
    return bytes;
}

}  // namespace

LogSearch::LogSearch(Replica const& replica)
    : replica_(replica), reader_(replica), began_(replica.vector()) {}

LogSearch::Key LogSearch::key_of(RecordName const& name) const {
    bool const marks = name.key.size() == RecordTag().size() + 1 && name.key.front() == '\1';
    if (!marks) return {record_tag(replica_.options_.digest_key, name.collection, name.key), {}};
    Key key{{}, name.collection};
    std::copy(name.key.begin() + 1, name.key.end(), key.first.begin());
    return key;
}

void LogSearch::want(RecordName const& name) {
    Key const key = key_of(name);
    FoundRecord& found = found_[key];
    found.marks = !key.second.empty();
    found.name = name;
    found.tag = key.first;
    found.erased_before = replica_.is_erased(found.tag);
    moved_.insert(key);
}

void LogSearch::want(RecordTag const& tag) {
    auto const [at, added] = found_.try_emplace({tag, {}});
    if (!added) return;
    at->second.tag = tag;
    at->second.erased_before = replica_.is_erased(tag);
    tags_.push_back(tag);
    moved_.insert(at->first);
}

FoundRecord* LogSearch::find(RecordName const& name) {
    auto const found = found_.find(key_of(name));
    return found == found_.end() ? nullptr : &found->second;
}

std::vector<RecordName> LogSearch::names_of_tags() const {
    std::vector<RecordName> names;
    for (RecordTag const& tag : tags_) {
        auto const& name = found_.at({tag, {}}).name;
        if (!name.key.empty()) names.push_back(name);
    }
    return names;
}

Result<bool> LogSearch::read(std::size_t budget) {
    auto const wanted = [this](Dot dot, EntryFrame const& frame, auto const& tags) {
        return wants(dot, frame, tags);
    };
    INOS_TRY(bool const end,
             reader_.read(budget, wanted, [this](ProvenEntry const& item) { see(item); }));
    if (!end) return false;
    for (Key const& key : std::exchange(moved_, {}))
        follow(found_.at(key));
    return true;
}

bool LogSearch::wants(Dot dot, EntryFrame const& frame, std::vector<RecordTag> const& tags) {
    bool wanted = !began_.covers(dot) || has_erase(frame);
    for (std::size_t i = 0; i < tags.size() && i < frame.ops.size(); ++i) {
        auto const found = found_.find({tags[i], {}});
        if (found == found_.end()) continue;
        wanted = true;
        FoundRecord& record = found->second;
        bool const stub = frame.ops[i].kind_and_body.empty();
        if (stub || !replica_.is_erased(tags[i]) || !record.remains_kept) continue;
        if (!record.remains.empty() && record.remains.back() == dot) continue;
        record.remains_kept = ++links_ <= kSearchLinksMax;
        record.remains.push_back(dot);
    }
    return wanted;
}

void LogSearch::see(ProvenEntry const& item) {
    bool const is_new = !began_.covers(item.dot);
    each_op(item, [&](std::size_t i, Op const& op) {
        Key key = is_erase(op) ? Key{op.tag, op.collection} : Key{item.tags[i], {}};
        auto const found = found_.find(key);
        if (found != found_.end()) {
            add_step(found->second, item, i, op);
            moved_.insert(std::move(key));
        }
        if (!is_new) return;
        if (is_erase(op))
            since_.insert({op.collection, keys::erased_key(crypto::view(op.tag))});
        else if (auto name = name_in(item, i))
            since_.insert(*std::move(name));
    });
}

void LogSearch::add_step(FoundRecord& found,
                         ProvenEntry const& item,
                         std::size_t op,
                         Op const& present) {
    if (found.name.key.empty()) {
        auto name = name_in(item, op);
        if (!name) return;
        found.name = *std::move(name);
    }
    if (found.left_out) return;
    HistoryStep step{item.dot,
                     item.entry.header.hlc,
                     item.entry.header.source,
                     item.stored.arrived_ms,
                     item.deps,
                     present};
    apply_to(found.record, step);
    if (found.marks && !found.erasure)
        found.erasure = Erasure{present.tag, present.collection, item.dot.actor, present.proof};
    found.newest = item.dot;
    if (found.links_kept && (found.order.empty() || found.order.back() != item.dot)) {
        found.links_kept = ++links_ <= kSearchLinksMax;
        found.order.push_back(item.dot);
        found.links[item.dot] = link_of(item, op);
    }
    if (!found.links_kept) {
        found.order.clear();
        found.links.clear();
    }
    count_bytes(found, step);
    if (found.steps_kept) found.steps.push_back(std::move(step));
}

// A step is at least as large as what it adds to the record, which is measured now and then.
void LogSearch::count_bytes(FoundRecord& found, HistoryStep const& step) {
    constexpr std::size_t kMeasuredFrom = 64 << 10;
    std::size_t const size = size_of(step);
    record_bytes_ -= found.record_bytes;
    found.record_bytes += size;
    if (found.record_bytes > 2 * found.measured + kMeasuredFrom)
        found.record_bytes = found.measured = size_of(found.record);
    record_bytes_ += found.record_bytes;
    if (found.steps_kept && bytes_ + size <= kSearchBytesMax) {
        bytes_ += size;
        found.step_bytes += size;
    } else if (found.steps_kept) {
        found.steps_kept = false;
        bytes_ -= found.step_bytes;
        found.steps = {};
    }
    bool const alone = record_bytes_ == found.record_bytes;
    if (record_bytes_ <= kSearchBytesMax || alone) return;
    record_bytes_ -= std::exchange(found.record_bytes, 0);
    if (found.steps_kept) bytes_ -= found.step_bytes;
    found.left_out = true;
    found.steps_kept = found.links_kept = false;
    found.record = {};
    found.steps = {};
    found.order = {};
    found.links = {};
}

// An entry that no other names is the newest; from there the list has to go through all others.
void LogSearch::follow(FoundRecord& found) const {
    found.trail = found.newest.seq == 0 ? Trail::whole : Trail::broken;
    found.last = found.newest;
    if (found.order.empty() || found.marks) return;
    std::set<Dot> heads(found.order.begin(), found.order.end());
    for (auto const& [dot, link] : found.links)
        heads.erase(link);
    if (heads.size() != 1) return;
    Dot at = *heads.begin();
    std::size_t named = 0;
    for (; named < found.links.size(); ++named) {
        auto const link = found.links.find(at);
        if (link == found.links.end()) return;
        at = link->second;
    }
    bool const ends = at.seq == 0 || reader_.is_cut(at);
    if (!ends) return;
    found.trail = at.seq == 0 ? Trail::whole : Trail::cut;
    found.last = *heads.begin();
}

// ---- heads --------------------------------------------------------------------------------------

LogHeads::LogHeads(Replica const& replica) : reader_(replica) {}

Result<bool> LogHeads::read(std::size_t budget) {
    return reader_.read(
        budget,
        [](Dot, EntryFrame const&, std::vector<RecordTag> const&) { return true; },
        [this](ProvenEntry const& item) { see(item); });
}

// Every entry of a record's list is once an entry and once what the next one names, but for the
// newest: so the sum without carry of all names is the newest one's.
void LogHeads::see(ProvenEntry const& item) {
    auto const add = [](Dot& sum, Dot one) {
        sum.actor.value ^= one.actor.value;
        sum.seq ^= one.seq;
    };
    each_op(item, [&](std::size_t i, Op const& op) {
        if (is_erase(op)) {
            erased_.emplace(op.tag, op.collection);
            return;
        }
        if (!name_in(item, i)) return;
        Dot& head = heads_[item.tags[i]];
        Dot const link = link_of(item, i);
        if (link.seq > 0 && link != item.dot && !reader_.is_cut(link)) add(head, link);
        add(head, item.dot);
    });
}

// ---- replay -------------------------------------------------------------------------------------

void apply_to(Record& record, HistoryStep const& step) {
    apply(record, step.op, OpOrigin{step.dot, step.hlc, step.source, step.deps});
}

Record made_by(HistoryStep const& step) {
    Record record;
    apply_to(record, step);
    return record;
}

}  // namespace inos
