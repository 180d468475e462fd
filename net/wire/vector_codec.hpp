// A version vector on the wire, with the chains of its entries: the heads of what a site holds.
// Both sides usually know the same membership log; then the actors need not be named, and those
// that have ended and are held to their end take no byte:
//
//   vector  = 0 | VersionVector                                          whole
//           | 1 | first 8 bytes of the membership digest                 positional
//             | count varint, (gap varint | seq varint)*   of the actors with a stated end those
//                                that are not held just to it; gap: how many ended ones between
//             | seq varint*      one for each other certificate, ascending by actor, 0 for none
//   chains  = 8 bytes for each entry that the vector names, ascending by actor
//
// Ten sites take 40 bytes in the positional form. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/entry.hpp"
#include "crdt/version_vector.hpp"
#include "net/wire/messages.hpp"

namespace inos::wire {

// The actors of one state of the membership, ascending, those of them that have ended, and its
// digest.
struct ActorTable {
    Digest membership{};
    std::vector<ActorId> actors;
    std::vector<DepHead> ends;  // ascending, each of one of the actors
};
ActorTable actor_table(Membership const& membership);

struct HeadBytes {
    std::string vector, chains;
};
// Of entries that are held, ascending by actor. Positional when a table is given that names every
// actor.
HeadBytes encode_heads(std::vector<DepHead> const& heads, ActorTable const* table);
// `tables`: those that the sender may have meant. nullopt: malformed, or none of them.
std::optional<std::vector<DepHead>> decode_heads(std::string_view vector,
                                                 std::string_view chains,
                                                 std::vector<ActorTable> const& tables);
// Precondition: as many chains as the vector has items, in its order.
std::vector<DepHead> heads_of(VersionVector const& vector, std::vector<ChainPrefix> const& chains);
VersionVector vector_of(std::vector<DepHead> const& heads);

// What hello and acknowledgements carry to compare what two sites hold: BLAKE2b-128 of the encoded
// vector and the chains of its entries, in its order. So equal ones are one and the same history.
Digest vector_digest(VersionVector const& vector, std::vector<ChainPrefix> const& chains);

}  // namespace inos::wire
