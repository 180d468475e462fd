// How commands show records: one place, so that all tables and documents look alike.
#pragma once

#include <string>
#include <vector>

#include "crdt/value.hpp"
#include "tools/command_line.hpp"

namespace inos {

// One compact JSON document on a line of standard output.
void print_json_line(Context& context, Value const& value);
// The same over several lines, for people; one line with --json.
void print_json_document(Context& context, Value const& value);

// A value in a table: text as it is, everything else as JSON; absent is empty.
std::string cell_text(Value const* value);

// Records as {"id", "fields"}: one row each, a column per field (the id first), cut to fit.
void print_records(Context& context, Array const& records);

// Reads JSON that was given as an argument, or "-" for standard input. `what` names it in errors.
Result<Value> json_argument(Context& context, std::string const& text, std::string const& what);

// What an answer's "warnings" say, on standard error.
void print_warnings(Context& context, Value const& answer);

// "3 records", "1 record".
std::string counted(std::uint64_t count, std::string const& noun);

}  // namespace inos
