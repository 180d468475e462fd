// The only door to libsodium's hashes, signatures, seals and randomness. Thin, total, and without
// policy: what is hashed, signed or sealed is decided by the callers, who each put their own
// constant in front so that nothing signed for one purpose can be taken for another
// (docs/protocol.md).
//
// Thread safety: every function may be called from any thread after init(). Cost on one core of the
// machine of docs/benchmarks.md: sign 37 us, verify 97 us, BLAKE2b 606 MB/s, AEAD 1,038 MB/s.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace inos::crypto {

using Hash32 = std::array<std::uint8_t, 32>;
using Hash16 = std::array<std::uint8_t, 16>;
using PublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

// Initialises libsodium; aborts the program if it cannot (no entropy source). Idempotent.
void init();

// 32 secret bytes: overwritten when destroyed or moved from, never printed, compared in constant
// time.
class Secret {
public:
    Secret() noexcept { bytes_.fill(0); }
    explicit Secret(std::string_view bytes);  // asserts 32 bytes
    Secret(Secret const&) = default;
    Secret& operator=(Secret const&) = default;
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    ~Secret();

    static Secret random();
    std::uint8_t const* data() const { return bytes_.data(); }
    std::uint8_t* data() { return bytes_.data(); }
    static constexpr std::size_t size() { return 32; }
    std::string_view view() const;
    bool operator==(Secret const& other) const;

private:
    std::array<std::uint8_t, 32> bytes_;
};

void random_bytes(void* out, std::size_t size);
std::uint64_t random_u64();

// BLAKE2b (RFC 7693) with the given output length, optionally keyed (at most 64 bytes of key).
Hash32 hash32(std::string_view data, std::string_view key = {});
Hash16 hash16(std::string_view data, std::string_view key = {});

// Incremental BLAKE2b-256.
class Hasher32 {
public:
    explicit Hasher32(std::string_view key = {});
    Hasher32& add(std::string_view data);
    Hash32 finish();

private:
    alignas(64) std::array<std::uint8_t, 384> state_;  // crypto_generichash_state
};

// Ed25519 (RFC 8032). libsodium refuses non-canonical S and small-order keys.
struct SigningKey {
    Secret seed;
    PublicKey public_key{};

    static SigningKey generate();
    static SigningKey from_seed(Secret const& seed);
};
Signature sign(SigningKey const& key, std::string_view message);
bool verify(PublicKey const& key, std::string_view message, Signature const& signature);

// X25519 (RFC 7748).
struct KeyPair {
    Secret secret;
    PublicKey public_key{};

    static KeyPair generate();
    static KeyPair from_secret(Secret const& secret);
};

// crypto_box_seal: anonymous encryption to an X25519 key; 48 bytes longer than the message.
std::string box_seal(PublicKey const& to, std::string_view message);
std::optional<std::string> box_open(KeyPair const& key, std::string_view sealed);

// XChaCha20-Poly1305 with a random 24-byte nonce in front; 40 bytes longer than the message.
std::string seal(Secret const& key, std::string_view message, std::string_view associated);
std::optional<std::string> open(Secret const& key,
                                std::string_view sealed,
                                std::string_view associated);

// Argon2id (RFC 9106): how hard it is to try a passphrase.
struct PassphraseCost {
    std::uint32_t passes = 3;
    std::uint32_t memory_kib = 256u << 10;
};
inline constexpr PassphraseCost kPassphraseCostMax{16, 4u << 20};  // of what is read
// nullopt: there is no memory for it, or the cost is out of bounds.
std::optional<Secret> passphrase_key(std::string_view passphrase,
                                     Hash16 const& salt,
                                     PassphraseCost const& cost);

// Constant-time comparison of two strings of equal length; false at once when lengths differ.
bool equal(std::string_view a, std::string_view b);

inline std::string_view view(Hash32 const& h) {
    return {reinterpret_cast<char const*>(h.data()), h.size()};
}
inline std::string_view view(Hash16 const& h) {
    return {reinterpret_cast<char const*>(h.data()), h.size()};
}
inline std::string_view view(Signature const& s) {
    return {reinterpret_cast<char const*>(s.data()), s.size()};
}

std::string hex(std::string_view bytes);
// RFC 4648, section 5, without padding.
std::string base64url(std::string_view bytes);
std::optional<std::string> unbase64url(std::string_view text);
std::optional<std::string> unhex(std::string_view text);

}  // namespace inos::crypto
