// What record repair costs at most, whoever asks, and what it gets past: blocks that cannot be read
// in several places, errors in the middle, schemas that nobody knows.
#include <gmock/gmock.h>

#include "tests/storage/repair_fixture.hpp"
#include "tests/support/broken_author.hpp"

namespace inos {
namespace {

using namespace test;
using testing::HasSubstr;

void spoil(Site& site, std::string const& key, std::string const& collection = "c") {
    put_raw(site, Family::records, record_key(key, collection), std::string("no record"));
}

void cut_all(Space& space) {
    space.acknowledge();
    for (std::size_t i = 0; i < space.size(); ++i)
        while (value_of(space[i]->truncate({})) > 0) {
        }
}

std::string marks_key(Site& site) {
    return keys::erased_key(crypto::view(site->erasures().begin()->first));
}

void put_large(Site& site, std::string const& key) {
    Value const large(std::string(200'000, 'x'));
    site.put("c", key, {{"a", large}, {"b", large}, {"c", large}, {"d", large}});
}

// What is damaged costs as much as what is sent.
TEST(RecordRepair, D24_what_is_read_for_an_answer_counts_sent_or_not) {
    Space space(1);
    std::vector<std::string> keys;
    for (int i = 0; i < 8; ++i) {
        put_large(space[0], "r" + std::to_string(i));
        keys.push_back(shared_key("r" + std::to_string(i)));
    }
    std::size_t const each = raw(space[0], Family::records, record_key("r0"))->size();
    std::size_t looked = 0;
    EXPECT_EQ(value_of(shared_states(*space[0], keys, &looked)).size(), 1u);
    EXPECT_EQ(looked, 2 * each);
    for (auto const& key : keys)
        put_raw(space[0], Family::records, record_key(key.substr(2)), std::string(each, 'x'));
    EXPECT_EQ(value_of(shared_states(*space[0], keys, &looked)).size(), 2u);
    EXPECT_EQ(looked, 2 * each);
}

TEST(RecordRepair, D24_nobody_asks_for_one_record_again_and_again_in_one_question) {
    Shop shop;
    std::string const ann = shared_key("ann"), bob = shared_key("bob");
    EXPECT_EQ(shared_states(*shop.site(), {ann, ann}).error().code, Errc::protocol);
    EXPECT_EQ(shared_states(*shop.site(), {bob, ann}).error().code, Errc::protocol);
    EXPECT_EQ(value_of(shared_states(*shop.site(), {ann, bob})).size(), 2u);
}

// Few records, of many bytes: an answer about them ends sooner, and goes on behind.
TEST(RecordRanges, D24_large_records_cost_by_their_bytes) {
    Space space(2);
    for (int i = 10; i < 40; ++i)
        put_large(space[0], "r" + std::to_string(i));
    space.converge();
    auto const first = value_of(summarize(*space[0].engine, 1, {}));
    EXPECT_FALSE(first.range.to.empty());
    EXPECT_LT(first.items.size(), 30u);
    EXPECT_LT(first.looked, 2 * kRangeScanMax);
    space[1].patch("c", "r39", {{"a", Value(1)}});
    EXPECT_EQ(differing(space[0], space[1]).size(), 1u);
}

// Between two places that cannot be read, and named by no entry any more.
TEST(RecordRepair, D20_what_lies_between_two_blocks_that_cannot_be_read_stays) {
    Space space(2);
    std::string const collection(60, 'k');
    for (int i = 0; i < 60; ++i)
        space[0].put(collection, "r" + std::to_string(10 + i), {{"n", Value(i)}});
    space[0].put("a", "x", {{"n", Value(1)}});
    space[0].put("z", "x", {{"n", Value(1)}});
    space.converge();
    cut_all(space);
    auto const before = space[0].records();
    std::set<std::string> bad{"r12", "r20", "r21", "r44", "r69"};
    for (auto const& key : bad)
        space[0].engine->make_unreadable(Family::records, record_key(key, collection));
    check(space[0]);
    auto const now = space[0].records();
    EXPECT_EQ(now.size() + bad.size(), before.size());
    for (auto const& [key, value] : now)
        EXPECT_EQ(value, before.at(key));
    EXPECT_EQ(check(space[0]).mended, 0u);
    repair_with(space[0], space[1], kAdmin);
    EXPECT_EQ(space[0].records(), before);
    EXPECT_EQ(space[0]->root(), space[1]->root());
}

// Their erase was cut, so that nothing doubts them.
TEST(RecordRepair, A17_marks_in_a_block_that_cannot_be_read_do_not_keep_it) {
    Shop shop;
    shop.site().erase_for_good("c", "ann");
    shop.space.converge();
    cut_all(shop.space);
    auto const before = shop.site().records();
    auto const marks = marks_key(shop.site());
    shop.site().engine->make_unreadable(Family::records, record_key(marks));
    shop.site().engine->make_unreadable(Family::records, record_key("bob"));
    check(shop.site());
    EXPECT_EQ(check(shop.site()).mended, 0u);
    EXPECT_TRUE(shop.site()->damaged_records().contains(shared_key(marks)));
    repair_with(shop.site(), shop.space[1], kAdmin);
    EXPECT_EQ(shop.site().records(), before);
    EXPECT_EQ(shop.site()->root(), shop.space[1]->root());
    EXPECT_TRUE(shop.site()->damaged_records().empty());
    // Gone without a trace, they are missed, too.
    put_raw(shop.site(), Family::records, record_key(marks), std::nullopt);
    check(shop.site());
    EXPECT_TRUE(shop.site()->damaged_records().contains(shared_key(marks)));
}

// Of two erases of the same record one was cut: the marks are of both.
TEST(RecordRepair, A17_marks_are_not_built_of_the_erase_that_is_left) {
    Shop shop;
    shop.site().erase_for_good("c", "ann");
    Seq const first = shop.site()->vector().at(shop.site().actor());
    shop.space[1].erase_for_good("c", "ann");
    shop.space.converge();
    auto const before = shop.site().records();
    cut(shop.site(), shop.site().actor(), first);
    spoil(shop.site(), marks_key(shop.site()));
    shop.site().reopen();
    check(shop.site());
    EXPECT_EQ(shop.site()->damaged_records().size(), 1u);
    EXPECT_NE(shop.site()->root(), shop.space[1]->root());
    repair_with(shop.site(), shop.space[1], kAdmin);
    EXPECT_EQ(shop.site().records(), before);
}

// The erase that others have sent the proof of may still come.
TEST(RecordRepair, A17_an_erase_that_is_still_to_come_reads_no_log_at_the_start) {
    Space space(3);
    for (int i = 0; i < 100; ++i)
        space[0].put("c", "r" + std::to_string(i), object_of(R"({"n": 1})"));
    space.converge();
    space[1].patch("c", "r0", object_of(R"({"city": "Bonn"})"));
    space.pull(1, 0);
    space[0].erase_for_good("c", "r0");
    space.pull(0, 1);
    // Of site 1 its own entries only: a stub, with the proof.
    auto batch = value_of(space[1]->collect(space[2]->vector(), 1 << 20));
    auto const of_eraser = [&](auto const& item) { return item.actor == space[0].actor(); };
    std::erase_if(batch.runs, of_eraser);
    std::erase_if(batch.heads, of_eraser);
    value_of(space[2]->apply(batch));
    ASSERT_FALSE(space[2]->root_comparable());
    space[2].reopen();
    EXPECT_FALSE(space[2]->root_comparable());
    // Whoever reads the log comes upon this.
    std::string const key = keys::log(1, {space[0].actor(), 1});
    space[2].engine->make_unreadable(Family::log, key);
    space[2].reopen();
    EXPECT_FALSE(space[2]->damaged_records().empty()) << "the node looks by itself";
    EXPECT_FALSE(mend(space[2]).log_damage.empty());
    EXPECT_TRUE(space[2]->damaged_records().empty());
    EXPECT_FALSE(space[2]->root_comparable());
    space.converge();
    EXPECT_EQ(space[2]->root(), space[0]->root());
}

TEST(RecordRepair, D29_rows_of_the_indexes_that_cannot_be_read_are_written_anew) {
    Shop shop;
    std::vector<std::string> rows;
    for (auto const& [key, value] : contents(*shop.site().engine, Family::index))
        if (key.second[4] == 'd') rows.push_back(key.second);
    ASSERT_FALSE(rows.empty());
    for (auto const& key : rows)
        shop.site().engine->make_unreadable(Family::index, key);
    shop.site().reopen();
    EXPECT_GT(check(shop.site()).mended, 0u);
    EXPECT_EQ(check(shop.site()).mended, 0u);
    for (auto const& key : rows)
        EXPECT_TRUE(raw(shop.site(), Family::index, key));
    // Nor do they keep a site with a damaged schema from opening.
    shop.site().set_schema(R"({"c": {"delete": "delete-wins"}})");
    shop.space.converge();
    for (auto const& key : rows)
        shop.site().engine->make_unreadable(Family::index, key);
    spoil(shop.site(), "c", "_schema");
    shop.site().reopen();
    EXPECT_EQ(shop.site()->schema("c").on_delete, DeletePolicy::delete_wins);
}

// Under what rules the values would be written, nobody here knows.
TEST(RecordRepair, D20_nothing_is_written_under_a_schema_that_is_damaged) {
    Shop shop;
    shop.site().set_schema(R"({"c": {"delete": "delete-wins"}})");
    shop.space.converge();
    flip(shop.site(),
         Family::log,
         keys::log(1, {shop.site().actor(), shop.site()->vector().at(shop.site().actor())}));
    spoil(shop.site(), "c", "_schema");
    auto const write = [&](std::string const& collection) {
        return shop.site().try_commit(
            {{Write::Kind::put, {collection, "new"}, object_of(R"({"n": 1})"), {}}});
    };
    EXPECT_TRUE(write("c")) << "what was read rules as long as it is in memory";
    shop.space.converge();
    shop.site().reopen();
    auto const refused = write("c");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::corruption);
    EXPECT_THAT(refused.error().message, HasSubstr("schema of \"c\""));
    EXPECT_TRUE(write("d"));
    shop.space.converge();
    repair_with(shop.site(), shop.space[1], kAdmin);
    EXPECT_TRUE(write("c"));
    EXPECT_EQ(shop.site()->schema("c").on_delete, DeletePolicy::delete_wins);
}

// It rules although the round ends with an error behind it.
TEST(RecordRepair, a_schema_that_is_put_right_counts_although_the_round_fails) {
    Shop shop;
    shop.site().set_schema(R"({"c": {"delete": "delete-wins"}})");
    shop.space.converge();
    flip(shop.site(),
         Family::log,
         keys::log(1, {shop.site().actor(), shop.site()->vector().at(shop.site().actor())}));
    spoil(shop.site(), "c", "_schema");
    shop.site().reopen();
    ASSERT_EQ(shop.site()->schema("c").on_delete, DeletePolicy::update_wins);
    std::string const key = std::string("_schema") + '\0' + "c";
    RecordRepair repair(*shop.site(), {{key}});
    finish(repair);
    ASSERT_EQ(repair.next_open().size(), 1u);
    value_of(repair.merge(value_of(shared_states(*shop.space[1], {key})), kAdmin));
    shop.site().engine->fail_reads(true);
    EXPECT_FALSE(repair.step());
    shop.site().engine->fail_reads(false);
    EXPECT_EQ(shop.site()->schema("c").on_delete, DeletePolicy::delete_wins);
}

// A long list is written in pieces, the record behind them.
TEST(RecordRepair, D22_a_list_of_many_entries_is_joined_in_bounded_writes) {
    Space space(1);
    std::size_t const entries = 2 * kRewrittenAtOnce + 100;
    for (std::size_t i = 0; i < entries; ++i)
        space[0].put("c", "ann", {{"n", Value(static_cast<std::int64_t>(i))}});
    auto const before = contents(*space[0].engine);
    std::string const key = keys::log(1, {space[0].actor(), entries / 2});
    auto entry = *StoredEntry::decode(before.at({Family::log, key}), space[0].actor());
    entry.links = {{space[0].actor(), 1}};
    put_raw(space[0], Family::log, key, entry.encode(space[0].actor()));
    std::size_t const writes = space[0].engine->writes();
    EXPECT_EQ(check(space[0], 1 << 20).mended, 1u);
    EXPECT_GE(space[0].engine->writes() - writes, 3u);
    EXPECT_TRUE(contents(*space[0].engine) == before);
    EXPECT_EQ(value_of(space[0]->history({"c", "ann"}, {entries, 1 << 30})).size(), entries);
}

// What a disk has bent into a circle is walked once.
TEST(RecordRepair, D25_a_list_in_a_circle_or_with_a_hole_stops_neither_erases_nor_purges) {
    for (bool hole : {false, true}) {
        Shop shop;
        for (char const* word : {"Secret1", "Secret2", "Secret3"})
            shop.site().patch("c", "ann", {{"city", Value(word)}});
        shop.site().put("c", "eve", object_of(R"({"n": 1})"));
        shop.site().patch("c", "eve", object_of(R"({"n": 2})"));
        shop.site().erase("c", "eve");
        shop.space.converge();
        auto const ann = value_of(shop.site()->history({"c", "ann"})).steps;
        auto const eve = value_of(shop.site()->history({"c", "eve"})).steps;
        auto const spoil_list = [&](std::vector<HistoryStep> const& steps) {
            Dot const at = steps[steps.size() - 2].dot;
            std::string const key = keys::log(1, at);
            if (hole) return put_raw(shop.site(), Family::log, key, std::string("no entry"));
            std::string const bytes = *raw(shop.site(), Family::log, key);
            auto entry = *StoredEntry::decode(bytes, at.actor);
            entry.links = {steps.back().dot};
            put_raw(shop.site(), Family::log, key, entry.encode(at.actor));
        };
        spoil_list(ann);
        spoil_list(eve);
        shop.space.acknowledge();
        EXPECT_TRUE(shop.site()->purge(10));
        shop.space[1].erase_for_good("c", "ann");
        shop.space.pull(1, 0);
        EXPECT_EQ(shop.site()->vector(), shop.space[1]->vector());
        ASSERT_TRUE(shop.site()->damaged_records().contains(shared_key("ann")));
        mend(shop.site());
        EXPECT_FALSE(shop.site()->damaged_records().contains(shared_key("ann")));
        for (auto const& [key, value] : contents(*shop.site().engine))
            for (char const* word : {"Kiel", "Bonn", "Secret"})
                EXPECT_EQ(value.find(word), std::string::npos) << key.second << hole;
    }
}

void expect_nothing_of(Site& site, std::string_view word) {
    for (auto const& [key, value] : contents(*site.engine))
        EXPECT_EQ(value.find(word), std::string::npos) << key.second;
}

// What was read before the erase came was not looked at for it.
TEST(RecordRepair, A17_an_erase_that_comes_while_the_log_is_read_is_carried_out) {
    for (int steps = 1; steps < 8; ++steps) {
        Shop shop;
        for (char const* word : {"Secret1", "Secret2", "Secret3"})
            shop.site().patch("c", "ann", {{"city", Value(word)}});
        shop.space.converge();
        spoil(shop.site(), "ann");
        RecordRepair repair(*shop.site(), {{shared_key("ann")}});
        for (int i = 0; i < steps; ++i)
            static_cast<void>(value_of(repair.step(300)));
        shop.space[1].erase_for_good("c", "ann");
        shop.space.pull(1, 0);
        finish(repair);
        mend(shop.site());
        EXPECT_TRUE(shop.site()->damaged_records().empty());
        expect_nothing_of(shop.site(), "Secret");
    }
}

// One entry holds two of them; one has a long list.
TEST(RecordRepair, A17_records_of_one_entry_are_erased_in_several_writes) {
    Shop shop;
    auto const both = [&](std::string const& word) {
        shop.site().commit({{Write::Kind::patch, {"c", "ann"}, {{"city", Value(word)}}, {}},
                            {Write::Kind::patch, {"c", "bob"}, {{"city", Value(word)}}, {}}});
    };
    both("Secret1");
    for (std::size_t i = 0; i < kRewrittenAtOnce; ++i)
        shop.site().patch("c", "bob", {{"n", Value(static_cast<std::int64_t>(i))}});
    both("Secret2");
    shop.space.converge();
    spoil(shop.site(), "ann");
    spoil(shop.site(), "bob");
    shop.space[1].erase_for_good("c", "ann");
    shop.space[1].erase_for_good("c", "bob");
    shop.space.pull(1, 0);
    RecordRepair repair(*shop.site(), {{shared_key("ann"), shared_key("bob")}});
    finish(repair, 1 << 20);
    EXPECT_TRUE(shop.site()->damaged_records().empty());
    expect_nothing_of(shop.site(), "Secret");
}

// What a damaged entry builds on cannot be read, either.
TEST(RecordRepair, D20_two_damaged_places_of_the_log_end_no_round) {
    Shop shop;
    shop.site().put("c", "eve", object_of(R"({"n": 1})"));
    Dot const first{shop.site().actor(), shop.site()->vector().at(shop.site().actor())};
    shop.space.converge();
    shop.space[1].put("c", "fay", object_of(R"({"n": 1})"));
    Dot const second{shop.space[1].actor(), shop.space[1]->vector().at(shop.space[1].actor())};
    shop.space.converge();
    shop.site().engine->make_unreadable(Family::log, keys::log(1, first));
    flip(shop.site(), Family::log, keys::log(1, second));
    spoil(shop.site(), "ann");
    EXPECT_EQ(check(shop.site()).log_damage.size(), 2u);
    repair_with(shop.site(), shop.space[1], kAdmin);
    EXPECT_EQ(shop.site().field("c", "ann", "name"), Value("Ann"));
}

TEST(RecordRepair, A17_a_void_entry_that_cannot_be_read_keeps_no_erase_from_coming) {
    Space space({{"a", Role::admin, {}}, {"b", Role::writer, {}}, {"c", Role::writer, {"orders"}}});
    space[0].put("customers", "anna", object_of(R"({"n": 1})"));
    space.pull(0, 1);
    BrokenAuthor broken(space[2], space.id(), space.digest_key());
    broken.say(broken.header({"orders", "customers", "name"}),
               {simple_op("orders", "good"), simple_op("customers", "anna", "secret")});
    ASSERT_EQ(value_of(space[0]->apply(broken.batch())).voided, 1u);
    put_raw(space[0], Family::log, keys::log(1, {space[2].actor(), 1}), std::string("no entry"));
    space[1].erase_for_good("customers", "anna");
    space.pull(1, 0);
    EXPECT_TRUE(space[0]->is_erased(RecordName{"customers", "anna"}));
}

// Under delete-wins, and in the list of orphan edits.
TEST(RecordRepair, D20_a_damaged_record_holds_up_no_upkeep_of_others) {
    Shop shop;
    shop.site().set_schema(R"({"c": {"delete": "delete-wins"}})");
    for (char const* key : {"r1", "r2"})
        shop.site().put("c", key, object_of(R"({"n": 1})"));
    shop.space.converge();
    for (char const* key : {"r1", "r2"}) {
        shop.site().erase("c", key);
        shop.space[1].patch("c", key, object_of(R"({"n": 2})"));
    }
    shop.space.pull(1, 0);
    shop.site().engine->make_unreadable(Family::records, record_key("r1"));
    put_raw(shop.site(), Family::index, keys::index_record(1, 'o', "c", "r1"), std::string());
    EXPECT_EQ(value_of(shop.site()->delete_again(100)), 1u);
    EXPECT_EQ(value_of(shop.site()->orphans({}, "", 10)).size(), 0u);
}

}  // namespace
}  // namespace inos
