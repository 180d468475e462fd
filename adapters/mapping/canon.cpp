#include "adapters/mapping/canon.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>

#include "adapters/mapping/date_time.hpp"
#include "adapters/mapping/decimal.hpp"
#include "adapters/mapping/phone.hpp"
#include "adapters/mapping/unicode.hpp"
#include "storage/near_miss.hpp"
#include "storage/text_forms.hpp"

namespace inos {
namespace {

using Kind = CanonForm::Kind;
using Words = std::vector<std::string>;

// By Kind.
Words const kWords{"nfc",
                   "trim",
                   "collapse-space",
                   "lower",
                   "upper",
                   "e164",
                   "digits",
                   "iso-country",
                   "iso-currency",
                   "decimal",
                   "date",
                   "datetime-utc",
                   "address",
                   "lines-lf",
                   "empty-null"};

// Rounds through a list of forms until nothing changes; a list that needs more does not settle.
constexpr int kRoundsMax = 8;
constexpr std::size_t kRegionLettersMax = 3;

std::string digits_only(std::string const& text) {
    std::string digits;
    for (std::size_t at = 0; at < text.size();) {
        auto const byte = static_cast<std::uint8_t>(text[at]);
        std::size_t const bytes = byte < 0x80 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
        std::uint32_t c = bytes == 1 ? byte : byte & (0x7Fu >> bytes);
        for (std::size_t i = 1; i < bytes; ++i)
            c = c << 6 | (static_cast<std::uint8_t>(text[at + i]) & 0x3Fu);
        at += bytes;
        if (auto const digit = digit_of(c)) digits += *digit;
    }
    return digits;
}

std::string lines_lf(std::string const& text) {
    std::string lines;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\r')
            lines += text[i];
        else if (i + 1 == text.size() || text[i + 1] != '\n')
            lines += '\n';
    }
    return lines;
}

std::optional<std::string> currency_of(std::string const& text) {
    std::string const code = capital_letters(trimmed(text));
    return is_currency(code) ? std::optional(code) : std::nullopt;
}

std::optional<std::string> utc_of(std::string const& text) {
    auto const time = parse_date_time(trimmed(text));
    return time && time->has_zone ? date_time_text(*time) : std::nullopt;
}

// The text in one form, or nothing when it cannot be brought into it.
std::optional<Value> text_in_form(std::string const& text, CanonForm const& form) {
    auto const given = [](std::optional<std::string> formed) -> std::optional<Value> {
        if (!formed) return std::nullopt;
        return Value(*std::move(formed));
    };
    switch (form.kind) {
        case Kind::nfc:
            return Value(composed(text));
        case Kind::trim:
            return Value(trimmed(text));
        case Kind::collapse_space:
            return Value(spaces_collapsed(text));
        case Kind::lower:
            return Value(small_letters(text));
        case Kind::upper:
            return Value(capital_letters(text));
        case Kind::e164:
            return given(e164_of(text, form.argument));
        case Kind::digits:
            return Value(digits_only(text));
        case Kind::iso_country:
            return given(country_code_of(text, "en"));
        case Kind::iso_currency:
            return given(currency_of(text));
        case Kind::decimal:
            return given(decimal_text(Value(trimmed(text)), form.places));
        case Kind::date:
            return given(iso_date(trimmed(text)));
        case Kind::datetime_utc:
            return given(utc_of(text));
        case Kind::address:
            return Value(text);
        case Kind::lines_lf:
            return Value(lines_lf(text));
        case Kind::empty_null:
            return text.empty() ? Value() : Value(text);
    }
    return std::nullopt;
}

Canonical in_form(Value value, CanonForm const& form);

Canonical each_member(Object object, CanonForm const& form) {
    Object formed;
    bool marked = false;
    for (Member& member : object) {
        Canonical one = in_form(std::move(member.value), form);
        marked |= one.marked;
        bool const gone = form.kind == Kind::empty_null && one.value.is_null();
        if (!gone) formed.push_back({std::move(member.key), std::move(one.value)});
    }
    return {Value(std::move(formed)), marked};
}

// The forms of an address's member by its name; `country` is the address's, in its form.
CanonForms address_forms(std::string_view member, std::string const& country) {
    CanonForms forms{{Kind::nfc, "", 0},
                     {Kind::lines_lf, "", 0},
                     {Kind::collapse_space, "", 0},
                     {Kind::trim, "", 0},
                     {Kind::empty_null, "", 0}};
    if (member == "country") forms.push_back({Kind::iso_country, "", 0});
    if (member == "postal") forms.push_back({Kind::upper, "", 0});
    if (member == "phone" && is_phone_region(country)) forms.push_back({Kind::e164, country, 0});
    if (member == "email") forms.push_back({Kind::lower, "", 0});
    return forms;
}

Canonical address(Object object) {
    Canonical out;
    std::string country;
    auto const form_member = [&](std::string_view name, Value value) {
        Canonical one = canonical(std::move(value), address_forms(name, country));
        auto const* text = one.value.as<std::string>();
        // Codes of regions are short; their names keep their letters.
        if (name == "region" && text && text->size() <= kRegionLettersMax)
            one.value = Value(capital_letters(*text));
        out.marked |= one.marked;
        return std::move(one.value);
    };
    if (Value const* named = find_member(object, "country")) {
        Value const code = form_member("country", *named);
        if (auto const* text = code.as<std::string>()) country = *text;
    }
    Object formed;
    for (Member& member : object) {
        Value value = form_member(member.key, std::move(member.value));
        if (!value.is_null()) formed.push_back({std::move(member.key), std::move(value)});
    }
    if (!formed.empty()) out.value = Value(std::move(formed));
    return out;
}

Canonical in_form(Value value, CanonForm const& form) {
    if (auto const* text = value.as<std::string>()) {
        auto formed = text_in_form(*text, form);
        // An empty text is no phone number and no date, and nothing to mark either.
        if (!formed) return {value, !trimmed(*text).empty()};
        return {*std::move(formed), false};
    }
    bool const number = value.as<std::int64_t>() || value.as<double>();
    if (number && form.kind == Kind::decimal) {
        auto formed = decimal_text(value, form.places);
        if (!formed) return {std::move(value), true};
        return {Value(*std::move(formed)), false};
    }
    if (auto* array = value.as<Array>()) {
        Canonical out;
        for (Value& item : *array) {
            Canonical one = in_form(std::move(item), form);
            out.marked |= one.marked;
            item = std::move(one.value);
        }
        out.value = std::move(value);
        return out;
    }
    if (auto* object = value.as<Object>())
        return form.kind == Kind::address ? address(std::move(*object))
                                          : each_member(std::move(*object), form);
    return {std::move(value), false};
}

Result<CanonForm> wrong(std::string_view text, std::string const& what) {
    return fail(Errc::invalid, "canon \"" + std::string(text) + "\" " + what);
}

bool is_utf8(Value const& value) {
    if (auto const* text = value.as<std::string>()) return valid_utf8(*text);
    if (auto const* array = value.as<Array>())
        return std::all_of(array->begin(), array->end(), is_utf8);
    if (auto const* object = value.as<Object>())
        return std::all_of(object->begin(), object->end(), [](Member const& member) {
            return is_utf8(member.value);
        });
    return true;
}

}  // namespace

