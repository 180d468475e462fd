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
//   records  space u32 | collection | 00 | key     -> version u8 | digest 16 | class u8 | record
//   log      space u32 | actor u64 | seq u64       -> version u8 | void reason u8 | arrived varint
//                                                     | chain 32 | entry bytes as their author made
//   log      space u32 | actor u64 | seq u64 | 01  -> signature 64 over the chain head at seq
//   digests  space u32 | collection                -> version u8 | sums and counts
//   meta     space u32 | 'a' | actor u64           -> version u8 | ActorState
//   meta     space u32 | 'c' | actor u64           -> certificate
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "crdt/change.hpp"
#include "crdt/hlc.hpp"
#include "crdt/record.hpp"
#include "crdt/resolve.hpp"
#include "storage/clock.hpp"
#include "storage/crypto/crypto.hpp"
#include "storage/digest.hpp"
#include "storage/engine.hpp"
#include "storage/membership.hpp"
#include "storage/result.hpp"

namespace inos {

struct StoredRecord;

inline constexpr std::size_t kRecordBytesMax =
    1 << 20;  // at the local API only; merged ones are kept
inline constexpr std::size_t kRecordLeavesMax =
    1'024;  // schema fields and map leaves, local API only
inline constexpr std::size_t kListLimitMax = 10'000;

// What a batch may hold, for the one who makes it and for the one who takes it. A stretch that its
// author signed only at the end cannot be cut by those who forward it, so a larger one would stop
// at the next site for ever.
inline constexpr std::size_t kBatchBytesMax = 3'500'000;  // of entries
inline constexpr std::size_t kBatchEntriesMax = 100'000;
inline constexpr std::size_t kEntryWeight = 32;  // what an entry costs besides its bytes

struct Write {
    enum class Kind { put, patch, delete_, resolve };
    Kind kind = Kind::put;
    RecordName name;
    Object fields;  // resolve: the one field and the value it shall have, written even if it has it
    std::optional<std::string> if_match;  // the version that the record must have: Errc::conflict
};

struct Transaction {
    std::string source;  // at most kSourceBytesMax bytes
    std::vector<Write> writes;
};

struct WriteOutcome {
    bool created = false;  // was not visible before
    bool changed = false;  // false: the record was so already
    bool found = true;     // delete: there was something to delete
    std::string version;   // after the transaction; empty when deleted
};

struct Committed {
    std::optional<Dot> dot;  // none: nothing changed, no entry was made
    std::vector<WriteOutcome> writes;
};

struct RecordView {
    std::string id;
    Object fields;
    std::vector<Conflict> conflicts;
    std::string version;  // changes whenever the record's state does
};

struct ListPage {
    std::vector<RecordView> records;
    std::optional<std::string> next;  // pass as `after`: there may be more
};

struct CollectionInfo {
    std::string name;
    std::uint64_t records = 0;
};

// A gapless piece of one actor's log.
struct EntryRun {
    ActorId actor;
    Seq first = 0;
    std::vector<std::string> entries;
};

struct SignedHead {
    ActorId actor;
    Seq seq = 0;
    crypto::Signature signature{};
};

// A causally closed set of entries in causal order; the last entry of every actor in it is signed.
struct EntryBatch {
    std::vector<EntryRun> runs;
    std::vector<SignedHead> heads;

    bool empty() const { return runs.empty(); }
    std::size_t entries() const;
    std::size_t bytes() const;   // of all entries
    std::size_t weight() const;  // what collect()'s target counts: bytes, and a little per entry
};

struct ApplyReport {
    std::size_t applied = 0;
    std::size_t known = 0;                  // were here already
    std::size_t voided = 0;                 // authentic, but without effect (see VoidReason)
    std::vector<std::string> skewed_sites;  // whose clocks are far ahead of ours
    bool schema_changed = false;
};

struct ReplicaOptions {
    std::uint32_t space = 1;  // this space's number in the engine's keys
    ActorId actor;            // ours
    crypto::SigningKey identity;
    crypto::Secret digest_key;
    Durability durability = Durability::synced;
};

class Replica {
public:
    // Reads the state that the engine holds; `membership` must know the options' actor.
    static Result<std::unique_ptr<Replica>> open(Engine& engine,
                                                 Clock const& clock,
                                                 Membership membership,
                                                 ReplicaOptions options);
    ~Replica();

