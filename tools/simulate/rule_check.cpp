#include "tools/simulate/rule_check.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "storage/json.hpp"
#include "storage/near_miss.hpp"
#include "storage/schema_document.hpp"

namespace inos::simulate {
namespace {

struct Failure {
    std::size_t at;
    std::string message;
};

[[noreturn]] void stop(Expr const& where, std::string message) {
    throw Failure{where.at, std::move(message)};
}

std::string quoted(std::string_view text) {
    std::string out;
    append_json_text(out, text);
    return out;
}

char const* words(Type type) {
    switch (type) {
        case Type::boolean:
            return "true or false";
        case Type::number:
            return "a number";
        case Type::text:
            return "a text";
        case Type::array:
            return "several values";
        case Type::object:
            return "an object";
        case Type::any:
            break;
    }
    return "a value";
}

Type type_of(Value const& value) {
    if (value.as<bool>()) return Type::boolean;
    if (value.as<std::int64_t>() || value.as<double>()) return Type::number;
    if (value.as<std::string>()) return Type::text;
    if (value.as<Array>()) return Type::array;
    if (value.as<Object>()) return Type::object;
    return Type::any;
}

// The one type that all of them have.
Type common_type(std::vector<Value> const& values) {
    Type common = values.empty() ? Type::any : type_of(values.front());
    for (Value const& value : values)
        if (type_of(value) != common) common = Type::any;
    return common;
}

bool has_field(CollectionSchema const& schema, std::string const& name) {
    return schema.fields.contains(name) || name == kIdName;
}

bool is_null(Expr const& expr) {
    return expr.kind == ExprKind::literal && expr.literal.is_null();
}

bool looks_like_variable(std::vector<std::string> const& path) {
    return path.size() == 1 && 'A' <= path[0][0] && path[0][0] <= 'Z';
}

// One rule under one idea of which collection it is about.
class Checker {
public:
    Checker(Schemas const& schemas, std::string collection)
        : schemas_(schemas), own_(std::move(collection)) {}

    void check(Expr& rule) {
        resolve(rule, {});
        expect(rule, Type::boolean, "a rule is a comparison, such as stock >= 0");
        types(rule);
        for (std::string const& name : variables_)
            if (!bound_.contains(name))
                stop(rule,
                     quoted(name) +
                         " is compared with no field, so it stands for nothing; compare "
                         "it as in count(customers where email = " +
                         name + ") <= 1");
        if (variables_.size() > kVariablesMax)
            stop(rule, "the rule has more than " + std::to_string(kVariablesMax) + " variables");
    }
    std::vector<std::string> variables() const { return {variables_.begin(), variables_.end()}; }
    bool about_record() const { return about_record_; }

private:
    // ---- names --------------------------------------------------------------------------------
    // `counted` is the collection that a count() or sum() around it goes through.
    void resolve(Expr& expr, std::string const& counted) {
        if (is_aggregate(expr)) return aggregate(expr, counted);
        if (expr.kind == ExprKind::name || expr.kind == ExprKind::exists)
            return name(expr, counted);
        for (Expr& part : expr.parts)
            resolve(part, counted);
    }

    void name(Expr& expr, std::string const& counted) {
        auto& path = expr.path;
        if (!counted.empty() && path.size() > 1 && path[0] == counted &&
            has_field(schemas_.at(counted), path[1])) {
            path.erase(path.begin());
            return field(expr, Scope::counted, counted);
        }
        if (!counted.empty() && has_field(schemas_.at(counted), path[0]))
            return field(expr, Scope::counted, counted);
        if (path.size() > 1 && schemas_.contains(path[0])) return qualified(expr, counted);
        if (!own_.empty() && has_field(schemas_.at(own_), path[0])) {
            about_record_ = true;
            return field(expr, Scope::record, own_);
        }
        if (expr.kind == ExprKind::name && looks_like_variable(path)) {
            expr.scope = Scope::variable;
            variables_.insert(path[0]);
            return;
        }
        unknown(expr, counted);
    }

