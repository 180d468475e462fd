// Schema documents: what a schema file says, as a Value, checked; and how it lies in the records of
// the reserved collection `_schema`, by which it replicates like all other data.
//
//   document   {COLLECTION: {"delete": "update-wins", "index": [...], "identity": [...],
//                            "fields": {FIELD: {"type": "register", ...}}}}
//   record     key COLLECTION in `_schema`, fields `delete`, `index`, `identity` and one
//              `fields/FIELD` for each definition; every field is a register with one unit as
//              value, so that sites which change different fields of one collection do not get in
//              each other's way
//
// Checking is strict and finds all mistakes at once, because a person waits for the answer. Reading
// what is in the records never fails, because it may come from a newer version: types and policies
// that are not known here are marked so and keep their data.
//
// Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/schema.hpp"
#include "crdt/value.hpp"
#include "storage/replica.hpp"

namespace inos {

// Collections that begin with an underscore belong to the program.
inline bool is_reserved(std::string_view collection) {
    return collection.starts_with('_');
}

// In front of a field's name, where its definition lies in a record of `_schema`.
inline constexpr std::string_view kFieldPrefix = "fields/";

struct SchemaProblem {
    std::string path;     // "customers.fields.points.type"
    std::string message;  // names the value and what is allowed
};

// Everything that is wrong with the document; empty when it may be applied.
std::vector<SchemaProblem> check_schema(Object const& document);

// The writes that make the schemas of the collections in `document` what it says. Collections that
// it does not name stay as they are; those that `current` (Replica::schema_documents()) has so
// already need no write. Precondition: check_schema found nothing.
std::vector<Write> schema_writes(Object const& document,
                                 std::map<std::string, Object> const& current);

// What the fields of one record of `_schema` mean. Total.
CollectionSchema parse_collection_schema(Object const& record_fields);

// The records of `_schema`, by collection, as one document.
Object schema_document(std::map<std::string, Object> const& records);

// A document as the text of a schema file. Values that TOML has no word for (null) are left out.
std::string schema_toml(Object const& document);

}  // namespace inos
