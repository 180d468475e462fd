// What a checked mapping file says (docs/mappings.md): the systems that a site connects to, and the
// bindings between their objects and the collections of the store. Made by
// mapping/mapping_toml.hpp, which has checked all of it that can be checked without a connection;
// nothing here has to be checked again, except the drivers' own tables.
//
// Types, policies and limits of fields are not here: they are in the schema, which replicates.
// Defaults are those of a file that does not name the key. Times are in milliseconds.
//
// Plain values; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/mapping/pointer.hpp"
#include "adapters/mapping/schedule.hpp"
#include "adapters/mapping/steps.hpp"
#include "crdt/value.hpp"

namespace inos {

// Where in the file something stands, counted from 1; 0 for what the file does not name.
struct Place {
    std::uint32_t line = 0;
    std::uint32_t column = 0;

    auto operator<=>(Place const&) const = default;
};

// A driver's own table (`driver = { ... }`), handed through as it stands in the file. `places` has a
// place for every value in it, by the value's pointer, so that the driver can say where something
// is wrong; the table's own is at "".
struct DriverTable {
    Object values;
    std::map<std::string, Place> places;
};

// A secret stands in a file only by reference, and is read when the system is opened.
struct SecretRef {
    enum class From : std::uint8_t {
        environment,  // "env:NAME"
        store,        // "secret:NAME", a file of that name in the site's folder of secrets
        file,         // "file:PATH"
    };
    From from = From::environment;
    std::string name;

    bool operator==(SecretRef const&) const = default;
};

// One entry of `auth`; which ones there have to be is for the driver to say.
struct AuthValue {
    std::optional<SecretRef> secret;
    Value plain;  // what stands there, if it is no secret
    Place place;
};

// Every limit that is set holds; what the system itself answers (Retry-After) comes first.
struct Rate {
    std::optional<double> per_second;   // calls
    std::uint32_t burst = 1;            // calls that may come at once
    std::uint32_t concurrent = 2;       // calls under way at a time
    std::optional<double> daily_share;  // of the system's daily quota, over 0 and at most 1
    double reserve = 0.1;               // of the quota, kept for what a person waits for
    std::uint32_t cost_reserve = 0;     // the same in points, where a call costs a number of them
};

// The wait before attempt n + 1 is first * factor^(n-1), at most max, less up to `jitter` of it.
struct Retry {
    std::uint64_t first_ms = 500;
    double factor = 2.0;
    std::uint64_t max_ms = 60'000;
    double jitter = 1.0;                        // 0 to 1
    std::uint32_t attempts = 8;                 // then the write rests until the next trigger
    std::uint64_t give_up_ms = 24 * 3'600'000;  // then it is a dead letter
};

struct System {
    std::string name;
    std::string kind;  // of driver
    std::string base_url;
    std::string api_version;
    std::string owner_site;  // the one site that drives it
    std::string source;      // of the writes that come from it, for the schema's rankings: its name
    std::string echo_tag;
    std::map<std::string, AuthValue> auth;
    Rate rate;
    Retry retry;
    DriverTable driver;
    Place place;
};

enum class Flow : std::uint8_t { both, in, out };  // in: from the system to the store

inline bool goes_in(Flow direction) {
    return direction != Flow::out;
}
inline bool goes_out(Flow direction) {
    return direction != Flow::in;
}

enum class TriggerKind : std::uint8_t { stream, webhook, poll, manual };

struct Trigger {
    enum class What : std::uint8_t {
        delta,   // what has changed since the cursor
        full,    // every object; finds what was missed, and what is gone
        outbox,  // nothing is read, what waits is sent
    };
    enum class Payload : std::uint8_t {
        refetch,  // an event only says where to look
        inline_,  // an event holds the object
    };

    TriggerKind kind = TriggerKind::poll;
    What what = What::delta;
    std::optional<std::uint64_t> every_ms;  // poll: one of these two
    std::optional<CronSchedule> at;
    std::optional<Pointer> cursor;  // poll delta: in the external object
    std::optional<Pointer> tie;     // tells objects with the same cursor apart
    std::uint64_t overlap_ms = 0;   // read again at each poll, for what was committed late
    std::vector<std::string> topics;
    std::string channel;
    Payload payload = Payload::refetch;
    DriverTable driver;
    Place place;
};

// One part of a key by which records and objects are brought together the first time.
struct MatchPart {
    bool by_external_id = false;  // `external_id` of the binding holds the record's id
    Pointer record;               // else: equal canonical values of the map of this field
};

// What is done with the fields that differ when a record and an object are brought together.
struct Differing {
    enum class Rule : std::uint8_t {
        fill_empty,  // the side that has no value takes the other's; two values: policy
        prefer,      // `side`
        newest,      // by the times of change that both sides have
        keep_all,    // both values stay, whatever the policy
        policy,      // as concurrent writes
        review,      // nothing is written, the pair is listed
    };
    Rule rule = Rule::fill_empty;
    bool prefer_record = false;  // prefer: the record, else the system
};

struct Initial {
    enum class Ambiguous : std::uint8_t { review, skip };
    enum class Unmatched : std::uint8_t { take, ignore, review };  // take: import or create

