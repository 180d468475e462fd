// The checks, one function per file of this folder. Each looks at the whole tree and answers what
// it found; order does not matter. docs/testing.md lists what they ask for and why.
#pragma once

#include <vector>

#include "tests/tidy/source.hpp"

namespace inos::tidy {

using Findings = std::vector<Finding>;

// Who may include whom, and which third-party headers belong where.
Findings check_includes(Tree const& tree);

// The only forms of co_await that g++ 12 compiles correctly, and no coroutine lambda with captures.
Findings check_coroutines(Tree const& tree);

// Time, randomness, files, environment and standard output outside the folders that own them.
Findings check_calls(Tree const& tree);

// Length of lines, functions and files; files that no CMakeLists.txt names; notes for "now".
Findings check_layout(Tree const& tree, Options const& options);

// Relative links of the documents; paths that exist on one machine only.
Findings check_docs(Tree const& tree, Options const& options);

}  // namespace inos::tidy
