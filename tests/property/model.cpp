#include "tests/property/model.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include "crdt/bytes.hpp"

namespace inos::test {
namespace {

std::string const kExistence("\0\1", 2), kMarker("\0\2", 2), kErasure("\0\3", 2);

Seq seq_in(VersionVector const& vv, ActorId actor) {
    for (auto const& [who, seq] : vv.items())
        if (who == actor) return seq;
    return 0;
}

bool counts(std::string const& path) {
    return path.front() != '\0' && static_cast<unsigned char>(path.back()) >= 0x40;
}

bool shrinks(std::string const& path) {
    return !counts(path) && path.front() != '\0' && static_cast<unsigned char>(path.back()) >= 0x20;
}

// Had the op seen the entry `dot` when it was made?
using RunKey = std::tuple<std::string, ActorId, Seq>;  // path, actor, start

bool saw(Op const& op, VersionVector const& deps, Dot dot) {
    if (seq_in(deps, dot.actor) < dot.seq) return false;
    return !op.ctx || seq_in(*op.ctx, dot.actor) >= dot.seq;
}

// Does the op reach the path at all, seen or not? `run`: of a cell of a run, or of what says that
// the run is lost.
bool reaches(Op const& op, std::string const& path, RunKey const* run = nullptr) {
    if (op.kind == 2) return path == kMarker;
    if (op.fresh || path == kMarker) return true;
    return std::any_of(op.edits.begin(), op.edits.end(), [&](Edit const& edit) {
        if (edit.kind == 6) {
            Reader in(edit.payload);
            ActorId const actor{in.u64()};
            return run && *run == RunKey{edit.path, actor, in.varint()};
        }
        if (edit.kind == 1 || edit.kind == 2) return edit.path == path;
        return edit.kind == 3 && path.compare(0, edit.path.size(), edit.path) == 0;
    });
}

// Where it says that increments of the run at `path` came to nothing.
std::string lost_below(std::string const& path) {
    return path + "\x04lost\x0a";
}

std::int64_t clamped(std::int64_t a, std::int64_t b) {
    __extension__ using Wide = __int128;
    Wide const sum = Wide{a} + b;
    constexpr Wide kLow = std::numeric_limits<std::int64_t>::min();
    constexpr Wide kHigh = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(std::clamp(sum, kLow, kHigh));
}

// What is left of an insertion: all but the code points at the indexes in `gone`.
std::string shortened(std::string const& payload, std::set<std::uint64_t> const& gone) {
    Reader in(payload);
    in.varint();
    in.varint();
    std::string_view text = in.blob();
    std::vector<std::pair<std::uint64_t, std::string>> pieces;  // gap, text
    std::uint64_t gap = 0;
    for (std::uint64_t index = 0; !text.empty(); ++index) {
        std::size_t bytes = 1;
        while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80)
            ++bytes;
        if (gone.contains(index)) {
            ++gap;
        } else {
            if (pieces.empty() || gap > 0) pieces.emplace_back(gap, "");
            pieces.back().second += text.substr(0, bytes);
            gap = 0;
        }
        text.remove_prefix(bytes);
    }
    std::string out;
    if (pieces.empty()) return out;
    put_varint(out, pieces.size());
    for (auto const& [before, piece] : pieces) {
        put_varint(out, before);
        put_blob(out, piece);
    }
    return out;
}

// The code points that a cut of the cell takes away.
void take_cut(std::string const& payload, Dot cell, std::set<std::uint64_t>& gone) {
    Reader in(payload);
    ActorId const actor{in.u64()};
    if (Dot{actor, in.varint()} != cell) return;
    std::uint64_t at = 0;
    for (std::uint64_t n = in.varint(); n > 0; --n) {
        at += in.varint();
        for (std::uint64_t length = in.varint(); length > 0; --length)
            gone.insert(at++);
    }
}

bool stands_at(std::vector<Cell> const& cells, std::string const& path) {
    return std::any_of(
        cells.begin(), cells.end(), [&](Cell const& cell) { return cell.path == path; });
}

// Do the markers at `path` together say that they saw the cell?
bool covered(std::vector<Cell> const& cells, std::string const& path, Cell const& cell) {
    return std::any_of(cells.begin(), cells.end(), [&](Cell const& marker) {
        if (marker.path != path) return false;
        Reader in(marker.payload);
        return seq_in(VersionVector::decode(in).value(), cell.dot.actor) >= cell.dot.seq;
    });
}

bool lies_below(std::set<std::string> const& parents, std::string const& path) {
    return std::any_of(parents.begin(), parents.end(), [&](std::string const& parent) {
        return path.compare(0, parent.size(), parent) == 0;
    });
}

// The elements of lists whose markers cover all else of them.
std::set<std::string> parents_of_removed(std::vector<Cell> const& cells) {
    std::string const segment("\1d\7", 3);  // the last one of the path of an element's marker
    std::set<std::string> parents;
    for (Cell const& cell : cells) {
        if (!cell.path.ends_with(segment)) continue;
        std::string const parent = cell.path.substr(0, cell.path.size() - segment.size());
        if (std::all_of(cells.begin(), cells.end(), [&](Cell const& other) {
                return !lies_below({parent}, other.path) || other.path == cell.path ||
                       covered(cells, cell.path, other);
            }))
            parents.insert(parent);
    }
    return parents;
}

// What the op takes away of the cell, if it had seen it.
void take_cuts(Op const& op,
               VersionVector const& deps,
               std::string const& path,
               Dot cell,
               std::set<std::uint64_t>& gone) {
    if (!saw(op, deps, cell)) return;
    for (Edit const& edit : op.edits)
        if (edit.kind == 5 && edit.path == path) take_cut(edit.payload, cell, gone);
}

struct Run {
    std::map<Seq, std::pair<std::int64_t, CommitPtr>> steps;  // by seq: delta
};

std::vector<Cell> in_order(std::map<std::pair<std::string, Dot>, Cell> cells) {
    std::vector<Cell> sorted;
    for (auto& [key, cell] : cells)
        sorted.push_back(std::move(cell));
    return sorted;
}

}  // namespace

