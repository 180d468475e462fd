// One table of a mapping file, read key by key. A key that mapping_keys() does not have, and a value
// of another type or range than is asked for, become problems; what is asked for then keeps its
// default, and reading goes on. For the files of this folder only: it includes toml++.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <toml++/toml.h>

#include "adapters/engine/binding.hpp"
#include "adapters/mapping/mapping_toml.hpp"

namespace inos {

Place place_of(toml::node const& node);
Place place_of(toml::key const& key);

// A value as it stands there; nothing, with a problem, for dates and what is too deep.
std::optional<Value> toml_value(toml::node const& node, std::vector<MappingProblem>& problems);

// "unknown WHAT "WORD"; did you mean ...", or the list of what there is.
std::string unknown_word(std::string_view what,
                         std::string_view word,
                         std::vector<std::string> const& words);

class TomlSection {
public:
    // `name` is the table's in mapping_keys(); `free_keys` allows others than those.
    TomlSection(std::string name,
                toml::table const& table,
                std::vector<MappingProblem>& problems,
                bool free_keys = false);

    std::string const& name() const { return name_; }
    toml::table const& table() const { return table_; }
    std::vector<MappingProblem>& problems() const { return problems_; }
    Place place() const { return place_of(table_); }

    // Null when the key is not there. It has to be in mapping_keys().
    toml::node const* find(std::string_view key) const;
    Place place(std::string_view key) const;  // of its value; of the table where there is none
    void add(std::string_view key, std::string const& message) const;  // at the key's value
    bool require(std::string_view key) const;

    bool text(std::string_view key, std::string& value) const;  // not empty
    bool flag(std::string_view key, bool& value) const;
    bool real(std::string_view key, double low, double high, double& value) const;
    bool whole(std::string_view key,
               std::uint64_t low,
               std::uint64_t high,
               std::uint64_t& value) const;
    bool whole(std::string_view key, std::uint64_t low, std::uint32_t& value) const;
    bool duration(std::string_view key, std::uint64_t& ms) const;
    bool pointer(std::string_view key, std::optional<Pointer>& value) const;
    bool texts(std::string_view key, std::vector<std::string>& values) const;
    void driver(std::string_view key, DriverTable& table) const;

    // One of the words, each with what it means.
    template <class Meaning>
    bool word(std::string_view key,
              std::vector<std::pair<std::string, Meaning>> const& words,
              Meaning& meaning) const {
        std::string text_there;
        if (!text(key, text_there)) return false;
        std::vector<std::string> names;
        for (auto const& [name, means] : words) {
            if (name == text_there) {
                meaning = means;
                return true;
            }
            names.push_back(name);
        }
        add(key, unknown_word(key, text_there, names));
        return false;
    }

    // The tables below a key: null, with a problem, when it holds something else.
    toml::table const* below(std::string_view key) const;
    void each_table(std::string_view key,
                    std::function<void(toml::table const&)> const& read) const;
    // A text, or a list of texts, each with its node.
    void each_text(std::string_view key,
                   std::function<void(std::string const&, toml::node const&)> const& read) const;

private:
    void wrong_type(std::string_view key, std::string const& wanted, toml::node const& node) const;

    std::string name_;
    toml::table const& table_;
    std::vector<MappingProblem>& problems_;
};

}  // namespace inos
