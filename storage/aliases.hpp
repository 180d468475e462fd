// Aliases: ids that stand for another record of their collection, because somebody said that both
// are about the same thing. They are records of the reserved collection `_alias`, which replicate
// like all others, and this is what a replica knows of them while it runs.
//
//   record  key: see alias_key; fields collection, from, to (texts), and seen: the version that the
//           record under `from` had when it was merged
//
// An alias may lead to another one. Where aliases lead in a circle, because two sites made each of
// two ids an alias of the other at the same time, the lowest id of the circle is the one that the
// others stand for; so all sites agree. The record under an alias's own key stays where it is,
// hidden, for the day when the alias is taken back.
//
// Plain values; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/change.hpp"
#include "crdt/record.hpp"

namespace inos {

inline constexpr std::string_view kAliasCollection = "_alias";

struct Alias {
    std::string collection, from, to;
    std::string seen = {};

    Object fields() const;
    // Nothing for fields that are no alias, or not the one of this key.
    static std::optional<Alias> parse(std::string_view key, Object const& fields);
    bool operator==(Alias const&) const = default;
};

// The key of an id's alias. A name of at most 256 bytes, and different ones for different ids:
//   "=" COLLECTION "/" ID                   slashes and percent signs of COLLECTION as %2F and %25
//   "#" COLLECTION "/" BLAKE2b-128 of ID    where that would be too long
//   "!" BLAKE2b-128 of COLLECTION 00 ID     where even that would be
std::string alias_key(std::string_view collection, std::string_view id);

// The collection whose records a write to this record is about: that of the alias, or the record's
// own. Who may write it is judged by that.
std::string collection_concerned(std::string_view collection, std::string_view key);

// The record that an alias of this key hides, as far as the key names it.
std::optional<RecordName> hidden_by(std::string_view key);

class Aliases {
public:
    // What the record under `key` of `_alias` says now: an alias, or none (any more).
    void set(std::string const& key, std::optional<Alias> alias);
    // The state of the record that lies under an alias's own id; without effect for other ids.
    void set_state(RecordName const& name, RecordState const& state);

    Alias const* find(std::string_view collection, std::string_view id) const;
    // The id of the record that `id` stands for; `id` itself when it is no alias. A view into this
    // object or of the argument.
    std::string_view master(std::string_view collection, std::string_view id) const;
    bool is_alias(std::string_view collection, std::string_view id) const {
        return master(collection, id) != id;
    }
    // The ids that stand for this record: aliases of it, and of those.
    std::vector<std::string> aliases_of(RecordName const& master) const;
    // Aliases with a record under their own id that would be seen without them.
    std::uint64_t hidden_records(std::string_view collection, DeletePolicy policy) const;
    std::vector<Alias> list() const;  // by collection and id

private:
    struct Link {
        Alias alias;
        RecordState state;
    };
    using Links = std::map<std::string, Link, std::less<>>;

    std::map<std::string, Links, std::less<>> links_;
    std::map<std::string, RecordName, std::less<>> names_;  // of aliases, by key in `_alias`
};

}  // namespace inos
