// One space's records and log in one Engine: commit local transactions, apply foreign entries,
// read, and hand out what a peer lacks. The rules of the merge are in crdt/merge.hpp; this class
// keeps state, log, digests and version vector together in one write per group of transactions or
// batch of entries.
//
// Thread: all calls on one thread (net/store_thread.hpp gives it one). Durability: what commit()
// and apply() report is durable as the options say; nothing may leave the node before. After a
// write failed its outcome is unknown, so the replica refuses every further write until it is
// opened again.
//
// Keys, see storage/keys.hpp:
//   records  space u32 | collection | 00 | key     -> version u8 | digest 16 | class u8 | last dot
//                                                     | record
//   log      space u32 | actor u64 | seq u64       -> version u8 | void reason u8 | arrived varint
//                                                     | chain 32 | links | entry bytes as their
//                                                     author made them
//   log      space u32 | actor u64 | seq u64 | 01  -> signature 64 over the chain head at seq
//   digests  space u32 | collection                -> version u8 | sums and counts
//   meta     space u32 | 'a' | actor u64           -> version u8 | ActorState
//   meta     space u32 | 'c' | hash 16             -> certificate
//   meta     space u32 | 'l' | hash 16             -> another statement of the membership log
//   meta     space u32 | 'm'                       -> ContinuityRecord (storage/continuity.hpp)
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "crdt/change.hpp"
#include "crdt/hlc.hpp"
#include "crdt/record.hpp"
#include "crdt/resolve.hpp"
#include "crdt/types/bounded_counter.hpp"
#include "storage/acknowledgements.hpp"
#include "storage/aliases.hpp"
#include "storage/clock.hpp"
#include "storage/continuity.hpp"
#include "storage/crypto/crypto.hpp"
#include "storage/digest.hpp"
#include "storage/engine.hpp"
#include "storage/entry_batch.hpp"
#include "storage/key_ring.hpp"
#include "storage/log_starts.hpp"
#include "storage/membership.hpp"
#include "storage/record_history.hpp"
#include "storage/result.hpp"
#include "storage/rights.hpp"
#include "storage/state_transfer.hpp"

