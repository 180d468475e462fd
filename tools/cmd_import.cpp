// inos import: many records from a CSV or JSON lines file.
//
// Two passes. The first reads and checks every row, so that without --skip-bad a file with a
// mistake changes nothing. The second sends the records in batches, each one transaction, and notes
// after each acknowledgement how far it has come.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <ostream>

#include <unistd.h>

#include "storage/crypto/crypto.hpp"
#include "storage/json.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/files.hpp"
#include "tools/import_progress.hpp"
#include "tools/import_source.hpp"
#include "tools/output.hpp"
#include "tools/progress.hpp"

namespace inos {
namespace {

constexpr std::size_t kChunkBytes = 256 * 1024;
constexpr std::uint64_t kBatchMax = 5'000;        // an entry holds at most 10,000 operations
constexpr std::size_t kBatchBytesMax = 2u << 20;  // and 3 MiB
constexpr std::size_t kBatchEditsMax = 8'000;     // of fields, keys of maps and elements of sets
constexpr std::size_t kBadShown = 20;

struct Options {
    std::string collection, file, format, key = "id", source, delimiter = ",", numbers;
    std::uint64_t batch = 500;
    bool skip_bad = false, keep_empty = false;
};

struct BadRow {
    std::size_t line;
    std::string problem;
};

// What the first pass found.
struct Survey {
    std::uint64_t bytes = 0;
    std::uint64_t good = 0, bad = 0;
    std::vector<BadRow> shown;  // the first ones
    std::string content_hash;
};

using OnItem = std::function<Result<void>(ImportItem&&)>;
using OnBytes = std::function<void(std::string_view)>;

// Reads the file once and hands out each row.
Result<void> read_items(std::string const& path,
                        ImportRules const& rules,
                        OnBytes const& on_bytes,
                        OnItem const& on_item) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> const file(std::fopen(path.c_str(), "rb"),
                                                               &std::fclose);
    if (!file) return tl::unexpected<Error>(file_error("cannot open", path));
    ImportSource source(rules);
    std::string chunk(kChunkBytes, '\0');
    for (bool more = true; more;) {
        std::size_t const count = std::fread(chunk.data(), 1, chunk.size(), file.get());
        if (count == 0 && std::ferror(file.get()) != 0)
            return tl::unexpected<Error>(file_error("cannot read", path));
        more = count > 0;
        if (more) {
            on_bytes(std::string_view(chunk).substr(0, count));
            source.feed(std::string_view(chunk).substr(0, count));
        } else {
            source.finish();
        }
        for (;;) {
            INOS_TRY(auto item, source.next());
            if (!item) break;
            INOS_CHECK(on_item(*std::move(item)));
        }
    }
    return {};
}

// About how many edits a field takes.
std::size_t edits_of(Value const& value) {
    std::size_t count = 1;
    if (auto const* array = value.as<Array>()) count += array->size();
    if (auto const* object = value.as<Object>())
        for (auto const& [name, member] : *object)
            count += edits_of(member);
    return count;
}

class Import {
public:
    Import(Context& context,
           Options const& options,
           Client& client,
           std::string path,
           std::string name)
        : context_(context),
          options_(options),
          client_(client),
          path_(std::move(path)),
          name_(std::move(name)) {}

    Result<void> prepare();
    Result<int> run(std::string const& data_dir);

private:
    Result<void> survey();
    Result<void> report_bad() const;
    Result<void> send_all(ImportProgress const& progress);
    Result<void> flush(ImportProgress const& progress);
    Result<void> send(std::size_t from, std::size_t count);
    Result<void> send_in_parts(std::size_t from, std::size_t count);
    Result<void> send_singly();
    void note_bad(std::size_t line, std::string problem);
    std::string identity() const;
    Value summary(double seconds) const;
    void print_summary(double seconds) const;

