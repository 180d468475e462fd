#include "adapters/engine/step.hpp"

#include <algorithm>

#include "adapters/engine/step_parts.hpp"
#include "crdt/resolve.hpp"
#include "crdt/types/types.hpp"

namespace inos {
namespace {

constexpr char const* kReview =
    "record and object differ, and the mapping says that somebody has to decide";

// A merge patch that makes `from` what `to` is, as far as both are objects.
Value patch_between(Value const& from, Value const& to) {
    auto const* old_object = from.as<Object>();
    auto const* new_object = to.as<Object>();
    if (!old_object || !new_object) return to;
    Object patch;
    for (Member const& member : *old_object)
        if (!to.find(member.key)) set_member(patch, member.key, Value());
    for (Member const& member : *new_object) {
        Value const* old_value = from.find(member.key);
        if (old_value && *old_value == member.value) continue;
        set_member(
            patch, member.key, old_value ? patch_between(*old_value, member.value) : member.value);
    }
    return Value(std::move(patch));
}

Value operation(char const* name, Value operand) {
    return Value(Object{{name, std::move(operand)}});
}

std::int64_t counted(std::optional<Value> const& value) {
    auto const* number = value ? value->as<std::int64_t>() : nullptr;
    return number ? *number : 0;
}

// A field whose value in the object goes into the record.
struct Taking {
    FieldView const* view = nullptr;
    Value patch;                           // of the field
    std::optional<VersionVector> context;  // none: a counter's, which needs none
    ShadowField after;
};

class Stepper {
public:
    explicit Stepper(StepInput const& input) : input_(input), binding_(input.binding) {
        step_.next = input.shadow;
        there_ = visible(state_of(input.record), input.schema.on_delete);
    }

    Step run() {
        if (input_.erased) {
            step_.suppress = true;
            return std::move(step_);
        }
        if (input_.shadow.state == Shadow::State::parted) return std::move(step_);
        if (!input_.object_there) {
            object_gone();
            return std::move(step_);
        }
        step_.next.state = Shadow::State::live;
        step_.next.misses = 0;
        step_.next.token = kept_token(input_.token);
        if (!there_)
            record_gone();
        else
            both_there();
        bool const news = step_.inbound || step_.outbound || noted_ > 0;
        if (!news && !input_.shadow.fields.empty()) step_.counts.echo_suppressed = 1;
        return std::move(step_);
    }

private:
    // ---- one side is not there ----------------------------------------------------------------
    void object_gone() {
        bool const new_pair = input_.shadow.fields.empty();
        bool const out = goes_out(binding_.mode);
        if (input_.shadow.state == Shadow::State::live && !new_pair) return object_deleted();
        // What survives a deletion, because it was edited meanwhile, is made there again.
        bool const survived = input_.shadow.state == Shadow::State::deleted ||
                              (input_.shadow.state == Shadow::State::gone &&
                               binding_.deletes.in == DeleteRule::propagate);
        if (there_ && out && !input_.shadow.intent && (new_pair || survived))
            write_out(OutboundWrite::Kind::create);
    }

    void object_deleted() {
        step_.next.state = Shadow::State::gone;
        step_.next.token.clear();
        switch (binding_.deletes.in) {
            case DeleteRule::propagate:
                if (there_) delete_record();
                return;
            case DeleteRule::unlink:
                step_.next.state = Shadow::State::parted;
                return;
            case DeleteRule::archive:
                step_.next.state = Shadow::State::parted;
                if (there_) archive_record();
                return;
            case DeleteRule::ignore:
                return;
        }
    }

