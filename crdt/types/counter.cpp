#include "crdt/types/counter.hpp"

#include <algorithm>
#include <limits>

namespace inos {
namespace {

constexpr CellType kType = CellType::counter;

__extension__ using Wide = __int128;

// The sum of all runs in 128 bits, so that the order of addition does not matter, then brought into
// the range of the result.
std::int64_t total(Record const& record, std::string_view at) {
    Wide sum = 0;
    for (Cell const* cell : cells_at(record, own_path(at, kType)))
        if (auto const run = RunCell::decode(cell->payload)) sum += run->total;
    constexpr Wide kLowest = std::numeric_limits<std::int64_t>::min();
    constexpr Wide kHighest = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(std::clamp(sum, kLowest, kHighest));
}

bool present(Record const& record, std::string_view at) {
    auto const range = record.at(own_path(at, kType));
    return range.begin != range.end;
}

Value read(Record const& record, std::string_view at, FieldSchema const*) {
    return Value(total(record, at));
}

std::vector<ConflictValue> siblings(Record const&, std::string_view, FieldSchema const*) {
    return {};
}

std::int64_t own_total(EditPlan const& plan, std::string_view path) {
    for (Cell const* cell : cells_at(plan.record, path)) {
        auto const run = RunCell::decode(cell->payload);
        if (cell->dot.actor == plan.actor && run) return run->total;
    }
    return 0;
}

void increment(EditPlan& plan, FieldTarget const& target, std::int64_t delta) {
    std::string path = own_path(target.at, kType);
    std::int64_t sum = 0;
    bool const over = __builtin_add_overflow(total(plan.record, target.at), delta, &sum) ||
                      __builtin_add_overflow(own_total(plan, path), delta, &sum);
    if (over)
        return plan.fail(ChangeError::Kind::limit,
                         target.label,
                         "the counter would leave the range of 64-bit integers");
    plan.end_lost_runs(path);
    plan.count(std::move(path), delta);
}

void assign(EditPlan& plan, FieldTarget const& target, Value const& value) {
    auto const* wanted = value.as<std::int64_t>();
    if (!wanted)
        return plan.fail(ChangeError::Kind::wrong_type,
                         target.label,
                         "a counter takes an integer or {\"$inc\": integer}");
    std::int64_t delta = 0;
    if (__builtin_sub_overflow(*wanted, total(plan.record, target.at), &delta))
        return plan.fail(ChangeError::Kind::limit,
                         target.label,
                         "the difference to the present value leaves the range of 64-bit integers");
    if (delta == 0 && present(plan.record, target.at)) return;
    increment(plan, target, delta);
}

void operate(EditPlan& plan, FieldTarget const& target, Object const& operation) {
    Value const* inc = find_member(operation, "$inc");
    auto const* delta = inc ? inc->as<std::int64_t>() : nullptr;
    if (!delta)
        return plan.fail(ChangeError::Kind::bad_operation, target.label, "$inc takes an integer");
    increment(plan, target, *delta);
}

}  // namespace

TypeRules counter_rules() {
    return {kType, "counter", present, read, siblings, assign, operate};
}

}  // namespace inos
