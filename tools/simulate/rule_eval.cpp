#include "tools/simulate/rule_eval.hpp"

#include <algorithm>

#include "storage/expression_eval.hpp"

namespace inos::simulate {
namespace {

struct Record {
    std::string const* id = nullptr;
    Object const* fields = nullptr;
};

using Bindings = std::map<std::string, Value>;

// Null: absent, or null.
Value at_path(Record const& record, std::vector<std::string> const& path) {
    if (!record.fields) return {};
    if (Value const* value = find_path(*record.fields, path)) return *value;
    bool const is_id =
        path.size() == 1 && path[0] == kIdName && !find_member(*record.fields, kIdName);
    return is_id ? Value(*record.id) : Value();
}

bool exists_at(Record const& record, std::vector<std::string> const& path) {
    return record.fields &&
           (find_path(*record.fields, path) || (path.size() == 1 && path[0] == kIdName));
}

class Evaluation : public ExprNames {
public:
    Evaluation(Snapshot const& snapshot, Record record, Bindings const& bindings)
        : snapshot_(snapshot), record_(record), bindings_(bindings) {}

    Value of(Expr const& expr) const { return evaluate(expr, *this); }

    std::optional<Value> name(Expr const& expr) const override {
        if (expr.scope == Scope::variable) return bindings_.at(expr.path[0]);
        Record const& record = expr.scope == Scope::counted ? counted_ : record_;
        if (!exists_at(record, expr.path)) return std::nullopt;
        return at_path(record, expr.path);
    }

    Value aggregate(Expr const& expr) const override {
        if (expr.scope != Scope::records) {
            Value const value = name(expr).value_or(Value());
            std::size_t size = 0;
            if (auto const* array = value.as<Array>()) size = array->size();
            if (auto const* object = value.as<Object>()) size = object->size();
            return Value(static_cast<std::int64_t>(size));
        }
        Value sum(0);
        auto const records = snapshot_.find(expr.collection);
        if (records == snapshot_.end()) return sum;
        Evaluation within = *this;
        for (auto const& [id, fields] : records->second) {
            within.counted_ = {&id, &fields};
            if (!expr.parts.empty() && within.of(expr.parts[0]) != Value(true)) continue;
            Value const one =
                expr.kind == ExprKind::count ? Value(1) : at_path(within.counted_, expr.path);
            if (Value const total = added(sum, one, false); !total.is_null()) sum = total;
        }
        return sum;
    }

private:
    Snapshot const& snapshot_;
    Record record_, counted_;
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
        std::string text = expression_text(expr);
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
