#include "net/repair_search.hpp"

#include <algorithm>
#include <utility>

#include "net/wire/vector_codec.hpp"
#include "storage/record_repair.hpp"

namespace inos {
namespace {

constexpr std::uint64_t kAnswerCost = 200;  // of any answer, besides what it looks at

wire::Digest digest_of(Replica const& replica) {
    return wire::vector_digest(replica.vector(), replica.chains());
}

}  // namespace

std::optional<wire::RepairAsk> RepairSearch::next(SpaceId const& space) {
    if (ranges_.empty()) return std::nullopt;
    if (++asks_ > kRepairAsksMax) {
        cut_ = true;
        return std::nullopt;
    }
    asked_ = std::move(ranges_.back());
    ranges_.pop_back();
    wire::RepairAsk ask;
    ask.space = space;
    ask.range = asked_->asked.range;
    return ask;
}

bool RepairSearch::fits(wire::RepairAnswer const& answer) const {
    if (!asked_ || !answer.states.empty()) return false;
    RecordRange const& asked = asked_->asked.range;
    RecordRange const& range = answer.summary.range;
    bool const whole = range.to == asked.to;
    bool const first_part = range.to > range.from && (asked.to.empty() || range.to < asked.to);
    return range.from == asked.from && (whole || first_part);
}

void RepairSearch::again() {
    ranges_.push_back(*std::exchange(asked_, std::nullopt));
}

bool RepairSearch::taken(wire::RepairAnswer const& answer, RangeDifferences found) {
    Open const asked = *std::exchange(asked_, std::nullopt);
    RecordRange const& range = answer.summary.range;
    bool const whole = range.to == asked.asked.range.to;
    if (!whole) add_range({{{range.to, asked.asked.range.to}, std::nullopt}, {}});
    for (auto& part : found.ranges)
        add_range({std::move(part), answer.vector});
    for (RangeItem& item : found.records) {
        if (keys_.size() >= kRepairKeysMax)
            cut_ = true;
        else
            keys_.push_back(std::move(item.key));
    }
    bool const comparable = whole && asked.asked.total && asked.vector == answer.vector;
    return !comparable || *asked.asked.total == total_of(answer.summary);
}

void RepairSearch::add_range(Open open) {
    if (ranges_.size() >= kRepairRangesMax)
        cut_ = true;
    else
        ranges_.push_back(std::move(open));
}

Result<RepairAnswered> answer_repair(Replica const& replica,
                                     wire::RepairAsk const& ask,
                                     bool may_read) {
    RepairAnswered made;
    wire::RepairAnswer& answer = made.answer;
    made.cost = kAnswerCost;
    answer.space = ask.space;
    answer.vector = digest_of(replica);
    answer.ready = may_read && ask.vector == answer.vector && replica.root_comparable() &&
                   ask.root != replica.root().bytes();
    if (!answer.ready) return made;
    if (ask.keys.empty()) {
        auto summary = summarize(replica.engine(), replica.space_number(), ask.range);
        if (!summary && summary.error().code != Errc::corruption)
            return tl::unexpected(summary.error());
        answer.ready = summary.has_value();  // else it has to be mended here first
        if (summary) answer.summary = *std::move(summary);
        made.cost += summary ? answer.summary.looked : kRangeScanMax;
    } else {
        std::size_t looked = 0;
        INOS_TRY(answer.states, shared_states(replica, ask.keys, &looked));
        made.cost += answer.states.size() + looked / 64;
    }
    return made;
}

Result<RangeDifferences> compare_repair(Replica const& replica, wire::RepairAnswer const& answer) {
    return compare_range(replica.engine(), replica.space_number(), answer.summary);
}

}  // namespace inos
