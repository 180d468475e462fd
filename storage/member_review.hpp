// Entries that members took from sites without knowing that these were retired, or had fewer
// rights, by then. They are applied everywhere, so that all sites hold the same, and listed for an
// admin to look at: kept, or reverted by an ordinary edit.
//
//   from  of a retired site: behind what whoever retired it held of the actor (least of several);
//         all of an actor that it did not hold, and of a site admitted by a retired admin
//         of an actor whose site has fewer rights now: behind what the admin held at the change
//
// What was decided is a record of the collection `_reviews` (admins only): id: the actor's 16 hex
// digits, "seq": up to where, "decision". So one admin's decision counts at all sites.
//
// On the replica's thread. Errors: Errc::corruption of what is stored.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/replica.hpp"

namespace inos {

inline constexpr std::string_view kReviewCollection = "_reviews";
inline constexpr std::size_t kReviewRecordsMax = 1'000;  // of one review; what is left comes next

struct MemberReview {
    ActorId actor;
    SiteId site{};
    std::string name;     // the site's
    bool retired = true;  // false: its rights were changed
    Seq from = 0, to = 0;
    Seq not_kept = 0;                 // how many of them, the first ones, the log holds no more
    std::vector<RecordName> records;  // that these entries touched, without erased ones
};

// Those that nobody has decided yet.
Result<std::vector<MemberReview>> list_reviews(Replica const& replica);

// Of the actors with entries that nobody has decided about yet the last one that is beyond doubt.
Result<std::map<ActorId, Seq>> not_reviewed_behind(Replica const& replica);

enum class ReviewDecision { keep, revert };

// The writes that carry out the decision. Reverting gives each record what it would be without the
// entries; what others have made of it since stays. Records whose past is not held here to the
// beginning are left as they are, and named.
struct ReviewWrites {
    Transaction transaction;
    std::vector<RecordName> left;
};
Result<ReviewWrites> review_writes(Replica const& replica,
                                   MemberReview const& review,
                                   ReviewDecision decision);

}  // namespace inos
