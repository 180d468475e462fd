// A store that was written once is read the same way by every later version.
//
// tests/golden/store-1.json holds all rows of two sites, as hexadecimal, and what they say: site 0
// with every type of field, conflicts, deleted, purged and erased records, aliases, a cut log, an
// index, a remembered request and an invitation; site 1 with a state that has arrived in part. The
// file is never made again. A later format gets a file of its own: INOS_GOLDEN_NEW=1 writes the one
// of kStoreFormat if it is not there yet.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/changes.hpp"
#include "storage/feed_cursor.hpp"
#include "storage/invites.hpp"
#include "storage/log_retention.hpp"
#include "storage/store_format.hpp"
#include "tests/storage/repair_fixture.hpp"
#include "tests/support/hex.hpp"

namespace inos::test {
namespace {

namespace json = boost::json;

std::string path_of(std::uint64_t format) {
    return INOS_TEST_GOLDEN "/store-" + std::to_string(format) + ".json";
}

std::vector<SiteSetup> members() {
    return {{"shop"}, {"office", Role::admin}, {"crm"}};
}
SpaceSetup setup() {
    return {.seed = 4'242, .state_entries_min = 2};
}

// ---- what is written ----------------------------------------------------------------------------

void write_records(Space& space) {
    space[0].set_schema(R"({"customers": {"index": ["city"], "fields": {
        "points": {"type": "counter"}, "tags": {"type": "set"}, "vip": {"type": "flag"},
        "lines": {"type": "list"}, "memo": {"type": "text"}, "contact": {"type": "map"},
        "notes": {"type": "register", "policy": "keep-all"}}},
        "stock": {"fields": {"left": {"type": "bounded-counter", "min": 0}}},
        "strict": {"delete": "delete-wins"}})");
    auto const patch = [&](std::size_t at, std::string const& fields) {
        space[at].patch("customers", "ann", object_of(fields));
        space[at].clock.advance(1'000);
    };
    space[0].put("customers", "ann", object_of(R"({"name": "Zoë", "city": "Kiel", "none": null})"));
    patch(0,
          R"({"points": {"$inc": 5}, "tags": {"$add": ["new", "vip"]}, "vip": {"$enable": true}})");
    patch(0, R"({"contact": {"mail": "z@example.org", "empty": {}}, "title": {"$null": true}})");
    patch(0, R"({"lines": {"$insert": {"after": null, "value": "bread"}}})");
    patch(0, R"({"memo": {"$splice": {"at": 0, "delete": 0, "insert": "rings twice"}}})");
    space[0].patch("stock", "bread", object_of(R"({"left": {"$inc": 10}})"));
    space.converge();
    patch(0, R"({"notes": "by the shop", "name": "Zoe", "tags": {"$remove": ["new"]}})");
    patch(1, R"({"notes": "by the office", "name": "Zoé", "points": {"$inc": 2}})");
    space[0].put("customers", "bob", object_of(R"({"city": "Aarhus", "age": 44.5})"));
    space[0].put("strict", "gone", object_of(R"({"n": [1, "two", false, {"x": -1e300}]})"));
    space[0].put("strict", "erased", object_of(R"({"n": 1})"));
    space.converge();
    space[0].erase("strict", "gone");
    space[0].erase_for_good("strict", "erased");
    space.converge();
}

void write_the_rest(Space& space) {
    space.acknowledge();
    value_of(space[0]->purge(100));
    LogRetention retention;
    retention.budget = 6;
    value_of(space[0]->truncate(retention));
    space[0].put("customers", "cy", object_of(R"({"city": "Bergen"})"));
    space[1].erase("customers", "bob");
    space[1].put("customers", "bob", object_of(R"({"city": "Oslo"})"));
    space.converge();
    Transaction again{"shop", {{Write::Kind::put, {"orders", "o1"}, object_of(R"({"n": 1})"), {}}}};
    again.request = RequestName{"a client's request", "what it asks for"};
    value_of(space[0]->commit({again}).front());
    while (value_of(space[0]->build_indexes(100))) {
    }
    Invite invite;
    invite.psk = crypto::Secret(std::string(32, 'p'));
    invite.role = Role::writer;
    invite.scope = {"customers"};
    invite.expires_unix_s = 1'900'000'000;
    value_of(save_invite(*space[0], invite));
    value_of(space[0]->expect_marker(MarkerNonce{1, 2, 3}));
    WriteBatch generation;
    put_feed_generation(generation, 1, "a random text");
    value_of(space[0].engine->write(generation, Durability::synced));
    value_of(space[0]->retire(space[2].keys.identity.public_key));
    for (int i = 0; i < 30; ++i)
        space[0].put("orders", "x" + std::to_string(i), object_of(R"({"n": 1})"));
    if (!space[0]->scrubbed(space[0]->scrub_ticket())) throw std::logic_error("not scrubbed");
    SiteId const from = space[0].keys.identity.public_key, to = space[1].keys.identity.public_key;
    for (int parts = 0; parts < 8; ++parts) {
        auto const ask = *space[1]->state_ask(from);
        auto const part = value_of(space[0]->give_state(to, ask, {kStatePartBytes, 2}));
        if (value_of(space[1]->take_state(from, part)) == StateTaken::in_force)
            throw std::logic_error("the state is in force already");
    }
}

// ---- what it says -------------------------------------------------------------------------------

json::object rows_of(Site& site) {
    json::object families;
    for (auto const& [key, value] : contents(*site.engine)) {
        auto& family = families[family_name(key.first)];
        if (!family.is_object()) family = json::object();
        family.as_object()[hex(key.second)] = hex(value);
    }
    return families;
}

json::object meaning_of(Site& site) {
    json::object records;
    for (std::string const collection : {"_schema", "customers", "orders", "stock", "strict"})
        for (RecordView const& view : value_of(site->list(collection, "", 1'000)).records) {
            json::object record{{"fields", write_json(Value(view.fields))},
                                {"version", view.version},
                                {"conflicts", view.conflicts.size()}};
            record["steps"] = value_of(site->history({collection, view.id})).steps.size();
            records[collection + "/" + view.id] = std::move(record);
        }
    std::string vector;
    site->vector().encode(vector);
    return {{"records", std::move(records)},
            {"vector", hex(vector)},
            {"root", site->root().text()},
            {"members", site->membership().sites().size()},
            {"erasures", site->erasures().size()},
            {"state", site->state_progress().has_value()}};
}

json::object stored_once(std::uint64_t format) {
    std::ifstream file(path_of(format));
    if (!file) throw std::logic_error("there is no " + path_of(format));
    std::string const text{std::istreambuf_iterator<char>(file), {}};
    return json::parse(text).as_object();
}

Contents contents_of(json::object const& families) {
    Contents all;
    for (std::size_t i = 0; i < kFamilies; ++i) {
        auto const* family = families.if_contains(family_name(static_cast<Family>(i)));
        if (!family) continue;
        for (auto const& [key, value] : family->as_object())
            all[{static_cast<Family>(i), *unhex(std::string(key))}] =
                *unhex(std::string(value.as_string()));
    }
    return all;
}

class StoreGolden : public ::testing::TestWithParam<std::uint64_t> {
protected:
    static void SetUpTestSuite() {
        if (!std::getenv("INOS_GOLDEN_NEW") || std::ifstream(path_of(kStoreFormat))) return;
        Space space(members(), setup());
        write_records(space);
        write_the_rest(space);
        json::array sites;
        for (std::size_t at = 0; at < 2; ++at)
            sites.push_back(
                json::object{{"rows", rows_of(space[at])}, {"means", meaning_of(space[at])}});
        std::ofstream(path_of(kStoreFormat)) << json::object{{"sites", std::move(sites)}} << '\n';
    }
    StoreGolden() {
        auto const sites = stored_once(GetParam()).at("sites").as_array();
        for (auto const& site : sites)
            once.push_back(site.as_object());
        for (std::size_t at = 0; at < once.size(); ++at) {
            Contents rows = contents_of(once[at].at("rows").as_object());
            rows[{Family::meta, keys::directory("format")}] = std::to_string(GetParam());
            space[at].engine->replace(rows);
            value_of(upgrade_store(*space[at].engine, "golden", store_upgrades()));
            space[at].reopen();
        }
    }

    std::vector<json::object> once;
    Space space{members(), setup()};
};

TEST_P(StoreGolden, D13_says_what_it_said) {
    for (std::size_t at = 0; at < once.size(); ++at)
        EXPECT_EQ(json::serialize(meaning_of(space[at])), json::serialize(once[at].at("means")));
}

TEST_P(StoreGolden, D13_is_whole) {
    for (std::size_t at = 0; at < once.size(); ++at) {
        EXPECT_EQ(value_of(space[at]->recompute_root()), space[at]->root());
        auto const report = check(space[at]);
        EXPECT_EQ(report.mended, 0u) << report.repaired.front().name.key;
        EXPECT_EQ(report.lost, 0u);
        EXPECT_TRUE(report.log_damage.empty());
    }
}

// What remembers, goes on, or is only read when something happens.
TEST_P(StoreGolden, D13_goes_on) {
    EXPECT_TRUE(space[0]->is_erased({"strict", "erased"}));
    EXPECT_EQ(space[0].try_commit({{Write::Kind::put, {"strict", "erased"}, {}, {}}}).error().code,
              Errc::gone);
    Transaction again{"shop", {{Write::Kind::put, {"orders", "o1"}, object_of(R"({"n": 1})"), {}}}};
    again.request = RequestName{"a client's request", "what it asks for"};
    EXPECT_TRUE(value_of(space[0]->commit({again}).front()).replayed);
    auto const invites = value_of(load_invites(*space[0]));
    ASSERT_EQ(invites.size(), 1u);
    EXPECT_EQ(invites.front().scope, std::vector<std::string>{"customers"});
    EXPECT_NE(value_of(feed_generation(*space[0].engine, 1)), FeedGeneration{});
    EXPECT_FALSE(space[0]->log_starts().empty());
    // The state that has arrived in part is there to the end.
    SiteId const from = space[0].keys.identity.public_key, to = space[1].keys.identity.public_key;
    bool in_force = false;
    for (int parts = 0; parts < 100 && !in_force; ++parts) {
        auto const ask = space[1]->state_ask(from);
        ASSERT_TRUE(ask);
        auto const part = value_of(space[0]->give_state(to, *ask));
        in_force = value_of(space[1]->take_state(from, part)) == StateTaken::in_force;
    }
    EXPECT_TRUE(in_force);
    EXPECT_EQ(space[1]->root(), space[0]->root());
    space[1].put("customers", "dee", object_of(R"({"city": "Umeå"})"));
    space.pull(1, 0);
    EXPECT_EQ(space[0].field("customers", "dee", "city"), Value("Umeå"));
}

// Every kind of row is among them: those that begin with a version, and those of the table in
// docs/storage-format.md that a replica in memory has.
TEST_P(StoreGolden, has_a_row_of_every_kind) {
    std::set<std::string> kinds;
    for (auto const& site : once)
        for (auto const& [key, value] : contents_of(site.at("rows").as_object())) {
            bool const named = key.first == Family::index || key.first == Family::meta ||
                               key.first == Family::staging;
            std::string kind = family_name(key.first);
            if (named && key.second.size() > 4) kind += std::string(" ") + key.second[4];
            kinds.insert(kind);
        }
    for (char const* const kind :
         {"records", "log",     "digests", "index c", "index d", "index h",   "index s",
          "index t", "index v", "meta a",  "meta b",  "meta e",  "meta i",    "meta k",
          "meta l",  "meta m",  "meta r",  "meta s",  "meta w",  "staging m", "staging p"})
        EXPECT_TRUE(kinds.contains(kind)) << kind;
    Contents const rows = contents_of(once[0].at("rows").as_object());
    for (VersionedRow const& kind : versioned_rows())
        for (auto const& [key, value] : rows) {
            bool const is_it = key.first == kind.family && key.second.size() > 4 &&
                               (kind.kind == 0 || key.second[4] == kind.kind) &&
                               key.second.starts_with(keys::space_begin(1));
            if (!is_it) continue;
            EXPECT_LE(static_cast<std::uint8_t>(value[0]), kind.reads) << kind.what;
        }
}

INSTANTIATE_TEST_SUITE_P(formats,
                         StoreGolden,
                         ::testing::Range(std::uint64_t{1}, kStoreFormat + 1),
                         [](auto const& of) { return "format_" + std::to_string(of.param); });

}  // namespace
}  // namespace inos::test
