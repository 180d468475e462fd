// An entry: one local transaction of one actor, the unit of replication. Its bytes are made once,
// by its author, and never re-encoded: they are stored, forwarded, hashed and signed as they are.
//
//   entry   = version u8 (1) | form u8 | header blob | salt | count varint, op*
//   form    = 0 whole: salt is 8 bytes
//           | 1 at least one op erased: no salt, each remaining op is followed by its 32-byte key
//   header  = actor u64 | seq varint | hlc u64 | deps | source blob | names: count, blob*
//           | extension blob
//   deps    = count varint | count times: actor u64, seq varint, chain 8    ascending by actor
//   op      = kind varint (1..) | body blob           an op
//           | 0 | void reason u8 | tag 16 | hash 32   a stub: an op that was erased
//
// deps are the author's version vector just before the entry, without the author itself, as the
// difference from the author's previous entry; `chain` is the first 8 bytes of the chain hash at
// that (actor, seq), so that deps name entries and not only numbers.
//
//   op 1, change  = collection varint (name index) | key blob | flags varint | [ctx VersionVector]
//                   | count varint, edit*
//   op 2, delete  = collection varint | key blob | flags varint | [ctx] | seen VersionVector
//   op 3, erase   = collection varint | tag 16 | signature 64 of the author's site over the erasure
//   op of a newer version: its body begins with collection varint | key blob, as that of a change
//   flags         = bit 0 fresh (the record did not exist for the author) | bit 1 names its own ctx
//   edit          = kind varint | field varint (name index + 1, 0: path holds all) | path blob
//                   | payload blob
//
// Names (collections, fields) stand once per entry, in the header; keys, elements, map keys and
// values stand in ops only, so that erasing an op leaves nothing of them. Kinds of ops and edits
// that a reader does not know are kept, forwarded and hashed like all others and have no effect
// here.
//
// Hashes (computed by storage/entry_hash.hpp; BLAKE2b-256 all):
//   op key     = keyed by salt: "inos op key 1" | op index u32
//   op hash    = keyed by op key: kind varint | body blob
//   tag        = first 4 of T("inos collection tag 1" | collection blob)
//              | last 12 of T("inos tag 1" | collection blob | key blob); zeros where the op has no
//              record's name in it; T: BLAKE2b-128 keyed by the space's digest key
//   chain(n)   = "inos chain 1" | chain(n-1) | hash of header | (tag | op hash)*
//              | "inos chain 1 malformed" | chain(n-1) | hash of all bytes     bytes without a
//              frame
// The salt is in no hash but through the op keys, so that erasing an op can drop it with its key.
// The tag stands for the record in a stub: whoever knows that a record was erased recognizes the
// ops that had to go with it, and nobody can drop others.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/ids.hpp"
#include "crdt/version_vector.hpp"

