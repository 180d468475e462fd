#include "adapters/mapping/decimal.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace inos {
namespace {

struct Decimal {
    bool negative = false;
    std::string whole, places;  // digits
};

bool all_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<Decimal> parse(std::string_view text) {
    Decimal number;
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
        number.negative = text[0] == '-';
        text.remove_prefix(1);
    }
    std::size_t const point = std::min(text.find('.'), text.size());
    std::string_view const whole = text.substr(0, point);
    std::string_view const places = point < text.size() ? text.substr(point + 1) : "";
    bool const digits = all_digits(whole) && all_digits(places);
    bool const enough = !whole.empty() && (point == text.size() || !places.empty());
    if (!digits || !enough || whole.size() > kDecimalDigitsMax || places.size() > kDecimalDigitsMax)
        return std::nullopt;
    number.whole = whole.substr(std::min(whole.find_first_not_of('0'), whole.size() - 1));
    number.places = places;
    return number;
}

std::optional<Decimal> decimal_of(Value const& value) {
    if (auto const* text = value.as<std::string>()) return parse(*text);
    if (auto const* number = value.as<std::int64_t>()) return parse(std::to_string(*number));
    auto const* number = value.as<double>();
    if (!number) return std::nullopt;
    std::array<char, 1'100> digits;  // the longest double has 309 in front and 1074 behind
    auto const [end, error] = std::to_chars(
        digits.data(), digits.data() + digits.size(), *number, std::chars_format::fixed);
    if (error != std::errc()) return std::nullopt;
    return parse({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

// One more in the last digit of `digits`; a carry goes in front.
void count_up(std::string& digits) {
    for (std::size_t i = digits.size(); i-- > 0;) {
        if (digits[i] != '9') {
            ++digits[i];
            return;
        }
        digits[i] = '0';
    }
    digits.insert(digits.begin(), '1');
}

std::string text_of(Decimal const& number) {
    std::string text = number.whole;
    if (!number.places.empty()) text += "." + number.places;
    bool const zero = text.find_first_not_of("0.") == std::string::npos;
    return number.negative && !zero ? "-" + text : text;
}

}  // namespace

std::optional<std::string> decimal_text(Value const& value, int places) {
    auto number = decimal_of(value);
    if (!number) return std::nullopt;
    auto const wanted = static_cast<std::size_t>(places);
    if (number->places.size() > wanted) {
        bool const up = number->places[wanted] >= '5';
        std::string digits = number->whole + number->places.substr(0, wanted);
        if (up) count_up(digits);
        number->whole = digits.substr(0, digits.size() - wanted);
        number->places = digits.substr(digits.size() - wanted);
    }
    number->places.resize(wanted, '0');
    return text_of(*number);
}

std::optional<std::string> decimal_text(Value const& value) {
    auto number = decimal_of(value);
    if (!number) return std::nullopt;
    number->places.resize(number->places.find_last_not_of('0') + 1);
    return text_of(*number);
}

std::optional<std::int64_t> scaled_integer(std::string_view decimal, int places) {
    auto number = parse(decimal);
    if (!number) return std::nullopt;
    number->places.resize(number->places.find_last_not_of('0') + 1);
    auto const wanted = static_cast<std::size_t>(places);
    if (number->places.size() > wanted) return std::nullopt;
    number->places.resize(wanted, '0');
    std::string const digits = (number->negative ? "-" : "") + number->whole + number->places;
    std::int64_t scaled = 0;
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), scaled);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return scaled;
}

}  // namespace inos
