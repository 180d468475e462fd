#include "crdt/record.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace inos {
namespace {

constexpr std::uint8_t kRecordVersion = 1;

bool starts_with(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

bool before(Cell const& a, Cell const& b) {
    return std::tie(a.path, a.dot) < std::tie(b.path, b.dot);
}

bool same_place(Cell const& a, Cell const& b) {
    return a.dot == b.dot && a.path == b.path;
}

struct Stamp {
    Dot dot;
    Hlc hlc;
    std::uint64_t source = 0;
    bool used = false;
};

// Both lists hold each item once, in order, and only what is used: else two different byte strings
// would stand for one state.
bool canonical(std::vector<std::string_view> const& sources, std::vector<Stamp> const& stamps) {
    std::vector<bool> used(sources.size());
    for (std::size_t i = 0; i < stamps.size(); ++i) {
        if (!stamps[i].used || (i > 0 && stamps[i - 1].dot >= stamps[i].dot)) return false;
        used[stamps[i].source] = true;
    }
    for (std::size_t i = 0; i < sources.size(); ++i)
        if (!used[i] || (i > 0 && sources[i - 1] >= sources[i])) return false;
    return true;
}

}  // namespace

std::string RunCell::encode() const {
    std::string out;
    put_zigzag(out, total);
    put_varint(out, start);
    return out;
}

std::optional<RunCell> RunCell::decode(std::string_view payload) {
    Reader in(payload);
    RunCell cell;
    cell.total = in.zigzag();
    cell.start = in.varint();
    return in.finished() ? std::optional(cell) : std::nullopt;
}

std::string RunName::encode() const {
    std::string out;
    put_u64(out, actor.value);
    put_varint(out, start);
    return out;
}

std::optional<RunName> RunName::decode(std::string_view payload) {
    Reader in(payload);
    RunName id;
    id.actor.value = in.u64();
    id.start = in.varint();
    return in.finished() ? std::optional(id) : std::nullopt;
}

std::optional<RunName> run_name(Cell const& cell) {
    if (is_run(cell.path)) {
        auto const run = RunCell::decode(cell.payload);
        return run ? std::optional(RunName{cell.dot.actor, run->start}) : std::nullopt;
    }
    if (!run_of_lost(cell.path)) return std::nullopt;
    Reader in(cell.payload);
    RunName const id{cell.dot.actor, in.varint()};
    return in.finished() ? std::optional(id) : std::nullopt;
}

std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
    std::int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return b > 0 ? std::numeric_limits<std::int64_t>::max()
                 : std::numeric_limits<std::int64_t>::min();
}

Record::Range Record::at(std::string_view path) const {
    auto const [first, last] =
        std::equal_range(cells_.begin(), cells_.end(), path, [](auto const& a, auto const& b) {
            if constexpr (std::is_same_v<std::decay_t<decltype(a)>, Cell>)
                return std::string_view(a.path) < b;
            else
                return a < std::string_view(b.path);
        });
    return {static_cast<std::size_t>(first - cells_.begin()),
            static_cast<std::size_t>(last - cells_.begin())};
}

Record::Range Record::under(std::string_view prefix) const {
    auto const first = std::partition_point(cells_.begin(), cells_.end(), [&](Cell const& cell) {
        return std::string_view(cell.path) < prefix;
    });
    auto const last = std::partition_point(
        first, cells_.end(), [&](Cell const& cell) { return starts_with(cell.path, prefix); });
    return {static_cast<std::size_t>(first - cells_.begin()),
            static_cast<std::size_t>(last - cells_.begin())};
}

void Record::insert(Cell cell) {
    auto const it = std::lower_bound(cells_.begin(), cells_.end(), cell, before);
    if (it != cells_.end() && same_place(*it, cell))
        *it = std::move(cell);
    else
        cells_.insert(it, std::move(cell));
}

