// Noise Protocol Framework, revision 34, for the two patterns and the one suite that sites speak:
// Noise_XX_25519_ChaChaPoly_BLAKE2b and Noise_XXpsk3_25519_ChaChaPoly_BLAKE2b.
//
//   -> e                       message 1: 32 bytes + payload (48 with psk3: the payload is sealed)
//   <- e, ee, s, es            message 2: 96 bytes + payload
//   -> s, se [, psk]           message 3: 64 bytes + payload
//
// The classes have the names and the steps of the specification's section 5, so that the two can be
// read side by side. There is no negotiation: whoever wants another suite needs another wire
// version.
//
// Contract: messages alternate, the initiator writes first; calling out of turn is a bug and
// asserts. After the first error a HandshakeState is dead and repeats an error. An all-zero DH
// result (a low-order key of the peer) ends the handshake. Keys are overwritten when they are no
// longer needed. Threads: a value used by one thread at a time. Errors: Errc::protocol.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/crypto/crypto.hpp"
#include "storage/result.hpp"

namespace inos {

enum class ChannelRole { initiator, responder };
enum class ChannelPattern { xx, xxpsk3 };

// The full protocol name, for example "Noise_XX_25519_ChaChaPoly_BLAKE2b".
std::string_view noise_protocol_name(ChannelPattern pattern);

inline constexpr std::size_t kNoiseMessageBytesMax = 65'535;
inline constexpr std::size_t kNoiseTagBytes = 16;
inline constexpr std::size_t kNoisePlaintextBytesMax = kNoiseMessageBytesMax - kNoiseTagBytes;

// HASH output and chaining key of the suite. Overwritten when destroyed.
struct NoiseHash {
    std::array<std::uint8_t, 64> bytes{};

    NoiseHash() = default;
    NoiseHash(NoiseHash const&) = default;
    NoiseHash& operator=(NoiseHash const&) = default;
    ~NoiseHash();
    std::string_view view() const {
        return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
    }
};

// A key and the counter of the messages sealed with it. Without a key, texts pass unchanged.
class CipherState {
public:
    CipherState() = default;
    explicit CipherState(crypto::Secret key) : key_(std::move(key)) {}

    bool has_key() const { return key_.has_value(); }
    // Number of messages so far: the nonce of the next one. rekey() does not reset it.
    std::uint64_t counter() const { return counter_; }
    // The plaintext must leave room for the tag in a Noise message.
    Result<std::string> encrypt(std::string_view associated, std::string_view plaintext);
    // A failed decryption leaves the counter where it was.
    Result<std::string> decrypt(std::string_view associated, std::string_view ciphertext);
    // The specification's REKEY: both ends must call it between the same two messages.
    void rekey();

private:
    std::optional<crypto::Secret> key_;
    std::uint64_t counter_ = 0;
};

struct TransportPair {
    CipherState send;
    CipherState receive;
};

class SymmetricState {
public:
    explicit SymmetricState(std::string_view protocol_name);

    void mix_key(std::string_view input);
    void mix_hash(std::string_view data);
    void mix_key_and_hash(std::string_view input);
    Result<std::string> encrypt_and_hash(std::string_view plaintext);
    Result<std::string> decrypt_and_hash(std::string_view ciphertext);
    bool has_key() const { return cipher_.has_key(); }
    std::string_view handshake_hash() const { return hash_.view(); }
    // First for the initiator's messages, second for the responder's.
    std::array<CipherState, 2> split() const;

private:
    NoiseHash chaining_key_;
    NoiseHash hash_;
    CipherState cipher_;
};

struct HandshakeOptions {
    ChannelRole role = ChannelRole::initiator;
    ChannelPattern pattern = ChannelPattern::xx;
    std::string prologue;
    crypto::KeyPair static_key;
    std::optional<crypto::Secret> psk;                 // exactly when the pattern is xxpsk3
    std::optional<crypto::KeyPair> fixed_ephemeral{};  // for test vectors only
};

class HandshakeState {
public:
    explicit HandshakeState(HandshakeOptions options);

    Result<std::string> write_message(std::string_view payload);
    Result<std::string> read_message(std::string_view message);  // the payload

    // All three messages were written and read.
    bool done() const { return !dead_ && step_ == 3; }
    // Known after message 2 (initiator) or message 3 (responder).
    std::optional<crypto::PublicKey> const& remote_static() const { return remote_static_; }
    // 64 bytes, the same on both sides and unique to this handshake; call it when done().
    std::string handshake_hash() const;
    // The keys of the transport messages; call it once, when done(). Wipes the handshake's secrets.
    TransportPair split();

private:
    Result<std::string> write_tokens(std::string_view payload);
    Result<std::string> read_tokens(std::string_view message);
    Result<void> mix_dh(crypto::KeyPair const& own, crypto::PublicKey const& remote);
    void mix_ephemeral(crypto::PublicKey const& key);
    bool own_turn() const;
    Result<void> check_alive() const;
    void wipe();

    HandshakeOptions options_;
    SymmetricState symmetric_;
    crypto::KeyPair ephemeral_;
    crypto::PublicKey remote_ephemeral_{};
    std::optional<crypto::PublicKey> remote_static_;
    int step_ = 0;  // messages written or read so far
    bool dead_ = false;
};

}  // namespace inos
