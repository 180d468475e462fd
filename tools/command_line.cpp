#include "tools/command_line.hpp"

#include <algorithm>
#include <ostream>
#include <sstream>

#include <CLI/CLI.hpp>

#include "storage/near_miss.hpp"

namespace inos {
namespace {

bool is_negative_number(std::string const& text) {
    return text.size() > 1 && text[0] == '-' &&
           (text[1] == '.' || (text[1] >= '0' && text[1] <= '9'));
}

bool is_option(std::string const& text) {
    return text.size() > 1 && text[0] == '-' && !is_negative_number(text);
}

// Lets `inos resolve products p1 stock -5` mean what it says: the first negative number that is no
// option's value ends the options, if none follow.
void protect_negative_numbers(std::vector<std::string>& arguments) {
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (arguments[i] == "--") return;
        if (!is_negative_number(arguments[i]) || is_option(arguments[i - 1])) continue;
        auto const at = arguments.begin() + static_cast<std::ptrdiff_t>(i);
        if (std::none_of(at, arguments.end(), is_option)) arguments.insert(at, "--");
        return;
    }
}

}  // namespace

struct Command::Impl {
    CLI::App* app = nullptr;
    std::string full_name;  // "inos schema apply"
    CommandBody body;
    ListedCommand listed;
    std::vector<std::unique_ptr<Command>> children;

    Command& add_child(std::string const& name, std::string const& summary);
    void update_footer() const;
    // The command that the parsed arguments name, this one or one below it.
    Impl& chosen();
    std::optional<Error> unexpected(Impl const& root) const;
    std::vector<std::string> option_names() const;
    void list(std::vector<ListedCommand>& all) const;
};

struct CommandLine::Impl {
    Terminal& terminal;
    Context context;
    CLI::App app{
        "Inosculate keeps the records of several sites the same, with or without a network."};
    Command root;

    Result<int> parse_and_run(std::vector<std::string> arguments);
    Error describe(CLI::ParseError const& error);
};

int exit_status(Errc code) {
    switch (code) {
        case Errc::usage:
            return kExitUsage;
        case Errc::not_found:
        case Errc::gone:
            return kExitNotFound;
        case Errc::conflict:
        case Errc::rights:
            return kExitConflict;
        default:
            return kExitFailed;
    }
}

Result<std::string> Context::data_dir() const {
    if (!data.empty()) return data;
    return fail(Errc::usage,
                "no data directory was named; give --data DIR or set the environment variable "
                "INOS_DATA");
}

// ---- describing a command
// ------------------------------------------------------------------------

