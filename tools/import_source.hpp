// From the bytes of a CSV or JSON lines file to records: ids, typed fields, and for each row that
// is no record what is wrong with it. Streaming; knows neither files nor the API. Thread: any, one
// at a time. Memory: the chunk and one row.
//
//   source.feed(chunk);  while (next() gives an item) ...   and once more after finish().
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/value.hpp"
#include "storage/result.hpp"
#include "tools/csv.hpp"

namespace inos {

enum class FileFormat { csv, json_lines };

// By the name's ending (.csv, .jsonl, .ndjson), or by `given` ("csv", "jsonl"). Errc::usage.
Result<FileFormat> file_format(std::string const& file, std::string const& given);

struct ImportRules {
    FileFormat format = FileFormat::csv;
    char delimiter = ',';     // CSV
    bool keep_empty = false;  // CSV: an empty cell is an empty text; otherwise it is no field
    std::string key = "id";   // the column or member that holds the id
    bool store_key = false;   // it is a field of the record as well
    std::vector<std::string> numbers;          // CSV: columns that hold numbers
    std::map<std::string, std::string> types;  // the schema's type of each field it names
};

struct ImportItem {
    std::size_t line = 0;
    std::string id;
    Object fields;
    std::string problem;  // why this row is no record; empty: it is one
};

class ImportSource {
public:
    explicit ImportSource(ImportRules rules);

    void feed(std::string_view chunk);
    void finish();

    // The next row, or nothing until there is more input. An error concerns the whole file: no
    // header, no column with the key, a column twice.
    Result<std::optional<ImportItem>> next();

private:
    struct Row {
        std::size_t line = 0;
        std::string text;  // JSON lines
    };

    Result<void> take_header(CsvRow const& row);
    ImportItem csv_item(CsvRow const& row) const;
    std::optional<Row> next_line();
    ImportItem json_item(Row const& row) const;
    void check_record(ImportItem& item) const;
    void check_field(ImportItem& item, std::string const& name, Value value) const;

    ImportRules rules_;
    CsvReader csv_;
    std::vector<std::string> header_;
    std::size_t key_column_ = 0;
    std::string buffer_;  // JSON lines not yet taken
    std::size_t at_ = 0;
    std::size_t line_ = 0;
    bool finished_ = false;
};

}  // namespace inos
