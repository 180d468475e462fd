#include "storage/text_forms.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace inos {
namespace {

constexpr std::string_view kCountries =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR "
    "BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ "
    "EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW "
    "GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY "
    "KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV "
    "MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY "
    "QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG "
    "TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM "
    "ZW ";
static_assert(kCountries.size() == 249 * 3);

// Currencies, funds and metals; not XTS (for tests) and XXX (none).
constexpr std::string_view kCurrencies =
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN "
    "BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN "
    "ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD "
    "JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT "
    "MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG "
    "QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT "
    "TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU XBA "
    "XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XUA YER ZAR ZMW ZWG ZWL ";
static_assert(kCurrencies.size() % 4 == 0);

constexpr std::size_t kMailNameBytesMax = 64;
constexpr std::size_t kMailHostBytesMax = 255;
constexpr std::size_t kHostLabelBytesMax = 63;

struct Point {
    std::optional<std::uint32_t> value;  // none: not UTF-8, taken as one byte
    std::size_t bytes = 1;
};

Point point_at(std::string_view text, std::size_t at) {
    auto const byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
    std::uint8_t const first = byte(0);
    if (first < 0x80) return {first, 1};
    std::size_t const bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || at + bytes > text.size()) return {};
    std::uint32_t value = first & (0x7Fu >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {};
        value = value << 6 | (byte(i) & 0x3F);
    }
    return {value, bytes};
}

void append_point(std::string& out, std::uint32_t value) {
    auto const add = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (value < 0x80) return add(value);
    if (value < 0x800) {
        add(0xC0 | value >> 6);
    } else {
        add(0xE0 | value >> 12);
        add(0x80 | (value >> 6 & 0x3F));
    }
    add(0x80 | (value & 0x3F));
}

bool is_space(Point const& point) {
    if (!point.value) return false;
    std::uint32_t const c = *point.value;
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

bool within(std::uint32_t c, std::uint32_t first, std::uint32_t last) {
    return c >= first && c <= last;
}

// The small letter of a capital one below U+0800; everything else is its own.
std::uint32_t small_letter(std::uint32_t c) {
    if (within(c, 'A', 'Z')) return c + 32;
    if (within(c, 0xC0, 0xDE)) return c == 0xD7 ? c : c + 32;
    // Latin Extended-A holds pairs, a capital letter first: at even places, then at odd ones.
    if (within(c, 0x100, 0x137)) return c == 0x130 || c == 0x131 ? c : c | 1;
    if (within(c, 0x139, 0x148) || within(c, 0x179, 0x17E)) return c + (c & 1);
    if (within(c, 0x14A, 0x177)) return c | 1;
    if (c == 0x178) return 0xFF;
    if (c == 0x386) return 0x3AC;
    if (within(c, 0x388, 0x38A)) return c + 37;
    if (c == 0x38C) return 0x3CC;
    if (within(c, 0x38E, 0x38F)) return c + 63;
    if (within(c, 0x391, 0x3AB)) return c == 0x3A2 ? c : c + 32;
    if (within(c, 0x400, 0x40F)) return c + 80;
    if (within(c, 0x410, 0x42F)) return c + 32;
    return c;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool all_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_digit);
}

// Parts between dots, none of them empty and each as `fits` says.
template <class Fits>
bool dotted(std::string_view text, Fits fits) {
    for (std::size_t begin = 0; begin <= text.size();) {
        std::size_t const end = std::min(text.find('.', begin), text.size());
        if (end == begin || !fits(text.substr(begin, end - begin))) return false;
        begin = end + 1;
    }
    return true;
}

bool holds(std::string_view list, std::string_view code, std::size_t size) {
    if (code.size() != size) return false;
    for (std::size_t at = 0; at < list.size(); at += size + 1)
        if (list.substr(at, size) == code) return true;
    return false;
}

bool without_spaces(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        Point const point = point_at(text, at);
        if (!point.value || is_space(point) || *point.value < 0x20 || *point.value == 0x7F)
            return false;
        at += point.bytes;
    }
    return true;
}

}  // namespace

bool is_email(std::string_view text) {
    std::size_t const at = text.find('@');
    if (at == std::string_view::npos || !without_spaces(text)) return false;
    std::string_view const name = text.substr(0, at), host = text.substr(at + 1);
    if (name.size() > kMailNameBytesMax || host.size() > kMailHostBytesMax) return false;
    if (host.find('.') == std::string_view::npos) return false;
    bool const name_fits = dotted(name, [](std::string_view part) {
        return part.find_first_of("\"(),:;<>[\\]") == std::string_view::npos;
    });
    return name_fits && dotted(host, [](std::string_view label) {
               bool const letters = std::all_of(label.begin(), label.end(), [](char c) {
                   bool const beyond_ascii = static_cast<std::uint8_t>(c) >= 0x80;
                   return beyond_ascii || is_digit(c) || c == '-' || (c >= 'a' && c <= 'z') ||
                          (c >= 'A' && c <= 'Z');
               });
               return letters && label.size() <= kHostLabelBytesMax && label.front() != '-' &&
                      label.back() != '-';
           });
}

bool is_e164(std::string_view text) {
    return text.size() >= 3 && text.size() <= 16 && text[0] == '+' && text[1] != '0' &&
           all_digits(text.substr(1));
}

bool is_iso_date(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
    if (!all_digits(text.substr(0, 4)) || !all_digits(text.substr(5, 2)) ||
        !all_digits(text.substr(8, 2)))
        return false;
    auto const number = [&](std::size_t at, std::size_t digits) {
        int value = 0;
        for (char const c : text.substr(at, digits))
            value = value * 10 + (c - '0');
        return value;
    };
    int const year = number(0, 4), month = number(5, 2), day = number(8, 2);
    constexpr std::array<int, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12) return false;
    bool const leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int const days = month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
    return day >= 1 && day <= days;
}

bool is_country(std::string_view text) {
    return holds(kCountries, text, 2);
}

bool is_currency(std::string_view text) {
    return holds(kCurrencies, text, 3);
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

std::string trimmed(std::string_view text) {
    std::size_t begin = text.size(), end = 0;
    for (std::size_t at = 0; at < text.size();) {
        Point const point = point_at(text, at);
        if (!is_space(point)) {
            begin = std::min(begin, at);
            end = at + point.bytes;
        }
        at += point.bytes;
    }
    return begin < end ? std::string(text.substr(begin, end - begin)) : std::string();
}

std::string lower_case(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        Point const point = point_at(text, at);
        bool const has_case = point.value && point.bytes <= 2;
        if (has_case)
            append_point(out, small_letter(*point.value));
        else
            out += text.substr(at, point.bytes);
        at += point.bytes;
    }
    return out;
}

std::string spaces_collapsed(std::string_view text) {
    std::string out;
    bool in_spaces = false;
    for (std::size_t at = 0; at < text.size();) {
        Point const point = point_at(text, at);
        bool const space = is_space(point);
        if (space && !in_spaces) out += ' ';
        if (!space) out += text.substr(at, point.bytes);
        in_spaces = space;
        at += point.bytes;
    }
    return out;
}

std::string shortened(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return std::string(text);
    std::size_t end = 0;
    while (end + point_at(text, end).bytes <= bytes_max)
        end += point_at(text, end).bytes;
    return std::string(text.substr(0, end)) + "...";
}

}  // namespace inos
