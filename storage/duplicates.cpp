#include "storage/duplicates.hpp"

#include <algorithm>

#include "crdt/types/map.hpp"
#include "storage/copied_fields.hpp"
#include "storage/field_checks.hpp"
#include "storage/json.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"
#include "storage/schema_document.hpp"
#include "storage/text_forms.hpp"

namespace inos {
namespace {

// The value at a name, or at a dotted path into objects.
Value const* find_path(Object const& fields, std::string_view path) {
    if (Value const* value = find_member(fields, path)) return value;
    for (std::size_t dot = path.find('.'); dot != std::string_view::npos;
         dot = path.find('.', dot + 1)) {
        Value const* outer = find_member(fields, path.substr(0, dot));
        auto const* object = outer ? outer->as<Object>() : nullptr;
        if (!object) continue;
        if (Value const* value = find_path(*object, path.substr(dot + 1))) return value;
    }
    return nullptr;
}

// The identity as it is compared; empty: the record has none. Of several kept values the one that
// is read first.
Object identity_of(Object const& fields,
                   std::vector<std::string> const& names,
                   CollectionSchema const& schema) {
    Object identity;
    for (std::string const& name : names) {
        Value const* value = find_path(fields, name);
        auto const* kept =
            value && reads_as_array(schema.field(name)) ? value->as<Array>() : nullptr;
        if (kept) value = kept->empty() ? nullptr : &kept->front();
        if (!value || value->is_null()) return {};
        auto const* text = value->as<std::string>();
        Value compared = text ? Value(lower_case(trimmed(*text))) : *value;
        if (compared == Value("")) return {};
        set_member(identity, name, std::move(compared));
    }
    return identity;
}

std::uint64_t hash_of(Object const& identity) {
    auto const hash = crypto::hash16(encode(Value(identity)));
    return Reader(crypto::view(hash)).u64();
}

Error too_many(std::string const& collection) {
    return Error{Errc::too_large,
                 "the identities of \"" + collection +
                     "\" do not fit into the memory that looking for duplicates may use, " +
                     std::to_string(kDuplicateBytesMax >> 20) +
                     " MiB; export the collection and look for them there",
                 "collection"};
}

class Merger {
public:
    Merger(Record const& into, Record const& from, CollectionSchema const& schema)
        : into_(into), from_(from), schema_(schema) {}

    Object patch;
    std::vector<std::string> copied;
    std::vector<FieldDifference> differing;

    void run() {
        Object const mine = resolve(into_, schema_).fields;
        for (Member const& member : resolve(from_, schema_).fields)
            field(mine, member);
    }

    // Takes back what the schema refuses.
    void leave_out(std::string const& name) {
        auto const begins = [&](std::string const& path) {
            return path == name || path.starts_with(name + ".");
        };
        if (std::erase_if(copied, begins) == 0) return;
        std::erase_if(patch, [&](Member const& member) { return member.key == name; });
        Object const mine = resolve(into_, schema_).fields, theirs = resolve(from_, schema_).fields;
        Value const* kept = find_member(mine, name);
        std::erase_if(differing, [&](auto const& one) { return begins(one.field); });
        differing.push_back({name, kept ? *kept : Value(), *find_member(theirs, name)});
    }

private:
    void field(Object const& mine, Member const& member) {
        FieldSchema const* schema = schema_.field(member.key);
        Value const* kept = find_member(mine, member.key);
        std::string const at = path_name({}, member.key);
        if (schema && !schema->type_known) {
            if (!kept || *kept != member.value)
                differing.push_back({member.key, kept ? *kept : Value(), member.value});
        } else if (auto change = difference(at, member.key, schema, kept, member.value)) {
            set_member(patch, member.key, *std::move(change));
        }
    }

