// Records that are not what they have to be: found, and put right from the log or with a peer.
#include "storage/record_repair.hpp"

#include <algorithm>
#include <functional>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"
#include "tests/support/broken_author.hpp"
#include "tests/support/space.hpp"

namespace inos {
namespace {

using test::object_of;
using test::Site;
using test::Space;
using test::value_of;
using testing::HasSubstr;

using Raw = std::optional<std::string>;

Raw raw(Site& site, Family family, std::string const& key) {
    return value_of(site.engine->get(family, key));
}

void put_raw(Site& site, Family family, std::string const& key, Raw value) {
    WriteBatch batch;
    batch.changes.push_back({family, key, std::move(value)});
    value_of(site.engine->write(batch, Durability::synced));
}

std::string record_key(std::string const& key, std::string const& collection = "c") {
    return keys::record(1, collection, key);
}

// Everything that `inos verify --repair` does without a peer.
RepairReport check(Site& site, std::size_t budget = 7) {
    RepairReport report;
    RecordRepair repair(*site);
    std::string from;
    do
        from = value_of(repair.check(from, budget, report));
    while (!from.empty());
    value_of(repair.check_whole(report));
    return report;
}

// One side of what two sites do when their roots differ: `at` finds what differs, asks, merges.
RepairReport repair_with(Site& at, Site& peer) {
    RepairReport report;
    RecordRepair ours(*at), theirs(*peer);
    std::vector<RecordRange> open{{}};
    while (!open.empty()) {
        auto const summary = value_of(summarize(*peer.engine, 1, open.back()));
        open.pop_back();
        auto const found = value_of(compare_range(*at.engine, 1, summary));
        open.insert(open.end(), found.ranges.begin(), found.ranges.end());
        auto keys = value_of(ours.heal(found.records, report));
        while (!keys.empty()) {
            auto const states = value_of(theirs.states(keys));
            keys.erase(keys.begin(), keys.begin() + std::ssize(states));
            value_of(ours.merge(states, report));
        }
    }
    return report;
}

struct Shop {
    Shop() : space(2) {
        space[0].put("c", "ann", object_of(R"({"name": "Ann", "city": "Kiel"})"));
        space[0].put("c", "bob", object_of(R"({"name": "Bob", "tags": ["a", "b"]})"));
        space[1].put("c", "cid", object_of(R"({"name": "Cid"})"));
        space.converge();
        space[1].patch("c", "ann", object_of(R"({"city": "Bonn"})"));
        space[0].patch("c", "bob", object_of(R"({"stock": {"$add": 5}})"));
        space[0].erase("c", "cid");
        space[0].put("d", "x", object_of(R"({"n": 1})"));
        space.converge();
        before = contents(*space[0].engine);
    }
    Site& site() { return space[0]; }

    // The site is again what it was, to the last byte: records, indexes, digests, log.
    void expect_mended(RepairReport const& report) {
        EXPECT_TRUE(report.left.empty());
        EXPECT_FALSE(report.repaired.empty());
        EXPECT_TRUE(contents(*site().engine) == before);
        EXPECT_EQ(site()->root(), space[1]->root());
        EXPECT_EQ(value_of(site()->recompute_root()), site()->root());
        EXPECT_TRUE(check(site()).repaired.empty()) << "once is enough";
    }

