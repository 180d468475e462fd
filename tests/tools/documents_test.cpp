// The documents name all that the program has: every route with its parameters, every command with
// its options.
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "net/api.hpp"
#include "tools/command_line.hpp"
#include "tools/commands.hpp"

namespace inos {
namespace {

using testing::HasSubstr;

std::string document(std::string const& name) {
    std::ifstream file(INOS_TEST_VECTORS "/../../docs/" + name);
    std::stringstream text;
    text << file.rdbuf();
    EXPECT_FALSE(text.str().empty()) << name;
    return text.str();
}

// The line that holds the text.
std::string line_with(std::string const& document, std::string const& text) {
    std::size_t const at = document.find(text);
    if (at == std::string::npos) return {};
    std::size_t const begin = document.rfind('\n', at) + 1;
    return document.substr(begin, document.find('\n', at) - begin);
}

TEST(Documents, api_md_has_every_route_with_its_parameters) {
    std::string const text = document("api.md");
    for (ApiRoute const& route : Api::routes()) {
        std::string const call = "`" + route.method + " " + route.pattern;
        std::string line = line_with(text, "| " + call + "`");
        if (line.empty()) line = line_with(text, call);
        EXPECT_THAT(line, HasSubstr(call)) << "the table of routes lacks it";
        for (std::string const& param : route.params)
            EXPECT_TRUE(line.find("`" + param + "`") != std::string::npos ||
                        line.find("?" + param + "=") != std::string::npos)
                << call << ": " << param;
    }
}

TEST(Documents, command_line_md_has_every_command_with_its_options) {
    std::string const text = document("command-line.md");
    std::istringstream in;
    std::ostringstream out, err;
    Terminal terminal{in, out, err};
    CommandLine line(terminal, "1", "");
    add_commands(line);
    auto const commands = line.commands();
    EXPECT_GT(commands.size(), 30u);
    for (auto const& command : commands) {
        EXPECT_THAT(text, testing::ContainsRegex("`inos " + command.name + "[ `]"));
        for (std::string const& option : command.options)
            EXPECT_THAT(text, testing::ContainsRegex("[ `]" + option + "[ `,]"))
                << "of inos " << command.name;
    }
}

}  // namespace
}  // namespace inos
