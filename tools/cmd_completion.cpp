// inos completion: the script with which a shell completes the commands.
#include <memory>
#include <ostream>

#include "storage/near_miss.hpp"
#include "tools/commands.hpp"
#include "tools/completion.hpp"

namespace inos {

void add_completion(CommandLine& line) {
    auto shell = std::make_shared<std::string>();
    line.add("completion", "Print the script with which a shell completes these commands")
        .argument("SHELL", *shell, "bash, zsh or fish")
        .choices("SHELL", {"bash", "zsh", "fish"})
        .note(
            "It completes commands, options, files, and names of collections where a node runs. "
            "The Debian\npackage has installed all three.")
        .example("source <(inos completion bash)", "for this shell; or in ~/.bashrc")
        .example("inos completion zsh > ~/.zfunc/_inos", "a folder of your fpath")
        .example("inos completion fish > ~/.config/fish/completions/inos.fish", "from now on")
        .body([shell, &line](Context& context) -> Result<int> {
            CommandTable const table{line.commands(), line.global_options()};
            auto& out = context.terminal.out;
            if (*shell == "bash") {
                out << bash_completion(table);
            } else if (*shell == "zsh") {
                out << zsh_completion(table);
            } else if (*shell == "fish") {
                out << fish_completion(table);
            } else {
                return fail(Errc::usage,
                            "there is no completion for \"" + *shell +
                                "\", only for bash, zsh and fish" +
                                did_you_mean(*shell, {"bash", "zsh", "fish"}));
            }
            return kExitDone;
        });
}

}  // namespace inos
