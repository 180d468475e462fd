#include "storage/explain_former.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "crdt/merge.hpp"
#include "crdt/types/bounded_counter.hpp"
#include "crdt/types/types.hpp"

namespace inos {
namespace {

using Indexes = std::set<std::size_t>;

Origin origin_of(HistoryStep const& step) {
    return {step.dot, step.hlc, step.source, step.arrived_ms};
}

class Replay {
public:
    Replay(RecordPast const& past, CollectionSchema const& schema, std::vector<ToldField>& fields)
        : past_(past), schema_(schema), fields_(fields), first_(fields.size()) {
        for (std::size_t i = 0; i < fields.size(); ++i)
            by_path_[fields[i].at] = i;
        for (HistoryStep const& step : past.steps)
            arrived_[step.dot] = step.arrived_ms;
    }

    void run() {
        find_touched();
        if (!past_.complete) return;
        for (std::size_t i = 0; i < past_.steps.size(); ++i)
            take(i);
        for (ToldField& field : fields_)
            keep_some(field);
    }

private:
    // Which fields each step touches, and from which step on a field's values are looked at.
    void find_touched() {
        std::vector<std::size_t> counts(fields_.size());
        touched_.resize(past_.steps.size());
        for (std::size_t i = past_.steps.size(); i-- > 0;) {
            touched_[i] = touched_by(past_.steps[i].op);
            for (std::size_t const field : touched_[i]) {
                if (!fields_[field].last) fields_[field].last = origin_of(past_.steps[i]);
                if (++counts[field] <= kFormerScan) first_[field] = i;
            }
        }
    }

    Indexes touched_by(Op const& op) const {
        Indexes found;
        bool const all = op.fresh || op.kind != static_cast<std::uint64_t>(OpKind::change);
        for (std::size_t i = 0; all && i < fields_.size(); ++i)
            found.insert(i);
        for (std::size_t i = 0; !all && i < op.edits.size(); ++i)
            touch(op.edits[i], found);
        return found;
    }

    // The field that the edit lies in, or all that lie below what it clears.
    void touch(Edit const& edit, Indexes& found) const {
        auto const path = field_path(edit.path);
        for (std::string_view at = path.at; !at.empty(); at = parent(at)) {
            auto const it = by_path_.find(at);
            if (it != by_path_.end()) found.insert(it->second);
        }
        if (edit.kind != static_cast<std::uint64_t>(EditKind::clear)) return;
        for (auto it = by_path_.lower_bound(edit.path);
             it != by_path_.end() && it->first.starts_with(edit.path);
             ++it)
            found.insert(it->second);
    }

    // The path of the map's name above.
    static std::string_view parent(std::string_view at) {
        std::string_view above;
        for (std::string_view rest = at; auto const segment = take_segment(rest);) {
            std::size_t const end = at.size() - rest.size() - 1;  // without the type
            if (end < at.size()) above = at.substr(0, end);
        }
        return above;
    }

    std::optional<Value> read(ToldField const& field) const {
        if (!visible(state_of(record_), schema_.on_delete)) return std::nullopt;
        CellType const type = read_type(record_, field.at, field.schema);
        if (!has_value(record_, field.at, type, field.schema)) return std::nullopt;
        return read_value(record_, field.at, type, field.schema);
    }

    // What a field reads as, and who wrote that.
    struct Reading {
        std::optional<Value> value;
        std::optional<Origin> written;
    };

    Reading reading(ToldField const& field) const {
        Reading now;
        now.value = read(field);
        if (!now.value) return now;
        CellType const type = read_type(record_, field.at, field.schema);
        auto const* rules = rules_of(type);
        if (rules && rules->siblings) {
            auto const values = rules->siblings(record_, field.at, field.schema);
            if (!values.empty())
                now.written = origin(values.front().dot, values.front().hlc, values.front().source);
        }
        if (now.written) return now;
        auto cells = cells_under(record_, own_path(field.at, type));
        std::erase_if(cells, makes_no_value);
        if (Cell const* cell = latest(cells))
            now.written = origin(cell->dot, cell->hlc, cell->source);
        return now;
    }

    Origin origin(Dot dot, Hlc hlc, std::string const& source) const {
        auto const arrived = arrived_.find(dot);
        return {dot,
                hlc,
                source,
                arrived == arrived_.end() ? std::nullopt : std::optional(arrived->second)};
    }

    // While delete markers stand, an edit of one field may bring back all others, or hide them.
    bool may_show_or_hide() const {
        auto const markers = record_.at(kDeletePath);
        return markers.begin != markers.end;
    }

    void take(std::size_t index) {
        HistoryStep const& step = past_.steps[index];
        std::map<std::size_t, Reading> before;
        auto const look = [&](std::size_t field) {
            if (index >= first_[field]) before[field] = reading(fields_[field]);
        };
        if (may_show_or_hide())
            for (std::size_t field = 0; field < fields_.size(); ++field)
                look(field);
        else
            std::for_each(touched_[index].begin(), touched_[index].end(), look);
        apply(record_, step.op, {step.dot, step.hlc, step.source, step.deps});
        for (auto& [field, was] : before) {
            auto const now = reading(fields_[field]);
            if (was.value == now.value) continue;
            auto& formers = fields_[field].story.before;
            if (was.value)
                formers.push_back({*std::move(was.value), was.written, origin_of(step)});
            else if (!formers.empty() && came_back(formers.back(), now))
                formers.pop_back();
        }
    }

    // It was not replaced after all.
    static bool came_back(Former const& former, Reading const& now) {
        return now.value == former.value && now.written && former.written &&
               now.written->dot == former.written->dot;
    }

    // The newest first. Values that still stand beside the present one were not replaced.
    static void keep_some(ToldField& field) {
        auto& before = field.story.before;
        std::erase_if(before, [&](Former const& former) {
            auto const& lost = field.story.lost;
            return former.written && std::any_of(lost.begin(), lost.end(), [&](Rival const& rival) {
                       return rival.origin.dot == former.written->dot;
                   });
        });
        std::reverse(before.begin(), before.end());
        if (before.size() > kFormerMax) before.resize(kFormerMax);
    }

    RecordPast const& past_;
    CollectionSchema const& schema_;
    std::vector<ToldField>& fields_;
    std::vector<std::size_t> first_;
    std::map<std::string, std::size_t, std::less<>> by_path_;
    std::vector<Indexes> touched_;  // by step
    std::map<Dot, std::uint64_t> arrived_;
    Record record_;
};

}  // namespace

void add_former_values(RecordPast const& past,
                       CollectionSchema const& schema,
                       std::vector<ToldField>& fields) {
    Replay(past, schema, fields).run();
}

}  // namespace inos
