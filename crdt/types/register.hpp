// A register: one cell per concurrent write, read by policy (schema.hpp). Losing siblings stay
// until a write that has seen them. Payload: the value's canonical bytes. Multi-value register
// after Shapiro et al. 2011, "A comprehensive study of Convergent and Commutative Replicated Data
// Types", with the choice made at read time.
#pragma once

#include "crdt/types/types.hpp"

namespace inos {
TypeRules register_rules();
}
