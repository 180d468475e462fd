#include "crdt/merge.hpp"

#include <algorithm>

namespace inos {
namespace {

// The dot that tells whether a cell was seen, as far as removing it is concerned. A run counts as
// seen from its start on, so that a clear takes the whole of it.
Dot birth(Cell const& cell) {
    if (!is_run(cell.path)) return cell.dot;
    auto const run = RunCell::decode(cell.payload);
    return {cell.dot.actor, run ? run->start : cell.dot.seq};
}

class Applier {
public:
    Applier(Record& record, Op const& op, OpOrigin const& origin)
        : record_(record), origin_(origin), own_ctx_(op.ctx ? &*op.ctx : nullptr) {}

    void remove_all() { remove({0, record_.cells().size()}); }
    void remove_markers() { remove(record_.at(kDeletePath)); }

    void write(std::string_view path, std::string_view payload) {
        remove(record_.at(path));
        add(path, payload);
    }

    void edit(Edit const& edit) {
        switch (edit.kind) {
            case static_cast<std::uint64_t>(EditKind::write):
                return write(edit.path, edit.payload);
            case static_cast<std::uint64_t>(EditKind::remove):
                return remove(record_.at(edit.path));
            case static_cast<std::uint64_t>(EditKind::clear):
                return remove(record_.under(edit.path));
            case static_cast<std::uint64_t>(EditKind::count):
                return count(edit);
            default:
                return;
        }
    }

private:
    // An own ctx counts only within deps: what it claims beyond them may come before or after the
    // entry, and removing it would leave each site with another state.
    bool seen(Cell const& cell) const {
        Dot const dot = birth(cell);
        return origin_.deps.covers(dot) && (!own_ctx_ || own_ctx_->covers(dot));
    }

    void remove(Record::Range range) {
        record_.remove_if(range, [this](Cell const& cell) { return seen(cell); });
    }

    void add(std::string_view path, std::string_view payload) {
        record_.insert(Cell{std::string(path),
                            origin_.dot,
                            origin_.hlc,
                            std::string(origin_.source),
                            std::string(payload)});
    }

    // Continues the author's own run that began at `start`, or begins one with this very entry.
    // When the run is gone, a clear removed it, and the increment adds nothing.
    void count(Edit const& edit) {
        auto const delta = RunCell::decode(edit.payload);
        if (!delta) return;
        if (delta->start == origin_.dot.seq) return add(edit.path, edit.payload);
        auto const range = record_.at(edit.path);
        for (std::size_t i = range.begin; i < range.end; ++i) {
            if (record_[i].dot.actor != origin_.dot.actor) continue;
            auto const run = RunCell::decode(record_[i].payload);
            if (!run || run->start != delta->start) continue;
            RunCell const next{saturating_add(run->total, delta->total), run->start};
            record_.remove_if({i, i + 1}, [](Cell const&) { return true; });
            return add(edit.path, next.encode());
        }
    }

    Record& record_;
    OpOrigin const& origin_;
    VersionVector const* own_ctx_;
};

// The other side's cell of the same run, if it has one.
Cell const* same_run(Record const& record, Cell const& cell, Seq start) {
    auto const range = record.at(cell.path);
    for (std::size_t i = range.begin; i < range.end; ++i) {
        auto const run = RunCell::decode(record[i].payload);
        if (record[i].dot.actor == cell.dot.actor && run && run->start == start) return &record[i];
    }
    return nullptr;
}

bool has_dot(Record const& record, Cell const& cell) {
    auto const range = record.at(cell.path);
    for (std::size_t i = range.begin; i < range.end; ++i)
        if (record[i].dot == cell.dot) return true;
    return false;
}

// Does a cell of one side stay, given the other side's state and version vector?
bool stays(Cell const& cell, Record const& other, VersionVector const& other_vv) {
    if (is_run(cell.path)) {
        if (auto const run = RunCell::decode(cell.payload)) {
            // Of two cells of one run the later one holds the earlier one's total.
            if (Cell const* twin = same_run(other, cell, run->start))
                return twin->dot.seq <= cell.dot.seq;
            return !other_vv.covers({cell.dot.actor, run->start});
        }
    }
    return has_dot(other, cell) || !other_vv.covers(cell.dot);
}

}  // namespace

void apply(Record& record, Op const& op, OpOrigin const& origin) {
    Applier applier(record, op, origin);
    if (op.kind == static_cast<std::uint64_t>(OpKind::delete_)) {
        std::string seen;
        op.seen.encode(seen);
        return applier.write(kDeletePath, seen);
    }
    if (op.kind != static_cast<std::uint64_t>(OpKind::change)) return;
    if (op.fresh) {
        applier.remove_all();
        applier.write(kExistencePath, {});
    } else {
        applier.remove_markers();
    }
    for (Edit const& edit : op.edits)
        applier.edit(edit);
}

void merge(Record& ours,
           VersionVector const& our_vv,
           Record const& theirs,
           VersionVector const& their_vv) {
    std::vector<Cell> added;
    for (Cell const& cell : theirs.cells())
        if (stays(cell, ours, our_vv)) added.push_back(cell);
    ours.remove_if([&](Cell const& cell) { return !stays(cell, theirs, their_vv); });
    for (Cell& cell : added)
        ours.insert(std::move(cell));
}

}  // namespace inos
