// A batch of entries to its sealed form and back.
//
//   content  = run*: each entry blob, as many as the clear header says, in its order
//            | heads: count, (actor u64, seq varint, signature 64)*
//            | erasures: count, (tag 16, collection blob, actor u64, signature 64)*
//   sealed   = XChaCha20-Poly1305 with the space key over zstd(content), random nonce in front
//   associated data = "inos batch 1" | space 16 | key id u64
//                   | count, (actor u64, first varint, count varint)*
//
// Limits: content at most kContentBytesMax, looked at in the zstd frame's header before memory is
// taken and enforced while decompressing. Pure; any thread.
#pragma once

#include "net/wire/messages.hpp"
#include "storage/replica.hpp"

namespace inos::wire {

inline constexpr std::size_t kContentBytesMax = 8 << 20;

Batch seal_batch(SpaceId const& space, crypto::Secret const& key, EntryBatch const& batch);
// Errc::protocol when it was not sealed with this key, or is not what seal_batch makes.
Result<EntryBatch> open_batch(Batch const& batch, crypto::Secret const& key);

}  // namespace inos::wire
