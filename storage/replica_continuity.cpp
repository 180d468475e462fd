// How a replica goes on after it was opened: under its actor while that is certain, and under a new
// one otherwise. What tells is in storage/continuity.hpp.

#include <algorithm>

#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

constexpr std::size_t kEarlierMax = 256;

}  // namespace

Nonce Replica::fresh_nonce() const {
    Nonce random{};
    crypto::random_bytes(random.data(), random.size());
    std::string text = "inos nonce 1";
    text += crypto::view(random);
    put_u64(text, clock_.now_ms());
    put_u64(text, clock_.monotonic_ms());
    return crypto::hash16(text);
}

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

// Where there is no other site, there is nobody who could confirm anything, or know better.
EarlierActors Replica::earlier_actors() const {
    EarlierActors actors;
    bool const alone = membership_->sites().size() == 1;
    for (EarlierActor const& earlier : continuity_.earlier) {
        bool const certain = alone || earlier.left == Left::confirmed;
        (certain ? actors.certain : actors.trusted).push_back(earlier.actor);
    }
    if (inherited_among_ == membership_->digest() && is_only_life())
        actors.certain.insert(actors.certain.end(), inherited_.begin(), inherited_.end());
    return actors;
}

// Nobody else can have used what this site inherited: all that it was is known to its last entry.
bool Replica::is_only_life() const {
    if (doubt() != Doubt::none) return false;
    auto const own = membership_->actors_of(options_.identity.public_key);
    return std::all_of(own.begin(), own.end(), [&](ActorId actor) {
        auto const& earlier = continuity_.earlier;
        // Nobody writes under what an admin issues when it changes rights, only under what
        // continues that.
        bool const never_used = change_of(*membership_->by_actor(actor)).has_value();
        return actor == options_.actor || never_used ||
               std::any_of(earlier.begin(), earlier.end(), [&](EarlierActor const& left) {
                   return left.actor == actor && left.left == Left::confirmed;
               });
    });
}

