#include "storage/field_checks.hpp"

#include <algorithm>

#include "crdt/pieces.hpp"
#include "storage/json.hpp"
#include "storage/near_miss.hpp"
#include "storage/text_forms.hpp"

namespace inos {
namespace {

constexpr std::size_t kShownBytesMax = 80;   // of a value in a message
constexpr std::size_t kChoicesShownMax = 8;  // of an enum in a message

struct Form {
    bool (*fits)(std::string_view);
    char const* words;
};

Form form_of(TextFormat format) {
    switch (format) {
        case TextFormat::email:
            return {is_email, "an e-mail address such as name@example.org (format \"email\")"};
        case TextFormat::e164:
            return {is_e164, "a phone number such as +46701234567 (format \"e164\")"};
        case TextFormat::iso_date:
            return {is_iso_date, "a date such as 2026-01-31 (format \"iso-date\")"};
        case TextFormat::country:
            return {is_country, "a country code of ISO 3166 such as SE (format \"country\")"};
        case TextFormat::currency:
            return {is_currency, "a currency code of ISO 4217 such as SEK (format \"currency\")"};
        case TextFormat::none:
            break;
    }
    return {[](std::string_view) { return true; }, ""};
}

// What `max` measures.
struct Measure {
    long double size = 0;  // exact for 64-bit integers and doubles
    std::string words;
};

std::optional<Measure> measure(Value const& value) {
    auto const counted = [](std::size_t count, std::string const& noun) {
        return Measure{static_cast<long double>(count),
                       "has " + std::to_string(count) + " " + noun + (count == 1 ? "" : "s")};
    };
    if (auto const* number = value.as<std::int64_t>())
        return Measure{static_cast<long double>(*number), "is"};
    if (auto const* number = value.as<double>())
        return Measure{static_cast<long double>(*number), "is"};
    if (auto const* text = value.as<std::string>()) return counted(code_points(*text), "character");
    if (auto const* array = value.as<Array>()) return counted(array->size(), "element");
    return std::nullopt;
}

bool over(Value const& value, FieldRules const& rules) {
    auto const size = measure(value);
    return rules.max && size && size->size > measure(*rules.max)->size;
}

bool is_choice(Value const& value, FieldRules const& rules) {
    return std::find(rules.choices.begin(), rules.choices.end(), value) != rules.choices.end();
}

std::string choices_text(Value const& value, FieldRules const& rules) {
    std::vector<std::string> words;
    for (Value const& choice : rules.choices)
        if (auto const* text = choice.as<std::string>()) words.push_back(*text);
    if (auto const* text = value.as<std::string>())
        if (std::string const hint = did_you_mean(*text, words); !hint.empty()) return hint;
    std::string list;
    for (std::size_t i = 0; i < std::min(rules.choices.size(), kChoicesShownMax); ++i)
        list += (i > 0 ? ", " : ": ") + shortened(write_json(rules.choices[i]), kShownBytesMax);
    return list + (rules.choices.size() > kChoicesShownMax ? ", ..." : "");
}

// Of a value that is no array, or of an array's element.
std::optional<std::string> wrong_unit(Value const& value, FieldRules const& rules) {
    if (!rules.choices.empty() && !is_choice(value, rules))
        return "has to be one of the values of its enum" + choices_text(value, rules);
    if (rules.format == TextFormat::none) return std::nullopt;
    Form const form = form_of(rules.format);
    auto const* text = value.as<std::string>();
    if (text && form.fits(*text)) return std::nullopt;
    return "has to be " + std::string(form.words);
}

// What a write leaves as it was is not judged again.
struct Excuse {
    bool size = false;           // over `max`, but less so than before
    Value const* was = nullptr;  // elements that an array had already
};

bool had(Excuse const& excuse, Value const& item) {
    auto const* before = excuse.was ? excuse.was->as<Array>() : nullptr;
    return before && std::find(before->begin(), before->end(), item) != before->end();
}

// One value of a register, or the whole of another type.
std::optional<std::string> wrong_whole(Value const& value,
                                       FieldRules const& rules,
                                       Excuse const& excuse) {
    if (value.is_null()) return std::nullopt;
    if (!excuse.size && over(value, rules)) {
        auto const size = measure(value);
        bool const length = size->words != "is";
        return (length ? size->words + "; at most " : "has to be at most ") +
               write_json(*rules.max) + (length ? " are allowed" : "") + " (max)";
    }
    auto const* array = value.as<Array>();
    if (!array || is_choice(value, rules)) return wrong_unit(value, rules);
    for (Value const& item : *array)
        if (auto wrong = wrong_unit(item, rules); wrong && !had(excuse, item))
            return "holds " + shortened(write_json(item), kShownBytesMax) + ", which " +
                   *std::move(wrong);
    return std::nullopt;
}

// Kept rivals are judged one by one, as the values that they are.
bool keeps_all(FieldSchema const& field) {
    return field.policy == RegisterPolicy::keep_all && field.type == CellType::register_;
}

std::optional<std::string> wrong_by(Value const& value,
                                    FieldSchema const& field,
                                    Excuse const& excuse) {
    auto const* kept = keeps_all(field) ? value.as<Array>() : nullptr;
    if (!kept) return wrong_whole(value, field.rules, excuse);
    for (Value const& one : *kept)
        if (auto wrong = wrong_whole(one, field.rules, {excuse.size, nullptr})) return wrong;
    return std::nullopt;
}

// The size of a field's value, or of the largest that is kept.
std::optional<long double> size_of(Value const& value, FieldSchema const& field) {
    auto const* kept = keeps_all(field) ? value.as<Array>() : nullptr;
    std::optional<long double> largest;
    for (Value const& one : kept ? *kept : Array{value})
        if (auto const size = measure(one))
            largest = largest ? std::max(*largest, size->size) : size->size;
    return largest;
}

bool goes_down(Value const& before, Value const& after, FieldSchema const& field) {
    if (!field.rules.max) return false;
    auto const from = size_of(before, field), to = size_of(after, field);
    return from && to && *from > measure(*field.rules.max)->size && *to < *from;
}

std::string canonical(std::string text, std::vector<TextCanon> const& forms) {
    for (TextCanon const form : forms) {
        switch (form) {
            case TextCanon::trim:
                text = trimmed(text);
                break;
            case TextCanon::lower:
                text = lower_case(text);
                break;
            case TextCanon::collapse_space:
                text = spaces_collapsed(text);
                break;
        }
    }
    return text;
}

void make_canonical(Value& value, std::vector<TextCanon> const& forms) {
    if (auto* text = value.as<std::string>()) *text = canonical(std::move(*text), forms);
    if (auto* array = value.as<Array>())
        for (Value& item : *array)
            if (auto* text = item.as<std::string>()) *text = canonical(std::move(*text), forms);
    auto* object = value.as<Object>();
    for (std::size_t i = 0; object && i < object->size(); ++i) {
        Member& member = (*object)[i];
        if (member.key == "$add" || member.key == "$remove") make_canonical(member.value, forms);
    }
}

}  // namespace

bool has_rules(CollectionSchema const& schema) {
    return std::any_of(schema.fields.begin(), schema.fields.end(), [](auto const& field) {
        return field.second.rules.any();
    });
}

bool has_canon(CollectionSchema const& schema) {
    return std::any_of(schema.fields.begin(), schema.fields.end(), [](auto const& field) {
        return !field.second.canon.empty();
    });
}

std::optional<std::string> wrong_value(Value const& value, FieldSchema const& field) {
    return wrong_by(value, field, {});
}

std::vector<FieldProblem> check_fields(RecordName const& name,
                                       Object const* before,
                                       Object const& after,
                                       CollectionSchema const& schema) {
    std::vector<FieldProblem> problems;
    std::string const place = "\"" + name.key + "\" in \"" + name.collection + "\"";
    for (auto const& [label, field] : schema.fields) {
        FieldRules const& rules = field.rules;
        if (!rules.any()) continue;
        Value const* was = before ? find_member(*before, label) : nullptr;
        Value const* is = find_member(after, label);
        bool const missing = !is || is->is_null();
        if (missing && rules.required) {
            bool const made_so = !before || (was && !was->is_null());
            problems.push_back({label,
                                "\"" + label + "\" of " + place + " is " +
                                    (is ? "null" : "missing") + ", and its schema requires it",
                                made_so && !rules.warn_only});
        }
        bool const same = was && is && *was == *is;
        if (missing || same) continue;
        auto wrong = wrong_by(*is, field, {was && goes_down(*was, *is, field), was});
        if (!wrong) continue;
        problems.push_back({label,
                            "\"" + label + "\" of " + place + ", " +
                                shortened(write_json(*is), kShownBytesMax) + ", " +
                                *std::move(wrong),
                            !rules.warn_only});
    }
    return problems;
}

Object canonical_fields(Object fields, CollectionSchema const& schema) {
    for (Member& member : fields) {
        FieldSchema const* field = schema.field(member.key);
        if (field && !field->canon.empty()) make_canonical(member.value, field->canon);
    }
    return fields;
}

}  // namespace inos
