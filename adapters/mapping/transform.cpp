#include "adapters/mapping/transform.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <openssl/sha.h>

#include "adapters/mapping/date_time.hpp"
#include "adapters/mapping/decimal.hpp"
#include "adapters/mapping/unicode.hpp"
#include "storage/json.hpp"
#include "storage/text_forms.hpp"

namespace inos {
namespace {

using Kind = Transform::Kind;
using Names = std::vector<std::string>;

constexpr std::size_t kShownBytesMax = 80;

Transformed given(Value value) {
    return {Transformed::Kind::value, std::move(value), {}};
}

Transformed refused(Value const& value, std::string const& why) {
    return {Transformed::Kind::refused,
            Value(),
            shortened(write_json(value), kShownBytesMax) + " " + why};
}

// What a value is called in the pairs of a map.
std::optional<std::string> pair_word(Value const& value) {
    if (auto const* text = value.as<std::string>()) return *text;
    if (auto const* flag = value.as<bool>()) return *flag ? "true" : "false";
    if (auto const* number = value.as<std::int64_t>()) return std::to_string(*number);
    return std::nullopt;
}

Transformed mapped(Transform const& step, Value value) {
    auto const word = pair_word(value);
    auto const to = [&](Transform::Pair const& pair) {
        if (pair.result != Transform::Result::value)
            return Transformed{Transformed::Kind::nothing, Value(), {}};
        return given(pair.to);
    };
    if (word)
        for (Transform::Pair const& pair : step.pairs)
            if (pair_word(pair.from) == word) return to(pair);
    if (step.otherwise_same) return given(std::move(value));
    if (step.has_otherwise) return to(step.otherwise);
    return refused(value,
                   step.kind == Kind::map ? "has no counterpart in the map"
                                          : "is not in the table \"" + step.argument + "\"");
}

std::string text_member(Object const& object, std::string const& name) {
    Value const* value = find_member(object, name);
    auto const* text = value ? value->as<std::string>() : nullptr;
    return text ? *text : "";
}

Object without(Object const& object, Names const& names) {
    Object rest;
    for (Member const& member : object)
        if (std::find(names.begin(), names.end(), member.key) == names.end())
            rest.push_back(member);
    return rest;
}

Transformed lines_joined(Transform const& step, Value const& value) {
    auto const* object = value.as<Object>();
    if (!object) return refused(value, "has no members to join");
    std::string lines, empty_ones;
    for (std::string const& name : step.names) {
        Value const* member = find_member(*object, name);
        if (member && !member->is_null() && !member->as<std::string>())
            return refused(*member, "is no line of text, in \"" + name + "\"");
        std::string const line = text_member(*object, name);
        bool const last = name == step.names.back();
        if (!last && line.find('\n') != std::string::npos)
            return refused(Value(line), "holds more than one line, in \"" + name + "\"");
        if (name != step.names.front()) empty_ones += '\n';
        if (line.empty()) continue;
        lines += empty_ones + line;
        empty_ones.clear();
    }
    Object joined = without(*object, step.names);
    if (!lines.empty()) set_member(joined, step.names.front(), Value(std::move(lines)));
    return given(Value(std::move(joined)));
}

Transformed lines_split(Transform const& step, Value const& value) {
    auto const* object = value.as<Object>();
    if (!object) return refused(value, "has no members to split");
    Object parts = without(*object, step.names);
    std::string rest = text_member(*object, step.names.front());
    for (std::string const& name : step.names) {
        bool const last = name == step.names.back();
        std::size_t const end = last ? rest.size() : std::min(rest.find('\n'), rest.size());
        if (end > 0) set_member(parts, name, Value(rest.substr(0, end)));
        rest.erase(0, end + 1);
    }
    return given(Value(std::move(parts)));
}

Transformed joined(Transform const& step, Value const& value) {
    auto const* array = value.as<Array>();
    if (!array) return refused(value, "is no list to join");
    if (step.number > 0 && array->size() > static_cast<std::size_t>(step.number))
        return refused(value, "has more than " + std::to_string(step.number) + " parts");
    std::string text;
    for (Value const& item : *array) {
        auto const* part = item.as<std::string>();
        if (!part || part->empty()) return refused(item, "is no text that can be joined");
        // The end of one part and the separator must not look like an earlier separator.
        if ((*part + step.argument).find(step.argument) != part->size())
            return refused(item, "holds the separator \"" + step.argument + "\"");
        if (&item != &array->front()) text += step.argument;
        text += *part;
    }
    return given(Value(std::move(text)));
}

Transformed split(Transform const& step, Value const& value) {
    auto const* text = value.as<std::string>();
    if (!text) return refused(value, "is no text to split");
    Array parts;
    std::string_view rest = *text;
    while (!rest.empty()) {
        bool const last =
            step.number > 0 && parts.size() + 1 == static_cast<std::size_t>(step.number);
        std::size_t const end =
            last ? rest.size() : std::min(rest.find(step.argument), rest.size());
        if (end > 0) parts.emplace_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + step.argument.size(), rest.size()));
    }
    return given(Value(std::move(parts)));
}

