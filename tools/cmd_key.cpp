// inos key: the ways into an encrypted directory.
#include <memory>
#include <ostream>

#include "storage/crypto/key_files.hpp"
#include "storage/data_key.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"
#include "tools/unlock.hpp"

namespace inos {
namespace {

using Way = DataKeyFile::Way;

struct Options {
    std::string name, file;
};

Result<DataKeyFile> read_ways(std::string const& dir) {
    INOS_TRY(auto file, read_data_key_file(dir));
    if (file) return *std::move(file);
    return fail(Errc::not_found,
                "there is no encrypted directory in \"" + dir +
                    "\"; one is made with --encrypt of inos init, inos join or inos restore",
                dir);
}

Result<int> make_key_file(Context& context, std::string const& path) {
    INOS_CHECK(write_secret_file(path, key_file_text(crypto::Secret::random())));
    if (context.json)
        print_json_line(context, Value(Object{{"file", Value(path)}}));
    else
        context.terminal.out << "made a key in " << clean_text(path)
                             << "\nKeep it off the machine that it opens, and keep a second copy: "
                                "who loses it\nand has no other way in loses what the "
                                "directory holds.\n";
    return kExitDone;
}

Result<int> list(Context& context) {
    INOS_TRY(auto const dir, context.data_dir());
    INOS_TRY(DataKeyFile const file, read_ways(dir));
    Table table({"name", "opens with", "memory", "passes"});
    for (Way const& way : file.ways()) {
        auto const kind = way.stretch ? "passphrase" : "key file";
        if (context.json) {
            print_json_line(context,
                            Value(Object{{"name", Value(way.name)}, {"opens_with", Value(kind)}}));
            continue;
        }
        auto const cost = way.stretch ? way.stretch->cost : crypto::PassphraseCost{0, 0};
        table.add({way.name,
                   kind,
                   way.stretch ? human_bytes(std::uint64_t{cost.memory_kib} << 10) : "",
                   way.stretch ? std::to_string(cost.passes) : ""});
    }
    if (!context.json) table.print(context.terminal);
    return kExitDone;
}

// Changes the file with the key in hand; nobody else does at the same time.
using Change = std::function<Result<std::string>(DataKeyFile&, DataKey const&)>;
Result<int> change_ways(Context& context, Change const& change) {
    INOS_TRY(auto const dir, context.data_dir());
    INOS_CHECK(read_ways(dir));
    INOS_TRY(auto const lock, DataKeyLock::take(dir));
    INOS_TRY(DataKeyFile file, read_ways(dir));
    INOS_TRY(auto const key, unlock(context, dir));
    if (!key) return fail(Errc::conflict, "the directory \"" + dir + "\" was changed meanwhile");
    INOS_TRY(std::string const said, change(file, *key));
    INOS_CHECK(put_data_key_file(dir, file));
    if (context.json) {
        Array names;
        for (Way const& way : file.ways())
            names.push_back(Value(way.name));
        print_json_line(context, Value(Object{{"ways", Value(std::move(names))}}));
    } else {
        context.terminal.out << said << '\n';
    }
    return kExitDone;
}

Result<int> add(Context& context, Options const& options) {
    return change_ways(context, [&](DataKeyFile& file, DataKey const& key) -> Result<std::string> {
        INOS_TRY(Opener const opener, new_opener(context, options.file));
        INOS_CHECK(file.add(options.name, opener, key));
        return "\"" + options.name + "\" opens the directory, too";
    });
}

Result<int> replace(Context& context, Options const& options) {
    return change_ways(context, [&](DataKeyFile& file, DataKey const& key) -> Result<std::string> {
        if (options.name.empty() && file.ways().size() > 1)
            return fail(Errc::usage,
                        "there are several ways into the directory; name the one to change "
                        "(see inos key list)");
        std::string const name = options.name.empty() ? file.ways().front().name : options.name;
        INOS_TRY(Opener const opener, new_opener(context, options.file));
        INOS_CHECK(file.change(name, opener, key));
        return "\"" + name +
               "\" is changed; what opened it before opens only copies of data.key that were "
               "made before";
    });
}

Result<int> remove(Context& context, Options const& options) {
    return change_ways(context, [&](DataKeyFile& file, DataKey const& key) -> Result<std::string> {
        INOS_CHECK(file.remove(options.name, key));
        return "\"" + options.name + "\" does not open the directory any more";
    });
}

constexpr char const* kNewHelp =
    "a file with the new passphrase, or of inos key new; else asked for";

}  // namespace

void add_key(CommandLine& line) {
    auto options = std::make_shared<Options>();
    auto& key = line.add("key", "The passphrases and key files that open an encrypted directory");
    key.note(
        "A directory that was made with --encrypt has one key of its own, and up to 8 ways to it. "
        "Changing them\nrewrites one small file and no data, also while the node runs. What is in "
        "force is asked for first,\nor taken from --unlock FILE.");
    key.subcommand("list", "Show the ways into the directory").body([](Context& context) {
        return list(context);
    });
    key.subcommand("new", "Make a key file")
        .argument("FILE", options->file, "where; it must not be there")
        .example("inos key new /media/stick/shop.key", "then: inos init --encrypt --unlock ...")
        .body([options](Context& context) { return make_key_file(context, options->file); });
    key.subcommand("add", "Let another passphrase or key file open it, too")
        .argument("NAME", options->name, "what it is called: a-z, 0-9 and -")
        .option("--new", options->file, "FILE", kNewHelp)
        .example("inos key add owner", "asks for the passphrase in force, then for the new one")
        .example("inos key add stick --new /media/stick/shop.key", "a key file")
        .body([options](Context& context) { return add(context, *options); });
    key.subcommand("change", "Put another passphrase or key file in the place of one")
        .optional_argument("NAME", options->name, "which; needed if there are several")
        .option("--new", options->file, "FILE", kNewHelp)
        .example("inos key change", "a new passphrase")
        .body([options](Context& context) { return replace(context, *options); });
    key.subcommand("remove", "Take one away; never the last one")
        .argument("NAME", options->name, "which")
        .body([options](Context& context) { return remove(context, *options); });
}

}  // namespace inos
