#include "net/noise.hpp"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <limits>

#include <sodium.h>

namespace inos {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kHashBytes = 64;
constexpr std::size_t kBlockBytes = 128;  // of BLAKE2b, for HMAC
// The nonce 2^64-1 is reserved for rekey().
constexpr std::uint64_t kCounterEnd = std::numeric_limits<std::uint64_t>::max();

using Block = std::array<std::uint8_t, kBlockBytes>;

unsigned char const* raw(std::string_view text) {
    return reinterpret_cast<unsigned char const*>(text.data());
}
unsigned char* raw(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

std::string_view view(crypto::PublicKey const& key) {
    return {reinterpret_cast<char const*>(key.data()), key.size()};
}

NoiseHash hash(std::initializer_list<std::string_view> parts) {
    NoiseHash out;
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, nullptr, 0, kHashBytes);
    for (std::string_view part : parts)
        crypto_generichash_blake2b_update(&state, raw(part), part.size());
    crypto_generichash_blake2b_final(&state, out.bytes.data(), kHashBytes);
    sodium_memzero(&state, sizeof state);
    return out;
}

// RFC 2104 over HASH. (Keyed BLAKE2b is another function.) The key is never longer than a block.
NoiseHash hmac(std::string_view key, std::initializer_list<std::string_view> parts) {
    Block block{};
    std::memcpy(block.data(), key.data(), key.size());
    auto const block_view = [&block] {
        return std::string_view(reinterpret_cast<char const*>(block.data()), block.size());
    };

    for (auto& byte : block)
        byte ^= 0x36;
    NoiseHash inner;
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, nullptr, 0, kHashBytes);
    crypto_generichash_blake2b_update(&state, block.data(), block.size());
    for (std::string_view part : parts)
        crypto_generichash_blake2b_update(&state, raw(part), part.size());
    crypto_generichash_blake2b_final(&state, inner.bytes.data(), kHashBytes);
    sodium_memzero(&state, sizeof state);

    for (auto& byte : block)
        byte ^= 0x36 ^ 0x5c;
    NoiseHash const out = hash({block_view(), inner.view()});
    sodium_memzero(block.data(), block.size());
    return out;
}

// HKDF with three outputs; callers who need two ignore the last.
std::array<NoiseHash, 3> hkdf(NoiseHash const& chaining_key, std::string_view input) {
    NoiseHash const temp = hmac(chaining_key.view(), {input});
    std::array<NoiseHash, 3> out;
    out[0] = hmac(temp.view(), {std::string_view("\x01", 1)});
    out[1] = hmac(temp.view(), {out[0].view(), std::string_view("\x02", 1)});
    out[2] = hmac(temp.view(), {out[1].view(), std::string_view("\x03", 1)});
    return out;
}

crypto::Secret first_32(NoiseHash const& output) {
    return crypto::Secret(output.view().substr(0, kKeyBytes));
}

using Nonce = std::array<std::uint8_t, crypto_aead_chacha20poly1305_ietf_NPUBBYTES>;

Nonce nonce_of(std::uint64_t counter) {
    Nonce nonce{};  // four zero bytes, then the counter, little-endian
    for (std::size_t i = 0; i < 8; ++i)
        nonce[4 + i] = static_cast<std::uint8_t>(counter >> 8 * i);
    return nonce;
}

std::string seal(crypto::Secret const& key,
                 std::uint64_t counter,
                 std::string_view associated,
                 std::string_view plaintext) {
    std::string out(plaintext.size() + kNoiseTagBytes, '\0');
    Nonce const nonce = nonce_of(counter);
    crypto_aead_chacha20poly1305_ietf_encrypt(raw(out),
                                              nullptr,
                                              raw(plaintext),
                                              plaintext.size(),
                                              raw(associated),
                                              associated.size(),
                                              nullptr,
                                              nonce.data(),
                                              key.data());
    return out;
}

auto too_long(std::size_t size) {
    return fail(Errc::protocol,
                "a Noise message of " + std::to_string(size) + " bytes is over the limit of " +
                    std::to_string(kNoiseMessageBytesMax));
}

}  // namespace

std::string_view noise_protocol_name(ChannelPattern pattern) {
    return pattern == ChannelPattern::xx ? "Noise_XX_25519_ChaChaPoly_BLAKE2b"
                                         : "Noise_XXpsk3_25519_ChaChaPoly_BLAKE2b";
}

NoiseHash::~NoiseHash() {
    sodium_memzero(bytes.data(), bytes.size());
}

