#include "storage/explain.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "crdt/merge.hpp"
#include "crdt/types/bounded_counter.hpp"
#include "crdt/types/list.hpp"
#include "crdt/types/map.hpp"
#include "storage/explain_former.hpp"
#include "storage/explain_rules.hpp"
#include "storage/step_outcome.hpp"

namespace inos {
namespace {

std::string type_word(CellType type) {
    char const* const name = type_name(type);
    return name ? name : "unknown";
}

// Of a bounded counter. A minimum is never negative, so that raising it makes no negative sum.
std::string under_minimum(Value const& rival) {
    auto const* sum = rival.as<std::int64_t>();
    if (sum && *sum < 0)
        return "what was counted: the sum is under the minimum, because somebody took the counter "
               "away at the same time";
    return "the minimum: the sum is under it, because it was raised or because somebody took the "
           "counter away at the same time";
}

class Explainer {
public:
    Explainer(RecordPast const& past, CollectionSchema const& schema, std::string_view only)
        : past_(past), schema_(schema), only_(only), shown_(resolve(past.now, schema)) {
        for (HistoryStep const& step : past.steps)
            arrived_[step.dot] = step.arrived_ms;
    }

    RecordStory tell() {
        RecordStory story;
        story.complete = past_.complete;
        tell_state(story);
        if (story.state != RecordStory::State::exists) return story;
        for (std::string const& name : names_under(past_.now, {}))
            walk(path_name({}, name), {name}, schema_.field(name));
        for (auto const& [name, field] : schema_.fields)
            if (field.default_value && types_at(past_.now, path_name({}, name)).empty())
                add_default(name, field);
        add_gone_fields();
        add_former_values(past_, schema_, fields_);
        for (ToldField& field : fields_) {
            // Of a field that was taken away it is the last change that says something.
            auto const& before = field.story.before;
            if (field.story.written || !field.last || (field.is_default && before.empty()))
                continue;
            if (field.is_default)
                field.story.rule = "it was taken away, so the schema's default is read";
            field.story.written = before.empty() ? field.last : before.front().replaced;
        }
        std::sort(fields_.begin(), fields_.end(), [](ToldField const& a, ToldField const& b) {
            return a.story.field < b.story.field;
        });
        for (ToldField& field : fields_)
            story.fields.push_back(std::move(field.story));
        return story;
    }

private:
    Origin origin(Dot dot, Hlc hlc, std::string const& source) const {
        auto const arrived = arrived_.find(dot);
        return {dot,
                hlc,
                source,
                arrived == arrived_.end() ? std::nullopt : std::optional(arrived->second)};
    }
    Origin origin(Cell const& cell) const { return origin(cell.dot, cell.hlc, cell.source); }
    Origin origin(ConflictValue const& value) const {
        return origin(value.dot, value.hlc, value.source);
    }

    bool wanted(std::string const& label) const {
        return only_.empty() || label == only_ ||
               (label.starts_with(only_) && label[only_.size()] == '.');
    }
    // A field above a wanted one has to be walked through.
    bool leads_on(std::string const& label) const {
        return wanted(label) || (only_.starts_with(label) && only_.size() > label.size() &&
                                 only_[label.size()] == '.');
    }

    void tell_state(RecordStory& story) const;
    void tell_edits_beside_deletes(RecordStory& story) const;
    void walk(std::string const& at, std::vector<std::string> names, FieldSchema const* schema);
    void tell_field(ToldField& field, CellType type);
    void tell_rivals(ToldField& field, CellType type, std::vector<ConflictValue> const& values);
    Value lost_amount(Cell const& lost) const;
    std::optional<Origin> taken_away(std::string_view path) const;
    void tell_shares(ToldField const& field, CellType type, FieldStory& story) const;
    void tell_list(ToldField const& field, FieldStory& story) const;
    void tell_counts(ToldField const& field, CellType type, FieldStory& story) const;
    void tell_set(ToldField const& field, FieldStory& story) const;
    void tell_text(ToldField const& field, FieldStory& story) const;
    void add_default(std::string const& name, FieldSchema const& schema);
    void add_gone_fields();
    bool overlaps(std::string_view at) const;

