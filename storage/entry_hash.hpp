// The hashes of an entry, as drawn in crdt/entry.hpp: op hashes under the salt, and the chain that
// binds every entry of an actor to all before it. Where the salt is a key, 8 zero bytes follow it,
// because libsodium takes no keys under 16 bytes. Golden values: tests/golden/hashes.json. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/entry.hpp"
#include "storage/crypto/crypto.hpp"
#include "storage/membership.hpp"

namespace inos {

// chain(0) of an actor: "inos chain 0" | certificate bytes. So a chain is bound to actor and space.
crypto::Hash32 chain_start(std::string_view certificate);

// chain(n) from chain(n-1) and the entry's bytes; total: malformed bytes are hashed as they are.
// `digest_key` is the space's.
crypto::Hash32 chain_next(crypto::Hash32 const& previous,
                          std::string_view entry,
                          crypto::Secret const& digest_key);

// The same with what it is made of. The frame's views are into `entry`.
struct HashedEntry {
    crypto::Hash32 chain{};
    std::optional<EntryFrame> frame;  // none: malformed bytes
    std::vector<RecordTag> tags;      // of every op, in order: zeros where it names no record
};
HashedEntry hash_entry(crypto::Hash32 const& previous,
                       std::string_view entry,
                       crypto::Secret const& digest_key);

// The key under which op `index` is hashed, and its hash; 0-based.
crypto::Hash32 op_key(EntryFrame const& frame, std::size_t index);
crypto::Hash32 op_hash(EntryFrame const& frame, std::size_t index);

// What stands for a record where its key may not. It begins with 4 bytes that stand for the
// collection, so that whoever may erase in one collection cannot name a record of another.
RecordTag record_tag(crypto::Secret const& digest_key,
                     std::string_view collection,
                     std::string_view key);
bool is_tag_in(RecordTag const& tag, crypto::Secret const& digest_key, std::string_view collection);
std::vector<RecordTag> op_tags(EntryFrame const& frame, crypto::Secret const& digest_key);

// The entry with stubs in place of all ops that `goes` says have to go. nullopt: there are none.
// `reason` says why the entry is void, if it is because of one of them.
std::optional<std::string> erase_ops(std::string_view entry,
                                     crypto::Secret const& digest_key,
                                     std::function<bool(RecordTag const&)> const& goes,
                                     VoidReason reason);

// What the author of an erasure signs: "inos erase 1" | space 16 | actor u64 | collection blob
// | tag 16.
std::string erasure_statement(SpaceId const& space,
                              ActorId actor,
                              std::string_view collection,
                              RecordTag const& tag);

ChainPrefix chain_prefix(crypto::Hash32 const& chain);

// What an author signs: "inos chain head 1" | space 16 | actor u64 | seq u64 | chain 32.
std::string head_statement(SpaceId const& space, Dot dot, crypto::Hash32 const& chain);

}  // namespace inos
