// CSV: however the text is cut into chunks, the rows are the same; a written row reads back.
#include "crdt/value.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tools/csv.hpp"

using namespace inos;

namespace {

std::vector<CsvRow> rows_of(std::string_view text, std::size_t chunk) {
    CsvReader reader;
    std::vector<CsvRow> rows;
    auto const drain = [&] {
        while (auto row = reader.next())
            rows.push_back(*std::move(row));
    };
    for (; !text.empty(); text.remove_prefix(std::min(chunk, text.size()))) {
        reader.feed(text.substr(0, chunk));
        drain();
    }
    reader.finish();
    drain();
    return rows;
}

bool same(std::vector<CsvRow> const& a, std::vector<CsvRow> const& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto const& x, auto const& y) {
        return x.line == y.line && x.cells == y.cells && x.problem == y.problem;
    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    fuzz::Input in(fuzz::view(data, size));
    std::size_t const chunk = 1 + in.below(16);
    auto const rows = rows_of(in.rest(), in.rest().size() + 1);
    fuzz::expect(same(rows, rows_of(in.rest(), chunk)), "chunks make no difference");
    for (CsvRow const& row : rows) {
        if (!row.problem.empty()) continue;
        std::string line;
        for (std::string const& cell : row.cells) {
            fuzz::expect(valid_utf8(cell), "a cell is UTF-8");
            line += (line.empty() ? "" : ",") + csv_cell(cell);
        }
        if (row.cells.front().empty()) continue;
        // Below a header, because a byte order mark at the very start is none of the cell's text.
        auto const again = rows_of("header\n" + line + "\n", line.size() + 8);
        fuzz::expect(again.size() == 2 && again[1].cells == row.cells, "a written row reads back");
    }
    return 0;
}