    void qualified(Expr& expr, std::string const& counted) {
        std::string const collection = expr.path[0];
        if (collection != own_ && collection != counted)
            stop(expr,
                 "the rule is about one record" +
                     (own_.empty() ? std::string() : " of " + quoted(own_)) +
                     ", and this is a field of " + quoted(collection) +
                     "; bring other records in with count(" + collection + " where ...) or sum(" +
                     collection + ".FIELD where ...)");
        if (!has_field(schemas_.at(collection), expr.path[1])) return unknown(expr, counted);
        expr.path.erase(expr.path.begin());
        about_record_ = true;
        field(expr, Scope::record, collection);
    }

    void field(Expr& expr, Scope scope, std::string const& collection) {
        expr.scope = scope;
        expr.collection = collection;
        FieldSchema const* schema = schemas_.at(collection).field(expr.path[0]);
        if (expr.path.size() < 2 || !schema) return;
        if (schema->type != CellType::map && schema->type != CellType::register_)
            stop(expr,
                 quoted(expr.path[0]) + " is a " + type_name(schema->type) +
                     " and has no parts; only maps and registers with objects have");
    }

    [[noreturn]] void unknown(Expr const& expr, std::string const& counted) {
        std::vector<std::string> fields, collections;
        for (auto const& [collection, schema] : schemas_) {
            collections.push_back(collection);
            for (auto const& [name, field] : schema.fields)
                if (collection == own_ || collection == counted ||
                    (own_.empty() && counted.empty()))
                    fields.push_back(name);
        }
        bool const in_collection = expr.path.size() > 1 && schemas_.contains(expr.path[0]);
        if (in_collection) {
            fields.clear();
            for (auto const& [name, field] : schemas_.at(expr.path[0]).fields)
                fields.push_back(name);
        }
        std::string const& word = in_collection ? expr.path[1] : expr.path[0];
        std::string where = in_collection ? " in " + quoted(expr.path[0]) : "";
        if (where.empty() && !counted.empty()) where = " in " + quoted(counted);
        if (where.empty() && !own_.empty()) where = " in " + quoted(own_);
        bool const elsewhere = std::find(fields.begin(), fields.end(), word) != fields.end();
        if (elsewhere && !in_collection)
            stop(
                expr,
                "no collection has all the fields that the rule names; a rule is about the records "
                "of one, and others come in with count() and sum()");
        std::string hint = did_you_mean(word, fields);
        if (hint.empty() && expr.path.size() > 1) hint = did_you_mean(word, collections);
        if (hint.empty() && !fields.empty()) hint = "; there is " + list_of(fields);
        if (schemas_.contains(word) && expr.path.size() == 1)
            hint = ", it is a collection; say " + word + ".FIELD or count(" + word + ")";
        stop(expr, "the schema has no field " + quoted(word) + where + hint);
    }

    static std::string list_of(std::vector<std::string> const& names) {
        std::string text;
        std::set<std::string> const once(names.begin(), names.end());
        for (std::string const& name : once)
            text += (text.empty() ? "" : ", ") + quoted(name);
        return text;
    }

    void aggregate(Expr& expr, std::string const& counted) {
        if (!counted.empty())
            stop(expr, "count() and sum() cannot stand inside one another; make two rules of it");
        bool const is_sum = expr.kind == ExprKind::sum;
        bool const known = schemas_.contains(expr.path[0]);
        if (expr.kind == ExprKind::count && expr.parts.empty() &&
            (!known || expr.path.size() > 1)) {
            if (!known && own_.empty()) no_collection(expr);
            return name(expr, counted);  // the elements of a field
        }
        if (!known) no_collection(expr);
        std::string const collection = expr.path[0];
        if (is_sum && expr.path.size() < 2)
            stop(expr, "sum() needs a field: sum(" + collection + ".FIELD)");
        if (!is_sum && expr.path.size() > 1)
            stop(expr,
                 "count() with a condition counts records: count(" + collection + " where ...)");
        if (is_sum && !has_field(schemas_.at(collection), expr.path[1])) unknown(expr, collection);
        expr.path.erase(expr.path.begin());
        expr.collection = collection;
        if (is_sum) field(expr, Scope::records, collection);
        expr.scope = Scope::records;
        for (Expr& part : expr.parts)
            resolve(part, collection);
    }

