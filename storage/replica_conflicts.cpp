// The index of records that may hold a conflict, whatever the schema says, so that finding
// conflicts needs no scan of all records.

#include <algorithm>

#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {

bool belongs_to_conflicts(DigestClass digest_class, Record const& record) {
    bool const may_be_visible =
        digest_class == DigestClass::unmarked || digest_class == DigestClass::uncovered;
    return may_be_visible && may_conflict(record);
}

void Replica::index_conflict(Stage& stage, Staged const& staged, bool belongs) const {
    if (belongs == staged.stored_conflict) return;
    std::string key = keys::conflict(options_.space, staged.name.collection, staged.name.key);
    if (belongs)
        stage.batch_.put(Family::index, std::move(key), {});
    else
        stage.batch_.remove(Family::index, std::move(key));
}

Result<std::vector<RecordName>> Replica::conflict_candidates(RecordName const& after,
                                                             std::string_view only,
                                                             std::size_t limit) const {
    std::string const prefix = keys::meta_kind(options_.space, 'c');
    std::string from = keys::conflict(options_.space, only, {});
    std::string to = from;
    to.back() = '\1';  // the first key behind those of the collection
    if (only.empty()) {
        from = prefix;
        to = keys::meta_kind(options_.space, 'd');
    }
    if (!after.collection.empty())
        from = std::max(from, keys::conflict(options_.space, after.collection, after.key) + '\0');
    std::vector<RecordName> names;
    auto cursor = engine_.scan(Family::index, from, to);
    for (; cursor->valid() && names.size() < limit; cursor->next()) {
        std::string_view const rest = cursor->key().substr(prefix.size());
        std::size_t const zero = rest.find('\0');
        if (zero == std::string_view::npos)
            return fail(Errc::corruption, "a key in the index of conflicts is malformed");
        names.push_back({std::string(rest.substr(0, zero)), std::string(rest.substr(zero + 1))});
    }
    INOS_CHECK(cursor->status());
    return names;
}

}  // namespace inos
