// Two sessions in a loop, without anything in between but the bytes of their messages. For tests;
// one thread.
#pragma once

#include <deque>

#include <gtest/gtest.h>

#include "net/session.hpp"
#include "net/wire/batch_codec.hpp"
#include "net/wire/codec.hpp"
#include "net/wire/state_codec.hpp"
#include "storage/keys.hpp"
#include "storage/log_retention.hpp"
#include "storage/record_repair.hpp"
#include "tests/support/broken_author.hpp"
#include "tests/support/space.hpp"

namespace inos::test {

inline constexpr std::uint64_t kWall = kTestNowMs;

inline std::shared_ptr<LocalState const> state_of(Site const& site) {
    return std::make_shared<LocalState const>(local_state(*site.replica));
}

// One side: a session and the replica below it; performs the session's actions.
class Side {
public:
    Side(Space& space, std::size_t index) : Side(space, index, index == 0 ? 1 : 0) {}
    Side(Space& space, std::size_t index, std::size_t peer)
        : space_(space),
          site_(space[index]),
          peer_(space[peer].keys.identity.public_key),
          session(space.id(), state_of(site_), 0) {
        perform(session.start(kWall));
    }

    void receive(std::string const& bytes) {
        bytes_in += bytes.size();
        auto message = value_of(wire::decode(bytes));
        if (std::holds_alternative<wire::Batch>(message)) ++batches_in;
        perform(session.received(std::move(message), now_ms, kWall));
    }
    void refresh() { perform(session.progress(state_of(site_), 0)); }
    void search() { perform(session.search(now_ms)); }
    void ask_states(std::vector<std::string> keys) {
        perform(session.ask_states(std::move(keys), now_ms));
    }
    void tick(std::uint64_t now) { perform(session.tick(now_ms = now)); }

    std::deque<std::string> out;
    std::size_t bytes_in = 0, batches_in = 0, applied = 0, alarms = 0, parts_in = 0;
    std::size_t compare_cost = 0;  // of each comparison, besides what it costs
    std::uint64_t now_ms = 0, answered_ms = 0;
    std::optional<session::Searched> found;
    std::optional<session::StatesCame> states;
    std::optional<Error> end;
    bool busy = false;               // taking a state from elsewhere
    std::optional<Errc> untakeable;  // why no part of a state can be taken

private:
    void perform(session::Actions actions) {
        for (auto& action : actions)
            std::visit([this](auto& a) { act(a); }, action);
    }
    void act(session::Send& send) { out.push_back(wire::encode(send.message)); }
    void act(session::Collect& collect) {
        perform(session.collected(collect_or_offer(*site_, peer_, collect, space_.id(), key_), 0));
    }
    void act(session::Apply& apply) {
        auto const batch = value_of(wire::open_batch(apply.batch, key_));
        auto report = *apply.refused
                          ? Result<ApplyReport>(tl::unexpected(no_room(site_->disk_status())))
                          : site_->apply(batch);
        if (report) applied += report->applied;
        *apply.refused = !report && report.error().code == Errc::no_space;
        auto back = *apply.refused ? std::optional(apply.batch) : std::nullopt;
        perform(session.applied(std::move(report), state_of(site_), now_ms, std::move(back)));
    }
    void act(session::AddStatements& add) {
        auto const added = value_of(site_->add_statements(add.statements));
        session.statements_added();
        if (added > 0) refresh();
    }
    void act(session::AddAcknowledgements& add) {
        auto const added = value_of(site_->add_acknowledgements(add.acknowledgements));
        session.statements_added();
        if (!added.empty()) refresh();
    }
    void act(session::RightsAsked&) {}
    void act(session::CompareHeads& compare) {
        perform(session.compared(site_->compare_heads(compare.heads), 0));
    }
    void act(session::AddFork& add) {
        perform(
            session.fork_added(site_->add_fork(add.fork.actor, add.fork.seq, add.fork.head), 0));
    }
    void act(session::AskState&) {
        perform(session.state_asked(busy ? std::nullopt : site_->state_ask(peer_), 0));
    }
    void act(session::GiveState& give) {
        auto part = site_->give_state(peer_, give.ask, {1 << 20, 7});
        perform(session.state_given(
            part ? Result<wire::StatePart>(wire::seal_state_part(space_.id(), key_, *part))
                 : Result<wire::StatePart>(tl::unexpected(part.error())),
            0));
    }
    void act(session::TakeState& take) {
        ++parts_in;
        auto const part = value_of(wire::open_state_part(take.part, key_));
        auto taken = untakeable ? Result<StateTaken>(fail(*untakeable, "as the test wants it"))
                                : site_->take_state(peer_, part);
        perform(session.state_taken(std::move(taken), state_of(site_), 0));
    }
    void act(session::StateFailed&) { site_->state_failed(peer_); }
    void act(session::RootsDiffer&) { ++alarms; }
    void act(session::AnswerRepair& answer) {
        answered_ms = now_ms;
        perform(session.repair_answered(answer_repair(*site_, answer.ask, true), now_ms));
    }
    void act(session::CompareRange& compare) {
        auto compared = compare_repair(*site_, compare.answer);
        if (compared) compared->looked += compare_cost;
        perform(session.range_compared(compare.answer, std::move(compared), now_ms));
    }
    void act(session::Searched& searched) { found = searched; }
    void act(session::StatesCame& came) { states = came; }
    void act(session::Close& close) { end = close.reason; }

    Space& space_;
    Site& site_;
    SiteId peer_;
    crypto::Secret key_;

public:
    Session session;
};

// Until neither side has anything to say. How many messages that took.
inline std::size_t converse(Side& a, Side& b) {
    std::size_t messages = 0;
    while (!a.out.empty() || !b.out.empty()) {
        Side& from = a.out.empty() ? b : a;
        std::string const bytes = std::move(from.out.front());
        from.out.pop_front();
        (&from == &a ? b : a).receive(bytes);
        ++messages;
    }
    return messages;
}

}  // namespace inos::test
