// What an edit of an entry says, for people: which field it is for, and a few words such as
// `set to "Lund"`, `+2`, `added "vip"`. Read from the edit alone, so it is the same at every site
// and whatever became of it since. Pure, total; any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/entry.hpp"
#include "crdt/path.hpp"

namespace inos {

inline constexpr std::size_t kWordsValueBytes = 80;  // a longer value is cut in words

// What people call the site that an actor writes for.
using SiteNames = std::function<std::string(ActorId)>;

// The field that a path leads to: through maps, down to the first part of another type.
struct FieldPath {
    std::vector<std::string> names;  // of the field, then of members
    std::string_view at;             // the path's beginning up to the last name, without a type
    std::optional<CellType> type;    // none: the path ends at the name, and means all types
    std::string_view rest;           // behind the type

    std::string label() const;  // dotted
};
// No names for special and malformed paths.
FieldPath field_path(std::string_view path);

struct EditWords {
    FieldPath field;  // views into the edit
    std::string words;
    bool minor = false;  // goes with other edits of its field, and says nothing beside them
};
// `dot` is that of the edit's entry.
EditWords describe_edit(Edit const& edit, Dot dot, SiteNames const& names);

}  // namespace inos
