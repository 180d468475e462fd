#include "tools/csv.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace inos {
namespace {

std::vector<CsvRow> read(std::string_view text,
                         std::size_t chunk = 1'000'000,
                         char delimiter = ',') {
    CsvReader reader(delimiter);
    std::vector<CsvRow> rows;
    for (std::size_t at = 0; at < text.size(); at += chunk) {
        reader.feed(text.substr(at, chunk));
        while (auto row = reader.next())
            rows.push_back(std::move(*row));
    }
    reader.finish();
    while (auto row = reader.next())
        rows.push_back(std::move(*row));
    return rows;
}

using Cells = std::vector<std::string>;

TEST(Csv, reads_plain_rows_and_their_lines) {
    auto const rows = read("a,b\nc,\n,d");
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].cells, (Cells{"a", "b"}));
    EXPECT_EQ(rows[1].cells, (Cells{"c", ""}));
    EXPECT_EQ(rows[2].cells, (Cells{"", "d"}));
    EXPECT_EQ(rows[2].line, 3u);
}

TEST(Csv, reads_quotes_commas_and_line_breaks_in_cells) {
    auto const rows = read("\"a,\"\"b\"\"\",\"two\r\nlines\"\r\nnext,row\r\n");
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].cells, (Cells{"a,\"b\"", "two\r\nlines"}));
    EXPECT_EQ(rows[1].cells, (Cells{"next", "row"}));
    EXPECT_EQ(rows[1].line, 3u);
}

TEST(Csv, skips_a_byte_order_mark_and_empty_lines) {
    auto const rows = read(
        "\xEF\xBB\xBF"
        "a\n\n\r\nb\r\rc");
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].cells, Cells{"a"});
    EXPECT_EQ(rows[1].cells, Cells{"b"});
    EXPECT_EQ(rows[1].line, 4u);
    EXPECT_EQ(rows[2].line, 6u);
}

TEST(Csv, an_empty_quoted_cell_is_a_row) {
    auto const rows = read("\"\"\n");
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].cells, Cells{""});
}

TEST(Csv, other_delimiters) {
    EXPECT_EQ(read("a;b,c\n", 100, ';').at(0).cells, (Cells{"a", "b,c"}));
}

TEST(Csv, a_quote_inside_an_unquoted_cell_is_a_problem_of_its_line_only) {
    auto const rows = read("a,b\nc,5\" pipe\nd,e\n");
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_NE(rows[1].problem.find("cell 2"), std::string::npos) << rows[1].problem;
    EXPECT_EQ(rows[1].line, 2u);
    EXPECT_EQ(rows[2].cells, (Cells{"d", "e"}));
}

TEST(Csv, text_after_a_closing_quote_is_a_problem) {
    auto const rows = read("\"a\"b,c\nd,e\n");
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_NE(rows[0].problem.find("closing quote"), std::string::npos);
    EXPECT_EQ(rows[1].cells, (Cells{"d", "e"}));
}

TEST(Csv, an_unclosed_quote_costs_one_line) {
    auto const rows = read("a,b\n\"c,d\ne,f\n");
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_NE(rows[1].problem.find("never closed"), std::string::npos);
    EXPECT_EQ(rows[1].line, 2u);
    EXPECT_EQ(rows[2].cells, (Cells{"e", "f"}));
    EXPECT_EQ(rows[2].line, 3u);
}

TEST(Csv, an_endless_row_is_a_problem) {
    std::string const text = "a\n\"" + std::string(kCsvRowBytesMax + 10'000, 'x') + "\nb\n";
    auto const rows = read(text, 64 * 1024);
    ASSERT_GE(rows.size(), 3u);
    EXPECT_NE(rows[1].problem.find("4 MiB"), std::string::npos) << rows[1].problem;
    EXPECT_EQ(rows.back().cells, Cells{"b"});
}

TEST(Csv, text_that_is_not_utf8_is_a_problem) {
    auto const rows = read("a\nJos\xE9\nb\n");
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_NE(rows[1].problem.find("UTF-8"), std::string::npos);
    EXPECT_EQ(rows[2].cells, Cells{"b"});
}

RC_GTEST_PROP(CsvProperty, what_is_written_is_read_back_whatever_the_chunks, ()) {
    auto const cell =
        rc::gen::container<std::string>(rc::gen::element('a', ',', '"', '\n', '\r', ' ', ';'));
    auto const columns = *rc::gen::inRange<std::size_t>(2, 5);
    auto const table =
        *rc::gen::container<std::vector<Cells>>(rc::gen::container<Cells>(columns, cell));
    std::string text;
    for (auto const& row : table) {
        for (std::size_t i = 0; i < row.size(); ++i)
            text += (i ? "," : "") + csv_cell(row[i]);
        text += "\n";
    }
    auto const chunk = *rc::gen::inRange<std::size_t>(1, 20);
    std::vector<Cells> seen;
    for (auto const& row : read(text, chunk)) {
        RC_ASSERT(row.problem == "");
        seen.push_back(row.cells);
    }
    RC_ASSERT(seen == table);
}

RC_GTEST_PROP(CsvProperty, any_bytes_give_the_same_rows_in_any_chunks, ()) {
    auto const text = *rc::gen::container<std::string>(
        rc::gen::element('a', ',', '"', '\n', '\r', '\xC3', '\xA9'));
    auto const chunk = *rc::gen::inRange<std::size_t>(1, 8);
    auto const whole = read(text);
    auto const pieces = read(text, chunk);
    RC_ASSERT(whole.size() == pieces.size());
    for (std::size_t i = 0; i < whole.size(); ++i) {
        RC_ASSERT(whole[i].line == pieces[i].line);
        RC_ASSERT(whole[i].cells == pieces[i].cells);
        RC_ASSERT(whole[i].problem == pieces[i].problem);
    }
}

}  // namespace
}  // namespace inos
