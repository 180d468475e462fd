// What of a map depends on its field's schema: whether the field is there and may be taken apart,
// its canonical forms, its values, and the way out and back.
#include <algorithm>

#include "adapters/mapping/canon.hpp"
#include "adapters/mapping/mapping_parts.hpp"
#include "adapters/mapping/round_trip.hpp"
#include "storage/json.hpp"

namespace inos {
namespace {

std::string quoted(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

FieldKind kind_of(CellType type) {
    switch (type) {
        case CellType::counter:
        case CellType::bounded_counter:
            return FieldKind::counter;
        case CellType::set:
            return FieldKind::set;
        case CellType::flag:
            return FieldKind::flag;
        case CellType::list:
            return FieldKind::list;
        case CellType::text:
            return FieldKind::text;
        default:
            return FieldKind::register_;
    }
}

class MapCheck {
public:
    MapCheck(FieldMap& map,
             Binding const& binding,
             CollectionSchema const& schema,
             Problems& problems)
        : map_(map), binding_(binding), schema_(schema), problems_(problems) {}

    void run() {
        std::string const& name = map_.record.tokens[0];
        field_ = schema_.field(name);
        if (!field_) {
            std::vector<std::string> names;
            for (auto const& [known, field] : schema_.fields)
                names.push_back(known);
            return add(map_.record.text() + ": " +
                       unknown_word("field of " + quoted(binding_.collection), name, names));
        }
        if (!field_->type_known)
            return add(map_.record.text() + ": its type is one of a newer version");
        if (!shape()) return;
        CanonForms forms = canon_forms(field_->canon);
        forms.insert(forms.end(), map_.canon.begin(), map_.canon.end());
        map_.canon = std::move(forms);
        if (!settles(map_.canon)) {
            std::string list;
            for (CanonForm const& form : map_.canon)
                list += (list.empty() ? "" : ", ") + quoted(canon_form_text(form));
            return add(map_.record.text() + ": the canonical forms undo one another: " + list);
        }
        choices();
        unreachable();
        if (map_.dir == Flow::both) law();
    }

private:
    void add(std::string message) { problems_.push_back({map_.place, std::move(message)}); }

    // Whether the path may lead where it does.
    bool shape() {
        bool const is_map = field_->type == CellType::map;
        bool const below = map_.record.tokens.size() > 1;
        map_.kind = kind_of(field_->type);
        map_.atomic = !is_map || below;
        std::string const field = quoted(map_.record.tokens[0]);
        if (below && !is_map) {
            add(map_.record.text() + ": " + field + " is a \"" + type_name(field_->type) +
                "\", which is one value; map the whole field (external = { part = \"/path\" } "
                "takes it from several places), or make it a \"map\" in the schema");
            return false;
        }
        bool const whole = map_.kind == FieldKind::register_;
        if (map_.is_composed() && !whole) {
            add(map_.record.text() + ": " + field + " is a \"" + type_name(field_->type) +
                "\" and cannot be made of parts");
            return false;
        }
        return true;
    }

    std::vector<Value> known_values() const {
        std::vector<Value> values = field_->rules.choices;
        for (std::string const& text : field_->order)
            if (std::find(values.begin(), values.end(), Value(text)) == values.end())
                values.emplace_back(text);
        return values;
    }

    // Every value of an enum has a way out, and what comes in is one of them.
    void choices() {
        bool const plain = map_.kind == FieldKind::register_ && !map_.is_composed() &&
                           map_.record.tokens.size() == 1;
        if (!plain) return;
        std::vector<Value> const values = known_values();
        std::string lost;
        for (Value const& value : values)
            if (goes_out(map_.dir) &&
                transformed(map_.out, canonical(value, map_.canon).value).kind ==
                    Transformed::Kind::refused)
                lost += (lost.empty() ? "" : ", ") + write_json(value);
        if (!lost.empty())
            add(map_.record.text() + ": out has no counterpart of " + lost +
                "; name it, or write *=skip");
        if (field_->rules.choices.empty() || field_->rules.warn_only || !goes_in(map_.dir)) return;
        for (Transform::Pair const& pair : last_pairs()) {
            Value const made = canonical(pair.to, map_.canon).value;
            bool const is_choice = std::find(values.begin(), values.end(), made) != values.end();
            if (pair.result == Transform::Result::value && !is_choice)
                add(map_.record.text() + ": in makes " + write_json(made) +
                    ", which is none of the values of the field's enum");
        }
    }

    std::vector<Transform::Pair> last_pairs() const {
        std::vector<Transform::Pair> pairs;
        if (map_.in.empty()) return pairs;
        Transform const& last = map_.in.back();
        pairs = last.pairs;
        if (last.has_otherwise) pairs.push_back(last.otherwise);
        return pairs;
    }

    // Pairs for texts that no record ever holds, because the canonical forms change them.
    void unreachable() {
        if (!goes_out(map_.dir) || map_.out.empty() || map_.is_composed()) return;
        for (Transform::Pair const& pair : map_.out.front().pairs) {
            Value const formed = canonical(pair.from, map_.canon).value;
            if (formed != pair.from)
                add(map_.record.text() + ": out names " + write_json(pair.from) +
                    ", which canon makes " + write_json(formed) + " of before it goes out");
        }
    }

    void law() {
        std::vector<Value> values = known_values();
        bool const open = field_->rules.choices.empty();
        std::vector<Value> const samples = sample_values();
        if (open && !map_.is_composed())
            values.insert(values.end(), samples.begin(), samples.end());
        if (map_.is_composed()) values = composed_samples();
        for (Value const& value : values) {
            // As the record's field would read.
            Object fields;
            set_at(fields, map_.record, value);
            Value const formed = record_value(map_, fields);
            if (formed.is_null()) continue;
            auto const problem = round_trip_problem(map_, formed);
            if (problem)
                return add(map_.record.text() + ": in does not undo what out does: " + *problem);
        }
    }

    std::vector<Value> composed_samples() const {
        std::vector<std::string> names = member_names(map_.out);
        for (MapMember const& member : map_.members)
            names.push_back(member.member);
        Object address, money;
        for (std::string const& name : names) {
            set_member(address, name, Value(name == "country" ? "DE" : "Anna " + name));
            set_member(money,
                       name,
                       Value(name == "amount"     ? "12.50"
                             : name == "currency" ? "EUR"
                                                  : "a"));
        }
        return {Value(std::move(address)), Value(std::move(money))};
    }

    FieldMap& map_;
    Binding const& binding_;
    CollectionSchema const& schema_;
    Problems& problems_;
    FieldSchema const* field_ = nullptr;
};

}  // namespace

void check_maps(Binding& binding, CollectionSchema const& schema, Problems& problems) {
    for (FieldMap& map : binding.maps)
        MapCheck(map, binding, schema, problems).run();
}

}  // namespace inos
