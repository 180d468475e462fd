// Records that turn out to be damaged while a site goes on: they wait for their repair, and nothing
// wrong is built on them. And logs that were cut: what is not in them any more proves nothing.
#include <gmock/gmock.h>

#include "tests/storage/repair_fixture.hpp"
#include "tests/support/broken_author.hpp"

namespace inos {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;

void spoil(Site& site, std::string const& key, std::string const& collection = "c") {
    put_raw(site, Family::records, record_key(key, collection), std::string("no record"));
}

std::vector<Dot> history_of(Site& site, std::string const& key) {
    std::vector<Dot> dots;
    for (HistoryStep const& step : value_of(site->history({"c", key})).steps)
        dots.push_back(step.dot);
    return dots;
}

// ---- found on the way ---------------------------------------------------------------------------

TEST(RecordRepair, D20_entries_come_in_where_a_record_is_damaged_and_it_waits_for_its_repair) {
    Shop shop;
    auto const history = history_of(shop.site(), "ann");
    spoil(shop.site(), "ann");
    for (char const* city : {"Ulm", "Jena"}) {
        shop.space[1].patch("c", "ann", object_of(R"({"city": ")" + std::string(city) + "\"}"));
        shop.space.pull(1, 0);
    }
    EXPECT_EQ(shop.site()->vector(), shop.space[1]->vector());
    EXPECT_THAT(shop.site()->damaged_records(), ElementsAre(shared_key("ann")));
    auto const read = shop.site()->record_at({"c", "ann"});
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::corruption);
    EXPECT_NE(shop.site()->root(), shop.space[1]->root()) << "it shows";
    shop.site().reopen();
    EXPECT_THAT(shop.site()->damaged_records(), ElementsAre(shared_key("ann")));
    EXPECT_EQ(value_of(shop.site()->truncate({})), 0u) << "its history is what it is built from";
    EXPECT_EQ(mend(shop.site()).mended, 1u);
    EXPECT_TRUE(shop.site()->damaged_records().empty());
    EXPECT_EQ(shop.site().field("c", "ann", "city"), Value("Jena"));
    EXPECT_EQ(shop.site().field("c", "ann", "name"), Value("Ann"));
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
    EXPECT_EQ(value_of(shop.site()->recompute_root()), shop.site()->root());
    EXPECT_EQ(history_of(shop.site(), "ann").size(), history.size() + 2) << "joined again";
    EXPECT_EQ(check(shop.site()).mended, 0u);
    shop.site().reopen();
    EXPECT_TRUE(shop.site()->damaged_records().empty());
}

TEST(RecordRepair, D20_a_damaged_record_is_not_written_before_it_is_repaired) {
    Shop shop;
    spoil(shop.site(), "ann");
    auto const write = [&] {
        return shop.site().try_commit(
            {{Write::Kind::patch, {"c", "ann"}, object_of(R"({"name": "Anna"})"), {}}});
    };
    auto const before = contents(*shop.site().engine);
    auto const refused = write();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::corruption);
    EXPECT_TRUE(contents(*shop.site().engine) == before);
    EXPECT_FALSE(shop.site()->failed());
    shop.site().put("c", "dan", object_of(R"({"n": 1})"));
    EXPECT_THAT(shop.site()->damaged_records(), ElementsAre(shared_key("ann")));
    EXPECT_EQ(mend(shop.site()).mended, 1u);
    EXPECT_TRUE(write());
    EXPECT_EQ(shop.site().field("c", "ann", "city"), Value("Bonn"));
    EXPECT_EQ(value_of(shop.site()->recompute_root()), shop.site()->root());
}

// Many at once are found by one reading of the log.
TEST(RecordRepair, D20_a_batch_on_many_damaged_records_reads_no_log) {
    Shop shop;
    for (int i = 0; i < 50; ++i)
        shop.site().put("c", "r" + std::to_string(i), object_of(R"({"n": 0})"));
    shop.space.converge();
    for (int i = 0; i < 50; ++i) {
        spoil(shop.site(), "r" + std::to_string(i));
        shop.space[1].patch("c", "r" + std::to_string(i), object_of(R"({"n": 1})"));
    }
    // Whoever read it would come upon this.
    auto const log_key = keys::log(1, {shop.site().actor(), 1});
    shop.site().engine->make_unreadable(Family::log, log_key);
    shop.space.pull(1, 0);
    EXPECT_EQ(shop.site()->damaged_records().size(), 50u);
    put_raw(shop.site(), Family::log, log_key, shop.before.at({Family::log, log_key}));
    EXPECT_FALSE(shop.site()->failed());
}

