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
        alarm_forks(comparison->forks);
        if (comparison->over && comparison->forks.empty())
            handlers_.alarm(*this,
                            "has seen more of this site than this directory holds; the next write "
                            "goes on under a new actor");
    }
    perform(session_->compared(comparison, clock_.monotonic_ms()));
}

void Link::do_action(session::AddFork& action) {
    using Found = Result<std::optional<HeadComparison::Found>>;
    struct Outcome {
        Found found;
        std::shared_ptr<LocalState const> local;
    };
    auto work = [fork = action.fork](Replica& replica) {
        auto found = replica.add_fork(fork.actor, fork.seq, fork.head);
        return Outcome{std::move(found), std::make_shared<LocalState const>(local_state(replica))};
    };
    auto answer = [weak = weak_from_this(), moved = handlers_.moved](Outcome const& outcome) {
        if (outcome.found && *outcome.found) moved(outcome.local);
        auto const self = weak.lock();
        if (!self || self->ended_) return;
        if (outcome.found && *outcome.found) self->alarm_forks({**outcome.found});
        self->perform(self->session_->fork_added(outcome.found, self->clock_.monotonic_ms()));
    };
    store_.query(std::move(work), std::move(answer));
}

// Once for each: the sites meet again and again.
void Link::alarm_forks(std::vector<HeadComparison::Found> const& forks) {
    for (auto const& found : forks) {
        if (!found.is_new) continue;
        auto const* author = local_->membership->by_actor(found.fork.actor);
        handlers_.alarm(*this,
                        "two copies of the site \"" + (author ? author->name : "?") +
                            "\" have been writing as one, from entry " +
                            std::to_string(found.fork.seq) +
                            " or earlier on; both histories are kept, see `inos status`");
    }
}

}  // namespace inos