void Record::insert_all(std::vector<Cell> cells) {
    std::stable_sort(cells.begin(), cells.end(), before);
    // Of those at one place the last stays, and one that the record has is replaced.
    std::size_t fresh = 0;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i + 1 < cells.size() && same_place(cells[i], cells[i + 1])) continue;
        auto const it = std::lower_bound(cells_.begin(), cells_.end(), cells[i], before);
        if (it != cells_.end() && same_place(*it, cells[i]))
            *it = std::move(cells[i]);
        else if (fresh++ != i)
            cells[fresh - 1] = std::move(cells[i]);
    }
    auto old = static_cast<std::ptrdiff_t>(cells_.size());
    cells_.resize(cells_.size() + fresh);
    auto const first = cells_.begin();
    for (auto left = static_cast<std::ptrdiff_t>(fresh); left > 0; --left) {
        Cell& cell = cells[static_cast<std::size_t>(left - 1)];
        auto const at = std::lower_bound(first, first + old, cell, before) - first;
        std::move_backward(first + at, first + old, first + old + left);
        cells_[static_cast<std::size_t>(at + left - 1)] = std::move(cell);
        old = at;
    }
}

std::string Record::encode() const {
    std::vector<std::string_view> sources;
    std::vector<Stamp> stamps;
    stamps.reserve(cells_.size());
    for (Cell const& cell : cells_) {
        stamps.push_back({cell.dot, cell.hlc});
        if (sources.empty() || sources.back() != cell.source) sources.push_back(cell.source);
    }
    std::sort(sources.begin(), sources.end());
    sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
    auto const by_dot = [](Stamp const& a, Stamp const& b) { return a.dot < b.dot; };
    auto const same_dot = [](Stamp const& a, Stamp const& b) { return a.dot == b.dot; };
    std::stable_sort(stamps.begin(), stamps.end(), by_dot);
    stamps.erase(std::unique(stamps.begin(), stamps.end(), same_dot), stamps.end());
    auto const stamp_of = [&](Dot dot) {
        auto const it = std::lower_bound(
            stamps.begin(), stamps.end(), dot, [](Stamp const& s, Dot d) { return s.dot < d; });
        return static_cast<std::size_t>(it - stamps.begin());
    };
    for (Cell const& cell : cells_) {
        auto const it = std::lower_bound(sources.begin(), sources.end(), cell.source);
        stamps[stamp_of(cell.dot)].source = static_cast<std::uint64_t>(it - sources.begin());
    }

    std::string out;
    out.reserve(64 + cells_.size() * 48);
    out += static_cast<char>(kRecordVersion);
    put_varint(out, sources.size());
    for (auto const source : sources)
        put_blob(out, source);
    put_varint(out, stamps.size());
    for (Stamp const& stamp : stamps) {
        put_u64(out, stamp.dot.actor.value);
        put_varint(out, stamp.dot.seq);
        put_u64(out, stamp.hlc.value);
        put_varint(out, stamp.source);
    }
    put_varint(out, cells_.size());
    for (Cell const& cell : cells_) {
        put_blob(out, cell.path);
        put_varint(out, stamp_of(cell.dot));
        put_blob(out, cell.payload);
    }
    return out;
}

std::optional<Record> Record::decode(std::string_view bytes) {
    Reader in(bytes);
    if (in.byte() != kRecordVersion) return std::nullopt;
    std::vector<std::string_view> sources(in.count());
    for (auto& source : sources)
        source = in.blob();
    std::vector<Stamp> stamps(in.count(18));
    for (Stamp& stamp : stamps) {
        stamp.dot.actor.value = in.u64();
        stamp.dot.seq = in.varint();
        stamp.hlc.value = in.u64();
        stamp.source = in.varint();
        if (stamp.source >= sources.size()) return std::nullopt;
    }
    Record record;
    record.cells_.resize(in.count(3));
    Cell const* previous = nullptr;
    for (Cell& cell : record.cells_) {
        cell.path = in.blob();
        std::uint64_t const index = in.varint();
        if (!in.ok() || index >= stamps.size()) return std::nullopt;
        stamps[index].used = true;
        cell.dot = stamps[index].dot;
        cell.hlc = stamps[index].hlc;
        cell.source = sources[stamps[index].source];
        cell.payload = in.blob();
        if (previous && std::tie(previous->path, previous->dot) >= std::tie(cell.path, cell.dot))
            return std::nullopt;
        previous = &cell;
    }
    if (!in.finished() || !canonical(sources, stamps)) return std::nullopt;
    return record;
}

