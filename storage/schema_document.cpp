#include "storage/schema_document.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "crdt/types/types.hpp"
#include "storage/field_rules.hpp"
#include "storage/json.hpp"
#include "storage/near_miss.hpp"
#include "storage/secondary_index.hpp"

namespace inos {
namespace {

using Names = std::vector<std::string>;

constexpr std::string_view kSchemaCollection = "_schema";
// The record's field name has the prefix in front of the field's own.
constexpr std::size_t kFieldNameBytesMax = kNameBytesMax - kFieldPrefix.size();

Names const kTypes{"register", "counter", "bounded-counter", "set", "map", "list", "text", "flag"};
Names const kPolicies{"latest", "priority", "order", "keep-all"};
Names const kDeletes{"update-wins", "delete-wins"};
Names const kWins{"enable", "disable"};
Names const kOfflineRights{"strict", "trust-disk"};
Names const kFormats = format_words();
Names const kChecks = check_words();
Names const kCollectionOptions{"delete", "index", "identity", "fields"};

// What an option's value has to be.
enum class Shape { any, text, boolean, bound, number, text_list, value_list, text_or_boolean };

struct Option {
    char const* name;
    Shape shape;
    char const* only_for;          // the type that has it; nullptr: every type
    Names const* words = nullptr;  // the texts that are allowed
};

Option const kFieldOptions[] = {
    {"type", Shape::text, nullptr, &kTypes},
    {"policy", Shape::text, "register", &kPolicies},
    {"ranking", Shape::text_list, "register"},
    {"order", Shape::text_list, "register"},
    {"project", Shape::text, "register"},
    {"wins", Shape::text, "flag", &kWins},
    {"min", Shape::bound, "bounded-counter"},
    {"offline_rights", Shape::text, "bounded-counter", &kOfflineRights},
    {"required", Shape::boolean, nullptr},
    {"enum", Shape::value_list, nullptr},
    {"max", Shape::number, nullptr},
    {"format", Shape::text, nullptr, &kFormats},
    {"check", Shape::text, nullptr, &kChecks},
    {"default", Shape::any, nullptr},
    {"canon", Shape::any, nullptr},
    {"pii", Shape::text_or_boolean, nullptr},
};

std::string quoted_list(Names const& words) {
    std::string text;
    for (std::string const& word : words)
        text += (text.empty() ? "\"" : ", \"") + word + "\"";
    return text;
}

// "unknown field type "cuonter"; did you mean "counter"?", or the list of what there is.
std::string unknown(std::string_view what, std::string_view word, Names const& words) {
    std::string text = "unknown " + std::string(what) + " \"" + std::string(word) + "\"";
    std::string const hint = did_you_mean(word, words);
    return text + (hint.empty() ? "; there is " + quoted_list(words) : hint);
}

bool is_text_list(Value const& value) {
    auto const* array = value.as<Array>();
    return array && std::all_of(array->begin(), array->end(), [](Value const& item) {
               auto const* text = item.as<std::string>();
               return text && !text->empty();
           });
}

bool has_shape(Value const& value, Shape shape) {
    switch (shape) {
        case Shape::any:
            return true;
        case Shape::text:
            return value.as<std::string>() != nullptr;
        case Shape::boolean:
            return value.as<bool>() != nullptr;
        case Shape::bound:
            return value.as<std::int64_t>() && *value.as<std::int64_t>() >= 0;
        case Shape::number:
            return value.as<std::int64_t>() || value.as<double>();
        case Shape::text_list:
            return is_text_list(value);
        case Shape::value_list:
            return value.as<Array>() != nullptr;
        case Shape::text_or_boolean:
            return value.as<std::string>() || value.as<bool>();
    }
    return false;
}

char const* shape_words(Shape shape) {
    switch (shape) {
        case Shape::any:
            return "a value";
        case Shape::text:
            return "a text";
        case Shape::boolean:
            return "true or false";
        case Shape::bound:
            return "a whole number from 0 on (a counter that may go under 0 is a \"counter\")";
        case Shape::number:
            return "a number";
        case Shape::text_list:
            return "a list of texts that are not empty";
        case Shape::value_list:
            return "a list of values";
        case Shape::text_or_boolean:
            return "a text, or true or false";
    }
    return "a value";
}

class Checker {
public:
    std::vector<SchemaProblem> problems;

