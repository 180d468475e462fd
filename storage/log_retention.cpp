#include "storage/log_retention.hpp"

#include "storage/member_review.hpp"

namespace inos {

Result<std::size_t> cut_log(Replica& replica, std::uint64_t age_ms, std::size_t budget) {
    LogRetention retention;
    retention.age_ms = age_ms;
    retention.budget = budget;
    INOS_TRY(retention.needed, not_reviewed_behind(replica));
    return replica.truncate(retention);
}

}  // namespace inos
