// Both sides of a binding's fields, as the mapping reads them.

#include "adapters/engine/step.hpp"
#include "storage/expression_eval.hpp"

namespace inos {
namespace {

class FieldNames : public ExprNames {
public:
    explicit FieldNames(Object const& fields) : fields_(fields) {}

    std::optional<Value> name(Expr const& expr) const override {
        Value const* value = find_path(fields_, expr.path);
        return value ? std::optional(*value) : std::nullopt;
    }
    Value aggregate(Expr const&) const override { return Value(); }

private:
    Object const& fields_;
};

// The file was checked, so the text is an expression.
bool fits(std::string const& when, Object const& record) {
    if (when.empty()) return true;
    auto const parsed = parse_expression(when);
    auto const* expr = std::get_if<Expr>(&parsed);
    return expr && evaluate(*expr, FieldNames(record)) == Value(true);
}

std::vector<Outbound::Part> places(FieldMap const& map, Object const& object) {
    std::vector<Outbound::Part> parts;
    auto const add = [&](Pointer const& pointer) {
        Value const* value = find_at(object, pointer);
        parts.push_back({pointer, value ? *value : Value()});
    };
    if (map.external) add(*map.external);
    for (MapMember const& member : map.members)
        add(member.external);
    return parts;
}

}  // namespace

std::vector<FieldView> field_views(Binding const& binding,
                                   Object const* record,
                                   Object const* object) {
    std::vector<FieldView> views;
    views.reserve(binding.maps.size());
    for (FieldMap const& map : binding.maps) {
        FieldView view;
        view.map = &map;
        view.theirs.kind = Inbound::Kind::hidden;
        if (object) {
            view.theirs = read_external(map, *object);
            if (view.theirs.kind != Inbound::Kind::hidden) view.there = places(map, *object);
        }
        if (record) {
            view.ours = record_value(map, *record);
            view.out = write_external(map, view.ours);
            view.fits = fits(map.when, *record);
        }
        views.push_back(std::move(view));
    }
    return views;
}

}  // namespace inos
