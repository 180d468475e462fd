// How a query is answered: through which index, if any, and which part of it.
//
// Of the conditions that have to hold together (joined by `and`) those that compare a field with a
// constant name a part of the values: = one of them, `in` several, < <= > >= and prefix a stretch,
// exists and = null, too. An index is of use if its first field has such a condition, or if it
// holds the records in the order that is asked for. What is read from it is looked at again: an
// index may hold more than the condition selects, never less. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "storage/engine.hpp"
#include "storage/index_key.hpp"
#include "storage/query.hpp"
#include "storage/secondary_index.hpp"

namespace inos {

struct QueryPlan {
    std::optional<IndexDefinition> index;  // none: all records of the collection are looked at
    std::vector<IndexRange> ranges;        // of its values: ascending, apart
    std::size_t fixed = 0;                 // so many of its fields have one value in all of them
    bool ordered = false;  // what is read this way comes in the order that is asked for
    Direction direction = Direction::ascending;
    std::vector<std::string> conditions;  // those that the ranges are made of, as text
};

// The best of the indexes; of equally good ones the first.
QueryPlan plan_query(Where const* where,
                     Order const& order,
                     std::vector<IndexDefinition> const& indexes);

// The fields of an index that would answer it best: those with one value, then the order's if all
// go one way, else the first that has a stretch. Empty: none would help.
std::vector<FieldPath> helpful_index(Where const* where, Order const& order);
// As a schema file has it: index = ["city"], index = [["city", "name"]].
std::string index_line(std::vector<FieldPath> const& fields);

}  // namespace inos
