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
#include "crdt/value.hpp"

namespace inos {

enum class RegisterPolicy : std::uint8_t {
    latest,    // the highest (hlc, dot)
    priority,  // the best source by ranking (unlisted ones last), then latest
    order,     // the value that stands last in `order` (unlisted ones first), then latest
    keep_all,  // every sibling, as an array
};

// Forms of a text that a field may ask for.
enum class TextFormat : std::uint8_t { none, email, e164, iso_date, country, currency };

// Ways to write a text that count as one: a write is brought into the form before it is planned.
enum class TextCanon : std::uint8_t { trim, lower, collapse_space };

// What a field asks of those who write to it at this site (storage/field_checks.hpp). Entries of
// other sites are never judged by it.
struct FieldRules {
    bool required = false;
    bool warn_only = false;      // tells of what is wrong, and writes it
    std::vector<Value> choices;  // the values that are allowed; empty: all
    std::optional<Value> max;    // a number: of a number its value, of a text or array its length
    TextFormat format = TextFormat::none;

    bool any() const { return required || !choices.empty() || max || format != TextFormat::none; }
    bool operator==(FieldRules const&) const = default;
};

// What becomes of a bounded counter's rights that an earlier actor of this site held. A site that
// goes on under its actor has no earlier one, and all of its rights.
enum class OfflineRights : std::uint8_t {
    strict,      // frozen until a peer has confirmed the last entry of that actor
    trust_disk,  // usable when the data directory is certainly the one that wrote last
};

struct FieldSchema {
    CellType type = CellType::register_;
    RegisterPolicy policy = RegisterPolicy::latest;
    std::vector<std::string> ranking;  // priority: best source first
    std::vector<std::string> order;    // order: the later one wins a tie of concurrent writes
    bool disable_wins = false;         // flag
    std::int64_t min = 0;              // bounded counter: what it never goes under; not negative
    OfflineRights offline_rights = OfflineRights::strict;  // bounded counter
    // False for a type or policy of a newer version: the field then reads whatever type its latest
    // cell has, and every sibling; values of an unknown type are not written.
    bool type_known = true;
    bool policy_known = true;
    // What the field reads as while it has no cells. Part of no record, so changing it writes none.
    std::optional<Value> default_value;
    FieldRules rules;
    std::vector<TextCanon> canon;

    bool operator==(FieldSchema const&) const = default;
};

struct CollectionSchema {
    DeletePolicy on_delete = DeletePolicy::update_wins;
    std::map<std::string, FieldSchema, std::less<>> fields;
    // The fields that together say which thing a record is about; records that agree in all of them
    // are duplicates. Dotted paths lead into maps.
    std::vector<std::string> identity;
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
