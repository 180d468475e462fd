// Reads the sources and reports what breaks the rules of the tree, in the form of a compiler's
// errors.
//
//   inos_tidy ROOT            exit status 0: nothing found, 1: something found, 2: cannot run
//   inos_tidy --selftest DIR  DIR is a small bad tree whose lines say "expect: CHECK" where a
//   finding
//                             must be; fails for a finding too few and for one too many
#include <algorithm>
#include <exception>
#include <iostream>
#include <set>
#include <string>

#include "tests/tidy/checks.hpp"

namespace inos::tidy {
namespace {

// Written in two pieces, because this file is looked at as well.
Options tree_options() {
    Options options;
    options.machine_paths = {
        "/work"
        "/",
        "/tmp"
        "/bash_jobs",
        "/tmp"
        "/w/",
        "."
        "library"};
    return options;
}

// The samples are small, so that what is too long is soon reached.
Options sample_options() {
    Options options;
    options.function_lines_max = 12;
    options.file_lines_max = 70;
    options.machine_paths = {"/home/somebody/"};
    return options;
}

Findings run_checks(Tree const& tree, Options const& options) {
    Findings all;
    for (Findings const& found : {check_includes(tree),
                                  check_coroutines(tree),
                                  check_calls(tree),
                                  check_layout(tree, options),
                                  check_docs(tree, options)}) {
        all.insert(all.end(), found.begin(), found.end());
    }
    std::ranges::sort(all);
    return all;
}

void print(Finding const& finding) {
    std::cout << finding.path << ":" << finding.line << ": error: " << finding.message << " ["
              << finding.check << "]\n";
}

int check_tree(std::string const& root) {
    Options const options = tree_options();
    Tree const tree = read_tree(root, options);
    Findings const findings = run_checks(tree, options);
    std::ranges::for_each(findings, print);
    std::cout << "tidy: " << tree.files.size() << " files, " << findings.size() << " errors\n";
    return findings.empty() ? 0 : 1;
}

using Place = std::tuple<std::string, int, std::string>;  // path, line, check

std::set<Place> expected_places(Tree const& tree) {
    static std::string const kMark = "expect: ";
    std::set<Place> places;
    for (SourceFile const& file : tree.files) {
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            std::string const& line = file.lines[i];
            for (auto at = line.find(kMark); at != std::string::npos; at = line.find(kMark, at)) {
                at += kMark.size();
                std::size_t const end = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at);
                places.emplace(file.path, static_cast<int>(i + 1), line.substr(at, end - at));
            }
        }
    }
    return places;
}

int selftest(std::string const& root) {
    Options const options = sample_options();
    Tree const tree = read_tree(root, options);
    std::set<Place> const expected = expected_places(tree);
    std::set<Place> found;
    int errors = 0;
    for (Finding const& finding : run_checks(tree, options)) {
        Place const place(finding.path, finding.line, finding.check);
        found.insert(place);
        if (expected.contains(place)) continue;
        std::cout << "not expected: ";
        print(finding);
        ++errors;
    }
    for (auto const& [path, line, check] : expected) {
        if (found.contains({path, line, check})) continue;
        std::cout << path << ":" << line << ": error: not reported: " << check << "\n";
        ++errors;
    }
    if (expected.empty()) {
        std::cout << root << ": error: no sample expects anything\n";
        ++errors;
    }
    std::cout << "tidy selftest: " << expected.size() << " expected, " << errors << " errors\n";
    return errors == 0 ? 0 : 1;
}

}  // namespace
}  // namespace inos::tidy

int main(int argc, char** argv) try {
    std::string const first = argc > 1 ? argv[1] : "";
    if (argc == 2 && !first.starts_with("-")) return inos::tidy::check_tree(first);
    if (argc == 3 && first == "--selftest") return inos::tidy::selftest(argv[2]);
    std::cerr << "usage: inos_tidy ROOT | inos_tidy --selftest DIR\n";
    return 2;
} catch (std::exception const& problem) {
    std::cerr << "tidy: " << problem.what() << "\n";
    return 2;
}
