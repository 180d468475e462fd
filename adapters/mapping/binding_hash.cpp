// The hash of what a binding means: its parts as one Value, whose bytes are canonical.
#include <algorithm>

#include "adapters/mapping/canon.hpp"
#include "adapters/mapping/mapping_toml.hpp"
#include "adapters/mapping/transform.hpp"
#include "storage/crypto/crypto.hpp"

namespace inos {
namespace {

constexpr char kContext[] = "inosculate binding 1";

template <class Number>
Value number(Number n) {
    return Value(static_cast<std::int64_t>(n));
}

Value texts(std::vector<std::string> const& list) {
    Array array;
    for (std::string const& text : list)
        array.emplace_back(text);
    return Value(std::move(array));
}

Value path(std::optional<Pointer> const& pointer) {
    return pointer ? Value(pointer->text()) : Value();
}

Value of(Transform::Pair const& pair) {
    return Value(Array{pair.from, number(pair.result), pair.to});
}

Value of(Chain const& chain) {
    Array steps;
    for (Transform const& step : chain) {
        Array pairs;
        for (Transform::Pair const& pair : step.pairs)
            pairs.push_back(of(pair));
        // The order of a map's pairs means nothing, because no two are for one value.
        std::sort(pairs.begin(), pairs.end(), [](Value const& a, Value const& b) {
            return encode(a) < encode(b);
        });
        steps.emplace_back(Array{Value(transform_word(step)),
                                 Value(step.argument),
                                 Value(step.number),
                                 texts(step.names),
                                 Value(std::move(pairs)),
                                 Value(step.has_otherwise),
                                 Value(step.otherwise_same),
                                 of(step.otherwise),
                                 step.value});
    }
    return Value(std::move(steps));
}

Value of(CronSchedule const& at) {
    return Value(Array{Value(at.minutes.to_string()),
                       Value(at.hours.to_string()),
                       Value(at.days.to_string()),
                       Value(at.months.to_string()),
                       Value(at.weekdays.to_string()),
                       Value(at.any_day),
                       Value(at.any_weekday)});
}

Value of(Trigger const& trigger) {
    return Value(Array{number(trigger.kind),
                       number(trigger.what),
                       trigger.every_ms ? number(*trigger.every_ms) : Value(),
                       trigger.at ? of(*trigger.at) : Value(),
                       path(trigger.cursor),
                       path(trigger.tie),
                       number(trigger.overlap_ms),
                       texts(trigger.topics),
                       Value(trigger.channel),
                       number(trigger.payload),
                       Value(trigger.driver.values)});
}

Value of(Differing const& differing) {
    return Value(Array{number(differing.rule), Value(differing.prefer_record)});
}

Value of(Initial const& initial) {
    Array groups, rules;
    for (auto const& group : initial.match) {
        Array parts;
        for (MatchPart const& part : group)
            parts.push_back(part.by_external_id ? Value(true) : Value(part.record.text()));
        groups.emplace_back(std::move(parts));
    }
    for (auto const& [pointer, rule] : initial.differing_at)
        rules.emplace_back(Array{Value(pointer.text()), of(rule)});
    return Value(Array{Value(std::move(groups)),
                       number(initial.ambiguous),
                       number(initial.external),
                       number(initial.record),
                       of(initial.differing),
                       Value(std::move(rules))});
}

Value of(std::optional<Archive> const& archive) {
    if (!archive) return {};
    return Value(Array{Value(archive->path.text()), archive->value, Value(archive->append)});
}

Value of(Deletes const& deletes) {
    return Value(Array{number(deletes.in),
                       number(deletes.out),
                       of(deletes.archive_out),
                       of(deletes.archive_in),
                       number(deletes.merge),
                       number(deletes.redact),
                       number(deletes.guard.count),
                       Value(deletes.guard.share),
                       number(deletes.guard.per_ms)});
}

Value of(Errors const& errors) {
    return Value(Array{Value(errors.dead_letter),
                       number(errors.quarantine_after),
                       number(errors.flips),
                       number(errors.flips_per_ms)});
}

Value of(FieldMap const& map) {
    Object members;
    for (MapMember const& member : map.members)
        set_member(members,
                   member.member,
                   Value(Array{Value(member.external.text()), of(member.in), of(member.out)}));
    Array canon;
    for (CanonForm const& form : map.canon)
        canon.emplace_back(canon_form_text(form));
    return Value(Array{Value(map.record.text()),
                       number(map.kind),
                       path(map.external),
                       Value(std::move(members)),
                       number(map.dir),
                       of(map.in),
                       of(map.out),
                       Value(std::move(canon)),
                       Value(map.atomic),
                       number(map.too_long),
                       map.max ? number(*map.max) : Value(),
                       Value(map.write),
                       Value(map.when),
                       Value(map.driver.values)});
}

// What decides where a binding writes, and not how fast. Secrets are in it by reference only.
Value of(System const& system) {
    Object auth;
    for (auto const& [name, entry] : system.auth)
        set_member(auth,
                   name,
                   entry.secret
                       ? Value(Array{number(entry.secret->from), Value(entry.secret->name)})
                       : entry.plain);
    return Value(Array{Value(system.name),
                       Value(system.kind),
                       Value(system.base_url),
                       Value(system.api_version),
                       Value(system.owner_site),
                       Value(system.source),
                       Value(std::move(auth)),
                       Value(system.driver.values)});
}

// Of each field that is mapped what changes the values that come and go.
Value of(CollectionSchema const& schema, Binding const& binding) {
    Object fields;
    for (FieldMap const& map : binding.maps) {
        FieldSchema const* field = schema.field(map.record.tokens.at(0));
        if (!field) continue;
        set_member(fields,
                   map.record.tokens[0],
                   Value(Array{number(field->type),
                               Value(field->rules.choices),
                               field->rules.max ? *field->rules.max : Value(),
                               Value(field->rules.required),
                               number(field->rules.format)}));
    }
    return Value(Array{texts(schema.identity), Value(std::move(fields))});
}

Value of(std::optional<Aggregate> const& aggregate) {
    if (!aggregate) return {};
    Array fields;
    for (auto const& [pointer, function] : aggregate->fields)
        fields.emplace_back(Array{Value(pointer.text()), number(function)});
    return Value(Array{Value(aggregate->by.text()), Value(std::move(fields))});
}

template <class List>
Value sorted(List const& list) {
    Array array;
    for (auto const& one : list)
        array.push_back(of(one));
    std::sort(array.begin(), array.end(), [](Value const& a, Value const& b) {
        return encode(a) < encode(b);
    });
    return Value(std::move(array));
}

}  // namespace

std::string binding_hash(Binding const& binding,
                         System const& system,
                         CollectionSchema const& schema) {
    Object locations;
    for (auto const& [from, to] : binding.locations)
        set_member(locations, from, Value(to));
    Value const all(Array{Value(kContext),
                          of(system),
                          of(schema, binding),
                          Value(binding.name),
                          Value(binding.collection),
                          Value(binding.object),
                          number(binding.mode),
                          Value(binding.key.text()),
                          path(binding.version),
                          Value(binding.external_id),
                          number(binding.record_id),
                          of(binding.aggregate),
                          Value(std::move(locations)),
                          sorted(binding.triggers),
                          of(binding.initial),
                          of(binding.deletes),
                          of(binding.errors),
                          sorted(binding.maps),
                          Value(binding.driver.values)});
    std::string hex;
    for (std::uint8_t const byte : crypto::hash32(encode(all))) {
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
    }
    return hex;
}

}  // namespace inos
