// Random records, schemas that change, and queries: an index answers exactly as a look at every
// record does, page by page, in whatever state of building, and holds what the records say.
#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "storage/expression_eval.hpp"
#include "storage/run_query.hpp"
#include "tests/support/space.hpp"

namespace inos::test {
namespace {

constexpr char const* kSchemas[] = {
    R"({"c": {"index": ["city", "age"]}})",
    R"({"c": {"index": [["city", "age"], ["age", "city"], "place.zip"]}})",
    R"({"c": {"index": ["city", ["age", "name", "city"]], "delete": "delete-wins",
              "fields": {"age": {"type": "counter"}}}})",
    R"({"c": {"index": ["city", "points", "place.zip"],
              "fields": {"city": {"type": "register", "default": "Ulm"},
                         "age": {"type": "register", "policy": "keep-all"}}}})",
    R"({"c": {"index": ["points", "id", ["id", "city"]], "fields": {"city": {"type": "set"}}}})",
    R"({"c": {"fields": {"city": {"type": "register", "policy": "keep-all"}}}})",
};

constexpr char const* kChanges[] = {
    R"({"city": "Kiel"})",
    R"({"city": "Kassel"})",
    R"({"city": null})",
    R"({"city": true})",
    R"({"city": ""})",
    R"({"city": ["Kiel"]})",
    R"({"age": 42})",
    R"({"age": 7.5})",
    R"({"age": -1})",
    R"({"age": "42"})",
    R"({"name": "Ann"})",
    R"({"name": "Bo", "age": 7})",
    R"({"points": 0})",
    R"({"place": {"zip": "24103"}})",
    R"({"place": {"zip": 24103}})",
    R"({"place": "here"})",
    R"({"id": "zz"})",
    R"({"id": 7})",
    R"({"city": "Kiel", "age": 8})",
    "{}",
};

constexpr char const* kConditions[] = {
    R"(city = "Kiel")",
    R"(city > "Kassel")",
    R"(city >= "K" and city < "L")",
    R"(city prefix "K")",
    R"(city in ("Kiel", 7, ""))",
    "city = null",
    R"(city in ("Kiel", null, null + 1))",
    "age <= 1e308 + 1e308 - (1e308 + 1e308)",
    R"(id = "a" or id prefix "z")",
    "id = 7",
    "city != null",
    "exists city",
    "city",
    "city = true",
    "age = 42",
    "age > 7 and age <= 42",
    "7 < age",
    "age < 7.5",
    "age in (42, -1, 7.5)",
    R"(place.zip = "24103")",
    "exists place.zip",
    "points >= 0",
    R"(age = 7 or city = "")",
    R"(not city = "Kiel")",
    R"(id > "c")",
    R"(city contains "ie")",
    "age + 1 = 43",
    R"(city = "Kiel" and city = "Ulm")",
    R"(city = "Ulm")",
    "age = 3 + 4",
    R"(name != "Ann")",
};

constexpr char const* kOrders[] = {
    "city",
    "-city",
    "age",
    "city,age",
    "-city,-age",
    "city,-age",
    "age,city",
    "-age,name,city",
    "place.zip",
    "points",
    "name",
    "-id",
    "id",
    "id,city",
    "age,name,city",
    "-age,-name,-city",
};

int kind_of(Value const* value) {
    if (!value) return 0;
    if (value->is_null()) return 1;
    if (auto const* b = value->as<bool>()) return *b ? 3 : 2;
    if (value->as<std::int64_t>() || value->as<double>()) return 4;
    return value->as<std::string>() ? 5 : 6;
}

int compare(Value const* one, Value const* other) {
    int const a = kind_of(one), b = kind_of(other);
    if (a != b) return a < b ? -1 : 1;
    return a == 4 || a == 5 ? *value_order(*one, *other) : 0;
}

struct Asked {
    std::string where, order;
};

class Execution {
public:
    explicit Execution(Tape tape) : tape_(std::move(tape)), space_(2) {
        space_[0].set_schema(tape_.pick(kSchemas));
    }

    void run(std::size_t steps) {
        for (std::size_t i = 0; i < steps; ++i) {
            step();
            Site& site = space_[tape_.below(2)];
            value_of(site->check_indexes());
            if (tape_.chance(50)) check_query(site);
        }
        space_.converge();
        for (auto const& site : space_.sites()) {
            while (value_of((*site)->build_indexes(100)))
                ;
            value_of((*site)->check_indexes());
            for (IndexStatus const& index : (*site)->index_status())
                RC_ASSERT(index.ready);
            for (int i = 0; i < 5; ++i)
                check_query(*site);
        }
    }

private:
    void step() {
        std::size_t const at = tape_.below(2);
        Site& site = space_[at];
        std::size_t const kind = tape_.below(20);
        if (kind < 10)
            commit(site);
        else if (kind < 14)
            value_of(site->build_indexes(1 + tape_.below(4)));
        else if (kind < 16)
            space_.pull(at, 1 - at);
        else if (kind < 17)
            space_[0].set_schema(tape_.pick(kSchemas));
        else if (kind < 18)
            crash(site);
        else
            remove(site, kind < 19 ? Write::Kind::delete_ : Write::Kind::erase);
    }