    // Whoever deleted the object had seen all that was sent there, and of what is not mapped there
    // was nothing to see. Cells that wait to be sent are not covered.
    void delete_record() {
        VersionVector seen = seen_cells(input_.record);
        for (FieldView const& view : input_.fields) {
            if (!goes_out(view.map->dir)) continue;
            ShadowField const* field = input_.shadow.field(path_text(view));
            bool const counter = view.map->kind == FieldKind::counter;
            if (counter && field && field->rec == view.ours) continue;
            for (Dot const dot : cells_of(view.map->record))
                if (counter || !field || !field->shown.covers(dot))
                    seen.set(dot.actor, std::min(seen.at(dot.actor), dot.seq - 1));
        }
        step_.inbound = RecordWrite{RecordWrite::Kind::delete_, input_.shadow.record, {}, {}};
        step_.inbound->seen = std::move(seen);
        step_.again = true;
    }

    void archive_record() {
        if (!binding_.deletes.archive_in) return;
        Archive const& archive = *binding_.deletes.archive_in;
        Value value = archive.value;
        if (archive.append) {
            auto const fields = resolve(input_.record, input_.schema).fields;
            Value const* now = find_at(fields, archive.path);
            auto const* text = now ? now->as<std::string>() : nullptr;
            auto const* more = value.as<std::string>();
            if (text && more) value = Value(*text + *more);
        }
        Object patch;
        set_at(patch, archive.path, std::move(value));
        step_.inbound =
            RecordWrite{RecordWrite::Kind::patch, input_.shadow.record, std::move(patch), {}};
    }

    void record_gone() {
        bool const known = std::any_of(input_.shadow.fields.begin(),
                                       input_.shadow.fields.end(),
                                       [](ShadowField const& field) { return field.seen; });
        // An object that comes back brings its record back.
        bool const back = input_.shadow.state == Shadow::State::gone;
        if (!known || back) return import();
        bool const concurrent =
            std::any_of(input_.fields.begin(), input_.fields.end(), [&](FieldView const& view) {
                return goes_in(view.map->dir) && differs_from_seen(view);
            });
        // An edit that nobody who deleted the record had seen.
        if (concurrent && input_.schema.on_delete == DeletePolicy::update_wins) return import();
        if (concurrent) ++step_.counts.conflicts;
        record_deleted();
    }

    bool differs_from_seen(FieldView const& view) const {
        ShadowField const* field = input_.shadow.field(path_text(view));
        bool const hidden = view.theirs.kind == Inbound::Kind::hidden;
        return !hidden && field && field->seen && *field->seen != seen_value(view);
    }

    void record_deleted() {
        switch (binding_.deletes.out) {
            case DeleteRule::propagate:
            case DeleteRule::archive:
                if (!goes_out(binding_.mode) || input_.shadow.intent) return;
                step_.outbound = OutboundWrite{binding_.deletes.out == DeleteRule::propagate
                                                   ? OutboundWrite::Kind::delete_
                                                   : OutboundWrite::Kind::archive,
                                               input_.token,
                                               {}};
                return;
            case DeleteRule::unlink:
                step_.next.state = Shadow::State::parted;
                return;
            case DeleteRule::ignore:
                return;
        }
    }

    // The record begins with all that the object has of it.
    void import() {
        if (!goes_in(binding_.mode)) return;
        std::vector<Taking> taking;
        for (FieldView const& view : input_.fields) {
            if (!goes_in(view.map->dir) || view.theirs.kind == Inbound::Kind::hidden) continue;
            ShadowField after;
            after.path = path_text(view);
            after.seen = seen_value(view);
            if (view.theirs.kind == Inbound::Kind::value && storable(view)) {
                Value const& value = after.seen->value;
                after.rec = value;
                if (!value.is_null()) {
                    taking.push_back({&view, whole_value(view, value), {}, std::move(after)});
                    continue;
                }
            } else {
                after.rec = Value();  // what the record does not have is not written there
            }
            note(std::move(after));
        }
        write_in(taking);
    }

    static Value whole_value(FieldView const& view, Value const& value) {
        return view.map->kind == FieldKind::counter ? operation("$inc", value) : value;
    }

