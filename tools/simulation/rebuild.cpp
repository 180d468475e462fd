#include "tools/simulation/rebuild.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

#include "storage/json.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos::sim {
namespace {

constexpr std::size_t kPageRecords = 10'000;
constexpr std::size_t kBatchBytes = 64 << 10;

// What one signature of an author vouches for: the least that can be applied at a time.
struct Stretch {
    EntryRun run;
    SignedHead head;
};

std::vector<Stretch> stretches_of(Engine const& engine) {
    std::vector<Stretch> all;
    bool is_open = false;
    for (auto const& [at, value] : contents(engine, Family::log)) {
        std::string const& log_key = at.second;
        Reader key(std::string_view(log_key).substr(4));
        Dot const dot{ActorId{key.u64()}, key.u64()};
        if (log_key.size() == 20) {
            require(!is_open || all.back().run.actor == dot.actor,
                    "D8: the last entry of an actor is not signed");
            if (!is_open) all.push_back({{dot.actor, dot.seq, {}}, {}});
            is_open = true;
            auto const stored = StoredEntry::decode(value, dot.actor);
            require(stored.has_value(), "an entry of the log cannot be read");
            all.back().run.entries.emplace_back(stored->bytes);
            continue;
        }
        SignedHead head{dot.actor, dot.seq, {}};
        require(log_key.size() == 21 && value.size() == head.signature.size() && !all.empty() &&
                    all.back().run.actor == dot.actor,
                "D8: a signature in the log is out of place");
        std::copy(value.begin(), value.end(), head.signature.begin());
        all.back().head = head;
        is_open = false;
    }
    require(!is_open, "D8: the last entry of an actor is not signed");
    return all;
}

bool ready(Stretch const& stretch, LogView const& log, VersionVector held) {
    for (std::size_t i = 0; i < stretch.run.entries.size(); ++i) {
        Dot const dot{stretch.run.actor, stretch.run.first + i};
        if (!held.includes(log.at(dot).deps)) return false;
        held.set(dot.actor, dot.seq);
    }
    return true;
}

EntryBatch batch_of(Stretch const& stretch, Replica const& source) {
    EntryBatch batch{{stretch.run}, {stretch.head}, {}};
    std::set<RecordTag> tags;
    for (auto const& entry : stretch.run.entries)
        if (auto const frame = frame_entry(entry))
            for (auto const& op : frame->ops)
                if (op.kind_and_body.empty()) tags.insert(op.tag);
    for (RecordTag const& tag : tags)
        batch.erasures.push_back(source.erasures().at(tag));
    return batch;
}

class Fresh {
public:
    // Holds nothing, or what `contents` say.
    Fresh(SimNode& node, SpaceKeys const& keys, Contents const& contents = {}) {
        clock_.set(node.clock().now_ms());
        WriteBatch batch;
        for (auto const& [at, value] : contents)
            batch.put(at.first, at.second, value);
        value_of(engine_.write(batch, Durability::flushed));
        ReplicaOptions options{kSimSpace,
                               node.replica().actor(),
                               node.keys().identity,
                               keys.digest,
                               Durability::flushed};
        replica_ = value_of(Replica::open(
            engine_, clock_, Membership(node.replica().membership()), std::move(options)));
    }
    Replica& operator*() { return *replica_; }
    Replica* operator->() { return replica_.get(); }
    Engine const& engine() const { return engine_; }

private:
    MemoryEngine engine_;
    ManualClock clock_;
    std::unique_ptr<Replica> replica_;
};

void compare(Replica const& fresh, Replica const& node, std::string const& what) {
    require(fresh.vector() == node.vector(), what + ": not all entries could be applied");
    require(fresh.root() == node.root(), what + ": another root");
    require(value_of(fresh.recompute_root()) == fresh.root(), what + ": a root of other records");
    require(shown(fresh) == shown(node), what + ": other records");
}

// What the node would hold if it had cut nothing from its log.
Contents uncut(SimNode& node) {
    Contents all = contents(node.engine());
    std::erase_if(all, [](auto const& item) {
        auto const& [family, key] = item.first;
        return family == Family::meta && key.starts_with(keys::meta_kind(kSimSpace, 'b'));
    });
    for (auto const& [key, value] : whole_log(node.engine()))
        all.emplace(std::pair(Family::log, key), value);
    return all;
}

std::string text_of(RecordView const& record) {
    std::string text = record.version + " " + write_json(Value(record.fields));
    for (Conflict const& conflict : record.conflicts) {
        text += " " + conflict.field + ":";
        for (ConflictValue const& value : conflict.values)
            text += " " + write_json(value.value);
    }
    return text;
}

// Every record as it is stored, but for the entry that came last: that is a matter of order.
Contents stored_records(Engine const& engine) {
    Contents all = contents(engine, Family::records);
    for (auto& [at, value] : all) {
        auto const stored = value_of(StoredRecord::decode(value, {}));
        value = StoredRecord::encode(stored.digest, stored.digest_class, {}, stored.record);
    }
    return all;
}

}  // namespace