// The erase comes, and nothing leads to what the log holds of the record.
TEST(RecordRepair, A17_a_damaged_record_that_is_erased_goes_from_the_log_too) {
    for (bool marked : {false, true}) {
        Shop shop;
        spoil(shop.site(), "ann");
        if (marked) {
            shop.space[1].patch("c", "ann", object_of(R"({"city": "Ulm"})"));
            shop.space.pull(1, 0);
        }
        shop.space[1].erase_for_good("c", "ann");
        shop.space.pull(1, 0);
        EXPECT_FALSE(raw(shop.site(), Family::records, record_key("ann")));
        shop.site().reopen();
        mend(shop.site());
        EXPECT_TRUE(shop.site()->damaged_records().empty());
        EXPECT_TRUE(shop.site()->needs_scrub());
        for (auto const& [key, value] : contents(*shop.site().engine))
            for (char const* word : {"Kiel", "Bonn", "Ulm"})
                EXPECT_EQ(value.find(word), std::string::npos) << key.second;
        EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
        EXPECT_EQ(check(shop.site()).mended, 0u);
    }
}

TEST(RecordRepair, D20_a_site_opens_where_a_schema_an_alias_and_their_entries_are_damaged) {
    Shop shop;
    auto& site = shop.site();
    site.set_schema(R"({"c": {"delete": "delete-wins"}})");
    site.put("_alias", alias_key("c", "ann"), Alias{"c", "ann", "bob", ""}.fields());
    shop.space.converge();
    Seq const head = site->vector().at(site.actor());
    for (Seq seq : {head - 1, head})
        flip(site, Family::log, keys::log(1, {site.actor(), seq}));
    spoil(site, "c", "_schema");
    spoil(site, alias_key("c", "ann"), "_alias");
    site.reopen();
    EXPECT_EQ(site->damaged_records().size(), 2u);
    EXPECT_EQ(site.field("c", "bob", "name"), Value("Bob")) << "what can be read is read";
    EXPECT_NE(site->root(), shop.space[1]->root());
    // An alias that comes upon it all the same stops nothing, either.
    shop.space[1].put("_alias", alias_key("c", "ann"), Alias{"c", "ann", "x", ""}.fields());
    shop.space.pull(1, 0);
    EXPECT_FALSE(site->failed());
    EXPECT_GT(mend(site).lost, 0u);
    repair_with(site, shop.space[1]);
    EXPECT_TRUE(site->damaged_records().empty());
    EXPECT_EQ(site->root(), shop.space[1]->root());
    EXPECT_EQ(site->schema("c").on_delete, shop.space[1]->schema("c").on_delete);
}

// ---- the newest entry is the damaged one --------------------------------------------------------

// What was taken from an admin stays: the list that is left names entries that are whole, and not
// all of them.
TEST(RecordRepair, D20_a_state_that_was_taken_is_not_overwritten_from_a_log_with_a_hole) {
    for (bool deletes : {false, true}) {
        Shop shop;
        if (deletes)
            shop.site().erase("c", "ann");
        else
            shop.site().patch("c", "ann", object_of(R"({"name": "Anna", "city": "Ulm"})"));
        shop.space.converge();
        Dot const newest{shop.site().actor(), shop.site()->vector().at(shop.site().actor())};
        flip(shop.site(), Family::log, keys::log(1, newest));
        spoil(shop.site(), "ann");
        repair_with(shop.site(), shop.space[1], kAdmin);
        ASSERT_EQ(shop.site()->root(), shop.space[1]->root());
        auto const taken = value_of(shop.site()->record_at({"c", "ann"}));
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(check(shop.site()).mended, 0u);
            RecordRepair repair(*shop.site(), {{shared_key("ann")}});
            finish(repair);
            EXPECT_EQ(value_of(shop.site()->record_at({"c", "ann"})), taken);
            EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
            shop.site().patch("c", "bob", object_of(R"({"n": 1})"));
            shop.space.converge();
        }
    }
}

// ---- logs that were cut -------------------------------------------------------------------------

// Everybody has acknowledged everything; then both sites cut what they can.
void cut_all(Space& space) {
    space.acknowledge();
    for (std::size_t i = 0; i < space.size(); ++i)
        while (value_of(space[i]->truncate({})) > 0) {
        }
}

struct CutShop : Shop {
    CutShop() {
        cut_all(space);
        EXPECT_GT(site()->log_starts().of(site().actor()), 0u);
        site().patch("c", "bob", object_of(R"({"stock": {"$inc": 2}})"));
        site().put("c", "dan", object_of(R"({"name": "Dan"})"));
        space[1].patch("c", "dan", object_of(R"({"city": "Ulm"})"));
        space.converge();
        before = contents(*site().engine);
    }
};

