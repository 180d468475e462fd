// A set of values: a cell at the set's own path says that there is a set, and each element is a
// path of its own below, named by the element's canonical bytes. Add wins over a concurrent remove.
// Add-wins set without tombstones after Bieniusa et al. 2012, "An optimized conflict-free
// replicated set".
#pragma once

#include "crdt/types/types.hpp"

namespace inos {
TypeRules set_rules();
}
