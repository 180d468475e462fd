#include "crdt/merge.hpp"

#include <algorithm>

#include "crdt/pieces.hpp"

namespace inos {
namespace {

// The dot that tells whether a cell was seen, as far as removing it is concerned. A run counts as
// seen from its start on, so that a clear takes the whole of it.
Dot birth(Cell const& cell) {
    if (!is_run(cell.path)) return cell.dot;
    auto const run = RunCell::decode(cell.payload);
    return {cell.dot.actor, run ? run->start : cell.dot.seq};
}

std::string lost_payload(Seq start) {
    std::string payload;
    put_varint(payload, start);
    return payload;
}

Cell lost_cell(Cell const& run) {
    return {lost_path(run.path), run.dot, run.hlc, run.source, lost_payload(birth(run).seq)};
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
                return is_marker(edit.path) ? mark(edit) : write(edit.path, edit.payload);
            case static_cast<std::uint64_t>(EditKind::remove):
                return remove(record_.at(edit.path));
            case static_cast<std::uint64_t>(EditKind::clear):
                return remove(record_.under(edit.path));
            case static_cast<std::uint64_t>(EditKind::count):
                return count(edit);
            case static_cast<std::uint64_t>(EditKind::cut):
                return cut(edit);
            case static_cast<std::uint64_t>(EditKind::end_run):
                return end_run(edit);
            default:
                return;
        }
    }

    // What a delete says that it saw counts only within what its author had seen: else it would
    // hide what others write in future, and have it purged.
    std::string seen_of(VersionVector const& claimed) const {
        // Built from the front: a claim may name as many actors as fit into an entry, and taking
        // them out of a vector one by one would take as long as their number squared.
        VersionVector seen;
        for (auto const& [actor, seq] : claimed.items()) {
            Seq const own = actor == origin_.dot.actor ? origin_.dot.seq : 0;
            seen.set(actor, std::min(seq, std::max(own, origin_.deps.at(actor))));
        }
        std::string payload;
        seen.encode(payload);
        return payload;
    }

    // Cells that no later edit of this op can look at wait until all edits are done, so that an op
    // of many cells moves those of the record once. An op has not seen its own cells; runs and
    // `lost` cells are looked at by other rules.
    void add(std::string_view path, std::string_view payload) {
        Cell cell{std::string(path),
                  origin_.dot,
                  origin_.hlc,
                  std::string(origin_.source),
                  std::string(payload)};
        if (covers(origin_.dot) || is_run(path) || run_of_lost(path))
            record_.insert(std::move(cell));
        else
            waiting_.push_back(std::move(cell));
    }

    void finish() { record_.insert_all(std::move(waiting_)); }

private:
    // An own ctx counts only within deps: what it claims beyond them may come before or after the
    // entry, and removing it would leave each site with another state.
    bool covers(Dot dot) const {
        return origin_.deps.covers(dot) && (!own_ctx_ || own_ctx_->covers(dot));
    }
    bool seen(Cell const& cell) const { return covers(birth(cell)); }

    void mark(Edit const& edit) {
        Reader in(edit.payload);
        auto const claimed = VersionVector::decode(in);
        write(edit.path, claimed && in.finished() ? seen_of(*claimed) : edit.payload);
    }

    void remove(Record::Range range) {
        remove(range, [](Cell const&) { return true; });
    }

    // A run goes from its start on. What its author counted since, without having seen this op,
    // adds nothing; a `lost` cell says so.
    template <class Predicate>
    void remove(Record::Range range, Predicate concerned) {
        std::vector<Cell> lost;
        record_.remove_if(range, [&](Cell const& cell) {
            bool const goes = concerned(cell) && seen(cell);
            if (goes && is_run(cell.path) && !covers(cell.dot)) lost.push_back(lost_cell(cell));
            return goes;
        });
        for (Cell& cell : lost)
            record_.insert(std::move(cell));
    }

