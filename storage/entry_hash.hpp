// The hashes of an entry, as drawn in crdt/entry.hpp: op hashes under the salt, and the chain that
// binds every entry of an actor to all before it. Where the salt is a key, 8 zero bytes follow it,
// because libsodium takes no keys under 16 bytes. Golden values: tests/golden/hashes.json. Pure.
#pragma once

#include <string_view>

#include "crdt/entry.hpp"
#include "storage/crypto/crypto.hpp"
#include "storage/membership.hpp"

namespace inos {

// chain(0) of an actor: "inos chain 0" | certificate bytes. So a chain is bound to actor and space.
crypto::Hash32 chain_start(std::string_view certificate);

// chain(n) from chain(n-1) and the entry's bytes; total: malformed bytes are hashed as they are.
crypto::Hash32 chain_next(crypto::Hash32 const& previous, std::string_view entry);

// The hash that stands for op `index` in the chain; 0-based.
crypto::Hash32 op_hash(EntryFrame const& frame, std::size_t index);

ChainPrefix chain_prefix(crypto::Hash32 const& chain);

// What an author signs: "inos chain head 1" | space 16 | actor u64 | seq u64 | chain 32.
std::string head_statement(SpaceId const& space, Dot dot, crypto::Hash32 const& chain);

}  // namespace inos