void Model::add(CommitPtr const& commit) {
    for (Op const& op : commit->entry.ops)
        if (op.kind >= 1 && op.kind <= 3) events_[name_of(op)].push_back({commit, &op});
}

std::vector<RecordName> Model::records() const {
    std::vector<RecordName> names;
    for (auto const& [name, events] : events_)
        names.push_back(name);
    return names;
}

std::vector<Cell> Model::cells(RecordName const& name, VersionVector const& known) const {
    auto const found = events_.find(name);
    if (found == events_.end()) return {};
    std::vector<Event> events;
    for (Event const& event : found->second)
        if (event.commit->dot().seq <= seq_in(known, event.commit->dot().actor))
            events.push_back(event);
    auto const removed = [&](std::string const& path, Dot dot, RunKey const* run = nullptr) {
        return std::any_of(events.begin(), events.end(), [&](Event const& event) {
            return reaches(*event.op, path, run) && saw(*event.op, event.commit->deps, dot);
        });
    };
    auto const cut_away = [&](std::string const& path, Dot dot) {
        std::set<std::uint64_t> gone;
        for (Event const& event : events)
            take_cuts(*event.op, event.commit->deps, path, dot, gone);
        return gone;
    };

    std::map<std::pair<std::string, Dot>, Cell> cells;
    for (auto const& [commit, op] : events) {
        auto const& header = commit->entry.header;
        if (op->kind == 3)
            cells[{kErasure, header.dot}] = {
                kErasure, header.dot, header.hlc, header.source, std::string()};
    }
    if (!cells.empty()) return in_order(std::move(cells));

    std::map<RunKey, Run> runs;
    for (auto const& [commit, op] : events) {
        auto const& header = commit->entry.header;
        auto const put = [&](std::string const& path, std::string payload) {
            bool const run = shrinks(path);
            if (run) payload = shortened(payload, cut_away(path, header.dot));
            if (!removed(path, header.dot) && !(run && payload.empty()))
                cells[{path, header.dot}] = {
                    path, header.dot, header.hlc, header.source, std::move(payload)};
        };
        if (op->kind == 2) {
            std::string seen;
            op->seen.encode(seen);
            put(kMarker, seen);
        }
        if (op->fresh) put(kExistence, {});
        for (Edit const& edit : op->edits) {
            if (edit.kind == 1) put(edit.path, edit.payload);
            if (edit.kind != 4) continue;
            Reader in(edit.payload);
            std::int64_t const delta = in.zigzag();
            Seq const start = in.varint();
            runs[{edit.path, header.dot.actor, start}].steps[header.dot.seq] = {delta, commit};
        }
    }
    for (auto const& [key, run] : runs) {
        auto const& [path, actor, start] = key;
        if (!counts(path)) continue;
        bool const cleared = !run.steps.contains(start) || removed(path, {actor, start}, &key);
        std::int64_t total = 0;
        for (auto const& [seq, step] : run.steps)
            total = clamped(total, step.first);
        auto const& last = run.steps.rbegin()->second.second->entry.header;
        std::string payload;
        if (!cleared) put_zigzag(payload, total);
        put_varint(payload, start);
        std::string const at = cleared ? lost_below(path) : path;
        if (!cleared || !removed(at, last.dot, &key))
            cells[{at, last.dot}] = {at, last.dot, last.hlc, last.source, payload};
    }
    return in_order(std::move(cells));
}

std::vector<Cell> Model::purged(std::vector<Cell> cells, VersionVector const& stable) {
    auto const is_stable = [&](Cell const& cell) {
        return seq_in(stable, cell.dot.actor) >= cell.dot.seq;
    };
    if (stands_at(cells, kErasure)) return cells;
    auto const of_element = parents_of_removed(cells);
    auto const may_go = [&](Cell const& cell) {
        bool const counts = cell.path != kMarker && !lies_below(of_element, cell.path);
        return is_stable(cell) && (!counts || covered(cells, kMarker, cell));
    };
    if (stands_at(cells, kMarker) && std::all_of(cells.begin(), cells.end(), may_go)) return {};
    for (std::string const& parent : of_element) {
        auto const inside = [&](Cell const& cell) { return lies_below({parent}, cell.path); };
        if (std::all_of(cells.begin(), cells.end(), [&](Cell const& cell) {
                return !inside(cell) || is_stable(cell);
            }))
            std::erase_if(cells, inside);
    }
    return cells;
}

bool Model::visible(std::vector<Cell> const& cells, DeletePolicy policy) {
    if (!stands_at(cells, kExistence)) return false;
    if (!stands_at(cells, kMarker)) return true;
    if (policy == DeletePolicy::delete_wins) return false;
    auto const removed = parents_of_removed(cells);
    return std::any_of(cells.begin(), cells.end(), [&](Cell const& cell) {
        return cell.path != kMarker && !lies_below(removed, cell.path) &&
               !covered(cells, kMarker, cell);
    });
}

}  // namespace inos::test
