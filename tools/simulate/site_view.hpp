// What one site shows of the collections of a schema, and what it would show after a write. Pure
// reading; the thread of the replica.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/simulate/rule_eval.hpp"
#include "tools/simulation/sim_world.hpp"

namespace inos::simulate {

// All visible records, with their conflicts.
using SiteView = std::map<RecordName, RecordView>;
SiteView view_of(Replica const& replica, Schemas const& schemas);
Snapshot snapshot_of(SiteView const& view);

// The site's snapshot if it made this transaction now. nullopt: it would be refused. The site
// itself is not touched: the transaction is made on a copy of its store.
std::optional<Snapshot> snapshot_after(sim::SimNode& node,
                                       SpaceKeys const& keys,
                                       Transaction const& transaction,
                                       Schemas const& schemas);

}  // namespace inos::simulate
