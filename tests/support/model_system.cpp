#include "tests/support/model_system.hpp"

#include <algorithm>

#include "adapters/engine/step_parts.hpp"
#include "crdt/shown.hpp"

namespace inos::test {

Object const* ModelSystem::read() {
    unread_.clear();
    return object_ ? &*object_ : nullptr;
}

Value ModelSystem::value(std::string_view place) const {
    Value const* found = object_ ? find_at(*object_, at(place)) : nullptr;
    return found ? *found : Value();
}

void ModelSystem::touched(std::string_view place) {
    unread_.insert(std::string(place));
    ++version_;
}

void ModelSystem::edit(std::string_view place, Value value) {
    if (!object_) object_.emplace();
    put(at(place), std::move(value));
    by_users_[std::string(place)] = this->value(place);
    touched(place);
}

void ModelSystem::count(std::string_view place, std::int64_t delta) {
    Value const now = value(place);
    auto const* number = now.as<std::int64_t>();
    if (!object_) object_.emplace();
    set_at(*object_, at(place), Value((number ? *number : 0) + delta));
    ++version_;
}

void ModelSystem::add(std::string_view place, Value element) {
    auto elements = set_elements(value(place));
    elements.push_back(std::move(element));
    if (!object_) object_.emplace();
    set_at(*object_, at(place), Value(set_elements(Value(Array(elements)))));
    ++version_;
}

void ModelSystem::remove(std::string_view place, Value const& element) {
    auto const left = elements_without(set_elements(value(place)), {element});
    if (object_) set_at(*object_, at(place), Value(Array(left)));
    ++version_;
}

void ModelSystem::put(Pointer const& pointer, Value value) {
    Value kept = normalise(pointer, std::move(value));
    history_[pointer.text()].push_back(kept);
    set_at(*object_, pointer, std::move(kept));
}

std::vector<Value> ModelSystem::user_values() const {
    std::vector<Value> values = replaced_;
    for (auto const& [place, value] : by_users_)
        values.push_back(value);
    return values;
}

bool ModelSystem::has_shown(std::string_view place, Value const& value) const {
    auto const it = history_.find(std::string(place));
    return it != history_.end() &&
           std::find(it->second.begin(), it->second.end(), value) != it->second.end();
}

void ModelSystem::apply(FieldWrite const& field, FieldMap const& map) {
    for (Outbound::Part const& part : field.parts) {
        std::string const place = part.external.text();
        if (field.delta) {
            count(place, *field.delta);
        } else if (map.kind == FieldKind::set && goes_in(map.dir)) {
            for (Value const& element : field.removed)
                remove(place, element);
            for (Value const& element : field.added)
                add(place, element);
        } else {
            if (unread_.contains(place)) ++overwritten_;
            auto const by_user = by_users_.find(place);
            if (by_user != by_users_.end()) replaced_.push_back(by_user->second);
            by_users_.erase(place);
            put(part.external, part.value);
        }
    }
}

ModelSystem::Answer ModelSystem::write(std::string const& key,
                                       OutboundWrite const& write,
                                       Binding const& binding) {
    if (auto const known = answers_.find(key); known != answers_.end()) return known->second;
    bool const creates = write.kind == OutboundWrite::Kind::create;
    Answer answer;
    if (creates == object_.has_value() ||
        (!creates && compares_tokens && !write.token.empty() && write.token != token())) {
        answer.stale = true;
        return answer;
    }
    ++writes_;
    ++version_;
    if (creates) {
        ++created_;
        object_.emplace();
        for (FieldMap const& map : binding.maps)
            if (map.external) set_at(*object_, *map.external, Value());
    }
    if (write.kind == OutboundWrite::Kind::delete_) object_.reset();
    if (write.kind == OutboundWrite::Kind::archive && binding.deletes.archive_out)
        put(binding.deletes.archive_out->path, binding.deletes.archive_out->value);
    for (FieldWrite const& field : write.fields) {
        auto const map =
            std::find_if(binding.maps.begin(), binding.maps.end(), [&](FieldMap const& one) {
                return one.record.text() == field.path;
            });
        apply(field, *map);
    }
    if (object_) answer.object = *object_;
    answer.token = token();
    answers_[key] = answer;
    return answer;
}

// ---- the pair -----------------------------------------------------------------------------------

Pair::Pair(MiniReplica& node, Binding made, RecordName record, std::string source)
    : binding(std::move(made)),
      node_(&node),
      record_(std::move(record)),
      source_(std::move(source)) {
    shadow.record = record_;
}

Value Pair::field(std::string_view pointer) const {
    Object const all = fields();
    Value const* found = find_at(all, at(pointer));
    return found ? *found : Value();
}

Step Pair::plan() {
    Object const* object = system.read();
    bool const there = node_->exists(record_);
    Object const resolved = fields();
    auto const views = field_views(binding, there ? &resolved : nullptr, object);
    return plan_step({binding,
                      node_->record(record_),
                      node_->schema(record_),
                      shadow,
                      views,
                      object != nullptr,
                      object && !planted.no_token ? system.token() : "",
                      object_ms,
                      now_ms,
                      erased});
}

std::optional<Op> Pair::op_of(RecordWrite const& write) const {
    Record const& record = node_->record(record_);
    CollectionSchema const& schema = node_->schema(record_);
    Author const author{node_->actor(), node_->vv().at(node_->actor()) + 1, {}};
    auto seen = planted.whole_context ? std::nullopt : write.seen;
    if (write.kind == RecordWrite::Kind::delete_)
        return plan_shown_delete(record, schema, write.name, seen ? *seen : node_->vv());
    auto planned =
        seen ? plan_shown_change(record, schema, write.name, write.fields, *seen, author)
             : plan_change(record, schema, write.name, write.fields, AssignMode::merge, author);
    if (auto const* error = std::get_if<ChangeError>(&planned))
        throw std::logic_error("an inbound write is refused: " + error->message);
    return std::get<std::optional<Op>>(std::move(planned));
}

// The record's entry and the shadow are one write.
Pair::Did Pair::take(Step const& step) {
    auto const op = op_of(*step.inbound);
    std::optional<Dot> dot;
    if (op) {
        Record const before = node_->record(record_);
        node_->set_source(source_);
        dot = node_->commit_ops({*op})->dot();
        check_taken(before, step);
    }
    for (Step::Taken const& taken : step.takes)
        if (std::count(taken.unseen.begin(), taken.unseen.end(), node_->actor()) > 0)
            blurred_.insert(taken.path);
    shadow = with_commit(step, planted.no_dot ? std::nullopt : dot);
    return Did::inbound;
}

// Of registers, which hold one value each.
void Pair::check_taken(Record const& before, Step const& step) {
    Record const& after = node_->record(record_);
    for (FieldMap const& map : binding.maps) {
        if (map.kind != FieldKind::register_ || map.dir != decltype(map.dir)::both) continue;
        // A rival that the record did not show either is settled by whoever writes next.
        Object const resolved = resolve(before, node_->schema(record_)).fields;
        Value const* winner = find_at(resolved, map.record);
        auto const old = cells_range(before, map.record), now = cells_range(after, map.record);
        for (std::size_t i = old.begin; i < old.end; ++i) {
            bool stays = false;
            for (std::size_t k = now.begin; k < now.end; ++k)
                stays = stays || after[k].dot == before[i].dot;
            auto const value = decode_value(before[i].payload);
            if (!value) continue;
            auto const out = write_external(map, *value);
            bool const shown =
                !out.parts.empty() &&
                system.has_shown(map.external->text(),
                                 system.normalise(*map.external, out.parts.front().value));
            if (!stays && !shown && winner && *winner == *value)
                broken.push_back(map.record.text() + " lost what its system had never shown");
            ShadowField const* seen = shadow.field(map.record.text());
            bool const taken =
                std::any_of(step.takes.begin(), step.takes.end(), [&](Step::Taken const& one) {
                    return one.path == map.record.text();
                });
            if (stays && !blurred_.contains(map.record.text()) && taken && seen &&
                seen->rec == *value)
                broken.push_back(map.record.text() + " keeps what its users had replaced");
        }
    }
}

Pair::Did Pair::round(int crash_at) {
    now_ms += 1'000;
    if (intent) return send(crash_at);
    Step const step = plan();
    counts.echo_suppressed += step.counts.echo_suppressed;
    counts.taken += step.counts.taken;
    counts.conflicts += step.counts.conflicts;
    counts.agreed += step.counts.agreed;
    problems.insert(problems.end(), step.problems.begin(), step.problems.end());
    if (step.suppress) {
        shadow = Shadow();
        return Did::suppressed;
    }
    if (step.inbound) {
        if (planted.shadow_first && crash_at == 1) {
            shadow = with_commit(step, std::nullopt);
            return Did::crashed;
        }
        if (crash_at == 1) return Did::crashed;
        return take(step);
    }
    bool const changed = step.next != shadow;
    shadow = step.next;
    if (!step.outbound) return changed ? Did::inbound : Did::nothing;
    intent = {source_ + std::to_string(++next_key_), *step.outbound};
    shadow.intent = IntentId{static_cast<std::uint8_t>(next_key_)};
    if (crash_at == 1 && !planted.forgets_intent) return Did::crashed;
    return send(crash_at);
}

Pair::Did Pair::send(int crash_at) {
    auto const [key, write] = *intent;
    auto const answer = system.write(key, write, binding);
    bool const lost = std::exchange(lose_answer, false) || crash_at == 2;
    if (lost) {
        if (planted.forgets_intent) intent.reset(), shadow.intent.reset();
        if (planted.blind_resend) intent->first = source_ + std::to_string(++next_key_);
        return Did::crashed;
    }
    intent.reset();
    if (answer.stale) {
        shadow.intent.reset();
        return Did::stale;
    }
    Object const* returned = evidence == Evidence::answer ? &answer.object : system.read();
    bool const gone = write.kind == OutboundWrite::Kind::delete_ || !returned;
    auto views = field_views(binding, nullptr, gone ? nullptr : returned);
    auto settled = inos::settle(shadow, binding, write, views, answer.token, evidence, now_ms);
    shadow = std::move(settled.next);
    normalised.insert(normalised.end(), settled.normalised.begin(), settled.normalised.end());
    problems.insert(problems.end(), settled.problems.begin(), settled.problems.end());
    for (FieldWrite const& field : write.fields)
        blurred_.erase(field.path);
    if (planted.seen_as_written)
        for (FieldWrite const& field : write.fields)
            if (!field.delta) shadow.field_for(field.path).seen->value = field.rec;
    return Did::outbound;
}

std::optional<int> Pair::settle(int limit) {
    for (int did = 0; did < limit; ++did)
        if (round() == Did::nothing) return did;
    return std::nullopt;
}

}  // namespace inos::test