namespace inos {

struct IndexDefinition;
struct StoredRecord;
struct StoredEntry;
struct UpkeepFlags;
struct OpOrigin;
class RecordRepair;
class LogReader;
class LogSearch;

inline constexpr std::size_t kDamagedMax = 10'000;  // records that are known to be damaged
// At the local API only; merged ones are kept. Leaves: schema fields and those of maps.
inline constexpr std::size_t kRecordBytesMax = 1u << 20;
inline constexpr std::size_t kRecordLeavesMax = 1'024;
inline constexpr std::size_t kListLimitMax = 10'000;
// Records that are not visible (deleted, hidden behind an alias) and are passed over in one page.
inline constexpr std::size_t kListSkipMax = 10'000;
inline constexpr std::size_t kListBytesMax = 4u << 20;  // that are read for one page, about
inline constexpr Seq kDepsEvery = 64;  // entries from one stored version vector of deps to the next

struct Write {
    // cover: a delete marker over whatever is stored, seen or not. revive: what is stored starts
    // afresh, for edits that were found without their record.
    enum class Kind { put, patch, delete_, resolve, cover, revive, erase, transfer };
    Kind kind = Kind::put;
    RecordName name;
    // resolve: the one field and the value it shall have, written even if it has it;
    // transfer: the bounded counter and the amount of its rights that goes to `to`
    Object fields;
    std::optional<std::string> if_match;  // the version that the record must have: Errc::conflict
    ActorId to = {};
    // patch, delete_: who asks has seen only the cells that this covers; what else is in the record
    // is concurrent with the write (crdt/shown.hpp). Errc::conflict: the record is not there (any
    // more). It is the only write of its transaction to the record.
    std::optional<VersionVector> seen = std::nullopt;
};

// A request that its client may make again (storage/remembered_requests.hpp).
struct RequestName {
    std::string name;      // who asks and which request of theirs
    std::string contents;  // what is asked for: of any length, compared as a whole
};

struct Transaction {
    std::string source;  // at most kSourceBytesMax bytes
    std::vector<Write> writes;
    std::optional<RequestName> request = std::nullopt;
    // Puts changes of Family::journal beside the transaction's, to be made with them or not at all,
    // and alone if it makes no entry. It is told the entry's dot, and not called for a transaction
    // that is refused or replayed. It may be called again, with another dot, where the first did
    // not come into force.
    std::function<void(WriteBatch&, std::optional<Dot> const&)> journal = {};
};

// What a schema asks of a value that was written all the same (storage/field_checks.hpp).
struct FieldWarning {
    std::string field, message;
};

struct WriteOutcome {
    bool created = false;  // was not visible before
    bool changed = false;  // false: the record was so already
    bool found = true;     // delete: there was something to delete
    std::string version;   // after the transaction; empty when deleted
    std::string id;        // of the record that was written: another one for an alias
    std::vector<FieldWarning> warnings = {};
};

struct Committed {
    std::optional<Dot> dot;  // none: nothing changed, no entry was made
    std::vector<WriteOutcome> writes;
    std::vector<RightsNeed> low;  // bounded counters of which little is left here
    bool replayed = false;        // what became of it when it was made before, without warnings
};

struct RecordView {
    std::string id;
    Object fields;
    std::vector<Conflict> conflicts;
    std::string version;          // changes whenever the record's state does
    std::string alias = {};       // the id that was asked for, when it stands for this record
    std::string collection = {};  // only where records of several are listed
    std::size_t bytes = 0;        // that were read for it
};

// A member that has not acknowledged all that we hold: nothing newer can be purged.
struct PurgeBlocker {
    SiteId site{};
    std::string name;
    std::uint64_t entries = 0;   // that it has not acknowledged
    std::uint64_t since_ms = 0;  // when it last acknowledged anything, by its clock; 0: never
};

// How lists among a record's fields are shown: [value, ...] or, so that operations can name the
// elements, [{"element": id, "value": value}, ...].
enum class Lists { values, elements };

struct ListPage {
    std::vector<RecordView> records;
    std::optional<std::string> next;  // pass as `after`: there may be more
    std::size_t skipped = 0;          // that were looked at and are not visible
};

struct CollectionInfo {
    std::string name;
    std::uint64_t records = 0;
};

// A secondary index that a schema asks for.
struct IndexStatus {
    std::string collection;
    std::vector<std::string> fields;  // dotted paths
    bool ready = false;               // else it is being built, and no query uses it
    std::uint64_t done = 0;           // records that building has looked at ...
    std::uint64_t records = 0;        // ... of about so many
};

struct ApplyReport {
    std::size_t applied = 0;
    std::size_t known = 0;                  // were here already
    std::size_t voided = 0;                 // authentic, but without effect (see VoidReason)
    std::vector<std::string> skewed_sites;  // whose clocks are far ahead of ours
    bool schema_changed = false;
    bool took_back = false;  // entries of our own actor that were not here
};

// What a comparison of all actors' last entries with those of a peer brought to light.
struct HeadComparison {
    struct Found {
        Fork fork;
        bool is_new = false;  // nobody has been told yet
    };
    // The peer says that it holds another entry under the number. What we hold can be shown to it.
    struct Unlike {
        ActorId actor;
        Seq seq = 0;
        ActorHead ours;
    };
    std::vector<Unlike> forks;
    bool confirmed = false;  // of our actors, present or earlier: more than before
    bool over = false;       // our next write takes a new actor from now on
};

// What a peer's side of a fork means here. Neither: what it shows is what is held here.
struct ForkShown {
    std::optional<HeadComparison::Found> found;    // two histories: kept as evidence
    std::optional<HeadComparison::Unlike> cannot;  // it is ahead of us, so it has to judge: by this
};

// What may go from the log, see Replica::truncate.
struct LogRetention {
    std::uint64_t age_ms = 0;            // entries that came here less long ago stay
    std::size_t budget = 1'000;          // about so many entries and ops are looked at
    std::map<ActorId, Seq> needed = {};  // entries behind these stay
};

struct ReplicaOptions {
    std::uint32_t space = 1;  // this space's number in the engine's keys
    ActorId actor;            // ours, unless the engine names the one that came after it
    crypto::SigningKey identity;
    crypto::Secret digest_key;
    Durability durability = Durability::synced;
    // What the directory looks like now; nullopt: there is none, as in tests.
    std::optional<DirectoryMarks> marks = std::nullopt;
    KeyRing keys = {};             // that the site was given when it was admitted
    crypto::KeyPair sealing = {};  // opens those that were sealed to it later
    // Who lacks no more entries than this is not offered a state instead, if the log reaches back.
    std::uint64_t state_entries_min = kStateEntriesMin;
    std::size_t state_write_bytes = kStateWriteBytes;  // about
};

// All statements of the membership log that the engine holds, in any order.
Result<std::vector<std::string>> stored_statements(Engine const& engine, std::uint32_t space);
void put_statement(WriteBatch& batch, std::uint32_t space, std::string_view bytes);

class Replica {
public:
    // From what the engine holds; `membership` must know the options' actor.
    static Result<std::unique_ptr<Replica>> open(Engine& engine,
                                                 Clock const& clock,
                                                 Membership membership,
                                                 ReplicaOptions options);
    ~Replica();

