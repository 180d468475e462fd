// The replica's aliases: read when it opens, kept when it writes, and followed by writes.

#include "storage/field_checks.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

// What the record of `_alias` says, if it is there.
std::optional<Alias> alias_of(std::string const& key, Record const& record) {
    CollectionSchema const plain;
    if (!visible(state_of(record), plain.on_delete)) return std::nullopt;
    return Alias::parse(key, resolve(record, plain).fields);
}

}  // namespace

Result<void> Replica::load_aliases() {
    std::string const from = keys::record(options_.space, kAliasCollection, {});
    auto cursor =
        engine_.scan(Family::records, from, keys::record_end(options_.space, kAliasCollection));
    for (; cursor->valid(); cursor->next()) {
        RecordName const name{std::string(kAliasCollection),
                              std::string(cursor->key().substr(from.size()))};
        if (!valid_name(name.key)) continue;  // the mark of an erased one
        auto const kept = StoredRecord::decode(cursor->value(), name);
        if (!kept && kept.error().code != Errc::corruption) return tl::unexpected(kept.error());
        if (!kept) note_damaged(name.collection + '\0' + name.key);
        auto alias = kept ? alias_of(name.key, kept->record) : std::nullopt;
        if (!alias) continue;
        RecordName const below{alias->collection, alias->from};
        auto const record = record_at(below);
        aliases_.set(name.key, std::move(alias));
        if (!record && record.error().code == Errc::corruption) continue;  // until its repair
        INOS_CHECK(record);
        aliases_.set_state(below, state_of(*record));
    }
    return cursor->status();
}

// After a write: what it has made of aliases, and of the records under their ids.
Result<void> Replica::follow_aliases(Stage const& stage) {
    for (auto const& [key, staged] : stage.records_) {
        bool const told = staged.gone || (staged.dirty && !staged.damaged);
        if (staged.name.collection != kAliasCollection || !told) continue;
        auto alias = staged.gone ? std::nullopt : alias_of(staged.name.key, staged.record);
        RecordName const below = alias ? RecordName{alias->collection, alias->from} : RecordName{};
        aliases_.set(staged.name.key, std::move(alias));
        if (below.key.empty()) continue;
        auto const record = record_at(below);
        if (!record && record.error().code == Errc::corruption) continue;  // until its repair
        INOS_CHECK(record);
        aliases_.set_state(below, state_of(*record));
    }
    for (auto const& [key, staged] : stage.records_)
        if (staged.gone || (staged.dirty && !staged.damaged))
            aliases_.set_state(staged.name, staged.gone ? RecordState{} : state_of(staged.record));
    return {};
}

// The write as it is meant here: to the record that its id stands for, with texts in the form that
// the schema asks for. Nothing when it is so already. What is done to a record because of what it
// holds itself, seen or not, is done under its own id.
std::optional<Write> Replica::prepared(Write const& write) const {
    bool const own = write.kind == Write::Kind::cover || write.kind == Write::Kind::revive;
    auto const master =
        own ? write.name.key : aliases_.master(write.name.collection, write.name.key);
    CollectionSchema const& rules = schema(write.name.collection);
    bool const values = write.kind == Write::Kind::put || write.kind == Write::Kind::patch ||
                        write.kind == Write::Kind::resolve;
    bool const canon = values && has_canon(rules);
    if (master == write.name.key && !canon) return std::nullopt;
    Write prepared = write;
    prepared.name.key = std::string(master);
    if (canon) prepared.fields = canonical_fields(std::move(prepared.fields), rules);
    return prepared;
}

}  // namespace inos
