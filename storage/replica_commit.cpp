// Replica::commit: from what users ask for to one entry per transaction, many of them in one write.

#include <algorithm>

#include "crdt/merge.hpp"
#include "storage/entry_hash.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

constexpr std::string_view kSchemaCollection = "_schema";

Error change_error(ChangeError const& error, RecordName const& name) {
    bool const limit = error.kind == ChangeError::Kind::limit;
    return Error{limit ? Errc::too_large : Errc::invalid,
                 "\"" + error.field + "\" of \"" + name.key + "\" in \"" + name.collection +
                     "\": " + error.message,
                 error.field};
}

Result<void> check_name(RecordName const& name) {
    if (!valid_name(name.collection))
        return fail(Errc::too_large,
                    "the collection's name \"" + name.collection +
                        "\" has to be 1 to 256 bytes of UTF-8 without control characters",
                    "collection");
    if (!valid_name(name.key))
        return fail(Errc::too_large,
                    "the id \"" + name.key + "\" in \"" + name.collection +
                        "\" has to be 1 to 256 bytes of UTF-8 without control characters",
                    "id");
    return {};
}

// Schema fields and leaves of maps; elements of sets do not count.
std::size_t leaves(Record const& record) {
    std::size_t count = 0;
    std::string_view previous;
    for (Cell const& cell : record.cells()) {
        bool const element = static_cast<CellType>(cell.path.back()) == CellType::element;
        if (!is_special(cell.path) && !element && cell.path != previous) ++count;
        previous = cell.path;
    }
    return count;
}

Result<void> check_record_limits(RecordName const& name, Record const& record) {
    std::size_t const bytes = record.encode().size();
    if (bytes > kRecordBytesMax)
        return fail(Errc::too_large,
                    "the record \"" + name.key + "\" in \"" + name.collection + "\" would have " +
                        std::to_string(bytes) + " bytes; the limit is " +
                        std::to_string(kRecordBytesMax));
    std::size_t const fields = leaves(record);
    if (fields > kRecordLeavesMax)
        return fail(Errc::too_large,
                    "the record \"" + name.key + "\" in \"" + name.collection + "\" would have " +
                        std::to_string(fields) + " fields and map leaves; the limit is " +
                        std::to_string(kRecordLeavesMax));
    return {};
}

std::vector<std::string> names_of(std::vector<Op> const& ops) {
    std::vector<std::string> names;
    auto const add = [&names](std::string_view name) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
    };
    for (Op const& op : ops) {
        add(op.collection);
        for (Edit const& edit : op.edits)
            add(Reader(edit.path).blob());
    }
    return names;
}

Result<void> check_entry_limits(std::vector<Op> const& ops, std::size_t bytes) {
    std::size_t edits = 0;
    for (Op const& op : ops)
        edits += op.edits.size();
    if (ops.size() > kEntryOpsMax || edits > kEntryOpsMax)
        return fail(Errc::too_large,
                    "a transaction with " + std::to_string(std::max(ops.size(), edits)) +
                        " changes is over the limit of " + std::to_string(kEntryOpsMax) +
                        "; split it");
    if (bytes > kEntryBytesMax)
        return fail(Errc::too_large,
                    "a transaction of " + std::to_string(bytes) + " bytes is over the limit of " +
                        std::to_string(kEntryBytesMax) + "; split it");
    return {};
}

}  // namespace

// One transaction in the making: its records as they were before and as they will be.
class Replica::Draft {
public:
    Draft(Replica& replica, Stage& stage, Transaction const& transaction)
        : replica_(replica), stage_(stage), transaction_(transaction), hlc_(stage.hlc) {
        dot_ = {replica.options_.actor, stage.vector().at(replica.options_.actor) + 1};
        stamp_ = hlc_.tick(replica.clock_.now_ms());
    }

