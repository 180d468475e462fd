// A second replica that hears of everything a node's log holds, and the node's indexes made again
// from its records.
#pragma once

#include <map>
#include <string>

#include "tools/simulation/log_view.hpp"
#include "tools/simulation/sim_world.hpp"

namespace inos::sim {

// All records that people can see: by collection and id, with all that is shown of them.
std::map<std::string, std::string> shown(Replica const& replica);

// I3: the node's records are those of a fresh replica that takes its log in the order in which
// nodes send it; I7: and of one that takes it in another causal order, in other pieces.
void check_rebuilt(SimNode& node, SpaceKeys const& keys, Tape& tape);

// I3: the indexes of deletions, orphan edits and conflicts are those of the records; D29: so are
// the secondary ones as far as they are built, and when the rest has been built, too.
void check_indexes(SimNode& node);

}  // namespace inos::sim
