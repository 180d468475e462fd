// Bindings made by hand, for tests of the adapter engine.
#pragma once

#include <string>
#include <utility>

#include "tests/support/model_system.hpp"

namespace inos::test {

inline FieldMap map_of(std::string_view record,
                       std::string_view external,
                       FieldKind kind = FieldKind::register_,
                       decltype(FieldMap::dir) dir = decltype(FieldMap::dir)::both) {
    FieldMap map;
    map.record = at(record);
    map.external = at(external);
    map.kind = kind;
    map.dir = dir;
    return map;
}

// name, city, tags, stock and consent both ways; owner comes in, label goes out.
inline Binding customer_binding() {
    using Dir = decltype(FieldMap::dir);
    Binding binding;
    binding.name = "customers";
    binding.collection = "c";
    binding.maps = {map_of("/name", "/Name"),
                    map_of("/city", "/Address/City"),
                    map_of("/tags", "/Tags", FieldKind::set),
                    map_of("/stock", "/Stock", FieldKind::counter),
                    map_of("/consent", "/OptedOut"),
                    map_of("/owner", "/Owner", FieldKind::register_, Dir::in),
                    map_of("/label", "/Label", FieldKind::register_, Dir::out)};
    Transform in, out;
    in.pairs = {{Value(true), Transform::Result::value, Value("no")},
                {Value(false), Transform::Result::keep, Value()}};
    out.pairs = {{Value("no"), Transform::Result::value, Value(true)}};
    out.has_otherwise = true;
    out.otherwise = {Value(), Transform::Result::value, Value(false)};
    binding.maps[4].in = {in};
    binding.maps[4].out = {out};
    return binding;
}

inline Schemas customer_schemas(DeletePolicy on_delete = DeletePolicy::update_wins) {
    CollectionSchema schema;
    schema.on_delete = on_delete;
    schema.fields["tags"].type = CellType::set;
    schema.fields["stock"].type = CellType::counter;
    schema.fields["name"] = {};
    schema.fields["city"].policy = RegisterPolicy::priority;
    schema.fields["city"].ranking = {"office", "shop"};
    return {{"c", schema}};
}

}  // namespace inos::test
