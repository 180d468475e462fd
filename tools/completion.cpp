#include "tools/completion.hpp"

#include <string_view>

namespace inos {
namespace {

// In single quotes, for bash and zsh.
std::string quoted(std::string_view text) {
    std::string out = "'";
    for (char const c : text) {
        if (c == '\'')
            out += "'\\''";
        else
            out += c;
    }
    return out + "'";
}

std::string fish_quoted(std::string_view text) {
    std::string out = "'";
    for (char const c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

std::string joined(std::vector<std::string> const& words) {
    std::string text;
    for (auto const& word : words)
        text += (text.empty() ? "" : " ") + word;
    return text;
}

// The commands one may name behind `name`; "" for the program.
std::vector<ListedCommand const*> children_of(CommandTable const& table, std::string const& name) {
    std::string const prefix = name.empty() ? "" : name + " ";
    std::vector<ListedCommand const*> children;
    for (auto const& command : table.commands) {
        bool const below = command.name.size() > prefix.size() && command.name.starts_with(prefix);
        if (below && command.name.find(' ', prefix.size()) == std::string::npos)
            children.push_back(&command);
    }
    return children;
}

std::string last_word(std::string const& name) {
    return name.substr(name.rfind(' ') + 1);
}

std::vector<std::string> completed_arguments(ListedCommand const& command) {
    std::vector<std::string> kinds;
    for (auto const& argument : command.arguments)
        kinds.push_back(completed_by(argument.name, argument.choices));
    return kinds;
}

// The options of a command and the global ones, each name once.
std::string all_options(CommandTable const& table, ListedCommand const* command) {
    std::vector<std::string> names;
    for (auto const* list : {command ? &command->own_options : nullptr, &table.global_options}) {
        if (!list) continue;
        for (auto const& option : *list)
            names.insert(names.end(), option.names.begin(), option.names.end());
    }
    return joined(names);
}

// Lines "    'put --limit') takes='...' ;;" for every option that has a value.
std::string value_cases(CommandTable const& table) {
    auto const line = [](std::string const& pattern, ListedOption const& option) {
        return "    " + pattern + ") takes=" + quoted(completed_by(option.value, option.choices)) +
               (option.several ? " several=1" : "") + " ;;\n";
    };
    std::string text;
    for (auto const& command : table.commands) {
        for (auto const& option : command.own_options) {
            if (option.value.empty()) continue;
            for (auto const& name : option.names)
                text += line(quoted(command.name + " " + name), option);
        }
    }
    for (auto const& option : table.global_options) {
        if (option.value.empty()) continue;
        for (auto const& name : option.names)
            text += line("*" + quoted(" " + name), option);
    }
    return text;
}

// The parts of bash's and zsh's scripts that are alike: a table, and a walk over the words before
// the cursor, which finds the command, how many arguments it has got, and the option that waits for
// a value.
std::string table_and_walk(CommandTable const& table) {
    std::string text =
        "# What may follow a command: its subcommands, options, and what its arguments are.\n"
        "_inos_table() {\n"
        "    subcommands='' options='' arguments=()\n"
        "    case $1 in\n";
    auto const add = [&](std::string const& name, ListedCommand const* command) {
        std::vector<std::string> children;
        for (auto const* child : children_of(table, name))
            children.push_back(last_word(child->name));
        text += "    " + quoted(name) + ")\n";
        if (!children.empty()) text += "        subcommands=" + quoted(joined(children)) + "\n";
        text += "        options=" + quoted(all_options(table, command)) + "\n";
        if (command && !command->arguments.empty()) {
            text += "        arguments=(";
            for (auto const& kind : completed_arguments(*command))
                text += (text.back() == '(' ? "" : " ") + quoted(kind);
            text += ")\n";
        }
        text += "        ;;\n";
    };
    add("", nullptr);
    for (auto const& command : table.commands)
        add(command.name, &command);
    text +=
        "    esac\n}\n\n"
        "# What the value of an option is, as COMMAND OPTION; nothing for flags.\n"
        "_inos_takes() {\n    takes='' several=''\n    case $1 in\n" +
        value_cases(table) +
        "    esac\n}\n\n"
        "# Goes over the words before the cursor.\n"
        "_inos_walk() {\n"
        "    local word takes several\n"
        "    command='' given=0 pending='' data=$INOS_DATA\n"
        "    local -i left=0\n"
        "    local last=''\n"
        "    _inos_table ''\n"
        "    for word in \"$@\"; do\n"
        "        if [[ $word == -?* ]]; then\n"
        "            pending='' left=0 last=${word%%=*}\n"
        "            [[ $word == --data=* ]] && data=${word#*=}\n"
        "            [[ $word == *=* ]] && continue\n"
        "            _inos_takes \"$command $word\"\n"
        "            if [[ -n $takes ]]; then pending=$takes left=1; fi\n"
        "            if [[ -n $several ]]; then left=1000; fi\n"
        "        elif ((left > 0)); then\n"
        "            [[ $last == --data ]] && data=$word\n"
        "            left=left-1\n"
        "            ((left > 0)) || pending=''\n"
        "        elif [[ -n $subcommands && \" $subcommands \" == *\" $word \"* ]]; then\n"
        "            command=${command:+$command }$word\n"
        "            _inos_table \"$command\"\n"
        "        else\n"
        "            given=$((given + 1))\n"
        "        fi\n"
        "    done\n"
        "}\n\n"
        "# Names of the running node's collections, one a line.\n"
        "_inos_collections() {\n"
        "    [[ -S ${data/#\\~/$HOME}/api.sock ]] || return 0\n"
        "    timeout 2 inos list --json --data \"${data/#\\~/$HOME}\" 2>/dev/null |\n"
        "        sed -n 's/.*\"name\":\"\\([^\"\\\\]*\\)\".*/\\1/p'\n"
        "}\n\n";
    return text;
}

}  // namespace

std::string completed_by(std::string const& value, std::vector<std::string> const& choices) {
    if (!choices.empty()) return "=" + joined(choices);
    if (value == "COLLECTION") return "collection";
    if (value == "DIR" || value == "OLD") return "dir";
    if (value == "FILE" || value == "TARGET" || value == "BACKUP") return "file";
    return "-";
}

std::string bash_completion(CommandTable const& table) {
    return "# bash completion of inos; made by: inos completion bash\n\n" + table_and_walk(table) +
           R"SH(_inos() {
    local subcommands options command given pending data kind words
    local -a arguments
    local current=${COMP_WORDS[COMP_CWORD]}
    # Bash makes three words of --data=DIR.
    local -a before=()
    local -i at
    for ((at = 1; at < COMP_CWORD; ++at)); do
        if [[ ${COMP_WORDS[at]} == '=' && ${#before[@]} -gt 0 ]]; then
            continue
        fi
        before+=("${COMP_WORDS[at]}")
    done
    [[ $current == '=' ]] && current=''
    COMPREPLY=()
    _inos_walk "${before[@]}"
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
        return
    fi
    kind=$pending
    if [[ -z $kind ]]; then
        [[ -n $subcommands && $given == 0 ]] &&
            mapfile -t COMPREPLY < <(compgen -W "$subcommands" -- "$current")
        kind=${arguments[given]-}
    fi
    case $kind in
    =*) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "${kind#=}" -- "$current") ;;
    collection)
        # Names may have blanks.
        while IFS= read -r words; do
            [[ $words == "$current"* ]] && COMPREPLY+=("$(printf '%q' "$words")")
        done < <(_inos_collections)
        ;
    ;
    file)
        compopt -o filenames 2>/dev/null
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
        ;
    ;
    dir)
        compopt -o filenames 2>/dev/null
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$current")
        ;
    ;
    esac
}
complete -F _inos inos
)SH";
}

