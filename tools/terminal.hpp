// Where a command reads and writes, and what that place can show: passed in, so that tests can look
// at it. Text that comes from records or peers is cleaned before it reaches a terminal: control and
// direction characters in a customer's name must not move the cursor or turn lines around.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/data_key.hpp"

namespace inos {

struct Terminal {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool out_is_terminal = false;
    bool err_is_terminal = false;
    std::size_t width = 100;  // columns

    // The process's own streams.
    static Terminal of_process();

    // The text in colour when standard output is a terminal (and NO_COLOR is not set).
    std::string green(std::string_view text) const { return coloured("32", text); }
    std::string red(std::string_view text) const { return coloured("31", text); }
    std::string yellow(std::string_view text) const { return coloured("33", text); }
    std::string dim(std::string_view text) const { return coloured("2", text); }
    std::string coloured(char const* code, std::string_view text) const;
    bool colours = false;

    // Shows the prompt and reads a line that is not shown; nullopt: it was broken off. Empty where
    // there is nobody to ask, because standard input is no terminal.
    std::function<std::optional<Passphrase>(std::string const& prompt)> ask = nullptr;
};

// Columns that the text takes, as far as one can tell without asking the terminal.
std::size_t display_width(std::string_view text);
// The text on one line, without characters that a terminal would act on.
std::string clean_text(std::string_view text);
// The same, at most `width` columns; what was cut is shown as "…".
std::string fit_text(std::string_view text, std::size_t width);

// Rows under headings in aligned columns, cut to fit. Cells are cleaned.
class Table {
public:
    explicit Table(std::vector<std::string> headings) : rows_{std::move(headings)} {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    bool empty() const { return rows_.size() == 1; }
    // Every line begins with `indent`. Columns wider than their share give way to the others.
    void print(Terminal const& terminal, std::string_view indent = "") const;

private:
    std::vector<std::size_t> widths(std::size_t available) const;

    std::vector<std::vector<std::string>> rows_;
};

// 1234567 -> "1,234,567";  1536 bytes -> "1.5 KiB"
std::string grouped(std::uint64_t number);
std::string human_bytes(std::uint64_t bytes);

}  // namespace inos