    // What a patch of this field has to say, if anything is to be copied.
    std::optional<Value> difference(std::string const& at,
                                    std::string const& label,
                                    FieldSchema const* schema,
                                    Value const* kept,
                                    Value const& value) {
        if (!kept) {
            copied.push_back(label);
            // One write makes one value. The others are told, so that nobody thinks them copied.
            auto const* several = reads_as_array(schema) ? value.as<Array>() : nullptr;
            if (!several || several->empty()) return copied_field(from_, into_, at, schema, value);
            for (std::size_t i = 1; i < several->size(); ++i)
                differing.push_back({label, several->front(), (*several)[i]});
            return copied_field(from_, into_, at, schema, Value(Array{several->front()}));
        }
        if (*kept == value) return std::nullopt;
        auto const *mine = kept->as<Object>(), *theirs = value.as<Object>();
        bool const maps = mine && theirs && read_type(into_, at, schema) == CellType::map &&
                          read_type(from_, at, schema) == CellType::map;
        if (!maps) {
            differing.push_back({label, *kept, value});
            return std::nullopt;
        }
        Object changes;
        for (Member const& member : *theirs) {
            std::string const child = path_name(own_path(at, CellType::map), member.key);
            auto change = difference(child,
                                     label + "." + member.key,
                                     nullptr,
                                     find_member(*mine, member.key),
                                     member.value);
            if (change) set_member(changes, member.key, *std::move(change));
        }
        return changes.empty() ? std::nullopt : std::optional(Value(std::move(changes)));
    }

