#include "tools/import_source.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "storage/json.hpp"
#include "storage/near_miss.hpp"
#include "storage/replica.hpp"

namespace inos {
namespace {

constexpr std::size_t kFieldBytesMax = 256 * 1024;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string quoted(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

template <class Number>
std::optional<Number> number_from(std::string_view text) {
    Number number{};
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// What a CSV cell means for a field of that type; on failure `problem` says what is allowed.
Value cell_value(std::string const& cell,
                 std::string const& type,
                 bool number,
                 std::string& problem) {
    if (type == "counter" || type == "bounded-counter") {
        if (auto const count = number_from<std::int64_t>(cell)) return Value(*count);
        problem = "is a counter and needs a whole number";
    } else if (type == "flag") {
        if (cell == "true" || cell == "false") return Value(cell == "true");
        problem = "is a flag and needs true or false";
    } else if (type == "set") {
        Array elements;
        for (std::size_t from = 0; from <= cell.size();) {
            std::size_t const end = std::min(cell.find(';', from), cell.size());
            if (end > from) elements.emplace_back(cell.substr(from, end - from));
            from = end + 1;
        }
        return Value(std::move(elements));
    } else if (type == "map") {
        if (auto object = parse_json_object(cell)) return Value(*std::move(object));
        problem = "is a map and needs a JSON object";
    } else if (number) {
        if (auto const whole = number_from<std::int64_t>(cell)) return Value(*whole);
        auto const real = number_from<double>(cell);
        if (real && *real - *real == 0) return Value(*real);
        problem = "is named by --numbers and needs a number";
    } else {
        return Value(cell);
    }
    return Value();
}

// Whether a field of that type can hold the value; empty: it can.
std::string type_problem(Value const& value, std::string const& type) {
    if (value.is_null()) return {};
    if (type == "counter" || type == "bounded-counter") {
        return value.as<std::int64_t>() ? "" : "is a counter and needs a whole number";
    }
    if (type == "flag") return value.as<bool>() ? "" : "is a flag and needs true or false";
    if (type == "set") return value.as<Array>() ? "" : "is a set and needs an array";
    if (type == "map") return value.as<Object>() ? "" : "is a map and needs an object";
    return {};
}

std::string id_problem(std::string const& id, std::string const& key) {
    if (id.empty()) return "the key " + quoted(key) + " is empty";
    if (valid_name(id)) return {};
    return "the key " + quoted(key) +
           " is no id: ids are 1 to 256 bytes of UTF-8 without control characters";
}

}  // namespace

Result<FileFormat> file_format(std::string const& file, std::string const& given) {
    if (given == "csv") return FileFormat::csv;
    if (given == "jsonl" || given == "ndjson") return FileFormat::json_lines;
    if (!given.empty()) {
        return fail(Errc::usage,
                    "unknown format " + quoted(given) + "; known are csv and jsonl" +
                        did_you_mean(given, {"csv", "jsonl", "ndjson"}));
    }
    if (file.ends_with(".csv")) return FileFormat::csv;
    if (file.ends_with(".jsonl") || file.ends_with(".ndjson")) return FileFormat::json_lines;
    return fail(Errc::usage,
                "the format of " + quoted(file) +
                    " cannot be told from its name; give --format csv or --format jsonl");
}

ImportSource::ImportSource(ImportRules rules) : rules_(std::move(rules)), csv_(rules_.delimiter) {}

void ImportSource::feed(std::string_view chunk) {
    if (rules_.format == FileFormat::csv) {
        csv_.feed(chunk);
        return;
    }
    buffer_.erase(0, at_);
    at_ = 0;
    buffer_.append(chunk);
}

void ImportSource::finish() {
    csv_.finish();
    finished_ = true;
}

Result<std::optional<ImportItem>> ImportSource::next() {
    if (rules_.format == FileFormat::json_lines) {
        auto const row = next_line();
        if (!row) return std::nullopt;
        auto item = json_item(*row);
        check_record(item);
        return item;
    }
    if (header_.empty()) {
        auto const row = csv_.next();
        if (!row && finished_)
            return fail(Errc::invalid, "the file is empty; its first row must name the columns");
        if (!row) return std::nullopt;
        INOS_CHECK(take_header(*row));
    }
    auto const row = csv_.next();
    if (!row) return std::nullopt;
    auto item = csv_item(*row);
    check_record(item);
    return item;
}

// ---- CSV
// -----------------------------------------------------------------------------------------

Result<void> ImportSource::take_header(CsvRow const& row) {
    std::string const place = "line " + std::to_string(row.line) + ": ";
    if (!row.problem.empty()) return fail(Errc::invalid, place + "the header: " + row.problem);
    std::set<std::string> seen;
    for (auto const& name : row.cells) {
        if (!valid_name(name) || name.starts_with('$')) {
            return fail(Errc::invalid,
                        place + "the column name " + quoted(name) +
                            " is no field name: 1 to 256 bytes that do not begin with $");
        }
        if (!seen.insert(name).second)
            return fail(Errc::invalid, place + "the column " + quoted(name) + " is there twice");
    }
    auto const key = std::find(row.cells.begin(), row.cells.end(), rules_.key);
    if (key == row.cells.end()) {
        return fail(Errc::invalid,
                    place + "no column " + quoted(rules_.key) +
                        " that could be the records' id; name the one to use with --key" +
                        did_you_mean(rules_.key, row.cells));
    }
    for (auto const& name : rules_.numbers) {
        if (!seen.contains(name)) {
            return fail(Errc::usage,
                        place + "no column " + quoted(name) + " as --numbers says" +
                            did_you_mean(name, row.cells));
        }
    }
    header_ = row.cells;
    key_column_ = static_cast<std::size_t>(key - row.cells.begin());
    return {};
}

ImportItem ImportSource::csv_item(CsvRow const& row) const {
    ImportItem item;
    item.line = row.line;
    item.problem = row.problem;
    if (!item.problem.empty()) return item;
    if (row.cells.size() != header_.size()) {
        item.problem = "the row has " + std::to_string(row.cells.size()) +
                       " cells and the header " + std::to_string(header_.size());
        return item;
    }
    item.id = row.cells[key_column_];
    item.problem = id_problem(item.id, rules_.key);
    for (std::size_t i = 0; i < header_.size() && item.problem.empty(); ++i) {
        if (i == key_column_ && !rules_.store_key) continue;
        if (row.cells[i].empty() && !rules_.keep_empty) continue;
        auto const type = rules_.types.find(header_[i]);
        bool const number = std::find(rules_.numbers.begin(), rules_.numbers.end(), header_[i]) !=
                            rules_.numbers.end();
        std::string problem;
        auto value = cell_value(
            row.cells[i], type == rules_.types.end() ? "" : type->second, number, problem);
        if (!problem.empty()) {
            item.problem = "the column " + quoted(header_[i]) + " " + problem + ", not " +
                           quoted(row.cells[i].substr(0, 60));
            break;
        }
        check_field(item, header_[i], std::move(value));
    }
    return item;
}

// ---- JSON lines
// ----------------------------------------------------------------------------------

std::optional<ImportSource::Row> ImportSource::next_line() {
    for (;;) {
        std::size_t const end = buffer_.find('\n', at_);
        bool const too_long = buffer_.size() - at_ > kCsvRowBytesMax;
        if (end == std::string::npos && !(finished_ && at_ < buffer_.size()) && !too_long)
            return std::nullopt;
        Row row;
        row.line = ++line_;
        row.text = buffer_.substr(at_, end == std::string::npos ? end : end - at_);
        at_ = end == std::string::npos ? buffer_.size() : end + 1;
        if (row.line == 1 && row.text.starts_with(kByteOrderMark))
            row.text.erase(0, kByteOrderMark.size());
        if (row.text.find_first_not_of(" \t\r") != std::string::npos) return row;
    }
}

ImportItem ImportSource::json_item(Row const& row) const {
    ImportItem item;
    item.line = row.line;
    if (row.text.size() > kCsvRowBytesMax) {
        item.problem = "the line is longer than 4 MiB";
        return item;
    }
    auto object = parse_json_object(row.text);
    if (!object) {
        item.problem = "not a JSON object: " + object.error().message;
        if (auto const at = item.problem.find("line 1, "); at != std::string::npos)
            item.problem.erase(at, 8);
        return item;
    }
    auto const* key = find_member(*object, rules_.key);
    if (key == nullptr) {
        item.problem = "no member " + quoted(rules_.key) +
                       " that could be the record's id; name the one to use with --key";
        return item;
    }
    if (auto const* text = key->as<std::string>()) {
        item.id = *text;
    } else if (auto const* number = key->as<std::int64_t>()) {
        item.id = std::to_string(*number);
    } else {
        item.problem = "the key " + quoted(rules_.key) + " must be a text or a whole number";
        return item;
    }
    item.problem = id_problem(item.id, rules_.key);
    for (auto& [name, value] : *object) {
        if (!item.problem.empty()) break;
        if (name == rules_.key && !rules_.store_key) continue;
        check_field(item, name, std::move(value));
    }
    return item;
}

void ImportSource::check_field(ImportItem& item, std::string const& name, Value value) const {
    if (!valid_name(name) || name.starts_with('$')) {
        item.problem = quoted(name) + " is no field name: 1 to 256 bytes that do not begin with $";
        return;
    }
    if (auto const type = rules_.types.find(name); type != rules_.types.end()) {
        if (auto const problem = type_problem(value, type->second); !problem.empty()) {
            item.problem = "the field " + quoted(name) + " " + problem + ", not " +
                           write_json(value).substr(0, 60);
            return;
        }
    }
    if (auto const* text = value.as<std::string>(); text && text->size() > kFieldBytesMax) {
        item.problem = "the field " + quoted(name) + " is over 256 KiB";
        return;
    }
    set_member(item.fields, name, std::move(value));
}

// The parts of a row that are judged together.
void ImportSource::check_record(ImportItem& item) const {
    if (item.problem.empty() && encode(Value(item.fields)).size() > kRecordBytesMax) {
        item.problem = "the record is over 1 MiB";
    }
}

}  // namespace inos
