#include "tools/command_line.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace inos {
namespace {

// A small program with the forms of command that the real one has.
class CommandLineTest : public testing::Test {
protected:
    CommandLineTest() : line_(terminal_, "1.2.3", "from-environment") {
        auto& put = line_.add("put", "Store a record");
        put.argument("COLLECTION", collection_, "the collection")
            .argument("VALUE", value_, "the value")
            .option("--limit", limit_, "N", "how many")
            .option("--peer", peers_, "URL", "whom")
            .flag("--force", force_, "really")
            .example("inos put a 1", "store it")
            .body([this](Context& context) -> Result<int> {
                json_ = context.json;
                data_ = context.data;
                if (collection_ == "missing")
                    return fail(Errc::not_found, "there is no \"missing\"");
                return kExitDone;
            });
        auto& schema = line_.add("schema", "Schemas");
        schema.subcommand("show", "Show it").body([](Context&) -> Result<int> {
            return kExitDone;
        });
    }

    int run(std::vector<std::string> arguments) { return line_.run(std::move(arguments)); }
    std::string error() const { return err_.str(); }

    std::istringstream in_;
    std::ostringstream out_, err_;
    Terminal terminal_{in_, out_, err_};
    CommandLine line_;
    std::string collection_, value_, data_;
    std::uint64_t limit_ = 7;
    std::vector<std::string> peers_;
    bool force_ = false, json_ = false;
};

TEST_F(CommandLineTest, global_options_may_stand_before_and_behind_the_command) {
    EXPECT_EQ(run({"--data", "d", "put", "a", "b", "--json"}), 0) << error();
    EXPECT_EQ(data_, "d");
    EXPECT_TRUE(json_);
    EXPECT_EQ(collection_, "a");
}

TEST_F(CommandLineTest, the_environment_is_the_default_of_data) {
    EXPECT_EQ(run({"put", "a", "b"}), 0);
    EXPECT_EQ(data_, "from-environment");
}

TEST_F(CommandLineTest, options_with_several_values) {
    EXPECT_EQ(run({"put", "a", "b", "--peer", "x", "--peer", "y", "--limit", "3", "--force"}), 0)
        << error();
    EXPECT_EQ(peers_, (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(limit_, 3u);
    EXPECT_TRUE(force_);
}

TEST_F(CommandLineTest, negative_numbers_and_a_dash_are_arguments) {
    EXPECT_EQ(run({"put", "a", "-5"}), 0) << error();
    EXPECT_EQ(value_, "-5");
    EXPECT_EQ(run({"put", "a", "-"}), 0) << error();
    EXPECT_EQ(value_, "-");
}

TEST_F(CommandLineTest, an_unknown_command_offers_the_near_miss) {
    EXPECT_EQ(run({"putt", "a", "b"}), kExitUsage);
    EXPECT_EQ(error(), "inos: unknown command \"putt\"; did you mean \"put\"? (see inos --help)\n");
}

TEST_F(CommandLineTest, an_unknown_option_offers_the_near_miss) {
    EXPECT_EQ(run({"put", "a", "b", "--limt", "3"}), kExitUsage);
    EXPECT_EQ(error(),
              "inos: unknown option \"--limt\" of inos put; did you mean \"--limit\"? (see inos "
              "put --help)\n");
}

TEST_F(CommandLineTest, missing_and_surplus_arguments_are_named) {
    EXPECT_EQ(run({"put", "a"}), kExitUsage);
    EXPECT_EQ(error(), "inos: VALUE is missing (see inos put --help)\n");
    EXPECT_EQ(run({"put", "a", "b", "c"}), kExitUsage);
    EXPECT_NE(error().find("unexpected argument \"c\""), std::string::npos);
}

TEST_F(CommandLineTest, a_number_is_a_number) {
    EXPECT_EQ(run({"put", "a", "b", "--limit", "many"}), kExitUsage);
    EXPECT_NE(error().find("--limit"), std::string::npos);
}

TEST_F(CommandLineTest, subcommands_are_commands) {
    EXPECT_EQ(run({"schema", "show"}), kExitDone);
    EXPECT_EQ(run({"schema", "shwo"}), kExitUsage);
    EXPECT_NE(error().find("unknown command \"shwo\" of inos schema; did you mean \"show\"?"),
              std::string::npos);
    EXPECT_EQ(run({"schema"}), kExitUsage);
    EXPECT_EQ(run({}), kExitUsage);
}

TEST_F(CommandLineTest, errors_of_the_body_become_message_and_status) {
    EXPECT_EQ(run({"put", "missing", "b"}), kExitNotFound);
    EXPECT_EQ(error(), "inos: there is no \"missing\"\n");
    EXPECT_EQ(exit_status(Errc::usage), 2);
    EXPECT_EQ(exit_status(Errc::gone), 3);
    EXPECT_EQ(exit_status(Errc::conflict), 4);
    EXPECT_EQ(exit_status(Errc::io), 1);
}

TEST_F(CommandLineTest, help_and_version_are_printed) {
    EXPECT_EQ(run({"--version"}), 0);
    EXPECT_EQ(out_.str(), "inos 1.2.3\n");
    EXPECT_EQ(run({"put", "--help"}), 0);
    EXPECT_NE(out_.str().find("# store it"), std::string::npos);
}

}  // namespace
}  // namespace inos
