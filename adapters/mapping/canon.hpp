// Canonical forms: ways to write a value that count as one are brought into one, so that what two
// systems hold can be compared (docs/mappings.md lists them). They work on texts, on the texts in
// arrays and in objects' members, and `decimal` on numbers too; other values stay as they are.
//
//   canonical(canonical(x)) == canonical(x)
//
// holds for every list of forms that settles(): the list is gone through again until nothing
// changes. What cannot be brought into its form (no phone number, no date) keeps its text and is
// marked.
//
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/mapping/steps.hpp"
#include "crdt/schema.hpp"
#include "storage/result.hpp"

namespace inos {

struct Canonical {
    Value value;
    bool marked = false;  // some text is not in its form
};

Canonical canonical(Value value, CanonForms const& forms);

// One form as it is written: "trim", "e164:SE", "decimal:2". Errc::invalid says what is wrong.
Result<CanonForm> parse_canon_form(std::string_view text);
std::string canon_form_text(CanonForm const& form);
std::vector<std::string> const& canon_form_words();  // without arguments

// The forms of a field's schema.
CanonForms canon_forms(std::vector<TextCanon> const& forms);

// False for lists whose forms undo one another, such as "lower" and "upper", or "decimal:2" and
// "decimal:3".
bool settles(CanonForms const& forms);

}  // namespace inos
