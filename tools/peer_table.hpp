// The table of peers that `inos status` and `inos peers` show.
#pragma once

#include "crdt/value.hpp"
#include "tools/command_line.hpp"

namespace inos {

void print_peers(Context& context, Array const& peers);

}  // namespace inos
