// JSON Pointers (RFC 6901): where in a record or in an external object a value stands. "" is the
// whole, "/a/b" the member b of the member a, "~1" stands for "/" and "~0" for "~". There are no
// wildcards; a number is an index where the value is an array, and "-" has no meaning here.
//
// Plain values, pure functions; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/value.hpp"
#include "storage/result.hpp"

namespace inos {

inline constexpr std::size_t kPointerTokensMax = 16;
inline constexpr std::size_t kPointerBytesMax = 1'024;

struct Pointer {
    std::vector<std::string> tokens;

    // Errc::invalid says what about the text is wrong, without naming where it stands.
    static Result<Pointer> parse(std::string_view text);
    std::string text() const;

    bool empty() const { return tokens.empty(); }
    // True if `other` is this place or lies below it.
    bool covers(Pointer const& other) const;
    bool operator==(Pointer const&) const = default;
    auto operator<=>(Pointer const&) const = default;
};

// The value there; null when there is none, which is not the same as a value that is null.
Value const* find_at(Value const& whole, Pointer const& pointer);
Value const* find_at(Object const& whole, Pointer const& pointer);

// Puts the value there and makes the objects on the way. False, and nothing changed, where something
// that is no object (arrays included) stands in the way, or for the empty pointer.
bool set_at(Object& whole, Pointer const& pointer, Value value);

}  // namespace inos
