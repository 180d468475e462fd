// The parts of reading a mapping file, one for each file of this folder that reads some of it. For
// these files only.
#pragma once

#include "adapters/mapping/mapping_toml.hpp"
#include "adapters/mapping/toml_section.hpp"
#include "adapters/mapping/transform.hpp"

namespace inos {

using Problems = std::vector<MappingProblem>;

System read_system(std::string name,
                   toml::table const& table,
                   MappingContext const& context,
                   Problems& problems);

struct ReadBinding {
    Binding binding;           // with the maps that were read without a problem
    bool has_all_maps = true;  // false: what refers to maps cannot be judged
};
ReadBinding read_binding(toml::table const& table, LookupTables const& lookups, Problems& problems);
// Nothing when there was a problem.
std::optional<FieldMap> read_map(toml::table const& table,
                                 Flow mode,
                                 LookupTables const& lookups,
                                 Problems& problems);

// Tells of secrets that stand in the file itself, anywhere below the table.
void refuse_literal_secrets(toml::table const& table, Problems& problems);

// Checks a binding against its system and the schema of its collection, and completes its maps
// (kind, canonical forms, and the chain that the file leaves to be the other one's inverse).
void check_binding(ReadBinding& read, MappingContext const& context, Problems& problems);
void check_maps(Binding& binding, CollectionSchema const& schema, Problems& problems);

}  // namespace inos