    RecordPast const& past_;
    CollectionSchema const& schema_;
    std::string_view only_;
    Resolved shown_;
    std::map<Dot, std::uint64_t> arrived_;
    std::vector<ToldField> fields_;
    mutable std::optional<Removals> removals_;  // made when first asked for
};

void Explainer::tell_state(RecordStory& story) const {
    auto const state = state_of(past_.now);
    bool const seen = visible(state, schema_.on_delete);
    for (Cell const* marker : cells_at(past_.now, kDeletePath))
        story.deletes.push_back(origin(*marker));
    if (seen) {
        story.state = RecordStory::State::exists;
        story.why = "it was made and not deleted since";
        if (!state.markers) return;
        story.why =
            "delete = \"update-wins\": who deleted it had not seen the edits beside, and they "
            "bring the whole record back";
        return tell_edits_beside_deletes(story);
    }
    if (state.markers) {
        story.state = RecordStory::State::deleted;
        story.why = "it was deleted, and nobody has written to it since";
        if (!state.uncovered) return;
        story.why =
            "delete = \"delete-wins\": it stays deleted, although somebody edited it at the same "
            "time";
        return tell_edits_beside_deletes(story);
    }
    story.why = "nothing was ever written to it, as far as this node knows";
    if (!past_.now.empty())
        story.why =
            "it was deleted and purged at all sites; an edit from an old copy is kept, see "
            "inos orphans";
    for (auto step = past_.steps.rbegin(); step != past_.steps.rend(); ++step) {
        if (step->op.kind != static_cast<std::uint64_t>(OpKind::delete_)) continue;
        story.state = RecordStory::State::deleted;
        if (past_.now.empty()) story.why = "it was deleted, and purged when all sites knew of it";
        story.deletes.push_back(origin(step->dot, step->hlc, step->source));
        return;
    }
}

void Explainer::tell_edits_beside_deletes(RecordStory& story) const {
    VersionVector seen;
    for (Cell const* marker : cells_at(past_.now, kDeletePath)) {
        Reader in(marker->payload);
        if (auto const vector = VersionVector::decode(in)) seen.merge(*vector);
    }
    std::map<Dot, Cell const*> beside;
    for (Cell const& cell : past_.now.cells())
        if (cell.path != kDeletePath && !seen.covers(cell.dot)) beside[cell.dot] = &cell;
    for (auto const& [dot, cell] : beside)
        if (story.not_deleting.size() < kConcurrentMax) story.not_deleting.push_back(origin(*cell));
}

// A field, or the leaves below it if it is a map.
void Explainer::walk(std::string const& at,
                     std::vector<std::string> names,
                     FieldSchema const* schema) {
    ToldField field;
    field.at = at;
    field.schema = schema;
    for (std::string const& name : names)
        field.story.field += (field.story.field.empty() ? "" : ".") + name;
    if (!leads_on(field.story.field)) return;
    CellType const type = read_type(past_.now, at, schema);
    auto const types = types_at(past_.now, at);
    bool members = false;
    if (type == CellType::map) {
        std::string const own = own_path(at, type);
        for (std::string const& name : names_under(past_.now, own)) {
            members = true;
            auto below = names;
            below.push_back(name);
            walk(path_name(own, name), std::move(below), nullptr);
        }
    }
    bool const rivals =
        std::any_of(types.begin(), types.end(), [&](CellType other) { return other != type; });
    if ((members && !rivals) || !wanted(field.story.field)) return;
    field.story.value = value_at(shown_.fields, names);
    tell_field(field, type);
    fields_.push_back(std::move(field));
}

void Explainer::tell_field(ToldField& field, CellType type) {
    FieldStory& story = field.story;
    story.type = type_word(type);
    auto const* rules = rules_of(type);
    std::vector<ConflictValue> values;
    if (rules && rules->siblings) values = rules->siblings(past_.now, field.at, field.schema);
    auto cells = cells_under(past_.now, own_path(field.at, type));
    bool const any = !cells.empty();
    std::erase_if(cells, makes_no_value);
    if (type == CellType::register_) {
        story.rule = register_rule(field.schema, values, cells.size());
    } else if (type == CellType::flag) {
        story.rule = flag_rule(field.schema, values);
    } else {
        tell_shares(field, type, story);
    }
    bool const single = type == CellType::register_ || type == CellType::flag;
    if (single && !values.empty()) {
        story.written = origin(values.front());
    } else if (Cell const* cell = latest(cells)) {
        story.written = origin(*cell);
    } else if (any) {
        story.rule = "somebody took it away";
        story.written = taken_away(own_path(field.at, type));
    } else {
        story.rule = "nothing was written as what the schema says";
    }
    tell_rivals(field, type, values);
}

void Explainer::tell_rivals(ToldField& field,
                            CellType type,
                            std::vector<ConflictValue> const& values) {
    for (std::size_t i = 1; i < values.size(); ++i) {
        std::string why = "its side loses, whatever the time";
        if (type == CellType::register_)
            why = why_register_lost(field.schema, values[0], values[i]);
        if (type == CellType::bounded_counter) why = under_minimum(values[i].value);
        field.story.lost.push_back({values[i].value, origin(values[i]), std::move(why)});
    }
    for (CellType const other : types_at(past_.now, field.at)) {
        auto const* rules = rules_of(other);
        if (other == type || !rules || !rules->present(past_.now, field.at)) continue;
        Cell const* cell = latest_value(past_.now, own_path(field.at, other));
        field.story.lost.push_back({rules->read(past_.now, field.at, nullptr),
                                    origin(*cell),
                                    why_type_lost(field.schema, type, other)});
    }
    for (Cell const* cell : lost_increments(past_.now, field.at, type))
        field.story.lost.push_back({lost_amount(*cell), origin(*cell), why_increment_lost()});
}

// Who was the last to clear the field.
std::optional<Origin> Explainer::taken_away(std::string_view path) const {
    for (auto step = past_.steps.rbegin(); step != past_.steps.rend(); ++step)
        for (Edit const& edit : step->op.edits)
            if (edit.kind == static_cast<std::uint64_t>(EditKind::clear) &&
                path.starts_with(edit.path))
                return origin(step->dot, step->hlc, step->source);
    return std::nullopt;
}

// {"$inc": how much} of what the run counted and nobody who cleared it had seen; null where the
// past does not tell.
Value Explainer::lost_amount(Cell const& lost) const {
    auto const run = run_of_lost(lost.path);
    auto const id = run_name(lost);
    if (!past_.complete || !run || !id) return {};
    if (!removals_) removals_.emplace(past_);
    std::int64_t sum = 0;
    for (HistoryStep const& step : past_.steps) {
        if (step.dot.actor != id->actor) continue;
        for (Edit const& edit : step.op.edits) {
            if (edit.kind != static_cast<std::uint64_t>(EditKind::count) || edit.path != *run)
                continue;
            auto const delta = RunCell::decode(edit.payload);
            if (delta && delta->start == id->start && !removals_->took_run(*run, *id, step.dot))
                sum = saturating_add(sum, delta->total);
        }
    }
    bool const used = used_bounded_counter(*run).has_value();
    constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
    return Value(Object{{"$inc", Value(used ? -std::max(sum, -kMax) : sum)}});
}

void Explainer::tell_shares(ToldField const& field, CellType type, FieldStory& story) const {
    if (type == CellType::list) tell_list(field, story);
    if (type == CellType::counter || type == CellType::bounded_counter)
        tell_counts(field, type, story);
    if (type == CellType::set) tell_set(field, story);
    if (type == CellType::text) tell_text(field, story);
    std::set<ActorId> sites;
    for (Share const& share : story.shares)
        sites.insert(share.origin.dot.actor);
    story.rule = shared_rule(type, sites.size());
    if (type == CellType::bounded_counter)
        story.rights = field_rights(past_.now, field.at, field.schema);
    if (story.shares.size() > kSharesMax) story.shares.resize(kSharesMax);
}

void Explainer::tell_list(ToldField const& field, FieldStory& story) const {
    for (ListElement const& element : list_state(past_.now, field.at).shown) {
        std::string const id = element_id(element.name);
        auto const values = element_values(element);
        story.shares.push_back({id, values.front().value, origin(values.front())});
        for (std::size_t i = 1; i < values.size(); ++i)
            story.lost.push_back(
                {values[i].value,
                 origin(values[i]),
                 "of the element " + id + ": " + why_register_lost(nullptr, values[0], values[i])});
    }
}

// One share for each site: of a bounded counter what it has added less what it has used.
void Explainer::tell_counts(ToldField const& field, CellType type, FieldStory& story) const {
    std::string const own = own_path(field.at, type);
    std::map<ActorId, Share> shares;
    for (Cell const* cell : cells_under(past_.now, own)) {
        std::string_view rest = std::string_view(cell->path).substr(own.size());
        auto const part = take_segment(rest);
        if (!rest.empty() || (part && part->type == CellType::lost)) continue;
        bool const counts = !part || part->name == "i" || part->name == "u";
        auto const run = RunCell::decode(cell->payload);
        if (!counts || !run) continue;
        Share& share = shares[cell->dot.actor];
        std::int64_t const before = share.value.is_null() ? 0 : *share.value.as<std::int64_t>();
        bool const used = part && part->name == "u";
        // Totals of a bounded counter only grow from 0, so the difference stays in range.
        share.value = Value(used ? before - std::max<std::int64_t>(run->total, 0)
                                 : saturating_add(before, run->total));
        if (share.origin.hlc <= cell->hlc) share.origin = origin(*cell);
    }
    for (auto& [actor, share] : shares)
        story.shares.push_back(std::move(share));
}

void Explainer::tell_set(ToldField const& field, FieldStory& story) const {
    std::string const own = own_path(field.at, CellType::set);
    for (Cell const* cell : cells_under(past_.now, own)) {
        std::string_view rest = std::string_view(cell->path).substr(own.size());
        auto const element = take_segment(rest);
        auto value = element ? decode_value(element->name) : std::nullopt;
        if (value) story.shares.push_back({{}, *std::move(value), origin(*cell)});
    }
}

// One share for each site: how many of its characters are there.
void Explainer::tell_text(ToldField const& field, FieldStory& story) const {
    std::map<ActorId, Share> shares;
    for (Cell const* cell : cells_under(past_.now, own_path(field.at, CellType::text))) {
        auto const pieces = is_shrinking(cell->path) ? Pieces::decode(cell->payload) : std::nullopt;
        if (!pieces) continue;
        std::int64_t count = 0;
        for (Piece const& piece : pieces->items())
            count += static_cast<std::int64_t>(piece.length);
        Share& share = shares[cell->dot.actor];
        auto const* before = share.value.as<std::int64_t>();
        share.value = Value(count + (before ? *before : 0));
        if (share.origin.hlc <= cell->hlc) share.origin = origin(*cell);
    }
    for (auto& [actor, share] : shares)
        story.shares.push_back(std::move(share));
}

void Explainer::add_default(std::string const& name, FieldSchema const& schema) {
    if (!wanted(name)) return;
    ToldField field;
    field.at = path_name({}, name);
    field.schema = &schema;
    field.is_default = true;
    field.story.field = name;
    field.story.type = type_word(schema.type);
    field.story.value = value_at(shown_.fields, {name});
    field.story.rule = "nothing is written there: the schema's default";
    fields_.push_back(std::move(field));
}

// Fields that were there once: what took them away is of interest too.
void Explainer::add_gone_fields() {
    std::size_t added = 0;
    std::set<std::string_view> decided;  // into the past
    for (auto step = past_.steps.rbegin(); step != past_.steps.rend(); ++step)
        for (Edit const& edit : step->op.edits) {
            auto const path = field_path(edit.path);
            if (path.names.empty() || added == kGoneFieldsMax) continue;
            if (!decided.insert(path.at).second) continue;
            if (!wanted(path.label()) || overlaps(path.at)) continue;
            ToldField field;
            field.at = std::string(path.at);
            field.schema = path.names.size() == 1 ? schema_.field(path.names.front()) : nullptr;
            field.story.field = path.label();
            if (path.type) field.story.type = type_word(*path.type);
            field.story.rule = "it was taken away";
            fields_.push_back(std::move(field));
            ++added;
        }
}

// Is it told already, as itself or as a part of what is told?
bool Explainer::overlaps(std::string_view at) const {
    if (!types_at(past_.now, at).empty()) return true;
    return std::any_of(fields_.begin(), fields_.end(), [at](ToldField const& field) {
        if (field.is_default) return field.at == at;
        return field.at.starts_with(at) || at.starts_with(field.at);
    });
}

}  // namespace

RecordStory explain(RecordPast const& past,
                    CollectionSchema const& schema,
                    std::string_view field) {
    return Explainer(past, schema, field).tell();
}

}  // namespace inos
