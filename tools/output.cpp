#include "tools/output.hpp"

#include <algorithm>
#include <istream>
#include <iterator>
#include <ostream>

#include "storage/json.hpp"
#include "tools/client.hpp"

namespace inos {
namespace {

constexpr std::size_t kInputBytesMax = 8u << 20;  // what the API takes
constexpr std::size_t kColumnsMax = 8;            // more do not fit a screen
constexpr std::size_t kColumnWidthMin = 12;

}  // namespace

void print_json_line(Context& context, Value const& value) {
    context.terminal.out << write_json(value) << '\n';
}

void print_json_document(Context& context, Value const& value) {
    context.terminal.out << write_json(value, context.json ? JsonStyle::compact : JsonStyle::pretty)
                         << '\n';
}

std::string cell_text(Value const* value) {
    if (value == nullptr) return {};
    if (auto const* text = value->as<std::string>()) return *text;
    return write_json(*value);
}

void print_records(Context& context, Array const& records) {
    std::vector<std::string> columns;
    for (auto const& record : records) {
        auto const* fields = record.find("fields");
        auto const* object = fields ? fields->as<Object>() : nullptr;
        if (object == nullptr) continue;
        for (auto const& member : *object) {
            if (std::find(columns.begin(), columns.end(), member.key) == columns.end()) {
                columns.push_back(member.key);
            }
        }
    }
    std::size_t const shown =
        std::clamp<std::size_t>(context.terminal.width / kColumnWidthMin, 1, kColumnsMax) - 1;
    std::size_t const left_out = columns.size() - std::min(columns.size(), shown);
    columns.resize(columns.size() - left_out);
    std::vector<std::string> headings{"id"};
    headings.insert(headings.end(), columns.begin(), columns.end());
    Table table(headings);
    for (auto const& record : records) {
        std::vector<std::string> row{text_of(record, "id")};
        auto const* fields = record.find("fields");
        for (auto const& column : columns) {
            row.push_back(cell_text(fields ? fields->find(column) : nullptr));
        }
        table.add(std::move(row));
    }
    table.print(context.terminal);
    if (left_out > 0) {
        context.terminal.out << context.terminal.dim("(" + counted(left_out, "field") +
                                                     " not shown; --json shows all)")
                             << '\n';
    }
}

Result<Value> json_argument(Context& context, std::string const& text, std::string const& what) {
    std::string input = text;
    if (text == "-") {
        input.clear();
        std::vector<char> chunk(64 * 1024);
        auto& in = context.terminal.in;
        while (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())), in.gcount() > 0) {
            input.append(chunk.data(), static_cast<std::size_t>(in.gcount()));
            if (input.size() > kInputBytesMax) {
                return fail(Errc::too_large, what + " on standard input is over 8 MiB");
            }
        }
    }
    auto value = parse_json(input);
    if (!value) {
        return tl::unexpected<Error>(value.error().prefixed(
            what + (text == "-" ? " on standard input is not JSON" : " is not JSON")));
    }
    return value;
}

void print_warnings(Context& context, Value const& answer) {
    for (Value const& warning : array_of(answer, "warnings"))
        context.terminal.err << "warning: " << clean_text(text_of(warning, "message")) << '\n';
}

std::string counted(std::uint64_t count, std::string const& noun) {
    return grouped(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace inos
