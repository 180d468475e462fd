#include "storage/query_plan.hpp"

#include <algorithm>
#include <map>

#include "storage/expression_eval.hpp"
#include "storage/json.hpp"

namespace inos {
namespace {

// Of one field: which of its components can make the conditions true.
struct Bound {
    std::vector<IndexRange> ranges;
    bool is_one = false;  // just one value
    std::vector<std::string> conditions;
};
using Bounds = std::map<FieldPath, Bound>;

IndexRange just(std::string bytes) {
    std::string end = bytes_behind(bytes);
    return {std::move(bytes), std::move(end)};
}

// Both ascend.
std::vector<IndexRange> common(std::vector<IndexRange> const& one,
                               std::vector<IndexRange> const& other) {
    std::vector<IndexRange> both;
    for (auto a = one.begin(), b = other.begin(); a != one.end() && b != other.end();) {
        IndexRange range{std::max(a->first, b->first), std::min(a->end, b->end)};
        if (range.first < range.end) both.push_back(std::move(range));
        ++(a->end < b->end ? a : b);
    }
    return both;
}

class NoNames : public ExprNames {
public:
    std::optional<Value> name(Expr const&) const override { return std::nullopt; }
    Value aggregate(Expr const&) const override { return {}; }
};

bool is_constant(Expr const& expr) {
    bool constant = true;
    walk(expr, [&](Expr const& part) {
        constant = constant && part.kind != ExprKind::name && part.kind != ExprKind::exists &&
                   !is_aggregate(part);
    });
    return constant;
}

bool is_null(Expr const& expr) {
    return expr.kind == ExprKind::literal && expr.literal.is_null();
}

// Components that compare with the value so; nullopt: any may, or none does.
std::optional<IndexRange> compared(ExprKind kind, Value const& value) {
    auto const key = index_key(value);
    if (!key || value.is_null()) return std::nullopt;
    if (kind == ExprKind::equal) return just(*key);
    auto const* text = value.as<std::string>();
    if (!text && value.as<bool>()) return std::nullopt;
    IndexRange const alike = text ? index_texts() : index_numbers();
    // A longer text may be any of those that begin like it.
    bool const exact = !text || text->size() <= kIndexTextMax;
    IndexRange const same = just(*key);
    switch (kind) {
        case ExprKind::less:
            return IndexRange{alike.first, exact ? same.first : same.end};
        case ExprKind::at_most:
            return IndexRange{alike.first, same.end};
        case ExprKind::greater:
            return IndexRange{exact ? same.end : same.first, alike.end};
        case ExprKind::at_least:
            return IndexRange{same.first, alike.end};
        case ExprKind::prefix:
            return text ? std::optional(index_prefix(*text)) : std::nullopt;
        default:
            return std::nullopt;
    }
}

ExprKind turned(ExprKind kind) {
    switch (kind) {
        case ExprKind::less:
            return ExprKind::greater;
        case ExprKind::at_most:
            return ExprKind::at_least;
        case ExprKind::greater:
            return ExprKind::less;
        case ExprKind::at_least:
            return ExprKind::at_most;
        case ExprKind::equal:
        case ExprKind::differs:
            return kind;
        default:
            return ExprKind::literal;  // has no other way round
    }
}

constexpr char const* kPresent = "\x01";  // the first component of what is there
constexpr char const* kNotNull = "\x02";  // ... and not null
constexpr char const* kComponentEnd = "\x07";

std::optional<Bound> bound_by_comparison(Expr const& name, ExprKind kind, Expr const& with) {
    if (is_null(with)) {
        // Absent, or null: two components.
        if (kind == ExprKind::equal) return Bound{{{std::string(1, '\0'), kNotNull}}, false, {}};
        if (kind == ExprKind::differs) return Bound{{{kNotNull, kComponentEnd}}, false, {}};
        return std::nullopt;
    }
    if (name.kind != ExprKind::name || !is_constant(with)) return std::nullopt;
    auto range = compared(kind, evaluate(with, NoNames()));
    if (!range) return std::nullopt;
    return Bound{{*std::move(range)}, kind == ExprKind::equal, {}};
}

std::optional<Bound> bound_by_choices(Expr const& expr) {
    Bound bound;
    for (std::size_t i = 1; i < expr.parts.size(); ++i) {
        if (!is_constant(expr.parts[i])) return std::nullopt;
        if (is_null(expr.parts[i])) {
            bound.ranges.push_back({std::string(1, '\0'), kNotNull});  // absent, or null
            continue;
        }
        Value const value = evaluate(expr.parts[i], NoNames());
        if (value.is_null()) continue;  // unknown: nothing is equal to it
        auto range = compared(ExprKind::equal, value);
        if (!range) return std::nullopt;
        bound.ranges.push_back(*std::move(range));
    }
    auto const before = [](IndexRange const& a, IndexRange const& b) { return a.first < b.first; };
    std::sort(bound.ranges.begin(), bound.ranges.end(), before);
    auto const same = [](IndexRange const& a, IndexRange const& b) { return a.first == b.first; };
    bound.ranges.erase(std::unique(bound.ranges.begin(), bound.ranges.end(), same),
                       bound.ranges.end());
    return bound;
}

// The field that a condition is about, and what it says of it.
std::optional<std::pair<FieldPath, Bound>> bound_of(Expr const& expr) {
    if (expr.kind == ExprKind::exists)
        return std::pair(expr.path, Bound{{{kPresent, kComponentEnd}}, false, {}});
    if (expr.kind == ExprKind::in) {
        if (expr.parts[0].kind != ExprKind::name) return std::nullopt;
        auto bound = bound_by_choices(expr);
        if (!bound) return std::nullopt;
        return std::pair(expr.parts[0].path, *std::move(bound));
    }
    if (expr.parts.size() != 2) return std::nullopt;
    bool const turn = expr.parts[0].kind != ExprKind::name;
    Expr const& name = expr.parts[turn ? 1 : 0];
    if (name.kind != ExprKind::name) return std::nullopt;
    ExprKind const kind = turn ? turned(expr.kind) : expr.kind;
    auto bound = bound_by_comparison(name, kind, expr.parts[turn ? 0 : 1]);
    if (!bound) return std::nullopt;
    return std::pair(name.path, *std::move(bound));
}

void find_bounds(Expr const& expr, Bounds& bounds) {
    if (expr.kind == ExprKind::and_) {
        for (Expr const& part : expr.parts)
            find_bounds(part, bounds);
        return;
    }
    auto found = bound_of(expr);
    // Where a record has no such field, this is its id: no index holds that.
    if (!found || found->first == FieldPath{kIdName}) return;
    auto const [it, is_new] = bounds.emplace(std::move(found->first), found->second);
    Bound& bound = it->second;
    bound.conditions.push_back(expression_text(expr));
    if (is_new) return;
    bound.ranges = common(bound.ranges, found->second.ranges);
    bound.is_one = bound.is_one || found->second.is_one;
}

// Do the index's fields behind the fixed ones have the order that is asked for?
bool gives_order(IndexDefinition const& index, std::size_t fixed, Order const& order) {
    if (order.fields().empty()) return fixed == index.fields.size();
    auto const fixed_end = index.fields.begin() + static_cast<std::ptrdiff_t>(fixed);
    auto at = fixed_end;
    for (OrderField const& field : order.fields()) {
        // Where a record has no such field, this is its id: no index holds that.
        if (field.path == FieldPath{kIdName}) return false;
        if (std::find(index.fields.begin(), fixed_end, field.path) != fixed_end) continue;
        if (at == index.fields.end() || *at != field.path) return false;
        if (field.descending != order.descending()) return false;
        ++at;
    }
    return at == index.fields.end();
}

QueryPlan plan_with(IndexDefinition const& index, Bounds const& bounds, Order const& order) {
    QueryPlan plan;
    plan.index = index;
    plan.direction = order.descending() ? Direction::descending : Direction::ascending;
    std::string prefix;
    auto const bound_at = [&](std::size_t i) {
        auto const it = i < index.fields.size() ? bounds.find(index.fields[i]) : bounds.end();
        return it == bounds.end() ? nullptr : &it->second;
    };
    auto const use = [&](Bound const& bound) {
        plan.conditions.insert(
            plan.conditions.end(), bound.conditions.begin(), bound.conditions.end());
    };
    for (Bound const* bound = bound_at(0); bound && bound->is_one && bound->ranges.size() == 1;
         bound = bound_at(plan.fixed)) {
        prefix += bound->ranges.front().first;
        ++plan.fixed;
        use(*bound);
    }
    if (Bound const* bound = bound_at(plan.fixed)) {
        for (IndexRange const& range : bound->ranges)
            plan.ranges.push_back({prefix + range.first, prefix + range.end});
        use(*bound);
    } else {
        plan.ranges.push_back(prefix.empty() ? IndexRange{std::string(1, '\0'), kComponentEnd}
                                             : just(prefix));
    }
    plan.ordered = gives_order(index, plan.fixed, order);
    return plan;
}

}  // namespace

QueryPlan plan_query(Where const* where,
                     Order const& order,
                     std::vector<IndexDefinition> const& indexes) {
    Bounds bounds;
    if (where) find_bounds(where->expr(), bounds);
    QueryPlan best;
    best.ordered = order.fields().empty();
    std::size_t best_score = 0;
    for (IndexDefinition const& index : indexes) {
        QueryPlan plan = plan_with(index, bounds, order);
        bool const further = plan.conditions.size() > 0 && plan.fixed < index.fields.size() &&
                             bounds.contains(index.fields[plan.fixed]);
        bool const in_order = plan.ordered && !order.fields().empty();
        std::size_t const score = 4 * plan.fixed + (further ? 2 : 0) + (in_order ? 1 : 0);
        if (score <= best_score) continue;
        best = std::move(plan);
        best_score = score;
    }
    return best;
}

std::vector<FieldPath> helpful_index(Where const* where, Order const& order) {
    Bounds bounds;
    if (where) find_bounds(where->expr(), bounds);
    std::vector<FieldPath> fields;
    std::optional<FieldPath> stretch;
    for (auto const& [path, bound] : bounds) {
        if (bound.is_one)
            fields.push_back(path);
        else if (!stretch)
            stretch = path;
    }
    bool const one_way =
        std::all_of(order.fields().begin(), order.fields().end(), [&](OrderField const& field) {
            return field.descending == order.descending() && field.path != FieldPath{kIdName};
        });
    for (OrderField const& field : order.fields())
        if (one_way && std::find(fields.begin(), fields.end(), field.path) == fields.end())
            fields.push_back(field.path);
    if (stretch && (order.fields().empty() || !one_way)) fields.push_back(*stretch);
    if (fields.size() > kIndexFieldsMax) fields.resize(kIndexFieldsMax);
    return fields;
}

std::string index_line(std::vector<FieldPath> const& fields) {
    Array names;
    for (FieldPath const& path : fields)
        names.push_back(Value(dotted(path)));
    Array const list{names.size() == 1 ? names.front() : Value(std::move(names))};
    return "index = " + write_json(Value(list));
}

}  // namespace inos
