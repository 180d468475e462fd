#include "tools/simulate/rule.hpp"

#include <algorithm>
#include <utility>

#include "crdt/value.hpp"
#include "storage/text_forms.hpp"

namespace inos::simulate {
namespace {

// Without a comment at its end, and without the spaces around it.
std::string_view rule_part(std::string_view line, std::size_t& begin) {
    char quote = 0;
    std::size_t end = line.size();
    for (std::size_t i = 0; i < line.size() && end == line.size(); ++i) {
        char const c = line[i];
        if (quote != 0 && c == '\\' && quote != '`')
            ++i;
        else if (quote != 0)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'' || c == '`')
            quote = c;
        else if (c == '#')
            end = i;
    }
    line = line.substr(0, end);
    begin = std::min(line.find_first_not_of(" \t\r"), line.size());
    std::size_t const last = line.find_last_not_of(" \t\r");
    return last == std::string_view::npos ? std::string_view()
                                          : line.substr(begin, last + 1 - begin);
}

}  // namespace

RuleProblem problem_at(Rule const& rule, std::size_t at, std::string message) {
    return {rule.line,
            rule.before + 1 + characters(std::string_view(rule.text).substr(0, at)),
            std::move(message)};
}

RuleFile parse_rules(std::string_view text) {
    RuleFile file;
    for (std::size_t number = 1; !text.empty(); ++number) {
        std::size_t const end = std::min(text.find('\n'), text.size());
        std::string_view const line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        Rule rule;
        rule.line = number;
        if (line.size() > kRuleBytesMax || !valid_utf8(line)) {
            file.problems.push_back(
                {number,
                 1,
                 line.size() > kRuleBytesMax
                     ? "the line is longer than " + std::to_string(kRuleBytesMax) + " bytes"
                     : "the line is not UTF-8"});
            continue;
        }
        std::size_t begin = 0;
        rule.text = rule_part(line, begin);
        rule.before = characters(line.substr(0, begin));
        if (rule.text.empty()) continue;
        if (file.rules.size() == kRulesMax) {
            file.problems.push_back(problem_at(
                rule,
                0,
                "there are more than " + std::to_string(kRulesMax) + " rules in the file"));
            break;
        }
        auto parsed = parse_expression(rule.text);
        if (auto const* problem = std::get_if<ExprProblem>(&parsed)) {
            file.problems.push_back(problem_at(rule, problem->at, problem->message));
        } else {
            rule.expr = std::get<Expr>(std::move(parsed));
            file.rules.push_back(std::move(rule));
        }
    }
    return file;
}

}  // namespace inos::simulate