TEST(RecordRepair, D20_a_log_that_was_cut_changes_no_record_that_can_be_read) {
    CutShop shop;
    EXPECT_EQ(check(shop.site()).mended, 0u);
    std::vector<std::string> keys;
    for (char const* key : {"ann", "bob", "cid", "dan", "never"})
        keys.push_back(shared_key(key));
    RecordRepair repair(*shop.site(), keys);
    finish(repair);
    EXPECT_EQ(repair.take_report().mended, 0u);
    EXPECT_TRUE(contents(*shop.site().engine) == shop.before);
}

TEST(RecordRepair, D20_of_a_cut_log_only_whole_histories_build_records_and_the_rest_is_asked_for) {
    CutShop shop;
    for (char const* key : {"ann", "bob", "dan"})
        spoil(shop.site(), key);
    auto const alone = check(shop.site());
    EXPECT_EQ(alone.left.size(), 2u);
    for (char const* key : {"ann", "bob"})
        EXPECT_FALSE(shop.site()->record_at({"c", key})) << "what was cut made half of it";
    EXPECT_TRUE(alone.log_damage.empty());
    EXPECT_EQ(shop.site().field("c", "dan", "city"), Value("Ulm"));
    repair_with(shop.site(), shop.space[1], kStandIn);
    EXPECT_EQ(shop.site().records(), shop.space[1].records());
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
    EXPECT_TRUE(shop.site()->damaged_records().empty());
    // Both go on in the same way.
    shop.site().patch("c", "bob", object_of(R"({"stock": {"$inc": 3}})"));
    shop.space.converge();
    EXPECT_EQ(write_json(shop.space[1].field("c", "bob", "stock")), "10");
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
}

// A record that holds cells of entries that were cut gainsays a list that says it is all of it.
TEST(RecordRepair, D20_a_list_that_lost_its_link_to_what_was_cut_proves_nothing) {
    Space space(3);
    space[0].put("c", "bob", object_of(R"({"name": "Bob"})"));
    space.converge();
    cut_all(space);
    space[2].patch("c", "bob", object_of(R"({"city": "Ulm"})"));
    space.converge();
    Dot const newest = history_of(space[0], "bob").front();
    ASSERT_EQ(space[0]->log_starts().of(newest.actor), 0u);
    auto const key = keys::log(1, newest);
    std::string const value = *raw(space[0], Family::log, key);
    auto stored = *StoredEntry::decode(value, newest.actor);
    ASSERT_NE(stored.links[0], Dot());
    stored.links[0] = {};
    put_raw(space[0], Family::log, key, stored.encode(newest.actor));
    auto const before = contents(*space[0].engine);
    EXPECT_EQ(check(space[0]).mended, 0u);
    RecordRepair repair(*space[0], {{shared_key("bob")}});
    finish(repair);
    EXPECT_TRUE(contents(*space[0].engine) == before);
    EXPECT_EQ(space[0].field("c", "bob", "name"), Value("Bob"));
}

// The purged record's log went with it, and an old copy has edited it: what is left here can be
// read, and nobody but the log proves more. The sites differ until somebody decides.
TEST(RecordRepair, A4_an_orphan_edit_on_a_cut_log_is_left_alone) {
    for (bool at_admin : {false, true}) {
        Space space(3);
        space[0].put("c", "x", object_of(R"({"n": 1})"));
        space.converge();
        space[0].erase("c", "x");
        space.converge();
        space.acknowledge();
        std::size_t const purged = at_admin ? 0 : 1;
        EXPECT_EQ(value_of(space[purged]->purge(10)), 1u);
        while (value_of(space[purged]->truncate({})) > 0) {
        }
        EXPECT_FALSE(raw(space[purged], Family::records, record_key("x")));
        test::BrokenAuthor old_copy(space[2], space.id(), space.digest_key());
        Op op = test::simple_op("c", "x", "edited");
        op.fresh = false;
        old_copy.say(old_copy.header({"c", "name"}), {op});
        for (std::size_t i : {0u, 1u})
            value_of(space[i]->apply(old_copy.batch()));
        ASSERT_EQ(value_of(space[purged]->orphans({}, "", 10)).size(), 1u);
        ASSERT_NE(space[0]->root(), space[1]->root());
        for (std::size_t i : {0u, 1u})
            EXPECT_EQ(repair_with(space[i], space[1 - i], kAdmin).mended, 0u);
        EXPECT_EQ(value_of(space[purged]->orphans({}, "", 10)).size(), 1u);
    }
}

// ---- what is made of records --------------------------------------------------------------------

TEST(RecordRepair, D29_rows_of_the_indexes_that_were_lost_or_are_too_many_are_put_right) {
    Shop shop;
    std::vector<std::string> rows;
    for (auto const& [key, value] : contents(*shop.site().engine, Family::index))
        if (key.second[4] == 'd') rows.push_back(key.second);
    ASSERT_FALSE(rows.empty());
    for (auto const& key : rows)
        put_raw(shop.site(), Family::index, key, std::nullopt);
    put_raw(shop.site(), Family::index, keys::index_record(1, 'o', "c", "ann"), std::string());
    shop.expect_mended(check(shop.site()));
}