    Context& context_;
    Options const& options_;
    Client& client_;
    std::string path_, name_;
    ImportRules rules_;
    Survey survey_;
    ImportCounts counts_;
    std::uint64_t resumed_ = 0, refused_ = 0;
    std::uint64_t warned_ = 0;           // values that the schema warns of
    std::vector<std::string> warnings_;  // the first ones
    std::vector<ImportItem> batch_;
    std::size_t batch_bytes_ = 0, batch_edits_ = 0;
};

// Rules from the options and from the schema in force.
Result<void> Import::prepare() {
    INOS_TRY(rules_.format, file_format(options_.file, options_.format));
    if (options_.delimiter.size() != 1) {
        return fail(Errc::usage,
                    "--delimiter takes one character, not \"" + options_.delimiter + "\"");
    }
    if (options_.batch == 0 || options_.batch > kBatchMax) {
        return fail(Errc::usage, "--batch takes 1 to " + std::to_string(kBatchMax) + " records");
    }
    rules_.delimiter = options_.delimiter[0];
    rules_.keep_empty = options_.keep_empty;
    rules_.key = options_.key;
    rules_.store_key = options_.key != "id";
    for (std::size_t from = 0; from < options_.numbers.size();) {
        std::size_t const end = std::min(options_.numbers.find(',', from), options_.numbers.size());
        if (end > from) rules_.numbers.push_back(options_.numbers.substr(from, end - from));
        from = end + 1;
    }
    INOS_TRY(auto const schema, client_.call({"GET", "/v1/schema", {}, {}, ""}));
    auto const* collection = schema.find(options_.collection);
    auto const* fields = collection ? collection->find("fields") : nullptr;
    auto const* definitions = fields ? fields->as<Object>() : nullptr;
    if (definitions == nullptr) return {};
    for (auto const& [field, definition] : *definitions)
        rules_.types[field] = text_of(definition, "type");
    return {};
}

void Import::note_bad(std::size_t line, std::string problem) {
    if (survey_.shown.size() < kBadShown) survey_.shown.push_back({line, std::move(problem)});
}

Result<void> Import::survey() {
    std::ifstream sized(path_, std::ios::binary | std::ios::ate);
    auto const size = sized ? static_cast<std::uint64_t>(sized.tellg()) : 0;
    Progress progress(context_.terminal, "checking", size);
    crypto::Hasher32 hasher;
    auto const outcome = read_items(
        path_,
        rules_,
        [&](std::string_view bytes) {
            survey_.bytes += bytes.size();
            hasher.add(bytes);
            progress.update(survey_.bytes);
        },
        [&](ImportItem&& item) -> Result<void> {
            if (item.problem.empty()) {
                ++survey_.good;
            } else {
                ++survey_.bad;
                note_bad(item.line, std::move(item.problem));
            }
            return {};
        });
    if (!outcome) return tl::unexpected<Error>(outcome.error().prefixed(name_));
    auto const hash = hasher.finish();
    survey_.content_hash = crypto::hex(crypto::view(hash));
    return {};
}

// Lists the bad rows; an error unless they may be left out.
Result<void> Import::report_bad() const {
    if (survey_.bad + refused_ == 0) return {};
    std::uint64_t const bad = survey_.bad + refused_;
    auto& err = context_.terminal.err;
    for (auto const& row : survey_.shown) {
        err << name_ << ":" << row.line << ": " << clean_text(row.problem) << '\n';
    }
    if (bad > survey_.shown.size())
        err << "... and " << grouped(bad - survey_.shown.size()) << " more\n";
    if (options_.skip_bad) return {};
    return fail(
        Errc::invalid,
        name_ + " has " + counted(bad, "bad row") +
            " (see above); nothing was imported; correct them, or leave them out with --skip-bad",
        name_);
}

// Everything that decides what becomes of the file: the same again is the same import.
std::string Import::identity() const {
    std::string text = "inos import 1\n" + survey_.content_hash + "\n" +
                       std::to_string(survey_.bytes) + "\n" + options_.collection + "\n" +
                       options_.key + "\n" + options_.source + "\n" + options_.numbers + "\n" +
                       options_.delimiter + (rules_.format == FileFormat::csv ? "csv" : "jsonl");
    text += options_.keep_empty ? " keep-empty" : "";
    return text;
}

// One transaction with `count` records of the batch.
Result<void> Import::send(std::size_t from, std::size_t count) {
    Array ops;
    for (std::size_t i = from; i < from + count; ++i) {
        Object op;
        set_member(op, "op", Value("put"));
        set_member(op, "collection", Value(options_.collection));
        set_member(op, "id", Value(batch_[i].id));
        set_member(op, "fields", Value(batch_[i].fields));
        ops.emplace_back(std::move(op));
    }
    Object body;
    set_member(body, "ops", Value(std::move(ops)));
    ApiRequest request{"POST", "/v1/transactions", {}, {}, write_json(body)};
    if (!options_.source.empty()) request.query["source"] = options_.source;
    INOS_TRY(auto const answer, client_.call(request));
    for (auto const& record : array_of(answer, "ops")) {
        if (bool_of(record, "created")) {
            ++counts_.created;
        } else if (bool_of(record, "changed")) {
            ++counts_.changed;
        }
        for (auto const& warning : array_of(record, "warnings"))
            if (++warned_ <= kBadShown) warnings_.push_back(text_of(warning, "message"));
    }
    return {};
}

// What fits into one transaction depends on what the records hold now, too: a batch that is too
// large is sent in halves.
Result<void> Import::send_in_parts(std::size_t from, std::size_t count) {
    auto sent = send(from, count);
    if (sent || count < 2 || sent.error().code != Errc::too_large) return sent;
    INOS_CHECK(send_in_parts(from, count / 2));
    return send_in_parts(from + count / 2, count - count / 2);
}

// The batch was refused: finds the records that are to blame and stores the others.
Result<void> Import::send_singly() {
    for (std::size_t i = 0; i < batch_.size(); ++i) {
        auto const sent = send(i, 1);
        if (sent) continue;
        if (sent.error().code != Errc::invalid && sent.error().code != Errc::too_large) {
            return tl::unexpected<Error>(sent.error());
        }
        ++refused_;
        note_bad(batch_[i].line, sent.error().message);
    }
    return {};
}

Result<void> Import::flush(ImportProgress const& progress) {
    if (batch_.empty()) return {};
    auto sent = send_in_parts(0, batch_.size());
    if (!sent && options_.skip_bad &&
        (sent.error().code == Errc::invalid || sent.error().code == Errc::too_large)) {
        sent = send_singly();
    }
    if (!sent) {
        std::string const place = name_ + ", lines " + std::to_string(batch_.front().line) +
                                  " to " + std::to_string(batch_.back().line) + " (the " +
                                  grouped(counts_.records) +
                                  " records before are imported; run the same again to go on)";
        return tl::unexpected<Error>(sent.error().prefixed(place));
    }
    counts_.records += batch_.size();
    batch_.clear();
    batch_bytes_ = batch_edits_ = 0;
    return progress.save(counts_);
}

Result<void> Import::send_all(ImportProgress const& progress) {
    Progress bar(context_.terminal, "importing", survey_.good);
    std::uint64_t seen = 0;
    auto const outcome = read_items(
        path_,
        rules_,
        [](std::string_view) {},
        [&](ImportItem&& item) -> Result<void> {
            if (!item.problem.empty() || ++seen <= resumed_) return {};
            for (auto const& [name, value] : item.fields) {
                batch_bytes_ += name.size() + encode(value).size() + 8;
                batch_edits_ += edits_of(value);
            }
            batch_bytes_ += item.id.size() + options_.collection.size() + 64;
            batch_.push_back(std::move(item));
            bool const room = batch_.size() < options_.batch && batch_bytes_ < kBatchBytesMax &&
                              batch_edits_ < kBatchEditsMax;
            if (room) return {};
            INOS_CHECK(flush(progress));
            bar.update(counts_.records, grouped(counts_.records) + " of " + grouped(survey_.good));
            return {};
        });
    if (!outcome) return outcome;
    return flush(progress);
}

Value Import::summary(double seconds) const {
    Object result;
    auto const number = [](std::uint64_t count) { return Value(static_cast<std::int64_t>(count)); };
    set_member(result, "records", number(counts_.records - refused_));
    set_member(result, "created", number(counts_.created));
    set_member(result, "changed", number(counts_.changed));
    set_member(result,
               "unchanged",
               number(counts_.records - refused_ - counts_.created - counts_.changed));
    set_member(result, "resumed_at", number(resumed_));
    set_member(result, "bad", number(survey_.bad + refused_));
    set_member(result, "bytes", number(survey_.bytes));
    set_member(result, "seconds", Value(seconds));
    return Value(std::move(result));
}

void Import::print_summary(double seconds) const {
    char elapsed[32];
    std::snprintf(elapsed, sizeof elapsed, "%.1f s", seconds);
    std::uint64_t const stored = counts_.records - refused_;
    context_.terminal.out << counted(stored, "record") << " into "
                          << clean_text(options_.collection) << ": " << grouped(counts_.created)
                          << " created, " << grouped(counts_.changed) << " changed, "
                          << grouped(stored - counts_.created - counts_.changed) << " unchanged; "
                          << elapsed << ", " << human_bytes(survey_.bytes) << '\n';
}

Result<int> Import::run(std::string const& data_dir) {
    auto const begun = std::chrono::steady_clock::now();
    INOS_CHECK(survey());
    if (!options_.skip_bad) INOS_CHECK(report_bad());
    INOS_TRY(auto const progress, ImportProgress::open(data_dir, identity()));
    counts_ = progress.load();
    if (counts_.records > survey_.good) counts_ = {};
    resumed_ = counts_.records;
    if (resumed_ > 0) {
        context_.terminal.err << "going on behind the " << grouped(resumed_)
                              << " records that an earlier run has imported\n";
    }
    INOS_CHECK(send_all(progress));
    progress.remove();
    std::chrono::duration<double> const elapsed = std::chrono::steady_clock::now() - begun;
    for (auto const& warning : warnings_)
        context_.terminal.err << "warning: " << clean_text(warning) << '\n';
    if (warned_ > warnings_.size())
        context_.terminal.err << "... and " << counted(warned_ - warnings_.size(), "warning")
                              << " more\n";
    if (options_.skip_bad && survey_.bad + refused_ > 0) {
        INOS_CHECK(report_bad());
        context_.terminal.err << "warning: " << counted(survey_.bad + refused_, "bad row")
                              << " left out\n";
    }
    if (context_.json) {
        print_json_line(context_, summary(elapsed.count()));
    } else {
        print_summary(elapsed.count());
    }
    return kExitDone;
}

// Standard input as a temporary file, because it is read twice. Removed by the guard.
struct Spool {
    std::string path;
    ~Spool() {
        if (!path.empty()) std::remove(path.c_str());
    }
};

Result<void> spool(Context& context, Spool& into) {
    std::error_code error;
    std::string const folder = std::filesystem::temp_directory_path(error).string();
    into.path = folder + "/inos-import-XXXXXX";
    int const descriptor = ::mkstemp(into.path.data());  // 0600
    if (descriptor < 0) return tl::unexpected<Error>(file_error("cannot create", into.path));
    ::close(descriptor);
    std::ofstream out(into.path, std::ios::binary | std::ios::trunc);
    std::string chunk(kChunkBytes, '\0');
    auto& in = context.terminal.in;
    while (out &&
           (in.read(chunk.data(), static_cast<std::streamsize>(chunk.size())), in.gcount() > 0)) {
        out.write(chunk.data(), in.gcount());
    }
    if (!out.flush()) return tl::unexpected<Error>(file_error("cannot write", into.path));
    return {};
}

Result<int> import(Context& context, Options const& options) {
    INOS_TRY(auto const data_dir, context.data_dir());
    Spool spooled;
    bool const standard_input = options.file == "-";
    if (standard_input) INOS_CHECK(spool(context, spooled));
    INOS_TRY(auto client, Client::open(context));  // now: what we read from may have had it open
    Import run(context,
               options,
               *client,
               standard_input ? spooled.path : options.file,
               standard_input ? "standard input" : options.file);
    INOS_CHECK(run.prepare());
    return run.run(data_dir);
}

}  // namespace

