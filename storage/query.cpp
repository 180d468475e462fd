#include "storage/query.hpp"

#include <algorithm>
#include <set>

#include "crdt/value.hpp"
#include "storage/crypto/crypto.hpp"
#include "storage/expression_eval.hpp"
#include "storage/json.hpp"
#include "storage/text_forms.hpp"

namespace inos {
namespace {

tl::unexpected<Error> refused(char const* what, std::string const& message) {
    return tl::unexpected(Error{Errc::usage, "\"" + std::string(what) + "\" " + message, what});
}

tl::unexpected<Error> refused_at(char const* what,
                                 std::string_view text,
                                 std::size_t at,
                                 std::string const& message) {
    return refused(
        what,
        "at character " + std::to_string(characters(text.substr(0, at)) + 1) + ": " + message);
}

// What cannot be asked of one record.
std::optional<ExprProblem> problem_of(Expr const& expr) {
    if (expr.kind == ExprKind::sum || (is_aggregate(expr) && !expr.parts.empty()))
        return ExprProblem{
            expr.at,
            "an expression here is about one record, so there is no sum() and no "
            "count(... where ...); count(FIELD) counts the elements of a set, list or "
            "map"};
    for (Expr const& part : expr.parts)
        if (auto problem = problem_of(part)) return problem;
    return std::nullopt;
}

// What a name stands for: a field, or the record's id.
std::optional<Value> value_of(FieldPath const& path, std::string const& id, Object const& fields) {
    if (Value const* value = find_path(fields, path)) return *value;
    if (path.size() == 1 && path.front() == kIdName) return Value(id);
    return std::nullopt;
}

// A condition is something that can be true.
bool is_condition(Expr const& expr) {
    switch (expr.kind) {
        case ExprKind::literal:
            return expr.literal.as<bool>() != nullptr;
        case ExprKind::count:
        case ExprKind::sum:
        case ExprKind::negate:
        case ExprKind::plus:
        case ExprKind::minus:
            return false;
        default:
            return true;
    }
}

class Names : public ExprNames {
public:
    Names(std::string const& id, Object const& fields) : id_(id), fields_(fields) {}

