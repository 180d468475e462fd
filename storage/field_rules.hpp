// The options of a field's definition that have an effect on those who write and read at this site:
// required, enum, max, format, check, default, canon. Their words, whether a definition's options
// fit together, and what they mean. The rules themselves are in storage/field_checks.hpp.
//
// Pure, total; any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "crdt/schema.hpp"
#include "crdt/value.hpp"

namespace inos {

std::vector<std::string> const& format_words();
std::vector<std::string> const& check_words();  // "refuse", "warn"
std::vector<std::string> const& canon_words();

// Takes what is wrong with one option: its name, and a message for a person.
using RuleComplaint = std::function<void(std::string const& option, std::string message)>;

// What is wrong with the options of a definition whose shapes are right, as far as they have one.
void check_field_rules(Object const& definition, RuleComplaint const& complain);

// Reads the options into the field. What a newer version means is left out: unknown words check and
// change nothing.
void read_field_rules(Object const& definition, FieldSchema& field);

}  // namespace inos
