// inos run: the node of a site, until it is asked to end.
//
// DIR/run.json tells other programs where the node listens and who it is; it is there while it
// runs:
//   {"api":"http://127.0.0.1:8080","listen":"ws://127.0.0.1:7711","pid":4711}      empty: not there
#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <ostream>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "net/node.hpp"
#include "storage/json.hpp"
#include "tools/commands.hpp"
#include "tools/config.hpp"
#include "tools/files.hpp"
#include "tools/log_line.hpp"
#include "tools/output.hpp"
#include "tools/service_notify.hpp"
#include "tools/system_clock.hpp"

namespace inos {
namespace {

constexpr std::size_t kConfigBytesMax = 1u << 20;

struct Options {
    std::string listen, api, durability, log_level, log_format, defaults;
    std::vector<std::string> peers;
};

// The site's file over the machine's, or the defaults where there is none, with the flags before
// it.
Result<Config> load_config(std::string const& dir, Options const& options) {
    std::string const path = dir + "/inos.toml";
    Config config = default_config();
    if (!options.defaults.empty()) {
        INOS_TRY(auto const text, read_file(options.defaults, kConfigBytesMax));
        INOS_TRY(config, parse_config(text, options.defaults));
    }
    auto const text = read_file(path, kConfigBytesMax);
    if (!text && text.error().code != Errc::not_found) return tl::unexpected<Error>(text.error());
    if (text) {
        INOS_TRY(config, parse_config(*text, path, config));
    }
    std::pair<char const*, std::string const&> const flags[] = {{"listen", options.listen},
                                                                {"api", options.api},
                                                                {"durability", options.durability},
                                                                {"log_level", options.log_level},
                                                                {"log_format", options.log_format}};
    for (auto const& [key, value] : flags) {
        if (!value.empty()) INOS_CHECK(set_config(config, key, {value}));
    }
    auto peers = config.peers;
    peers.insert(peers.end(), options.peers.begin(), options.peers.end());
    INOS_CHECK(set_config(config, "peers", peers));
    return config;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::error:
            return spdlog::level::err;
        case LogLevel::warn:
            return spdlog::level::warn;
        default:
            return spdlog::level::info;
    }
}

using Log = std::function<void(std::string_view event, std::string const& text)>;

Log make_log(Terminal& terminal, Config const& config) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_st>(terminal.err, true);
    auto log = std::make_shared<spdlog::logger>("inos", std::move(sink));
    log->set_pattern(log_pattern(config.log_format), spdlog::pattern_time_type::utc);
    log->set_level(spdlog::level::from_str(config.log_level));
    return [log, format = config.log_format](std::string_view event, std::string const& text) {
        log->log(spdlog_level(log_level_of(event)), "{}", log_payload(format, event, text));
    };
}

NodeOptions node_options(Config const& config, Log log) {
    NodeOptions options;
    if (config.listen) options.listen = NodeAddress{config.listen->host, config.listen->port};
    if (config.api) options.api = NodeAddress{config.api->host, config.api->port};
    options.api_hosts = config.api_hosts;
    options.peers = config.peers;
    options.acknowledge_every_ms = config.acknowledge_every_s * 1000;
    if (config.log_retention_s) options.log_retention_ms = *config.log_retention_s * 1000;
    options.log = std::move(log);
    return options;
}

// DIR/run.json, while this lives.
class RunFile {
public:
    explicit RunFile(std::string const& dir) : path_(dir + "/run.json") {
        std::remove(path_.c_str());
    }
    ~RunFile() { std::remove(path_.c_str()); }
    RunFile(RunFile const&) = delete;
    RunFile& operator=(RunFile const&) = delete;

    Result<void> write(Value const& content) const {
        return replace_file(path_, write_json(content) + "\n");
    }

private:
    std::string path_;
};

void print_started(Context& context,
                   std::string const& site,
                   Node const& node,
                   Value const& running) {
    if (context.json) {
        print_json_line(context, running);
    } else {
        auto& out = context.terminal.out;
        out << "site \"" << clean_text(site) << "\" is running\n";
        if (!node.sync_address().empty()) out << "peers: " << node.sync_address() << '\n';
        if (!node.api_address().empty()) out << "api:   " << node.api_address() << '\n';
    }
    context.terminal.out.flush();
}

Result<int> run(Context& context, Options const& options) {
    INOS_TRY(auto const dir, context.data_dir());
    INOS_TRY(auto const config, load_config(dir, options));
    INOS_TRY(auto const manager, ServiceManager::of_process());
    manager.send({.status = "opening " + dir});
    SystemClock const clock;
    INOS_TRY(auto site, open_site(dir, clock, config.durability));
    std::string const name = site->name;
    auto const log = make_log(context.terminal, config);
    RunFile const run_file(dir);  // only now: the directory is ours

    boost::asio::io_context io(1);
    boost::asio::signal_set signals(io, SIGINT, SIGTERM);
    INOS_TRY(auto const node, Node::start(io, std::move(site), clock, node_options(config, log)));
    Object running;
    set_member(running, "pid", Value(static_cast<std::int64_t>(::getpid())));
    set_member(running, "listen", Value(node->sync_address()));
    set_member(running, "api", Value(node->api_address()));
    Value const started(std::move(running));
    INOS_CHECK(run_file.write(started));
    print_started(context, name, *node, started);
    log("started", "site \"" + name + "\", process " + std::to_string(::getpid()));
    ServiceReports reports(io, manager, *node, name);
    signals.async_wait([&](boost::system::error_code error, int number) {
        if (error) return;
        log("stopping", "on signal " + std::to_string(number));
        reports.stop();
        node->stop();
    });
    io.run();
    log("stopped", "site \"" + name + "\"");
    return kExitDone;
}

}  // namespace

void add_run(CommandLine& line) {
    auto options = std::make_shared<Options>();
    line.add("run", "Run the node: exchange with peers, serve the API")
        .option("--listen",
                options->listen,
                "HOST:PORT",
                "where peers dial this site; port 0: a free one; off")
        .option("--api",
                options->api,
                "HOST:PORT",
                "the HTTP API over TCP, with the token in DIR/api.token; off")
        .option("--peer",
                options->peers,
                "URL",
                "a site to dial, ws://HOST:PORT, besides those remembered")
        .option("--durability", options->durability, "MODE", "synced (default) or flushed")
        .option("--log-level", options->log_level, "LEVEL", "error, warn or info (default)")
        .option(
            "--log", options->log_format, "FORMAT", "text (default), json, or journal for systemd")
        .option("--defaults",
                options->defaults,
                "FILE",
                "where keys stand that DIR/inos.toml leaves out, such as /etc/inos/inos.toml")
        .choices("--durability", {"synced", "flushed"})
        .choices("--log-level", {"error", "warn", "info"})
        .choices("--log", {"text", "json", "journal"})
        .note(
            "Everything can stand in DIR/inos.toml, which explains it; flags come before it. "
            "Prints where the\n"
            "node listens; DIR/run.json says so too while it runs. Ends on SIGINT or SIGTERM. "
            "Started by "
            "systemd with\nType=notify it says when it is ready, how it is, and that it is alive.")
        .example("inos run --data /var/lib/inos", "as inos.toml says")
        .example("inos run --data ./shop --listen 127.0.0.1:0 --api 127.0.0.1:8080",
                 "for trying things out")
        .body([options](Context& context) { return run(context, *options); });
}

}  // namespace inos
