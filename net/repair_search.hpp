// What one side of a repair asks its peer: sums over ranges of keys, down to the records that
// differ; or what the peer holds under some keys. A plain state machine; the session carries the
// messages, the store does the work.
//
// Bounds: kRepairAsksMax questions, kRepairRangesMax ranges that wait, kRepairKeysMax records that
// are found, kRepairSearchMs. What does not fit is found again by the next search.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/wire/messages.hpp"

namespace inos {

inline constexpr std::size_t kRepairAsksMax = 65'536;
inline constexpr std::size_t kRepairRangesMax = 4'096;
inline constexpr std::size_t kRepairKeysMax = 16'384;
inline constexpr std::uint64_t kRepairSearchMs = 120'000;
inline constexpr std::uint64_t kRepairAnswerMs = 30'000;  // without an answer it is given up
// What answers may cost a site a second, for each peer: in records looked at, about.
inline constexpr std::uint64_t kRepairCostPerMs = 50;
inline constexpr std::uint64_t kRepairCostBurst = 50'000;

// The store's part, on the replica's thread. An answer is given only to who may read, and holds the
// same entries and not the same records; a comparison only changes nothing.
struct RepairAnswered {
    wire::RepairAnswer answer;
    std::uint64_t cost = 0;
};
Result<RepairAnswered> answer_repair(Replica const& replica,
                                     wire::RepairAsk const& ask,
                                     bool may_read);
Result<RangeDifferences> compare_repair(Replica const& replica, wire::RepairAnswer const& answer);

class RepairSearch {
public:
    RepairSearch() { ranges_.push_back({}); }

    // The next question; nullopt: there is none left. Precondition: none is open.
    std::optional<wire::RepairAsk> next(SpaceId const& space);
    // Whether this answers the open question. It stays open until taken() or again().
    bool fits(wire::RepairAnswer const& answer) const;
    // False: what the peer says of a range is not what it has said of it before.
    bool taken(wire::RepairAnswer const& answer, RangeDifferences found);
    // The peer could not answer at the moment.
    void again();

    std::vector<std::string>& keys() { return keys_; }  // records that differ
    bool cut() const { return cut_; }                   // there was more than it could hold

private:
    struct Open {
        RangeDifferences::Range asked;
        wire::Digest vector{};  // of the peer when it said the total
    };
    void add_range(Open open);

    std::vector<Open> ranges_;  // the next one last
    std::vector<std::string> keys_;
    std::optional<Open> asked_;
    std::size_t asks_ = 0;
    bool cut_ = false;
};

}  // namespace inos
