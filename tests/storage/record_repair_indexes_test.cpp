// Secondary indexes follow what damage and repair do to records behind their back.
#include <algorithm>

#include <gmock/gmock.h>

#include "storage/run_query.hpp"
#include "tests/storage/repair_fixture.hpp"

namespace inos {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct IndexedShop : Shop {
    IndexedShop() {
        space[0].set_schema(R"({"c": {"index": ["city"]}})");
        space.converge();
        for (std::size_t i : {0u, 1u})
            expect_indexed(space[i]);
    }
    std::vector<std::string> in(std::string const& city) {
        std::vector<std::string> ids;
        Query query{"c"};
        query.where = value_of(Where::parse("city = \"" + city + "\""));
        EXPECT_TRUE(plan_of(*site(), query).index) << "the index answers";
        value_of(run_query(*site(), query, [&](RecordView& record) {
            ids.push_back(record.id);
            return true;
        }));
        return ids;
    }
    void spoil(std::string const& key, std::string const& collection = "c") {
        put_raw(site(), Family::records, record_key(key, collection), std::string("no record"));
    }
    // Keys of the rows of that kind.
    std::vector<std::string> rows(char kind) {
        std::vector<std::string> keys;
        for (auto const& [key, value] : contents(*site().engine, Family::index))
            if (key.second.size() > 4 && key.second[4] == kind) keys.push_back(key.second);
        return keys;
    }
};

TEST(RepairedIndexes, D29_a_record_that_is_built_again_is_found_by_what_it_is) {
    for (int damage = 0; damage < 4; ++damage) {
        SCOPED_TRACE(damage);
        IndexedShop shop;
        auto const old = raw(shop.site(), Family::records, record_key("ann"));
        shop.site().patch("c", "ann", object_of(R"({"city": "Ulm"})"));
        shop.space.converge();
        switch (damage) {
            case 0:
                shop.spoil("ann");
                break;
            case 1:
                flip(shop.site(), Family::records, record_key("ann"));
                break;
            case 2:
                put_raw(shop.site(), Family::records, record_key("ann"), std::nullopt);
                break;
            case 3:
                put_raw(shop.site(), Family::records, record_key("ann"), old);
                break;
        }
        check(shop.site());
        EXPECT_THAT(shop.in("Ulm"), ElementsAre("ann"));
        EXPECT_THAT(shop.in("Bonn"), IsEmpty());
        EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
    }
}

// What its entries were nobody knows; it has none while it waits.
TEST(RepairedIndexes, D29_a_record_that_changes_while_it_is_damaged_leaves_no_entry_behind) {
    for (bool block : {false, true}) {
        SCOPED_TRACE(block);
        IndexedShop shop;
        shop.space[1].patch("c", "ann", object_of(R"({"city": "Ulm"})"));
        if (block)
            shop.site().engine->make_unreadable(Family::records, record_key("ann"));
        else
            shop.spoil("ann");
        shop.space.pull(1, 0);
        if (!block) {
            expect_indexed(shop.site());
            EXPECT_THAT(shop.in("Bonn"), IsEmpty());
            EXPECT_THAT(shop.in("Ulm"), IsEmpty());
        }
        mend(shop.site());
        EXPECT_THAT(shop.in("Ulm"), ElementsAre("ann"));
        EXPECT_THAT(shop.in("Bonn"), IsEmpty());
    }
}

TEST(RepairedIndexes, D29_a_record_that_nobody_can_tell_is_in_no_index_until_a_peer_does) {
    IndexedShop shop;
    shop.spoil("ann");
    auto const actor = shop.space[1].actor();
    for (Seq seq = 1; seq <= shop.site()->vector().at(actor); ++seq)
        flip(shop.site(), Family::log, keys::log(1, {actor, seq}));
    EXPECT_GT(check(shop.site()).lost, 0u);
    EXPECT_THAT(shop.in("Bonn"), IsEmpty());
    repair_with(shop.site(), shop.space[1], kAdmin);
    EXPECT_THAT(shop.in("Bonn"), ElementsAre("ann"));
}

TEST(RepairedIndexes, D29_records_that_go_with_a_block_go_from_the_indexes) {
    IndexedShop shop;
    auto const actor = shop.site().actor();
    for (std::size_t i : {0u, 1u})
        cut(shop.space[i], actor, shop.site()->vector().at(actor));
    shop.site().engine->make_unreadable(Family::records, record_key("ann"));
    check(shop.site());
    repair_with(shop.site(), shop.space[1], kAdmin);
    EXPECT_THAT(shop.in("Bonn"), ElementsAre("ann"));
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
}

TEST(RepairedIndexes, D29_entries_that_are_missing_or_of_no_record_are_found_by_a_check) {
    for (bool missing : {true, false}) {
        SCOPED_TRACE(missing);
        IndexedShop shop;
        auto const entries = shop.rows('s');
        ASSERT_FALSE(entries.empty());
        if (missing)
            put_raw(shop.site(), Family::index, entries.front(), std::nullopt);
        else
            put_raw(shop.site(), Family::index, entries.front() + "none", std::string());
        auto const report = check(shop.site());
        ASSERT_THAT(report.repaired, SizeIs(1));
        EXPECT_THAT(report.repaired.front().what, HasSubstr("the index of city"));
        EXPECT_THAT(shop.in("Bonn"), ElementsAre("ann"));
        EXPECT_EQ(check(shop.site()).mended, 0u);
    }
}

// With what is kept of the index, or without its schema, the node opens all the same.
TEST(RepairedIndexes, D29_a_site_opens_where_what_is_kept_of_an_index_cannot_be_read) {
    for (int damage = 0; damage < 4; ++damage) {
        SCOPED_TRACE(damage);
        IndexedShop shop;
        auto const kept = shop.rows('t');
        ASSERT_THAT(kept, SizeIs(1));
        switch (damage) {
            case 0:
                put_raw(shop.site(), Family::index, kept.front(), std::string("x"));
                break;
            case 1:
                shop.site().engine->make_unreadable(Family::index, kept.front());
                break;
            case 2:
                shop.spoil("c", "_schema");
                break;
            case 3:
                shop.site().engine->make_unreadable(Family::records, record_key("c", "_schema"));
                break;
        }
        shop.site().reopen();
        expect_indexed(shop.site());
        EXPECT_THAT(shop.in("Bonn"), ElementsAre("ann"));
    }
}

// It is not kept up any more, fails nothing, and no query is answered by it.
TEST(RepairedIndexes, D29_an_index_whose_entries_cannot_be_read_is_given_up) {
    IndexedShop shop;
    shop.site().engine->make_unreadable(Family::index, shop.rows('s').front());
    shop.spoil("ann");
    RecordRepair repair(*shop.site(), {{shared_key("ann")}});
    finish(repair);
    for (int i = 0; i < 10; ++i)
        static_cast<void>(value_of(shop.site()->build_indexes(100)));
    EXPECT_FALSE(value_of(shop.site()->build_indexes(100)));
    ASSERT_THAT(shop.site()->index_status(), SizeIs(1));
    EXPECT_FALSE(shop.site()->index_status().front().ready);
    shop.site().erase_for_good("c", "bob");
    EXPECT_FALSE(shop.site()->needs_scrub()) << "what cannot be read may name it";
}

}  // namespace
}  // namespace inos
