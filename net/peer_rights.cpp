// Rights of bounded counters between peers: whom to ask, and what to grant those who ask. A grant
// is a local commit; it reaches the one who asked as all entries do, after it is on the disk.
#include <utility>

#include "net/peer_manager.hpp"

namespace inos {

void PeerManager::need_rights(RightsNeed const& need) {
    if (stopped_ || need.amount <= 0 || !note_asked(need)) return;
    struct Found {
        Result<std::optional<FieldRights>> rights;
        ActorId actor;  // that is to get them: maybe newer than what is known here
    };
    auto work = [name = need.name, field = need.field](Replica& replica) {
        return Found{replica.rights(name, field), replica.actor()};
    };
    auto ask = [this, alive = alive_, need](Found const& found) {
        if (*alive && !stopped_ && found.rights && *found.rights)
            ask_holders(need, **found.rights, found.actor);
    };
    store_.query(std::move(work), std::move(ask));
}

// Remembers that this site needs more. False where it has been said a moment ago: of what is asked
// ahead of need once is enough.
bool PeerManager::note_asked(RightsNeed const& need) {
    std::uint64_t const now = clock_.monotonic_ms();
    RightsKey const key{need.name, need.field};
    auto const known = rights_asked_.find(key);
    bool const again = known != rights_asked_.end() && now < known->second.until_ms;
    if (again && need.ahead && known->second.ahead) return false;
    if (known == rights_asked_.end() && rights_asked_.size() >= kRightsAskedMax) {
        std::erase_if(rights_asked_, [&](auto const& old) { return old.second.until_ms <= now; });
        if (rights_asked_.size() >= kRightsAskedMax) return false;
    }
    rights_asked_[key] = {need.ahead, now + kRightsPatienceMs};
    return true;
}

void PeerManager::ask_holders(RightsNeed const& need, FieldRights const& rights, ActorId to) {
    std::map<ActorId, std::shared_ptr<Link>> reachable;
    std::vector<ActorId> actors;
    for (auto const& link : links_) {
        if (!link->session() || link->ended()) continue;
        for (ActorId const actor : local_->membership->actors()) {
            bool const there = local_->membership->by_actor(actor)->site == *link->site();
            if (there && reachable.emplace(actor, link).second) actors.push_back(actor);
        }
    }
    for (auto const& [actor, amount] : rights_holders(rights, actors, need.amount, need.ahead)) {
        RightsNeed part = need;
        part.amount = amount;
        reachable.at(actor)->ask_rights(part, to);
    }
}

// Two sites that both wait for the same rights would pass them to and fro: of those the one with
// the lower actor keeps its own.
void PeerManager::grant_rights(Link const& link, RightsNeed const& need, ActorId to) {
    // The actor under which it writes now is not always the one that was certified last. One that
    // is not known yet is asked for again.
    auto const* peer = local_->membership->by_actor(to);
    bool const may_ask =
        peer && peer->site == *link.site() && peer->may_write(need.name.collection);
    if (!may_ask) return;
    auto const waits = rights_asked_.find({need.name, need.field});
    bool const waiting = waits != rights_asked_.end() && !waits->second.ahead &&
                         clock_.monotonic_ms() < waits->second.until_ms;
    if (waiting && (need.ahead || local_->actor < peer->actor)) return;
    auto work = [need](Replica& replica) -> std::int64_t {
        auto const rights = replica.rights(need.name, need.field);
        // What an actor holds that is about to be left is not to be counted on.
        if (!rights || !*rights || replica.doubt() != Doubt::none) return 0;
        return rights_to_grant(**rights, replica.actor(), need.amount, need.ahead);
    };
    auto pass = [this, alive = alive_, need, to = peer->actor](std::int64_t amount) {
        if (!*alive || stopped_ || amount <= 0) return;
        Write write;
        write.kind = Write::Kind::transfer;
        write.name = need.name;
        write.fields = {{need.field, Value(amount)}};
        write.to = to;
        // A refusal needs no answer: the rights were used meanwhile, and the other asks again.
        store_.commit({"inos", {std::move(write)}}, [](Result<Committed> const&) {});
    };
    store_.query(std::move(work), std::move(pass));
}

}  // namespace inos
