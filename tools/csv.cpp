#include "tools/csv.hpp"

#include "crdt/value.hpp"

namespace inos {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_break(char c) {
    return c == '\n' || c == '\r';
}

}  // namespace

void CsvReader::feed(std::string_view chunk) {
    if (start_ > 0) {
        buffer_.erase(0, start_);
        start_ = 0;
    }
    buffer_.append(chunk);
}

bool CsvReader::skip_byte_order_mark() {
    if (begun_) return true;
    if (buffer_.size() < kByteOrderMark.size() && !finished_) return false;
    if (buffer_.starts_with(kByteOrderMark)) start_ = kByteOrderMark.size();
    begun_ = true;
    return true;
}

// The position behind the line that `from` is in, or npos when its end is not known yet: a CR at
// the end of the buffer may be half of a CRLF.
std::size_t CsvReader::line_end(std::size_t from) const {
    std::size_t const at = buffer_.find_first_of("\r\n", from);
    if (at == std::string::npos) return finished_ ? buffer_.size() : at;
    if (buffer_[at] == '\n') return at + 1;
    if (at + 1 == buffer_.size()) return finished_ ? at + 1 : std::string::npos;
    return buffer_[at + 1] == '\n' ? at + 2 : at + 1;
}

void CsvReader::consume(std::size_t end) {
    for (std::size_t at = start_; at < end; ++at) {
        bool const pair = buffer_[at] == '\r' && at + 1 < end && buffer_[at + 1] == '\n';
        if (is_break(buffer_[at]) && !pair) ++line_;
    }
    start_ = end;
}

CsvReader::Outcome CsvReader::need_more(std::string& problem, char const* at_end) const {
    if (buffer_.size() - start_ > kCsvRowBytesMax) {
        problem = "the row is longer than 4 MiB; is a closing quote missing?";
        return Outcome::problem;
    }
    if (!finished_) return Outcome::more;
    problem = at_end;
    return Outcome::problem;
}

// Reads a quoted cell from its opening quote at `at`; afterwards `at` is behind the closing one.
CsvReader::Outcome CsvReader::read_quoted(std::string& cell,
                                          std::size_t& at,
                                          std::string& problem) {
    constexpr char const* kUnclosed = "a cell begins with a quote that is never closed";
    for (++at;; at += 2) {
        std::size_t const quote = buffer_.find('"', at);
        if (quote == std::string::npos) return need_more(problem, kUnclosed);
        cell.append(buffer_, at, quote - at);
        if (quote + 1 == buffer_.size() && !finished_) return need_more(problem, kUnclosed);
        at = quote;
        if (quote + 1 == buffer_.size() || buffer_[quote + 1] != '"') {
            ++at;
            return Outcome::row;
        }
        cell.push_back('"');
    }
}

CsvReader::Outcome CsvReader::read_row(CsvRow& row, std::size_t& end) {
    std::size_t at = start_;
    char const stops[] = {delimiter_, '"', '\r', '\n'};
    for (;;) {
        std::string cell;
        if (at < buffer_.size() && buffer_[at] == '"') {
            if (auto const outcome = read_quoted(cell, at, row.problem); outcome != Outcome::row) {
                return outcome;
            }
            if (at < buffer_.size() && buffer_[at] != delimiter_ && !is_break(buffer_[at])) {
                row.problem = "text follows the closing quote of cell " +
                              std::to_string(row.cells.size() + 1) +
                              "; a quote inside a cell is written twice";
                return Outcome::problem;
            }
        } else {
            std::size_t const stop = buffer_.find_first_of({stops, sizeof stops}, at);
            if (stop == std::string::npos && !finished_) return need_more(row.problem, "");
            cell.assign(buffer_, at, stop == std::string::npos ? stop : stop - at);
            at = stop == std::string::npos ? buffer_.size() : stop;
            if (at < buffer_.size() && buffer_[at] == '"') {
                row.problem = "a quote stands inside cell " + std::to_string(row.cells.size() + 1) +
                              ", which does not begin with one; put the whole cell in quotes";
                return Outcome::problem;
            }
        }
        row.cells.push_back(std::move(cell));
        if (at < buffer_.size() && buffer_[at] == delimiter_) {
            ++at;
            continue;
        }
        end = line_end(at);
        return end == std::string::npos ? need_more(row.problem, "") : Outcome::row;
    }
}

std::optional<CsvRow> CsvReader::next() {
    if (!skip_byte_order_mark()) return std::nullopt;
    while (start_ < buffer_.size()) {
        if (is_break(buffer_[start_])) {  // an empty line
            std::size_t const end = line_end(start_);
            if (end == std::string::npos) return std::nullopt;
            consume(end);
            continue;
        }
        CsvRow row;
        row.line = line_;
        std::size_t end = 0;
        Outcome const outcome = read_row(row, end);
        if (outcome == Outcome::more) return std::nullopt;
        if (outcome == Outcome::problem) {
            end = line_end(start_);
            if (end == std::string::npos && buffer_.size() - start_ <= kCsvRowBytesMax) {
                return std::nullopt;  // to be judged again when the line's end is here
            }
            if (end == std::string::npos) end = buffer_.size();
            row.cells.clear();
        } else if (!valid_utf8(std::string_view(buffer_).substr(start_, end - start_))) {
            row.problem = "the row is not UTF-8 text; save the file as UTF-8";
            row.cells.clear();
        }
        consume(end);
        return row;
    }
    return std::nullopt;
}

std::string csv_cell(std::string_view text) {
    bool const plain = text.find_first_of(",\"\r\n;") == std::string_view::npos &&
                       !text.starts_with(' ') && !text.ends_with(' ');
    if (plain) return std::string(text);
    std::string out = "\"";
    for (char const c : text) {
        if (c == '"') out.push_back('"');
        out.push_back(c);
    }
    out.push_back('"');
    return out;
}

}  // namespace inos
