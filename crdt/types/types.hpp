// The list of types. Each lives in crdt/types/<type>.{hpp,cpp} and says how its cells are read and
// how an assignment or an operation becomes edits; this table is the only place that knows them
// all, and the laws in tests/property run over it. The merge knows none of them.
//
// All functions are pure and total. `at` is a field's path up to and including its name, without
// type.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/entry.hpp"
#include "crdt/pieces.hpp"
#include "crdt/resolve.hpp"

namespace inos {

// How much of a bounded counter was to be used, and how much there is here and at all other sites.
struct Shortage {
    std::int64_t wanted = 0, available = 0, elsewhere = 0;
    bool operator==(Shortage const&) const = default;
};

// Why a change cannot be made: bad input of the person or program that asked for it.
struct ChangeError {
    enum class Kind { wrong_type, bad_operation, limit, rights } kind{};
    std::string field;  // dotted path
    std::string message;
    Shortage shortage = {};  // rights
};

// Actors that write no more, and whose rights of bounded counters the author may use: it is certain
// of what they wrote last, or only its disk says so (OfflineRights::trust_disk).
struct EarlierActors {
    std::vector<ActorId> certain, trusted;
};

// Edits in the making, for one record and one author.
struct EditPlan {
    Record const& record;
    ActorId actor;  // the author
    Seq seq = 0;    // of the entry in the making: a run that begins now begins here
    std::vector<Edit> edits;
    std::optional<ChangeError> error;  // the first one; planning goes on without effect after it
    EarlierActors earlier = {};
    bool resolves = false;  // decides a conflict, so that it is not left as it is

    void write(std::string path, std::string payload);
    void remove(std::string path);
    void clear(std::string prefix);
    void count(std::string path, std::int64_t delta);
    void cut(std::string path, Cut const& cut);
    // Ends the runs below the prefix that were cleared: their `lost` cells have been seen.
    void end_lost_runs(std::string_view prefix);
    void fail(ChangeError::Kind kind, std::string field, std::string message);
};

// The field that an assignment or operation is for.
struct FieldTarget {
    std::string at;
    std::string label;  // dotted, for messages
    FieldSchema const* schema = nullptr;
};

struct TypeRules {
    CellType type;
    char const* name;
    // Is there a value of this type?
    bool (*present)(Record const&, std::string_view at);
    Value (*read)(Record const&, std::string_view at, FieldSchema const*);
    // Every concurrent value, the one that read() prefers first; one or none when there is no
    // conflict.
    std::vector<ConflictValue> (*siblings)(Record const&, std::string_view at, FieldSchema const*);
    // Makes the field read as `value`; plans nothing when it does so already.
    void (*assign)(EditPlan&, FieldTarget const&, Value const&);
    // Carries out operators such as {"$inc": 2}: the object that holds them.
    void (*operate)(EditPlan&, FieldTarget const&, Object const&);
};

std::vector<TypeRules> const& type_list();
TypeRules const* rules_of(CellType type);          // nullptr: not known to this version
TypeRules const* rules_of(std::string_view name);  // by schema name

// The type whose operators the object holds ({"$inc": ...} -> counter), if it holds any. Of several
// types that have them all, `field`, what is there now, goes first.
bool is_operation(Value const& value);
std::optional<CellType> operation_type(Object const& object, CellType field);
// Does a value hold operators anywhere? As part of a plain value they are refused.
bool holds_operators(Value const& value);

// Refuses what could not be stored or read back: payloads over the limit, nesting over the limit,
// numbers that are not finite, text that is not UTF-8. `what` begins the message.
bool storable(EditPlan& plan,
              FieldTarget const& target,
              std::string_view what,
              std::string_view value_bytes);

// Helpers for the types.
std::string own_path(std::string_view at, CellType type);
std::vector<Cell const*> cells_at(Record const& record, std::string_view path);
std::vector<Cell const*> cells_under(Record const& record, std::string_view prefix);
Cell const* latest(std::vector<Cell const*> const& cells);  // by (hlc, dot); nullptr for none

}  // namespace inos
