#include "tools/schema_file.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

#include <toml++/toml.h>

namespace inos {
namespace {

using Place = std::tuple<std::size_t, std::size_t>;  // line, column

Place place_of(toml::source_region const& region) {
    return {region.begin.line, region.begin.column};
}

std::string text_of(std::string const& file, Place place, std::string_view message) {
    auto const [line, column] = place;
    return file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " +
           std::string(message);
}

// The node as a Value, or the node that has no counterpart in a document.
std::optional<Value> value_of(toml::node const& node, toml::node const*& misfit) {
    if (auto const* table = node.as_table()) {
        Object object;
        for (auto const& [key, child] : *table) {
            auto value = value_of(child, misfit);
            if (!value) return std::nullopt;
            set_member(object, key.str(), *std::move(value));
        }
        return Value(std::move(object));
    }
    if (auto const* elements = node.as_array()) {
        Array array;
        for (auto const& child : *elements) {
            auto value = value_of(child, misfit);
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
    misfit = &node;
    return std::nullopt;
}

// The deepest node on a dotted path. Keys may hold dots themselves, so the longest one that fits is
// taken at each step.
Place place_at(toml::table const& root, std::string_view path) {
    toml::node const* node = &root;
    Place place{1, 1};
    while (!path.empty()) {
        auto const* table = node->as_table();
        if (table == nullptr) break;
        toml::node const* next = nullptr;
        std::size_t taken = 0;
        for (auto const& [key, child] : *table) {
            std::string_view const name = key.str();
            bool const fits = path == name || (path.starts_with(name) && path[name.size()] == '.');
            if (!fits || (next != nullptr && name.size() < taken)) continue;
            next = &child;
            taken = name.size();
            place = place_of(key.source());
        }
        if (next == nullptr) break;
        node = next;
        path.remove_prefix(std::min(path.size(), taken + 1));
    }
    return place;
}

}  // namespace

struct SchemaFile::Tree {
    toml::table table;
};

SchemaFile::SchemaFile(std::string name, std::unique_ptr<Tree> tree, Object document)
    : name_(std::move(name)), tree_(std::move(tree)), document_(std::move(document)) {}
SchemaFile::SchemaFile(SchemaFile&&) noexcept = default;
SchemaFile& SchemaFile::operator=(SchemaFile&&) noexcept = default;
SchemaFile::~SchemaFile() = default;

Result<SchemaFile> SchemaFile::parse(std::string_view text, std::string name) {
    auto tree = std::make_unique<Tree>();
    try {
        tree->table = toml::parse(text, name);
    } catch (toml::parse_error const& error) {
        return fail(
            Errc::invalid, text_of(name, place_of(error.source()), error.description()), name);
    }
    toml::node const* misfit = nullptr;
    auto document = value_of(tree->table, misfit);
    if (!document) {
        return fail(Errc::invalid,
                    text_of(name,
                            place_of(misfit->source()),
                            "dates, times and infinite numbers have no place in a schema; write it "
                            "as a text in quotes"),
                    name);
    }
    return SchemaFile(std::move(name), std::move(tree), std::move(*document->as<Object>()));
}

std::vector<std::string> SchemaFile::describe(std::vector<SchemaProblem> const& problems) const {
    std::vector<std::pair<Place, std::string>> placed;
    for (auto const& problem : problems) {
        Place const place = place_at(tree_->table, problem.path);
        placed.emplace_back(place, text_of(name_, place, problem.message));
    }
    std::stable_sort(placed.begin(), placed.end(), [](auto const& a, auto const& b) {
        return a.first < b.first;
    });
    std::vector<std::string> lines;
    for (auto& [place, line] : placed)
        lines.push_back(std::move(line));
    return lines;
}

}  // namespace inos
