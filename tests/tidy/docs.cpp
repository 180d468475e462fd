#include <filesystem>

#include "tests/tidy/checks.hpp"

namespace inos::tidy {
namespace {

namespace fs = std::filesystem;

bool is_external(std::string const& target) {
    return target.empty() || target.starts_with("#") || target.starts_with("mailto:") ||
           target.find("://") != std::string::npos;
}

// The line without what stands between backticks, which is text and not markup.
std::string without_code(std::string const& line) {
    std::string rest;
    bool is_code = false;
    for (char const c : line) {
        if (c == '`') is_code = !is_code;
        if (!is_code) rest += c;
    }
    return rest;
}

// The targets of [text](target) and [text](target "title") in a line.
std::vector<std::string> link_targets(std::string const& line) {
    std::vector<std::string> targets;
    std::string const text = without_code(line);
    for (auto at = text.find("]("); at != std::string::npos; at = text.find("](", at)) {
        at += 2;
        std::size_t const end = text.find_first_of(") ", at);
        if (end == std::string::npos) break;
        targets.push_back(text.substr(at, end - at));
    }
    return targets;
}

void check_links(Tree const& tree, SourceFile const& file, Findings& findings) {
    bool is_block = false;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
        std::string const& line = file.lines[i];
        if (line.starts_with("```")) is_block = !is_block;
        if (is_block) continue;
        for (std::string const& target : link_targets(line)) {
            if (is_external(target)) continue;
            fs::path const path =
                fs::path(file.path).parent_path() / target.substr(0, target.find('#'));
            if (fs::exists(tree.root / path.lexically_normal())) continue;
            findings.push_back(
                {file.path, static_cast<int>(i + 1), "link", "\"" + target + "\" does not exist"});
        }
    }
}

void check_machine_paths(SourceFile const& file, Options const& options, Findings& findings) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
        for (std::string const& path : options.machine_paths) {
            if (file.lines[i].find(path) == std::string::npos) continue;
            findings.push_back({file.path,
                                static_cast<int>(i + 1),
                                "machine-path",
                                "\"" + path + "\" exists on one machine only"});
        }
    }
}

}  // namespace

Findings check_docs(Tree const& tree, Options const& options) {
    Findings findings;
    for (SourceFile const& file : tree.files) {
        if (file.path.ends_with(".md")) check_links(tree, file, findings);
        check_machine_paths(file, options, findings);
    }
    return findings;
}

}  // namespace inos::tidy