namespace {

// Is there a cell that `seen` does not cover? Removed elements do not count: they go when a site
// likes, and must not make a difference before.
bool any_uncovered(Record const& record, VersionVector const& seen) {
    auto const uncovered = [&seen](Cell const& cell) {
        return cell.path != kDeletePath && !seen.covers(cell.dot);
    };
    auto const& cells = record.cells();
    if (std::none_of(cells.begin(), cells.end(), uncovered)) return false;
    auto const removed = removed_elements(record);
    auto skip = removed.begin();
    for (std::size_t i = 0; i < cells.size(); ++i) {
        while (skip != removed.end() && i >= skip->end)
            ++skip;
        bool const counts = skip == removed.end() || i < skip->begin;
        if (counts && uncovered(cells[i])) return true;
    }
    return false;
}

}  // namespace

RecordState state_of(Record const& record) {
    RecordState state;
    auto const erased = record.at(kErasePath);
    if (erased.begin != erased.end) {
        state.erased = true;
        return state;
    }
    auto const existence = record.at(kExistencePath);
    auto const markers = record.at(kDeletePath);
    state.exists_cell = existence.begin != existence.end;
    state.markers = markers.begin != markers.end;
    VersionVector seen;
    for (std::size_t i = markers.begin; i < markers.end; ++i) {
        Reader in(record[i].payload);
        if (auto vv = VersionVector::decode(in)) seen.merge(*vv);
    }
    state.uncovered = any_uncovered(record, seen);
    return state;
}

bool visible(RecordState const& state, DeletePolicy policy) {
    if (!state.exists_cell) return false;
    if (!state.markers) return true;
    return policy == DeletePolicy::update_wins && state.uncovered;
}

namespace {

// The path without its last segment; empty where there is none.
std::string_view parent_of(std::string_view path) {
    std::string_view rest = path;
    std::size_t last = 0;
    for (std::size_t at = 0; !rest.empty(); at = path.size() - rest.size()) {
        last = at;
        if (!take_segment(rest)) return {};
    }
    return path.substr(0, last);
}

}  // namespace

std::vector<Record::Range> removed_elements(Record const& record) {
    std::vector<Record::Range> removed;
    auto const& cells = record.cells();
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (!is_marker(cells[i].path)) continue;
        std::string_view const parent = parent_of(cells[i].path);
        if (parent.empty()) continue;
        auto const markers = record.at(cells[i].path);
        VersionVector seen;
        for (std::size_t m = markers.begin; m < markers.end; ++m) {
            Reader in(cells[m].payload);
            if (auto vv = VersionVector::decode(in)) seen.merge(*vv);
        }
        auto const all = record.under(parent);
        bool covered = true;
        for (std::size_t c = all.begin; c < all.end && covered; ++c)
            covered = is_marker(cells[c].path) || seen.covers(cells[c].dot);
        if (covered && (removed.empty() || removed.back().end <= all.begin ||
                        all.begin <= removed.back().begin)) {
            // What lies within another one goes with it.
            while (!removed.empty() && all.begin <= removed.back().begin)
                removed.pop_back();
            removed.push_back(all);
        }
        i = markers.end - 1;
    }
    return removed;
}

bool purge(Record& record, VersionVector const& stable) {
    RecordState const state = state_of(record);
    if (state.erased) return false;
    auto const is_stable = [&stable](Cell const& cell) { return stable.covers(cell.dot); };
    auto const& cells = record.cells();
    if (state.markers && !state.uncovered && std::all_of(cells.begin(), cells.end(), is_stable)) {
        record = Record();
        return true;
    }
    bool any = false;
    auto const removed = removed_elements(record);
    for (auto range = removed.rbegin(); range != removed.rend(); ++range) {
        bool all = true;
        for (std::size_t i = range->begin; i < range->end && all; ++i)
            all = is_stable(record[i]);
        if (!all) continue;
        record.remove_if(*range, [](Cell const&) { return true; });
        any = true;
    }
    return any;
}

VersionVector seen_cells(Record const& record) {
    VersionVector seen;
    for (Cell const& cell : record.cells())
        if (cell.path != kDeletePath) seen.raise(cell.dot.actor, cell.dot.seq);
    return seen;
}

}  // namespace inos
