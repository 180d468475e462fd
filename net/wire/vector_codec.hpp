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

// What hello and acknowledgements carry to compare vectors: BLAKE2b-128 of the encoded vector.
Digest vector_digest(VersionVector const& vector);

}  // namespace inos::wire
