// Inside the replica: what a group of transactions or a batch of entries will change, gathered
// beside the replica's state, so that all of it happens in one write or nothing of it does.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/replica.hpp"

namespace inos {

// What the replica keeps per actor. Stored under meta 'a':
//   version u8 (1) | seq varint | signed seq varint | hlc u64 | chain 32 | deps VersionVector
struct Replica::ActorState {
    Seq seq = 0;             // the last entry that is held
    Seq signed_seq = 0;      // the last one with a signature in the log
    Hlc hlc;                 // of the last entry
    crypto::Hash32 chain{};  // at seq
    VersionVector deps;      // whole deps of the last entry, without the actor itself

    std::string encode() const;
    static std::optional<ActorState> decode(std::string_view bytes);
};

// What upkeep has to look at a record for: it holds markers, or cells without a record.
struct UpkeepFlags {
    bool markers = false, orphan = false;
};
UpkeepFlags upkeep_flags(Record const& record);

// How many entries the vector names: no list through the log is longer.
inline std::uint64_t entries_in(VersionVector const& vector) {
    std::uint64_t sum = 0;
    for (auto const& [actor, seq] : vector.items())
        sum += seq;
    return sum;
}

// Of a walk that sums the digests of all records again, up to where it has come.
struct Replica::Summing {
    std::string from;
    Sums sums;
};

// A record as it will be written.
struct Replica::Staged {
    RecordName name;
    Record record;
    DigestClass stored_class = DigestClass::none;  // as it is in the engine
    Digest128 stored_digest;
    bool stored_conflict = false;             // is in the index of conflicts
    UpkeepFlags stored_upkeep;                // is in the indexes that upkeep walks
    std::vector<std::string> stored_entries;  // in secondary indexes
    bool index_unknown = false;               // whatever these say of it, they are told anew
    Dot last;    // the newest entry here that touched the record: its history begins there
    Dot before;  // the one before it, if it is of this stage
    bool dirty = false;
    bool gone = false;          // erased: nothing stays under its key
    bool list_unknown = false;  // entries may have touched it that its history does not name
    // What is stored, if it cannot be read: it stays so, marked, until it is repaired, and `record`
    // counts for nothing.
    std::optional<std::string> damaged;

    void take(StoredRecord stored);  // as it is in the engine
    void index_anew();
};

class Replica::Stage {
public:
    explicit Stage(Replica& replica);

    // The record as it stands in the stage; read from the engine at first. The pointer lives as
    // long as the stage.
    Result<Staged*> record(RecordName const& name);
    ActorState& actor(ActorId actor);
    VersionVector const& vector() const { return vector_; }

    // The chain hash at a dot, in the stage or in the log.
    Result<std::optional<crypto::Hash32>> chain_at(Dot dot) const;
    Result<std::optional<ChainPrefix>> chain_prefix_at(Dot dot) const;

    // Moves the actor's state and the vector over an entry, ...
    void advance(Dot dot, EntryHeader const* header, crypto::Hash32 const& chain);
    // ... says for one of its ops that it touches the record, and answers the entry before it that
    // did, if it is another one; itself, where that is not known (list_unknown), ...
    static Dot touch(Staged& staged, Dot dot);
    // ... and takes it into the log. `links`: what touch() answered, for every op.
    void append(Dot dot,
                crypto::Hash32 const& chain,
                VoidReason reason,
                std::vector<Dot> links,
                std::string_view bytes);
    void put_signature(Dot dot, crypto::Signature const& signature);

    // ---- erasure, replica_erase.cpp ----
    bool is_erased(RecordTag const& tag) const;
    bool is_erased(RecordName const& name) const;
    // Takes note that the tag's record has to go; ops on it have no effect from now on.
    void put_proof(Erasure const& erasure);
    // Erases the record, if it is here, and what the log holds of it. `op` is an erase.
    Result<void> erase(Op const& op, OpOrigin const& origin);
    // The same bytes, with stubs in place of ops on erased records.
    std::string without_erased(std::string_view bytes,
                               std::vector<RecordTag> const& tags,
                               VoidReason reason) const;
    // What is being applied, if it is a batch: all its erasures are looked for at once.
    EntryBatch const* batch = nullptr;
    void know_key(RecordTag const& tag, std::string key) { erased_keys_[tag] = std::move(key); }

