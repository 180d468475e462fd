// What a session does about the continuity of actors (storage/continuity.hpp): it lets the peer
// confirm what we wrote last, and ends where two copies of a site have written.

#include <algorithm>
#include <utility>

#include "net/session.hpp"

namespace inos {

wire::Digest Session::own_digest() const {
    return wire::vector_digest(local_->vector, local_->chains);
}

// What the peer holds of this site's actors is what we hold, as far as it has said: it took our
// entries, or its digest is ours.
void Session::confirm(session::Actions& out) {
    if (!local_->wants_confirmation || comparing_ > 0 || fork_) return;
    auto const& own = local_->membership->by_actor(local_->actor)->site;
    auto const& held = local_->vector.items();
    std::vector<DepHead> heads;
    for (auto const& [actor, seq] : acknowledged_.items()) {
        auto const* certificate = local_->membership->by_actor(actor);
        Seq const have = local_->vector.at(actor);
        if (!certificate || certificate->site != own || seq < have) continue;
        // It took what was sent after our state here was looked at; the next one tells.
        if (seq > have) return;
        auto const at = std::lower_bound(held.begin(), held.end(), VersionVector::Item(actor, 0));
        heads.push_back({actor, seq, local_->chains[static_cast<std::size_t>(at - held.begin())]});
    }
    if (heads == confirmed_) return;
    confirmed_ = heads;
    compare(std::move(heads), out);
}

void Session::compare(std::vector<DepHead> heads, session::Actions& out) {
    ++comparing_;
    out.push_back(session::CompareHeads{std::move(heads)});
}

// Forks that came up since the hello, between third sites: the same entries by number, and yet not
// the same. Each side's vector, sent again, shows where.
void Session::look_for_forks(wire::Ack const& ack, session::Actions& out) {
    bool const same_numbers = acknowledged_ == local_->vector;
    confirm(out);
    if (ack.vector == own_digest()) return;
    if (!same_numbers || std::exchange(looked_for_forks_, true)) return;
    vector_sent_ = false;
    send_vector(out);
}

std::string Session::fork_text(ActorId actor, Seq seq) const {
    auto const* author = local_->membership->by_actor(actor);
    return "two copies of the site \"" + (author ? author->name : "?") +
           "\" have been writing as one, from entry " + std::to_string(seq) +
           " or earlier on: what the peer holds of it is not what this site holds. Both keep all "
           "they have, and exchange nothing; stop one of the copies and see `inos status`";
}

// Our side of it. The session ends when the peer has shown its own, or has not in time.
void Session::show_fork(HeadComparison::Unlike const& fork, session::Actions& out) {
    bool const more = forks_shown_.size() < kForksShownMax;
    if (more && forks_shown_.insert(fork.actor).second)
        out.push_back(session::Send{wire::Fork{space_, fork.actor, fork.seq, fork.ours}});
    if (fork_) return;
    fork_ = Error{Errc::unsupported, fork_text(fork.actor, fork.seq), {}};
    fork_ms_ = now_ms_;
}

session::Actions Session::compared(Result<HeadComparison> const& comparison, std::uint64_t now_ms) {
    session::Actions out;
    now_ms_ = now_ms;
    --comparing_;
    if (closed_) return out;
    // What it says of our continuity cannot be noted now; it is said again.
    if (!comparison && comparison.error().code == Errc::no_space) return out;
    if (!comparison) {
        close(comparison.error(), out);
        return out;
    }
    for (auto const& fork : comparison->forks)
        show_fork(fork, out);
    return out;
}

void Session::on(wire::Fork const& message, session::Actions& out) {
    bool const fits = take_in(adding_, kPendingStatementsMax, sizeof message);
    if (message.space != space_ || !fits)
        return close({Errc::protocol, "the peer sent more forks than can be looked at", {}}, out);
    out.push_back(session::AddFork{message});
}

session::Actions Session::fork_added(Result<ForkShown> const& shown, std::uint64_t now_ms) {
    session::Actions out;
    now_ms_ = now_ms;
    statements_added();
    if (closed_) return out;
    if (!shown) {
        close(shown.error(), out);
        return out;
    }
    if (shown->cannot) show_fork(*shown->cannot, out);
    if (!shown->found) return out;
    Fork const& fork = shown->found->fork;
    show_fork({fork.actor, std::min(fork.seq, fork.ours.seq), fork.ours}, out);
    close(*fork_, out);
    return out;
}

}  // namespace inos
