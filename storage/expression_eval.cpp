#include "storage/expression_eval.hpp"

#include <algorithm>
#include <cmath>

namespace inos {
namespace {

std::optional<long double> number(Value const& value) {
    if (auto const* n = value.as<std::int64_t>()) return static_cast<long double>(*n);
    if (auto const* n = value.as<double>()) return static_cast<long double>(*n);
    return std::nullopt;
}

bool is_null(Expr const& expr) {
    return expr.kind == ExprKind::literal && expr.literal.is_null();
}

// `and` where `decides` is false, `or` where it is true.
Value joined(Expr const& expr, ExprNames const& names, bool decides) {
    Value const one = evaluate(expr.parts[0], names);
    if (one == Value(decides)) return one;
    Value const other = evaluate(expr.parts[1], names);
    if (other == Value(decides)) return other;
    bool const known = one.as<bool>() && other.as<bool>();
    return known ? Value(!decides) : Value();
}

Value contains(Value const& whole, Value const& part) {
    if (auto const* array = whole.as<Array>())
        return Value(std::any_of(array->begin(), array->end(), [&](Value const& item) {
            return same_value(item, part);
        }));
    auto const *text = whole.as<std::string>(), *piece = part.as<std::string>();
    if (text && piece) return Value(text->find(*piece) != std::string::npos);
    return {};
}

Value equal(Expr const& left, Value const& one, Expr const& right, Value const& other) {
    bool const asks = is_null(left) || is_null(right);
    if (!asks && (one.is_null() || other.is_null())) return {};
    return Value(same_value(one, other));
}

Value compared(Expr const& expr, ExprNames const& names) {
    Value const one = evaluate(expr.parts[0], names), other = evaluate(expr.parts[1], names);
    if (expr.kind == ExprKind::equal || expr.kind == ExprKind::differs) {
        Value const same = equal(expr.parts[0], one, expr.parts[1], other);
        return same.is_null() ? same : Value(*same.as<bool>() == (expr.kind == ExprKind::equal));
    }
    if (one.is_null() || other.is_null()) return {};
    if (expr.kind == ExprKind::contains) return contains(one, other);
    if (expr.kind == ExprKind::prefix) {
        auto const *text = one.as<std::string>(), *begin = other.as<std::string>();
        return text && begin ? Value(text->starts_with(*begin)) : Value();
    }
    auto const order = value_order(one, other);
    if (!order) return {};
    switch (expr.kind) {
        case ExprKind::less:
            return Value(*order < 0);
        case ExprKind::at_most:
            return Value(*order <= 0);
        case ExprKind::greater:
            return Value(*order > 0);
        default:
            return Value(*order >= 0);
    }
}

// As `=` with one of them or another.
Value one_of(Expr const& expr, ExprNames const& names) {
    Value const one = evaluate(expr.parts[0], names);
    bool known = true;
    for (std::size_t i = 1; i < expr.parts.size(); ++i) {
        Value const same = equal(expr.parts[0], one, expr.parts[i], evaluate(expr.parts[i], names));
        if (same == Value(true)) return same;
        known &= !same.is_null();
    }
    return known ? Value(false) : Value();
}

}  // namespace

Value evaluate(Expr const& expr, ExprNames const& names) {
    switch (expr.kind) {
        case ExprKind::literal:
            return expr.literal;
        case ExprKind::name:
            return names.name(expr).value_or(Value());
        case ExprKind::exists:
            return Value(names.name(expr).has_value());
        case ExprKind::count:
        case ExprKind::sum:
            return names.aggregate(expr);
        case ExprKind::negate:
            return added(Value(0), evaluate(expr.parts[0], names), true);
        case ExprKind::plus:
        case ExprKind::minus:
            return added(evaluate(expr.parts[0], names),
                         evaluate(expr.parts[1], names),
                         expr.kind == ExprKind::minus);
        case ExprKind::not_: {
            Value const value = evaluate(expr.parts[0], names);
            return value.as<bool>() ? Value(!*value.as<bool>()) : Value();
        }
        case ExprKind::and_:
            return joined(expr, names, false);
        case ExprKind::or_:
            return joined(expr, names, true);
        case ExprKind::in:
            return one_of(expr, names);
        default:
            return compared(expr, names);
    }
}

Value const* find_path(Object const& fields, std::vector<std::string> const& path) {
    Value const* value = find_member(fields, path[0]);
    for (std::size_t i = 1; value && i < path.size(); ++i)
        value = value->find(path[i]);
    return value;
}

bool same_value(Value const& one, Value const& other) {
    auto const a = number(one), b = number(other);
    return a && b ? *a == *b : one == other;
}

std::optional<int> value_order(Value const& one, Value const& other) {
    if (auto const a = number(one), b = number(other); a && b)
        return *a < *b ? -1 : *a > *b ? 1 : 0;
    auto const *a = one.as<std::string>(), *b = other.as<std::string>();
    if (a && b) return a->compare(*b);
    return std::nullopt;
}

Value added(Value const& one, Value const& other, bool subtract) {
    auto const *a = one.as<std::int64_t>(), *b = other.as<std::int64_t>();
    std::int64_t result = 0;
    if (a && b &&
        !(subtract ? __builtin_sub_overflow(*a, *b, &result)
                   : __builtin_add_overflow(*a, *b, &result)))
        return Value(result);
    auto const x = number(one), y = number(other);
    if (!x || !y) return {};
    auto const sum = static_cast<double>(subtract ? *x - *y : *x + *y);
    return std::isfinite(sum) ? Value(sum) : Value();
}

}  // namespace inos
