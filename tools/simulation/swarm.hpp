// What kind of run a seed is: how many nodes, how slow, which faults and how often. Drawn anew for
// every seed, and most kinds of faults are left out of most runs: so some runs are all crashes and
// others nothing but a bad network, which finds more than a little of everything each time.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "tools/simulation/sim_world.hpp"

namespace inos::sim {

// What one step of a run may be.
enum class Action : std::uint8_t {
    commit,
    run,
    partition,
    one_way,
    isolate,
    flap,
    heal,
    cut,
    spoil,
    slow_reader,
    silent_reader,
    stop,
    kill,
    start,
    pause,
    power_loss,
    power_loss_in_call,
    fail_write,
    fail_reads,
    fill_disk,
    clock,
    freeze,
    join,
    schema,
    copy,
    put_back,
    retire,
    role,
    rotate_key,
    damage,
};
inline constexpr std::size_t kActions = static_cast<std::size_t>(Action::damage) + 1;

struct Swarm {
    SimOptions options;
    std::size_t sites = 2;
    std::size_t steps = 30;
    std::uint64_t delay_max_ms = 10;
    bool damage = false;   // of records, now and then and at the end
    bool orphans = false;  // old copies may edit what others have purged: until it is repaired,
                           // nodes that hold the same entries may hold other records
    unsigned known_percent = 70;  // of the sites whose certificates all others have
    std::size_t readers = 0;      // of the sites: readers and relays, who write nothing
    bool second_admin = false;
    std::array<unsigned, kActions> weights{};
    std::string groups;  // the kinds of faults that it has

    static Swarm of(std::uint64_t seed, Tape& tape);
    Action pick(Tape& tape) const;
    bool has(Action action) const { return weights[static_cast<std::size_t>(action)] > 0; }
    std::string describe() const;
};

}  // namespace inos::sim
