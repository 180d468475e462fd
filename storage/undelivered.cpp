#include "storage/undelivered.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "crdt/resolve.hpp"
#include "storage/history.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

struct Touched {
    std::uint64_t last_ms = 0;
    std::set<std::string> fields;
};

// The records that the entry is about, and the fields of them.
Result<void> read_entry(Replica const& old, Dot dot, std::map<RecordName, Touched>& touched) {
    INOS_TRY(auto const value, old.engine().get(Family::log, keys::log(old.space_number(), dot)));
    auto const stored = value ? StoredEntry::decode(*value, dot.actor) : std::nullopt;
    if (!stored) return tl::unexpected(corrupt_entry(dot));
    if (stored->reason != VoidReason::none) return {};
    auto const decoded = decode_entry(stored->bytes, dot);
    for (Op const& op : decoded.entry.ops) {
        if (!valid_name(op.collection) || !valid_name(op.key)) continue;
        Touched& record = touched[{op.collection, op.key}];
        record.last_ms = std::max(record.last_ms, decoded.entry.header.hlc.ms());
        for (Edit const& edit : op.edits)
            record.fields.emplace(Reader(edit.path).blob());
    }
    return {};
}

bool counts(FieldSchema const* schema) {
    return schema &&
           (schema->type == CellType::counter || schema->type == CellType::bounded_counter);
}

// The field as it was changed: counters by how much.
std::optional<Value> changed_field(CollectionSchema const& schema,
                                   std::string const& field,
                                   Value const* before,
                                   Value const* after) {
    auto const number = [](Value const* value) {
        auto const* n = value ? value->as<std::int64_t>() : nullptr;
        return n ? *n : 0;
    };
    if (counts(schema.field(field))) {
        std::int64_t const added = number(after) - number(before);
        if (added == 0) return std::nullopt;
        return Value(Object{{"$inc", Value(added)}});
    }
    if (before && after && *before == *after) return std::nullopt;
    if (!before && !after) return std::nullopt;
    return after ? *after : Value();
}

Result<std::optional<Undelivered>> describe(Replica const& old,
                                            RecordName const& name,
                                            Touched const& touched,
                                            VersionVector const& without) {
    INOS_TRY(RecordPast const past, read_past(old, name));
    if (!past.complete)
        return fail(Errc::gone,
                    "the log does not reach back to the beginning of \"" + name.key + "\" in \"" +
                        name.collection + "\"");
    CollectionSchema const& schema = old.schema(name.collection);
    Record const then = record_as_of(past, without);
    bool const was = visible(state_of(then), schema.on_delete);
    bool const is = visible(state_of(past.now), schema.on_delete);
    Undelivered out;
    out.name = name;
    out.last_ms = touched.last_ms;
    out.deleted = was && !is;
    if (!is) return was ? std::optional(std::move(out)) : std::optional<Undelivered>();
    Object const before = was ? resolve(then, schema).fields : Object();
    Object const after = resolve(past.now, schema).fields;
    for (std::string const& field : touched.fields) {
        auto value =
            changed_field(schema, field, find_member(before, field), find_member(after, field));
        if (value) set_member(out.fields, field, *std::move(value));
    }
    if (was && out.fields.empty()) return std::optional<Undelivered>();
    return std::optional(std::move(out));
}

}  // namespace

Result<std::vector<Undelivered>> list_undelivered(Replica const& old,
                                                  VersionVector const& elsewhere) {
    std::map<RecordName, Touched> touched;
    VersionVector without = old.vector();
    for (auto const& [actor, last] : old.vector().items()) {
        Seq const known = elsewhere.at(actor);
        if (!old.is_ours(actor) || known >= last) continue;
        without.set(actor, known);
        for (Seq seq = known + 1; seq <= last; ++seq)
            INOS_CHECK(read_entry(old, {actor, seq}, touched));
    }
    std::vector<Undelivered> list;
    for (auto const& [name, record] : touched) {
        if (name.collection.starts_with('_') || old.is_erased(name)) continue;
        INOS_TRY(auto described, describe(old, name, record, without));
        if (described) list.push_back(*std::move(described));
    }
    return list;
}

}  // namespace inos
