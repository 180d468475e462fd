// A binding against what its system says of the object that it binds (describe): fields that are not
// there, cannot be written, are shorter than the record's may be, or have values that the mapping
// does not know. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapters/mapping/mapping_toml.hpp"

namespace inos {

struct ExternalField {
    enum class Type : std::uint8_t { any, text, number, boolean, date_time, list };

    Pointer path;
    Type type = Type::any;
    std::optional<std::uint64_t> length;  // characters at most
    bool writeable = true;
    bool is_required = false;         // to create an object
    std::vector<std::string> values;  // of a list of choices; empty: any
};

struct ExternalObject {
    std::string name;  // as in `object`
    std::vector<ExternalField> fields;
};

// All that does not fit, by place in the mapping file. `schema` is the one of the collection.
std::vector<MappingProblem> check_describe(Binding const& binding,
                                           CollectionSchema const& schema,
                                           ExternalObject const& object);

// The binding with the lengths of the object's fields, where the file names none: what is longer is
// then refused or cut before it is sent, as the map's `too_long` says.
Binding with_lengths(Binding binding, ExternalObject const& object);

}  // namespace inos