    std::vector<std::vector<MatchPart>> match;  // tried in this order
    Ambiguous ambiguous = Ambiguous::review;
    Unmatched external = Unmatched::review;  // objects without a record
    Unmatched record = Unmatched::review;    // records without an object
    Differing differing;
    std::map<Pointer, Differing> differing_at;  // by the record pointer of a map
};

enum class DeleteRule : std::uint8_t {
    propagate,
    unlink,   // the pair is parted, and what is left stays
    archive,  // out: `archive` is written to the object; in: the record's `archive` field is set
    ignore,
};

struct Archive {
    Pointer path;         // in the external object (out) or in the record (in)
    Value value;          // what is written there
    bool append = false;  // at the end of the text that is there
};

struct DeleteGuard {
    std::uint32_t count = 20;  // deletes
    double share = 0.02;       // of the linked objects
    std::uint64_t per_ms = 3'600'000;
};

struct Deletes {
    enum class Merge : std::uint8_t { relink, review, ignore };
    enum class Redact : std::uint8_t { erase, review, ignore };

    DeleteRule in = DeleteRule::unlink;
    DeleteRule out = DeleteRule::ignore;
    std::optional<Archive> archive_in, archive_out;
    Merge merge = Merge::review;
    Redact redact = Redact::review;
    DeleteGuard guard;  // more than either stops this binding's deletes
};

struct Errors {
    bool dead_letter = true;
    std::uint32_t quarantine_after = 5;  // same record, same class of error
    std::uint32_t flips = 5;  // of a field between two values within flips_per_ms: quarantine
    std::uint64_t flips_per_ms = 600'000;
};

// A member of an object whose parts lie at several places of the external object.
struct MapMember {
    std::string member;  // of the value at FieldMap::record
    Pointer external;
    // Its own steps, between the external part and the chains of the map.
    Chain in, out;
    Place place;
};

// What the field is in the schema.
enum class FieldKind : std::uint8_t {
    register_,
    counter,  // plain or bounded; changes go as differences
    set,
    flag,
    list,
    text,
};

struct FieldMap {
    enum class TooLong : std::uint8_t { reject, truncate };

    Pointer record;  // the first token is the field, others lead into a map
    FieldKind kind = FieldKind::register_;
    // Either one place in the external object, or members.
    std::optional<Pointer> external;
    std::vector<MapMember> members;
    Flow dir = Flow::both;
    // in: external value -> record value; out the other way. Where the file names only one of them
    // and the direction is both, the other one is its inverse.
    Chain in, out;
    // The forms that values of both sides are compared in: the schema's, then the map's own.
    CanonForms canon;
    bool atomic = true;  // false: an object's members merge leaf by leaf (a map in the schema)
    TooLong too_long = TooLong::reject;
    std::optional<std::uint64_t> max;  // characters that the system takes, where the file says so
    std::string write;                 // a special writer of the driver; empty: plain
    std::string when;                  // a `where` expression; out only while the record fits it
    DriverTable driver;
    Place place;

    bool is_composed() const { return !members.empty(); }
};

// A sum over records: one external object stands for several.
struct Aggregate {
    enum class Function : std::uint8_t { sum, min, max, count };

    Pointer by;
    std::map<Pointer, Function> fields;
};

struct Binding {
    // Ids of records that are made for objects.
    enum class RecordId : std::uint8_t {
        fresh,     // a new one
        identity,  // from the collection's identity fields: two sites make the same record
        external,  // from the system's name and the object's key
    };

    std::string name;
    std::string system;  // System::name
    std::string collection;
    std::string object;  // the driver's name of the kind of object
    Flow mode = Flow::both;
    Pointer key;
    std::optional<Pointer> version;
    std::string external_id;  // where the object holds the record's id; empty: nowhere
    RecordId record_id = RecordId::fresh;
    std::optional<Aggregate> aggregate;
    std::map<std::string, std::string> locations;  // record's text -> the system's id
    std::vector<Trigger> triggers;
    Initial initial;
    Deletes deletes;
    Errors errors;
    std::vector<FieldMap> maps;  // in the order of the file
    DriverTable driver;
    Place place;
    // 64 hexadecimal digits over all that the binding, its system (but for rate and retry) and the
    // schema fields that it uses mean; equal for files that differ in layout, order and comments only.
    std::string hash;
};

struct Mapping {
    std::vector<System> systems;
    std::vector<Binding> bindings;

    System const* system(std::string_view name) const {
        for (System const& one : systems)
            if (one.name == name) return &one;
        return nullptr;
    }
    Binding const* binding(std::string_view name) const {
        for (Binding const& one : bindings)
            if (one.name == name) return &one;
        return nullptr;
    }
};

}  // namespace inos
