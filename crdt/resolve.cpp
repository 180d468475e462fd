#include "crdt/resolve.hpp"

#include <algorithm>
#include <tuple>

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
        if (values.size() > 1) conflicts.push_back({label, std::move(values)});
        if (type != CellType::map) return;
        std::string const own = own_path(at, type);
        for (auto const& name : names_under(record_, own))
            collect(path_name(own, name), label + "." + name, nullptr);
    }

    std::vector<Conflict> conflicts;

private:
    // Values under types that are not read are in conflict with the one that is.
    void add_other_types(std::string const& at, CellType type, std::vector<ConflictValue>& values) {
        for (CellType const other : types_at(record_, at)) {
            auto const* rules = rules_of(other);
            if (other == type || !rules || !rules->present(record_, at)) continue;
            if (values.empty()) add_shown(at, type, values);
            Cell const* cell = latest(cells_under(record_, own_path(at, other)));
            values.push_back(
                {rules->read(record_, at, nullptr), cell->dot, cell->hlc, cell->source, false});
        }
    }

    // A type without siblings of its own shows its value as the winner.
    void add_shown(std::string const& at, CellType type, std::vector<ConflictValue>& values) {
        auto const* rules = rules_of(type);
        Cell const* cell = latest(cells_under(record_, own_path(at, type)));
        if (rules && cell)
            values.push_back(
                {rules->read(record_, at, nullptr), cell->dot, cell->hlc, cell->source, true});
        else
            values.push_back({Value(), {}, {}, {}, true});
    }

    Record const& record_;
};

}  // namespace

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
    CellType best = CellType::register_;
    Cell const* newest = nullptr;
    for (CellType const type : types_at(record, path)) {
        Cell const* cell = latest(cells_under(record, own_path(path, type)));
        bool const newer = !newest || std::tie(newest->hlc, newest->dot, best) <
                                          std::tie(cell->hlc, cell->dot, type);
        if (newer) {
            newest = cell;
            best = type;
        }
    }
    return best;
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
    return out;
}

}  // namespace inos
