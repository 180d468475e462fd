// What a site says of itself: its name, its channel key and its sealing key, signed by its identity
// key. Peers read it in the handshake and believe the keys only with the signature. A certificate
// with a higher serial replaces one with a lower; equal serials with other contents: keep the
// first.
//
//   encoded = version 1 = 1 | site id 32 | blob name | channel key 32 | sealing key 32 |
//             varint serial (from 1) | signature 64
//   signed  = "inos site keys 1" | encoded without its signature
//
// The constant keeps this signature from being taken for one over an entry, a membership change or
// an invite. Encoding is canonical: equal certificates have equal bytes. Plain values, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/crypto/crypto.hpp"
#include "storage/crypto/key_files.hpp"
#include "storage/result.hpp"

namespace inos {

struct SiteKeyCertificate {
    crypto::PublicKey site{};  // the Ed25519 identity key
    std::string name;          // 1 to 256 bytes of UTF-8 without control characters
    crypto::PublicKey channel_key{};
    crypto::PublicKey sealing_key{};
    std::uint64_t serial = 1;
    crypto::Signature signature{};

    bool operator==(SiteKeyCertificate const&) const = default;
};

// Errc::invalid when the name is not acceptable or the serial is 0.
Result<SiteKeyCertificate> make_site_key_certificate(SiteKeys const& keys,
                                                     std::string name,
                                                     std::uint64_t serial);

std::string encode(SiteKeyCertificate const& certificate);

// The shape only; the signature is for verify(). Errc::unsupported for a newer version, else
// Errc::protocol.
Result<SiteKeyCertificate> decode_site_key_certificate(std::string_view bytes);

// Errc::protocol when the signature is not the site's.
Result<void> verify(SiteKeyCertificate const& certificate);

}  // namespace inos
