// Versions of what is stored: the store-wide number in the row "format" of the directory, and the
// byte that most rows begin with (docs/storage-format.md has the list).
//
// A store of an older number is brought up to ours at opening, step by step; one of a newer number is
// refused. So is a row whose byte is above what this program reads: it was written by a newer
// program, it is no damage, and nothing may put it "right". Since a byte can also be damaged, only
// the next kVersionsAhead versions count as newer; a row that begins with anything else is damaged.
//
// Whoever changes what a row means raises the store's number and adds an upgrade, or a row's version
// and keeps the reader of the old one.
//
// Thread: the engine's, before a replica is opened on it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/change.hpp"
#include "crdt/ids.hpp"
#include "storage/engine.hpp"
#include "storage/result.hpp"

namespace inos {

inline constexpr std::uint64_t kStoreFormat = 1;
inline constexpr std::uint8_t kRecordVersion = 2, kLogVersion = 2;  // that rows begin with
inline constexpr std::uint8_t kVersionsAhead = 16;

constexpr bool is_newer_version(std::uint8_t found, std::uint8_t reads) {
    return found > reads && found - reads <= kVersionsAhead;
}

// Errc::unsupported: what was found, what is read, what to do. `what` begins the sentence.
Error newer_version(std::string const& what, std::uint64_t found, std::uint64_t reads);

inline bool is_newer_row(std::string_view row, std::uint8_t reads) {
    return !row.empty() && is_newer_version(static_cast<std::uint8_t>(row.front()), reads);
}
// Precondition: it is.
Error newer_record(RecordName const& name, std::string_view row);
Error newer_entry(Dot dot, std::string_view row);

// Of a text that begins with `magic` and its version in digits ("inos-key-1 ..."): the error, if that
// is above ours.
std::optional<Error> newer_text(std::string_view text,
                                std::string_view magic,
                                std::uint64_t reads,
                                std::string const& what);

// Brings a store of number `from` to from + 1. `step` is called until it says that it is done, each
// time with what it left in `position` (empty at first); what it puts into the batch is written,
// synced, with the position, or with the new number when it is done. So whenever the machine stops,
// the store goes on where it was. A step has to read both what it has changed and what it has not.
struct StoreUpgrade {
    std::uint64_t from = 0;
    char const* what = "";
    std::function<Result<bool>(Engine const&, std::string& position, WriteBatch&)> step;
};

// Those of this program, ascending: none is due before format 2.
std::span<StoreUpgrade const> store_upgrades();

// Looks at the store's number and upgrades it to `format`. Answers what was done, in words; nothing
// for a store that is up to date. Errc::unsupported: it is newer, or older than the upgrades reach;
// Errc::corruption: there is no number, or it is none. `where`: the directory, for messages.
Result<std::vector<std::string>> upgrade_store(Engine& engine,
                                               std::string const& where,
                                               std::span<StoreUpgrade const> upgrades,
                                               std::uint64_t format = kStoreFormat);

// A kind of row that begins with its version, of the small families; records and entries of the log
// are looked at when they are read.
struct VersionedRow {
    Family family;
    char kind;  // behind the space's number; 0: every row of the family
    std::uint8_t reads;
    char const* what;
};
std::span<VersionedRow const> versioned_rows();

// Errc::unsupported names the first row that a newer program has written.
Result<void> refuse_newer_rows(Engine const& engine, std::uint32_t space);

}  // namespace inos
