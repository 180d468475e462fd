#include "storage/explain_rules.hpp"

#include <algorithm>

#include "storage/json.hpp"
#include "storage/text_forms.hpp"

namespace inos {
namespace {

constexpr std::size_t kWordBytes = 60;

std::string quoted(std::string_view text) {
    return "\"" + shortened(text, kWordBytes) + "\"";
}

std::string type_words(CellType type) {
    char const* const name = type_name(type);
    return name ? quoted(name) : "of a newer version";
}

bool reads_all(FieldSchema const& schema) {
    return schema.policy == RegisterPolicy::keep_all || !schema.policy_known || !schema.type_known;
}

std::string later_of(std::size_t writes) {
    if (writes == 2) return "the later of 2 concurrent writes";
    return "the latest of " + std::to_string(writes) + " concurrent writes";
}

// Places in a ranking that decide between two; equal ones, or npos twice: it does not.
struct Places {
    std::vector<std::string> const& list;
    std::string shown, rival;
    // Of a value that is no text: it has a place in no list, whatever it looks like.
    bool shown_counts = true, rival_counts = true;

    std::size_t of(std::string const& word, bool counts) const {
        auto const it = counts ? std::find(list.begin(), list.end(), word) : list.end();
        return static_cast<std::size_t>(it - list.begin());
    }
    bool decide() const { return of(shown, shown_counts) != of(rival, rival_counts); }
    bool lists_shown() const { return of(shown, shown_counts) < list.size(); }
    bool lists_rival() const { return of(rival, rival_counts) < list.size(); }
};

std::string value_word(Value const& value) {
    auto const* text = value.as<std::string>();
    return text ? *text : write_json(value);
}

Places sources(FieldSchema const& schema, ConflictValue const& shown, ConflictValue const& rival) {
    return {schema.ranking, shown.source, rival.source, true, true};
}
// Only texts stand in an order.
Places values(FieldSchema const& schema, ConflictValue const& shown, ConflictValue const& rival) {
    return {schema.order,
            value_word(shown.value),
            value_word(rival.value),
            shown.value.as<std::string>() != nullptr,
            rival.value.as<std::string>() != nullptr};
}

std::string priority_words(Places const& places) {
    if (!places.lists_rival())
        return quoted(places.shown) + " stands in the ranking, " + quoted(places.rival) +
               " does not";
    return quoted(places.shown) + " stands before " + quoted(places.rival) + " in the ranking";
}

std::string order_words(Places const& places) {
    if (!places.lists_rival())
        return quoted(places.shown) + " stands in the order, " + quoted(places.rival) + " does not";
    return quoted(places.shown) + " stands behind " + quoted(places.rival) + " in the order";
}

std::string tie_words(ConflictValue const& shown, ConflictValue const& rival) {
    if (shown.hlc != rival.hlc) return "written earlier, by the clocks of the two sites";
    return "written at the same time, by a site with a lower number";
}

}  // namespace

std::string register_rule(FieldSchema const* schema,
                          std::vector<ConflictValue> const& all,
                          std::size_t writes) {
    if (all.empty()) return "nothing that can be read";
    if (schema && reads_all(*schema)) {
        std::string const policy = schema->policy_known && schema->type_known
                                       ? "policy \"keep-all\""
                                       : "a policy or type of a newer version";
        if (all.size() == 1) return policy + ": there is one value";
        return policy + ": all " + std::to_string(all.size()) + " concurrent values, the latest " +
               "first";
    }
    if (writes <= 1) return "the only value";
    if (all.size() == 1)
        return "the same value from " + std::to_string(writes) + " concurrent writes";
    ConflictValue const& shown = all[0];
    ConflictValue const& next = all[1];
    if (schema && schema->policy == RegisterPolicy::priority) {
        auto const places = sources(*schema, shown, next);
        if (places.decide()) return "policy \"priority\": " + priority_words(places);
        if (places.lists_shown())
            return "policy \"priority\": the latest of several concurrent writes from " +
                   quoted(shown.source);
        if (shown.source == next.source)
            return "policy \"priority\" does not name " + quoted(shown.source) + ": " +
                   later_of(writes);
        return "policy \"priority\" does not tell " + quoted(shown.source) + " from " +
               quoted(next.source) + ": " + later_of(writes);
    }
    if (schema && schema->policy == RegisterPolicy::order) {
        auto const places = values(*schema, shown, next);
        if (places.decide()) return "policy \"order\": " + order_words(places);
        return "policy \"order\" does not name the values: " + later_of(writes);
    }
    return "policy \"latest\": " + later_of(writes);
}

std::string why_register_lost(FieldSchema const* schema,
                              ConflictValue const& shown,
                              ConflictValue const& rival) {
    if (schema && reads_all(*schema)) return "not lost: shown among the others";
    if (schema && schema->policy == RegisterPolicy::priority) {
        auto const places = sources(*schema, shown, rival);
        if (places.decide()) return priority_words(places);
    }
    if (schema && schema->policy == RegisterPolicy::order) {
        auto const places = values(*schema, shown, rival);
        if (places.decide()) return order_words(places);
    }
    return tie_words(shown, rival);
}

std::string flag_rule(FieldSchema const* schema, std::vector<ConflictValue> const& sides) {
    if (sides.size() < 2) return "the only value";
    if (schema && schema->disable_wins) return "wins = \"disable\": off wins over a concurrent on";
    return "on wins over a concurrent off";
}

std::string shared_rule(CellType type, std::size_t sites) {
    std::string const of = std::to_string(sites) + (sites == 1 ? " site" : " sites");
    switch (type) {
        case CellType::counter:
        case CellType::bounded_counter:
            return "the sum of what " + of + " counted";
        case CellType::set:
            return "every element that somebody added and nobody has taken out since";
        case CellType::list:
            return "the elements of " + of + ", each at the place where it was put or moved last";
        case CellType::text:
            return "what " + of + " wrote and nobody has cut";
        case CellType::map:
            return "an object, whose members are fields of their own";
        default:
            return "of a type that this version does not know";
    }
}

std::string why_increment_lost() {
    return "adds nothing: somebody who had not seen it took the counter away";
}

std::string why_type_lost(FieldSchema const* schema, CellType read, CellType other) {
    if (schema && schema->type_known)
        return "written as " + type_words(other) + "; the schema says " + type_words(read);
    return "written as " + type_words(other) + "; the latest write made it " + type_words(read);
}

}  // namespace inos
