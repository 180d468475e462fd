// Rules that a user expects to hold at every site, one a line:
//
//   # what the shop relies on
//   products.stock >= 0
//   count(customers where email = X) <= 1
//
//   rule       = or
//   or         = and { "or" and }
//   and        = not { "and" not }
//   not        = "not" not | comparison
//   comparison = sum [ ( "=" | "!=" | "<" | "<=" | ">" | ">=" | "contains" ) sum ]
//   sum        = term { ( "+" | "-" ) term }
//   term       = "-" term | "(" or ")" | aggregate | literal | name { "." name }
//   aggregate  = ( "count" | "sum" ) "(" name { "." name } [ "where" or ] ")"
//   literal    = number | text in " or ' | "true" | "false" | "null"
//   name       = letters, digits, "_" and "-", the first no digit; anything between backticks
//
// Parsing knows no schema: what the names mean is for rule_check.hpp. Pure, total; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/value.hpp"

namespace inos::simulate {

inline constexpr std::size_t kRulesMax = 100;
inline constexpr std::size_t kRuleBytesMax = 4'096;  // of a line
inline constexpr int kRuleDepthMax = 64;

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
    not_,
    and_,
    or_,
};

// What a name stands for, as rule_check.hpp finds out.
enum class Scope : std::uint8_t {
    unknown,
    record,    // a field of the record that the rule is about
    counted,   // a field of the records that a count() or sum() goes through
    variable,  // any value
    records,   // count and sum: the records of a collection; count of a field has another scope
};

struct Expr {
    ExprKind kind = ExprKind::literal;
    std::size_t at = 0;             // byte in the rule's text where it begins
    Value literal;                  // of a literal
    std::vector<std::string> path;  // of a name, and of what count and sum are of
    std::vector<Expr> parts;        // operands; of count and sum the condition, if there is one
    Scope scope = Scope::unknown;   // of a name, count and sum ...
    std::string collection;         // ... and whose field or records; the path is without it
};

struct Rule {
    std::size_t line = 0;    // from 1
    std::size_t before = 0;  // characters of the line in front of the text
    std::string text;
    Expr expr;
};

// Where something is wrong, and what to do.
struct RuleProblem {
    std::size_t line = 0, column = 0;  // from 1, columns in characters
    std::string message;
};

struct RuleFile {
    std::vector<Rule> rules;
    std::vector<RuleProblem> problems;  // by place; then the rules are not to be used
};

// Every line that is wrong gives one problem. `#` begins a comment.
RuleFile parse_rules(std::string_view text);

// The problem's place in the file for something at a byte of the rule's text.
RuleProblem problem_at(Rule const& rule, std::size_t at, std::string message);

bool is_comparison(ExprKind kind);
inline bool is_aggregate(Expr const& expr) {
    return expr.kind == ExprKind::count || expr.kind == ExprKind::sum;
}
// The expression as text, the same for equal ones: the rule without needless brackets and spaces.
std::string rule_text(Expr const& expr);

// Calls `visit` for the expression and everything in it, from the front.
template <class Visit>
void walk(Expr const& expr, Visit const& visit) {
    visit(expr);
    for (Expr const& part : expr.parts)
        walk(part, visit);
}

}  // namespace inos::simulate
