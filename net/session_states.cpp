// What a session does where entries are not the way: the peer lacks some that were cut from the log
// here, or so many that the records are less. It is offered the state (storage/state_transfer.hpp)
// and asks for it, part after part, one at a time; meanwhile everything else goes on.

#include <algorithm>
#include <utility>

#include "net/session.hpp"
#include "net/wire/batch_codec.hpp"
#include "net/wire/state_codec.hpp"

namespace inos {
namespace {

// What speaks against a state between two sites, and not against their session.
bool is_of_states(Errc code) {
    return code == Errc::conflict || code == Errc::too_large || code == Errc::forbidden ||
           code == Errc::unavailable || code == Errc::unsupported || code == Errc::corruption ||
           code == Errc::no_space;
}

}  // namespace

Result<Session::Collected> collect_or_offer(Replica& replica,
                                            SiteId const& peer,
                                            session::Collect const& wanted,
                                            SpaceId const& space,
                                            crypto::Secret const& key) {
    auto const preferred = [&](bool gone) {
        return replica.prefers_state(peer, wanted.theirs, gone);
    };
    Session::Collected offer;
    offer.offer_state = true;
    INOS_TRY(bool const less, wanted.may_offer ? preferred(false) : Result<bool>(false));
    if (less) return offer;
    auto const batch = replica.collect(wanted.theirs, wanted.target_bytes);
    if (!batch && batch.error().code == Errc::gone) {
        INOS_TRY(bool const can, preferred(true));
        if (can) return offer;
    }
    if (!batch) return tl::unexpected(batch.error());
    return Session::Collected{
        wire::seal_batch(space, key, *batch), batch->weight(), batch->entries()};
}

// No entries go until the peer has moved, by what we give it or by what others do. Where we can
// give nothing all else goes on: what the peer has comes here, and is acknowledged.
void Session::offer_state(bool can, session::Actions& out) {
    offered_ = true;
    can_give_ = can;
    offer_ms_ = now_ms_;
    if (can) out.push_back(session::Send{wire::StateOffer{space_}});
}

void Session::on(wire::StateOffer const& message, session::Actions& out) {
    if (message.space != space_)
        return close({Errc::protocol, "the peer offered a state of another space", {}}, out);
    if (asking_state_ || taking_ || fork_) return;
    asking_state_ = true;
    ask_state(out);
}

void Session::ask_state(session::Actions& out) {
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
    if (!offered_ || giving_ || !can_give_) return;
    giving_ = true;
    out.push_back(session::GiveState{{message.id, message.after, *std::move(heads)}});
}

session::Actions Session::state_given(Result<wire::StatePart> part, std::uint64_t now_ms) {
    session::Actions out;
    now_ms_ = now_ms;
    giving_ = false;
    if (closed_) return out;
    if (part) {
        // The next question comes when it is there.
        offer_ms_ = now_ms_ + part->sealed.size() / kStateBytesPerMs;
        out.push_back(session::Send{*std::move(part)});
    } else if (!is_of_states(part.error().code)) {
        close(part.error(), out);
    }  // else the offer runs out: whoever asks at once again keeps nobody busy
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

session::Actions Session::state_taken(Result<StateTaken> taken,
                                      std::shared_ptr<LocalState const> local,
                                      std::uint64_t now_ms) {
    session::Actions out = progress(std::move(local), now_ms);
    taking_ = false;
    pending_bytes_ -= taking_bytes_;
    if (closed_) return out;
    if (!taken && taken.error().code == Errc::no_space) {
        // It is asked for again when there is room.
    } else if (!taken && is_of_states(taken.error().code)) {
        asking_state_ = false;
    } else if (!taken) {
        close(taken.error(), out);
    } else if (*taken == StateTaken::in_force) {
        asking_state_ = false;
        tell_moved(out);
    } else if (*taken == StateTaken::more) {
        state_patience_ms_ = std::max(kStatePatienceMs, 2 * (now_ms_ - state_ask_ms_));
        ask_state(out);
    }  // stale: the answer to the last question is still on its way
    return out;
}

// Entries are tried again, from now on wherever the log reaches; where it does not, the state is
// offered again.
void Session::give_up_state(session::Actions& out) {
    offered_ = false;
    out.push_back(session::StateFailed{});
    maybe_collect(out);
}

// What was not answered, because of a lack of keys or of time, and whatever keeps a state that was
// offered from coming about, here or there. A part takes its time on a slow line.
void Session::tick_states(session::Actions& out) {
    bool const unanswered = offered_ && can_give_ && !giving_ && peer_has_room_;
    if (unanswered && now_ms_ > offer_ms_ + kStateOfferMs) give_up_state(out);
    if (!local_->has_room) return;
    if (!asking_state_ || taking_ || now_ms_ <= state_ask_ms_ + state_patience_ms_) return;
    if (state_patience_ms_ < kStatePatienceMaxMs) state_patience_ms_ *= 2;
    ask_state(out);
}

}  // namespace inos
