// States that others are given: a snapshot, and its rows part after part.

#include <algorithm>

#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/member_review.hpp"
#include "storage/raw_bytes.hpp"
#include "storage/replica_states.hpp"

namespace inos {

using namespace std::string_view_literals;

namespace {

constexpr std::size_t kGivenMax = 4;
constexpr std::size_t kSpaceBytes = 4;             // of the engine's keys
constexpr std::size_t kDepsBytesMax = 64u << 20;   // of all actors, in memory
constexpr std::size_t kHashesBlockWeight = 4'096;  // reading them costs more than sending them

constexpr std::size_t kSignEveryBytes = 64u << 10;
constexpr std::size_t kRowBytes = 32;  // of a row besides its fields, and of a part, at most
constexpr int kOffersMax = 2;

// What is lost here would be lost there.
Error damaged() {
    return Error{Errc::corruption,
                 "no state is given while records of this site are damaged or may be missing; see "
                 "`inos verify --repair`",
                 {}};
}

}  // namespace

Result<StatePart> Replica::give_state(SiteId const& to,
                                      StateAsk const& ask,
                                      StatePartLimits const& limits) {
    if (failure_) return tl::unexpected(refused().error());
    return states_->give(to, ask, limits);
}
Result<bool> Replica::prefers_state(SiteId const& to, VersionVector const& theirs, bool gone) {
    return states_->prefers(to, theirs, gone);
}
void Replica::state_failed(SiteId const& site) {
    states_->failed_with(site);
}
Result<void> Replica::drop_idle_states() {
    states_->drop_idle();
    return states_->drop_needless();
}

void Replica::States::drop_idle() {
    std::uint64_t const now = replica_.clock_.monotonic_ms();
    std::erase_if(given_, [now](auto const& given) {
        return now >= given.second.asked_ms + kStateIdleMs ||
               now >= given.second.made_ms + kStateLifeMs;
    });
}

// Entries have brought it meanwhile.
Result<void> Replica::States::drop_needless() {
    bool const needless = taken_ && replica_.vector_.includes(taken_->vector);
    return needless ? forget() : Result<void>();
}

bool Replica::States::may_give() const {
    auto const* own = replica_.own_certificate();
    return own && own->role == Role::admin;
}

// ---- when ---------------------------------------------------------------------------------------

// Of each actor, what all active members but one have acknowledged, on the chain that is held here;
// never before the log's start. Whom it concerns may lack entries behind it.
Result<VersionVector> Replica::States::floor_without(SiteId const& but) const {
    VersionVector floor = replica_.vector_;
    for (Certificate const& site : replica_.membership_->sites()) {
        bool const counts = acknowledges(site) && site.site != but &&
                            site.site != replica_.options_.identity.public_key;
        if (!counts) continue;
        VersionVector held;
        auto const ack = replica_.acknowledgements_.find(site.site);
        if (ack != replica_.acknowledgements_.end()) {
            for (DepHead const& head : ack->second.all_heads(*replica_.membership_)) {
                INOS_TRY(auto const chain, replica_.chain_prefix_at({head.actor, head.seq}));
                if (chain && *chain == head.chain) held.set(head.actor, head.seq);
            }
        }
        VersionVector least;
        for (auto const& [actor, seq] : floor.items())
            least.set(actor, std::min(seq, held.at(actor)));
        floor = std::move(least);
    }
    // What an admin has still to review stays in every log.
    INOS_TRY(auto const needed, not_reviewed_behind(replica_));
    for (auto const& [actor, seq] : needed)
        floor.set(actor, std::min(seq, floor.at(actor)));
    for (auto const& [actor, seq] : replica_.vector_.items())
        floor.raise(actor, replica_.log_starts_.of(actor));
    return floor;
}

Result<bool> Replica::States::prefers(SiteId const& to, VersionVector const& theirs, bool gone) {
    if (!may_give()) return false;
    if (gone) return true;
    // Where nobody cuts logs the history is meant to stay, there too.
    if (!replica_.log_starts_.last_cut()) return false;
    std::uint64_t records = 0;
    for (auto const& [collection, sums] : replica_.sums_)
        records += sums.unmarked_records + sums.uncovered_records;
    auto const least = replica_.options_.state_entries_min + 2 * records;
    auto const count = [&](VersionVector const& held) {
        std::uint64_t sum = 0;
        for (auto const& [actor, seq] : held.items())
            sum += seq - std::min(seq, theirs.at(actor));
        return sum;
    };
    bool const tried = failed_with_.contains(to) || !replica_.root_comparable();
    if (tried || count(replica_.vector_) <= least) return false;
    std::uint64_t const now = replica_.clock_.monotonic_ms();
    auto const looked = lacks_little_ms_.find(to);
    if (looked != lacks_little_ms_.end() && now < looked->second + kStateRenewMs) return false;
    INOS_TRY(VersionVector const floor, floor_without(to));
    if (count(floor) <= least) {
        lacks_little_ms_[to] = now;
        return false;
    }
    if (++offers_[to] <= kOffersMax) return true;
    failed_with_.insert(to);
    return false;
}

// ---- a snapshot ---------------------------------------------------------------------------------

Result<void> Replica::States::check_ask(StateAsk const& ask) const {
    if (!may_give())
        return fail(Errc::forbidden,
                    "the peer lacks entries that were cut from the log, and this site, which is "
                    "no admin, can give no state instead; connect the peer with an admin's site");
    if (!replica_.root_comparable())
        return fail(Errc::unavailable, "an erasure is still on its way; ask again later");
    for (DepHead const& head : ask.heads) {
        if (head.seq > replica_.vector_.at(head.actor)) continue;  // for the receiver to look at
        INOS_TRY(auto const chain, replica_.chain_prefix_at({head.actor, head.seq}));
        if (!chain) return tl::unexpected(corrupt_entry({head.actor, head.seq}));
        if (*chain != head.chain) return tl::unexpected(other_history());
    }
    return {};
}

// 16 bytes of the chain at each entry of [first, last].
Result<std::string> Replica::States::hashes(ActorId actor, Seq first, Seq last) const {
    std::uint32_t const space = replica_.options_.space;
    Seq const start = replica_.log_starts_.of(actor);
    std::string hashes;
    if (first <= start) {
        INOS_TRY(hashes, cut_chains(replica_.engine_, space, actor, first, std::min(start, last)));
    }
    Seq next = std::max(first, start + 1);
    auto cursor = replica_.engine_.scan(
        Family::log, keys::log(space, {actor, next}), keys::log(space, {actor, last + 1}));
    for (; cursor->valid(); cursor->next()) {
        if (cursor->key().size() != keys::log(space, {}).size()) continue;  // a signature
        auto const stored = StoredEntry::decode(cursor->value(), actor);
        bool const in_order = Reader(cursor->key().substr(12)).u64() == next;
        if (!stored || !in_order) return tl::unexpected(corrupt_entry({actor, next}));
        put_raw(hashes, cut_hash(stored->chain));
        ++next;
    }
    INOS_CHECK(cursor->status());
    if (next <= last) return tl::unexpected(corrupt_entry({actor, next}));
    return hashes;
}

// What the receiver holds all of goes neither as entries nor as hashes.
Result<void> Replica::States::fill_floor(Given& given, StateHead& head, Seq floor, Seq have) const {
    head.floor = have >= head.seq ? head.seq : floor;
    if (head.floor == 0) return {};
    head.known = std::max<Seq>(1, std::min(have, head.floor));
    Dot const dot{head.actor, head.floor};
    INOS_TRY(auto const chain, replica_.chain_at(dot));
    if (!chain) return tl::unexpected(corrupt_entry(dot));
    head.floor_chain = *chain;
    std::uint32_t const space = replica_.options_.space;
    LogStart const* start = replica_.log_starts_.find(head.actor);
    head.floor_hlc = start ? start->hlc : Hlc();
    if (!start || start->seq != head.floor) {
        INOS_TRY(auto const value, replica_.engine_.get(Family::log, keys::log(space, dot)));
        auto const stored = value ? StoredEntry::decode(*value, dot.actor) : std::nullopt;
        if (!stored) return tl::unexpected(corrupt_entry(dot));
        auto const decoded = decode_entry(stored->bytes, dot);
        Hlc const arrived = Hlc::from(stored->arrived_ms, 0xffff);
        if (decoded.header_known)
            head.floor_hlc = std::max(head.floor_hlc, std::min(decoded.entry.header.hlc, arrived));
    }
    INOS_TRY(VersionVector const seen, replica_.seen_at(dot));
    seen.encode(given.deps.emplace_back());
    return {};
}

Result<void> Replica::States::fill_manifest(Given& given,
                                            SiteId const& to,
                                            StateAsk const& ask) const {
    StateManifest& manifest = given.content;
    manifest.source = replica_.options_.identity.public_key;
    manifest.root = replica_.root().bytes();
    for (auto const& [collection, sums] : replica_.sums_)
        manifest.records += sums.unmarked_records + sums.uncovered_records;
    VersionVector theirs;
    for (DepHead const& head : ask.heads)
        theirs.set(head.actor, head.seq);
    INOS_TRY(VersionVector const floor, floor_without(to));
    std::size_t deps_bytes = 0;
    for (auto const& [actor, state] : replica_.actors_) {
        if (state.seq == 0) continue;
        INOS_TRY(ActorHead const known, replica_.head_of(actor));
        StateHead head{actor, state.seq, state.chain, known.signature, 0, 0, {}, {}};
        INOS_CHECK(fill_floor(given, head, floor.at(actor), theirs.at(actor)));
        if (head.floor > 0) deps_bytes += given.deps.back().size();
        manifest.heads.push_back(std::move(head));
        if (deps_bytes > kDepsBytesMax) break;
    }
    given.manifest = manifest.encode(replica_.membership_->space(), replica_.options_.identity);
    if (given.manifest.size() > kStateManifestBytesMax || deps_bytes > kDepsBytesMax)
        return fail(Errc::too_large, "this space has too many actors to send its state");
    return {};
}

// The one that is kept for the site, if it is the one that the ask names and has not gone past what
// is asked for; else one of this moment, which may be the same again.
Result<Replica::States::Given*> Replica::States::snapshot(SiteId const& to, StateAsk const& ask) {
    auto const kept = given_.find(to);
    // Whoever has got no part yet asks for any: for the one whose first part is on its way.
    // One that was a single part may be in force there already.
    bool const any = ask.id == crypto::Hash16{};
    if (any && kept != given_.end() && kept->second.last.after.empty() && !kept->second.last.last)
        return &kept->second;
    bool const same = kept != given_.end() && kept->second.id == ask.id;
    if (same && (kept->second.at == ask.after || kept->second.last.after == ask.after))
        return &kept->second;
    std::uint64_t const now = replica_.clock_.monotonic_ms();
    if (kept != given_.end() && now < kept->second.made_ms + kStateRenewMs)
        return fail(Errc::unavailable, "this site has just made its state for the peer");
    if (kept == given_.end() && given_.size() >= kGivenMax)
        return fail(Errc::unavailable, "this site is giving its state to others; ask again later");
    // It would keep there what is to be scrubbed.
    if (replica_.unscrubbed_since_)
        return fail(Errc::unavailable, "erased data is still on the disk; ask again later");
    if (!replica_.damaged_.empty() || replica_.rows_missing_) return tl::unexpected(damaged());
    INOS_CHECK(replica_.sign_own_log());
    Given fresh;
    INOS_CHECK(fill_manifest(fresh, to, ask));
    fresh.id = crypto::hash16(fresh.manifest);
    if (fresh.id == ask.id) fresh.at = ask.after;
    std::uint32_t const space = replica_.options_.space;
    std::string from = keys::space_begin(space);
    fresh.from_first = !fresh.at.starts_with(state_row::kRecord);
    if (!fresh.from_first) from += fresh.at.substr(1) + '\0';
    fresh.kept = replica_.sums_;
    for (auto const& [collection, sums] : fresh.kept)
        fresh.sums[collection];
    fresh.records = replica_.engine_.scan(Family::records, from, keys::space_end(space));
    fresh.last.after = "\1";  // none: no name begins with it
    fresh.made_ms = now;
    return &(given_[to] = std::move(fresh));
}

// ---- its rows -----------------------------------------------------------------------------------

class Replica::States::PartMaker {
public:
    PartMaker(States const& states, Given& given, StatePartLimits const& limits)
        : states_(states), replica_(states.replica_), given_(given), limits_(limits) {}

