// A state that arrives: asked for, checked row by row as far as that goes, and staged.

#include "storage/replica_states.hpp"

#include <algorithm>

#include "crdt/path.hpp"
#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/raw_bytes.hpp"

namespace inos {
namespace {

constexpr std::size_t kForgetAtOnce = 10'000;
constexpr std::uint64_t kStallMs = 600'000, kStallBytes = 64u << 10;
constexpr std::size_t kHashBytes = sizeof(crypto::Hash16);

}  // namespace

std::optional<StateAsk> Replica::state_ask(SiteId const& from) {
    return states_->ask(from);
}
Result<StateTaken> Replica::take_state(SiteId const& from, StatePart const& part) {
    INOS_CHECK(check_foreign_room());
    return states_->take(from, part);
}
std::optional<StateProgress> Replica::state_progress() const {
    return states_->progress();
}

// ---- what is kept -------------------------------------------------------------------------------

std::string Replica::States::Taken::position() const {
    std::string out(1, met_erased ? '\1' : '\0');
    put_blob(out, after);
    put_raw(out, chain);
    for (std::uint64_t const number :
         {unsigned_bytes, unsigned_entries, deps, hashes, entries, records, bytes})
        put_varint(out, number);
    return out;
}

bool Replica::States::Taken::read_position(std::string_view stored) {
    Reader in(stored);
    met_erased = in.byte() != 0;
    after = in.blob();
    chain = take_raw<crypto::Hash32>(in);
    for (std::uint64_t* number :
         {&unsigned_bytes, &unsigned_entries, &deps, &hashes, &entries, &records, &bytes})
        *number = in.varint();
    return in.finished();
}

bool Replica::States::Taken::complete() const {
    return deps == manifest.deps() && hashes == manifest.hashes() && entries == manifest.entries();
}

Result<void> Replica::States::load() {
    std::uint32_t const space = replica_.options_.space;
    auto const read = [&](char name) {
        return replica_.engine_.get(Family::staging, staging::key(space, name));
    };
    INOS_TRY(auto const bytes, read(staging::kManifest));
    INOS_TRY(auto const at, read(staging::kPosition));
    INOS_TRY(auto const switching, read(staging::kSwitching));
    auto manifest = bytes ? decode_state_manifest(replica_.membership_->space(), *bytes)
                          : Result<StateManifest>(tl::unexpected(StagedState::corrupt()));
    Taken taken;
    bool const sound = manifest && at && taken.read_position(*at);
    if (!sound && switching) return tl::unexpected(StagedState::corrupt());
    // Of one that was given up, maybe with erased contents, or of another version's.
    if (!sound) return forget();
    taken.id = crypto::hash16(*bytes);
    taken.vector = manifest->vector();
    taken.manifest = *std::move(manifest);
    taken_ = std::move(taken);
    return switching ? switch_over() : Result<void>();
}

// What was erased is on the disk until it is scrubbed.
void Replica::States::put_scrub(WriteBatch& batch) const {
    if (replica_.unscrubbed_since_) return;
    std::string before;
    replica_.vector_.encode(before);
    batch.put(Family::meta, keys::meta_kind(replica_.options_.space, 's'), std::move(before));
}

// Without the manifest nothing of it counts. What is left of one whose end was interrupted goes as
// well.
Result<void> Replica::States::forget() {
    taken_.reset();
    std::uint32_t const space = replica_.options_.space;
    WriteBatch batch;
    INOS_TRY(auto const at,
             replica_.engine_.get(Family::staging, staging::key(space, staging::kPosition)));
    Taken left;
    bool const scrub = at && (!left.read_position(*at) || left.met_erased);
    if (scrub) {
        put_scrub(batch);
        batch.remove(Family::staging, staging::key(space, staging::kManifest));
        INOS_CHECK(replica_.write_batch(batch, Durability::flushed));
        batch.changes.clear();
        ++replica_.erasing_writes_;
        drop_given();
        if (!replica_.unscrubbed_since_) replica_.unscrubbed_since_ = replica_.vector_;
    }
    batch.remove(Family::staging, staging::key(space, staging::kManifest));
    bool any = false;
    auto cursor =
        replica_.engine_.scan(Family::staging, keys::space_begin(space), keys::space_end(space));
    for (; cursor->valid(); cursor->next()) {
        any = true;
        batch.remove(Family::staging, std::string(cursor->key()));
        if (batch.changes.size() < kForgetAtOnce) continue;
        INOS_CHECK(replica_.write_batch(batch, Durability::flushed));
        batch.changes.clear();
    }
    INOS_CHECK(cursor->status());
    if (!any || batch.changes.empty()) return {};
    return replica_.write_batch(batch, Durability::flushed);
}

// From this write on nobody finds what it erases in the state that arrives.
void Replica::States::give_up_with(WriteBatch& batch) const {
    if (taken_)
        batch.remove(Family::staging, staging::key(replica_.options_.space, staging::kManifest));
}

std::optional<StateProgress> Replica::States::progress() const {
    if (!taken_) return std::nullopt;
    std::uint64_t const here = taken_->records + taken_->entries;
    std::uint64_t const all = taken_->manifest.records + taken_->manifest.entries();
    return StateProgress{here, std::max(here, all)};
}

// Does next to nothing come of it, so that another source may take its place?
bool Replica::States::stalls(std::uint64_t now) {
    if (now < taken_->looked_ms + kStallMs) return false;
    bool const slow = taken_->bytes < taken_->looked_bytes + kStallBytes;
    taken_->looked_ms = now;
    taken_->looked_bytes = taken_->bytes;
    return slow;
}

std::optional<StateAsk> Replica::States::ask(SiteId const& from) {
    std::uint64_t const now = replica_.clock_.monotonic_ms();
    bool const of_another = taken_ && taken_->manifest.source != from;
    if (of_another && now < taken_->asked_ms + kStateIdleMs && !stalls(now)) return std::nullopt;
    auto const refused = refused_ms_.find(from);
    if (!check_source(from)) return std::nullopt;
    if (refused != refused_ms_.end() && now < refused->second + kStateRetryMs) return std::nullopt;
    asked_ = from;
    StateAsk ask;
    auto const chains = replica_.chains();
    for (std::size_t i = 0; i < chains.size(); ++i) {
        auto const& [actor, seq] = replica_.vector_.items()[i];
        ask.heads.push_back({actor, seq, chains[i]});
    }
    if (!taken_ || of_another) return ask;
    taken_->asked_ms = now + kStatePartBytes / kSlowestBytesPerMs;
    ask.id = taken_->id;
    ask.after = taken_->after;
    return ask;
}

// ---- what a source says -------------------------------------------------------------------------

Result<void> Replica::States::check_source(SiteId const& from) const {
    auto const* source = replica_.membership_->by_site(from);
    if (source && source->role == Role::admin) return {};
    return fail(Errc::forbidden, "states are taken from admins only");
}

// Where we hold as much of an actor as the snapshot or more, all of its history is compared here,
// by its last chain.
Result<void> Replica::States::check_head(StateHead const& head) const {
    auto const* author = replica_.membership_->by_actor(head.actor);
    if (!author)
        return tl::unexpected(malformed_state("a state names an actor without a certificate here"));
    Dot const dot{head.actor, head.seq};
    Seq const have = replica_.vector_.at(head.actor);
    auto const compare = [&](Seq seq, crypto::Hash32 const& there) -> Result<void> {
        if (seq == 0 || seq > have) return {};
        INOS_TRY(auto const same, replica_.is_on_chain({head.actor, seq}, there));
        if (!same) return tl::unexpected(corrupt_entry({head.actor, seq}));
        return *same ? Result<void>() : Result<void>(tl::unexpected(other_history()));
    };
    INOS_CHECK(compare(head.seq, head.chain));
    INOS_CHECK(compare(head.floor, head.floor_chain));
    if (head.known > std::max<Seq>(have, 1))
        return tl::unexpected(malformed_state("a state lacks hashes of entries that are not here"));
    bool const is_signed =
        crypto::verify(author->site,
                       head_statement(replica_.membership_->space(), dot, head.chain),
                       head.signature);
    if (is_signed) return {};
    return tl::unexpected(malformed_state("a state names a head that its author has not signed"));
}

Result<void> Replica::States::begin(SiteId const& from, StatePart const& part) {
    INOS_TRY(StateManifest manifest,
             decode_state_manifest(replica_.membership_->space(), part.manifest));
    if (manifest.source != from || crypto::hash16(part.manifest) != part.id)
        return tl::unexpected(malformed_state("a state is not of the site that sends it"));
    for (StateHead const& head : manifest.heads)
        INOS_CHECK(check_head(head));
    INOS_CHECK(forget());
    std::uint32_t const space = replica_.options_.space;
    Taken taken;
    taken.id = part.id;
    taken.vector = manifest.vector();
    taken.manifest = std::move(manifest);
    taken.asked_ms = taken.looked_ms = replica_.clock_.monotonic_ms();
    WriteBatch batch;
    batch.put(Family::staging, staging::key(space, staging::kManifest), part.manifest);
    batch.put(Family::staging, staging::key(space, staging::kPosition), taken.position());
    INOS_CHECK(replica_.write_batch(batch, Durability::flushed));
    taken_ = std::move(taken);
    return {};
}

// ---- rows ---------------------------------------------------------------------------------------

// No less than what we know that the author had seen, and no more than there is: what later entries
// of it remove depends on this.
Result<void> Replica::States::check_deps(Taken& taken, StateRow const& row) const {
    auto const about = state_row::parse(row.name);
    StateHead const* head = about ? taken.manifest.find(about->actor) : nullptr;
    Reader in(row.value);
    auto const seen = VersionVector::decode(in);
    bool sound = head && head->floor > 0 && seen && in.finished() && row.extra.empty() &&
                 taken.vector.includes(*seen) && seen->at(about->actor) == 0;
    Seq const have = sound ? replica_.vector_.at(about->actor) : 0;
    if (have > 0 && have <= head->floor) {
        VersionVector const& known = replica_.actors_.at(about->actor).deps;
        sound = have == head->floor ? *seen == known : seen->includes(known);
    }
    if (!sound)
        return tl::unexpected(malformed_state("a state says wrongly what authors had seen"));
    ++taken.deps;
    return {};
}

Result<void> Replica::States::check_hashes(Taken& taken, StateRow const& row) const {
    auto const about = state_row::parse(row.name);
    StateHead const* head = about ? taken.manifest.find(about->actor) : nullptr;
    auto const wrong = [] {
        return tl::unexpected(malformed_state("a state's hashes are not those of its manifest"));
    };
    if (!head || head->floor == 0 || about->number > head->floor / kHashesPerKey) return wrong();
    Seq const first = std::max(head->known, about->number * kHashesPerKey + 1);
    Seq const last = std::min(head->floor, (about->number + 1) * kHashesPerKey);
    bool const sound =
        first <= last && row.value.size() == (last - first + 1) * kHashBytes && row.extra.empty();
    if (!sound) return wrong();
    if (last == head->floor &&
        !crypto::view(head->floor_chain)
             .starts_with(std::string_view(row.value).substr(row.value.size() - kHashBytes)))
        return wrong();
    Seq const ours = std::min(last, replica_.vector_.at(head->actor));
    if (ours >= first) {
        INOS_TRY(std::string const held, hashes(head->actor, first, ours));
        if (!row.value.starts_with(held)) return tl::unexpected(other_history());
    }
    taken.hashes += last - first + 1;
    return {};
}

// The chain runs on from the entry before, and ends at what the author has signed.
Result<void> Replica::States::check_entry(Taken& taken, StateRow const& row) const {
    auto const about = state_row::parse(row.name);
    StateHead const* head = about ? taken.manifest.find(about->actor) : nullptr;
    if (!head || about->number <= head->floor || about->number > head->seq)
        return tl::unexpected(
            malformed_state("a state holds an entry that is not of its manifest"));
    Dot const dot{about->actor, about->number};
    if (from_newer_version(row.value))
        return fail(Errc::unsupported,
                    "the state holds entries in a newer format than this program knows; upgrade "
                    "this node");
    crypto::Hash32 before = taken.chain;
    if (dot.seq == 1) {
        before = chain_start(*replica_.membership_->bytes_of(dot.actor));
    } else if (dot.seq == head->floor + 1) {
        before = head->floor_chain;
    } else if (taken.after != state_row::name(state_row::kEntry, dot.actor, dot.seq - 1)) {
        return tl::unexpected(malformed_state("a state lacks an entry in the middle"));
    }
    if (dot.seq == head->floor + 1) taken.unsigned_bytes = taken.unsigned_entries = 0;
    taken.unsigned_bytes += row.value.size();
    ++taken.unsigned_entries;
    // In their erased form entries may be longer than they were.
    bool const too_long =
        taken.unsigned_bytes > 2 * kBatchBytesMax || taken.unsigned_entries > kBatchEntriesMax;
    if (too_long)
        return tl::unexpected(
            malformed_state("a state holds a stretch of entries that nobody "
                            "could pass on, for lack of signatures"));
    if (!row.extra.empty()) taken.unsigned_bytes = taken.unsigned_entries = 0;
    taken.chain = chain_next(before, row.value, replica_.options_.digest_key);
    bool sound = dot.seq != head->seq || taken.chain == head->chain;
    if (!row.extra.empty()) {
        crypto::Signature signature{};
        sound = sound && row.extra.size() == signature.size();
        Reader in(row.extra);
        signature = take_raw<crypto::Signature>(in);
        sound =
            sound && crypto::verify(replica_.membership_->by_actor(dot.actor)->site,
                                    head_statement(replica_.membership_->space(), dot, taken.chain),
                                    signature);
    }
    if (!sound)
        return tl::unexpected(
            malformed_state("a state holds entries that their author has not "
                            "signed"));
    ++taken.entries;
    return {};
}

// What no honest site holds is not taken: cells beyond the snapshot, or of authors who may not
// write there; marks of erased records that nobody has signed.
Result<void> Replica::States::check_record(Taken& taken, StateRow const& row) const {
    auto const name = name_of_row(std::string_view(row.name).substr(1));
    auto const record = Record::decode(row.value);
    bool const is_mark = name && name->key.starts_with('\1');
    bool sound = name && record && valid_name(name->collection) &&
                 (is_mark ? name->key.size() == sizeof(RecordTag) + 1 && !record->empty()
                          : valid_name(name->key) && row.extra.empty());
    for (std::size_t i = 0; sound && i < record->cells().size(); ++i) {
        Cell const& cell = (*record)[i];
        auto const* author = replica_.membership_->by_actor(cell.dot.actor);
        std::string const concerned =
            is_mark ? name->collection : collection_concerned(name->collection, name->key);
        sound = cell.dot.seq > 0 && taken.vector.covers(cell.dot) && author &&
                author->may_write(concerned) && (cell.path == kErasePath) == is_mark;
    }
    if (!sound)
        return tl::unexpected(malformed_state("a state holds a record that nobody can have made"));
    ++taken.records;
    if (!is_mark) return {};
    auto const erasure = decode_erasure(std::string_view(name->key).substr(1), row.extra);
    auto const* author = erasure ? replica_.membership_->by_actor(erasure->actor) : nullptr;
    bool const proven =
        author && erasure->collection == name->collection && author->may_write(name->collection) &&
        is_tag_in(erasure->tag, replica_.options_.digest_key, name->collection) &&
        crypto::verify(
            author->site,
            erasure_statement(
                replica_.membership_->space(), erasure->actor, name->collection, erasure->tag),
            erasure->signature);
    if (!proven)
        return tl::unexpected(malformed_state("a state holds an erasure that nobody has signed"));
    return {};
}

Result<void> Replica::States::check_row(Taken& taken, StateRow const& row) const {
    if (row.name <= taken.after)
        return tl::unexpected(malformed_state("a state's rows do not ascend"));
    switch (row.name.front()) {
        case state_row::kDeps:
            return check_deps(taken, row);
        case state_row::kHashes:
            return check_hashes(taken, row);
        case state_row::kEntry:
            return check_entry(taken, row);
        case state_row::kRecord:
            return check_record(taken, row);
        default:
            return tl::unexpected(malformed_state("a state holds a row of an unknown kind"));
    }
}

// ---- a part -------------------------------------------------------------------------------------

Result<StateTaken> Replica::States::take(SiteId const& from, StatePart const& part) {
    if (asked_ != from) return StateTaken::stale;
    auto taken = take_asked(from, part);
    if (!taken && taken.error().code == Errc::corruption && !replica_.failed()) {
        refused_ms_[from] = replica_.clock_.monotonic_ms();
        return fail(Errc::corruption,
                    "a state cannot come into force, for what is held here is damaged: " +
                        taken.error().message + "; see `inos verify --repair`");
    }
    bool const useless =
        !taken &&
        (taken.error().code == Errc::protocol || taken.error().code == Errc::conflict ||
         taken.error().code == Errc::too_large || taken.error().code == Errc::unsupported ||
         taken.error().code == Errc::forbidden);
    if (!useless) return taken;
    refused_ms_[from] = replica_.clock_.monotonic_ms();
    if (taken_ && taken_->manifest.source == from) INOS_CHECK(forget());
    return taken;
}

Result<StateTaken> Replica::States::take_asked(SiteId const& from, StatePart const& part) {
    INOS_CHECK(check_source(from));
    bool const known = taken_ && taken_->id == part.id;
    if (!part.manifest.empty() && !known) INOS_CHECK(begin(from, part));
    if (!taken_ || taken_->id != part.id || taken_->manifest.source != from ||
        taken_->after != part.after)
        return StateTaken::stale;
    return stage(part);
}

// Nothing of what is erased here gets to the disk, not even on its way: no row of it at all.
std::optional<std::string> Replica::States::staged(StateRow row,
                                                   crypto::Hash32 const& chain) const {
    auto const is_erased = [this](RecordTag const& tag) { return replica_.is_erased(tag); };
    if (row.name.front() == state_row::kRecord) {
        auto const name = name_of_row(std::string_view(row.name).substr(1));
        bool const goes = name && !name->key.starts_with('\1') && replica_.is_erased(*name);
        return goes ? std::nullopt : std::optional(StagedRow::encode(row));
    }
    if (row.name.front() != state_row::kEntry) return StagedRow::encode(row);
    auto const about = state_row::parse(row.name);
    auto const decoded = decode_entry(row.value, {about->actor, about->number});
    VoidReason reason = decoded.reason;
    if (reason == VoidReason::none)
        reason = replica_.judge(*replica_.membership_->by_actor(about->actor), decoded.entry);
    auto erased = erase_ops(row.value, replica_.options_.digest_key, is_erased, reason);
    if (erased) row.value = *std::move(erased);
    std::string value = StagedRow::encode(row);
    put_raw(value, chain);
    return value;
}

Result<StateTaken> Replica::States::stage(StatePart const& part) {
    std::uint32_t const space = replica_.options_.space;
    WriteBatch batch;
    Taken next = *taken_;
    for (StateRow const& row : part.rows) {
        INOS_CHECK(check_row(next, row));
        auto value = staged(row, next.chain);
        next.met_erased = next.met_erased || !value;
        if (value) batch.put(Family::staging, staging::key(space, row.name), *std::move(value));
        next.after = row.name;
        next.bytes += row.bytes();
    }
    if (next.bytes > kStateBytesMax)
        return fail(Errc::too_large,
                    "the state that the peer sends is over " +
                        std::to_string(kStateBytesMax >> 30) + " GiB, more than is taken");
    if (!part.rows.empty()) {
        batch.put(Family::staging, staging::key(space, staging::kPosition), next.position());
        INOS_CHECK(replica_.write_batch(batch, Durability::synced));
        taken_ = std::move(next);
    }
    if (!part.last) return StateTaken::more;
    if (!taken_->complete())
        return tl::unexpected(malformed_state("a state lacks some of what its manifest names"));
    INOS_CHECK(switch_over());
    return StateTaken::in_force;
}

}  // namespace inos
