// The recovery code: printed once when a space is founded, kept on paper. Whoever has it can make a
// site an admin and retire those that were lost, even if no admin is left.
//
//   code  = "inosr1-" base32(version u8 (1) | secret 16 | first 4 bytes of
//           BLAKE2b-256("inos recovery code 1" | version | secret)), in groups of 6
//   key   = Ed25519 from the seed BLAKE2b-256("inos recovery key 1" | secret)
//
// The space's membership log holds the public key only (storage/statement.hpp). Any thread. Never
// log a code.
#pragma once

#include <string>
#include <string_view>

#include "storage/crypto/crypto.hpp"
#include "storage/result.hpp"

namespace inos {

struct Recovery {
    std::string code;
    crypto::SigningKey key;
};

Recovery make_recovery();
// The nonce of the genesis of a space that is founded with this key (its public half).
crypto::Hash16 recovery_nonce(crypto::PublicKey const& key);
// Errc::invalid: mistyped, cut off, or no recovery code.
Result<crypto::SigningKey> read_recovery_code(std::string_view code);

}  // namespace inos