    Result<void> run() {
        INOS_CHECK(deps());
        INOS_CHECK(hashes());
        INOS_CHECK(entries());
        INOS_CHECK(records());
        given_.last.last = room() && !given_.records->valid();
        return given_.last.last ? check_sums() : Result<void>();
    }

private:
    bool room() const {
        return !full_ && weight_ < limits_.bytes && given_.last.rows.size() < limits_.rows;
    }
    // Does one of so many bytes go into the message? The first one has to.
    bool fits(std::size_t bytes) {
        std::size_t const at_first = given_.last.after.empty() ? given_.manifest.size() : 0;
        bool const fits = given_.last.rows.empty() ||
                          at_first + bytes_ + bytes + 2 * kRowBytes <= kStatePartBytesMax;
        full_ = full_ || !fits;
        return fits;
    }

    // Has the row been sent?
    bool past(std::string const& name) const { return name <= given_.at; }

    void put(StateRow row, std::size_t weight = 0) {
        weight_ += std::max(weight, row.bytes());
        bytes_ += row.bytes() + kRowBytes;
        given_.at = row.name;
        given_.last.rows.push_back(std::move(row));
    }

    Result<void> deps() {
        auto seen = given_.deps.begin();
        for (StateHead const& head : given_.content.heads) {
            if (head.floor == 0) continue;
            std::string name = state_row::name(state_row::kDeps, head.actor);
            if (room() && !past(name)) put({std::move(name), *seen, {}});
            ++seen;
        }
        return {};
    }

