// The three-way step between a record, an external object and what the object's shadow says that
// both last agreed on. It decides one thing at a time: what of the object goes into the record, or,
// when nothing does, what of the record goes to the object. After a write into the record it is
// made again, on the record as the write has left it.
//
//   there != seen   somebody changed the object: a write whose context is what the shadow showed,
//                   so that an edit of the record which the object did not show yet is concurrent
//                   with it and goes to the field's policy
//   ours != rec     the record has changed: a write to the object, with its compare token
//   neither         an echo, or nothing
//
// It is always made from a fresh read of the object, never from what an event says.
//
// Pure functions over plain values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapters/engine/binding.hpp"
#include "adapters/engine/shadow.hpp"
#include "adapters/mapping/field_values.hpp"
#include "crdt/record.hpp"
#include "crdt/schema.hpp"

namespace inos {

// One field of a binding as the mapping reads both sides.
struct FieldView {
    FieldMap const* map = nullptr;           // lives as long as the call
    Inbound theirs;                          // of the object; hidden, where there is no object
    std::vector<Outbound::Part> there = {};  // what stands in the object, as it is
    Value ours = {};                         // of the record, canonical; null: none
    Outbound out = {};                       // the same for the system
    bool fits = true;                        // false: the map's `when` leaves the record out
};

// The views of a binding's fields. `record`: the resolved fields, null where the record is not
// there; `object`: null where the object is not.
std::vector<FieldView> field_views(Binding const& binding,
                                   Object const* record,
                                   Object const* object);

struct StepInput {
    Binding const& binding;
    Record const& record;  // its cells; empty: none
    CollectionSchema const& schema;
    Shadow const& shadow;  // of a new pair: only its record's name
    std::vector<FieldView> const& fields;
    // False only when that is certain: a deletion was reported, or two audits in a row missed it.
    bool object_there = true;
    std::string token = {};  // the object's, as just read
    // When the object was last changed, by its system; none: it does not say.
    std::optional<std::uint64_t> object_ms = std::nullopt;
    std::uint64_t now_ms = 0;
    bool erased = false;  // the record is, for good
};

// What goes to the system of one field.
struct FieldWrite {
    std::string path;                   // FieldMap::record, as text
    Value rec;                          // the record's value that goes
    std::vector<Outbound::Part> parts;  // none for counters
    std::vector<Value> added, removed;  // sets: the difference, as the record has the elements
    std::optional<std::int64_t> delta;  // counters
    VersionVector shown;                // cells of the field that the object shows afterwards

    bool operator==(FieldWrite const&) const = default;
};

struct OutboundWrite {
    // Stored; numbers are never reused.
    enum class Kind : std::uint8_t { create = 1, update = 2, delete_ = 3, archive = 4 };
    Kind kind = Kind::update;
    std::string token;  // the object must still have it, where the system can compare
    std::vector<FieldWrite> fields;

    bool operator==(OutboundWrite const&) const = default;
};

// What goes into the record.
struct RecordWrite {
    enum class Kind : std::uint8_t { patch, delete_ };
    Kind kind = Kind::patch;
    RecordName name;
    Object fields;                      // patch: as in RFC 7396, with $inc, $add and $remove
    std::optional<VersionVector> seen;  // Write::seen of storage/replica.hpp
};

struct StepProblem {
    enum class Kind : std::uint8_t {
        refused_in,   // no record value can be made of what stands in the object
        refused_out,  // the system cannot hold the record's value
        flips,        // two sides undo each other: the field is quarantined
        review,       // somebody has to decide, before anything is written
    };
    Kind kind = Kind::refused_in;
    std::string path;
    std::string why;

    bool operator==(StepProblem const&) const = default;
};

struct StepCounts {
    std::uint32_t echo_suppressed = 0;  // the object was read, and nothing of it is news
    std::uint32_t taken = 0;            // fields that go into the record
    std::uint32_t conflicts = 0;        // of these: the record has an edit that was not sent yet
    std::uint32_t agreed = 0;           // fields that both sides changed to the same value

    bool operator==(StepCounts const&) const = default;
};

struct Step {
    // At most one of these two.
    std::optional<RecordWrite> inbound;
    std::optional<OutboundWrite> outbound;
    // The shadow from now on; of an inbound write in the same durable write, and through
    // with_commit().
    Shadow next;
    // Fields of `next` that show what `inbound` writes, and actors whose cells there they do not
    // show: a vector cannot name a later cell of such an actor without the earlier ones. So a later
    // edit of the system is concurrent with this one too, and hides nobody's.
    struct Taken {
        std::string path;
        std::vector<ActorId> unseen;
    };
    std::vector<Taken> takes;
    bool again = false;     // the step is to be made again, when `inbound` is durable
    bool suppress = false;  // the record was erased: a mark replaces the shadow
    StepCounts counts;
    std::vector<StepProblem> problems;
};

// Precondition: every FieldView is of the binding, in the order of its maps.
Step plan_step(StepInput const& input);

// The shadow that goes with an inbound write, now that the write has a dot (none: the record was so
// already).
Shadow with_commit(Step const& step, std::optional<Dot> const& dot);

// How it is known what the object holds after a write to it.
enum class Evidence : std::uint8_t {
    answer,     // the system told it in its answer to the write
    read_back,  // it was read afterwards: somebody may have changed it in between
};

struct Settled {
    Shadow next;
    // Fields that the system keeps in another form than the one that was written. This is no change
    // of the object.
    std::vector<std::string> normalised;
    std::vector<StepProblem> problems;
};

// A write to the system is done. `returned`: the object after it, as field_views() of it and no
// record.
Settled settle(Shadow const& shadow,
               Binding const& binding,
               OutboundWrite const& write,
               std::vector<FieldView> const& returned,
               std::string_view token,
               Evidence evidence,
               std::uint64_t now_ms);

// An audit's direct read found no object. True: this is the second time in a row, so it is gone.
bool note_miss(Shadow& shadow);

// The cells at and below the place of a record that a pointer names: what a system sees of it.
VersionVector cells_shown(Record const& record, Pointer const& pointer);

}  // namespace inos