// ---- bounds -------------------------------------------------------------------------------------

// More than a search may hold in memory: what has no room is left for the next round, and nothing
// is made of the part that was read.
TEST(RecordRepair, D22_what_has_no_room_waits_for_the_next_round) {
    constexpr std::size_t kRecords = 120, kEach = 200 << 10;
    static_assert(kRecords * 3 * kEach > kSearchBytesMax);
    Space space(1);
    for (std::size_t i = 0; i < kRecords; ++i) {
        Value const text(std::string(kEach, static_cast<char>('a' + i % 26)));
        space[0].put("c", "r" + std::to_string(i), {{"x", text}, {"y", text}, {"z", text}});
    }
    auto const before = contents(*space[0].engine, Family::records);
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < kRecords; ++i) {
        spoil(space[0], "r" + std::to_string(i));
        keys.push_back(shared_key("r" + std::to_string(i)));
    }
    std::size_t mended = 0, rounds = 0;
    while (mended < kRecords) {
        RecordRepair repair(*space[0], keys);
        finish(repair, 4 << 20);
        auto const report = repair.take_report();
        mended += report.mended;
        keys = {space[0]->damaged_records().begin(), space[0]->damaged_records().end()};
        EXPECT_EQ(keys.size(), kRecords - mended);
        ASSERT_GT(report.mended, 0u);
        ASSERT_LT(++rounds, 5u);
        for (auto const& [key, value] : contents(*space[0].engine, Family::records))
            EXPECT_TRUE(value == before.at(key) || value == "no record") << key.second;
    }
    EXPECT_GT(rounds, 1u);
    EXPECT_EQ(value_of(space[0]->recompute_root()), space[0]->root());
}

// Nothing is cut under somebody who reads the log in steps.
TEST(RecordRepair, D25_the_log_is_not_cut_while_it_is_read) {
    Shop shop;
    shop.space.acknowledge();
    {
        RecordRepair repair(*shop.site());
        static_cast<void>(value_of(repair.step(300)));
        EXPECT_EQ(value_of(shop.site()->truncate({})), 0u);
        finish(repair);
        EXPECT_EQ(repair.take_report().mended, 0u);
    }
    EXPECT_GT(value_of(shop.site()->truncate({})), 0u);
}

// What is left of an erased record whose erase was cut stays: its proof says what it is.
TEST(RecordRepair, A17_marks_whose_erase_was_cut_stay_and_come_back_from_a_peer) {
    for (bool lost : {false, true}) {
        Shop shop;
        shop.site().erase_for_good("c", "ann");
        shop.space.converge();
        cut_all(shop.space);
        shop.before = contents(*shop.site().engine);
        EXPECT_EQ(check(shop.site()).mended, 0u);
        EXPECT_TRUE(contents(*shop.site().engine) == shop.before);
        auto const marks = keys::erased_key(crypto::view(shop.site()->erasures().begin()->first));
        spoil(shop.site(), marks);
        if (lost) put_raw(shop.site(), Family::records, record_key(marks), std::nullopt);
        shop.site().reopen();
        EXPECT_TRUE(shop.site()->is_erased(RecordName{"c", "ann"}));
        EXPECT_TRUE(shop.site()->root_comparable()) << "or nobody would ever ask";
        mend(shop.site());
        EXPECT_NE(shop.site()->root(), shop.space[1]->root()) << "a loss shows";
        repair_with(shop.site(), shop.space[1], kStandIn);
        EXPECT_EQ(shop.site().records(), shop.space[1].records());
        EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
    }
}

// Rows of a bad block go before the rest is summed; a restart in between must not leave the root of
// before, which is everybody's.
TEST(RecordRepair, D20_rows_that_were_dropped_show_in_the_root_at_once) {
    Shop shop;
    cut_all(shop.space);
    shop.site().engine->make_unreadable(Family::records, record_key("ann"));
    {
        RecordRepair repair(*shop.site(), std::vector<std::string>{shared_key("bob")});
        bool end = false;
        while (!end && !RecordRepair::rows_missing(*shop.site()))
            end = value_of(repair.step(300));
        ASSERT_FALSE(end);
    }
    EXPECT_NE(shop.site()->root(), shop.space[1]->root());
    shop.site().reopen();
    EXPECT_TRUE(RecordRepair::rows_missing(*shop.site()));
    EXPECT_NE(shop.site()->root(), shop.space[1]->root());
    repair_with(shop.site(), shop.space[1]);
    EXPECT_EQ(shop.site().field("c", "ann", "name"), Value("Ann"));
}

}  // namespace
}  // namespace inos
