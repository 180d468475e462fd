// Replica::commit: from what users ask for to one entry per transaction, many of them in one write.

#include <algorithm>
#include <set>

#include "crdt/merge.hpp"
#include "crdt/shown.hpp"
#include "storage/copied_fields.hpp"
#include "storage/entry_hash.hpp"
#include "storage/field_checks.hpp"
#include "storage/replica_stage.hpp"

namespace inos {
namespace {

bool is_erase(Op const& op) {
    return op.kind == static_cast<std::uint64_t>(OpKind::erase);
}

constexpr std::string_view kSchemaCollection = "_schema";

Error change_error(ChangeError const& error, RecordName const& name) {
    bool const limit = error.kind == ChangeError::Kind::limit;
    Error made{limit ? Errc::too_large : Errc::invalid,
               "\"" + error.field + "\" of \"" + name.key + "\" in \"" + name.collection +
                   "\": " + error.message,
               error.field};
    if (error.kind == ChangeError::Kind::rights) {
        made.code = Errc::rights;
        made.rights = std::make_shared<RightsShortage const>(
            RightsShortage{name, error.field, error.shortage});
    }
    return made;
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

// What a cell is a part of: the field or the leaf of a map whose path its own begins with.
std::string_view leaf_of(std::string_view path) {
    std::string_view rest = path;
    while (auto const segment = take_segment(rest))
        if (segment->type != CellType::map) break;
    return path.substr(0, path.size() - rest.size());
}

// Schema fields and leaves of maps; what sets, lists and texts consist of does not count.
std::size_t leaves(Record const& record) {
    std::size_t count = 0;
    std::string_view previous;
    for (Cell const& cell : record.cells()) {
        if (is_special(cell.path)) continue;
        std::string_view const leaf = leaf_of(cell.path);
        if (leaf != previous) ++count;
        previous = leaf;
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

    Result<void> add(Write const& asked, WriteOutcome& outcome) {
        INOS_CHECK(check_name(asked.name));
        auto const prepared = replica_.prepared(asked);
        Write const& write = prepared ? *prepared : asked;
        outcome.id = write.name.key;
        auto const* certificate = replica_.own_certificate();
        if (!certificate->may_write(collection_concerned(write.name.collection, write.name.key)))
            return fail(Errc::forbidden,
                        "this site may not write \"" + write.name.collection + "\": its role is " +
                            role_name(certificate->role) +
                            (certificate->scope.empty() ? "" : " with a limited scope"));
        INOS_TRY(Item* const item, find(write.name));
        if (erased(*item) && write.kind != Write::Kind::erase)
            return tl::unexpected(gone(write.name));
        CollectionSchema const& schema = replica_.schema(write.name.collection);
        bool const was_visible = visible(state_of(item->now), schema.on_delete);
        if (write.if_match && *write.if_match != version(*item))
            return fail(Errc::conflict,
                        "the record \"" + write.name.key + "\" in \"" + write.name.collection +
                            "\" is no longer the version that If-Match names; read it again");
        INOS_CHECK(check_seen(*item, write, was_visible));
        auto planned = plan(*item, schema, write);
        if (auto const* error = std::get_if<ChangeError>(&planned)) {
            Error made = change_error(*error, write.name);
            // Whoever was to get rights asks elsewhere; this site does not need them.
            if (write.kind == Write::Kind::transfer) made.rights = nullptr;
            return tl::unexpected(std::move(made));
        }
        auto op = std::get<std::optional<Op>>(std::move(planned));
        outcome.found = was_visible;
        outcome.changed = op.has_value();
        std::optional<Object> before;
        bool const checked = op && is_change(*op) && has_rules(schema);
        if (checked && was_visible) before = resolve(item->now, schema).fields;
        if (op) take(*item, schema, *std::move(op));
        // What is kept was written long ago, elsewhere; it cannot be refused any more.
        bool const judged = write.kind != Write::Kind::revive;
        if (checked) INOS_CHECK(check_values(*item, before ? &*before : nullptr, judged, outcome));
        if (write.kind == Write::Kind::erase) INOS_CHECK(erase_aliases(write.name));
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
        auto const chain =
            chain_next(stage_.actor(dot_.actor).chain, bytes, replica_.options_.digest_key);
        VersionVector const deps = stage_.vector();
        OpOrigin const origin{dot_, stamp_, transaction_.source, deps};
        stage_.broken_ = true;
        stage_.advance(dot_, &header, chain);
        std::vector<Dot> links;
        std::vector<Op const*> erasures;
        for (auto& item : items_) {
            if (!item->op) continue;
            INOS_TRY(Staged* const staged, stage_.record(item->name));
            if (item->name.collection == kSchemaCollection) stage_.schema_changed = true;
            if (item->name.collection == kAliasCollection) stage_.aliases_changed = true;
            if (is_erase(*item->op)) {
                links.push_back({});
                stage_.know_key(item->op->tag, item->name.key);
                erasures.push_back(&*item->op);
                continue;
            }
            links.push_back(stage_.touch(*staged, dot_));
            staged->record = item->now;
            staged->dirty = true;
        }
        stage_.append(dot_, chain, VoidReason::none, std::move(links), bytes);
        for (Op const* op : erasures)
            INOS_CHECK(stage_.erase(*op, origin));
        stage_.hlc = hlc_;
        stage_.broken_ = false;
        return std::optional(dot_);
    }

    // Of the bounded counters that the transaction has used: those of which little is left here.
    std::vector<RightsNeed> low_rights() const {
        std::vector<RightsNeed> low;
        for (auto const& item : items_) {
            std::set<std::string, std::less<>> counters;
            for (std::size_t i = 0; item->op && i < item->op->edits.size(); ++i)
                if (auto const field = used_bounded_counter(item->op->edits[i].path))
                    counters.emplace(*field);
            CollectionSchema const& schema = replica_.schema(item->name.collection);
            for (auto const& field : counters) {
                auto rights = field_rights(item->now, path_name({}, field), schema.field(field));
                if (rights)
                    rights->take_over(dot_.actor,
                                      usable(replica_.earlier_actors(), schema.field(field)));
                std::int64_t const amount =
                    rights ? rights_to_ask_ahead(*rights, dot_.actor, writers()) : 0;
                if (amount > 0) low.push_back({item->name, field, amount, true});
            }
        }
        return low;
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
        INOS_CHECK(check_schema_known(name.collection));
        INOS_TRY(Staged* const staged, stage_.record(name));
        if (staged->damaged)
            return fail(Errc::corruption,
                        "the stored record \"" + name.key + "\" of \"" + name.collection +
                            "\" is damaged, and cannot be written before it is repaired; see "
                            "`inos verify --repair`");
        auto item = std::make_unique<Item>(Item{name, staged->record, staged->record, {}});
        items_.push_back(std::move(item));
        return by_name_[key] = items_.back().get();
    }

    // What would be written without it stays as it is for ever, at all sites.
    Result<void> check_schema_known(std::string const& collection) const {
        std::string const key = std::string(kSchemaCollection) + '\0' + collection;
        bool const unknown =
            replica_.damaged_.contains(key) && !replica_.schema_documents_.contains(collection);
        if (!unknown) return {};
        return fail(Errc::corruption,
                    "the stored schema of \"" + collection +
                        "\" is damaged, and nothing can be written there before it is repaired; "
                        "see `inos verify --repair`");
    }

    std::size_t writers() const {
        auto const sites = replica_.membership_->sites();
        return static_cast<std::size_t>(
            std::count_if(sites.begin(), sites.end(), [](Certificate const& site) {
                return site.role == Role::admin || site.role == Role::writer;
            }));
    }

    std::string version(Item const& item) const { return replica_.version_of(item.name, item.now); }

    Planned plan(Item const& item, CollectionSchema const& schema, Write const& write) const {
        Author const author{dot_.actor, dot_.seq, replica_.earlier_actors()};
        switch (write.kind) {
            case Write::Kind::put:
                return plan_change(
                    item.now, schema, write.name, write.fields, AssignMode::replace, author);
            case Write::Kind::patch:
                if (write.seen)
                    return plan_shown_change(
                        item.now, schema, write.name, write.fields, *write.seen, author);
                return plan_change(
                    item.now, schema, write.name, write.fields, AssignMode::merge, author);
            case Write::Kind::delete_:
                if (write.seen) return plan_shown_delete(item.now, schema, write.name, *write.seen);
                return plan_delete(item.now, schema, write.name);
            case Write::Kind::cover: {
                // An orphan edit, or what a delete had not seen. Neither is a record that is there
                // and that nobody deleted.
                auto const state = state_of(item.now);
                if (state.exists_cell && !state.markers) return std::optional<Op>();
                return plan_cover(item.now, write.name);
            }
            case Write::Kind::revive:
                if (state_of(item.now).exists_cell)
                    return ChangeError{
                        ChangeError::Kind::bad_operation,
                        {},
                        "there is a record meanwhile, so nothing is kept or dropped"};
                return plan_change(Record(),
                                   schema,
                                   write.name,
                                   copied_fields(item.now, Record(), schema),
                                   AssignMode::replace,
                                   author);
            case Write::Kind::erase:
                return plan_erase(item);
            case Write::Kind::transfer:
                return plan_transfer_of(item, schema, write);
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

    // An op has one context, and a record that was deleted meanwhile would begin again with what
    // this write changes alone.
    static Result<void> check_seen(Item const& item, Write const& write, bool is_there) {
        std::string const record =
            "the record \"" + write.name.key + "\" in \"" + write.name.collection + "\"";
        bool const mixed = item.op && (write.seen || item.op->ctx);
        if (mixed)
            return fail(Errc::invalid,
                        "a write to " + record +
                            " that says what it has seen has to be the only one to it in its "
                            "transaction");
        if (!write.seen) return {};
        if (write.kind != Write::Kind::patch && write.kind != Write::Kind::delete_)
            return fail(
                Errc::invalid,
                "a write to " + record + " says what it has seen; only changes and deletions can");
        if (!is_there)
            return fail(Errc::conflict,
                        record + " is not there (any more); look at it again before you change it");
        return {};
    }

    static bool is_change(Op const& op) {
        return op.kind == static_cast<std::uint64_t>(OpKind::change);
    }

    // What the schema asks of the fields, of the record as the write leaves it.
    Result<void> check_values(Item const& item,
                              Object const* before,
                              bool judged,
                              WriteOutcome& outcome) const {
        CollectionSchema const& schema = replica_.schema(item.name.collection);
        auto const problems =
            check_fields(item.name, before, resolve(item.now, schema).fields, schema);
        for (FieldProblem const& problem : problems) {
            if (problem.refuses && judged)
                return fail(Errc::invalid, problem.message, problem.field);
            outcome.warnings.push_back({problem.field, problem.message});
        }
        return {};
    }

    // What lies hidden under the ids that stand for an erased record is about the same thing. An
    // erase does not name its record, so whether it is about an alias of a collection that its
    // author may write cannot be judged elsewhere: an author of limited scope deletes the alias
    // instead.
    Result<void> erase_aliases(RecordName const& name) {
        bool const everywhere = replica_.own_certificate()->scope.empty();
        for (std::string const& id : replica_.aliases_.aliases_of(name)) {
            RecordName const hidden{name.collection, id};
            RecordName const alias{std::string(kAliasCollection), alias_key(name.collection, id)};
            INOS_TRY(Item* const record, find(hidden));
            if (auto op = plan_erase(*record))
                take(*record, replica_.schema(hidden.collection), *std::move(op));
            bool const named = collection_concerned(alias.collection, alias.key) == name.collection;
            if (!everywhere && !named) continue;
            CollectionSchema const& schema = replica_.schema(alias.collection);
            INOS_TRY(Item* const item, find(alias));
            if (auto op = everywhere ? plan_erase(*item) : plan_delete(item->now, schema, alias))
                take(*item, schema, *std::move(op));
        }
        return {};
    }

    bool erased(Item const& item) const {
        return (item.op && is_erase(*item.op)) || replica_.is_erased(item.name) ||
               stage_.is_erased(item.name);
    }

    static Error gone(RecordName const& name) {
        return Error{Errc::gone,
                     "the record \"" + name.key + "\" in \"" + name.collection +
                         "\" was erased for good and cannot be written again; use another id, "
                         "such as one with a number behind it",
                     "id"};
    }

    // Nothing to do for what is erased already.
    std::optional<Op> plan_erase(Item const& item) const {
        if (erased(item)) return std::nullopt;
        Op op;
        op.kind = static_cast<std::uint64_t>(OpKind::erase);
        op.collection = item.name.collection;
        op.tag = record_tag(replica_.options_.digest_key, item.name.collection, item.name.key);
        op.proof = crypto::sign(
            replica_.options_.identity,
            erasure_statement(
                replica_.membership_->space(), dot_.actor, item.name.collection, op.tag));
        return op;
    }

    Planned plan_transfer_of(Item const& item,
                             CollectionSchema const& schema,
                             Write const& write) const {
        auto const* amount =
            write.fields.size() == 1 ? write.fields.front().value.as<std::int64_t>() : nullptr;
        if (!amount)
            return ChangeError{
                ChangeError::Kind::bad_operation, "", "a transfer names one field and an amount"};
        return plan_transfer(item.now,
                             schema,
                             write.name,
                             write.fields.front().key,
                             *amount,
                             write.to,
                             {dot_.actor, dot_.seq, replica_.earlier_actors()});
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
    INOS_CHECK(check_writable());
    if (transaction.request) {
        INOS_TRY(auto known, stage.remembered(transaction));
        if (known) return *std::move(known);
    }
    Draft draft(*this, stage, transaction);
    Committed committed;
    committed.writes.resize(transaction.writes.size());
    for (std::size_t i = 0; i < transaction.writes.size(); ++i)
        INOS_CHECK(draft.add(transaction.writes[i], committed.writes[i]));
    INOS_TRY(committed.dot, draft.finish());
    committed.low = draft.low_rights();
    for (std::size_t i = 0; i < transaction.writes.size(); ++i)
        committed.writes[i].version =
            draft.version_of({transaction.writes[i].name.collection, committed.writes[i].id});
    if (transaction.request) stage.remember(committed);
    if (transaction.journal) stage.take_journal(transaction, committed.dot);
    return committed;
}

void Replica::Stage::take_journal(Transaction const& transaction, std::optional<Dot> const& dot) {
    WriteBatch changes;
    transaction.journal(changes, dot);
    for (WriteBatch::Change& change : changes.changes) {
        INOS_ASSERT(change.family == Family::journal);
        batch_.changes.push_back(std::move(change));
        has_journal_ = true;
    }
}

std::vector<Result<Committed>> Replica::commit(std::vector<Transaction> const& group) {
    std::vector<Result<Committed>> results;
    results.reserve(group.size());
    while (results.size() < group.size())
        commit_some(group, results);
    return results;
}

// Transactions from results.size() on, with one write. Later transactions are checked against the
// schema that earlier ones have set, and go where earlier ones have made aliases lead, so one that
// changes a schema or an alias is the last of its write.
void Replica::commit_some(std::vector<Transaction> const& group,
                          std::vector<Result<Committed>>& results) {
    std::size_t const first = results.size();
    Stage stage(*this);
    bool anything = false;
    std::size_t unsure = group.size();  // the first that needs an actor of which we are certain
    while (!failed_ && results.size() < group.size() && !stage.schema_changed &&
           !stage.aliases_changed) {
        results.push_back(commit_one(stage, group[results.size()]));
        bool const writes = results.back() && results.back()->dot && !results.back()->replayed;
        bool const lacks_rights = !results.back() && results.back().error().code == Errc::rights;
        anything = anything || writes;
        // Rights are asked for by whom they will be used.
        if (writes || lacks_rights) unsure = std::min(unsure, results.size() - 1);
        if (!stage.broken_) continue;
        Error const why = results.back().error();
        std::size_t const tried = results.size();
        results.resize(first, tl::unexpected<Error>(why));
        results.resize(tried, tl::unexpected<Error>(why));
        return;
    }
    bool const current = membership_->is_current(options_.actor);
    if (!failed_ && unsure < group.size() && (doubt() != Doubt::none || !current))
        return renew_for(unsure, first, results);
    anything = anything || stage.remembers() || stage.has_journal();
    Result<void> const written = failed_    ? refused()
                                 : anything ? write(stage, options_.durability)
                                            : Result<void>();
    if (written) return;
    // After a failed write nobody may believe that anything of it happened.
    results.resize(first, tl::unexpected<Error>(written.error()));
    results.resize(failed_ ? group.size() : first, tl::unexpected<Error>(written.error()));
}

// Now that there is something to write: under a new actor, and all over again. Where that fails,
// the transaction at `unsure` is refused, and those behind it are tried anew.
void Replica::renew_for(std::size_t unsure,
                        std::size_t first,
                        std::vector<Result<Committed>>& results) {
    auto const renewed = renew_actor();
    auto const refusal = [&] { return tl::unexpected<Error>(renewed.error()); };
    if (renewed) return results.resize(first, tl::unexpected<Error>(Error{}));
    results.resize(unsure, refusal());
    results.push_back(refusal());
}

Result<void> Replica::refused() const {
    return fail(
        Errc::io,
        "an earlier write to the disk failed, so this node takes no more writes; see to the "
        "disk and start the node again");
}

}  // namespace inos
