// What the names of a rule mean under a schema, and whether the rule can be right: unknown names
// (with the near miss), and comparisons that could never hold, such as a text with a number.
//
//   - A field without a collection in front belongs to the collection that the rule is about. A
//     rule that names none is about every collection that has all of its fields.
//   - Within the condition of count() and sum() a field belongs to the counted records first, and
//     COLLECTION.FIELD reaches the record that the rule is about.
//   - `id` is the record's id, unless a field is called so.
//   - A name that begins with a capital letter and is no field is a variable. It has to be compared
//     with a field: it takes every value that stands there.
//
// Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "crdt/schema.hpp"
#include "storage/query.hpp"
#include "tools/simulate/rule.hpp"

namespace inos::simulate {

inline constexpr std::size_t kVariablesMax = 2;  // of one rule

using Schemas = std::map<std::string, CollectionSchema>;

// The collections of a document without problems (storage/schema_document.hpp).
Schemas schemas_of(Object const& document);

// What an expression is before anybody has written anything. `any`: that depends.
enum class Type : std::uint8_t { any, boolean, number, text, array, object };

struct CheckedRule {
    std::size_t line = 0;
    std::string text;  // as in the file; with the collection behind it where it is one of many
    std::string collection;  // about each of its records; empty: about all collections at once
    std::vector<std::string> variables;
    Expr expr;  // every name has its scope and its collection
};

struct CheckedRules {
    std::vector<CheckedRule> rules;  // one for each collection that a rule is about
    std::vector<RuleProblem> problems;
};

CheckedRules check_rules(RuleFile const& file, Schemas const& schemas);

// What rules compare a field with, so that a simulation can write such values: by collection and
// path.
struct FieldHint {
    Type type = Type::any;
    std::vector<Value> values;  // no two are equal
};
using FieldHints = std::map<std::pair<std::string, std::vector<std::string>>, FieldHint>;
FieldHints hints_of(std::vector<CheckedRule> const& rules, Schemas const& schemas);

// The type that a field's values have under the schema; `any` for a register that says nothing.
Type field_type(FieldSchema const& field);

}  // namespace inos::simulate
