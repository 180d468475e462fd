// A site's directory: made whole or not at all, opened by one process at a time, and refused with a
// reason when something about it is wrong.
#include "storage/site_directory.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/engines/rocks.hpp"
#include "storage/keys.hpp"
#include "tests/support/space.hpp"
#include "tests/support/temp_dir.hpp"
#include "tools/simulation/manual_clock.hpp"

namespace inos {
namespace {

namespace fs = std::filesystem;
using test::TempDir;
using test::value_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class SiteDirectory : public testing::Test {
protected:
    Result<std::unique_ptr<OpenSite>> open() { return open_site(dir, clock, Durability::flushed); }
    void found() { ASSERT_TRUE(create_founder(dir, "hq", "shop")); }
    Error open_error() {
        auto const site = open();
        EXPECT_FALSE(site);
        return site ? Error() : site.error();
    }
    std::vector<std::string> names(std::string const& where) {
        std::vector<std::string> out;
        for (auto const& item : fs::directory_iterator(where))
            out.push_back(item.path().filename());
        return out;
    }
    fs::path space_key() {
        for (auto const& item : fs::directory_iterator(dir + "/keys"))
            if (item.path().filename().string().starts_with("space-")) return item.path();
        return {};
    }
    static mode_t mode(std::string const& path) {
        struct stat info {};
        EXPECT_EQ(::stat(path.c_str(), &info), 0);
        return info.st_mode & 0777;
    }
    // What the founder gives to a joiner.
    SpaceGrant grant(OpenSite& founder, SiteKeys const& keys) {
        SpaceGrant out;
        out.genesis = founder.replica->membership().genesis();
        out.keys = founder.space_keys;
        out.actor = ActorId{42};
        Certificate certificate;
        certificate.space = out.genesis.id();
        certificate.actor = out.actor;
        certificate.site = keys.identity.public_key;
        certificate.channel = keys.channel.public_key;
        certificate.sealing = keys.sealing.public_key;
        certificate.name = "branch";
        certificate.role = Role::writer;
        out.statements = founder.replica->membership().all_bytes();
        out.statements.push_back(issue(certificate, founder.keys.identity));
        out.peers = {"ws://hq.example:7443"};
        return out;
    }

    TempDir temp;
    std::string dir = temp / "data";
    test::ManualClock clock;
};

TEST_F(SiteDirectory, a_founder_opens_what_it_made) {
    found();
    EXPECT_THAT(names(temp.path()), ElementsAre("data"));
    EXPECT_THAT(names(dir), UnorderedElementsAre("keys", "db", "marker"));
    EXPECT_EQ(mode(dir), 0700u);
    EXPECT_EQ(mode(dir + "/keys"), 0700u);
    EXPECT_EQ(mode(space_key()), 0600u);
    Digest128 root;
    {
        auto const site = value_of(open());
        EXPECT_EQ(site->name, "hq");
        EXPECT_EQ(site->replica->membership().genesis().name, "shop");
        EXPECT_EQ(site->replica->membership().sites().size(), 1u);
        EXPECT_THAT(site->peers, ElementsAre());
        ASSERT_TRUE(
            site->replica->commit({{"test", {{Write::Kind::put, {"c", "k"}, {}, {}}}}}).front());
        ASSERT_TRUE(save_peers(*site->engine, {"ws://a:1", "ws://b:2"}));
        root = site->replica->root();
    }
    auto const site = value_of(open());
    EXPECT_EQ(site->replica->root(), root);
    EXPECT_EQ(site->replica->record_count(), 1u);
    EXPECT_THAT(site->peers, ElementsAre("ws://a:1", "ws://b:2"));
}

TEST_F(SiteDirectory, a_member_joins_in_two_steps) {
    found();
    auto const founder = value_of(open());
    std::string const member = temp / "member/deep/data";
    SiteKeys const keys = value_of(prepare_member(member));
    // Interrupted: the second attempt finds the same keys.
    EXPECT_EQ(value_of(prepare_member(member)).identity.public_key, keys.identity.public_key);
    EXPECT_FALSE(fs::exists(member));
    ASSERT_TRUE(create_member(member, grant(*founder, keys)));
    EXPECT_FALSE(fs::exists(member + ".joining"));
    auto const site = value_of(open_site(member, clock, Durability::flushed));
    EXPECT_EQ(site->name, "branch");
    EXPECT_EQ(site->replica->actor(), ActorId{42});
    EXPECT_EQ(site->replica->membership().digest(), site->replica->membership().digest());
    EXPECT_THAT(site->peers, ElementsAre("ws://hq.example:7443"));
    EXPECT_EQ(site->space_keys.digest, founder->space_keys.digest);
    EXPECT_EQ(prepare_member(member).error().code, Errc::conflict);
}

TEST_F(SiteDirectory, an_interrupted_filling_is_done_again) {
    found();
    auto const founder = value_of(open());
    std::string const member = temp / "member";
    SiteKeys const keys = value_of(prepare_member(member));
    // Half a database and a key file of the attempt before.
    fs::create_directories(member + ".joining/db");
    std::ofstream(member + ".joining/db/CURRENT") << "half";
    auto const given = grant(*founder, keys);
    std::string const key = space_key().filename();
    ASSERT_TRUE(write_secret_file(member + ".joining/keys/" + key, "half"));
    ASSERT_TRUE(create_member(member, given));
    EXPECT_TRUE(open_site(member, clock, Durability::flushed));
}

TEST_F(SiteDirectory, an_interrupted_founding_leaves_nothing_in_the_way) {
    fs::create_directories(dir + ".founding/keys");
    std::ofstream(dir + ".founding/keys/identity.key") << "half";
    found();
    EXPECT_THAT(names(temp.path()), ElementsAre("data"));
    EXPECT_TRUE(open());
}

TEST_F(SiteDirectory, a_grant_without_the_own_certificate_makes_no_site) {
    found();
    auto const founder = value_of(open());
    std::string const member = temp / "member";
    auto given = grant(*founder, value_of(prepare_member(member)));
    given.statements.pop_back();
    EXPECT_EQ(create_member(member, given).error().code, Errc::protocol);
    EXPECT_FALSE(fs::exists(member));
}

TEST_F(SiteDirectory, only_free_places_are_taken) {
    EXPECT_TRUE(check_free(dir));
    fs::create_directory(dir);
    EXPECT_TRUE(check_free(dir));
    found();  // an empty directory is a free place
    Error const taken = create_founder(dir, "hq", "shop").error();
    EXPECT_EQ(taken.code, Errc::conflict);
    EXPECT_THAT(taken.message, HasSubstr("holds a site already"));
    std::string const other = temp / "other";
    fs::create_directory(other);
    std::ofstream(other + "/photo.jpg") << "x";
    EXPECT_THAT(check_free(other).error().message, HasSubstr("is not empty"));
    EXPECT_EQ(check_free(other + "/photo.jpg").error().code, Errc::conflict);
    EXPECT_EQ(create_founder(temp / "new", "bad\nname", "shop").error().code, Errc::usage);
    EXPECT_EQ(create_founder(temp / "new", "hq", "").error().code, Errc::usage);
    EXPECT_FALSE(fs::exists(temp / "new"));
}

TEST_F(SiteDirectory, a_trailing_slash_does_not_matter) {
    ASSERT_TRUE(create_founder(dir + "/", "hq", "shop"));
    EXPECT_TRUE(open_site(dir + "/", clock, Durability::flushed));
    EXPECT_THAT(names(temp.path()), ElementsAre("data"));
}

TEST_F(SiteDirectory, D7_one_process_at_a_time_and_the_other_learns_which) {
    found();
    {
        auto const first = value_of(open());
        Error const error = open_error();
        EXPECT_EQ(error.code, Errc::conflict);
        EXPECT_THAT(
            error.message,
            HasSubstr("in use by another inos (process " + std::to_string(::getpid()) + ")"));
    }
    EXPECT_TRUE(open());
}

TEST_F(SiteDirectory, a_place_without_a_site_names_the_remedy) {
    Error const error = open_error();
    EXPECT_EQ(error.code, Errc::not_found);
    EXPECT_THAT(error.message, HasSubstr("inos init"));
    EXPECT_FALSE(fs::exists(dir));
}

TEST_F(SiteDirectory, keys_that_others_can_read_are_refused) {
    found();
    fs::permissions(space_key(), fs::perms(0640));
    Error error = open_error();
    EXPECT_EQ(error.code, Errc::forbidden);
    EXPECT_THAT(error.message, HasSubstr("chmod"));
    fs::permissions(space_key(), fs::perms(0600));
    fs::permissions(dir + "/keys/identity.key", fs::perms(0644));
    EXPECT_EQ(open_error().code, Errc::forbidden);
    fs::permissions(dir + "/keys/identity.key", fs::perms(0600));
    EXPECT_TRUE(open());
}

TEST_F(SiteDirectory, C8_keys_of_another_site_or_space_are_refused) {
    found();
    std::string const other = temp / "other";
    ASSERT_TRUE(create_founder(other, "other", "other"));
    fs::rename(dir + "/keys/identity.key", temp / "kept");
    fs::copy(other + "/keys/identity.key", dir + "/keys/identity.key");
    Error error = open_error();
    EXPECT_EQ(error.code, Errc::corruption);
    EXPECT_THAT(error.message, HasSubstr("belong to another site"));
    fs::rename(temp / "kept", dir + "/keys/identity.key");

    std::ofstream(space_key()) << "inos-key-1 space 00\n";
    error = open_error();
    EXPECT_EQ(error.code, Errc::corruption);
    EXPECT_THAT(error.message, HasSubstr("is no key file of a space"));
    fs::remove(space_key());
    EXPECT_EQ(open_error().code, Errc::not_found);
}

TEST_F(SiteDirectory, another_format_is_refused_by_number) {
    found();
    {
        auto const engine = value_of(open_rocks(dir + "/db"));
        WriteBatch batch;
        batch.put(Family::meta, keys::directory("format"), "2");
        ASSERT_TRUE(engine->write(batch, Durability::synced));
    }
    Error const error = open_error();
    EXPECT_EQ(error.code, Errc::unsupported);
    EXPECT_THAT(error.message, HasSubstr("has format 2, and this program reads format 1"));
}

TEST(SpaceKeys, read_back_and_refuse_everything_else) {
    SpaceKeys const keys{crypto::Secret::random(), crypto::Secret::random()};
    std::string const text = space_keys_text(keys);
    auto const again = parse_space_keys(text);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->seal, keys.seal);
    EXPECT_EQ(again->digest, keys.digest);
    EXPECT_FALSE(parse_space_keys(""));
    for (std::size_t at = 0; at < text.size(); ++at) {
        std::string bad = text;
        bad[at] = '?';
        EXPECT_FALSE(parse_space_keys(bad)) << at;
        EXPECT_FALSE(parse_space_keys(text.substr(0, at)));
    }
    EXPECT_FALSE(parse_space_keys(text + "x"));
}

}  // namespace
}  // namespace inos
