// Which records of a collection somebody wants to see, and what of them.
//
//   where   an expression (expression.hpp) about one record: its fields by dotted paths, `id`
//           unless a field is called so, and count(FIELD) of the elements of a set, list or map.
//           A record is selected where it is true, not where it is false or unknown.
//   fields  dotted paths, separated by commas: nothing else of each record is shown
//   order   dotted paths, separated by commas; one behind a - descends. Values ascend as in an
//           index (index_key.hpp): absent, null, false, true, numbers, texts by their first
//           kIndexTextMax bytes, then what has no order (arrays, objects). Records that are alike
//           in all of them are ordered by id, in the direction of the last.
//
// Pure; any thread. Errors: Errc::usage, naming the place in the text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/expression.hpp"
#include "storage/result.hpp"
#include "storage/secondary_index.hpp"

namespace inos {

inline constexpr char const* kIdName = "id";  // the record's id, unless a field is called so
inline constexpr std::size_t kWhereBytesMax = 16'384;
inline constexpr std::size_t kProjectionMax = 100;

class Where {
public:
    static Result<Where> parse(std::string_view text);

    bool selects(std::string const& id, Object const& fields) const;
    Expr const& expr() const { return expr_; }

private:
    explicit Where(Expr expr) : expr_(std::move(expr)) {}
    Expr expr_;
};

struct OrderField {
    FieldPath path;
    bool descending = false;

    bool operator==(OrderField const&) const = default;
};

// Where a record stands in an order: components (secondary_index.hpp) and the id.
struct OrderPlace {
    std::vector<std::string> values;  // as many as the order has fields
    std::string id;
};

class Order {
public:
    static Result<Order> parse(std::string_view text);

    std::vector<OrderField> const& fields() const { return fields_; }
    bool descending() const { return !fields_.empty() && fields_.back().descending; }  // the ids
    OrderPlace place(std::string const& id, Object const& fields) const;
    bool before(OrderPlace const& one, OrderPlace const& other) const;

    // A place as text, to go on behind it: opaque to whoever keeps it.
    static std::string token(OrderPlace const& place);
    Result<OrderPlace> from_token(std::string_view token) const;

private:
    std::vector<OrderField> fields_;  // empty: by id, ascending
};

class Projection {
public:
    static Result<Projection> parse(std::string_view text);

    // An object of just these paths, nested as in the record; what is absent is left out.
    Object of(Object const& fields) const;

private:
    std::vector<std::vector<std::string>> paths_;
};

}  // namespace inos