    [[noreturn]] void no_collection(Expr const& expr) {
        std::vector<std::string> names;
        for (auto const& [name, schema] : schemas_)
            names.push_back(name);
        std::string hint = did_you_mean(expr.path[0], names);
        if (hint.empty()) hint = "; there is " + list_of(names);
        stop(expr, "the schema has no collection " + quoted(expr.path[0]) + hint);
    }

    // ---- types --------------------------------------------------------------------------------
    Type path_type(Expr const& expr) const {
        if (expr.scope == Scope::variable) return Type::any;
        FieldSchema const* field = schemas_.at(expr.collection).field(expr.path[0]);
        if (!field) return Type::text;  // the id
        return expr.path.size() > 1 ? Type::any : field_type(*field);
    }

    Type type(Expr const& expr) const {
        switch (expr.kind) {
            case ExprKind::literal:
                return type_of(expr.literal);
            case ExprKind::name:
                return path_type(expr);
            case ExprKind::count:
            case ExprKind::sum:
            case ExprKind::negate:
            case ExprKind::plus:
            case ExprKind::minus:
                return Type::number;
            default:
                return Type::boolean;
        }
    }

    void expect(Expr const& expr, Type wanted, std::string const& advice) const {
        Type const is = type(expr);
        if (is != Type::any && is != wanted)
            stop(expr, describe(expr) + ", and " + words(wanted) + " has to stand here; " + advice);
    }

    std::string describe(Expr const& expr) const {
        return (expr.kind == ExprKind::literal ? expression_text(expr)
                                               : quoted(expression_text(expr))) +
               " is " + words(type(expr));
    }

    void types(Expr const& expr) {
        if (is_comparison(expr.kind)) return compared(expr);
        if (expr.kind == ExprKind::in) return choices(expr);
        for (Expr const& part : expr.parts)
            types(part);
        switch (expr.kind) {
            case ExprKind::negate:
            case ExprKind::plus:
            case ExprKind::minus:
                for (Expr const& part : expr.parts)
                    expect(part, Type::number, "+ and - are for numbers");
                return;
            case ExprKind::not_:
            case ExprKind::and_:
            case ExprKind::or_:
                for (Expr const& part : expr.parts)
                    expect(part, Type::boolean, "compare it with something");
                return;
            case ExprKind::count:
                if (expr.scope != Scope::records) countable(expr);
                return;
            case ExprKind::sum:
                if (Type const is = path_type(expr); is != Type::any && is != Type::number)
                    stop(expr,
                         quoted(expr.path.back()) + " is " + words(is) + "; sum() adds numbers");
                return;
            default:
                return;
        }
    }

    void countable(Expr const& expr) const {
        Type const is = path_type(expr);
        if (is == Type::array || is == Type::object || is == Type::any) return;
        stop(expr,
             quoted(expr.path.back()) + " is " + words(is) +
                 "; count() is for collections, sets, lists and maps");
    }

    void compared(Expr const& expr) {
        Expr const &left = expr.parts[0], &right = expr.parts[1];
        types(left);
        types(right);
        bind(left, right);
        bind(right, left);
        Type const one = type(left), other = type(right);
        if (expr.kind == ExprKind::prefix) {
            expect(left, Type::text, "prefix is for texts");
            expect(right, Type::text, "prefix is for texts");
            return;
        }
        if (expr.kind == ExprKind::contains) {
            if (one != Type::any && one != Type::array && one != Type::text)
                stop(left, describe(left) + "; contains is for texts, sets and lists");
            return;
        }
        bool const ordered = expr.kind != ExprKind::equal && expr.kind != ExprKind::differs;
        if (ordered)
            for (Expr const* part : {&left, &right})
                if (Type const is = type(*part);
                    is_null(*part) || (is != Type::any && is != Type::number && is != Type::text))
                    stop(*part,
                         (is_null(*part) ? "null is no value" : describe(*part)) +
                             "; <, <=, > and >= are for numbers and texts");
        if (one != Type::any && other != Type::any && one != other)
            stop(right,
                 describe(left) + " and " + describe(right) + ": they are never equal" +
                     (ordered ? " and have no order" : ""));
        choice(left, right);
        choice(right, left);
    }