void add_import(CommandLine& line) {
    auto options = std::make_shared<Options>();
    line.add("import", "Import records from a CSV or JSON lines file")
        .argument("COLLECTION", options->collection, "the collection")
        .argument("FILE", options->file, "the file, or - for standard input")
        .option("--key",
                options->key,
                "FIELD",
                "the column or member with the records' ids; default id")
        .option("--format", options->format, "FORMAT", "csv or jsonl; default: by the file's name")
        .choices("--format", {"csv", "jsonl"})
        .option("--numbers",
                options->numbers,
                "FIELD,...",
                "CSV columns that hold numbers; others hold text")
        .option(
            "--delimiter", options->delimiter, "CHARACTER", "between CSV cells; default a comma")
        .flag("--keep-empty",
              options->keep_empty,
              "an empty CSV cell is an empty text; default: no field")
        .option("--source",
                options->source,
                "NAME",
                "who asks for the writes: what policy \"priority\" ranks")
        .option("--batch", options->batch, "N", "records per transaction; default 500")
        .flag("--skip-bad",
              options->skip_bad,
              "leave bad rows out; default: one bad row and nothing is imported")
        .note(
            "Each row becomes the record: its fields and no others. Fields that the schema calls "
            "counter,\n"
            "flag, set (elements separated by ;) or map (a JSON object) are read as such. "
            "Interrupted? Run the\n"
            "same again: it goes on behind the last batch that was stored.")
        .example("inos import customers customers.csv --key customer_no",
                 "the ids are in the column customer_no")
        .example("inos import products products.csv --numbers price,weight", "with numbers")
        .example("inos export customers | inos import archive - --format jsonl",
                 "from one collection to another")
        .body([options](Context& context) { return import(context, *options); });
}

}  // namespace inos
