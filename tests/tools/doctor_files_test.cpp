// What `inos doctor` says of the files of a site's directory.
#include "tools/doctor_files.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.hpp"

namespace inos {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::Field;
using testing::HasSubstr;

using Kind = FileFacts::Kind;

DirectoryFacts good() {
    DirectoryFacts facts;
    facts.dir = "/srv/shop";
    facts.user = 1'000;
    facts.self = facts.key_directory = facts.database = {Kind::directory, 0700, 1'000, 0};
    facts.socket = {Kind::socket, 0600, 1'000, 0};
    facts.token = {Kind::file, 0600, 1'000, 65};
    for (char const* name : {"identity.key", "channel.key", "sealing.key", "space-00.key"})
        facts.keys.push_back({name, {Kind::file, 0600, 1'000, 100}});
    facts.room_bytes = 5 * kRoomWarningBytes;
    return facts;
}

auto says(Severity severity, std::string const& check, std::string const& todo) {
    return Contains(AllOf(Field(&Diagnosis::severity, severity),
                          Field(&Diagnosis::check, check),
                          Field(&Diagnosis::todo, HasSubstr(todo))));
}

TEST(DoctorFiles, all_is_well_where_nobody_else_may_do_anything) {
    EXPECT_THAT(judge_files(good()), Each(Field(&Diagnosis::severity, Severity::ok)));
}

TEST(DoctorFiles, S5_whatever_others_may_use_is_a_problem_with_the_command_that_ends_it) {
    auto facts = good();
    facts.keys[0].facts.mode = 0640;
    EXPECT_THAT(judge_files(facts),
                says(Severity::problem, "keys", "chmod 600 /srv/shop/keys/identity.key"));
    facts = good();
    facts.key_directory.mode = 0755;
    EXPECT_THAT(judge_files(facts), says(Severity::problem, "keys", "chmod 700 /srv/shop/keys"));
    facts = good();
    facts.keys[1].facts.owner = 0;
    EXPECT_THAT(judge_files(facts), says(Severity::problem, "keys", "chown"));
    facts = good();
    facts.keys[1].facts.kind = Kind::other;
    EXPECT_THAT(judge_files(facts), says(Severity::problem, "keys", "Put the file itself"));
    facts = good();
    facts.keys.erase(facts.keys.begin());
    EXPECT_THAT(judge_files(facts), says(Severity::problem, "keys", "backup"));
    facts = good();
    facts.socket.mode = 0666;
    EXPECT_THAT(judge_files(facts), says(Severity::problem, "socket", "chmod 600"));
    facts = good();
    facts.token.mode = 0644;
    EXPECT_THAT(judge_files(facts), says(Severity::problem, "token", "chmod 600"));
    facts = good();
    facts.token.bytes = 5;
    EXPECT_THAT(judge_files(facts), says(Severity::problem, "token", "Remove the file"));
    facts = good();
    facts.self.mode = 0777;
    EXPECT_THAT(judge_files(facts), says(Severity::problem, "directory", "chmod 700 /srv/shop"));
    facts.self.mode = 0755;
    EXPECT_THAT(judge_files(facts), says(Severity::warning, "directory", "chmod 700 /srv/shop"));
}

TEST(DoctorFiles, a_disk_that_fills_up_is_a_warning_and_then_a_problem) {
    auto facts = good();
    facts.room_bytes = kRoomWarningBytes - 1;
    EXPECT_THAT(judge_files(facts), says(Severity::warning, "room", "Make room"));
    facts.room_bytes = kRoomProblemBytes - 1;
    EXPECT_THAT(judge_files(facts), says(Severity::problem, "room", "Make room"));
}

TEST(DoctorFiles, looks_at_a_directory_as_it_is) {
    test::TempDir const dir;
    std::string const keys = dir.path() + "/keys";
    ASSERT_EQ(::mkdir(keys.c_str(), 0750), 0);
    ASSERT_EQ(::chmod(keys.c_str(), 0750), 0);
    auto const facts = look_at_files(dir.path());
    EXPECT_EQ(facts.self.kind, Kind::directory);
    EXPECT_EQ(facts.self.owner, facts.user);
    EXPECT_EQ(facts.key_directory.mode, 0750u);
    EXPECT_EQ(facts.socket.kind, Kind::missing);
    EXPECT_GT(facts.room_bytes.value_or(0), 0u);
    EXPECT_THAT(judge_files(facts), says(Severity::problem, "keys", "chmod 700 " + keys));
}

}  // namespace
}  // namespace inos