    // ---- into the record ----------------------------------------------------------------------
    void both_there() {
        std::vector<Taking> taking;
        for (FieldView const& view : input_.fields)
            if (view.theirs.kind != Inbound::Kind::hidden)
                if (auto taken = look(view)) taking.push_back(*std::move(taken));
        if (!taking.empty()) return write_in(taking);
        if (goes_out(binding_.mode) && !input_.shadow.intent)
            write_out(OutboundWrite::Kind::update);
    }

    std::optional<Taking> look(FieldView const& view) {
        std::string const path = path_text(view);
        ShadowField const* known = input_.shadow.field(path);
        if (known && known->quarantined) return std::nullopt;
        // What became of a difference that was sent is not known: it could be taken for theirs.
        bool const counter = view.map->kind == FieldKind::counter && goes_in(view.map->dir);
        if (counter && input_.shadow.intent) return std::nullopt;
        // Differences are from the last number that there was.
        bool const number = view.theirs.kind == Inbound::Kind::value;
        if (counter && number && view.theirs.value.is_null() && known) return std::nullopt;
        if (counter && view.theirs.kind == Inbound::Kind::keep) return std::nullopt;
        if (counter && !storable(view)) return std::nullopt;
        SeenValue now = seen_value(view);
        if (known && known->seen == now) return std::nullopt;
        ShadowField after = known ? *known : ShadowField();
        after.path = path;
        bool const first = !after.seen;
        if (change_seen(after, std::move(now), binding_.errors, input_.now_ms))
            step_.problems.push_back(flip_problem(path, binding_.errors));
        bool const in = goes_in(view.map->dir);
        if (!in || view.theirs.kind == Inbound::Kind::keep) {
            // Says nothing about the record, which says what stands there, if it says anything.
            bool const nothing = view.ours.is_null() && (first || (in && after.rec == Value()));
            after.rec = nothing ? std::optional(Value()) : std::nullopt;
            return note(std::move(after));
        }
        if (!counter && !storable(view)) {
            if (first) after.rec = view.ours;  // nothing is written over it
            return note(std::move(after));
        }
        switch (view.map->kind) {
            case FieldKind::counter:
                return look_at_counter(view, std::move(after), first);
            case FieldKind::set:
                return look_at_set(view, std::move(after), first);
            default:
                return first ? first_look(view, std::move(after))
                             : look_again(view, std::move(after));
        }
    }

    // A problem is told where the value cannot be taken.
    bool storable(FieldView const& view) {
        std::string why = view.theirs.why;
        if (view.theirs.kind == Inbound::Kind::value) {
            bool const set = view.map->kind == FieldKind::set;
            bool const counter = view.map->kind == FieldKind::counter;
            Value const& value = view.theirs.value;
            if (value.is_null()) return true;
            if (set && !value.as<Array>())
                why = "a set takes a list of values";
            else if (counter && !value.as<std::int64_t>())
                why = "a counter takes whole numbers";
            else if (holds_operators(value))
                why = "a member's name begins with $, which the store keeps for operations";
            else
                return true;
        } else if (view.theirs.kind == Inbound::Kind::keep) {
            return false;
        }
        step_.problems.push_back({StepProblem::Kind::refused_in, path_text(view), std::move(why)});
        return false;
    }

    std::nullopt_t note(ShadowField field) {
        ++noted_;
        std::string const path = field.path;
        step_.next.field_for(path) = std::move(field);
        return std::nullopt;
    }

    std::nullopt_t agree(FieldView const& view, ShadowField after) {
        ++step_.counts.agreed;
        after.rec = view.ours;
        after.shown = cells_shown(input_.record, view.map->record);
        return note(std::move(after));
    }

    std::nullopt_t review(FieldView const& view) {
        step_.problems.push_back({StepProblem::Kind::review, path_text(view), kReview});
        return std::nullopt;
    }

    Differing const& differing(FieldView const& view) const {
        auto const& at = binding_.initial.differing_at;
        auto const it = at.find(view.map->record);
        return it == at.end() ? binding_.initial.differing : it->second;
    }

