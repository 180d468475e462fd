#include "storage/field_rules.hpp"

#include <algorithm>

#include "storage/field_checks.hpp"
#include "storage/json.hpp"
#include "storage/near_miss.hpp"

namespace inos {
namespace {

using Names = std::vector<std::string>;

struct Effect {
    char const* option;
    Names types;  // that it has an effect on
};

std::vector<Effect> const& effects() {
    static std::vector<Effect> const list{
        {"enum", {"register", "set", "list", "text"}},
        {"max", {"register", "counter", "bounded-counter", "set", "list", "text"}},
        {"format", {"register", "set", "list", "text"}},
        {"canon", {"register", "set", "text"}},
    };
    return list;
}

template <class Words>
std::size_t place(Words const& words, std::string_view word) {
    return static_cast<std::size_t>(std::find(words.begin(), words.end(), word) - words.begin());
}

std::string const* text_option(Object const& definition, std::string_view name) {
    Value const* value = find_member(definition, name);
    return value ? value->as<std::string>() : nullptr;
}

// One word or a list of them.
Array canon_values(Value const& value) {
    auto const* array = value.as<Array>();
    return array ? *array : Array{value};
}

std::string quoted_list(Names const& words) {
    std::string text;
    for (std::string const& word : words)
        text += (text.empty() ? "\"" : ", \"") + word + "\"";
    return text;
}

void check_canon(Value const& value, RuleComplaint const& complain) {
    for (Value const& item : canon_values(value)) {
        auto const* word = item.as<std::string>();
        if (!word) {
            complain("canon",
                     "has to be one of " + quoted_list(canon_words()) + " or a list of them, not " +
                         write_json(value));
            return;
        }
        if (place(canon_words(), *word) < canon_words().size()) continue;
        std::string const hint = did_you_mean(*word, canon_words());
        complain("canon",
                 "unknown field canon \"" + *word + "\"" +
                     (hint.empty() ? "; there is " + quoted_list(canon_words()) : hint));
    }
}

// Why the value cannot be what a field of this type reads as; empty: it can.
std::string default_misfit(std::string_view type, Value const& value) {
    if (type == "counter" || type == "bounded-counter")
        return "has no place in a counter: a counter starts at 0";
    if (value.is_null()) return "has to be a value; a field without a default reads as absent";
    bool const array = type == "set" || type == "list";
    bool const fits = type == "flag"   ? value.as<bool>() != nullptr
                      : array          ? value.as<Array>() != nullptr
                      : type == "map"  ? value.as<Object>() != nullptr
                      : type == "text" ? value.as<std::string>() != nullptr
                                       : true;
    if (fits) return {};
    return "has to be what a \"" + std::string(type) + "\" holds, not " + write_json(value);
}

void check_default(Object const& definition, std::string_view type, RuleComplaint const& complain) {
    Value const* value = find_member(definition, "default");
    if (!value) return;
    std::string misfit = default_misfit(type, *value);
    if (!misfit.empty()) return complain("default", std::move(misfit));
    FieldSchema field;
    read_field_rules(definition, field);
    if (auto wrong = wrong_value(*value, field)) complain("default", *std::move(wrong));
}

// Sets read as their elements by their bytes, each once.
Value as_read(Value value, CellType type) {
    auto* array = value.as<Array>();
    if (type != CellType::set || !array) return value;
    std::sort(array->begin(), array->end(), [](Value const& a, Value const& b) {
        return encode(a) < encode(b);
    });
    array->erase(std::unique(array->begin(), array->end()), array->end());
    return value;
}

}  // namespace

Names const& format_words() {
    static Names const words{"email", "e164", "iso-date", "country", "currency"};
    return words;
}

Names const& check_words() {
    static Names const words{"refuse", "warn"};
    return words;
}

Names const& canon_words() {
    static Names const words{"trim", "lower", "collapse-space"};
    return words;
}

void check_field_rules(Object const& definition, RuleComplaint const& complain) {
    std::string const* type = text_option(definition, "type");
    std::string const type_name = type ? *type : "";
    for (Effect const& effect : effects()) {
        bool const idle = find_member(definition, effect.option) && type &&
                          place(effect.types, type_name) == effect.types.size();
        if (idle)
            complain(
                effect.option,
                "has no effect on a \"" + type_name + "\"; it is for " + quoted_list(effect.types));
    }
    Value const* choices = find_member(definition, "enum");
    auto const* array = choices ? choices->as<Array>() : nullptr;
    if (array && array->empty()) complain("enum", "has to name at least one value");
    Value const* max = find_member(definition, "max");
    bool const of_length = type_name == "set" || type_name == "list" || type_name == "text";
    auto const* length = max ? max->as<std::int64_t>() : nullptr;
    if (max && of_length && (!length || *length < 0))
        complain(
            "max",
            "has to be a whole number from 0 on, because it is a length, not " + write_json(*max));
    if (Value const* canon = find_member(definition, "canon")) check_canon(*canon, complain);
    bool const checks = std::any_of(definition.begin(), definition.end(), [](Member const& m) {
        return m.key == "required" || m.key == "enum" || m.key == "max" || m.key == "format";
    });
    if (find_member(definition, "check") && !checks)
        complain("check", "has no effect without required, enum, max or format");
    check_default(definition, type_name, complain);
}

void read_field_rules(Object const& definition, FieldSchema& field) {
    FieldRules& rules = field.rules;
    Value const* required = find_member(definition, "required");
    rules.required = required && *required == Value(true);
    // A way to check that is not known here is no reason to refuse anything.
    Value const* check = find_member(definition, "check");
    rules.warn_only = check && *check != Value("refuse");
    Value const* choices = find_member(definition, "enum");
    if (auto const* array = choices ? choices->as<Array>() : nullptr) rules.choices = *array;
    Value const* max = find_member(definition, "max");
    if (max && (max->as<std::int64_t>() || max->as<double>())) rules.max = *max;
    if (auto const* format = text_option(definition, "format")) {
        std::size_t const at = place(format_words(), *format);
        if (at < format_words().size()) rules.format = static_cast<TextFormat>(at + 1);
    }
    std::string const* type = text_option(definition, "type");
    Value const* value = find_member(definition, "default");
    if (value && field.type_known && default_misfit(type ? *type : "", *value).empty())
        field.default_value = as_read(*value, field.type);
    Value const* canon = find_member(definition, "canon");
    for (Value const& item : canon ? canon_values(*canon) : Array{}) {
        auto const* word = item.as<std::string>();
        std::size_t const at = word ? place(canon_words(), *word) : canon_words().size();
        if (at < canon_words().size()) field.canon.push_back(static_cast<TextCanon>(at));
    }
}

}  // namespace inos
