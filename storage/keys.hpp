// Keys of the engine's families. Numbers are big-endian, so byte order is number order; a space's
// keys begin with its number in this directory, so that one engine holds several spaces.
//
//   records  space u32 | collection | 00 | key          collection names hold no 00
//   records  space u32 | collection | 00 | 01 | tag 16  the marks of an erased record; keys hold no
//                                                       control characters
//   log      space u32 | actor u64 | seq u64            an entry
//   log      space u32 | actor u64 | seq u64 | 01       the author's signature of the head there
//   index    space u32 | 'd' | collection | 00 | key    a record with markers
//   index    space u32 | 'o' | collection | 00 | key    cells without an existence cell
//   index    space u32 | 'v' | actor u64 | seq u64      deps of every 64th entry: VersionVector
//   index    space u32 | 'x' | actor u64 | seq u64      an entry that is void
//   index    space u32 | 'c' | collection | 00 | key    a record that may hold a conflict
//   index    space u32 | 'h' | actor u64 | block u64    chains of entries cut from the log
//   index    space u32 | 's' | id 16 | values | key      a record in a secondary index
//   index    space u32 | 't' | id 16                    a secondary index (replica_indexes.hpp)
//   digests  space u32 | collection
//   meta     space u32 | 'a' | actor u64                ActorState
//   meta     space u32 | 'b' | actor u64                where its log begins (log_starts.hpp)
//   meta     space u32 | 'c' | hash 16                  certificate
//   meta     space u32 | 'd' | collection | 00 | key    a record that cannot be read
//   meta     space u32 | 'e' | tag 16                   proof of an erasure
//   meta     space u32 | 'f' | actor u64                a fork of it (storage/continuity.hpp)
//   meta     space u32 | 'g'                            genesis
//   meta     space u32 | 'i' | invite id 8              invitation
//   meta     space u32 | 'k' | site 32                  its last acknowledgement
//   meta     space u32 | 'l' | hash 16                  a statement about members, no certificate
//   meta     space u32 | 'm'                            what tells this directory from its copies
//   meta     space u32 | 'n'                            not all rows of records may be here: a
//                                                       block of them could not be read
//   meta     space u32 | 'o'                            our own actor
//   meta     space u32 | 'r' | day u32 | request 16     what became of a request to write
//   meta     space u32 | 's'                            what was erased since is still on the disk:
//                                                       VersionVector
//   staging  space u32 | 'm'                            whose state arrives: StateManifest, signed
//   staging  space u32 | 'p'                            up to which record it is here
//   staging  space u32 | a row's name                   a row of it; 'q': it comes into force
//   meta     00000000  | name                           the directory's own: format version, peers
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "crdt/bytes.hpp"
#include "crdt/ids.hpp"

namespace inos::keys {

inline std::string record(std::uint32_t space, std::string_view collection, std::string_view key) {
    std::string out;
    out.reserve(5 + collection.size() + key.size());
    put_u32(out, space);
    out += collection;
    out += '\0';
    out += key;
    return out;
}

// The first key behind those of a collection: its prefix ends in 00, this in 01.
inline std::string record_end(std::uint32_t space, std::string_view collection) {
    std::string out = record(space, collection, {});
    out.back() = '\1';
    return out;
}

inline std::string log(std::uint32_t space, Dot dot) {
    std::string out;
    put_u32(out, space);
    put_u64(out, dot.actor.value);
    put_u64(out, dot.seq);
    return out;
}

inline std::string signature(std::uint32_t space, Dot dot) {
    std::string out = log(space, dot);
    out += '\1';
    return out;
}

inline std::string digest(std::uint32_t space, std::string_view collection) {
    std::string out;
    put_u32(out, space);
    out += collection;
    return out;
}

inline std::string erased_key(std::string_view tag) {
    return '\1' + std::string(tag);
}

inline std::string index_entry(std::uint32_t space, char kind, Dot dot) {
    std::string out;
    put_u32(out, space);
    out += kind;
    put_u64(out, dot.actor.value);
    put_u64(out, dot.seq);
    return out;
}
inline std::string index_record(std::uint32_t space,
                                char kind,
                                std::string_view collection,
                                std::string_view key) {
    std::string out;
    put_u32(out, space);
    out += kind;
    out += collection;
    out += '\0';
    out += key;
    return out;
}
// Collection and key of such an index key.
inline std::optional<std::pair<std::string, std::string>> indexed_record(std::string_view key) {
    if (key.size() < 5) return std::nullopt;
    std::string_view const rest = key.substr(5);
    std::size_t const zero = rest.find('\0');
    if (zero == std::string_view::npos) return std::nullopt;
    return std::pair(std::string(rest.substr(0, zero)), std::string(rest.substr(zero + 1)));
}
// The beginning of all entries of a secondary index.
inline std::string secondary(std::uint32_t space, std::string_view id) {
    std::string out;
    put_u32(out, space);
    out += 's';
    out += id;
    return out;
}
// ... and what is behind them: values begin with 6 at most.
inline std::string secondary_end(std::uint32_t space, std::string_view id) {
    return secondary(space, id) + '\x07';
}
inline std::string deps(std::uint32_t space, Dot dot) {
    return index_entry(space, 'v', dot);
}
inline std::string void_entry(std::uint32_t space, Dot dot) {
    return index_entry(space, 'x', dot);
}
inline std::string cut_chains(std::uint32_t space, ActorId actor, std::uint64_t block) {
    return index_entry(space, 'h', {actor, block});
}

inline std::string conflict(std::uint32_t space,
                            std::string_view collection,
                            std::string_view key) {
    std::string out;
    put_u32(out, space);
    out += 'c';
    out += collection;
    out += '\0';
    out += key;
    return out;
}

inline std::string meta(std::uint32_t space, char kind, ActorId actor) {
    std::string out;
    put_u32(out, space);
    out += kind;
    put_u64(out, actor.value);
    return out;
}

// Also the beginning of the keys of one kind in the index.
inline std::string meta_kind(std::uint32_t space, char kind) {
    std::string out;
    put_u32(out, space);
    out += kind;
    return out;
}

// `key`: collection | 00 | key.
inline std::string damaged_record(std::uint32_t space, std::string_view key) {
    return meta_kind(space, 'd').append(key);
}

// All keys of a space in any family lie in [space_begin, space_end).
inline std::string space_begin(std::uint32_t space) {
    std::string out;
    put_u32(out, space);
    return out;
}
inline std::string space_end(std::uint32_t space) {
    return space_begin(space + 1);
}

inline std::string directory(std::string_view name) {
    std::string out;
    put_u32(out, 0);
    out += name;
    return out;
}

}  // namespace inos::keys
