#include "crdt/types/map.hpp"

#include <algorithm>

#include "crdt/types/list.hpp"

namespace inos {
namespace {

constexpr CellType kType = CellType::map;

// Without its own cell a map is there while a member is: what is left of members that were taken
// away makes none.
bool present(Record const& record, std::string_view at) {
    std::string const own = own_path(at, kType);
    if (!cells_at(record, own).empty()) return true;
    for (auto const& name : names_under(record, own)) {
        std::string const child = path_name(own, name);
        for (CellType const type : types_at(record, child)) {
            auto const* rules = rules_of(type);
            if (!rules || rules->present(record, child)) return true;
        }
    }
    return false;
}

Value read(Record const& record, std::string_view at, FieldSchema const*) {
    std::string const own = own_path(at, kType);
    Object members;
    for (auto const& name : names_under(record, own)) {
        std::string const child = path_name(own, name);
        CellType const type = read_type(record, child, nullptr);
        if (has_value(record, child, type, nullptr))
            members.push_back({name, read_value(record, child, type, nullptr)});
    }
    return Value(std::move(members));
}

// Conflicts of a map are those of its leaves; resolve() walks to them.
std::vector<ConflictValue> siblings(Record const&, std::string_view, FieldSchema const*) {
    return {};
}

void assign(EditPlan& plan, FieldTarget const& target, Value const& value) {
    assign_map(plan, target, value, AssignMode::replace);
}

void operate(EditPlan& plan, FieldTarget const& target, Object const&) {
    plan.fail(ChangeError::Kind::bad_operation, target.label, "a map takes an object");
}

// The type that a plain value is written as: the schema's; else the present one where the value
// fits it; else what the value looks like.
CellType target_type(EditPlan const& plan, FieldTarget const& target, Value const& value) {
    if (target.schema) return target.schema->type;
    CellType const now = read_type(plan.record, target.at, nullptr);
    bool const fits = (now == CellType::counter && value.as<std::int64_t>()) ||
                      (now == CellType::bounded_counter && value.as<std::int64_t>()) ||
                      (now == CellType::set && value.as<Array>()) ||
                      (now == CellType::list && value.as<Array>()) ||
                      (now == CellType::flag && value.as<bool>()) ||
                      (now == CellType::text && value.as<std::string>());
    // A counter that was taken away while somebody counted on begins again as one.
    bool const there = has_value(plan.record, target.at, now, nullptr) ||
                       !lost_increments(plan.record, target.at, now).empty();
    if (fits && there) return now;
    return value.as<Object>() ? CellType::map : CellType::register_;
}

// Is what the field reads as the value, and nothing beside it that a write would settle?
bool reads_so(EditPlan const& plan, FieldTarget const& target, Value const& value) {
    Record const& record = plan.record;
    CellType const now = read_type(record, target.at, target.schema);
    auto const* rules = rules_of(now);
    if (!rules || now == CellType::map || !rules->present(record, target.at)) return false;
    if (!(rules->read(record, target.at, target.schema) == value)) return false;
    if (target.schema && !target.schema->type_known) return true;  // it cannot be written here
    for (CellType const other : types_at(record, target.at))
        if (other != now && has_value(record, target.at, other, nullptr)) return false;
    if (now == CellType::list)
        for (ListElement const& element : list_state(record, target.at).shown)
            if (element.conflict()) return false;
    return rules->siblings(record, target.at, target.schema).size() <= 1;
}

// A write that has seen the field in another shape takes that shape away; and where it writes more
// than that, what is left of other shapes and those of newer versions too. `first`: the first edit
// of the field.
void clear_other_types(EditPlan& plan,
                       FieldTarget const& target,
                       CellType type,
                       std::size_t first) {
    std::size_t const end = plan.edits.size();
    for (CellType const other : types_at(plan.record, target.at))
        if (other != type && (end > first || has_value(plan.record, target.at, other, nullptr)))
            plan.clear(own_path(target.at, other));
    auto const at = [&plan](std::size_t i) {
        return plan.edits.begin() + static_cast<std::ptrdiff_t>(i);
    };
    std::rotate(at(first), at(end), plan.edits.end());
}

int segments(std::string_view path) {
    int count = 0;
    while (take_segment(path))
        ++count;
    return count;
}

void run_operation(EditPlan& plan, FieldTarget const& target, Object const& operation) {
    CellType const now = read_type(plan.record, target.at, target.schema);
    bool const is_now = target.schema || has_value(plan.record, target.at, now, nullptr);
    auto const type = operation_type(operation, is_now ? now : CellType::register_);
    if (!type)
        return plan.fail(ChangeError::Kind::bad_operation,
                         target.label,
                         "\"" + operation.front().key +
                             "\" is no operation, or does not go with the others beside it; "
                             "there are $inc, $add, $remove, $insert, $move, $set, $splice, "
                             "$enable and $null, and names cannot begin with $");
    bool const other = target.schema
                           ? target.schema->type != *type
                           : now != *type && has_value(plan.record, target.at, now, nullptr);
    if (other && (target.schema || *type != CellType::register_))
        return plan.fail(ChangeError::Kind::wrong_type,
                         target.label,
                         "\"" + operation.front().key + "\" is for a " + type_name(*type) +
                             ", but the field is a " +
                             (type_name(now) ? type_name(now) : "newer type"));
    std::size_t const first = plan.edits.size();
    rules_of(*type)->operate(plan, target, operation);
    clear_other_types(plan, target, *type, first);
}

}  // namespace

std::vector<std::string> names_under(Record const& record, std::string_view prefix) {
    std::vector<std::string> names;
    auto const range = record.under(prefix);
    for (std::size_t i = range.begin; i < range.end; ++i) {
        std::string_view rest = std::string_view(record[i].path).substr(prefix.size());
        if (is_special(rest)) continue;
        auto const segment = take_segment(rest);
        if (segment && (names.empty() || names.back() != segment->name))
            names.emplace_back(segment->name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

void assign_field(EditPlan& plan, FieldTarget const& target, Value const& value, AssignMode mode) {
    if (plan.error) return;
    if (mode == AssignMode::merge && value.is_null()) {
        if (!types_at(plan.record, target.at).empty()) plan.clear(target.at);
        return;
    }
    if (!plan.resolves && reads_so(plan, target, value)) return;
    if (target.schema && (!target.schema->type_known || !rules_of(target.schema->type)))
        return plan.fail(ChangeError::Kind::wrong_type,
                         target.label,
                         "the schema gives this field a type that this version cannot write");
    if (is_operation(value)) return run_operation(plan, target, *value.as<Object>());
    CellType const type = target_type(plan, target, value);
    std::size_t const first = plan.edits.size();
    if (type == CellType::map && value.as<Object>()) {
        assign_map(plan, target, value, mode);
        return clear_other_types(plan, target, type, first);
    }
    if (holds_operators(value))
        return plan.fail(ChangeError::Kind::bad_operation,
                         target.label,
                         "names inside a value cannot begin with $");
    rules_of(type)->assign(plan, target, value);
    clear_other_types(plan, target, type, first);
}

void assign_map(EditPlan& plan, FieldTarget const& target, Value const& value, AssignMode mode) {
    auto const* object = value.as<Object>();
    if (!object)
        return plan.fail(ChangeError::Kind::wrong_type, target.label, "a map takes an object");
    std::string const own = own_path(target.at, kType);
    // A member is one segment more, and may be a set, whose elements are another.
    bool const too_deep = segments(own) + 2 > kPathDepthMax;
    std::size_t const first = plan.edits.size();
    if (mode == AssignMode::replace)
        for (auto const& name : names_under(plan.record, own))
            if (!find_member(*object, name)) take_away(plan, path_name(own, name), nullptr);
    for (Member const& member : *object) {
        std::string const label = target.label + "." + member.key;
        if (!valid_name(member.key))
            return plan.fail(ChangeError::Kind::limit,
                             target.label,
                             "a name has to be 1 to 256 bytes of UTF-8 without control characters");
        if (too_deep)
            return plan.fail(ChangeError::Kind::limit, label, "maps are nested too deeply");
        assign_field(plan, {path_name(own, member.key), label, nullptr}, member.value, mode);
    }
    bool const writes = plan.edits.size() > first || !present(plan.record, target.at);
    if (!writes || !cells_at(plan.record, own).empty()) return;
    plan.write(own, {});
    std::rotate(plan.edits.begin() + static_cast<std::ptrdiff_t>(first),
                plan.edits.end() - 1,
                plan.edits.end());
}

void take_away(EditPlan& plan, std::string_view path, FieldSchema const* schema) {
    CellType const type = read_type(plan.record, path, schema);
    if (has_value(plan.record, path, type, schema)) plan.clear(std::string(path));
}

TypeRules map_rules() {
    return {kType, "map", present, read, siblings, assign, operate};
}

}  // namespace inos
