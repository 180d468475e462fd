// Replays the published Noise vectors of both patterns in both roles, byte for byte, and checks
// that keys of low order end a handshake wherever a peer can place them.
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "net/noise.hpp"
#include "tests/net/vectors.hpp"

namespace inos {
namespace {

using boost::json::object;
using test::hex_field;
using test::read_vectors;

crypto::KeyPair key_pair(std::string const& secret) {
    return crypto::KeyPair::from_secret(crypto::Secret(secret));
}

HandshakeOptions options_of(object const& vector, ChannelRole role) {
    std::string const prefix = role == ChannelRole::initiator ? "init_" : "resp_";
    auto const field = [&](char const* name) { return hex_field(vector, (prefix + name).c_str()); };
    HandshakeOptions options{.role = role,
                             .pattern = ChannelPattern::xx,
                             .prologue = field("prologue"),
                             .static_key = key_pair(field("static")),
                             .psk = std::nullopt,
                             .fixed_ephemeral = key_pair(field("ephemeral"))};
    if (vector.at("protocol_name").as_string() ==
        noise_protocol_name(ChannelPattern::xxpsk3).data()) {
        options.pattern = ChannelPattern::xxpsk3;
        auto const& psks = vector.at(prefix + "psks").as_array();
        EXPECT_EQ(psks.size(), 1u);
        options.psk = crypto::Secret(*crypto::unhex(psks.at(0).as_string()));
    }
    return options;
}

// One side alone against the recorded messages: what it writes must be the recorded bytes, what it
// reads are the recorded bytes.
void replay(object const& vector, ChannelRole role) {
    HandshakeState handshake(options_of(vector, role));
    std::optional<TransportPair> transport;
    std::size_t index = 0;
    for (auto const& entry : vector.at("messages").as_array()) {
        object const& message = entry.as_object();
        std::string const payload = hex_field(message, "payload");
        std::string const ciphertext = hex_field(message, "ciphertext");
        bool const writes = (index % 2 == 0) == (role == ChannelRole::initiator);
        Result<std::string> const got =
            transport
                ? (writes ? transport->send.encrypt({}, payload)
                          : transport->receive.decrypt({}, ciphertext))
                : (writes ? handshake.write_message(payload) : handshake.read_message(ciphertext));
        ASSERT_TRUE(got) << "message " << index << ": " << got.error().message;
        EXPECT_EQ(crypto::hex(*got), crypto::hex(writes ? ciphertext : payload)) << index;
        ++index;
        if (handshake.done()) {
            if (vector.contains("handshake_hash")) {
                EXPECT_EQ(handshake.handshake_hash(), hex_field(vector, "handshake_hash"));
            }
            auto const other = options_of(
                vector,
                role == ChannelRole::initiator ? ChannelRole::responder : ChannelRole::initiator);
            EXPECT_EQ(handshake.remote_static(), other.static_key.public_key);
            transport = handshake.split();
        }
    }
    EXPECT_GT(index, 3u) << "no transport messages in the vector";
}

TEST(NoiseVectors, C15_both_roles_reproduce_every_published_handshake) {
    std::size_t xx = 0, xxpsk3 = 0, hashes = 0;
    auto const vectors = read_vectors("noise.json");
    for (auto const& file : vectors.at("files").as_array()) {
        for (auto const& entry : file.at("vectors").as_array()) {
            object const& vector = entry.as_object();
            bool const with_psk = vector.at("protocol_name").as_string() ==
                                  noise_protocol_name(ChannelPattern::xxpsk3).data();
            SCOPED_TRACE(std::string(file.at("source").at("repository").as_string()) +
                         (with_psk ? " XXpsk3" : " XX"));
            ++(with_psk ? xxpsk3 : xx);
            hashes += vector.contains("handshake_hash") ? 1 : 0;
            replay(vector, ChannelRole::initiator);
            replay(vector, ChannelRole::responder);
        }
    }
    EXPECT_EQ(xx, 3u);
    EXPECT_EQ(xxpsk3, 1u);
    EXPECT_EQ(hashes, 3u);
}

TEST(NoiseVectors, C4_message_sizes_with_empty_payloads) {
    for (ChannelPattern const pattern : {ChannelPattern::xx, ChannelPattern::xxpsk3}) {
        HandshakeOptions options{.role = ChannelRole::initiator,
                                 .pattern = pattern,
                                 .prologue = "p",
                                 .static_key = crypto::KeyPair::generate(),
                                 .psk = std::nullopt};
        if (pattern == ChannelPattern::xxpsk3) options.psk = crypto::Secret::random();
        HandshakeState initiator(options);
        options.role = ChannelRole::responder;
        options.static_key = crypto::KeyPair::generate();
        HandshakeState responder(options);
        std::string const first = initiator.write_message({}).value();
        EXPECT_EQ(first.size(), pattern == ChannelPattern::xx ? 32u : 48u);
        ASSERT_TRUE(responder.read_message(first));
        std::string const second = responder.write_message({}).value();
        EXPECT_EQ(second.size(), 96u);
        ASSERT_TRUE(initiator.read_message(second));
        std::string const third = initiator.write_message({}).value();
        EXPECT_EQ(third.size(), 64u);
        ASSERT_TRUE(responder.read_message(third));
        EXPECT_EQ(initiator.handshake_hash(), responder.handshake_hash());
        TransportPair one = initiator.split(), two = responder.split();
        one.send.rekey();
        two.receive.rekey();
        auto const sealed = one.send.encrypt({}, "after rekey");
        EXPECT_EQ(two.receive.decrypt({}, *sealed).value(), "after rekey");
    }
}

TEST(Noise, rekey_is_the_start_of_a_sealed_block_of_zeros_and_the_counter_goes_on) {
    // ChaCha20-Poly1305 of 32 zero bytes under 32 bytes 0x07 and nonce 0^4 | 2^64-1, first 32
    // bytes; computed with OpenSSL.
    auto const next =
        crypto::unhex("6680fd904a4d469c95ec1d2ff2a2d784a7780280208935e7c15a07cdfdf8075d");
    CipherState rekeyed{crypto::Secret(std::string(32, '\x07'))}, expected{crypto::Secret(*next)};
    rekeyed.rekey();
    EXPECT_EQ(rekeyed.encrypt("ad", "text").value(), expected.encrypt("ad", "text").value());

    CipherState a{crypto::Secret(std::string(32, '\x07'))},
        b{crypto::Secret(std::string(32, '\x07'))};
    ASSERT_TRUE(a.encrypt({}, "x"));
    a.rekey();
    EXPECT_EQ(a.counter(), 1u);
    auto const sealed = a.encrypt({}, "y");
    EXPECT_FALSE(b.decrypt({}, *sealed));
    b = CipherState(crypto::Secret(std::string(32, '\x07')));
    auto const skipped = b.encrypt({}, "x");  // the counter alone
    ASSERT_TRUE(skipped);
    EXPECT_FALSE(b.decrypt({}, *sealed)) << "the old key must not open it";
    b.rekey();
    EXPECT_EQ(b.decrypt({}, *sealed).value(), "y");
}

TEST(Noise, other_prologue_or_psk_fails) {
    auto const attempt = [](std::string const& prologue, crypto::Secret const& psk) {
        crypto::Secret const right(std::string(32, 'k'));
        HandshakeState initiator({.role = ChannelRole::initiator,
                                  .pattern = ChannelPattern::xxpsk3,
                                  .prologue = "same",
                                  .static_key = crypto::KeyPair::generate(),
                                  .psk = right});
        HandshakeState responder({.role = ChannelRole::responder,
                                  .pattern = ChannelPattern::xxpsk3,
                                  .prologue = prologue,
                                  .static_key = crypto::KeyPair::generate(),
                                  .psk = psk});
        if (!responder.read_message(initiator.write_message({}).value())) return 1;
        if (!initiator.read_message(responder.write_message({}).value())) return 2;
        if (!responder.read_message(initiator.write_message({}).value())) return 3;
        return 0;
    };
    crypto::Secret const right(std::string(32, 'k'));
    EXPECT_EQ(attempt("same", right), 0);
    EXPECT_EQ(attempt("other", right), 1);
    EXPECT_EQ(attempt("same", crypto::Secret(std::string(32, 'w'))), 3);
}

struct LowOrder {
    crypto::PublicKey point;
    std::string comment;
};

std::vector<LowOrder> low_order_points() {
    std::vector<LowOrder> points;
    auto const file = read_vectors("x25519.json");
    for (auto const& entry : file.at("vectors").as_array()) {
        object const& vector = entry.as_object();
        if (hex_field(vector, "shared") != std::string(32, '\0')) continue;
        LowOrder low{.point = {}, .comment = std::string(vector.at("comment").as_string())};
        std::memcpy(low.point.data(), hex_field(vector, "public").data(), 32);
        points.push_back(std::move(low));
    }
    return points;
}

// A peer that sends `point` as its ephemeral or static key; its own arithmetic uses another key.
crypto::KeyPair posing_as(crypto::PublicKey const& point) {
    crypto::KeyPair pair = crypto::KeyPair::generate();
    pair.public_key = point;
    return pair;
}

TEST(Noise, C15_low_order_and_zero_keys_of_a_peer_are_refused_wherever_they_come) {
    auto points = low_order_points();
    EXPECT_EQ(points.size(), 31u);
    points.push_back({.point = {}, .comment = "all zeros"});
    for (auto const& [point, comment] : points) {
        SCOPED_TRACE(comment);
        auto const options = [](ChannelRole role) {
            return HandshakeOptions{.role = role,
                                    .pattern = ChannelPattern::xx,
                                    .prologue = {},
                                    .static_key = crypto::KeyPair::generate(),
                                    .psk = std::nullopt};
        };
        auto const refused = [](auto const& result) {
            EXPECT_FALSE(result);
            if (result) return;
            EXPECT_EQ(result.error().code, Errc::protocol);
            EXPECT_NE(result.error().message.find("low order"), std::string::npos)
                << result.error().message;
        };

        // As the initiator's ephemeral key, met when the responder answers.
        HandshakeState victim(options(ChannelRole::responder));
        ASSERT_TRUE(victim.read_message(
            std::string_view(reinterpret_cast<char const*>(point.data()), point.size())));
        refused(victim.write_message({}));
        EXPECT_FALSE(victim.write_message({})) << "dead after the first error";

        // As the responder's ephemeral key.
        HandshakeState dialler(options(ChannelRole::initiator));
        ASSERT_TRUE(dialler.write_message({}));
        std::string second(96, '\0');
        std::memcpy(second.data(), point.data(), point.size());
        refused(dialler.read_message(second));

        // As the responder's static key.
        HandshakeOptions bad = options(ChannelRole::responder);
        bad.static_key = posing_as(point);
        HandshakeState bad_responder(bad), initiator(options(ChannelRole::initiator));
        ASSERT_TRUE(bad_responder.read_message(initiator.write_message({}).value()));
        refused(initiator.read_message(bad_responder.write_message({}).value()));

        // As the initiator's static key.
        bad.role = ChannelRole::initiator;
        HandshakeState bad_initiator(bad), responder(options(ChannelRole::responder));
        ASSERT_TRUE(responder.read_message(bad_initiator.write_message({}).value()));
        ASSERT_TRUE(bad_initiator.read_message(responder.write_message({}).value()));
        refused(responder.read_message(bad_initiator.write_message({}).value()));
    }
}

TEST(CryptoVectors, D5_ed25519_verification_agrees_with_every_published_case) {
    auto const file = read_vectors("ed25519.json");
    std::size_t good = 0, all = 0;
    for (auto const& entry : file.at("vectors").as_array()) {
        object const& vector = entry.as_object();
        std::string const key = hex_field(vector, "public");
        std::string const signature = hex_field(vector, "sig");
        bool verified = false;
        if (key.size() == 32 && signature.size() == 64) {
            crypto::PublicKey public_key;
            crypto::Signature bytes;
            std::memcpy(public_key.data(), key.data(), key.size());
            std::memcpy(bytes.data(), signature.data(), signature.size());
            verified = crypto::verify(public_key, hex_field(vector, "msg"), bytes);
        }
        EXPECT_EQ(verified, vector.at("valid").as_bool()) << vector.at("id").as_int64();
        good += verified ? 1 : 0;
        ++all;
    }
    EXPECT_EQ(all, 151u);
    EXPECT_EQ(good, 88u);
}

}  // namespace
}  // namespace inos
