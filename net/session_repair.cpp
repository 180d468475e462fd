// What a session does when both sites hold the same entries and not the same records: it asks for
// sums to find those that differ, and for what the peer holds of them. Each side does so for
// itself; who begins, and what becomes of the answers, is for the owner (net/peer_repair.cpp).

#include <algorithm>
#include <utility>

#include "net/session.hpp"

namespace inos {

bool Session::can_search() const {
    return !closed_ && !search_ && !asked_states_ && !ask_open_ && peer_repairs_ && !fork_ &&
           roots_differ();
}

session::Actions Session::search(std::uint64_t now_ms) {
    session::Actions out;
    now_ms_ = now_ms;
    if (!can_search()) return out;
    search_.emplace();
    search_ms_ = heard_ms_ = now_ms;
    ask_next(out);
    return out;
}

session::Actions Session::ask_states(std::vector<std::string> keys, std::uint64_t now_ms) {
    session::Actions out;
    now_ms_ = now_ms;
    if (closed_) return out;
    if (search_ || asked_states_ || ask_open_ || !peer_repairs_) {
        out.push_back(session::StatesCame{});
        return out;
    }
    asked_states_.emplace();
    asked_states_->space = space_;
    asked_states_->keys = std::move(keys);
    search_ms_ = heard_ms_ = now_ms;
    ask(*asked_states_, out);
    return out;
}

void Session::ask(wire::RepairAsk ask, session::Actions& out) {
    ask.vector = own_digest();
    ask.root = local_->root.bytes();
    ask_open_ = true;
    again_ms_ = 0;
    out.push_back(session::Send{std::move(ask)});
}

void Session::ask_next(session::Actions& out) {
    auto next = search_->next(space_);
    if (!next) return end_search(!search_->cut(), out);
    ask(*std::move(next), out);
}

void Session::end_search(bool whole, session::Actions& out) {
    if (search_)
        out.push_back(session::Searched{std::move(search_->keys()), whole});
    else if (asked_states_)
        out.push_back(session::StatesCame{});
    search_.reset();
    asked_states_.reset();
    again_ms_ = 0;
}

// An answer that does not come for long is not waited for, but nothing else is asked before it has
// come: a slow peer answers one question at a time.
void Session::tick_repair(session::Actions& out) {
    bool const under_way = search_ || asked_states_;
    bool const late =
        now_ms_ > search_ms_ + kRepairSearchMs || now_ms_ > heard_ms_ + kRepairAnswerMs;
    if (under_way && !comparing_ranges_ && late) end_search(false, out);
    if (again_ms_ > 0 && now_ms_ >= again_ms_) {
        if (!roots_differ() && peer_digest_ == own_digest()) return end_search(false, out);
        if (search_)
            ask_next(out);
        else if (asked_states_)
            ask(*asked_states_, out);
    }
    if (asked_of_us_ && !answering_ && credit() > 0) answer(out);
}

void Session::on(wire::RepairAsk const& message, session::Actions& out) {
    if (message.space != space_ || answering_ || asked_of_us_)
        return close({Errc::protocol, "the peer asked for more than one answer at a time", {}},
                     out);
    asked_of_us_ = message;
    // Who wrote last is not told what the other holds now; so it says that here.
    peer_digest_ = message.vector;
    peer_root_ = Digest128::from(message.root);
    compare_roots(out);
    if (credit() > 0) answer(out);
}

// Answers cost the store time, and a peer may ask whatever it likes: so it gets a share.
std::int64_t Session::credit() {
    auto const earned = static_cast<std::int64_t>(
        std::min(kRepairCostBurst, (now_ms_ - credit_ms_) * kRepairCostPerMs));
    credit_ = std::min<std::int64_t>(credit_ + earned, kRepairCostBurst);
    credit_ms_ = now_ms_;
    return credit_;
}

void Session::answer(session::Actions& out) {
    answering_ = true;
    out.push_back(session::AnswerRepair{*std::exchange(asked_of_us_, std::nullopt)});
}

session::Actions Session::repair_answered(Result<RepairAnswered> made, std::uint64_t now_ms) {
    session::Actions out;
    now_ms_ = now_ms;
    answering_ = false;
    if (closed_) return out;
    if (!made) {
        close(made.error(), out);
        return out;
    }
    credit_ -= static_cast<std::int64_t>(made->cost);
    out.push_back(session::Send{std::move(made->answer)});
    return out;
}

void Session::on(wire::RepairAnswer message, session::Actions& out) {
    bool const asked = std::exchange(ask_open_, false);
    if (message.space != space_ || !asked)
        return close({Errc::protocol, "the peer answered what it was not asked", {}}, out);
    if (!search_ && !asked_states_) return;  // came too late
    if (!message.ready) {
        // It holds the same entries, and so it says that the records are the same by now, or that
        // it cannot read its own.
        if (message.vector == own_digest()) return end_search(false, out);
        if (search_) search_->again();
        again_ms_ = now_ms_ + kRepairAgainMs;
        return;
    }
    heard_ms_ = now_ms_;
    if (asked_states_) {
        auto const asked_keys = std::exchange(asked_states_, std::nullopt)->keys;
        bool const fits =
            message.states.size() <= asked_keys.size() &&
            std::equal(message.states.begin(),
                       message.states.end(),
                       asked_keys.begin(),
                       [](auto const& state, auto const& key) { return state.key == key; });
        if (!fits) message.states.clear();
        out.push_back(session::StatesCame{std::move(message)});
        return;
    }
    if (!search_->fits(message)) return end_search(false, out);
    comparing_ranges_ = true;
    out.push_back(session::CompareRange{std::move(message)});
}

// An answer that no honest site gives ends the search, and not the session: entries go on.
session::Actions Session::range_compared(wire::RepairAnswer const& answer,
                                         Result<RangeDifferences> found,
                                         std::uint64_t now_ms) {
    session::Actions out;
    now_ms_ = now_ms;
    comparing_ranges_ = false;
    if (closed_ || !search_) return out;
    heard_ms_ = now_ms_;
    // What the peer says costs as much to compare as what it asks costs to answer.
    credit_ = credit() - static_cast<std::int64_t>(found ? found->looked : kRangeScanMax);
    if (!found || !search_->taken(answer, *std::move(found))) {
        end_search(false, out);
        return out;
    }
    if (credit_ > 0)
        ask_next(out);
    else
        again_ms_ = now_ms_ + 1 + static_cast<std::uint64_t>(-credit_) / kRepairCostPerMs;
    return out;
}

}  // namespace inos
