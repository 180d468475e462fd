#include "tools/config.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

#include <toml++/toml.h>

#include "net/peer_url.hpp"
#include "storage/near_miss.hpp"
#include "tools/duration.hpp"

namespace inos {
namespace {

constexpr std::size_t kColumns = 96;

using Texts = std::vector<std::string>;

std::string set_address(std::optional<HostPort>& address, std::string const& text) {
    if (text == "off") {
        address.reset();
        return {};
    }
    address = parse_host_port(text);
    return address ? ""
                   : "\"" + text + "\" is not HOST:PORT, such as \"127.0.0.1:7711\", or \"off\"";
}

std::string set_peers(Config& config, Texts const& values) {
    for (auto const& url : values) {
        auto const parsed = parse_peer_url(url);
        if (!parsed) return parsed.error().message;
    }
    config.peers = values;
    return {};
}

std::string set_durability(Config& config, Texts const& values) {
    if (values[0] == "synced") {
        config.durability = Durability::synced;
    } else if (values[0] == "flushed") {
        config.durability = Durability::flushed;
    } else {
        return "\"" + values[0] + "\" is neither \"synced\" nor \"flushed\"" +
               did_you_mean(values[0], {"synced", "flushed"});
    }
    return {};
}

std::string set_acknowledge_every(Config& config, Texts const& values) {
    auto const seconds = parse_duration(values[0]);
    if (!seconds) return seconds.error().message;
    config.acknowledge_every_s = *seconds;
    return {};
}

std::string set_log_retention(Config& config, Texts const& values) {
    config.log_retention_s.reset();
    if (values[0] == "forever") return {};
    auto const seconds = parse_duration(values[0]);
    if (!seconds) return seconds.error().message + ", or \"forever\"";
    config.log_retention_s = *seconds;
    return {};
}

std::string set_log_format(Config& config, Texts const& values) {
    auto const format = parse_log_format(values[0]);
    if (!format) return format.error().message;
    config.log_format = *format;
    return {};
}

std::string set_log_level(Config& config, Texts const& values) {
    Texts const levels{"error", "warn", "info"};
    if (std::find(levels.begin(), levels.end(), values[0]) == levels.end()) {
        return "\"" + values[0] + "\" is none of \"error\", \"warn\", \"info\"" +
               did_you_mean(values[0], levels);
    }
    config.log_level = values[0];
    return {};
}

ConfigKey log_retention_key() {
    return {"log_retention",
            ConfigKey::Type::text,
            "\"forever\"",
            "How long this site keeps changes in its log after all sites have them, such as "
            "\"90d\". They are the history that inos history and reads of the past show. A site "
            "that joins when they are gone is given the records by an admin's site, without their "
            "history.",
            false,
            set_log_retention};
}

std::vector<ConfigKey> make_keys() {
    using Type = ConfigKey::Type;
    return {
        {"listen",
         Type::text,
         "\"0.0.0.0:7711\"",
         "Where other sites dial this one. Only sites of the space, or with an open pairing code, "
         "get "
         "past the handshake. Port 0 takes a free one, which inos run prints. \"off\": this site "
         "dials "
         "the others and cannot be dialled.",
         false,
         [](Config& c, Texts const& v) { return set_address(c.listen, v[0]); }},
        {"api",
         Type::text,
         "\"off\"",
         "Where the HTTP API listens, with the bearer token of DIR/api.token. "
         "Traffic "
         "is not encrypted: keep it on 127.0.0.1 or put a TLS proxy in front. The commands on this "
         "machine do not need it, they use the socket DIR/api.sock.",
         false,
         [](Config& c, Texts const& v) { return set_address(c.api, v[0]); }},
        {"peers",
         Type::texts,
         "[]",
         "Sites to dial at each start, as [\"ws://HOST:PORT\"], besides those that pairing and "
         "\"inos peers add\" have made the site remember.",
         false,
         set_peers},
        {"durability",
         Type::text,
         "\"synced\"",
         "When a write is answered: \"synced\" after it is on the disk and survives a power cut; "
         "\"flushed\" after the operating system has it, which is faster, survives a crash of the "
         "program, and may lose the last moments in a power cut.",
         false,
         set_durability},
        {"acknowledge_every",
         Type::text,
         "\"60s\"",
         "How often at most this site tells all others what it holds for certain, when that has "
         "changed. Deleted records can be purged, and erasures be confirmed, once all sites have "
         "said so: shorter makes that sooner and costs some more of the line.",
         false,
         set_acknowledge_every},
        log_retention_key(),
        {"log_level",
         Type::text,
         "\"info\"",
         "What is written to standard error: \"error\", \"warn\" (someone may have to act), "
         "or \"info\" (what an operator would want to know).",
         false,
         set_log_level},
        {"log_format",
         Type::text,
         "\"text\"",
         "How that is written, one line an event: \"text\" (time, level, event, text), \"json\" "
         "(an "
         "object with these members, for programs that collect logs), or \"journal\" (the level as "
         "systemd reads it, event, text; the journal has the time).",
         false,
         set_log_format},
        {"api_hosts",
         Type::texts,
         "[]",
         "Names with port by which browsers and proxies may call the API, such as "
         "[\"shop.example:8443\"], besides 127.0.0.1, localhost and [::1]. Others are answered "
         "421, so "
         "that no web page can reach the API under a name of its own.",
         false,
         [](Config& c, Texts const& v) {
             c.api_hosts = v;
             return std::string();
         }},
    };
}

ConfigKey const* find_key(std::string_view name) {
    for (auto const& key : config_keys()) {
        if (key.name == name) return &key;
    }
    return nullptr;
}

std::string unknown_key(std::string_view name) {
    Texts names;
    for (auto const& key : config_keys())
        names.push_back(key.name);
    return "unknown key \"" + std::string(name) + "\"" + did_you_mean(name, names);
}

// The texts of a node, or nothing if its type is not the key's.
std::optional<Texts> texts_of(toml::node const& node, ConfigKey::Type type) {
    if (type == ConfigKey::Type::text) {
        auto const text = node.value_exact<std::string>();
        if (!text) return std::nullopt;
        return Texts{*text};
    }
    auto const* array = node.as_array();
    if (!array) return std::nullopt;
    Texts texts;
    for (auto const& element : *array) {
        auto const text = element.value_exact<std::string>();
        if (!text) return std::nullopt;
        texts.push_back(*text);
    }
    return texts;
}

Result<void> set_from(Config& config,
                      std::string_view name,
                      toml::node const& node,
                      std::string_view file) {
    std::string const place =
        std::string(file) + ":" + std::to_string(node.source().begin.line) + ": ";
    auto const* key = find_key(name);
    if (!key) return fail(Errc::usage, place + unknown_key(name), std::string(name));
    auto const values = texts_of(node, key->type);
    if (!values) {
        std::ostringstream found;
        found << node.type();
        return fail(
            Errc::usage,
            place + key->name + " must be " +
                (key->type == ConfigKey::Type::text ? "a text in quotes" : "a list of texts") +
                ", such as " + key->name + " = " +
                (key->fallback == "[]" ? "[\"...\"]" : key->fallback) + ", and is of type " +
                found.str(),
            key->name);
    }
    if (auto const problem = key->set(config, *values); !problem.empty()) {
        return fail(Errc::usage, place + key->name + ": " + problem, key->name);
    }
    return {};
}

constexpr char kSiteHeading[] =
    "The configuration of this site's node. It is read when `inos run` starts; flags of `inos run` "
    "come before it. Every key is here with its default: to change one, take the # away in front "
    "of it.";
constexpr char kMachineHeading[] =
    "The configuration of all sites of this machine that run as the service inos@SITE. It is read "
    "when one of them starts. What stands in a site's own file, /var/lib/inos/SITE/inos.toml, "
    "comes "
    "before it. Every key is here with its default: to change one, take the # away in front of it.";

}  // namespace

std::optional<HostPort> parse_host_port(std::string_view text) {
    std::size_t const colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    HostPort address;
    std::string_view host = text.substr(0, colon);
    if (host.front() == '[') {
        if (host.size() < 3 || host.back() != ']') return std::nullopt;
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return std::nullopt;
    }
    if (host.find_first_of("/@?# \t[]") != std::string_view::npos) return std::nullopt;
    address.host = std::string(host);
    std::string_view const port = text.substr(colon + 1);
    auto const [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (error != std::errc() || end != port.data() + port.size()) return std::nullopt;
    return address;
}

std::vector<ConfigKey> const& config_keys() {
    static std::vector<ConfigKey> const keys = make_keys();
    return keys;
}

Config default_config() {
    std::string text;
    for (auto const& key : config_keys())
        text += key.name + " = " + key.fallback + "\n";
    auto config = parse_config(text, "defaults", Config{});
    INOS_ASSERT(config.has_value());
    return *std::move(config);
}

Result<Config> parse_config(std::string_view text, std::string_view file, Config base) {
    toml::table table;
    try {
        table = toml::parse(text, file);
    } catch (toml::parse_error const& error) {
        return fail(Errc::usage,
                    std::string(file) + ":" + std::to_string(error.source().begin.line) + ": " +
                        std::string(error.description()));
    }
    for (auto const& [name, node] : table) {
        INOS_CHECK(set_from(base, name.str(), node, file));
    }
    return base;
}

Result<void> set_config(Config& config,
                        std::string_view name,
                        std::vector<std::string> const& values) {
    auto const* key = find_key(name);
    if (!key) return fail(Errc::usage, unknown_key(name), std::string(name));
    if (auto const problem = key->set(config, values); !problem.empty()) {
        return fail(Errc::usage, key->name + ": " + problem, key->name);
    }
    return {};
}

std::string wrapped(std::string const& text, std::string const& indent, std::size_t columns) {
    std::istringstream words(text);
    std::string out, line;
    for (std::string word; words >> word;) {
        bool const fits = indent.size() + line.size() + 1 + word.size() <= columns;
        if (!line.empty() && !fits) out += indent + std::exchange(line, "") + "\n";
        line += (line.empty() ? "" : " ") + word;
    }
    return line.empty() ? out : out + indent + line + "\n";
}

std::string config_file_text(ConfigFile whose) {
    std::string text =
        wrapped(whose == ConfigFile::site ? kSiteHeading : kMachineHeading, "# ", kColumns);
    for (auto const& key : config_keys()) {
        text += "\n" + wrapped(key.description, "# ", kColumns);
        if (key.changes_at_runtime) text += "# Read again while the node runs.\n";
        text += "#" + key.name + " = " + key.fallback + "\n";
    }
    return text;
}

}  // namespace inos
