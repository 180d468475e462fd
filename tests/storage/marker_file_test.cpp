// The file by which a directory is told from its copies, on a real file system.
#include "storage/marker_file.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/support/space.hpp"
#include "tests/support/temp_dir.hpp"

namespace inos {
namespace {

namespace fs = std::filesystem;
using test::value_of;

class MarkerFile : public testing::Test {
protected:
    MarkerFile() {
        fs::create_directory(dir);
        recorded.marks = value_of(renew_marks(dir, ids, fresh_marker_nonce()));
    }
    Doubt judge(std::string const& at) {
        return judge_continuity(recorded, value_of(read_marks(at, ids)));
    }

    test::TempDir temp;
    std::string dir = temp / "shop", other = temp / "other";
    MachineIds ids{"machine", "boot"};
    ContinuityRecord recorded;
};

TEST_F(MarkerFile, is_the_same_until_it_is_renewed) {
    EXPECT_EQ(judge(dir), Doubt::none);
    EXPECT_EQ(judge(dir), Doubt::none) << "reading changes nothing";
    auto const renewed = value_of(renew_marks(dir, ids, fresh_marker_nonce()));
    EXPECT_EQ(renewed.inode, recorded.marks->inode);
    EXPECT_NE(renewed.nonce, recorded.marks->nonce);
    EXPECT_EQ(judge(dir), Doubt::overwritten);
    recorded.marks = renewed;
    EXPECT_EQ(judge(dir), Doubt::none);
}

TEST_F(MarkerFile, a_crash_before_or_after_it_is_renewed_does_no_harm) {
    recorded.next = fresh_marker_nonce();
    EXPECT_EQ(judge(dir), Doubt::none);
    value_of(renew_marks(dir, ids, *recorded.next));
    EXPECT_EQ(judge(dir), Doubt::none);
    value_of(renew_marks(dir, ids, fresh_marker_nonce()));
    EXPECT_EQ(judge(dir), Doubt::overwritten);
}

// The machine starts, a peer confirms, the site goes on and ends; then only the database is put
// back from before that start.
TEST_F(MarkerFile, C1_shows_a_database_from_before_a_reboot_that_was_confirmed) {
    ContinuityRecord const before = recorded;
    ids.boot = "boot 2";
    EXPECT_EQ(judge(dir), Doubt::rebooted);
    recorded.keep_marks(value_of(renew_marks(dir, ids, fresh_marker_nonce())), Doubt::rebooted);
    EXPECT_EQ(judge(dir), Doubt::rebooted) << "until somebody confirms";
    recorded.marks = value_of(read_marks(dir, ids));
    EXPECT_EQ(judge(dir), Doubt::none);
    recorded = before;
    EXPECT_EQ(judge(dir), Doubt::overwritten);
}

TEST_F(MarkerFile, C1_a_copy_stays_one_however_often_it_is_opened) {
    fs::copy(dir, other, fs::copy_options::recursive);
    recorded.keep_marks(value_of(renew_marks(other, ids, fresh_marker_nonce())), Doubt::copied);
    EXPECT_EQ(judge(other), Doubt::copied);
}

TEST_F(MarkerFile, goes_along_when_the_directory_is_moved) {
    fs::rename(dir, other);
    EXPECT_EQ(judge(other), Doubt::none);
}

TEST_F(MarkerFile, C2_is_another_one_in_a_copy) {
    fs::copy(dir, other, fs::copy_options::recursive);
    EXPECT_EQ(judge(other), Doubt::copied);
    EXPECT_EQ(judge(dir), Doubt::none);
}

TEST_F(MarkerFile, C1_shows_that_it_was_put_back_in_place) {
    fs::copy(dir + "/marker", other);
    fs::copy(other, dir + "/marker", fs::copy_options::overwrite_existing);
    EXPECT_EQ(judge(dir), Doubt::overwritten);
}

TEST_F(MarkerFile, is_made_anew_where_it_is_missing) {
    fs::remove(dir + "/marker");
    EXPECT_NE(judge(dir), Doubt::none);
    EXPECT_TRUE(fs::exists(dir + "/marker"));
    EXPECT_FALSE(read_marks(temp / "nowhere", ids));
}

TEST(MachineIdsTest, name_this_run_of_the_kernel) {
    auto const ids = machine_ids();
    EXPECT_FALSE(ids.boot.empty());
    EXPECT_EQ(machine_ids().boot, ids.boot);
}

}  // namespace
}  // namespace inos
