#include "adapters/mapping/describe_check.hpp"

#include <algorithm>

#include "adapters/mapping/toml_section.hpp"
#include "adapters/mapping/transform.hpp"

namespace inos {
namespace {

ExternalField const* field_of(ExternalObject const& object, Pointer const& path) {
    for (ExternalField const& field : object.fields)
        if (field.path == path) return &field;
    return nullptr;
}

char const* type_words(ExternalField::Type type) {
    switch (type) {
        case ExternalField::Type::text:
            return "text";
        case ExternalField::Type::number:
            return "a number";
        case ExternalField::Type::boolean:
            return "true or false";
        case ExternalField::Type::date_time:
            return "a time";
        case ExternalField::Type::list:
            return "a list";
        case ExternalField::Type::any:
            break;
    }
    return "anything";
}

bool has_type(Value const& value, ExternalField::Type type) {
    switch (type) {
        case ExternalField::Type::text:
        case ExternalField::Type::date_time:
            return value.as<std::string>() != nullptr;
        case ExternalField::Type::number:
            return value.as<std::int64_t>() || value.as<double>();
        case ExternalField::Type::boolean:
            return value.as<bool>() != nullptr;
        case ExternalField::Type::list:
            return value.as<Array>() != nullptr;
        case ExternalField::Type::any:
            break;
    }
    return true;
}

class DescribeCheck {
public:
    DescribeCheck(Binding const& binding,
                  CollectionSchema const& schema,
                  ExternalObject const& object)
        : binding_(binding), schema_(schema), object_(object) {
        for (ExternalField const& field : object.fields)
            paths_.push_back(field.path.text());
    }

    std::vector<MappingProblem> run() {
        known(binding_.key, binding_.place, "key");
        if (binding_.version) known(*binding_.version, binding_.place, "version");
        for (Trigger const& trigger : binding_.triggers) {
            if (trigger.cursor) known(*trigger.cursor, trigger.place, "cursor");
            if (trigger.tie) known(*trigger.tie, trigger.place, "tie");
        }
        for (FieldMap const& map : binding_.maps) {
            if (map.external) part(map, *map.external, map.place);
            for (MapMember const& member : map.members)
                part(map, member.external, member.place);
        }
        if (binding_.initial.record == Initial::Unmatched::take) required();
        std::stable_sort(problems_.begin(), problems_.end(), [](auto const& a, auto const& b) {
            return a.place < b.place;
        });
        return std::move(problems_);
    }

private:
    void add(Place place, std::string message) { problems_.push_back({place, std::move(message)}); }

    ExternalField const* known(Pointer const& path, Place place, std::string const& what) {
        ExternalField const* field = field_of(object_, path);
        if (!field)
            add(place,
                what + ": " +
                    unknown_word("field of \"" + object_.name + "\"", path.text(), paths_));
        return field;
    }

    void part(FieldMap const& map, Pointer const& path, Place place) {
        ExternalField const* field = known(path, place, "external");
        if (!field) return;
        if (goes_out(map.dir)) {
            // A special writer of the driver may reach what a plain write does not.
            if (!field->writeable && map.write.empty())
                add(place,
                    "\"" + path.text() + "\" cannot be written in the system; use dir = \"in\"");
            length(map, *field, place);
            outward_type(map, *field, place);
        }
        if (goes_in(map.dir) && map.external) choices(map, *field, place);
    }

    // Where the schema says how long the field may be.
    void length(FieldMap const& map, ExternalField const& field, Place place) {
        if (!field.length) return;
        if (map.max && *map.max > *field.length)
            add(place,
                "max: \"" + field.path.text() + "\" takes " + std::to_string(*field.length) +
                    " characters, fewer than " + std::to_string(*map.max));
        FieldSchema const* known_field = schema_.field(map.record.tokens[0]);
        bool const plain = map.external && map.record.tokens.size() == 1 && map.out.empty();
        auto const* max = known_field && known_field->rules.max
                              ? known_field->rules.max->as<std::int64_t>()
                              : nullptr;
        bool const longer =
            plain && max && *max > 0 && static_cast<std::uint64_t>(*max) > *field.length;
        if (longer && map.too_long == FieldMap::TooLong::reject && !map.max)
            add(place,
                "\"" + map.record.text() + "\" may have " + std::to_string(*max) +
                    " characters, and \"" + field.path.text() + "\" takes " +
                    std::to_string(*field.length) +
                    "; lower the schema's max, or say too_long = \"truncate\", or name the "
                    "limit (max) and accept dead letters");
    }

    // What a last step of pairs writes has to be of the field's type, and one of its values.
    void outward_type(FieldMap const& map, ExternalField const& field, Place place) {
        if (!map.external || map.out.empty()) return;
        std::vector<Transform::Pair> pairs = map.out.back().pairs;
        if (map.out.back().has_otherwise) pairs.push_back(map.out.back().otherwise);
        for (Transform::Pair const& pair : pairs) {
            if (pair.result != Transform::Result::value) continue;
            auto const* text = pair.to.as<std::string>();
            if (!has_type(pair.to, field.type))
                return add(place,
                           "out: \"" + field.path.text() + "\" holds " + type_words(field.type) +
                               ", which the map does not write");
            if (text && !field.values.empty() &&
                std::find(field.values.begin(), field.values.end(), *text) == field.values.end())
                add(place,
                    "out: " + unknown_word(
                                  "value of \"" + field.path.text() + "\"", *text, field.values));
        }
    }

    // Every value that the system may hold comes in, or is said to tell nothing.
    void choices(FieldMap const& map, ExternalField const& field, Place place) {
        std::string lost;
        for (std::string const& value : field.values)
            if (transformed(map.in, Value(value)).kind == Transformed::Kind::refused)
                lost += (lost.empty() ? "\"" : ", \"") + value + "\"";
        if (!lost.empty())
            add(place,
                "in: \"" + field.path.text() + "\" may hold " + lost +
                    ", which the mapping has no counterpart of; name it, or write *=keep");
    }

    void required() {
        for (ExternalField const& field : object_.fields) {
            if (!field.is_required || !field.writeable) continue;
            bool const written =
                std::any_of(binding_.maps.begin(), binding_.maps.end(), [&](FieldMap const& map) {
                    bool const part = std::any_of(
                        map.members.begin(), map.members.end(), [&](MapMember const& member) {
                            return member.external == field.path;
                        });
                    return goes_out(map.dir) && (part || map.external == field.path);
                });
            if (!written)
                add(binding_.place,
                    "unmatched_record: the system wants \"" + field.path.text() +
                        "\" of a new object, and no map writes it");
        }
    }

    Binding const& binding_;
    CollectionSchema const& schema_;
    ExternalObject const& object_;
    std::vector<std::string> paths_;
    std::vector<MappingProblem> problems_;
};

}  // namespace

std::vector<MappingProblem> check_describe(Binding const& binding,
                                           CollectionSchema const& schema,
                                           ExternalObject const& object) {
    return DescribeCheck(binding, schema, object).run();
}

Binding with_lengths(Binding binding, ExternalObject const& object) {
    for (FieldMap& map : binding.maps) {
        if (!map.external || map.max) continue;
        ExternalField const* field = field_of(object, *map.external);
        if (field && field->length) map.max = field->length;
    }
    return binding;
}

}  // namespace inos
