// Mapping files (TOML, docs/mappings.md): read, and checked as far as that goes without a
// connection. All that is wrong is found at once, each with its line and column, because a person
// waits for the answer.
//
// Reading opens no files and looks up no secrets: what it gets is the text and the schemas.
//
// Pure; any thread.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/engine/binding.hpp"
#include "crdt/schema.hpp"

namespace inos {

inline constexpr std::size_t kMappingBytesMax = 1u << 20;
inline constexpr std::size_t kMappingProblemsMax = 200;  // told at once
inline constexpr std::size_t kBindingsMax = 100;
inline constexpr std::size_t kMapsMax = 500;  // of one binding

// What a mapping is checked against.
struct MappingContext {
    std::map<std::string, CollectionSchema, std::less<>> schemas;
    std::vector<std::string> kinds;  // of drivers that there are; empty: any kind will do
};

struct MappingProblem {
    Place place;
    std::string message;

    bool operator==(MappingProblem const&) const = default;
};

struct ParsedMapping {
    Mapping mapping;                       // empty where there are problems
    std::vector<MappingProblem> problems;  // by place

    bool ok() const { return problems.empty(); }
};

ParsedMapping parse_mapping(std::string_view text, MappingContext const& context);

// "FILE:LINE:COLUMN: message", one for each.
std::vector<std::string> describe(std::vector<MappingProblem> const& problems,
                                  std::string_view file);

// Binding::hash of a binding whose system and schema are given.
std::string binding_hash(Binding const& binding,
                         System const& system,
                         CollectionSchema const& schema);

}  // namespace inos
