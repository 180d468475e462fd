// The part of a link that carries out what a session wants to know about states.

#include <utility>

#include "net/link.hpp"
#include "net/wire/state_codec.hpp"

namespace inos {

void Link::do_action(session::AskState&) {
    auto work = [peer = *site_](Replica& replica) { return replica.state_ask(peer); };
    store_.query(std::move(work), [weak = weak_from_this()](std::optional<StateAsk> const& ask) {
        auto const self = weak.lock();
        if (!self || self->ended_) return;
        auto const now = self->clock_.monotonic_ms();
        self->perform(self->session_->state_asked(ask, now));
    });
}

// As with entries: nothing goes to a peer that has not been given the key.
void Link::do_action(session::GiveState& action) {
    auto const none = [] { return fail(Errc::unavailable, "the peer has not got the key yet"); };
    if (local_->keys->empty() || !local_->membership->was_given(*site_, local_->keys->sealing()))
        return perform(session_->state_given(none(), clock_.monotonic_ms()));
    auto work = [ask = std::move(action.ask),
                 peer = *site_,
                 space = options_.space,
                 key = local_->keys->sealing_key()](Replica& replica) -> Result<wire::StatePart> {
        INOS_CHECK(replica.check_member(peer));
        INOS_TRY(StatePart const part, replica.give_state(peer, ask));
        return wire::seal_state_part(space, key, part);
    };
    store_.query(std::move(work), [weak = weak_from_this()](Result<wire::StatePart> part) {
        auto const self = weak.lock();
        if (!self || self->ended_) return;
        auto const now = self->clock_.monotonic_ms();
        if (!part) self->tell_damage(part.error());
        self->perform(self->session_->state_given(std::move(part), now));
    });
}

// What keeps a site from a state that it needs is told, once a link.
void Link::tell_damage(Error const& error) {
    if (error.code == Errc::corruption && !std::exchange(damage_told_, true))
        handlers_.alarm(*this, error.message);
}

void Link::do_action(session::StateFailed&) {
    store_.query(
        [peer = *site_](Replica& replica) {
            replica.state_failed(peer);
            return true;
        },
        [](bool) {});
}

void Link::do_action(session::TakeState& action) {
    struct Outcome {
        Result<StateTaken> taken;
        std::shared_ptr<LocalState const> local;
    };
    auto work = [part = std::move(action.part), peer = *site_](Replica& replica) {
        auto const run = [&]() -> Result<StateTaken> {
            INOS_CHECK(replica.check_member(peer));
            auto const* key = replica.keys()->find(part.key_id);
            if (!key)
                return fail(Errc::unavailable, "the peer seals with a key that is not here yet");
            INOS_TRY(StatePart const opened, wire::open_state_part(part, *key));
            return replica.take_state(peer, opened);
        };
        auto taken = run();
        return Outcome{std::move(taken), std::make_shared<LocalState const>(local_state(replica))};
    };
    auto answer = [weak = weak_from_this(), moved = handlers_.moved](Outcome outcome) {
        auto const self = weak.lock();
        if (!self || self->ended_) return moved(outcome.local);
        self->local_ = outcome.local;
        auto const now = self->clock_.monotonic_ms();
        if (!outcome.taken) self->tell_damage(outcome.taken.error());
        self->perform(self->session_->state_taken(std::move(outcome.taken), outcome.local, now));
        moved(outcome.local);
        if (!self->ended_) self->handlers_.changed(*self);
    };
    store_.query(std::move(work), std::move(answer));
}

}  // namespace inos