    // Whose value the first look prefers; nullopt: neither's, the policy decides.
    std::optional<bool> prefers_record(FieldView const& view) const {
        Differing const& rule = differing(view);
        if (rule.rule == Differing::Rule::prefer) return rule.prefer_record;
        if (rule.rule != Differing::Rule::newest || !input_.object_ms) return std::nullopt;
        auto const cells = cells_shown(input_.record, view.map->record);
        std::uint64_t newest = 0;
        for (Cell const& cell : input_.record.cells())
            if (cells.at(cell.dot.actor) == cell.dot.seq) newest = std::max(newest, cell.hlc.ms());
        return newest > *input_.object_ms;
    }

    // Field and object have never been compared.
    std::optional<Taking> first_look(FieldView const& view, ShadowField after) {
        Value const theirs = after.seen->value;  // which is moved from below
        if (theirs == view.ours) return agree(view, std::move(after));
        if (theirs.is_null()) return note(std::move(after));
        auto const shown = cells_shown(input_.record, view.map->record);
        if (!view.ours.is_null() && goes_out(view.map->dir)) {
            if (differing(view).rule == Differing::Rule::review) return review(view);
            auto const record = prefers_record(view);
            if (record == true) return note(std::move(after));
            if (!record) return take(view, theirs, VersionVector(), std::move(after));
        }
        return take(view, theirs, shown, std::move(after));
    }

    std::optional<Taking> look_again(FieldView const& view, ShadowField after) {
        Value const& theirs = after.seen->value;
        if (theirs == view.ours) return agree(view, std::move(after));
        ShadowField const& known = *input_.shadow.field(after.path);
        if (goes_out(view.map->dir) && known.rec != view.ours) ++step_.counts.conflicts;
        bool const whole =
            view.map->atomic || !known.seen || known.seen->kind != SeenValue::Kind::read;
        Value patch = whole ? theirs : patch_between(known.seen->value, theirs);
        VersionVector shown = known.shown;
        return take(view, std::move(patch), std::move(shown), std::move(after));
    }

    std::optional<Taking> take(FieldView const& view,
                               Value patch,
                               std::optional<VersionVector> context,
                               ShadowField after) {
        after.rec = after.seen->value;
        if (context) after.shown = *context;
        return Taking{&view, std::move(patch), std::move(context), std::move(after)};
    }

    std::optional<Taking> look_at_counter(FieldView const& view, ShadowField after, bool first) {
        ShadowField const* known = input_.shadow.field(after.path);
        if (after.seen->value.is_null()) return note(std::move(after));  // at the first look
        std::int64_t const theirs = counted(after.seen->value);
        std::int64_t from = first ? 0 : counted(known->seen->value);
        std::int64_t rec = first ? 0 : counted(known->rec);
        bool const both = first && view.ours.as<std::int64_t>() && goes_out(view.map->dir);
        if (both) {
            if (view.ours == after.seen->value) return agree(view, std::move(after));
            auto const record = prefers_record(view);
            if (!record) return review(view);
            if (*record) {
                after.rec = after.seen->value;  // the rest goes out
                return note(std::move(after));
            }
            from = rec = counted(view.ours);
        }
        std::int64_t delta = 0;
        if (__builtin_sub_overflow(theirs, from, &delta) ||
            __builtin_add_overflow(rec, delta, &rec)) {
            step_.problems.push_back({StepProblem::Kind::refused_in,
                                      after.path,
                                      "the difference leaves the range of 64-bit integers"});
            return std::nullopt;
        }
        if (delta == 0) {
            after.rec = Value(rec);
            return note(std::move(after));
        }
        Taking taking{&view, operation("$inc", Value(delta)), std::nullopt, std::move(after)};
        taking.after.rec = Value(rec);
        return taking;
    }

