#include "crdt/resolve.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "crdt/types/bounded_counter.hpp"
#include "crdt/types/list.hpp"
#include "crdt/types/map.hpp"
#include "crdt/types/types.hpp"

namespace inos {
namespace {

class Resolver {
public:
    explicit Resolver(Record const& record) : record_(record) {}

    // Conflicts of the field at `at` and of everything below it.
    void collect(std::string const& at, std::string const& label, FieldSchema const* schema) {
        CellType const type = read_type(record_, at, schema);
        std::vector<ConflictValue> values;
        if (auto const* rules = rules_of(type)) values = rules->siblings(record_, at, schema);
        add_other_types(at, type, values);
        add_lost_runs(at, type, values);
        if (values.size() > 1) conflicts.push_back({label, std::move(values)});
        if (type == CellType::list) add_elements(at, label);
        if (type != CellType::map) return;
        std::string const own = own_path(at, type);
        for (auto const& name : names_under(record_, own))
            collect(path_name(own, name), label + "." + name, nullptr);
    }

    std::vector<Conflict> conflicts;

private:
    // Elements of a list whose values differ: each is a field of its own, named by its id.
    void add_elements(std::string const& at, std::string const& label) {
        std::map<std::string, std::vector<ConflictValue>> by_id;
        for (ListElement const& element : list_state(record_, at).shown)
            if (element.conflict()) by_id[element_id(element.name)] = element_values(element);
        for (auto& [id, values] : by_id)
            conflicts.push_back({label + "." + id, std::move(values)});
    }

    // Values under types that are not read are in conflict with the one that is.
    void add_other_types(std::string const& at, CellType type, std::vector<ConflictValue>& values) {
        for (CellType const other : types_at(record_, at)) {
            auto const* rules = rules_of(other);
            if (other == type || !rules || !rules->present(record_, at)) continue;
            if (values.empty()) add_shown(at, type, values);
            Cell const* cell = latest_value(record_, own_path(at, other));
            values.push_back(
                {rules->read(record_, at, nullptr), cell->dot, cell->hlc, cell->source, false});
        }
    }

    // Increments that add nothing are in conflict with what is shown, whatever that is.
    void add_lost_runs(std::string const& at, CellType type, std::vector<ConflictValue>& values) {
        for (Cell const* cell : lost_increments(record_, at, type)) {
            if (values.empty()) add_shown(at, type, values);
            values.push_back({Value(), cell->dot, cell->hlc, cell->source, false, true});
        }
    }

    // A type without siblings of its own shows its value as the winner.
    void add_shown(std::string const& at, CellType type, std::vector<ConflictValue>& values) {
        auto const* rules = rules_of(type);
        Cell const* cell = latest_value(record_, own_path(at, type));
        if (rules && cell && rules->present(record_, at))
            values.push_back(
                {rules->read(record_, at, nullptr), cell->dot, cell->hlc, cell->source, true});
        else
            values.push_back({Value(), {}, {}, {}, true});
    }

