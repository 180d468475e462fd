// Phone numbers as people write them, brought into the form of ITU-T E.164: +46701234567. What
// counts as a number of a region comes from the metadata of libphonenumber (phone_regions.cpp); the
// program carries it along, so that all nodes of one version agree on what they compare.
//
// Pure; any thread. About 50 us a number.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace inos {

bool is_phone_region(std::string_view region);  // "US": a region with a numbering plan

// The number in E.164, of a text with its country code or as it is dialled in `region`. Nothing
// where the text is no number there, or has an extension, which E.164 has no place for. The form of
// a form is itself.
std::optional<std::string> e164_of(std::string_view text, std::string_view region);

}  // namespace inos
