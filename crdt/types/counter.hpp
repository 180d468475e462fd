// A counter: one run per actor, each a cell (total, start); reads as the sum. An increment
// continues the author's own run; a clear takes away whole runs that began before it. "Set to x" is
// an increment by x minus what was read. int64 throughout: local changes that would leave the range
// are refused, and totals stay at its ends at merge. PN-counter with runs after Almeida and Baquero
// 2019, "Scalable Eventually Consistent Counters".
#pragma once

#include "crdt/types/types.hpp"

namespace inos {
TypeRules counter_rules();
}
