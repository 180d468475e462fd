// Which records of a collection somebody wants to see, and what of them.
//
//   where   an expression (expression.hpp) about one record: its fields by dotted paths, `id`
//           unless a field is called so, and count(FIELD) of the elements of a set, list or map.
//           A record is selected where it is true, not where it is false or unknown.
//   fields  dotted paths, separated by commas: nothing else of each record is shown
//
// Pure; any thread. Errors: Errc::usage, naming the place in the text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/expression.hpp"
#include "storage/result.hpp"

namespace inos {

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

class Projection {
public:
    static Result<Projection> parse(std::string_view text);

    // An object of just these paths, nested as in the record; what is absent is left out.
    Object of(Object const& fields) const;

private:
    std::vector<std::vector<std::string>> paths_;
};

}  // namespace inos
