// Transforms as they are written in a mapping file, and their inverses.
#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "adapters/mapping/transform.hpp"
#include "adapters/mapping/unicode.hpp"
#include "storage/near_miss.hpp"
#include "storage/text_forms.hpp"

namespace inos {
namespace {

using Kind = Transform::Kind;
using Names = std::vector<std::string>;

constexpr std::size_t kPairsMax = 1'000;
constexpr std::int64_t kCountMax = 1'000'000;

// What stands behind the colon.
enum class Takes : std::uint8_t {
    nothing,
    text,             // anything, at least one byte
    value,            // anything; true and false are no texts
    pairs,            // a=b,c=d
    names,            // two or more
    two_words,        // or nothing
    table,            // the name of a table
    separator_count,  // SEP or SEP:N
    count,
    currency,
    any_currency,  // or nothing
    zone,
    language,  // or nothing: English
};

struct Word {
    char const* word;
    Kind kind;
    Takes takes;
    std::optional<Kind> inverse;
};

constexpr std::array<Word, 26> kSteps{{
    {"map", Kind::map, Takes::pairs, Kind::map},
    {"lookup", Kind::lookup, Takes::table, Kind::lookup_back},
    {"lookup-back", Kind::lookup_back, Takes::table, Kind::lookup},
    {"join-lines", Kind::join_lines, Takes::names, Kind::split_lines},
    {"split-lines", Kind::split_lines, Takes::names, Kind::join_lines},
    {"join", Kind::join, Takes::separator_count, Kind::split},
    {"split", Kind::split, Takes::separator_count, Kind::join},
    {"prefix", Kind::prefix, Takes::text, Kind::strip_prefix},
    {"strip-prefix", Kind::strip_prefix, Takes::text, Kind::prefix},
    {"const", Kind::constant, Takes::value, std::nullopt},
    {"default", Kind::default_, Takes::value, Kind::drop},
    {"drop", Kind::drop, Takes::value, Kind::default_},
    {"number", Kind::number, Takes::nothing, Kind::text},
    {"text", Kind::text, Takes::nothing, Kind::number},
    {"bool", Kind::bool_, Takes::two_words, Kind::bool_text},
    {"bool-text", Kind::bool_text, Takes::two_words, Kind::bool_},
    {"truncate", Kind::truncate, Takes::count, std::nullopt},
    {"money", Kind::money, Takes::any_currency, Kind::amount},
    {"amount", Kind::amount, Takes::any_currency, Kind::money},
    {"minor-units", Kind::minor_units, Takes::currency, Kind::minor_amount},
    {"minor-amount", Kind::minor_amount, Takes::currency, Kind::minor_units},
    {"tz", Kind::tz, Takes::zone, Kind::local},
    {"local", Kind::local, Takes::zone, Kind::tz},
    {"hash", Kind::hash, Takes::nothing, std::nullopt},
    {"country-code", Kind::country_code, Takes::language, Kind::country_name},
    {"country-name", Kind::country_name, Takes::language, Kind::country_code},
}};
Word const* word_of(Kind kind) {
    for (Word const& word : kSteps)
        if (word.kind == kind) return &word;
    return nullptr;
}

// The parts between separators that no backslash stands before, with the backslashes kept.
Names parts_of(std::string_view text, char separator) {
    Names parts{""};
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == separator) {
            parts.emplace_back();
        } else {
            parts.back() += text[i];
            if (text[i] == '\\' && i + 1 < text.size()) parts.back() += text[++i];
        }
    }
    return parts;
}

std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        plain += text[i];
    }
    return plain;
}

Value word_value(std::string text) {
    if (text == "true") return Value(true);
    if (text == "false") return Value(false);
    return Value(std::move(text));
}

// "what a=b is": the pair, or a message.
std::string read_pair(std::string_view text, Transform& step) {
    auto const halves = parts_of(text, '=');
    if (halves.size() != 2)
        return "needs pairs such as a=b, and \"" + std::string(text) + "\" is none";
    Transform::Pair pair;
    pair.from = word_value(unescaped(halves[0]));
    std::string const to = unescaped(halves[1]);
    if (halves[1] == "keep") pair.result = Transform::Result::keep;
    if (halves[1] == "skip") pair.result = Transform::Result::skip;
    if (pair.result == Transform::Result::value) pair.to = word_value(to);
    bool const otherwise = halves[0] == "*";
    if (otherwise && (step.has_otherwise || step.otherwise_same)) return "has two pairs for \"*\"";
    if (otherwise && halves[1] == "same") {
        step.otherwise_same = true;
    } else if (otherwise) {
        step.has_otherwise = true;
        step.otherwise = std::move(pair);
    } else {
        bool const twice = std::any_of(step.pairs.begin(), step.pairs.end(), [&](auto const& one) {
            return one.from == pair.from;
        });
        if (twice) return "has two pairs for \"" + unescaped(halves[0]) + "\"";
        if (step.pairs.size() == kPairsMax) return "has too many pairs; use a table (lookup)";
        step.pairs.push_back(std::move(pair));
    }
    return {};
}

std::string read_pairs(std::string_view argument, Transform& step) {
    for (std::string const& part : parts_of(argument, ','))
        if (auto problem = read_pair(part, step); !problem.empty()) return problem;
    return {};
}

std::string read_names(std::string_view argument, Transform& step, bool two_or_none) {
    if (argument.empty() && two_or_none) return {};
    for (std::string const& part : parts_of(argument, ','))
        step.names.push_back(unescaped(part));
    std::set<std::string> const different(step.names.begin(), step.names.end());
    bool const wrong = different.size() != step.names.size() || different.contains("") ||
                       step.names.size() < 2 || (two_or_none && step.names.size() > 2);
    if (!wrong) return {};
    return two_or_none ? "needs nothing or two different words, for true and for false"
                       : "needs two or more different members, such as street,street2";
}

