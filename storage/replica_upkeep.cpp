// What a replica does beside reading and writing: acknowledging, learning what is stable, purging,
// and deleting again where a collection says that deletes win.

#include <algorithm>

#include "storage/acknowledgements.hpp"
#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

constexpr std::string_view kUpkeepSource = "inos";

std::string site_key(std::uint32_t space, SiteId const& site) {
    std::string key = keys::meta_kind(space, 'k');
    key.append(reinterpret_cast<char const*>(site.data()), site.size());
    return key;
}

}  // namespace

UpkeepFlags upkeep_flags(Record const& record) {
    RecordState const state = state_of(record);
    UpkeepFlags flags;
    flags.markers = state.markers;
    flags.orphan = !state.erased && !state.exists_cell && state.uncovered;
    for (Cell const& cell : record.cells())
        if (!is_special(cell.path) && cell.path.back() == static_cast<char>(CellType::marker))
            flags.markers = true;
    return flags;
}

void Replica::index_upkeep(Stage& stage, Staged const& staged, UpkeepFlags now) const {
    auto const set = [&](char kind, bool was, bool is) {
        if (was == is) return;
        std::string key =
            keys::index_record(options_.space, kind, staged.name.collection, staged.name.key);
        if (is)
            stage.batch_.put(Family::index, std::move(key), {});
        else
            stage.batch_.remove(Family::index, std::move(key));
    };
    set('d', staged.stored_upkeep.markers, now.markers);
    set('o', staged.stored_upkeep.orphan, now.orphan);
}

Result<void> Replica::load_acknowledgements() {
    std::string const from = keys::meta_kind(options_.space, 'k');
    auto cursor = engine_.scan(Family::meta, from, keys::meta_kind(options_.space, 'l'));
    std::map<SiteId, std::string> by_site;
    for (; cursor->valid(); cursor->next()) {
        auto ack = decode_acknowledgement(membership_->space(), cursor->value());
        if (!ack) return fail(Errc::corruption, "a stored acknowledgement cannot be read");
        by_site.emplace(ack->site, cursor->value());
        acknowledgements_.insert_or_assign(ack->site, *std::move(ack));
    }
    INOS_CHECK(cursor->status());
    set_acknowledgements(std::move(by_site));
    INOS_TRY(auto const unscrubbed,
             engine_.get(Family::meta, keys::meta_kind(options_.space, 's')));
    if (!unscrubbed) return {};
    Reader in(*unscrubbed);
    unscrubbed_since_ = VersionVector::decode(in);
    if (!unscrubbed_since_)
        return fail(Errc::corruption, "the stored state of the last erasure cannot be read");
    return {};
}

Result<std::vector<std::string>> Replica::add_acknowledgements(
    std::vector<std::string> const& set) {
    std::vector<std::string> added;
    WriteBatch batch;
    std::map<SiteId, Acknowledgement> fresh;
    ContinuityRecord record = continuity_;
    for (auto const& bytes : set) {
        INOS_TRY(auto ack, decode_acknowledgement(membership_->space(), bytes));
        auto const* member = membership_->by_site(ack.site);
        if (!member || !acknowledges(*member)) continue;
        auto const known = acknowledgements_.find(ack.site);
        auto const staged = fresh.find(ack.site);
        bool const newer =
            (known == acknowledgements_.end() || known->second.counter < ack.counter) &&
            (staged == fresh.end() || staged->second.counter < ack.counter);
        if (!newer) continue;
        if (ack.site == options_.identity.public_key)
            record.another_life(lost_since(ack) ? Doubt::seen_more : Doubt::none);
        batch.put(Family::meta, site_key(options_.space, ack.site), bytes);
        added.push_back(bytes);
        fresh.insert_or_assign(ack.site, std::move(ack));
    }
    if (added.empty()) return added;
    // What it says of our own life is not said again.
    bool const known_better = record != continuity_;
    if (known_better) put_record(batch, record);
    INOS_CHECK(write_batch(batch, known_better ? Durability::synced : Durability::flushed));
    continuity_ = std::move(record);
    doubt_ = judge_continuity(continuity_, options_.marks);
    auto by_site = acknowledgements();
    for (auto const& bytes : added)
        by_site.insert_or_assign(*acknowledgement_site(bytes), bytes);
    set_acknowledgements(std::move(by_site));
    for (auto& [site, ack] : fresh)
        acknowledgements_.insert_or_assign(site, std::move(ack));
    stable_known_ = false;
    return added;
}

