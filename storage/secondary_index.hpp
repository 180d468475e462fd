// Secondary indexes: which ones a collection's schema asks for, and the bytes of a record's entry.
//
//   index = ["email", ["city", "name"]]     one of email, one of city and then name
//
// An index is called by a hash of all that its entries are made of: the collection, the fields, and
// what the schema says of these fields and of deletes. So a changed schema asks for another index,
// and entries of the two are never mixed.
//
//   values  = component *                 one for each field of the index
//   component = 0 absent | index_key (index_key.hpp) | 6 an array or an object
//
// Components in a row keep their order, and none begins with another. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/value.hpp"

namespace inos {

inline constexpr std::size_t kIndexesMax = 16;     // of a collection
inline constexpr std::size_t kIndexFieldsMax = 8;  // of an index
inline constexpr std::size_t kIndexIdBytes = 16;
inline constexpr std::size_t kIndexPathMax = 1'024;  // bytes of a field's dotted path

using FieldPath = std::vector<std::string>;

struct IndexDefinition {
    std::string id;  // kIndexIdBytes
    std::vector<FieldPath> fields;

    bool operator==(IndexDefinition const&) const = default;
};

// A dotted path; without quotes, as schemas name fields.
FieldPath split_path(std::string_view dotted);
std::string dotted(FieldPath const& path);

// Of a collection whose record in `_schema` has these fields. What is not understood, and what
// is above the limits, is no index; check_schema() has said so to who wrote it.
std::vector<IndexDefinition> index_definitions(std::string_view collection,
                                               Object const& schema_record);
// Why the value of `index` in a schema is not right; nullopt: it is.
std::optional<std::string> index_problem(Value const& value);

// nullptr: absent.
std::string index_component(Value const* value);
std::string index_values(IndexDefinition const& index, Object const& fields);
// The components that the bytes begin with; nullopt: they are no values of so many fields.
std::optional<std::vector<std::string_view>> index_components(std::string_view bytes,
                                                              std::size_t fields);

}  // namespace inos
