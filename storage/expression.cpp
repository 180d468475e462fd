#include "storage/expression.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "crdt/record.hpp"
#include "storage/json.hpp"

namespace inos {
namespace {

struct Operator {
    std::string_view sign;
    ExprKind kind;
};
// Longer signs first.
constexpr std::array<Operator, 6> kComparisons = {{{"!=", ExprKind::differs},
                                                   {"<=", ExprKind::at_most},
                                                   {">=", ExprKind::at_least},
                                                   {"=", ExprKind::equal},
                                                   {"<", ExprKind::less},
                                                   {">", ExprKind::greater}}};
// No names; "in", "prefix" and "contains" stand where no name can.
constexpr std::array<std::string_view, 9> kWords = {
    "and", "or", "not", "where", "contains", "exists", "true", "false", "null"};

bool is_digit(char c) {
    return '0' <= c && c <= '9';
}
// Bytes beyond ASCII are parts of letters.
bool begins_name(char c) {
    return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}
bool in_name(char c) {
    return begins_name(c) || is_digit(c) || c == '-';
}

std::string quoted(std::string_view text) {
    std::string out;
    append_json_text(out, text);
    return out;
}

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    Expr whole() {
        Expr expr = any_of();
        skip_space();
        if (at_ < text_.size()) unexpected("and, or, or the end");
        return expr;
    }

private:
    [[noreturn]] void stop(std::size_t at, std::string message) {
        throw ExprProblem{at, std::move(message)};
    }
    [[noreturn]] void unexpected(std::string const& wanted) {
        skip_space();
        if (at_ >= text_.size()) stop(at_, "it ends where there should be " + wanted);
        stop(at_, quoted(next_word()) + " stands where there should be " + wanted);
    }
    std::string_view next_word() const {
        std::size_t end = at_;
        while (end < text_.size() && in_name(text_[end]))
            ++end;
        return text_.substr(at_, std::max<std::size_t>(end - at_, 1));
    }

    void skip_space() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t'))
            ++at_;
    }
    bool sign(std::string_view wanted) {
        skip_space();
        if (text_.substr(at_, wanted.size()) != wanted) return false;
        at_ += wanted.size();
        return true;
    }
    bool word(std::string_view wanted) {
        skip_space();
        if (at_ >= text_.size() || !begins_name(text_[at_]) || next_word() != wanted) return false;
        at_ += wanted.size();
        return true;
    }
    // Brackets, not and minus nest.
    struct Level {
        explicit Level(Parser& parser) : parser_(parser) {
            if (++parser_.depth_ > kExprDepthMax)
                parser_.stop(parser_.at_,
                             "this nests deeper than " + std::to_string(kExprDepthMax) +
                                 " levels; make it simpler, or several of it");
        }
        ~Level() { --parser_.depth_; }
        Parser& parser_;
    };

    static Expr join(ExprKind kind, std::size_t at, Expr left, Expr right) {
        Expr expr;
        expr.kind = kind;
        expr.at = at;
        expr.parts.push_back(std::move(left));
        expr.parts.push_back(std::move(right));
        return expr;
    }
    static Expr wrap(ExprKind kind, std::size_t at, Expr part) {
        Expr expr;
        expr.kind = kind;
        expr.at = at;
        expr.parts.push_back(std::move(part));
        return expr;
    }

    Expr any_of() {
        Expr expr = all_of();
        while (word("or"))
            expr = join(ExprKind::or_, expr.at, std::move(expr), all_of());
        return expr;
    }
    Expr all_of() {
        Expr expr = negation();
        while (word("and"))
            expr = join(ExprKind::and_, expr.at, std::move(expr), negation());
        return expr;
    }
    Expr negation() {
        skip_space();
        std::size_t const at = at_;
        if (!word("not")) return comparison();
        Level const level(*this);
        return wrap(ExprKind::not_, at, negation());
    }
    Expr comparison() {
        Expr left = addition();
        if (word("in")) return one_of(std::move(left));
        auto const kind = comparison_sign();
        if (!kind) return left;
        Expr expr = join(*kind, left.at, std::move(left), addition());
        skip_space();
        std::size_t const at = at_;
        if (comparison_sign()) stop(at, "comparisons do not chain; join two of them with and");
        return expr;
    }
    Expr one_of(Expr left) {
        Expr expr = wrap(ExprKind::in, left.at, std::move(left));
        if (!sign("(")) unexpected("\"(\" and the values that it may be");
        do {
            if (expr.parts.size() > kChoicesMax)
                stop(at_,
                     "there are more than " + std::to_string(kChoicesMax) + " values after in");
            expr.parts.push_back(addition());
        } while (sign(","));
        if (!sign(")")) unexpected("\",\" or \")\"");
        return expr;
    }
    std::optional<ExprKind> comparison_sign() {
        skip_space();
        std::string_view const two = text_.substr(at_, 2);
        if (two == "==") stop(at_, "\"==\" is written \"=\" here");
        if (two == "<>") stop(at_, "\"<>\" is written \"!=\" here");
        if (two == "&&") stop(at_, "\"&&\" is written \"and\" here");
        if (two == "||") stop(at_, "\"||\" is written \"or\" here");
        for (auto const& [mark, kind] : kComparisons)
            if (sign(mark)) return kind;
        if (word("contains")) return ExprKind::contains;
        if (word("prefix")) return ExprKind::prefix;
        return std::nullopt;
    }
    Expr addition() {
        Expr expr = term();
        for (;;) {
            if (sign("+"))
                expr = join(ExprKind::plus, expr.at, std::move(expr), term());
            else if (sign("-"))
                expr = join(ExprKind::minus, expr.at, std::move(expr), term());
            else
                return expr;
        }
    }

