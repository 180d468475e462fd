// What a register holds: a JSON value with exact 64-bit integers. Canonical bytes: equal values
// have equal bytes on every site, so that values can be compared, hashed and used as set elements.
//
//   value  = 0 null | 1 false | 2 true | 3 integer zigzag | 4 double u64 (IEEE 754 bits)
//          | 5 text blob | 6 array count value* | 7 object count (key blob, value)*   keys
//          ascending
//
// Doubles are never NaN or infinite, -0.0 is stored as 0.0, and a double is never turned into an
// integer or back. Nesting is at most kValueDepthMax. Tags are stored and never reused; 8 is kept
// for exact decimals.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "crdt/bytes.hpp"

namespace inos {

inline constexpr int kValueDepthMax = 32;

struct Member;
struct Value;
using Array = std::vector<Value>;
using Object = std::vector<Member>;  // keys ascending and unique

struct Value {
    std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> data;

    Value() = default;  // null
    explicit Value(bool b);
    explicit Value(std::int64_t n);
    explicit Value(int n);
    explicit Value(double d);
    explicit Value(std::string text);
    explicit Value(std::string_view text);
    explicit Value(char const* text);
    explicit Value(Array array);
    explicit Value(Object object);  // sorts; of equal keys the last one stays

    bool is_null() const { return data.index() == 0; }
    template <class T>
    T const* as() const {
        return std::get_if<T>(&data);
    }
    template <class T>
    T* as() {
        return std::get_if<T>(&data);
    }
    // The member of an object, or null when this is no object or has no such member.
    Value const* find(std::string_view key) const;

    bool operator==(Value const&) const = default;
};

struct Member {
    std::string key;
    Value value;
    bool operator==(Member const&) const = default;
};

// Here, because making the variant needs Member to be complete.
inline Value::Value(bool b) : data(b) {}
inline Value::Value(std::int64_t n) : data(n) {}
inline Value::Value(int n) : data(std::int64_t{n}) {}
inline Value::Value(double d) : data(d == 0 ? 0.0 : d) {}
inline Value::Value(std::string text) : data(std::move(text)) {}
inline Value::Value(std::string_view text) : data(std::string(text)) {}
inline Value::Value(char const* text) : data(std::string(text)) {}

// Inserts or replaces, keeping the order.
void set_member(Object& object, std::string_view key, Value value);
Value const* find_member(Object const& object, std::string_view key);

void encode(std::string& out, Value const& value);
std::string encode(Value const& value);
// Reads one value; nullopt for anything that encode would not have written.
std::optional<Value> decode_value(Reader& in);
std::optional<Value> decode_value(std::string_view bytes);  // all of it

// True for well-formed UTF-8 (RFC 3629: no surrogates, no over-long forms).
bool valid_utf8(std::string_view text);
// What keys, collection names and field names may be: 1 to 256 bytes of UTF-8 without control
// characters.
inline constexpr std::size_t kNameBytesMax = 256;
bool valid_name(std::string_view name);

}  // namespace inos
