#include "storage/crypto/crypto.hpp"

#include <cstring>

#include <sodium.h>

#include "storage/result.hpp"

namespace inos::crypto {
namespace {

unsigned char const* bytes(std::string_view s) {
    return reinterpret_cast<unsigned char const*>(s.data());
}
unsigned char* bytes(std::string& s) {
    return reinterpret_cast<unsigned char*>(s.data());
}

template <std::size_t N>
std::array<std::uint8_t, N> blake2b(std::string_view data, std::string_view key) {
    std::array<std::uint8_t, N> out;
    INOS_ASSERT(key.size() <= crypto_generichash_KEYBYTES_MAX);
    crypto_generichash(
        out.data(), N, bytes(data), data.size(), key.empty() ? nullptr : bytes(key), key.size());
    return out;
}

}  // namespace

void init() {
    INOS_ASSERT(sodium_init() >= 0);
}

Secret::Secret(std::string_view bytes) {
    INOS_ASSERT(bytes.size() == size());
    std::memcpy(bytes_.data(), bytes.data(), size());
}
Secret::Secret(Secret&& other) noexcept : bytes_(other.bytes_) {
    sodium_memzero(other.bytes_.data(), size());
}
Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        bytes_ = other.bytes_;
        sodium_memzero(other.bytes_.data(), size());
    }
    return *this;
}
Secret::~Secret() {
    sodium_memzero(bytes_.data(), size());
}
Secret Secret::random() {
    Secret secret;
    randombytes_buf(secret.data(), size());
    return secret;
}
std::string_view Secret::view() const {
    return {reinterpret_cast<char const*>(bytes_.data()), size()};
}
bool Secret::operator==(Secret const& other) const {
    return sodium_memcmp(data(), other.data(), size()) == 0;
}

void random_bytes(void* out, std::size_t size) {
    randombytes_buf(out, size);
}
std::uint64_t random_u64() {
    std::uint64_t value = 0;
    randombytes_buf(&value, sizeof value);
    return value;
}

Hash32 hash32(std::string_view data, std::string_view key) {
    return blake2b<32>(data, key);
}
Hash16 hash16(std::string_view data, std::string_view key) {
    return blake2b<16>(data, key);
}

Hasher32::Hasher32(std::string_view key) {
    static_assert(sizeof(crypto_generichash_state) <= sizeof(state_));
    crypto_generichash_init(reinterpret_cast<crypto_generichash_state*>(state_.data()),
                            key.empty() ? nullptr : bytes(key),
                            key.size(),
                            32);
}
Hasher32& Hasher32::add(std::string_view data) {
    crypto_generichash_update(
        reinterpret_cast<crypto_generichash_state*>(state_.data()), bytes(data), data.size());
    return *this;
}
Hash32 Hasher32::finish() {
    Hash32 out;
    crypto_generichash_final(
        reinterpret_cast<crypto_generichash_state*>(state_.data()), out.data(), out.size());
    return out;
}

SigningKey SigningKey::generate() {
    return from_seed(Secret::random());
}
SigningKey SigningKey::from_seed(Secret const& seed) {
    SigningKey key;
    key.seed = seed;
    std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> expanded;
    crypto_sign_seed_keypair(key.public_key.data(), expanded.data(), seed.data());
    sodium_memzero(expanded.data(), expanded.size());
    return key;
}
Signature sign(SigningKey const& key, std::string_view message) {
    std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> expanded;  // seed, then public key
    std::memcpy(expanded.data(), key.seed.data(), 32);
    std::memcpy(expanded.data() + 32, key.public_key.data(), 32);
    Signature signature;
    crypto_sign_detached(
        signature.data(), nullptr, bytes(message), message.size(), expanded.data());
    sodium_memzero(expanded.data(), expanded.size());
    return signature;
}
bool verify(PublicKey const& key, std::string_view message, Signature const& signature) {
    return crypto_sign_verify_detached(
               signature.data(), bytes(message), message.size(), key.data()) == 0;
}

KeyPair KeyPair::generate() {
    return from_secret(Secret::random());
}
KeyPair KeyPair::from_secret(Secret const& secret) {
    KeyPair pair;
    pair.secret = secret;
    crypto_scalarmult_curve25519_base(pair.public_key.data(), secret.data());
    return pair;
}

