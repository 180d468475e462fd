#include "crdt/types/types.hpp"

#include <algorithm>
#include <tuple>

#include "crdt/types/bounded_counter.hpp"
#include "crdt/types/counter.hpp"
#include "crdt/types/flag.hpp"
#include "crdt/types/list.hpp"
#include "crdt/types/map.hpp"
#include "crdt/types/register.hpp"
#include "crdt/types/set.hpp"
#include "crdt/types/text.hpp"

namespace inos {

void EditPlan::write(std::string path, std::string payload) {
    edits.push_back(
        {static_cast<std::uint64_t>(EditKind::write), std::move(path), std::move(payload)});
}
void EditPlan::remove(std::string path) {
    edits.push_back({static_cast<std::uint64_t>(EditKind::remove), std::move(path), {}});
}
void EditPlan::clear(std::string prefix) {
    edits.push_back({static_cast<std::uint64_t>(EditKind::clear), std::move(prefix), {}});
}

void EditPlan::count(std::string path, std::int64_t delta) {
    Seq start = seq;
    for (Cell const* cell : cells_at(record, path)) {
        auto const run = RunCell::decode(cell->payload);
        if (cell->dot.actor == actor && run) start = run->start;
    }
    std::string payload = RunCell{delta, start}.encode();
    edits.push_back(
        {static_cast<std::uint64_t>(EditKind::count), std::move(path), std::move(payload)});
}

void EditPlan::cut(std::string path, Cut const& cut) {
    edits.push_back({static_cast<std::uint64_t>(EditKind::cut), std::move(path), cut.encode()});
}

void EditPlan::end_lost_runs(std::string_view prefix) {
    for (Cell const* cell : cells_under(record, prefix)) {
        auto const path = run_of_lost(cell->path);
        auto const id = run_name(*cell);
        if (path && id)
            edits.push_back(
                {static_cast<std::uint64_t>(EditKind::end_run), std::string(*path), id->encode()});
    }
}

void EditPlan::fail(ChangeError::Kind kind, std::string field, std::string message) {
    if (!error) error = ChangeError{kind, std::move(field), std::move(message)};
}

std::vector<TypeRules> const& type_list() {
    static std::vector<TypeRules> const list{register_rules(),
                                             counter_rules(),
                                             bounded_counter_rules(),
                                             set_rules(),
                                             flag_rules(),
                                             map_rules(),
                                             list_rules(),
                                             text_rules()};
    return list;
}

TypeRules const* rules_of(CellType type) {
    for (TypeRules const& rules : type_list())
        if (rules.type == type) return &rules;
    return nullptr;
}

TypeRules const* rules_of(std::string_view name) {
    for (TypeRules const& rules : type_list())
        if (rules.name == name) return &rules;
    return nullptr;
}

char const* type_name(CellType type) {
    auto const* rules = rules_of(type);
    return rules ? rules->name : nullptr;
}

bool is_operation(Value const& value) {
    auto const* object = value.as<Object>();
    return object && std::any_of(object->begin(), object->end(), [](Member const& member) {
               return !member.key.empty() && member.key.front() == '$';
           });
}

bool holds_operators(Value const& value) {
    if (is_operation(value)) return true;
    if (auto const* array = value.as<Array>())
        return std::any_of(array->begin(), array->end(), holds_operators);
    if (auto const* object = value.as<Object>())
        return std::any_of(object->begin(), object->end(), [](Member const& m) {
            return holds_operators(m.value);
        });
    return false;
}

std::optional<CellType> operation_type(Object const& object, CellType field) {
    static constexpr std::pair<std::string_view, CellType> kOperators[] = {
        {"$inc", CellType::counter},
        {"$inc", CellType::bounded_counter},
        {"$add", CellType::set},
        {"$remove", CellType::set},
        {"$remove", CellType::list},
        {"$insert", CellType::list},
        {"$move", CellType::list},
        {"$set", CellType::list},
        {"$enable", CellType::flag},
        {"$null", CellType::register_},
        {"$splice", CellType::text},
    };
    std::optional<CellType> found;
    for (auto const& [unused, type] : kOperators) {
        bool const all = std::all_of(object.begin(), object.end(), [&](Member const& member) {
            return std::find(std::begin(kOperators),
                             std::end(kOperators),
                             std::pair(std::string_view(member.key), type)) != std::end(kOperators);
        });
        if (all && (!found || type == field)) found = type;
    }
    return found;
}

bool storable(EditPlan& plan,
              FieldTarget const& target,
              std::string_view what,
              std::string_view value_bytes) {
    if (value_bytes.size() > kPayloadBytesMax) {
        plan.fail(ChangeError::Kind::limit,
                  target.label,
                  std::string(what) + " of " + std::to_string(value_bytes.size()) +
                      " bytes is over the limit of " + std::to_string(kPayloadBytesMax));
    } else if (!decode_value(value_bytes)) {
        plan.fail(ChangeError::Kind::limit,
                  target.label,
                  std::string(what) + " holds text that is not UTF-8, a number that is not " +
                      "finite, or more than " + std::to_string(kValueDepthMax) +
                      " levels of nesting");
    } else {
        return true;
    }
    return false;
}

std::string own_path(std::string_view at, CellType type) {
    std::string path(at);
    path += static_cast<char>(type);
    return path;
}

std::vector<Cell const*> cells_at(Record const& record, std::string_view path) {
    auto const range = record.at(path);
    std::vector<Cell const*> cells;
    for (std::size_t i = range.begin; i < range.end; ++i)
        cells.push_back(&record[i]);
    return cells;
}

std::vector<Cell const*> cells_under(Record const& record, std::string_view prefix) {
    auto const range = record.under(prefix);
    std::vector<Cell const*> cells;
    for (std::size_t i = range.begin; i < range.end; ++i)
        cells.push_back(&record[i]);
    return cells;
}

Cell const* latest(std::vector<Cell const*> const& cells) {
    auto const it = std::max_element(cells.begin(), cells.end(), [](auto const* a, auto const* b) {
        return std::tie(a->hlc, a->dot) < std::tie(b->hlc, b->dot);
    });
    return it == cells.end() ? nullptr : *it;
}

}  // namespace inos
