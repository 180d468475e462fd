#include "storage/secondary_index.hpp"

#include <algorithm>
#include <set>

#include "storage/crypto/crypto.hpp"
#include "storage/expression_eval.hpp"
#include "storage/index_key.hpp"
#include "storage/json.hpp"
#include "storage/schema_document.hpp"

namespace inos {
namespace {

constexpr char kAbsent = 0, kNumber = 4, kText = 5, kOther = 6;
constexpr std::size_t kNumberBytes = 11;
// Raised where the same cells of the same schema come to other values than before.
constexpr char const* kReading = "inos index 1";

bool is_path(std::string_view dotted) {
    return !dotted.empty() && dotted.size() <= kIndexPathMax && dotted.front() != '.' &&
           dotted.back() != '.' && dotted.find("..") == std::string_view::npos;
}

// The fields of one index, as a schema names them; empty: it is none.
std::vector<FieldPath> fields_of(Value const& item) {
    std::vector<FieldPath> fields;
    auto const add = [&](Value const& name) {
        auto const* text = name.as<std::string>();
        bool const sound = text && is_path(*text);
        if (sound) fields.push_back(split_path(*text));
        return sound;
    };
    auto const* several = item.as<Array>();
    if (!several) {
        add(item);
        return fields;
    }
    bool const sound = several->size() <= kIndexFieldsMax &&
                       std::all_of(several->begin(), several->end(), add) &&
                       std::set(fields.begin(), fields.end()).size() == fields.size();
    return sound ? fields : std::vector<FieldPath>();
}

void put_text(std::string& out, std::string_view text) {
    out += std::to_string(text.size());
    out += ':';
    out += text;
}

std::string id_of(std::string_view collection,
                  std::vector<FieldPath> const& fields,
                  Object const& schema_record) {
    std::string all = kReading;
    put_text(all, collection);
    auto const put_option = [&](std::string const& name) {
        Value const* value = find_member(schema_record, name);
        put_text(all, value ? write_json(*value) : std::string());
    };
    put_option("delete");
    for (FieldPath const& path : fields) {
        put_text(all, dotted(path));
        put_option(std::string(kFieldPrefix) + path.front());
    }
    auto const hash = crypto::hash16(all);
    return std::string(crypto::view(hash));
}

// Bytes of the component that these begin with; 0: none.
std::size_t component_size(std::string_view bytes) {
    if (bytes.empty()) return 0;
    switch (bytes.front()) {
        case kNumber:
            return bytes.size() < kNumberBytes ? 0 : kNumberBytes;
        case kText:
            break;
        default:
            return bytes.front() >= kAbsent && bytes.front() <= kOther ? 1 : 0;
    }
    std::size_t zero = bytes.find('\0');
    while (zero != std::string_view::npos && bytes.substr(zero + 1).starts_with('\xff'))
        zero = bytes.find('\0', zero + 2);
    return zero == std::string_view::npos || zero + 1 == bytes.size() ? 0 : zero + 2;
}

}  // namespace

FieldPath split_path(std::string_view dotted) {
    FieldPath path;
    for (std::size_t begin = 0; begin <= dotted.size();) {
        std::size_t const end = std::min(dotted.find('.', begin), dotted.size());
        path.emplace_back(dotted.substr(begin, end - begin));
        begin = end + 1;
    }
    return path;
}

std::string dotted(FieldPath const& path) {
    std::string text;
    for (std::string const& name : path)
        text += (text.empty() ? "" : ".") + name;
    return text;
}

std::vector<IndexDefinition> index_definitions(std::string_view collection,
                                               Object const& schema_record) {
    std::vector<IndexDefinition> indexes;
    Value const* value = find_member(schema_record, "index");
    auto const* items = value ? value->as<Array>() : nullptr;
    for (Value const& item : items ? *items : Array{}) {
        auto fields = fields_of(item);
        if (fields.empty() || indexes.size() == kIndexesMax) continue;
        IndexDefinition index{id_of(collection, fields, schema_record), std::move(fields)};
        if (std::find(indexes.begin(), indexes.end(), index) == indexes.end())
            indexes.push_back(std::move(index));
    }
    return indexes;
}

std::optional<std::string> index_problem(Value const& value) {
    auto const* items = value.as<Array>();
    if (!items)
        return "has to be a list of fields, such as [\"email\", [\"city\", \"name\"]], not " +
               write_json(value);
    if (items->size() > kIndexesMax)
        return "asks for " + std::to_string(items->size()) + " indexes; a collection has at most " +
               std::to_string(kIndexesMax);
    std::set<std::vector<FieldPath>> seen;
    for (Value const& item : *items) {
        auto const fields = fields_of(item);
        if (fields.empty())
            return "each index is of a field, such as \"address.city\", or of a list of at most " +
                   std::to_string(kIndexFieldsMax) + " different ones, not " + write_json(item);
        if (!seen.insert(fields).second) return "names " + write_json(item) + " twice";
    }
    return std::nullopt;
}

std::string index_component(Value const* value) {
    if (!value) return std::string(1, kAbsent);
    return index_key(*value).value_or(std::string(1, kOther));
}

std::string index_values(IndexDefinition const& index, Object const& fields) {
    std::string values;
    for (FieldPath const& path : index.fields)
        values += index_component(find_path(fields, path));
    return values;
}

std::optional<std::vector<std::string_view>> index_components(std::string_view bytes,
                                                              std::size_t fields) {
    std::vector<std::string_view> components;
    while (components.size() < fields) {
        std::size_t const size = component_size(bytes);
        if (size == 0) return std::nullopt;
        components.push_back(bytes.substr(0, size));
        bytes.remove_prefix(size);
    }
    return components;
}

}  // namespace inos