    // As with `=`, and each of the values.
    void choices(Expr const& expr) {
        Expr const& left = expr.parts[0];
        types(left);
        for (std::size_t i = 1; i < expr.parts.size(); ++i) {
            Expr const& right = expr.parts[i];
            types(right);
            bind(left, right);
            bind(right, left);
            Type const one = type(left), other = type(right);
            if (one != Type::any && other != Type::any && one != other)
                stop(right, describe(left) + " and " + describe(right) + ": they are never equal");
            choice(left, right);
        }
    }

    void bind(Expr const& variable, Expr const& field) {
        bool const is_field = field.kind == ExprKind::name && field.scope != Scope::variable;
        if (variable.kind == ExprKind::name && variable.scope == Scope::variable && is_field)
            bound_.insert(variable.path[0]);
    }

    // A text that the field's enum or order does not have is a typing mistake.
    void choice(Expr const& name, Expr const& literal) const {
        auto const* text = literal.literal.as<std::string>();
        if (name.kind != ExprKind::name || name.scope == Scope::variable || !text ||
            literal.kind != ExprKind::literal || name.path.size() > 1)
            return;
        FieldSchema const* field = schemas_.at(name.collection).field(name.path[0]);
        if (!field || field->rules.choices.empty()) return;
        std::vector<std::string> allowed;
        for (Value const& value : field->rules.choices)
            if (auto const* one = value.as<std::string>()) allowed.push_back(*one);
        if (std::find(allowed.begin(), allowed.end(), *text) != allowed.end()) return;
        std::string hint = did_you_mean(*text, allowed);
        if (hint.empty()) hint = "; there is " + list_of(allowed);
        stop(literal,
             quoted(*text) + " is none of the values that " + quoted(name.path[0]) + " may have" +
                 hint);
    }

    Schemas const& schemas_;
    std::string own_;
    std::set<std::string> variables_, bound_;
    bool about_record_ = false;
};

// The collections that a rule may be about: that which it names in front of a field outside of
// count() and sum(), or else those that have all the fields that it names there.
class Subjects {
public:
    Subjects(Schemas const& schemas, Expr const& rule) : schemas_(schemas) { look(rule, {}); }

    std::vector<std::string> find() const {
        if (!named_.empty()) return {named_};
        std::vector<std::string> found;
        if (fields_.empty()) return found;
        for (auto const& [collection, schema] : schemas_)
            if (std::all_of(fields_.begin(), fields_.end(), [&s = schema](auto const& name) {
                    return has_field(s, name);
                }))
                found.push_back(collection);
        return found;
    }

private:
    void look(Expr const& expr, std::string const& counted) {
        std::string inner = counted;
        bool const known = !expr.path.empty() && schemas_.contains(expr.path[0]);
        bool const elements =
            expr.kind == ExprKind::count && expr.parts.empty() && (!known || expr.path.size() > 1);
        if (is_aggregate(expr) && !elements)
            inner = known ? expr.path[0] : std::string();
        else if (expr.kind == ExprKind::name || expr.kind == ExprKind::exists || elements)
            name(expr, counted, known);
        for (Expr const& part : expr.parts)
            look(part, inner);
    }
    void name(Expr const& expr, std::string const& counted, bool known) {
        if (known && expr.path.size() > 1) {
            if (expr.path[0] != counted && named_.empty()) named_ = expr.path[0];
            return;
        }
        if (!counted.empty() && has_field(schemas_.at(counted), expr.path[0])) return;
        bool const somewhere = std::any_of(schemas_.begin(), schemas_.end(), [&](auto const& each) {
            return has_field(each.second, expr.path[0]);
        });
        if (somewhere || !looks_like_variable(expr.path)) fields_.insert(expr.path[0]);
    }