    Space space;
    test::Contents before;
};

TEST(RecordRepair, nothing_is_found_where_nothing_is_wrong) {
    Shop shop;
    auto const report = check(shop.site());
    EXPECT_TRUE(report.repaired.empty());
    EXPECT_TRUE(report.left.empty());
    EXPECT_EQ(report.looked, 4u);
    EXPECT_TRUE(contents(*shop.site().engine) == shop.before);
}

TEST(RecordRepair, D20_every_bit_of_a_stored_record_that_flips_is_found_and_put_right) {
    Shop shop;
    std::string const value = *raw(shop.site(), Family::records, record_key("ann"));
    for (std::size_t bit = 0; bit < 8 * value.size(); ++bit) {
        std::string bad = value;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
        put_raw(shop.site(), Family::records, record_key("ann"), bad);
        auto const report = check(shop.site());
        ASSERT_EQ(report.repaired.size(), 1u) << "bit " << bit;
        EXPECT_EQ(report.repaired[0].name, (RecordName{"c", "ann"}));
        ASSERT_TRUE(contents(*shop.site().engine) == shop.before) << "bit " << bit;
        ASSERT_EQ(shop.site()->root(), shop.space[1]->root()) << "bit " << bit;
    }
}

TEST(RecordRepair, D20_a_record_that_is_missing_comes_back_from_the_log) {
    Shop shop;
    for (char const* key : {"ann", "bob"})
        put_raw(shop.site(), Family::records, record_key(key), std::nullopt);
    auto const report = check(shop.site());
    ASSERT_EQ(report.repaired.size(), 2u);
    EXPECT_THAT(report.repaired[0].what, HasSubstr("missing"));
    shop.expect_mended(report);
    EXPECT_EQ(value_of(shop.site()->history({"c", "ann"})).size(), 2u);
}

TEST(RecordRepair, D20_a_record_that_nobody_has_written_goes) {
    Shop shop;
    put_raw(shop.site(),
            Family::records,
            record_key("eve"),
            raw(shop.site(), Family::records, record_key("ann")));
    auto const report = check(shop.site());
    ASSERT_EQ(report.repaired.size(), 1u);
    EXPECT_THAT(report.repaired[0].what, HasSubstr("no entry has ever written it"));
    shop.expect_mended(report);
}

TEST(RecordRepair, D25_sums_that_are_wrong_are_summed_again) {
    Shop shop;
    put_raw(shop.site(),
            Family::digests,
            keys::digest(1, "c"),
            raw(shop.site(), Family::digests, keys::digest(1, "d")));
    shop.site().reopen();
    EXPECT_NE(shop.site()->root(), shop.space[1]->root());
    shop.expect_mended(check(shop.site()));
}

// What was there before is as whole as what is there now: only its place in the log tells.
TEST(RecordRepair, D20_a_record_that_fell_back_to_an_older_state_is_brought_forward) {
    Shop shop;
    auto const older = raw(shop.site(), Family::records, record_key("ann"));
    shop.site().patch("c", "ann", object_of(R"({"city": "Ulm", "name": "Anna"})"));
    shop.space.converge();
    shop.before = contents(*shop.site().engine);
    put_raw(shop.site(), Family::records, record_key("ann"), older);
    shop.expect_mended(check(shop.site()));
    put_raw(shop.site(), Family::records, record_key("ann"), older);
    EXPECT_TRUE(repair_with(shop.space[1], shop.site()).repaired.empty());
    EXPECT_EQ(shop.space[1].field("c", "ann", "city"), Value("Ulm"));
    shop.expect_mended(RepairReport{0, {{{"c", "ann"}, ""}}, {}, {}});
}

// A schema and an alias are records too: what they rule is read again.
TEST(RecordRepair, a_schema_that_is_put_right_counts_at_once) {
    Shop shop;
    shop.site().set_schema(R"({"c": {"delete": "delete-wins"}})");
    shop.space.converge();
    auto const key = record_key("c", "_schema");
    auto const good = raw(shop.site(), Family::records, key);
    ASSERT_TRUE(good);
    put_raw(shop.site(), Family::records, key, std::nullopt);
    shop.site().reopen();
    EXPECT_EQ(shop.site()->schema("c").on_delete, DeletePolicy::update_wins);
    check(shop.site());
    EXPECT_EQ(shop.site()->schema("c").on_delete, DeletePolicy::delete_wins);
    EXPECT_EQ(raw(shop.site(), Family::records, key), good);
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
}

TEST(RecordRepair, A17_what_was_erased_and_is_here_again_goes) {
    Shop shop;
    auto const ann = raw(shop.site(), Family::records, record_key("ann"));
    shop.site().erase_for_good("c", "ann");
    shop.space.converge();
    shop.before = contents(*shop.site().engine);
    put_raw(shop.site(), Family::records, record_key("ann"), ann);
    shop.expect_mended(check(shop.site()));
}

TEST(RecordRepair, A17_the_mark_of_an_erased_record_is_put_right) {
    Shop shop;
    shop.site().erase_for_good("c", "ann");
    shop.space.converge();
    shop.before = contents(*shop.site().engine);
    auto const tag = shop.site()->erasures().begin()->first;
    auto const key = record_key(keys::erased_key(crypto::view(tag)));
    std::string bad = *raw(shop.site(), Family::records, key);
    bad.back() = static_cast<char>(bad.back() ^ 1);
    put_raw(shop.site(), Family::records, key, bad);
    shop.expect_mended(check(shop.site()));
}

// ---- with a peer --------------------------------------------------------------------------------

// A digest that fits its bytes does not make them right: the log does.
TEST(RecordRepair, D17_D20_a_record_whose_digest_fits_is_put_right_once_the_roots_differ) {
    Shop shop;
    auto const key = record_key("ann");
    auto const good = *raw(shop.site(), Family::records, key);
    StoredRecord stored = value_of(StoredRecord::decode(good, {"c", "ann"}));
    for (std::size_t i = 0; i < stored.record.cells().size(); ++i)
        if (stored.record[i].payload.find("Bonn") != std::string::npos)
            stored.record[i].payload.back() = 'N';
    auto const digest = record_digest(shop.space.digest_key(), "c", "ann", stored.record);
    put_raw(shop.site(),
            Family::records,
            key,
            StoredRecord::encode(digest, stored.digest_class, stored.last, stored.record));
    auto const alone = check(shop.site());  // only the sums show that something is wrong
    ASSERT_EQ(alone.repaired.size(), 1u);
    EXPECT_NE(shop.site()->root(), shop.space[1]->root());
    // Whichever side begins, the one that cannot prove what it holds gives way.
    EXPECT_TRUE(repair_with(shop.space[1], shop.site()).repaired.empty());
    shop.expect_mended({0, alone.repaired, {}, {}});
    EXPECT_EQ(shop.site().field("c", "ann", "city"), Value("Bonn"));
}

TEST(RecordRepair, D20_where_the_log_is_damaged_too_the_peer_tells) {
    Shop shop;
    auto const log_key = keys::log(1, {shop.site().actor(), 1});
    std::string bad = *raw(shop.site(), Family::log, log_key);
    bad.back() = static_cast<char>(bad.back() ^ 1);
    put_raw(shop.site(), Family::log, log_key, bad);
    std::string value = *raw(shop.site(), Family::records, record_key("ann"));
    value.back() = static_cast<char>(value.back() ^ 1);
    put_raw(shop.site(), Family::records, record_key("ann"), value);
    auto const alone = check(shop.site());
    ASSERT_EQ(alone.left.size(), 1u);
    EXPECT_THAT(alone.left[0].what, HasSubstr("peer"));
    ASSERT_FALSE(alone.log_damage.empty());
    EXPECT_THAT(alone.log_damage[0], HasSubstr("entry 1 of \"site0\""));
    EXPECT_NE(shop.site()->root(), shop.space[1]->root()) << "it shows until it is put right";
    auto const again = contents(*shop.site().engine);
    EXPECT_EQ(check(shop.site()).left.size(), 1u);
    EXPECT_TRUE(contents(*shop.site().engine) == again);
    // Nothing of the damage goes over to the other site.
    auto const other = contents(*shop.space[1].engine);
    repair_with(shop.space[1], shop.site());
    EXPECT_TRUE(contents(*shop.space[1].engine) == other);
    std::vector<RangeItem> const theirs = value_of(summarize(*shop.space[1].engine, 1, {})).items;
    RepairReport report;
    RecordRepair ours(*shop.site());
    auto const keys = value_of(ours.heal(theirs, report));
    value_of(ours.merge(value_of(RecordRepair(*shop.space[1]).states(keys)), report));
    EXPECT_EQ(shop.site().field("c", "ann", "city"), Value("Bonn"));
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
    EXPECT_EQ(value_of(shop.site()->recompute_root()), shop.site()->root());
}

// An old copy edits a record that one site has purged and another has not: both have done right,
// and what the purged side lacks was removed. The edit remains as an orphan at both.
TEST(RecordRepair, A4_an_old_copys_edit_of_a_record_that_only_some_have_purged) {
    Space space(3);
    space[0].put("c", "x", object_of(R"({"n": 1})"));
    space.converge();
    space[0].erase("c", "x");
    space.converge();
    space.acknowledge();
    EXPECT_EQ(value_of(space[0]->purge(10)), 1u);
    test::BrokenAuthor old_copy(space[2], space.id(), space.digest_key());
    Op op = test::simple_op("c", "x", "edited");
    op.fresh = false;
    old_copy.say(old_copy.header({"c", "name"}), {op});
    for (std::size_t i : {0u, 1u})
        value_of(space[i]->apply(old_copy.batch()));
    EXPECT_NE(space[0]->root(), space[1]->root());
    EXPECT_TRUE(repair_with(space[0], space[1]).left.empty());
    EXPECT_EQ(repair_with(space[1], space[0]).repaired.size(), 1u);
    EXPECT_EQ(space[0]->root(), space[1]->root());
    for (std::size_t i : {0u, 1u}) {
        EXPECT_EQ(value_of(space[i]->orphans({}, "", 10)).size(), 1u);
        EXPECT_EQ(value_of(space[i]->recompute_root()), space[i]->root());
    }
    EXPECT_EQ(space[0].records(), space[1].records());
}

TEST(RecordRepair, D24_a_state_that_no_entries_have_made_is_refused) {
    Shop shop;
    Record record;
    record.insert({"p", {shop.site().actor(), 1'000}, {}, "", "v"});
    auto const before = contents(*shop.site().engine);
    RepairReport report;
    std::string const key = "c" + std::string(1, '\0') + "ann";
    for (SharedState const& state :
         {SharedState{key, Standing::proven, record.encode()},
          SharedState{key, Standing::proven, "no record"},
          SharedState{"no key", Standing::proven, {}},
          SharedState{"c" + std::string(1, '\0'), Standing::proven, {}}}) {
        auto const merged = RecordRepair(*shop.site()).merge({state}, report);
        ASSERT_FALSE(merged);
        EXPECT_EQ(merged.error().code, Errc::protocol);
    }
    EXPECT_TRUE(contents(*shop.site().engine) == before);
}

// ---- at random ----------------------------------------------------------------------------------

// Two sites write, delete, erase and purge; then records of one are damaged in every way.
void write_something(Space& space, std::mt19937_64& random) {
    Site& site = space[random() % space.size()];
    std::string const key = "r" + std::to_string(random() % 12);
    auto const number = std::to_string(random() % 100);
    if (site->is_erased(RecordName{"c", key})) return;
    switch (random() % 8) {
        case 0:
            site.erase("c", key);
            return;
        case 1:
            if (random() % 6 == 0) site.erase_for_good("c", key);
            return;
        case 2:
            space.pull(0, 1);
            space.pull(1, 0);
            space.acknowledge();
            value_of(space[random() % 2]->purge(5));
            return;
        case 3:
            static_cast<void>(site.try_commit({{Write::Kind::patch,
                                                {"c", key},
                                                object_of(R"({"count": {"$add": )" + number + "}}"),
                                                {}}}));
            return;
        case 4:
            site.patch("c", key, object_of(R"({"map": {"a)" + number + R"(": 1}})"));
            return;
        default:
            site.patch("c",
                       key,
                       object_of(R"({"f)" + std::to_string(random() % 3) + "\": " + number + "}"));
    }
}

void damage(Site& site, std::mt19937_64& random) {
    auto const records = contents(*site.engine, Family::records);
    if (records.empty()) return;
    auto const at =
        std::next(records.begin(), static_cast<std::ptrdiff_t>(random() % records.size()));
    std::string value = at->second;
    std::string const& key = at->first.second;
    switch (random() % 4) {
        case 0:
            if (key.find('\1', 4) == std::string::npos)
                return put_raw(site, Family::records, key, std::nullopt);
            return;
        case 1:
            if (key.find('\1', 4) == std::string::npos)
                return put_raw(site, Family::records, key + "copy", value);
            return;
        case 2:
            value.resize(random() % value.size());
            return put_raw(site, Family::records, key, value);
        default:
            value[random() % value.size()] ^= static_cast<char>(1 + random() % 255);
            return put_raw(site, Family::records, key, value);
    }
}

TEST(RecordRepair, D20_D25_whatever_is_damaged_the_sites_hold_the_same_afterwards) {
    std::size_t mended = 0;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        std::mt19937_64 random(seed);
        Space space(2, {.seed = seed});
        for (int i = 0; i < 60; ++i)
            write_something(space, random);
        space.converge();
        auto const root = space[1]->root();
        ASSERT_EQ(space[0]->root(), root);
        for (std::uint64_t n = 1 + random() % 5; n > 0; --n)
            damage(space[0], random);
        auto const report = check(space[0], 3);
        mended += report.repaired.size();
        EXPECT_TRUE(report.left.empty());
        repair_with(space[0], space[1]);
        repair_with(space[1], space[0]);
        EXPECT_EQ(space[0]->root(), root);
        EXPECT_EQ(space[1]->root(), root);
        EXPECT_EQ(value_of(space[0]->recompute_root()), root);
        space[0].reopen();
        EXPECT_EQ(space[0]->root(), root);
        // Both go on as if nothing had been.
        for (int i = 0; i < 20; ++i)
            write_something(space, random);
        space.converge();
        EXPECT_EQ(space[0]->root(), space[1]->root());
    }
    EXPECT_GT(mended, 40u);
}

}  // namespace
}  // namespace inos
