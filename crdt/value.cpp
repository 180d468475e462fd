#include "crdt/value.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace inos {
namespace {

enum Tag : std::uint8_t {  // stored; never reused
    kNull = 0,
    kFalse = 1,
    kTrue = 2,
    kInteger = 3,
    kDouble = 4,
    kText = 5,
    kArray = 6,
    kObject = 7,
};

std::optional<Value> decode_at(Reader& in, int depth);

std::optional<Value> decode_array(Reader& in, int depth) {
    Array array;
    std::uint64_t const n = in.count();
    for (std::uint64_t i = 0; i < n; ++i) {
        auto item = decode_at(in, depth + 1);
        if (!item) return std::nullopt;
        array.push_back(*std::move(item));
    }
    if (!in.ok()) return std::nullopt;
    Value value;
    value.data = std::move(array);
    return value;
}

std::optional<Value> decode_object(Reader& in, int depth) {
    Object object;
    std::uint64_t const n = in.count(2);
    for (std::uint64_t i = 0; i < n; ++i) {
        std::string key(in.blob());
        if (!valid_utf8(key)) return std::nullopt;
        if (!object.empty() && object.back().key >= key) return std::nullopt;
        auto item = decode_at(in, depth + 1);
        if (!item) return std::nullopt;
        object.push_back({std::move(key), *std::move(item)});
    }
    if (!in.ok()) return std::nullopt;
    Value value;
    value.data = std::move(object);
    return value;
}

std::optional<Value> decode_at(Reader& in, int depth) {
    if (depth > kValueDepthMax) return std::nullopt;
    std::uint8_t const tag = in.byte();
    if (!in.ok()) return std::nullopt;
    switch (tag) {
        case kNull:
            return Value();
        case kFalse:
            return Value(false);
        case kTrue:
            return Value(true);
        case kInteger: {
            std::int64_t const n = in.zigzag();
            return in.ok() ? std::optional(Value(n)) : std::nullopt;
        }
        case kDouble: {
            auto const bits = in.u64();
            double const d = std::bit_cast<double>(bits);
            bool const canonical = std::isfinite(d) && (d != 0 || bits == 0);
            return in.ok() && canonical ? std::optional(Value(d)) : std::nullopt;
        }
        case kText: {
            std::string_view const text = in.blob();
            return in.ok() && valid_utf8(text) ? std::optional(Value(text)) : std::nullopt;
        }
        case kArray:
            return decode_array(in, depth);
        case kObject:
            return decode_object(in, depth);
        default:
            return std::nullopt;
    }
}

struct Encoder {
    std::string& out;

    void operator()(std::monostate) const { out += char{kNull}; }
    void operator()(bool b) const { out += static_cast<char>(b ? kTrue : kFalse); }
    void operator()(std::int64_t n) const {
        out += char{kInteger};
        put_zigzag(out, n);
    }
    void operator()(double d) const {
        out += char{kDouble};
        put_u64(out, std::bit_cast<std::uint64_t>(d));
    }
    void operator()(std::string const& text) const {
        out += char{kText};
        put_blob(out, text);
    }
    void operator()(Array const& array) const {
        out += char{kArray};
        put_varint(out, array.size());
        for (auto const& item : array)
            encode(out, item);
    }
    void operator()(Object const& object) const {
        out += char{kObject};
        put_varint(out, object.size());
        for (auto const& [key, item] : object) {
            put_blob(out, key);
            encode(out, item);
        }
    }
};

template <class O>
auto member_position(O& object, std::string_view key) {
    return std::lower_bound(
        object.begin(), object.end(), key, [](Member const& m, std::string_view k) {
            return m.key < k;
        });
}

}  // namespace

Value::Value(Array array) : data(std::move(array)) {}

Value::Value(Object object) {
    std::stable_sort(object.begin(), object.end(), [](Member const& a, Member const& b) {
        return a.key < b.key;
    });
    Object unique;
    for (auto& member : object) {
        if (!unique.empty() && unique.back().key == member.key)
            unique.back() = std::move(member);
        else
            unique.push_back(std::move(member));
    }
    data = std::move(unique);
}

Value const* Value::find(std::string_view key) const {
    auto const* object = as<Object>();
    return object ? find_member(*object, key) : nullptr;
}

void set_member(Object& object, std::string_view key, Value value) {
    auto const it = member_position(object, key);
    if (it != object.end() && it->key == key)
        it->value = std::move(value);
    else
        object.insert(it, {std::string(key), std::move(value)});
}

Value const* find_member(Object const& object, std::string_view key) {
    auto const it = member_position(object, key);
    return it != object.end() && it->key == key ? &it->value : nullptr;
}

void encode(std::string& out, Value const& value) {
    std::visit(Encoder{out}, value.data);
}

std::string encode(Value const& value) {
    std::string out;
    encode(out, value);
    return out;
}

std::optional<Value> decode_value(Reader& in) {
    return decode_at(in, 0);
}

std::optional<Value> decode_value(std::string_view bytes) {
    Reader in(bytes);
    auto value = decode_value(in);
    return in.finished() ? std::move(value) : std::nullopt;
}

bool valid_utf8(std::string_view text) {
    auto const at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (std::size_t i = 0; i < text.size();) {
        unsigned char const lead = at(i);
        if (lead < 0x80) {
            ++i;
            continue;
        }
        std::size_t const extra = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        if (lead < 0xc2 || lead > 0xf4 || i + extra >= text.size()) return false;
        std::uint32_t code = lead & (0x3fu >> extra);
        for (std::size_t k = 1; k <= extra; ++k) {
            if ((at(i + k) & 0xc0) != 0x80) return false;
            code = code << 6 | (at(i + k) & 0x3fu);
        }
        if (extra == 2 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) return false;
        if (extra == 3 && (code < 0x10000 || code > 0x10ffff)) return false;
        i += extra + 1;
    }
    return true;
}

bool valid_name(std::string_view name) {
    if (name.empty() || name.size() > kNameBytesMax || !valid_utf8(name)) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
        auto const byte = static_cast<unsigned char>(name[i]);
        if (byte < 0x20 || byte == 0x7f) return false;
        // U+0080 to U+009F, the C1 controls.
        if (byte == 0xc2 && static_cast<unsigned char>(name[i + 1]) < 0xa0) return false;
    }
    return true;
}

}  // namespace inos
