// A record's state: a dot store. Cells, each at a path and named by the dot of the entry that wrote
// it. Every type is a way to lay out cells (crdt/types) and a function to read them (resolve.hpp);
// the merge (merge.hpp) knows neither.
//
//   record  = version u8 (1) | sources: count, blob* | stamps: count, stamp* | cells: count, cell*
//   stamp   = actor u64 | seq varint | hlc u64 | source varint (index)       ascending by dot
//   cell    = path blob | stamp varint (index) | payload blob                ascending by path, dot
//
// A stamp is what the cells of one entry share. The bytes are canonical: equal states, equal bytes.
// A plain value; no threads of its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/ids.hpp"
#include "crdt/path.hpp"
#include "crdt/version_vector.hpp"

namespace inos {

struct Cell {
    std::string path;
    Dot dot;
    Hlc hlc;
    std::string source;   // who asked for the write: a token's role or an adapter's name
    std::string payload;  // by type; of a run: RunCell below; of a delete marker: a VersionVector

    bool operator==(Cell const&) const = default;
};

// Payload of a run's cell: its total so far and the seq of the entry that began the run.
//   run cell = total zigzag | start varint
struct RunCell {
    std::int64_t total = 0;
    Seq start = 0;

    std::string encode() const;
    static std::optional<RunCell> decode(std::string_view payload);
};

// One run at a path: whose it is, and the seq of the entry that began it.
//   run name = actor u64 | start varint
struct RunName {
    ActorId actor;
    Seq start = 0;

    bool operator==(RunName const&) const = default;
    std::string encode() const;
    static std::optional<RunName> decode(std::string_view payload);
};
// Of a cell of a run, and of a `lost` cell; nullopt for all others.
std::optional<RunName> run_name(Cell const& cell);

// Adds without leaving the 64 bits: stays at the end of the range. Deterministic, because an
// actor's increments are applied in one order everywhere.
std::int64_t saturating_add(std::int64_t a, std::int64_t b);

class Record {
public:
    std::vector<Cell> const& cells() const { return cells_; }
    bool empty() const { return cells_.empty(); }

    // The cells exactly at `path`, or at all paths that begin with `prefix`: a contiguous range.
    struct Range {
        std::size_t begin = 0, end = 0;
    };
    Range at(std::string_view path) const;
    Range under(std::string_view prefix) const;

    Cell const& operator[](std::size_t i) const { return cells_[i]; }
    Cell& operator[](std::size_t i) { return cells_[i]; }
    void insert(Cell cell);  // at its place; replaces a cell of the same path and dot
    // The same for many at once, one after the other, at the cost of sorting them and moving each
    // cell of the record once.
    void insert_all(std::vector<Cell> cells);
    template <class Predicate>
    void remove_if(Range range, Predicate predicate);
    template <class Predicate>
    void remove_if(Predicate predicate) {
        remove_if({0, cells_.size()}, predicate);
    }

    bool operator==(Record const&) const = default;

    std::string encode() const;
    static std::optional<Record> decode(std::string_view bytes);

private:
    std::vector<Cell> cells_;  // ascending by (path, dot)
};

template <class Predicate>
void Record::remove_if(Range range, Predicate predicate) {
    std::size_t kept = range.begin;
    for (std::size_t i = range.begin; i < range.end; ++i) {
        if (predicate(static_cast<Cell const&>(cells_[i]))) continue;
        if (kept != i) cells_[kept] = std::move(cells_[i]);
        ++kept;
    }
    auto const first = cells_.begin() + static_cast<std::ptrdiff_t>(kept);
    auto const last = cells_.begin() + static_cast<std::ptrdiff_t>(range.end);
    cells_.erase(first, last);
}

// What a record is besides its values. "Covered": seen by one of the record's delete markers.
struct RecordState {
    bool exists_cell = false;  // an existence cell is there
    bool markers = false;      // at least one delete marker
    bool uncovered = false;    // at least one cell that no marker covers, removed elements aside
    bool erased = false;       // holds an erase mark, and nothing else
};
RecordState state_of(Record const& record);

// Elements of lists that were removed: index ranges of `record`, ascending, of all cells below the
// same parent as a marker where the markers there cover every other cell. They are not read, count
// in no digest, and may go as soon as all sites have them.
std::vector<Record::Range> removed_elements(Record const& record);

// Drops what nobody can need again, given that every member holds all entries that `stable` names:
// all of a record whose markers cover all its cells, and removed elements; in both cases only if
// every cell concerned, the markers too, is stable. Needs no agreement and no message. Answers
// whether anything went.
// The caller makes sure that every entry that touched the record here is stable. The cells alone
// cannot tell: an edit may have taken away the one cell that no marker covers, and a site that
// lacks this edit still shows the record and goes on writing to it.
bool purge(Record& record, VersionVector const& stable);

enum class DeletePolicy : std::uint8_t { update_wins = 0, delete_wins = 1 };
bool visible(RecordState const& state, DeletePolicy policy);

// What a delete marker says that it saw: per actor the highest seq among the record's cells.
VersionVector seen_cells(Record const& record);

}  // namespace inos
