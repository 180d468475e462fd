#include "crdt/types/text.hpp"

#include <algorithm>

#include "crdt/types/text_diff.hpp"
#include "crdt/types/text_document.hpp"

namespace inos {
namespace {

constexpr CellType kType = CellType::text;

bool present(Record const& record, std::string_view at) {
    auto const range = record.under(own_path(at, kType));
    return range.begin != range.end;
}

Value read(Record const& record, std::string_view at, FieldSchema const*) {
    return Value(TextDocument(record, own_path(at, kType)).text());
}

std::vector<ConflictValue> siblings(Record const&, std::string_view, FieldSchema const*) {
    return {};
}

void ensure_text(EditPlan& plan, std::string_view at) {
    std::string own = own_path(at, kType);
    if (!present(plan.record, at)) plan.write(std::move(own), {});
}

struct Splice {
    std::uint64_t at = 0, removed = 0;
    std::string_view inserted;
};

void refuse(EditPlan& plan, FieldTarget const& target) {
    plan.fail(ChangeError::Kind::bad_operation,
              target.label,
              "$splice takes {\"at\": n, \"delete\": n, \"insert\": \"...\"}, of which delete and "
              "insert may be missing, or an array of such objects; n counts characters from 0");
}

// Reads one operation; false, with an error, when it is none.
bool take_splice(EditPlan& plan, FieldTarget const& target, Value const& value, Splice& out) {
    auto const* object = value.as<Object>();
    if (!object || !object->size()) return refuse(plan, target), false;
    bool placed = false;
    for (Member const& member : *object) {
        auto const* number = member.value.as<std::int64_t>();
        auto const* text = member.value.as<std::string>();
        bool const count = number && *number >= 0;
        if (member.key == "at" && count)
            out.at = static_cast<std::uint64_t>(*number), placed = true;
        else if (member.key == "delete" && count)
            out.removed = static_cast<std::uint64_t>(*number);
        else if (member.key == "insert" && text)
            out.inserted = *text;
        else
            return refuse(plan, target), false;
    }
    if (!placed) refuse(plan, target);
    return placed;
}

bool check_utf8(EditPlan& plan, FieldTarget const& target, std::string_view text) {
    if (valid_utf8(text)) return true;
    plan.fail(ChangeError::Kind::limit, target.label, "a text has to be UTF-8");
    return false;
}

bool check_range(EditPlan& plan,
                 FieldTarget const& target,
                 Splice const& splice,
                 std::uint64_t length) {
    if (splice.at <= length && splice.removed <= length - splice.at) return true;
    plan.fail(ChangeError::Kind::bad_operation,
              target.label,
              "$splice at " + std::to_string(splice.at) + " with delete " +
                  std::to_string(splice.removed) + " reaches beyond the text, which has " +
                  std::to_string(length) + " characters");
    return false;
}

bool carry_out(EditPlan& plan,
               FieldTarget const& target,
               TextDocument& document,
               Splice const& splice) {
    if (document.splice(splice.at, splice.removed, splice.inserted, plan.actor)) return true;
    plan.fail(ChangeError::Kind::limit,
              target.label,
              "at this place the text was written into itself more than " +
                  std::to_string(kPositionDepthMax) +
                  " times over; take the field away and write it anew");
    return false;
}

void finish(EditPlan& plan, FieldTarget const& target, TextDocument const& document) {
    std::size_t const first = plan.edits.size();
    document.plan(plan);
    bool const over =
        std::any_of(plan.edits.begin() + static_cast<std::ptrdiff_t>(first),
                    plan.edits.end(),
                    [](Edit const& e) { return e.payload.size() > kPayloadBytesMax; });
    if (over)
        plan.fail(ChangeError::Kind::limit,
                  target.label,
                  "the change takes too many separate places of the text; split it");
}

void assign(EditPlan& plan, FieldTarget const& target, Value const& value) {
    auto const* wanted = value.as<std::string>();
    if (!wanted)
        return plan.fail(ChangeError::Kind::wrong_type,
                         target.label,
                         "a text takes a string, or {\"$splice\": {\"at\": n, \"delete\": n, "
                         "\"insert\": \"...\"}}");
    if (!check_utf8(plan, target, *wanted)) return;
    ensure_text(plan, target.at);
    TextDocument document(plan.record, own_path(target.at, kType));
    std::string const now = document.text();
    auto const changes = diff_texts(now, *wanted);
    // From the end, so that the places of those in front stay what they are.
    for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
        Splice const splice{change->at, change->removed, change->inserted};
        if (!carry_out(plan, target, document, splice)) return;
    }
    finish(plan, target, document);
}

void operate(EditPlan& plan, FieldTarget const& target, Object const& operation) {
    Value const* wanted = find_member(operation, "$splice");
    if (!wanted) return refuse(plan, target);
    Array const one{*wanted};
    auto const* several = wanted->as<Array>();
    ensure_text(plan, target.at);
    TextDocument document(plan.record, own_path(target.at, kType));
    for (Value const& item : several ? *several : one) {
        Splice splice;
        if (!take_splice(plan, target, item, splice)) return;
        if (!check_utf8(plan, target, splice.inserted)) return;
        if (!check_range(plan, target, splice, document.length())) return;
        if (!carry_out(plan, target, document, splice)) return;
    }
    finish(plan, target, document);
}

}  // namespace

TypeRules text_rules() {
    return {kType, "text", present, read, siblings, assign, operate};
}

}  // namespace inos
