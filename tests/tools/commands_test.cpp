// Commands as a user runs them, on a directory without a node.
#include "tools/commands.hpp"

#include <sstream>

#include <gmock/gmock.h>

#include "storage/site_directory.hpp"
#include "tests/support/temp_dir.hpp"
#include "tools/command_line.hpp"

namespace inos {
namespace {

using testing::HasSubstr;

class CommandsTest : public testing::Test {
protected:
    CommandsTest() {
        crypto::init();
        EXPECT_TRUE(create_founder(dir_, "shop", "main"));
    }

    int run(std::vector<std::string> arguments) {
        std::istringstream in;
        std::ostringstream out, err;
        Terminal terminal{in, out, err};
        CommandLine line(terminal, "1.2.3", dir_);
        add_commands(line);
        int const status = line.run(std::move(arguments));
        out_ = out.str();
        err_ = err.str();
        return status;
    }

    test::TempDir temp_;
    std::string dir_ = temp_ / "shop";
    std::string out_, err_;
};

TEST_F(CommandsTest, orphans_refuses_an_id_without_a_decision) {
    EXPECT_EQ(run({"orphans"}), kExitDone);
    EXPECT_EQ(out_, "no edits without a record\n");
    EXPECT_EQ(run({"orphans", "customers", "c1"}), kExitUsage);
    EXPECT_THAT(err_, HasSubstr("either --keep or --drop"));
    EXPECT_EQ(run({"orphans", "customers", "c1", "--keep", "--drop"}), kExitUsage);
    EXPECT_EQ(run({"orphans", "customers", "--drop"}), kExitUsage);
    EXPECT_EQ(run({"orphans", "customers", "c1", "--drop"}), kExitNotFound);
}

TEST_F(CommandsTest, dashboard_says_what_to_do_when_no_node_runs) {
    EXPECT_EQ(run({"dashboard"}), kExitFailed);
    EXPECT_EQ(out_, "");
    EXPECT_THAT(err_, HasSubstr("no node runs"));
    EXPECT_THAT(err_, HasSubstr("inos run --data " + dir_ + " --api 127.0.0.1:8080"));
}

TEST_F(CommandsTest, erase_says_that_it_erased) {
    EXPECT_EQ(run({"put", "customers", "c1", "{}"}), kExitDone) << err_;
    EXPECT_EQ(run({"erase", "customers", "c1"}), kExitDone) << err_;
    EXPECT_EQ(out_, "customers/c1 erased\n");
    EXPECT_EQ(run({"put", "customers", "c2", "{}"}), kExitDone) << err_;
    EXPECT_EQ(run({"delete", "customers", "c2"}), kExitDone) << err_;
    EXPECT_EQ(out_, "customers/c2 deleted\n");
}

// Entries that are not here cannot come while no node runs.
TEST_F(CommandsTest, get_says_that_a_moment_is_not_known_here) {
    EXPECT_EQ(run({"put", "customers", "c1", "{}"}), kExitDone) << err_;
    EXPECT_EQ(run({"get", "customers", "c1", "--at", "01000000000000123407"}), kExitFailed);
    EXPECT_THAT(err_, HasSubstr("has not received yet"));
}

TEST_F(CommandsTest, values_that_an_option_cannot_have_are_wrong_usage) {
    EXPECT_EQ(run({"put", "customers", "c1", "{}", "--wait", "5000"}), kExitUsage);
    EXPECT_THAT(err_, HasSubstr("from 0 to 1000"));
    EXPECT_EQ(run({"put", "customers", "c1", "{}", "--wait", "1", "--timeout", "301"}), kExitUsage);
    EXPECT_THAT(err_, HasSubstr("from 0 to 300"));
}

}  // namespace
}  // namespace inos
