#include <array>
#include <cctype>

#include "tests/tidy/source.hpp"

namespace inos::tidy {
namespace {

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_digit(char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

// Reads the text of one file from left to right.
class Scanner {
public:
    Scanner(std::string const& text, SourceFile& file) : text_(text), file_(file) {}

    void run() {
        while (at_ < text_.size()) {
            step();
        }
    }

private:
    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }

    void skip(std::size_t count) {
        for (; count > 0 && at_ < text_.size(); --count, ++at_) {
            if (text_[at_] == '\n') {
                ++line_;
                is_line_start_ = true;
            }
        }
    }

    void skip_to_after(std::string const& what) {
        std::size_t const found = text_.find(what, at_);
        skip(found == std::string::npos ? text_.size() : found + what.size() - at_);
    }

    void add(TokenKind kind, std::string text) {
        file_.tokens.push_back({kind, std::move(text), line_});
        is_line_start_ = false;
    }

    void step() {
        char const c = peek();
        if (std::isspace(static_cast<unsigned char>(c)) != 0) {
            skip(1);
        } else if (c == '/' && peek(1) == '/') {
            std::size_t const end = text_.find('\n', at_);
            skip(end == std::string::npos ? text_.size() : end - at_);
        } else if (c == '/' && peek(1) == '*') {
            skip(2);
            skip_to_after("*/");
        } else if (c == '#' && is_line_start_) {
            directive();
        } else if (c == '"' || c == '\'') {
            literal(c);
        } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
            number();
        } else if (is_word(c)) {
            word();
        } else {
            punctuation();
        }
    }

    // A preprocessor line with its continuations; only includes leave something behind.
    void directive() {
        std::size_t end = text_.find('\n', at_);
        while (end != std::string::npos && text_[end - 1] == '\\') {
            end = text_.find('\n', end + 1);
        }
        if (end == std::string::npos) end = text_.size();
        std::string const line = text_.substr(at_, end - at_);
        std::size_t const open = line.find_first_of("<\"");
        if (line.find("include") < open && open != std::string::npos) {
            bool const is_quoted = line[open] == '"';
            std::size_t const close = line.find(is_quoted ? '"' : '>', open + 1);
            file_.includes.push_back({line.substr(open + 1, close - open - 1), is_quoted, line_});
        }
        skip(end - at_);
    }

    void literal(char quote) {
        add(TokenKind::text, std::string(2, quote));
        skip(1);
        while (at_ < text_.size() && peek() != quote && peek() != '\n') {
            skip(peek() == '\\' ? 2 : 1);
        }
        skip(1);
    }

    void raw_literal() {
        add(TokenKind::text, "\"\"");
        std::size_t const open = text_.find('(', at_);
        std::string const delimiter = text_.substr(at_ + 1, open - at_ - 1);
        skip(open - at_);
        skip_to_after(")" + delimiter + "\"");
    }

    void number() {
        std::size_t end = at_;
        while (end < text_.size() &&
               (is_word(text_[end]) || text_[end] == '.' ||
                (text_[end] == '\'' && end + 1 < text_.size() && is_word(text_[end + 1])))) {
            ++end;
        }
        add(TokenKind::number, text_.substr(at_, end - at_));
        skip(end - at_);
    }

    void word() {
        std::size_t end = at_;
        while (end < text_.size() && is_word(text_[end])) {
            ++end;
        }
        std::string const text = text_.substr(at_, end - at_);
        char const next = end < text_.size() ? text_[end] : '\0';
        bool const is_prefix = text == "R" || text == "L" || text == "u" || text == "U" ||
                               text == "u8" || text == "u8R" || text == "LR";
        if (is_prefix && (next == '"' || (next == '\'' && text != "R"))) {
            skip(end - at_);
            if (text.ends_with('R')) {
                raw_literal();
            } else {
                literal(next);
            }
            return;
        }
        add(TokenKind::identifier, text);
        skip(end - at_);
    }

    void punctuation() {
        static constexpr std::array<std::string_view, 19> kLong = {"<=>",
                                                                   "...",
                                                                   "::",
                                                                   "->",
                                                                   "&&",
                                                                   "||",
                                                                   "==",
                                                                   "!=",
                                                                   "<=",
                                                                   ">=",
                                                                   "+=",
                                                                   "-=",
                                                                   "*=",
                                                                   "/=",
                                                                   "%=",
                                                                   "|=",
                                                                   "&=",
                                                                   "++",
                                                                   "--"};
        std::size_t size = 1;
        for (std::string_view const text : kLong) {
            if (text_.compare(at_, text.size(), text) == 0) {
                size = text.size();
                break;
            }
        }
        add(TokenKind::punctuation, text_.substr(at_, size));
        skip(size);
    }

    std::string const& text_;
    SourceFile& file_;
    std::size_t at_ = 0;
    int line_ = 1;
    bool is_line_start_ = true;
};

bool is_open(Token const& token) {
    return token.is("(") || token.is("[") || token.is("{");
}
bool is_close(Token const& token) {
    return token.is(")") || token.is("]") || token.is("}");
}

}  // namespace

void tokenize(SourceFile& file) {
    std::string text;
    for (std::string const& line : file.lines) {
        text += line + "\n";
    }
    Scanner(text, file).run();
}

std::size_t matching(std::vector<Token> const& tokens, std::size_t at) {
    bool const forwards = is_open(tokens[at]);
    int depth = 0;
    for (std::size_t i = at; i < tokens.size(); forwards ? ++i : --i) {
        if (is_open(tokens[i])) depth += forwards ? 1 : -1;
        if (is_close(tokens[i])) depth += forwards ? -1 : 1;
        if (depth == 0) return i;
        if (!forwards && i == 0) break;
    }
    return tokens.size();
}

}  // namespace inos::tidy