    std::optional<Value> name(Expr const& expr) const override {
        return value_of(expr.path, id_, fields_);
    }
    Value aggregate(Expr const& expr) const override {
        auto const value = name(expr).value_or(Value());
        if (auto const* array = value.as<Array>())
            return Value(static_cast<std::int64_t>(array->size()));
        if (auto const* object = value.as<Object>())
            return Value(static_cast<std::int64_t>(object->size()));
        return {};
    }

private:
    std::string const& id_;
    Object const& fields_;
};

// Calls `take` with each of the dotted paths between commas, and where in the text it begins.
template <class Take>
Result<void> for_each_field(char const* what, std::string_view text, Take take) {
    if (text.size() > kWhereBytesMax || !valid_utf8(text))
        return refused(what,
                       "is not UTF-8, or longer than " + std::to_string(kWhereBytesMax) + " bytes");
    bool const signs = what == std::string_view("order");
    std::size_t count = 0;
    for (std::size_t begin = 0; begin <= text.size();) {
        std::size_t end = begin;
        for (bool quoted = false; end < text.size() && (quoted || text[end] != ','); ++end)
            quoted ^= text[end] == '`';
        auto parsed = parse_expression(text.substr(begin, end - begin));
        auto* expr = std::get_if<Expr>(&parsed);
        if (expr && signs && expr->kind == ExprKind::negate && !expr->parts.empty())
            *expr = Expr(std::move(expr->parts.front()));
        if (!expr || expr->kind != ExprKind::name)
            return refused_at(what,
                              text,
                              begin,
                              "a field is named here, such as name or contact.phone; several are "
                              "separated by commas" +
                                  std::string(signs ? ", and -name descends" : ""));
        if (++count > kProjectionMax)
            return refused(what, "names more than " + std::to_string(kProjectionMax) + " fields");
        INOS_CHECK(take(std::move(expr->path), begin));
        begin = end + 1;
    }
    return {};
}

}  // namespace

Result<Where> Where::parse(std::string_view text) {
    if (text.size() > kWhereBytesMax)
        return refused("where", "is longer than " + std::to_string(kWhereBytesMax) + " bytes");
    if (!valid_utf8(text)) return refused("where", "is not UTF-8");
    if (text.find_first_not_of(" \t") == std::string_view::npos)
        return refused("where",
                       "is empty; say which records, such as city = \"Kiel\", or leave it out");
    auto parsed = parse_expression(text);
    if (auto const* problem = std::get_if<ExprProblem>(&parsed))
        return refused_at("where", text, problem->at, problem->message);
    Expr& expr = std::get<Expr>(parsed);
    if (auto const problem = problem_of(expr))
        return refused_at("where", text, problem->at, problem->message);
    if (!is_condition(expr))
        return refused_at("where",
                          text,
                          expr.at,
                          expression_text(expr) +
                              " is neither true nor false; compare it, such as city = \"Kiel\"");
    return Where(std::move(expr));
}

bool Where::selects(std::string const& id, Object const& fields) const {
    return evaluate(expr_, Names(id, fields)) == Value(true);
}

Result<Projection> Projection::parse(std::string_view text) {
    Projection projection;
    std::set<FieldPath> known;
    INOS_CHECK(for_each_field("fields", text, [&](FieldPath path, std::size_t) -> Result<void> {
        if (known.insert(path).second) projection.paths_.push_back(std::move(path));
        return {};
    }));
    return projection;
}

Result<Order> Order::parse(std::string_view text) {
    Order order;
    std::set<FieldPath> known;
    auto const add = [&](FieldPath path, std::size_t at) -> Result<void> {
        if (!known.insert(path).second)
            return refused_at("order", text, at, dotted(path) + " is named a second time");
        if (known.size() > kIndexFieldsMax)
            return refused("order",
                           "names more than " + std::to_string(kIndexFieldsMax) + " fields");
        std::size_t const sign = text.find_first_not_of(' ', at);
        order.fields_.push_back({std::move(path), text[sign] == '-'});
        return {};
    };
    INOS_CHECK(for_each_field("order", text, add));
    return order;
}

OrderPlace Order::place(std::string const& id, Object const& fields) const {
    OrderPlace place{{}, id};
    for (OrderField const& field : fields_) {
        auto const value = value_of(field.path, id, fields);
        place.values.push_back(index_component(value ? &*value : nullptr));
    }
    return place;
}

bool Order::before(OrderPlace const& one, OrderPlace const& other) const {
    for (std::size_t i = 0; i < fields_.size(); ++i)
        if (int const order = one.values[i].compare(other.values[i]); order != 0)
            return (order < 0) != fields_[i].descending;
    return descending() ? other.id < one.id : one.id < other.id;
}

std::string Order::token(OrderPlace const& place) {
    std::string bytes;
    for (std::string const& value : place.values)
        bytes += value;
    return crypto::base64url(bytes) + '.' + place.id;
}

Result<OrderPlace> Order::from_token(std::string_view token) const {
    std::size_t const dot = token.find('.');
    auto const bytes =
        dot == std::string_view::npos ? std::nullopt : crypto::unbase64url(token.substr(0, dot));
    auto const values = bytes ? index_components(*bytes, fields_.size()) : std::nullopt;
    std::size_t size = 0;
    for (std::string_view const value : values ? *values : std::vector<std::string_view>())
        size += value.size();
    if (!values || size != bytes->size())
        return refused("after",
                       "is no place in this order; with an order it is what \"next\" said in the "
                       "answer before, and the order has to be the same");
    OrderPlace place{{}, std::string(token.substr(dot + 1))};
    for (std::string_view const value : *values)
        place.values.emplace_back(value);
    return place;
}

Object Projection::of(Object const& fields) const {
    Object shown;
    for (auto const& path : paths_) {
        Value const* value = find_path(fields, path);
        if (!value) continue;
        Object* at = &shown;
        for (std::size_t i = 0; at && i + 1 < path.size(); ++i) {
            if (!find_member(*at, path[i])) set_member(*at, path[i], Value(Object{}));
            auto const member = std::find_if(
                at->begin(), at->end(), [&](Member const& each) { return each.key == path[i]; });
            at = member->value.as<Object>();
        }
        // Within a value that is shown as a whole it is there already.
        if (at) set_member(*at, path.back(), *value);
    }
    return shown;
}

}  // namespace inos