    // ---- writing -------------------------------------------------------------------------------
    // Group commit: each transaction is all or nothing for itself and sees the ones before it; all
    // of them become durable with one sync. One result per transaction, in order. Where it is not
    // certain that this directory wrote last under its actor (doubt()), the first entry takes a new
    // one; Errc::unavailable if there were too many today.
    std::vector<Result<Committed>> commit(std::vector<Transaction> const& group);

    // Applies a peer's batch in one write, or nothing of it. Errc::protocol: a chain or signature
    // is not its author's, or the batch is not causally closed: end the connection. Entries that
    // are known are skipped, so a batch may come twice.
    Result<ApplyReport> apply(EntryBatch const& batch);

    // ---- continuity, storage/continuity.hpp -------------------------------------------------
    // Why the next write takes a new actor; none: it does not.
    Doubt doubt() const;
    // The marker file of the directory is about to get the nonce; then what it looks like.
    Result<void> expect_marker(MarkerNonce const& nonce);
    Result<void> record_marks(DirectoryMarks const& marks);
    // The last entries of all actors that a peer holds, as it has just said: finds where they are
    // not ours, and whether the peer confirms our own or claims more of them.
    Result<HeadComparison> compare_heads(std::vector<DepHead> const& theirs);
    // A peer's side of a fork, signed. Errc::protocol: it is not what the author signed.
    Result<ForkShown> add_fork(ActorId actor, Seq seq, ActorHead const& theirs);
    // Makes our own entries durable and signs the last: whoever has a copy can show them to others.
    Result<void> sign_own_log();
    // The last entry held of an actor that has any, as its author signed it.
    Result<ActorHead> head_of(ActorId actor) const;
    // Is there anything that a peer could confirm?
    bool wants_confirmation() const;
    std::map<ActorId, Fork> const& forks() const { return forks_; }
    // Own or not, by whatever actor of this site.
    bool is_ours(ActorId actor) const;
    // Actors whose rights of bounded counters this site may use: those that it has left in this
    // directory, and those of retired sites whose heir it is, once none of the members can bring
    // anything of them any more, as far as the last call of stable() found.
    EarlierActors earlier_actors() const;
    // Members that may still hold more of a retired site, because they have not acknowledged that
    // they know of its retirement and what they hold of it. While there are any, nobody uses its
    // rights.
    Result<std::vector<SiteId>> may_know_more_of(SiteId const& retired) const;

