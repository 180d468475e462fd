// Records that are not what they have to be: found, and put right from the log.
#include <algorithm>
#include <random>

#include <gmock/gmock.h>

#include "storage/entry_hash.hpp"
#include "tests/storage/repair_fixture.hpp"

namespace inos {
namespace {

using namespace test;
using testing::HasSubstr;

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
    EXPECT_EQ(repair_with(shop.space[1], shop.site()).mended, 0u) << "nobody believes it";
    EXPECT_EQ(shop.space[1].field("c", "ann", "city"), Value("Ulm"));
    shop.expect_mended(repair_with(shop.site(), shop.space[1]));
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

// ---- histories ----------------------------------------------------------------------------------

TEST(RecordRepair, a_history_that_is_cut_off_or_goes_in_a_circle_is_joined_again) {
    for (bool circle : {false, true}) {
        Shop shop;
        shop.site().patch("c", "ann", object_of(R"({"city": "Ulm"})"));
        shop.space.converge();
        std::vector<Dot> dots;
        for (HistoryStep const& step : value_of(shop.site()->history({"c", "ann"})).steps)
            dots.push_back(step.dot);
        ASSERT_EQ(dots.size(), 3u);
        auto const relink = [&](Dot of, Dot to) {
            auto const key = keys::log(1, of);
            std::string const value = *raw(shop.site(), Family::log, key);
            auto stored = *StoredEntry::decode(value, of.actor);
            stored.links[0] = to;
            put_raw(shop.site(), Family::log, key, stored.encode(of.actor));
        };
        shop.before = contents(*shop.site().engine);
        if (circle)
            relink(dots[0], dots[1]);
        else
            relink(dots[1], {});
        flip(shop.site(), Family::records, record_key("ann"));
        shop.expect_mended(check(shop.site()));
        // What follows the list finds all of it.
        shop.site().erase_for_good("c", "ann");
        for (auto const& [key, value] : contents(*shop.site().engine, Family::log))
            EXPECT_EQ(value.find("Ulm"), std::string::npos);
    }
}

// ---- erasures -----------------------------------------------------------------------------------

TEST(RecordRepair, A17_a_mark_or_a_proof_that_was_lost_comes_back) {
    for (bool proof : {false, true}) {
        Shop shop;
        shop.site().erase_for_good("c", "ann");
        shop.space.converge();
        shop.before = contents(*shop.site().engine);
        auto const tag = shop.site()->erasures().begin()->first;
        std::string key = record_key(keys::erased_key(crypto::view(tag)));
        if (proof) key = keys::meta_kind(1, 'e') + std::string(crypto::view(tag));
        auto const lose = [&] {
            put_raw(shop.site(), proof ? Family::meta : Family::records, key, std::nullopt);
        };
        lose();
        if (!proof) shop.expect_mended(check(shop.site()));
        lose();
        shop.site().reopen();
        EXPECT_EQ(shop.site()->is_erased(RecordName{"c", "ann"}), !proof);
        if (!proof) mend(shop.site());
        EXPECT_TRUE(shop.site()->root_comparable()) << "a site mends its marks by itself";
        auto const report = check(shop.site());
        EXPECT_EQ(report.mended, proof ? 1u : 0u);
        EXPECT_TRUE(shop.site()->is_erased(RecordName{"c", "ann"}));
        EXPECT_TRUE(contents(*shop.site().engine) == shop.before);
        EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
    }
}

TEST(RecordRepair, A17_a_site_opens_where_a_mark_cannot_be_read) {
    Shop shop;
    shop.site().erase_for_good("c", "ann");
    shop.space.converge();
    shop.before = contents(*shop.site().engine);
    auto const tag = shop.site()->erasures().begin()->first;
    shop.site().engine->make_unreadable(Family::records,
                                        record_key(keys::erased_key(crypto::view(tag))));
    shop.site().reopen();
    EXPECT_TRUE(shop.site()->root_comparable());
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
    mend(shop.site());
    EXPECT_TRUE(contents(*shop.site().engine) == shop.before);
}

TEST(RecordRepair, A17_what_comes_back_of_an_erased_record_is_scrubbed_from_the_disk) {
    Shop shop;
    auto const ann = raw(shop.site(), Family::records, record_key("ann"));
    shop.site().erase_for_good("c", "ann");
    value_of(shop.site()->scrubbed(shop.site()->scrub_ticket()));
    put_raw(shop.site(), Family::records, record_key("ann"), ann);
    EXPECT_EQ(check(shop.site()).mended, 1u);
    EXPECT_FALSE(raw(shop.site(), Family::records, record_key("ann")));
    EXPECT_TRUE(shop.site()->needs_scrub());
}

// ---- what cannot be read ------------------------------------------------------------------------

TEST(RecordRepair, D20_a_site_opens_where_a_schema_an_alias_or_the_sums_cannot_be_read) {
    Shop shop;
    shop.site().set_schema(R"({"c": {"delete": "delete-wins"}})");
    shop.space.converge();
    shop.before = contents(*shop.site().engine);
    put_raw(shop.site(), Family::records, record_key("c", "_schema"), std::string("no record"));
    put_raw(shop.site(), Family::digests, keys::digest(1, "c"), std::string("no sums"));
    shop.site().reopen();
    EXPECT_EQ(shop.site()->schema("c").on_delete, DeletePolicy::delete_wins);
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
    EXPECT_TRUE(contents(*shop.site().engine) == shop.before);
}

// A block of the disk that cannot be read any more: no scan comes past it, and the records in it
// are known from the log only.
TEST(RecordRepair, D20_records_that_lie_in_a_block_that_cannot_be_read) {
    for (char const* key : {"ann", "bob", "cid"})
        for (bool opening : {false, true}) {
            SCOPED_TRACE(key);
            Shop shop;
            shop.site().set_schema(R"({"c": {"delete": "delete-wins"}})");
            shop.site().erase_for_good("d", "x");
            shop.space.converge();
            shop.before = contents(*shop.site().engine);
            shop.site().engine->make_unreadable(Family::records, record_key(key));
            if (opening) {
                shop.site().engine->make_unreadable(Family::records, record_key("c", "_schema"));
                shop.site().reopen();
            } else {
                EXPECT_EQ(check(shop.site()).left.size(), 0u);
            }
            EXPECT_TRUE(contents(*shop.site().engine) == shop.before);
            EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
            EXPECT_EQ(shop.site()->schema("c").on_delete, DeletePolicy::delete_wins);
            EXPECT_FALSE(shop.site()->failed());
        }
}

TEST(RecordRepair, D20_a_round_about_a_few_records_comes_to_all_where_the_disk_is_damaged) {
    Shop shop;
    shop.site().engine->make_unreadable(Family::records, record_key("bob"));
    RecordRepair repair(*shop.site(), {{shared_key("ann")}});
    finish(repair);
    EXPECT_TRUE(contents(*shop.site().engine) == shop.before);
}

TEST(RecordRepair, D20_entries_come_in_where_the_log_cannot_be_read_in_one_place) {
    Shop shop;
    shop.site().engine->make_unreadable(Family::log, keys::log(1, {shop.site().actor(), 1}));
    put_raw(shop.site(), Family::records, record_key("bob"), std::string("no record"));
    auto const report = check(shop.site());
    ASSERT_EQ(report.log_damage.size(), 1u);
    EXPECT_THAT(report.log_damage[0], HasSubstr("cannot be read"));
    EXPECT_EQ(repair_with(shop.site(), shop.space[1]).lost, 0u);
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
}

// ---- in pieces ----------------------------------------------------------------------------------

TEST(RecordRepair, D25_writes_between_the_steps_count) {
    Shop shop;
    for (int i = 0; i < 100; ++i)
        shop.site().put("c", "r" + std::to_string(i), object_of(R"({"n": 0})"));
    put_raw(shop.site(),
            Family::digests,
            keys::digest(1, "c"),
            raw(shop.site(), Family::digests, keys::digest(1, "d")));
    put_raw(shop.site(), Family::records, record_key("ann"), std::nullopt);
    shop.site().reopen();
    RecordRepair repair(*shop.site());
    int steps = 0;
    while (!value_of(repair.step(3'000))) {
        shop.site().patch("c", "r" + std::to_string(7 * steps % 100), object_of(R"({"n": 1})"));
        shop.site().patch("c", "ann", object_of(R"({"n": )" + std::to_string(steps) + "}"));
        ASSERT_LT(++steps, 2'000) << "it never ends";
    }
    EXPECT_GT(steps, 10);
    shop.space.converge();
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
    EXPECT_EQ(value_of(shop.site()->recompute_root()), shop.site()->root());
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
                                                object_of(R"({"count": {"$inc": )" + number + "}}"),
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
        auto const report = check(space[0]);
        mended += report.mended;
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
