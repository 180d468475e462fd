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

constexpr std::size_t kDamageShown = 16;
constexpr std::size_t kPurgesMax = 8;  // moments of a purge that are tried

void apply_step(Record& record, HistoryStep const& step) {
    apply(record, step.op, OpOrigin{step.dot, step.hlc, step.source, step.deps});
}

// Grows along causality: an entry's author had seen all that is before it, and more.
Seq height(HistoryStep const& step) {
    Seq sum = 0;
    for (auto const& [actor, seq] : step.deps.items())
        sum += seq;
    return sum;
}

// The tag of the record that a name stands for: a name of marks holds it.
RecordTag tag_of(RecordName const& name, bool marks, crypto::Secret const& digest_key) {
    if (!marks) return record_tag(digest_key, name.collection, name.key);
    RecordTag tag{};
    std::copy(name.key.begin() + 1, name.key.end(), tag.begin());
    return tag;
}

}  // namespace

void LogSearch::want(RecordName const& name) {
    if (!by_name_.emplace(name, found_.size()).second) return;
    bool const marks = name.key.size() == RecordTag().size() + 1 && name.key.front() == '\1';
    by_tag_[tag_of(name, marks, digest_key_)].push_back(found_.size());
    found_.push_back({name, marks, {}, {}, {}});
}

std::vector<HistoryStep> const& LogSearch::steps(RecordName const& name) const {
    return found_[by_name_.at(name)].steps;
}

Dot LogSearch::last(RecordName const& name) const {
    return found_[by_name_.at(name)].last;
}

void LogSearch::broken(ActorId actor, Seq seq, char const* what) {
    if (damage_.size() >= kDamageShown) return;
    auto const* author = replica_.membership().by_actor(actor);
    damage_.push_back("entry " + std::to_string(seq) + " of \"" + (author ? author->name : "?") +
                      "\" in the log " + what);
}

Result<void> LogSearch::run() {
    for (auto const& [actor, head] : replica_.vector().items())
        INOS_CHECK(read_log_of(actor, head));
    for (Found& found : found_)
        put_in_order(found);
    return {};
}

Result<void> LogSearch::read_log_of(ActorId actor, Seq head) {
    auto const certificate = replica_.membership().bytes_of(actor);
    if (!certificate) return fail(Errc::corruption, "an actor of the log has no certificate here");
    auto chain = chain_start(*certificate);
    std::uint32_t const space = replica_.space_number();
    auto cursor = replica_.engine().scan(
        Family::log, keys::log(space, {actor, 1}), keys::log(space, {actor, head + 1}));
    Seq next = 1;
    for (; cursor->valid(); cursor->next()) {
        if (cursor->key().size() != keys::log(space, {actor, 1}).size()) continue;  // a signature
        Seq const seq = Reader(cursor->key().substr(12)).u64();
        if (seq != next) broken(actor, next, "is missing");
        next = seq + 1;
        auto const entry = StoredEntry::decode(cursor->value(), actor);
        if (!entry) {
            broken(actor, seq, "cannot be read");
            continue;
        }
        auto const hashed = hash_entry(chain, entry->bytes, digest_key_);
        if (hashed.chain != entry->chain) broken(actor, seq, "is not what its author wrote");
        chain = entry->chain;
        if (!hashed.frame || entry->reason != VoidReason::none) continue;
        read_entry({actor, seq}, *entry, hashed);
        if (want_heads_) note_heads({actor, seq}, *entry, hashed);
    }
    INOS_CHECK(cursor->status());
    if (next != head + 1) broken(actor, next, "is missing");
    return {};
}