// A later acknowledgement of our own than we know of was made in another life of this site. We
// count on from it, or nobody would take ours; and it may show that this life is the older one.
bool Replica::lost_since(Acknowledgement const& own) const {
    bool const lost = std::any_of(own.heads.begin(), own.heads.end(), [this](DepHead const& head) {
        return head.actor == options_.actor && head.seq > vector_.at(head.actor);
    });
    return lost || doubt_ == Doubt::rebooted;
}

void Replica::set_acknowledgements(std::map<SiteId, std::string> by_site) {
    auto const digest = Acknowledgements::digest_of(by_site);
    acknowledgement_bytes_ =
        std::make_shared<Acknowledgements const>(Acknowledgements{std::move(by_site), digest});
    stable_known_ = false;
}

// Synced: it says what is durable, and counts on everything written before it.
Result<std::optional<std::string>> Replica::acknowledge() {
    auto const* own = membership_->by_site(options_.identity.public_key);
    if (!own || !acknowledges(*own)) return std::optional<std::string>();
    Acknowledgement ack;
    ack.site = options_.identity.public_key;
    ack.membership = membership_->digest();
    for (auto const& [actor, seq] : vector_.items())
        ack.heads.push_back({actor, seq, chain_prefix(actors_.at(actor).chain)});
    ack.heads = without_ended(ack.heads, membership_->ends());
    ack.scrubbed = unscrubbed_since_;
    auto const last = acknowledgements_.find(ack.site);
    if (last != acknowledgements_.end()) {
        if (last->second.same_as(ack)) return std::optional<std::string>();
        ack.counter = last->second.counter;
    }
    ++ack.counter;
    ack.made_ms = clock_.now_ms();
    std::string const bytes = ack.encode(membership_->space(), options_.identity);
    WriteBatch batch;
    batch.put(Family::meta, site_key(options_.space, ack.site), bytes);
    INOS_CHECK(write_batch(batch, Durability::synced));
    auto by_site = acknowledgements();
    by_site.insert_or_assign(ack.site, bytes);
    set_acknowledgements(std::move(by_site));
    acknowledgements_.insert_or_assign(ack.site, std::move(ack));
    stable_known_ = false;
    return std::optional(bytes);
}

// What one member is known to hold of each actor, on the same chain as we do. nullopt: nothing can
// be said, because it knows members that we do not, or wrote what we lack. What it holds of a site
// that is no member any more counts as if it had written it: that site says nothing itself, and
// since its retirement is known nobody takes anything from it, so the members' words are all of it.
Result<std::optional<VersionVector>> Replica::held_by(Acknowledgement const& ack) const {
    if (ack.membership != membership_->digest()) return std::optional<VersionVector>();
    VersionVector held;
    for (DepHead const& head : ack.all_heads(*membership_)) {
        auto const* author = membership_->by_actor(head.actor);
        bool const beyond = head.seq > vector_.at(head.actor);
        bool const speaks_for =
            author && (author->site == ack.site || !membership_->by_site(author->site));
        if (!author || (beyond && speaks_for)) return std::optional<VersionVector>();
        if (beyond) continue;
        INOS_TRY(auto const chain, chain_prefix_at({head.actor, head.seq}));
        if (chain && *chain == head.chain) held.set(head.actor, head.seq);
    }
    return std::optional(std::move(held));
}