    Expr term() {
        skip_space();
        std::size_t const at = at_;
        Level const level(*this);
        if (at_ >= text_.size()) unexpected("a value");
        char const c = text_[at_];
        if (is_digit(c)) return number();
        if (c == '"' || c == '\'') return quoted_text();
        if (sign("-")) {
            skip_space();
            if (at_ < text_.size() && is_digit(text_[at_])) return number(at);
            return wrap(ExprKind::negate, at, term());
        }
        if (sign("(")) {
            Expr expr = any_of();
            if (!sign(")")) unexpected("\")\"");
            return expr;
        }
        if (c == '`' || begins_name(c)) return named();
        unexpected("a field, a number, a text in quotes, count(...) or sum(...)");
    }

    Expr literal(std::size_t at, Value value) {
        Expr expr;
        expr.at = at;
        expr.literal = std::move(value);
        return expr;
    }
    // `from` is where a minus sign stands, if there is one.
    Expr number(std::optional<std::size_t> from = std::nullopt) {
        std::size_t const begin = at_;
        auto const digits_follow = [this](std::size_t at) {
            return at < text_.size() && is_digit(text_[at]);
        };
        auto const skip_digits = [&] {
            while (digits_follow(at_))
                ++at_;
        };
        skip_digits();
        if (at_ < text_.size() && text_[at_] == '.') ++at_, skip_digits();
        if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
            std::size_t const sign =
                at_ + 1 < text_.size() && (text_[at_ + 1] == '+' || text_[at_ + 1] == '-');
            if (digits_follow(at_ + 1 + sign)) at_ += 1 + sign, skip_digits();
        }
        while (at_ < text_.size() && begins_name(text_[at_]))
            ++at_;
        std::string const number =
            (from ? "-" : "") + std::string(text_.substr(begin, at_ - begin));
        auto value = parse_json(number);
        if (!value || !(value->as<std::int64_t>() || value->as<double>()))
            stop(begin, quoted(number) + " is no number; write 5, -5 or 2.5, and texts in quotes");
        return literal(from.value_or(begin), *std::move(value));
    }
    Expr quoted_text() {
        std::size_t const begin = at_;
        char const quote = text_[at_++];
        std::string text;
        for (;; ++at_) {
            if (at_ >= text_.size())
                stop(begin, "the text that begins here has no closing " + std::string(1, quote));
            if (text_[at_] == quote) break;
            if (text_[at_] == '\\') {
                ++at_;
                if (at_ >= text_.size() || (text_[at_] != quote && text_[at_] != '\\'))
                    stop(at_ - 1, "a backslash stands before a quote or a backslash only");
            }
            text += text_[at_];
        }
        ++at_;
        return literal(begin, Value(std::move(text)));
    }

    std::string name() {
        skip_space();
        if (at_ < text_.size() && text_[at_] == '`') {
            std::size_t const end = text_.find('`', at_ + 1);
            if (end == std::string_view::npos) stop(at_, "the name has no closing `");
            std::string found(text_.substr(at_ + 1, end - at_ - 1));
            if (!valid_name(found)) stop(at_, "there is no name between the backticks");
            at_ = end + 1;
            return found;
        }
        if (at_ >= text_.size() || !begins_name(text_[at_])) unexpected("a name");
        std::string found(next_word());
        if (std::find(kWords.begin(), kWords.end(), found) != kWords.end())
            unexpected("a name (put a name that is \"" + found + "\" between backticks)");
        at_ += found.size();
        return found;
    }
    std::vector<std::string> path() {
        std::vector<std::string> names{name()};
        while (at_ < text_.size() && text_[at_] == '.') {
            ++at_;
            names.push_back(name());
        }
        return names;
    }
    Expr named() {
        std::size_t const at = at_;
        if (word("true")) return literal(at, Value(true));
        if (word("false")) return literal(at, Value(false));
        if (word("null")) return literal(at, Value());
        if (word("exists")) {
            Expr expr;
            expr.kind = ExprKind::exists;
            expr.at = at;
            expr.path = path();
            return expr;
        }
        bool const is_quoted = text_[at_] == '`';
        Expr expr;
        expr.kind = ExprKind::name;
        expr.at = at;
        expr.path = path();
        if (is_quoted || expr.path.size() > 1 || !sign("(")) return expr;
        std::string const function = expr.path.front();
        if (function != "count" && function != "sum")
            stop(at, "there is no " + quoted(function) + "(); there are count() and sum()");
        expr.kind = function == "count" ? ExprKind::count : ExprKind::sum;
        expr.path = path();
        if (word("where")) expr.parts.push_back(any_of());
        if (!sign(")")) unexpected("where or \")\"");
        return expr;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

std::string_view sign_of(ExprKind kind) {
    switch (kind) {
        case ExprKind::plus:
            return " + ";
        case ExprKind::minus:
            return " - ";
        case ExprKind::and_:
            return " and ";
        case ExprKind::or_:
            return " or ";
        case ExprKind::contains:
            return " contains ";
        case ExprKind::prefix:
            return " prefix ";
        case ExprKind::equal:
            return " = ";
        case ExprKind::differs:
            return " != ";
        case ExprKind::less:
            return " < ";
        case ExprKind::at_most:
            return " <= ";
        case ExprKind::greater:
            return " > ";
        default:
            return " >= ";
    }
}

int strength(ExprKind kind) {
    if (kind == ExprKind::or_) return 0;
    if (kind == ExprKind::and_) return 1;
    if (kind == ExprKind::not_) return 2;
    if (is_comparison(kind) || kind == ExprKind::in) return 3;
    if (kind == ExprKind::plus || kind == ExprKind::minus) return 4;
    return 5;
}

std::string name_text(std::string const& name) {
    bool const plain = begins_name(name.front()) &&
                       std::all_of(name.begin(), name.end(), in_name) &&
                       std::find(kWords.begin(), kWords.end(), name) == kWords.end();
    return plain ? name : "`" + name + "`";
}

std::string literal_text(Value const& value) {
    auto const* text = value.as<std::string>();
    if (!text) return write_json(value);
    std::string out = "\"";
    for (char const c : *text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::string path_text(Expr const& expr) {
    std::string text;
    if (!expr.collection.empty() && expr.scope != Scope::counted) text = name_text(expr.collection);
    for (std::string const& name : expr.path)
        text += (text.empty() ? "" : ".") + name_text(name);
    return text;
}

}  // namespace

bool is_comparison(ExprKind kind) {
    return kind >= ExprKind::equal && kind <= ExprKind::prefix;
}

std::variant<Expr, ExprProblem> parse_expression(std::string_view text) {
    try {
        return Parser(text).whole();
    } catch (ExprProblem& problem) {
        return std::move(problem);
    }
}

std::string expression_text(Expr const& expr) {
    // Brackets where the part binds weaker; on the right of - also where it binds as strongly.
    auto const part = [&](std::size_t i) {
        Expr const& inner = expr.parts[i];
        int const own = strength(expr.kind), its = strength(inner.kind);
        bool const loose = its < own || (its == own && (i > 0 || is_comparison(expr.kind)) &&
                                         own != 5 && expr.kind != ExprKind::not_);
        return loose ? "(" + expression_text(inner) + ")" : expression_text(inner);
    };
    switch (expr.kind) {
        case ExprKind::literal:
            return literal_text(expr.literal);
        case ExprKind::name:
            return path_text(expr);
        case ExprKind::count:
        case ExprKind::sum: {
            std::string const text =
                (expr.kind == ExprKind::count ? "count(" : "sum(") + path_text(expr);
            return text + (expr.parts.empty() ? "" : " where " + expression_text(expr.parts[0])) +
                   ")";
        }
        case ExprKind::negate: {
            std::string const inner = part(0);
            bool const digit = expr.parts[0].kind == ExprKind::literal;
            return digit ? "-(" + inner + ")" : "- " + inner;
        }
        case ExprKind::not_:
            return "not " + part(0);
        case ExprKind::exists:
            return "exists " + path_text(expr);
        case ExprKind::in: {
            std::string text = part(0) + " in (";
            for (std::size_t i = 1; i < expr.parts.size(); ++i)
                text += (i > 1 ? ", " : "") + expression_text(expr.parts[i]);
            return text + ")";
        }
        default:
            return part(0) + std::string(sign_of(expr.kind)) + part(1);
    }
}

}  // namespace inos
