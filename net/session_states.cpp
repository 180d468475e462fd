// What a session does where entries are not the way: the peer lacks some that were cut from the log
// here, or so many that the records are less. It is offered the state (storage/state_transfer.hpp)
// and asks for it, part after part, one at a time; meanwhile everything else goes on.

#include <algorithm>
#include <utility>

#include "net/session.hpp"
#include "net/wire/state_codec.hpp"

namespace inos {
namespace {

// What speaks against a state between two sites, and not against their session.
bool is_of_states(Errc code) {
    return code == Errc::conflict || code == Errc::too_large || code == Errc::forbidden ||
           code == Errc::unavailable;
}

}  // namespace

// Whoever may not write everything could say more in a state than by entries.
bool Session::may_give_states() const {
    auto const* own = local_->membership->by_actor(local_->actor);
    auto const* now = own ? local_->membership->by_site(own->site) : nullptr;
    return now && (now->role == Role::admin || (now->role == Role::writer && now->scope.empty()));
}

bool Session::state_is_less() const {
    if (no_states_ || !may_give_states()) return false;
    std::uint64_t missing = 0;
    for (auto const& [actor, seq] : local_->vector.items())
        missing += seq - std::min(seq, theirs_.at(actor));
    return missing > kStateEntriesMin + 2 * local_->records;
}

// No entries go until the peer has moved, by what we give it or by what others do. Where we may
// give nothing all else goes on: what the peer has comes here, and is acknowledged.
void Session::offer_state(session::Actions& out) {
    offered_ = true;
    offer_ms_ = now_ms_;
    if (!may_give_states()) return;
    out.push_back(session::Send{wire::StateOffer{space_}});
}

void Session::on(wire::StateOffer const& message, session::Actions& out) {
    if (message.space != space_)
        return close({Errc::protocol, "the peer offered a state of another space", {}}, out);
    if (asking_state_ || taking_ || fork_ || no_states_) return;
    asking_state_ = true;
    state_ask_ms_ = now_ms_;
    out.push_back(session::AskState{});
}

session::Actions Session::state_asked(std::optional<inos::StateAsk> const& ask,
                                      std::uint64_t now_ms) {
    session::Actions out;
    now_ms_ = now_ms;
    if (closed_) return out;
    if (!ask) {  // one arrives from elsewhere; the peer offers its own again
        asking_state_ = false;
        return out;
    }
    state_ask_ms_ = now_ms_;
    out.push_back(session::Send{
        wire::StateAsk{space_, ask->id, ask->after, wire::encode_state_heads(ask->heads)}});
    return out;
}

// One at a time, and only where a state was offered: it costs more than other questions.
void Session::on(wire::StateAsk const& message, session::Actions& out) {
    auto heads = wire::decode_state_heads(message.heads);
    bool const sound =
        message.space == space_ && heads && heads->size() <= local_->table.actors.size();
    if (!sound)
        return close({Errc::protocol, "the peer asked for a state that cannot be read", {}}, out);
    if (!offered_ || giving_ || !may_give_states()) return;
    giving_ = true;
    out.push_back(session::GiveState{{message.id, message.after, *std::move(heads)}});
}

session::Actions Session::state_given(Result<wire::StatePart> part, std::uint64_t now_ms) {
    session::Actions out;
    now_ms_ = now_ms;
    giving_ = false;
    if (closed_) return out;
    if (part) {
        offer_ms_ = now_ms_;
        out.push_back(session::Send{*std::move(part)});
    } else if (!is_of_states(part.error().code)) {
        close(part.error(), out);
    }
    return out;
}

void Session::on(wire::StatePart message, session::Actions& out) {
    if (message.space != space_)
        return close({Errc::protocol, "the peer sent a state of another space", {}}, out);
    if (!asking_state_ || taking_ || fork_) return;
    if (pending_bytes_ + message.sealed.size() > kPendingBytesMax)
        return close({Errc::protocol, "the peer sent more than can be looked at", {}}, out);
    taking_ = true;
    taking_bytes_ = message.sealed.size();
    pending_bytes_ += taking_bytes_;
    out.push_back(session::TakeState{std::move(message)});
}

session::Actions Session::state_taken(Result<bool> taken,
                                      std::shared_ptr<LocalState const> local,
                                      std::uint64_t now_ms) {
    session::Actions out = progress(std::move(local), now_ms);
    taking_ = false;
    pending_bytes_ -= taking_bytes_;
    if (closed_) return out;
    if (!taken && is_of_states(taken.error().code)) {
        asking_state_ = false;
        no_states_ = no_states_ || taken.error().code != Errc::unavailable;
    } else if (!taken) {
        close(taken.error(), out);
    } else if (*taken) {
        asking_state_ = false;
        tell_moved(out);
    } else {
        out.push_back(session::AskState{});
    }
    return out;
}

// What was not answered, because of a lack of keys or of time. Whatever keeps a state that was
// offered from coming about, here or there: entries are tried again, from now on wherever the log
// reaches; where it does not, the state is offered again.
void Session::tick_states(session::Actions& out) {
    if (offered_ && !giving_ && may_give_states() && now_ms_ > offer_ms_ + 2 * kStatePatienceMs) {
        no_states_ = true;
        offered_ = false;
        maybe_collect(out);
    }
    if (!asking_state_ || taking_ || now_ms_ <= state_ask_ms_ + kStatePatienceMs) return;
    state_ask_ms_ = now_ms_;
    out.push_back(session::AskState{});
}

}  // namespace inos
