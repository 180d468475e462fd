// tests/tidy/long.txt holds what is longer than allowed, one line each, and may only shrink:
//
//   net/session.cpp file 640            the file may have 640 lines
//   net/session.cpp handle_batch 84     the function may have 84 lines
#include <algorithm>
#include <optional>
#include <sstream>

#include "tests/tidy/checks.hpp"

namespace inos::tidy {
namespace {

constexpr char kListPath[] = "tests/tidy/long.txt";
constexpr int kSlackLines = 10;  // an exception with more room than this has to be lowered

struct Exception {
    std::string path;
    std::string name;  // of a function, or "file"
    int lines_max;
    int line;
    bool is_used = false;
};

class Exceptions {
public:
    Exceptions(Tree const& tree, Findings& findings) {
        if (!tree.has(kListPath)) return;
        SourceFile const& list = tree.files[tree.index.at(kListPath)];
        for (std::size_t i = 0; i < list.lines.size(); ++i) {
            std::string const text = list.lines[i].substr(0, list.lines[i].find('#'));
            if (text.find_first_not_of(' ') == std::string::npos) continue;
            Exception exception{"", "", 0, static_cast<int>(i + 1)};
            std::istringstream in(text);
            if (in >> exception.path >> exception.name >> exception.lines_max) {
                all_.push_back(exception);
            } else {
                findings.push_back({kListPath,
                                    exception.line,
                                    "long-list",
                                    "a line is PATH NAME LINES, NAME a function or \"file\""});
            }
        }
    }

    // Whether `name` in `path` may have that many lines.
    bool allow(std::string const& path, std::string const& name, int lines, Findings& findings) {
        for (Exception& exception : all_) {
            if (exception.path != path || exception.name != name) continue;
            exception.is_used = true;
            if (lines + kSlackLines < exception.lines_max) {
                findings.push_back({kListPath,
                                    exception.line,
                                    "long-list",
                                    path + " " + name + " has only " + std::to_string(lines) +
                                        " lines now; lower the number"});
            }
            return lines <= exception.lines_max;
        }
        return false;
    }

