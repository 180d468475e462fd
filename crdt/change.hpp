// From what a user asks for (put, patch, delete) to the op that an entry carries: only what differs
// from the record as the author sees it, so that writing what is there already makes no dot. Pure.
#pragma once

#include <optional>
#include <variant>

#include "crdt/types/map.hpp"
#include "crdt/types/types.hpp"

namespace inos {

struct Author {
    ActorId actor;
    Seq seq = 0;  // of the entry in the making
    EarlierActors earlier = {};
};

struct RecordName {
    std::string collection;
    std::string key;
    auto operator<=>(RecordName const&) const = default;
};

// No op: nothing would change.
using Planned = std::variant<std::optional<Op>, ChangeError>;

// Makes the record's fields those of `fields` (replace), or merges them in (RFC 7396). A record
// that is not visible starts afresh.
Planned plan_change(Record const& record,
                    CollectionSchema const& schema,
                    RecordName const& name,
                    Object const& fields,
                    AssignMode mode,
                    Author const& author);

// Decides a conflict: the field gets this value by a write that covers every sibling the author
// sees. A register is written even if it reads so already; of other types it makes no op where
// there is nothing to settle. `field` is a top-level name or a dotted path into maps.
Planned plan_resolution(Record const& record,
                        CollectionSchema const& schema,
                        RecordName const& name,
                        std::string_view field,
                        Value const& value,
                        Author const& author);

// Passes rights of a bounded counter on to another actor (types/bounded_counter.hpp). `field` is a
// top-level name.
Planned plan_transfer(Record const& record,
                      CollectionSchema const& schema,
                      RecordName const& name,
                      std::string_view field,
                      std::int64_t amount,
                      ActorId to,
                      Author const& author);

// Deletes the record; no op when it is not visible.
std::optional<Op> plan_delete(Record const& record,
                              CollectionSchema const& schema,
                              RecordName const& name);

// Deletes whatever is stored of the record, visible or not; no op for an empty one or where markers
// cover all of it.
std::optional<Op> plan_cover(Record const& record, RecordName const& name);

// Two ops of one entry on one record, `second` planned on top of the first, become one: what the
// second removes of the first's own writes is never written. `base` is the record before both. No
// op when they cancel each other out.
std::optional<Op> compose(Record const& base, CollectionSchema const& schema, Op first, Op second);

}  // namespace inos
