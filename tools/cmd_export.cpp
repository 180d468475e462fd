// inos export: a collection as JSON lines or CSV.
//
// Records are read page by page; what other programs change meanwhile may or may not be in the
// file. A file appears under its name only when it is complete.
#include <fstream>
#include <functional>
#include <memory>
#include <ostream>
#include <set>

#include "storage/json.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/csv.hpp"
#include "tools/files.hpp"
#include "tools/import_source.hpp"
#include "tools/output.hpp"
#include "tools/progress.hpp"

namespace inos {
namespace {

constexpr std::uint64_t kPageRows = 1'000;

struct Options {
    std::string collection, file, format, key = "id", fields;
};

using OnRecord = std::function<Result<void>(std::string const& id, Object const& fields)>;

Result<void> each_record(Client& client, std::string const& collection, OnRecord const& on_record) {
    std::string after;
    do {
        ApiRequest request{
            "GET", collection_path(collection), {{"limit", std::to_string(kPageRows)}}, {}, ""};
        if (!after.empty()) request.query["after"] = after;
        INOS_TRY(auto const page, client.call(request));
        for (auto const& record : array_of(page, "records")) {
            auto const* fields = record.find("fields");
            auto const* object = fields ? fields->as<Object>() : nullptr;
            INOS_CHECK(on_record(text_of(record, "id"), object ? *object : Object{}));
        }
        after = text_of(page, "next");
    } while (!after.empty());
    return {};
}

Error hidden_key(Options const& options, std::string const& id) {
    return Error{Errc::invalid,
                 "the record \"" + id + "\" has a field \"" + options.key +
                     "\", which would hide its id; give the id another name with --key NAME",
                 options.key};
}

Result<std::uint64_t> write_json_lines(Client& client,
                                       Options const& options,
                                       std::ostream& out,
                                       Progress& progress) {
    std::uint64_t count = 0;
    INOS_CHECK(each_record(client,
                           options.collection,
                           [&](std::string const& id, Object const& fields) -> Result<void> {
                               auto const* same = find_member(fields, options.key);
                               if (same != nullptr && *same != Value(id))
                                   return tl::unexpected<Error>(hidden_key(options, id));
                               Object line = fields;
                               set_member(line, options.key, Value(id));
                               out << write_json(line) << '\n';
                               progress.update(++count);
                               return {};
                           }));
    return count;
}

// A value as a CSV cell that `inos import` reads back by the field's type: elements of sets are
// separated by semicolons, everything else that is no text is JSON.
std::string csv_text(Value const* value) {
    auto const* array = value ? value->as<Array>() : nullptr;
    if (array == nullptr) return value && value->is_null() ? "" : cell_text(value);
    std::string text;
    for (auto const& element : *array) {
        auto const* plain = element.as<std::string>();
        if (plain == nullptr || plain->empty() || plain->find(';') != std::string::npos)
            return write_json(*value);
        text += (text.empty() ? "" : ";") + *plain;
    }
    return text;
}

// The columns: as --fields says, or every field that a record has, found by reading once more.
Result<std::vector<std::string>> columns_of(Client& client, Options const& options) {
    std::vector<std::string> columns;
    for (std::size_t from = 0; from < options.fields.size();) {
        std::size_t const end = std::min(options.fields.find(',', from), options.fields.size());
        if (end > from) columns.push_back(options.fields.substr(from, end - from));
        from = end + 1;
    }
    if (!columns.empty()) return columns;
    std::set<std::string> found;
    INOS_CHECK(each_record(client,
                           options.collection,
                           [&](std::string const& id, Object const& fields) -> Result<void> {
                               for (auto const& member : fields)
                                   found.insert(member.key);
                               auto const* same = find_member(fields, options.key);
                               if (same != nullptr && *same != Value(id))
                                   return tl::unexpected<Error>(hidden_key(options, id));
                               return {};
                           }));
    found.erase(options.key);
    return std::vector<std::string>(found.begin(), found.end());
}

Result<std::uint64_t> write_csv(Client& client,
                                Options const& options,
                                std::ostream& out,
                                Progress& progress) {
    INOS_TRY(auto const columns, columns_of(client, options));
    out << csv_cell(options.key);
    for (auto const& column : columns)
        out << ',' << csv_cell(column);
    out << "\r\n";
    std::uint64_t count = 0;
    INOS_CHECK(each_record(client,
                           options.collection,
                           [&](std::string const& id, Object const& fields) -> Result<void> {
                               out << csv_cell(id);
                               for (auto const& column : columns)
                                   out << ',' << csv_cell(csv_text(find_member(fields, column)));
                               out << "\r\n";
                               progress.update(++count);
                               return {};
                           }));
    return count;
}

Result<std::uint64_t> write(Client& client,
                            Options const& options,
                            FileFormat format,
                            std::ostream& out,
                            Progress& progress) {
    if (format == FileFormat::csv) return write_csv(client, options, out, progress);
    return write_json_lines(client, options, out, progress);
}

Result<int> export_collection(Context& context, Options const& options) {
    auto format = FileFormat::json_lines;
    bool const to_file = !options.file.empty() && options.file != "-";
    if (to_file || !options.format.empty()) {
        INOS_TRY(format, file_format(options.file, options.format));
    }
    INOS_TRY(auto client, Client::open(context));
    Progress progress(context.terminal, "exporting", 0);
    if (!to_file) {
        INOS_CHECK(write(*client, options, format, context.terminal.out, progress));
        return kExitDone;
    }
    std::string const temporary = options.file + ".new";
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    if (!out) return tl::unexpected<Error>(file_error("cannot create", temporary));
    auto const written = write(*client, options, format, out, progress);
    out.close();
    if (!written || !out || std::rename(temporary.c_str(), options.file.c_str()) != 0) {
        Error const error = written ? file_error("cannot write", options.file) : written.error();
        std::remove(temporary.c_str());
        return tl::unexpected<Error>(error);
    }
    progress.clear();
    if (context.json) {
        Object result;
        set_member(result, "file", Value(options.file));
        set_member(result, "records", Value(static_cast<std::int64_t>(*written)));
        print_json_line(context, Value(std::move(result)));
    } else {
        context.terminal.out << counted(*written, "record") << " of "
                             << clean_text(options.collection) << " in " << options.file << '\n';
    }
    return kExitDone;
}

}  // namespace

void add_export(CommandLine& line) {
    auto options = std::make_shared<Options>();
    line.add("export", "Export a collection as JSON lines or CSV")
        .argument("COLLECTION", options->collection, "the collection")
        .optional_argument(
            "FILE", options->file, "the file; default: standard output, as JSON lines")
        .option("--format", options->format, "FORMAT", "csv or jsonl; default: by the file's name")
        .choices("--format", {"csv", "jsonl"})
        .option("--key", options->key, "NAME", "what the column with the ids is called; default id")
        .option(
            "--fields", options->fields, "FIELD,...", "CSV: these columns; default: all there are")
        .note(
            "JSON lines hold every value exactly. In CSV an absent field, null and an empty text "
            "all become an\n"
            "empty cell.")
        .example("inos export customers customers.jsonl", "everything, exactly")
        .example("inos export customers customers.csv --fields name,email", "for a spreadsheet")
        .body([options](Context& context) { return export_collection(context, *options); });
}

}  // namespace inos