namespace inos {

inline constexpr std::uint8_t kEntryVersion = 1;
inline constexpr std::size_t kEntryBytesMax = 3 << 20;
inline constexpr std::size_t kEntryOpsMax = 10'000;  // ops, and edits of all ops together
inline constexpr std::size_t kPayloadBytesMax = 256 << 10;
inline constexpr std::size_t kSourceBytesMax = 64;

using Salt = std::array<std::uint8_t, 8>;
using OpHash = std::array<std::uint8_t, 32>;
using RecordTag = std::array<std::uint8_t, 16>;
using ErasureSignature = std::array<std::uint8_t, 64>;
using ChainPrefix = std::array<std::uint8_t, 8>;

enum class EditKind : std::uint8_t {
    write = 1,    // remove the cells at the path that ctx covers, then add one with the payload
    remove = 2,   // remove the cells at the path, not of runs, that ctx covers
    clear = 3,    // remove the cells under the path (a prefix) that ctx covers
    count = 4,    // continue or begin the author's run at the path; payload RunCell (delta, start)
    cut = 5,      // take code points away from one cell at the path, if ctx covers it; payload Cut
    end_run = 6,  // clear, but of one run at the path and its `lost` cells; payload RunName
};

struct Edit {
    std::uint64_t kind = 0;  // EditKind, or one that this version does not know
    std::string path;        // whole, as in path.hpp
    std::string payload;
    bool operator==(Edit const&) const = default;
};

enum class OpKind : std::uint8_t { change = 1, delete_ = 2, erase = 3 };

struct Op {
    std::uint64_t kind = 0;  // OpKind, or one that this version does not know (then only `body`)
    std::string collection;
    std::string key;
    bool fresh = false;
    std::optional<VersionVector> ctx;  // older than deps, where the op names one
    std::vector<Edit> edits;           // change
    VersionVector seen;                // delete: the cells it saw, per actor the highest seq
    RecordTag tag{};                   // erase: the record's, which has no key here
    ErasureSignature proof{};          // erase
    std::string body;                  // of unknown kinds
    bool operator==(Op const&) const = default;
};

struct DepHead {
    ActorId actor;
    Seq seq = 0;
    ChainPrefix chain{};
    bool operator==(DepHead const&) const = default;
};

struct EntryHeader {
    Dot dot;
    Hlc hlc;
    std::vector<DepHead> deps;  // changed heads only
    std::string source;
    std::vector<std::string> names;
    bool operator==(EntryHeader const&) const = default;
};

// The bytes of a new entry. Every collection stands among the header's names; an op of an unknown
// kind is its body.
std::string encode_entry(EntryHeader const& header, Salt const& salt, std::vector<Op> const& ops);

// Why an authentic entry has no effect. Stored with the entry; never reused.
enum class VoidReason : std::uint8_t {
    none = 0,
    malformed = 1,     // bytes that no author may write
    wrong_dot = 2,     // the header names another actor or seq than the place in the chain
    over_limit = 3,    // one of the limits above
    out_of_range = 4,  // seq or hlc near the end of their range
    not_a_writer = 5,  // the author's certificate has no right to write
    out_of_scope = 6,  // a collection that the certificate does not name
    bad_proof = 7,     // an erasure whose signature is not its author's
};
char const* describe(VoidReason reason);

// The outer frame of an entry's bytes: enough for hashes, nothing interpreted. Views into the
// bytes.
struct EntryFrame {
    struct OpFrame {
        std::string_view kind_and_body;  // empty when erased
        std::string_view key;            // 32 bytes in form 1
        OpHash erased{};                 // of a stub: the erased op's hash
        RecordTag tag{};                 // of a stub
        VoidReason reason{};             // of a stub: the op had made its entry void
    };
    std::string_view header;
    std::string_view salt;  // 8 bytes in form 0
    std::vector<OpFrame> ops;
};
std::optional<EntryFrame> frame_entry(std::string_view bytes);

// The names that a header lists, and the record that an op is about, both without decoding the
// rest; for tags and for following a record through the log. Views into the bytes. No names for a
// malformed header, no record for an erase or where the bytes name none.
std::vector<std::string_view> header_names(std::string_view header);
struct OpRecord {
    std::string_view collection, key;
};
std::optional<OpRecord> op_record(std::vector<std::string_view> const& names,
                                  std::string_view kind_and_body);

// The bytes of an entry with `stubs` in place of the ops at their indexes; ops that were stubs
// already stay so. `keys` are those of all ops, in form 0 only.
struct Stub {
    std::size_t index = 0;
    RecordTag tag{};
    OpHash hash{};
    VoidReason reason{};
};
std::string encode_erased(EntryFrame const& frame,
                          std::vector<Stub> const& stubs,
                          std::vector<OpHash> const& keys);

// True when the bytes say that a newer version of the format made them. Such an entry is neither
// applied nor void: this node has to be upgraded before it can go on with that author.
inline bool from_newer_version(std::string_view bytes) {
    return !bytes.empty() && static_cast<std::uint8_t>(bytes.front()) > kEntryVersion;
}

// True when the bytes are in form 1. Whoever forwards an entry could put it into that form, and it
// keeps its chain and signatures; so it may be believed only together with the erasures that it is
// the result of.
inline bool in_erased_form(std::string_view bytes) {
    return bytes.size() >= 2 && bytes[0] == static_cast<char>(kEntryVersion) && bytes[1] == '\1';
}

std::optional<EntryHeader> decode_header(std::string_view header);

// A whole entry, without its stubs. Ops of unknown kinds have no collection.
struct Entry {
    EntryHeader header;
    std::vector<Op> ops;
};

// Decodes and judges everything that the entry's own bytes can decide, expecting it at `dot`.
// On a reason other than none, `entry.ops` is empty, and the header is filled where it could be
// read.
struct DecodedEntry {
    Entry entry;
    VoidReason reason = VoidReason::none;
    bool header_known = false;
};
DecodedEntry decode_entry(std::string_view bytes, Dot dot);

}  // namespace inos
