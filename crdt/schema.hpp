// How a collection's cells are read: per field a type and a policy, per collection what a delete
// means. Reading only: the merge never looks here, so changing a schema rewrites nothing and loses
// nothing. Parsed from a document by storage/schema_document.hpp. Plain values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/path.hpp"
#include "crdt/record.hpp"

namespace inos {

enum class RegisterPolicy : std::uint8_t {
    latest,    // the highest (hlc, dot)
    priority,  // the best source by ranking (unlisted ones last), then latest
    order,     // the value that stands last in `order` (unlisted ones first), then latest
    keep_all,  // every sibling, as an array
};

struct FieldSchema {
    CellType type = CellType::register_;
    RegisterPolicy policy = RegisterPolicy::latest;
    std::vector<std::string> ranking;  // priority: best source first
    std::vector<std::string> order;    // order: the later one wins a tie of concurrent writes
    bool disable_wins = false;         // flag
    // False for a type or policy of a newer version: the field then reads whatever type its latest
    // cell has, and every sibling; values of an unknown type are not written.
    bool type_known = true;
    bool policy_known = true;

    bool operator==(FieldSchema const&) const = default;
};

struct CollectionSchema {
    DeletePolicy on_delete = DeletePolicy::update_wins;
    std::map<std::string, FieldSchema, std::less<>> fields;
    // How fields without a line of their own are read. None: numbers, text, booleans, null and
    // arrays are registers with policy latest, and objects are maps.
    std::optional<FieldSchema> others;

    FieldSchema const* field(std::string_view name) const {
        auto const it = fields.find(name);
        if (it != fields.end()) return &it->second;
        return others ? &*others : nullptr;
    }
    bool operator==(CollectionSchema const&) const = default;
};

// "register", "counter", ... as in a schema document; nullptr for numbers without a name here.
char const* type_name(CellType type);

}  // namespace inos
