// The pairing code: one line of text that an admin hands to a new site over a channel that people
// trust (a call, a message), and that lets exactly one site in.
//
//   code     = "inos1-" base32(body | check 4)      check: start of BLAKE2b-256(constant | body)
//   body     = version 1 = 1 | inviter id hash 16 | invite id 8 | secret 16 | varint expires_unix_s
//   |
//              count 1 (at most 8) | address*
//   address  = scheme 1 (0 "ws://", 1 "wss://") | blob HOST:PORT
//
// About 120 characters with one address. The secret has 128 bits because whoever plays the inviter
// can test guesses offline; it enters the handshake only through pairing_psk(). The inviter keeps
// the psk, not the secret. Codes are one-use and expire: that is the inviter's list to keep.
//
// Plain functions, any thread. Never log an encoded code.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/crypto/crypto.hpp"
#include "storage/result.hpp"

namespace inos {

inline constexpr std::size_t kPairingAddressesMax = 8;
inline constexpr std::size_t kPairingAddressBytesMax = 255;
inline constexpr std::size_t kPairingCodeCharsMax = 8'192;  // also with generous white space

using InviteId = std::array<std::uint8_t, 8>;
using PairingSecret = std::array<std::uint8_t, 16>;

struct PairingCode {
    std::vector<std::string> addresses;  // ws://HOST:PORT or wss://HOST:PORT, tried in order
    crypto::Hash16 inviter_id_hash{};
    InviteId invite_id{};
    PairingSecret secret{};  // overwritten by the destructor
    std::uint64_t expires_unix_s = 0;

    ~PairingCode();
    bool operator==(PairingCode const&) const = default;
};

// Errc::invalid for too many addresses or one that is not ws://HOST:PORT.
Result<std::string> encode_pairing_code(PairingCode const& code);

// Errc::invalid: wrong prefix, a bad character with its position, mistyped or cut off.
// Errc::unsupported: made by a newer version. Does not look at the expiry.
Result<PairingCode> decode_pairing_code(std::string_view text);

// Whether `address` can be dialled: ws:// or wss://, host (IPv6 in brackets), port from 1 to 65535.
Result<void> check_pairing_address(std::string_view address);

// The first 16 bytes of BLAKE2b-256 of the inviter's Ed25519 key.
crypto::Hash16 inviter_id_hash(crypto::PublicKey const& inviter);

// BLAKE2b-256("inos pairing psk 1" | secret): the psk of Noise_XXpsk3.
crypto::Secret pairing_psk(PairingSecret const& secret);

}  // namespace inos
