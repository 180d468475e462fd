// Records that differ between two sites: what the own log shows whole stays, whatever a peer says,
// and only the rest is taken from those who may tell.
#include <gmock/gmock.h>

#include "storage/entry_hash.hpp"
#include "tests/storage/repair_fixture.hpp"
#include "tests/support/broken_author.hpp"

namespace inos {
namespace {

using namespace test;
using testing::HasSubstr;

// ---- with a peer --------------------------------------------------------------------------------

// A digest that fits its bytes does not make them right: the log does.
void falsify(Shop& shop) {
    auto const key = record_key("ann");
    StoredRecord stored =
        value_of(StoredRecord::decode(*raw(shop.site(), Family::records, key), {"c", "ann"}));
    for (std::size_t i = 0; i < stored.record.cells().size(); ++i)
        if (stored.record[i].payload.find("Bonn") != std::string::npos)
            stored.record[i].payload.back() = 'N';
    auto const digest = record_digest(shop.space.digest_key(), "c", "ann", stored.record);
    put_raw(shop.site(),
            Family::records,
            key,
            StoredRecord::encode(digest, stored.digest_class, stored.last, stored.record));
}

TEST(RecordRepair, D17_D20_a_record_whose_digest_fits_is_put_right_once_the_roots_differ) {
    Shop shop;
    falsify(shop);
    auto const alone = check(shop.site());  // only the sums show that something is wrong
    ASSERT_EQ(alone.mended, 1u);
    EXPECT_THAT(alone.repaired[0].what, HasSubstr("summed again"));
    EXPECT_NE(shop.site()->root(), shop.space[1]->root());
    // Whichever side begins, the one that is not what the log says gives way.
    EXPECT_EQ(repair_with(shop.space[1], shop.site()).mended, 0u);
    shop.expect_mended(repair_with(shop.site(), shop.space[1], kReader));
    EXPECT_EQ(shop.site().field("c", "ann", "city"), Value("Bonn"));
}

// Whatever a peer says, and whoever it is: what the log shows whole stays.
TEST(RecordRepair, D6_nobodys_word_goes_before_the_own_log) {
    Shop shop;
    Record forged = value_of(shop.site()->record_at({"c", "ann"}));
    for (std::size_t i = 0; i < forged.cells().size(); ++i)
        if (!forged[i].payload.empty()) forged[i].payload.back() ^= 1;
    for (std::string const& lie : {std::string(), forged.encode()}) {
        RecordRepair repair(*shop.site(), {{shared_key("ann"), shared_key("never")}});
        finish(repair);
        EXPECT_TRUE(repair.next_open().empty()) << "there is nothing to ask for";
        value_of(repair.merge({{shared_key("ann"), Standing::whole, lie},
                               {shared_key("never"), Standing::whole, forged.encode()}},
                              kAdmin));
        finish(repair);
        EXPECT_EQ(repair.take_report().mended, 0u);
        EXPECT_TRUE(contents(*shop.site().engine) == shop.before);
    }
}

TEST(RecordRepair, D20_where_the_log_is_damaged_too_the_peer_tells) {
    Shop shop;
    flip(shop.site(), Family::log, keys::log(1, {shop.site().actor(), 1}));
    flip(shop.site(), Family::records, record_key("ann"));
    auto const alone = check(shop.site());
    ASSERT_EQ(alone.left.size(), 1u);
    EXPECT_THAT(alone.left[0].what, HasSubstr("admin"));
    ASSERT_EQ(alone.log_damage.size(), 1u);
    EXPECT_THAT(alone.log_damage[0], HasSubstr("entry 1 of \"site0\""));
    EXPECT_NE(shop.site()->root(), shop.space[1]->root()) << "it shows until it is put right";
    auto const again = contents(*shop.site().engine);
    EXPECT_EQ(check(shop.site()).left.size(), 1u);
    EXPECT_TRUE(contents(*shop.site().engine) == again);
    // Nothing of the damage goes over to the other site.
    auto const other = contents(*shop.space[1].engine);
    EXPECT_EQ(repair_with(shop.space[1], shop.site()).mended, 0u);
    EXPECT_TRUE(contents(*shop.space[1].engine) == other);
    EXPECT_EQ(repair_with(shop.site(), shop.space[1], kReader).mended, 0u);
    EXPECT_NE(shop.site()->root(), shop.space[1]->root()) << "a reader is not believed";
    EXPECT_EQ(repair_with(shop.site(), shop.space[1], kStandIn).mended, 1u);
    EXPECT_EQ(shop.site().field("c", "ann", "city"), Value("Bonn"));
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
    EXPECT_EQ(value_of(shop.site()->recompute_root()), shop.site()->root());
}

// One damaged entry leaves the proof of the records that it did not touch.
TEST(RecordRepair, D6_a_damaged_entry_gives_no_hold_on_other_records) {
    Shop shop;
    flip(shop.site(), Family::log, keys::log(1, {shop.site().actor(), 1}));  // it wrote ann
    auto const cells = value_of(shop.site()->record_at({"c", "bob"}));
    Record forged;
    forged.insert(cells.cells().front());
    RecordRepair repair(*shop.site(), {{shared_key("bob")}});
    finish(repair);
    EXPECT_TRUE(repair.next_open().empty());
    value_of(repair.merge({{shared_key("bob"), Standing::whole, forged.encode()}}, kAdmin));
    finish(repair);
    EXPECT_EQ(value_of(shop.site()->record_at({"c", "bob"})), cells);
}

// Of a record that it did touch as well, as long as it can be read.
TEST(RecordRepair, D6_what_the_rest_of_the_log_says_stays) {
    Shop shop;
    flip(shop.site(), Family::log, keys::log(1, {shop.site().actor(), 1}));
    Record const ours = value_of(shop.site()->record_at({"c", "ann"}));
    Record forged, less;
    for (Cell cell : ours.cells()) {
        if (cell.dot.actor == shop.site().actor()) less.insert(cell);
        if (cell.payload.find("Bonn") != std::string::npos) cell.payload.back() = 'N';
        forged.insert(cell);
    }
    ASSERT_NE(forged, ours);
    for (Teller const& teller : {kStandIn, kAdmin})
        for (Record const& lie : {forged, less, Record()}) {
            RecordRepair repair(*shop.site(), {{shared_key("ann")}});
            finish(repair);
            EXPECT_TRUE(repair.next_open().empty());
            value_of(repair.merge({{shared_key("ann"), Standing::whole, lie.encode()}}, teller));
            finish(repair);
            EXPECT_EQ(value_of(shop.site()->record_at({"c", "ann"})), ours);
        }
}

TEST(RecordRepair, D6_schemas_are_told_by_admins_only) {
    Shop shop;
    shop.site().set_schema(R"({"c": {"delete": "delete-wins"}})");
    shop.space.converge();
    auto const at = shop.site()->vector().at(shop.site().actor());
    flip(shop.site(), Family::log, keys::log(1, {shop.site().actor(), at}));
    flip(shop.site(), Family::records, record_key("c", "_schema"));
    check(shop.site());
    EXPECT_EQ(repair_with(shop.site(), shop.space[1], kStandIn).mended, 0u);
    EXPECT_EQ(repair_with(shop.site(), shop.space[1], kAdmin).mended, 1u);
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
}

// An entry that is rewritten as a whole, its stored chain with it, is found by the next one; the
// last one by what is kept beside the log. What is not chained counts for nothing.
TEST(RecordRepair, D6_what_is_stored_beside_the_chained_bytes_proves_nothing) {
    Shop shop;
    Dot const last{shop.site().actor(), shop.site()->vector().at(shop.site().actor())};
    for (Seq seq : {Seq{1}, last.seq}) {
        Dot const dot{last.actor, seq};
        auto const key = keys::log(1, dot);
        std::string const value = *raw(shop.site(), Family::log, key);
        auto stored = *StoredEntry::decode(value, dot.actor);
        std::string bytes(stored.bytes);
        bytes.back() = static_cast<char>(bytes.back() ^ 1);
        auto const before = seq == 1 ? chain_start(shop.site().certificate_bytes)
                                     : **shop.site()->chain_at({dot.actor, seq - 1});
        stored.bytes = bytes;
        stored.chain = chain_next(before, bytes, shop.space.digest_key());
        put_raw(shop.site(), Family::log, key, stored.encode(dot.actor));
        EXPECT_FALSE(check(shop.site()).log_damage.empty()) << seq;
        put_raw(shop.site(), Family::log, key, value);
    }
    EXPECT_TRUE(contents(*shop.site().engine) == shop.before);
    // An entry is not void because it is said to be, ...
    auto const key = keys::log(1, {last.actor, 1});
    std::string value = *raw(shop.site(), Family::log, key);
    auto stored = *StoredEntry::decode(value, last.actor);
    stored.reason = VoidReason::not_a_writer;
    put_raw(shop.site(), Family::log, key, stored.encode(last.actor));
    put_raw(shop.site(), Family::records, record_key("ann"), std::nullopt);
    EXPECT_EQ(check(shop.site()).mended, 1u);
    EXPECT_EQ(raw(shop.site(), Family::records, record_key("ann")),
              shop.before.at({Family::records, record_key("ann")}));
}

// ... and what is stored of every 64th entry's deps is not asked.
TEST(RecordRepair, D6_deps_are_added_up_from_the_entries) {
    Space space(2);
    space[1].put("c", "x", object_of(R"({"n": 0})"));
    for (int i = 0; i < 70; ++i) {
        space.converge();
        space[i % 2].patch("c", "x", object_of(R"({"n": )" + std::to_string(i) + "}"));
    }
    for (int i = 0; i < 70; ++i)
        space[0].patch("c", "x", object_of(R"({"m": )" + std::to_string(i) + "}"));
    space.converge();
    Dot const at{space[0].actor(), kDepsEvery};
    put_raw(space[0], Family::index, keys::deps(1, at), std::string(1, '\0'));
    auto const good = raw(space[0], Family::records, record_key("x"));
    put_raw(space[0], Family::records, record_key("x"), std::nullopt);
    EXPECT_EQ(check(space[0]).mended, 1u);
    EXPECT_EQ(raw(space[0], Family::records, record_key("x")), good);
}

// ---- logs that were cut -------------------------------------------------------------------------

TEST(RecordRepair, D20_what_is_younger_than_the_log_is_built_from_it_and_the_rest_is_asked_for) {
    Shop shop;
    auto const actor = shop.site().actor();
    shop.site().put("c", "dan", object_of(R"({"name": "Dan"})"));
    shop.space.converge();
    cut(shop.site(), actor, 2);  // ann and bob were written by these
    shop.before = contents(*shop.site().engine);
    EXPECT_EQ(check(shop.site()).mended, 0u) << "nothing is wrong";
    EXPECT_TRUE(contents(*shop.site().engine) == shop.before);
    for (char const* key : {"dan", "ann"})
        flip(shop.site(), Family::records, record_key(key));
    auto const alone = check(shop.site());
    EXPECT_EQ(alone.mended, 1u);
    ASSERT_EQ(alone.left.size(), 1u);
    EXPECT_EQ(alone.left[0].name.key, "ann");
    EXPECT_TRUE(alone.log_damage.empty());
    EXPECT_EQ(repair_with(shop.site(), shop.space[1], kReader).mended, 0u);
    EXPECT_EQ(repair_with(shop.site(), shop.space[1], kStandIn).mended, 1u);
    EXPECT_TRUE(contents(*shop.site().engine) == shop.before);
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
}

// A record of which no entry is left can be lost without a trace in the log and in the sums, or
// have been purged: what is absent is left alone, and stays where it is. With a trace in the sums
// those are asked whose word counts.
TEST(RecordRepair, D20_what_is_absent_and_named_by_nothing_is_nobodys_to_bring_back) {
    for (bool trace : {false, true})
        for (Teller const& teller : {kStandIn, kAdmin}) {
            Shop shop;
            auto const actor = shop.site().actor();
            for (std::size_t i : {0u, 1u})
                cut(shop.space[i], actor, 3);
            if (trace)
                put_raw(shop.site(), Family::records, record_key("bob"), std::nullopt);
            else
                lose_without_trace(shop.site(), "bob");
            check(shop.site());
            EXPECT_NE(shop.site()->root(), shop.space[1]->root()) << "it stays an alarm";
            EXPECT_EQ(repair_with(shop.space[1], shop.site(), teller).mended, 0u)
                << "what one site has lost does not go at the other";
            EXPECT_EQ(repair_with(shop.site(), shop.space[1], kReader).mended, 0u);
            EXPECT_EQ(repair_with(shop.site(), shop.space[1], teller).mended, trace ? 1u : 0u);
            EXPECT_EQ(shop.site()->root() == shop.space[1]->root(), trace);
        }
}

// Neither can know, so neither gives way, whoever says what.
TEST(RecordRepair, D20_of_two_whole_states_of_which_no_entry_is_left_both_stay) {
    Shop shop;
    auto const actor = shop.site().actor();
    for (std::size_t i : {0u, 1u})
        cut(shop.space[i], actor, 3);
    auto const key = record_key("bob");
    StoredRecord stored =
        value_of(StoredRecord::decode(*raw(shop.site(), Family::records, key), {"c", "bob"}));
    for (std::size_t i = 0; i < stored.record.cells().size(); ++i)
        if (stored.record[i].payload.ends_with("Bob")) stored.record[i].payload.back() = 'n';
    stored.digest = record_digest(shop.space.digest_key(), "c", "bob", stored.record);
    put_raw(shop.site(),
            Family::records,
            key,
            StoredRecord::encode(stored.digest, stored.digest_class, stored.last, stored.record));
    check(shop.site());
    EXPECT_NE(shop.site()->root(), shop.space[1]->root());
    EXPECT_EQ(repair_with(shop.site(), shop.space[1], kAdmin).mended, 0u);
    EXPECT_EQ(repair_with(shop.space[1], shop.site(), kAdmin).mended, 0u);
    EXPECT_NE(shop.site()->root(), shop.space[1]->root()) << "it stays an alarm";
    EXPECT_EQ(shop.space[1].field("c", "bob", "name"), Value("Bob"));
}

// Nobody makes a site hold what was never there by asking about it.
TEST(RecordRepair, a_peer_that_names_records_leaves_no_trace) {
    Shop shop;
    cut(shop.site(), shop.site().actor(), 2);
    auto const before = contents(*shop.site().engine);
    RecordRepair repair(*shop.site(), {{shared_key("never"), "no key", shared_key("ann")}});
    finish(repair);
    EXPECT_TRUE(repair.next_open().empty());
    EXPECT_TRUE(contents(*shop.site().engine) == before);
}

// ---- purges -------------------------------------------------------------------------------------

// An old copy edits a record that one site has purged and another has not: both have done right.
// The log of both holds all of it, so both come to what the log says, as if nobody had purged.
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
    auto const orphan = check(space[0]);
    EXPECT_EQ(orphan.mended, 0u) << "by itself it may be so";
    EXPECT_EQ(value_of(space[0]->orphans({}, "", 10)).size(), 1u);
    EXPECT_EQ(repair_with(space[1], space[0]).mended, 0u);
    EXPECT_EQ(repair_with(space[0], space[1], kReader).mended, 1u);
    EXPECT_EQ(space[0]->root(), space[1]->root());
    EXPECT_EQ(value_of(space[0]->orphans({}, "", 10)).size(), 0u);
    EXPECT_EQ(value_of(space[0]->recompute_root()), space[0]->root());
    EXPECT_EQ(space[0].records(), space[1].records());
}

TEST(RecordRepair, A4_a_purged_element_of_a_list_that_is_built_again_goes_again) {
    Space space(2);
    space[0].set_schema(R"({"c": {"fields": {"lines": {"type": "list"}}}})");
    space[0].put("c", "x", object_of(R"({"lines": ["a", "b", "c"]})"));
    space.converge();
    space[1].patch("c", "x", object_of(R"({"lines": ["a", "c"]})"));
    space.converge();
    space.acknowledge();
    for (std::size_t i : {0u, 1u})
        EXPECT_EQ(value_of(space[i]->purge(10)), 1u);
    auto const purged = raw(space[0], Family::records, record_key("x"));
    flip(space[0], Family::records, record_key("x"));
    EXPECT_EQ(check(space[0]).mended, 1u);
    EXPECT_EQ(space[0]->root(), space[1]->root());
    EXPECT_NE(raw(space[0], Family::records, record_key("x")), purged);
    EXPECT_EQ(value_of(space[0]->purge(10)), 1u);
    EXPECT_EQ(raw(space[0], Family::records, record_key("x")), purged);
}

// ---- what a state may be ------------------------------------------------------------------------

TEST(RecordRepair, D24_a_state_that_no_entries_have_made_is_left_out) {
    Shop shop;
    flip(shop.site(), Family::log, keys::log(1, {shop.site().actor(), 1}));
    flip(shop.site(), Family::records, record_key("ann"));
    check(shop.site());
    Record beyond, mark;
    beyond.insert({"p", {shop.site().actor(), 1'000}, {}, "", "v"});
    mark.insert({std::string(kErasePath), {shop.site().actor(), 1}, {}, "", ""});
    auto const before = contents(*shop.site().engine);
    for (std::string const& state : {beyond.encode(), mark.encode(), std::string("no record")}) {
        RecordRepair repair(*shop.site(), {{shared_key("ann")}});
        finish(repair);
        value_of(repair.merge({{shared_key("ann"), Standing::whole, state}}, kAdmin));
        finish(repair);
        auto const report = repair.take_report();
        EXPECT_EQ(report.mended, 0u);
        EXPECT_THAT(report.left.back().what, HasSubstr("no entries have made"));
    }
    EXPECT_TRUE(contents(*shop.site().engine) == before);
}

}  // namespace
}  // namespace inos
