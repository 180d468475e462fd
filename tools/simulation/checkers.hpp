// What has to hold, looked at from outside: by what people were told (the ledger), by the logs, and
// by a second replica. Nothing here takes part in a run. Throws CheckFailed; the text names the
// invariant, numbered as in docs/testing.md.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/simulation/ledger.hpp"
#include "tools/simulation/log_view.hpp"
#include "tools/simulation/sim_world.hpp"
#include "tools/simulation/swarm.hpp"

namespace inos::sim {

// ---- at any moment ------------------------------------------------------------------------------

// I2: nodes with equal vectors have equal roots; where a run does `damage`, once it is repaired.
void check_equal_vectors(SimWorld& world, bool damage = false);
// E4: no node shows a bounded counter of `stock` under its min, `least`.
void check_bounds(SimWorld& world, std::int64_t least = 0);
// E14: a transaction is seen whole or not at all; and I8: at a node that holds the entry of an
// acknowledged write, the write is seen. Of the last `count` things that were asked for.
void check_seen(SimWorld& world, Ledger const& ledger, std::size_t count);
// Of the lines in a node's log that begin with "alarm" only those are right that follow from what a
// run does: to disks, clocks and records, to directories where it puts copies of them back, and to
// what others have purged where these edit it.
void check_alarm(std::string const& node, std::string const& line, Swarm const& swarm = {});
// I12: what is in flight, waits for a store or for a reader stays within its bounds.
void check_queues(SimWorld& world);
// I8 and I1: a node that was down holds what it held before: `before` is its vector then, `own` the
// actor that it wrote under. What a loss of power may take are its own entries, if it does not sync
// them; those that were acknowledged are marked as lost. W2: no other node, running or not, holds
// any of them, unless the directory was `put_back` from before it wrote them.
void check_recovered(SimWorld& world,
                     SimNode& node,
                     VersionVector const& before,
                     ActorId own,
                     bool may_lose_own,
                     Ledger& ledger,
                     bool put_back = false);

// ---- at the end, when all nodes run and hold the same -------------------------------------------

// All of them, with `tape` for the order in which a second replica hears of everything.
void check_end(SimWorld& world, Ledger const& ledger, Tape& tape);

}  // namespace inos::sim
