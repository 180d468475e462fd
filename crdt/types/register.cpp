#include "crdt/types/register.hpp"

#include <algorithm>
#include <tuple>

namespace inos {
namespace {

constexpr CellType kType = CellType::register_;

struct Candidate {
    std::size_t rank = 0;  // higher wins
    Cell const* cell = nullptr;
    Value value;
};

// Rank by the source's place in the ranking: the first is best, sources that are not listed come
// last.
std::size_t source_rank(std::vector<std::string> const& ranking, std::string_view source) {
    auto const it = std::find(ranking.begin(), ranking.end(), source);
    return static_cast<std::size_t>(ranking.end() - it);
}

// Rank by the value's place in the order: later is better, values that are not listed come first.
std::size_t value_rank(std::vector<std::string> const& order, Value const& value) {
    auto const* text = value.as<std::string>();
    if (!text) return 0;
    auto const it = std::find(order.begin(), order.end(), *text);
    return it == order.end() ? 0 : static_cast<std::size_t>(it - order.begin()) + 1;
}

std::size_t rank(FieldSchema const* schema, Cell const& cell, Value const& value) {
    if (!schema) return 0;
    switch (schema->policy) {
        case RegisterPolicy::priority:
            return source_rank(schema->ranking, cell.source);
        case RegisterPolicy::order:
            return value_rank(schema->order, value);
        case RegisterPolicy::latest:
        case RegisterPolicy::keep_all:
            return 0;
    }
    return 0;
}

// The readable cells, best first, by one total key: (rank, hlc, dot).
std::vector<Candidate> candidates(Record const& record,
                                  std::string_view at,
                                  FieldSchema const* schema) {
    std::vector<Candidate> found;
    for (Cell const* cell : cells_at(record, own_path(at, kType)))
        if (auto value = decode_value(cell->payload))
            found.push_back({rank(schema, *cell, *value), cell, *std::move(value)});
    std::sort(found.begin(), found.end(), [](Candidate const& a, Candidate const& b) {
        return std::tie(b.rank, b.cell->hlc, b.cell->dot) <
               std::tie(a.rank, a.cell->hlc, a.cell->dot);
    });
    return found;
}

// One of each value, so that sites that wrote the same are no conflict.
std::vector<Candidate> distinct(std::vector<Candidate> all) {
    std::vector<Candidate> kept;
    for (Candidate& candidate : all) {
        bool const known = std::any_of(kept.begin(), kept.end(), [&](Candidate const& other) {
            return other.value == candidate.value;
        });
        if (!known) kept.push_back(std::move(candidate));
    }
    return kept;
}

bool keeps_all(FieldSchema const* schema) {
    return schema && (schema->policy == RegisterPolicy::keep_all || !schema->policy_known ||
                      !schema->type_known);
}

bool present(Record const& record, std::string_view at) {
    auto const range = record.at(own_path(at, kType));
    return range.begin != range.end;
}

Value read(Record const& record, std::string_view at, FieldSchema const* schema) {
    auto found = candidates(record, at, schema);
    if (keeps_all(schema)) {
        Array values;
        for (Candidate& candidate : distinct(std::move(found)))
            values.push_back(std::move(candidate.value));
        return Value(std::move(values));
    }
    return found.empty() ? Value() : std::move(found.front().value);
}

std::vector<ConflictValue> siblings(Record const& record,
                                    std::string_view at,
                                    FieldSchema const* schema) {
    std::vector<ConflictValue> values;
    for (Candidate& candidate : distinct(candidates(record, at, schema)))
        values.push_back({std::move(candidate.value),
                          candidate.cell->dot,
                          candidate.cell->hlc,
                          candidate.cell->source,
                          values.empty()});
    return values;
}

void assign(EditPlan& plan, FieldTarget const& target, Value const& value) {
    std::string path = own_path(target.at, kType);
    std::string payload = encode(value);
    if (!storable(plan, target, "a value", payload)) return;
    auto const cells = cells_at(plan.record, path);
    if (cells.size() == 1 && cells.front()->payload == payload) return;
    // Putting back the array that a field of several kept values reads as changes nothing either.
    if (keeps_all(target.schema) && !cells.empty() &&
        value == read(plan.record, target.at, target.schema))
        return;
    plan.write(std::move(path), std::move(payload));
}

void operate(EditPlan& plan, FieldTarget const& target, Object const& operation) {
    Value const* null = find_member(operation, "$null");
    bool const yes = null && null->as<bool>() && *null->as<bool>();
    if (!yes) return plan.fail(ChangeError::Kind::bad_operation, target.label, "$null takes true");
    assign(plan, target, Value());
}

}  // namespace

TypeRules register_rules() {
    return {kType, "register", present, read, siblings, assign, operate};
}

}  // namespace inos
