// Two SecureChannels back to back: what arrives is what was sent, in order, and any change to the
// stream of frames kills the receiver. The property tests vary sizes, rekey points and the change.
#include "net/secure_channel.hpp"

#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "net/words.hpp"

namespace inos {
namespace {

constexpr std::size_t kFullPart = kPartDataBytesMax;  // 65,518

struct ChannelSetup {
    ChannelPattern pattern = ChannelPattern::xx;
    std::uint64_t rekey_messages = 1u << 20;
    std::uint64_t rekey_bytes = 1u << 30;
    std::uint64_t messages_max = 0xffff'ffff;
};

crypto::KeyPair const& key_of(ChannelRole role) {
    static crypto::KeyPair const initiator = crypto::KeyPair::generate();
    static crypto::KeyPair const responder = crypto::KeyPair::generate();
    return role == ChannelRole::initiator ? initiator : responder;
}

SecureChannelOptions options_of(ChannelRole role, ChannelSetup const& setup = {}) {
    SecureChannelOptions options{
        .role = role,
        .pattern = setup.pattern,
        .prologue = "prologue",
        .static_key = key_of(role),
        .own_payload = role == ChannelRole::initiator ? "from initiator" : "from responder",
        .rekey_messages = setup.rekey_messages,
        .rekey_bytes = setup.rekey_bytes,
        .messages_max = setup.messages_max};
    if (setup.pattern == ChannelPattern::xxpsk3) options.psk = crypto::Secret(std::string(32, 's'));
    return options;
}

// An approved pair.
struct Pair {
    explicit Pair(ChannelSetup const& setup = {})
        : initiator(options_of(ChannelRole::initiator, setup)),
          responder(options_of(ChannelRole::responder, setup)) {
        auto const first = initiator.start().value();
        auto const second = responder.receive(first).value().frames.at(0);
        EXPECT_TRUE(initiator.receive(second).value().peer);
        auto const third = initiator.approve().value().frames.at(0);
        EXPECT_TRUE(responder.receive(third).value().peer);
        EXPECT_TRUE(responder.approve());
    }
    SecureChannel initiator;
    SecureChannel responder;
};

// Everything that comes out of `to` for `frames`; the messages must be complete at the end.
std::vector<std::string> deliver(SecureChannel& to, std::vector<std::string> const& frames) {
    std::vector<std::string> out;
    for (std::string const& frame : frames) {
        auto received = to.receive(frame);
        EXPECT_TRUE(received) << received.error().message;
        if (!received) return out;
        for (auto& message : received->messages)
            out.push_back(std::move(message));
    }
    return out;
}

void expect_killed_by(SecureChannel& channel, std::string const& frame, std::string const& text) {
    auto const received = channel.receive(frame);
    ASSERT_FALSE(received);
    EXPECT_EQ(received.error().code, Errc::protocol);
    EXPECT_NE(received.error().message.find(text), std::string::npos) << received.error().message;
    EXPECT_TRUE(channel.dead());
    EXPECT_FALSE(channel.open());
    EXPECT_FALSE(channel.receive(frame));
    EXPECT_FALSE(channel.send("x"));
    EXPECT_FALSE(channel.end());
    EXPECT_FALSE(channel.approve());
}

// The keys of one direction of a channel pair in the test's own hands: it handshakes with Noise
// alone, so that it can send parts that SecureChannel would not make.
struct RawPeer {
    explicit RawPeer(SecureChannel& responder) {
        HandshakeState noise({.role = ChannelRole::initiator,
                              .pattern = ChannelPattern::xx,
                              .prologue = "prologue",
                              .static_key = key_of(ChannelRole::initiator),
                              .psk = std::nullopt});
        auto const reply = responder.receive(noise.write_message({}).value()).value();
        EXPECT_TRUE(noise.read_message(reply.frames.at(0)));
        EXPECT_TRUE(responder.receive(noise.write_message("payload").value()));
        EXPECT_TRUE(responder.approve());
        send = noise.split().send;
    }
    std::string frame(std::string const& part) { return send.encrypt({}, part).value(); }
    CipherState send;
};

TEST(SecureChannel, handshake_reports_each_peer_once_and_agrees_on_the_hash) {
    for (ChannelPattern const pattern : {ChannelPattern::xx, ChannelPattern::xxpsk3}) {
        SecureChannel initiator(options_of(ChannelRole::initiator, {.pattern = pattern}));
        SecureChannel responder(options_of(ChannelRole::responder, {.pattern = pattern}));
        auto const first = initiator.start().value();
        auto const second = responder.receive(first).value();
        EXPECT_FALSE(second.peer);
        auto const seen = initiator.receive(second.frames.at(0)).value();
        ASSERT_TRUE(seen.peer);
        EXPECT_EQ(seen.peer->static_key, key_of(ChannelRole::responder).public_key);
        EXPECT_EQ(seen.peer->payload, "from responder");
        EXPECT_TRUE(seen.frames.empty()) << "frame 3 before approve()";
        EXPECT_FALSE(initiator.open());
        EXPECT_FALSE(initiator.send("early"));
        EXPECT_EQ(initiator.handshake_hash(), "");
        auto const third = initiator.approve().value();
        ASSERT_EQ(third.frames.size(), 1u);
        EXPECT_TRUE(initiator.open());
        auto const met = responder.receive(third.frames[0]).value();
        ASSERT_TRUE(met.peer);
        EXPECT_EQ(met.peer->static_key, key_of(ChannelRole::initiator).public_key);
        EXPECT_EQ(met.peer->payload, "from initiator");
        EXPECT_FALSE(responder.open());
        EXPECT_TRUE(responder.approve());
        EXPECT_TRUE(responder.open());
        EXPECT_EQ(initiator.handshake_hash().size(), 64u);
        EXPECT_EQ(initiator.handshake_hash(), responder.handshake_hash());
    }
}

TEST(SecureChannel, C7_responder_passes_nothing_up_before_it_has_approved) {
    SecureChannel initiator(options_of(ChannelRole::initiator));
    SecureChannel responder(options_of(ChannelRole::responder));
    auto const second = responder.receive(initiator.start().value()).value();
    ASSERT_TRUE(initiator.receive(second.frames.at(0)));
    ASSERT_TRUE(responder.receive(initiator.approve().value().frames.at(0)));
    for (std::string const text : {"one", "two"}) {
        auto const held = responder.receive(initiator.send(text).value().at(0)).value();
        EXPECT_TRUE(held.messages.empty());
    }
    EXPECT_FALSE(responder.send("early"));
    auto const approved = responder.approve().value();
    EXPECT_EQ(approved.messages, (std::vector<std::string>{"one", "two"}));
    EXPECT_TRUE(approved.frames.empty());
}

TEST(SecureChannel, responder_holds_a_bounded_number_of_frames_before_approval) {
    SecureChannel initiator(options_of(ChannelRole::initiator));
    SecureChannel responder(options_of(ChannelRole::responder));
    auto const second = responder.receive(initiator.start().value()).value();
    ASSERT_TRUE(initiator.receive(second.frames.at(0)));
    ASSERT_TRUE(responder.receive(initiator.approve().value().frames.at(0)));
    for (std::size_t i = 0; i < SecureChannel::kHeldFramesMax; ++i)
        ASSERT_TRUE(responder.receive(initiator.send("x").value().at(0)));
    expect_killed_by(responder, initiator.send("x").value().at(0), "before it was admitted");
}

TEST(SecureChannel, a_bad_held_frame_kills_at_approval) {
    SecureChannel initiator(options_of(ChannelRole::initiator));
    SecureChannel responder(options_of(ChannelRole::responder));
    auto const second = responder.receive(initiator.start().value()).value();
    ASSERT_TRUE(initiator.receive(second.frames.at(0)));
    ASSERT_TRUE(responder.receive(initiator.approve().value().frames.at(0)));
    ASSERT_TRUE(responder.receive("garbage"));
    EXPECT_FALSE(responder.approve());
    EXPECT_TRUE(responder.dead());
}

TEST(SecureChannel, frames_out_of_turn_in_the_handshake_kill) {
    {
        SecureChannel initiator(options_of(ChannelRole::initiator));
        expect_killed_by(initiator, "anything", "before the handshake was started");
    }
    {
        SecureChannel initiator(options_of(ChannelRole::initiator));
        SecureChannel responder(options_of(ChannelRole::responder));
        auto const second = responder.receive(initiator.start().value()).value();
        ASSERT_TRUE(initiator.receive(second.frames.at(0)));
        expect_killed_by(initiator, second.frames.at(0), "out of turn");
    }
    {
        SecureChannel initiator(options_of(ChannelRole::initiator));
        SecureChannel responder(options_of(ChannelRole::responder));
        auto const first = initiator.start().value();
        ASSERT_TRUE(responder.receive(first));
        expect_killed_by(responder, first, "handshake message 3");
    }
}

TEST(SecureChannel, handshake_payloads_are_checked) {
    auto const noise_options = [](ChannelRole role) {
        return HandshakeOptions{.role = role,
                                .pattern = ChannelPattern::xx,
                                .prologue = "prologue",
                                .static_key = crypto::KeyPair::generate(),
                                .psk = std::nullopt};
    };
    {
        SecureChannel responder(options_of(ChannelRole::responder));
        HandshakeState noise(noise_options(ChannelRole::initiator));
        expect_killed_by(responder, noise.write_message("x").value(), "carries a payload");
    }
    for (std::size_t const excess : {1u, 1000u}) {
        SecureChannel responder(options_of(ChannelRole::responder));
        HandshakeState noise(noise_options(ChannelRole::initiator));
        auto const reply = responder.receive(noise.write_message({}).value()).value();
        ASSERT_TRUE(noise.read_message(reply.frames.at(0)));
        std::string const large(kHandshakePayloadBytesMax + excess, 'x');
        expect_killed_by(responder,
                         noise.write_message(large).value(),
                         excess == 1 ? "payload of the peer" : "handshake frame of");
    }
    {
        SecureChannel largest({.role = ChannelRole::initiator,
                               .prologue = "prologue",
                               .static_key = key_of(ChannelRole::initiator),
                               .own_payload = std::string(kHandshakePayloadBytesMax, 'p')});
        SecureChannel responder(options_of(ChannelRole::responder));
        auto const reply = responder.receive(largest.start().value()).value();
        ASSERT_TRUE(largest.receive(reply.frames.at(0)));
        auto const met = responder.receive(largest.approve().value().frames.at(0)).value();
        EXPECT_EQ(met.peer->payload.size(), kHandshakePayloadBytesMax);
    }
}

TEST(SecureChannel, another_prologue_ends_the_handshake) {
    SecureChannel initiator(options_of(ChannelRole::initiator));
    auto options = options_of(ChannelRole::responder);
    options.prologue = "another";
    SecureChannel responder(options);
    auto const second = responder.receive(initiator.start().value()).value();
    expect_killed_by(initiator, second.frames.at(0), "cannot be decrypted");
}

TEST(SecureChannel, messages_of_every_size_arrive_in_the_expected_number_of_frames) {
    Pair pair;
    std::vector<std::pair<std::size_t, std::size_t>> const cases{{0, 1},
                                                                 {1, 1},
                                                                 {kFullPart, 1},
                                                                 {kFullPart + 1, 2},
                                                                 {kFullPart + 2, 2},
                                                                 {2 * kFullPart, 2},
                                                                 {kMessageBytesMax, 65}};
    EXPECT_EQ(kFullPart, 65'518u);
    for (auto const& [size, frames_expected] : cases) {
        std::string message(size, 'm');
        if (size != 0) message.back() = 'z';
        auto const frames = pair.initiator.send(message).value();
        EXPECT_EQ(frames.size(), frames_expected) << size;
        for (auto const& frame : frames)
            EXPECT_LE(frame.size(), kNoiseMessageBytesMax);
        EXPECT_TRUE(deliver(pair.responder, frames) == std::vector<std::string>{message}) << size;
        auto const back = pair.responder.send(message).value();
        EXPECT_TRUE(deliver(pair.initiator, back) == std::vector<std::string>{message}) << size;
    }
    auto const over = pair.initiator.send(std::string(kMessageBytesMax + 1, 'm'));
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code, Errc::too_large);
    EXPECT_TRUE(pair.initiator.open()) << "a refused message leaves the channel alive";
    EXPECT_EQ(deliver(pair.responder, pair.initiator.send("still").value()),
              std::vector<std::string>{"still"});
}

TEST(SecureChannel, C9_swapped_replayed_lost_and_changed_frames_kill) {
    {
        Pair pair;
        auto const one = pair.initiator.send("1").value(), two = pair.initiator.send("2").value();
        expect_killed_by(pair.responder, two.at(0), "cannot be decrypted");
        expect_killed_by(pair.responder, one.at(0), "dead");
    }
    {
        Pair pair;
        auto const one = pair.initiator.send("1").value();
        ASSERT_TRUE(pair.responder.receive(one.at(0)));
        expect_killed_by(pair.responder, one.at(0), "cannot be decrypted");
    }
    {
        Pair pair;
        auto const one = pair.initiator.send("1").value();
        expect_killed_by(pair.initiator, one.at(0), "cannot be decrypted");  // reflected
    }
    {
        Pair pair;
        auto frames = pair.initiator.send(std::string(3 * kFullPart, 'x')).value();
        ASSERT_TRUE(pair.responder.receive(frames.at(0)));
        expect_killed_by(pair.responder, frames.at(2), "cannot be decrypted");
    }
    {
        Pair pair;
        std::string frame = pair.initiator.send("1").value().at(0);
        frame.back() = static_cast<char>(frame.back() ^ 1);
        expect_killed_by(pair.responder, frame, "cannot be decrypted");
    }
}

TEST(SecureChannel, C5_empty_oversize_short_and_malformed_frames_kill) {
    std::string const last(1, '\0'), more(1, '\1'), end(1, '\2');
    std::string const full = more + std::string(kFullPart, 'd');
    struct Case {
        std::vector<std::string> parts;  // all but the last are accepted
        std::string text;
    };
    std::vector<Case> const cases{
        {{""}, "without a flag"},
        {{"\x03"}, "unknown flag 3"},
        {{end + "x"}, "carries data"},
        {{more}, "not full"},
        {{full.substr(0, full.size() - 1)}, "not full"},
        {{full, last}, "last part of a long message is empty"},
        {{full, end}, "within a message"},
        {{end, last}, "after its end of session"},
        {{end, end}, "after its end of session"},
    };
    for (Case const& c : cases) {
        SecureChannel responder(options_of(ChannelRole::responder));
        RawPeer peer(responder);
        for (std::size_t i = 0; i + 1 < c.parts.size(); ++i)
            ASSERT_TRUE(responder.receive(peer.frame(c.parts[i]))) << c.text;
        expect_killed_by(responder, peer.frame(c.parts.back()), c.text);
    }
    Pair empty, oversize, tiny;
    expect_killed_by(empty.responder, "", "empty frame");
    expect_killed_by(oversize.responder, std::string(65'536, 'x'), "over the limit of 65535");
    expect_killed_by(tiny.responder, std::string(15, 'x'), "shorter than its tag");
}

TEST(SecureChannel, an_incoming_message_over_the_limit_kills_before_it_is_kept) {
    SecureChannel responder(options_of(ChannelRole::responder));
    RawPeer peer(responder);
    std::string const full = std::string(1, '\1') + std::string(kFullPart, 'd');
    for (int i = 0; i < 64; ++i)
        ASSERT_TRUE(responder.receive(peer.frame(full))) << i;
    std::size_t const left = kMessageBytesMax - 64 * kFullPart;
    std::string const over = std::string(1, '\0') + std::string(left + 1, 'd');
    expect_killed_by(responder, peer.frame(over), "over the limit of 4194304");

    SecureChannel other(options_of(ChannelRole::responder));
    RawPeer endless(other);
    for (int i = 0; i < 64; ++i)
        ASSERT_TRUE(other.receive(endless.frame(full))) << i;
    expect_killed_by(other, endless.frame(full), "over the limit of 4194304");
}

TEST(SecureChannel, C10_end_of_session_is_reported_and_half_closes) {
    Pair pair;
    auto const end = pair.initiator.end().value();
    EXPECT_FALSE(pair.initiator.open());
    EXPECT_FALSE(pair.initiator.send("late"));
    EXPECT_FALSE(pair.initiator.end());
    EXPECT_FALSE(pair.initiator.dead());
    EXPECT_TRUE(pair.responder.receive(end).value().ended);
    EXPECT_EQ(deliver(pair.initiator, pair.responder.send("last words").value()),
              std::vector<std::string>{"last words"});
    EXPECT_TRUE(pair.initiator.receive(pair.responder.end().value()).value().ended);
    expect_killed_by(pair.responder, "x", "after its end of session");
}

TEST(SecureChannel, C9_both_ends_rekey_at_the_same_frames_and_the_old_key_is_gone) {
    for (ChannelSetup const& setup : {ChannelSetup{.rekey_messages = 1},
                                      ChannelSetup{.rekey_messages = 3},
                                      ChannelSetup{.rekey_bytes = 1},
                                      ChannelSetup{.rekey_bytes = 100},
                                      ChannelSetup{.rekey_messages = 2, .rekey_bytes = 70'000}}) {
        Pair pair(setup);
        for (int i = 0; i < 20; ++i) {
            std::string const text = "message " + std::to_string(i);
            EXPECT_EQ(deliver(pair.responder, pair.initiator.send(text).value()),
                      std::vector<std::string>{text});
            if (i % 3 == 0) {
                EXPECT_EQ(deliver(pair.initiator, pair.responder.send(text).value()),
                          std::vector<std::string>{text});
            }
        }
        std::string const large(3 * kFullPart + 5, 'l');
        EXPECT_TRUE(deliver(pair.responder, pair.initiator.send(large).value()) ==
                    std::vector<std::string>{large});
    }
}

// A peer that does not rekey where the channel does is cut off at exactly that frame: the rekey
// happens, and happens where the options say.
TEST(SecureChannel, C9_rekey_points_are_where_the_options_say) {
    struct Case {
        ChannelSetup setup;
        std::size_t frames_before;  // frames that the old key opens
    };
    // A frame of an 83-byte message is 83 + 1 + 16 = 100 bytes.
    for (Case const& c : {Case{ChannelSetup{.rekey_messages = 4}, 4},
                          Case{ChannelSetup{.rekey_bytes = 300}, 3},
                          Case{ChannelSetup{.rekey_bytes = 301}, 4}}) {
        SecureChannel responder(options_of(ChannelRole::responder, c.setup));
        RawPeer peer(responder);
        std::string const part = std::string(1, '\0') + std::string(83, 'x');
        for (std::size_t i = 0; i < c.frames_before; ++i)
            ASSERT_TRUE(responder.receive(peer.frame(part))) << i;
        CipherState without_rekey = peer.send;
        peer.send.rekey();
        ASSERT_TRUE(responder.receive(peer.frame(part)));

        SecureChannel second(options_of(ChannelRole::responder, c.setup));
        RawPeer stubborn(second);
        for (std::size_t i = 0; i < c.frames_before; ++i)
            ASSERT_TRUE(second.receive(stubborn.frame(part))) << i;
        expect_killed_by(second, stubborn.frame(part), "cannot be decrypted");
    }
}

TEST(SecureChannel, C9_the_counter_limit_leaves_room_for_the_end_of_session) {
    Pair pair({.messages_max = 4});
    for (int i = 0; i < 3; ++i)
        ASSERT_EQ(deliver(pair.responder, pair.initiator.send("x").value()).size(), 1u);
    auto const refused = pair.initiator.send("x");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
    EXPECT_NE(refused.error().message.find("dial again"), std::string::npos);
    EXPECT_TRUE(pair.responder.receive(pair.initiator.end().value()).value().ended);

    Pair long_message({.messages_max = 4});
    EXPECT_FALSE(long_message.initiator.send(std::string(4 * kFullPart, 'x')));
    EXPECT_TRUE(long_message.initiator.send(std::string(3 * kFullPart, 'x')));

    SecureChannel responder(options_of(ChannelRole::responder, {.messages_max = 2}));
    RawPeer peer(responder);
    ASSERT_TRUE(responder.receive(peer.frame(std::string(1, '\0'))));
    ASSERT_TRUE(responder.receive(peer.frame(std::string(1, '\0'))));
    expect_killed_by(responder, peer.frame(std::string(1, '\0')), "more frames than a session");
}

std::vector<std::string> arbitrary_messages() {
    auto const sizes = *rc::gen::container<std::vector<std::size_t>>(
        rc::gen::oneOf(rc::gen::inRange<std::size_t>(0, 200),
                       rc::gen::inRange<std::size_t>(kFullPart - 2, kFullPart + 3),
                       rc::gen::inRange<std::size_t>(2 * kFullPart - 2, 2 * kFullPart + 3)));
    std::vector<std::string> messages;
    for (std::size_t i = 0; i < sizes.size(); ++i)
        messages.emplace_back(sizes[i], static_cast<char>('a' + i % 26));
    return messages;
}

RC_GTEST_PROP(SecureChannelProperty,
              any_messages_arrive_unchanged_in_order_whatever_the_rekey_points,
              ()) {
    Pair pair({.rekey_messages = *rc::gen::inRange<std::uint64_t>(1, 6),
               .rekey_bytes = *rc::gen::inRange<std::uint64_t>(1, 200'000)});
    auto const messages = arbitrary_messages();
    // Frames wait on the way in both directions and are delivered at arbitrary times.
    std::vector<std::string> to_responder, to_initiator, at_responder, at_initiator;
    std::size_t done_r = 0, done_i = 0;
    auto const step = [](SecureChannel& to, auto const& frames, std::size_t& done, auto& out) {
        if (done == frames.size()) return;
        auto received = to.receive(frames[done++]);
        RC_ASSERT(received.has_value());
        for (auto& message : received->messages)
            out.push_back(std::move(message));
    };
    for (std::string const& message : messages) {
        auto const sent = pair.initiator.send(message).value();
        to_responder.insert(to_responder.end(), sent.begin(), sent.end());
        if (*rc::gen::arbitrary<bool>()) step(pair.responder, to_responder, done_r, at_responder);
        auto const answered = pair.responder.send(message).value();
        to_initiator.insert(to_initiator.end(), answered.begin(), answered.end());
        if (*rc::gen::arbitrary<bool>()) step(pair.initiator, to_initiator, done_i, at_initiator);
    }
    while (done_r < to_responder.size())
        step(pair.responder, to_responder, done_r, at_responder);
    while (done_i < to_initiator.size())
        step(pair.initiator, to_initiator, done_i, at_initiator);
    RC_ASSERT(at_responder == messages);
    RC_ASSERT(at_initiator == messages);
}

RC_GTEST_PROP(SecureChannelProperty, any_change_to_the_stream_is_noticed, ()) {
    Pair pair({.rekey_messages = *rc::gen::inRange<std::uint64_t>(1, 6)});
    std::vector<std::string> frames;
    auto const count = *rc::gen::inRange<std::size_t>(2, 8);
    for (std::size_t i = 0; i < count; ++i)
        frames.push_back(pair.initiator.send("message " + std::to_string(i)).value().at(0));
    frames.push_back(pair.initiator.end().value());

    std::size_t const at = *rc::gen::inRange<std::size_t>(0, frames.size() - 1);
    auto const position = frames.begin() + static_cast<std::ptrdiff_t>(at);
    switch (*rc::gen::inRange(0, 5)) {
        case 0: {  // flip a bit
            auto const byte = *rc::gen::inRange<std::size_t>(0, position->size());
            (*position)[byte] = static_cast<char>((*position)[byte] ^ 1 << *rc::gen::inRange(0, 8));
            break;
        }
        case 1:
            frames.erase(position);
            break;
        case 2:
            frames.insert(position, *position);
            break;
        case 3:
            std::swap(*position, *(position + 1));
            break;
        default:
            position->resize(*rc::gen::inRange<std::size_t>(0, position->size()));
            break;
    }
    std::size_t arrived = 0;
    bool killed = false, ended = false;
    for (std::string const& frame : frames) {
        auto const received = pair.responder.receive(frame);
        killed = killed || !received;
        if (!received) continue;
        RC_ASSERT(!killed);
        for (auto const& message : received->messages)
            RC_ASSERT(message == "message " + std::to_string(arrived++));
        ended = ended || received->ended;
    }
    RC_ASSERT(killed);
    RC_ASSERT(!ended);
    RC_ASSERT(arrived <= at + 1);
}

TEST(Prologue, every_input_changes_it) {
    std::array<std::uint8_t, 8> const one{1}, two{2};
    std::set<std::string> const all{
        make_prologue({.websocket_path = "/v1/sync", .subprotocol = "inos.1"}),
        make_prologue({.websocket_path = "/v1/syn", .subprotocol = "cinos.1"}),
        make_prologue({.websocket_path = "/v1/sync", .subprotocol = "inos.2"}),
        make_prologue({.websocket_path = "/v1/sync", .subprotocol = "inos.1", .wire_version = 2}),
        make_prologue({.websocket_path = "/v1/sync",
                       .subprotocol = "inos.1",
                       .pattern = ChannelPattern::xxpsk3,
                       .invite_id = one}),
        make_prologue({.websocket_path = "/v1/sync",
                       .subprotocol = "inos.1",
                       .pattern = ChannelPattern::xxpsk3,
                       .invite_id = two})};
    EXPECT_EQ(all.size(), 6u);
    EXPECT_EQ(make_prologue({.websocket_path = "/p", .subprotocol = "s"}),
              std::string("\x04inos\x01\x02/p\x01s\x21") + "Noise_XX_25519_ChaChaPoly_BLAKE2b" +
                  std::string(1, '\0'));
}

TEST(SixWords, P3_both_sides_show_the_same_and_another_session_shows_others) {
    Pair one, two;
    EXPECT_EQ(six_words(one.initiator.handshake_hash()), six_words(one.responder.handshake_hash()));
    EXPECT_NE(six_words(one.initiator.handshake_hash()), six_words(two.initiator.handshake_hash()));
}

TEST(SixWords, the_list_has_256_words_of_three_to_six_letters_with_their_own_beginnings) {
    std::set<std::string_view> beginnings;
    for (int byte = 0; byte < 256; ++byte) {
        std::string_view const word = word_of_byte(static_cast<std::uint8_t>(byte));
        EXPECT_TRUE(word.size() >= 3 && word.size() <= 6) << word;
        EXPECT_EQ(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), std::string_view::npos);
        EXPECT_TRUE(beginnings.insert(word.substr(0, 3)).second) << word;
    }
}

}  // namespace
}  // namespace inos