Transformed stripped(Transform const& step, Value const& value) {
    auto const* text = value.as<std::string>();
    if (!text || !text->starts_with(step.argument))
        return refused(value, "does not begin with \"" + step.argument + "\"");
    return given(Value(text->substr(step.argument.size())));
}

Transformed prefixed(Transform const& step, Value const& value) {
    auto const word = pair_word(value);
    if (!word) return refused(value, "is no text");
    return given(Value(step.argument + *word));
}

Transformed number_of(Value const& value) {
    if (value.as<std::int64_t>() || value.as<double>()) return given(value);
    auto const* given_text = value.as<std::string>();
    std::string const text = given_text ? trimmed(*given_text) : "";
    char const* const end = text.data() + text.size();
    if (std::int64_t whole = 0; !text.empty()) {
        auto const [stop, error] = std::from_chars(text.data(), end, whole);
        if (error == std::errc() && stop == end) return given(Value(whole));
    }
    double number = 0;
    auto const [stop, error] = std::from_chars(text.data(), end, number);
    if (text.empty() || error != std::errc() || stop != end || !std::isfinite(number))
        return refused(value, "is no number");
    auto const exact = decimal_text(Value(text));
    if (exact && decimal_text(Value(number)) != exact)
        return refused(value, "has more digits than a number holds; keep it as text (decimal:N)");
    return given(Value(number));
}

Transformed text_of(Value const& value) {
    if (value.as<std::string>()) return given(value);
    if (auto const* number = value.as<std::int64_t>()) return given(Value(std::to_string(*number)));
    if (auto const* number = value.as<double>()) return given(Value(double_text(*number)));
    return refused(value, "is no number");
}

Transformed flag_of(Transform const& step, Value const& value) {
    if (value.as<bool>()) return given(value);
    auto const word = pair_word(value);
    Names yes{"true", "yes", "y", "on", "1"}, no{"false", "no", "n", "off", "0"};
    if (!step.names.empty()) {
        yes = {step.names[0]};
        no = {step.names[1]};
    }
    std::string const text = word ? step.names.empty() ? small_letters(*word) : *word : "";
    if (std::find(yes.begin(), yes.end(), text) != yes.end()) return given(Value(true));
    if (std::find(no.begin(), no.end(), text) != no.end()) return given(Value(false));
    return refused(value, "is neither \"" + yes[0] + "\" nor \"" + no[0] + "\"");
}

Transformed flag_text(Transform const& step, Value const& value) {
    auto const* flag = value.as<bool>();
    if (!flag) return refused(value, "is neither true nor false");
    if (step.names.empty()) return given(Value(*flag ? "true" : "false"));
    return given(Value(step.names[*flag ? 0 : 1]));
}

// The decimal with at least as many places as the currency has.
std::optional<std::string> amount_text(Value const& value, std::string const& currency) {
    auto text = decimal_text(value);
    if (!text) return std::nullopt;
    std::size_t const point = text->find('.');
    std::size_t const places = point == std::string::npos ? 0 : text->size() - point - 1;
    auto const least = static_cast<std::size_t>(currency_digits(currency));
    return places >= least ? text : decimal_text(value, static_cast<int>(least));
}

Object money_object(std::string amount, std::string const& currency) {
    Object money;
    set_member(money, "amount", Value(std::move(amount)));
    set_member(money, "currency", Value(currency));
    return money;
}

Transformed money_of(Transform const& step, Value const& value) {
    Value const* amount = step.argument.empty() ? value.find("amount") : &value;
    std::string currency = step.argument;
    if (currency.empty()) {
        auto const* object = value.as<Object>();
        currency = object ? capital_letters(trimmed(text_member(*object, "currency"))) : "";
    }
    if (!amount || amount->is_null()) return refused(value, "has no amount");
    if (!is_currency(currency)) return refused(value, "has no currency of ISO 4217");
    auto text = amount_text(*amount, currency);
    if (!text) return refused(*amount, "is no amount of money");
    return given(Value(money_object(*std::move(text), currency)));
}

Transformed amount_of(Transform const& step, Value const& value) {
    Transform plain_money;
    plain_money.kind = Kind::money;
    Transformed money = money_of(plain_money, value);
    if (money.kind != Transformed::Kind::value || step.argument.empty()) return money;
    if (*money.value.find("currency") != Value(step.argument))
        return refused(value, "is not in " + step.argument);
    return given(*money.value.find("amount"));
}

Transformed minor_of(Transform const& step, Value const& value) {
    auto const* amount = value.as<std::int64_t>();
    if (!amount) return refused(value, "is no whole number of the smallest unit");
    int const places = currency_digits(step.argument);
    std::string digits = std::to_string(*amount);
    if (*amount < 0) digits.erase(0, 1);
    if (digits.size() <= static_cast<std::size_t>(places))
        digits.insert(0, static_cast<std::size_t>(places) + 1 - digits.size(), '0');
    if (places > 0) digits.insert(digits.size() - static_cast<std::size_t>(places), ".");
    return given(Value(money_object((*amount < 0 ? "-" : "") + digits, step.argument)));
}

