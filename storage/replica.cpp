#include "storage/replica.hpp"

#include <algorithm>

#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/record_repair.hpp"
#include "storage/replica_indexes.hpp"
#include "storage/replica_stage.hpp"
#include "storage/replica_states.hpp"
#include "storage/schema_document.hpp"
#include "storage/store_format.hpp"

namespace inos {

constexpr std::string_view kSchemaCollection = "_schema";

std::size_t EntryBatch::entries() const {
    std::size_t count = 0;
    for (EntryRun const& run : runs)
        count += run.entries.size();
    return count;
}

std::size_t EntryBatch::bytes() const {
    std::size_t bytes = 0;
    for (EntryRun const& run : runs)
        for (auto const& entry : run.entries)
            bytes += entry.size();
    return bytes;
}

std::size_t EntryBatch::weight() const {
    return bytes() + entries() * kEntryWeight;
}

Replica::Replica(Engine& engine, Clock const& clock, Membership membership, ReplicaOptions options)
    : engine_(engine),
      clock_(clock),
      membership_(std::make_shared<Membership const>(std::move(membership))),
      options_(std::move(options)),
      states_(std::make_unique<States>(*this)),
      indexes_(std::make_unique<Indexes>(*this)) {
    update_keys();
}

Replica::~Replica() = default;

namespace {

// The actor that the site has gone on under, if it ever took a new one.
Result<void> find_own_actor(Engine const& engine, ReplicaOptions& options) {
    INOS_TRY(auto const own, engine.get(Family::meta, keys::meta_kind(options.space, 'o')));
    if (!own) return {};
    options.actor = ActorId{Reader(*own).u64()};
    return {};
}

}  // namespace

Result<std::unique_ptr<Replica>> Replica::open(Engine& engine,
                                               Clock const& clock,
                                               Membership membership,
                                               ReplicaOptions options) {
    INOS_CHECK(refuse_newer_rows(engine, options.space));
    INOS_CHECK(find_own_actor(engine, options));
    INOS_TRY(auto const stored, stored_statements(engine, options.space));
    INOS_CHECK(membership.add_all(stored));
    if (!membership.by_actor(options.actor))
        return fail(Errc::corruption, "the certificate of this node's own actor is missing");
    std::unique_ptr<Replica> replica(
        new Replica(engine, clock, std::move(membership), std::move(options)));
    INOS_CHECK(replica->load_stored());
    INOS_CHECK(replica->states_->load());
    INOS_CHECK(replica->load_or_repair());
    return replica;
}

Result<void> Replica::load_stored() {
    INOS_CHECK(load());
    INOS_CHECK(load_erasures());
    INOS_CHECK(load_acknowledgements());
    return load_continuity();
}

// All that a state has changed behind our back, and what follows from it.
Result<void> Replica::load_again() {
    vector_ = {};
    actors_.clear();
    sums_.clear();
    erasures_.clear();
    pending_erasures_.clear();
    aliases_ = {};
    damaged_.clear();
    stable_known_ = false;
    purged_with_ = {};
    purge_from_.clear();
    again_from_.clear();
    log_pin_ = std::make_shared<int>(0);  // who has read the log begins again
    INOS_CHECK(load_stored());
    INOS_CHECK(load_or_repair());
    own_synced_ = vector_.at(options_.actor);
    return {};
}

// What is ruled by records. Where these or the sums are damaged, the log
// tells what they were; reads it whole then. What it cannot tell either stays among the damaged
// records, and the replica opens without.
Result<void> Replica::load_or_repair() {
    // Repair begins indexes again, also where the schemas cannot be read.
    INOS_CHECK(indexes_->load());
    auto const load = [this]() -> Result<void> {
        INOS_CHECK(load_schemas());
        return load_aliases();
    };
    auto const loaded = load();
    bool const stopped = !loaded && loaded.error().code == Errc::corruption;
    if (!stopped) INOS_CHECK(loaded);
    std::vector<std::string> ruling;
    for (auto const& key : damaged_)
        if (key.front() == '_') ruling.push_back(key);
    if (!stopped && !sums_lost_ && ruling.empty()) return {};
    auto const all = stopped ? std::nullopt : std::optional(std::move(ruling));
    RecordRepair repair(*this, all);
    for (bool end = false; !end;) {
        auto const step = repair.step();
        if (!step && stopped) return tl::unexpected(step.error());
        if (!step) return {};  // what can be read rules; the node looks again by itself
        end = *step;
    }
    sums_lost_ = false;
    return load();
}

void Replica::note_damaged(std::string key) {
    if (damaged_.size() < kDamagedMax) damaged_.insert(std::move(key));
}

Result<void> Replica::load() {
    std::uint32_t const space = options_.space;
    std::string const from = keys::meta_kind(space, 'a'), to = keys::meta_kind(space, 'b');
    auto cursor = engine_.scan(Family::meta, from, to);
    for (; cursor->valid(); cursor->next()) {
        Reader key(cursor->key().substr(from.size()));
        ActorId const actor{key.u64()};
        auto state = ActorState::decode(cursor->value());
        if (!state || !key.finished())
            return fail(Errc::corruption, "the stored state of an actor cannot be read");
        vector_.set(actor, state->seq);
        // Above all that the site has issued, under whatever actor.
        if (is_ours(actor)) hlc_ = HlcClock(std::max(hlc_.last(), state->hlc));
        actors_.emplace(actor, *std::move(state));
    }
    INOS_CHECK(cursor->status());
    INOS_TRY(log_starts_, LogStarts::load(engine_, space));
    std::string const damaged = keys::meta_kind(space, 'd');
    auto known = engine_.scan(Family::meta, damaged, keys::meta_kind(space, 'e'));
    for (; known->valid(); known->next())
        note_damaged(std::string(known->key().substr(damaged.size())));
    INOS_CHECK(known->status());
    INOS_TRY(auto const missing, engine_.get(Family::meta, keys::meta_kind(space, 'n')));
    rows_missing_ = missing.has_value();
    auto sums = engine_.scan(Family::digests, keys::space_begin(space), keys::space_end(space));
    for (; sums->valid(); sums->next()) {
        std::string const collection(sums->key().substr(4));
        CollectionSums& kept = sums_[collection];
        if (CollectionSums::decode(sums->value(), kept)) continue;
        kept = {};
        kept.add(DigestClass::unmarked, kNotComparable);  // is none: they are summed again
        sums_lost_ = true;
    }
    return sums->status();
}

Result<void> Replica::load_schemas() {
    CollectionSchema plain;
    plain.others = FieldSchema{};
    std::map<std::string, Object> documents;
    std::string const from = keys::record(options_.space, kSchemaCollection, {});
    auto cursor =
        engine_.scan(Family::records, from, keys::record_end(options_.space, kSchemaCollection));
    for (; cursor->valid(); cursor->next()) {
        RecordName const name{std::string(kSchemaCollection),
                              std::string(cursor->key().substr(from.size()))};
        auto const stored = StoredRecord::decode(cursor->value(), name);
        if (!stored && stored.error().code != Errc::corruption)
            return tl::unexpected(stored.error());
        if (!stored) {  // what it said rules until it is repaired
            note_damaged(name.collection + '\0' + name.key);
            auto const known = schema_documents_.find(name.key);
            if (known != schema_documents_.end()) documents.insert(*known);
            continue;
        }
        if (!visible(state_of(stored->record), plain.on_delete)) continue;
        documents.emplace(name.key, resolve(stored->record, plain).fields);
    }
    INOS_CHECK(cursor->status());
    schema_documents_ = std::move(documents);
    schemas_.clear();
    for (auto const& [collection, fields] : schema_documents_)
        schemas_.emplace(collection, parse_collection_schema(fields));
    schemas_.insert_or_assign(std::string(kSchemaCollection), std::move(plain));
    return indexes_->follow_schemas();
}

CollectionSchema const& Replica::schema(std::string_view collection) const {
    static CollectionSchema const kNone;
    auto const it = schemas_.find(collection);
    return it == schemas_.end() ? kNone : it->second;
}

Digest128 Replica::root() const {
    Digest128 root;
    for (auto const& [collection, sums] : sums_)
        root += sums.sum(schema(collection).on_delete);
    return root;
}

std::vector<CollectionInfo> Replica::collections() const {
    std::vector<CollectionInfo> list;
    for (auto const& [collection, sums] : sums_) {
        DeletePolicy const policy = schema(collection).on_delete;
        std::uint64_t const records =
            sums.records(policy) - aliases_.hidden_records(collection, policy);
        if (collection.front() != '_' && records > 0) list.push_back({collection, records});
    }
    return list;
}

std::uint64_t Replica::record_count() const {
    std::uint64_t count = 0;
    for (auto const& info : collections())
        count += info.records;
    return count;
}

Result<std::optional<crypto::Hash32>> Replica::chain_at(Dot dot) const {
    auto const known = actors_.find(dot.actor);
    if (known == actors_.end() || dot.seq == 0 || dot.seq > known->second.seq)
        return std::optional<crypto::Hash32>();
    if (dot.seq == known->second.seq) return std::optional(known->second.chain);
    if (log_starts_.is_cut(dot)) {
        LogStart const& start = *log_starts_.find(dot.actor);
        return dot.seq == start.seq ? std::optional(start.chain) : std::nullopt;
    }
    INOS_TRY(auto const value, engine_.get(Family::log, keys::log(options_.space, dot)));
    if (!value) return std::optional<crypto::Hash32>();
    auto const entry = StoredEntry::decode(*value, dot.actor);
    if (!entry) return tl::unexpected(corrupt_entry(dot));
    return std::optional(entry->chain);
}

namespace {

// As many bytes of the chain at an entry as are kept of it; empty: none.
Result<std::string> kept_chain(Replica const& replica, Dot dot) {
    INOS_TRY(auto const whole, replica.chain_at(dot));
    if (whole) return std::string(crypto::view(*whole));
    if (!replica.log_starts().is_cut(dot)) return std::string();
    INOS_TRY(auto const cut, cut_chain(replica.engine(), replica.space_number(), dot));
    return cut ? std::string(crypto::view(*cut)) : std::string();
}

}  // namespace

Result<std::optional<ChainPrefix>> Replica::chain_prefix_at(Dot dot) const {
    INOS_TRY(std::string const kept, kept_chain(*this, dot));
    if (kept.empty()) return std::optional<ChainPrefix>();
    ChainPrefix prefix{};
    std::copy_n(kept.begin(), prefix.size(), prefix.begin());
    return std::optional(prefix);
}

// By all that is kept of it: an author can make two entries alike in the few bytes of a prefix.
Result<std::optional<bool>> Replica::is_on_chain(Dot dot, crypto::Hash32 const& there) const {
    INOS_TRY(std::string const kept, kept_chain(*this, dot));
    if (kept.empty()) return std::optional<bool>();
    return std::optional(crypto::view(there).starts_with(kept));
}

// The only door to the engine's write. A failed write has an unknown outcome, so it is the last
// one.
Result<void> Replica::write_batch(WriteBatch const& batch, Durability durability) {
    if (failed_) return refused();
    auto written = engine_.write(batch, durability);
    failed_ = !written;
    if (written && durability == Durability::synced) own_synced_ = vector_.at(options_.actor);
    return written;
}

// A record's row, its sums and its places in the indexes; `summing`: sums that are made anew.
void Replica::put_row(
    Stage& stage, std::string const& key, Staged& staged, Sums& sums, Summing* summing) const {
    if (staged.damaged) {
        auto const was = StoredRecord::head(*staged.damaged);
        staged.stored_class = was.digest_class;
        staged.stored_digest = was.digest;
        staged.index_unknown = true;
        stage.batch_.put(Family::meta,
                         keys::damaged_record(options_.space, std::string_view(key).substr(4)),
                         {});
    }
    if (staged.index_unknown) staged.index_anew();
    DigestClass now = DigestClass::none;
    Digest128 digest;
    bool const marked = staged.damaged && !staged.gone;
    if (marked) {
        now = DigestClass::hidden;
        digest = kNotComparable;
    } else if (!staged.gone) {
        now = digest_class(state_of(staged.record));
        if (now != DigestClass::none)
            digest = record_digest(
                options_.digest_key, staged.name.collection, staged.name.key, staged.record);
    }
    auto const count = [&](CollectionSums& collection) {
        collection.subtract(staged.stored_class, staged.stored_digest);
        collection.add(now, digest);
    };
    count(sums[staged.name.collection]);
    if (summing && key < summing->from) count(summing->sums[staged.name.collection]);
    if (marked)
        return stage.batch_.put(
            Family::records, key, StoredRecord::marked_as_damaged(*staged.damaged));
    index_conflict(stage, staged, !staged.gone && belongs_to_conflicts(now, staged.record));
    index_upkeep(stage, staged, staged.gone ? UpkeepFlags{} : upkeep_flags(staged.record));
    Indexes::change(
        stage.batch_,
        staged.stored_entries,
        staged.gone ? std::vector<std::string>() : indexes_->entries(staged.name, staged.record));
    if (staged.gone) return stage.batch_.remove(Family::records, key);
    stage.batch_.put(
        Family::records, key, StoredRecord::encode(digest, now, staged.last, staged.record));
}

Result<void> Replica::write(Stage& stage, Durability durability) {
    Sums sums = sums_;
    // A write that fails is the last one, so what is summed anew need not be taken back.
    auto const summing = summing_.lock();
    for (auto& [key, staged] : stage.records_) {
        if (!staged.dirty && !staged.gone) continue;
        // Nobody knows its entries in the indexes; once it is marked, it has none.
        if (staged.damaged && *staged.damaged != StoredRecord::marked_as_damaged(*staged.damaged))
            indexes_->begin_again(stage.batch_, staged.name.collection);
        put_row(stage, key, staged, sums, summing.get());
    }
    return write(stage, std::move(sums), durability);
}

Result<void> Replica::write(Stage& stage, Sums sums, Durability durability) {
    for (auto const& [collection, value] : sums) {
        auto const before = sums_.find(collection);
        if (before == sums_.end() || !(before->second == value))
            stage.batch_.put(
                Family::digests, keys::digest(options_.space, collection), value.encode());
    }
    for (auto const& [actor, state] : stage.actors_)
        stage.batch_.put(Family::meta, keys::meta(options_.space, 'a', actor), state.encode());
    bool const first_unscrubbed = stage.scrub && !unscrubbed_since_;
    if (first_unscrubbed) {
        std::string before;
        vector_.encode(before);
        stage.batch_.put(Family::meta, keys::meta_kind(options_.space, 's'), std::move(before));
    }
    if (stage.scrub) states_->give_up_with(stage.batch_);
    INOS_CHECK(write_batch(stage.batch_, durability));
    if (first_unscrubbed) unscrubbed_since_ = vector_;
    if (stage.scrub) {
        ++erasing_writes_;
        states_->drop_given();
    }
    remember_erased(stage);
    sums_ = std::move(sums);
    for (auto& [actor, state] : stage.actors_)
        actors_[actor] = std::move(state);
    vector_ = std::move(stage.vector_);
    hlc_ = stage.hlc;
    for (auto& [tag, erasure] : stage.erasures_) {
        erasures_.insert_or_assign(tag, std::move(erasure));
        pending_erasures_.insert(tag);
    }
    for (RecordTag const& tag : stage.marked_)
        pending_erasures_.erase(tag);
    if (durability == Durability::synced) own_synced_ = vector_.at(options_.actor);
    // Its rows may hold what was erased. All that the write did is noted by now: an error here must
    // not leave us with numbers that are used.
    if (auto forgotten = stage.scrub ? states_->forget() : Result<void>(); !forgotten) {
        failed_ = true;
        return forgotten;
    }
    if (auto followed = follow_aliases(stage); !followed) {
        failed_ = true;
        return followed;
    }
    if (!stage.schema_changed) return {};
    // The write is done; a replica that cannot read its schemas does not go on with old ones.
    auto loaded = load_schemas();
    failed_ = !loaded;
    return loaded;
}

crypto::Signature Replica::sign_own(Dot dot, crypto::Hash32 const& chain) const {
    return crypto::sign(options_.identity, head_statement(membership_->space(), dot, chain));
}

}  // namespace inos