Result<std::optional<VersionVector>> Replica::last_held_by(SiteId const& site) const {
    auto const ack = acknowledgements_.find(site);
    if (ack == acknowledgements_.end()) return std::optional<VersionVector>();
    return held_by(ack->second);
}

Result<VersionVector> Replica::stable() {
    if (stable_known_) return stable_;
    VersionVector least = vector_;
    std::vector<std::optional<VersionVector>> all;
    for (Certificate const& site : membership_->sites()) {
        if (!acknowledges(site)) continue;
        INOS_TRY(auto held, last_held_by(site.site));
        VersionVector next;
        if (held)
            for (auto const& [actor, seq] : least.items())
                next.set(actor, std::min(seq, held->at(actor)));
        least = std::move(next);
        all.push_back(std::move(held));
    }
    find_inherited(all);
    stable_ = std::move(least);
    stable_known_ = true;
    return stable_;
}

// ---- rights of retired sites --------------------------------------------------------------------
// What a retired site has used is known for good when no member can bring more of it: all know of
// the retirement, so they take nothing from it, and what they had taken by then is here. Only then
// its shares are used again, and by one site only, which all members tell alike. What the retired
// site used itself and gave to nobody stays unknown: that is the window of loss.

bool Replica::holds_all_of(SiteId const& author, std::optional<VersionVector> const& held) const {
    if (!held) return false;
    auto const actors = membership_->actors_of(author);
    return std::all_of(actors.begin(), actors.end(), [&](ActorId actor) {
        return held->at(actor) == vector_.at(actor);
    });
}

void Replica::find_inherited(std::vector<std::optional<VersionVector>> const& held) {
    inherited_.clear();
    inherited_among_ = membership_->digest();
    for (auto const& [site, by] : membership_->view().retired) {
        if (membership_->heir_of(site) != options_.identity.public_key) continue;
        bool const complete =
            std::all_of(held.begin(), held.end(), [&, &retired = site](auto& one) {
                return holds_all_of(retired, one);
            });
        if (!complete) continue;
        auto const actors = membership_->actors_of(site);
        inherited_.insert(inherited_.end(), actors.begin(), actors.end());
    }
}

Result<std::vector<SiteId>> Replica::may_know_more_of(SiteId const& retired) const {
    std::vector<SiteId> sites;
    for (Certificate const& site : membership_->sites()) {
        if (!acknowledges(site)) continue;
        INOS_TRY(auto const held, last_held_by(site.site));
        if (!holds_all_of(retired, held)) sites.push_back(site.site);
    }
    return sites;
}

std::vector<PurgeBlocker> Replica::purge_blockers() const {
    std::vector<PurgeBlocker> blockers;
    for (Certificate const& site : membership_->sites()) {
        if (!acknowledges(site) || site.site == options_.identity.public_key) continue;
        auto const ack = acknowledgements_.find(site.site);
        VersionVector const seen =
            ack == acknowledgements_.end() ? VersionVector() : ack->second.vector(*membership_);
        std::uint64_t missing = 0;
        for (auto const& [actor, seq] : vector_.items())
            missing += seq - std::min(seq, seen.at(actor));
        std::uint64_t const since = ack == acknowledgements_.end() ? 0 : ack->second.made_ms;
        if (missing > 0) blockers.push_back({site.site, site.name, missing, since});
    }
    return blockers;
}

// ---- purge --------------------------------------------------------------------------------------

