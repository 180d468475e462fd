// What a node cuts from its log as time goes by: all that Replica::truncate may take, but for what
// somebody has still to look at. On the replica's thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "storage/replica.hpp"

namespace inos {

// Entries that came here at least `age_ms` ago, looking at about `budget` of them and of their ops.
// Answers how many went. What a member wrote that was retired, or had its rights changed, stays
// until an admin has reviewed it (storage/member_review.hpp).
Result<std::size_t> cut_log(Replica& replica, std::uint64_t age_ms, std::size_t budget);

}  // namespace inos
