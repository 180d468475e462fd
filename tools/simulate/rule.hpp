// Rules that a user expects to hold at every site, one a line:
//
//   # what the shop relies on
//   products.stock >= 0
//   count(customers where email = X) <= 1
//
// each an expression (storage/expression.hpp).
//
// Parsing knows no schema: what the names mean is for rule_check.hpp. Pure, total; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "storage/expression.hpp"

namespace inos::simulate {

inline constexpr std::size_t kRulesMax = 100;
inline constexpr std::size_t kRuleBytesMax = 4'096;  // of a line

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

}  // namespace inos::simulate
