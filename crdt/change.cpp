#include "crdt/change.hpp"

#include <algorithm>

namespace inos {
namespace {

constexpr auto kChange = static_cast<std::uint64_t>(OpKind::change);
constexpr auto kDelete = static_cast<std::uint64_t>(OpKind::delete_);
constexpr auto kWrite = static_cast<std::uint64_t>(EditKind::write);
constexpr auto kRemove = static_cast<std::uint64_t>(EditKind::remove);
constexpr auto kClear = static_cast<std::uint64_t>(EditKind::clear);
constexpr auto kCount = static_cast<std::uint64_t>(EditKind::count);

bool starts_with(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

// Adds one edit of the second op to those of the first.
void compose_edit(std::vector<Edit>& edits, Edit edit) {
    if (edit.kind == kCount) {
        auto const same = std::find_if(edits.begin(), edits.end(), [&](Edit const& e) {
            return e.kind == kCount && e.path == edit.path;
        });
        if (same == edits.end()) return edits.push_back(std::move(edit));
        auto const a = RunCell::decode(same->payload), b = RunCell::decode(edit.payload);
        same->payload = RunCell{saturating_add(a->total, b->total), a->start}.encode();
        return;
    }
    std::erase_if(edits, [&](Edit const& e) {
        if (edit.kind == kClear) return starts_with(e.path, edit.path);
        return (e.kind == kWrite || e.kind == kRemove) && e.path == edit.path;
    });
    edits.push_back(std::move(edit));
}

// A removal of what the record does not hold, such as of what the first op was to write.
bool removes_nothing(Record const& base, Edit const& edit) {
    if (edit.kind != kRemove && edit.kind != kClear) return false;
    auto const range = edit.kind == kRemove ? base.at(edit.path) : base.under(edit.path);
    return range.begin == range.end;
}

}  // namespace

Planned plan_change(Record const& record,
                    CollectionSchema const& schema,
                    RecordName const& name,
                    Object const& fields,
                    AssignMode mode,
                    Author const& author) {
    static Record const kNothing;
    bool const exists = visible(state_of(record), schema.on_delete);
    EditPlan plan{exists ? record : kNothing, author.actor, author.seq, {}, {}};
    for (Member const& member : fields) {
        if (!valid_name(member.key) || member.key.front() == '$')
            plan.fail(ChangeError::Kind::limit,
                      member.key,
                      "a field's name has to be 1 to 256 bytes of UTF-8 without control characters "
                      "and cannot begin with $");
        FieldTarget const target{path_name({}, member.key), member.key, schema.field(member.key)};
        assign_field(plan, target, member.value, mode);
        if (plan.error) return *std::move(plan.error);
    }
    if (mode == AssignMode::replace)
        for (auto const& field : names_under(plan.record, {}))
            if (!find_member(fields, field)) plan.clear(path_name({}, field));
    if (exists && plan.edits.empty()) return std::optional<Op>();
    Op op;
    op.kind = kChange;
    op.collection = name.collection;
    op.key = name.key;
    op.fresh = !exists;
    op.edits = std::move(plan.edits);
    return std::optional(std::move(op));
}

Planned plan_resolution(Record const& record,
                        CollectionSchema const& schema,
                        RecordName const& name,
                        std::string_view field,
                        Value const& value,
                        Author const& author) {
    EditPlan plan{record, author.actor, author.seq, {}, {}};
    std::string at = path_name({}, field);
    FieldSchema const* field_schema = schema.field(field);
    if (types_at(record, at).empty()) {
        at.clear();
        field_schema = nullptr;
        for (std::string_view rest = field; !rest.empty();) {
            std::size_t const dot = std::min(rest.find('.'), rest.size());
            if (!at.empty()) at = own_path(at, CellType::map);
            at = path_name(at, rest.substr(0, dot));
            rest.remove_prefix(std::min(dot + 1, rest.size()));
        }
        if (at.empty() || types_at(record, at).empty())
            return ChangeError{ChangeError::Kind::bad_operation,
                               std::string(field),
                               "the record has no such field to resolve"};
    }
    FieldTarget const target{at, std::string(field), field_schema};
    assign_field(plan, target, value, AssignMode::replace);
    if (plan.error) return *std::move(plan.error);
    CellType const type = field_schema ? field_schema->type : CellType::register_;
    if (plan.edits.empty() && type == CellType::register_)
        plan.write(own_path(at, type), encode(value));
    if (plan.edits.empty()) return std::optional<Op>();
    Op op;
    op.kind = kChange;
    op.collection = name.collection;
    op.key = name.key;
    op.edits = std::move(plan.edits);
    return std::optional(std::move(op));
}

std::optional<Op> plan_delete(Record const& record,
                              CollectionSchema const& schema,
                              RecordName const& name) {
    if (!visible(state_of(record), schema.on_delete)) return std::nullopt;
    Op op;
    op.kind = kDelete;
    op.collection = name.collection;
    op.key = name.key;
    op.seen = seen_cells(record);
    return op;
}

std::optional<Op> compose(Record const& base, CollectionSchema const& schema, Op first, Op second) {
    if (second.kind == kDelete) return plan_delete(base, schema, {second.collection, second.key});
    if (second.fresh || first.kind == kDelete) {
        second.fresh = true;
        return second;
    }
    for (Edit& edit : second.edits)
        compose_edit(first.edits, std::move(edit));
    std::erase_if(first.edits, [&](Edit const& e) { return removes_nothing(base, e); });
    if (first.edits.empty() && !first.fresh) return std::nullopt;
    return first;
}

}  // namespace inos
