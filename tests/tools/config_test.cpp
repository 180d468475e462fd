#include "tools/config.hpp"

#include <string>

#include <gtest/gtest.h>

namespace inos {
namespace {

std::string error_of(std::string_view text) {
    auto const config = parse_config(text, "inos.toml");
    if (config) return "no error";
    EXPECT_EQ(config.error().code, Errc::usage);
    return config.error().message;
}

TEST(Config, the_file_that_init_writes_holds_the_defaults) {
    auto const config = parse_config(config_file_text(), "inos.toml");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->listen, (HostPort{"0.0.0.0", 7711}));
    EXPECT_EQ(config->api, std::nullopt);
    EXPECT_EQ(config->durability, Durability::synced);
    EXPECT_EQ(config->log_level, "info");
    for (auto const& key : config_keys()) {
        for (ConfigFile const whose : {ConfigFile::site, ConfigFile::machine}) {
            EXPECT_NE(config_file_text(whose).find("\n#" + key.name + " = " + key.fallback + "\n"),
                      std::string::npos);
        }
    }
}

TEST(Config, what_is_commented_out_is_right_when_it_is_not) {
    std::string text = config_file_text();
    for (auto const& key : config_keys()) {
        std::size_t const at = text.find("\n#" + key.name + " = ");
        ASSERT_NE(at, std::string::npos) << key.name;
        text.erase(at + 1, 1);
    }
    auto const config = parse_config(text, "inos.toml", Config{});
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->listen, (HostPort{"0.0.0.0", 7711}));
    EXPECT_EQ(config->log_level, "info");
}

TEST(Config, a_file_comes_before_the_one_under_it) {
    auto const machine =
        parse_config("listen = \"[::]:1\"\nlog_format = \"json\"\n", "/etc/inos/inos.toml");
    ASSERT_TRUE(machine);
    auto const site = parse_config("listen = \"off\"\n", "inos.toml", *machine);
    ASSERT_TRUE(site);
    EXPECT_EQ(site->listen, std::nullopt);
    EXPECT_EQ(site->log_format, LogFormat::json);
    EXPECT_EQ(parse_config(config_file_text(), "inos.toml", *machine)->listen, machine->listen);
}

TEST(Config, text_is_wrapped_between_words) {
    EXPECT_EQ(wrapped("one two three", "# ", 9), "# one two\n# three\n");
    EXPECT_EQ(wrapped("incomprehensible", "", 4), "incomprehensible\n");
    EXPECT_EQ(wrapped("", "# ", 9), "");
}

TEST(Config, an_empty_file_means_the_defaults) {
    auto const config = parse_config("", "inos.toml");
    ASSERT_TRUE(config);
    EXPECT_EQ(config->listen, default_config().listen);
}

TEST(Config, values_are_read) {
    auto const config = parse_config(
        "listen = \"[::1]:0\"\napi = \"127.0.0.1:8080\"\npeers = [\"ws://a.example:1\", "
        "\"ws://b.example\"]\ndurability = \"flushed\"\napi_hosts = [\"shop.example:443\"]\n",
        "inos.toml");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->listen, (HostPort{"::1", 0}));
    EXPECT_EQ(config->api, (HostPort{"127.0.0.1", 8080}));
    EXPECT_EQ(config->peers.size(), 2u);
    EXPECT_EQ(config->durability, Durability::flushed);
    EXPECT_EQ(config->api_hosts.at(0), "shop.example:443");
}

TEST(Config, an_unknown_key_names_line_and_near_miss) {
    EXPECT_EQ(error_of("\n\nlisen = \"off\"\n"),
              "inos.toml:3: unknown key \"lisen\"; did you mean \"listen\"?");
}

TEST(Config, a_wrong_type_names_line_and_what_is_expected) {
    EXPECT_EQ(
        error_of("listen = 7711\n"),
        "inos.toml:1: listen must be a text in quotes, such as listen = \"0.0.0.0:7711\", and "
        "is of type integer");
    EXPECT_NE(error_of("peers = \"ws://a:1\"\n").find("a list of texts"), std::string::npos);
    EXPECT_NE(error_of("peers = [1]\n").find("a list of texts"), std::string::npos);
}

TEST(Config, unacceptable_values_are_named) {
    EXPECT_NE(error_of("listen = \"7711\"").find("is not HOST:PORT"), std::string::npos);
    EXPECT_NE(error_of("peers = [\"http://a:1\"]").find("http://a:1"), std::string::npos);
    EXPECT_NE(error_of("durability = \"sync\"").find("did you mean \"synced\"?"),
              std::string::npos);
    EXPECT_NE(error_of("log_level = \"loud\"").find("\"loud\" is none of"), std::string::npos);
    EXPECT_NE(error_of("log_format = \"jsn\"").find("did you mean \"json\"?"), std::string::npos);
    EXPECT_NE(error_of("log_retention = \"0d\"").find("or \"forever\""), std::string::npos);
}

TEST(Config, the_log_is_kept_for_ever_or_for_so_long) {
    EXPECT_EQ(default_config().log_retention_s, std::nullopt);
    auto const some = parse_config("log_retention = \"90d\"", "inos.toml");
    ASSERT_TRUE(some);
    EXPECT_EQ(some->log_retention_s, 90u * 24 * 3'600);
}

TEST(Config, broken_toml_names_its_line) {
    EXPECT_EQ(error_of("listen = \"off\"\npeers = [\n").substr(0, 11), "inos.toml:2");
}

TEST(Config, flags_go_through_the_same_checks) {
    auto config = default_config();
    ASSERT_TRUE(set_config(config, "listen", {"off"}));
    EXPECT_FALSE(config.listen);
    EXPECT_FALSE(set_config(config, "listen", {"x"}));
    EXPECT_FALSE(set_config(config, "nothing", {"x"}));
}

TEST(Config, host_and_port) {
    EXPECT_FALSE(parse_host_port(""));
    EXPECT_FALSE(parse_host_port(":1"));
    EXPECT_FALSE(parse_host_port("a:"));
    EXPECT_FALSE(parse_host_port("a:65536"));
    EXPECT_FALSE(parse_host_port("a:1x"));
    EXPECT_FALSE(parse_host_port("::1:1"));
    EXPECT_FALSE(parse_host_port("[]:1"));
    EXPECT_FALSE(parse_host_port("ws://a:1"));
    EXPECT_EQ(parse_host_port("a:65535"), (HostPort{"a", 65535}));
}

}  // namespace
}  // namespace inos