    // ---- upkeep: called now and then by the node ------------------------------------------------
    // Our acknowledgement of what we hold, made durable; nullopt: nothing has changed since the
    // last.
    Result<std::optional<std::string>> acknowledge();
    // Takes those of others; answers which were new, to be passed on. Errc::protocol: one is not
    // signed. Those of sites that are no members here (yet) are left out.
    Result<std::vector<std::string>> add_acknowledgements(std::vector<std::string> const& set);
    std::map<SiteId, std::string> const& acknowledgements() const {
        return acknowledgement_bytes_->by_site;
    }
    // The same as of now, for other threads: it never changes, a new one takes its place.
    std::shared_ptr<Acknowledgements const> shared_acknowledgements() const {
        return acknowledgement_bytes_;
    }
    // Entries that every member is known to hold on the same chain: nobody can write any more
    // without having seen them.
    Result<VersionVector> stable();
    std::vector<PurgeBlocker> purge_blockers() const;
    // Drops deleted records that are stable, looking at up to `budget`; answers how many went. Goes
    // on at the next call; a whole round without a change of what is stable costs nothing more.
    Result<std::size_t> purge(std::size_t budget);
    // Cuts entries from the log that are stable, old enough, and the first of their actor and of
    // the records that they touched; answers how many went. Goes on at the next call. None while
    // records are being repaired, or wait for it: the log may be what they are built from.
    Result<std::size_t> truncate(LogRetention const& retention);
    // Under delete-wins: deletes our own deleted records again where concurrent edits came to
    // light.
    Result<std::size_t> delete_again(std::size_t budget);
    // Edits whose record every member has purged (they came from an old copy): not shown, kept for
    // somebody to decide (Write::Kind::revive or cover). Those behind `after`, ascending, of one
    // collection or, if `only` is empty, of all.
    Result<std::vector<RecordView>> orphans(RecordName const& after,
                                            std::string_view only,
                                            std::size_t limit) const;
    Result<bool> is_orphan(RecordName const& name) const;
    // After an erasure the engine still holds the old bytes somewhere. Take a ticket, let the
    // engine scrub (Engine::scrub, on any thread), give the ticket back.
    // Not while a secondary index is cleared or built: its rows may still name what is erased.
    bool needs_scrub() const;
    ScrubTicket scrub_ticket() const { return {vector_, erasing_writes_}; }
    Result<void> scrubbed(ScrubTicket const& ticket);
    std::vector<ErasureStatus> erasure_status() const;

    // Drops what is remembered of requests that nobody makes again; answers how many went.
    Result<std::size_t> forget_requests(std::size_t budget);
    // Builds and drops secondary indexes as the schemas say, looking at up to `budget` records.
    // True: there is more to do.
    Result<bool> build_indexes(std::size_t budget);

    // ---- membership, storage/membership.hpp -------------------------------------------------
    // Adds statements durably, together with the changes of `with`. Answers how many were new.
    Result<std::size_t> add_statements(std::vector<std::string> const& set, WriteBatch with = {});
    // The same of what can be checked of a set that may be incomplete.
    Result<std::size_t> learn(std::vector<std::string> const& set);
    // Errc::forbidden: the site is no member (any more), and nothing is taken from it.
    Result<void> check_member(SiteId const& site) const;
    // For a certificate from which its actor follows: differs between two copies of one machine,
    // even where their random numbers do not.
    Nonce fresh_nonce() const;
    // Retires a member for good, naming what this site holds of it, and rotates the key.
    // Errc::forbidden: this site is no admin; not_found: it is no member; conflict: it is this site
    // itself.
    Result<void> retire(SiteId const& site);
    // Gives a member other rights from now on. The same errors; Errc::invalid for a scope that does
    // not go with the role.
    Result<void> change_role(SiteId const& site, Role role, std::vector<std::string> scope);
    // A new key seals from now on. Errc::forbidden: this site is no admin.
    Result<void> rotate_key();
    // Seals the key in force to a member that has not got it. False: it has, or this site has not.
    Result<bool> share_key(SiteId const& site);
    std::shared_ptr<KeyRing const> keys() const { return keys_; }
    // Makes this site an admin and retires `lost`, by the right of the recovery key, which is
    // replaced by `next`. Errc::forbidden: it is none of this space, or no more.
    Result<void> recover(crypto::SigningKey const& recovery,
                         std::vector<SiteId> const& lost,
                         SiteId const& next);

