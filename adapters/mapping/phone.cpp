#include "adapters/mapping/phone.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "adapters/mapping/phone_regions.hpp"
#include "adapters/mapping/unicode.hpp"
#include "crdt/value.hpp"
#include "storage/text_forms.hpp"

namespace inos {
namespace {

constexpr std::size_t kTextBytesMax = 128;
constexpr std::size_t kCodeDigitsMax = 3;

struct Region {
    std::string name, code, main, international, national, replacement, pattern;
};

Region region_of(std::string_view row) {
    Region region;
    std::array<std::string*, 7> const fields{&region.name,
                                             &region.code,
                                             &region.main,
                                             &region.international,
                                             &region.national,
                                             &region.replacement,
                                             &region.pattern};
    std::size_t at = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i] == '\n')
            ++i;  // the line goes on behind a space
        else if (row[i] == ';')
            ++at;
        else
            *fields[at] += row[i];
    }
    return region;
}

// The regions that `fits` takes of their rows.
template <class Fits>
std::vector<Region> regions(Fits fits) {
    std::vector<Region> found;
    for (std::size_t begin = 1; begin < kPhoneRegions.size();) {
        std::size_t end = kPhoneRegions.find('\n', begin);
        while (end + 1 < kPhoneRegions.size() && kPhoneRegions[end + 1] == ' ')
            end = kPhoneRegions.find('\n', end + 1);
        std::string_view const row = kPhoneRegions.substr(begin, end - begin);
        if (fits(row)) found.push_back(region_of(row));
        begin = end + 1;
    }
    return found;
}

std::vector<Region> regions_of_code(std::string_view code) {
    std::string const middle = ";" + std::string(code) + ";";
    auto found = regions([&](std::string_view row) {
        std::size_t const at = row.find(';');
        return row.substr(at, middle.size()) == middle;
    });
    std::stable_partition(
        found.begin(), found.end(), [](Region const& region) { return region.main == "main"; });
    return found;
}

std::optional<Region> region_named(std::string_view name) {
    if (name.size() != 2) return std::nullopt;
    auto found =
        regions([&](std::string_view row) { return row.substr(0, 2) == name && row[2] == ';'; });
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

bool fits(Region const& region, std::string const& national) {
    return match_groups(region.pattern, national, MatchExtent::whole).has_value();
}

// The number without the prefix that is dialled in front of it inside of the region.
std::optional<std::string> without_prefix(Region const& region, std::string const& digits) {
    if (region.national.empty()) return std::nullopt;
    auto const groups = match_groups(region.national, digits, MatchExtent::from_start);
    if (!groups || groups->front().empty()) return std::nullopt;
    std::string const rest = digits.substr(groups->front().size());
    if (region.replacement.empty() || groups->back().empty() || groups->size() == 1) return rest;
    std::string number;
    for (std::size_t i = 0; i < region.replacement.size(); ++i) {
        bool const group = region.replacement[i] == '$' && i + 1 < region.replacement.size();
        std::size_t const which =
            group ? static_cast<std::size_t>(region.replacement[++i] - '0') : 0;
        if (!group)
            number += region.replacement[i];
        else if (which < groups->size())
            number += (*groups)[which];
    }
    return number + rest;
}

std::optional<std::string> in_form(std::string const& code, std::string const& national) {
    std::string number = "+" + code + national;
    return is_e164(number) ? std::optional(std::move(number)) : std::nullopt;
}

// Of digits that begin with a country code.
std::optional<std::string> from_abroad(std::string const& digits) {
    for (std::size_t size = 1; size <= std::min(kCodeDigitsMax, digits.size()); ++size) {
        std::string const code = digits.substr(0, size), national = digits.substr(size);
        auto const candidates = regions_of_code(code);
        for (Region const& region : candidates)
            if (fits(region, national)) return in_form(code, national);
        for (Region const& region : candidates)
            if (auto rest = without_prefix(region, national); rest && fits(region, *rest))
                return in_form(code, *rest);
    }
    return std::nullopt;
}

std::optional<std::string> from_inside(Region const& region, std::string const& digits) {
    if (auto rest = without_prefix(region, digits); rest && fits(region, *rest))
        return in_form(region.code, *rest);
    if (fits(region, digits)) return in_form(region.code, digits);
    return std::nullopt;
}

struct Dialled {
    std::string digits;
    bool plus = false;
};

bool is_separator(std::uint32_t c) {
    return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')' || c == 0xA0 ||
           c == 0xAD || c == 0x2007 || c == 0x202F || c == 0x2060 || c == 0x3000 ||
           (c >= 0x2010 && c <= 0x2015) || c == 0x2212;
}

// The digits of a text in which nothing but separators is beside them.
std::optional<Dialled> dialled(std::string_view text) {
    Dialled number;
    for (std::size_t at = 0; at < text.size();) {
        auto const byte = static_cast<std::uint8_t>(text[at]);
        std::size_t const bytes = byte < 0x80 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
        std::uint32_t c = bytes == 1 ? byte : byte & (0x7Fu >> bytes);
        for (std::size_t i = 1; i < bytes; ++i)
            c = c << 6 | (static_cast<std::uint8_t>(text[at + i]) & 0x3Fu);
        at += bytes;
        if (auto const digit = digit_of(c))
            number.digits += *digit;
        else if ((c == '+' || c == 0xFF0B) && number.digits.empty() && !number.plus)
            number.plus = true;
        else if (!is_separator(c))
            return std::nullopt;
    }
    return number;
}

}  // namespace

bool is_phone_region(std::string_view region) {
    return region_named(region).has_value();
}

std::optional<std::string> e164_of(std::string_view text, std::string_view region) {
    if (text.size() > kTextBytesMax || !valid_utf8(text)) return std::nullopt;
    std::string const bare = trimmed(text);
    auto const number = dialled(std::string_view(bare).substr(bare.starts_with("tel:") ? 4 : 0));
    if (!number || number->digits.empty()) return std::nullopt;
    if (number->plus) return from_abroad(number->digits);
    auto const home = region_named(region);
    if (!home) return std::nullopt;
    auto const prefix = match_groups(home->international, number->digits, MatchExtent::from_start);
    if (prefix && !prefix->front().empty())
        if (auto found = from_abroad(number->digits.substr(prefix->front().size()))) return found;
    if (auto found = from_inside(*home, number->digits)) return found;
    // With the country code and without anything that says so.
    return number->digits.starts_with(home->code) ? from_abroad(number->digits) : std::nullopt;
}

}  // namespace inos
