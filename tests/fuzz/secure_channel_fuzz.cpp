// The channel against a peer that sends anything: raw frames at every stage of the handshake and
// after it, handshake payloads, and parts that are sealed with the right key.
#include "net/secure_channel.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace inos;

namespace {

constexpr std::size_t kPartsMax = 80;  // a message of the largest size has 65

crypto::KeyPair key_of(ChannelRole role) {
    char const fill = role == ChannelRole::initiator ? 'i' : 'r';
    return crypto::KeyPair::from_secret(crypto::Secret(std::string(32, fill)));
}

SecureChannelOptions options_of(ChannelRole role, ChannelPattern pattern) {
    SecureChannelOptions options;
    options.role = role;
    options.pattern = pattern;
    options.prologue = "prologue";
    options.static_key = key_of(role);
    if (pattern == ChannelPattern::xxpsk3) options.psk = crypto::Secret(std::string(32, 'p'));
    options.own_payload = "payload";
    options.rekey_messages = 3;
    options.messages_max = kPartsMax / 2;
    return options;
}

// The channel under test, and what it has been told: what must hold whatever the peer sends.
class Victim {
public:
    explicit Victim(SecureChannelOptions options) : channel_(std::move(options)) {}

    SecureChannel& channel() { return channel_; }

    bool give(std::string_view frame) { return take(channel_.receive(frame), frame); }
    bool approve() {
        approved_ = true;
        return take(channel_.approve(), "x");
    }

private:
    bool take(Result<SecureChannel::Received> const& received, std::string_view frame) {
        if (!received) {
            fuzz::expect(channel_.dead() && !channel_.open(), "an error kills the channel");
            fuzz::expect(!channel_.receive(frame) && !channel_.send("x") && !channel_.end(),
                         "a dead channel does nothing");
            return false;
        }
        fuzz::expect(approved_ || received->messages.empty(), "no message before approval");
        for (std::string const& message : received->messages)
            fuzz::expect(message.size() <= kMessageBytesMax, "no message is over the limit");
        return true;
    }

    SecureChannel channel_;
    bool approved_ = false;
};

// The peer's side of the handshake in our own hands; the victim is the responder.
class Peer {
public:
    Peer(Victim& victim, ChannelPattern pattern, std::string_view payload) : victim_(victim) {
        HandshakeOptions options;
        options.pattern = pattern;
        options.prologue = "prologue";
        options.static_key = key_of(ChannelRole::initiator);
        if (pattern == ChannelPattern::xxpsk3) options.psk = crypto::Secret(std::string(32, 'p'));
        HandshakeState noise(std::move(options));
        auto const reply = victim.channel().receive(*noise.write_message({}));
        fuzz::expect(reply && noise.read_message(reply->frames.at(0)), "the handshake goes on");
        if (!victim.give(*noise.write_message(payload))) return;
        send_ = noise.split().send;
        alive_ = true;
    }

    // Both directions change their key after as many frames.
    bool part(std::string_view plaintext) {
        if (!alive_) return false;
        alive_ = victim_.give(*send_.encrypt({}, plaintext));
        if (++sent_ % 3 == 0) send_.rekey();
        return alive_;
    }

private:
    Victim& victim_;
    CipherState send_;
    std::size_t sent_ = 0;
    bool alive_ = false;
};

// A part is given by its flag and either its bytes or "full", so that short inputs make long ones.
std::string next_part(fuzz::Input& in) {
    std::uint8_t const choice = in.byte();
    std::string part(1, static_cast<char>(choice % 4));
    if (choice & 0x80) {
        part.append(kPartDataBytesMax - (choice >> 4 & 1), 'x');
    } else if (choice == 0x40) {
        part.clear();
    } else {
        part += in.blob();
    }
    return part;
}

void raw_frames(Victim& victim, fuzz::Input& in) {
    while (!in.empty() && victim.give(in.blob())) {
    }
}

void sealed_parts(Victim& victim, ChannelPattern pattern, fuzz::Input& in, std::size_t held) {
    Peer peer(victim, pattern, "payload");
    for (std::size_t i = 0; i < held && !in.empty(); ++i)
        if (!peer.part(next_part(in))) return;
    if (!victim.approve()) return;
    for (std::size_t i = 0; i < kPartsMax && !in.empty(); ++i)
        if (!peer.part(next_part(in))) return;
    raw_frames(victim, in);
}

void as_initiator(ChannelPattern pattern, fuzz::Input& in, std::size_t stage) {
    Victim victim(options_of(ChannelRole::initiator, pattern));
    if (stage == 0) return raw_frames(victim, in);
    auto const first = victim.channel().start();
    if (stage == 1) return raw_frames(victim, in);
    SecureChannel other(options_of(ChannelRole::responder, pattern));
    auto const second = other.receive(*first);
    victim.give(second->frames.at(0));
    if (stage == 3) victim.approve();
    raw_frames(victim, in);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::seed_randomness();
    fuzz::Input in(fuzz::view(data, size));
    std::uint8_t const choice = in.byte();
    auto const pattern = choice & 0x80 ? ChannelPattern::xxpsk3 : ChannelPattern::xx;
    std::size_t const stage = (choice & 0x7f) % 8;
    if (stage < 4) {
        as_initiator(pattern, in, stage);
        return 0;
    }
    Victim victim(options_of(ChannelRole::responder, pattern));
    if (stage == 4) {
        raw_frames(victim, in);
    } else if (stage == 5) {
        Peer const peer(victim, pattern, in.rest());
    } else {
        sealed_parts(victim, pattern, in, stage == 6 ? 0 : in.below(20));
    }
    return 0;
}
