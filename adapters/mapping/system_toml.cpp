// The systems of a mapping file, and the secrets that must not stand in it.
#include <algorithm>
#include <array>

#include "adapters/mapping/mapping_parts.hpp"

namespace inos {
namespace {

constexpr std::array<std::pair<std::string_view, SecretRef::From>, 3> kReferences{
    {{"env:", SecretRef::From::environment},
     {"secret:", SecretRef::From::store},
     {"file:", SecretRef::From::file}}};
constexpr char const* kHowToRefer =
    "write env:NAME, secret:NAME or file:PATH instead, and keep the secret out of the file";

// What secrets are recognised by wherever they stand.
constexpr std::array<std::string_view, 9> kSecretBeginnings{"-----BEGIN ",
                                                            "Bearer ",
                                                            "Basic ",
                                                            "shpat_",
                                                            "shpss_",
                                                            "sk_live_",
                                                            "ghp_",
                                                            "xoxb-",
                                                            "eyJhbGciOi"};

std::string lower(std::string_view text) {
    std::string small(text);
    for (char& c : small)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return small;
}

bool holds_any(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
        return text.find(word) != std::string_view::npos;
    });
}

// "client_secret", "apiKey", "password", "token", but not "client_id", "token_url", "key_id".
bool names_secret(std::string_view key, bool in_auth) {
    std::string const name = lower(key);
    for (std::string_view const end : {"id", "url", "uri", "endpoint", "name", "header", "type"})
        if (name.size() > end.size() && name.ends_with(end)) return false;
    if (holds_any(name, {"secret", "password", "passwd", "passphrase", "private_key", "api_key"}))
        return true;
    if (name == "token" || name.ends_with("_token")) return true;
    return in_auth && (holds_any(name, {"token", "credential", "pin"}) || name.ends_with("key"));
}

std::optional<SecretRef> reference_of(std::string_view text) {
    for (auto const& [prefix, from] : kReferences)
        if (text.starts_with(prefix))
            return SecretRef{from, std::string(text.substr(prefix.size()))};
    return std::nullopt;
}

std::string misfit(SecretRef const& reference) {
    std::string const& name = reference.name;
    auto const wordy = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    };
    if (name.empty()) return "names no secret";
    if (reference.from == SecretRef::From::file) return {};
    bool const fits = std::all_of(name.begin(), name.end(), wordy) && name.front() != '.';
    return fits ? "" : "has a name of other characters than letters, digits, _ - and .";
}

bool has_password(std::string_view url) {
    std::size_t const begin = url.find("://");
    if (begin == std::string_view::npos) return false;
    std::string_view const rest = url.substr(begin + 3);
    std::string_view const authority = rest.substr(0, rest.find_first_of("/?#"));
    std::size_t const at = authority.rfind('@');
    return at != std::string_view::npos && authority.substr(0, at).find(':') < at;
}

void refuse_below(toml::node const& node, std::string_view key, Problems& problems) {
    if (auto const* table = node.as_table())
        for (auto const& [name, child] : *table)
            refuse_below(child, name.str(), problems);
    if (auto const* array = node.as_array())
        for (auto const& child : *array)
            refuse_below(child, key, problems);
    auto const text = node.value_exact<std::string>();
    if (!text || reference_of(*text)) return;
    bool const looks_so = std::any_of(
        kSecretBeginnings.begin(), kSecretBeginnings.end(), [&](std::string_view beginning) {
            return text->starts_with(beginning);
        });
    if (looks_so || has_password(*text))
        problems.push_back({place_of(node), std::string(key) + ": holds a secret; " + kHowToRefer});
}

void read_auth(toml::table const& auth, System& system, Problems& problems) {
    for (auto const& [key, node] : auth) {
        AuthValue entry;
        entry.place = place_of(node);
        auto const text = node.value_exact<std::string>();
        if (text) entry.secret = reference_of(*text);
        std::string const wrong = entry.secret ? misfit(*entry.secret) : "";
        if (!wrong.empty())
            problems.push_back({entry.place, "auth." + std::string(key.str()) + ": " + wrong});
        if (!entry.secret && names_secret(key.str(), true)) {
            problems.push_back({entry.place,
                                "auth." + std::string(key.str()) +
                                    ": has to name a secret, not to hold it; " + kHowToRefer});
            continue;
        }
        if (!entry.secret)
            if (auto value = toml_value(node, problems)) entry.plain = *std::move(value);
        system.auth.emplace(key.str(), std::move(entry));
    }
}

void refuse_named(toml::table const& table, Problems& problems) {
    for (auto const& [key, node] : table) {
        if (auto const* below = node.as_table()) refuse_named(*below, problems);
        auto const text = node.value_exact<std::string>();
        if (text && !reference_of(*text) && names_secret(key.str(), false))
            problems.push_back({place_of(node),
                                std::string(key.str()) +
                                    ": has to name a secret, not to hold it; " + kHowToRefer});
    }
}

void read_rate(TomlSection const& section, Rate& rate) {
    double number = 0;
    if (section.real("per_second", 0.001, 10'000, number)) rate.per_second = number;
    section.whole("burst", 1, rate.burst);
    section.whole("concurrent", 1, rate.concurrent);
    if (section.real("daily_share", 0.001, 1, number)) rate.daily_share = number;
    section.real("reserve", 0, 0.9, rate.reserve);
    section.whole("cost_reserve", 0, rate.cost_reserve);
}

void read_retry(TomlSection const& section, Retry& retry) {
    section.duration("first", retry.first_ms);
    section.real("factor", 1, 10, retry.factor);
    section.duration("max", retry.max_ms);
    section.real("jitter", 0, 1, retry.jitter);
    section.whole("attempts", 1, retry.attempts);
    section.duration("give_up", retry.give_up_ms);
    if (retry.max_ms < retry.first_ms) section.add("max", "is shorter than the first wait");
    if (retry.give_up_ms < retry.max_ms) section.add("give_up", "is shorter than the longest wait");
}

}  // namespace

void refuse_literal_secrets(toml::table const& table, Problems& problems) {
    refuse_below(table, "", problems);
}

System read_system(std::string name,
                   toml::table const& table,
                   MappingContext const& context,
                   Problems& problems) {
    TomlSection const section("system", table, problems);
    System system;
    system.place = section.place();
    system.name = system.source = std::move(name);
    if (!valid_name(system.name) || system.name == "record")
        problems.push_back({system.place, "a system cannot be called \"" + system.name + "\""});
    if (section.require("kind") && section.text("kind", system.kind) && !context.kinds.empty() &&
        std::find(context.kinds.begin(), context.kinds.end(), system.kind) == context.kinds.end())
        section.add("kind", unknown_word("kind of system", system.kind, context.kinds));
    section.text("base_url", system.base_url);
    section.text("api_version", system.api_version);
    if (section.require("owner_site")) section.text("owner_site", system.owner_site);
    section.text("source", system.source);
    section.text("echo_tag", system.echo_tag);
    if (auto const* auth = section.below("auth")) read_auth(*auth, system, problems);
    if (auto const* rate = section.below("rate"))
        read_rate(TomlSection("system.rate", *rate, problems), system.rate);
    if (auto const* retry = section.below("retry"))
        read_retry(TomlSection("system.retry", *retry, problems), system.retry);
    section.driver("driver", system.driver);
    if (auto const* driver = section.below("driver")) refuse_named(*driver, problems);
    return system;
}

}  // namespace inos
