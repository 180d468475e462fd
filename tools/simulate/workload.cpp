#include "tools/simulate/workload.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace inos::simulate {
namespace {

using sim::Tape;

constexpr std::array<std::string_view, 4> kWords = {"red", "green", "blue", "gold"};
constexpr std::array<std::string_view, 2> kKeys = {"k", "l"};
constexpr std::array<std::string_view, 3> kEmails = {
    "ann@example.org", "bob@example.org", "cleo@example.org"};
constexpr std::array<std::string_view, 3> kPhones = {"+4512345678", "+46701234567", "+4915112345"};
constexpr std::array<std::string_view, 3> kDates = {"2026-01-31", "2026-02-01", "2026-12-24"};
constexpr std::array<std::string_view, 3> kCountries = {"SE", "DK", "DE"};
constexpr std::array<std::string_view, 3> kCurrencies = {"SEK", "DKK", "EUR"};

Value form(Tape& tape, TextFormat format) {
    switch (format) {
        case TextFormat::email:
            return Value(tape.pick(kEmails));
        case TextFormat::e164:
            return Value(tape.pick(kPhones));
        case TextFormat::iso_date:
            return Value(tape.pick(kDates));
        case TextFormat::country:
            return Value(tape.pick(kCountries));
        case TextFormat::currency:
            return Value(tape.pick(kCurrencies));
        case TextFormat::none:
            break;
    }
    return Value(tape.pick(kWords));
}

// Around what a rule compares it with: the value itself, or a number just beside it.
Value near(Tape& tape, FieldHint const& hint) {
    Value value = tape.pick(hint.values);
    std::int64_t* number = value.as<std::int64_t>();
    std::int64_t const by = static_cast<std::int64_t>(tape.below(3)) - 1;
    if (number && (by > 0 ? *number < INT64_MAX : *number > INT64_MIN)) *number += by;
    return value;
}

Object one(std::string_view name, Value value) {
    return Object{{std::string(name), std::move(value)}};
}

Value list_of(std::vector<Value> values) {
    return Value(Array(std::move(values)));
}

// From 1, small ones more often.
std::int64_t amount(Tape& tape, FieldHint const* hint) {
    if (hint && !hint->values.empty() && tape.chance(20)) {
        auto const* number = tape.pick(hint->values).as<std::int64_t>();
        if (number && *number > 0) return *number;
    }
    return 1 + static_cast<std::int64_t>(tape.below(tape.chance(85) ? 3 : 20));
}

std::string const& any_field(Tape& tape, CollectionSchema const& schema) {
    auto field = schema.fields.begin();
    std::advance(field, tape.below(schema.fields.size()));
    return field->first;
}

}  // namespace

FieldHint const* Workload::hint(std::string const& collection,
                                std::vector<std::string> const& path) const {
    auto const found = hints_.find({collection, path});
    return found == hints_.end() ? nullptr : &found->second;
}

// A rule looks into the field.
bool Workload::has_parts(std::string const& collection, std::string const& name) const {
    return std::any_of(hints_.begin(), hints_.end(), [&](auto const& each) {
        auto const& [place, hint] = each;
        return place.first == collection && place.second.size() > 1 && place.second[0] == name;
    });
}

Value Workload::scalar(Tape& tape, FieldSchema const& field, FieldHint const* hint) const {
    if (!field.rules.choices.empty()) return tape.pick(field.rules.choices);
    if (!field.order.empty()) return Value(tape.pick(field.order));
    if (hint && !hint->values.empty() && tape.chance(60)) return near(tape, *hint);
    Type const type = hint && hint->type != Type::any ? hint->type : field_type(field);
    if (type == Type::boolean) return Value(tape.chance(50));
    if (type == Type::number || (type == Type::any && field.rules.max)) {
        auto const* most = field.rules.max ? field.rules.max->as<std::int64_t>() : nullptr;
        std::size_t const bound = most && *most >= 0 && *most < 10 ? std::size_t(*most) + 1 : 10;
        return Value(static_cast<std::int64_t>(tape.below(bound)));
    }
    return form(tape, field.rules.format);
}

Value Workload::element(Tape& tape, FieldSchema const& field, FieldHint const* hint) const {
    if (!field.rules.choices.empty()) return tape.pick(field.rules.choices);
    if (hint && !hint->values.empty() && tape.chance(60)) return near(tape, *hint);
    return form(tape, field.rules.format);
}

// With the members that rules look at, and some others.
Value Workload::object(Tape& tape,
                       std::string const& collection,
                       std::vector<std::string> const& path) const {
    Object members;
    for (auto const& [place, hint] : hints_) {
        bool const below = place.first == collection && place.second.size() > path.size() &&
                           std::equal(path.begin(), path.end(), place.second.begin());
        if (!below || !tape.chance(80)) continue;
        std::string const& name = place.second[path.size()];
        std::vector<std::string> inner = path;
        inner.push_back(name);
        bool const last = place.second.size() == inner.size();
        set_member(members,
                   name,
                   last ? scalar(tape, FieldSchema{}, &hint) : object(tape, collection, inner));
    }
    if (members.empty() || tape.chance(30)) {
        auto const key = tape.pick(kKeys);
        set_member(members, key, Value(tape.pick(kWords)));
    }
    return Value(std::move(members));
}

