#include "tools/simulation/harm.hpp"

#include <array>

namespace inos::sim {
namespace {

constexpr std::uint64_t kHourMs = 3'600'000;
constexpr std::uint64_t kDiskBytes = std::uint64_t{1} << 40;
constexpr std::uint64_t kLowBytes = 200u << 20, kLowerBytes = 10u << 20;  // by SpaceMarks
constexpr std::uint64_t kTenYearsMs = 10ull * 365 * 24 * kHourMs;
// Longer than the longest step of a run, sometimes: a partition that nobody heals.
constexpr std::array<std::uint64_t, 4> kBlockMs = {2'000, 20'000, 90'000, 400'000};

}  // namespace

Harm::Pair Harm::any_pair() {
    std::size_t const n = run_.world->nodes().size(), one = run_.tape.below(n);
    std::size_t const other = (one + 1 + run_.tape.below(n - 1)) % n;
    return {(*run_.world)[one].name(), (*run_.world)[other].name()};
}

std::optional<Harm::Pair> Harm::any_connected() {
    auto const pairs = run_.network().connected();
    if (pairs.empty()) return std::nullopt;
    Pair const pair = run_.tape.pick(pairs);
    return run_.tape.chance(50) ? pair : Pair(pair.second, pair.first);
}

void Harm::network(Action action) {
    SimNetwork& network = run_.network();
    auto const [a, b] = any_pair();
    switch (action) {
        case Action::partition:
            run_.journal.note(a, "partition from " + b);
            network.partition(a, b);
            return end_block_later(a, b, BlockCause::partition);
        case Action::one_way:
            run_.journal.note(a, "no way to " + b);
            network.partition_one_way(a, b);
            return end_block_later(a, b, BlockCause::one_way);
        case Action::isolate:
            return isolate(a);
        case Action::flap:
            run_.journal.note(a, "flapping with " + b);
            return flap(a, b, 4 + run_.tape.below(16));
        case Action::heal:
            return heal_some();
        case Action::slow_reader:
            run_.journal.note(a, "reads slowly");
            return read_for_a_while(a, 500 + run_.tape.below(20'000));
        case Action::silent_reader:
            run_.journal.note(a, "reads nothing");
            return read_for_a_while(a, 0);
        default:
            break;
    }
    auto const pair = any_connected();
    if (!pair) return;
    if (action == Action::spoil) {
        run_.journal.note(pair->first, "spoils a frame to " + pair->second);
        return network.spoil_next(
            pair->first, pair->second, static_cast<FrameFault>(run_.tape.below(kFrameFaults)));
    }
    run_.journal.note(pair->first, "cut from " + pair->second);
    run_.tape.chance(50) ? network.cut(pair->first, pair->second)
                         : network.cut_at_frame(1 + run_.tape.below(20));
}

void Harm::end_block_later(std::string const& a, std::string const& b, BlockCause cause) {
    std::uint64_t const length = 1 + run_.tape.below(run_.tape.pick(kBlockMs));
    std::string const name = a < b ? a + " " + b : b + " " + a;
    run_.later(
        "block " + name, length, [this, a, b, cause] { run_.network().end_block(a, b, cause); });
}

void Harm::isolate(std::string const& a) {
    run_.journal.note(a, "isolated");
    for (auto const& each : run_.world->nodes())
        if (each->name() != a) run_.network().partition(a, each->name(), BlockCause::isolation);
    std::uint64_t const length = 1 + run_.tape.below(run_.tape.pick(kBlockMs));
    run_.later("isolation " + a, length, [this, a] {
        for (auto const& each : run_.world->nodes())
            run_.network().end_block(a, each->name(), BlockCause::isolation);
    });
}

void Harm::flap(std::string const& a, std::string const& b, std::size_t times) {
    std::string const name = a < b ? a + " " + b : b + " " + a;
    run_.later("block " + name, 20 + run_.tape.below(3'000), [this, a, b, times] {
        times % 2 == 0 ? run_.network().partition(a, b, BlockCause::flapping)
                       : run_.network().end_block(a, b, BlockCause::flapping);
        if (times > 1) flap(a, b, times - 1);
    });
}

void Harm::heal_some() {
    auto const blocked = run_.network().blocked();
    if (blocked.empty()) return;
    if (run_.tape.chance(30)) {
        run_.journal.note("", "all partitions are healed");
        return run_.network().heal_all();
    }
    auto const [a, b] = run_.tape.pick(blocked);
    run_.journal.note(a, "healed with " + b);
    run_.network().heal(a, b);
}

void Harm::read_for_a_while(std::string const& name, std::uint64_t bytes_per_second) {
    run_.network().set_reading(name, bytes_per_second);
    run_.later("reading " + name, 1'000 + run_.tape.below(90'000), [this, name] {
        run_.network().set_reading(name, std::nullopt);
    });
}

// ---- disks --------------------------------------------------------------------------------------

void Harm::disk(SimNode& node, Action action) {
    FaultEngine& engine = node.engine();
    Tape& tape = run_.tape;
    if (action == Action::fail_write) {
        bool const kept = tape.chance(50), full = tape.chance(30);
        run_.journal.note(node.name(),
                          full ? "a write is to find the disk full" : "a write is to fail");
        return engine.fail_write(1 + tape.below(4),
                                 kept ? FaultEngine::Outcome::kept : FaultEngine::Outcome::lost,
                                 full ? Errc::no_space : Errc::io);
    }
    if (action == Action::fail_reads) {
        run_.journal.note(node.name(), "reads fail");
        engine.fail_reads(true);
        return run_.later(
            "reads " + node.name(), 1 + tape.below(5'000), [&engine] { engine.fail_reads(false); });
    }
    if (tape.chance(40)) {
        std::uint64_t const free = tape.chance(50) ? kLowBytes : kLowerBytes;
        run_.journal.note(node.name(), "the disk has only " + size_text(free) + " left");
        engine.set_space(DiskSpace{free, kDiskBytes});
        return run_.later("room " + node.name(), 1 + tape.below(90'000), [&engine] {
            engine.set_space(std::nullopt);
        });
    }
    run_.journal.note(node.name(), "the disk is full");
    engine.fill(true);
    run_.later("full " + node.name(), 1 + tape.below(20'000), [&engine] { engine.fill(false); });
}

// ---- clocks -------------------------------------------------------------------------------------

void Harm::clock(SimNode& node, Action action) {
    ManualClock& clock = node.clock();
    if (action == Action::freeze) {
        if (clock.frozen()) return;
        run_.note(Fault::clock_frozen, node.name(), "the clock stands still");
        clock.freeze(true);
        return;
    }
    std::uint64_t const hours = (1 + run_.tape.below(48)) * kHourMs;
    switch (run_.tape.below(4)) {
        case 0:
            run_.note(Fault::clock_forward, node.name(), "the clock jumps ahead");
            return clock.set(clock.now_ms() + hours);
        case 1:
            run_.note(Fault::clock_back, node.name(), "the clock jumps back");
            return clock.set(clock.now_ms() - hours);
        case 2:
            run_.note(Fault::clock_ten_years, node.name(), "the clock jumps ten years ahead");
            return clock.set(clock.now_ms() + kTenYearsMs);
        default:
            return set_clock_right(node);
    }
}

void Harm::set_clock_right(SimNode& node) {
    std::uint64_t const right = kTestNowMs + run_.network().now_ms();
    if (node.clock().now_ms() == right && !node.clock().frozen()) return;
    run_.note(Fault::clock_right, node.name(), "the clock is set right");
    node.clock().freeze(false);
    node.clock().set(right);
}

}  // namespace inos::sim