Doubt Replica::doubt() const {
    return std::max(doubt_, suspicion_);
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

Result<void> Replica::expect_marker(MarkerNonce const& nonce) {
    ContinuityRecord record = continuity_;
    record.next = nonce;
    return change_record(std::move(record));
}

Result<void> Replica::record_marks(DirectoryMarks const& marks) {
    ContinuityRecord record = continuity_;
    record.keep_marks(marks, doubt_);
    options_.marks = marks;
    return change_record(std::move(record));
}

// That nothing more comes under our actor; empty if nothing did.
std::string Replica::end_of_actor() const {
    auto const own = actors_.find(options_.actor);
    if (own == actors_.end() || own->second.seq == 0) return {};
    ActorEnd const end{{options_.actor, own->second.seq, own->second.chain}};
    return state(membership_->space(), end, options_.identity);
}

// One synced write, before the first entry under the new actor: its certificate, that it is ours
// now, the signature of what the old one wrote last (nobody could forward it otherwise), and the
// marks of the directory in which all this happens.
Result<void> Replica::renew_actor() {
    std::uint64_t const now = clock_.now_ms();
    ContinuityRecord record = continuity_;
    record.renewals = recent_renewals(record.renewals, now);
    // An admin has changed the site's rights, and nothing else is the matter.
    bool const certain = doubt() == Doubt::none;
    bool const only_suspected = doubt_ == Doubt::none;
    if (!only_suspected && record.renewals.size() >= kRenewalsPerDay)
        return fail(Errc::unavailable,
                    "this site has taken " + std::to_string(kRenewalsPerDay) +
                        " new actors within a day and takes no more writes today, because " +
                        doubt_text(doubt_) +
                        "; start only one directory, on a file system that keeps inode numbers");
    if (!certain) (only_suspected ? suspicions_ms_ : record.renewals).push_back(now);
    // Rights of earlier actors may be used as long as nobody else can have used them. A peer has
    // to confirm that again: what it knew of was the life up to here.
    if (certain) {
        record.earlier.push_back({options_.actor, Left::confirmed});
    } else if (only_suspected || doubt_ == Doubt::rebooted) {
        for (EarlierActor& earlier : record.earlier)
            earlier.left = Left::trusted;
        record.earlier.push_back({options_.actor, Left::trusted});
    } else {
        record.another_life();
    }
    if (record.earlier.size() > kEarlierMax) record.earlier.erase(record.earlier.begin());
    record.doubt = Doubt::none;
    record.marks = options_.marks;

    Certificate next = *own_certificate();
    next.issuer = options_.identity.public_key;
    next.issuer_vv = {};
    next.issuer_vv.set(options_.actor, vector_.at(options_.actor));
    std::string const bytes = issue_following(std::move(next), fresh_nonce(), options_.identity);
    Membership with = *membership_;
    INOS_CHECK(with.add(bytes));
    std::string const end = certain ? end_of_actor() : std::string();
    if (!end.empty()) INOS_CHECK(with.add(end));
    INOS_TRY(Certificate const certificate, decode_certificate(bytes));
    Stage stage(*this);
    sign_head(stage);
    WriteBatch& batch = stage.batch_;
    for (auto const& [actor, state] : stage.actors_)
        batch.put(Family::meta, keys::meta(options_.space, 'a', actor), state.encode());
    std::string own;
    put_u64(own, certificate.actor.value);
    put_statement(batch, options_.space, bytes);
    if (!end.empty()) put_statement(batch, options_.space, end);
    batch.put(Family::meta, keys::meta_kind(options_.space, 'o'), std::move(own));
    put_record(batch, record);
    INOS_CHECK(write_batch(batch, Durability::synced));
    for (auto& [actor, state] : stage.actors_)
        actors_[actor] = std::move(state);
    membership_ = std::make_shared<Membership const>(std::move(with));
    options_.actor = certificate.actor;
    own_synced_ = 0;
    continuity_ = std::move(record);
    doubt_ = suspicion_ = Doubt::none;
    stable_known_ = false;
    return {};
}

// What this site can show of an actor. Foreign entries are held up to a signature; our own we sign.
Result<ActorHead> Replica::head_of(ActorId actor) const {
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
Result<bool> Replica::keep_fork(Fork const& fork) {
    if (forks_.contains(fork.actor)) return false;
    WriteBatch batch;
    batch.put(Family::meta, keys::meta(options_.space, 'f', fork.actor), fork.encode());
    ContinuityRecord record = continuity_;
    bool const current = fork.actor == options_.actor;
    if (is_ours(fork.actor)) record.another_life(current ? Doubt::forked : Doubt::none);
    put_record(batch, record);
    INOS_CHECK(write_batch(batch, Durability::synced));
    continuity_ = std::move(record);
    doubt_ = judge_continuity(continuity_, options_.marks);
    forks_.emplace(fork.actor, fork);
    return true;
}

// Said, but not shown: for as long as this run lasts, and so many times.
void Replica::suspect(Doubt doubt) {
    auto const today = recent_renewals(suspicions_ms_, clock_.now_ms());
    if (today.size() < kSuspicionsPerDay) suspicion_ = std::max(suspicion_, doubt);
}

Result<HeadComparison> Replica::compare_heads(std::vector<DepHead> const& theirs) {
    HeadComparison found;
    Doubt const before = doubt();
    bool another_life = false;
    std::vector<ActorId> same;  // of this site, up to the last entry
    for (DepHead const& head : theirs) {
        Seq const have = vector_.at(head.actor);
        bool const ours = is_ours(head.actor), current = head.actor == options_.actor;
        if (head.seq > have) {  // our head is for the peer to look at
            another_life = another_life || ours;
            if (current) suspect(Doubt::seen_more);
            continue;
        }
        INOS_TRY(auto const chain, chain_prefix_at({head.actor, head.seq}));
        if (!chain) continue;
        if (*chain != head.chain) {
            INOS_TRY(auto own, head_of(head.actor));
            found.forks.push_back({head.actor, head.seq, std::move(own)});
            another_life = another_life || ours;
            if (current) suspect(Doubt::forked);
        } else if (ours && head.seq == have) {
            same.push_back(head.actor);
        }
    }
    if (!another_life) INOS_CHECK(confirm(same, found));
    found.over = before == Doubt::none && doubt() != Doubt::none;
    return found;
}

// A peer holds the last entries of these actors of this site, and of no other more than we do.
Result<void> Replica::confirm(std::vector<ActorId> const& same, HeadComparison& found) {
    auto const is_same = [&same](ActorId actor) {
        return std::find(same.begin(), same.end(), actor) != same.end();
    };
    ContinuityRecord record = continuity_;
    for (EarlierActor& earlier : record.earlier)
        if (is_same(earlier.actor)) earlier.left = Left::confirmed;
    if (doubt_ == Doubt::rebooted && record.doubt == Doubt::none && is_same(options_.actor))
        record.marks = options_.marks;
    found.confirmed = record != continuity_;
    return change_record(std::move(record));
}

bool Replica::wants_confirmation() const {
    auto const& earlier = continuity_.earlier;
    return doubt_ == Doubt::rebooted ||
           std::any_of(earlier.begin(), earlier.end(), [](EarlierActor const& actor) {
               return actor.left == Left::trusted;
           });
}

// An actor that another life of this site has taken: its certificate comes from elsewhere.
void Replica::look_for_another_life(Certificate const& certificate,
                                    ContinuityRecord& record) const {
    bool const taken = certificate.site == options_.identity.public_key &&
                       certificate.issuer == certificate.site &&
                       certificate.actor != options_.actor;
    if (taken) record.another_life(doubt_ == Doubt::rebooted ? Doubt::seen_more : Doubt::none);
}

Result<ForkShown> Replica::add_fork(ActorId actor, Seq seq, ActorHead const& theirs) {
    auto const* author = membership_->by_actor(actor);
    bool const is_signed =
        author && 0 < seq && seq <= theirs.seq && theirs.seq <= kSeqMax &&
        crypto::verify(author->site,
                       head_statement(membership_->space(), {actor, theirs.seq}, theirs.chain),
                       theirs.signature);
    if (!is_signed) return fail(Errc::protocol, "the peer showed a fork that no author has signed");
    Seq const have = vector_.at(actor);
    if (have == 0) return ForkShown();
    INOS_TRY(auto ours, head_of(actor));
    // An entry behind ours may well follow on it, for all that can be seen here.
    if (theirs.seq > have) return ForkShown{{}, {{actor, std::min(seq, have), std::move(ours)}}};
    INOS_TRY(auto const same, is_on_chain({actor, theirs.seq}, theirs.chain));
    if (!same || *same) return ForkShown();
    INOS_TRY(bool const is_new, keep_fork({actor, seq, clock_.now_ms(), std::move(ours), theirs}));
    return ForkShown{{{forks_.at(actor), is_new}}, {}};
}

}  // namespace inos
