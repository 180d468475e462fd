#include "storage/aliases.hpp"

#include <algorithm>

#include "storage/crypto/crypto.hpp"

namespace inos {
namespace {

std::string hex_hash(std::string_view text) {
    return crypto::hex(crypto::view(crypto::hash16(text)));
}

std::string escaped(std::string_view collection) {
    std::string out;
    for (char const c : collection) {
        if (c == '%')
            out += "%25";
        else if (c == '/')
            out += "%2F";
        else
            out += c;
    }
    return out;
}

std::string unescaped(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        bool const percent = text.starts_with("%25"), slash = text.starts_with("%2F");
        out += percent ? '%' : slash ? '/' : text.front();
        text.remove_prefix(percent || slash ? 3 : 1);
    }
    return out;
}

std::string text_of(Object const& fields, std::string_view name) {
    Value const* value = find_member(fields, name);
    auto const* text = value ? value->as<std::string>() : nullptr;
    return text ? *text : std::string();
}

}  // namespace

Object Alias::fields() const {
    return {{"collection", Value(collection)},
            {"from", Value(from)},
            {"seen", Value(seen)},
            {"to", Value(to)}};
}

std::optional<Alias> Alias::parse(std::string_view key, Object const& fields) {
    Alias alias{text_of(fields, "collection"),
                text_of(fields, "from"),
                text_of(fields, "to"),
                text_of(fields, "seen")};
    bool const names = valid_name(alias.collection) && valid_name(alias.from) &&
                       valid_name(alias.to) && !alias.collection.starts_with('_');
    if (!names || alias.from == alias.to) return std::nullopt;
    if (alias_key(alias.collection, alias.from) != key) return std::nullopt;
    return alias;
}

std::string alias_key(std::string_view collection, std::string_view id) {
    std::string const prefix = escaped(collection) + "/";
    std::string const plain = "=" + prefix + std::string(id);
    if (plain.size() <= kNameBytesMax) return plain;
    std::string hashed = "#" + prefix + hex_hash(id);
    if (hashed.size() <= kNameBytesMax) return hashed;
    return "!" + hex_hash(std::string(collection) + '\0' + std::string(id));
}

std::string collection_concerned(std::string_view collection, std::string_view key) {
    bool const named = collection == kAliasCollection && key.size() > 1 &&
                       (key.front() == '=' || key.front() == '#');
    std::size_t const end = named ? key.find('/') : std::string_view::npos;
    if (end == std::string_view::npos) return std::string(collection);
    return unescaped(key.substr(1, end - 1));
}

std::optional<RecordName> hidden_by(std::string_view key) {
    std::size_t const slash = key.find('/');
    if (!key.starts_with('=') || slash == std::string_view::npos) return std::nullopt;
    return RecordName{unescaped(key.substr(1, slash - 1)), std::string(key.substr(slash + 1))};
}

void Aliases::set(std::string const& key, std::optional<Alias> alias) {
    auto const known = names_.find(key);
    if (known != names_.end() && !alias) {
        auto const links = links_.find(known->second.collection);
        links->second.erase(known->second.key);
        if (links->second.empty()) links_.erase(links);
        names_.erase(known);
    }
    if (!alias) return;
    names_[key] = {alias->collection, alias->from};
    Link& link = links_[alias->collection][alias->from];
    link.alias = *std::move(alias);
}

void Aliases::set_state(RecordName const& name, RecordState const& state) {
    auto const links = links_.find(name.collection);
    if (links == links_.end()) return;
    auto const link = links->second.find(name.key);
    if (link != links->second.end()) link->second.state = state;
}

Alias const* Aliases::find(std::string_view collection, std::string_view id) const {
    auto const links = links_.find(collection);
    if (links == links_.end()) return nullptr;
    auto const link = links->second.find(id);
    return link == links->second.end() ? nullptr : &link->second.alias;
}

// Brent's algorithm (1980): the walk ends after at most three times as many steps as there are
// aliases, and needs no memory, however they lead in circles.
std::string_view Aliases::master(std::string_view collection, std::string_view id) const {
    std::string_view at = id, mark = id;
    for (std::size_t steps = 1, limit = 2;; ++steps) {
        Alias const* alias = find(collection, at);
        if (!alias) return at;
        at = alias->to;
        if (at == mark) break;
        if (steps < limit) continue;
        mark = at;
        limit *= 2;
    }
    std::string_view lowest = at;
    for (at = find(collection, at)->to; at != mark; at = find(collection, at)->to)
        lowest = std::min(lowest, at);
    return lowest == id ? id : lowest;
}

std::vector<std::string> Aliases::aliases_of(RecordName const& name) const {
    std::vector<std::string> ids;
    auto const links = links_.find(name.collection);
    if (links == links_.end()) return ids;
    for (auto const& [id, link] : links->second)
        if (id != name.key && master(name.collection, id) == name.key) ids.push_back(id);
    return ids;
}

std::uint64_t Aliases::hidden_records(std::string_view collection, DeletePolicy policy) const {
    auto const links = links_.find(collection);
    if (links == links_.end()) return 0;
    return static_cast<std::uint64_t>(
        std::count_if(links->second.begin(), links->second.end(), [&](auto const& item) {
            return visible(item.second.state, policy) && is_alias(collection, item.first);
        }));
}

std::vector<Alias> Aliases::list() const {
    std::vector<Alias> all;
    for (auto const& [collection, links] : links_)
        for (auto const& [id, link] : links)
            all.push_back(link.alias);
    return all;
}

}  // namespace inos
