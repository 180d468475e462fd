// inos init: a new site that founds a space.
#include <memory>
#include <ostream>

#include "storage/site_directory.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/config.hpp"
#include "tools/files.hpp"
#include "tools/output.hpp"

namespace inos {
namespace {

constexpr char const* kSpaceDefault = "main";

Result<int> init(Context& context, std::string const& site) {
    INOS_TRY(auto const dir, context.data_dir());
    std::string const space = context.space.empty() ? kSpaceDefault : context.space;
    INOS_TRY(auto const code, create_founder(dir, site, space));
    INOS_CHECK(replace_file(dir + "/inos.toml", config_file_text()));
    if (context.json) {
        Object result;
        set_member(result, "data", Value(dir));
        set_member(result, "site", Value(site));
        set_member(result, "space", Value(space));
        set_member(result, "recovery_code", Value(code));
        print_json_line(context, Value(std::move(result)));
        return kExitDone;
    }
    context.terminal.out
        << "site \"" << clean_text(site) << "\" founded the space \"" << clean_text(space)
        << "\" in " << dir << "\nnext: inos run --data " << dir
        << "\n\nrecovery code: " << context.terminal.green(code)
        << "\nWrite it on paper and keep it somewhere else. It is not shown again. "
           "If all admin sites\nare lost, inos recover makes another site an admin "
           "with it.\n";
    return kExitDone;
}

}  // namespace

void add_init(CommandLine& line) {
    auto site = std::make_shared<std::string>();
    line.add("init", "Make a new site that founds a space")
        .option("--site", *site, "NAME", "what people call the site, such as shop (needed)")
        .note(
            "Makes the directory with keys, an empty store and a commented inos.toml. --space "
            "names the space\n"
            "(default main). Other sites join with a code from inos invite.")
        .example("inos init --data /var/lib/inos --site shop", "the first site")
        .example("inos init --data ./shop --site shop --space trade", "with a name for the space")
        .body([site](Context& context) -> Result<int> {
            if (site->empty()) {
                return fail(Errc::usage,
                            "--site is missing: the name of the new site, such as --site shop");
            }
            return init(context, *site);
        });
}

}  // namespace inos
