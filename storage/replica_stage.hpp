// Inside the replica: what a group of transactions or a batch of entries will change, gathered
// beside the replica's state, so that all of it happens in one write or nothing of it does.
#pragma once

#include <map>
#include <string>
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

// A record as it will be written.
struct Replica::Staged {
    RecordName name;
    Record record;
    DigestClass stored_class = DigestClass::none;  // as it is in the engine
    Digest128 stored_digest;
    bool dirty = false;
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

    // Takes an entry into the log and moves the actor's state and the vector.
    void append(Dot dot,
                EntryHeader const* header,
                crypto::Hash32 const& chain,
                VoidReason reason,
                std::string const& bytes);
    void put_signature(Dot dot, crypto::Signature const& signature);

    HlcClock hlc;
    bool schema_changed = false;

private:
    friend class Replica;

    Replica& replica_;
    VersionVector vector_;
    std::map<ActorId, ActorState> actors_;                                   // touched ones
    std::map<ActorId, std::pair<Seq, std::vector<crypto::Hash32>>> chains_;  // first seq, hashes
    std::unordered_map<std::string, Staged> records_;                        // by engine key
    WriteBatch batch_;
};

// A record's stored form: version u8 (1) | digest 16 | class u8 | record bytes.
struct StoredRecord {
    Digest128 digest;
    DigestClass digest_class = DigestClass::none;
    Record record;

    static std::string encode(Digest128 const& digest,
                              DigestClass digest_class,
                              Record const& record);
    static Result<StoredRecord> decode(std::string_view bytes, RecordName const& name);
};

// An entry's stored form: version u8 (1) | void reason u8 | arrived ms varint | chain 32 | entry
// bytes.
struct StoredEntry {
    VoidReason reason = VoidReason::none;
    std::uint64_t arrived_ms = 0;
    crypto::Hash32 chain{};
    std::string_view bytes;

    std::string encode() const;
    static std::optional<StoredEntry> decode(std::string_view value);  // a view into value
};

Error corrupt_entry(Dot dot);

}  // namespace inos
