#include "adapters/mapping/mapping_toml.hpp"

#include <algorithm>
#include <set>

#include "adapters/mapping/mapping_parts.hpp"

namespace inos {
namespace {

constexpr std::int64_t kFormat = 1;

void check_format(TomlSection const& file) {
    if (!file.require("format")) return;
    auto const format = file.find("format")->value_exact<std::int64_t>();
    if (format != kFormat)
        file.add("format", "has to be 1, the only format that this version reads");
}

LookupTables read_lookups(TomlSection const& file) {
    LookupTables lookups;
    toml::table const* tables = file.below("lookup");
    if (!tables) return lookups;
    for (auto const& [name, node] : *tables) {
        auto& pairs = lookups[std::string(name.str())];
        auto const* table = node.as_table();
        if (!table) {
            file.problems().push_back({place_of(node), "lookup: has to be a table of texts"});
            continue;
        }
        for (auto const& [from, to] : *table) {
            auto const text = to.value_exact<std::string>();
            if (text)
                pairs.emplace_back(from.str(), *text);
            else
                file.problems().push_back(
                    {place_of(to), "lookup." + std::string(name.str()) + ": has to lead to texts"});
        }
    }
    return lookups;
}

std::vector<System> read_systems(TomlSection const& file, MappingContext const& context) {
    std::vector<System> systems;
    toml::table const* tables = file.below("system");
    if (!tables) return systems;
    for (auto const& [name, node] : *tables) {
        if (auto const* table = node.as_table())
            systems.push_back(
                read_system(std::string(name.str()), *table, context, file.problems()));
        else
            file.problems().push_back(
                {place_of(node), "system." + std::string(name.str()) + ": has to be a table"});
    }
    return systems;
}

class MappingReader {
public:
    MappingReader(toml::table const& table, MappingContext const& context)
        : table_(table), context_(context) {}

    ParsedMapping read() {
        TomlSection const file("", table_, problems_);
        check_format(file);
        refuse_literal_secrets(table_, problems_);
        LookupTables const lookups = read_lookups(file);
        mapping_.systems = read_systems(file, context_);
        file.each_table("binding", [&](toml::table const& table) { binding(table, lookups); });
        std::stable_sort(problems_.begin(), problems_.end(), [](auto const& a, auto const& b) {
            return a.place < b.place;
        });
        if (problems_.size() > kMappingProblemsMax) problems_.resize(kMappingProblemsMax);
        if (!problems_.empty()) mapping_ = {};
        return {std::move(mapping_), std::move(problems_)};
    }

private:
    void binding(toml::table const& table, LookupTables const& lookups) {
        if (mapping_.bindings.size() == kBindingsMax) {
            if (!told_too_many_)
                problems_.push_back({place_of(table), "a file cannot have more than 100 bindings"});
            told_too_many_ = true;
            return;
        }
        std::size_t const before = problems_.size();
        ReadBinding read = read_binding(table, lookups, problems_);
        Binding& binding = read.binding;
        if (!binding.name.empty() && mapping_.binding(binding.name))
            problems_.push_back(
                {binding.place, "there are two bindings called \"" + binding.name + "\""});
        System const* system = known_system(binding);
        check_binding(read, context_, problems_);
        if (problems_.size() == before)
            binding.hash =
                binding_hash(binding, *system, context_.schemas.find(binding.collection)->second);
        mapping_.bindings.push_back(std::move(binding));
    }

    System const* known_system(Binding const& binding) {
        System const* system = mapping_.system(binding.system);
        if (system || binding.system.empty()) return system;
        std::vector<std::string> names;
        for (System const& one : mapping_.systems)
            names.push_back(one.name);
        problems_.push_back({binding.place, unknown_word("system", binding.system, names)});
        return nullptr;
    }

    toml::table const& table_;
    MappingContext const& context_;
    Mapping mapping_;
    Problems problems_;
    bool told_too_many_ = false;
};

ParsedMapping failed(Place place, std::string message) {
    return {{}, {{place, std::move(message)}}};
}

}  // namespace

ParsedMapping parse_mapping(std::string_view text, MappingContext const& context) {
    if (text.size() > kMappingBytesMax)
        return failed({1, 1}, "a mapping file cannot be larger than 1 MiB");
    toml::table table;
    try {
        table = toml::parse(text);
    } catch (toml::parse_error const& error) {
        return failed({error.source().begin.line, error.source().begin.column},
                      std::string(error.description()));
    }
    return MappingReader(table, context).read();
}

std::vector<std::string> describe(std::vector<MappingProblem> const& problems,
                                  std::string_view file) {
    std::vector<std::string> lines;
    for (MappingProblem const& problem : problems)
        lines.push_back(std::string(file) + ":" + std::to_string(problem.place.line) + ":" +
                        std::to_string(problem.place.column) + ": " + problem.message);
    return lines;
}

}  // namespace inos
