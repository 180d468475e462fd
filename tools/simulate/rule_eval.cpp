#include "tools/simulate/rule_eval.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace inos::simulate {
namespace {

struct Record {
    std::string const* id = nullptr;
    Object const* fields = nullptr;
};

using Bindings = std::map<std::string, Value>;

// Absent and null are one here.
Value at_path(Record const& record, std::vector<std::string> const& path) {
    if (!record.fields) return {};
    Value const* value = find_member(*record.fields, path[0]);
    if (!value && path.size() == 1 && path[0] == kIdName) return Value(*record.id);
    for (std::size_t i = 1; value && i < path.size(); ++i)
        value = value->find(path[i]);
    return value ? *value : Value();
}

std::optional<long double> number(Value const& value) {
    if (auto const* n = value.as<std::int64_t>()) return static_cast<long double>(*n);
    if (auto const* n = value.as<double>()) return static_cast<long double>(*n);
    return std::nullopt;
}

bool same(Value const& one, Value const& other) {
    auto const a = number(one), b = number(other);
    return a && b ? *a == *b : one == other;
}

// In 64 bits where that is exact, else as a double.
Value added(Value const& one, Value const& other, bool subtract) {
    auto const *a = one.as<std::int64_t>(), *b = other.as<std::int64_t>();
    std::int64_t result = 0;
    if (a && b &&
        !(subtract ? __builtin_sub_overflow(*a, *b, &result)
                   : __builtin_add_overflow(*a, *b, &result)))
        return Value(result);
    auto const x = number(one), y = number(other);
    if (!x || !y) return {};
    return Value(static_cast<double>(subtract ? *x - *y : *x + *y));
}

class Evaluation {
public:
    Evaluation(Snapshot const& snapshot, Record record, Bindings const& bindings)
        : snapshot_(snapshot), record_(record), bindings_(bindings) {}

    Value of(Expr const& expr, Record const& counted = {}) const {
        switch (expr.kind) {
            case ExprKind::literal:
                return expr.literal;
            case ExprKind::name:
                return name(expr, counted);
            case ExprKind::count:
            case ExprKind::sum:
                return aggregate(expr, counted);
            case ExprKind::negate:
                return added(Value(0), of(expr.parts[0], counted), true);
            case ExprKind::plus:
            case ExprKind::minus:
                return added(of(expr.parts[0], counted),
                             of(expr.parts[1], counted),
                             expr.kind == ExprKind::minus);
            case ExprKind::not_: {
                Value const value = of(expr.parts[0], counted);
                return value.as<bool>() ? Value(!*value.as<bool>()) : Value();
            }
            case ExprKind::and_:
                return joined(expr, counted, false);
            case ExprKind::or_:
                return joined(expr, counted, true);
            default:
                return compared(expr, counted);
        }
    }

private:
    Value name(Expr const& expr, Record const& counted) const {
        if (expr.scope == Scope::variable) return bindings_.at(expr.path[0]);
        return at_path(expr.scope == Scope::counted ? counted : record_, expr.path);
    }

    Value aggregate(Expr const& expr, Record const& counted) const {
        if (expr.scope != Scope::records) {
            Value const value = name(expr, counted);
            std::size_t size = 0;
            if (auto const* array = value.as<Array>()) size = array->size();
            if (auto const* object = value.as<Object>()) size = object->size();
            return Value(static_cast<std::int64_t>(size));
        }
        Value sum(0);
        auto const records = snapshot_.find(expr.collection);
        if (records == snapshot_.end()) return sum;
        for (auto const& [id, fields] : records->second) {
            Record const each{&id, &fields};
            if (!expr.parts.empty() && of(expr.parts[0], each) != Value(true)) continue;
            Value const one = expr.kind == ExprKind::count ? Value(1) : at_path(each, expr.path);
            if (number(one)) sum = added(sum, one, false);
        }
        return sum;
    }

    // `and` where `decides` is false, `or` where it is true.
    Value joined(Expr const& expr, Record const& counted, bool decides) const {
        Value const one = of(expr.parts[0], counted);
        if (one == Value(decides)) return one;
        Value const other = of(expr.parts[1], counted);
        if (other == Value(decides)) return other;
        bool const known = one.as<bool>() && other.as<bool>();
        return known ? Value(!decides) : Value();
    }

    static bool is_null(Expr const& expr) {
        return expr.kind == ExprKind::literal && expr.literal.is_null();
    }

