// Fields of a record as a write to a record has to say them: to the same one later (restoring an
// earlier state, keeping an edit that was found without its record), or to another one (a merge of
// duplicates). A plain value does not tell its type, so where neither the schema nor what is there
// already does, an operator brings it along: {"$inc": 2} for a counter. Pure; any thread.
#pragma once

#include <string>

#include "crdt/record.hpp"
#include "crdt/schema.hpp"
#include "crdt/value.hpp"

namespace inos {

// One field, or member of a map, at `at` (a path up to a name, without a type). `value` is what it
// reads as in `from`; `into` is the record that is written, empty if it is not there. For PUT and
// PATCH alike. Of several kept values the array as it reads.
Value copied_field(Record const& from,
                   Record const& into,
                   std::string const& at,
                   FieldSchema const* schema,
                   Value const& value);

// The fields that a PUT to `into` needs to make it what `from` is: without defaults, which are
// stored nowhere, and a kept value as itself where there is just one.
Object copied_fields(Record const& from, Record const& into, CollectionSchema const& schema);

// Does the field read as the array of all its concurrent values?
bool reads_as_array(FieldSchema const* schema);

// The schema as it reads what is really stored.
CollectionSchema without_defaults(CollectionSchema schema);

}  // namespace inos
