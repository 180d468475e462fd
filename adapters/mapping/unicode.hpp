// What is needed of ICU, on UTF-8 texts: composed letters, cases that fit every script, regular
// expressions, names of countries, currencies and time zones. The only file that knows ICU.
//
// Texts that are not UTF-8 come back as they are. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inos {

std::string composed(std::string_view text);  // NFC

// By the letters alone, in no language: the Turkish i is none. Where a letter has several small
// ones (the Greek sigma), the same one stands everywhere, so the form of a form is itself.
std::string small_letters(std::string_view text);
std::string capital_letters(std::string_view text);

// The groups of a whole match, [0] all of it; nothing if the text does not match. Groups that take
// no part are empty. `from_start` is enough: the match has to begin with the text, not end with it.
enum class MatchExtent { whole, from_start };
std::optional<std::vector<std::string>> match_groups(std::string_view pattern,
                                                     std::string_view text,
                                                     MatchExtent extent);

// The digits of any script as ASCII digits; nothing for other characters.
std::optional<char> digit_of(std::uint32_t code_point);

// The code of a country by its code of two or three letters or its name in a language ("en"); names
// are compared without case and accents. Nothing for what is no country of ISO 3166-1.
std::optional<std::string> country_code_of(std::string_view text, std::string_view language);
std::optional<std::string> country_name_of(std::string_view code, std::string_view language);
bool is_language(std::string_view language);  // one that countries have names in

// Digits behind the point of a currency's amounts (ISO 4217): 2 for EUR, 0 for JPY.
int currency_digits(std::string_view currency);

// Local times of a zone ("Europe/Berlin"), in milliseconds as if they were UTC.
bool is_time_zone(std::string_view zone);
// What a clock there shows; nothing when it shows the same again at another time.
std::optional<std::int64_t> local_of_utc(std::int64_t utc_ms, std::string_view zone);
// When a clock there shows it: the first time of two; nothing for an hour that is left out.
std::optional<std::int64_t> utc_of_local(std::int64_t local_ms, std::string_view zone);

}  // namespace inos