    void document(Object const& document) {
        for (auto const& [name, value] : document) {
            if (is_reserved(name))
                add(name, "collections that begin with an underscore are reserved");
            else if (!valid_name(name))
                add(name,
                    "a collection's name has to be 1 to 256 bytes of UTF-8 without control "
                    "characters");
            else if (auto const* table = value.as<Object>())
                collection(name, *table);
            else
                add(name, "has to be a table with \"fields\", not " + write_json(value));
        }
    }

private:
    void add(std::string path, std::string message) {
        problems.push_back({std::move(path), std::move(message)});
    }

    void collection(std::string const& name, Object const& table) {
        for (auto const& [option, value] : table) {
            std::string const path = name + "." + option;
            if (option == "delete")
                word(path, "delete policy", value, kDeletes);
            else if (option == "identity")
                list(path, value);
            else if (option == "index")
                index(path, value);
            else if (option != "fields")
                add(path, unknown("option", option, kCollectionOptions));
            else if (auto const* definitions = value.as<Object>())
                fields(path, *definitions);
            else
                add(path, "has to be a table of fields, not " + write_json(value));
        }
    }

    void fields(std::string const& parent, Object const& definitions) {
        for (auto const& [name, value] : definitions) {
            std::string const path = parent + "." + name;
            if (!valid_name(name) || name.front() == '$' || name.size() > kFieldNameBytesMax)
                add(path,
                    "a field's name has to be 1 to " + std::to_string(kFieldNameBytesMax) +
                        " bytes of UTF-8 without control characters and cannot begin with $");
            else if (auto const* definition = value.as<Object>())
                field(path, *definition);
            else
                add(path,
                    "has to be a table like { type = \"register\" }, not " + write_json(value));
        }
    }

    void field(std::string const& path, Object const& definition) {
        Value const* type = find_member(definition, "type");
        if (!type) add(path, "\"type\" is missing; there is " + quoted_list(kTypes));
        std::string const* type_text = type ? type->as<std::string>() : nullptr;
        for (auto const& [name, value] : definition)
            option(path, type_text, name, value);
        check_field_rules(definition, [&](std::string const& option, std::string message) {
            add(path + "." + option, std::move(message));
        });
        Value const* policy = find_member(definition, "policy");
        for (auto const& [choice, needed] :
             {std::pair("priority", "ranking"), {"order", "order"}}) {
            bool const chosen = policy && *policy == Value(choice);
            bool const given = find_member(definition, needed) != nullptr;
            if (chosen && !given)
                add(path + "." + needed,
                    "is missing; the policy \"" + std::string(choice) + "\" needs it");
            if (given && !chosen)
                add(path + "." + needed,
                    "has no effect without policy = \"" + std::string(choice) + "\"");
        }
    }

    void option(std::string const& parent,
                std::string const* type,
                std::string const& name,
                Value const& value) {
        std::string const path = parent + "." + name;
        auto const known = std::find_if(std::begin(kFieldOptions),
                                        std::end(kFieldOptions),
                                        [&](Option const& o) { return o.name == name; });
        if (known == std::end(kFieldOptions)) {
            Names names;
            for (Option const& o : kFieldOptions)
                names.emplace_back(o.name);
            return add(path, unknown("field option", name, names));
        }
        bool const type_is_known =
            type && std::find(kTypes.begin(), kTypes.end(), *type) != kTypes.end();
        if (known->only_for && type_is_known && *type != known->only_for)
            return add(path,
                       "is for fields of type \"" + std::string(known->only_for) +
                           "\", and this one is a \"" + *type + "\"");
        if (known->words) return word(path, "field " + name, value, *known->words);
        if (known->shape == Shape::text_list) return list(path, value);
        if (!has_shape(value, known->shape))
            add(path,
                "has to be " + std::string(shape_words(known->shape)) + ", not " +
                    write_json(value));
    }

    void index(std::string const& path, Value const& value) {
        if (auto problem = index_problem(value)) add(path, *std::move(problem));
    }

    void word(std::string const& path,
              std::string const& what,
              Value const& value,
              Names const& words) {
        auto const* text = value.as<std::string>();
        if (!text)
            add(path, "has to be one of " + quoted_list(words) + ", not " + write_json(value));
        else if (std::find(words.begin(), words.end(), *text) == words.end())
            add(path, unknown(what, *text, words));
    }

