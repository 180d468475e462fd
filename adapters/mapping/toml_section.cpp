#include "adapters/mapping/toml_section.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "adapters/mapping/mapping_keys.hpp"
#include "storage/near_miss.hpp"

namespace inos {
namespace {

using Names = std::vector<std::string>;

std::string quoted(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

std::string type_of(toml::node const& node) {
    std::ostringstream text;
    text << node.type();
    return text.str();
}

// Keys that people bring from elsewhere, and where what they mean stands here.
std::string elsewhere(std::string_view table, std::string_view key) {
    static Names const of_schema{"type",
                                 "conflict",
                                 "policy",
                                 "order",
                                 "project",
                                 "required",
                                 "immutable",
                                 "pii",
                                 "values",
                                 "ranking"};
    bool const schema = (table == "binding.map" &&
                         std::find(of_schema.begin(), of_schema.end(), key) != of_schema.end()) ||
                        (table.empty() && key == "collection");
    if (schema)
        return quoted(key) +
               " has no place here: types, policies and limits of fields stand in the "
               "schema, which is the same at all sites (inos schema apply)";
    if (table == "system" && key == "rank")
        return "\"rank\" has no place here: a field's schema ranks its sources (policy = "
               "\"priority\", ranking = [...])";
    return {};
}

void collect_places(toml::node const& node,
                    Pointer const& at,
                    std::map<std::string, Place>& places) {
    places.emplace(at.text(), place_of(node));
    Pointer below = at;
    below.tokens.emplace_back();
    if (auto const* table = node.as_table()) {
        for (auto const& [key, child] : *table) {
            below.tokens.back() = key.str();
            collect_places(child, below, places);
        }
    }
    if (auto const* array = node.as_array()) {
        for (std::size_t i = 0; i < array->size(); ++i) {
            below.tokens.back() = std::to_string(i);
            collect_places(*array->get(i), below, places);
        }
    }
}

std::optional<Value> value_at(toml::node const& node,
                              std::vector<MappingProblem>& problems,
                              int depth) {
    if (depth == 0) {
        problems.push_back({place_of(node), "tables and lists stand too deep inside one another"});
        return std::nullopt;
    }
    if (auto const* table = node.as_table()) {
        Object object;
        for (auto const& [key, child] : *table) {
            auto value = value_at(child, problems, depth - 1);
            if (!value) return std::nullopt;
            set_member(object, key.str(), *std::move(value));
        }
        return Value(std::move(object));
    }
    if (auto const* elements = node.as_array()) {
        Array array;
        for (auto const& child : *elements) {
            auto value = value_at(child, problems, depth - 1);
            if (!value) return std::nullopt;
            array.push_back(*std::move(value));
        }
        return Value(std::move(array));
    }
    if (auto const text = node.value_exact<std::string>()) return Value(*text);
    if (auto const flag = node.value_exact<bool>()) return Value(*flag);
    if (auto const number = node.value_exact<std::int64_t>()) return Value(*number);
    if (auto const number = node.value_exact<double>(); number && std::isfinite(*number))
        return Value(*number);
    problems.push_back({place_of(node),
                        "dates, times and infinite numbers have no place in a mapping; write it as "
                        "a text in quotes"});
    return std::nullopt;
}

}  // namespace

Place place_of(toml::node const& node) {
    return {node.source().begin.line, node.source().begin.column};
}

Place place_of(toml::key const& key) {
    return {key.source().begin.line, key.source().begin.column};
}

std::optional<Value> toml_value(toml::node const& node, std::vector<MappingProblem>& problems) {
    return value_at(node, problems, kValueDepthMax);
}

std::string unknown_word(std::string_view what, std::string_view word, Names const& words) {
    std::string text = "unknown " + std::string(what) + " " + quoted(word);
    if (std::string const hint = did_you_mean(word, words); !hint.empty()) return text + hint;
    for (std::string const& one : words)
        text += (&one == &words.front() ? "; there is " : ", ") + quoted(one);
    return text;
}

TomlSection::TomlSection(std::string name,
                         toml::table const& table,
                         std::vector<MappingProblem>& problems,
                         bool free_keys)
    : name_(std::move(name)), table_(table), problems_(problems) {
    if (free_keys) return;
    Names const known = mapping_key_names(name_);
    for (auto const& [key, node] : table_) {
        if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
        std::string const hint = elsewhere(name_, key.str());
        problems_.push_back(
            {place_of(key), hint.empty() ? unknown_word("key", key.str(), known) : hint});
    }
}

toml::node const* TomlSection::find(std::string_view key) const {
    Names const known = mapping_key_names(name_);
    INOS_ASSERT(std::find(known.begin(), known.end(), key) != known.end());
    return table_.get(key);
}

Place TomlSection::place(std::string_view key) const {
    toml::node const* node = find(key);
    return node ? place_of(*node) : place();
}

void TomlSection::add(std::string_view key, std::string const& message) const {
    problems_.push_back({place(key), std::string(key) + ": " + message});
}

bool TomlSection::require(std::string_view key) const {
    if (find(key)) return true;
    problems_.push_back(
        {place(), quoted(key) + " is missing in " + (name_.empty() ? "the file" : name_)});
    return false;
}

void TomlSection::wrong_type(std::string_view key,
                             std::string const& wanted,
                             toml::node const& node) const {
    add(key, "has to be " + wanted + ", and is of type " + type_of(node));
}

bool TomlSection::text(std::string_view key, std::string& value) const {
    toml::node const* node = find(key);
    if (!node) return false;
    auto const there = node->value_exact<std::string>();
    if (!there)
        wrong_type(key, "a text in quotes", *node);
    else if (there->empty())
        add(key, "is empty");
    else
        value = *there;
    return there && !there->empty();
}

bool TomlSection::flag(std::string_view key, bool& value) const {
    toml::node const* node = find(key);
    if (!node) return false;
    auto const there = node->value_exact<bool>();
    if (!there) wrong_type(key, "true or false", *node);
    if (there) value = *there;
    return there.has_value();
}

bool TomlSection::real(std::string_view key, double low, double high, double& value) const {
    toml::node const* node = find(key);
    if (!node) return false;
    auto number = node->value_exact<double>();
    if (auto const whole = node->value_exact<std::int64_t>()) number = static_cast<double>(*whole);
    std::ostringstream range;
    range << "a number from " << low << " to " << high;
    if (!number) {
        wrong_type(key, range.str(), *node);
        return false;
    }
    if (!(*number >= low && *number <= high)) {
        std::ostringstream there;
        there << *number;
        add(key, "has to be " + range.str() + ", not " + there.str());
        return false;
    }
    value = *number;
    return true;
}

bool TomlSection::whole(std::string_view key,
                        std::uint64_t low,
                        std::uint64_t high,
                        std::uint64_t& value) const {
    toml::node const* node = find(key);
    if (!node) return false;
    std::string const range =
        "a whole number from " + std::to_string(low) + " to " + std::to_string(high);
    auto const number = node->value_exact<std::int64_t>();
    if (!number) {
        wrong_type(key, range, *node);
        return false;
    }
    bool const fits = *number >= 0 && static_cast<std::uint64_t>(*number) >= low &&
                      static_cast<std::uint64_t>(*number) <= high;
    if (!fits) add(key, "has to be " + range + ", not " + std::to_string(*number));
    if (fits) value = static_cast<std::uint64_t>(*number);
    return fits;
}

bool TomlSection::whole(std::string_view key, std::uint64_t low, std::uint32_t& value) const {
    std::uint64_t number = 0;
    if (!whole(key, low, 1'000'000'000, number)) return false;
    value = static_cast<std::uint32_t>(number);
    return true;
}

bool TomlSection::duration(std::string_view key, std::uint64_t& ms) const {
    std::string there;
    if (!text(key, there)) return false;
    auto const parsed = parse_duration_ms(there);
    if (!parsed) add(key, parsed.error().message);
    if (parsed) ms = *parsed;
    return parsed.has_value();
}

bool TomlSection::pointer(std::string_view key, std::optional<Pointer>& value) const {
    std::string there;
    if (!text(key, there)) return false;
    auto parsed = Pointer::parse(there);
    if (!parsed) add(key, parsed.error().message);
    if (parsed) value = *std::move(parsed);
    return parsed.has_value();
}

bool TomlSection::texts(std::string_view key, Names& values) const {
    std::size_t const before = problems_.size();
    each_text(key, [&](std::string const& text, toml::node const&) { values.push_back(text); });
    return find(key) && problems_.size() == before;
}

void TomlSection::driver(std::string_view key, DriverTable& table) const {
    toml::table const* there = below(key);
    if (!there) return;
    auto value = toml_value(*there, problems_);
    if (!value) return;
    table.values = std::move(*value->as<Object>());
    collect_places(*there, {}, table.places);
}

toml::table const* TomlSection::below(std::string_view key) const {
    toml::node const* node = find(key);
    if (!node) return nullptr;
    toml::table const* table = node->as_table();
    if (!table) wrong_type(key, "a table", *node);
    return table;
}

void TomlSection::each_table(std::string_view key,
                             std::function<void(toml::table const&)> const& read) const {
    toml::node const* node = find(key);
    if (!node) return;
    auto const* array = node->as_array();
    if (!array)
        return wrong_type(
            key,
            "a list of tables ([[" + name_ + (name_.empty() ? "" : ".") + std::string(key) + "]])",
            *node);
    for (auto const& child : *array) {
        if (auto const* table = child.as_table())
            read(*table);
        else
            problems_.push_back({place_of(child), std::string(key) + ": has to be a table"});
    }
}

void TomlSection::each_text(
    std::string_view key,
    std::function<void(std::string const&, toml::node const&)> const& read) const {
    toml::node const* node = find(key);
    if (!node) return;
    auto const one = [&](toml::node const& item) {
        auto const text = item.value_exact<std::string>();
        if (text && !text->empty())
            read(*text, item);
        else
            problems_.push_back({place_of(item),
                                 std::string(key) + ": has to be " +
                                     (text ? "a text that is not empty" : "a text in quotes")});
    };
    if (auto const* array = node->as_array()) {
        for (auto const& item : *array)
            one(item);
    } else {
        one(*node);
    }
}

}  // namespace inos
