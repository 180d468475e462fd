// inos backup: everything that a site holds, in a file or a directory that grows by what is new.
#include <filesystem>
#include <memory>
#include <ostream>

#include "net/moment.hpp"
#include "storage/crypto/key_files.hpp"
#include "tools/backup_archive.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/files.hpp"
#include "tools/output.hpp"
#include "tools/passphrase.hpp"
#include "tools/progress.hpp"
#include "tools/unlock.hpp"

namespace inos {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kConfigBytesMax = 1u << 20;

struct Options {
    std::string target, passphrase_file, name;
    std::uint64_t keep = 0;
    bool check = false, list = false, with_keys = false, replace = false;
};

std::string time_text(std::uint64_t ms) {
    Moment moment;
    moment.time_ms = ms;
    return moment.text();
}

// What the node sends, into the writer.
class Receiver {
public:
    Receiver(BackupWriter& writer, Progress& progress) : writer_(writer), progress_(progress) {}

    // False: no more is wanted.
    bool take(std::string_view piece) {
        auto const fed =
            parser_.feed(piece, [this](BackupFrame const& frame) { return add(frame); });
        if (!fed) failure_ = fed.error();
        return !failure_;
    }

    // All has come, as the node made it.
    Result<BackupContents> contents() const {
        if (failure_) return tl::unexpected<Error>(*failure_);
        INOS_CHECK(parser_.finish());
        if (!contents_)
            return fail(Errc::unavailable, "the node stopped before the backup was complete");
        if (contents_->chunks != came_)
            return fail(Errc::protocol, "the backup that came is not the one that was sent");
        return *contents_;
    }

private:
    Result<void> add(BackupFrame const& frame) {
        if (frame.kind == 'e') return fail(Errc::unavailable, frame.body);
        INOS_TRY(auto const content, part_content(frame, nullptr));
        if (frame.kind == 'r') {
            came_.push_back({part_hash(content, nullptr), content.size()});
            INOS_CHECK(each_row(content, [this](Family family, std::string_view key, auto) {
                rows_ += counts_as_row(family, key) ? 1 : 0;
            }));
            progress_.update(rows_);
            return writer_.add('r', content);
        }
        auto about = BackupContents::decode(content);
        if (!about || (frame.kind != 'a' && frame.kind != 'c'))
            return fail(Errc::protocol, "the node sent something that is no backup");
        if (frame.kind == 'c') {
            contents_ = std::move(about);
            return {};
        }
        progress_.set_total(about->records + about->entries);
        return writer_.begin(*about);
    }

