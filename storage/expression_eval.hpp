// What an expression comes to.
//
// Absent fields and null are unknown, as in SQL: a comparison with them is neither true nor false,
// and `and`, `or`, `not` and `in` pass that on. Only `= null` and `!= null` ask for absence itself,
// and `exists` tells null, which is there, from absent. Values of different types are not equal and
// have no order. Numbers are compared by value: 1 = 1.0; texts by their bytes.
//
// Pure, total; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/expression.hpp"

namespace inos {

// What the names in an expression stand for.
class ExprNames {
public:
    virtual ~ExprNames() = default;
    // Of a name, and of what exists; nullopt: absent.
    virtual std::optional<Value> name(Expr const& expr) const = 0;
    // Of count() and sum().
    virtual Value aggregate(Expr const& expr) const = 0;
};

// Null stands for unknown.
Value evaluate(Expr const& expr, ExprNames const& names);

// The value at a dotted path of a record's fields; nullptr: absent.
Value const* find_path(Object const& fields, std::vector<std::string> const& path);
bool same_value(Value const& one, Value const& other);
// Numbers and texts among themselves; nullopt: they have no order.
std::optional<int> value_order(Value const& one, Value const& other);
// Of two numbers, in 64 bits where that is exact, else as a double. Null: not of two numbers, or
// more than a double can be.
Value added(Value const& one, Value const& other, bool subtract);

}  // namespace inos
