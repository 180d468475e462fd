#include "crdt/types/set.hpp"

#include <algorithm>
#include <set>

namespace inos {
namespace {

constexpr CellType kType = CellType::set;

bool present(Record const& record, std::string_view at) {
    auto const range = record.under(own_path(at, kType));
    return range.begin != range.end;
}

// Canonical bytes of the elements, ascending.
std::set<std::string, std::less<>> elements(Record const& record, std::string_view at) {
    std::string const own = own_path(at, kType);
    std::set<std::string, std::less<>> found;
    for (Cell const* cell : cells_under(record, own)) {
        std::string_view rest = std::string_view(cell->path).substr(own.size());
        auto const segment = take_segment(rest);
        if (segment && rest.empty() && segment->type == CellType::element)
            found.emplace(segment->name);
    }
    return found;
}

Value read(Record const& record, std::string_view at, FieldSchema const*) {
    Array values;
    for (auto const& bytes : elements(record, at))
        if (auto value = decode_value(bytes)) values.push_back(*std::move(value));
    return Value(std::move(values));
}

std::vector<ConflictValue> siblings(Record const&, std::string_view, FieldSchema const*) {
    return {};
}

std::string element_path(std::string_view at, std::string_view element) {
    return path_child(own_path(at, kType), element, CellType::element);
}

void ensure_set(EditPlan& plan, std::string_view at) {
    std::string own = own_path(at, kType);
    if (cells_at(plan.record, own).empty()) plan.write(std::move(own), {});
}

void assign(EditPlan& plan, FieldTarget const& target, Value const& value) {
    auto const* array = value.as<Array>();
    if (!array)
        return plan.fail(ChangeError::Kind::wrong_type,
                         target.label,
                         "a set takes an array, or {\"$add\": [...], \"$remove\": [...]}");
    auto const have = elements(plan.record, target.at);
    std::set<std::string, std::less<>> want;
    for (Value const& item : *array)
        want.insert(encode(item));
    ensure_set(plan, target.at);
    for (auto const& element : have)
        if (!want.contains(element)) plan.remove(element_path(target.at, element));
    for (auto const& element : want)
        if (!have.contains(element) && storable(plan, target, "an element", element))
            plan.write(element_path(target.at, element), {});
}

// Both operators take an array, or one element as it is.
std::vector<std::string> operands(Value const* value) {
    std::vector<std::string> bytes;
    if (!value) return bytes;
    if (auto const* array = value->as<Array>())
        for (Value const& item : *array)
            bytes.push_back(encode(item));
    else
        bytes.push_back(encode(*value));
    std::sort(bytes.begin(), bytes.end());
    bytes.erase(std::unique(bytes.begin(), bytes.end()), bytes.end());
    return bytes;
}

// $add always writes, so that adding again what somebody else removes at the same time keeps it.
void operate(EditPlan& plan, FieldTarget const& target, Object const& operation) {
    auto const have = elements(plan.record, target.at);
    auto const added = operands(find_member(operation, "$add"));
    ensure_set(plan, target.at);
    for (auto const& element : operands(find_member(operation, "$remove"))) {
        if (std::binary_search(added.begin(), added.end(), element))
            return plan.fail(ChangeError::Kind::bad_operation,
                             target.label,
                             "the same element stands in both $add and $remove");
        if (have.contains(element)) plan.remove(element_path(target.at, element));
    }
    for (auto const& element : added)
        if (storable(plan, target, "an element", element))
            plan.write(element_path(target.at, element), {});
}

}  // namespace

TypeRules set_rules() {
    return {kType, "set", present, read, siblings, assign, operate};
}

}  // namespace inos
