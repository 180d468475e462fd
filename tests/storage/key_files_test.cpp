// Key files: made once, private, and refused when anybody else could have had a hand in them; and
// the certificate that a site makes of its keys.
#include "storage/crypto/key_files.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/crypto/site_key_certificate.hpp"

namespace inos {
namespace {

namespace fs = std::filesystem;

class KeyFiles : public ::testing::Test {
protected:
    KeyFiles() {
        std::string pattern = ::testing::TempDir() + "inos_keys_XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no test directory");
        dir_ = pattern;
    }
    ~KeyFiles() override {
        std::error_code ignored;
        fs::remove_all(dir_, ignored);
    }

    std::string path(std::string const& name) const { return dir_ + "/" + name; }
    std::string key(std::string const& kind) const { return dir_ + "/keys/" + kind + ".key"; }

    static std::string content(std::string const& file) {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    static void overwrite(std::string const& file, std::string const& text) {
        std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    }
    static mode_t mode(std::string const& file) {
        struct stat info {};
        EXPECT_EQ(::lstat(file.c_str(), &info), 0) << file;
        return info.st_mode & 07777;
    }
    void expect_refused(Errc code, std::string const& part) const {
        auto const loaded = load_site_keys(dir_);
        ASSERT_FALSE(loaded);
        EXPECT_EQ(loaded.error().code, code) << loaded.error().message;
        EXPECT_NE(loaded.error().message.find(part), std::string::npos) << loaded.error().message;
    }

    std::string dir_;
};

TEST_F(KeyFiles, S1_S5_are_made_private_and_load_again) {
    mode_t const before = ::umask(0);
    auto const made = create_site_keys(dir_);
    ::umask(before);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(mode(path("keys")), 0700u);
    for (std::string const kind : {"identity", "channel", "sealing"}) {
        EXPECT_EQ(mode(key(kind)), 0600u);
        EXPECT_TRUE(content(key(kind)).starts_with("inos-key-1 " + kind + " "));
        EXPECT_EQ(content(key(kind)).size(), 11 + kind.size() + 1 + 64 + 1);
    }
    EXPECT_FALSE(fs::exists(path("keys.new")));
    auto const loaded = load_site_keys(dir_);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(loaded->identity.public_key, made->identity.public_key);
    EXPECT_TRUE(loaded->identity.seed == made->identity.seed);
    EXPECT_EQ(loaded->channel.public_key, made->channel.public_key);
    EXPECT_EQ(loaded->sealing.public_key, made->sealing.public_key);
    EXPECT_NE(loaded->channel.public_key, loaded->sealing.public_key);
    EXPECT_FALSE(loaded->identity.seed == loaded->channel.secret);
}

TEST_F(KeyFiles, are_never_overwritten) {
    ASSERT_TRUE(create_site_keys(dir_));
    std::string const before = content(key("identity"));
    auto const again = create_site_keys(dir_);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::conflict);
    EXPECT_NE(again.error().message.find(path("keys")), std::string::npos);
    EXPECT_EQ(content(key("identity")), before);
}

TEST_F(KeyFiles, creation_after_an_interrupted_one_succeeds) {
    fs::create_directory(path("keys.new"));
    overwrite(path("keys.new/identity.key"), "half");
    ASSERT_TRUE(create_site_keys(dir_));
    EXPECT_TRUE(load_site_keys(dir_));
}

TEST_F(KeyFiles, creation_fails_cleanly) {
    EXPECT_EQ(create_site_keys(path("missing")).error().code, Errc::not_found);
    fs::create_directory(path("keys.new"));
    overwrite(path("keys.new/other"), "not ours");
    auto const blocked = create_site_keys(dir_);
    ASSERT_FALSE(blocked);
    EXPECT_EQ(blocked.error().code, Errc::conflict);
    EXPECT_TRUE(fs::exists(path("keys.new/other")));
}

TEST_F(KeyFiles, missing_keys_are_named_with_what_to_do) {
    expect_refused(Errc::not_found, "inos init");
    ASSERT_TRUE(create_site_keys(dir_));
    fs::remove(key("sealing"));
    expect_refused(Errc::not_found, key("sealing") + "\" is missing; put it back from a backup");
}

TEST_F(KeyFiles, S5_modes_more_open_are_refused_with_the_chmod) {
    ASSERT_TRUE(create_site_keys(dir_));
    ::chmod(key("channel").c_str(), 0640);
    expect_refused(Errc::forbidden, "has mode 0640");
    expect_refused(Errc::forbidden, "chmod 0600 " + key("channel"));
    ::chmod(key("channel").c_str(), 0400);
    EXPECT_TRUE(load_site_keys(dir_)) << "stricter is fine";
    ::chmod(path("keys").c_str(), 0755);
    expect_refused(Errc::forbidden, "chmod 0700 " + path("keys"));
}

TEST_F(KeyFiles, S5_foreign_owners_are_refused) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
    ASSERT_TRUE(create_site_keys(dir_));
    ASSERT_EQ(::chown(key("identity").c_str(), 12345, 12345), 0);
    expect_refused(Errc::forbidden, "belongs to user 12345");
}