    BackupWriter& writer_;
    Progress& progress_;
    BackupParser parser_;
    std::vector<BackupContents::Chunk> came_;
    std::optional<BackupContents> contents_;
    std::optional<Error> failure_;
    std::uint64_t rows_ = 0;
};

// The configuration and, if they are asked for, the keys.
Result<void> add_files(Context const& context,
                       BackupWriter& writer,
                       std::string const& dir,
                       bool with_keys) {
    std::error_code error;
    if (fs::exists(dir + "/inos.toml", error)) {
        INOS_TRY(auto const config, read_file(dir + "/inos.toml", kConfigBytesMax));
        INOS_CHECK(writer.add('f', file_content("inos.toml", config)));
    }
    if (!with_keys) return {};
    INOS_TRY(auto const data_key, unlock(context, dir));
    std::optional<crypto::FileSeal> seal;
    if (data_key) seal.emplace(*data_key);
    for (fs::directory_iterator it(dir + "/keys", error), end; !error && it != end;
         it.increment(error)) {
        if (it->path().extension() != ".key") continue;
        INOS_TRY(auto const key, read_secret_file(it->path().string(), pointer_to(seal)));
        INOS_CHECK(writer.add('f', file_content("keys/" + it->path().filename().string(), key)));
    }
    if (!error) return {};
    return fail(Errc::io, "cannot read \"" + dir + "/keys\": " + error.message(), dir);
}

Value value_of(BackupContents const& contents, std::string const& path) {
    bool keys = false;
    for (auto const& file : contents.files)
        keys = keys || file.name.starts_with("keys/");
    return Value(Object{{"backup", Value(path)},
                        {"entries", Value(static_cast<std::int64_t>(contents.entries))},
                        {"keys", Value(keys)},
                        {"records", Value(static_cast<std::int64_t>(contents.records))},
                        {"site", Value(contents.site_name)},
                        {"space", Value(contents.space_name)},
                        {"taken", Value(time_text(contents.taken_ms))}});
}

std::string words_of(BackupContents const& contents) {
    return counted(contents.records, "record") + " and " + grouped(contents.entries) +
           (contents.entries == 1 ? " log entry" : " log entries") + " of the site \"" +
           clean_text(contents.site_name) + "\" in the space \"" + clean_text(contents.space_name) +
           "\"";
}

// Whoever loses this machine and has no other site needs the keys.
void warn_of_keys(Context& context, Client& client) {
    auto const answer = client.call({"GET", "/v1/members", {}, {}, ""});
    auto const* listed = answer ? answer->as<Array>() : nullptr;
    std::size_t members = answer ? 0 : 2;
    for (auto const& member : listed ? *listed : array_of(answer.value_or(Value()), "members"))
        members += text_of(member, "state") == "retired" ? 0 : 1;
    context.terminal.err << "It holds no keys: whoever restores it needs another site of the space "
                            "(inos restore --join CODE).\n";
    if (members <= 1)
        context.terminal.err << context.terminal.yellow("This is the only site of its space")
                             << ": without its keys directory the backup cannot be used. Take it "
                                "with --with-keys.\n";
}

Result<int> make(Context& context, Options const& options) {
    if (options.with_keys && options.passphrase_file.empty())
        return fail(Errc::usage,
                    "--with-keys needs --passphrase-file FILE: private keys are stored sealed or "
                    "not at all");
    INOS_TRY(auto const dir, context.data_dir());
    INOS_TRY(auto const passphrase, read_passphrase(options.passphrase_file));
    INOS_TRY(auto client, Client::open(context));
    BackupTarget target{options.target, passphrase, options.replace, options.keep};
    INOS_TRY(auto writer, open_backup_writer(std::move(target)));
    BackupWriter::Written written;
    BackupContents contents;
    {
        Progress progress(context.terminal, "backing up", 0);
        Receiver receiver(*writer, progress);
        auto const sent =
            client->download({"GET", "/v1/backup", {}, {}, ""},
                             [&](std::string_view piece) { return receiver.take(piece); });
        auto came = receiver.contents();
        if (!came && !(came.error().code == Errc::unavailable && !sent))
            return tl::unexpected<Error>(came.error());
        INOS_CHECK(sent);
        contents = *std::move(came);
        INOS_CHECK(add_files(context, *writer, dir, options.with_keys));
        INOS_TRY(written, writer->finish(contents));
    }
    if (context.json) {
        Value result = value_of(contents, written.name);
        Object object = *result.as<Object>();
        set_member(object, "bytes", Value(static_cast<std::int64_t>(written.bytes)));
        set_member(object, "keys", Value(options.with_keys));
        set_member(object, "new_bytes", Value(static_cast<std::int64_t>(written.new_bytes)));
        set_member(object, "sealed", Value(writer->seal() != nullptr));
        print_json_line(context, Value(std::move(object)));
        return kExitDone;
    }
    context.terminal.out << "backed up " << words_of(contents) << "\n"
                         << clean_text(written.name) << ", " << human_bytes(written.bytes);
    if (written.new_bytes != written.bytes)
        context.terminal.out << " of which " << human_bytes(written.new_bytes) << " are new";
    context.terminal.out << (writer->seal() ? ", sealed" : "") << ", read again and right\n";
    if (!options.with_keys) warn_of_keys(context, *client);
    std::error_code ignored;
    if (!writer->seal() && fs::exists(dir + "/data.key", ignored))
        context.terminal.err << context.terminal.yellow(
                                    "The directory is encrypted, and this "
                                    "backup is not")
                             << ": whoever has it reads everything. Seal it with "
                                "--passphrase-file.\n";
    return kExitDone;
}

Result<int> check(Context& context, Options const& options) {
    INOS_TRY(auto const passphrase, read_passphrase(options.passphrase_file));
    INOS_TRY(auto archive, open_backup({options.target, options.name, passphrase}));
    BackupContents contents;
    {
        Progress progress(
            context.terminal, "checking", archive->about().records + archive->about().entries);
        std::uint64_t rows = 0;
        INOS_TRY(contents,
                 archive->read([&](char kind, std::string const& content) -> Result<void> {
                     if (kind != 'r') return {};
                     INOS_CHECK(each_row(content, [&](Family family, std::string_view key, auto) {
                         rows += counts_as_row(family, key) ? 1 : 0;
                     }));
                     progress.update(rows);
                     return {};
                 }));
    }
    if (context.json) {
        print_json_line(context, value_of(contents, options.target));
        return kExitDone;
    }
    bool const keys = bool_of(value_of(contents, {}), "keys");
    context.terminal.out << "the backup is whole: " << words_of(contents) << ", taken "
                         << time_text(contents.taken_ms)
                         << (keys ? ", with keys" : ", without keys") << '\n';
    return kExitDone;
}

Result<int> list(Context& context, Options const& options) {
    INOS_TRY(auto const passphrase, read_passphrase(options.passphrase_file));
    INOS_TRY(auto const names, backup_names(options.target));
    Table table({"backup", "site", "records", "log entries", "chunks"});
    Array all;
    for (auto const& name : names) {
        INOS_TRY(auto const archive, open_backup({options.target, name, passphrase}));
        auto const& about = archive->about();
        all.push_back(value_of(about, name));
        table.add({name,
                   about.site_name,
                   grouped(about.records),
                   grouped(about.entries),
                   grouped(about.chunks.size())});
    }
    if (context.json)
        print_json_line(context, Value(std::move(all)));
    else
        table.print(context.terminal);
    return kExitDone;
}

}  // namespace

