// Names, streets and cities of invented customers in many scripts: what real customer lists look
// like and what programs stumble over. Invented combinations; no list of real people. Constant
// data.
#pragma once

#include <string_view>
#include <vector>

namespace inos {

struct SampleRegion {
    std::string_view country;
    std::string_view phone;  // prefix
    bool family_first;       // the order of the two parts of a name, written without a blank
    std::vector<std::string_view> given;
    std::vector<std::string_view> family;
    std::vector<std::string_view> streets;
    std::vector<std::string_view> cities;
};

std::vector<SampleRegion> const& sample_regions();
std::vector<std::string_view> const& sample_notes();

}  // namespace inos
