// What the parts of a run share: the world, the choices, the journal, and what was found wrong in a
// place from which nothing may be thrown.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tools/simulation/faults.hpp"
#include "tools/simulation/journal.hpp"
#include "tools/simulation/ledger.hpp"
#include "tools/simulation/sim_world.hpp"
#include "tools/simulation/swarm.hpp"

namespace inos::sim {

struct RunState {
    RunState(std::uint64_t seed, Journal::Out out)
        : tape(Tape::seeded(seed * 2 + 1)),
          swarm(Swarm::of(seed, tape)),
          journal([this] { return world ? world->network().now_ms() : 0; }, std::move(out)),
          world(std::make_unique<SimWorld>(swarm.options)) {}
    RunState(RunState const&) = delete;
    RunState& operator=(RunState const&) = delete;

    SimNetwork& network() const { return world->network(); }
    SimNode& any_node() { return (*world)[tape.below(world->nodes().size())]; }
    void note(Fault fault, std::string const& name, std::string const& what) {
        ++faults[fault];
        journal.note(name, what);
    }
    // The first one counts; thrown when somebody looks.
    void wrong(std::string text) {
        if (!found_wrong) found_wrong = std::move(text);
    }
    // Happens unless everything is being healed by then, or something later of the same name has
    // taken its place.
    void later(std::string const& name, std::uint64_t delay_ms, std::function<void()> what) {
        std::uint64_t const number = ++timers[name];
        network().after(delay_ms, [this, name, number, what = std::move(what)] {
            if (!healing && timers[name] == number) what();
        });
    }

    Tape tape;
    Swarm swarm;
    Journal journal;
    Ledger ledger;
    FaultCounts faults;
    bool healing = false;
    bool damaging = false;  // nodes may say so
    std::optional<std::string> found_wrong;
    std::map<std::string, std::uint64_t> timers;  // the newest of each name
    std::unique_ptr<SimWorld> world;
};

}  // namespace inos::sim