std::string read_count(std::string_view text, Transform& step) {
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), step.number);
    bool const whole = error == std::errc() && end == text.data() + text.size();
    if (whole && step.number >= 1 && step.number <= kCountMax) return {};
    return "needs a number from 1 to 1000000";
}

std::string read_separator(std::string_view argument, Transform& step) {
    std::size_t const colon = argument.rfind(':');
    bool const counted =
        colon != std::string_view::npos && colon > 0 && colon + 1 < argument.size() &&
        argument.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
    step.argument = argument.substr(0, counted ? colon : argument.size());
    if (step.argument.empty()) return "needs a separator, such as \";\"";
    return counted ? read_count(argument.substr(colon + 1), step) : "";
}

std::string read_table(std::string_view argument, Transform& step, LookupTables const& tables) {
    step.argument = argument;
    auto const table = tables.find(step.argument);
    Names names;
    for (auto const& [name, pairs] : tables)
        names.push_back(name);
    if (table == tables.end())
        return "names no table of this file ([lookup.NAME])" + did_you_mean(argument, names);
    std::set<std::string> seen;
    for (auto const& [from, to] : table->second) {
        bool const back = step.kind == Kind::lookup_back;
        if (!seen.insert(back ? to : from).second)
            return "goes from values to keys, and the table has \"" + to + "\" twice";
        step.pairs.push_back({Value(back ? to : from), {}, Value(back ? from : to)});
    }
    return {};
}

std::string read_argument(std::string_view argument,
                          Takes takes,
                          Transform& step,
                          LookupTables const& tables) {
    step.argument = takes == Takes::language && argument.empty() ? "en" : argument;
    bool const currency = is_currency(argument);
    switch (takes) {
        case Takes::nothing:
            return argument.empty() ? "" : "takes no argument";
        case Takes::text:
            return argument.empty() ? "needs a text" : "";
        case Takes::value:
            step.argument.clear();
            step.value = word_value(std::string(argument));
            return argument.empty() ? "needs a value" : "";
        case Takes::pairs:
            step.argument.clear();
            return read_pairs(argument, step);
        case Takes::names:
        case Takes::two_words:
            step.argument.clear();
            return read_names(argument, step, takes == Takes::two_words);
        case Takes::table:
            return read_table(argument, step, tables);
        case Takes::separator_count:
            return read_separator(argument, step);
        case Takes::count:
            step.argument.clear();
            return read_count(argument, step);
        case Takes::any_currency:
            return argument.empty() || currency ? "" : "needs a currency of ISO 4217, or nothing";
        case Takes::currency:
            return currency ? "" : "needs a currency of ISO 4217, such as EUR";
        case Takes::zone:
            return is_time_zone(argument) ? "" : "needs a time zone, such as Europe/Berlin";
        case Takes::language:
            return is_language(step.argument) ? "" : "needs a language, such as en";
    }
    return {};
}

// Pairs both of whose sides are different from all others, the other way round.
std::optional<Transform> map_back(Transform const& step) {
    Transform back = step;
    back.pairs.clear();
    back.has_otherwise = false;
    bool const says_nothing =
        step.has_otherwise && step.otherwise.result != Transform::Result::value;
    if (step.otherwise_same || (step.has_otherwise && !says_nothing)) return std::nullopt;
    for (Transform::Pair const& pair : step.pairs) {
        if (pair.result != Transform::Result::value) continue;
        for (Transform::Pair const& other : back.pairs)
            if (other.from == pair.to) return std::nullopt;
        back.pairs.push_back({pair.to, Transform::Result::value, pair.from});
    }
    return back;
}

std::optional<Transform> step_back(Transform const& step) {
    Word const* word = word_of(step.kind);
    if (!word || !word->inverse) return std::nullopt;
    bool const pairs =
        step.kind == Kind::map || step.kind == Kind::lookup || step.kind == Kind::lookup_back;
    std::optional<Transform> back = pairs ? map_back(step) : std::optional(step);
    if (back) back->kind = *word->inverse;
    return back;
}

}  // namespace

std::optional<Chain> inverse(Chain const& chain) {
    Chain back;
    for (auto step = chain.rbegin(); step != chain.rend(); ++step) {
        auto one = step_back(*step);
        if (!one) return std::nullopt;
        back.push_back(*std::move(one));
    }
    return back;
}

Names const& transform_words() {
    static Names const words = [] {
        Names list;
        for (Word const& word : kSteps)
            list.emplace_back(word.word);
        return list;
    }();
    return words;
}

std::string transform_word(Transform const& step) {
    Word const* word = word_of(step.kind);
    return word ? word->word : "";
}

Result<Transform> parse_transform(std::string_view text, LookupTables const& tables) {
    std::size_t const colon = std::min(text.find(':'), text.size());
    std::string_view const name = text.substr(0, colon);
    Word const* known = nullptr;
    for (Word const& word : kSteps)
        if (name == word.word) known = &word;
    std::string const quoted = "\"" + std::string(text) + "\"";
    if (!known) {
        std::string const hint = did_you_mean(name, transform_words());
        return fail(Errc::invalid,
                    "unknown transform " + quoted +
                        (hint.empty() ? "; docs/mappings.md lists them" : hint));
    }
    Transform step;
    step.kind = known->kind;
    std::string_view const argument = text.substr(std::min(colon + 1, text.size()));
    if (auto problem = read_argument(argument, known->takes, step, tables); !problem.empty())
        return fail(Errc::invalid, "transform " + quoted + " " + problem);
    return step;
}

}  // namespace inos
