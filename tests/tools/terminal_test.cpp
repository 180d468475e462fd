#include "tools/terminal.hpp"

#include <sstream>

#include <gtest/gtest.h>

#include "tools/duration.hpp"

namespace inos {
namespace {

TEST(TerminalText, width_counts_columns) {
    EXPECT_EQ(display_width("abc"), 3u);
    EXPECT_EQ(display_width("Zoë"), 3u);
    EXPECT_EQ(display_width("東京"), 4u);
    EXPECT_EQ(display_width("e\u0301"), 1u);
}

TEST(TerminalText, what_a_terminal_would_act_on_is_replaced) {
    EXPECT_EQ(clean_text("a\x1b[2Jb"), "a\uFFFD[2Jb");
    EXPECT_EQ(clean_text("a\nb\tc"), "a b c");
    EXPECT_EQ(clean_text("a\u202Eb"), "a\uFFFDb");
    EXPECT_EQ(clean_text("a\xFF"), "a\uFFFD");
    EXPECT_EQ(clean_text("a\xE2\x82"), "a\uFFFD\uFFFD");
    EXPECT_EQ(clean_text("שלום"), "שלום");
}

TEST(TerminalText, long_text_is_cut_to_columns) {
    EXPECT_EQ(fit_text("abcdef", 6), "abcdef");
    EXPECT_EQ(fit_text("abcdef", 4), "abc…");
    EXPECT_EQ(fit_text("東京都庁", 5), "東京…");
}

TEST(TerminalText, tables_are_aligned_and_fit) {
    std::istringstream in;
    std::ostringstream out, err;
    Terminal terminal{in, out, err};
    terminal.width = 24;
    Table table({"id", "name", "city"});
    table.add({"1", "東京", "x"});
    table.add({"22", "a very long name indeed", "Kiel"});
    table.print(terminal);
    EXPECT_EQ(out.str(),
              "id  name            city\n1   東京            x\n22  a very long n…  Kiel\n");
}

TEST(TerminalText, numbers_for_people) {
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1'234'567), "1,234,567");
    EXPECT_EQ(human_bytes(12), "12 B");
    EXPECT_EQ(human_bytes(1'536), "1.5 KiB");
}

TEST(Duration, units_and_limits) {
    EXPECT_EQ(*parse_duration("90s"), 90u);
    EXPECT_EQ(*parse_duration("15m"), 900u);
    EXPECT_EQ(*parse_duration("1h"), 3'600u);
    EXPECT_EQ(*parse_duration("7d"), 604'800u);
    for (char const* bad :
         {"", "h", "1", "0s", "1x", "-1h", "366d", "99999999999999999999h", "1h "}) {
        EXPECT_FALSE(parse_duration(bad)) << bad;
    }
}

}  // namespace
}  // namespace inos
