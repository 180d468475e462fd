// A schema document as TOML text (toml.io, version 1.0): one table per collection and one line per
// field, in the order in which people write them.

#include <algorithm>

#include "storage/json.hpp"
#include "storage/schema_document.hpp"

namespace inos {
namespace {

// The text of a TOML basic string. Its escapes are those of JSON, and DEL needs one too.
std::string toml_text(std::string_view text) {
    std::string json, toml;
    append_json_text(json, text);
    for (char const c : json) {
        if (c == '\x7f')
            toml += "\\u007f";
        else
            toml += c;
    }
    return toml;
}

std::string toml_key(std::string_view key) {
    bool const bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    });
    return bare ? std::string(key) : toml_text(key);
}

// The members in the order of `first`, then the others. Nulls are left out.
std::vector<Member const*> ordered(Object const& object, std::vector<std::string_view> first) {
    std::vector<Member const*> members;
    for (Member const& member : object)
        if (!member.value.is_null()) members.push_back(&member);
    auto const place = [&](Member const* member) {
        return std::find(first.begin(), first.end(), member->key) - first.begin();
    };
    std::stable_sort(members.begin(), members.end(), [&](auto const* a, auto const* b) {
        return place(a) < place(b);
    });
    return members;
}

struct TomlWriter {
    std::string& out;

    void operator()(std::monostate) const {}
    void operator()(bool b) const { out += b ? "true" : "false"; }
    void operator()(std::int64_t n) const { out += std::to_string(n); }
    void operator()(double d) const { out += double_text(d); }
    void operator()(std::string const& text) const { out += toml_text(text); }
    void operator()(Array const& array) const {
        bool first = true;
        out += '[';
        for (Value const& item : array) {
            if (item.is_null()) continue;
            if (!first) out += ", ";
            first = false;
            std::visit(*this, item.data);
        }
        out += ']';
    }
    void operator()(Object const& object) const {
        auto const members = ordered(object, {"type", "policy"});
        if (members.empty()) {
            out += "{}";
            return;
        }
        bool first = true;
        for (Member const* member : members) {
            out += first ? "{ " : ", ";
            first = false;
            out += toml_key(member->key) + " = ";
            std::visit(*this, member->value.data);
        }
        out += " }";
    }
    void line(Member const& member) const {
        out += toml_key(member.key) + " = ";
        std::visit(*this, member.value.data);
        out += '\n';
    }
};

}  // namespace

std::string schema_toml(Object const& document) {
    std::string out;
    TomlWriter const writer{out};
    for (auto const& [collection, value] : document) {
        auto const* table = value.as<Object>();
        if (!table) continue;
        std::string const key = toml_key(collection);
        out += (out.empty() ? "[" : "\n[") + key + "]\n";
        Object const* fields = nullptr;
        for (Member const* member : ordered(*table, {"delete", "index", "identity"})) {
            if (member->key == "fields")
                fields = member->value.as<Object>();
            else
                writer.line(*member);
        }
        if (!fields || fields->empty()) continue;
        out += "[" + key + ".fields]\n";
        for (Member const& field : *fields)
            if (!field.value.is_null()) writer.line(field);
    }
    return out;
}

}  // namespace inos
