// Parts that several of the API's handlers share: names in requests and members of bodies. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crdt/value.hpp"
#include "storage/replica.hpp"

namespace inos {

// Errc::forbidden for the program's own collections.
Result<void> check_collection(std::string_view collection);

// Errc::invalid names the first member that is not among the known ones, and the near miss.
Result<void> check_members(Object const& body, std::vector<std::string> const& known);

// A member that has to be a text.
Result<std::string> text_member(Object const& body, std::string_view name);
// A member that is a list of texts; a missing one is empty.
Result<std::vector<std::string>> texts_member(Object const& body, std::string_view name);

// A parameter's whole number from `least` to `most`; else Errc::usage.
Result<std::uint64_t> parse_number(std::string_view name,
                                   std::string_view text,
                                   std::uint64_t least,
                                   std::uint64_t most);

// Where a list of records of several collections goes on, for its "next": collection blob | id, in
// hex.
std::string record_cursor(RecordName const& name);
// Of "after"; the empty text is the beginning. Errc::usage if it is malformed.
Result<RecordName> parse_record_cursor(std::string_view text);

}  // namespace inos