    Record const& into_;
    Record const& from_;
    CollectionSchema schema_;
};

std::string quoted(std::string_view id) {
    return "\"" + std::string(id) + "\"";
}

Error no_record(std::string const& collection, std::string const& id, char const* field) {
    return Error{
        Errc::not_found, "there is no record " + quoted(id) + " in " + quoted(collection), field};
}

// Where the sites that wrote an alias wanted it to lead; one when they agree.
Result<std::vector<std::string>> targets(Replica const& replica, Alias const& alias) {
    RecordName const name{std::string(kAliasCollection), alias_key(alias.collection, alias.from)};
    INOS_TRY(Record const record, replica.record_at(name));
    std::vector<std::string> found{alias.to};
    for (Conflict const& conflict : resolve(record, {}).conflicts) {
        for (std::size_t i = 0; conflict.field == "to" && i < conflict.values.size(); ++i) {
            auto const* to = conflict.values[i].value.as<std::string>();
            if (to && *to != alias.to) found.push_back(*to);
        }
    }
    return found;
}

// Refuses what would lead in a circle, or take an alias away from another record unasked.
Result<void> check_merge(Replica const& replica,
                         std::string const& collection,
                         std::string const& into,
                         std::string const& from) {
    if (into == from)
        return fail(Errc::invalid,
                    quoted(from) + " in " + quoted(collection) +
                        " stands for that record already, or is the same one",
                    "from");
    Alias const* alias = replica.aliases().find(collection, from);
    if (!alias || replica.aliases().master(collection, from) == into) return {};
    INOS_TRY(auto const wanted, targets(replica, *alias));
    if (std::find(wanted.begin(), wanted.end(), into) != wanted.end()) return {};
    return fail(Errc::invalid,
                quoted(from) + " in " + quoted(collection) + " stands for " + quoted(alias->to) +
                    " already; merge " + quoted(alias->to) + ", or take that back first with " +
                    "unmerge",
                "from");
}

void drop_refused(Merger& merger,
                  RecordName const& name,
                  Record const& into,
                  Record const& from,
                  CollectionSchema const& schema) {
    if (!has_rules(schema)) return;
    Object const before = resolve(into, schema).fields;
    Object after = before;
    Object const theirs = canonical_fields(resolve(from, schema).fields, schema);
    for (Member const& member : merger.patch)
        set_member(after, member.key, *find_member(theirs, member.key));
    for (FieldProblem const& problem : check_fields(name, &before, after, schema))
        if (problem.refuses) merger.leave_out(problem.field);
}

}  // namespace

DuplicateSearch::DuplicateSearch(std::string collection) : only_(std::move(collection)) {}

Result<bool> DuplicateSearch::step(Replica const& replica, std::size_t budget) {
    if (!begun_) {
        INOS_CHECK(begin(replica));
        begun_ = true;
    }
    while (budget > 0 && !collections_.empty()) {
        if (names_.empty()) {
            schema_ = without_defaults(replica.schema(collections_.front()));
            names_ = schema_.identity;
            if (names_.empty()) collections_.pop_front();  // it has lost it meanwhile
            continue;
        }
        if (scanning_) {
            INOS_CHECK(scan(replica, budget));
            continue;
        }
        INOS_CHECK(compare(replica, budget));
        if (at_ == found_.size()) finish_collection();
    }
    return collections_.empty();
}

Result<void> DuplicateSearch::begin(Replica const& replica) {
    if (!only_.empty() && replica.schema(only_).identity.empty())
        return fail(Errc::invalid,
                    quoted(only_) +
                        " has no identity, so nothing says which of its records are the same; give "
                        "it one in its schema, such as identity = [\"email\"]",
                    "collection");
    for (auto const& [name, fields] : replica.schema_documents()) {
        if (replica.schema(name).identity.empty() || is_reserved(name)) continue;
        if (only_.empty() || name == only_) collections_.push_back(name);
    }
    return {};
}

Result<void> DuplicateSearch::scan(Replica const& replica, std::size_t& budget) {
    std::string const& collection = collections_.front();
    std::uint32_t const space = replica.space_number();
    std::string const prefix = keys::record(space, collection, {});
    auto cursor = replica.engine().scan(
        Family::records, from_.empty() ? prefix : from_, keys::record_end(space, collection));
    for (; cursor->valid() && budget > 0; cursor->next(), --budget) {
        from_ = std::string(cursor->key()) + '\0';  // the first key behind
        RecordName const name{collection, std::string(cursor->key().substr(prefix.size()))};
        if (replica.aliases().is_alias(collection, name.key)) continue;
        INOS_TRY(StoredRecord const kept, StoredRecord::decode(cursor->value(), name));
        if (!visible(state_of(kept.record), schema_.on_delete)) continue;
        Object const identity = identity_of(resolve(kept.record, schema_).fields, names_, schema_);
        if (identity.empty()) continue;
        found_.push_back({hash_of(identity), ids_.size(), name.key.size()});
        ids_ += name.key;
        if (ids_.size() + found_.size() * sizeof(Found) > kDuplicateBytesMax)
            return tl::unexpected<Error>(too_many(collection));
    }
    INOS_CHECK(cursor->status());
    if (cursor->valid()) return {};
    scanning_ = false;
    std::stable_sort(found_.begin(), found_.end(), [](Found const& a, Found const& b) {
        return a.hash < b.hash;
    });
    return {};
}

// Records of one hash are looked at again: those that really agree, and are still there.
Result<void> DuplicateSearch::compare(Replica const& replica, std::size_t& budget) {
    std::string const& collection = collections_.front();
    while (at_ < found_.size() && budget > 0) {
        std::size_t end = at_;
        while (end < found_.size() && found_[end].hash == found_[at_].hash)
            ++end;
        std::size_t const begin = std::exchange(at_, end);
        if (end - begin < 2) continue;
        std::map<std::string, DuplicateGroup> by_identity;
        std::size_t const last = std::min(end, begin + kDuplicateIdsMax);
        for (std::size_t i = begin; i < last; ++i) {
            std::string const id = ids_.substr(found_[i].begin, found_[i].size);
            INOS_TRY(Record const record, replica.record_at({collection, id}));
            if (!visible(state_of(record), schema_.on_delete)) continue;
            Object identity = identity_of(resolve(record, schema_).fields, names_, schema_);
            if (identity.empty()) continue;
            DuplicateGroup& group = by_identity[encode(Value(identity))];
            group.collection = collection;
            group.identity = std::move(identity);
            group.ids.push_back(id);
        }
        for (auto& [bytes, group] : by_identity)
            if (group.ids.size() > 1) groups_.push_back(std::move(group));
        if (last < end) answer_.complete = false;
        if (groups_.size() > kDuplicateGroupsMax) at_ = found_.size();
        budget -= std::min(budget, last - begin);
    }
    return {};
}

void DuplicateSearch::finish_collection() {
    std::sort(groups_.begin(), groups_.end(), [](auto const& a, auto const& b) {
        return a.ids.front() < b.ids.front();
    });
    for (DuplicateGroup& group : groups_) {
        answer_.complete = answer_.complete && answer_.groups.size() < kDuplicateGroupsMax;
        if (answer_.groups.size() < kDuplicateGroupsMax) answer_.groups.push_back(std::move(group));
    }
    collections_.pop_front();
    names_.clear();
    groups_.clear();
    found_.clear();
    ids_.clear();
    from_.clear();
    at_ = 0;
    scanning_ = true;
}

Result<Duplicates> find_duplicates(Replica const& replica, std::string_view collection) {
    DuplicateSearch search{std::string(collection)};
    for (bool done = false; !done;) {
        INOS_TRY(done, search.step(replica, kDuplicateStep));
    }
    return search.take();
}

Result<std::vector<MergedRecord>> merged_records(Replica const& replica,
                                                 std::string_view collection) {
    std::vector<MergedRecord> merged;
    Aliases const& aliases = replica.aliases();
    for (Alias const& alias : aliases.list()) {
        if (!collection.empty() && alias.collection != collection) continue;
        std::string const master(aliases.master(alias.collection, alias.from));
        if (master == alias.from) continue;
        if (merged.size() > kMergedMax) break;
        RecordName const name{alias.collection, alias.from};
        INOS_TRY(Record const record, replica.record_at(name));
        INOS_TRY(auto wanted, targets(replica, alias));
        wanted.erase(wanted.begin());
        bool const changed = replica.version_of(name, record) != alias.seen;
        DeletePolicy const policy = replica.schema(alias.collection).on_delete;
        bool orphaned = visible(state_of(record), policy);
        if (orphaned) {
            INOS_TRY(Record const shown, replica.record_at({alias.collection, master}));
            orphaned = !visible(state_of(shown), policy);
        }
        merged.push_back({alias, master, changed, orphaned, std::move(wanted)});
    }
    return merged;
}

Result<RecordMerge> plan_merge(Replica const& replica,
                               std::string const& collection,
                               std::string const& into,
                               std::string const& from) {
    Aliases const& aliases = replica.aliases();
    Alias const* decided = aliases.find(collection, from);
    RecordMerge merge;
    // A rival master may be an alias itself by now; the record that it stands for is meant.
    merge.into = std::string(aliases.master(collection, into));
    INOS_CHECK(check_merge(replica, collection, merge.into, from));
    CollectionSchema const schema = without_defaults(replica.schema(collection));
    RecordName const target{collection, merge.into}, source{collection, from};
    INOS_TRY(Record const mine, replica.record_at(target));
    INOS_TRY(Record const theirs, replica.record_at(source));
    if (!visible(state_of(mine), schema.on_delete))
        return tl::unexpected<Error>(no_record(collection, into, "into"));
    bool const there = visible(state_of(theirs), schema.on_delete);
    if (!there && !decided) return tl::unexpected<Error>(no_record(collection, from, "from"));
    Merger merger(mine, theirs, schema);
    if (there) {
        merger.run();
        drop_refused(merger, target, mine, theirs, schema);
    }
    Write patch{Write::Kind::patch, target, merger.patch, replica.version_of(target, mine)};
    Write write{Write::Kind::put,
                {std::string(kAliasCollection), alias_key(collection, from)},
                Alias{collection, from, merge.into, replica.version_of(source, theirs)}.fields(),
                {}};
    if (!patch.fields.empty()) merge.writes.push_back(std::move(patch));
    merge.writes.push_back(std::move(write));
    merge.copied = std::move(merger.copied);
    merge.differing = std::move(merger.differing);
    return merge;
}

Result<std::vector<Write>> plan_unmerge(Replica const& replica,
                                        std::string const& collection,
                                        std::string const& into,
                                        std::string const& from) {
    Aliases const& aliases = replica.aliases();
    Alias const* alias = aliases.find(collection, from);
    if (!alias)
        return fail(Errc::not_found,
                    quoted(from) + " in " + quoted(collection) + " stands for no other record",
                    "from");
    if (alias->to != into && aliases.master(collection, from) != into)
        return fail(Errc::invalid,
                    quoted(from) + " in " + quoted(collection) + " stands for " +
                        quoted(alias->to) + ", not for " + quoted(into),
                    "into");
    std::vector<Write> writes;
    auto const take_back = [&](std::string const& id) {
        writes.push_back({Write::Kind::delete_,
                          {std::string(kAliasCollection), alias_key(collection, id)},
                          {},
                          {}});
    };
    take_back(from);
    // Two sites that made each of two ids an alias of the other: both aliases have to go.
    Alias const* back = aliases.find(collection, into);
    if (back && back->to == from) take_back(into);
    return writes;
}

}  // namespace inos