TEST_F(KeyFiles, S5_symbolic_links_pipes_and_directories_are_refused) {
    ASSERT_TRUE(create_site_keys(dir_));
    fs::rename(key("identity"), path("elsewhere"));
    fs::create_symlink(path("elsewhere"), key("identity"));
    expect_refused(Errc::forbidden, "symbolic link");
    fs::remove(key("identity"));
    ASSERT_EQ(::mkfifo(key("identity").c_str(), 0600), 0);
    expect_refused(Errc::forbidden, "not a plain file");
    fs::remove(key("identity"));
    fs::create_directory(key("identity"));
    expect_refused(Errc::forbidden, "not a plain file");
    fs::rename(path("keys"), path("moved"));
    fs::create_directory_symlink(path("moved"), path("keys"));
    expect_refused(Errc::forbidden, "symbolic link");
    overwrite(path("file"), "");
    EXPECT_EQ(load_site_keys(path("file")).error().code, Errc::forbidden);
}

TEST_F(KeyFiles, malformed_files_are_refused_without_showing_them) {
    ASSERT_TRUE(create_site_keys(dir_));
    std::string const good = content(key("channel"));
    std::string not_hex = good;
    not_hex[30] = 'g';
    for (std::string const& bad : {std::string(),
                                   good.substr(0, good.size() - 1),
                                   good + "\n",
                                   good.substr(0, 40),
                                   not_hex,
                                   content(key("sealing")),
                                   "inos-key-0" + good.substr(10)}) {
        overwrite(key("channel"), bad);
        expect_refused(Errc::corruption, key("channel"));
        EXPECT_EQ(load_site_keys(dir_).error().message.find(good.substr(20, 20)),
                  std::string::npos);
    }
    overwrite(key("channel"), std::string(5'000, 'x'));
    expect_refused(Errc::too_large, key("channel"));
    overwrite(key("channel"), good);
    EXPECT_TRUE(load_site_keys(dir_));
}

TEST_F(KeyFiles, of_a_newer_program_are_refused_as_such) {
    ASSERT_TRUE(create_site_keys(dir_));
    std::string const good = content(key("channel"));
    overwrite(key("channel"), "inos-key-2" + good.substr(10));
    auto const error = load_site_keys(dir_).error();
    EXPECT_EQ(error.code, Errc::unsupported);
    EXPECT_NE(error.message.find("has format version 2, and this program reads up to 1"),
              std::string::npos);
    EXPECT_EQ(error.message.find(good.substr(20, 20)), std::string::npos);
}

TEST_F(KeyFiles, secret_files_are_private_and_written_once) {
    std::string const file = path("api.token");
    ASSERT_TRUE(write_secret_file(file, "token\n"));
    EXPECT_EQ(mode(file), 0600u);
    EXPECT_EQ(read_secret_file(file).value(), "token\n");
    EXPECT_EQ(write_secret_file(file, "other").error().code, Errc::conflict);
    EXPECT_EQ(read_secret_file(file).value(), "token\n");
    EXPECT_EQ(read_secret_file(path("none")).error().code, Errc::not_found);
    EXPECT_EQ(write_secret_file(path("no/dir"), "x").error().code, Errc::not_found);
    EXPECT_EQ(write_secret_file(path("big"), std::string(4'097, 'x')).error().code,
              Errc::too_large);
    ::chmod(file.c_str(), 0644);
    EXPECT_EQ(read_secret_file(file).error().code, Errc::forbidden);
    fs::create_symlink(path("target"), path("link"));
    EXPECT_FALSE(write_secret_file(path("link"), "x")) << "a link is not followed";
    EXPECT_FALSE(fs::exists(path("target")));
}

SiteKeys fresh_keys() {
    return {
        crypto::SigningKey::generate(), crypto::KeyPair::generate(), crypto::KeyPair::generate()};
}

TEST(SiteKeyCertificate, S3_reads_back_and_verifies) {
    SiteKeys const keys = fresh_keys();
    auto const made = make_site_key_certificate(keys, "kiel", 3).value();
    EXPECT_TRUE(verify(made));
    auto const read = decode_site_key_certificate(encode(made)).value();
    EXPECT_EQ(read, made);
    EXPECT_EQ(read.site, keys.identity.public_key);
    EXPECT_EQ(read.channel_key, keys.channel.public_key);
    EXPECT_EQ(read.sealing_key, keys.sealing.public_key);
    EXPECT_EQ(read.serial, 3u);
    EXPECT_EQ(encode(made).size(), 1u + 32 + 5 + 32 + 32 + 1 + 64);
}

TEST(SiteKeyCertificate, S4_the_signature_is_over_the_constant_and_the_body) {
    SiteKeys const keys = fresh_keys();
    auto const made = make_site_key_certificate(keys, "kiel", 1).value();
    std::string const encoded = encode(made);
    std::string const body = encoded.substr(0, encoded.size() - 64);
    EXPECT_TRUE(crypto::verify(made.site, "inos site keys 1" + body, made.signature));
    EXPECT_FALSE(crypto::verify(made.site, body, made.signature));
}

TEST(SiteKeyCertificate, bad_names_serials_and_versions_are_refused) {
    SiteKeys const keys = fresh_keys();
    EXPECT_FALSE(make_site_key_certificate(keys, "", 1));
    EXPECT_FALSE(make_site_key_certificate(keys, "a\nb", 1));
    EXPECT_FALSE(make_site_key_certificate(keys, std::string(257, 'n'), 1));
    EXPECT_FALSE(make_site_key_certificate(keys, "kiel", 0));
    std::string encoded = encode(make_site_key_certificate(keys, "kiel", 1).value());
    std::string newer = encoded;
    newer[0] = 2;
    EXPECT_EQ(decode_site_key_certificate(newer).error().code, Errc::unsupported);
    EXPECT_EQ(decode_site_key_certificate(encoded + "x").error().code, Errc::protocol);
    for (std::size_t size = 0; size < encoded.size(); ++size)
        EXPECT_FALSE(decode_site_key_certificate(encoded.substr(0, size))) << size;
    SiteKeyCertificate zero = decode_site_key_certificate(encoded).value();
    zero.serial = 0;
    EXPECT_FALSE(decode_site_key_certificate(encode(zero)));
}

RC_GTEST_PROP(SiteKeyCertificateProperty, no_changed_bit_passes, ()) {
    static std::string const encoded =
        encode(make_site_key_certificate(fresh_keys(), "kiel", 200).value());
    std::string changed = encoded;
    auto const at = *rc::gen::inRange<std::size_t>(0, encoded.size());
    changed[at] = static_cast<char>(changed[at] ^ 1 << *rc::gen::inRange(0, 8));
    auto const read = decode_site_key_certificate(changed);
    bool const passes = read && verify(*read);  // RC_ASSERT does not short-circuit
    RC_ASSERT(!passes);
}

}  // namespace
}  // namespace inos