std::string zsh_completion(CommandTable const& table) {
    std::string text = "#compdef inos\n# zsh completion of inos; made by: inos completion zsh\n\n" +
                       table_and_walk(table) +
                       "# Words with what they are, for _describe.\n_inos_words() {\n"
                       "    described=()\n    case $1 in\n";
    auto const line = [](std::string const& word, std::string const& what) {
        std::string escaped;
        for (char const c : word)
            escaped += c == ':' ? "\\:" : std::string(1, c);
        return " " + quoted(escaped + ":" + what);
    };
    std::vector<std::string> parents{""};
    for (auto const& command : table.commands)
        parents.push_back(command.name);
    for (auto const& parent : parents) {
        auto const children = children_of(table, parent);
        if (children.empty()) continue;
        text += "    " + quoted(parent) + ") described=(";
        for (auto const* child : children)
            text += line(last_word(child->name), child->summary);
        text += " ) ;;\n";
    }
    for (auto const& command : table.commands) {
        text += "    " + quoted(command.name + " -") + ") described=(";
        for (auto const& option : command.own_options)
            for (auto const& name : option.names)
                text += line(name, option.help);
        text += " ) ;;\n";
    }
    text += "    ' -') ;;\n    esac\n";
    text += "    [[ $1 == *- ]] && described+=(";
    for (auto const& option : table.global_options)
        for (auto const& name : option.names)
            text += line(name, option.help);
    return text + R"SH( )
}

