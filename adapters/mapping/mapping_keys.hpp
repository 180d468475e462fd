// Every key that a mapping file may have, by table, with its default: what reading accepts, what
// near misses are taken from, and what docs/mappings.md is compared with. Constant data; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace inos {

struct MappingKey {
    std::string table;  // "system", "binding.trigger"; "" is the file's top
    std::string name;
    std::string fallback;  // as it is written; "required", "none", or where it comes from
};

std::vector<MappingKey> const& mapping_keys();

// The names of one table's keys.
std::vector<std::string> mapping_key_names(std::string_view table);

}  // namespace inos
