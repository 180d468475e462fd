#include "tests/property/model.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "crdt/bytes.hpp"

namespace inos::test {
namespace {

std::string const kExistence("\0\1", 2), kMarker("\0\2", 2);

Seq seq_in(VersionVector const& vv, ActorId actor) {
    for (auto const& [who, seq] : vv.items())
        if (who == actor) return seq;
    return 0;
}

bool counts(std::string const& path) {
    return path.front() != '\0' && static_cast<unsigned char>(path.back()) >= 0x40;
}

// Had the op seen the entry `dot` when it was made?
bool saw(Op const& op, VersionVector const& deps, Dot dot) {
    if (seq_in(deps, dot.actor) < dot.seq) return false;
    return !op.ctx || seq_in(*op.ctx, dot.actor) >= dot.seq;
}

// Does the op reach the path at all, seen or not?
bool reaches(Op const& op, std::string const& path) {
    if (op.kind == 2) return path == kMarker;
    if (op.fresh || path == kMarker) return true;
    return std::any_of(op.edits.begin(), op.edits.end(), [&](Edit const& edit) {
        if (edit.kind == 1 || edit.kind == 2) return edit.path == path;
        return edit.kind == 3 && path.compare(0, edit.path.size(), edit.path) == 0;
    });
}

std::int64_t clamped(std::int64_t a, std::int64_t b) {
    __extension__ using Wide = __int128;
    Wide const sum = Wide{a} + b;
    constexpr Wide kLow = std::numeric_limits<std::int64_t>::min();
    constexpr Wide kHigh = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(std::clamp(sum, kLow, kHigh));
}

struct Run {
    std::map<Seq, std::pair<std::int64_t, CommitPtr>> steps;  // by seq: delta
};
using RunKey = std::tuple<std::string, ActorId, Seq>;  // path, actor, start

}  // namespace

void Model::add(CommitPtr const& commit) {
    for (Op const& op : commit->entry.ops)
        if (op.kind == 1 || op.kind == 2) events_[{op.collection, op.key}].push_back({commit, &op});
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
    auto const removed = [&](std::string const& path, Dot dot) {
        return std::any_of(events.begin(), events.end(), [&](Event const& event) {
            return reaches(*event.op, path) && saw(*event.op, event.commit->deps, dot);
        });
    };

    std::map<std::pair<std::string, Dot>, Cell> cells;
    std::map<RunKey, Run> runs;
    for (auto const& [commit, op] : events) {
        auto const& header = commit->entry.header;
        auto const put = [&](std::string const& path, std::string payload) {
            if (!removed(path, header.dot))
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
        if (!counts(path) || !run.steps.contains(start) || removed(path, {actor, start})) continue;
        std::int64_t total = 0;
        for (auto const& [seq, step] : run.steps)
            total = clamped(total, step.first);
        auto const& last = run.steps.rbegin()->second.second->entry.header;
        std::string payload;
        put_zigzag(payload, total);
        put_varint(payload, start);
        cells[{path, last.dot}] = {path, last.dot, last.hlc, last.source, payload};
    }
    std::vector<Cell> sorted;
    for (auto& [key, cell] : cells)
        sorted.push_back(std::move(cell));
    return sorted;
}

bool Model::visible(std::vector<Cell> const& cells, DeletePolicy policy) {
    std::vector<VersionVector> markers;
    bool exists = false;
    for (Cell const& cell : cells) {
        if (cell.path == kExistence) exists = true;
        if (cell.path != kMarker) continue;
        Reader in(cell.payload);
        markers.push_back(VersionVector::decode(in).value());
    }
    if (!exists || markers.empty()) return exists;
    if (policy == DeletePolicy::delete_wins) return false;
    return std::any_of(cells.begin(), cells.end(), [&](Cell const& cell) {
        return cell.path != kMarker && std::none_of(markers.begin(), markers.end(), [&](auto& vv) {
                   return seq_in(vv, cell.dot.actor) >= cell.dot.seq;
               });
    });
}

}  // namespace inos::test