    // Continues the author's own run that began at `start`, or begins one with this very entry.
    // When the run is gone, a clear removed it, and the increment adds nothing: its author's `lost`
    // cell moves on to it.
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
        std::string const path = lost_path(edit.path);
        std::string const payload = lost_payload(delta->start);
        record_.remove_if(record_.at(path), [&](Cell const& cell) {
            return cell.dot.actor == origin_.dot.actor && cell.payload == payload;
        });
        add(path, payload);
    }

    // A clear of one run: whether the run or only its `lost` cell is still there makes no
    // difference, so the op may come before or after the clear that its author has seen.
    void end_run(Edit const& edit) {
        auto const id = RunName::decode(edit.payload);
        if (!id) return;
        auto const same = [&id](Cell const& cell) { return run_name(cell) == id; };
        remove(record_.at(lost_path(edit.path)), same);
        remove(record_.at(edit.path), same);
    }

    // Takes code points away from one cell; a cell with nothing left goes.
    void cut(Edit const& edit) {
        auto const wanted = Cut::decode(edit.payload);
        if (!wanted || !covers(wanted->dot)) return;
        auto const range = record_.at(edit.path);
        for (std::size_t i = range.begin; i < range.end; ++i) {
            if (record_[i].dot != wanted->dot) continue;
            auto pieces = Pieces::decode(record_[i].payload);
            if (!pieces) return;
            pieces->cut(wanted->ranges);
            if (pieces->empty())
                record_.remove_if({i, i + 1}, [](Cell const&) { return true; });
            else
                record_[i].payload = pieces->encode();
            return;
        }
    }

    Record& record_;
    OpOrigin const& origin_;
    VersionVector const* own_ctx_;
    std::vector<Cell> waiting_;
};

// A record that was erased holds nothing but the marks that say so.
bool is_erased(Record const& record) {
    auto const marks = record.at(kErasePath);
    return marks.begin != marks.end;
}

void keep_only_erasures(Record& record) {
    record.remove_if([](Cell const& cell) { return cell.path != kErasePath; });
}

// The other side's cell of the same run, if it has one.
Cell const* same_run(Record const& record, Cell const& cell, Seq start) {
    auto const range = record.at(cell.path);
    for (std::size_t i = range.begin; i < range.end; ++i) {
        auto const run = RunCell::decode(record[i].payload);
        if (record[i].dot.actor == cell.dot.actor && run && run->start == start) return &record[i];
    }
    return nullptr;
}

// The other side's copy of the cell, if it has one.
Cell const* same_cell(Record const& record, Cell const& cell) {
    auto const range = record.at(cell.path);
    for (std::size_t i = range.begin; i < range.end; ++i)
        if (record[i].dot == cell.dot) return &record[i];
    return nullptr;
}

// Is the cell a `lost` one of a run that the other side still has, up to the same increment? Then
// the other side has seen neither what cleared the run nor anything that took the `lost` cell away.
bool has_lost_run(Record const& other, Cell const& cell) {
    auto const run = run_of_lost(cell.path);
    if (!run) return false;
    auto const range = other.at(*run);
    for (std::size_t i = range.begin; i < range.end; ++i)
        if (other[i].dot == cell.dot) return true;
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
    if (has_lost_run(other, cell)) return true;
    return same_cell(other, cell) || !other_vv.covers(cell.dot);
}

}  // namespace

void apply(Record& record, Op const& op, OpOrigin const& origin) {
    Applier applier(record, op, origin);
    if (op.kind == static_cast<std::uint64_t>(OpKind::erase)) {
        keep_only_erasures(record);
        applier.add(kErasePath, {});
        return applier.finish();
    }
    if (is_erased(record)) return;
    if (op.kind == static_cast<std::uint64_t>(OpKind::delete_)) {
        applier.write(kDeletePath, applier.seen_of(op.seen));
        return applier.finish();
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
    applier.finish();
}

namespace {

// Of a shrinking cell that both sides hold, only what neither has taken away stays.
void keep(Cell const& cell, Cell const* twin, std::vector<Cell>& kept) {
    kept.push_back(cell);
    if (!twin) return;
    kept.back().payload = common_pieces(cell.payload, twin->payload);
    if (kept.back().payload.empty()) kept.pop_back();
}

// The cells that `from` adds to `to`, or that `from` keeps, given the other side's state. Runs that
// the other side cleared without having seen all of them leave a `lost` cell.
void take(Record const& from,
          Record const& other,
          VersionVector const& other_vv,
          std::vector<Cell>& kept) {
    for (Cell const& cell : from.cells()) {
        if (stays(cell, other, other_vv))
            keep(cell, is_shrinking(cell.path) ? same_cell(other, cell) : nullptr, kept);
        else if (is_run(cell.path) && !other_vv.covers(cell.dot) &&
                 !same_run(other, cell, birth(cell).seq))
            kept.push_back(lost_cell(cell));
    }
}

}  // namespace

void merge(Record& ours,
           VersionVector const& our_vv,
           Record const& theirs,
           VersionVector const& their_vv) {
    bool const erased = is_erased(ours) || is_erased(theirs);
    std::vector<Cell> kept, added;
    take(ours, theirs, their_vv, kept);
    take(theirs, ours, our_vv, added);
    ours = Record();
    ours.insert_all(std::move(kept));
    ours.insert_all(std::move(added));
    if (erased) keep_only_erasures(ours);
}

}  // namespace inos