    // ---- writing -------------------------------------------------------------------------------
    // Group commit: each transaction is all or nothing for itself and sees the ones before it; all
    // of them become durable with one sync. One result per transaction, in order.
    std::vector<Result<Committed>> commit(std::vector<Transaction> const& group);

    // Applies a peer's batch in one write, or nothing of it. Errc::protocol: a chain or signature
    // is not its author's, or the batch is not causally closed: end the connection. Entries that
    // are known are skipped, so a batch may come twice.
    Result<ApplyReport> apply(EntryBatch const& batch);

    // Adds certificates durably, together with the changes of `with`. Answers how many were new.
    Result<std::size_t> add_certificates(std::vector<std::string> const& set, WriteBatch with = {});

    // ---- reading -------------------------------------------------------------------------------
    Result<std::optional<RecordView>> get(RecordName const& name) const;
    // Visible records with id > after, ascending by the bytes of their ids. Reserved collections
    // too.
    Result<ListPage> list(std::string_view collection,
                          std::string_view after,
                          std::size_t limit) const;
    std::vector<CollectionInfo> collections() const;  // not the reserved ones, not the empty ones
    std::uint64_t record_count() const;               // visible records in them
    CollectionSchema const& schema(std::string_view collection) const;
    // Fields of the `_schema` records by collection, as storage/schema_document.hpp reads them.
    std::map<std::string, Object> const& schema_documents() const { return schema_documents_; }

    // ---- exchange ------------------------------------------------------------------------------
    VersionVector const& vector() const { return vector_; }
    Digest128 root() const;
    Membership const& membership() const { return *membership_; }
    // The same as of now, for other threads: it never changes, a new one takes its place.
    std::shared_ptr<Membership const> shared_membership() const { return membership_; }
    ActorId actor() const { return options_.actor; }
    // The chain hash at (actor, seq): what deps and comparisons name. nullopt: not held.
    Result<std::optional<crypto::Hash32>> chain_at(Dot dot) const;
    // The next batch for a peer that holds `theirs`: about `target_bytes` of entries, at least one
    // if it lacks any. May sign our own head, durably, before it answers.
    Result<EntryBatch> collect(VersionVector const& theirs, std::size_t target_bytes);
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

    Replica(Engine& engine, Clock const& clock, Membership membership, ReplicaOptions options);
    Result<void> load();
    Result<void> load_schemas();
    Result<Committed> commit_one(Stage& stage, Transaction const& transaction);
    Result<void> apply_run(Stage& stage, EntryRun const& run, ApplyReport& report);
    Result<void> apply_entry(Stage& stage, Dot dot, std::string const& bytes, ApplyReport& report);
    Result<void> check_deps(Stage const& stage,
                            Certificate const& author,
                            EntryHeader const& header) const;
    VoidReason judge(Certificate const& author, Entry const& entry) const;
    Result<void> check_size(EntryBatch const& batch) const;
    Result<void> check_heads(Stage& stage, EntryBatch const& batch) const;
    void sign_head(Stage& stage) const;
    Result<void> keep_signature(SignedHead const& head, Durability durability);
    void commit_some(std::vector<Transaction> const& group,
                     std::vector<Result<Committed>>& results);
    Result<void> refused() const;
    Result<void> write(Stage& stage, Durability durability);
    Result<void> write_batch(WriteBatch const& batch, Durability durability);
    crypto::Signature sign_own(Dot dot, crypto::Hash32 const& chain) const;
    RecordView view(RecordName const& name, StoredRecord const& stored) const;

    Engine& engine_;
    Clock const& clock_;
    std::shared_ptr<Membership const> membership_;
    ReplicaOptions options_;

    VersionVector vector_;
    std::map<ActorId, ActorState> actors_;
    std::map<std::string, CollectionSums, std::less<>> sums_;
    HlcClock hlc_;
    std::map<std::string, Object> schema_documents_;
    std::map<std::string, CollectionSchema, std::less<>> schemas_;
    Seq own_synced_ = 0;  // our own entries up to here are certainly on the disk
    bool failed_ = false;
};

}  // namespace inos