    // ---- requests that may be made again, remembered_requests.cpp ----
    Result<std::optional<Committed>> remembered(Transaction const& transaction);
    // The one that was asked about last has come to this.
    void remember(Committed const& committed);
    bool remembers() const { return !requests_.empty(); }

    // What the transaction puts into the journal.
    void take_journal(Transaction const& transaction, std::optional<Dot> const& dot);
    bool has_journal() const { return has_journal_; }

    HlcClock hlc;
    bool schema_changed = false;
    bool aliases_changed = false;
    bool scrub = false;  // something was erased: its bytes have to go from the disk

private:
    friend class Replica;
    friend class RecordRepair;
    Result<void> rewrite_log(Dot dot, RecordTag const& tag, Dot& before);
    Result<bool> rewrite_history(Dot last, RecordTag const& tag);
    void wait_for_repair(std::string const& key);
    Result<void> rewrite_void_entries(RecordTag const& tag);
    Result<void> relink(RecordTag const& tag,
                        std::vector<Dot> const& order,
                        std::size_t first,
                        std::size_t end,
                        bool whole);
    Result<void> find_erased_keys();
    void note_wanted(RecordName const& name);
    Result<std::optional<std::string>> key_of(RecordTag const& tag);

    Replica& replica_;
    VersionVector vector_;
    std::map<ActorId, ActorState> actors_;                                   // touched ones
    std::map<ActorId, std::pair<Seq, std::vector<crypto::Hash32>>> chains_;  // first seq, hashes
    std::unordered_map<std::string, Staged> records_;                        // by engine key
    std::map<RecordTag, Erasure> erasures_;                                  // new ones
    std::set<RecordTag> marked_;       // tags whose erase has been applied in this stage
    std::set<RecordTag> wanted_tags_;  // of the batch's erasures
    std::map<RecordTag, std::string> erased_keys_;
    std::vector<std::pair<RecordTag, RecordName>> erased_names_;  // by this stage
    bool keys_searched_ = false;
    std::map<Dot, std::size_t> entries_;           // written by this stage: where in the batch
    std::vector<Dot> void_entries_;                // new ones
    std::map<std::string, std::string> requests_;  // new ones
    std::string request_key_;
    crypto::Hash16 request_contents_{};
    bool has_journal_ = false;
    bool broken_ = false;  // a transaction failed half way: nothing of the stage may be written
    WriteBatch batch_;
};

// A record's stored form: version u8 (2) | digest 16 | class u8 | last: actor u64, seq varint
// | record bytes. A purged record leaves one without cells: its history stays as long as the log
// holds it.
struct StoredRecord {
    Digest128 digest;
    DigestClass digest_class = DigestClass::none;
    Dot last;
    Record record;

    static std::string encode(Digest128 const& digest,
                              DigestClass digest_class,
                              Dot last,
                              Record const& record);
    static Result<StoredRecord> decode(std::string_view bytes, RecordName const& name);

    // What counts in the sums, without the record. Of bytes that cannot be read: kNotComparable.
    struct Head {
        Digest128 digest;
        DigestClass digest_class = DigestClass::none;
    };
    static Head head(std::string_view bytes);
    // The same bytes under a digest that no record has, so that the roots of this site and of
    // others differ until the record is put right. Bytes without a whole head count so anyway.
    static std::string marked_as_damaged(std::string bytes);
};

// Whether a record stands in the index of conflicts: under some schema it is there and has one.
bool belongs_to_conflicts(DigestClass digest_class, Record const& record);

// An entry's stored form: version u8 (2) | void reason u8 | arrived ms varint | chain 32
// | links: count varint, link* | entry bytes
//   link  = seq varint << 1 | 1 if it is the entry's own actor, else then actor u64      none: 0
// A link belongs to the op of the same index and names the entry that touched the op's record
// before this one did, here: so a record's history is a list through the log, without an index of
// its own.
struct StoredEntry {
    VoidReason reason = VoidReason::none;
    std::uint64_t arrived_ms = 0;
    crypto::Hash32 chain{};
    std::vector<Dot> links;
    std::string_view bytes;

    std::string encode(ActorId author) const;
    // `bytes` is a view into value.
    static std::optional<StoredEntry> decode(std::string_view value, ActorId author);
};

Error corrupt_entry(Dot dot);

}  // namespace inos