    // In the middle of a write, or of building.
    void crash(Site& site) {
        auto const outcome =
            tape_.chance(50) ? FaultEngine::Outcome::kept : FaultEngine::Outcome::lost;
        site.engine->fail_write(1 + tape_.below(2), outcome);
        (void)site->build_indexes(2);
        (void)site.try_commit({{Write::Kind::patch, {"c", key()}, change(), {}}});
        site.reopen();
    }

    void remove(Site& site, Write::Kind kind) {
        (void)site.try_commit({{kind, {"c", key()}, {}, {}}});  // it may be erased already
    }

    std::string key() { return std::string(1, static_cast<char>('a' + tape_.below(8))); }
    Object change() { return object_of(tape_.pick(kChanges)); }

    void commit(Site& site) {
        std::vector<Write> writes(1 + tape_.below(3));
        for (Write& write : writes)
            write = {tape_.chance(50) ? Write::Kind::put : Write::Kind::patch,
                     {"c", key()},
                     change(),
                     {}};
        (void)site.try_commit(std::move(writes));  // the type of a field may refuse it
    }

    Asked ask() {
        Asked asked;
        for (std::size_t n = tape_.below(3); n > 0; --n)
            asked.where +=
                (asked.where.empty() ? "(" : " and (") + std::string(tape_.pick(kConditions)) + ")";
        if (tape_.chance(60)) asked.order = tape_.pick(kOrders);
        return asked;
    }

    void check_query(Site& site) {
        Asked const asked = ask();
        Query query{"c"};
        if (!asked.where.empty()) query.where = value_of(Where::parse(asked.where));
        if (!asked.order.empty()) query.order = value_of(Order::parse(asked.order));
        query.limit = 1 + tape_.below(4);
        query.looks_max = 1 + tape_.below(6);
        query.sort_max = query.order.fields().empty() ? 1 + tape_.below(8) : kSortMax;
        auto const expected = expect(*site, query);
        std::vector<std::string> found;
        for (std::size_t pages = 0;; ++pages) {
            auto const end = run_query(*site, query, [&](RecordView& record) {
                found.push_back(record.id);
                return tape_.chance(90);
            });
            if (!end) RC_FAIL(end.error().message);
            if (!end->next) break;
            RC_ASSERT(pages < 100u);
            query.after = *end->next;
        }
        if (found != expected)
            RC_FAIL("where " + asked.where + " order " + asked.order + ": " + joined(found) +
                    " instead of " + joined(expected));
    }

    static std::string joined(std::vector<std::string> const& ids) {
        std::string all;
        for (auto const& id : ids)
            all += id + " ";
        return all;
    }

    static std::vector<std::string> expect(Replica const& replica, Query const& query) {
        auto const page = value_of(replica.list("c", {}, kListLimitMax));
        std::vector<RecordView> records;
        for (RecordView const& record : page.records)
            if (!query.where || query.where->selects(record.id, record.fields))
                records.push_back(record);
        std::stable_sort(
            records.begin(), records.end(), [&](RecordView const& a, RecordView const& b) {
                for (OrderField const& field : query.order.fields()) {
                    auto const one = at(a, field.path), other = at(b, field.path);
                    int const order = compare(one ? &*one : nullptr, other ? &*other : nullptr);
                    if (order != 0) return (order < 0) != field.descending;
                }
                return query.order.descending() ? b.id < a.id : a.id < b.id;
            });
        std::vector<std::string> ids;
        for (RecordView const& record : records)
            ids.push_back(record.id);
        return ids;
    }

    // The record's id, where no field is called so.
    static std::optional<Value> at(RecordView const& record, FieldPath const& path) {
        Value const* value = find_path(record.fields, path);
        if (value) return *value;
        return path == FieldPath{"id"} ? std::optional(Value(record.id)) : std::nullopt;
    }

    Tape tape_;
    Space space_;
};

RC_GTEST_PROP(QueryProperty, D29_an_index_answers_as_a_look_at_every_record, (Tape tape)) {
    Execution(std::move(tape)).run(40);
}

}  // namespace
}  // namespace inos::test