_inos() {
    local subcommands options command given pending data kind
    local -a arguments described
    _inos_walk "${(@)words[2,CURRENT-1]}"
    if [[ ${words[CURRENT]} == -* ]]; then
        _inos_words "$command -"
        _describe -o option described
        return
    fi
    kind=$pending
    if [[ -z $kind ]]; then
        if [[ -n $subcommands && $given == 0 ]]; then
            _inos_words "$command"
            _describe command described
        fi
        kind=${arguments[given+1]-}
    fi
    case $kind in
    =*) compadd -- ${=kind#=} ;;
    collection) compadd -- "${(@f)$(_inos_collections)}" ;;
    file) _files ;;
    dir) _files -/ ;;
    esac
}

if [[ ${funcstack[1]} == _inos ]]; then _inos "$@"; else compdef _inos inos; fi
)SH";
}

namespace {

std::string fish_names(ListedOption const& option) {
    std::string text;
    for (auto const& name : option.names)
        text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    return text;
}

// The arguments of `complete` that offer what completes a value.
std::string fish_values(std::string const& kind) {
    if (kind == "file") return " -F";
    if (kind == "dir") return " -a '(__fish_complete_directories)'";
    if (kind == "collection") return " -a '(__inos_collections)'";
    return kind.front() == '=' ? " -a " + fish_quoted(kind.substr(1)) : "";
}

std::string fish_option(std::string const& condition, ListedOption const& option) {
    std::string text = "complete -c inos" + condition + fish_names(option);
    if (!option.value.empty())
        text += " -x" + fish_values(completed_by(option.value, option.choices));
    // -F overrides what -x forbids.
    return text + " -d " + fish_quoted(option.help) + "\n";
}

}  // namespace

std::string fish_completion(CommandTable const& table) {
    std::string with_values, groups;
    for (auto const& option : table.global_options)
        if (!option.value.empty())
            for (auto const& name : option.names)
                with_values += " " + fish_quoted(name);
    for (auto const& command : table.commands)
        for (auto const& option : command.own_options)
            if (!option.value.empty())
                for (auto const& name : option.names)
                    with_values += " " + fish_quoted(command.name + " " + name);
    for (auto const& command : table.commands)
        groups += " " + fish_quoted(command.name);
    std::string text =
        "# fish completion of inos; made by: inos completion fish\n\n"
        "set -g __inos_commands" +
        groups + "\nset -g __inos_with_values" + with_values + R"SH(

# The words before the cursor: first the command's name, then a line for each argument it has got.
function __inos_given
    set -l command ''
    set -l given
    set -l takes 0
    for word in (commandline -opc)[2..-1]
        if string match -q -- '-*' $word
            set takes 0
            if contains -- "$command $word" $__inos_with_values
                or contains -- $word $__inos_with_values
                set takes 1
            end
        else if test $takes = 1
            set takes 0
        else if test (count $given) = 0
                and contains -- (string trim -- "$command $word") $__inos_commands
            set command (string trim -- "$command $word")
        else
            set -a given $word
        end
    end
    printf '%s\n' "$command" $given
end

# Whether the command is NAME and has got COUNT arguments; without COUNT any number.
function __inos_at
    set -l given (__inos_given)
    test "$given[1]" = "$argv[1]"; or return 1
    test (count $argv) -lt 2; or test (math (count $given) - 1) = $argv[2]
end

function __inos_collections
    set -l data $INOS_DATA
    set -l words (commandline -opc)
    for at in (seq (count $words))
        test "$words[$at]" = --data; and set data $words[(math $at + 1)]
        string match -q -- '--data=*' $words[$at]; and set data (string replace -- --data= '' $words[$at])
    end
    test -S "$data/api.sock"; or return
    timeout 2 inos list --json --data "$data" 2>/dev/null |
        string replace -rf -- '.*"name":"([^"\\\\]*)".*' '$1'
end

complete -c inos -f
)SH";
    for (auto const& command : table.commands) {
        std::size_t const blank = command.name.rfind(' ');
        std::string const parent = blank == std::string::npos ? "" : command.name.substr(0, blank);
        text += "complete -c inos -n " + fish_quoted("__inos_at " + fish_quoted(parent) + " 0") +
                " -a " + fish_quoted(last_word(command.name)) + " -d " +
                fish_quoted(command.summary) + "\n";
    }
    for (auto const& option : table.global_options)
        text += fish_option("", option);
    for (auto const& command : table.commands) {
        std::string const here = "__inos_at " + fish_quoted(command.name);
        for (auto const& option : command.own_options)
            text += fish_option(" -n " + fish_quoted(here), option);
        auto const kinds = completed_arguments(command);
        for (std::size_t i = 0; i < kinds.size(); ++i) {
            std::string const values = fish_values(kinds[i]);
            if (!values.empty())
                text += "complete -c inos -n " + fish_quoted(here + " " + std::to_string(i)) +
                        values + "\n";
        }
    }
    return text;
}

}  // namespace inos
