#include "adapters/mapping/field_values.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "adapters/mapping/canon.hpp"
#include "adapters/mapping/transform.hpp"
#include "storage/json.hpp"
#include "storage/text_forms.hpp"

namespace inos {
namespace {

constexpr std::size_t kShownBytesMax = 80;
constexpr double kExactDoubleMax = 9'007'199'254'740'992.0;  // 2^53

struct Seen {
    bool hidden = false;
    Value value;
};

Seen look(Object const& external, Pointer const& pointer) {
    if (Value const* value = find_at(external, pointer)) return {false, *value};
    // Below a place that has no value there is none; elsewhere the place is missing.
    Pointer above = pointer;
    while (!above.tokens.empty()) {
        above.tokens.pop_back();
        Value const* value = find_at(external, above);
        if (value) return {!value->is_null(), Value()};
    }
    return {true, Value()};
}

std::set<std::string> known_members(FieldMap const& map) {
    std::set<std::string> names;
    for (MapMember const& member : map.members)
        names.insert(member.member);
    for (Chain const* chain : {&map.in, &map.out})
        for (std::string const& name : member_names(*chain))
            names.insert(name);
    return names;
}

std::string shown(Value const& value) {
    return shortened(write_json(value), kShownBytesMax);
}

// Brings a canonical value into what a field of the kind reads as; false where it has no place.
bool fit_kind(Value& value, FieldKind kind) {
    if (value.is_null()) return true;
    switch (kind) {
        case FieldKind::register_:
            return true;
        case FieldKind::counter: {
            auto const* number = value.as<double>();
            if (number && *number == std::floor(*number) && std::abs(*number) < kExactDoubleMax)
                value = Value(static_cast<std::int64_t>(*number));
            return value.as<std::int64_t>() != nullptr;
        }
        case FieldKind::flag:
            return value.as<bool>() != nullptr;
        case FieldKind::text:
            return value.as<std::string>() != nullptr;
        case FieldKind::set:
        case FieldKind::list:
            break;
    }
    auto* array = value.as<Array>();
    if (!array) return false;
    std::erase_if(*array, [](Value const& item) { return item.is_null(); });
    if (kind == FieldKind::set) {
        std::sort(array->begin(), array->end(), [](Value const& a, Value const& b) {
            return encode(a) < encode(b);
        });
        array->erase(std::unique(array->begin(), array->end()), array->end());
    }
    if (array->empty()) value = Value();
    return true;
}

char const* kind_words(FieldKind kind) {
    switch (kind) {
        case FieldKind::counter:
            return "is no whole number, and the field is a counter";
        case FieldKind::flag:
            return "is neither true nor false, and the field is a flag";
        case FieldKind::text:
            return "is no text, and the field is one";
        case FieldKind::set:
            return "is no list, and the field is a set";
        case FieldKind::list:
        case FieldKind::register_:
            break;
    }
    return "is no list, and the field is one";
}

// An object without its empty members; null when nothing is left.
Value without_nulls(Value value) {
    auto* object = value.as<Object>();
    if (!object) return value;
    std::erase_if(*object, [](Member const& member) { return member.value.is_null(); });
    return object->empty() ? Value() : std::move(value);
}

Inbound refusal(std::string why) {
    Inbound inbound;
    inbound.kind = Inbound::Kind::refused;
    inbound.why = std::move(why);
    return inbound;
}

Inbound nothing(Inbound::Kind kind) {
    Inbound inbound;
    inbound.kind = kind;
    return inbound;
}

// The external value that goes into the map's chain: one place, or an object of several.
Inbound gather(FieldMap const& map, Object const& external) {
    Inbound inbound;
    if (!map.is_composed()) {
        Seen seen = look(external, *map.external);
        if (seen.hidden) return nothing(Inbound::Kind::hidden);
        inbound.value = std::move(seen.value);
        return inbound;
    }
    Object object;
    for (MapMember const& member : map.members) {
        Seen seen = look(external, member.external);
        if (seen.hidden) return nothing(Inbound::Kind::hidden);
        Transformed part = transformed(member.in, std::move(seen.value));
        if (part.kind == Transformed::Kind::refused)
            return refusal(member.external.text() + ": " + part.why);
        if (part.kind == Transformed::Kind::nothing) return nothing(Inbound::Kind::keep);
        set_member(object, member.member, std::move(part.value));
    }
    inbound.value = without_nulls(Value(std::move(object)));
    return inbound;
}

Outbound refused(std::string why) {
    Outbound outbound;
    outbound.kind = Outbound::Kind::refused;
    outbound.why = std::move(why);
    return outbound;
}

bool fit_length(FieldMap const& map, Value& value) {
    auto const* text = value.as<std::string>();
    if (!map.max || !text || characters(*text) <= *map.max) return true;
    if (map.too_long == FieldMap::TooLong::reject) return false;
    Transform cut;
    cut.kind = Transform::Kind::truncate;
    cut.number = static_cast<std::int64_t>(*map.max);
    value = transformed({cut}, std::move(value)).value;
    return true;
}

}  // namespace

Inbound read_external(FieldMap const& map, Object const& external) {
    Inbound inbound = gather(map, external);
    if (inbound.kind != Inbound::Kind::value) return inbound;
    Transformed whole = transformed(map.in, std::move(inbound.value));
    if (whole.kind == Transformed::Kind::refused)
        return refusal((map.external ? map.external->text() : map.record.text()) + ": " +
                       whole.why);
    if (whole.kind == Transformed::Kind::nothing) return nothing(Inbound::Kind::keep);
    Canonical formed = canonical(std::move(whole.value), map.canon);
    inbound.marked = formed.marked;
    inbound.value =
        map.is_composed() ? without_nulls(std::move(formed.value)) : std::move(formed.value);
    if (!fit_kind(inbound.value, map.kind))
        return refusal(map.record.text() + ": " + shown(inbound.value) + " " +
                       kind_words(map.kind));
    return inbound;
}

Outbound write_external(FieldMap const& map, Value const& value) {
    Outbound outbound;
    Transformed whole = transformed(map.out, value);
    if (whole.kind == Transformed::Kind::refused)
        return refused(map.record.text() + ": " + whole.why);
    if (whole.kind == Transformed::Kind::nothing) outbound.kind = Outbound::Kind::skip;
    if (whole.kind != Transformed::Kind::value) return outbound;
    if (!map.is_composed()) outbound.parts.push_back({*map.external, std::move(whole.value)});
    for (MapMember const& member : map.members) {
        Value const* held = whole.value.find(member.member);
        Transformed part = transformed(member.out, held ? *held : Value());
        if (part.kind == Transformed::Kind::refused)
            return refused(map.record.text() + "/" + member.member + ": " + part.why);
        if (part.kind == Transformed::Kind::value)
            outbound.parts.push_back({member.external, std::move(part.value)});
    }
    for (Outbound::Part& part : outbound.parts)
        if (!fit_length(map, part.value))
            return refused(part.external.text() + ": " + shown(part.value) + " has " +
                           std::to_string(characters(*part.value.as<std::string>())) +
                           " characters, and the system takes " + std::to_string(*map.max));
    if (outbound.parts.empty()) outbound.kind = Outbound::Kind::skip;
    return outbound;
}

Value record_value(FieldMap const& map, Object const& fields) {
    Value const* held = find_at(fields, map.record);
    if (!held) return {};
    Value value = canonical(*held, map.canon).value;
    auto* object = value.as<Object>();
    if (map.is_composed() && object) {
        auto const known = known_members(map);
        std::erase_if(*object, [&](Member const& member) { return !known.contains(member.key); });
        value = without_nulls(std::move(value));
    }
    fit_kind(value, map.kind);
    return value;
}

Value with_unmapped(FieldMap const& map, Value const& current, Value const& inbound) {
    auto const* before = current.as<Object>();
    bool const object = inbound.is_null() || inbound.as<Object>();
    if (!map.is_composed() || !before || !object) return inbound;
    auto const known = known_members(map);
    Object merged = inbound.as<Object>() ? *inbound.as<Object>() : Object{};
    for (Member const& member : *before)
        if (!known.contains(member.key)) set_member(merged, member.key, member.value);
    return merged.empty() ? Value() : Value(std::move(merged));
}

}  // namespace inos
