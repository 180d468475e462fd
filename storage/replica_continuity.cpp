// How a replica goes on after it was opened: under its actor while that is certain, and under a new
// one otherwise. What tells is in storage/continuity.hpp.

#include <algorithm>

#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

constexpr std::size_t kEarlierMax = 256;

// Differs between two copies of one machine, even where their random numbers do not.
std::array<std::uint8_t, 16> fresh_nonce(Clock const& clock) {
    std::array<std::uint8_t, 16> random{};
    crypto::random_bytes(random.data(), random.size());
    std::string text = "inos nonce 1";
    text += crypto::view(random);
    put_u64(text, clock.now_ms());
    put_u64(text, clock.monotonic_ms());
    return crypto::hash16(text);
}

}  // namespace

bool Replica::is_ours(ActorId actor) const {
    auto const* certificate = membership_->by_actor(actor);
    return certificate && certificate->site == options_.identity.public_key;
}

std::vector<ChainPrefix> Replica::chains() const {
    std::vector<ChainPrefix> chains;
    chains.reserve(vector_.items().size());
    for (auto const& [actor, seq] : vector_.items())
        chains.push_back(chain_prefix(actors_.at(actor).chain));
    return chains;
}

EarlierActors Replica::earlier_actors() const {
    EarlierActors actors;
    for (EarlierActor const& earlier : continuity_.earlier) {
        if (earlier.left == Left::confirmed) actors.certain.push_back(earlier.actor);
        if (earlier.left == Left::trusted) actors.trusted.push_back(earlier.actor);
    }
    return actors;
}

Result<void> Replica::load_continuity() {
    INOS_TRY(auto const bytes, engine_.get(Family::meta, keys::meta_kind(options_.space, 'm')));
    if (bytes) {
        auto record = ContinuityRecord::decode(*bytes);
        if (!record)
            return fail(Errc::corruption, "what is stored about this directory cannot be read");
        continuity_ = *std::move(record);
    }
    doubt_ = judge_continuity(continuity_, options_.marks);
    std::string const from = keys::meta_kind(options_.space, 'f');
    auto cursor = engine_.scan(Family::meta, from, keys::meta_kind(options_.space, 'g'));
    for (; cursor->valid(); cursor->next()) {
        Reader key(cursor->key().substr(from.size()));
        ActorId const actor{key.u64()};
        auto fork = Fork::decode(actor, cursor->value());
        if (!fork || !key.finished())
            return fail(Errc::corruption, "the stored evidence of a fork cannot be read");
        forks_.emplace(actor, *std::move(fork));
    }
    return cursor->status();
}

void Replica::put_record(WriteBatch& batch, ContinuityRecord const& record) const {
    batch.put(Family::meta, keys::meta_kind(options_.space, 'm'), record.encode());
}

Result<void> Replica::change_record(ContinuityRecord record) {
    if (record == continuity_) return {};
    WriteBatch batch;
    put_record(batch, record);
    INOS_CHECK(write_batch(batch, Durability::synced));
    continuity_ = std::move(record);
    doubt_ = judge_continuity(continuity_, options_.marks);
    return {};
}

Result<void> Replica::record_marks(DirectoryMarks const& marks) {
    INOS_ASSERT(doubt_ == Doubt::none);
    ContinuityRecord record = continuity_;
    record.marks = marks;
    options_.marks = marks;
    return change_record(std::move(record));
}

// One synced write, before the first entry under the new actor: its certificate, that it is ours
// now, the signature of what the old one wrote last (nobody could forward it otherwise), and the
// marks of the directory in which all this happens.
Result<void> Replica::renew_actor() {
    std::uint64_t const now = clock_.now_ms();
    ContinuityRecord record = continuity_;
    record.renewals = recent_renewals(record.renewals, now);
    if (record.renewals.size() >= kRenewalsPerDay)
        return fail(Errc::unavailable,
                    "this site has taken " + std::to_string(kRenewalsPerDay) +
                        " new actors within a day and takes no more writes today, because " +
                        doubt_text(doubt_) +
                        "; start only one directory, on a file system that keeps inode numbers");
    record.renewals.push_back(now);
    if (doubt_ == Doubt::rebooted) record.earlier.push_back({options_.actor, Left::trusted});
    if (record.earlier.size() > kEarlierMax) record.earlier.erase(record.earlier.begin());
    record.doubt = Doubt::none;
    record.marks = options_.marks;

    Certificate next = *membership_->by_actor(options_.actor);
    next.issuer = options_.identity.public_key;
    next.issuer_vv = vector_;
    std::string const bytes =
        issue_continuation(std::move(next), fresh_nonce(clock_), options_.identity);
    Membership with = *membership_;
    INOS_CHECK(with.add(bytes));
    INOS_TRY(Certificate const certificate, decode_certificate(bytes));
    Stage stage(*this);
    sign_head(stage);
    WriteBatch& batch = stage.batch_;
    for (auto const& [actor, state] : stage.actors_)
        batch.put(Family::meta, keys::meta(options_.space, 'a', actor), state.encode());
    std::string own;
    put_u64(own, certificate.actor.value);
    batch.put(Family::meta, keys::meta(options_.space, 'c', certificate.actor), bytes);
    batch.put(Family::meta, keys::meta_kind(options_.space, 'o'), std::move(own));
    put_record(batch, record);
    INOS_CHECK(write_batch(batch, Durability::synced));
    for (auto& [actor, state] : stage.actors_)
        actors_[actor] = std::move(state);
    membership_ = std::make_shared<Membership const>(std::move(with));
    options_.actor = certificate.actor;
    own_synced_ = 0;
    continuity_ = std::move(record);
    doubt_ = Doubt::none;
    stable_known_ = false;
    return {};
}