    Result<void> hashes() {
        for (StateHead const& head : given_.content.heads) {
            if (past(state_row::name(state_row::kHashes, head.actor, ~std::uint64_t{0}))) continue;
            for (Seq seq = head.known; head.floor > 0 && seq <= head.floor && room();) {
                Seq const block = (seq - 1) / kHashesPerKey;
                Seq const end = std::min(head.floor, (block + 1) * kHashesPerKey);
                std::string name = state_row::name(state_row::kHashes, head.actor, block);
                if (!past(name)) {
                    INOS_TRY(auto value, states_.hashes(head.actor, seq, end));
                    put({std::move(name), std::move(value), {}}, kHashesBlockWeight);
                }
                seq = end + 1;
            }
        }
        return {};
    }

    Result<void> entries() {
        for (StateHead const& head : given_.content.heads) {
            std::string const last = state_row::name(state_row::kEntry, head.actor, head.seq);
            if (head.floor == head.seq || past(last) || !room()) continue;
            INOS_CHECK(entries_of(head));
        }
        return {};
    }

    Result<void> entries_of(StateHead const& head) {
        Seq next = head.floor + 1;
        auto const at = state_row::parse(given_.at);
        if (at && at->kind == state_row::kEntry && at->actor == head.actor) next = at->number + 1;
        std::uint32_t const space = replica_.options_.space;
        auto cursor = replica_.engine_.scan(Family::log,
                                            keys::log(space, {head.actor, next}),
                                            keys::log(space, {head.actor, head.seq + 1}));
        while (cursor->valid() && room()) {
            auto const stored = StoredEntry::decode(cursor->value(), head.actor);
            if (!stored || cursor->key() != keys::log(space, {head.actor, next})) break;
            StateRow row{state_row::name(state_row::kEntry, head.actor, next),
                         std::string(stored->bytes),
                         {}};
            if (!fits(stored->bytes.size() + sizeof(crypto::Signature))) return {};
            crypto::Hash32 const chain = stored->chain;
            cursor->next();
            if (cursor->valid() && cursor->key() == keys::signature(space, {head.actor, next})) {
                row.extra = cursor->value();
                cursor->next();
            }
            sign(row, {head.actor, next}, chain);
            put(std::move(row));
            ++next;
        }
        INOS_CHECK(cursor->status());
        if (!room() || next > head.seq) return {};
        // All members hold it by now, the asking one too.
        return fail(Errc::unavailable, "the log was cut meanwhile; ask again");
    }

