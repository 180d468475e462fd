#include "storage/step_outcome.hpp"

#include <algorithm>

#include "crdt/types/bounded_counter.hpp"

namespace inos {
namespace {

Cell const* cell_of(Record const& record, std::string_view path, Dot dot) {
    auto const range = record.at(path);
    for (std::size_t i = range.begin; i < range.end; ++i)
        if (record[i].dot == dot) return &record[i];
    return nullptr;
}

// Later steps have seen more, so they are asked first.
bool one_saw(std::vector<HistoryStep const*> const& steps, Dot dot) {
    return std::any_of(steps.rbegin(), steps.rend(), [dot](HistoryStep const* step) {
        return step->dot != dot && saw(*step, dot);
    });
}

}  // namespace

Removals::Removals(RecordPast const& past) {
    for (HistoryStep const& step : past.steps) {
        bool const change = step.op.kind == static_cast<std::uint64_t>(OpKind::change);
        if (!change && step.op.kind != static_cast<std::uint64_t>(OpKind::delete_)) continue;
        all_.push_back(&step);
        if (change && step.op.fresh) fresh_.push_back(&step);
        for (Edit const& edit : step.op.edits) {
            if (edit.kind == static_cast<std::uint64_t>(EditKind::clear))
                clears_[edit.path].push_back(&step);
            if (edit.kind == static_cast<std::uint64_t>(EditKind::write) ||
                edit.kind == static_cast<std::uint64_t>(EditKind::remove))
                exact_[edit.path].push_back(&step);
            if (edit.kind == static_cast<std::uint64_t>(EditKind::end_run))
                ends_of_runs_[edit.path].push_back(&step);
        }
    }
}

// A clear's prefix ends behind a name or behind a type.
bool Removals::cleared(std::string_view path, Dot dot) const {
    if (one_saw(fresh_, dot)) return true;
    for (std::string_view rest = path; take_segment(rest);) {
        std::string_view const typed = path.substr(0, path.size() - rest.size());
        for (std::string_view const prefix : {typed, typed.substr(0, typed.size() - 1)}) {
            auto const found = clears_.find(prefix);
            if (found != clears_.end() && one_saw(found->second, dot)) return true;
        }
    }
    return false;
}

bool Removals::took(std::string_view path, Dot dot) const {
    auto const found = exact_.find(path);
    return (found != exact_.end() && one_saw(found->second, dot)) || cleared(path, dot);
}

bool Removals::took_run(std::string_view path, RunName const& id, Dot dot) const {
    if (cleared(path, dot)) return true;
    auto const found = ends_of_runs_.find(path);
    if (found == ends_of_runs_.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(), [&](HistoryStep const* step) {
        return step->dot != dot && saw(*step, dot) &&
               std::any_of(step->op.edits.begin(), step->op.edits.end(), [&](Edit const& edit) {
                   return edit.kind == static_cast<std::uint64_t>(EditKind::end_run) &&
                          edit.path == path && RunName::decode(edit.payload) == id;
               });
    });
}

bool Removals::replaced_delete(Dot dot) const {
    return one_saw(all_, dot);
}

Outcomes::Outcomes(RecordPast const& past, CollectionSchema const& schema)
    : past_(past),
      schema_(schema),
      visible_(visible(state_of(past.now), schema.on_delete)),
      removals_(past),
      removed_elements_(removed_elements(past.now)) {
    for (HistoryStep const& step : past.steps) {
        by_dot_[step.dot] = &step;
        if (step.op.kind == static_cast<std::uint64_t>(OpKind::delete_)) deletes_.push_back(&step);
    }
}

Outcome Outcomes::of_edit(HistoryStep const& step, Edit const& edit, FieldPath const& field) {
    switch (edit.kind) {
        case static_cast<std::uint64_t>(EditKind::write):
            return of_write(step, edit, field);
        case static_cast<std::uint64_t>(EditKind::remove):
        case static_cast<std::uint64_t>(EditKind::clear):
        case static_cast<std::uint64_t>(EditKind::end_run):
            return of_removal(step, edit);
        case static_cast<std::uint64_t>(EditKind::count):
            return of_count(step, edit, field);
        case static_cast<std::uint64_t>(EditKind::cut): {
            // What was cut stays so as long as there is the text.
            bool const text = !cells_under(past_.now, own_path(field.at, CellType::text)).empty();
            if (!visible_) return hidden(step.dot);
            return text ? Outcome::in_effect : Outcome::replaced;
        }
        default:
            return Outcome::replaced;
    }
}

Outcome Outcomes::of_delete(HistoryStep const& step) const {
    if (removals_.replaced_delete(step.dot)) return Outcome::replaced;
    return visible_ ? Outcome::lost : Outcome::in_effect;
}

Outcome Outcomes::of_existence(HistoryStep const& step) const {
    Cell const* cell = cell_of(past_.now, kExistencePath, step.dot);
    if (!cell) return Outcome::replaced;
    return visible_ ? Outcome::in_effect : hidden(step.dot);
}

// Of a deleted record: somebody who had seen it deleted it, or a concurrent delete wins.
Outcome Outcomes::hidden(Dot dot) const {
    bool const seen = std::any_of(
        deletes_.begin(), deletes_.end(), [dot](auto const* step) { return saw(*step, dot); });
    return seen ? Outcome::replaced : Outcome::lost;
}

Outcome Outcomes::of_write(HistoryStep const& step, Edit const& edit, FieldPath const& field) {
    if (field.type == CellType::list && is_marker(edit.path)) return of_marker(step, edit, field);
    Cell const* cell = cell_of(past_.now, edit.path, step.dot);
    return cell ? of_cell(*cell, field) : Outcome::replaced;
}

// A removal holds until something stands there again: of a later write, or of a concurrent one.
Outcome Outcomes::of_removal(HistoryStep const& step, Edit const& edit) const {
    if (!visible_) return hidden(step.dot);
    if (edit.kind == static_cast<std::uint64_t>(EditKind::end_run)) return Outcome::in_effect;
    bool const clears = edit.kind == static_cast<std::uint64_t>(EditKind::clear);
    auto const range = clears ? past_.now.under(edit.path) : past_.now.at(edit.path);
    bool any = false, later = false;
    for (std::size_t i = range.begin; i < range.end; ++i) {
        Dot const dot = past_.now[i].dot;
        if (dot == step.dot || (clears && !counts_against_removal(i))) continue;
        any = true;
        auto const writer = by_dot_.find(dot);
        later |= writer != by_dot_.end() && saw(*writer->second, step.dot);
    }
    return !any ? Outcome::in_effect : later ? Outcome::replaced : Outcome::lost;
}

// Not every cell below a field makes it read as something: the note that increments add nothing,
// rights that were passed on, moves and removals of elements, and elements that are removed.
bool Outcomes::counts_against_removal(std::size_t cell) const {
    std::string_view const path = past_.now[cell].path;
    auto const type = static_cast<CellType>(path.back());
    if (type == CellType::lost || type == CellType::marker || type == CellType::position)
        return false;
    if (holds_passed_rights(path)) return false;
    auto const above =
        std::upper_bound(removed_elements_.begin(),
                         removed_elements_.end(),
                         cell,
                         [](std::size_t at, Record::Range const& range) { return at < range.end; });
    return above == removed_elements_.end() || cell < above->begin;
}

// The removal of an element. What it removed is purged together with its marker at some time, at
// each site at another one, so the marker itself tells nothing.
Outcome Outcomes::of_marker(HistoryStep const& step, Edit const& edit, FieldPath const& field) {
    if (removals_.took(edit.path, step.dot)) return Outcome::replaced;
    if (!visible_) return hidden(step.dot);
    std::string_view rest = field.rest;
    auto const segment = take_segment(rest);
    bool const there = segment && list_at(field.at).shown.contains(segment->name);
    return there ? Outcome::lost : Outcome::in_effect;
}

// An author's increments go on in one cell, whose dot is that of the last one.
Outcome Outcomes::of_count(HistoryStep const& step, Edit const& edit, FieldPath const& field) {
    auto const delta = RunCell::decode(edit.payload);
    for (Cell const* cell : cells_at(past_.now, edit.path)) {
        auto const run = RunCell::decode(cell->payload);
        bool const same = run && delta && run->start == delta->start;
        if (cell->dot.actor != step.dot.actor || !same) continue;
        if (!visible_) return hidden(step.dot);
        return is_read(field) ? Outcome::in_effect : Outcome::lost;
    }
    if (!delta) return Outcome::replaced;
    RunName const id{step.dot.actor, delta->start};
    for (Cell const* cell : cells_at(past_.now, lost_path(edit.path)))
        if (run_name(*cell) == id && !removals_.took_run(edit.path, id, step.dot))
            return visible_ ? Outcome::lost : hidden(step.dot);
    return Outcome::replaced;
}

Outcome Outcomes::of_cell(Cell const& cell, FieldPath const& field) {
    if (!visible_) return hidden(cell.dot);
    if (!is_read(field)) return Outcome::lost;
    FieldSchema const* schema =
        field.names.size() == 1 ? schema_.field(field.names.front()) : nullptr;
    if (field.type == CellType::list) return of_element(cell, field);
    if (field.type == CellType::flag) {
        Value const value = read_value(past_.now, field.at, CellType::flag, schema);
        auto const* on = value.as<bool>();
        std::string_view rest = field.rest;
        auto const side = take_segment(rest);
        bool const shown = on && side && (side->name == "1") == *on;
        return shown ? Outcome::in_effect : Outcome::lost;
    }
    if (field.type != CellType::register_) return Outcome::in_effect;
    bool const keeps = schema && (schema->policy == RegisterPolicy::keep_all ||
                                  !schema->policy_known || !schema->type_known);
    auto const values = rules_of(CellType::register_)->siblings(past_.now, field.at, schema);
    bool const shown = keeps || (!values.empty() && encode(values.front().value) == cell.payload);
    return shown ? Outcome::in_effect : Outcome::lost;
}

// A cell of a list: of the list itself, or the value, place or removal of an element.
Outcome Outcomes::of_element(Cell const& cell, FieldPath const& field) {
    std::string_view rest = field.rest;
    auto const segment = take_segment(rest);
    if (!segment) return Outcome::in_effect;
    auto const part = take_segment(rest);
    auto const& shown = list_at(field.at).shown;
    auto const found = shown.find(segment->name);
    if (found == shown.end()) return Outcome::replaced;
    ListElement const* const element = found->second;
    bool holds = true;
    if (part && part->type == CellType::register_)
        holds = element->values.front()->payload == cell.payload;
    if (part && part->type == CellType::position)
        holds = Position::decode(cell.payload) == element->place;
    return holds ? Outcome::in_effect : Outcome::lost;
}

// Is the type of the field, and of each map above it, the one that is read?
bool Outcomes::is_read(FieldPath const& field) {
    std::pair key(std::string(field.at), field.type.value_or(CellType::register_));
    auto const known = read_.find(key);
    if (known != read_.end()) return known->second;
    return read_[std::move(key)] = find_is_read(field);
}

bool Outcomes::find_is_read(FieldPath const& field) const {
    std::string at;
    for (std::size_t i = 0; i < field.names.size(); ++i) {
        at = path_name(at, field.names[i]);
        bool const last = i + 1 == field.names.size();
        CellType const type = last ? field.type.value_or(CellType::register_) : CellType::map;
        FieldSchema const* schema = i == 0 ? schema_.field(field.names[i]) : nullptr;
        if (read_type(past_.now, at, schema) != type) return false;
        at = own_path(at, type);
    }
    return true;
}

Outcomes::List const& Outcomes::list_at(std::string_view at) {
    auto const known = lists_.find(at);
    if (known != lists_.end()) return known->second;
    List& list = lists_[std::string(at)];
    list.state = list_state(past_.now, at);
    for (ListElement const& element : list.state.shown)
        list.shown[element.name] = &element;
    return list;
}

}  // namespace inos
