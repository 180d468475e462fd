// What people write to select records and to say what has to hold:
//
//   customers.city = "Kiel" and not vip
//   status in ("open", "sent") or exists contact.phone
//
//   expression = and { "or" and }
//   and        = not { "and" not }
//   not        = "not" not | comparison
//   comparison = sum [ sign sum | "in" "(" sum { "," sum } ")" ]
//   sign       = "=" | "!=" | "<" | "<=" | ">" | ">=" | "contains" | "prefix"
//   sum        = term { ( "+" | "-" ) term }
//   term       = "-" term | "(" expression ")" | aggregate | "exists" path | literal | path
//   aggregate  = ( "count" | "sum" ) "(" path [ "where" expression ] ")"
//   literal    = number | text in " or ' | "true" | "false" | "null"
//   path       = name { "." name }
//   name       = letters, digits, "_" and "-", the first no digit; anything between backticks
//
// Parsing knows no schema and no records: what names mean is for whoever uses it (query.hpp for
// records of one collection, tools/simulate/rule_check.hpp for rules). Pure, total; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "crdt/value.hpp"

namespace inos {

inline constexpr int kExprDepthMax = 64;
inline constexpr std::size_t kChoicesMax = 1'000;  // values after `in`

enum class ExprKind : std::uint8_t {
    literal,
    name,
    count,
    sum,
    negate,
    plus,
    minus,
    equal,
    differs,
    less,
    at_most,
    greater,
    at_least,
    contains,
    prefix,
    in,
    exists,
    not_,
    and_,
    or_,
};

// What a name stands for; set by who gives names a meaning.
enum class Scope : std::uint8_t {
    unknown,
    record,    // a field of the record that the expression is about
    counted,   // a field of the records that a count() or sum() goes through
    variable,  // any value
    records,   // count and sum: the records of a collection; count of a field has another scope
};

struct Expr {
    ExprKind kind = ExprKind::literal;
    std::size_t at = 0;             // byte in the text where it begins
    Value literal;                  // of a literal
    std::vector<std::string> path;  // of a name, of what exists, and of what count and sum are of
    std::vector<Expr> parts;        // operands (of `in` first what is looked for, then the values);
                                    // of count and sum the condition, if there is one
    Scope scope = Scope::unknown;   // of a name, exists, count and sum ...
    std::string collection;         // ... and whose field or records; the path is without it
};

// Where in the text something is wrong (a byte), and what to do.
struct ExprProblem {
    std::size_t at = 0;
    std::string message;
};

// Precondition: the text is UTF-8.
std::variant<Expr, ExprProblem> parse_expression(std::string_view text);

bool is_comparison(ExprKind kind);  // one of the signs
inline bool is_aggregate(Expr const& expr) {
    return expr.kind == ExprKind::count || expr.kind == ExprKind::sum;
}
// The expression as text, the same for equal ones: without needless brackets and spaces.
std::string expression_text(Expr const& expr);

// Calls `visit` for the expression and everything in it, from the front.
template <class Visit>
void walk(Expr const& expr, Visit const& visit) {
    visit(expr);
    for (Expr const& part : expr.parts)
        walk(part, visit);
}

}  // namespace inos