    // ---- reading -------------------------------------------------------------------------------
    Result<std::optional<RecordView>> get(RecordName const& name,
                                          Lists lists = Lists::values) const;
    // Visible records with id > after, ascending by the bytes of their ids. Reserved collections
    // too. The page ends early, maybe without a record, after passing over `skip_max` others, and
    // where more than kListBytesMax were read.
    Result<ListPage> list(std::string_view collection,
                          std::string_view after,
                          std::size_t limit,
                          std::size_t skip_max = kListSkipMax) const;
    // Who holds how much of a bounded counter; nullopt where there is none. What may be taken over
    // from earlier actors of this site counts as the present one's.
    Result<std::optional<FieldRights>> rights(RecordName const& name, std::string_view field) const;
    std::vector<CollectionInfo> collections() const;  // not the reserved ones, not the empty ones
    std::uint64_t record_count() const;               // visible records in them
    // What the log holds of one record; of a longer history the newest steps within the limits.
    // Nothing of an erased record; of a deleted one as long as the log is kept.
    Result<RecordHistory> history(RecordName const& name, HistoryLimits const& limits = {}) const;
    // Where the log of each actor begins.
    LogStarts const& log_starts() const { return log_starts_; }
    // The same without the author itself, also of the last entry that was cut. Precondition: held.
    Result<VersionVector> seen_at(Dot dot) const;
    // What the entry's author held just before it; nullopt: not held.
    Result<std::optional<VersionVector>> deps_of(Dot dot) const;
    // Erased for good: reads find nothing, writes are refused with Errc::gone.
    bool is_erased(RecordName const& name) const;
    bool is_erased(RecordTag const& tag) const { return erasures_.contains(tag); }
    // Of one erased here since the opening: the last kErasedNamesMax names, in memory only.
    std::optional<RecordName> erased_name(RecordTag const& tag) const;
    std::map<RecordTag, Erasure> const& erasures() const { return erasures_; }
    // Names behind `after` of records that may hold conflicts, ascending, of one collection or, if
    // `only` is empty, of all. Whether one does is for get() to say: it depends on the schema.
    Result<std::vector<RecordName>> conflict_candidates(RecordName const& after,
                                                        std::string_view only,
                                                        std::size_t limit) const;
    CollectionSchema const& schema(std::string_view collection) const;
    // Ids that stand for other records: reads and writes of them go there, and lists leave out what
    // lies under their own keys.
    Aliases const& aliases() const { return aliases_; }
    // What lies under this very key, visible or not, alias or not; an empty record for nothing.
    Result<Record> record_at(RecordName const& name) const;
    // The same, whole: Errc::corruption where the stored digest is not that of the bytes.
    Result<Record> checked_record(RecordName const& name) const;
    // Records that were found damaged and are still to be repaired: collection | 00 | key, at most
    // kDamagedMax of them. They are neither read nor written until then.
    std::set<std::string> const& damaged_records() const { return damaged_; }
    // The version of a record in this state; empty when nothing of it is visible.
    std::string version_of(RecordName const& name, Record const& record) const;
    // Fields of the `_schema` records by collection, as storage/schema_document.hpp reads them.
    std::map<std::string, Object> const& schema_documents() const { return schema_documents_; }

    // Secondary indexes, storage/secondary_index.hpp: those that answer queries, and all.
    std::vector<IndexDefinition> ready_indexes(std::string_view collection) const;
    std::vector<IndexStatus> index_status() const;
    // Compares every index with the records. Errc::corruption names the first that differs.
    Result<void> check_indexes() const;

