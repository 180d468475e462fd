#include "tools/simulation/people.hpp"

#include <array>
#include <iterator>
#include <numeric>

#include "tools/simulation/basics.hpp"
#include "tools/simulation/crdt_gen.hpp"

namespace inos::sim {
namespace {

constexpr std::array kFewKeys = {"a", "b", "c"};

Value texts(std::vector<std::string> const& list) {
    Array array;
    for (auto const& text : list)
        array.push_back(Value(text));
    return Value(std::move(array));
}

Value number_value(std::uint64_t number) {
    return Value(static_cast<std::int64_t>(number));
}

Object field_document(FieldSchema const& field) {
    Object document{{"type", Value(std::string(type_name(field.type)))}};
    if (field.disable_wins && field.type == CellType::flag)
        set_member(document, "wins", Value("disable"));
    if (field.type != CellType::register_) return document;
    if (field.policy == RegisterPolicy::keep_all) set_member(document, "policy", Value("keep-all"));
    if (field.policy == RegisterPolicy::priority && !field.ranking.empty()) {
        set_member(document, "policy", Value("priority"));
        set_member(document, "ranking", texts(field.ranking));
    }
    if (field.policy == RegisterPolicy::order && !field.order.empty()) {
        set_member(document, "policy", Value("order"));
        set_member(document, "order", texts(field.order));
    }
    return document;
}

Object increment(char const* field, std::int64_t amount) {
    return Object{{field, Value(operation("$inc", Value(amount)))}};
}

}  // namespace

// Fields of two schemas have one name and maybe another type, so an index of it is another one.
Value indexes_of(CollectionSchema const& schema) {
    Array indexes, all;
    for (auto const& [name, field] : schema.fields) {
        if (indexes.size() < 3) indexes.push_back(Value(name));
        if (all.size() < 2) all.insert(all.begin(), Value(name));
    }
    if (all.size() > 1) indexes.push_back(Value(std::move(all)));
    return Value(std::move(indexes));
}

Object document_of(CollectionSchema const& schema) {
    Object fields;
    for (auto const& [name, field] : schema.fields)
        set_member(fields, name, Value(field_document(field)));
    bool const wins = schema.on_delete == DeletePolicy::delete_wins;
    return Object{{"delete", Value(wins ? "delete-wins" : "update-wins")},
                  {"index", indexes_of(schema)},
                  {"fields", Value(std::move(fields))}};
}

People::People(Tape tape, bool erases)
    : tape_(std::move(tape)), mood_(mood_of(tape_)), typed_(random_schema(tape_)) {
    if (!erases) mood_.erase_percent = 0;
    choose_focus();
}

People::Mood People::mood_of(Tape& tape) {
    static constexpr std::array<unsigned, 4> kWeights = {1, 2, 5, 20};
    Mood mood;
    for (unsigned& weight : mood.weights)
        weight = tape.pick(kWeights);
    mood.keys = tape.chance(40) ? 1 : kFewKeys.size();
    mood.delete_percent = tape.pick(std::array<unsigned, 3>{20, 40, 70});
    mood.erase_percent = tape.pick(std::array<unsigned, 3>{20, 60, 90});
    return mood;
}

void People::choose_focus() {
    focus_ = typed_;
    if (tape_.chance(50)) return;
    std::size_t const left = 1 + tape_.below(3);
    while (focus_.fields.size() > left) {
        auto const at = tape_.below(focus_.fields.size());
        focus_.fields.erase(std::next(focus_.fields.begin(), static_cast<std::ptrdiff_t>(at)));
    }
}

Object People::first_schema() const {
    Object schema = object_of(R"({
        "totals": {"fields": {"n": {"type": "counter"}}},
        "stock": {"fields": {"left": {"type": "bounded-counter", "min": 0}}},
        "mixed": {"index": ["n", "name"],
                  "fields": {"tags": {"type": "set"}, "n": {"type": "counter"}}},
        "strict": {"delete": "delete-wins"}})");
    set_member(schema, kTyped, Value(document_of(typed_)));
    return schema;
}

Object People::other_schema() {
    typed_ = random_schema(tape_);
    choose_focus();
    return Object{{kTyped, Value(document_of(typed_))}};
}

std::string People::person_key(std::uint64_t number) {
    return "person-" + std::to_string(number) + "-key";
}

std::string People::person_secret(std::uint64_t number) {
    return "secret-of-" + std::to_string(number) + "-";
}

Topic People::topic() {
    std::size_t at =
        tape_.below(std::accumulate(mood_.weights.begin(), mood_.weights.end(), std::size_t{0}));
    for (std::size_t i = 0; i < kTopics; ++i) {
        if (at < mood_.weights[i]) return static_cast<Topic>(i);
        at -= mood_.weights[i];
    }
    return Topic::everyday;
}