// The whole value of a field.
Value Workload::plain(Tape& tape,
                      std::string const& collection,
                      std::vector<std::string> const& path,
                      FieldSchema const& field) const {
    FieldHint const* const known = hint(collection, path);
    switch (field.type) {
        case CellType::counter:
        case CellType::bounded_counter:
            return Value(field.min + amount(tape, known));
        case CellType::flag:
            return Value(tape.chance(50));
        case CellType::map:
            return object(tape, collection, path);
        case CellType::set:
        case CellType::list: {
            std::vector<Value> values(tape.below(3));
            for (Value& value : values)
                value = element(tape, field, known);
            return list_of(std::move(values));
        }
        case CellType::text:
            return Value(std::string(tape.pick(kWords)));
        default:
            break;
    }
    return has_parts(collection, path[0]) ? object(tape, collection, path)
                                          : scalar(tape, field, known);
}

// A change of a field in a patch.
Value Workload::operation(Tape& tape,
                          std::string const& collection,
                          std::string const& name,
                          FieldSchema const& field) const {
    FieldHint const* const known = hint(collection, {name});
    switch (field.type) {
        case CellType::counter:
        case CellType::bounded_counter: {
            std::int64_t const by = amount(tape, known);
            return Value(one("$inc", Value(tape.chance(50) ? by : -by)));
        }
        case CellType::set: {
            bool const adds = tape.chance(60);
            Value what = element(tape, field, known);
            return Value(one(adds ? "$add" : "$remove", list_of({std::move(what)})));
        }
        case CellType::list: {
            if (tape.chance(40)) break;
            Object insert{{tape.chance(50) ? "after" : "before", Value()}};
            set_member(insert, "value", element(tape, field, known));
            return Value(one("$insert", Value(std::move(insert))));
        }
        case CellType::text: {
            if (tape.chance(40)) break;
            Object splice{{"at", Value(0)}};
            set_member(splice, "insert", Value(std::string(tape.pick(kWords)) + " "));
            return Value(one("$splice", Value(std::move(splice))));
        }
        default:
            break;
    }
    return plain(tape, collection, {name}, field);
}

// Fields that rules look at, or that say which thing a record is about.
bool Workload::matters(std::string const& collection, std::string const& name) const {
    auto const& identity = schemas_.at(collection).identity;
    return std::find(identity.begin(), identity.end(), name) != identity.end() ||
           hint(collection, {name}) || has_parts(collection, name);
}

Object Workload::fields(Tape& tape, std::string const& collection, bool whole) const {
    CollectionSchema const& schema = schemas_.at(collection);
    unsigned const others = hints_.empty() ? (schema.fields.size() <= 3 ? 60 : 35) : 15;
    std::vector<std::string> chosen;
    std::vector<std::string> mattering;
    for (auto const& [name, field] : schema.fields) {
        bool const often = matters(collection, name);
        if (often) mattering.push_back(name);
        unsigned const percent = whole ? 90 : often ? 80 : others;  // a put leaves little out
        if ((whole && field.rules.required) || tape.chance(percent)) chosen.push_back(name);
    }
    // Half of the patches change one field: two sites then change different ones.
    if (!whole && !mattering.empty() && tape.chance(50)) chosen = {tape.pick(mattering)};
    if (chosen.empty() && !schema.fields.empty()) chosen = {any_field(tape, schema)};
    Object fields;
    for (std::string const& name : chosen) {
        FieldSchema const& field = *schema.field(name);
        bool const unset = !whole && !field.rules.required && tape.chance(5);
        Value value = unset   ? Value()
                      : whole ? plain(tape, collection, {name}, field)
                              : operation(tape, collection, name, field);
        set_member(fields, name, std::move(value));
    }
    return fields;
}

Habits Habits::random(Tape& tape) {
    Habits habits;
    habits.common_ids = 1 + tape.below(2);
    habits.own_percent = tape.chance(50) ? 35 : 0;
    habits.delete_percent = tape.chance(40) ? 15 : 0;
    habits.put_percent = tape.chance(50) ? 30 : 5;
    habits.transaction_percent = tape.chance(40) ? 30 : 0;
    return habits;
}