    void report_unused(Findings& findings) const {
        for (Exception const& exception : all_) {
            if (exception.is_used) continue;
            findings.push_back({kListPath,
                                exception.line,
                                "long-list",
                                exception.path + " " + exception.name +
                                    " is not too long any more; remove this line"});
        }
    }

private:
    std::vector<Exception> all_;
};

struct Function {
    std::string name;
    int first_line;
    int last_line;
};

// The token that a function's head begins with, going back from its last closing bracket. The
// braces of an initialiser list (": a_{1}, b_(2)") are part of the head; another function's are
// not.
std::size_t head_start(std::vector<Token> const& tokens, std::size_t body) {
    std::size_t i = body;
    while (i > 0) {
        Token const& before = tokens[i - 1];
        if (before.is(";") || before.is("{")) break;
        if (before.is("}") && !tokens[i].is(",") && !tokens[i].is("{")) break;
        if (before.is(")") || before.is("]") || before.is("}")) {
            std::size_t const open = matching(tokens, i - 1);
            if (open == tokens.size()) break;
            i = open;
            continue;
        }
        --i;
    }
    return i;
}

// The function whose body opens at `body`, if it is one: a name and brackets somewhere in the head,
// no "=" outside of them, and not a class, namespace or enumeration.
std::optional<Function> function_at(std::vector<Token> const& tokens, std::size_t body) {
    std::size_t const start = head_start(tokens, body);
    std::string name;
    for (std::size_t i = start; i < body; ++i) {
        Token const& token = tokens[i];
        if (token.is("class") || token.is("struct") || token.is("namespace") || token.is("enum") ||
            token.is("union")) {
            bool const is_result = !name.empty() || (i > start && tokens[i - 1].is("<"));
            if (!is_result) return std::nullopt;
        }
        if (token.is("=") && name != "operator") return std::nullopt;
        if (token.is("[") || token.is("(") || token.is("{")) {
            bool const is_call = token.is("(") && i > start && name.empty();
            if (is_call && tokens[i - 1].kind == TokenKind::identifier) name = tokens[i - 1].text;
            if (is_call && tokens[i - 1].kind != TokenKind::identifier) name = "operator";
            i = matching(tokens, i);
        }
    }
    std::size_t const end = matching(tokens, body);
    if (name.empty() || end == tokens.size()) return std::nullopt;
    return Function{name, tokens[start].line, tokens[end].line};
}

std::vector<Function> functions_of(SourceFile const& file) {
    std::vector<Function> functions;
    for (std::size_t i = 0; i < file.tokens.size(); ++i) {
        if (!file.tokens[i].is("{")) continue;
        auto const function = function_at(file.tokens, i);
        if (!function) continue;
        functions.push_back(*function);
        i = matching(file.tokens, i);
    }
    return functions;
}

int columns_of(std::string const& line) {
    return static_cast<int>(std::ranges::count_if(line, [](char c) { return (c & 0xC0) != 0x80; }));
}

bool has_column_limit(SourceFile const& file) {
    bool const is_script =
        file.path.starts_with("tools/") && file.path.find('.') == std::string::npos;
    return file.is_cpp() || file.is_cmake() || is_script || file.path.ends_with(".capnp") ||
           file.path.ends_with(".sh") || file.path.ends_with(".py");
}

void check_lines(SourceFile const& file, Options const& options, Findings& findings) {
    static std::string const kNow = std::string("TODO") + "(now)";
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
        int const line = static_cast<int>(i + 1);
        int const columns = columns_of(file.lines[i]);
        if (has_column_limit(file) && columns > options.columns_max) {
            findings.push_back({file.path,
                                line,
                                "columns",
                                std::to_string(columns) + " columns; the limit is " +
                                    std::to_string(options.columns_max)});
        }
        if (file.lines[i].find(kNow) != std::string::npos) {
            findings.push_back({file.path, line, "todo-now", "do it now, or say soon or someday"});
        }
    }
}

void check_length(SourceFile const& file,
                  Options const& options,
                  Exceptions& exceptions,
                  Findings& findings) {
    int const lines = static_cast<int>(file.lines.size());
    if (lines > options.file_lines_max && !exceptions.allow(file.path, "file", lines, findings)) {
        findings.push_back({file.path,
                            options.file_lines_max + 1,
                            "file-length",
                            std::to_string(lines) + " lines; the limit is " +
                                std::to_string(options.file_lines_max) + ": split the file"});
    }
    for (Function const& function : functions_of(file)) {
        int const length = function.last_line - function.first_line + 1;
        if (length <= options.function_lines_max) continue;
        if (exceptions.allow(file.path, function.name, length, findings)) continue;
        findings.push_back({file.path,
                            function.first_line,
                            "function-length",
                            "\"" + function.name + "\" has " + std::to_string(length) +
                                " lines; the limit is " +
                                std::to_string(options.function_lines_max)});
    }
}

// A header of the tests counts as used when something includes it.
void check_dead(Tree const& tree, Findings& findings) {
    std::set<std::string> included;
    for (SourceFile const& file : tree.files) {
        for (Include const& include : file.includes) {
            included.insert(include.path);
        }
    }
    for (SourceFile const& file : tree.files) {
        if (!file.is_cpp() || tree.listed.contains(file.path)) continue;
        if (file.is_header() && file.is_under("tests/") && included.contains(file.path)) continue;
        findings.push_back({file.path, 1, "dead-file", "no CMakeLists.txt names this file"});
    }
}

}  // namespace

Findings check_layout(Tree const& tree, Options const& options) {
    Findings findings;
    Exceptions exceptions(tree, findings);
    for (SourceFile const& file : tree.files) {
        check_lines(file, options, findings);
        if (file.is_cpp()) check_length(file, options, exceptions, findings);
    }
    exceptions.report_unused(findings);
    check_dead(tree, findings);
    return findings;
}

}  // namespace inos::tidy
