// What a write to the system has come to.

#include <algorithm>

#include "adapters/engine/step_parts.hpp"

namespace inos {
namespace {

class Settling {
public:
    Settling(Settled& settled, Binding const& binding, Evidence evidence, std::uint64_t now_ms)
        : settled_(settled), binding_(binding), evidence_(evidence), now_ms_(now_ms) {}

    void field(FieldWrite const& write, FieldView const* view) {
        ShadowField& field = settled_.next.field_for(write.path);
        SeenValue now = seen_after(field, write, view);
        if (change_seen(field, std::move(now), binding_.errors, now_ms_))
            settled_.problems.push_back(flip_problem(write.path, binding_.errors));
        field.rec = write.rec;
        field.sent = value_of_parts(write.parts);
        field.shown = write.shown;
    }

private:
    SeenValue seen_after(ShadowField const& field, FieldWrite const& write, FieldView const* view) {
        if (write.delta) return counted(field, *write.delta);
        bool const hidden = !view || view->theirs.kind == Inbound::Kind::hidden;
        if (hidden) return as_written(write, view);
        SeenValue there = seen_value(*view);
        if (view->map->kind == FieldKind::set && goes_in(view->map->dir))
            return elements(field, write, std::move(there));
        if (view->there == write.parts) return there;
        // In the answer it is what the system made of our write. What is read afterwards counts as
        // that where it means the same; else somebody has changed it since, having seen our write.
        bool const same = there.kind == SeenValue::Kind::read && there.value == write.rec;
        if (evidence_ == Evidence::answer || same) {
            settled_.normalised.push_back(write.path);
            return there;
        }
        return as_written(write, view);
    }

    static SeenValue as_written(FieldWrite const& write, FieldView const* view) {
        if (view && !goes_in(view->map->dir))
            return {SeenValue::Kind::unread, value_of_parts(write.parts)};
        return {SeenValue::Kind::read, write.rec};
    }

    // Not what was returned: others may have changed the number too, and that is still to be taken.
    static SeenValue counted(ShadowField const& field, std::int64_t delta) {
        auto const* old = field.seen ? field.seen->value.as<std::int64_t>() : nullptr;
        std::int64_t sum = 0;
        if (__builtin_add_overflow(old ? *old : 0, delta, &sum)) sum = old ? *old : 0;
        return {SeenValue::Kind::read, Value(sum)};
    }

    // The same goes for elements. But what is there in place of ours is ours in another form.
    SeenValue elements(ShadowField const& field, FieldWrite const& write, SeenValue there) {
        auto const returned = set_elements(there.value);
        auto const base = field.seen ? set_elements(field.seen->value) : std::vector<Value>();
        Array sum = elements_without(base, write.removed);
        sum.insert(sum.end(), write.added.begin(), write.added.end());
        auto const expected = set_elements(Value(sum));
        auto const missing = elements_without(expected, returned);
        auto const lost = elements_without(write.added, returned);
        if (lost.empty() || evidence_ != Evidence::answer)
            return {SeenValue::Kind::read, Value(Array(expected))};
        settled_.normalised.push_back(write.path);
        auto const others = elements_without(missing, lost);
        Array kept = returned;
        kept.insert(kept.end(), others.begin(), others.end());
        return {SeenValue::Kind::read, Value(set_elements(Value(kept)))};
    }

    Settled& settled_;
    Binding const& binding_;
    Evidence evidence_;
    std::uint64_t now_ms_;
};

}  // namespace

Settled settle(Shadow const& shadow,
               Binding const& binding,
               OutboundWrite const& write,
               std::vector<FieldView> const& returned,
               std::string_view token,
               Evidence evidence,
               std::uint64_t now_ms) {
    Settled settled{shadow, {}, {}};
    Shadow& next = settled.next;
    next.intent.reset();
    next.error.reset();
    next.token = kept_token(token);
    next.misses = 0;
    switch (write.kind) {
        case OutboundWrite::Kind::delete_:
            next.state = Shadow::State::deleted;
            next.token.clear();
            return settled;
        case OutboundWrite::Kind::archive:
            next.state = Shadow::State::parted;
            return settled;
        case OutboundWrite::Kind::create:
            next.fields.clear();  // of an object that was there before
            break;
        case OutboundWrite::Kind::update:
            break;
    }
    next.state = Shadow::State::live;
    Settling settling(settled, binding, evidence, now_ms);
    for (FieldWrite const& field : write.fields) {
        auto const it = std::find_if(returned.begin(), returned.end(), [&](FieldView const& view) {
            return path_text(view) == field.path;
        });
        settling.field(field, it == returned.end() ? nullptr : &*it);
    }
    return settled;
}

}  // namespace inos