    Record const& record_;
};

void name_elements_at(Record const& record,
                      std::string const& at,
                      FieldSchema const* schema,
                      Value& value) {
    CellType const type = read_type(record, at, schema);
    if (type == CellType::list && has_value(record, at, type, schema))
        value = elements_value(record, at);
    auto* members = type == CellType::map ? value.as<Object>() : nullptr;
    if (!members) return;
    for (Member& member : *members)
        name_elements_at(record, path_name(own_path(at, type), member.key), nullptr, member.value);
}

// A field without any cell reads as what the schema says for it. Cells of another type than the
// schema's are no reason: they are shown as a conflict, and the field as absent.
void add_default(Object& fields,
                 Record const& record,
                 std::string_view name,
                 FieldSchema const& field) {
    if (!field.default_value || !types_at(record, path_name({}, name)).empty()) return;
    bool const keeps_all = field.policy == RegisterPolicy::keep_all;
    set_member(fields, name, keeps_all ? Value(Array{*field.default_value}) : *field.default_value);
}

// Cells of one path that stand for rival values; those of other types add up, or say what they
// always say.
bool holds_values(std::string_view path) {
    if (is_special(path) || is_run(path) || is_shrinking(path)) return false;
    auto const type = static_cast<CellType>(path.back());
    return type != CellType::position && type != CellType::marker;
}

// Whether the paths part at the type of a field or of a map's member. Below other types, names
// carry several types as a matter of course.
bool differ_in_type(std::string_view a, std::string_view b) {
    auto const [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    auto const common = static_cast<std::size_t>(in_a - a.begin());
    for (std::string_view rest = a; auto const segment = take_segment(rest);) {
        std::size_t const type_at = a.size() - rest.size() - 1;
        if (type_at >= common) return type_at == common;
        if (segment->type != CellType::map) return false;
    }
    return false;
}

// The two sides of one flag, "off" then "on": their paths differ in the one byte that says which.
bool are_both_sides(std::string_view a, std::string_view b) {
    constexpr std::size_t kTail = 4;  // flag type | 01 | side | element type
    if (a.size() != b.size() || a.size() < kTail) return false;
    std::string_view const tail = a.substr(a.size() - kTail);
    std::size_t const side = a.size() - 2;
    return tail[0] == static_cast<char>(CellType::flag) && tail[1] == '\1' &&
           tail[3] == static_cast<char>(CellType::element) &&
           a.substr(0, side) == b.substr(0, side);
}

// Without removed elements of lists, which go when a site likes: nothing that is read may depend on
// them.
Record without_removed(Record const& record) {
    Record kept = record;
    auto const removed = removed_elements(record);
    for (auto range = removed.rbegin(); range != removed.rend(); ++range)
        kept.remove_if(*range, [](Cell const&) { return true; });
    return kept;
}

// A bounded counter is in conflict while its sum is under the `min` of a schema, and that may be
// any.
bool is_bounded(std::string_view path) {
    while (auto const segment = take_segment(path))
        if (segment->type == CellType::bounded_counter) return true;
    return false;
}

}  // namespace

void name_elements(Record const& record, CollectionSchema const& schema, Object& fields) {
    for (Member& member : fields)
        name_elements_at(record, path_name({}, member.key), schema.field(member.key), member.value);
}

bool may_conflict(Record const& record) {
    Cell const* before = nullptr;
    for (Cell const& cell : record.cells()) {
        if (is_special(cell.path)) continue;
        if (cell.path.back() == static_cast<char>(CellType::lost)) return true;
        if (is_run(cell.path) && is_bounded(cell.path)) return true;
        if (before && before->path == cell.path) {
            if (holds_values(cell.path) && before->payload != cell.payload) return true;
        } else if (before && (differ_in_type(before->path, cell.path) ||
                              are_both_sides(before->path, cell.path))) {
            return true;
        }
        before = &cell;
    }
    return false;
}

Cell const* latest_value(Record const& record, std::string_view prefix) {
    auto cells = cells_under(record, prefix);
    std::erase_if(cells, [](Cell const* cell) { return run_of_lost(cell->path).has_value(); });
    return latest(cells);
}

std::vector<Cell const*> lost_increments(Record const& record,
                                         std::string_view path,
                                         CellType read) {
    std::vector<Cell const*> lost;
    for (CellType const type : types_at(record, path)) {
        std::string const own = own_path(path, type);
        bool const inside_unread_map = type == CellType::map && type != read;
        if (!is_run(own) && !inside_unread_map) continue;
        for (Cell const* cell : cells_under(record, own))
            if (run_of_lost(cell->path) && !holds_passed_rights(cell->path)) lost.push_back(cell);
    }
    return lost;
}

std::vector<CellType> types_at(Record const& record, std::string_view path) {
    std::vector<CellType> types;
    auto const range = record.under(path);
    for (std::size_t i = range.begin; i < range.end; ++i) {
        if (record[i].path.size() <= path.size()) continue;
        auto const type = static_cast<CellType>(record[i].path[path.size()]);
        if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
    }
    return types;
}

CellType read_type(Record const& record, std::string_view path, FieldSchema const* schema) {
    if (schema && schema->type_known) return schema->type;
    auto const types = types_at(record, path);
    if (types.empty()) return CellType::register_;
    if (types.size() == 1) return types.front();
    Record const kept = without_removed(record);
    CellType best = CellType::register_;
    Cell const* newest = nullptr;
    bool any_value = false;
    for (CellType const type : types) {
        Cell const* cell = latest_value(kept, own_path(path, type));
        if (!cell) continue;
        auto const* rules = rules_of(type);
        bool const is_value = !rules || rules->present(kept, path);
        bool const newer = !newest || std::tie(any_value, newest->hlc, newest->dot, best) <
                                          std::tie(is_value, cell->hlc, cell->dot, type);
        if (newer) {
            newest = cell;
            best = type;
            any_value = is_value;
        }
    }
    return newest ? best : types.front();
}

bool has_value(Record const& record, std::string_view path, CellType type, FieldSchema const*) {
    auto const* rules = rules_of(type);
    return rules && rules->present(record, path);
}

Value read_value(Record const& record,
                 std::string_view path,
                 CellType type,
                 FieldSchema const* schema) {
    auto const* rules = rules_of(type);
    return rules ? rules->read(record, path, schema) : Value();
}

Resolved resolve(Record const& record, CollectionSchema const& schema) {
    if (!removed_elements(record).empty()) return resolve(without_removed(record), schema);
    Resolved out;
    Resolver resolver(record);
    for (auto const& name : names_under(record, {})) {
        FieldSchema const* field = schema.field(name);
        std::string const at = path_name({}, name);
        CellType const type = read_type(record, at, field);
        if (has_value(record, at, type, field))
            out.fields.push_back({name, read_value(record, at, type, field)});
        resolver.collect(at, name, field);
    }
    out.conflicts = std::move(resolver.conflicts);
    for (auto const& [name, field] : schema.fields)
        add_default(out.fields, record, name, field);
    return out;
}

Object resolve_fields(Record const& record,
                      CollectionSchema const& schema,
                      std::vector<std::string_view> const& names) {
    if (!removed_elements(record).empty())
        return resolve_fields(without_removed(record), schema, names);
    Object fields;
    for (std::string_view const name : names) {
        FieldSchema const* field = schema.field(name);
        std::string const at = path_name({}, name);
        if (find_member(fields, name)) continue;
        CellType const type = read_type(record, at, field);
        if (has_value(record, at, type, field))
            set_member(fields, name, read_value(record, at, type, field));
        else if (field)
            add_default(fields, record, name, *field);
    }
    return fields;
}

}  // namespace inos
