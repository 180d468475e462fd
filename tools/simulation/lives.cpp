#include "tools/simulation/lives.hpp"

#include <algorithm>

#include "tools/simulation/checkers.hpp"

namespace inos::sim {

void Lives::harm(SimNode& node, Action action) {
    Tape& tape = run_.tape;
    if (!node.running() && action != Action::power_loss) return start(node);
    switch (action) {
        case Action::stop:
            run_.note(Fault::stop, node.name(), "stop");
            return fall(node, true);
        case Action::kill:
            run_.note(Fault::kill, node.name(), "kill");
            fall(node, false);
            if (tape.chance(50)) start(node);
            return;
        case Action::pause:
            if (node.paused()) return wake(node);
            run_.journal.note(node.name(), "pause");
            run_.network().pause(node.name());
            return run_.later(
                "pause " + node.name(), 100 + tape.below(120'000), [this, &node] { wake(node); });
        case Action::power_loss:
            run_.note(Fault::power_loss, node.name(), "power loss");
            lose_power(node);
            if (tape.chance(30)) start(node);
            return;
        default: {
            bool const of_writes = tape.chance(50);
            std::size_t const n = 1 + tape.below(of_writes ? 6 : tape.chance(50) ? 10 : 100);
            run_.journal.note(
                node.name(),
                "power loss in " + std::string(of_writes ? "write " : "call ") + std::to_string(n));
            return node.lose_power_at(
                n,
                of_writes ? FaultEngine::Counted::writes : FaultEngine::Counted::calls,
                tape.chance(50) ? FaultEngine::Outcome::lost : FaultEngine::Outcome::kept);
        }
    }
}

void Lives::fall(SimNode& node, bool politely) {
    INOS_ASSERT(node.running() && !node.lost_power());
    wake(node);
    Life& life = lives_[node.name()];
    life.before = node.replica().vector();
    life.actor = node.replica().actor();
    life.may_lose_own = false;
    politely ? node.stop() : node.crash();
}

void Lives::lose_power(SimNode& node) {
    if (on_down_) on_down_(node);
    wake(node);
    Life& life = lives_[node.name()];
    bool const flushed = run_.swarm.options.durability == Durability::flushed;
    if (node.running()) {
        life.before = node.replica().vector();
        life.actor = node.replica().actor();
        life.may_lose_own = flushed;
    } else {
        life.may_lose_own = life.may_lose_own || flushed;
    }
    std::size_t const unsynced = node.engine().unsynced();
    std::size_t const kept = run_.tape.below(unsynced + 1);
    if (kept < unsynced) ++run_.faults[Fault::unsynced_lost];
    if (0 < kept && kept < unsynced) ++run_.faults[Fault::torn_tail];
    node.lose_power(kept);
}

void Lives::power_lost(SimNode& node) {
    run_.note(node.running() ? Fault::power_loss_in_call : Fault::power_loss_in_start,
              node.name(),
              "power lost");
    lose_power(node);
}

void Lives::disturb_start(SimNode& node) {
    Tape& tape = run_.tape;
    bool const power = run_.swarm.has(Action::power_loss_in_call);
    if (power && tape.chance(15)) {
        // Drawn one after the other: compilers differ in which argument they evaluate first.
        std::size_t const call = 1 + tape.below(30);
        bool const kept = tape.chance(50);
        node.lose_power_at(call,
                           FaultEngine::Counted::calls,
                           kept ? FaultEngine::Outcome::kept : FaultEngine::Outcome::lost);
    }
    if (!run_.swarm.has(Action::fail_reads) || !tape.chance(15)) return;
    node.engine().fail_reads(true);
    run_.later("reads " + node.name(), 1 + tape.below(5'000), [&engine = node.engine()] {
        engine.fail_reads(false);
    });
}

void Lives::start(SimNode& node) {
    if (node.running() || !node.is_member() || node.lost_power()) return;
    if (!run_.healing) disturb_start(node);
    run_.journal.note(node.name(), "start");
    auto const started = node.try_start();
    if (!started) {
        run_.note(Fault::failed_start, node.name(), "cannot start: " + started.error().message);
        require(!run_.healing,
                "I9: " + node.name() + " does not start: " + started.error().message);
        return run_.world->find_power_losses();
    }
    Life& life = lives_[node.name()];
    auto const guards = run_.world->undisturbed();
    check_recovered(*run_.world,
                    node,
                    life.before,
                    life.actor,
                    life.may_lose_own,
                    run_.ledger,
                    life.left.contains(life.actor));
    life.last = node.replica().vector();
}

void Lives::put_back(SimNode& node, Contents const& copy) {
    run_.note(Fault::put_back, node.name(), "an older directory is put in its place");
    Life& life = lives_[node.name()];
    // The copy may go on under any of its earlier actors.
    for (auto const& each : run_.world->nodes()) {
        if (!each->running()) continue;
        Membership const& known = each->replica().membership();
        for (ActorId const actor : known.actors())
            if (known.by_actor(actor)->site == node.keys().identity.public_key)
                life.left.insert(actor);
    }
    if (node.running()) fall(node, run_.tape.chance(50));
    life.left.insert(life.actor);
    node.put_back(copy);
    auto const guards = run_.world->undisturbed();
    life.before = logged(node.engine());
    life.last = {};
    life.may_lose_own = false;
    mark_lost(node);
    if (run_.tape.chance(70)) start(node);
}

// What nobody holds any more, and what is only at others for now.
void Lives::mark_lost(SimNode& node) {
    std::map<SimNode*, VersionVector> all;
    for (auto const& each : run_.world->nodes())
        all[each.get()] = logged(each->engine());
    for (Asked& asked : run_.ledger.all()) {
        bool const done = asked.outcome == Outcome::acknowledged && asked.dot && !asked.lost;
        if (!done || all[&node].covers(*asked.dot)) continue;
        asked.lost = std::none_of(all.begin(), all.end(), [&](auto const& each) {
            return each.second.covers(*asked.dot);
        });
        if (asked.node == node.name()) asked.away = true;
    }
}

void Lives::wake(SimNode& node) {
    if (!node.paused()) return;
    run_.journal.note(node.name(), "goes on");
    run_.network().resume(node.name());
}

void Lives::look() {
    for (auto const& node : run_.world->nodes()) {
        if (!node->running()) continue;
        VersionVector const& now = node->replica().vector();
        VersionVector& last = lives_[node->name()].last;
        require(now.includes(last), "I8: " + node->name() + " holds less than before");
        last = now;
    }
}

}  // namespace inos::sim
