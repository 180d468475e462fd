// Writing and reading the primitive shapes that all stored and sent bytes are made of.
//
//   varint   LEB128, 7 bits a byte, low bits first, at most 10 bytes, shortest form only
//   zigzag   a signed integer as varint of (n << 1) ^ (n >> 63)
//   u64      8 bytes, big-endian, so that byte order is number order
//   blob     varint length | bytes
//
// A Reader never reads past its end and never allocates more than the input holds. After the first
// failure ok() is false, every further read answers zero or empty, and nothing is thrown: decoders
// read straight through and look at ok() once. Encodings other than the shortest are failures, so
// equal values have equal bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace inos {

inline void put_varint(std::string& out, std::uint64_t value) {
    while (value >= 0x80) {
        out += static_cast<char>(value | 0x80);
        value >>= 7;
    }
    out += static_cast<char>(value);
}

inline void put_zigzag(std::string& out, std::int64_t value) {
    put_varint(out,
               (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

inline void put_u64(std::string& out, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8)
        out += static_cast<char>(value >> shift);
}

inline void put_u32(std::string& out, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(value >> shift);
}

inline void put_blob(std::string& out, std::string_view bytes) {
    put_varint(out, bytes.size());
    out += bytes;
}

class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    bool ok() const { return ok_; }
    bool at_end() const { return rest_.empty(); }
    // True when everything was read and nothing failed: left-over bytes are an error.
    bool finished() const { return ok_ && rest_.empty(); }
    std::string_view rest() const { return rest_; }
    void fail() {
        ok_ = false;
        rest_ = {};
    }

    std::uint8_t byte() {
        if (rest_.empty()) return fail(), std::uint8_t{0};
        auto const value = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }

    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            std::uint8_t const b = byte();
            if (!ok_) return 0;
            std::uint64_t const bits = b & 0x7f;
            if (shift == 63 && bits > 1) break;
            value |= bits << shift;
            if ((b & 0x80) == 0) {
                if (b == 0 && shift != 0) break;  // a longer form than needed
                return value;
            }
        }
        fail();
        return 0;
    }

    std::int64_t zigzag() {
        std::uint64_t const n = varint();
        return static_cast<std::int64_t>((n >> 1) ^ (~(n & 1) + 1));
    }

    std::uint64_t u64() {
        std::string_view const raw = take(8);
        std::uint64_t value = 0;
        for (char c : raw)
            value = value << 8 | static_cast<std::uint8_t>(c);
        return value;
    }

    std::uint32_t u32() {
        std::string_view const raw = take(4);
        std::uint32_t value = 0;
        for (char c : raw)
            value = value << 8 | static_cast<std::uint8_t>(c);
        return value;
    }

    std::string_view take(std::uint64_t size) {
        if (size > rest_.size()) return fail(), std::string_view{};
        std::string_view const bytes = rest_.substr(0, static_cast<std::size_t>(size));
        rest_.remove_prefix(static_cast<std::size_t>(size));
        return bytes;
    }

    std::string_view blob() { return take(varint()); }

    // A count of items that take at least `item_bytes` each: larger than what is left is a failure,
    // so a caller may reserve memory for it.
    std::uint64_t count(std::size_t item_bytes = 1) {
        std::uint64_t const n = varint();
        if (n > rest_.size() / item_bytes) return fail(), std::uint64_t{0};
        return n;
    }

private:
    std::string_view rest_;
    bool ok_ = true;
};

}  // namespace inos
