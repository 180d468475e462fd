// The text that a WebSocket close frame carries, to the peer and from it. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace inos {

inline constexpr std::size_t kCloseReasonLimit = 123;  // RFC 6455, 5.5: 125 bytes less the code

// The beginning of a text that fits into a close frame, cut between two UTF-8 characters: half a
// character would make the peer call it a breach of the protocol.
std::string_view cut_reason(std::string_view text);

// What a peer sent, for a log: short, and printable whatever it was.
std::string printable_text(std::string_view text);

}  // namespace inos
