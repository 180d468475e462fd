// Pairing codes: what is written is read, what people do to a code in copying is forgiven, and
// everything else is refused with the reason.
#include "net/pairing_code.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "storage/crypto/base32.hpp"

namespace inos {
namespace {

PairingCode sample() {
    PairingCode code;
    code.addresses = {"ws://kiel.example:7711", "ws://[2001:db8::1]:80", "wss://10.0.0.7:65535"};
    for (std::size_t i = 0; i < 16; ++i) {
        code.inviter_id_hash[i] = static_cast<std::uint8_t>(i);
        code.secret[i] = static_cast<std::uint8_t>(0xf0 + i);
    }
    code.invite_id = {1, 2, 3, 4, 5, 6, 7, 8};
    code.expires_unix_s = 1'900'000'000;
    return code;
}

void expect_refused(std::string const& text, Errc code, std::string const& part) {
    auto const decoded = decode_pairing_code(text);
    ASSERT_FALSE(decoded) << text;
    EXPECT_EQ(decoded.error().code, code) << decoded.error().message;
    EXPECT_NE(decoded.error().message.find(part), std::string::npos) << decoded.error().message;
}

// A code with a valid check around any body.
std::string code_around(std::string const& body) {
    auto const hash = crypto::Hasher32().add("inos pairing code 1").add(body).finish();
    return "inos1-" + base32_encode(body + std::string(crypto::view(hash).substr(0, 4)));
}

TEST(PairingCode, is_one_line_and_reads_back) {
    std::string const text = encode_pairing_code(sample()).value();
    EXPECT_TRUE(text.starts_with("inos1-"));
    EXPECT_EQ(text.find_first_of(" \n\r\t"), std::string::npos);
    EXPECT_EQ(decode_pairing_code(text).value(), sample());
    PairingCode bare = sample();
    bare.addresses.clear();
    EXPECT_EQ(decode_pairing_code(encode_pairing_code(bare).value()).value(), bare);
}

TEST(PairingCode, its_text_never_changes) {
    PairingCode code = sample();
    code.addresses = {"ws://localhost:7711"};
    EXPECT_EQ(encode_pairing_code(code).value(),
              "inos1-040020g30g2gc1r81450p30d1r7g20g30g2gc1r8y3rz5wzmyqvffy7szbxzszfy"
              "zy0edzm90w0g03kcdxhp2v38dxsq8ehq6wrk2pc5gh5g");
}

TEST(PairingCode, forgives_case_spaces_dashes_and_look_alikes) {
    std::string const text = encode_pairing_code(sample()).value();
    std::string upper = text;
    std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) {
        return static_cast<char>(std::toupper(c));
    });
    EXPECT_EQ(decode_pairing_code(upper).value(), sample());
    std::string spaced = "\n  inos1-", swapped = "inos1-";
    for (std::size_t i = 6; i < text.size(); ++i) {
        if (i % 4 == 0) spaced += i % 8 == 0 ? "-" : " ";
        spaced += text[i];
        char const odd = "iIlL"[i % 4];
        swapped += text[i] == '0' ? (i % 2 == 0 ? 'o' : 'O') : text[i] == '1' ? odd : text[i];
    }
    EXPECT_EQ(decode_pairing_code(spaced + " \r\n").value(), sample());
    EXPECT_NE(swapped, text);
    EXPECT_EQ(decode_pairing_code(swapped).value(), sample());
}