void add_backup(CommandLine& line) {
    auto options = std::make_shared<Options>();
    line.add("backup", "Save everything that this site holds, while it runs or not")
        .argument("TARGET", options->target, "a new file, or a directory that keeps many backups")
        .flag("--check", options->check, "read a backup from beginning to end instead")
        .flag("--list", options->list, "show the backups in a directory instead")
        .option("--backup", options->name, "NAME", "with --check: which one; else the newest")
        .option("--keep", options->keep, "N", "in a directory: only the newest N")
        .option("--passphrase-file", options->passphrase_file, "FILE", "seal it, or open it")
        .flag("--with-keys", options->with_keys, "the site's private keys, too; only sealed")
        .flag("--replace", options->replace, "a file that is there already")
        .note(
            "A backup is of one moment, and was read again before it got its name. A target that "
            "is a directory,\nor ends in a slash, keeps what many backups have in common once, "
            "so the next one is small. What is\nerased later stays in a backup until it is "
            "dropped: choose --keep with that in mind.")
        .example("inos backup /backups/shop/ --keep 14", "every night; only what is new is written")
        .example("inos backup shop.inos --with-keys --passphrase-file pass", "to take away")
        .example("inos backup --check shop.inos --passphrase-file pass", "is it whole?")
        .body([options](Context& context) -> Result<int> {
            if (options->check && options->list)
                return fail(Errc::usage, "--check and --list do not go together");
            if (options->list) return list(context, *options);
            if (options->check) return check(context, *options);
            if (!options->name.empty())
                return fail(Errc::usage, "--backup goes with --check; see also inos restore");
            return make(context, *options);
        });
}

}  // namespace inos
