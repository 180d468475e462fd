// Finding the records that differ between two sites without sending all: one site sums the kept
// digests over ranges of keys, the other compares the sums with its own and asks again about the
// parts that differ, down to single records. Every answer stands for itself, so the search may be
// broken off and begun again anywhere.
//
// Range-based set reconciliation after Meyer 2023, "Range-Based Set Reconciliation", with the
// digests of storage/digest.hpp as fingerprints. Costs a scan of the records' heads, and of the
// parts that differ once more per level (kRangeParts to one). Pure reads; no threads of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/change.hpp"
#include "storage/digest.hpp"
#include "storage/engine.hpp"

namespace inos {

inline constexpr std::size_t kRangeItemsMax = 128;        // records that an answer names
inline constexpr std::size_t kRangePartsMax = 32;         // parts of an answer that names none
inline constexpr std::size_t kRangeScanMax = 20'000;      // records that one answer looks at;
inline constexpr std::size_t kRangeBytesPerCost = 1'024;  // so much in one counts as one more
inline constexpr std::size_t kRangeFoundMax = 1'024;      // differing records of one comparison
inline constexpr std::size_t kRecordKeyBytesMax = 2'048;  // collection, 00 and key

// Keys are those of the records family without the space's number: collection | 00 | key.
struct RecordRange {
    std::string from, to;  // from <= key < to; an empty `to`: up to the last one
    bool operator==(RecordRange const&) const = default;
};

struct RangePart {
    std::string end;  // the next part's first key; of the last part: the range's end
    Digest128 sum;
    std::uint64_t records = 0;
    bool operator==(RangePart const&) const = default;
};

struct RangeItem {
    std::string key;
    Digest128 digest;
    DigestClass digest_class = DigestClass::none;
    bool operator==(RangeItem const&) const = default;
};

// What a site holds of a range: few records one by one, more of them as sums of parts. Records that
// count in no root (deleted ones) are passed over.
struct RangeSummary {
    RecordRange range;  // may end before the one that was asked for
    std::vector<RangePart> parts;
    std::vector<RangeItem> items;
    std::size_t looked = 0;  // what it has cost; not sent
    bool operator==(RangeSummary const& other) const {
        return range == other.range && parts == other.parts && items == other.items;
    }
};

struct RangeTotal {
    Digest128 sum;
    std::uint64_t records = 0;
    bool operator==(RangeTotal const&) const = default;
};
RangeTotal total_of(RangeSummary const& summary);

struct RangeDifferences {
    struct Range {
        RecordRange range;
        std::optional<RangeTotal> total;  // what the other site has said of it
    };
    std::vector<Range> ranges;       // to be asked about
    std::vector<RangeItem> records;  // as the other site holds them; class none: not at all
    std::size_t looked = 0;          // what it has cost
};

// nullopt: no record can have this key. An erased record's marks have one (keys::erased_key).
std::optional<RecordName> record_of_key(std::string_view key);

Result<RangeSummary> summarize(Engine const& engine, std::uint32_t space, RecordRange const& range);
// Errc::protocol: the summary is none that a site could have made.
Result<RangeDifferences> compare_range(Engine const& engine,
                                       std::uint32_t space,
                                       RangeSummary const& theirs);

}  // namespace inos