Result<std::string> CipherState::encrypt(std::string_view associated, std::string_view plaintext) {
    if (!key_) return std::string(plaintext);
    if (plaintext.size() > kNoisePlaintextBytesMax)
        return too_long(plaintext.size() + kNoiseTagBytes);
    if (counter_ == kCounterEnd) return fail(Errc::protocol, "the message counter is used up");
    return seal(*key_, counter_++, associated, plaintext);
}

Result<std::string> CipherState::decrypt(std::string_view associated, std::string_view ciphertext) {
    if (!key_) return std::string(ciphertext);
    if (ciphertext.size() > kNoiseMessageBytesMax) return too_long(ciphertext.size());
    if (counter_ == kCounterEnd) return fail(Errc::protocol, "the message counter is used up");
    if (ciphertext.size() < kNoiseTagBytes)
        return fail(Errc::protocol,
                    "a sealed text of " + std::to_string(ciphertext.size()) +
                        " bytes is shorter than its tag");
    std::string out(ciphertext.size() - kNoiseTagBytes, '\0');
    Nonce const nonce = nonce_of(counter_);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(raw(out),
                                                  nullptr,
                                                  nullptr,
                                                  raw(ciphertext),
                                                  ciphertext.size(),
                                                  raw(associated),
                                                  associated.size(),
                                                  nonce.data(),
                                                  key_->data()) != 0)
        return fail(
            Errc::protocol,
            "message " + std::to_string(counter_) +
                " cannot be decrypted: it was changed, lost, repeated or meant for another");
    ++counter_;
    return out;
}

void CipherState::rekey() {
    INOS_ASSERT(key_.has_value());
    std::array<char, kKeyBytes> const zeros{};
    std::string sealed = seal(*key_, kCounterEnd, {}, std::string_view(zeros.data(), zeros.size()));
    *key_ = crypto::Secret(std::string_view(sealed).substr(0, kKeyBytes));
    sodium_memzero(sealed.data(), sealed.size());
}

SymmetricState::SymmetricState(std::string_view protocol_name) {
    INOS_ASSERT(protocol_name.size() <= kHashBytes);
    std::copy(protocol_name.begin(), protocol_name.end(), hash_.bytes.begin());
    chaining_key_ = hash_;
}

void SymmetricState::mix_key(std::string_view input) {
    auto const out = hkdf(chaining_key_, input);
    chaining_key_ = out[0];
    cipher_ = CipherState(first_32(out[1]));
}

void SymmetricState::mix_hash(std::string_view data) {
    hash_ = hash({hash_.view(), data});
}

void SymmetricState::mix_key_and_hash(std::string_view input) {
    auto const out = hkdf(chaining_key_, input);
    chaining_key_ = out[0];
    mix_hash(out[1].view());
    cipher_ = CipherState(first_32(out[2]));
}

Result<std::string> SymmetricState::encrypt_and_hash(std::string_view plaintext) {
    INOS_TRY(std::string ciphertext, cipher_.encrypt(hash_.view(), plaintext));
    mix_hash(ciphertext);
    return ciphertext;
}

Result<std::string> SymmetricState::decrypt_and_hash(std::string_view ciphertext) {
    INOS_TRY(std::string plaintext, cipher_.decrypt(hash_.view(), ciphertext));
    mix_hash(ciphertext);
    return plaintext;
}

std::array<CipherState, 2> SymmetricState::split() const {
    auto const out = hkdf(chaining_key_, {});
    return {CipherState(first_32(out[0])), CipherState(first_32(out[1]))};
}

HandshakeState::HandshakeState(HandshakeOptions options)
    : options_(std::move(options)), symmetric_(noise_protocol_name(options_.pattern)) {
    INOS_ASSERT(options_.psk.has_value() == (options_.pattern == ChannelPattern::xxpsk3));
    symmetric_.mix_hash(options_.prologue);
}

bool HandshakeState::own_turn() const {
    return (step_ % 2 == 0) == (options_.role == ChannelRole::initiator);
}

Result<void> HandshakeState::check_alive() const {
    if (dead_) return fail(Errc::protocol, "the handshake has already failed");
    return {};
}

Result<std::string> HandshakeState::write_message(std::string_view payload) {
    INOS_CHECK(check_alive());
    INOS_ASSERT(step_ < 3 && own_turn());
    auto message = write_tokens(payload);
    if (message && message->size() > kNoiseMessageBytesMax) message = too_long(message->size());
    if (!message) {
        wipe();
        dead_ = true;
        return message;
    }
    ++step_;
    return message;
}

