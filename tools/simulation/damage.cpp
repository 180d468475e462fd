#include "tools/simulation/damage.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include "storage/keys.hpp"
#include "storage/record_ranges.hpp"
#include "storage/replica_stage.hpp"
#include "tools/simulation/checkers.hpp"

namespace inos::sim {

std::vector<SimNode*> Damage::nodes() const {
    auto const guards = run_.world->undisturbed();
    std::vector<SimNode*> all;
    for (auto const& node : run_.world->nodes()) {
        if (!node->running() || !run_.world->belongs(*node)) continue;
        if (!contents(node->engine(), Family::records).empty()) all.push_back(node.get());
    }
    return all;
}

void Damage::put(SimNode& node,
                 Family family,
                 std::string const& key,
                 std::optional<std::string> value) {
    WriteBatch batch;
    batch.changes.push_back({family, key, std::move(value)});
    require(node.engine().write(batch, Durability::synced).has_value(), "a healed disk works");
}

// Of a log that was cut, or that is damaged, only somebody else can tell what is not in it any
// more: the first node, which stays whole then and is an admin.
void Damage::damage_and_repair() {
    auto all = nodes();
    auto others = all;
    std::erase(others, run_.world->nodes().front().get());
    if (all.empty()) return;
    run_.damaging = true;
    SimNode& first = *all.front();
    bool const cut = run_.swarm.options.log_retention_ms.has_value();
    bool const told = others.size() + 1 == all.size();  // by the first node
    auto const vector = first.replica().vector();
    auto const root = first.replica().root();
    // What can be read nobody puts right where the log was cut: the roots would stay different.
    removes_ = !cut;
    if (all.size() > 1 && !cut && told) falsify_some(*run_.tape.pick(all));
    auto const& broken = cut ? others : all;
    for (std::size_t n = 1 + run_.tape.below(4); n > 0 && !broken.empty() && (told || !cut); --n) {
        SimNode& one = *run_.tape.pick(broken);
        if (told && !cut && !others.empty() && run_.tape.chance(30)) {
            damage_log(*run_.tape.pick(others));
            removes_ = false;
        }
        SimNode& where = without_log_ ? *without_log_ : one;
        run_.tape.chance(30) ? damage_beside(where) : damage(where);
        disturb(where);
    }
    for (SimNode* node : all)
        repair(*node);
    require(run_.world->converge(), "I2: sites that were repaired do not hold the same");
    for (SimNode* node : all) {
        auto const guards = run_.world->undisturbed();
        require(value_of(node->replica().recompute_root()) == node->replica().root(),
                "I3: the root of " + node->name() + " is not that of its repaired records");
        require(node->replica().vector() != vector || node->replica().root() == root,
                "I8: " + node->name() + " does not hold what all held before the damage");
    }
    put_log_back();
    run_.damaging = false;
}

// Of a log that was cut only an admin tells: the first node, which stays whole then. Where it may
// become an old copy, which needs a state itself, other admins, who would give it, stay whole, too.
void Damage::spoil_one() {
    auto all = nodes();
    bool const cuts = run_.swarm.options.log_retention_ms.has_value();
    if (cuts) std::erase(all, run_.world->nodes().front().get());
    if (cuts && run_.swarm.has(Action::put_back))
        std::erase_if(all, [](SimNode* node) {
            auto const* own =
                node->replica().membership().by_site(node->keys().identity.public_key);
            return own && own->role == Role::admin;
        });
    if (all.empty()) return;
    constexpr std::size_t kHeadBytes = 20;  // no more of it is a record
    SimNode& node = *run_.tape.pick(all);
    auto const guards = run_.world->undisturbed();
    auto const records = contents(node.engine(), Family::records);
    auto const at =
        std::next(records.begin(), static_cast<std::ptrdiff_t>(run_.tape.below(records.size())));
    put(node,
        Family::records,
        at->first.second,
        at->second.substr(0, run_.tape.below(std::min(kHeadBytes, at->second.size()))));
    run_.note(Fault::record_damaged, node.name(), "a record is damaged");
}

void Damage::falsify_some(SimNode& node) {
    SimNode& first = *run_.world->nodes().front();
    if (&node != &first) run_.world->connect(node, first);  // what is of admins, an admin tells
    lives_.fall(node, false);
    for (std::size_t n = 1 + run_.tape.below(run_.tape.chance(30) ? 20 : 3); n > 0; --n)
        falsify(node);
    lives_.start(node);
    require(run_.world->converge(),
            "I2: sites that hold other records do not come to hold the same");
}

// Another value in a record, under a digest that fits and in the sums, of a node that is down: what
// a faulty program would leave. The roots tell.
void Damage::falsify(SimNode& node) {
    auto const guards = run_.world->undisturbed();
    auto const records = contents(node.engine(), Family::records);
    auto const at =
        std::next(records.begin(), static_cast<std::ptrdiff_t>(run_.tape.below(records.size())));
    std::string const& key = at->first.second;
    auto const name = record_of_key(key.substr(4));
    auto stored = StoredRecord::decode(at->second, name.value_or(RecordName()));
    if (!name || !stored || stored->record.empty()) return;
    Cell& cell = stored->record[run_.tape.below(stored->record.cells().size())];
    cell.source += "x";
    auto const was = std::pair(stored->digest_class, stored->digest);
    stored->digest_class = digest_class(state_of(stored->record));
    stored->digest = {};
    if (stored->digest_class != DigestClass::none)
        stored->digest = record_digest(
            run_.world->space_keys().digest, name->collection, name->key, stored->record);
    std::string const sums_key = keys::digest(1, name->collection);
    auto const kept = value_of(node.engine().get(Family::digests, sums_key));
    CollectionSums sums;
    if (!kept || !CollectionSums::decode(*kept, sums)) return;
    sums.subtract(was.first, was.second);
    sums.add(stored->digest_class, stored->digest);
    put(node,
        Family::records,
        key,
        StoredRecord::encode(stored->digest, stored->digest_class, stored->last, stored->record));
    put(node, Family::digests, sums_key, sums.encode());
    if (stored->digest == was.second) return;  // a deleted one: nobody reads it
    run_.note(Fault::record_falsified, node.name(), "a record is falsified");
}

// What a disk does without a word. No root tells until somebody looks.
void Damage::damage(SimNode& node) {
    auto const guards = run_.world->undisturbed();
    auto const records = contents(node.engine(), Family::records);
    if (records.empty()) return;
    auto const at =
        std::next(records.begin(), static_cast<std::ptrdiff_t>(run_.tape.below(records.size())));
    std::string const& key = at->first.second;
    std::string value = at->second;
    switch (run_.tape.below(4)) {
        case 0:  // without a trace, where no entry need be left that names it
            if (!removes_) return;
            put(node, Family::records, key, std::nullopt);
            removed_.insert(node.name());
            break;
        case 1:
            value.resize(run_.tape.below(value.size()));
            put(node, Family::records, key, value);
            break;
        case 2:
            node.engine().make_unreadable(Family::records, key);
            break;
        default:
            value[run_.tape.below(value.size())] ^= static_cast<char>(1 + run_.tape.below(255));
            put(node, Family::records, key, value);
    }
    run_.note(Fault::record_damaged, node.name(), "a record is damaged");
}

// Indexes and sums, which are made of the records.
void Damage::damage_beside(SimNode& node) {
    auto const guards = run_.world->undisturbed();
    bool const sums = run_.tape.chance(50);
    std::vector<std::string> keys;
    for (auto const& [key, value] :
         contents(node.engine(), sums ? Family::digests : Family::index)) {
        char const kind = key.second.size() > 4 ? key.second[4] : '\0';
        if (sums || kind == 'c' || kind == 'd' || kind == 'o') keys.push_back(key.second);
    }
    if (keys.empty()) return;
    std::string const& key = run_.tape.pick(keys);
    if (!sums) {
        put(node, Family::index, key, std::nullopt);
    } else {
        lives_.fall(node, false);
        std::string value = value_of(node.engine().get(Family::digests, key)).value_or("");
        if (!value.empty())
            value[run_.tape.below(value.size())] ^= static_cast<char>(1 + run_.tape.below(255));
        put(node, Family::digests, key, value);
        lives_.start(node);
    }
    run_.note(
        Fault::record_damaged, node.name(), sums ? "sums are damaged" : "an index row is lost");
}

// Entries at one node, at most.
void Damage::damage_log(SimNode& node) {
    auto const guards = run_.world->undisturbed();
    if (!without_log_ && removed_.contains(node.name())) return;
    if (!without_log_) {
        without_log_ = &node;
        log_ = contents(node.engine(), Family::log);
    }
    std::vector<std::string> keys;
    for (auto const& [key, value] : log_)
        if (key.second.size() == keys::log(1, {}).size()) keys.push_back(key.second);
    if (keys.empty()) return;
    std::string const& key = run_.tape.pick(keys);
    std::string value = log_.at({Family::log, key});
    value.back() = static_cast<char>(value.back() ^ 1);
    put(*without_log_, Family::log, key, value);
    run_.note(Fault::record_damaged, without_log_->name(), "an entry of the log is damaged");
}

// The checkers read it. Its links are those of now.
void Damage::put_log_back() {
    if (!without_log_) return;
    auto const guards = run_.world->undisturbed();
    for (auto const& [key, value] : log_) {
        if (key.second.size() != keys::log(1, {}).size()) continue;
        auto const now = value_of(without_log_->engine().get(Family::log, key.second));
        ActorId const actor{Reader(std::string_view(key.second).substr(4)).u64()};
        auto const was = StoredEntry::decode(value, actor);
        auto const is = now ? StoredEntry::decode(*now, actor) : std::nullopt;
        if (!was || !is || was->bytes == is->bytes || was->bytes.size() != is->bytes.size())
            continue;
        StoredEntry mended = *was;
        mended.links = is->links;
        put(*without_log_, Family::log, key.second, mended.encode(actor));
    }
    without_log_ = nullptr;
}

void Damage::disturb(SimNode& node) {
    Tape& tape = run_.tape;
    if (tape.chance(30)) run_.world->step(tape.below(3'000));
    if (tape.chance(25)) {
        lives_.fall(node, false);
        lives_.start(node);
    }
}

// As people do it: a disk that breaks connections and processes meanwhile does not matter, only
// that the repair is asked for again.
void Damage::repair(SimNode& node, int tries) {
    SimNode& first = *run_.world->nodes().front();
    bool const needs =
        &node != &first && (without_log_ == &node || run_.swarm.options.log_retention_ms);
    if (needs && first.running() && run_.world->belongs(first)) {
        run_.world->connect(node, first);
        require(run_.world->run_until([&] { return node.connected_with(first.name()); }, 120'000),
                "I9: " + node.name() + " does not come to be connected with " + first.name());
    }
    auto const report = std::make_shared<std::optional<Result<RepairReport>>>();
    node.peers().repair([report](Result<RepairReport> made) { *report = std::move(made); });
    if (run_.tape.chance(20)) {
        run_.world->step(run_.tape.below(100));
        lives_.fall(node, false);
        lives_.start(node);
        return repair(node, tries);
    }
    require(run_.world->run_until([&] { return report->has_value(); }, 120'000),
            "I9: a repair of " + node.name() + " does not end");
    require((*report)->has_value(),
            "I2: a repair of " + node.name() + " has failed: " +
                (report->value() ? std::string() : report->value().error().message));
    auto const& left = (*report)->value().left;
    if (!left.empty() && tries > 0) {  // whoever can tell was not connected, or just then
        run_.world->step(10'000);
        return repair(node, tries - 1);
    }
    require(left.empty(),
            "I2: " + node.name() +
                " could not be repaired: " + (left.empty() ? std::string() : left.front().what));
    require((*report)->value().log_damage.empty() || &node == without_log_,
            "I2: " + node.name() + " says that its whole log is damaged");
}

}  // namespace inos::sim
