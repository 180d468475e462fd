// JSON text to Value and back, exactly: what is read is what will be written.
//
// Reading: integers are kept exactly and have to fit into 64 bits with a sign; every other number
// is the nearest double and has to be finite. An object that names a key twice, text that is not
// UTF-8, nesting beyond the limit and anything after the document are errors. Errors are
// Errc::invalid and name line and column, counted from 1 (columns in characters).
//
// Writing: deterministic and compact, keys ascending. Doubles are the shortest text that reads back
// as the same double and are always recognisable as doubles: 1.0 stays 1.0. Only what has to be is
// escaped; UTF-8 stays as it is.
//
// Plain functions, any thread.
#pragma once

#include <string>
#include <string_view>

#include "crdt/value.hpp"
#include "storage/result.hpp"

namespace inos {

// `depth_max` is how many arrays and objects may stand inside one another.
Result<Value> parse_json(std::string_view text, int depth_max = kValueDepthMax);

// The same for a document that has to be an object.
Result<Object> parse_json_object(std::string_view text, int depth_max = kValueDepthMax);

enum class JsonStyle { compact, pretty };

std::string write_json(Value const& value, JsonStyle style = JsonStyle::compact);
std::string write_json(Object const& object, JsonStyle style = JsonStyle::compact);

// For texts that are put together piece by piece.
void append_json(std::string& out, Value const& value);
void append_json(std::string& out, Object const& object);
void append_json_text(std::string& out, std::string_view text);  // quoted and escaped

// The shortest text of a double that reads back as the same and is no integer.
std::string double_text(double number);

}  // namespace inos