Write Workload::write_to(Tape& tape,
                         std::string const& collection,
                         std::size_t site,
                         Habits const& habits) const {
    Write write;
    std::string const number = std::to_string(1 + tape.below(habits.common_ids));
    bool const own = tape.chance(habits.own_percent);
    write.name = {collection, own ? site_name(site) + number : number};
    if (tape.chance(habits.delete_percent)) {
        write.kind = Write::Kind::delete_;
        return write;
    }
    bool const whole = tape.chance(habits.put_percent);
    write.kind = whole ? Write::Kind::put : Write::Kind::patch;
    write.fields = fields(tape, collection, whole);
    return write;
}

Write Workload::write(Tape& tape, std::size_t site, Habits const& habits) const {
    auto collection = schemas_.begin();
    std::advance(collection, tape.below(schemas_.size()));
    return write_to(tape, collection->first, site, habits);
}

std::vector<std::string> Workload::sources() const {
    std::set<std::string> all;
    for (auto const& [collection, schema] : schemas_)
        for (auto const& [name, field] : schema.fields)
            all.insert(field.ranking.begin(), field.ranking.end());
    return {all.begin(), all.end()};
}

// One plan in the making.
class Workload::Maker {
public:
    Maker(Workload const& workload, std::uint64_t seed, std::size_t sites)
        : workload_(workload), tape_(Tape::seeded(seed * 2 + 1)), sources_(workload.sources()) {
        plan_.seed = seed;
        plan_.sites = sites;
        faults_ = tape_.chance(50) ? 15 : 0;
        meets_ = 15 + static_cast<unsigned>(tape_.below(30));
        habits_ = Habits::random(tape_);
        // Most runs with rules are about one thing that a rule looks at.
        if (!workload.hints_.empty() && tape_.chance(80)) {
            auto hint = workload.hints_.begin();
            std::advance(hint, tape_.below(workload.hints_.size()));
            collections_.push_back(hint->first.first);
            return;
        }
        for (auto const& [collection, schema] : workload.schemas_)
            if (tape_.chance(60)) collections_.push_back(collection);
        if (collections_.empty()) collections_.push_back(any_collection());
    }

    Plan make() {
        std::size_t const length = 4 + tape_.below(26);
        if (tape_.chance(60)) common_start();
        while (plan_.steps.size() < length) {
            if (faults_ > 0 && tape_.chance(faults_))
                fault();
            else if (tape_.chance(meets_))
                meet();
            else
                write(tape_.below(plan_.sites));
        }
        return std::move(plan_);
    }

private:
    std::string any_collection() {
        auto collection = workload_.schemas_.begin();
        std::advance(collection, tape_.below(workload_.schemas_.size()));
        return collection->first;
    }

    // Something that all sites know when they part.
    void common_start() {
        for (std::size_t n = 1 + tape_.below(2); n > 0; --n)
            write(0);
        Step step;
        step.kind = StepKind::meet;
        for (std::size_t i = 0; i < plan_.sites; ++i)
            step.sites.push_back(i);
        plan_.steps.push_back(std::move(step));
    }

    void write(std::size_t site) {
        Step step;
        step.site = site;
        std::size_t const count =
            tape_.chance(habits_.transaction_percent) ? 2 + tape_.below(2) : 1;
        for (std::size_t n = 0; n < count; ++n) {
            std::string const& collection = tape_.pick(collections_);
            step.writes.push_back(workload_.write_to(tape_, collection, site, habits_));
        }
        if (!sources_.empty()) step.source = tape_.pick(sources_);
        plan_.steps.push_back(std::move(step));
    }

    void meet() {
        Step step;
        step.kind = StepKind::meet;
        if (plan_.sites == 2 || tape_.chance(20)) {
            for (std::size_t i = 0; i < plan_.sites; ++i)
                step.sites.push_back(i);
        } else {
            std::size_t const a = tape_.below(plan_.sites);
            std::size_t const b = (a + 1 + tape_.below(plan_.sites - 1)) % plan_.sites;
            step.sites = {std::min(a, b), std::max(a, b)};
        }
        if (faults_ > 0 && tape_.chance(30)) step.cut_at = 1 + tape_.below(30);
        plan_.steps.push_back(std::move(step));
    }

    void fault() {
        static constexpr std::array<std::int64_t, 5> kMinutes = {1, 10, 60, 24 * 60, 30 * 24 * 60};
        Step step;
        step.site = tape_.below(plan_.sites);
        step.kind = tape_.pick(std::array{StepKind::restart, StepKind::power, StepKind::clock});
        if (step.kind == StepKind::clock) {
            step.minutes = tape_.pick(kMinutes);
            if (tape_.chance(50)) step.minutes = -step.minutes;
        }
        plan_.steps.push_back(std::move(step));
    }

    Workload const& workload_;
    Tape tape_;
    std::vector<std::string> sources_, collections_;
    Plan plan_;
    Habits habits_;
    unsigned faults_ = 0, meets_ = 0;
};

Plan Workload::plan(std::uint64_t seed, std::size_t sites) const {
    return Maker(*this, seed, sites).make();
}

}  // namespace inos::simulate
