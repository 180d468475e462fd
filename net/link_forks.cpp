// The part of a link that carries out what a session wants to know about the continuity of actors.

#include <utility>

#include "net/link.hpp"

namespace inos {

void Link::do_action(session::CompareHeads& action) {
    struct Outcome {
        Result<HeadComparison> comparison;
        std::shared_ptr<LocalState const> local;
    };
    auto work = [heads = std::move(action.heads)](Replica& replica) {
        auto comparison = replica.compare_heads(heads);
        return Outcome{std::move(comparison),
                       std::make_shared<LocalState const>(local_state(replica))};
    };
    auto answer = [weak = weak_from_this(), moved = handlers_.moved](Outcome const& outcome) {
        bool const changed =
            outcome.comparison && (outcome.comparison->confirmed || outcome.comparison->over ||
                                   !outcome.comparison->forks.empty());
        if (changed) moved(outcome.local);
        auto const self = weak.lock();
        if (self && !self->ended_) self->on_compared(outcome.comparison);
    };
    store_.query(std::move(work), std::move(answer));
}

void Link::on_compared(Result<HeadComparison> const& comparison) {
    if (comparison) {
        if (comparison->over)
            handlers_.alarm(*this,
                            "says that it holds entries of this site that are not in this "
                            "directory; the next write goes on under a new actor");
    }
    perform(session_->compared(comparison, clock_.monotonic_ms()));
}

void Link::do_action(session::AddFork& action) {
    struct Outcome {
        Result<ForkShown> shown;
        std::shared_ptr<LocalState const> local;
    };
    auto work = [fork = action.fork](Replica& replica) {
        auto shown = replica.add_fork(fork.actor, fork.seq, fork.head);
        return Outcome{std::move(shown), std::make_shared<LocalState const>(local_state(replica))};
    };
    auto answer = [weak = weak_from_this(), moved = handlers_.moved](Outcome const& outcome) {
        bool const found = outcome.shown && outcome.shown->found;
        if (found) moved(outcome.local);
        auto const self = weak.lock();
        if (!self || self->ended_) return;
        if (found) self->alarm_fork(*outcome.shown->found);
        if (outcome.shown && outcome.shown->cannot)
            self->handlers_.unlike(*self, *outcome.shown->cannot);
        self->perform(self->session_->fork_added(outcome.shown, self->clock_.monotonic_ms()));
    };
    store_.query(std::move(work), std::move(answer));
}

// Once: the sites meet again and again.
void Link::alarm_fork(HeadComparison::Found const& found) {
    if (!found.is_new) return;
    auto const* author = local_->membership->by_actor(found.fork.actor);
    handlers_.alarm(*this,
                    "two copies of the site \"" + (author ? author->name : "?") +
                        "\" have been writing as one, from entry " +
                        std::to_string(found.fork.seq) +
                        " or earlier on; both histories are kept, see `inos status`");
}

}  // namespace inos