Transformed minor_amount(Transform const& step, Value const& value) {
    Transformed const amount = amount_of(step, value);
    if (amount.kind != Transformed::Kind::value) return amount;
    auto const units =
        scaled_integer(*amount.value.as<std::string>(), currency_digits(step.argument));
    if (!units) return refused(value, "is no whole number of the smallest unit");
    return given(Value(*units));
}

Transformed to_utc(Transform const& step, Value const& value) {
    auto const* text = value.as<std::string>();
    auto time = text ? parse_date_time(trimmed(*text)) : std::nullopt;
    if (!time) return refused(value, "is no date with a time");
    if (!time->has_zone) {
        auto const utc = utc_of_local(time->ms, step.argument);
        if (!utc) return refused(value, "is an hour that " + step.argument + " leaves out");
        time->ms = *utc;
        time->has_zone = true;
    }
    auto formed = date_time_text(*time);
    return formed ? given(Value(*std::move(formed))) : refused(value, "is out of range");
}

Transformed to_local(Transform const& step, Value const& value) {
    auto const* text = value.as<std::string>();
    auto time = text ? parse_date_time(trimmed(*text)) : std::nullopt;
    if (!time || !time->has_zone) return refused(value, "is no time in UTC");
    auto const local = local_of_utc(time->ms, step.argument);
    if (!local)
        return refused(value, "is in an hour that clocks of " + step.argument + " show twice");
    auto formed = date_time_text({*local, time->nanos, false});
    return formed ? given(Value(*std::move(formed))) : refused(value, "is out of range");
}

Transformed hashed(Value const& value) {
    auto const word = pair_word(value);
    if (!word) return refused(value, "is no text");
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
    SHA256(reinterpret_cast<unsigned char const*>(word->data()), word->size(), digest.data());
    std::string hex;
    for (unsigned char const byte : digest) {
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
    }
    return given(Value(std::move(hex)));
}

Transformed truncated(Transform const& step, Value value) {
    auto* text = value.as<std::string>();
    if (!text) return given(std::move(value));
    std::int64_t count = 0;
    for (std::size_t i = 0; i < text->size(); ++i) {
        bool const begins = (static_cast<std::uint8_t>((*text)[i]) & 0xC0) != 0x80;
        if (!begins || count++ < step.number) continue;
        text->resize(i);
        break;
    }
    return given(std::move(value));
}

Transformed country(Transform const& step, Value const& value) {
    auto const* text = value.as<std::string>();
    bool const to_code = step.kind == Kind::country_code;
    auto const found = !text     ? std::nullopt
                       : to_code ? country_code_of(*text, step.argument)
                                 : country_name_of(*text, step.argument);
    if (!found) return refused(value, to_code ? "is no country" : "is no country's code");
    return given(Value(*found));
}

Transformed one_step(Transform const& step, Value value) {
    if (step.kind == Kind::constant) return given(step.value);
    if (step.kind == Kind::default_) return given(value.is_null() ? step.value : std::move(value));
    if (value.is_null()) return given(std::move(value));
    switch (step.kind) {
        case Kind::map:
        case Kind::lookup:
        case Kind::lookup_back:
            return mapped(step, std::move(value));
        case Kind::join_lines:
            return lines_joined(step, value);
        case Kind::split_lines:
            return lines_split(step, value);
        case Kind::join:
            return joined(step, value);
        case Kind::split:
            return split(step, value);
        case Kind::prefix:
            return prefixed(step, value);
        case Kind::strip_prefix:
            return stripped(step, value);
        case Kind::drop:
            return given(value == step.value ? Value() : std::move(value));
        case Kind::number:
            return number_of(value);
        case Kind::text:
            return text_of(value);
        case Kind::bool_:
            return flag_of(step, value);
        case Kind::bool_text:
            return flag_text(step, value);
        case Kind::truncate:
            return truncated(step, std::move(value));
        case Kind::money:
            return money_of(step, value);
        case Kind::amount:
            return amount_of(step, value);
        case Kind::minor_units:
            return minor_of(step, value);
        case Kind::minor_amount:
            return minor_amount(step, value);
        case Kind::tz:
            return to_utc(step, value);
        case Kind::local:
            return to_local(step, value);
        case Kind::hash:
            return hashed(value);
        case Kind::country_code:
        case Kind::country_name:
            return country(step, value);
        case Kind::constant:
        case Kind::default_:
            break;
    }
    return given(std::move(value));
}

}  // namespace

Transformed transformed(Chain const& chain, Value value) {
    Transformed now = given(std::move(value));
    for (Transform const& step : chain) {
        now = one_step(step, std::move(now.value));
        if (now.kind != Transformed::Kind::value) return now;
    }
    return now;
}

std::vector<std::string> member_names(Chain const& chain) {
    Names names;
    for (Transform const& step : chain)
        if (step.kind == Kind::join_lines || step.kind == Kind::split_lines)
            names.insert(names.end(), step.names.begin(), step.names.end());
    return names;
}

}  // namespace inos