    // Nobody could pass on a longer stretch of ours that is signed at its end only.
    void sign(StateRow& row, Dot dot, crypto::Hash32 const& chain) {
        given_.unsigned_bytes += row.bytes() + kEntryWeight;
        bool const due = given_.unsigned_bytes >= kSignEveryBytes && replica_.is_ours(dot.actor);
        if (due && row.extra.empty()) row.extra = crypto::view(replica_.sign_own(dot, chain));
        if (!row.extra.empty()) given_.unsigned_bytes = 0;
    }

    Result<void> records() {
        Cursor& cursor = *given_.records;
        for (; cursor.valid() && room(); cursor.next()) {
            std::string_view const key = cursor.key().substr(kSpaceBytes);
            auto const name = name_of_row(key);
            if (!name) return fail(Errc::corruption, "a record's key in the database is malformed");
            auto const stored = replica_.checked(cursor.value(), *name);
            if (!stored) {
                states_.replica_.note_damaged(std::string(key));
                return tl::unexpected(damaged());
            }
            StateRow row{state_row::kRecord + std::string(key), stored->record.encode(), {}};
            if (name->key.starts_with('\1')) {
                INOS_TRY(row.extra, proof(*name));
            }
            if (!fits(row.bytes())) break;
            given_.sums[name->collection].add(stored->digest_class, stored->digest);
            put(std::move(row));
        }
        std::string_view const at = given_.at;
        bool const is_record = at.starts_with(state_row::kRecord);
        return states_.scanned(cursor.status(), is_record ? at.substr(1) : std::string_view());
    }

