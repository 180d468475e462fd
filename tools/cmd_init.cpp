// inos init: a new site that founds a space.
#include <memory>
#include <ostream>

#include "storage/site_directory.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/config.hpp"
#include "tools/files.hpp"
#include "tools/output.hpp"
#include "tools/unlock.hpp"

namespace inos {
namespace {

constexpr char const* kSpaceDefault = "main";

struct Options {
    std::string site;
    bool encrypt = false;
};

Result<int> init(Context& context, Options const& options) {
    std::string const& site = options.site;
    INOS_TRY(auto const dir, context.data_dir());
    std::string const space = context.space.empty() ? kSpaceDefault : context.space;
    INOS_CHECK(check_free(dir));  // before a passphrase is asked for
    INOS_TRY(auto const encryption, encryption_for(context, options.encrypt));
    INOS_TRY(auto const code, create_founder(dir, site, space, pointer_to(encryption)));
    INOS_CHECK(replace_file(dir + "/inos.toml", config_file_text()));
    if (context.json) {
        Object result;
        set_member(result, "data", Value(dir));
        set_member(result, "encrypted", Value(options.encrypt));
        set_member(result, "site", Value(site));
        set_member(result, "space", Value(space));
        set_member(result, "recovery_code", Value(code));
        print_json_line(context, Value(std::move(result)));
        return kExitDone;
    }
    context.terminal.out
        << "site \"" << clean_text(site) << "\" founded the space \"" << clean_text(space)
        << "\" in " << dir << (options.encrypt ? ", encrypted" : "") << "\nnext: inos run --data "
        << dir << "\n\nrecovery code: " << context.terminal.green(code)
        << "\nWrite it on paper and keep it somewhere else. It is not shown again. "
           "If all admin sites\nare lost, inos recover makes another site an admin "
           "with it.\n";
    if (options.encrypt)
        context.terminal.out
            << "\nIt does not open the directory: without its passphrase or key file nobody reads "
               "what is\nin it. inos key add makes a second way in.\n";
    return kExitDone;
}

}  // namespace

void add_init(CommandLine& line) {
    auto options = std::make_shared<Options>();
    line.add("init", "Make a new site that founds a space")
        .option("--site", options->site, "NAME", "what people call the site, such as shop (needed)")
        .flag("--encrypt", options->encrypt, "nobody reads it without a passphrase or key file")
        .note(
            "Makes the directory with keys, an empty store and a commented inos.toml. --space "
            "names the space\n"
            "(default main). Other sites join with a code from inos invite. --encrypt asks for a "
            "passphrase, or takes\nwhat the file of --unlock holds; inos key changes it later.")
        .example("inos init --data /var/lib/inos --site shop", "the first site")
        .example("inos init --data ./shop --site shop --space trade", "with a name for the space")
        .example("inos init --data ./till --site till --encrypt",
                 "for a machine that may be stolen")
        .body([options](Context& context) -> Result<int> {
            if (options->site.empty()) {
                return fail(Errc::usage,
                            "--site is missing: the name of the new site, such as --site shop");
            }
            return init(context, *options);
        });
}

}  // namespace inos
