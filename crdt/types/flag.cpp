#include "crdt/types/flag.hpp"

#include <algorithm>

namespace inos {
namespace {

constexpr CellType kType = CellType::flag;

std::string side_path(std::string_view at, bool on) {
    return path_child(own_path(at, kType), on ? "1" : "0", CellType::element);
}

std::vector<Cell const*> side(Record const& record, std::string_view at, bool on) {
    return cells_at(record, side_path(at, on));
}

bool present(Record const& record, std::string_view at) {
    return !side(record, at, true).empty() || !side(record, at, false).empty();
}

bool reads_as(Record const& record, std::string_view at, FieldSchema const* schema) {
    bool const enabled = !side(record, at, true).empty();
    bool const disabled = !side(record, at, false).empty();
    bool const disable_wins = schema && schema->disable_wins;
    return enabled && !(disable_wins && disabled);
}

Value read(Record const& record, std::string_view at, FieldSchema const* schema) {
    return Value(reads_as(record, at, schema));
}

std::vector<ConflictValue> siblings(Record const& record,
                                    std::string_view at,
                                    FieldSchema const* schema) {
    bool const value = reads_as(record, at, schema);
    std::vector<ConflictValue> values;
    for (bool const on : {value, !value})
        if (Cell const* cell = latest(side(record, at, on)))
            values.push_back({Value(on), cell->dot, cell->hlc, cell->source, on == value});
    return values;
}

void set_to(EditPlan& plan, FieldTarget const& target, bool on) {
    if (!side(plan.record, target.at, !on).empty()) plan.remove(side_path(target.at, !on));
    plan.write(side_path(target.at, on), {});
}

void assign(EditPlan& plan, FieldTarget const& target, Value const& value) {
    auto const* on = value.as<bool>();
    if (!on)
        return plan.fail(ChangeError::Kind::wrong_type,
                         target.label,
                         "a flag takes true, false or {\"$enable\": true}");
    bool const settled =
        !side(plan.record, target.at, *on).empty() && side(plan.record, target.at, !*on).empty();
    if (!settled) set_to(plan, target, *on);
}

void operate(EditPlan& plan, FieldTarget const& target, Object const& operation) {
    Value const* enable = find_member(operation, "$enable");
    auto const* on = enable ? enable->as<bool>() : nullptr;
    if (!on)
        return plan.fail(
            ChangeError::Kind::bad_operation, target.label, "$enable takes true or false");
    set_to(plan, target, *on);
}

}  // namespace

TypeRules flag_rules() {
    return {kType, "flag", present, read, siblings, assign, operate};
}

}  // namespace inos