Command::Command(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Command::~Command() = default;

Command& Command::Impl::add_child(std::string const& name, std::string const& summary) {
    auto child = std::make_unique<Impl>();
    child->app = app->add_subcommand(name, summary);
    child->app->fallthrough();
    child->app->allow_extras();
    child->full_name = full_name + " " + name;
    children.push_back(std::make_unique<Command>(std::move(child)));
    return *children.back();
}

void Command::Impl::update_footer() const {
    std::string text = listed.notes;
    if (!listed.examples.empty()) text += std::string(text.empty() ? "" : "\n") + "Examples:\n";
    for (auto const& [line, what] : listed.examples)
        text += "  # " + what + "\n  " + line + "\n";
    app->footer(text);
}

Command& Command::argument(std::string const& name, std::string& value, std::string const& help) {
    impl_->app->add_option(name, value, help)->required()->type_name("");
    impl_->listed.arguments.push_back({name, help, true, {}});
    return *this;
}

Command& Command::optional_argument(std::string const& name,
                                    std::string& value,
                                    std::string const& help) {
    impl_->app->add_option(name, value, help)->type_name("");
    impl_->listed.arguments.push_back({name, help, false, {}});
    return *this;
}

void Command::describe_option(std::string const& flags,
                              std::string const& name,
                              std::string const& help,
                              bool several) {
    ListedOption option{{}, name, help, several, {}};
    std::istringstream in(flags);
    for (std::string flag; std::getline(in, flag, ',');)
        option.names.push_back(flag);
    impl_->listed.own_options.push_back(std::move(option));
}

Command& Command::option(std::string const& flags,
                         std::string& value,
                         std::string const& name,
                         std::string const& help) {
    impl_->app->add_option(flags, value, help)->type_name(name);
    describe_option(flags, name, help, false);
    return *this;
}

Command& Command::option(std::string const& flags,
                         std::uint64_t& value,
                         std::string const& name,
                         std::string const& help) {
    impl_->app->add_option(flags, value, help)->type_name(name);
    describe_option(flags, name, help, false);
    return *this;
}

Command& Command::option(std::string const& flags,
                         std::vector<std::string>& values,
                         std::string const& name,
                         std::string const& help) {
    impl_->app->add_option(flags, values, help)->type_name(name + " ...");
    describe_option(flags, name, help, true);
    return *this;
}

Command& Command::flag(std::string const& flags, bool& value, std::string const& help) {
    impl_->app->add_flag(flags, value, help);
    describe_option(flags, "", help, false);
    return *this;
}

Command& Command::choices(std::string const& name, std::vector<std::string> values) {
    for (auto& option : impl_->listed.own_options)
        if (std::find(option.names.begin(), option.names.end(), name) != option.names.end())
            option.choices = values;
    for (auto& argument : impl_->listed.arguments)
        if (argument.name == name) argument.choices = values;
    return *this;
}

Command& Command::note(std::string const& text) {
    impl_->listed.notes += text + "\n";
    impl_->update_footer();
    return *this;
}

Command& Command::example(std::string const& line, std::string const& what) {
    impl_->listed.examples.emplace_back(line, what);
    impl_->update_footer();
    return *this;
}

Command& Command::subcommand(std::string const& name, std::string const& summary) {
    return impl_->add_child(name, summary);
}

void Command::body(CommandBody body) {
    impl_->body = std::move(body);
}

// ---- parsing
// -------------------------------------------------------------------------------------

Command::Impl& Command::Impl::chosen() {
    for (auto const& child : children) {
        if (child->impl_->app->parsed()) return child->impl_->chosen();
    }
    return *this;
}

std::vector<std::string> Command::Impl::option_names() const {
    std::vector<std::string> names;
    for (auto const* option : app->get_options()) {
        for (auto const& name : option->get_lnames())
            names.push_back("--" + name);
    }
    return names;
}

void Command::Impl::list(std::vector<ListedCommand>& all) const {
    constexpr std::string_view kProgram = "inos ";
    if (full_name.size() > kProgram.size()) {
        ListedCommand command = listed;
        command.name = full_name.substr(kProgram.size());
        command.summary = app->get_description();
        command.can_run = static_cast<bool>(body);
        command.options = option_names();
        all.push_back(std::move(command));
    }
    for (auto const& child : children)
        child->impl_->list(all);
}

// What was left over, said so that one sees what to change.
std::optional<Error> Command::Impl::unexpected(Impl const& root) const {
    auto const left = root.app->remaining(true);
    auto const first =
        std::find_if(left.begin(), left.end(), [](auto const& text) { return text != "--"; });
    if (first == left.end()) return std::nullopt;
    std::vector<std::string> commands;
    for (auto const& child : children)
        commands.push_back(child->impl_->app->get_name());
    if (is_option(*first)) {
        auto names = option_names();
        if (this != &root) {
            auto const global = root.option_names();
            names.insert(names.end(), global.begin(), global.end());
        }
        std::string const name = first->substr(0, first->find('='));
        return Error{Errc::usage,
                     "unknown option \"" + name + "\" of " + full_name + did_you_mean(name, names) +
                         " (see " + full_name + " --help)",
                     name};
    }
    if (!children.empty()) {
        return Error{Errc::usage,
                     "unknown command \"" + *first + "\"" +
                         (this == &root ? "" : " of " + full_name) +
                         did_you_mean(*first, commands) + " (see " + full_name + " --help)",
                     *first};
    }
    return Error{Errc::usage,
                 "unexpected argument \"" + *first + "\" of " + full_name + " (see " + full_name +
                     " --help); a text with blanks needs quotes",
                 *first};
}

// CLI11's errors in our words.
Error CommandLine::Impl::describe(CLI::ParseError const& error) {
    auto& command = root.impl_->chosen();
    if (auto left = command.unexpected(*root.impl_)) return *std::move(left);
    std::string text = error.what();
    if (dynamic_cast<CLI::RequiredError const*>(&error) != nullptr) {
        text = text.substr(0, text.find(" is required")) + " is missing";
    }
    while (text.ends_with('.') || text.ends_with('\n'))
        text.pop_back();
    return Error{Errc::usage, text + " (see " + command.full_name + " --help)", ""};
}

Result<int> CommandLine::Impl::parse_and_run(std::vector<std::string> arguments) {
    protect_negative_numbers(arguments);
    std::reverse(arguments.begin(), arguments.end());  // the order that CLI11 takes them in
    try {
        app.parse(std::move(arguments));
    } catch (CLI::CallForVersion const& version) {
        terminal.out << version.what() << '\n';
        return kExitDone;
    } catch (CLI::CallForHelp const&) {
        terminal.out << app.help();
        return kExitDone;
    } catch (CLI::ParseError const& error) {
        return fail(Errc::usage, describe(error).message);
    }
    auto& command = root.impl_->chosen();
    if (auto left = command.unexpected(*root.impl_)) return tl::unexpected<Error>(*std::move(left));
    if (!command.body) {
        return fail(Errc::usage, "a command is missing (see " + command.full_name + " --help)");
    }
    return command.body(context);
}

CommandLine::CommandLine(Terminal& terminal, std::string version, std::string data) {
    auto root = std::make_unique<Command::Impl>();
    auto* const tree = root.get();
    impl_.reset(new Impl{terminal,
                         Context{terminal, std::move(data), "", false},
                         CLI::App{},
                         Command(std::move(root))});
    auto& app = impl_->app;
    app.name("inos");
    app.description(
        "Inosculate keeps the records of several sites the same, with or without a network.");
    app.set_version_flag("--version", "inos " + version, "Print the version");
    app.set_help_flag("-h,--help", "Print this text; every command has its own");
    app.add_option("--data", impl_->context.data, "The site's directory; default: INOS_DATA")
        ->type_name("DIR");
    app.add_option("--space", impl_->context.space, "The space, when the site has more than one")
        ->type_name("NAME");
    app.add_flag(
        "--json", impl_->context.json, "Print JSON, one document, or one per line for lists");
    app.allow_extras();
    app.footer(
        "Commands speak to the running node of the directory, or open it themselves when none "
        "runs.\n"
        "Exit status: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 precondition or conflict.");
    app.get_formatter()->column_width(34);
    tree->app = &app;
    tree->full_name = "inos";
}

CommandLine::~CommandLine() = default;

std::vector<ListedCommand> CommandLine::commands() const {
    std::vector<ListedCommand> all;
    impl_->root.impl_->list(all);
    return all;
}

std::vector<ListedOption> CommandLine::global_options() const {
    std::vector<ListedOption> options;
    for (auto const* option : impl_->app.get_options()) {
        ListedOption listed{{}, "", option->get_description(), false, {}};
        for (auto const& name : option->get_snames())
            listed.names.push_back("-" + name);
        for (auto const& name : option->get_lnames())
            listed.names.push_back("--" + name);
        if (option->get_expected_max() > 0) listed.value = option->get_type_name();
        options.push_back(std::move(listed));
    }
    return options;
}

Command& CommandLine::add(std::string const& name, std::string const& summary) {
    return impl_->root.impl_->add_child(name, summary);
}

int CommandLine::run(std::vector<std::string> arguments) {
    Result<int> status = kExitDone;
    try {
        status = impl_->parse_and_run(std::move(arguments));
    } catch (std::exception const& error) {
        status = fail(Errc::internal, error.what());
    }
    auto& terminal = impl_->terminal;
    if (!terminal.out.flush()) status = fail(Errc::io, "cannot write to standard output");
    if (status) return *status;
    terminal.err << "inos: " << clean_text(status.error().message) << std::endl;
    return exit_status(status.error().code);
}

}  // namespace inos
