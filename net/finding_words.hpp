// What an inspection has found, in words for people: what it is, and what to do. Names records and
// sites, never values. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "storage/integrity.hpp"
#include "storage/membership.hpp"

namespace inos {

struct FindingWords {
    std::string what;  // one sentence without its full stop
    std::string todo;  // one sentence, with the exact command where there is one
};
FindingWords finding_words(Finding const& finding, Membership const& membership);

// Stable names for programs: "record_damaged", ...
char const* finding_name(FindingKind kind);
char const* remedy_name(Remedy remedy);
char const* phase_name(IntegrityPhase phase);

}  // namespace inos
