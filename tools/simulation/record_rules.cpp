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

// Besides its element the set itself, which a removal of the element leaves there, empty.
bool begins_set(Op const& op) {
    std::string const path = own_path(path_name({}, "tags"), CellType::set);
    return std::any_of(op.edits.begin(), op.edits.end(), [&path](Edit const& edit) {
        return edit.kind == static_cast<std::uint64_t>(EditKind::write) && edit.path == path;
    });
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

bool removes(Write const* asked, Value const& tag) {
    Value const* const removed = operand(asked, "tags", "$remove");
    return removed && *removed == tag;
}

bool takes_sum(Write const* asked) {
    Value const* const value = assigned(asked, "n");
    return value && value->is_null();
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

// A delete counts until somebody who had seen it changes the record. Under delete-wins no delete
// may be left; under update-wins something has to be left of a write that none of them had seen.
bool RecordRules::there(RecordName const& name, Touches const& touches) {
    Touches deletes;
    bool is_there = false;
    for (Touch const* touch : touches) {
        is_there = is_there || !touch->is_delete;
        bool const over = std::any_of(touches.begin(), touches.end(), [touch](Touch const* other) {
            return !other->is_delete && saw(*other->entry, touch->entry->dot);
        });
        if (touch->is_delete && !over) deletes.push_back(touch);
    }
    if (deletes.empty() || !is_there || name.collection == kStrict)
        return is_there && deletes.empty();
    return std::any_of(touches.begin(), touches.end(), [&](Touch const* touch) {
        bool const seen = std::any_of(deletes.begin(), deletes.end(), [touch](Touch const* other) {
            return saw(*other->entry, touch->entry->dot);
        });
        return !seen && brings_back(*touch->op) && left(name, touches, *touch);
    });
}

// Has nobody taken away what the write added without putting something else in its place?
bool RecordRules::left(RecordName const& name, Touches const& touches, Touch const& touch) {
    if (name.collection != kMixed || touch.fresh) return true;
    Dot const dot = touch.entry->dot;
    if (begins_set(*touch.op)) return !killed(touches, dot, [](Touch const&) { return false; });
    if (auto const* added = operand(touch.asked, "tags", "$add"))
        return !killed(
            touches, dot, [added](Touch const& other) { return removes(other.asked, *added); });
    // Of an increment whose run was taken away unseen a trace is left.
    return !killed(touches, dot, [](Touch const& other) { return takes_sum(other.asked); });
}

void RecordRules::find_fresh(RecordName const& name, std::vector<Touch>& touches) {
    // What a write had seen comes before it.
    std::vector<Touch*> order;
    for (Touch& touch : touches)
        order.push_back(&touch);
    auto const held = [](Touch const* touch) {
        Seq sum = 0;
        for (auto const& [actor, seq] : touch->entry->deps.items())
            sum += seq;
        return sum;
    };
    std::stable_sort(
        order.begin(), order.end(), [&](auto* a, auto* b) { return held(a) < held(b); });
    for (Touch* const touch : order) {
        if (touch->is_delete) continue;
        Touches past;
        for (Touch const& other : touches)
            if (saw(*touch->entry, other.entry->dot)) past.push_back(&other);
        touch->fresh = !there(name, past);
        require(touch->op->fresh == touch->fresh,
                "I4: " + touch->entry->source + " takes " + name.collection + "/" + name.key +
                    (touch->fresh ? " for a record that is there" : " for one that is not there"));
    }
}

bool RecordRules::killed(Touches const& touches, Dot dot, Kills const& kills) {
    return std::any_of(touches.begin(), touches.end(), [&](Touch const* touch) {
        return !touch->is_delete && saw(*touch->entry, dot) && (touch->fresh || kills(*touch));
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
    for (Touch const* touch : touches) {
        if (!value_by(*touch) || killed(touches, touch->entry->dot, kills)) continue;
        bool const later = !latest || std::pair(latest->entry->hlc, latest->entry->dot) <
                                          std::pair(touch->entry->hlc, touch->entry->dot);
        if (later) latest = touch;
    }
    return latest ? *value_by(*latest) : Value();
}

// Add wins: an element is there while an add of it is left that no removal had seen.
Value RecordRules::tags_of(Touches const& touches) {
    std::set<std::string> tags;
    for (Touch const* touch : touches) {
        Value const* const added = operand(touch->asked, "tags", "$add");
        if (!added) continue;
        auto const kills = [&](Touch const& other) { return removes(other.asked, *added); };
        if (!killed(touches, touch->entry->dot, kills)) tags.insert(*added->as<std::string>());
    }
    Array array;
    for (std::string const& tag : tags)
        array.push_back(Value(tag));
    return Value(std::move(array));
}

// Every increment, and the one that began its run: those of one actor are one run until their
// author has seen it taken away.
std::map<Dot, Dot> RecordRules::runs_of(Touches const& touches) {
    std::map<Dot, Dot> runs;
    std::map<ActorId, Dot> open;
    for (Touch const* touch : touches) {
        if (!operand(touch->asked, "n", "$inc")) continue;
        Dot const dot = touch->entry->dot;
        auto const run = open.find(dot.actor);
        bool goes_on = run != open.end() && !touch->fresh;
        for (Touch const* other : touches) {
            bool const took =
                goes_on && !other->is_delete && (other->fresh || takes_sum(other->asked)) &&
                saw(*touch->entry, other->entry->dot) && saw(*other->entry, run->second);
            goes_on = goes_on && !took;
        }
        if (!goes_on) open[dot.actor] = dot;
        runs[dot] = open[dot.actor];
    }
    return runs;
}

// Whoever takes a sum away takes all of each run whose beginning he had seen.
Value RecordRules::sum_of(Touches const& touches) {
    auto const runs = runs_of(touches);
    auto const takes = [](Touch const& touch) { return takes_sum(touch.asked); };
    std::int64_t sum = 0;
    for (Touch const* touch : touches) {
        auto const run = runs.find(touch->entry->dot);
        if (run == runs.end() || killed(touches, run->second, takes)) continue;
        sum += *operand(touch->asked, "n", "$inc")->as<std::int64_t>();
    }
    return Value(sum);
}

std::map<RecordName, RecordRules::Expected> RecordRules::all() const {
    std::map<RecordName, Expected> all;
    for (auto const& [name, stored] : records_) {
        Expected& expected = all[name];
        Touches touches;
        for (Touch const& touch : stored)
            touches.push_back(&touch);
        expected.there = there(name, touches);
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
