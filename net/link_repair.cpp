// The part of a link that lets the store answer a peer's questions about its records, and compare
// its answers with what is held here.

#include <utility>

#include "net/link.hpp"

namespace inos {

// Who may not read, because it has not got the key that entries are sealed with, gets no answer.
void Link::do_action(session::AnswerRepair& action) {
    bool const may_read =
        !local_->keys->empty() && local_->membership->was_given(*site_, local_->keys->sealing());
    auto work = [ask = std::move(action.ask), may_read](Replica& replica) {
        return answer_repair(replica, ask, may_read);
    };
    store_.query(std::move(work), [weak = weak_from_this()](Result<RepairAnswered> made) {
        auto const self = weak.lock();
        if (self && !self->ended_)
            self->perform(
                self->session_->repair_answered(std::move(made), self->clock_.monotonic_ms()));
    });
}

void Link::do_action(session::CompareRange& action) {
    struct Outcome {
        wire::RepairAnswer answer;
        Result<RangeDifferences> found;
    };
    auto work = [answer = std::move(action.answer)](Replica& replica) mutable {
        auto found = compare_repair(replica, answer);
        return Outcome{std::move(answer), std::move(found)};
    };
    store_.query(std::move(work), [weak = weak_from_this()](Outcome made) {
        auto const self = weak.lock();
        if (!self || self->ended_) return;
        self->perform(self->session_->range_compared(
            made.answer, std::move(made.found), self->clock_.monotonic_ms()));
    });
}

void Link::do_action(session::Searched& action) {
    handlers_.searched(*this, std::move(action));
}

void Link::do_action(session::StatesCame& action) {
    handlers_.states_came(*this, std::move(action));
}

void Link::search() {
    if (session_ && !ended_) perform(session_->search(clock_.monotonic_ms()));
}

void Link::ask_states(std::vector<std::string> keys) {
    if (session_ && !ended_) perform(session_->ask_states(std::move(keys), clock_.monotonic_ms()));
}

}  // namespace inos