TEST(PairingCode, says_what_is_wrong) {
    std::string const text = encode_pairing_code(sample()).value();
    expect_refused("", Errc::invalid, "must begin with \"inos1-\"");
    expect_refused("hello", Errc::invalid, "must begin with \"inos1-\"");
    expect_refused("inos-" + text.substr(6), Errc::invalid, "must begin with \"inos1-\"");
    expect_refused("inos2-" + text.substr(6), Errc::unsupported, "has version 2");
    expect_refused("inos12-abc", Errc::unsupported, "has version 12");
    expect_refused("inos1-", Errc::invalid, "mistyped or cut off");
    expect_refused(text.substr(0, text.size() - 1), Errc::invalid, "mistyped or cut off");
    expect_refused(text + "0", Errc::invalid, "mistyped or cut off");
    std::string bad = text;
    bad[9] = '!';
    expect_refused(bad, Errc::invalid, "\"!\" at position 10");
    bad[9] = 'u';
    expect_refused("  " + bad, Errc::invalid, "\"u\" at position 12");
    expect_refused("inos1-" + std::string(9'000, '0'), Errc::invalid, "9006 characters");
    // A version byte of the future, whole and checked.
    expect_refused(code_around("\x02whatever comes then"), Errc::unsupported, "has version 2");
}

TEST(PairingCode, malformed_bodies_with_a_good_check_are_refused) {
    std::string const fixed = std::string(1, '\x01') + std::string(40, 'x');  // version to secret
    std::string const head = fixed + "\x05";                                  // expiry
    std::string const none(1, '\0');
    EXPECT_TRUE(decode_pairing_code(code_around(head + none)));
    expect_refused(code_around(fixed), Errc::invalid, "mistyped or cut off");
    expect_refused(code_around(head + none + "x"), Errc::invalid, "mistyped or cut off");
    expect_refused(code_around(head + "\x09"), Errc::invalid, "mistyped or cut off");
    expect_refused(code_around(head + "\x01\x02\x03"
                                      "a:1"),
                   Errc::invalid,
                   "mistyped");
    expect_refused(code_around(head + "\x01" + none +
                               "\x7f"
                               "a:1"),
                   Errc::invalid,
                   "mistyped");
    expect_refused(code_around(head + "\x01" + none +
                               "\x03"
                               "a:0"),
                   Errc::invalid,
                   "ws://HOST");
}

TEST(PairingCode, addresses_are_checked) {
    for (auto const* good :
         {"ws://a:1", "ws://127.0.0.1:65535", "wss://[::1]:443", "ws://a-b.c:80"})
        EXPECT_TRUE(check_pairing_address(good)) << good;
    for (std::string const& bad : {std::string(""),
                                   std::string("a:1"),
                                   std::string("http://a:1"),
                                   std::string("ws://a"),
                                   std::string("ws://:1"),
                                   std::string("ws://a:"),
                                   std::string("ws://a:0"),
                                   std::string("ws://a:01"),
                                   std::string("ws://a:65536"),
                                   std::string("ws://a:1/x"),
                                   std::string("ws://a b:1"),
                                   std::string("ws://::1:80"),
                                   std::string("ws://[]:80"),
                                   std::string("ws://[::1:80"),
                                   "ws://" + std::string(250, 'a') + ":1"})
        EXPECT_FALSE(check_pairing_address(bad)) << bad;
    PairingCode code = sample();
    code.addresses[1] = "nonsense";
    EXPECT_FALSE(encode_pairing_code(code));
    code.addresses.assign(9, "ws://a:1");
    auto const many = encode_pairing_code(code);
    ASSERT_FALSE(many);
    EXPECT_NE(many.error().message.find("at most 8 addresses, not 9"), std::string::npos);
}

TEST(PairingCode, P1_psk_and_inviter_hash_are_as_documented) {
    PairingSecret secret{};
    EXPECT_EQ(pairing_psk(secret).view(),
              crypto::view(crypto::hash32("inos pairing psk 1" + std::string(16, '\0'))));
    secret[0] = 1;
    EXPECT_FALSE(pairing_psk(secret) == pairing_psk(PairingSecret{}));
    crypto::PublicKey const key{7};
    auto const hash =
        crypto::hash32(std::string_view(reinterpret_cast<char const*>(key.data()), key.size()));
    EXPECT_EQ(crypto::view(inviter_id_hash(key)), crypto::view(hash).substr(0, 16));
}

RC_GTEST_PROP(PairingCodeProperty, one_changed_character_is_always_noticed, ()) {
    static std::string const text = encode_pairing_code(sample()).value();
    auto const at = *rc::gen::inRange<std::size_t>(6, text.size());
    char const other = base32_digit(*rc::gen::inRange(0u, 32u));
    RC_PRE(other != text[at]);
    std::string changed = text;
    changed[at] = other;
    RC_ASSERT(!decode_pairing_code(changed));
}

RC_GTEST_PROP(PairingCodeProperty, any_bytes_are_refused_or_read_without_harm, (std::string tail)) {
    (void)decode_pairing_code("inos1-" + tail);
    (void)decode_pairing_code(code_around("\x01" + tail));
    auto const back = base32_decode(base32_encode(tail));
    RC_ASSERT(back.has_value());
    RC_ASSERT(*back == tail);
}

}  // namespace
}  // namespace inos
