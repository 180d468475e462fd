#include "storage/crypto/base32.hpp"

#include <cstdint>

namespace inos {
namespace {

constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
static_assert(kDigits.size() == 32);

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool ignored(char c) {
    return c == '-' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

char forgiven(char c) {
    c = lower(c);
    if (c == 'o') return '0';
    if (c == 'i' || c == 'l') return '1';
    return c;
}

std::string shown(char c) {
    if (c > ' ' && c < 127) return std::string(1, c);
    static constexpr char kHex[] = "0123456789abcdef";
    auto const byte = static_cast<std::uint8_t>(c);
    return std::string("\\x") + kHex[byte >> 4] + kHex[byte & 15];
}

}  // namespace

char base32_digit(unsigned value) {
    return kDigits[value & 31];
}

std::string base32_encode(std::string_view bytes) {
    std::string out;
    out.reserve((bytes.size() * 8 + 4) / 5);
    unsigned buffer = 0;
    int bits = 0;
    for (char c : bytes) {
        buffer = buffer << 8 | static_cast<std::uint8_t>(c);
        for (bits += 8; bits >= 5; bits -= 5)
            out += base32_digit(buffer >> (bits - 5));
        buffer &= (1u << bits) - 1;
    }
    if (bits > 0) out += base32_digit(buffer << (5 - bits));
    return out;
}

Result<std::string> base32_normalize(std::string_view text, std::size_t position_offset) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (ignored(text[i])) continue;
        char const c = forgiven(text[i]);
        if (kDigits.find(c) == std::string_view::npos)
            return fail(Errc::invalid,
                        "the character \"" + shown(text[i]) + "\" at position " +
                            std::to_string(position_offset + i + 1) +
                            " cannot be part of the code; allowed are letters except \"u\" and "
                            "digits");
        out += c;
    }
    return out;
}

Result<std::string> base32_decode(std::string_view text, std::size_t position_offset) {
    INOS_TRY(std::string const digits, base32_normalize(text, position_offset));
    std::string out;
    out.reserve(digits.size() * 5 / 8);
    unsigned buffer = 0;
    int bits = 0;
    for (char c : digits) {
        buffer = buffer << 5 | static_cast<unsigned>(kDigits.find(c));
        bits += 5;
        if (bits < 8) continue;
        bits -= 8;
        out += static_cast<char>(buffer >> bits);
        buffer &= (1u << bits) - 1;
    }
    if (bits >= 5 || buffer != 0)
        return fail(Errc::invalid, "the code is mistyped or cut off; copy it again");
    return out;
}

}  // namespace inos
