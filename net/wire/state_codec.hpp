// A part of a state (storage/state_transfer.hpp) to its sealed form and back.
//
//   sealed = XChaCha20-Poly1305 with the space key over zstd(part), random nonce in front
//   associated data = "inos state part 1" | space 16 | key id u64 | id 16 | after blob
//
// Pure; any thread.
#pragma once

#include "net/wire/messages.hpp"
#include "storage/state_transfer.hpp"

namespace inos::wire {

StatePart seal_state_part(SpaceId const& space,
                          crypto::Secret const& key,
                          inos::StatePart const& part);
// Errc::protocol when it was not sealed with this key, or is not what seal_state_part makes.
Result<inos::StatePart> open_state_part(StatePart const& sealed, crypto::Secret const& key);

// count, (actor u64, seq varint, chain 8)*      ascending by actor
std::string encode_state_heads(std::vector<DepHead> const& heads);
std::optional<std::vector<DepHead>> decode_state_heads(std::string_view bytes);

}  // namespace inos::wire