    Result<void> add(Write const& write, WriteOutcome& outcome) {
        INOS_CHECK(check_name(write.name));
        auto const* certificate = replica_.membership_->by_actor(dot_.actor);
        if (!certificate->may_write(write.name.collection))
            return fail(Errc::forbidden,
                        "this site may not write \"" + write.name.collection + "\": its role is " +
                            role_name(certificate->role) +
                            (certificate->scope.empty() ? "" : " with a limited scope"));
        INOS_TRY(Item* const item, find(write.name));
        CollectionSchema const& schema = replica_.schema(write.name.collection);
        bool const was_visible = visible(state_of(item->now), schema.on_delete);
        if (write.if_match && *write.if_match != version(*item))
            return fail(Errc::conflict,
                        "the record \"" + write.name.key + "\" in \"" + write.name.collection +
                            "\" is no longer the version that If-Match names; read it again");
        auto planned = plan(*item, schema, write);
        if (auto const* error = std::get_if<ChangeError>(&planned))
            return tl::unexpected(change_error(*error, write.name));
        auto op = std::get<std::optional<Op>>(std::move(planned));
        outcome.found = was_visible;
        outcome.changed = op.has_value();
        if (op) take(*item, schema, *std::move(op));
        outcome.created = !was_visible && visible(state_of(item->now), schema.on_delete);
        return {};
    }

    // Makes the entry; answers its dot, or none when nothing changed.
    Result<std::optional<Dot>> finish() {
        std::vector<Op> ops;
        for (auto const& item : items_)
            if (item->op) ops.push_back(*item->op);
        if (ops.empty()) return std::optional<Dot>();
        EntryHeader header{dot_, stamp_, changed_deps(), transaction_.source, names_of(ops)};
        Salt salt{};
        crypto::random_bytes(salt.data(), salt.size());
        std::string const bytes = encode_entry(header, salt, ops);
        INOS_CHECK(check_entry_limits(ops, bytes.size()));
        for (auto const& item : items_)
            if (item->op && item->op->kind == static_cast<std::uint64_t>(OpKind::change))
                INOS_CHECK(check_record_limits(item->name, item->now));
        auto const chain = chain_next(stage_.actor(dot_.actor).chain, bytes);
        for (auto& item : items_) {
            if (!item->op) continue;
            INOS_TRY(Staged* const staged, stage_.record(item->name));
            staged->record = item->now;
            staged->dirty = true;
            if (item->name.collection == kSchemaCollection) stage_.schema_changed = true;
        }
        stage_.append(dot_, &header, chain, VoidReason::none, bytes);
        stage_.hlc = hlc_;
        return std::optional(dot_);
    }

    std::string version_of(RecordName const& name) {
        for (auto const& item : items_)
            if (item->name == name) return version(*item);
        return {};
    }

private:
    struct Item {
        RecordName name;
        Record base, now;
        std::optional<Op> op;
    };

    Result<Item*> find(RecordName const& name) {
        auto const key = std::pair(name.collection, name.key);
        auto const it = by_name_.find(key);
        if (it != by_name_.end()) return it->second;
        INOS_TRY(Staged* const staged, stage_.record(name));
        auto item = std::make_unique<Item>(Item{name, staged->record, staged->record, {}});
        items_.push_back(std::move(item));
        return by_name_[key] = items_.back().get();
    }

    std::string version(Item const& item) const {
        CollectionSchema const& schema = replica_.schema(item.name.collection);
        if (!visible(state_of(item.now), schema.on_delete)) return {};
        return record_digest(
                   replica_.options_.digest_key, item.name.collection, item.name.key, item.now)
            .text();
    }

    Planned plan(Item const& item, CollectionSchema const& schema, Write const& write) const {
        Author const author{dot_.actor, dot_.seq};
        switch (write.kind) {
            case Write::Kind::put:
                return plan_change(
                    item.now, schema, write.name, write.fields, AssignMode::replace, author);
            case Write::Kind::patch:
                return plan_change(
                    item.now, schema, write.name, write.fields, AssignMode::merge, author);
            case Write::Kind::delete_:
                return plan_delete(item.now, schema, write.name);
            case Write::Kind::resolve:
                break;
        }
        bool const one = write.fields.size() == 1 && visible(state_of(item.now), schema.on_delete);
        if (!one)
            return ChangeError{ChangeError::Kind::bad_operation,
                               write.fields.empty() ? "" : write.fields.front().key,
                               "there is no such record to resolve a field of"};
        Member const& member = write.fields.front();
        return plan_resolution(item.now, schema, write.name, member.key, member.value, author);
    }

