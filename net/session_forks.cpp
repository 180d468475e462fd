// What a session does about the continuity of actors (storage/continuity.hpp): it lets the peer
// confirm what we wrote last, and ends where two copies of a site have written.

#include <algorithm>
#include <utility>

#include "net/session.hpp"

namespace inos {

wire::Digest Session::own_digest() const {
    return wire::vector_digest(local_->vector, local_->chains);
}

// The peer holds what we do: what we wrote last is among it.
void Session::confirm(session::Actions& out) const {
    if (!local_->wants_confirmation) return;
    auto heads = wire::decode_heads(local_->vector, wire::encode_chains(local_->chains));
    if (heads) out.push_back(session::CompareHeads{*std::move(heads)});
}

// Forks that came up since the hello, between third sites: the same entries by number, and yet not
// the same. Each side's vector, sent again, shows where.
void Session::look_for_forks(wire::Ack const& ack, session::Actions& out) {
    bool const same_numbers = acknowledged_ == local_->vector;
    if (ack.vector == own_digest()) return confirm(out);
    if (!same_numbers || std::exchange(looked_for_forks_, true)) return;
    vector_sent_ = false;
    send_vector(out);
}

std::string Session::fork_text(Fork const& fork) const {
    auto const* author = local_->membership->by_actor(fork.actor);
    return "two copies of the site \"" + (author ? author->name : "?") +
           "\" have been writing as one, from entry " + std::to_string(fork.seq) +
           " or earlier on: what the peer holds of it is not what this site holds. Both keep all "
           "they have, and exchange nothing; stop one of the copies and see `inos status`";
}

// Our side of it. The session ends when the peer has shown its own, or has not in time.
void Session::show_fork(Fork const& fork, session::Actions& out) {
    bool const more = forks_shown_.size() < kForksShownMax;
    if (more && forks_shown_.insert(fork.actor).second)
        out.push_back(session::Send{wire::Fork{space_, fork.actor, fork.seq, fork.ours}});
    if (fork_) return;
    fork_ = Error{Errc::unsupported, fork_text(fork), {}};
    fork_ms_ = now_ms_;
}

session::Actions Session::compared(Result<HeadComparison> const& comparison, std::uint64_t now_ms) {
    session::Actions out;
    now_ms_ = now_ms;
    if (closed_) return out;
    if (!comparison) {
        close(comparison.error(), out);
        return out;
    }
    for (auto const& found : comparison->forks)
        show_fork(found.fork, out);
    return out;
}

void Session::on(wire::Fork const& message, session::Actions& out) {
    bool const fits = take_in(adding_, kPendingCertificatesMax, sizeof message);
    if (message.space != space_ || !fits)
        return close({Errc::protocol, "the peer sent more forks than can be looked at", {}}, out);
    out.push_back(session::AddFork{message});
}

session::Actions Session::fork_added(Result<std::optional<HeadComparison::Found>> const& found,
                                     std::uint64_t now_ms) {
    session::Actions out;
    now_ms_ = now_ms;
    certificates_added();
    if (closed_) return out;
    if (!found) {
        close(found.error(), out);
        return out;
    }
    if (!*found) return out;
    show_fork((*found)->fork, out);
    close(*fork_, out);
    return out;
}

}  // namespace inos
