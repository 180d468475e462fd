#include "tests/tidy/source.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace inos::tidy {
namespace {

namespace fs = std::filesystem;

bool is_skipped_folder(std::string const& name) {
    return name == ".git" || name == ".cache" || name == ".vscode" || name == ".idea" ||
           name == "node_modules" || name == "__pycache__" || name.starts_with("build");
}

std::string read_file(fs::path const& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> split_lines(std::string const& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

// The words of a CMakeLists.txt: comments dropped, brackets apart.
std::vector<std::string> cmake_words(SourceFile const& file) {
    std::vector<std::string> words;
    for (std::string line : file.lines) {
        line.resize(std::min(line.size(), line.find('#')));
        std::string spaced;
        for (char const c : line) {
            if (c == '(' || c == ')') {
                spaced += std::string{' ', c, ' '};
            } else {
                spaced += c == '"' || c == ';' ? ' ' : c;
            }
        }
        std::istringstream in(spaced);
        for (std::string word; in >> word;) {
            words.push_back(word);
        }
    }
    return words;
}

// "${PROJECT_SOURCE_DIR}/a/b.cpp" and "b.cpp" in a/CMakeLists.txt are both a/b.cpp.
std::string resolve_cmake_path(std::string const& folder, std::string word) {
    for (std::string const variable : {"${PROJECT_SOURCE_DIR}/", "${CMAKE_SOURCE_DIR}/"}) {
        if (word.starts_with(variable)) return word.substr(variable.size());
    }
    std::string const here = "${CMAKE_CURRENT_SOURCE_DIR}/";
    if (word.starts_with(here)) word = word.substr(here.size());
    return (fs::path(folder) / word).lexically_normal().generic_string();
}

void read_cmake(SourceFile const& file, Tree& tree) {
    std::string const folder = fs::path(file.path).parent_path().generic_string();
    std::vector<std::string> const words = cmake_words(file);
    std::string library;
    for (std::size_t i = 0; i < words.size(); ++i) {
        bool const is_call = i >= 2 && words[i - 1] == "(";
        if (is_call) library = words[i - 2] == "inos_library" ? words[i] : "";
        if (words[i].find('.') == std::string::npos) continue;
        std::string const path = resolve_cmake_path(folder, words[i]);
        tree.listed.insert(path);
        if (!library.empty()) tree.libraries[library].insert(path);
    }
}

}  // namespace

bool SourceFile::is_cpp() const {
    return path.ends_with(".cpp") || path.ends_with(".hpp");
}

bool SourceFile::is_cmake() const {
    return path == "CMakeLists.txt" || path.ends_with("/CMakeLists.txt") ||
           path.ends_with(".cmake");
}

bool SourceFile::is_under(std::string_view folder) const {
    return path.starts_with(folder);
}

Tree read_tree(fs::path const& root, Options const& options) {
    Tree tree;
    tree.root = root;
    for (auto i = fs::recursive_directory_iterator(root); i != fs::end(i); ++i) {
        std::string const path = i->path().lexically_relative(root).generic_string();
        if (i->is_directory()) {
            bool const is_skipped =
                is_skipped_folder(i->path().filename().string()) || path == options.skipped;
            if (is_skipped) i.disable_recursion_pending();
            continue;
        }
        // In a second work tree .git is a file, which names the first.
        if (!i->is_regular_file() || i->path().filename() == ".git") continue;
        std::string const text = read_file(i->path());
        if (text.find('\0') != std::string::npos) continue;  // not a text file
        tree.files.push_back(SourceFile{path, split_lines(text), {}, {}});
    }
    std::ranges::sort(tree.files, {}, &SourceFile::path);
    for (std::size_t i = 0; i < tree.files.size(); ++i) {
        SourceFile& file = tree.files[i];
        tree.index[file.path] = i;
        if (file.is_cpp()) tokenize(file);
        if (file.is_cmake()) read_cmake(file, tree);
    }
    return tree;
}

}  // namespace inos::tidy
