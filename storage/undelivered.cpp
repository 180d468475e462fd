#include "storage/undelivered.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "crdt/resolve.hpp"
#include "storage/history.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

struct Touched {
    std::uint64_t last_ms = 0;
    bool deleted = false;
    struct Count {
        ActorId actor;
        std::string path;
        RunCell run;  // its total: what was added
    };
    std::set<std::string> fields;
    std::map<std::string, std::vector<Count>> counts;
};

// By how much a run's total changes the counter of a top-level field, plain or bounded.
std::int64_t weight_of(std::string_view path) {
    auto const field = take_segment(path);
    if (!field) return 0;
    if (field->type == CellType::counter && path.empty()) return 1;
    auto const share = take_segment(path);
    if (field->type != CellType::bounded_counter || !share) return 0;
    return share->name == "i" ? 1 : share->name == "u" ? -1 : 0;
}

// What was added to runs that still stand there.
std::int64_t added(Record const& now, std::vector<Touched::Count> const& counts) {
    std::int64_t sum = 0;
    for (auto const& count : counts) {
        auto const range = now.at(count.path);
        for (std::size_t i = range.begin; i < range.end; ++i) {
            auto const run = RunCell::decode(now[i].payload);
            bool const same = now[i].dot.actor == count.actor && run && is_run(now[i].path) &&
                              run->start == count.run.start;
            std::int64_t const weight = same ? weight_of(count.path) : 0;
            sum = saturating_add(sum, weight * std::max<std::int64_t>(count.run.total, -kMost));
        }
    }
    return sum;
}

// The records that the entry is about, and the fields of them.
Result<void> read_entry(Replica const& old, Dot dot, std::map<RecordName, Touched>& touched) {
    if (old.log_starts().is_cut(dot))
        return fail(Errc::gone,
                    "entries that nobody else seems to hold were cut from the log of the old "
                    "directory, since every member had acknowledged them");
    INOS_TRY(auto const value, old.engine().get(Family::log, keys::log(old.space_number(), dot)));
    auto const stored = value ? StoredEntry::decode(*value, dot.actor) : std::nullopt;
    if (!stored) return tl::unexpected(corrupt_entry(dot));
    if (stored->reason != VoidReason::none) return {};
    auto const decoded = decode_entry(stored->bytes, dot);
    for (Op const& op : decoded.entry.ops) {
        if (!valid_name(op.collection) || !valid_name(op.key)) continue;
        Touched& record = touched[{op.collection, op.key}];
        record.last_ms = std::max(record.last_ms, decoded.entry.header.hlc.ms());
        if (op.kind == static_cast<std::uint64_t>(OpKind::delete_)) record.deleted = true;
        for (Edit const& edit : op.edits) {
            std::string const field(Reader(edit.path).blob());
            record.fields.insert(field);
            auto const run = RunCell::decode(edit.payload);
            if (edit.kind == static_cast<std::uint64_t>(EditKind::count) && run)
                record.counts[field].push_back({dot.actor, edit.path, *run});
        }
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

// Of a record whose beginning was cut from the log. What it was without the entries cannot be
// told, so what others wrote is not taken for the site's own: newer values may have replaced it
// elsewhere.
std::optional<Undelivered> describe_cut(Replica const& old,
                                        RecordPast const& past,
                                        Touched const& touched,
                                        VersionVector const& without) {
    CollectionSchema const& schema = old.schema(past.name.collection);
    bool const is = visible(state_of(past.now), schema.on_delete);
    Undelivered out;
    out.name = past.name;
    out.last_ms = touched.last_ms;
    out.deleted = !is && touched.deleted;
    if (!is) return out.deleted ? std::optional(std::move(out)) : std::nullopt;
    std::set<std::string> own;
    for (Cell const& cell : past.now.cells())
        if (!is_special(cell.path) && !without.covers(cell.dot) && old.is_ours(cell.dot.actor))
            own.emplace(Reader(cell.path).blob());
    Object const now = resolve(past.now, schema).fields;
    for (std::string const& field : touched.fields) {
        Value const* value = find_member(now, field);
        auto const counted = touched.counts.find(field);
        bool const is_count = counts(schema.field(field)) && counted != touched.counts.end();
        std::int64_t const sum = is_count ? added(past.now, counted->second) : 0;
        if (is_count && sum != 0)
            set_member(out.fields, field, Value(Object{{"$inc", Value(sum)}}));
        else if (!is_count && (own.contains(field) || !value))
            set_member(out.fields, field, value ? *value : Value());
        else if (!is_count)
            out.unclear.push_back(field);
    }
    bool const nothing = out.fields.empty() && out.unclear.empty();
    return nothing ? std::nullopt : std::optional(std::move(out));
}

Result<std::optional<Undelivered>> describe(Replica const& old,
                                            RecordName const& name,
                                            Touched const& touched,
                                            VersionVector const& without) {
    INOS_TRY(RecordPast const past, read_past(old, name));
    if (!past.complete) return describe_cut(old, past, touched, without);
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
