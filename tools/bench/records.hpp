// The business records that all figures use: a deterministic generator in 32-bit integer
// arithmetic, so that any language can make the same bytes. Eight fields, six of text and two of
// numbers, about 300 bytes of JSON with the key.
#pragma once

#include <cstdint>
#include <string>

#include "crdt/value.hpp"

namespace inos::bench {

inline constexpr std::uint32_t kSeed = 20260101;

std::string record_id(std::uint32_t i);
Object record(std::uint32_t i, std::uint32_t seed = kSeed);
// A permutation of 0..n-1 for n that is no multiple of 7919.
std::uint32_t permuted(std::uint32_t j, std::uint32_t n);
std::uint32_t mix(std::uint32_t a);

}  // namespace inos::bench
