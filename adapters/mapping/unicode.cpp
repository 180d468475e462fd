#include "adapters/mapping/unicode.hpp"

#include <array>
#include <memory>
#include <set>

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/regex.h>
#include <unicode/timezone.h>
#include <unicode/uchar.h>
#include <unicode/ucurr.h>
#include <unicode/unistr.h>

#include "crdt/value.hpp"
#include "storage/text_forms.hpp"

namespace inos {
namespace {

constexpr std::int64_t kDayMs = 24 * 3'600'000;

icu::UnicodeString wide(std::string_view text) {
    return icu::UnicodeString::fromUTF8(
        icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

std::string narrow(icu::UnicodeString const& text) {
    std::string out;
    return text.toUTF8String(out);
}

template <class Change>
std::string by_letter(std::string_view text, Change change) {
    if (!valid_utf8(text)) return std::string(text);
    icu::UnicodeString const from = wide(text);
    icu::UnicodeString to;
    for (std::int32_t at = 0; at < from.length(); at = from.moveIndex32(at, 1))
        to.append(change(from.char32At(at)));
    return narrow(to);
}

// A name as it is compared: without case, accents and what is no letter.
std::string bare_name(icu::UnicodeString name) {
    UErrorCode error = U_ZERO_ERROR;
    auto const* normal = icu::Normalizer2::getNFKDInstance(error);
    if (U_FAILURE(error)) return narrow(name);
    icu::UnicodeString const apart = normal->normalize(name.foldCase(), error);
    icu::UnicodeString bare;
    for (std::int32_t at = 0; at < apart.length(); at = apart.moveIndex32(at, 1))
        if (UChar32 const letter = apart.char32At(at); u_isalnum(letter)) bare.append(letter);
    return narrow(bare);
}

icu::UnicodeString display_country(char const* code, icu::Locale const& language) {
    icu::UnicodeString name;
    return icu::Locale("", code).getDisplayCountry(language, name);
}

// What people write and neither ISO 3166 nor CLDR has.
constexpr std::array<std::pair<std::string_view, char const*>, 6> kOtherNames{
    {{"uk", "GB"},
     {"greatbritain", "GB"},
     {"unitedstatesofamerica", "US"},
     {"czechrepublic", "CZ"},
     {"turkey", "TR"},
     {"russianfederation", "RU"}}};

std::unique_ptr<icu::TimeZone> zone_of(std::string_view name) {
    std::unique_ptr<icu::TimeZone> zone(icu::TimeZone::createTimeZone(wide(name)));
    if (!zone || *zone == icu::TimeZone::getUnknown()) return nullptr;
    return zone;
}

std::int64_t offset_at(icu::TimeZone const& zone, std::int64_t utc_ms) {
    std::int32_t raw = 0, daylight = 0;
    UErrorCode error = U_ZERO_ERROR;
    zone.getOffset(static_cast<UDate>(utc_ms), false, raw, daylight, error);
    return std::int64_t{raw} + daylight;
}

// The times at which a clock in the zone shows it; zones change their clocks less than once in two
// days.
std::set<std::int64_t> times_of(icu::TimeZone const& zone, std::int64_t local_ms) {
    std::set<std::int64_t> times;
    for (std::int64_t const near : {local_ms - kDayMs, local_ms + kDayMs}) {
        std::int64_t const offset = offset_at(zone, near);
        if (offset_at(zone, local_ms - offset) == offset) times.insert(local_ms - offset);
    }
    return times;
}

}  // namespace

std::string composed(std::string_view text) {
    if (!valid_utf8(text)) return std::string(text);
    UErrorCode error = U_ZERO_ERROR;
    auto const* normal = icu::Normalizer2::getNFCInstance(error);
    if (U_FAILURE(error)) return std::string(text);
    icu::UnicodeString const out = normal->normalize(wide(text), error);
    return U_FAILURE(error) ? std::string(text) : narrow(out);
}

std::string small_letters(std::string_view text) {
    return by_letter(text, u_tolower);
}

std::string capital_letters(std::string_view text) {
    return by_letter(text, u_toupper);
}

std::optional<std::vector<std::string>> match_groups(std::string_view pattern,
                                                     std::string_view text,
                                                     MatchExtent extent) {
    UErrorCode error = U_ZERO_ERROR;
    icu::RegexMatcher matcher(wide(pattern), 0, error);
    if (U_FAILURE(error)) return std::nullopt;
    icu::UnicodeString const subject = wide(text);
    matcher.reset(subject);
    bool const found =
        extent == MatchExtent::whole ? matcher.matches(error) : matcher.lookingAt(error);
    if (U_FAILURE(error) || !found) return std::nullopt;
    std::vector<std::string> groups;
    for (std::int32_t i = 0; i <= matcher.groupCount(); ++i) {
        UErrorCode of_group = U_ZERO_ERROR;
        groups.push_back(narrow(matcher.group(i, of_group)));
    }
    return groups;
}

std::optional<char> digit_of(std::uint32_t code_point) {
    std::int32_t const digit = u_charDigitValue(static_cast<UChar32>(code_point));
    if (digit < 0) return std::nullopt;
    return static_cast<char>('0' + digit);
}

std::optional<std::string> country_code_of(std::string_view text, std::string_view language) {
    if (!valid_utf8(text)) return std::nullopt;
    std::string const capital = capital_letters(trimmed(text));
    if (is_country(capital)) return capital;
    std::string const bare = bare_name(wide(text));
    if (bare.empty()) return std::nullopt;
    icu::Locale const own(std::string(language).c_str());
    for (char const* const* code = icu::Locale::getISOCountries(); *code != nullptr; ++code) {
        if (!is_country(*code)) continue;
        bool const fits = capital == icu::Locale("", *code).getISO3Country() ||
                          bare == bare_name(display_country(*code, own)) ||
                          bare == bare_name(display_country(*code, icu::Locale::getEnglish()));
        if (fits) return std::string(*code);
    }
    for (auto const& [name, code] : kOtherNames)
        if (bare == name) return std::string(code);
    return std::nullopt;
}

std::optional<std::string> country_name_of(std::string_view code, std::string_view language) {
    if (!is_country(code)) return std::nullopt;
    icu::Locale const own(std::string(language).c_str());
    return narrow(display_country(std::string(code).c_str(), own));
}

bool is_language(std::string_view language) {
    if (language.size() < 2 || language.size() > 3) return false;
    std::int32_t count = 0;
    icu::Locale const* locales = icu::Locale::getAvailableLocales(count);
    for (std::int32_t i = 0; i < count; ++i)
        if (language == locales[i].getName()) return true;
    return false;
}

int currency_digits(std::string_view currency) {
    icu::UnicodeString code = wide(currency);
    UErrorCode error = U_ZERO_ERROR;
    std::int32_t const digits = ucurr_getDefaultFractionDigits(code.getTerminatedBuffer(), &error);
    return U_FAILURE(error) ? 2 : digits;
}

bool is_time_zone(std::string_view zone) {
    return valid_utf8(zone) && zone_of(zone) != nullptr;
}

std::optional<std::int64_t> local_of_utc(std::int64_t utc_ms, std::string_view zone) {
    auto const known = zone_of(zone);
    if (!known) return std::nullopt;
    std::int64_t const local = utc_ms + offset_at(*known, utc_ms);
    if (times_of(*known, local) != std::set<std::int64_t>{utc_ms}) return std::nullopt;
    return local;
}

std::optional<std::int64_t> utc_of_local(std::int64_t local_ms, std::string_view zone) {
    auto const known = zone_of(zone);
    if (!known) return std::nullopt;
    auto const times = times_of(*known, local_ms);
    if (times.empty()) return std::nullopt;
    return *times.begin();
}

}  // namespace inos