    std::optional<Taking> look_at_set(FieldView const& view, ShadowField after, bool first) {
        ShadowField const* known = input_.shadow.field(after.path);
        auto const theirs = set_elements(after.seen->value);
        auto const ours = set_elements(view.ours);
        auto const old = first ? std::vector<Value>() : set_elements(known->seen->value);
        auto added = elements_without(theirs, old);
        auto removed = elements_without(old, theirs);
        auto shown = first ? VersionVector() : known->shown;
        after.rec.reset();  // what the record makes of it is compared with what stands there
        if (first) {
            bool const both = !ours.empty() && !theirs.empty() && goes_out(view.map->dir);
            if (both && ours != theirs && differing(view).rule == Differing::Rule::review)
                return review(view);
            auto const record = both ? prefers_record(view) : std::nullopt;
            added = record == true ? std::vector<Value>() : elements_without(theirs, ours);
            if (record == false) {
                removed = elements_without(ours, theirs);
                shown = cells_shown(input_.record, view.map->record);
            }
        } else if (input_.shadow.intent) {
            added = elements_without(added, ours);  // they may be those that were sent
        }
        if (added.empty() && removed.empty()) {
            if (theirs == ours) after.shown = cells_shown(input_.record, view.map->record);
            return note(std::move(after));
        }
        Object patch;
        if (!added.empty()) set_member(patch, "$add", Value(Array(added)));
        if (!removed.empty()) set_member(patch, "$remove", Value(Array(removed)));
        return Taking{&view, Value(std::move(patch)), std::move(shown), std::move(after)};
    }

    // One write has one context. Fields whose cells it would cover, although they were not shown,
    // wait for the next round.
    bool exact(std::vector<Taking const*> const& taken, VersionVector const& context) const {
        return std::all_of(taken.begin(), taken.end(), [&](Taking const* taking) {
            if (!taking->context) return true;
            auto const shown = cells_of(taking->view->map->record);
            return std::all_of(shown.begin(), shown.end(), [&](Dot dot) {
                return taking->context->covers(dot) || !context.covers(dot);
            });
        });
    }

    std::vector<Dot> cells_of(Pointer const& pointer) const {
        std::vector<Dot> dots;
        auto const all = cells_range(input_.record, pointer);
        for (std::size_t i = all.begin; i < all.end; ++i)
            dots.push_back(input_.record[i].dot);
        return dots;
    }

    Step::Taken taken_as(Taking const& taking) const {
        Step::Taken taken{taking.after.path, {}};
        if (!taking.context) return taken;
        for (Dot const dot : cells_of(taking.view->map->record))
            if (!taking.context->covers(dot)) taken.unseen.push_back(dot.actor);
        return taken;
    }

    void write_in(std::vector<Taking>& taking) {
        std::vector<Taking const*> taken;
        VersionVector context;
        bool has_context = false;
        Object patch;
        for (Taking& one : taking) {
            VersionVector wider = context;
            if (one.context) wider.merge(*one.context);
            taken.push_back(&one);
            if (!exact(taken, wider)) {
                taken.pop_back();
                continue;
            }
            context = std::move(wider);
            has_context = has_context || one.context.has_value();
            set_at(patch, one.view->map->record, std::move(one.patch));
            if (one.view->map->kind != FieldKind::counter) step_.takes.push_back(taken_as(one));
            step_.next.field_for(one.after.path) = one.after;
            ++step_.counts.taken;
        }
        // An object without a single value is a record all the same.
        if (taken.empty() && there_) return;
        step_.inbound =
            RecordWrite{RecordWrite::Kind::patch, input_.shadow.record, std::move(patch), {}};
        if (there_ && has_context) step_.inbound->seen = std::move(context);
        step_.again = true;
    }

