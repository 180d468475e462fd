// Answers a query from a replica: through a secondary index where one helps, else by looking at the
// records. What comes out is the same either way.
//
// Bounds of one call, so that the store is free for others soon: kListSkipMax records are looked at
// that are not shown, then `next` says where to go on; an order that no index gives needs all of
// the records that the conditions leave, kSortMax at most (Errc::too_large above that: it names the
// index that would help). Of large records fewer: kQueryBytesMax are read. Thread: the store's.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "storage/query.hpp"
#include "storage/query_plan.hpp"
#include "storage/replica.hpp"

namespace inos {

inline constexpr std::size_t kSortMax = 10'000;
inline constexpr std::size_t kQueryBytesMax = 16u << 20;  // about

struct Query {
    std::string collection;
    std::optional<Where> where = std::nullopt;
    Order order = {};
    std::string after = {};  // without an order an id, else what `next` said before
    std::size_t limit = kListLimitMax;
    std::size_t sort_max = kSortMax;
    std::size_t looks_max = kListSkipMax;  // records that are looked at and not shown
};

struct QueryEnd {
    std::optional<std::string> next;  // pass as `after`: there may be more
    std::size_t looked_at = 0;        // records that were read ...
    std::size_t bytes = 0;            // ... and how much that was
};

QueryPlan plan_of(Replica const& replica, Query const& query);

// Shows the records one by one, until there are `limit` or the answer is that no more are wanted.
using ShowRecord = std::function<bool(RecordView& record)>;
Result<QueryEnd> run_query(Replica const& replica, Query const& query, ShowRecord const& show);

}  // namespace inos
