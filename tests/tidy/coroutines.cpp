// g++ 12 compiles some uses of co_await into wrong code without a word: conditions, temporaries
// made with braces, lambdas among the arguments. So only forms that are known to be right are
// allowed:
//
//   co_await f(a, b);    T x = co_await f(a, b);    x = co_await f(a, b);    co_return co_await
//   f(a, b); INOS_CO_TRY(T x, co_await f(a, b));             each argument a name, std::move(name),
//   a literal,
//                                                   or a call of a function
#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "tests/tidy/checks.hpp"

namespace inos::tidy {
namespace {

using Tokens = std::vector<Token>;
using Problem = std::optional<std::string>;

constexpr std::array<std::string_view, 5> kControl = {"if", "while", "for", "switch", "constexpr"};

bool is_control(Token const& token) {
    return std::ranges::find(kControl, token.text) != kControl.end();
}

bool is_name(Token const& token) {
    return token.kind == TokenKind::identifier;
}

// PascalCase: the name of a type. kConstant and MACRO_NAME are not.
bool is_type_name(std::string const& text) {
    return std::isupper(static_cast<unsigned char>(text[0])) != 0 &&
           std::ranges::any_of(text, [](unsigned char c) { return std::islower(c) != 0; });
}

// Reads what follows a co_await, token by token.
class Operand {
public:
    Operand(Tokens const& tokens, std::size_t at) : tokens_(tokens), at_(at) {}

    // name::name<T>(args)->name(args)...; afterwards at() is the first token behind it.
    Problem read() {
        std::string last;
        if (here("::")) ++at_;
        if (!is_name(token())) return "what is awaited is not a call of a function";
        while (true) {
            if (is_name(token())) last = token().text;
            ++at_;
            skip_template_arguments();
            if (here("{"))
                return "\"" + last + "{...}\" is a temporary made with braces; name it first";
            while (here("(") || here("[")) {
                bool const is_temporary = here("(") && is_type_name(last);
                if (is_temporary) return "\"" + last + "(...)\" makes a temporary; name it first";
                Problem const problem = here("(") ? arguments() : subscript();
                if (problem) return problem;
            }
            if (!here("::") && !here(".") && !here("->")) return std::nullopt;
            ++at_;
            if (here("template")) ++at_;
            if (!is_name(token())) return "this form is not known to be compiled right";
        }
    }

    std::size_t at() const { return at_; }

private:
    Token const& token() const {
        static Token const kEnd{TokenKind::punctuation, "", 0};
        return at_ < tokens_.size() ? tokens_[at_] : kEnd;
    }

    bool here(std::string_view text) const { return token().is(text); }

    // Skips <T, U*> behind a name if a call or :: follows; otherwise < is an operator.
    void skip_template_arguments() {
        if (!here("<")) return;
        int depth = 0;
        for (std::size_t i = at_; i < tokens_.size(); ++i) {
            Token const& t = tokens_[i];
            if (t.is("<")) ++depth;
            if (t.is(">") && --depth == 0) {
                bool const is_template =
                    i + 1 < tokens_.size() &&
                    (tokens_[i + 1].is("(") || tokens_[i + 1].is("::") || tokens_[i + 1].is("{"));
                if (is_template) at_ = i + 1;
                return;
            }
            bool const fits = is_name(t) || t.kind == TokenKind::number || t.is("<") || t.is(">") ||
                              t.is("::") || t.is(",") || t.is("*") || t.is("&");
            if (!fits) return;
        }
    }

    Problem arguments() {
        ++at_;
        if (here(")")) {
            ++at_;
            return std::nullopt;
        }
        while (true) {
            if (Problem problem = argument()) return problem;
            if (here(",")) {
                ++at_;
                continue;
            }
            if (!here(")")) {
                return "an argument is an expression (\"" + token().text + "\"); name it first";
            }
            ++at_;
            return std::nullopt;
        }
    }

    Problem argument() {
        while (here("&") || here("*") || here("!") || here("-"))
            ++at_;
        if (here("[")) return "a lambda among the arguments; name it first, then move it";
        if (here("{")) return "a temporary made with braces among the arguments; name it first";
        if (token().kind == TokenKind::number) {
            ++at_;
            return std::nullopt;
        }
        if (token().kind == TokenKind::text) {
            while (token().kind == TokenKind::text)
                ++at_;
            if (is_name(token())) ++at_;  // "..."s
            return std::nullopt;
        }
        return named_argument();
    }

    // A name or a call of a function. What stands in that function's own brackets is ordinary code,
    // but for lambdas and braces.
    Problem named_argument() {
        std::string last;
        if (here("::")) ++at_;
        if (!is_name(token())) return "an argument is an expression; name it first";
        while (true) {
            if (is_name(token())) last = token().text;
            ++at_;
            skip_template_arguments();
            if (here("{")) return "\"" + last + "{...}\" among the arguments; name it first";
            while (here("(") || here("[")) {
                bool const is_temporary = here("(") && is_type_name(last);
                if (is_temporary) return "\"" + last + "(...)\" among the arguments; name it first";
                if (Problem problem = subscript()) return problem;
            }
            if (!here("::") && !here(".") && !here("->")) return std::nullopt;
            ++at_;
            if (here("template")) ++at_;
        }
    }

    // Skips brackets with anything but lambdas and braces in them.
    Problem subscript() {
        std::size_t const end = matching(tokens_, at_);
        for (std::size_t i = at_ + 1; i < end; ++i) {
            if (tokens_[i].is("{")) return "braces or a lambda in a call among the arguments";
            Token const& before = tokens_[i - 1];
            bool const follows_value = is_name(before) || before.is(")") || before.is("]");
            if (tokens_[i].is("[") && !follows_value)
                return "a lambda in a call among the arguments";
        }
        at_ = std::min(end + 1, tokens_.size());
        return std::nullopt;
    }

