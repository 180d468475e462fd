// Random values, schemas, changes and entries, each read off a Tape, the same with every compiler.
// Alphabets are small on purpose: what matters happens when two sites touch the same thing.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/entry.hpp"
#include "crdt/schema.hpp"
#include "crdt/types/types.hpp"
#include "crdt/value.hpp"
#include "tools/simulation/tape.hpp"

namespace inos::sim {

// In this order whatever the compiler: the name, then the value.
template <class Names, class Make>
void set_random_member(Tape& tape, Object& object, Names const& names, Make const& make) {
    auto const& name = tape.pick(names);
    set_member(object, name, make());
}

inline Value random_scalar(Tape& tape) {
    static constexpr std::int64_t kIntegers[] = {0,
                                                 1,
                                                 -1,
                                                 7,
                                                 63,
                                                 64,
                                                 -65,
                                                 1'000'000,
                                                 std::numeric_limits<std::int64_t>::max(),
                                                 std::numeric_limits<std::int64_t>::min()};
    static constexpr double kDoubles[] = {0.0, 1.0, -0.5, 1e300, 5e-324, 0.1};
    static constexpr std::string_view kTexts[] = {
        "", "a", "b", "Kiel", "\xc3\xa4\xc3\x9f", "\xf0\x9f\x9a\xb2", "line\nbreak"};
    switch (tape.below(6)) {
        case 0:
            return Value(tape.pick(kTexts));
        case 1:
            return Value(tape.pick(kIntegers));
        case 2:
            return Value(tape.chance(50));
        case 3:
            return Value(tape.pick(kDoubles));
        case 4:
            return Value();
        default:
            return Value(static_cast<std::int64_t>(tape.word64()));
    }
}

inline Value random_value(Tape& tape, int depth = 3) {
    static constexpr std::string_view kKeys[] = {"k", "l", "m", "\xc3\xa9"};
    std::size_t const kind = depth == 0 ? 0 : tape.below(5);
    if (kind == 3) {
        Array array(tape.below(4));
        for (Value& item : array)
            item = random_value(tape, depth - 1);
        return Value(std::move(array));
    }
    if (kind == 4) {
        Object object;
        for (std::size_t n = tape.below(4); n > 0; --n)
            set_random_member(tape, object, kKeys, [&] { return random_value(tape, depth - 1); });
        return Value(std::move(object));
    }
    return random_scalar(tape);
}

// One field per type and per policy, named after it.
inline CollectionSchema typed_schema() {
    CollectionSchema schema;
    auto const add = [&](char const* name, CellType type) -> FieldSchema& {
        FieldSchema& field = schema.fields[name];
        field.type = type;
        return field;
    };
    add("register", CellType::register_);
    FieldSchema& priority = add("priority", CellType::register_);
    priority.policy = RegisterPolicy::priority;
    priority.ranking = {"crm", "manager", "shop"};
    FieldSchema& order = add("order", CellType::register_);
    order.policy = RegisterPolicy::order;
    order.order = {"given", "withdrawn"};
    add("keep", CellType::register_).policy = RegisterPolicy::keep_all;
    add("counter", CellType::counter);
    add("bounded-counter", CellType::bounded_counter);
    add("set", CellType::set);
    add("flag", CellType::flag);
    add("disable", CellType::flag).disable_wins = true;
    add("map", CellType::map);
    add("list", CellType::list);
    add("text", CellType::text);
    return schema;
}

inline CollectionSchema random_schema(Tape& tape) {
    CollectionSchema schema = typed_schema();
    if (tape.chance(30)) schema.on_delete = DeletePolicy::delete_wins;
    static constexpr std::string_view kFree[] = {"x", "y"};
    for (auto const name : kFree) {
        if (!tape.chance(30)) continue;
        FieldSchema& field = schema.fields[std::string(name)];
        field.type = tape.pick(type_list()).type;
        field.policy = static_cast<RegisterPolicy>(tape.below(4));
        field.disable_wins = tape.chance(50);
        field.policy_known = !tape.chance(10);
    }
    return schema;
}

inline Value random_elements(Tape& tape) {
    static constexpr std::string_view kElements[] = {"vip", "new", "old"};
    Array array;
    for (std::size_t n = tape.below(3); n > 0; --n)
        array.push_back(tape.chance(20) ? Value(tape.chance(50)) : Value(tape.pick(kElements)));
    return Value(std::move(array));
}

inline std::string random_text(Tape& tape) {
    static constexpr std::string_view kLetters[] = {"a", "b", "\xc3\xa9", "\xf0\x9f\x9a\xb2"};
    std::string text;
    for (std::size_t n = tape.below(6); n > 0; --n)
        text += tape.pick(kLetters);
    return text;
}

// Of a short text, so that most of them are within it.
inline Value random_splice(Tape& tape) {
    Object splice{{"at", Value(tape.chance(30) ? 1 + static_cast<int>(tape.below(2)) : 0)}};
    if (tape.chance(40)) set_member(splice, "delete", Value(static_cast<int>(tape.below(3))));
    if (tape.chance(70)) set_member(splice, "insert", Value(random_text(tape)));
    return Value(std::move(splice));
}

// Values may repeat, and an assignment of another array moves, edits, removes and inserts.
inline Value random_list(Tape& tape) {
    static constexpr std::string_view kItems[] = {"a", "b", "c", "d"};
    Array array;
    for (std::size_t n = tape.below(6); n > 0; --n)
        array.push_back(tape.chance(10) ? random_value(tape, 1) : Value(tape.pick(kItems)));
    return Value(std::move(array));
}

// A plain value that a field of the type takes.
inline Value fitting_value(Tape& tape, CellType type, int depth = 2) {
    switch (type) {
        case CellType::counter:
            return Value(static_cast<std::int64_t>(tape.below(200)) - 100);
        case CellType::bounded_counter:
            return Value(static_cast<std::int64_t>(tape.below(40)));
        case CellType::set:
            return random_elements(tape);
        case CellType::flag:
            return Value(tape.chance(50));
        case CellType::text:
            return Value(random_text(tape));
        case CellType::list:
            return random_list(tape);
        case CellType::map: {
            static constexpr std::string_view kKeys[] = {"k", "l", "m"};
            Object object;
            for (std::size_t n = tape.below(4); n > 0; --n)
                set_random_member(
                    tape, object, kKeys, [&] { return random_value(tape, depth - 1); });
            return Value(std::move(object));
        }
        default: {
            Value value = random_value(tape, 1);
            if (value.as<Object>()) return Value("o");  // without a schema this would be a map
            return value;
        }
    }
}

inline Object operation(std::string_view name, Value operand) {
    return Object{{std::string(name), std::move(operand)}};
}

// An operation of the type, or a plain value where it has none.
inline Value random_operation(Tape& tape, CellType type) {
    switch (type) {
        case CellType::counter:
        case CellType::bounded_counter:
            return Value(operation("$inc", Value(static_cast<std::int64_t>(tape.below(20)) - 7)));
        case CellType::set: {
            if (tape.chance(30)) return Value(operation("$remove", random_elements(tape)));
            return Value(operation("$add", random_elements(tape)));
        }
        case CellType::flag:
            return Value(operation("$enable", Value(tape.chance(60))));
        case CellType::list: {
            Object const insert{{tape.chance(50) ? "after" : "before", Value()},
                                {"values", random_list(tape)}};
            return Value(operation("$insert", Value(insert)));
        }
        case CellType::register_:
            return Value(operation("$null", Value(true)));
        case CellType::text: {
            if (tape.chance(70)) return Value(operation("$splice", random_splice(tape)));
            return Value(
                operation("$splice", Value(Array{random_splice(tape), random_splice(tape)})));
        }
        default:
            return fitting_value(tape, type);
    }
}

// Anything that somebody may send for a field: values and operations of all types, nested in maps.
inline Value random_field(Tape& tape, int depth) {
    static constexpr std::string_view kKeys[] = {"k", "l", "m"};
    CellType const type = tape.pick(type_list()).type;
    if (type == CellType::map && depth > 0) {
        Object object;
        for (std::size_t n = tape.below(4); n > 0; --n)
            set_random_member(tape, object, kKeys, [&] { return random_field(tape, depth - 1); });
        return Value(std::move(object));
    }
    return tape.chance(60) ? random_operation(tape, type) : fitting_value(tape, type);
}

// The fields of a put or a patch: some by the schema's types, some free. Nulls unset in a patch.
// Some are refused, as some of what people send is.
inline Object random_fields(Tape& tape, CollectionSchema const& schema) {
    Object fields;
    static constexpr std::string_view kFree[] = {"x", "y"};
    std::vector<std::string_view> named;
    for (auto const& [name, field] : schema.fields)
        named.push_back(name);
    for (std::size_t n = tape.below(4); n > 0; --n) {
        if (named.empty() || tape.chance(35)) {
            set_random_member(tape, fields, kFree, [&] { return random_field(tape, 2); });
            continue;
        }
        auto const name = tape.pick(named);
        CellType const type = schema.field(name)->type;
        if (tape.chance(15)) {
            set_member(fields, name, Value());
        } else if (type == CellType::map) {
            Object inner;
            for (std::size_t k = tape.below(3); k > 0; --k)
                set_member(inner, k == 1 ? "k" : "l", random_field(tape, 1));
            set_member(fields, name, Value(std::move(inner)));
        } else {
            bool const plain = tape.chance(40);
            set_member(
                fields, name, plain ? fitting_value(tape, type) : random_operation(tape, type));
        }
    }
    return fields;
}

inline VersionVector random_vv(Tape& tape) {
    VersionVector vv;
    for (std::size_t n = tape.below(4); n > 0; --n) {
        ActorId const actor{tape.chance(50) ? tape.word64() : tape.below(5)};
        vv.set(actor, tape.below(300) + 1);
    }
    return vv;
}

inline Edit random_edit(Tape& tape) {
    static constexpr std::string_view kNames[] = {"name", "points", "tags"};
    std::string const at = path_name({}, tape.pick(kNames));
    switch (tape.below(7)) {
        case 5:
            return {1, own_path(at, CellType::text_run), Pieces(random_text(tape) + "x").encode()};
        case 6: {
            Cut const cut{{ActorId{tape.below(5)}, 1 + tape.below(300)}, {{tape.below(9), 2}}};
            return {5, own_path(at, CellType::text_run), cut.encode()};
        }
        case 0:
            return {1, own_path(at, CellType::register_), encode(random_value(tape))};
        case 1:
            return {
                2,
                path_child(
                    own_path(at, CellType::set), encode(random_scalar(tape)), CellType::element),
                {}};
        case 2:
            return {3, tape.chance(50) ? at : own_path(at, CellType::map), {}};
        case 3:
            return {
                4,
                own_path(at, CellType::counter),
                RunCell{static_cast<std::int64_t>(tape.below(50)) - 25, tape.below(4)}.encode()};
        default:
            return {7 + tape.below(100), own_path(at, CellType::list), "of a newer version"};
    }
}

inline Op random_op(Tape& tape) {
    Op op;
    if (tape.chance(10)) {
        op.kind = 4 + tape.below(1000);
        op.body = std::string(tape.below(20), 'x');
        return op;
    }
    op.kind = tape.chance(20) ? 2 : 1;
    op.collection = tape.chance(50) ? "customers" : "orders";
    op.key = tape.chance(50) ? "1" : "k\xc3\xb6nig";
    if (op.kind == 2) {
        op.seen = random_vv(tape);
    } else {
        op.fresh = tape.chance(40);
        op.edits.resize(tape.below(5));
        for (Edit& edit : op.edits)
            edit = random_edit(tape);
    }
    if (!op.fresh && tape.chance(20)) op.ctx = random_vv(tape);
    return op;
}

// The names that an entry lists once: its collections and the fields at the top of its paths.
inline std::vector<std::string> names_in(std::vector<Op> const& ops) {
    std::vector<std::string> names;
    auto const note = [&names](std::string_view name) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
    };
    for (Op const& op : ops) {
        if (!op.collection.empty()) note(op.collection);
        for (Edit const& edit : op.edits) {
            Reader in(edit.path);
            auto const name = in.blob();
            if (in.ok() && valid_name(name)) note(name);
        }
    }
    return names;
}

