#include "tools/manual.hpp"

#include <sstream>

namespace inos {
namespace {

constexpr std::size_t kColumns = 92;

// Text over several lines, none of which roff takes for a request.
std::string paragraph(std::string const& text) {
    std::istringstream lines(wrapped(text, "", kColumns));
    std::string out;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('.') || line.starts_with('\'')) out += "\\&";
        out += roff(line) + "\n";
    }
    return out;
}

// Lines as they stand.
std::string example_block(std::string const& text) {
    std::istringstream lines(text);
    std::string out = ".nf\n";
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('.') || line.starts_with('\'')) out += "\\&";
        out += roff(line) + "\n";
    }
    return out + ".fi\n";
}

// Notes are paragraphs; indented lines in them are examples.
std::string notes(std::string const& text) {
    std::istringstream lines(text);
    std::string out, plain, indented;
    auto const flush = [&] {
        if (!plain.empty()) out += ".PP\n" + paragraph(plain);
        if (!indented.empty()) out += ".PP\n" + example_block(indented);
        plain.clear();
        indented.clear();
    };
    for (std::string line; std::getline(lines, line);) {
        bool const is_indented = line.starts_with("  ");
        if (line.empty() || is_indented != !indented.empty()) flush();
        if (is_indented)
            indented += line + "\n";
        else
            plain += line + " ";
    }
    flush();
    return out;
}

std::string heading(std::string const& page,
                    char const* section,
                    ManualEdition const& edition,
                    std::string const& what) {
    return ".TH " + page + " " + section + " " + edition.date + " \"inos " + roff(edition.version) +
           "\" Inosculate\n.SH NAME\n" + what + "\n";
}

std::string option_text(ListedOption const& option) {
    std::string names;
    for (auto const& name : option.names)
        names += (names.empty() ? "" : ", ") + ("\\fB" + roff(name) + "\\fR");
    if (!option.value.empty())
        names += " \\fI" + roff(option.value) + "\\fR" + (option.several ? " ..." : "");
    return ".TP\n" + names + "\n" + paragraph(option.help);
}

std::string synopsis(ListedCommand const& command) {
    std::string text = "\\fBinos " + roff(command.name) + "\\fR";
    if (!command.own_options.empty()) text += " [\\fIoptions\\fR]";
    for (auto const& argument : command.arguments) {
        std::string const name = "\\fI" + roff(argument.name) + "\\fR";
        text += argument.required ? " " + name : " [" + name + "]";
    }
    return text;
}

std::string command_text(ListedCommand const& command) {
    std::string text = ".SS inos " + roff(command.name) + "\n";
    if (command.can_run) text += synopsis(command) + "\n.PP\n";
    text += paragraph(command.summary + ".");
    for (auto const& argument : command.arguments) {
        if (argument.help.empty()) continue;
        text += ".TP\n\\fI" + roff(argument.name) + "\\fR\n" + paragraph(argument.help);
    }
    for (auto const& option : command.own_options)
        text += option_text(option);
    text += notes(command.notes);
    std::string lines;
    for (auto const& [line, what] : command.examples)
        lines += "# " + what + "\n" + line + "\n";
    if (!lines.empty()) text += ".PP\nExamples:\n.PP\n" + example_block(lines);
    return text;
}

constexpr char kAround[] = R"(.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
failed: the sentence on standard error says what, where and what to do
.TP
.B 2
wrong usage, or a mistake in inos.toml
.TP
.B 3
not found: record, site, file, peer
.TP
.B 4
a precondition failed, or the directory or port is in use
.SH ENVIRONMENT
.TP
.B INOS_DATA
the site's directory, where \fB\-\-data\fR does not name one
.TP
.B NO_COLOR
no colours, whatever its value
.TP
.BR NOTIFY_SOCKET ", " WATCHDOG_USEC
set by systemd for \fBinos run\fR, see
.BR sd_notify (3)
.SH FILES
.TP
.I DIR/inos.toml
the configuration of the site
.TP
.I DIR/api.sock
where commands reach the running node
.TP
.I /etc/inos/inos.toml
what the sites of the machine start with, where the Debian package is installed
.TP
.I /var/lib/inos/SITE
the directory of the site that the service inos@SITE runs
.SH SEE ALSO
.BR inos.toml (5),
.I /usr/share/doc/inosculate
)";

}  // namespace

std::string roff(std::string_view text) {
    std::string out;
    for (char const c : text) {
        switch (c) {
            case '\\':
                out += "\\e";
                break;
            case '-':
                out += "\\-";
                break;
            case '~':
                out += "\\(ti";
                break;
            case '^':
                out += "\\(ha";
                break;
            case '`':
                out += "\\(ga";
                break;
            case '\'':
                out += "\\(aq";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string manual_of_commands(CommandTable const& table, ManualEdition const& edition) {
    std::string text = heading("INOS", "1", edition, "inos \\- peer\\-to\\-peer record store");
    text +=
        ".SH SYNOPSIS\n\\fBinos\\fR [\\fIoptions\\fR] \\fIcommand\\fR [\\fIarguments\\fR]\n"
        ".SH DESCRIPTION\n" +
        paragraph(
            "Inosculate keeps the records of several sites the same, with or without a "
            "network. Every site runs one node (inos run), which takes reads and writes with "
            "or without the others, and exchanges changes with those that it can reach.") +
        ".PP\n" +
        paragraph(
            "The other commands speak to the running node of the directory, or open it "
            "themselves when none runs.") +
        ".SH OPTIONS\n";
    for (auto const& option : table.global_options)
        text += option_text(option);
    text += ".SH COMMANDS\n";
    for (auto const& command : table.commands)
        text += command_text(command);
    return text + kAround;
}

std::string manual_of_config(std::vector<ConfigKey> const& keys, ManualEdition const& edition) {
    std::string text = heading("INOS.TOML", "5", edition, "inos.toml \\- configuration of a site");
    text += ".SH DESCRIPTION\n" +
            paragraph(
                "DIR/inos.toml, a file in TOML, is read when inos run starts. Its options come "
                "before the file. Keys that the file leaves out are as in the file that "
                "--defaults names, which is /etc/inos/inos.toml for the sites that the service "
                "inos@SITE runs, and else as here. Unknown keys are errors.") +
            ".SH KEYS\n";
    for (auto const& key : keys)
        text += ".TP\n\\fB" + roff(key.name) + "\\fR = " + roff(key.fallback) + "\n" +
                paragraph(key.description);
    return text + ".SH EXAMPLE\n" +
           example_block("listen = \"0.0.0.0:7711\"\npeers = [\"ws://office.example:7711\"]\n") +
           ".SH SEE ALSO\n.BR inos (1)\n";
}

}  // namespace inos