    // The new op on top of what the transaction did to the record so far.
    void take(Item& item, CollectionSchema const& schema, Op op) {
        item.op = item.op ? compose(item.base, schema, *std::move(item.op), std::move(op))
                          : std::optional(std::move(op));
        item.now = item.base;
        OpOrigin const origin{dot_, stamp_, transaction_.source, stage_.vector()};
        if (item.op) inos::apply(item.now, *item.op, origin);
    }

    // The version vector as the difference from the author's previous entry.
    std::vector<DepHead> changed_deps() {
        std::vector<DepHead> changed;
        VersionVector const before = stage_.actor(dot_.actor).deps;
        for (auto const& [actor, seq] : stage_.vector().items()) {
            if (actor == dot_.actor || before.at(actor) == seq) continue;
            changed.push_back({actor, seq, chain_prefix(stage_.actor(actor).chain)});
        }
        return changed;
    }

    Replica& replica_;
    Stage& stage_;
    Transaction const& transaction_;
    Dot dot_;
    HlcClock hlc_;
    Hlc stamp_;
    std::vector<std::unique_ptr<Item>> items_;  // in the order of the transaction
    std::map<std::pair<std::string, std::string>, Item*> by_name_;
};

Result<Committed> Replica::commit_one(Stage& stage, Transaction const& transaction) {
    if (transaction.source.size() > kSourceBytesMax || !valid_utf8(transaction.source))
        return fail(Errc::invalid,
                    "the source \"" + transaction.source + "\" has to be at most " +
                        std::to_string(kSourceBytesMax) + " bytes of UTF-8",
                    "source");
    if (!caught_up())
        return fail(
            Errc::unavailable,
            "this site has not caught up with its space yet; it takes writes when it has met "
            "a site that holds what there was when it was admitted");
    Draft draft(*this, stage, transaction);
    Committed committed;
    committed.writes.resize(transaction.writes.size());
    for (std::size_t i = 0; i < transaction.writes.size(); ++i)
        INOS_CHECK(draft.add(transaction.writes[i], committed.writes[i]));
    INOS_TRY(committed.dot, draft.finish());
    for (std::size_t i = 0; i < transaction.writes.size(); ++i)
        committed.writes[i].version = draft.version_of(transaction.writes[i].name);
    return committed;
}

std::vector<Result<Committed>> Replica::commit(std::vector<Transaction> const& group) {
    std::vector<Result<Committed>> results;
    results.reserve(group.size());
    while (results.size() < group.size())
        commit_some(group, results);
    return results;
}

// Transactions from results.size() on, with one write. Later transactions are checked against the
// schema that earlier ones have set, so one that changes a schema is the last of its write.
void Replica::commit_some(std::vector<Transaction> const& group,
                          std::vector<Result<Committed>>& results) {
    std::size_t const first = results.size();
    Stage stage(*this);
    bool anything = false;
    while (!failed_ && results.size() < group.size() && !stage.schema_changed) {
        results.push_back(commit_one(stage, group[results.size()]));
        anything = anything || (results.back() && results.back()->dot);
    }
    Result<void> const written = failed_    ? refused()
                                 : anything ? write(stage, options_.durability)
                                            : Result<void>();
    if (written) return;
    // After a failed write nobody may believe that anything of it happened.
    results.resize(first, tl::unexpected<Error>(written.error()));
    results.resize(failed_ ? group.size() : first, tl::unexpected<Error>(written.error()));
}

Result<void> Replica::refused() const {
    return fail(
        Errc::io,
        "an earlier write to the disk failed, so this node takes no more writes; see to the "
        "disk and start the node again");
}

}  // namespace inos