std::map<std::string, std::string> shown(Replica const& replica) {
    std::map<std::string, std::string> all;
    for (CollectionInfo const& info : replica.collections()) {
        std::optional<std::string> after = std::string();
        while (after) {
            auto page = value_of(replica.list(info.name, *after, kPageRecords));
            for (RecordView const& record : page.records)
                all.emplace(info.name + "/" + record.id, text_of(record));
            after = std::move(page.next);
        }
    }
    return all;
}

void check_rebuilt(SimNode& node, SpaceKeys const& keys, Tape& tape) {
    bool const cut = !node.replica().log_starts().empty();
    Fresh whole(node, keys, cut ? uncut(node) : Contents());
    Replica& source = cut ? *whole : node.replica();
    Fresh same(node, keys);
    while (!same->vector().includes(source.vector())) {
        auto const batch = value_of(source.collect(same->vector(), kBatchBytes));
        auto const applied = same->apply(batch);
        require(applied.has_value(),
                "I3: a batch of " + node.name() +
                    " is not taken: " + (applied ? "" : applied.error().message));
        require(applied->applied > 0, "I3: a batch of the log brings nothing");
    }
    compare(*same, source, "I3, the log again");

    LogView const log = read_log(node.engine());
    // Handing out its log has signed the node's own last entry, if that was lost.
    std::vector<Stretch> waiting =
        stretches_of(cut ? whole.engine() : static_cast<Engine const&>(node.engine()));
    Fresh other(node, keys);
    while (!waiting.empty()) {
        std::vector<std::size_t> candidates;
        for (std::size_t i = 0; i < waiting.size(); ++i)
            if (ready(waiting[i], log, other->vector())) candidates.push_back(i);
        require(!candidates.empty(), "I7: nothing of the log can be applied next");
        std::size_t const at = tape.pick(candidates);
        EntryBatch const batch = batch_of(waiting[at], source);
        value_of(other->apply(batch));
        if (tape.chance(10)) value_of(other->apply(batch));
        waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(at));
    }
    compare(*other, source, "I7, the log in another order");
    require(stored_records(same.engine()) == stored_records(other.engine()),
            "I7: the log in another order leaves other bytes");
}

void check_indexes(SimNode& node) {
    std::set<std::string> expected, held;
    for (auto const& [at, value] : contents(node.engine(), Family::records)) {
        std::string_view const rest = std::string_view(at.second).substr(4);
        std::size_t const zero = rest.find('\0');
        RecordName const name{std::string(rest.substr(0, zero)),
                              std::string(rest.substr(zero + 1))};
        auto const stored = value_of(StoredRecord::decode(value, name));
        UpkeepFlags const flags = upkeep_flags(stored.record);
        auto const add = [&](char kind) {
            expected.insert(keys::index_record(kSimSpace, kind, name.collection, name.key));
        };
        if (flags.markers) add('d');
        if (flags.orphan) add('o');
        if (belongs_to_conflicts(stored.digest_class, stored.record)) add('c');
    }
    for (auto const& [at, value] : contents(node.engine(), Family::index)) {
        char const kind = at.second.size() > 4 ? at.second[4] : ' ';
        if (kind == 'd' || kind == 'o' || kind == 'c') held.insert(at.second);
    }
    std::vector<std::string> other;
    std::set_symmetric_difference(
        held.begin(), held.end(), expected.begin(), expected.end(), std::back_inserter(other));
    require(other.empty(),
            "I3: an index of " + node.name() + " is not that of its records: " +
                (other.empty() ? std::string() : other.front().substr(4)));
    value_of(node.replica().check_indexes());
    while (value_of(node.replica().build_indexes(100))) {
    }
    value_of(node.replica().check_indexes());
    for (IndexStatus const& index : node.replica().index_status())
        require(index.ready,
                "D29: " + node.name() + " has not built an index of " + index.collection);
}

}  // namespace inos::sim
