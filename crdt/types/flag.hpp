// A flag: enable cells and disable cells at two paths of their own; a write to one side removes the
// cells of both that it has seen. Of concurrent ones enable wins, or disable by schema.
// Enable-wins and disable-wins flags after Shapiro et al. 2011 (see register.hpp), section 3.
#pragma once

#include "crdt/types/types.hpp"

namespace inos {
TypeRules flag_rules();
}