std::string box_seal(PublicKey const& to, std::string_view message) {
    std::string out(message.size() + crypto_box_SEALBYTES, '\0');
    bool const sealed = crypto_box_seal(bytes(out), bytes(message), message.size(), to.data()) == 0;
    return sealed ? out : std::string();
}
std::optional<std::string> box_open(KeyPair const& key, std::string_view sealed) {
    if (sealed.size() < crypto_box_SEALBYTES) return std::nullopt;
    std::string out(sealed.size() - crypto_box_SEALBYTES, '\0');
    if (crypto_box_seal_open(
            bytes(out), bytes(sealed), sealed.size(), key.public_key.data(), key.secret.data()) !=
        0)
        return std::nullopt;
    return out;
}

namespace {
constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
}  // namespace

std::string seal(Secret const& key, std::string_view message, std::string_view associated) {
    std::string out(kNonce + message.size() + kTag, '\0');
    randombytes_buf(out.data(), kNonce);
    crypto_aead_xchacha20poly1305_ietf_encrypt(bytes(out) + kNonce,
                                               nullptr,
                                               bytes(message),
                                               message.size(),
                                               bytes(associated),
                                               associated.size(),
                                               nullptr,
                                               bytes(out),
                                               key.data());
    return out;
}
std::optional<std::string> open(Secret const& key,
                                std::string_view sealed,
                                std::string_view associated) {
    if (sealed.size() < kNonce + kTag) return std::nullopt;
    std::string out(sealed.size() - kNonce - kTag, '\0');
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(bytes(out),
                                                   nullptr,
                                                   nullptr,
                                                   bytes(sealed) + kNonce,
                                                   sealed.size() - kNonce,
                                                   bytes(associated),
                                                   associated.size(),
                                                   bytes(sealed),
                                                   key.data()) != 0)
        return std::nullopt;
    return out;
}

std::optional<Secret> passphrase_key(std::string_view passphrase,
                                     Hash16 const& salt,
                                     PassphraseCost const& cost) {
    static_assert(crypto_pwhash_SALTBYTES == sizeof(Hash16));
    bool const sane = cost.passes >= crypto_pwhash_OPSLIMIT_MIN &&
                      cost.passes <= kPassphraseCostMax.passes &&
                      cost.memory_kib >= crypto_pwhash_MEMLIMIT_MIN / 1024 &&
                      cost.memory_kib <= kPassphraseCostMax.memory_kib;
    Secret key;
    if (!sane || crypto_pwhash(key.data(),
                               Secret::size(),
                               passphrase.data(),
                               passphrase.size(),
                               salt.data(),
                               cost.passes,
                               std::size_t{cost.memory_kib} << 10,
                               crypto_pwhash_ALG_ARGON2ID13) != 0)
        return std::nullopt;
    return key;
}

bool equal(std::string_view a, std::string_view b) {
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string base64url(std::string_view bytes) {
    constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    std::string out(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
    sodium_bin2base64(out.data(),
                      out.size(),
                      reinterpret_cast<unsigned char const*>(bytes.data()),
                      bytes.size(),
                      kVariant);
    out.pop_back();  // the end of a C string
    return out;
}

std::optional<std::string> unbase64url(std::string_view text) {
    std::string out(text.size(), '\0');
    std::size_t size = 0;
    char const* end = nullptr;
    int const wrong = sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()),
                                        out.size(),
                                        text.data(),
                                        text.size(),
                                        nullptr,
                                        &size,
                                        &end,
                                        sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    if (wrong != 0 || end != text.data() + text.size()) return std::nullopt;
    out.resize(size);
    return out;
}

std::string hex(std::string_view data) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    out.reserve(data.size() * 2);
    for (unsigned char c : data) {
        out += kDigits[c >> 4];
        out += kDigits[c & 15];
    }
    return out;
}
std::optional<std::string> unhex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    auto digit = [](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    };
    std::string out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        int const high = digit(text[i]), low = digit(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high << 4 | low);
    }
    return out;
}

}  // namespace inos::crypto