    // Without rows that the disk has lost, or with older ones, it is not what was signed, and who
    // takes it would take them for removed. A round of repair comes upon it when it sums.
    Result<void> check_sums() const {
        if (!given_.from_first || given_.sums == given_.kept) return {};
        return states_.scanned(fail(Errc::corruption, "records do not add up to the root"), {});
    }

    Result<std::string> proof(RecordName const& name) const {
        RecordTag tag{};
        if (name.key.size() != tag.size() + 1)
            return fail(Errc::corruption, "the mark of an erased record is malformed");
        std::copy(name.key.begin() + 1, name.key.end(), tag.begin());
        auto const erasure = replica_.erasures_.find(tag);
        if (erasure == replica_.erasures_.end())
            return fail(Errc::corruption, "the proof of an erasure is missing");
        return encode_erasure(erasure->second);
    }

    States const& states_;
    Replica const& replica_;
    Given& given_;
    StatePartLimits const& limits_;
    std::size_t weight_ = 0, bytes_ = 0;
    bool full_ = false;  // the next row goes into the next part
};

// A round of repair about any record comes upon the block when it sums.
Result<void> Replica::States::scanned(Result<void> status, std::string_view last) const {
    constexpr std::string_view kAnyRecord = "_schema\0_schema"sv;
    if (!status && status.error().code == Errc::corruption)
        replica_.note_damaged(std::string(last.empty() ? kAnyRecord : last));
    return status;
}

Result<StatePart> Replica::States::give(SiteId const& to,
                                        StateAsk const& ask,
                                        StatePartLimits const& limits) {
    drop_idle();
    INOS_CHECK(check_ask(ask));
    auto const kept = snapshot(to, ask);
    if (!kept && kept.error().code == Errc::corruption) return tl::unexpected(damaged());
    INOS_TRY(Given* const given, kept);
    given->asked_ms = replica_.clock_.monotonic_ms();
    offers_.erase(to);
    bool const other = given->id != ask.id;
    std::string const after = other ? std::string() : ask.after;
    if (given->last.after != after) {
        given->last = StatePart{given->id, after, {}, false, {}};
        if (auto made = PartMaker(*this, *given, limits).run(); !made) {
            given_.erase(to);
            if (made.error().code != Errc::corruption) return tl::unexpected(made.error());
            return tl::unexpected(damaged());
        }
    }
    StatePart part = given->last;
    if (other) part.manifest = given->manifest;
    given->asked_ms += part.encode().size() / kSlowestBytesPerMs;
    if (part.encode().size() > kStatePartBytesMax) {
        given_.erase(to);
        return fail(Errc::too_large, "a record is too large to be sent as a state");
    }
    return part;
}

}  // namespace inos
