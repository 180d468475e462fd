// What record repair does not believe, does not lose and does not bring back: peers that lie or
// fell back, records that were dropped with a block, and what was erased.
#include <gmock/gmock.h>

#include "tests/storage/repair_fixture.hpp"

namespace inos {
namespace {

using namespace test;

void spoil(Site& site, std::string const& key) {
    put_raw(site, Family::records, record_key(key), std::string("no record"));
}

void cut_all(Space& space) {
    space.acknowledge();
    for (std::size_t i = 0; i < space.size(); ++i)
        while (value_of(space[i]->truncate({})) > 0) {
        }
}

// "ann" is older than the log; "dan" is younger.
struct CutShop : Shop {
    CutShop() {
        cut_all(space);
        site().put("c", "dan", object_of(R"({"name": "Dan"})"));
        space.converge();
    }
};

Raw row(Site& site, std::string const& key) {
    return raw(site, Family::records, record_key(key));
}

// A site answers a record that nobody holds, or that was purged, made of cells that were cut.
TEST(RecordRepair, D6_what_is_absent_on_a_cut_log_is_planted_by_nobody) {
    CutShop shop;
    Record const forged = value_of(shop.site()->record_at({"c", "ann"}));
    ASSERT_FALSE(forged.empty());
    for (Teller const& teller : {kReader, kStandIn, kAdmin}) {
        auto const before = contents(*shop.site().engine);
        RecordRepair repair(*shop.site(), {{shared_key("free")}});
        finish(repair);
        EXPECT_TRUE(repair.next_open().empty());
        value_of(repair.merge({{shared_key("free"), Standing::whole, forged.encode()}}, teller));
        finish(repair);
        EXPECT_TRUE(contents(*shop.site().engine) == before);
    }
}

// An admin's row fell back to before the last edit, or the delete, or the last count.
TEST(RecordRepair, D6_a_state_that_lacks_what_entries_of_the_log_say_is_not_taken) {
    for (char const* change : {R"({"city": "Ulm"})", R"({"stock": {"$inc": 2}})", ""}) {
        CutShop shop;
        shop.site().patch("c", "ann", object_of(R"({"stock": {"$inc": 1}})"));
        shop.space.converge();
        auto const old = row(shop.space[1], "ann");
        if (*change)
            shop.site().patch("c", "ann", object_of(change));
        else
            shop.site().erase("c", "ann");
        shop.space.converge();
        auto const now = row(shop.space[1], "ann");
        auto const ours = value_of(shop.site()->record_at({"c", "ann"}));
        put_raw(shop.space[1], Family::records, record_key("ann"), old);
        check(shop.space[1]);
        ASSERT_NE(shop.site()->root(), shop.space[1]->root());
        EXPECT_EQ(repair_with(shop.site(), shop.space[1], kAdmin).mended, 0u) << "it can be read";
        EXPECT_EQ(value_of(shop.site()->record_at({"c", "ann"})), ours);
        // The one that fell back is told by the other; ...
        EXPECT_EQ(repair_with(shop.space[1], shop.site(), kAdmin).mended, 1u) << change;
        EXPECT_EQ(shop.site()->root(), shop.space[1]->root()) << change;
        // ... and what is unreadable here is not told by one that fell back.
        put_raw(shop.space[1], Family::records, record_key("ann"), old);
        check(shop.space[1]);
        spoil(shop.site(), "ann");
        check(shop.site());
        EXPECT_EQ(repair_with(shop.site(), shop.space[1], kAdmin).mended, 0u) << change;
        put_raw(shop.space[1], Family::records, record_key("ann"), now);
        check(shop.space[1]);
        EXPECT_EQ(repair_with(shop.site(), shop.space[1], kAdmin).mended, 1u) << change;
        EXPECT_EQ(value_of(shop.site()->record_at({"c", "ann"})), ours) << change;
    }
}

// What a purge has dropped there is missing in nothing that is asked for.
TEST(RecordRepair, A4_a_peer_that_has_purged_more_is_believed_as_well) {
    CutShop shop;
    shop.site().patch("c", "ann", object_of(R"({"stock": {"$inc": 2}})"));
    shop.space.converge();
    shop.site().erase("c", "ann");
    shop.space.converge();
    shop.space.acknowledge();
    EXPECT_EQ(value_of(shop.space[1]->purge(10)), 2u) << "and the one that was deleted before";
    spoil(shop.site(), "ann");
    check(shop.site());
    EXPECT_EQ(repair_with(shop.site(), shop.space[1], kAdmin).mended, 1u);
    EXPECT_FALSE(shop.site().get("c", "ann"));
    EXPECT_TRUE(shop.site()->damaged_records().empty());
}

// Its only entry is damaged, too; what was taken from a peer is edited, and named by somebody.
TEST(RecordRepair, D20_what_was_taken_stays_whole_after_its_next_edit) {
    for (bool cuts : {false, true}) {
        Shop shop;
        shop.site().put("c", "eve", object_of(R"({"name": "Eve", "city": "Ulm"})"));
        shop.space.converge();
        Dot const only{shop.site().actor(), shop.site()->vector().at(shop.site().actor())};
        flip(shop.site(), Family::log, keys::log(1, only));
        spoil(shop.site(), "eve");
        check(shop.site());
        EXPECT_EQ(repair_with(shop.site(), shop.space[1], kAdmin).mended, 1u);
        shop.site().patch("c", "eve", object_of(R"({"city": "Bonn"})"));
        shop.space.converge();
        if (cuts) cut(shop.site(), only.actor, only.seq);
        for (int i = 0; i < 2; ++i) {
            check(shop.site());
            repair_with(shop.site(), shop.space[1], kReader);
            RecordRepair repair(*shop.site(), {{shared_key("eve")}});
            finish(repair);
            EXPECT_EQ(shop.site().field("c", "eve", "name"), Value("Eve"));
            EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
        }
        // Of this list nobody builds it anew.
        spoil(shop.site(), "eve");
        check(shop.site());
        EXPECT_FALSE(shop.site()->record_at({"c", "eve"}));
        EXPECT_EQ(repair_with(shop.site(), shop.space[1], kAdmin).mended, 1u);
        EXPECT_EQ(shop.site().field("c", "eve", "name"), Value("Eve"));
    }
}

// A list that ends in itself is walked by purges and by what cuts the log.
TEST(RecordRepair, D25_what_was_taken_is_deleted_and_purged_and_its_log_is_cut) {
    Shop shop;
    flip(shop.site(), Family::log, keys::log(1, {shop.site().actor(), 1}));
    spoil(shop.site(), "ann");
    check(shop.site());
    EXPECT_EQ(repair_with(shop.site(), shop.space[1], kAdmin).mended, 1u);
    shop.site().erase("c", "ann");
    shop.space.converge();
    shop.space.acknowledge();
    EXPECT_GE(value_of(shop.site()->purge(10)), 1u);
    while (value_of(shop.site()->truncate({})) > 0) {
    }
    EXPECT_EQ(shop.site()->log_starts().of(shop.space[1].actor()),
              shop.site()->vector().at(shop.space[1].actor()));
}

// With a block, records are dropped that no entry names. A put begins such a record anew, and its
// list does not say that this is all.
TEST(RecordRepair, D20_records_that_went_with_a_block_come_back_from_an_admin) {
    CutShop shop;
    for (char const* key : {"ann", "bob"})
        shop.site().engine->make_unreadable(Family::records, record_key(key));
    check(shop.site());
    EXPECT_FALSE(row(shop.site(), "ann")) << "no entry names it any more";
    EXPECT_EQ(repair_with(shop.site(), shop.space[1], kStandIn).lost, 0u);
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
}

TEST(RecordRepair, D20_a_put_where_a_record_was_dropped_proves_nothing) {
    CutShop shop;
    shop.site().engine->make_unreadable(Family::records, record_key("ann"));
    check(shop.site());
    shop.site().reopen();
    shop.site().put("c", "ann", object_of(R"({"city": "Ulm"})"));
    shop.space.converge();
    auto const theirs = value_of(shop.space[1]->record_at({"c", "ann"}));
    EXPECT_EQ(repair_with(shop.space[1], shop.site(), kAdmin).mended, 0u);
    EXPECT_EQ(value_of(shop.space[1]->record_at({"c", "ann"})), theirs);
    spoil(shop.site(), "ann");
    check(shop.site());
    EXPECT_FALSE(shop.site()->record_at({"c", "ann"})) << "not from half of its entries";
    EXPECT_GE(repair_with(shop.site(), shop.space[1], kAdmin).mended, 1u);
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
}

// Nor do edits that come from elsewhere hide what was dropped: the list says that it is not whole.
TEST(RecordRepair, D20_an_edit_where_a_record_was_dropped_does_not_hide_the_rest) {
    CutShop shop;
    shop.site().engine->make_unreadable(Family::records, record_key("ann"));
    check(shop.site());
    shop.site().reopen();
    ASSERT_TRUE(RecordRepair::rows_missing(*shop.site()));
    for (int n : {1, 2}) {
        shop.space[1].patch("c", "ann", {{"n", Value(n)}});
        shop.space.converge();
    }
    ASSERT_FALSE(value_of(shop.site()->record_at({"c", "ann"})).empty()) << "it can be read, ...";
    ASSERT_FALSE(shop.site().get("c", "ann")) << "... and is not whole";
    EXPECT_EQ(repair_with(shop.site(), shop.space[1], kReader).mended, 0u);
    EXPECT_EQ(repair_with(shop.site(), shop.space[1], kStandIn).mended, 1u);
    EXPECT_EQ(shop.site().field("c", "ann", "name"), Value("Ann"));
    EXPECT_EQ(shop.site().field("c", "ann", "n"), Value(2));
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
    // Once more: it is whole, and nothing is asked for.
    value_of(RecordRepair::note_rows_complete(*shop.site()));
    shop.site().reopen();
    EXPECT_FALSE(RecordRepair::rows_missing(*shop.site()));
    EXPECT_TRUE(check(shop.site()).left.empty());
}

// A sum that nothing explains: all records are looked at, and what the log does not name any more
// may be missing.
TEST(RecordRepair, D20_sums_that_nothing_explains_tell_of_records_that_were_lost) {
    for (bool cuts : {true, false}) {
        Shop shop;
        if (cuts) cut_all(shop.space);
        put_raw(shop.site(), Family::records, record_key("ann"), std::nullopt);
        RecordRepair some(*shop.site(), {{shared_key("bob")}});
        finish(some);
        EXPECT_EQ(RecordRepair::rows_missing(*shop.site()), cuts);
        std::size_t const lost = cuts ? 1 : 0;  // else it is back already
        EXPECT_EQ(repair_with(shop.site(), shop.space[1], kStandIn).mended, lost);
        EXPECT_EQ(shop.site().field("c", "ann", "name"), Value("Ann"));
        EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
    }
}

// The entry before those that hold it is missing, so that nothing proves these.
TEST(RecordRepair, A17_a_damaged_record_that_is_erased_goes_from_behind_a_missing_entry) {
    Shop shop;
    shop.site().put("c", "zed", object_of(R"({"n": 1})"));
    Dot const gone{shop.site().actor(), shop.site()->vector().at(shop.site().actor())};
    for (char const* word : {"Secret1", "Secret2"})
        shop.site().patch("c", "ann", {{"city", Value(word)}});
    shop.space.converge();
    put_raw(shop.site(), Family::log, keys::log(1, gone), std::nullopt);
    spoil(shop.site(), "ann");
    shop.space[1].erase_for_good("c", "ann");
    shop.space.pull(1, 0);
    mend(shop.site());
    EXPECT_TRUE(shop.site()->needs_scrub());
    for (auto const& [key, value] : contents(*shop.site().engine))
        for (char const* word : {"Kiel", "Bonn", "Secret"})
            EXPECT_EQ(value.find(word), std::string::npos) << key.second;
    EXPECT_TRUE(shop.site()->damaged_records().empty());
}

// A block that cannot be read does not keep an erase from coming in.
TEST(RecordRepair, A17_an_erase_comes_in_where_a_block_cannot_be_read) {
    Shop shop;
    shop.site().engine->make_unreadable(Family::records, record_key("ann"));
    shop.space[1].erase_for_good("c", "bob");
    shop.space.pull(1, 0);
    EXPECT_EQ(shop.site()->vector(), shop.space[1]->vector());
    EXPECT_FALSE(shop.site()->damaged_records().empty());
    mend(shop.site());
    for (auto const& [key, value] : contents(*shop.site().engine))
        EXPECT_EQ(value.find("Bob"), std::string::npos) << key.second;
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
}

}  // namespace
}  // namespace inos
