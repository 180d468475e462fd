#include "storage/copied_fields.hpp"

#include <optional>
#include <utility>

#include "crdt/resolve.hpp"
#include "crdt/types/types.hpp"

namespace inos {
namespace {

Value operation(char const* name, Value operand) {
    return Value(Object{{name, std::move(operand)}});
}

// The operator that makes a field of the type with just this value. None where nothing of the value
// would be left to write, or no operator makes the type.
std::optional<Value> typed(CellType type, Value const& value) {
    auto const* array = value.as<Array>();
    auto const* text = value.as<std::string>();
    switch (type) {
        case CellType::counter:
        case CellType::bounded_counter:
            return operation("$inc", value);
        case CellType::flag:
            return operation("$enable", value);
        case CellType::set:
            if (!array || array->empty()) return std::nullopt;
            return operation("$add", value);
        case CellType::list:
            if (!array || array->empty()) return std::nullopt;
            return operation("$insert", Value(Object{{"after", Value()}, {"values", value}}));
        case CellType::text:
            if (!text || text->empty()) return std::nullopt;
            return operation("$splice", Value(Object{{"at", Value(0)}, {"insert", value}}));
        default:
            return std::nullopt;
    }
}

}  // namespace

bool reads_as_array(FieldSchema const* schema) {
    return schema && schema->type == CellType::register_ &&
           schema->policy == RegisterPolicy::keep_all;
}

CollectionSchema without_defaults(CollectionSchema schema) {
    for (auto& [name, field] : schema.fields)
        field.default_value.reset();
    return schema;
}

Value copied_field(Record const& from,
                   Record const& into,
                   std::string const& at,
                   FieldSchema const* schema,
                   Value const& value) {
    auto const* kept = reads_as_array(schema) ? value.as<Array>() : nullptr;
    Value const& told = kept && kept->size() == 1 ? kept->front() : value;
    if (told.is_null()) return operation("$null", Value(true));
    if (kept) return told;
    CellType const type = read_type(from, at, schema);
    if (auto const* members = value.as<Object>(); members && type == CellType::map) {
        Object copied;
        for (Member const& member : *members) {
            std::string const child = path_name(own_path(at, type), member.key);
            set_member(copied, member.key, copied_field(from, into, child, nullptr, member.value));
        }
        return Value(std::move(copied));
    }
    // Whatever is there gives a plain value its type, where it fits.
    bool const untyped = !schema && !has_value(into, at, read_type(into, at, nullptr), nullptr);
    auto made = untyped ? typed(type, value) : std::nullopt;
    return made ? *std::move(made) : value;
}

Object copied_fields(Record const& from, Record const& into, CollectionSchema const& schema) {
    CollectionSchema const stored = without_defaults(schema);
    Object fields = resolve(from, stored).fields;
    for (Member& member : fields)
        member.value = copied_field(
            from, into, path_name({}, member.key), stored.field(member.key), member.value);
    return fields;
}

}  // namespace inos
