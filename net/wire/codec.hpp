// Messages to bytes and back. Limits (counts, sizes, nesting, and how much of a message is walked)
// are checked before memory is taken; what is over them, malformed or of an unknown kind is
// Errc::protocol. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "net/wire/messages.hpp"
#include "storage/result.hpp"

namespace inos::wire {

inline constexpr std::size_t kMessageBytesMax = 4 << 20;
inline constexpr std::size_t kSpacesMax = 64;
inline constexpr std::size_t kStatementsMax = 4'096;
inline constexpr std::size_t kKeysMax = 4'096;
inline constexpr std::size_t kRunsMax = 100'000;
inline constexpr std::size_t kAddressesMax = 64;
inline constexpr std::size_t kTextBytesMax = 4'096;

std::string encode(Message const& message);
Result<Message> decode(std::string_view bytes);

}  // namespace inos::wire
