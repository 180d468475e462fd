// The part of record repair that needs no peer: whether what is stored is what was stored.

#include <algorithm>
#include <map>
#include <utility>

#include "storage/keys.hpp"
#include "storage/log_search.hpp"
#include "storage/repair_case.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

// The same bytes under a digest that no record has, so that the roots of this site and of others
// differ until the record is put right. Bytes without a whole head count so anyway.
std::string marked_as_damaged(std::string value) {
    constexpr std::size_t kDigestAt = 1, kClassAt = 17;
    if (value.size() <= kClassAt) return value;
    auto const bytes = kNotComparable.bytes();
    std::copy(bytes.begin(), bytes.end(), value.begin() + kDigestAt);
    value[kClassAt] = static_cast<char>(DigestClass::hidden);
    return value;
}

}  // namespace

// What is wrong with a stored record by itself; empty for nothing.
std::string RecordRepair::wrong(RecordName const& name, std::string_view value) const {
    auto const stored = StoredRecord::decode(value, name);
    if (!stored) return "it cannot be read";
    RangeItem const is = item_of(name, stored->record);
    if (is.digest_class != stored->digest_class || !(is.digest == stored->digest))
        return "its digest differs";
    bool const marks = name.key.front() == '\1';
    return !marks && replica_.is_erased(name) ? "it was erased" : "";
}

Result<std::string> RecordRepair::check(std::string const& from,
                                        std::size_t budget,
                                        RepairReport& report) {
    std::uint32_t const space = replica_.options_.space;
    std::vector<std::string> doubtful;
    std::vector<RepairNote> malformed;
    std::string next;
    {
        auto cursor = replica_.engine_.scan(
            Family::records, keys::space_begin(space) + from, keys::space_end(space));
        std::size_t looked = 0;
        for (; cursor->valid() && looked < budget && doubtful.size() < kStateKeysMax;
             cursor->next(), ++looked) {
            std::string key(cursor->key().substr(4));
            auto const name = record_of_key(key);
            if (!name)
                malformed.push_back({{std::move(key), {}}, "no record can have this key"});
            else if (!wrong(*name, cursor->value()).empty())
                doubtful.push_back(std::move(key));
        }
        INOS_CHECK(cursor->status());
        report.looked += looked;
        if (cursor->valid()) next = cursor->key().substr(4);
    }
    report.add({0, {}, std::move(malformed), {}});
    if (doubtful.empty()) return next;
    INOS_TRY(auto const cases, settle(doubtful, report));
    INOS_CHECK(write(cases));
    WriteBatch marks;
    for (Case const& c : cases) {
        if (c.standing != Standing::damaged || c.gone) continue;
        report.left.push_back({c.name, "it is damaged, and so is the log: a peer has to tell"});
        std::string const key = keys::space_begin(space) + c.key;
        INOS_TRY(auto value, replica_.engine_.get(Family::records, key));
        if (value) marks.put(Family::records, key, marked_as_damaged(*std::move(value)));
    }
    if (marks.changes.empty()) return next;
    INOS_CHECK(replica_.write_batch(marks, Durability::synced));
    INOS_CHECK(set_sums());
    return next;
}

// Answers whether they were others.
Result<bool> RecordRepair::set_sums() {
    std::uint32_t const space = replica_.options_.space;
    std::map<std::string, CollectionSums, std::less<>> sums;
    for (auto const& [collection, value] : replica_.sums_)
        sums[collection];
    auto cursor =
        replica_.engine_.scan(Family::records, keys::space_begin(space), keys::space_end(space));
    for (; cursor->valid(); cursor->next()) {
        auto const name = record_of_key(cursor->key().substr(4));
        auto const head = StoredRecord::head(cursor->value());
        if (name) sums[name->collection].add(head.digest_class, head.digest);
    }
    INOS_CHECK(cursor->status());
    if (sums == replica_.sums_) return false;
    WriteBatch batch;
    for (auto const& [collection, value] : sums)
        batch.put(Family::digests, keys::digest(space, collection), value.encode());
    INOS_CHECK(replica_.write_batch(batch, Durability::synced));
    replica_.sums_ = std::move(sums);
    return true;
}

// Records whose history does not begin where the log says, and those that are not there.
Result<std::vector<std::string>> RecordRepair::out_of_place(LogSearch& search) const {
    std::uint32_t const space = replica_.options_.space;
    std::vector<std::string> found;
    auto& heads = search.heads();
    auto cursor =
        replica_.engine_.scan(Family::records, keys::space_begin(space), keys::space_end(space));
    for (; cursor->valid(); cursor->next()) {
        std::string const key(cursor->key());
        auto const name = record_of_key(cursor->key().substr(4));
        if (!name || name->key.front() == '\1') continue;
        auto const stored = StoredRecord::decode(cursor->value(), *name);
        auto const head = heads.find(key);
        Dot const last = head == heads.end() ? Dot() : head->second;
        if (!stored || !(stored->last == last)) found.push_back(key.substr(4));
        if (head != heads.end()) heads.erase(head);
    }
    INOS_CHECK(cursor->status());
    for (auto const& [key, last] : heads) {
        auto const name = record_of_key(std::string_view(key).substr(4));
        if (name && !replica_.is_erased(*name)) found.push_back(key.substr(4));
    }
    std::sort(found.begin(), found.end());
    return found;
}

Result<void> RecordRepair::check_whole(RepairReport& report) {
    INOS_TRY(bool const differed, set_sums());
    LogSearch search(replica_, replica_.options_.digest_key);
    search.want_heads();
    INOS_CHECK(search.run());
    report.add({0, {}, {}, search.damage()});
    std::vector<std::string> found;
    if (search.damage().empty()) {
        INOS_TRY(found, out_of_place(search));
    }
    if (found.empty() && differed)
        report.repaired.push_back({{}, "the sums were not those of the records; summed again"});
    for (std::size_t at = 0; at < found.size(); at += kStateKeysMax) {
        auto const end = std::min(found.size(), at + kStateKeysMax);
        std::vector<std::string> const some(found.begin() + static_cast<std::ptrdiff_t>(at),
                                            found.begin() + static_cast<std::ptrdiff_t>(end));
        INOS_TRY(auto const cases, settle(some, report));
        INOS_CHECK(write(cases));
    }
    return {};
}

}  // namespace inos
