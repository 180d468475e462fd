#include "tools/simulation/people.hpp"

#include <array>

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

Object document_of(CollectionSchema const& schema) {
    Object fields;
    for (auto const& [name, field] : schema.fields)
        set_member(fields, name, Value(field_document(field)));
    bool const wins = schema.on_delete == DeletePolicy::delete_wins;
    return Object{{"delete", Value(wins ? "delete-wins" : "update-wins")},
                  {"fields", Value(std::move(fields))}};
}

People::People(Tape tape) : tape_(std::move(tape)), typed_(random_schema(tape_)) {}

Object People::first_schema() const {
    Object schema = object_of(R"({
        "totals": {"fields": {"n": {"type": "counter"}}},
        "stock": {"fields": {"left": {"type": "bounded-counter", "min": 0}}},
        "strict": {"delete": "delete-wins"}})");
    set_member(schema, kTyped, Value(document_of(typed_)));
    return schema;
}

Object People::other_schema() {
    typed_ = random_schema(tape_);
    return Object{{kTyped, Value(document_of(typed_))}};
}

std::string People::person_key(std::uint64_t number) {
    return "person-" + std::to_string(number) + "-key";
}

std::string People::person_secret(std::uint64_t number) {
    return "secret-of-" + std::to_string(number) + "-";
}

void People::ask(Asked& asked) {
    asked.source = source_of(asked.number);
    switch (tape_.below(10)) {
        case 0:
            asked.writes.push_back(change_stock());
            return;
        case 1:
            asked.writes.push_back(person(asked.number));
            return;
        case 2:
        case 3: {
            static constexpr std::array kSources = {"crm", "manager", "shop"};
            asked.source = tape_.pick(kSources);
            for (std::size_t n = 1 + tape_.below(3); n > 0; --n)
                asked.writes.push_back(any_typed());
            return;
        }
        case 4:
            for (char const* end : {"-a", "-b"}) {
                RecordName const name{kPairs, std::to_string(asked.number) + end};
                Object fields{{"n", number_value(asked.number)}};
                asked.writes.push_back({Write::Kind::put, name, std::move(fields), {}});
            }
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

RecordName People::few(char const* collection) {
    return {collection, tape_.pick(kFewKeys)};
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
    if (tape_.chance(40)) return {Write::Kind::delete_, name, {}, {}};
    auto const kind = tape_.chance(50) ? Write::Kind::put : Write::Kind::patch;
    return {kind, name, Object{{"v", number_value(number)}}, {}};
}

Write People::person(std::uint64_t number) {
    if (!persons_.empty() && tape_.chance(50)) {
        std::uint64_t const one = tape_.pick(persons_);
        if (tape_.chance(60)) return {Write::Kind::erase, {kPersons, person_key(one)}, {}, {}};
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
    if (write.kind != Write::Kind::delete_) write.fields = random_fields(tape_, typed_);
    return write;
}

}  // namespace inos::sim