    void list(std::string const& path, Value const& value) {
        if (!is_text_list(value))
            return add(path,
                       "has to be a list of texts that are not empty, not " + write_json(value));
        std::set<std::string> seen;
        for (Value const& item : *value.as<Array>())
            if (!seen.insert(*item.as<std::string>()).second)
                return add(path, "names \"" + *item.as<std::string>() + "\" twice");
    }
};

std::vector<std::string> texts_of(Value const* value) {
    std::vector<std::string> texts;
    auto const* array = value ? value->as<Array>() : nullptr;
    if (!array) return texts;
    for (Value const& item : *array)
        if (auto const* text = item.as<std::string>()) texts.push_back(*text);
    return texts;
}

RegisterPolicy parse_policy(Value const* value, bool& known) {
    if (!value || *value == Value("latest")) return RegisterPolicy::latest;
    if (*value == Value("priority")) return RegisterPolicy::priority;
    if (*value == Value("order")) return RegisterPolicy::order;
    known = *value == Value("keep-all");
    return RegisterPolicy::keep_all;
}

CellType parse_type(Value const* value, bool& known) {
    auto const* name = value ? value->as<std::string>() : nullptr;
    if (auto const* rules = name ? rules_of(*name) : nullptr) return rules->type;
    known = false;
    return CellType::register_;
}

FieldSchema parse_field(Object const& definition) {
    FieldSchema field;
    field.type = parse_type(find_member(definition, "type"), field.type_known);
    field.policy = parse_policy(find_member(definition, "policy"), field.policy_known);
    field.ranking = texts_of(find_member(definition, "ranking"));
    field.order = texts_of(find_member(definition, "order"));
    Value const* wins = find_member(definition, "wins");
    field.disable_wins = wins && *wins == Value("disable");
    Value const* min = find_member(definition, "min");
    if (auto const* least = min ? min->as<std::int64_t>() : nullptr)
        field.min = std::max<std::int64_t>(*least, 0);
    Value const* offline = find_member(definition, "offline_rights");
    if (offline && *offline == Value("trust-disk"))
        field.offline_rights = OfflineRights::trust_disk;
    read_field_rules(definition, field);
    return field;
}

Object record_of(Object const& table) {
    Object record;
    for (auto const& [option, value] : table) {
        auto const* fields = option == "fields" ? value.as<Object>() : nullptr;
        if (!fields) {
            set_member(record, option, value);
            continue;
        }
        for (auto const& [name, definition] : *fields)
            set_member(record, std::string(kFieldPrefix) + name, definition);
    }
    return record;
}

}  // namespace

std::vector<SchemaProblem> check_schema(Object const& document) {
    Checker checker;
    checker.document(document);
    return std::move(checker.problems);
}

std::vector<Write> schema_writes(Object const& document,
                                 std::map<std::string, Object> const& current) {
    std::vector<Write> writes;
    for (auto const& [collection, value] : document) {
        auto const* table = value.as<Object>();
        if (!table) continue;
        Object record = record_of(*table);
        auto const now = current.find(collection);
        if (now != current.end() && now->second == record) continue;
        Write write;
        write.kind = Write::Kind::put;
        write.name = {std::string(kSchemaCollection), collection};
        write.fields = std::move(record);
        writes.push_back(std::move(write));
    }
    return writes;
}

CollectionSchema parse_collection_schema(Object const& record_fields) {
    CollectionSchema schema;
    for (auto const& [name, value] : record_fields) {
        if (name == "delete" && value == Value("delete-wins"))
            schema.on_delete = DeletePolicy::delete_wins;
        if (name == "identity") schema.identity = texts_of(&value);
        auto const* definition = value.as<Object>();
        if (!definition || !name.starts_with(kFieldPrefix)) continue;
        schema.fields.insert_or_assign(name.substr(kFieldPrefix.size()), parse_field(*definition));
    }
    return schema;
}

Object schema_document(std::map<std::string, Object> const& records) {
    Object document;
    for (auto const& [collection, record] : records) {
        Object table, fields;
        for (auto const& [name, value] : record) {
            if (name.starts_with(kFieldPrefix))
                set_member(fields, name.substr(kFieldPrefix.size()), value);
            else
                set_member(table, name, value);
        }
        set_member(table, "fields", Value(std::move(fields)));
        set_member(document, collection, Value(std::move(table)));
    }
    return document;
}

}  // namespace inos