// The ops of the entry that touch a record that is looked for.
void LogSearch::read_entry(Dot dot, StoredEntry const& entry, HashedEntry const& hashed) {
    auto const wanted = [this](RecordTag const& tag) { return by_tag_.contains(tag); };
    bool const may_erase =
        std::any_of(found_.begin(), found_.end(), [](auto const& found) { return found.marks; });
    if (!may_erase && std::none_of(hashed.tags.begin(), hashed.tags.end(), wanted)) return;
    auto decoded = decode_entry(entry.bytes, dot);
    auto op = decoded.entry.ops.begin();
    std::optional<VersionVector> deps;
    for (std::size_t i = 0; i < hashed.tags.size() && op != decoded.entry.ops.end(); ++i) {
        if (hashed.frame->ops[i].kind_and_body.empty()) continue;  // a stub
        Op const& present = *op++;
        bool const erases = present.kind == static_cast<std::uint64_t>(OpKind::erase);
        auto const at = by_tag_.find(erases ? present.tag : hashed.tags[i]);
        if (at == by_tag_.end()) continue;
        for (std::size_t const index : at->second) {
            Found& found = found_[index];
            if (found.marks != erases) continue;
            if (!deps) {
                auto seen = replica_.deps_of(dot);
                if (!seen) return broken(dot.actor, dot.seq, "builds on what cannot be read");
                deps = *std::move(seen);
            }
            found.steps.push_back({dot,
                                   decoded.entry.header.hlc,
                                   decoded.entry.header.source,
                                   entry.arrived_ms,
                                   deps.value_or(VersionVector()),
                                   present});
            bool const linked = i < entry.links.size() && entry.links[i].seq > 0;
            if (linked || !found.before.contains(dot))
                found.before[dot] = linked ? entry.links[i] : Dot();
        }
    }
}

// Every entry of a record's list is once an entry and once what the next one names, but for the
// newest: so the sum without carry of all names is the newest one's.
void LogSearch::note_heads(Dot dot, StoredEntry const& entry, HashedEntry const& hashed) {
    auto const names = header_names(hashed.frame->header);
    auto const add = [](Dot& sum, Dot one) {
        sum.actor.value ^= one.actor.value;
        sum.seq ^= one.seq;
    };
    std::set<std::string> touched;
    for (std::size_t i = 0; i < hashed.frame->ops.size(); ++i) {
        auto const& op = hashed.frame->ops[i];
        if (op.kind_and_body.empty()) continue;
        auto const record = op_record(names, op.kind_and_body);
        if (!record || !valid_name(record->collection) || !valid_name(record->key)) continue;
        std::string key = keys::record(replica_.space_number(), record->collection, record->key);
        Dot& head = heads_[key];
        if (i < entry.links.size() && entry.links[i].seq > 0) add(head, entry.links[i]);
        if (touched.insert(std::move(key)).second) add(head, dot);
    }
}

// By the list that runs through the log, if it is whole: else an entry after all that its author
// had seen.
void LogSearch::put_in_order(Found& found) {
    auto const causal = [](HistoryStep const& a, HistoryStep const& b) {
        return std::pair(height(a), a.dot) < std::pair(height(b), b.dot);
    };
    std::stable_sort(found.steps.begin(), found.steps.end(), causal);
    if (found.steps.empty()) return;
    found.last = found.steps.back().dot;
    std::set<Dot> heads;
    for (auto const& [dot, before] : found.before)
        heads.insert(dot);
    for (auto const& [dot, before] : found.before)
        heads.erase(before);
    if (heads.size() != 1) return;
    std::map<Dot, std::size_t> place;
    for (Dot at = *heads.begin(); at.seq > 0 && place.size() <= found.before.size();) {
        auto const entry = found.before.find(at);
        if (entry == found.before.end()) return;
        place.emplace(at, found.before.size() - place.size());
        at = entry->second;
    }
    if (place.size() != found.before.size()) return;
    found.last = *heads.begin();
    std::stable_sort(
        found.steps.begin(), found.steps.end(), [&](HistoryStep const& a, HistoryStep const& b) {
            return place.at(a.dot) < place.at(b.dot);
        });
}

Record replay(std::vector<HistoryStep> const& steps) {
    Record record;
    for (HistoryStep const& step : steps)
        apply_step(record, step);
    return record;
}

std::vector<Record> replay_purged(std::vector<HistoryStep> const& steps) {
    Record whole;
    std::vector<Record> purged;
    for (HistoryStep const& step : steps) {
        apply_step(whole, step);
        for (Record& record : purged)
            apply_step(record, step);
        RecordState const state = state_of(whole);
        bool const may_go = state.markers && !state.uncovered;
        if (may_go && purged.size() < kPurgesMax) purged.emplace_back();
    }
    return purged;
}

}  // namespace inos
