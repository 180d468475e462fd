// The shadow of an external object: what its system last had in the fields that a binding maps, and
// which cells of the record that showed. The engine finds changes on either side as differences from
// it (step.hpp), so it is written together with the change that it tells of, or not at all.
//
//   shadow  = version u8 (1) | state u8 | misses u8 | collection blob | key blob | token blob
//             | intent u8 (0, or 1 and 16 bytes) | error u8 (0, or 1 and error)
//             | fields: count, field*                                      ascending by path
//   error   = class u8 | code blob | message blob | count varint | first ms varint | last ms varint
//   field   = path blob | flags u8 | [seen: kind u8, value blob] | [rec value blob]
//             | [sent value blob] | [before: kind u8, value blob] | shown VersionVector
//             | [flips varint, since ms varint]
//   flags   = 1 seen | 2 rec | 4 rec is the value of seen, and is left out | 8 sent | 16 before
//             | 32 flips | 64 quarantined
//
// Equal shadows have equal bytes, and decode() takes no others. Plain values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/change.hpp"
#include "crdt/value.hpp"
#include "crdt/version_vector.hpp"
#include "storage/crypto/crypto.hpp"

namespace inos {

inline constexpr std::size_t kShadowBytesMax = 4u << 20;
inline constexpr std::size_t kShadowFieldsMax = 1'024;
inline constexpr std::size_t kShadowTokenBytesMax = 1'024;
inline constexpr std::size_t kErrorCodeBytesMax = 256;
inline constexpr std::size_t kErrorMessageBytesMax = 1'024;

// Names one intended write to a system; also what a system with idempotency keys is given.
using IntentId = std::array<std::uint8_t, 16>;

// What a driver makes of a failure. Stored; numbers are never reused.
enum class ErrorClass : std::uint8_t {
    auth = 1,      // the system does not know us, or has shut us out
    quota = 2,     // too many calls; when to come again may be known
    retry = 3,     // a failure that passes, the outcome of the call is known: it did nothing
    conflict = 4,  // the compare token is no longer the object's
    identity = 5,  // the system holds another object for the same thing
    gone = 6,      // no such object
    locked = 7,    // somebody else holds the object for a moment
    cursor = 8,    // a place in a stream or list that the system does not know any more
    schema = 9,    // a field or object that the system does not have
    data = 10,     // the system does not take this value
    unknown = 11,  // no answer: whether the call did something is not known
};
char const* error_class_name(ErrorClass error_class);

// What stood in a field of the external object.
struct SeenValue {
    // unread: the mapping makes no record value of it (it says keep, or cannot); `value` is then
    // what stands in the object, which is enough to see that it has changed.
    enum class Kind : std::uint8_t { read = 1, unread = 2 };
    Kind kind = Kind::read;
    Value value;  // read: canonical, null for none

    bool operator==(SeenValue const&) const = default;
};

struct ShadowField {
    std::string path;               // FieldMap::record, as text
    std::optional<SeenValue> seen;  // none: the object has not been looked at yet
    // The record's value that `seen` stands for. None: for no value of the record, so the field is
    // to be written, unless it would be what stands there.
    std::optional<Value> rec;
    std::optional<Value> sent;  // what was last written there, by external pointer
    VersionVector shown;        // cells of the field that `seen` shows
    // The guard against two sides that undo each other: what stood there before `seen`, and how
    // often in a row the field has gone back to it since the moment.
    std::optional<SeenValue> before;
    std::uint32_t flips = 0;
    std::uint64_t flips_since_ms = 0;
    bool quarantined = false;  // neither read nor written until somebody says so

    bool operator==(ShadowField const&) const = default;
};

struct ShadowError {
    ErrorClass error_class = ErrorClass::data;
    std::string code;     // the system's own word
    std::string message;  // for people
    std::uint32_t count = 0;
    std::uint64_t first_ms = 0, last_ms = 0;

    bool operator==(ShadowError const&) const = default;
};

struct Shadow {
    // Stored; numbers are never reused.
    enum class State : std::uint8_t {
        live = 1,
        gone = 2,     // the object is not there any more, and the record has been told
        parted = 3,   // record and object go separate ways; kept so that neither is made anew
        deleted = 4,  // the object went because the record had gone
    };
    State state = State::live;
    std::uint8_t misses = 0;  // audits in a row in which a direct read found no object
    RecordName record;
    std::string token;               // the object's compare token as last read; empty: none
    std::optional<IntentId> intent;  // a write to the system that is not settled
    std::optional<ShadowError> error;
    std::vector<ShadowField> fields;  // ascending by path

    ShadowField const* field(std::string_view path) const;
    ShadowField& field_for(std::string_view path);  // made, if it is not there

    bool operator==(Shadow const&) const = default;

    std::string encode() const;
    static std::optional<Shadow> decode(std::string_view bytes);
};

// Takes note of a failure: counts on for the same class and code. Long texts are cut.
void note_error(Shadow& shadow,
                ErrorClass error_class,
                std::string_view code,
                std::string_view message,
                std::uint64_t now_ms);

// What stays of an external object whose record was erased: nothing that tells which object it was
// to anybody without the space's key.
//   mark = version u8 (1) | erased ms varint        stored under the tag
struct SuppressionMark {
    std::uint64_t erased_ms = 0;

    bool operator==(SuppressionMark const&) const = default;
    std::string encode() const;
    static std::optional<SuppressionMark> decode(std::string_view bytes);
};
// By system, not by binding: an object does not come back through another mapping either.
crypto::Hash16 suppression_tag(crypto::Secret const& digest_key,
                               std::string_view system,
                               std::string_view object,
                               std::string_view external_id);

}  // namespace inos
