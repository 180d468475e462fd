// Waiting, with a progress bar, until a new site holds what the others hold.
#pragma once

#include <string>

#include "storage/clock.hpp"
#include "storage/result.hpp"
#include "tools/command_line.hpp"

namespace inos {

// Errc::unavailable: no connection, or no progress, for a while.
Result<void> catch_up_shown(Context& context,
                            std::string const& dir,
                            Clock const& clock,
                            DataKey const* key);

}  // namespace inos
