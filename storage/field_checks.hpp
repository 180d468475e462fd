// What a schema asks of values (required, enum, max, format) and the form it brings texts into
// (canon), for writes at this site's own API. Entries of other sites are never judged: the merge
// does not look at the schema, so a value that was written elsewhere under another schema is kept
// and shown as it is.
//
// A write is judged by what it changes. A field that was wrong before and stays as it was is no
// reason to refuse it, nor is a number or length over `max` that goes down, nor an element that an
// array, set or list had before.
//
// Pure, total; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crdt/change.hpp"
#include "crdt/schema.hpp"
#include "crdt/value.hpp"

namespace inos {

struct FieldProblem {
    std::string field;
    std::string message;   // names the value, the record, the collection and the rule
    bool refuses = false;  // false: the write is made, and its answer tells of it
};

// Is there anything to check, or to bring into form?
bool has_rules(CollectionSchema const& schema);
bool has_canon(CollectionSchema const& schema);

// The problems of a write that makes the record's visible fields `after`; before it they were
// `before`, or there was no visible record (null). A required field that is missing refuses a write
// that makes the record so; where it was missing before, it is a warning.
std::vector<FieldProblem> check_fields(RecordName const& name,
                                       Object const* before,
                                       Object const& after,
                                       CollectionSchema const& schema);

// What is wrong with a value by its field's rules, as the end of a sentence that begins with the
// value: "has to be ...". Null is no value and never wrong.
std::optional<std::string> wrong_value(Value const& value, FieldSchema const& field);

// The fields of a write with their texts in the form that the schema asks for: texts, texts in
// arrays, and what {"$add": ...} and {"$remove": ...} hold.
Object canonical_fields(Object fields, CollectionSchema const& schema);

}  // namespace inos
