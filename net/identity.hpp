// What a site says of itself in frame 2 or 3 of the handshake: its certified keys, and the
// certificate of its membership with those of its issuers, so that a site that knows none of them
// can let it in.
//
//   identity  = site key certificate blob | membership certificates: count, blob* (at most 8)
//             | extension blob
//
// When pairing the list is empty. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/crypto/site_key_certificate.hpp"
#include "storage/result.hpp"

namespace inos {

inline constexpr std::size_t kIdentityCertificatesMax = 8;
// Of certificates together, so that the identity fits into a handshake frame.
inline constexpr std::size_t kIdentityCertificateBytesMax = 12 << 10;

struct Identity {
    SiteKeyCertificate keys;
    std::vector<std::string> certificates;
};

std::string encode_identity(Identity const& identity);

// Decodes and checks that the site certifies this channel key. Errc::protocol otherwise.
Result<Identity> check_identity(std::string_view payload, crypto::PublicKey const& channel_key);

}  // namespace inos