    Value compared(Expr const& expr, Record const& counted) const {
        Value const one = of(expr.parts[0], counted), other = of(expr.parts[1], counted);
        bool const asks = is_null(expr.parts[0]) || is_null(expr.parts[1]);
        if (!asks && (one.is_null() || other.is_null())) return {};
        if (expr.kind == ExprKind::equal) return Value(same(one, other));
        if (expr.kind == ExprKind::differs) return Value(!same(one, other));
        if (expr.kind == ExprKind::contains) return contains(one, other);
        int order = 0;
        if (auto const a = number(one), b = number(other); a && b)
            order = *a < *b ? -1 : *a > *b ? 1 : 0;
        else if (one.as<std::string>() && other.as<std::string>())
            order = one.as<std::string>()->compare(*other.as<std::string>());
        else
            return {};
        switch (expr.kind) {
            case ExprKind::less:
                return Value(order < 0);
            case ExprKind::at_most:
                return Value(order <= 0);
            case ExprKind::greater:
                return Value(order > 0);
            default:
                return Value(order >= 0);
        }
    }

    static Value contains(Value const& whole, Value const& part) {
        if (auto const* array = whole.as<Array>())
            return Value(std::any_of(
                array->begin(), array->end(), [&](Value const& item) { return same(item, part); }));
        auto const *text = whole.as<std::string>(), *piece = part.as<std::string>();
        if (text && piece) return Value(text->find(*piece) != std::string::npos);
        return {};
    }

    Snapshot const& snapshot_;
    Record record_;
    Bindings const& bindings_;
};

// Every value that the variable is compared with, by its bytes.
std::vector<Value> values_of(std::string const& variable,
                             CheckedRule const& rule,
                             Snapshot const& snapshot) {
    std::map<std::string, Value> values;
    auto const collect = [&](Expr const& field) {
        auto const records = snapshot.find(field.collection);
        if (records == snapshot.end()) return;
        for (auto const& [id, fields] : records->second) {
            Value value = at_path({&id, &fields}, field.path);
            if (!value.is_null()) values.emplace(encode(value), std::move(value));
        }
    };
    walk(rule.expr, [&](Expr const& expr) {
        if (!is_comparison(expr.kind)) return;
        for (std::size_t i = 0; i < 2; ++i) {
            Expr const &name = expr.parts[i], &field = expr.parts[1 - i];
            bool const is_variable = name.kind == ExprKind::name && name.scope == Scope::variable &&
                                     name.path[0] == variable;
            if (is_variable && field.kind == ExprKind::name && field.scope != Scope::variable)
                collect(field);
        }
    });
    std::vector<Value> list;
    for (auto& [bytes, value] : values)
        list.push_back(std::move(value));
    return list;
}

// All combinations of the variables' values, the last variable changing fastest.
std::vector<Bindings> bindings_of(CheckedRule const& rule, Snapshot const& snapshot) {
    std::vector<Bindings> all{{}};
    for (std::string const& variable : rule.variables) {
        std::vector<Bindings> longer;
        auto const values = values_of(variable, rule, snapshot);
        for (Bindings const& bindings : all)
            for (Value const& value : values) {
                if (longer.size() == kBindingsMax) break;
                longer.push_back(bindings);
                longer.back()[variable] = value;
            }
        all = std::move(longer);
    }
    return all;
}

// Fields, variables and counts, each once; what stands in a condition only as a variable.
void look(Expr const& expr, Evaluation const& evaluation, Breach& breach) {
    bool const leaf = expr.kind == ExprKind::name || is_aggregate(expr);
    if (leaf && expr.scope != Scope::counted) {
        std::string text = rule_text(expr);
        // Fields of the record are called without the collection, as it stands beside them.
        if (expr.kind == ExprKind::name && expr.scope == Scope::record)
            text = text.substr(text.find('.') + 1);
        auto const known = std::find_if(breach.values.begin(),
                                        breach.values.end(),
                                        [&](auto const& value) { return value.first == text; });
        if (known == breach.values.end())
            breach.values.emplace_back(std::move(text), evaluation.of(expr));
    }
    for (Expr const& part : expr.parts)
        look(part, evaluation, breach);
}

}  // namespace

std::optional<Breach> find_breach(CheckedRule const& rule, Snapshot const& snapshot) {
    static Records const kNone{{"", {}}};  // for a rule about no record
    Records const* records = &kNone;
    if (!rule.collection.empty()) {
        auto const found = snapshot.find(rule.collection);
        if (found == snapshot.end()) return std::nullopt;
        records = &found->second;
    }
    auto const all = bindings_of(rule, snapshot);
    for (auto const& [id, fields] : *records)
        for (Bindings const& bindings : all) {
            Evaluation const evaluation(snapshot, {&id, &fields}, bindings);
            if (evaluation.of(rule.expr) != Value(false)) continue;
            Breach breach{rule.collection, id, {}};
            look(rule.expr, evaluation, breach);
            return breach;
        }
    return std::nullopt;
}

}  // namespace inos::simulate
