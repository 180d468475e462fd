// The rules by which one of several concurrent values is shown, in words. The decisions themselves
// are in crdt/types. Pure.
#pragma once

#include <string>
#include <vector>

#include "crdt/resolve.hpp"
#include "crdt/schema.hpp"

namespace inos {

// Of a register: `values` are those that differ, the one that is shown first; `writes` is the
// number of concurrent writes.
std::string register_rule(FieldSchema const* schema,
                          std::vector<ConflictValue> const& values,
                          std::size_t writes);
std::string why_register_lost(FieldSchema const* schema,
                              ConflictValue const& shown,
                              ConflictValue const& rival);

// Of a flag with one side or both.
std::string flag_rule(FieldSchema const* schema, std::vector<ConflictValue> const& values);

// Of a type that is made of what many wrote. `sites`: how many sites have a part in it.
std::string shared_rule(CellType type, std::size_t sites);

// Of increments that add nothing, because their run was cleared.
std::string why_increment_lost();

// Of a value of another type than the one that is read.
std::string why_type_lost(FieldSchema const* schema, CellType read, CellType other);

}  // namespace inos
