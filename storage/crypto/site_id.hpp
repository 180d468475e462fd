// The site id as people see it: the Ed25519 identity key in base32 with two check characters.
//
//   text = 9 groups of 6 characters joined by "-": 52 of base32(key), 2 of check
//   check = the first 10 bits of BLAKE2b-256("inos site id 1" | key)
//
// Reading forgives case, missing or other grouping, and o, i, l for 0, 1, 1. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "storage/crypto/crypto.hpp"
#include "storage/result.hpp"

namespace inos {

std::string site_id_text(crypto::PublicKey const& site);

// Errc::invalid says what is wrong: a character and its position, the length, or a typing error
// (one in 1,024 of those goes unnoticed here; the key then matches no site).
Result<crypto::PublicKey> parse_site_id(std::string_view text);

// The first 8 characters (40 bits): for logs and tables, never to decide anything.
std::string site_id_short(crypto::PublicKey const& site);

}  // namespace inos
