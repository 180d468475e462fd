// What the tidy checks look at: the files of the tree, C++ ones cut into tokens.
//
// The reading is a compiler's first step and no more: comments and strings are told apart from
// code, preprocessor lines are set aside (includes are kept), nothing is expanded. That is enough
// for checks of layout, and it cannot be wrong in ways that surprise. Plain values; single thread;
// a file that cannot be read stops the program with an exception.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace inos::tidy {

enum class TokenKind { identifier, number, text, punctuation };

struct Token {
    TokenKind kind;
    std::string text;  // of a string or character literal only the quotes
    int line;

    bool is(std::string_view what) const { return kind != TokenKind::text && text == what; }
};

struct Include {
    std::string path;
    bool is_quoted;
    int line;
};

struct SourceFile {
    std::string path;  // from the root of the tree, with forward slashes
    std::vector<std::string> lines;
    std::vector<Token> tokens;      // only of C++
    std::vector<Include> includes;  // only of C++

    bool is_cpp() const;
    bool is_header() const { return path.ends_with(".hpp"); }
    bool is_cmake() const;
    bool is_under(std::string_view folder) const;  // "net/": anywhere below it
};

struct Tree {
    std::filesystem::path root;
    std::vector<SourceFile> files;             // in the order of their paths
    std::map<std::string, std::size_t> index;  // path to place in `files`
    // Files per library of the CMakeLists.txt files: "sync" to {"net/session.hpp", ...}.
    std::map<std::string, std::set<std::string>> libraries;
    std::set<std::string> listed;  // every file that some CMakeLists.txt names

    bool has(std::string const& path) const { return index.contains(path); }
};

struct Finding {
    std::string path;
    int line;
    std::string check;  // short name, as in "expect: columns" of the samples
    std::string message;

    auto operator<=>(Finding const&) const = default;
};

// What differs between the tree and the samples that the checks are tested with.
struct Options {
    int function_lines_max = 70;
    int file_lines_max = 600;
    int columns_max = 100;
    std::vector<std::string> machine_paths;      // text that belongs to one machine only
    std::string skipped = "tests/tidy/samples";  // a folder that is not looked into
};

// Reads all text files below `root`, but not build folders, version control, and options.skipped.
Tree read_tree(std::filesystem::path const& root, Options const& options);

// Cuts C++ text into tokens and includes.
void tokenize(SourceFile& file);

// The place of the bracket that matches the one at `at`, forwards or backwards; tokens.size() when
// there is none. Only (), [] and {}: angle brackets are operators as well.
std::size_t matching(std::vector<Token> const& tokens, std::size_t at);

}  // namespace inos::tidy
