#include "tools/simulation/record_rules.hpp"

#include <algorithm>
#include <array>

#include "crdt/path.hpp"
#include "crdt/types/types.hpp"

namespace inos::sim {
namespace {

bool is_change(Op const& op) {
    return op.kind == static_cast<std::uint64_t>(OpKind::change);
}

// Brings the record back where it was deleted without being seen. What only takes things away does
// not.
bool brings_back(Op const& op) {
    bool const writes = std::any_of(op.edits.begin(), op.edits.end(), [](Edit const& edit) {
        return edit.kind == static_cast<std::uint64_t>(EditKind::write) ||
               edit.kind == static_cast<std::uint64_t>(EditKind::count);
    });
    return is_change(op) && (op.fresh || writes);
}

// What the write gives a register; what a revived record gets stands in the op only.
Value const* assigned(Write const* asked, std::string const& field) {
    return asked ? find_member(asked->fields, field) : nullptr;
}
std::optional<Value> revived(Op const& op, std::string const& field) {
    std::string const path = own_path(path_name({}, field), CellType::register_);
    for (Edit const& edit : op.edits) {
        if (edit.kind != static_cast<std::uint64_t>(EditKind::write) || edit.path != path) continue;
        auto value = decode_value(edit.payload);
        require(value.has_value(), "a value in the log cannot be read");
        return value;
    }
    return std::nullopt;
}

// The operand of an operation on a field, if the write is one.
Value const* operand(Write const* asked, char const* field, char const* operation) {
    Value const* const value = assigned(asked, field);
    auto const* object = value ? value->as<Object>() : nullptr;
    return object ? find_member(*object, operation) : nullptr;
}

}  // namespace

RecordRules::RecordRules(Ledger const& ledger,
                         LogView const& log,
                         std::map<std::uint64_t, LoggedEntry const*> const& entries) {
    std::map<std::pair<Dot, RecordName>, Write const*> asked;
    std::set<RecordName> erased;
    for (auto const& [number, entry] : entries)
        for (Write const& write : ledger.all()[number - 1].writes) {
            asked[{entry->dot, write.name}] = &write;
            if (write.kind == Write::Kind::erase) erased.insert(write.name);
        }
    static constexpr std::array<std::string_view, 4> kRuled = {kLoose, kStrict, kMixed, kPersons};
    for (auto const& [dot, entry] : log)
        for (Op const& op : entry.ops) {
            RecordName const name{op.collection, op.key};
            bool const ruled =
                std::find(kRuled.begin(), kRuled.end(), name.collection) != kRuled.end();
            bool const is_delete = op.kind == static_cast<std::uint64_t>(OpKind::delete_);
            if (!ruled || erased.contains(name) || !(is_delete || is_change(op))) continue;
            auto const by = asked.find({dot, name});
            records_[name].push_back(
                {&entry, &op, by == asked.end() ? nullptr : by->second, is_delete, false});
        }
    for (auto& [name, touches] : records_)
        find_fresh(name, touches);
}

// Under update-wins a record is there while a write is left that no delete had seen; under
// delete-wins every delete has to be one that some later write had seen, too.
bool RecordRules::there(RecordName const& name, std::vector<Touch const*> const& touches) {
    auto const seen_by = [&](bool deletes, Dot dot) {
        return std::any_of(touches.begin(), touches.end(), [&](Touch const* touch) {
            bool const of_kind = deletes ? touch->is_delete : brings_back(*touch->op);
            return of_kind && saw(*touch->entry, dot);
        });
    };
    bool left = std::any_of(touches.begin(), touches.end(), [&](Touch const* touch) {
        return brings_back(*touch->op) && !seen_by(true, touch->entry->dot);
    });
    if (name.collection == kStrict)
        for (Touch const* touch : touches)
            left = left && (!touch->is_delete || seen_by(false, touch->entry->dot));
    return left;
}

void RecordRules::find_fresh(RecordName const& name, Touches& touches) {
    for (Touch& touch : touches) {
        if (touch.is_delete) continue;
        std::vector<Touch const*> past;
        for (Touch const& other : touches)
            if (saw(*touch.entry, other.entry->dot)) past.push_back(&other);
        touch.fresh = !there(name, past);
        require(touch.op->fresh == touch.fresh,
                "I4: " + touch.entry->source + " takes " + name.collection + "/" + name.key +
                    (touch.fresh ? " for a record that is there" : " for one that is not there"));
    }
}

bool RecordRules::killed(Touches const& touches, Dot dot, Kills const& kills) {
    return std::any_of(touches.begin(), touches.end(), [&](Touch const& touch) {
        return !touch.is_delete && saw(*touch.entry, dot) && (touch.fresh || kills(touch));
    });
}

// The latest of those values that no other write has replaced; a put replaces what it does not
// name. Null: there is none.
Value RecordRules::register_of(Touches const& touches, std::string const& field) {
    auto const value_by = [&](Touch const& touch) -> std::optional<Value> {
        if (touch.is_delete) return std::nullopt;
        if (touch.asked && touch.asked->kind == Write::Kind::revive)
            return revived(*touch.op, field);
        Value const* const value = assigned(touch.asked, field);
        return value ? std::optional(*value) : std::nullopt;
    };
    auto const kills = [&](Touch const& touch) {
        bool const put = touch.asked && touch.asked->kind == Write::Kind::put;
        return put || value_by(touch).has_value();
    };
    Touch const* latest = nullptr;
    for (Touch const& touch : touches) {
        if (!value_by(touch) || killed(touches, touch.entry->dot, kills)) continue;
        bool const later = !latest || std::pair(latest->entry->hlc, latest->entry->dot) <
                                          std::pair(touch.entry->hlc, touch.entry->dot);
        if (later) latest = &touch;
    }
    return latest ? *value_by(*latest) : Value();
}

// Add wins: an element is there while an add of it is left that no removal had seen.
Value RecordRules::tags_of(Touches const& touches) {
    std::set<std::string> tags;
    for (Touch const& touch : touches) {
        Value const* const added = operand(touch.asked, "tags", "$add");
        if (!added) continue;
        auto const kills = [&](Touch const& other) {
            Value const* const removed = operand(other.asked, "tags", "$remove");
            return removed && *removed == *added;
        };
        if (!killed(touches, touch.entry->dot, kills)) tags.insert(*added->as<std::string>());
    }
    Array array;
    for (std::string const& tag : tags)
        array.push_back(Value(tag));
    return Value(std::move(array));
}

// Increments of one actor are one run until their author has seen it taken away; whoever takes it
// away takes all of it, if he had seen its beginning.
Value RecordRules::sum_of(Touches const& touches) {
    auto const takes = [](Touch const& touch) {
        Value const* const value = assigned(touch.asked, "n");
        return value && value->is_null();
    };
    std::map<Dot, std::int64_t> runs;  // by the entry that began each
    std::map<ActorId, Dot> open;
    for (Touch const& touch : touches) {  // by actor and number
        Value const* const amount = operand(touch.asked, "n", "$inc");
        if (!amount) continue;
        ActorId const actor = touch.entry->dot.actor;
        auto const run = open.find(actor);
        bool goes_on = run != open.end() && !touch.fresh;
        for (Touch const& other : touches) {
            bool const took = goes_on && !other.is_delete && (other.fresh || takes(other)) &&
                              saw(*touch.entry, other.entry->dot) && saw(*other.entry, run->second);
            goes_on = goes_on && !took;
        }
        if (!goes_on) open[actor] = touch.entry->dot;
        runs[open[actor]] += *amount->as<std::int64_t>();
    }
    std::int64_t sum = 0;
    for (auto const& [start, total] : runs)
        if (!killed(touches, start, takes)) sum += total;
    return Value(sum);
}

std::map<RecordName, RecordRules::Expected> RecordRules::all() const {
    std::map<RecordName, Expected> all;
    for (auto const& [name, touches] : records_) {
        Expected& expected = all[name];
        std::vector<Touch const*> list;
        for (Touch const& touch : touches)
            list.push_back(&touch);
        expected.there = there(name, list);
        if (name.collection == kMixed) {
            expected.fields["tags"] = tags_of(touches);
            expected.fields["n"] = sum_of(touches);
            continue;
        }
        bool const person = name.collection == kPersons;
        for (char const* field : {person ? "name" : "v", person ? "more" : "w"})
            expected.fields[field] = register_of(touches, field);
    }
    return all;
}

}  // namespace inos::sim