Result<std::size_t> Replica::purge(std::size_t budget) {
    INOS_TRY(VersionVector const now_stable, stable());
    if (purge_from_.empty()) {
        if (now_stable == purged_with_) return std::size_t{0};
        purging_with_ = now_stable;
    }
    std::string const prefix = keys::meta_kind(options_.space, 'd');
    std::string from = purge_from_.empty() ? prefix : purge_from_;
    auto cursor = engine_.scan(Family::index, from, keys::meta_kind(options_.space, 'e'));
    Stage stage(*this);
    std::size_t looked = 0, purged = 0;
    for (; cursor->valid() && looked < budget; cursor->next(), ++looked) {
        auto const name = keys::indexed_record(cursor->key());
        if (!name) return fail(Errc::corruption, "a key in the index of deletions is malformed");
        INOS_TRY(Staged* const staged, stage.record({name->first, name->second}));
        if (staged->damaged) continue;  // waits for its repair
        Record left = staged->record;
        if (!inos::purge(left, purging_with_)) continue;
        INOS_TRY(bool const all_stable,
                 history_within({name->first, name->second}, staged->last, purging_with_));
        if (!all_stable) continue;
        // A row without cells stays for the history, as long as the log holds any of it.
        staged->gone = left.empty() && log_starts_.is_cut(staged->last);
        staged->record = std::move(left);
        staged->dirty = true;
        ++purged;
    }
    INOS_CHECK(cursor->status());
    purge_from_ = cursor->valid() ? std::string(cursor->key()) : std::string();
    if (purge_from_.empty()) purged_with_ = purging_with_;
    if (purged > 0) INOS_CHECK(write(stage, Durability::flushed));
    return purged;
}

// Under delete-wins our own delete that met a concurrent edit is made again, so that its marker
// covers the edit and the record can go one day.
Result<std::size_t> Replica::delete_again(std::size_t budget) {
    std::string const prefix = keys::meta_kind(options_.space, 'd');
    auto cursor = engine_.scan(Family::index,
                               again_from_.empty() ? prefix : again_from_,
                               keys::meta_kind(options_.space, 'e'));
    Transaction transaction{std::string(kUpkeepSource), {}};
    auto const* own_member = own_certificate();
    std::size_t looked = 0;
    for (; cursor->valid() && looked < budget; cursor->next(), ++looked) {
        auto const name = keys::indexed_record(cursor->key());
        if (!name) return fail(Errc::corruption, "a key in the index of deletions is malformed");
        if (schema(name->first).on_delete != DeletePolicy::delete_wins) continue;
        if (own_member && !own_member->may_write(collection_concerned(name->first, name->second)))
            continue;
        RecordName const record{name->first, name->second};
        if (is_erased(record)) continue;
        auto const stored = record_at(record);
        if (!stored && stored.error().code == Errc::corruption) continue;  // waits for its repair
        INOS_CHECK(stored);
        RecordState const state = state_of(*stored);
        if (!state.markers || !state.uncovered) continue;
        auto const markers = stored->at(kDeletePath);
        bool own = false;
        for (std::size_t i = markers.begin; i < markers.end; ++i)
            own = own || is_ours((*stored)[i].dot.actor);
        if (own) transaction.writes.push_back({Write::Kind::cover, record, {}, {}});
    }
    INOS_CHECK(cursor->status());
    again_from_ = cursor->valid() ? std::string(cursor->key()) : std::string();
    if (transaction.writes.empty() || !check_writable()) return std::size_t{0};
    auto results = commit({transaction});
    if (!results.front()) return tl::unexpected(results.front().error());
    return transaction.writes.size();
}

// ---- orphan edits -------------------------------------------------------------------------------

