// What of a binding depends on the schema, on its system and on its own other parts.
#include <algorithm>
#include <set>

#include "adapters/mapping/canon.hpp"
#include "adapters/mapping/mapping_parts.hpp"

namespace inos {
namespace {

class BindingCheck {
public:
    BindingCheck(ReadBinding& read, MappingContext const& context, Problems& problems)
        : binding_(read.binding),
          has_all_maps_(read.has_all_maps),
          context_(context),
          problems_(problems) {}

    void run() {
        writes_of_keys();
        double_writes();
        if (has_all_maps_) references();
        CollectionSchema const* schema = known_schema();
        if (!schema) return;
        if (has_all_maps_) {
            record_ids(*schema);
            required_fields(*schema);
        }
        check_maps(binding_, *schema, problems_);
    }

private:
    void add(Place place, std::string message) { problems_.push_back({place, std::move(message)}); }

    CollectionSchema const* known_schema() {
        if (binding_.collection.empty()) return nullptr;
        auto const schema = context_.schemas.find(binding_.collection);
        if (schema != context_.schemas.end()) return &schema->second;
        std::vector<std::string> names;
        for (auto const& [name, one] : context_.schemas)
            names.push_back(name);
        add(binding_.place,
            names.empty() ? "there is no schema of \"" + binding_.collection +
                                "\" yet; apply one first (inos schema apply)"
                          : unknown_word("collection", binding_.collection, names));
        return nullptr;
    }

    static std::vector<std::pair<Pointer, Place>> externals(FieldMap const& map) {
        std::vector<std::pair<Pointer, Place>> places;
        if (map.external) places.emplace_back(*map.external, map.place);
        for (MapMember const& member : map.members)
            places.emplace_back(member.external, member.place);
        return places;
    }

    // The object's key is the system's to give.
    void writes_of_keys() {
        for (FieldMap const& map : binding_.maps) {
            if (!goes_out(map.dir)) continue;
            for (auto const& [pointer, place] : externals(map)) {
                if (!binding_.key.empty() && pointer == binding_.key)
                    add(place,
                        "\"" + pointer.text() + "\" is the object's key, which the system gives");
                if (binding_.version && pointer == *binding_.version)
                    add(place,
                        "\"" + pointer.text() +
                            "\" is the object's version, which the system gives");
            }
        }
    }

    void double_writes() {
        std::vector<std::pair<Pointer, Place>> records, external;
        auto const claim = [&](auto& claimed, Pointer const& pointer, Place place) {
            for (auto const& [other, where] : claimed)
                if (other.covers(pointer) || pointer.covers(other))
                    return add(place,
                               "\"" + pointer.text() + "\" is written twice: line " +
                                   std::to_string(where.line) + " writes \"" + other.text() + "\"");
            claimed.emplace_back(pointer, place);
        };
        for (FieldMap const& map : binding_.maps) {
            if (goes_in(map.dir)) claim(records, map.record, map.place);
            if (!goes_out(map.dir)) continue;
            for (auto const& [pointer, place] : externals(map))
                claim(external, pointer, place);
        }
    }

    FieldMap const* map_of(Pointer const& record, bool exactly) const {
        for (FieldMap const& map : binding_.maps)
            if (exactly ? map.record == record : map.record.covers(record)) return &map;
        return nullptr;
    }

    void refer(Pointer const& record, std::string const& what, bool exactly) {
        if (record.empty() || map_of(record, exactly)) return;
        std::vector<std::string> names;
        for (FieldMap const& map : binding_.maps)
            names.push_back(map.record.text());
        add(binding_.place,
            what + " names \"" + record.text() + "\", which no map of \"" + binding_.name +
                "\" has: " + unknown_word("path", record.text(), names));
    }

    void references() {
        for (auto const& group : binding_.initial.match)
            for (MatchPart const& part : group)
                if (!part.by_external_id) refer(part.record, "match", false);
        for (auto const& [record, rule] : binding_.initial.differing_at)
            refer(record, "differing", true);
        if (!binding_.aggregate) return;
        refer(binding_.aggregate->by, "aggregate", true);
        for (auto const& [record, function] : binding_.aggregate->fields)
            refer(record, "aggregate", true);
        if (binding_.mode != Flow::out)
            add(binding_.place,
                "aggregate: needs mode = \"out\": a sum cannot be taken apart again");
    }

    void record_ids(CollectionSchema const& schema) {
        if (binding_.record_id != Binding::RecordId::identity) return;
        if (schema.identity.empty())
            add(binding_.place,
                "record_id: the schema of \"" + binding_.collection + "\" names no identity");
        for (std::string const& dotted : schema.identity) {
            Pointer pointer{{""}};
            for (char const c : dotted) {
                if (c == '.')
                    pointer.tokens.emplace_back();
                else
                    pointer.tokens.back() += c;
            }
            FieldMap const* map = map_of(pointer, false);
            if (!map || !goes_in(map->dir))
                add(binding_.place,
                    "record_id: no map brings in \"" + pointer.text() +
                        "\", which is part of the identity of \"" + binding_.collection + "\"");
        }
    }

    void required_fields(CollectionSchema const& schema) {
        if (binding_.initial.external != Initial::Unmatched::take) return;
        for (auto const& [name, field] : schema.fields) {
            bool const needed =
                field.rules.required && !field.rules.warn_only && !field.default_value;
            bool const comes =
                std::any_of(binding_.maps.begin(), binding_.maps.end(), [&](FieldMap const& map) {
                    return goes_in(map.dir) && map.record.tokens[0] == name;
                });
            if (needed && !comes)
                add(binding_.place,
                    "unmatched_external: the schema requires \"" + name +
                        "\", and no map brings it in; imported objects would be refused");
        }
    }

    Binding& binding_;
    bool has_all_maps_;
    MappingContext const& context_;
    Problems& problems_;
};

}  // namespace

void check_binding(ReadBinding& read, MappingContext const& context, Problems& problems) {
    BindingCheck(read, context, problems).run();
}

}  // namespace inos
