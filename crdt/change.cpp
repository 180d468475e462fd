#include "crdt/change.hpp"

#include <algorithm>

#include "crdt/types/bounded_counter.hpp"
#include "crdt/types/list_change.hpp"
#include "crdt/types/text_document.hpp"

namespace inos {
namespace {

constexpr auto kChange = static_cast<std::uint64_t>(OpKind::change);
constexpr auto kDelete = static_cast<std::uint64_t>(OpKind::delete_);
constexpr auto kWrite = static_cast<std::uint64_t>(EditKind::write);
constexpr auto kRemove = static_cast<std::uint64_t>(EditKind::remove);
constexpr auto kClear = static_cast<std::uint64_t>(EditKind::clear);
constexpr auto kCount = static_cast<std::uint64_t>(EditKind::count);
constexpr auto kCut = static_cast<std::uint64_t>(EditKind::cut);

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
    if (edit.kind == kCut) return edits.push_back(std::move(edit));
    std::erase_if(edits, [&](Edit const& e) {
        if (edit.kind == kClear) return starts_with(e.path, edit.path);
        return (e.kind == kWrite || e.kind == kRemove || e.kind == kCut) && e.path == edit.path;
    });
    edits.push_back(std::move(edit));
}

bool has_cell(Record const& record, std::string_view path, Dot dot) {
    auto const range = record.at(path);
    for (std::size_t i = range.begin; i < range.end; ++i)
        if (record[i].dot == dot) return true;
    return false;
}

// A cut of a run that the first op itself is to write: the run is written without what the cut
// takes away. False for a cut of anything else. What the write was to remove at its path goes all
// the same.
bool shorten_own_write(Record const& base, std::vector<Edit>& edits, Edit const& edit) {
    auto const cut = Cut::decode(edit.payload);
    if (!cut || has_cell(base, edit.path, cut->dot)) return false;
    auto const write = std::find_if(edits.begin(), edits.end(), [&](Edit const& e) {
        return e.kind == kWrite && e.path == edit.path;
    });
    if (write == edits.end()) return false;
    auto left = shortened_writes(*write, cut->ranges);
    *write = {kRemove, edit.path, {}};
    edits.insert(
        write + 1, std::make_move_iterator(left.begin()), std::make_move_iterator(left.end()));
    return true;
}

// The path of what people name by a top-level field or by a dotted path into maps; nullopt when
// nothing is there.
std::optional<std::string> path_of(Record const& record, std::string_view field) {
    std::string at = path_name({}, field);
    if (!types_at(record, at).empty()) return at;
    at.clear();
    for (std::string_view rest = field; !rest.empty();) {
        std::size_t const dot = std::min(rest.find('.'), rest.size());
        if (!at.empty()) at = own_path(at, CellType::map);
        at = path_name(at, rest.substr(0, dot));
        rest.remove_prefix(std::min(dot + 1, rest.size()));
    }
    if (at.empty() || types_at(record, at).empty()) return std::nullopt;
    return at;
}

// An element of a list is named by the list's name, a dot and its id.
bool resolve_in_list(EditPlan& plan, std::string_view field, Value const& value) {
    std::size_t const dot = field.rfind('.');
    if (dot == std::string_view::npos) return false;
    auto const at = path_of(plan.record, field.substr(0, dot));
    if (!at) return false;
    return resolve_element(plan, {*at, std::string(field), nullptr}, field.substr(dot + 1), value);
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
    EditPlan plan{exists ? record : kNothing, author.actor, author.seq, {}, {}, author.earlier};
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
            if (!find_member(fields, field))
                take_away(plan, path_name({}, field), schema.field(field));
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
    EditPlan plan{record, author.actor, author.seq, {}, {}, author.earlier};
    plan.resolves = true;
    if (auto const at = path_of(record, field)) {
        bool const top = *at == path_name({}, field);
        FieldSchema const* field_schema = top ? schema.field(field) : nullptr;
        CellType const read = read_type(record, *at, field_schema);
        // To leave away what was taken away is a decision too.
        if (!value.is_null() || has_value(record, *at, read, field_schema) ||
            lost_increments(record, *at, read).empty())
            assign_field(plan, {*at, std::string(field), field_schema}, value, AssignMode::replace);
        if (!plan.error && plan.edits.empty()) plan.end_lost_runs(*at);
        if (!plan.error && plan.edits.empty() && read == CellType::register_ &&
            !is_operation(value))
            plan.write(own_path(*at, read), encode(value));
    } else if (!resolve_in_list(plan, field, value)) {
        plan.fail(ChangeError::Kind::bad_operation,
                  std::string(field),
                  "the record has no such field to resolve");
    }
    if (plan.error) return *std::move(plan.error);
    if (plan.edits.empty()) return std::optional<Op>();
    Op op;
    op.kind = kChange;
    op.collection = name.collection;
    op.key = name.key;
    op.edits = std::move(plan.edits);
    return std::optional(std::move(op));
}

Planned plan_transfer(Record const& record,
                      CollectionSchema const& schema,
                      RecordName const& name,
                      std::string_view field,
                      std::int64_t amount,
                      ActorId to,
                      Author const& author) {
    static Record const kNothing;
    bool const exists = visible(state_of(record), schema.on_delete);
    EditPlan plan{exists ? record : kNothing, author.actor, author.seq, {}, {}, author.earlier};
    FieldTarget const target{path_name({}, field), std::string(field), schema.field(field)};
    pass_rights(plan, target, amount, to);
    if (plan.error) return *std::move(plan.error);
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
    return plan_cover(record, name);
}

std::optional<Op> plan_cover(Record const& record, RecordName const& name) {
    if (!state_of(record).uncovered) return std::nullopt;
    Op op;
    op.kind = kDelete;
    op.collection = name.collection;
    op.key = name.key;
    op.seen = seen_cells(record);
    return op;
}

std::optional<Op> compose(Record const& base, CollectionSchema const& schema, Op first, Op second) {
    if (second.kind == static_cast<std::uint64_t>(OpKind::erase)) return second;
    if (second.kind == kDelete) return plan_delete(base, schema, {second.collection, second.key});
    if (second.fresh || first.kind == kDelete) {
        second.fresh = true;
        return second;
    }
    for (Edit& edit : second.edits)
        if (edit.kind != kCut || !shorten_own_write(base, first.edits, edit))
            compose_edit(first.edits, std::move(edit));
    std::erase_if(first.edits, [&](Edit const& e) { return removes_nothing(base, e); });
    if (first.edits.empty() && !first.fresh) return std::nullopt;
    return first;
}

}  // namespace inos