void People::ask(Asked& asked) {
    asked.source = source_of(asked.number);
    switch (topic()) {
        case Topic::stock:
            asked.writes.push_back(change_stock());
            return;
        case Topic::person:
            asked.writes.push_back(person(asked.number));
            return;
        case Topic::come_and_go:
            asked.writes.push_back(come_and_go(asked.number));
            return;
        case Topic::mixed:
            asked.writes.push_back(change_mixed());
            return;
        case Topic::decision:
            return decision(asked);
        case Topic::typed: {
            static constexpr std::array kSources = {"crm", "manager", "shop"};
            asked.source = tape_.pick(kSources);
            for (std::size_t n = 1 + tape_.below(3); n > 0; --n)
                asked.writes.push_back(any_typed());
            return;
        }
        case Topic::pair:
            for (char const* end : {"-a", "-b"}) {
                RecordName const name{kPairs, std::to_string(asked.number) + end};
                Object fields{{"n", number_value(asked.number)}};
                asked.writes.push_back({Write::Kind::put, name, std::move(fields), {}});
            }
            // Refused as a whole, if it is.
            if (tape_.chance(40)) asked.writes.push_back(change_stock());
            return;
        default:
            return everyday(asked);
    }
}

void People::fill_stock(Asked& asked) {
    asked.source = source_of(asked.number);
    for (char const* key : kFewKeys)
        asked.writes.push_back({Write::Kind::patch, {kStock, key}, increment("left", 40), {}});
}

// A new record nearly always, and something that others touch too.
void People::everyday(Asked& asked) {
    if (tape_.chance(80)) {
        RecordName const name{kOrders, "o" + std::to_string(asked.number)};
        Object fields{{"n", number_value(asked.number)}};
        asked.writes.push_back({Write::Kind::put, name, std::move(fields), {}});
    }
    if (tape_.chance(40)) asked.writes.push_back(fight_for_field(asked.number));
    if (tape_.chance(30)) {
        std::int64_t const amount = static_cast<std::int64_t>(tape_.below(20)) - 7;
        if (amount != 0)
            asked.writes.push_back(
                {Write::Kind::patch, {kTotals, "all"}, increment("n", amount), {}});
    }
    if (asked.writes.empty() || tape_.chance(30)) asked.writes.push_back(come_and_go(asked.number));
}

// Somebody settles a conflict, or decides about what was found without its record.
void People::decision(Asked& asked) {
    if (tape_.chance(50)) {
        Object value{{"v", number_value(asked.number)}};
        asked.writes.push_back({Write::Kind::resolve, few(kFields), std::move(value), {}});
        return;
    }
    auto const kind = tape_.chance(70) ? Write::Kind::cover : Write::Kind::revive;
    asked.writes.push_back({kind, few(tape_.chance(50) ? kLoose : kStrict), {}, {}});
}

RecordName People::few(char const* collection) {
    return {collection, kFewKeys[tape_.below(mood_.keys)]};
}

Write People::fight_for_field(std::uint64_t number) {
    return {Write::Kind::patch, few(kFields), Object{{"v", number_value(number)}}, {}};
}

Write People::change_stock() {
    RecordName const name = few(kStock);
    std::int64_t const amount = static_cast<std::int64_t>(1 + tape_.below(9));
    return {Write::Kind::patch, name, increment("left", tape_.chance(30) ? amount : -amount), {}};
}

Write People::come_and_go(std::uint64_t number) {
    RecordName const name = few(tape_.chance(50) ? kLoose : kStrict);
    if (tape_.chance(mood_.delete_percent)) return {Write::Kind::delete_, name, {}, {}};
    auto const kind = tape_.chance(50) ? Write::Kind::put : Write::Kind::patch;
    Object fields{{tape_.chance(50) ? "v" : "w", number_value(number)}};
    if (tape_.chance(30)) fields = Object{{"v", number_value(number)}, {"w", number_value(number)}};
    return {kind, name, std::move(fields), {}};
}

Write People::change_mixed() {
    static constexpr std::array kTags = {"x", "y"};
    RecordName const name = few(kMixed);
    if (tape_.chance(mood_.delete_percent / 3)) return {Write::Kind::delete_, name, {}, {}};
    Object fields;
    if (tape_.chance(50)) {
        char const* const what = tape_.chance(35) ? "$remove" : "$add";
        fields = Object{{"tags", Value(operation(what, Value(tape_.pick(kTags))))}};
    } else if (tape_.chance(20)) {
        fields = Object{{"n", Value()}};
    } else {
        fields = increment("n", 1 + static_cast<std::int64_t>(tape_.below(9)));
    }
    return {Write::Kind::patch, name, std::move(fields), {}};
}

Write People::person(std::uint64_t number) {
    if (!persons_.empty() && tape_.chance(50)) {
        std::uint64_t const one = tape_.pick(persons_);
        if (tape_.chance(mood_.erase_percent))
            return {Write::Kind::erase, {kPersons, person_key(one)}, {}, {}};
        Object fields{{"more", Value(person_secret(one) + std::to_string(number))}};
        return {Write::Kind::patch, {kPersons, person_key(one)}, std::move(fields), {}};
    }
    persons_.push_back(number);
    Object fields{{"name", Value(person_secret(number) + "name")}};
    return {Write::Kind::put, {kPersons, person_key(number)}, std::move(fields), {}};
}

Write People::any_typed() {
    Write write;
    write.name = few(kTyped);
    std::size_t const kind = tape_.below(8);
    write.kind = kind == 0  ? Write::Kind::delete_
                 : kind < 3 ? Write::Kind::put
                            : Write::Kind::patch;
    if (write.kind != Write::Kind::delete_) write.fields = random_fields(tape_, focus_);
    return write;
}

}  // namespace inos::sim
