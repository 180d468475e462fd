#include "tools/simulation/swarm.hpp"

#include <initializer_list>
#include <numeric>

namespace inos::sim {
namespace {

// Kinds of faults that a run has or has not, as a whole.
void draw_group(Swarm& swarm,
                Tape& tape,
                char const* name,
                unsigned percent,
                std::initializer_list<Action> actions) {
    bool const has = tape.chance(percent);
    if (has) swarm.groups += std::string(swarm.groups.empty() ? "" : ", ") + name;
    for (Action const action : actions) {
        unsigned const weight = 1 + static_cast<unsigned>(tape.below(6));
        swarm.weights[static_cast<std::size_t>(action)] = has ? weight : 0;
    }
}

}  // namespace

Swarm Swarm::of(std::uint64_t seed, Tape& tape) {
    Swarm swarm;
    swarm.options.seed = seed;
    swarm.options.store_delay_ms = tape.pick(std::array<std::uint64_t, 4>{0, 1, 5, 40});
    swarm.options.acknowledge_every_ms =
        tape.pick(std::array<std::uint64_t, 3>{2'000, 10'000, kAcknowledgeEveryMs});
    swarm.options.durability = tape.chance(35) ? Durability::flushed : Durability::synced;
    swarm.sites = 2 + tape.below(4);
    swarm.steps = 20 + tape.below(60);
    swarm.delay_max_ms = tape.pick(std::array<std::uint64_t, 4>{1, 10, 100, 900});
    swarm.known_percent = tape.pick(std::array<unsigned, 4>{0, 40, 70, 100});
    swarm.readers = swarm.sites > 2 && tape.chance(40) ? 1 + tape.below(swarm.sites - 2) : 0;
    swarm.second_admin = tape.chance(30);
    swarm.weights[static_cast<std::size_t>(Action::commit)] = 40;
    swarm.weights[static_cast<std::size_t>(Action::run)] = 25;
    swarm.weights[static_cast<std::size_t>(Action::start)] = 10;
    swarm.weights[static_cast<std::size_t>(Action::heal)] = 5;
    auto const draw = [&](char const* name, unsigned percent, std::initializer_list<Action> list) {
        draw_group(swarm, tape, name, percent, list);
    };
    draw("partitions", 60, {Action::partition, Action::one_way, Action::isolate});
    draw("flapping", 30, {Action::flap});
    draw("broken connections", 60, {Action::cut, Action::spoil});
    draw("slow readers", 30, {Action::slow_reader, Action::silent_reader});
    draw("ends of processes", 60, {Action::stop, Action::kill});
    draw("pauses", 40, {Action::pause});
    draw("power losses", 60, {Action::power_loss, Action::power_loss_in_call});
    draw("failing disks", 40, {Action::fail_write, Action::fail_reads, Action::fill_disk});
    draw("clocks", 40, {Action::clock, Action::freeze});
    draw("joins", 40, {Action::join});
    draw("schema changes", 30, {Action::schema});
    draw("copies put back", 25, {Action::copy, Action::put_back});
    std::uint64_t const drawn_ms = swarm.options.acknowledge_every_ms;
    if (swarm.has(Action::put_back)) swarm.options.acknowledge_every_ms = kNeverAcknowledge;
    draw("retirements", 30, {Action::retire});
    draw("changes of rights and keys", 40, {Action::role, Action::rotate_key});
    // From a tape of its own, so that seeds stay what they were.
    Tape other = Tape::seeded(seed ^ 0x6c6f67);
    bool const cuts = other.chance(60);
    std::uint64_t const age_ms = other.pick(std::array<std::uint64_t, 3>{0, 2'000, 20'000});
    if (cuts) swarm.options.log_retention_ms = age_ms;
    // States of a few entries, in many small writes.
    if (other.chance(50)) swarm.options.state_entries_min = 0;
    swarm.options.state_write_bytes = 2'000;
    swarm.damage = other.chance(40);
    swarm.weights[static_cast<std::size_t>(Action::damage)] = swarm.damage ? 3 : 0;
    if (swarm.damage)
        swarm.groups += std::string(swarm.groups.empty() ? "" : ", ") + "damaged records";
    // Who was put back may edit what all others have purged, and the sites then differ until they
    // are repaired: in half of such runs.
    swarm.orphans = swarm.has(Action::put_back) && other.chance(50);
    if (swarm.orphans) swarm.options.acknowledge_every_ms = drawn_ms;
    return swarm;
}

Action Swarm::pick(Tape& tape) const {
    unsigned const all = std::accumulate(weights.begin(), weights.end(), 0u);
    std::size_t at = tape.below(all);
    for (std::size_t i = 0; i < kActions; ++i) {
        if (at < weights[i]) return static_cast<Action>(i);
        at -= weights[i];
    }
    return Action::commit;
}

std::string Swarm::describe() const {
    std::string text = std::to_string(sites) + " sites" +
                       (readers > 0 ? " (" + std::to_string(readers) + " read only)" : "") + ", " +
                       std::to_string(steps) + " steps, delays up to " +
                       std::to_string(delay_max_ms) + " ms, store " +
                       std::to_string(options.store_delay_ms) + " ms, acknowledged ";
    text += options.acknowledge_every_ms == kNeverAcknowledge
                ? std::string("never")
                : "every " + std::to_string(options.acknowledge_every_ms / 1'000) + " s";
    text += ", commits ";
    text += options.durability == Durability::synced ? "synced" : "flushed";
    if (options.log_retention_ms)
        text += ", logs kept " + std::to_string(*options.log_retention_ms / 1'000) + " s";
    return text + "; " + (groups.empty() ? "no faults" : groups);
}

}  // namespace inos::sim