    Schemas const& schemas_;
    std::string named_;
    std::set<std::string> fields_;
};

void check_rule(Rule const& rule, Schemas const& schemas, CheckedRules& all) {
    auto about = Subjects(schemas, rule.expr).find();
    bool const many = about.size() > 1;
    if (about.empty()) about.push_back({});
    try {
        for (std::string const& collection : about) {
            Checker checker(schemas, collection);
            CheckedRule checked{rule.line, rule.text, collection, {}, rule.expr};
            checker.check(checked.expr);
            checked.variables = checker.variables();
            if (!checker.about_record()) checked.collection.clear();
            if (many) checked.text += "  (" + collection + ")";
            all.rules.push_back(std::move(checked));
        }
    } catch (Failure const& failure) {
        all.problems.push_back(problem_at(rule, failure.at, failure.message));
    }
}

void add_hint(FieldHint& hint, Type type, Value const* value) {
    if (hint.type == Type::any) hint.type = type;
    if (!value || std::find(hint.values.begin(), hint.values.end(), *value) != hint.values.end())
        return;
    hint.values.push_back(*value);
}

void hint_from(Expr const& name, Expr const& other, FieldHints& hints) {
    if (name.kind != ExprKind::name || name.scope == Scope::variable) return;
    FieldHint& hint = hints[{name.collection, name.path}];
    bool const is_literal = other.kind == ExprKind::literal && !other.literal.is_null();
    bool const counts = is_aggregate(other) || other.kind == ExprKind::plus ||
                        other.kind == ExprKind::minus || other.kind == ExprKind::negate;
    add_hint(hint,
             is_literal ? type_of(other.literal)
             : counts   ? Type::number
                        : Type::any,
             is_literal ? &other.literal : nullptr);
}

}  // namespace

Schemas schemas_of(Object const& document) {
    Schemas schemas;
    for (Write const& write : schema_writes(document, {}))
        schemas[write.name.key] = parse_collection_schema(write.fields);
    return schemas;
}

Type field_type(FieldSchema const& field) {
    switch (field.type) {
        case CellType::counter:
        case CellType::bounded_counter:
            return Type::number;
        case CellType::flag:
            return Type::boolean;
        case CellType::text:
            return Type::text;
        case CellType::set:
        case CellType::list:
            return Type::array;
        case CellType::map:
            return Type::object;
        default:
            break;
    }
    if (field.policy == RegisterPolicy::keep_all) return Type::array;
    if (field.rules.format != TextFormat::none || !field.canon.empty()) return Type::text;
    if (!field.rules.choices.empty()) return common_type(field.rules.choices);
    if (field.policy == RegisterPolicy::order) return Type::text;
    return field.default_value ? type_of(*field.default_value) : Type::any;
}

CheckedRules check_rules(RuleFile const& file, Schemas const& schemas) {
    CheckedRules all;
    all.problems = file.problems;
    for (Rule const& rule : file.rules)
        check_rule(rule, schemas, all);
    std::stable_sort(all.problems.begin(), all.problems.end(), [](auto const& a, auto const& b) {
        return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
    return all;
}

FieldHints hints_of(std::vector<CheckedRule> const& rules, Schemas const& schemas) {
    FieldHints hints;
    for (CheckedRule const& rule : rules)
        walk(rule.expr, [&](Expr const& expr) {
            if (expr.kind == ExprKind::sum)
                add_hint(hints[{expr.collection, expr.path}], Type::number, nullptr);
            bool const arithmetic = expr.kind == ExprKind::plus || expr.kind == ExprKind::minus ||
                                    expr.kind == ExprKind::negate;
            for (Expr const& part : expr.parts)
                if (arithmetic && part.kind == ExprKind::name && part.scope != Scope::variable)
                    add_hint(hints[{part.collection, part.path}], Type::number, nullptr);
            if (!is_comparison(expr.kind) && expr.kind != ExprKind::in) return;
            for (std::size_t i = 1; i < expr.parts.size(); ++i) {
                hint_from(expr.parts[0], expr.parts[i], hints);
                hint_from(expr.parts[i], expr.parts[0], hints);
            }
        });
    for (auto& [place, hint] : hints) {
        FieldSchema const* field = schemas.at(place.first).field(place.second[0]);
        if (field && place.second.size() == 1 && hint.type == Type::any)
            hint.type = field_type(*field);
    }
    return hints;
}

}  // namespace inos::simulate