Canonical canonical(Value value, CanonForms const& forms) {
    if (!is_utf8(value)) return {std::move(value), !forms.empty()};
    Canonical out{std::move(value), false};
    for (int round = 0; round < kRoundsMax; ++round) {
        Value const before = out.value;
        out.marked = false;
        for (CanonForm const& form : forms) {
            Canonical one = in_form(std::move(out.value), form);
            out.marked |= one.marked;
            out.value = std::move(one.value);
        }
        if (out.value == before) break;
    }
    return out;
}

Result<CanonForm> parse_canon_form(std::string_view text) {
    std::size_t const colon = text.find(':');
    std::string const word(text.substr(0, colon));
    std::string const argument(colon < text.size() ? text.substr(colon + 1) : "");
    auto const known = std::find(kWords.begin(), kWords.end(), word);
    if (known == kWords.end()) {
        std::string hint = did_you_mean(word, kWords);
        if (hint.empty()) {
            hint = "; there is";
            for (std::string const& one : kWords)
                hint += (one == kWords.front() ? " \"" : ", \"") + one + "\"";
        }
        return wrong(text, "is unknown" + hint);
    }
    CanonForm form;
    form.kind = static_cast<Kind>(known - kWords.begin());
    bool const takes_argument = form.kind == Kind::e164 || form.kind == Kind::decimal;
    if (!takes_argument && colon != std::string_view::npos)
        return wrong(text, "takes no argument; write \"" + word + "\"");
    if (form.kind == Kind::e164) {
        if (!is_phone_region(argument))
            return wrong(text, "needs the region of numbers without a country code: \"e164:US\"");
        form.argument = argument;
    }
    if (form.kind == Kind::decimal) {
        auto const [end, error] =
            std::from_chars(argument.data(), argument.data() + argument.size(), form.places);
        bool const whole = error == std::errc() && end == argument.data() + argument.size();
        if (!whole || form.places < 0 || form.places > kDecimalPlacesMax)
            return wrong(text, "needs a number of places from 0 to 18: \"decimal:2\"");
    }
    return form;
}

std::string canon_form_text(CanonForm const& form) {
    std::string text = kWords[static_cast<std::size_t>(form.kind)];
    if (form.kind == Kind::e164) text += ":" + form.argument;
    if (form.kind == Kind::decimal) text += ":" + std::to_string(form.places);
    return text;
}

Words const& canon_form_words() {
    return kWords;
}

CanonForms canon_forms(std::vector<TextCanon> const& forms) {
    CanonForms list;
    for (TextCanon const form : forms) {
        switch (form) {
            case TextCanon::trim:
                list.push_back({Kind::trim, "", 0});
                break;
            case TextCanon::lower:
                list.push_back({Kind::lower, "", 0});
                break;
            case TextCanon::collapse_space:
                list.push_back({Kind::collapse_space, "", 0});
                break;
        }
    }
    return list;
}

bool settles(CanonForms const& forms) {
    // What any two forms disagree about shows in one of these.
    static std::array<char const*, 8> const probes{" Aä 1.25 ",
                                                   "de",
                                                   "eur",
                                                   "+46701234567",
                                                   "2026-01-31T10:00:00+01:00",
                                                   "20260131",
                                                   "070-123 45 67",
                                                   "1.5"};
    return std::all_of(probes.begin(), probes.end(), [&](char const* probe) {
        // Each form has to leave alone what all of them together have made.
        Value const formed = canonical(Value(probe), forms).value;
        return std::all_of(forms.begin(), forms.end(), [&](CanonForm const& form) {
            return canonical(formed, {form}).value == formed;
        });
    });
}

}  // namespace inos
