// What encrypted files are made of: streams that are read anywhere as from the beginning, heads
// that tell whose they are, and small sealed files. The bytes are fixed: disks hold them.
#include "storage/crypto/file_cipher.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace inos::crypto {
namespace {

Secret key_of(char c) {
    return Secret(std::string(32, c));
}

std::string whole(FileStream const& stream, std::string const& content) {
    std::string out(content.size(), '\0');
    stream.apply(0, content.data(), out.data(), content.size());
    return out;
}

RC_GTEST_PROP(FileStreamProperty, anywhere_is_as_from_the_beginning, ()) {
    init();
    FileCipher const cipher(key_of('k'));
    auto const stream = *cipher.stream(cipher.new_head());
    auto const content = *rc::gen::arbitrary<std::string>();
    std::string const encrypted = whole(stream, content);
    RC_ASSERT(whole(stream, encrypted) == content);
    auto const from = *rc::gen::inRange<std::size_t>(0, content.size() + 1);
    auto const size = *rc::gen::inRange<std::size_t>(0, content.size() - from + 1);
    std::string part = encrypted.substr(from, size);
    stream.apply(from, part.data(), part.data(), part.size());
    RC_ASSERT(part == content.substr(from, size));
}

// Around the ends of blocks, and far behind 32 bits of bytes and of blocks.
TEST(FileStream, every_offset_and_size_around_a_block) {
    init();
    FileCipher const cipher(key_of('k'));
    auto const stream = *cipher.stream(cipher.new_head());
    std::string const zeros(400, '\0');
    std::string const expected = whole(stream, zeros);
    for (std::size_t from = 0; from < 200; ++from)
        for (std::size_t size : {0u, 1u, 63u, 64u, 65u, 128u, 200u}) {
            std::string part(size, '\0');
            stream.apply(from, part.data(), part.data(), size);
            ASSERT_EQ(part, expected.substr(from, size)) << from << " " << size;
        }
    for (std::uint64_t const far : {(1ull << 32) - 70, (1ull << 38) - 70, 1ull << 45}) {
        std::string at_once(300, '\0');
        stream.apply(far, at_once.data(), at_once.data(), at_once.size());
        for (std::size_t i = 0; i < at_once.size(); ++i) {
            char byte = 0;
            stream.apply(far + i, &byte, &byte, 1);
            ASSERT_EQ(byte, at_once[i]) << far << "+" << i;
        }
        EXPECT_NE(at_once, expected.substr(0, 300));
    }
}

// If this changes, nobody can read the disks of before. Computed by another implementation, in
// Python.
TEST(FileCipher, the_bytes_on_disks_are_these) {
    init();
    std::string head = "inosenc1";
    for (char c = 0; c < 24; ++c)
        head += c;
    std::string const purpose = "inos at rest 1 head";
    Secret const head_key = derived_key(key_of('k'), purpose);
    head += view(hash32(head, head_key.view()));
    EXPECT_EQ(hex(head.substr(32)),
              "7e582e889638712ea423aaa73e2bb842f2cc5826c3a4d97368dde75618f58062");
    auto const stream = FileCipher(key_of('k')).stream(head);
    ASSERT_TRUE(stream);
    EXPECT_EQ(hex(whole(*stream, "the first record of the log")),
              "5dc4b9188bffee208e92a97175c0d2431c85dc8889470fd9cfefe3");
}

TEST(FileCipher, every_file_has_a_stream_of_its_own) {
    init();
    FileCipher const cipher(key_of('k'));
    std::set<std::string> heads, streams;
    for (int i = 0; i < 1'000; ++i) {
        heads.insert(cipher.new_head());
        streams.insert(whole(*cipher.stream(cipher.new_head()), std::string(32, '\0')));
    }
    EXPECT_EQ(heads.size(), 1'000u);
    EXPECT_EQ(streams.size(), 1'000u);
}

TEST(FileCipher, a_head_of_another_key_or_with_a_flipped_bit_is_refused) {
    init();
    FileCipher const cipher(key_of('k'));
    std::string const head = cipher.new_head();
    EXPECT_TRUE(cipher.stream(head));
    EXPECT_FALSE(FileCipher(key_of('l')).stream(head));
    EXPECT_TRUE(FileCipher::is_head(head));
    for (std::size_t i = 0; i < head.size() * 8; ++i) {
        std::string bad = head;
        bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << i % 8));
        EXPECT_FALSE(cipher.stream(bad)) << i;
    }
    for (std::size_t size = 0; size < head.size(); ++size) {
        EXPECT_FALSE(cipher.stream(head.substr(0, size)));
        EXPECT_TRUE(FileCipher::is_torn_head(head.substr(0, size)));
    }
    EXPECT_FALSE(FileCipher::is_torn_head("MANIFEST-000005\n"));
}

TEST(FileSeal, opens_what_it_sealed_under_its_name_only) {
    init();
    FileSeal const seal(key_of('k'));
    std::string const text = seal.seal("identity.key", "a secret");
    EXPECT_TRUE(FileSeal::is_sealed(text));
    EXPECT_EQ(text.find("a secret"), std::string::npos);
    EXPECT_EQ(seal.open("identity.key", text), "a secret");
    EXPECT_FALSE(seal.open("channel.key", text)) << "put in the place of another";
    EXPECT_FALSE(FileSeal(key_of('l')).open("identity.key", text));
    EXPECT_FALSE(seal.open("identity.key", "a secret"));
    EXPECT_NE(seal.seal("identity.key", "a secret"), text) << "a nonce of its own";
    for (std::size_t i = 0; i < text.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string bad = text;
            bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
            EXPECT_FALSE(seal.open("identity.key", bad)) << i;
        }
        EXPECT_FALSE(seal.open("identity.key", text.substr(0, i))) << i;
    }
    EXPECT_FALSE(seal.open("identity.key", text + "\n"));
}

}  // namespace
}  // namespace inos::crypto
