#include "storage/index_key.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include "crdt/bytes.hpp"

namespace inos {
namespace {

enum Kind : char { kNull = 1, kFalse, kTrue, kNumber, kText, kEnd };

void put_big_endian(std::string& out, std::uint64_t bits, int bytes) {
    for (int i = bytes; i-- > 0;)
        out += static_cast<char>(bits >> (8 * i));
}

// Bits that ascend with the number: the sign turned round, and of negative ones all others too.
std::uint64_t ascending(double number) {
    auto const bits = std::bit_cast<std::uint64_t>(number);
    constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
    return bits & kSign ? ~bits : bits | kSign;
}

std::string number_key(double below, std::uint64_t rest) {
    std::string key(1, kNumber);
    put_big_endian(key, ascending(below), 8);
    put_big_endian(key, rest, 2);
    return key;
}

// The distance of two neighbouring doubles is 1,024 at most where 64 bits reach.
std::string integer_key(std::int64_t number) {
    double below = static_cast<double>(number);
    // Up to 2^63 itself, which is no integer of 64 bits.
    bool const above = below >= 0x1p63 || static_cast<std::int64_t>(below) > number;
    if (above) below = std::nextafter(below, -std::numeric_limits<double>::infinity());
    auto const rest = static_cast<std::uint64_t>(number) -
                      static_cast<std::uint64_t>(static_cast<std::int64_t>(below));
    return number_key(below, rest);
}

void put_escaped(std::string& out, std::string_view text) {
    for (char const c : text) {
        out += c;
        if (c == '\0') out += '\xff';
    }
}

std::string text_key(std::string_view text) {
    std::string key(1, kText);
    put_escaped(key, text.substr(0, kIndexTextMax));
    key += '\0';
    key += text.size() > kIndexTextMax ? '\2' : '\1';
    return key;
}

}  // namespace

std::optional<std::string> index_key(Value const& value) {
    if (value.is_null()) return std::string(1, kNull);
    if (auto const* b = value.as<bool>()) return std::string(1, *b ? kTrue : kFalse);
    if (auto const* n = value.as<std::int64_t>()) return integer_key(*n);
    if (auto const* d = value.as<double>()) return number_key(*d, 0);
    if (auto const* text = value.as<std::string>()) return text_key(*text);
    return std::nullopt;
}

IndexRange index_prefix(std::string_view prefix) {
    std::string first(1, kText);
    put_escaped(first, prefix.substr(0, kIndexTextMax));
    std::string end = bytes_behind(first);
    return {std::move(first), std::move(end)};
}

// The last byte that can grow does.
std::string bytes_behind(std::string bytes) {
    while (!bytes.empty() && bytes.back() == '\xff')
        bytes.pop_back();
    if (!bytes.empty()) bytes.back() = static_cast<char>(bytes.back() + 1);
    return bytes;
}

IndexRange index_numbers() {
    return {std::string(1, kNumber), std::string(1, kNumber + 1)};
}

IndexRange index_texts() {
    return {std::string(1, kText), std::string(1, kEnd)};
}

}  // namespace inos
