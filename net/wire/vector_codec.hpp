// A version vector on the wire. Both sides usually know the same certificates; then the actors need
// not be named:
//
//   vector  = 0 | VersionVector                                        whole
//           | 1 | first 8 bytes of the membership digest | seq varint*   positional: one seq for
//                                                        each certificate, ascending by actor
//
// Ten sites take about 41 bytes in the positional form. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/entry.hpp"
#include "crdt/version_vector.hpp"
#include "net/wire/messages.hpp"

namespace inos::wire {

// The actors of one state of the membership, ascending, and its digest.
struct ActorTable {
    Digest membership{};
    std::vector<ActorId> actors;
};
ActorTable actor_table(Membership const& membership);

// Positional when a table is given that names every actor of the vector.
std::string encode_vector(VersionVector const& vector, ActorTable const* table);
// `tables`: those that the sender may have meant. nullopt: malformed, or none of them.
std::optional<VersionVector> decode_vector(std::string_view bytes,
                                           std::vector<ActorTable> const& tables);

// What hello and acknowledgements carry to compare what two sites hold: BLAKE2b-128 of the encoded
// vector and the chains of its entries, in its order. So equal ones are one and the same history.
Digest vector_digest(VersionVector const& vector, std::vector<ChainPrefix> const& chains);

// The chains of a vector's entries, in its order. nullopt: not as many as the vector names actors.
std::string encode_chains(std::vector<ChainPrefix> const& chains);
std::optional<std::vector<DepHead>> decode_heads(VersionVector const& vector,
                                                 std::string_view chains);

}  // namespace inos::wire
