#include "adapters/engine/step_parts.hpp"

#include <algorithm>

namespace inos {
namespace {

bool before(Value const& a, Value const& b) {
    return encode(a) < encode(b);
}

}  // namespace

std::vector<Value> set_elements(Value const& value) {
    auto const* array = value.as<Array>();
    if (!array) return {};
    std::vector<Value> elements = *array;
    std::sort(elements.begin(), elements.end(), before);
    elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
    return elements;
}

std::vector<Value> elements_without(std::vector<Value> const& all, std::vector<Value> const& less) {
    std::vector<Value> left;
    std::set_difference(
        all.begin(), all.end(), less.begin(), less.end(), std::back_inserter(left), before);
    return left;
}

Value value_of_parts(std::vector<Outbound::Part> const& parts) {
    Object object;
    for (Outbound::Part const& part : parts)
        set_member(object, part.external.text(), part.value);
    return Value(std::move(object));
}

SeenValue seen_value(FieldView const& view) {
    if (view.theirs.kind != Inbound::Kind::value)
        return {SeenValue::Kind::unread, value_of_parts(view.there)};
    if (view.map->kind == FieldKind::set)
        return {SeenValue::Kind::read, Value(set_elements(view.theirs.value))};
    return {SeenValue::Kind::read, view.theirs.value};
}

bool change_seen(ShadowField& field, SeenValue now, Errors const& errors, std::uint64_t now_ms) {
    if (field.seen == now) return false;
    bool const back = field.before == now;
    bool const lately =
        field.flips > 0 && now_ms - std::min(now_ms, field.flips_since_ms) <= errors.flips_per_ms;
    field.flips = !back ? 0 : lately ? field.flips + 1 : 1;
    field.flips_since_ms = !back ? 0 : lately ? field.flips_since_ms : now_ms;
    field.before = std::move(field.seen);
    field.seen = std::move(now);
    if (field.flips < errors.flips || field.quarantined) return false;
    field.quarantined = true;
    return true;
}

StepProblem flip_problem(std::string path, Errors const& errors) {
    return {StepProblem::Kind::flips,
            std::move(path),
            "the field has gone back and forth between two values " + std::to_string(errors.flips) +
                " times: two sides undo each other; it is neither read nor written until it is "
                "released"};
}

std::string kept_token(std::string_view token) {
    bool const fits = token.size() <= kShadowTokenBytesMax && valid_utf8(token);
    return fits ? std::string(token) : std::string();
}

bool note_miss(Shadow& shadow) {
    constexpr std::uint8_t kMissesForGone = 2;
    if (shadow.misses < kMissesForGone) ++shadow.misses;
    return shadow.misses >= kMissesForGone;
}

Record::Range cells_range(Record const& record, Pointer const& pointer) {
    std::string path;
    for (std::size_t i = 0; i + 1 < pointer.tokens.size(); ++i)
        path = path_child(path, pointer.tokens[i], CellType::map);
    if (!pointer.empty()) path = path_name(path, pointer.tokens.back());
    return record.under(path);
}

VersionVector cells_shown(Record const& record, Pointer const& pointer) {
    VersionVector shown;
    auto const range = cells_range(record, pointer);
    for (std::size_t i = range.begin; i < range.end; ++i)
        shown.raise(record[i].dot.actor, record[i].dot.seq);
    return shown;
}

}  // namespace inos