    // ---- exchange ------------------------------------------------------------------------------
    VersionVector const& vector() const { return vector_; }
    // The chains of vector()'s entries, in its order.
    std::vector<ChainPrefix> chains() const;
    Digest128 root() const;
    // False while stubs are here whose erase is still to come: the root may then differ from that
    // of a site with the same entries.
    bool root_comparable() const { return pending_erasures_.empty(); }
    Membership const& membership() const { return *membership_; }
    // The same as of now, for other threads: it never changes, a new one takes its place.
    std::shared_ptr<Membership const> shared_membership() const { return membership_; }
    ActorId actor() const { return options_.actor; }
    // The chain hash at (actor, seq): what deps and comparisons name. nullopt: not held.
    Result<std::optional<crypto::Hash32>> chain_at(Dot dot) const;
    // Its beginning, also of an entry that was cut from the log.
    Result<std::optional<ChainPrefix>> chain_prefix_at(Dot dot) const;
    // Is that the chain at the entry, as far as it is kept here? nullopt: nothing is.
    Result<std::optional<bool>> is_on_chain(Dot dot, crypto::Hash32 const& there) const;
    // The next batch for a peer that holds `theirs`: about `target_bytes` of entries, at least one
    // if it lacks any. May sign our own head, durably, before it answers. Errc::gone: it lacks
    // entries that were cut from the log.
    Result<EntryBatch> collect(VersionVector const& theirs, std::size_t target_bytes);
    // ---- states instead of entries, storage/state_transfer.hpp -------------------------------
    // Shall `to`, which holds `theirs`, be offered the state? `gone`: collect() says that entries
    // are no way. Else where the state is less, and it has not come to nothing before.
    Result<bool> prefers_state(SiteId const& to, VersionVector const& theirs, bool gone);
    // No state came about, to or from the site.
    void state_failed(SiteId const& site);
    // The part that `to` asks for, of a snapshot that is kept for it. Errc::forbidden: states are
    // given by admins only; conflict: the histories differ; unavailable: not now.
    Result<StatePart> give_state(SiteId const& to,
                                 StateAsk const& ask,
                                 StatePartLimits const& limits = {});
    // What to ask `from` for next; nullopt: a state arrives from another site.
    std::optional<StateAsk> state_ask(SiteId const& from);
    // Stages a part; with the last one all of it comes into force. The same errors, and
    // Errc::protocol: it is no part of any state that an honest site holds.
    Result<StateTaken> take_state(SiteId const& from, StatePart const& part);
    std::optional<StateProgress> state_progress() const;
    // Snapshots that nobody asks for any more, and what is staged of a state that has come as
    // entries.
    Result<void> drop_idle_states();
    bool failed() const { return failed_; }
    // Holds what its issuer held when this site was admitted; before, commit() answers
    // Errc::unavailable, so that a new member never writes over what it has not seen.
    bool caught_up() const;
    Engine& engine() const { return engine_; }
    std::uint32_t space_number() const { return options_.space; }
    // Recomputes the root from the records (inos verify, doctor). Errc::corruption names the first
    // record whose stored digest is not that of its bytes.
    Result<Digest128> recompute_root() const;

private:
    struct ActorState;
    struct Staged;
    class Stage;
    class Draft;
    class Collector;
    class Truncation;
    class States;
    class Indexes;
    using Sums = std::map<std::string, CollectionSums, std::less<>>;
    struct Summing;
    friend class RecordRepair;  // storage/record_repair.hpp
    friend class LogReader;
    friend class LogSearch;

    Replica(Engine& engine, Clock const& clock, Membership membership, ReplicaOptions options);
    Result<void> check_admin(std::string_view act) const;
    Result<Certificate> other_member(SiteId const& site, char const* itself) const;
    Certificate const* own_certificate() const;
    std::string retirement_of(SiteId const& site, crypto::SigningKey const& by) const;
    std::string change_of_rights(Certificate certificate, crypto::SigningKey const& by) const;
    std::string rotation(Membership const& members) const;
    void update_keys();
    Result<std::size_t> keep(Membership next,
                             std::vector<std::string> const& added,
                             WriteBatch batch);
    Result<void> check_writable() const;
    std::vector<StatementHash> issued_by(SiteId const& site) const;
    Result<void> load_stored();
    Result<void> load_again();
    Result<void> load();
    Result<void> load_or_repair();
    Result<void> load_schemas();
    Result<void> load_erasures();
    Result<void> load_acknowledgements();
    Result<void> load_continuity();
    bool lost_since(Acknowledgement const& own) const;
    Result<void> renew_actor();
    void renew_for(std::size_t unsure, std::size_t first, std::vector<Result<Committed>>& results);
    std::string end_of_actor() const;
    Result<void> change_record(ContinuityRecord record);
    void put_record(WriteBatch& batch, ContinuityRecord const& record) const;
    Result<bool> keep_fork(Fork const& fork);
    void suspect(Doubt doubt);
    Result<void> confirm(std::vector<ActorId> const& same, HeadComparison& found);
    void look_for_another_life(Certificate const& certificate, ContinuityRecord& record) const;
    void set_acknowledgements(std::map<SiteId, std::string> by_site);
    std::vector<std::pair<std::string, VersionVector>> scrubbed_by_members() const;
    Result<std::optional<VersionVector>> held_by(Acknowledgement const& ack) const;
    Result<std::optional<VersionVector>> last_held_by(SiteId const& site) const;
    bool holds_all_of(SiteId const& author, std::optional<VersionVector> const& held) const;
    void find_inherited(std::vector<std::optional<VersionVector>> const& held);
    bool is_only_life() const;
    // Does `vector` name every entry that touched the record, of which `last` is the newest?
    Result<bool> history_within(RecordName const& name,
                                Dot last,
                                VersionVector const& vector) const;
    Result<void> load_aliases();
    Result<void> follow_aliases(Stage const& stage);
    void remember_erased(Stage const& stage);
    std::optional<Write> prepared(Write const& write) const;
    Result<Committed> commit_one(Stage& stage, Transaction const& transaction);
    Result<void> apply_run(Stage& stage, EntryRun const& run, ApplyReport& report);
    Result<void> apply_entry(Stage& stage, Dot dot, std::string const& bytes, ApplyReport& report);
    Result<void> check_deps(Stage const& stage,
                            Certificate const& author,
                            EntryHeader const& header) const;
    VoidReason judge(Certificate const& author, Entry const& entry) const;
    Result<void> check_erasures(Stage& stage, EntryBatch const& batch) const;
    Result<std::vector<Dot>> apply_ops(Stage& stage,
                                       OpOrigin const& origin,
                                       Entry const& entry,
                                       EntryFrame const& frame,
                                       std::vector<RecordTag> const& tags);
    Result<void> check_size(EntryBatch const& batch) const;
    Result<void> check_heads(Stage& stage, EntryBatch const& batch) const;
    void sign_head(Stage& stage) const;
    Result<void> keep_signature(SignedHead const& head, Durability durability);
    void commit_some(std::vector<Transaction> const& group,
                     std::vector<Result<Committed>>& results);
    Result<void> refused() const;
    void note_damaged(std::string key);
    Result<StoredRecord> checked(std::string_view value, RecordName const& name) const;
    Result<void> write(Stage& stage, Durability durability);
    Result<void> write(Stage& stage, Sums sums, Durability durability);
    void put_row(Stage& stage,
                 std::string const& key,
                 Staged& staged,
                 Sums& sums,
                 Summing* summing = nullptr) const;
    void index_upkeep(Stage& stage, Staged const& staged, UpkeepFlags now) const;
    void index_conflict(Stage& stage, Staged const& staged, bool belongs) const;
    Result<void> write_batch(WriteBatch const& batch, Durability durability);
    crypto::Signature sign_own(Dot dot, crypto::Hash32 const& chain) const;
    RecordView view(RecordName const& name, StoredRecord const& stored) const;

