#include "net/secure_channel.hpp"

#include <utility>

#include <sodium.h>

#include "crdt/bytes.hpp"
#include "net/words.hpp"

namespace inos {
namespace {

constexpr std::uint8_t kFlagLast = 0;
constexpr std::uint8_t kFlagMore = 1;
constexpr std::uint8_t kFlagEnd = 2;

// Keys and tags in front of the payload of frame 2, the larger of the two.
constexpr std::size_t kHandshakeOverheadMax = 96;
constexpr std::string_view kSixWordsConstant = "inos six words 1";

Error protocol_error(std::string message) {
    return Error{Errc::protocol, std::move(message), {}};
}

}  // namespace

std::string make_prologue(PrologueInput const& input) {
    INOS_ASSERT(input.invite_id.has_value() == (input.pattern == ChannelPattern::xxpsk3));
    std::string out;
    put_blob(out, "inos");
    put_varint(out, input.wire_version);
    put_blob(out, input.websocket_path);
    put_blob(out, input.subprotocol);
    put_blob(out, noise_protocol_name(input.pattern));
    std::string_view invite;
    if (input.invite_id)
        invite = {reinterpret_cast<char const*>(input.invite_id->data()), input.invite_id->size()};
    put_blob(out, invite);
    return out;
}

std::array<std::string_view, 6> six_words(std::string_view handshake_hash) {
    crypto::Hash32 const hash =
        crypto::Hasher32().add(kSixWordsConstant).add(handshake_hash).finish();
    std::array<std::string_view, 6> words;
    for (std::size_t i = 0; i < words.size(); ++i)
        words[i] = word_of_byte(hash[i]);
    return words;
}

SecureChannel::SecureChannel(SecureChannelOptions options)
    : options_(std::move(options)),
      state_(options_.role == ChannelRole::initiator ? State::idle : State::await_1) {
    INOS_ASSERT(options_.own_payload.size() <= kHandshakePayloadBytesMax);
    INOS_ASSERT(options_.rekey_messages > 0 && options_.rekey_bytes > 0);
    INOS_ASSERT(options_.messages_max > 0 && options_.messages_max <= 0xffff'ffff);
    handshake_.emplace(HandshakeOptions{.role = options_.role,
                                        .pattern = options_.pattern,
                                        .prologue = std::exchange(options_.prologue, {}),
                                        .static_key = std::move(options_.static_key),
                                        .psk = std::exchange(options_.psk, std::nullopt)});
}

Result<std::string> SecureChannel::start() {
    INOS_ASSERT(state_ == State::idle);
    auto frame = handshake_->write_message({});
    if (!frame) return die(frame.error());
    state_ = State::await_2;
    return frame;
}

Result<SecureChannel::Received> SecureChannel::receive(std::string_view frame) {
    if (dead()) return fail(Errc::protocol, "the channel is dead after an earlier error");
    if (frame.empty()) return die(protocol_error("the peer sent an empty frame"));
    if (frame.size() > kNoiseMessageBytesMax)
        return die(protocol_error("the peer sent a frame of " + std::to_string(frame.size()) +
                                  " bytes, over the limit of " +
                                  std::to_string(kNoiseMessageBytesMax)));
    if (state_ == State::await_approval) return hold(frame);
    if (state_ != State::open) return receive_handshake(frame);

    Received received;
    if (auto opened = open_part(frame, received); !opened) return die(opened.error());
    return received;
}

Result<SecureChannel::Received> SecureChannel::receive_handshake(std::string_view frame) {
    if (state_ == State::idle)
        return die(protocol_error("the peer sent a frame before the handshake was started"));
    if (frame.size() > kHandshakeOverheadMax + kHandshakePayloadBytesMax)
        return die(protocol_error("the peer sent a handshake frame of " +
                                  std::to_string(frame.size()) + " bytes"));
    auto payload = handshake_->read_message(frame);
    if (!payload) return die(payload.error());

    Received received;
    if (state_ == State::await_1) {
        if (!payload->empty())
            return die(protocol_error("the first handshake frame carries a payload"));
        auto reply = handshake_->write_message(options_.own_payload);
        if (!reply) return die(reply.error());
        received.frames.push_back(*std::move(reply));
        state_ = State::await_3;
        return received;
    }
    if (payload->size() > kHandshakePayloadBytesMax)
        return die(protocol_error("the handshake payload of the peer is over the limit"));
    received.peer = Peer{*handshake_->remote_static(), *std::move(payload)};
    if (state_ == State::await_3) finish_handshake();
    state_ = State::await_approval;
    return received;
}

// The initiator's peer has nothing to send before frame 3. The responder's may go on at once; its
// frames are not even decrypted before the owner has admitted it.
Result<SecureChannel::Received> SecureChannel::hold(std::string_view frame) {
    if (options_.role == ChannelRole::initiator)
        return die(protocol_error("the peer sent a frame out of turn during the handshake"));
    if (held_.size() == kHeldFramesMax)
        return die(protocol_error("the peer sent more than " + std::to_string(kHeldFramesMax) +
                                  " frames before it was admitted"));
    held_.emplace_back(frame);
    return Received{};
}

Result<SecureChannel::Received> SecureChannel::approve() {
    if (dead()) return fail(Errc::protocol, "the channel is dead after an earlier error");
    INOS_ASSERT(state_ == State::await_approval);
    Received received;
    if (options_.role == ChannelRole::initiator) {
        auto frame = handshake_->write_message(options_.own_payload);
        if (!frame) return die(frame.error());
        received.frames.push_back(*std::move(frame));
        finish_handshake();
    }
    state_ = State::open;
    for (std::string const& frame : std::exchange(held_, {}))
        if (auto opened = open_part(frame, received); !opened) return die(opened.error());
    return received;
}

void SecureChannel::finish_handshake() {
    handshake_hash_ = handshake_->handshake_hash();
    TransportPair pair = handshake_->split();
    sending_.cipher = std::move(pair.send);
    receiving_.cipher = std::move(pair.receive);
    handshake_.reset();
    options_.own_payload.clear();
}

Result<void> SecureChannel::open_part(std::string_view frame, Received& received) {
    if (peer_end_) return fail(Errc::protocol, "the peer sent a frame after its end of session");
    if (receiving_.cipher.counter() >= options_.messages_max)
        return fail(Errc::protocol, "the peer sent more frames than a session may have");
    INOS_TRY(std::string const part, receiving_.cipher.decrypt({}, frame));
    count(receiving_, frame.size());
    if (part.empty()) return fail(Errc::protocol, "the peer sent a frame without a flag");

    auto const flag = static_cast<std::uint8_t>(part.front());
    std::string_view const data = std::string_view(part).substr(1);
    if (flag == kFlagEnd) {
        if (!data.empty()) return fail(Errc::protocol, "the peer's end of session carries data");
        if (continuing_) return fail(Errc::protocol, "the peer ended the session within a message");
        peer_end_ = true;
        received.ended = true;
        return {};
    }
    if (flag != kFlagLast && flag != kFlagMore)
        return fail(Errc::protocol, "unknown flag " + std::to_string(flag) + " in a frame");
    if (flag == kFlagMore && data.size() != kPartDataBytesMax)
        return fail(Errc::protocol, "a part that is not the last of its message is not full");
    if (continuing_ && data.empty())
        return fail(Errc::protocol, "the last part of a long message is empty");
    // What the whole message needs at least: after a part with more to follow, one byte more.
    std::size_t const size = partial_.size() + data.size() + (flag == kFlagMore ? 1 : 0);
    if (size > kMessageBytesMax)
        return fail(Errc::protocol,
                    "the peer sent a message over the limit of " +
                        std::to_string(kMessageBytesMax) + " bytes");
    partial_ += data;
    continuing_ = flag == kFlagMore;
    if (!continuing_) received.messages.push_back(std::exchange(partial_, {}));
    return {};
}

Result<void> SecureChannel::check_sendable(std::uint64_t parts) const {
    if (dead()) return fail(Errc::protocol, "the channel is dead after an earlier error");
    if (!open()) return fail(Errc::unavailable, "the channel is not open for sending");
    if (parts > options_.messages_max - sending_.cipher.counter())
        return fail(Errc::unavailable, "the session has used up its message numbers; dial again");
    return {};
}

Result<std::vector<std::string>> SecureChannel::send(std::string_view message) {
    if (message.size() > kMessageBytesMax)
        return fail(Errc::too_large,
                    "a message of " + std::to_string(message.size()) +
                        " bytes is over the limit of " + std::to_string(kMessageBytesMax));
    std::size_t const parts =
        message.empty() ? 1 : (message.size() + kPartDataBytesMax - 1) / kPartDataBytesMax;
    INOS_CHECK(check_sendable(parts + 1));  // one number stays free for end()
    std::vector<std::string> frames;
    frames.reserve(parts);
    while (frames.size() < parts) {
        std::string_view const data = message.substr(0, kPartDataBytesMax);
        message.remove_prefix(data.size());
        INOS_TRY(std::string frame, seal_part(message.empty() ? kFlagLast : kFlagMore, data));
        frames.push_back(std::move(frame));
    }
    return frames;
}

Result<std::string> SecureChannel::end() {
    INOS_CHECK(check_sendable(1));
    own_end_ = true;
    return seal_part(kFlagEnd, {});
}

Result<std::string> SecureChannel::seal_part(std::uint8_t flag, std::string_view data) {
    std::string part;
    part.reserve(1 + data.size());
    part += static_cast<char>(flag);
    part += data;
    auto frame = sending_.cipher.encrypt({}, part);
    if (!frame) return die(frame.error());
    count(sending_, frame->size());
    return frame;
}

void SecureChannel::count(Direction& direction, std::size_t frame_bytes) {
    direction.messages += 1;
    direction.bytes += frame_bytes;
    if (direction.messages < options_.rekey_messages && direction.bytes < options_.rekey_bytes)
        return;
    direction.cipher.rekey();
    direction.messages = 0;
    direction.bytes = 0;
}

tl::unexpected<Error> SecureChannel::die(Error error) {
    state_ = State::dead;
    handshake_.reset();
    sending_ = {};
    receiving_ = {};
    held_.clear();
    sodium_memzero(partial_.data(), partial_.size());
    partial_.clear();
    continuing_ = false;
    return tl::unexpected<Error>(std::move(error));
}

}  // namespace inos
