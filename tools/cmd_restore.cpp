// inos restore: a site's directory from a backup.
#include <memory>
#include <ostream>

#include "net/node.hpp"
#include "net/pairing_code.hpp"
#include "storage/site_directory.hpp"
#include "tools/backup_archive.hpp"
#include "tools/catching_up.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"
#include "tools/passphrase.hpp"
#include "tools/progress.hpp"
#include "tools/system_clock.hpp"
#include "tools/unlock.hpp"

namespace inos {
namespace {

struct Options {
    std::string source, name, code, site, passphrase_file;
    bool no_wait = false, encrypt = false;
};

using Names = std::vector<BackupContents::File>;

bool has_keys(Names const& files) {
    for (auto const& file : files)
        if (file.name == "keys/identity.key") return true;
    return false;
}

Result<BackupContents> read_through(Context& context,
                                    BackupArchive& archive,
                                    char const* label,
                                    BackupArchive::OnPart const& on_part) {
    Progress progress(context.terminal, label, archive.about().records + archive.about().entries);
    std::uint64_t rows = 0;
    return archive.read([&](char kind, std::string const& content) -> Result<void> {
        if (kind == 'r') {
            INOS_CHECK(each_row(content, [&](Family family, std::string_view key, auto) {
                rows += counts_as_row(family, key) ? 1 : 0;
            }));
            progress.update(rows);
        }
        return on_part(kind, content);
    });
}

// All of it, before anything is made.
Result<BackupContents> examine(Context& context, BackupArchive& archive, Options const& options) {
    INOS_TRY(auto contents,
             read_through(context, archive, "checking", [](char, std::string const&) {
                 return Result<void>();
             }));
    if (contents.format != directory_format())
        return fail(Errc::unsupported,
                    "the backup has format " + contents.format +
                        ", and this program makes sites "
                        "of format " +
                        std::string(directory_format()) +
                        "; restore it with the version that made it, and upgrade then");
    if (options.code.empty() && !has_keys(contents.files))
        return fail(Errc::usage,
                    "the backup holds no keys, so the site has to join the space again: make a "
                    "code at another site (inos invite) and add --join CODE --site NAME");
    return contents;
}

Result<void> put_back(Context& context, BackupArchive& archive, SiteRestore& site, bool joins) {
    INOS_CHECK(read_through(
        context, archive, "restoring", [&](char kind, std::string const& content) -> Result<void> {
            if (kind == 'r') return site.put_rows(content);
            INOS_TRY(auto const file, read_file_content(content));
            // A new site has new keys.
            if (joins && file.first != "inos.toml") return {};
            return site.put_file(file.first, file.second);
        }));
    return {};
}

void print_restored(Context& context,
                    BackupContents const& contents,
                    std::string const& dir,
                    Options const& options) {
    if (context.json) {
        print_json_line(
            context,
            Value(Object{{"data", Value(dir)},
                         {"entries", Value(static_cast<std::int64_t>(contents.entries))},
                         {"joined", Value(!options.code.empty())},
                         {"records", Value(static_cast<std::int64_t>(contents.records))},
                         {"site", Value(options.code.empty() ? contents.site_name : options.site)},
                         {"space", Value(contents.space_name)}}));
        return;
    }
    auto& out = context.terminal.out;
    out << "restored " << counted(contents.records, "record") << " and "
        << grouped(contents.entries) << (contents.entries == 1 ? " log entry" : " log entries")
        << " of the space \"" << clean_text(contents.space_name) << "\" into " << dir << '\n';
    if (options.code.empty())
        out << "the site goes on as \"" << clean_text(contents.site_name)
            << "\"; what others hold of it comes back from them\n";
    else
        out << "it is the new site \"" << clean_text(options.site) << "\"; if \""
            << clean_text(contents.site_name)
            << "\" is gone for good, retire it when this site has met the others: inos retire\n";
    out << "next: inos run --data " << dir << '\n';
}

Result<int> restore(Context& context, Options const& options) {
    bool const joins = !options.code.empty();
    if (joins && options.site.empty())
        return fail(Errc::usage,
                    "--site is missing: with --join it is a new site, which needs a name such as "
                    "--site shop-2");
    if (!joins && !options.site.empty())
        return fail(Errc::usage, "--site goes with --join: without it the site keeps its name");
    INOS_TRY(auto dir, context.data_dir());
    while (dir.size() > 1 && dir.back() == '/')
        dir.pop_back();
    INOS_CHECK(check_free(dir));
    if (joins) INOS_CHECK(decode_pairing_code(options.code));
    INOS_TRY(auto const passphrase, read_passphrase(options.passphrase_file));
    INOS_TRY(auto archive, open_backup({options.source, options.name, passphrase}));
    INOS_TRY(auto const contents, examine(context, *archive, options));
    INOS_TRY(auto const encryption,
             encryption_for(context, options.encrypt, joins ? joining_directory(dir) : ""));
    auto const* const made = pointer_to(encryption);
    INOS_TRY(auto site, SiteRestore::begin(dir, joins, made));
    INOS_CHECK(put_back(context, *archive, *site, joins));
    SystemClock const clock;
    if (joins) {
        auto const keep = [&](SpaceGrant const& grant) { return site->finish(grant); };
        INOS_CHECK(join_space(options.code, dir, options.site, clock, keep, made));
        site.reset();
        DataKey const* const key = made ? &made->key : nullptr;
        if (!options.no_wait) INOS_CHECK(catch_up_shown(context, dir, clock, key));
    } else {
        INOS_CHECK(site->finish());
    }
    print_restored(context, contents, dir, options);
    return kExitDone;
}

}  // namespace

void add_restore(CommandLine& line) {
    auto options = std::make_shared<Options>();
    line.add("restore", "Make a site's directory from a backup")
        .argument("BACKUP", options->source, "a file or a directory that inos backup made")
        .option("--backup", options->name, "NAME", "of a directory: which one; else the newest")
        .option("--join", options->code, "CODE", "become a new member, with a code of inos invite")
        .option("--site", options->site, "NAME", "with --join: what people call the new site")
        .option("--passphrase-file", options->passphrase_file, "FILE", "of a sealed backup")
        .flag("--no-wait", options->no_wait, "with --join: return when admitted")
        .flag("--encrypt", options->encrypt, "nobody reads it without a passphrase or key file")
        .note(
            "The directory must not be there yet. The backup is read from beginning to end "
            "first. A backup with keys\nmakes the same site again; its next write takes a new "
            "actor, so nothing that it wrote after the backup\nis contradicted. One without keys "
            "needs --join: all that it holds is there at once, also what never\nreached "
            "another site, and only what is newer is fetched.")
        .example("inos restore /backups/shop/ --data /var/lib/inos --join inos1-... --site shop-2",
                 "the machine is gone; the others are there")
        .example("inos restore shop.inos --data /var/lib/inos --passphrase-file pass",
                 "with keys: the same site again")
        .body([options](Context& context) { return restore(context, *options); });
}

}  // namespace inos