    Engine& engine_;
    Clock const& clock_;
    std::shared_ptr<Membership const> membership_;
    ReplicaOptions options_;
    std::shared_ptr<KeyRing const> keys_;

    VersionVector vector_;
    std::map<ActorId, ActorState> actors_;
    LogStarts log_starts_;
    ActorId cut_from_;  // where the next truncation begins to look
    std::shared_ptr<void const> log_pin_ = std::make_shared<int>(0);  // held: nothing is cut
    Sums sums_;
    HlcClock hlc_;
    std::map<RecordTag, Erasure> erasures_;
    std::set<RecordTag> pending_erasures_;  // proven, but their erase has not come yet
    std::optional<VersionVector> unscrubbed_since_;
    std::map<RecordTag, RecordName> erased_names_;
    std::deque<RecordTag> erased_order_;
    std::uint64_t erasing_writes_ = 0;  // since the replica was opened
    std::map<SiteId, Acknowledgement> acknowledgements_;
    std::shared_ptr<Acknowledgements const> acknowledgement_bytes_ =
        std::make_shared<Acknowledgements const>();
    VersionVector stable_, purging_with_, purged_with_;
    bool stable_known_ = false;
    std::vector<ActorId> inherited_;       // of retired sites whose heir we are
    crypto::Hash16 inherited_among_{};     // the membership that this was found for
    std::string purge_from_, again_from_;  // engine keys where the walks go on
    Aliases aliases_;
    std::map<std::string, Object> schema_documents_;
    std::map<std::string, CollectionSchema, std::less<>> schemas_;
    ContinuityRecord continuity_;
    Doubt doubt_ = Doubt::none, suspicion_ = Doubt::none;  // by what is stored; by what is said
    std::vector<std::uint64_t> suspicions_ms_;             // on which new actors were taken
    std::map<ActorId, Fork> forks_;
    std::unique_ptr<States> states_;
    std::unique_ptr<Indexes> indexes_;
    Seq own_synced_ = 0;  // our own entries up to here are certainly on the disk
    std::weak_ptr<Summing> summing_;
    std::set<std::string> damaged_;
    bool rows_missing_ = false;  // a block of records was lost, and not all of them are known
    bool sums_lost_ = false;
    bool failed_ = false;
};

}  // namespace inos