// What this site can show of an actor. Foreign entries are held up to a signature; our own we sign.
Result<ActorHead> Replica::own_side(ActorId actor) {
    ActorState const& state = actors_.at(actor);
    ActorHead head{state.seq, state.chain, {}};
    if (is_ours(actor)) {
        head.signature = sign_own({actor, state.seq}, state.chain);
        return head;
    }
    INOS_TRY(auto const stored,
             engine_.get(Family::log, keys::signature(options_.space, {actor, state.seq})));
    if (!stored || stored->size() != head.signature.size())
        return tl::unexpected(corrupt_entry({actor, state.seq}));
    std::copy(stored->begin(), stored->end(), head.signature.begin());
    return head;
}

// True: it was not known.
Result<bool> Replica::keep_fork(Fork fork) {
    auto const known = forks_.find(fork.actor);
    if (known != forks_.end() && (known->second.theirs || !fork.theirs)) return false;
    bool const is_new = known == forks_.end();
    if (!is_new) fork.found_ms = known->second.found_ms;
    WriteBatch batch;
    batch.put(Family::meta, keys::meta(options_.space, 'f', fork.actor), fork.encode());
    ContinuityRecord record = continuity_;
    if (fork.actor == options_.actor) record.doubt = Doubt::forked;
    put_record(batch, record);
    INOS_CHECK(write_batch(batch, Durability::synced));
    continuity_ = std::move(record);
    doubt_ = judge_continuity(continuity_, options_.marks);
    forks_.insert_or_assign(fork.actor, std::move(fork));
    return is_new;
}

Result<HeadComparison> Replica::compare_heads(std::vector<DepHead> const& theirs) {
    HeadComparison found;
    ContinuityRecord record = continuity_;
    Doubt const before = doubt_;
    for (DepHead const& head : theirs) {
        Seq const have = vector_.at(head.actor);
        bool const current = head.actor == options_.actor;
        if (current && head.seq > have) record.doubt = std::max(record.doubt, Doubt::seen_more);
        if (head.seq == 0 || head.seq > have) continue;  // ours is for the peer to look at
        INOS_TRY(auto const chain, chain_at({head.actor, head.seq}));
        if (!chain) continue;
        if (chain_prefix(*chain) != head.chain) {
            Fork fork{head.actor, head.seq, clock_.now_ms(), {}, std::nullopt};
            INOS_TRY(fork.ours, own_side(head.actor));
            INOS_TRY(bool const is_new, keep_fork(fork));
            found.forks.push_back({forks_.at(head.actor), is_new});
            record.doubt = continuity_.doubt;
            continue;
        }
        if (head.seq != have) continue;
        if (current && doubt_ == Doubt::rebooted && record.doubt == Doubt::none) {
            record.marks = options_.marks;
            found.confirmed = true;
        }
        for (EarlierActor& earlier : record.earlier)
            if (earlier.actor == head.actor && earlier.left == Left::trusted)
                earlier.left = Left::confirmed;
    }
    INOS_CHECK(change_record(std::move(record)));
    found.over = before != doubt_ && doubt_ != Doubt::none;
    return found;
}

bool Replica::wants_confirmation() const {
    return doubt_ == Doubt::rebooted || !earlier_actors().trusted.empty();
}

Result<std::optional<HeadComparison::Found>> Replica::add_fork(ActorId actor,
                                                               Seq seq,
                                                               ActorHead const& theirs) {
    auto const* author = membership_->by_actor(actor);
    bool const is_signed =
        author && theirs.seq > 0 && theirs.seq <= kSeqMax &&
        crypto::verify(author->site,
                       head_statement(membership_->space(), {actor, theirs.seq}, theirs.chain),
                       theirs.signature);
    if (!is_signed) return fail(Errc::protocol, "the peer showed a fork that no author has signed");
    // What was signed is what is held here: this is no fork.
    INOS_TRY(auto const chain, chain_at({actor, theirs.seq}));
    bool const none = vector_.at(actor) == 0 || (chain && *chain == theirs.chain);
    if (none) return std::optional<HeadComparison::Found>();
    Fork fork{actor, seq, clock_.now_ms(), {}, theirs};
    INOS_TRY(fork.ours, own_side(actor));
    INOS_TRY(bool const is_new, keep_fork(std::move(fork)));
    return std::optional(HeadComparison::Found{forks_.at(actor), is_new});
}

}  // namespace inos
