// The encrypted, authenticated, ordered channel between two sites, as a machine without I/O: frames
// in, frames and application messages out. A frame is one Noise message and travels as one binary
// WebSocket message. (docs/protocol.md)
//
//   initiator                                   responder
//   start()          -- frame 1: e -->          receive()
//   receive()        <-- frame 2: e, s, payload --
//     owner looks at Received::peer: is it the site that was meant to be dialled?
//   approve()        -- frame 3: s, payload -->  receive()
//                                                 owner looks at Received::peer: is it admitted?
//                                                approve()
//   send(), end()    <-- transport frames -->    send(), end()
//
//   frame            = Noise message, 1 to 65,535 bytes
//   frame 1          = 32 bytes (48 with psk3): its payload is empty
//   frame 2, frame 3 = keys, then the sealed payload of the writer, at most 16,384 bytes of it
//   transport frame  = sealed(part)
//   part             = flag 1 | data 0 to 65,518
//   flag             = 0 the last part of a message | 1 more parts follow | 2 end of session, no
//   data message          = part(1)* part(0); parts with flag 1 are full, a part after them is not
//   empty,
//                      so a message has one encoding; at most 4 MiB of data together
//
// Each direction changes its key after every rekey_messages transport frames or rekey_bytes of them
// (sealed size), whichever comes first, both counted from the last change; both ends count alike. A
// direction carries at most messages_max frames, the last of which can only be the end of session.
//
// Contract: anything unexpected from the peer is an Errc::protocol error, and the channel is dead
// afterwards: every call fails, all keys are overwritten, an unfinished message is dropped. A
// connection that closes before Received::ended was cut off, and what is unfinished must not be
// used. Deadlines, the 24 h redial and who is admitted are the owner's business. Threads: used by
// one thread at a time. Cost: one ChaCha20-Poly1305 pass over each message.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/noise.hpp"
#include "storage/crypto/crypto.hpp"
#include "storage/result.hpp"

namespace inos {

inline constexpr std::size_t kMessageBytesMax = 4u << 20;
inline constexpr std::size_t kHandshakePayloadBytesMax = 16'384;
inline constexpr std::size_t kPartDataBytesMax = kNoisePlaintextBytesMax - 1;
inline constexpr std::uint32_t kWireVersion = 1;

// What was said in clear before the handshake and what both sides must mean alike.
struct PrologueInput {
    std::string_view websocket_path;
    std::string_view subprotocol;
    ChannelPattern pattern = ChannelPattern::xx;
    std::optional<std::array<std::uint8_t, 8>> invite_id{};  // exactly when pairing
    std::uint32_t wire_version = kWireVersion;
};

// blob "inos" | varint wire version | blob path | blob subprotocol | blob Noise protocol name |
// blob invite id (empty when not pairing)
std::string make_prologue(PrologueInput const& input);

// Six words that both sides show to the people at the keyboards: equal words mean that nobody sits
// in between. 48 bits of a hash of the handshake hash.
std::array<std::string_view, 6> six_words(std::string_view handshake_hash);

struct SecureChannelOptions {
    ChannelRole role = ChannelRole::initiator;
    ChannelPattern pattern = ChannelPattern::xx;
    std::string prologue;
    crypto::KeyPair static_key;
    std::optional<crypto::Secret> psk{};  // exactly when the pattern is xxpsk3
    std::string own_payload{};            // sent in frame 2 or 3; at most kHandshakePayloadBytesMax
    std::uint64_t rekey_messages = 1u << 20;
    std::uint64_t rekey_bytes = 1u << 30;
    std::uint64_t messages_max = 0xffff'ffff;
};

class SecureChannel {
public:
    struct Peer {
        crypto::PublicKey static_key{};
        std::string payload;
    };
    struct Received {
        std::vector<std::string> frames;    // to send, in order
        std::optional<Peer> peer;           // set once: decide, then approve() or drop the channel
        std::vector<std::string> messages;  // completed application messages, in order
        bool ended = false;                 // the peer has said that it sends nothing more
    };

    explicit SecureChannel(SecureChannelOptions options);

    // The initiator's first frame. Called once, by the initiator only.
    Result<std::string> start();

    Result<Received> receive(std::string_view frame);

    // The owner accepts the peer that receive() has reported. For the initiator the result holds
    // frame 3; for the responder the messages that came in the meantime. Until then a responder
    // keeps at most kHeldFramesMax frames unopened (an owner that must wait stops reading).
    Result<Received> approve();
    static constexpr std::size_t kHeldFramesMax = 16;

    // The frames of one application message. Errc::too_large (over kMessageBytesMax) and
    // Errc::unavailable (not open, ended, or no counters left: dial again) leave the channel alive.
    Result<std::vector<std::string>> send(std::string_view message);

    // The end-of-session frame; afterwards send() and end() fail, receive() goes on.
    Result<std::string> end();

    // Application messages may be sent: approved, not dead, end() not called.
    bool open() const { return state_ == State::open && !own_end_; }
    bool dead() const { return state_ == State::dead; }

    // The channel binding, 64 bytes: anything that must belong to this connection is tied to it.
    // Set once frame 3 was written or read, empty before.
    std::string const& handshake_hash() const { return handshake_hash_; }

private:
    enum class State { idle, await_1, await_2, await_3, await_approval, open, dead };

    struct Direction {
        CipherState cipher;
        std::uint64_t messages = 0;  // since the last rekey
        std::uint64_t bytes = 0;
    };

    Result<Received> receive_handshake(std::string_view frame);
    Result<Received> hold(std::string_view frame);
    Result<void> open_part(std::string_view frame, Received& received);
    Result<std::string> seal_part(std::uint8_t flag, std::string_view data);
    void count(Direction& direction, std::size_t frame_bytes);
    void finish_handshake();
    Result<void> check_sendable(std::uint64_t parts) const;
    tl::unexpected<Error> die(Error error);

    SecureChannelOptions options_;
    State state_;
    std::optional<HandshakeState> handshake_;
    std::string handshake_hash_;
    Direction sending_;
    Direction receiving_;
    std::vector<std::string> held_;  // frames of a responder's peer before approve()
    std::string partial_;            // data of an unfinished message
    bool continuing_ = false;        // partial_ waits for more
    bool own_end_ = false;
    bool peer_end_ = false;
};

}  // namespace inos
