// A field between the two sides: what the external object says about a record's field, and what of
// a record's field goes to the external object, both by one FieldMap. All values that come out are
// canonical, so two of them may be compared with ==. A side without a value reads as null.
//
//   external object --members--> in chain --> canon --> record value
//   record value --> canon --> out chain --members--> values at places of the external object
//
// Pure, total; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adapters/engine/binding.hpp"

namespace inos {

struct Inbound {
    enum class Kind : std::uint8_t {
        value,
        hidden,   // the object has no such place: not the same as an empty one, says nothing
        keep,     // the mapping says that this value tells nothing about the field
        refused,  // no record value can be made of it: a dead letter
    };
    Kind kind = Kind::value;
    Value value;          // canonical; null: none
    bool marked = false;  // the text could not be brought into its form and stands as it was
    std::string why;      // refused
};

struct Outbound {
    enum class Kind : std::uint8_t {
        write,
        skip,     // the mapping says that this value is not written
        refused,  // the system cannot hold it: a dead letter
    };
    struct Part {
        Pointer external;
        Value value;  // null: cleared

        bool operator==(Part const&) const = default;
    };
    Kind kind = Kind::write;
    std::vector<Part> parts;  // in the map's order
    std::string why;          // refused
};

// An object names all that its system lets us see: a place with null, or below one, has no value; a
// place that is missing is hidden, and so is a composed value of which one part is. A driver whose
// system leaves empty fields out puts nulls there.
Inbound read_external(FieldMap const& map, Object const& external);

// `value`: the record's value in canonical form, null for none.
Outbound write_external(FieldMap const& map, Value const& value);

// The field of a resolved record in canonical form, null where it has none. Of a composed value only
// the members that the map knows: what else is in it is none of this system's business.
Value record_value(FieldMap const& map, Object const& fields);

// What to write to the record for an inbound value, where the field reads `current` there: the
// members that the map does not know stay as they are. The two are the same for other maps.
Value with_unmapped(FieldMap const& map, Value const& current, Value const& inbound);

}  // namespace inos