Result<std::vector<RecordView>> Replica::orphans(RecordName const& after,
                                                 std::string_view only,
                                                 std::size_t limit) const {
    std::vector<RecordView> found;
    auto const key_of = [this](std::string_view collection, std::string_view key) {
        return keys::index_record(options_.space, 'o', collection, key);
    };
    std::string from = keys::meta_kind(options_.space, 'o'),
                to = keys::meta_kind(options_.space, 'p');
    if (!only.empty()) {
        from = to = key_of(only, {});
        to.back() = '\1';  // the first key behind those of the collection
    }
    if (!after.collection.empty())
        from = std::max(from, key_of(after.collection, after.key) + '\0');
    auto cursor = engine_.scan(Family::index, from, to);
    for (; cursor->valid() && found.size() < limit; cursor->next()) {
        auto const key = keys::indexed_record(cursor->key());
        if (!key) return fail(Errc::corruption, "a key in the index of orphan edits is malformed");
        RecordName const name{key->first, key->second};
        auto const value =
            engine_.get(Family::records, keys::record(options_.space, name.collection, name.key));
        if (!value && value.error().code != Errc::corruption) return tl::unexpected(value.error());
        if (value && !*value) continue;
        auto const stored = value ? StoredRecord::decode(**value, name)
                                  : Result<StoredRecord>(tl::unexpected(value.error()));
        if (!stored) continue;  // waits for its repair
        found.push_back(view(name, *stored));
        found.back().collection = name.collection;
    }
    INOS_CHECK(cursor->status());
    return found;
}

Result<bool> Replica::is_orphan(RecordName const& name) const {
    std::string const key = keys::index_record(options_.space, 'o', name.collection, name.key);
    INOS_TRY(auto const listed, engine_.get(Family::index, key));
    return listed.has_value();
}

// ---- scrubbing ----------------------------------------------------------------------------------

Result<void> Replica::scrubbed(ScrubTicket const& ticket) {
    if (!unscrubbed_since_) return {};
    WriteBatch batch;
    std::string const key = keys::meta_kind(options_.space, 's');
    bool const all = ticket.erasing_writes == erasing_writes_;
    std::string bytes;
    ticket.vector.encode(bytes);
    if (all)
        batch.remove(Family::meta, key);
    else
        batch.put(Family::meta, key, std::move(bytes));
    INOS_CHECK(write_batch(batch, Durability::flushed));
    unscrubbed_since_ = all ? std::nullopt : std::optional(ticket.vector);
    return {};
}

// Up to where each member that acknowledges has left no byte of what was erased, by names.
std::vector<std::pair<std::string, VersionVector>> Replica::scrubbed_by_members() const {
    std::vector<std::pair<std::string, VersionVector>> members;
    for (Certificate const& site : membership_->sites()) {
        if (!acknowledges(site)) continue;
        auto const ack = acknowledgements_.find(site.site);
        VersionVector seen;
        if (site.site == options_.identity.public_key)
            seen = unscrubbed_since_.value_or(vector_);
        else if (ack != acknowledgements_.end())
            seen = ack->second.scrubbed ? *ack->second.scrubbed : ack->second.vector(*membership_);
        members.emplace_back(site.name, std::move(seen));
    }
    return members;
}

std::vector<ErasureStatus> Replica::erasure_status() const {
    std::vector<ErasureStatus> list;
    auto const scrubbed = scrubbed_by_members();
    for (auto const& [tag, erasure] : erasures_) {
        ErasureStatus status;
        status.tag = tag;
        status.collection = erasure.collection;
        auto const mark = engine_.get(
            Family::records,
            keys::record(options_.space, erasure.collection, keys::erased_key(crypto::view(tag))));
        RecordName const name{erasure.collection, {}};
        auto stored = mark && *mark ? StoredRecord::decode(**mark, name) : Result<StoredRecord>();
        bool const here = mark && *mark && stored && !stored->record.empty();
        if (here) {
            Cell const& cell = stored->record[0];
            status.time = cell.hlc;
            status.source = cell.source;
            if (auto const* author = membership_->by_actor(cell.dot.actor))
                status.site = author->name;
        }
        for (auto const& [member, seen] : scrubbed) {
            bool done = here;
            for (std::size_t i = 0; done && i < stored->record.cells().size(); ++i)
                done = seen.covers(stored->record[i].dot);
            (done ? status.done : status.waiting).push_back(member);
        }
        list.push_back(std::move(status));
    }
    return list;
}

}  // namespace inos
