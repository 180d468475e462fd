#include "storage/replica_indexes.hpp"

#include <algorithm>
#include <set>

#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"
#include "storage/replica_states.hpp"
#include "storage/schema_document.hpp"

namespace inos {
namespace {

constexpr std::uint8_t kVersion = 1;

// Of the record's fields in which the paths begin.
void add_names(std::vector<std::string_view>& names, std::vector<FieldPath> const& paths) {
    for (FieldPath const& path : paths)
        names.emplace_back(path.front());
}

}  // namespace

std::string Replica::Indexes::Kept::encode() const {
    std::string out;
    out += static_cast<char>(kVersion);
    out += static_cast<char>(phase);
    put_varint(out, done);
    put_blob(out, collection);
    put_blob(out, built);
    return out;
}

std::optional<Replica::Indexes::Kept> Replica::Indexes::Kept::decode(std::string_view bytes) {
    Reader in(bytes);
    if (in.byte() != kVersion) return std::nullopt;
    Kept kept;
    kept.phase = static_cast<Phase>(in.byte());
    kept.done = in.varint();
    kept.collection = in.blob();
    kept.built = in.blob();
    bool const known = kept.phase >= Phase::clearing && kept.phase <= Phase::ready;
    return in.finished() && known ? std::optional(std::move(kept)) : std::nullopt;
}

std::string Replica::Indexes::row(std::string const& id) const {
    return keys::meta_kind(replica_.options_.space, 't') + id;
}

std::string Replica::Indexes::entry(std::string const& id,
                                    std::string_view values,
                                    std::string_view key) const {
    std::string out = keys::secondary(replica_.options_.space, id);
    out += values;
    out += key;
    return out;
}

Result<void> Replica::Indexes::load() {
    kept_.clear();
    std::string const from = keys::meta_kind(replica_.options_.space, 't');
    auto cursor = replica_.engine_.scan(
        Family::index, from, keys::meta_kind(replica_.options_.space, 't' + 1));
    for (; cursor->valid(); cursor->next())
        kept_.emplace(cursor->key().substr(from.size()),
                      Kept::decode(cursor->value()).value_or(Kept()));
    auto const status = cursor->status();
    all_read_ = status.has_value();
    return !status && status.error().code == Errc::corruption ? Result<void>() : status;
}

Result<void> Replica::Indexes::follow_schemas() {
    INOS_CHECK(load());
    WriteBatch batch;
    for (auto const& [collection, fields] : replica_.schema_documents_) {
        if (is_reserved(collection)) continue;
        for (IndexDefinition& index : index_definitions(collection, fields)) {
            auto [it, is_new] = kept_.try_emplace(index.id);
            if (is_new && !all_read_) {  // it may lie behind what cannot be read
                auto const value = replica_.engine_.get(Family::index, row(index.id));
                if (!value && value.error().code != Errc::corruption)
                    return tl::unexpected(value.error());
                auto stored = value && *value ? Kept::decode(**value) : std::nullopt;
                is_new = !stored;
                if (stored) it->second = *std::move(stored);
            }
            it->second.fields = std::move(index.fields);
            it->second.collection = collection;
            if (is_new) batch.put(Family::index, row(index.id), it->second.encode());
        }
    }
    for (auto& [id, kept] : kept_) {
        if (!kept.fields.empty() || kept.phase == Phase::clearing) continue;
        kept.clear();
        batch.put(Family::index, row(id), kept.encode());
    }
    if (batch.changes.empty()) return {};
    return replica_.write_batch(batch, Durability::flushed);
}

std::vector<std::string> Replica::Indexes::entries(RecordName const& name,
                                                   Record const& record) const {
    // Without fields: the schemas have not been read yet.
    auto const is_kept_up = [&name](Kept const& kept) {
        return kept.phase != Phase::clearing && kept.collection == name.collection &&
               !kept.fields.empty();
    };
    std::vector<std::string_view> names;
    for (auto const& [id, kept] : kept_)
        if (is_kept_up(kept)) add_names(names, kept.fields);
    if (names.empty()) return {};
    CollectionSchema const& schema = replica_.schema(name.collection);
    if (!visible(state_of(record), schema.on_delete)) return {};
    Object const fields = resolve_fields(record, schema, names);
    std::vector<std::string> entries;
    for (auto const& [id, kept] : kept_)
        if (is_kept_up(kept))
            entries.push_back(entry(id, index_values({id, kept.fields}, fields), name.key));
    return entries;
}

void Replica::Indexes::change(WriteBatch& batch,
                              std::vector<std::string> const& before,
                              std::vector<std::string> const& after) {
    for (std::string const& key : before)
        if (!std::binary_search(after.begin(), after.end(), key)) batch.remove(Family::index, key);
    for (std::string const& key : after)
        if (!std::binary_search(before.begin(), before.end(), key))
            batch.put(Family::index, key, {});
}

void Replica::Indexes::begin_again(WriteBatch& batch) {
    for (auto& [id, kept] : kept_) {
        kept.clear();
        batch.put(Family::index, row(id), kept.encode());
    }
}

void Replica::Indexes::begin_again(WriteBatch& batch, std::string_view collection) {
    for (auto& [id, kept] : kept_) {
        if (kept.collection != collection || kept.phase == Phase::clearing) continue;
        kept.clear();
        batch.put(Family::index, row(id), kept.encode());
    }
}

Result<std::vector<std::string>> Replica::Indexes::mend() {
    std::vector<std::string> wrong;
    for (auto& [id, kept] : kept_) {
        if (kept.phase == Phase::clearing || kept.fields.empty()) continue;
        auto checked = check(id, kept);
        if (checked) continue;
        if (checked.error().code != Errc::corruption) return tl::unexpected(checked.error());
        wrong.push_back(std::move(checked.error().message));
        kept.clear();
        WriteBatch batch;
        batch.put(Family::index, row(id), kept.encode());
        INOS_CHECK(replica_.write_batch(batch, Durability::synced));
    }
    return wrong;
}

bool Replica::Indexes::at_work() const {
    return std::any_of(kept_.begin(), kept_.end(), [](auto const& each) {
        return each.second.phase != Phase::ready;
    });
}

// Answers whether there is more to do. By turns, so that one that fails holds up no other.
Result<bool> Replica::Indexes::work(std::size_t budget) {
    auto const is_open = [](auto const& each) {
        return each.second.phase != Phase::ready && !each.second.given_up;
    };
    auto it = std::find_if(kept_.upper_bound(turn_), kept_.end(), is_open);
    if (it == kept_.end()) it = std::find_if(kept_.begin(), kept_.end(), is_open);
    if (it == kept_.end()) return false;
    turn_ = it->first;
    return it->second.phase == Phase::clearing ? clear(turn_, it->second, budget)
                                               : build(turn_, it->second, budget);
}

// `kept` may be gone behind this.
Result<bool> Replica::Indexes::clear(std::string const& id, Kept& kept, std::size_t budget) {
    WriteBatch batch;
    std::string const from = keys::secondary(replica_.options_.space, id);
    std::string const to = keys::secondary_end(replica_.options_.space, id);
    auto cursor = replica_.engine_.scan(Family::index, from, to);
    for (; cursor->valid() && batch.changes.size() < budget; cursor->next())
        batch.remove(Family::index, std::string(cursor->key()));
    auto const status = cursor->status();
    kept.given_up = !status && status.error().code == Errc::corruption;
    if (!kept.given_up) INOS_CHECK(status);
    bool const is_clear = !cursor->valid() && !kept.given_up;
    bool const wanted = !kept.fields.empty();
    Kept next = kept;
    if (is_clear && wanted) {
        next.phase = Phase::building;
        batch.put(Family::index, row(id), next.encode());
    } else if (is_clear) {
        batch.remove(Family::index, row(id));
    }
    INOS_CHECK(replica_.write_batch(batch, Durability::flushed));
    if (is_clear && !wanted)
        kept_.erase(id);
    else
        kept = std::move(next);
    return true;
}

Result<bool> Replica::Indexes::build(std::string const& id, Kept& kept, std::size_t budget) {
    std::uint32_t const space = replica_.options_.space;
    std::string const prefix = keys::record(space, kept.collection, {});
    std::string from = prefix + kept.built;
    if (!kept.built.empty()) from += '\0';
    CollectionSchema const& schema = replica_.schema(kept.collection);
    std::vector<std::string_view> names;
    add_names(names, kept.fields);
    Kept next = kept;
    WriteBatch batch;
    auto cursor =
        replica_.engine_.scan(Family::records, from, keys::record_end(space, kept.collection));
    std::size_t looked = 0, bytes = 0;
    for (; cursor->valid() && looked < budget && bytes < kListBytesMax; cursor->next(), ++looked) {
        bytes += cursor->value().size();
        next.built = cursor->key().substr(prefix.size());
        auto const stored = StoredRecord::decode(cursor->value(), {kept.collection, next.built});
        // When it has been repaired, the index begins again.
        if (!stored) replica_.note_damaged(kept.collection + '\0' + next.built);
        if (!stored || !visible(state_of(stored->record), schema.on_delete)) continue;
        Object const fields = resolve_fields(stored->record, schema, names);
        ++next.done;
        batch.put(
            Family::index, entry(id, index_values({id, kept.fields}, fields), next.built), {});
    }
    INOS_CHECK(replica_.states_->scanned(cursor->status(), kept.collection + '\0' + next.built));
    if (!cursor->valid()) {
        next.phase = Phase::ready;
        next.built.clear();
    }
    batch.put(Family::index, row(id), next.encode());
    INOS_CHECK(replica_.write_batch(batch, Durability::flushed));
    kept = std::move(next);
    return true;
}

std::vector<IndexDefinition> Replica::Indexes::ready(std::string_view collection) const {
    std::vector<IndexDefinition> ready;
    for (auto const& [id, kept] : kept_)
        if (kept.phase == Phase::ready && kept.collection == collection)
            ready.push_back({id, kept.fields});
    return ready;
}

std::vector<IndexStatus> Replica::Indexes::status() const {
    std::vector<IndexStatus> all;
    for (auto const& [id, kept] : kept_) {
        if (kept.fields.empty()) continue;
        IndexStatus index{kept.collection, {}, kept.phase == Phase::ready, kept.done, 0};
        for (FieldPath const& path : kept.fields)
            index.fields.push_back(dotted(path));
        auto const sums = replica_.sums_.find(kept.collection);
        if (sums != replica_.sums_.end())
            index.records = sums->second.records(replica_.schema(kept.collection).on_delete);
        all.push_back(std::move(index));
    }
    std::sort(all.begin(), all.end(), [](IndexStatus const& a, IndexStatus const& b) {
        return std::tie(a.collection, a.fields) < std::tie(b.collection, b.fields);
    });
    return all;
}

// The entries of every record that were to be there, one by one against those that are.
Result<void> Replica::Indexes::check(std::string const& id, Kept const& kept) const {
    std::uint32_t const space = replica_.options_.space;
    std::set<std::string> there;
    auto entries = replica_.engine_.scan(
        Family::index, keys::secondary(space, id), keys::secondary_end(space, id));
    for (; entries->valid(); entries->next())
        there.emplace(entries->key());
    INOS_CHECK(entries->status());
    auto const wrong = [&](std::string const& what) {
        std::string fields;
        for (FieldPath const& path : kept.fields)
            fields += (fields.empty() ? "" : ", ") + dotted(path);
        return fail(Errc::corruption,
                    "the index of " + fields + " in \"" + kept.collection + "\" " + what);
    };
    std::string const prefix = keys::record(space, kept.collection, {});
    CollectionSchema const& schema = replica_.schema(kept.collection);
    auto records =
        replica_.engine_.scan(Family::records, prefix, keys::record_end(space, kept.collection));
    for (; records->valid(); records->next()) {
        std::string const key(records->key().substr(prefix.size()));
        if (kept.phase == Phase::building && key > kept.built) break;
        auto const stored = StoredRecord::decode(records->value(), {kept.collection, key});
        if (!stored) replica_.note_damaged(kept.collection + '\0' + key);
        if (!stored || !visible(state_of(stored->record), schema.on_delete)) continue;
        Object const fields = resolve(stored->record, schema).fields;
        if (there.erase(entry(id, index_values({id, kept.fields}, fields), key)) == 0)
            return wrong("lacks the record \"" + key + "\"");
    }
    INOS_CHECK(records->status());
    if (kept.phase == Phase::ready && !there.empty())
        return wrong("holds " + std::to_string(there.size()) + " entries of no record's values");
    return {};
}

Result<void> Replica::Indexes::check() const {
    for (auto const& [id, kept] : kept_)
        if (kept.phase != Phase::clearing) INOS_CHECK(check(id, kept));
    return {};
}

// ---- what others see of it --------------------------------------------------------------------

bool Replica::needs_scrub() const {
    return unscrubbed_since_.has_value() && !indexes_->at_work();
}

Result<bool> Replica::build_indexes(std::size_t budget) {
    if (failure_) return false;
    return indexes_->work(budget);
}

std::vector<IndexDefinition> Replica::ready_indexes(std::string_view collection) const {
    return indexes_->ready(collection);
}

std::vector<IndexStatus> Replica::index_status() const {
    return indexes_->status();
}

Result<void> Replica::check_indexes() const {
    return indexes_->check();
}

}  // namespace inos