inline EntryHeader random_header(Tape& tape, std::vector<std::string> names) {
    EntryHeader header;
    header.dot = {ActorId{tape.word64()}, tape.below(1000) + 1};
    header.hlc = Hlc::from(1'700'000'000'000 + tape.below(1000), 3);
    VersionVector deps = random_vv(tape);
    for (auto const& [actor, seq] : deps.items())
        if (actor != header.dot.actor)
            header.deps.push_back({actor, seq, {1, 2, 3, 4, 5, 6, 7, 8}});
    header.source = tape.chance(50) ? "crm" : "";
    header.names = std::move(names);
    return header;
}

// One that is in effect: each op about another record, and one count at a path.
inline Entry random_entry(Tape& tape) {
    std::vector<Op> ops(tape.below(4));
    for (std::size_t i = 0; i < ops.size(); ++i) {
        ops[i] = random_op(tape);
        if (!ops[i].key.empty()) ops[i].key += std::to_string(i);
        std::set<std::string> paths;
        std::erase_if(ops[i].edits, [&](Edit const& edit) {
            return edit.kind == 4 && !paths.insert(edit.path).second;
        });
    }
    EntryHeader header = random_header(tape, names_in(ops));
    return {std::move(header), std::move(ops)};
}

}  // namespace inos::sim