    Tokens const& tokens_;
    std::size_t at_;
};

class CoroutineCheck {
public:
    explicit CoroutineCheck(SourceFile const& file) : tokens_(file.tokens) {}

    // Why the co_await at `at` is not in an allowed form.
    Problem form(std::size_t at) const {
        std::size_t const start = statement_start(at);
        bool const is_macro =
            start >= 2 && tokens_[start - 1].is("(") &&
            (tokens_[start - 2].is("INOS_CO_TRY") || tokens_[start - 2].is("INOS_CO_CHECK"));
        bool const is_inside =
            start >= 1 && !is_macro && (tokens_[start - 1].is("(") || tokens_[start - 1].is("["));
        if (is_inside) return "it is inside brackets";
        if (!is_allowed_front(start, at, is_macro)) return "it is part of a larger expression";
        Operand operand(tokens_, at + 1);
        if (Problem problem = operand.read()) return problem;
        std::size_t end = operand.at();
        if (is_macro) {
            if (end >= tokens_.size() || !tokens_[end].is(")")) return "something follows the call";
            ++end;
        }
        if (end >= tokens_.size() || !tokens_[end].is(";")) return "something follows the call";
        return std::nullopt;
    }

    // Whether the function around `at` is a lambda that captures something.
    bool is_in_capturing_lambda(std::size_t at) const {
        for (std::size_t i = at; i-- > 0;) {
            if (tokens_[i].is(")") || tokens_[i].is("]") || tokens_[i].is("}")) {
                std::size_t const open = matching(tokens_, i);
                if (open == tokens_.size()) return false;
                i = open;
                continue;
            }
            if (!tokens_[i].is("{")) continue;
            std::size_t head = i;  // over "mutable noexcept -> Task<void>" to the parameters
            while (head > 0 && !tokens_[head - 1].is(")") && !tokens_[head - 1].is("]") &&
                   !tokens_[head - 1].is(";") && !tokens_[head - 1].is("{") &&
                   !tokens_[head - 1].is("}") && !is_block_word(tokens_[head - 1])) {
                --head;
            }
            if (head == 0) return false;
            std::size_t close = head - 1;
            if (tokens_[close].is(")")) {
                std::size_t const open = matching(tokens_, close);
                if (open == tokens_.size() || open == 0) return false;
                if (is_control(tokens_[open - 1]) || tokens_[open - 1].is("catch")) continue;
                if (!tokens_[open - 1].is("]")) return false;  // a function
                close = open - 1;
            }
            if (!tokens_[close].is("]")) continue;  // a plain block
            std::size_t const open = matching(tokens_, close);
            return open != tokens_.size() && close - open > 1;
        }
        return false;
    }

private:
    static bool is_block_word(Token const& token) {
        return token.is("else") || token.is("do") || token.is("try");
    }

    // The first token of the statement, or behind the bracket, that the co_await stands in.
    std::size_t statement_start(std::size_t at) const {
        std::size_t i = at;
        for (; i > 0; --i) {
            Token const& before = tokens_[i - 1];
            bool const is_boundary = before.is(";") || before.is("{") || before.is("}") ||
                                     before.is("(") || before.is("[") || before.is(":") ||
                                     is_block_word(before);
            if (is_boundary) break;
            if (before.is(")") || before.is("]")) {
                std::size_t const open = matching(tokens_, i - 1);
                if (open == tokens_.size()) break;
                if (before.is(")") && open > 0 && is_control(tokens_[open - 1])) break;
                i = open + 1;
            }
        }
        return i;
    }

    // What may stand in front of co_await in its statement.
    bool is_allowed_front(std::size_t start, std::size_t at, bool is_macro) const {
        if (start == at) return true;
        if (at - start == 1 && tokens_[start].is("co_return")) return true;
        if (!tokens_[at - 1].is(is_macro ? "," : "=")) return false;
        for (std::size_t i = start; i + 1 < at; ++i) {
            static constexpr std::array<std::string_view, 11> kAllowed = {
                "::", "<", ">", ",", "[", "]", ".", "->", "&", "&&", "*"};
            bool const is_allowed = is_name(tokens_[i]) || tokens_[i].kind == TokenKind::number ||
                                    std::ranges::find(kAllowed, tokens_[i].text) != kAllowed.end();
            if (!is_allowed) return false;
        }
        return true;
    }

    Tokens const& tokens_;
};

}  // namespace

Findings check_coroutines(Tree const& tree) {
    Findings findings;
    for (SourceFile const& file : tree.files) {
        CoroutineCheck const check(file);
        for (std::size_t i = 0; i < file.tokens.size(); ++i) {
            Token const& token = file.tokens[i];
            bool const is_await = token.is("co_await");
            if (!is_await && !token.is("co_return")) continue;
            if (check.is_in_capturing_lambda(i)) {
                findings.push_back(
                    {file.path,
                     token.line,
                     "coroutine-lambda",
                     "this lambda is a coroutine and captures: its captures die with "
                     "the lambda; use parameters"});
            }
            if (!is_await) continue;
            if (Problem const problem = check.form(i)) {
                findings.push_back({file.path,
                                    token.line,
                                    "coroutine",
                                    "co_await in a form that g++ 12 miscompiles or that is not "
                                    "known to be safe: " +
                                        *problem});
            }
        }
    }
    return findings;
}

}  // namespace inos::tidy