Result<std::string> HandshakeState::read_message(std::string_view message) {
    INOS_CHECK(check_alive());
    INOS_ASSERT(step_ < 3 && !own_turn());
    Result<std::string> payload = fail(Errc::internal, "not read");
    if (message.size() > kNoiseMessageBytesMax)
        payload = too_long(message.size());
    else
        payload = read_tokens(message);
    if (!payload) {
        wipe();
        dead_ = true;
        return tl::unexpected<Error>(
            payload.error().prefixed("handshake message " + std::to_string(step_ + 1)));
    }
    ++step_;
    return payload;
}

// Message 1 and 2 begin with e, message 2 and 3 carry s. The DH "es" joins the initiator's
// ephemeral with the responder's static key, "se" the other way round.
Result<std::string> HandshakeState::write_tokens(std::string_view payload) {
    std::string out;
    if (step_ != 2) {
        ephemeral_ =
            options_.fixed_ephemeral ? *options_.fixed_ephemeral : crypto::KeyPair::generate();
        out += view(ephemeral_.public_key);
        mix_ephemeral(ephemeral_.public_key);
    }
    if (step_ == 1) {  // ee
        INOS_CHECK(mix_dh(ephemeral_, remote_ephemeral_));
    }
    if (step_ != 0) {
        INOS_TRY(auto sealed, symmetric_.encrypt_and_hash(view(options_.static_key.public_key)));
        out += sealed;
        INOS_CHECK(mix_dh(options_.static_key, remote_ephemeral_));  // es in 2, se in 3
    }
    if (step_ == 2 && options_.psk) symmetric_.mix_key_and_hash(options_.psk->view());
    INOS_TRY(auto sealed, symmetric_.encrypt_and_hash(payload));
    return out + sealed;
}

Result<std::string> HandshakeState::read_tokens(std::string_view message) {
    constexpr std::size_t kSealedKey = kKeyBytes + kNoiseTagBytes;
    constexpr std::array<std::size_t, 3> kNeeded{kKeyBytes, kKeyBytes + kSealedKey, kSealedKey};
    std::size_t const needed = kNeeded[static_cast<std::size_t>(step_)];
    if (message.size() < needed)
        return fail(Errc::protocol, std::to_string(message.size()) + " bytes are too short");
    auto const take = [&message](std::size_t size) {
        std::string_view const part = message.substr(0, size);
        message.remove_prefix(size);
        return part;
    };
    if (step_ != 2) {
        std::memcpy(remote_ephemeral_.data(), take(kKeyBytes).data(), kKeyBytes);
        mix_ephemeral(remote_ephemeral_);
    }
    if (step_ == 1) {  // ee
        INOS_CHECK(mix_dh(ephemeral_, remote_ephemeral_));
    }
    if (step_ != 0) {
        INOS_TRY(auto key, symmetric_.decrypt_and_hash(take(kSealedKey)));
        crypto::PublicKey remote;
        std::memcpy(remote.data(), key.data(), kKeyBytes);
        INOS_CHECK(mix_dh(ephemeral_, remote));  // es in 2, se in 3
        remote_static_ = remote;
    }
    if (step_ == 2 && options_.psk) symmetric_.mix_key_and_hash(options_.psk->view());
    return symmetric_.decrypt_and_hash(message);
}

void HandshakeState::mix_ephemeral(crypto::PublicKey const& key) {
    symmetric_.mix_hash(view(key));
    // With a pre-shared key the ephemeral keys randomise the encryption keys too (section 9.2).
    if (options_.psk) symmetric_.mix_key(view(key));
}

Result<void> HandshakeState::mix_dh(crypto::KeyPair const& own, crypto::PublicKey const& remote) {
    crypto::Secret shared;
    if (crypto_scalarmult_curve25519(shared.data(), own.secret.data(), remote.data()) != 0)
        return fail(Errc::protocol,
                    "the peer sent a key of low order, which would give no secrecy");
    symmetric_.mix_key(shared.view());
    return {};
}

std::string HandshakeState::handshake_hash() const {
    INOS_ASSERT(done());
    return std::string(symmetric_.handshake_hash());
}

TransportPair HandshakeState::split() {
    INOS_ASSERT(done());
    auto [first, second] = symmetric_.split();
    wipe();
    if (options_.role == ChannelRole::initiator) return {std::move(first), std::move(second)};
    return {std::move(second), std::move(first)};
}

void HandshakeState::wipe() {
    // Assigning a fresh state overwrites chaining key and cipher key in place; the handshake hash,
    // which is no secret, is put out of reach as well, so callers take it before split().
    symmetric_ = SymmetricState({});
    ephemeral_ = {};
    options_.static_key = {};
    options_.psk.reset();
    options_.fixed_ephemeral.reset();
    dead_ = true;
}

}  // namespace inos
