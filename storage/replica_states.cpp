#include "storage/replica_states.hpp"

#include <algorithm>

#include "crdt/path.hpp"
#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"

namespace inos {
namespace {

constexpr std::size_t kGivenMax = 4;
constexpr std::size_t kForgetAtOnce = 10'000;
constexpr std::size_t kSpaceBytes = 4;  // of the engine's keys

std::string staging_key(std::uint32_t space, char kind, std::string_view name = {}) {
    return keys::meta_kind(space, kind) + std::string(name);
}

bool of_everything(Certificate const* certificate) {
    return certificate && (certificate->role == Role::admin ||
                           (certificate->role == Role::writer && certificate->scope.empty()));
}

Error not_comparable() {
    return Error{Errc::conflict,
                 "the histories of this site and the peer cannot be compared as far back as would "
                 "be needed, or they differ, so no state goes from one to the other; another "
                 "member of the space may be able to help",
                 {}};
}

Error protocol(char const* what) {
    return Error{Errc::protocol, what, {}};
}

}  // namespace

std::optional<RecordName> name_of_row(std::string_view name) {
    std::size_t const zero = name.find('\0');
    if (zero == std::string_view::npos) return std::nullopt;
    return RecordName{std::string(name.substr(0, zero)), std::string(name.substr(zero + 1))};
}

Result<StatePart> Replica::give_state(SiteId const& to,
                                      StateAsk const& ask,
                                      StatePartLimits const& limits) {
    if (failed_) return tl::unexpected(refused().error());
    return states_->give(to, ask, limits);
}
std::optional<StateAsk> Replica::state_ask(SiteId const& from) {
    return states_->ask(from);
}
Result<bool> Replica::take_state(SiteId const& from, StatePart const& part) {
    if (failed_) return tl::unexpected(refused().error());
    return states_->take(from, part);
}
std::optional<StateProgress> Replica::state_progress() const {
    return states_->progress();
}
void Replica::drop_idle_states() {
    states_->drop_idle();
}

// ---- given --------------------------------------------------------------------------------------

void Replica::States::drop_idle() {
    std::uint64_t const now = replica_.clock_.monotonic_ms();
    std::erase_if(given_,
                  [now](auto const& given) { return now >= given.second.asked_ms + kStateIdleMs; });
}

Result<void> Replica::States::may_give(StateAsk const& ask) const {
    if (!of_everything(replica_.own_certificate()))
        return fail(
            Errc::forbidden,
            "the peer lacks entries that were cut from the log, and this site, which may "
            "not write everything, can give no state instead; connect it with one that can");
    if (!replica_.root_comparable())
        return fail(Errc::unavailable, "an erasure is still on its way; ask again later");
    for (DepHead const& head : ask.heads) {
        if (head.seq > replica_.vector_.at(head.actor)) continue;  // for the receiver to look at
        INOS_TRY(auto const chain, replica_.chain_prefix_at({head.actor, head.seq}));
        if (!chain || *chain != head.chain) return tl::unexpected(not_comparable());
    }
    return {};
}

Result<std::string> Replica::States::make_manifest() const {
    StateManifest manifest;
    manifest.source = replica_.options_.identity.public_key;
    manifest.root = replica_.root().bytes();
    for (auto const& [collection, sums] : replica_.sums_)
        manifest.records += sums.unmarked_records + sums.uncovered_records;
    for (auto const& [actor, state] : replica_.actors_) {
        if (state.seq == 0) continue;
        INOS_TRY(ActorHead const head, replica_.head_of(actor));
        manifest.heads.push_back(
            {actor, state.seq, state.chain, head.signature, state.hlc, state.deps});
    }
    std::string bytes = manifest.encode(replica_.membership_->space(), replica_.options_.identity);
    if (bytes.size() > kStateManifestBytesMax)
        return fail(Errc::too_large, "this space has too many actors to send its state");
    return bytes;
}

// Nothing of ours leaves before it is synced, here as with entries: else a power cut makes us use
// its number twice. The signature's write syncs all before it.
Result<void> Replica::States::sync_own() {
    ActorId const own = replica_.options_.actor;
    Seq const last = replica_.vector_.at(own);
    if (last <= replica_.own_synced_) return {};
    INOS_TRY(ActorHead const head, replica_.head_of(own));
    return replica_.keep_signature({own, last, head.signature}, Durability::synced);
}

// The one that is kept for the site, if it is the one that the ask names and has not gone past what
// is asked for; else one of this moment, which may be the same again.
Result<Replica::States::Given*> Replica::States::snapshot(SiteId const& to, StateAsk const& ask) {
    auto const kept = given_.find(to);
    bool const same = kept != given_.end() && kept->second.id == ask.id;
    if (same && (kept->second.at == ask.after || kept->second.last.after == ask.after))
        return &kept->second;
    INOS_CHECK(sync_own());
    Given fresh;
    INOS_TRY(fresh.manifest, make_manifest());
    fresh.id = crypto::hash16(fresh.manifest);
    if (fresh.id == ask.id) fresh.at = ask.after;
    std::uint32_t const space = replica_.options_.space;
    std::string from = keys::space_begin(space) + fresh.at;
    if (!fresh.at.empty()) from += '\0';
    fresh.cursor = replica_.engine_.scan(Family::records, from, keys::space_end(space));
    fresh.last.after = "\1";  // none: no name begins with it
    if (!given_.contains(to) && given_.size() >= kGivenMax)
        return fail(Errc::unavailable, "this site is giving its state to others; ask again later");
    return &(given_[to] = std::move(fresh));
}

Result<StatePart> Replica::States::give(SiteId const& to,
                                        StateAsk const& ask,
                                        StatePartLimits const& limits) {
    drop_idle();
    INOS_CHECK(may_give(ask));
    // The signature of our own last entry goes with it.
    INOS_TRY(Given* const given, snapshot(to, ask));
    given->asked_ms = replica_.clock_.monotonic_ms();
    bool const other = given->id != ask.id;
    std::string const after = other ? std::string() : ask.after;
    if (given->last.after != after) {
        given->last = StatePart{given->id, after, {}, false, {}};
        INOS_CHECK(next_part(*given, limits));
    }
    StatePart part = given->last;
    if (other) part.manifest = given->manifest;
    if (part.encode().size() > kStatePartBytesMax)
        return fail(Errc::too_large, "a record is too large to be sent as a state");
    return part;
}

Result<void> Replica::States::next_part(Given& given, StatePartLimits const& limits) const {
    StatePart& part = given.last;
    std::size_t bytes = 0;
    Cursor& cursor = *given.cursor;
    for (; cursor.valid() && bytes < limits.bytes && part.rows.size() < limits.rows;
         cursor.next()) {
        std::string_view const key = cursor.key().substr(kSpaceBytes);
        auto const name = name_of_row(key);
        if (!name) return fail(Errc::corruption, "a record's key in the database is malformed");
        INOS_TRY(StoredRecord const stored, StoredRecord::decode(cursor.value(), *name));
        if (stored.record.empty()) continue;
        StateRow row{std::string(key), stored.record.encode(), {}};
        if (name->key.starts_with('\1')) {
            RecordTag tag{};
            if (name->key.size() != tag.size() + 1)
                return fail(Errc::corruption, "the mark of an erased record is malformed");
            std::copy(name->key.begin() + 1, name->key.end(), tag.begin());
            auto const erasure = replica_.erasures_.find(tag);
            if (erasure == replica_.erasures_.end())
                return fail(Errc::corruption, "the proof of an erasure is missing");
            row.proof = encode_erasure(erasure->second);
        }
        bytes += row.bytes();
        given.at = row.name;
        part.rows.push_back(std::move(row));
    }
    INOS_CHECK(cursor.status());
    part.last = !cursor.valid();
    return {};
}

// ---- taken --------------------------------------------------------------------------------------

Result<void> Replica::States::load() {
    std::uint32_t const space = replica_.options_.space;
    INOS_TRY(auto const bytes, replica_.engine_.get(Family::staging, staging_key(space, 'm')));
    if (!bytes) return forget();  // rows of one that was given up, maybe with erased contents
    auto manifest = decode_state_manifest(replica_.membership_->space(), *bytes);
    INOS_TRY(auto const at, replica_.engine_.get(Family::staging, staging_key(space, 'p')));
    Reader in(at ? std::string_view(*at) : std::string_view());
    Taken taken;
    taken.after = in.blob();
    taken.rows = in.varint();
    taken.bytes = in.varint();
    if (!manifest || !at || !in.finished())
        return fail(Errc::corruption, "a state that was arriving here cannot be read");
    taken.id = crypto::hash16(*bytes);
    taken.vector = manifest->vector();
    taken.manifest = *std::move(manifest);
    taken_ = std::move(taken);
    return {};
}

// Without the manifest nothing of it counts, and in the order of the keys it goes first. What is
// left of one whose end was interrupted goes as well.
Result<void> Replica::States::forget() {
    taken_.reset();
    std::uint32_t const space = replica_.options_.space;
    WriteBatch batch;
    auto cursor =
        replica_.engine_.scan(Family::staging, keys::space_begin(space), keys::space_end(space));
    for (; cursor->valid(); cursor->next()) {
        batch.remove(Family::staging, std::string(cursor->key()));
        if (batch.changes.size() < kForgetAtOnce) continue;
        INOS_CHECK(replica_.write_batch(batch, Durability::flushed));
        batch.changes.clear();
    }
    INOS_CHECK(cursor->status());
    if (batch.changes.empty()) return {};
    return replica_.write_batch(batch, Durability::flushed);
}

// From this write on nobody finds what it erases in the state that arrives.
void Replica::States::give_up_with(WriteBatch& batch) const {
    if (taken_) batch.remove(Family::staging, staging_key(replica_.options_.space, 'm'));
}

std::optional<StateProgress> Replica::States::progress() const {
    if (!taken_) return std::nullopt;
    return StateProgress{taken_->rows, std::max(taken_->rows, taken_->manifest.records)};
}

std::optional<StateAsk> Replica::States::ask(SiteId const& from) {
    std::uint64_t const now = replica_.clock_.monotonic_ms();
    bool const of_another = taken_ && taken_->manifest.source != from;
    if (of_another && now < taken_->asked_ms + kStateIdleMs) return std::nullopt;
    StateAsk ask;
    auto const chains = replica_.chains();
    for (std::size_t i = 0; i < chains.size(); ++i) {
        auto const& [actor, seq] = replica_.vector_.items()[i];
        ask.heads.push_back({actor, seq, chains[i]});
    }
    asked_with_ = replica_.vector_;
    if (!taken_ || of_another) return ask;
    taken_->asked_ms = now;
    ask.id = taken_->id;
    ask.after = taken_->after;
    return ask;
}

// Where we hold as much of an actor as the snapshot or more, the histories are compared here; where
// less, the source has done it.
Result<void> Replica::States::check_heads(StateManifest const& manifest) const {
    for (StateHead const& head : manifest.heads) {
        auto const* author = replica_.membership_->by_actor(head.actor);
        Dot const dot{head.actor, head.seq};
        if (!author)
            return tl::unexpected(protocol("a state names an actor without a certificate here"));
        if (dot.seq <= replica_.vector_.at(dot.actor)) {
            INOS_TRY(auto const chain, replica_.chain_prefix_at(dot));
            if (!chain || *chain != chain_prefix(head.chain))
                return tl::unexpected(not_comparable());
        } else if (!crypto::verify(author->site,
                                   head_statement(replica_.membership_->space(), dot, head.chain),
                                   head.signature)) {
            return tl::unexpected(protocol("a state names a head that its author has not signed"));
        }
        for (auto const& [actor, seq] : head.deps.items())
            if (manifest.vector().at(actor) < seq)
                return tl::unexpected(protocol("a state holds less than its entries had seen"));
    }
    return {};
}

Result<void> Replica::States::begin(SiteId const& from, StatePart const& part) {
    INOS_TRY(StateManifest manifest,
             decode_state_manifest(replica_.membership_->space(), part.manifest));
    if (manifest.source != from || crypto::hash16(part.manifest) != part.id)
        return tl::unexpected(protocol("a state is not of the site that sends it"));
    if (!of_everything(replica_.membership_->by_site(from)))
        return fail(Errc::forbidden, "states are taken only from sites that may write everything");
    INOS_CHECK(check_heads(manifest));
    INOS_CHECK(forget());
    std::uint32_t const space = replica_.options_.space;
    Taken taken;
    taken.id = part.id;
    taken.vector = manifest.vector();
    taken.manifest = std::move(manifest);
    taken.asked_ms = replica_.clock_.monotonic_ms();
    std::string at;
    put_blob(at, {});
    put_varint(at, 0);
    put_varint(at, 0);
    WriteBatch batch;
    batch.put(Family::staging, staging_key(space, 'm'), part.manifest);
    batch.put(Family::staging, staging_key(space, 'p'), std::move(at));
    INOS_CHECK(replica_.write_batch(batch, Durability::flushed));
    taken_ = std::move(taken);
    return {};
}

// What no honest site holds is not taken: cells beyond the snapshot, or of authors who may not
// write there; marks of erased records that nobody has signed.
Result<void> Replica::States::check_row(StateRow const& row, VersionVector const& vector) const {
    auto const name = name_of_row(row.name);
    auto const record = Record::decode(row.record);
    bool const is_mark = name && name->key.starts_with('\1');
    bool sound = name && record && !record->empty() && valid_name(name->collection) &&
                 (is_mark ? name->key.size() == sizeof(RecordTag) + 1 : valid_name(name->key));
    for (std::size_t i = 0; sound && i < record->cells().size(); ++i) {
        Cell const& cell = (*record)[i];
        auto const* author = replica_.membership_->by_actor(cell.dot.actor);
        std::string const concerned =
            is_mark ? name->collection : collection_concerned(name->collection, name->key);
        sound = cell.dot.seq > 0 && vector.covers(cell.dot) && author &&
                author->may_write(concerned) && (cell.path == kErasePath) == is_mark;
    }
    if (!sound) return tl::unexpected(protocol("a state holds a record that nobody can have made"));
    if (!is_mark) return {};
    auto const erasure = decode_erasure(std::string_view(name->key).substr(1), row.proof);
    auto const* author = erasure ? replica_.membership_->by_actor(erasure->actor) : nullptr;
    bool const proven =
        author && erasure->collection == name->collection && author->may_write(name->collection) &&
        is_tag_in(erasure->tag, replica_.options_.digest_key, name->collection) &&
        crypto::verify(
            author->site,
            erasure_statement(
                replica_.membership_->space(), erasure->actor, name->collection, erasure->tag),
            erasure->signature);
    if (!proven) return tl::unexpected(protocol("a state holds an erasure that nobody has signed"));
    return {};
}

Result<bool> Replica::States::take(SiteId const& from, StatePart const& part) {
    bool const known = taken_ && taken_->id == part.id;
    if (!part.manifest.empty() && !known) INOS_CHECK(begin(from, part));
    if (!taken_ || taken_->id != part.id || taken_->manifest.source != from ||
        taken_->after != part.after)
        return false;  // an answer to a question of before
    std::uint32_t const space = replica_.options_.space;
    WriteBatch batch;
    Taken next = *taken_;
    for (StateRow const& row : part.rows) {
        if (row.name <= next.after)
            return tl::unexpected(protocol("a state's records do not ascend"));
        INOS_CHECK(check_row(row, next.vector));
        std::string value;
        put_blob(value, row.record);
        put_blob(value, row.proof);
        batch.put(Family::staging, staging_key(space, 'r', row.name), std::move(value));
        next.after = row.name;
        ++next.rows;
        next.bytes += row.bytes();
    }
    if (next.bytes > kStateBytesMax)
        return fail(Errc::too_large,
                    "the state that the peer sends is over " +
                        std::to_string(kStateBytesMax >> 20) +
                        " MiB, more than this version takes at once; copy a directory of a site "
                        "that keeps its log (log_retention)");
    if (!part.rows.empty()) {
        std::string at;
        put_blob(at, next.after);
        put_varint(at, next.rows);
        put_varint(at, next.bytes);
        batch.put(Family::staging, staging_key(space, 'p'), std::move(at));
        INOS_CHECK(replica_.write_batch(batch, Durability::synced));
        taken_ = std::move(next);
    }
    if (!part.last) return false;
    // What came meanwhile has to be compared as well: the next ask says it.
    for (StateHead const& head : taken_->manifest.heads) {
        Seq const have = replica_.vector_.at(head.actor);
        if (have < head.seq && have != asked_with_.at(head.actor)) return false;
    }
    auto const comparable = check_heads(taken_->manifest);
    auto switched = comparable ? switch_over() : Result<bool>(tl::unexpected(comparable.error()));
    bool const useless = !switched && (switched.error().code == Errc::protocol ||
                                       switched.error().code == Errc::conflict);
    if (useless) INOS_CHECK(forget());
    return switched;
}

}  // namespace inos
