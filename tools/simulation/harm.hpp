// What a run does to the network, the disks and the clocks. Faults of some length end by
// themselves, after a time that is drawn with them.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "tools/simulation/run_state.hpp"

namespace inos::sim {

class Harm {
public:
    explicit Harm(RunState& run) : run_(run) {}

    void network(Action action);
    void disk(SimNode& node, Action action);
    void clock(SimNode& node, Action action);
    // Nothing is done if it is right.
    void set_clock_right(SimNode& node);

private:
    using Pair = std::pair<std::string, std::string>;

    Pair any_pair();
    std::optional<Pair> any_connected();  // in either order
    void end_block_later(std::string const& a, std::string const& b, BlockCause cause);
    void isolate(std::string const& a);
    void flap(std::string const& a, std::string const& b, std::size_t times);
    void heal_some();
    void read_for_a_while(std::string const& name, std::uint64_t bytes_per_second);

    RunState& run_;
};

}  // namespace inos::sim