    // ---- to the system ------------------------------------------------------------------------
    void write_out(OutboundWrite::Kind kind) {
        OutboundWrite write{kind, input_.token, {}};
        for (FieldView const& view : input_.fields)
            if (goes_out(view.map->dir) && view.fits)
                if (auto field = field_out(view, kind)) write.fields.push_back(*std::move(field));
        if (!write.fields.empty() || kind == OutboundWrite::Kind::create)
            step_.outbound = std::move(write);
    }

    std::optional<FieldWrite> field_out(FieldView const& view, OutboundWrite::Kind kind) {
        std::string const path = path_text(view);
        bool const create = kind == OutboundWrite::Kind::create;
        ShadowField const* known = create ? nullptr : step_.next.field(path);
        bool const hidden = view.theirs.kind == Inbound::Kind::hidden;
        if (known && known->quarantined) return std::nullopt;
        if (!create && !hidden && !(known && known->seen)) return std::nullopt;  // to be reviewed
        Value const ours = view.map->kind == FieldKind::set && view.ours.as<Array>()
                               ? Value(set_elements(view.ours))
                               : view.ours;
        if (known && known->rec == ours) return std::nullopt;
        if (view.out.kind == Outbound::Kind::refused) {
            step_.problems.push_back({StepProblem::Kind::refused_out, path, view.out.why});
            return std::nullopt;
        }
        if (view.out.kind == Outbound::Kind::skip) {
            if (known) settle_unwritten(path, ours, known->shown);
            return std::nullopt;
        }
        FieldWrite field{path, ours, view.out.parts, {}, {}, {}, {}};
        field.shown = cells_shown(input_.record, view.map->record);
        bool const both_ways = goes_in(view.map->dir);
        if (view.map->kind == FieldKind::counter && both_ways)
            return counter_out(std::move(field), known, create);
        bool stands = known ? field.parts == view.there : writes_nothing(field);
        if (view.map->kind == FieldKind::set) {
            auto const theirs = create ? std::vector<Value>() : set_elements(view.theirs.value);
            field.added = elements_without(set_elements(ours), theirs);
            field.removed = elements_without(theirs, set_elements(ours));
            if (both_ways) stands = field.added.empty() && field.removed.empty();
        }
        if (!stands) return field;
        if (known) settle_unwritten(path, ours, field.shown);
        return std::nullopt;
    }

    static bool writes_nothing(FieldWrite const& field) {
        return std::all_of(field.parts.begin(), field.parts.end(), [](auto const& part) {
            return part.value.is_null();
        });
    }

    std::optional<FieldWrite> counter_out(FieldWrite field, ShadowField const* known, bool create) {
        if (!field.rec.as<std::int64_t>()) return std::nullopt;  // no number is not zero
        std::int64_t delta = 0;
        std::int64_t const from = known && !create ? counted(known->rec) : 0;
        if (__builtin_sub_overflow(counted(field.rec), from, &delta)) {
            step_.problems.push_back({StepProblem::Kind::refused_out,
                                      field.path,
                                      "the difference leaves the range of 64-bit integers"});
            return std::nullopt;
        }
        if (delta == 0 && !create) return std::nullopt;
        field.delta = delta;
        return field;
    }

    void settle_unwritten(std::string const& path, Value ours, VersionVector shown) {
        ShadowField& field = step_.next.field_for(path);
        field.rec = std::move(ours);
        field.shown = std::move(shown);
    }

    StepInput const& input_;
    Binding const& binding_;
    Step step_;
    bool there_ = false;     // the record is
    std::size_t noted_ = 0;  // fields of which the shadow learns something new
};

}  // namespace

Step plan_step(StepInput const& input) {
    return Stepper(input).run();
}

Shadow with_commit(Step const& step, std::optional<Dot> const& dot) {
    Shadow next = step.next;
    if (dot)
        for (Step::Taken const& taken : step.takes)
            if (std::count(taken.unseen.begin(), taken.unseen.end(), dot->actor) == 0)
                next.field_for(taken.path).shown.raise(dot->actor, dot->seq);
    return next;
}

}  // namespace inos
