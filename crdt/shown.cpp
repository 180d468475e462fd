#include "crdt/shown.hpp"

namespace inos {
namespace {

// "There is a map" and its like tell nothing that a user wrote; without them each write would add
// one more.
bool tells_of_type_only(std::string_view path) {
    switch (static_cast<CellType>(path.back())) {
        case CellType::map:
        case CellType::set:
        case CellType::list:
        case CellType::text:
            return true;
        default:
            return false;
    }
}

bool shown(Cell const& cell, VersionVector const& seen) {
    if (cell.path == kExistencePath) return true;
    if (is_special(cell.path)) return false;  // the record is there, whatever its markers say
    if (is_run(cell.path) || run_of_lost(cell.path)) return true;
    return seen.covers(cell.dot) || tells_of_type_only(cell.path);
}

}  // namespace

Planned plan_shown_change(Record const& record,
                          CollectionSchema const& schema,
                          RecordName const& name,
                          Object const& fields,
                          VersionVector const& seen,
                          Author const& author) {
    Record view = record;
    view.remove_if([&](Cell const& cell) { return !shown(cell, seen); });
    auto planned = plan_change(view, schema, name, fields, AssignMode::merge, author);
    auto* op = std::get_if<std::optional<Op>>(&planned);
    if (op && *op) (*op)->ctx = seen;
    return planned;
}

std::optional<Op> plan_shown_delete(Record const& record,
                                    CollectionSchema const& schema,
                                    RecordName const& name,
                                    VersionVector const& seen) {
    auto op = plan_delete(record, schema, name);
    if (!op) return op;
    op->seen = {};
    for (Cell const& cell : record.cells())
        if (cell.path != kDeletePath && seen.covers(cell.dot))
            op->seen.raise(cell.dot.actor, cell.dot.seq);
    if (op->seen.empty()) return std::nullopt;
    op->ctx = seen;
    return op;
}

}  // namespace inos
