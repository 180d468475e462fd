// Reads CSV as RFC 4180 describes it, from chunks of any size: commas, cells in double quotes with
// doubled quotes and line breaks in them, lines that end in CRLF, LF or CR, a byte order mark in
// front.
//
// A broken row is its first line: the problem names that line, and reading goes on with the next
// one, so one stray quote does not swallow the rest of a file. Rows without a single character are
// skipped. Every cell is well-formed UTF-8, or its row is a problem. Nothing here knows files or
// headers.
//
//   reader.feed(chunk);  while (auto item = reader.next()) ...   and once more after finish().
//
// Memory: the chunk and at most one row of kCsvRowBytesMax bytes. Thread: any, one at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inos {

inline constexpr std::size_t kCsvRowBytesMax = 4u << 20;

struct CsvRow {
    std::size_t line = 0;  // of the row's first character, from 1
    std::vector<std::string> cells;
    std::string problem;  // why the row cannot be read; empty: it could
};

class CsvReader {
public:
    explicit CsvReader(char delimiter = ',') : delimiter_(delimiter) {}

    void feed(std::string_view chunk);
    void finish() { finished_ = true; }  // no more chunks

    // The next row, or nothing: more input is needed, or after finish() the end was reached.
    std::optional<CsvRow> next();

private:
    // What reading one row from the buffer came to.
    enum class Outcome { row, problem, more };

    bool skip_byte_order_mark();
    Outcome read_row(CsvRow& row, std::size_t& end);
    Outcome read_quoted(std::string& cell, std::size_t& at, std::string& problem);
    Outcome need_more(std::string& problem, char const* at_end) const;
    std::size_t line_end(std::size_t from) const;
    void consume(std::size_t end);

    char delimiter_;
    std::string buffer_;
    std::size_t start_ = 0;  // of the next row in buffer_
    std::size_t line_ = 1;
    bool begun_ = false;
    bool finished_ = false;
};

// The cell as it is written: in quotes when it holds a comma, a quote, a line break, or blanks at
// an end.
std::string csv_cell(std::string_view text);

}  // namespace inos
