// The configuration of a node: DIR/inos.toml, read when `inos run` starts; its flags override it.
// What the file leaves out comes from the machine's file, if `inos run` was given one (--defaults;
// the Debian package has /etc/inos/inos.toml), and else from the table here.
//
// One table (config_keys) holds every key with its type, default, meaning and whether it can change
// while the node runs. Reading, the file that `inos init` writes, and the manual follow from it, so
// they cannot disagree. A key that is not in the table is an error, never ignored.
// Pure: no files. Thread: any.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/engine.hpp"
#include "storage/result.hpp"
#include "tools/log_line.hpp"

namespace inos {

struct HostPort {
    std::string host;  // IPv6 without brackets
    std::uint16_t port = 0;

    bool operator==(HostPort const&) const = default;
};

// "127.0.0.1:7711", "[::1]:0", "example.org:7711".
std::optional<HostPort> parse_host_port(std::string_view text);

struct Config {
    std::optional<HostPort> listen;  // none: other sites cannot dial this one, it dials them
    std::optional<HostPort> api;     // none: only the Unix socket
    std::vector<std::string> peers;
    Durability durability = Durability::synced;
    std::string log_level;
    LogFormat log_format = LogFormat::text;
    std::vector<std::string> api_hosts;
    std::uint64_t acknowledge_every_s = 60;
    std::optional<std::uint64_t> log_retention_s;  // none: for ever
};

struct ConfigKey {
    enum class Type { text, texts };

    std::string name;
    Type type;
    std::string fallback;     // the default as it is written in the file
    std::string description;  // full sentences; what larger, smaller, other values do
    bool changes_at_runtime;
    // Puts the values (one, for Type::text) into the configuration; answers what is wrong with
    // them.
    std::function<std::string(Config&, std::vector<std::string> const&)> set;
};

std::vector<ConfigKey> const& config_keys();

// All defaults.
Config default_config();

// Reads a file's text; `file` is its name in errors. Keys that it lacks are as in `base`.
// Errc::usage with line for bad TOML, unknown keys, wrong types and unacceptable values.
Result<Config> parse_config(std::string_view text,
                            std::string_view file,
                            Config base = default_config());

// Sets one key from a command line flag. Errc::usage.
Result<void> set_config(Config& config,
                        std::string_view key,
                        std::vector<std::string> const& values);

// Whose file it is: a site's, which `inos init` writes, or that of a machine, for all sites there.
enum class ConfigFile { site, machine };

// The file with every key explained and its default, commented out: a key that is not set is as in
// the file before it.
std::string config_file_text(ConfigFile whose = ConfigFile::site);

// The text in lines of at most `columns`, each beginning with `indent`.
std::string wrapped(std::string const& text, std::string const& indent, std::size_t columns);

}  // namespace inos
