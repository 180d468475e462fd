#include "tools/simulate/plan_checks.hpp"

#include <algorithm>
#include <set>

#include "storage/json.hpp"
#include "tools/simulate/plan.hpp"
#include "tools/simulation/log_view.hpp"

namespace inos::simulate {
namespace {

using sim::LoggedEntry;
using sim::LogView;

std::string place(RecordName const& name) {
    return name.collection + "/" + name.key;
}

std::string described(DoneWrite const& write) {
    std::string text;
    for (Write const& each : write.writes)
        text += (text.empty() ? "" : ", ") + place(each.name);
    return "a write to " + text;
}

// The value that the entry's own edits give a register of the record; nullopt: none.
std::optional<Value> written(LoggedEntry const& entry,
                             RecordName const& name,
                             std::string const& field) {
    std::string const path = path_child({}, field, CellType::register_);
    for (Op const& op : entry.ops)
        if (op.collection == name.collection && op.key == name.key)
            for (Edit const& edit : op.edits)
                if (edit.path == path && !edit.payload.empty()) return decode_value(edit.payload);
    return std::nullopt;
}

bool touches(LoggedEntry const& entry, RecordName const& name) {
    return std::any_of(entry.ops.begin(), entry.ops.end(), [&](Op const& op) {
        return op.collection == name.collection && op.key == name.key;
    });
}

bool is_delete(LoggedEntry const& entry, RecordName const& name) {
    return std::any_of(entry.ops.begin(), entry.ops.end(), [&](Op const& op) {
        return op.collection == name.collection && op.key == name.key &&
               op.kind == static_cast<std::uint64_t>(OpKind::delete_);
    });
}

std::set<RecordName> names_of(std::vector<DoneWrite> const& done) {
    std::set<RecordName> names;
    for (DoneWrite const& write : done)
        for (Write const& each : write.writes)
            names.insert(each.name);
    return names;
}

bool is_counter(FieldSchema const& field) {
    return field.type == CellType::counter || field.type == CellType::bounded_counter;
}

class LostCheck {
public:
    LostCheck(sim::SimNode& node, Schemas const& schemas, std::vector<DoneWrite> const& done)
        : node_(node),
          schemas_(schemas),
          done_(done),
          log_(sim::read_log(node.engine())),
          view_(view_of(node.replica(), schemas)) {}

    std::optional<std::string> find() const {
        for (DoneWrite const& write : done_) {
            auto const entry = log_.find(write.dot);
            if (entry == log_.end())
                return described(write) + " was answered as done at " + site_name(write.site) +
                       ", and its entry is not at " + node_.name();
            for (Write const& each : write.writes)
                if (auto lost = lost_value(entry->second, write, each)) return lost;
        }
        return lost_count();
    }

private:
    std::optional<std::string> lost_value(LoggedEntry const& entry,
                                          DoneWrite const& write,
                                          Write const& each) const {
        auto const schema = schemas_.find(each.name.collection);
        if (schema == schemas_.end()) return std::nullopt;
        bool const replaced = std::any_of(log_.begin(), log_.end(), [&](auto const& other) {
            return touches(other.second, each.name) && sim::saw(other.second, entry.dot);
        });
        if (replaced) return std::nullopt;
        for (auto const& [name, field] : schema->second.fields) {
            if (field.type != CellType::register_) continue;
            auto const value = written(entry, each.name, name);
            if (!value || has_trace(each.name, name, *value)) continue;
            return place(each.name) + ": " + site_name(write.site) + " gave \"" + name +
                   "\" the value " + write_json(*value) + ", and " + node_.name() +
                   " neither shows it nor calls it a conflict";
        }
        return std::nullopt;
    }

    bool has_trace(RecordName const& name, std::string const& field, Value const& value) const {
        auto const record = view_.find(name);
        if (record == view_.end())  // somebody deleted it who had not seen the value
            return std::any_of(log_.begin(), log_.end(), [&](auto const& entry) {
                return is_delete(entry.second, name);
            });
        Value const* shown = find_member(record->second.fields, field);
        if (shown && *shown == value) return true;
        auto const* all = shown ? shown->as<Array>() : nullptr;
        if (all && std::find(all->begin(), all->end(), value) != all->end()) return true;
        for (Conflict const& conflict : record->second.conflicts)
            if (conflict.field == field)
                for (ConflictValue const& one : conflict.values)
                    if (one.value == value) return true;
        return false;
    }

    std::optional<std::string> lost_count() const {
        for (RecordName const& name : names_of(done_)) {
            auto const schema = schemas_.find(name.collection);
            if (schema == schemas_.end()) continue;
            for (auto const& [field, definition] : schema->second.fields) {
                auto const counted =
                    is_counter(definition) ? only_increments(done_, name, field) : std::nullopt;
                if (!counted) continue;
                auto const record = view_.find(name);
                Value const* shown =
                    record == view_.end() ? nullptr : find_member(record->second.fields, field);
                if (shown && *shown == Value(counted->sum)) continue;
                return place(name) + ": \"" + field + "\" was counted to " +
                       std::to_string(counted->sum) + ", and " + node_.name() + " shows " +
                       (shown ? write_json(*shown) : "nothing");
            }
        }
        return std::nullopt;
    }

    sim::SimNode& node_;
    Schemas const& schemas_;
    std::vector<DoneWrite> const& done_;
    LogView log_;
    SiteView view_;
};

}  // namespace

std::optional<Counted> only_increments(std::vector<DoneWrite> const& done,
                                       RecordName const& name,
                                       std::string const& field) {
    std::optional<Counted> counted;
    for (DoneWrite const& write : done)
        for (Write const& each : write.writes) {
            if (each.name != name) continue;
            if (each.kind != Write::Kind::patch) return std::nullopt;
            Value const* change = find_member(each.fields, field);
            if (!change) continue;
            Value const* by = change->find("$inc");
            auto const* amount = by ? by->as<std::int64_t>() : nullptr;
            if (!amount) return std::nullopt;
            if (!counted) counted.emplace();
            counted->sum += *amount;
            counted->added += std::max<std::int64_t>(*amount, 0);
        }
    return counted;
}

std::optional<std::string> find_broken_bound(Schemas const& schemas,
                                             std::vector<DoneWrite> const& done) {
    for (RecordName const& name : names_of(done)) {
        auto const schema = schemas.find(name.collection);
        if (schema == schemas.end()) continue;
        for (auto const& [field, definition] : schema->second.fields) {
            if (definition.type != CellType::bounded_counter) continue;
            auto const counted = only_increments(done, name, field);
            if (!counted || counted->sum >= std::min(definition.min, counted->added)) continue;
            return place(name) + ": the bounded counter \"" + field + "\" was counted to " +
                   std::to_string(counted->sum) + ", under its min of " +
                   std::to_string(definition.min);
        }
    }
    return std::nullopt;
}

std::optional<std::string> find_lost(sim::SimWorld& world,
                                     Schemas const& schemas,
                                     std::vector<DoneWrite> const& done) {
    for (auto const& node : world.nodes())
        if (auto lost = LostCheck(*node, schemas, done).find()) return lost;
    return std::nullopt;
}

}  // namespace inos::simulate
