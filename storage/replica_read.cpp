// Reading a replica: one record, a page of a collection, and the root recomputed from the records.

#include <algorithm>

#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {

RecordView Replica::view(RecordName const& name, StoredRecord const& stored) const {
    Resolved resolved = resolve(stored.record, schema(name.collection));
    return {
        name.key, std::move(resolved.fields), std::move(resolved.conflicts), stored.digest.text()};
}

Result<std::optional<RecordView>> Replica::get(RecordName const& asked, Lists lists) const {
    RecordName const name{asked.collection,
                          std::string(aliases_.master(asked.collection, asked.key))};
    std::string const key = keys::record(options_.space, name.collection, name.key);
    INOS_TRY(auto const value, engine_.get(Family::records, key));
    if (!value) return std::optional<RecordView>();
    INOS_TRY(StoredRecord const stored, StoredRecord::decode(*value, name));
    if (!visible(state_of(stored.record), schema(name.collection).on_delete))
        return std::optional<RecordView>();
    auto found = view(name, stored);
    found.bytes = value->size();
    if (lists == Lists::elements)
        name_elements(stored.record, schema(name.collection), found.fields);
    if (name.key != asked.key) found.alias = asked.key;
    return std::optional(std::move(found));
}

Result<Record> Replica::record_at(RecordName const& name) const {
    std::string const key = keys::record(options_.space, name.collection, name.key);
    INOS_TRY(auto const value, engine_.get(Family::records, key));
    if (!value) return Record();
    INOS_TRY(StoredRecord stored, StoredRecord::decode(*value, name));
    return std::move(stored.record);
}

Result<Record> Replica::checked_record(RecordName const& name) const {
    std::string const key = keys::record(options_.space, name.collection, name.key);
    INOS_TRY(auto const value, engine_.get(Family::records, key));
    if (!value) return Record();
    INOS_TRY(StoredRecord stored, checked(*value, name));
    return std::move(stored.record);
}

Result<StoredRecord> Replica::checked(std::string_view value, RecordName const& name) const {
    INOS_TRY(StoredRecord stored, StoredRecord::decode(value, name));
    DigestClass const is = digest_class(state_of(stored.record));
    Digest128 digest;
    if (is != DigestClass::none)
        digest = record_digest(options_.digest_key, name.collection, name.key, stored.record);
    if (is != stored.digest_class || !(digest == stored.digest))
        return fail(Errc::corruption,
                    "the record \"" + name.key + "\" in \"" + name.collection +
                        "\" is not what was written: its digest differs");
    return stored;
}

Result<std::optional<FieldRights>> Replica::rights(RecordName const& asked,
                                                   std::string_view field) const {
    RecordName const name{asked.collection,
                          std::string(aliases_.master(asked.collection, asked.key))};
    std::string const key = keys::record(options_.space, name.collection, name.key);
    INOS_TRY(auto const value, engine_.get(Family::records, key));
    if (!value) return std::optional<FieldRights>();
    INOS_TRY(StoredRecord const stored, StoredRecord::decode(*value, name));
    CollectionSchema const& rules = schema(name.collection);
    if (!visible(state_of(stored.record), rules.on_delete)) return std::optional<FieldRights>();
    auto rights = field_rights(stored.record, path_name({}, field), rules.field(field));
    if (rights) rights->take_over(options_.actor, usable(earlier_actors(), rules.field(field)));
    return rights;
}

std::string Replica::version_of(RecordName const& name, Record const& record) const {
    if (!visible(state_of(record), schema(name.collection).on_delete)) return {};
    return record_digest(options_.digest_key, name.collection, name.key, record).text();
}

Result<ListPage> Replica::list(std::string_view collection,
                               std::string_view after,
                               std::size_t limit,
                               std::size_t skip_max) const {
    limit = std::clamp<std::size_t>(limit, 1, kListLimitMax);
    std::string const prefix = keys::record(options_.space, collection, {});
    std::string from = prefix;
    if (!after.empty()) {
        from += after;
        from += '\0';  // the first key behind
    }
    DeletePolicy const policy = schema(collection).on_delete;
    ListPage page;
    std::size_t bytes = 0;
    auto cursor = engine_.scan(Family::records, from, keys::record_end(options_.space, collection));
    for (; cursor->valid(); cursor->next()) {
        RecordName const name{std::string(collection),
                              std::string(cursor->key().substr(prefix.size()))};
        INOS_TRY(StoredRecord const stored, StoredRecord::decode(cursor->value(), name));
        bool const shown = visible(state_of(stored.record), policy) &&
                           !aliases_.is_alias(name.collection, name.key);
        if (!shown) {
            if (++page.skipped <= skip_max) continue;
            page.next = name.key;
            break;
        }
        if (page.records.size() == limit || (bytes > kListBytesMax && !page.records.empty())) {
            page.next = page.records.back().id;
            break;
        }
        page.records.push_back(view(name, stored));
        page.records.back().bytes = cursor->value().size();
        bytes += cursor->value().size();
    }
    INOS_CHECK(cursor->status());
    return page;
}

Result<Digest128> Replica::recompute_root() const {
    std::map<std::string, CollectionSums, std::less<>> sums;
    auto cursor = engine_.scan(
        Family::records, keys::space_begin(options_.space), keys::space_end(options_.space));
    for (; cursor->valid(); cursor->next()) {
        std::string_view const rest = cursor->key().substr(4);
        std::size_t const zero = rest.find('\0');
        if (zero == std::string_view::npos)
            return fail(Errc::corruption, "a record's key in the database is malformed");
        RecordName const name{std::string(rest.substr(0, zero)),
                              std::string(rest.substr(zero + 1))};
        INOS_TRY(StoredRecord const stored, StoredRecord::decode(cursor->value(), name));
        DigestClass const now = digest_class(state_of(stored.record));
        Digest128 digest;
        if (now != DigestClass::none)
            digest = record_digest(options_.digest_key, name.collection, name.key, stored.record);
        if (now != stored.digest_class || !(digest == stored.digest))
            return fail(Errc::corruption,
                        "the record \"" + name.key + "\" in \"" + name.collection +
                            "\" is not what was written: its digest differs");
        sums[name.collection].add(now, digest);
    }
    INOS_CHECK(cursor->status());
    Digest128 root;
    for (auto const& [collection, value] : sums)
        root += value.sum(schema(collection).on_delete);
    return root;
}

}  // namespace inos
