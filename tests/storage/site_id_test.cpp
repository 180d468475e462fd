// Base32 and the text of site ids.
#include "storage/crypto/site_id.hpp"

#include <cctype>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "storage/crypto/base32.hpp"

namespace inos {
namespace {

crypto::PublicKey sample() {
    crypto::PublicKey key;
    for (std::size_t i = 0; i < key.size(); ++i)
        key[i] = static_cast<std::uint8_t>(i * 7 + 1);
    return key;
}

TEST(Base32, writes_known_texts) {
    EXPECT_EQ(base32_encode(""), "");
    EXPECT_EQ(base32_encode(std::string(1, '\0')), "00");
    EXPECT_EQ(base32_encode("\xff"), "zw");
    EXPECT_EQ(base32_encode("foobar"), "csqpyrk1e8");
    EXPECT_EQ(base32_decode("CSQP-YRKI E8").value(), "foobar");
}

TEST(Base32, refuses_impossible_lengths_and_filling_bits) {
    EXPECT_FALSE(base32_decode("0"));
    EXPECT_FALSE(base32_decode("000"));
    EXPECT_FALSE(base32_decode("01")) << "two filling bits are not zero";
    auto const bad = base32_decode("00 \x01", 10);
    ASSERT_FALSE(bad);
    EXPECT_NE(bad.error().message.find("\"\\x01\" at position 14"), std::string::npos)
        << bad.error().message;
}

RC_GTEST_PROP(Base32Property, reads_what_it_writes_and_nothing_has_two_texts, (std::string bytes)) {
    std::string const text = base32_encode(bytes);
    RC_ASSERT(base32_decode(text).value() == bytes);
    RC_ASSERT(text.size() == (bytes.size() * 8 + 4) / 5);
}

TEST(SiteId, S2_text_has_nine_groups_of_six_and_reads_back) {
    std::string const text = site_id_text(sample());
    EXPECT_EQ(text, "0440y5-gx4gnk-4ea08x-75aq33-d9rqgz-w6hpa9-q8n9p2-vvxhec-tfd0hn");
    EXPECT_EQ(text.size(), 9u * 6 + 8);
    EXPECT_EQ(parse_site_id(text).value(), sample());
    EXPECT_EQ(site_id_short(sample()), text.substr(0, 6) + text.substr(7, 2));
    std::string ungrouped;
    for (char c : text)
        if (c != '-') ungrouped += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    EXPECT_EQ(parse_site_id(" " + ungrouped + "\n").value(), sample());
}

TEST(SiteId, says_what_is_wrong) {
    std::string const text = site_id_text(sample());
    auto const message = [](std::string const& id) {
        auto const parsed = parse_site_id(id);
        EXPECT_FALSE(parsed);
        return parsed ? std::string() : parsed.error().message;
    };
    EXPECT_NE(message("").find("has 0 characters"), std::string::npos);
    EXPECT_NE(message(text + "0").find("has 55 characters"), std::string::npos);
    EXPECT_NE(message("u" + text.substr(1)).find("\"u\" at position 1"), std::string::npos);
    std::string changed = text;
    changed.back() = changed.back() == '0' ? '1' : '0';
    EXPECT_NE(message(changed).find("check characters do not fit"), std::string::npos);
    std::string filled = text;  // the last character of the key has four bits that must be zero
    char& last = filled[filled.size() - 3];
    last = last == '0' ? '2' : 'z';
    EXPECT_NE(message(filled).find("mistyped"), std::string::npos);
}

}  // namespace
}  // namespace inos
