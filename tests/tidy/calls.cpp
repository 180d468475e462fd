// Time, randomness, the disk and the environment are handed in, so that the simulator can hand in
// its own and every run can be repeated. Only the folders that make the real ones may ask for them.
#include <algorithm>
#include <array>
#include <cctype>

#include "tests/tidy/checks.hpp"

namespace inos::tidy {
namespace {

struct Banned {
    std::string_view name;
    bool is_call;  // only when an opening bracket follows
    std::string_view instead;
};

constexpr std::array<Banned, 13> kBanned = {{
    {"random_device", false, "take randomness as a parameter"},
    {"getenv", true, "read the environment in tools/ and pass the value on"},
    {"secure_getenv", true, "read the environment in tools/ and pass the value on"},
    {"rand", true, "take randomness as a parameter"},
    {"srand", true, "take randomness as a parameter"},
    {"gettimeofday", true, "take the time from a Clock"},
    {"clock_gettime", true, "take the time from a Clock"},
    {"localtime", true, "take the time from a Clock and write it as UTC"},
    {"printf", true, "only tools/ writes to standard output; log instead"},
    {"puts", true, "only tools/ writes to standard output; log instead"},
    {"putchar", true, "only tools/ writes to standard output; log instead"},
    {"cout", false, "only tools/ writes to standard output; log instead"},
    {"filesystem", false, "files are opened in storage/engines/ and tools/ only"},
}};

bool may_call(SourceFile const& file) {
    return file.is_under("tools/") || file.is_under("tests/") || file.is_under("storage/engines/");
}

bool ends_with_clock(std::string const& text) {
    return text.ends_with("clock") || text.ends_with("Clock");
}

// Whether the token is a name of the standard library, not a member or a variable of ours.
bool is_free_name(std::vector<Token> const& tokens, std::size_t at) {
    if (at == 0) return true;
    Token const& before = tokens[at - 1];
    if (before.is(".") || before.is("->")) return false;
    if (before.is("::"))
        return at < 2 || tokens[at - 2].is("std") ||
               !(tokens[at - 2].kind == TokenKind::identifier);
    return true;
}

void check_file(SourceFile const& file, Findings& findings) {
    std::vector<Token> const& tokens = file.tokens;
    // Key files and the site's directory are made, checked and locked by these two.
    bool const has_key_files =
        file.path == "storage/crypto/key_files.cpp" || file.path == "storage/site_directory.cpp";
    auto const add = [&](int line, std::string what, std::string_view instead) {
        findings.push_back({file.path, line, "banned-call", what + ": " + std::string(instead)});
    };
    for (Include const& include : file.includes) {
        if (include.path == "filesystem" && !has_key_files) {
            add(include.line,
                "<filesystem>",
                "files are opened in storage/engines/ and tools/ only");
        }
    }
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
        if (tokens[i].kind != TokenKind::identifier) continue;
        bool const is_now = i >= 2 && tokens[i].is("now") && tokens[i - 1].is("::") &&
                            ends_with_clock(tokens[i - 2].text);
        if (is_now) add(tokens[i].line, tokens[i - 2].text + "::now", "take the time from a Clock");
        bool const is_time = i >= 2 && tokens[i].is("time") && tokens[i + 1].is("(") &&
                             tokens[i - 1].is("::") && tokens[i - 2].is("std");
        if (is_time) add(tokens[i].line, "std::time", "take the time from a Clock");
        auto const banned = std::ranges::find(kBanned, tokens[i].text, &Banned::name);
        if (banned == kBanned.end() || !is_free_name(tokens, i)) continue;
        if (banned->is_call && !tokens[i + 1].is("(")) continue;
        if (banned->name == "filesystem" && (has_key_files || i == 0 || !tokens[i - 1].is("::")))
            continue;
        if (banned->name == "cout" && (i == 0 || !tokens[i - 1].is("::"))) continue;
        add(tokens[i].line, std::string(banned->name), banned->instead);
    }
}

}  // namespace

Findings check_calls(Tree const& tree) {
    Findings findings;
    for (SourceFile const& file : tree.files) {
        if (file.is_cpp() && !may_call(file)) check_file(file, findings);
    }
    return findings;
}

}  // namespace inos::tidy
