// Why a record says what it says.
#include "storage/explain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/space.hpp"

namespace inos {
namespace {

using test::object_of;
using test::Site;
using test::Space;
using test::value_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

RecordStory story_of(Site& site, std::string_view field = {}) {
    auto const past = value_of(read_past(*site, {"customers", "c1"}));
    return explain(past, site->schema("customers"), field);
}

FieldStory field_of(Site& site, std::string_view field) {
    auto story = story_of(site, field);
    EXPECT_EQ(story.fields.size(), 1u) << field;
    return story.fields.empty() ? FieldStory{} : std::move(story.fields.front());
}

std::vector<std::string> names_of(RecordStory const& story) {
    std::vector<std::string> names;
    for (FieldStory const& field : story.fields)
        names.push_back(field.field);
    return names;
}

// Two sites that write a field at the same time, site 1 five seconds later by its clock.
class Explain : public testing::Test {
protected:
    void schema(std::string const& fields) {
        space[0].set_schema(R"({"customers": {"fields": {)" + fields + "}}}");
        space.converge();
    }
    void begin(std::string_view fields) {
        space[0].put("customers", "c1", object_of(fields));
        space.converge();
        space[1].clock.advance(5'000);
    }
    void write(std::size_t site, std::string_view fields, std::string source) {
        space[site].commit({{Write::Kind::patch, {"customers", "c1"}, object_of(fields), {}}},
                           std::move(source));
    }
    void both(std::string_view first, std::string_view second) {
        write(0, first, "crm");
        write(1, second, "shop");
        space.converge();
    }

    Space space{2};
};

TEST_F(Explain, a_value_with_its_author_source_and_times) {
    begin(R"({"city": "Oslo"})");
    write(1, R"({"city": "Lund"})", "shop");
    space[0].clock.advance(60'000);
    space.converge();
    auto const city = field_of(space[0], "city");
    EXPECT_EQ(city.value, Value("Lund"));
    EXPECT_EQ(city.type, "register");
    EXPECT_EQ(city.rule, "the only value");
    ASSERT_TRUE(city.written);
    EXPECT_EQ(city.written->dot.actor, space[1].actor());
    EXPECT_EQ(city.written->source, "shop");
    EXPECT_EQ(city.written->hlc.ms(), test::kTestNowMs + 5'000);
    EXPECT_EQ(city.written->arrived_ms, test::kTestNowMs + 60'000);
    EXPECT_THAT(city.lost, IsEmpty());
    ASSERT_EQ(city.before.size(), 1u);
    EXPECT_EQ(city.before[0].value, Value("Oslo"));
    EXPECT_EQ(city.before[0].written->dot.actor, space[0].actor());
    EXPECT_EQ(city.before[0].replaced.dot, city.written->dot);
}

TEST_F(Explain, policy_latest_and_what_lost) {
    begin(R"({"city": "Oslo"})");
    both(R"({"city": "Lund"})", R"({"city": "Kiel"})");
    auto const city = field_of(space[0], "city");
    EXPECT_EQ(city.value, Value("Kiel"));
    EXPECT_EQ(city.rule, "policy \"latest\": the later of 2 concurrent writes");
    ASSERT_EQ(city.lost.size(), 1u);
    EXPECT_EQ(city.lost[0].value, Value("Lund"));
    EXPECT_EQ(city.lost[0].origin.source, "crm");
    EXPECT_EQ(city.lost[0].why, "written earlier, by the clocks of the two sites");
    // What stands beside the value was not replaced by it.
    ASSERT_EQ(city.before.size(), 1u);
    EXPECT_EQ(city.before[0].value, Value("Oslo"));
}

TEST_F(Explain, the_same_value_from_two_sites) {
    begin(R"({"city": "Oslo"})");
    both(R"({"city": "Lund"})", R"({"city": "Lund"})");
    EXPECT_EQ(field_of(space[0], "city").rule, "the same value from 2 concurrent writes");
}

TEST_F(Explain, policy_priority_names_the_sources) {
    schema(R"("email": {"type": "register", "policy": "priority", "ranking": ["crm", "shop"]})");
    begin(R"({"email": "a"})");
    both(R"({"email": "b"})", R"({"email": "c"})");
    auto email = field_of(space[0], "email");
    EXPECT_EQ(email.value, Value("b"));
    EXPECT_EQ(email.rule, R"(policy "priority": "crm" stands before "shop" in the ranking)");
    EXPECT_EQ(email.lost[0].why, R"("crm" stands before "shop" in the ranking)");
    schema(R"("email": {"type": "register", "policy": "priority", "ranking": ["crm"]})");
    email = field_of(space[0], "email");
    EXPECT_EQ(email.rule, R"(policy "priority": "crm" stands in the ranking, "shop" does not)");
    schema(R"("email": {"type": "register", "policy": "priority", "ranking": ["x"]})");
    email = field_of(space[0], "email");
    EXPECT_EQ(email.value, Value("c"));
    EXPECT_EQ(email.rule,
              R"(policy "priority" does not tell "shop" from "crm": the later of 2 concurrent )"
              "writes");
}

TEST_F(Explain, policy_priority_does_not_count_who_stands_lower) {
    Space three(3);
    three[0].set_schema(R"({"customers": {"fields": {"email":
        {"type": "register", "policy": "priority", "ranking": ["crm"]}}}})");
    three[0].put("customers", "c1", {});
    three.converge();
    for (std::size_t i = 0; i < 3; ++i) {
        three[i].clock.advance(i * 1'000);
        three[i].commit({{Write::Kind::patch,
                          {"customers", "c1"},
                          Object{{"email", Value(std::string(1, static_cast<char>('a' + i)))}},
                          {}}},
                        i < 2 ? "crm" : "shop");
    }
    three.converge();
    auto const email = field_of(three[0], "email");
    EXPECT_EQ(email.value, Value("b"));
    EXPECT_EQ(email.rule,
              R"(policy "priority": the latest of several concurrent writes from "crm")");
}

TEST_F(Explain, policy_order_knows_texts_only) {
    schema(R"("mail": {"type": "register", "policy": "order", "order": ["0", "1"]})");
    begin(R"({"mail": "x"})");
    both(R"({"mail": "0"})", R"({"mail": 1})");
    auto const mail = field_of(space[0], "mail");
    EXPECT_EQ(mail.value, Value("0"));
    EXPECT_EQ(mail.rule, R"(policy "order": "0" stands in the order, "1" does not)");
}

TEST_F(Explain, an_object_beside_another_type_has_members) {
    begin(R"({"address": {"street": "Main"}})");
    both(R"({"address": "x"})", R"({"address": {"street": "Side"}})");
    auto const story = story_of(space[0], "address");
    ASSERT_EQ(story.fields.size(), 2u);
    EXPECT_EQ(story.fields[0].value, Value(Object{{"street", Value("Side")}}));
    EXPECT_THAT(story.fields[0].rule, testing::Not(HasSubstr("without")));
}

TEST_F(Explain, rights_that_were_passed_on_make_no_counter_and_write_no_value) {
    schema(R"("stock": {"type": "bounded-counter"})");
    begin(R"({"stock": 10})");
    space[0].commit({{Write::Kind::transfer,
                      {"customers", "c1"},
                      object_of(R"({"stock": 1})"),
                      {},
                      space[1].actor()}});
    EXPECT_EQ(field_of(space[0], "stock").written->source, "test");
    EXPECT_LT(field_of(space[0], "stock").written->dot.seq,
              space[0]->vector().at(space[0].actor()));
    write(1, R"({"stock": null})", "shop");
    space.converge();
    auto const stock = field_of(space[0], "stock");
    EXPECT_FALSE(stock.value);
    EXPECT_EQ(stock.rule, "somebody took it away");
    ASSERT_TRUE(stock.written);
    EXPECT_EQ(stock.written->source, "shop");
}

TEST_F(Explain, a_minimum_that_was_raised_took_nothing_away) {
    schema(R"("stock": {"type": "bounded-counter"})");
    begin(R"({"stock": 10})");
    schema(R"("stock": {"type": "bounded-counter", "min": 20})");
    auto const stock = field_of(space[0], "stock");
    ASSERT_EQ(stock.lost.size(), 1u);
    EXPECT_EQ(stock.lost[0].value, Value(20));
    EXPECT_THAT(stock.lost[0].why, HasSubstr("raised"));
}

TEST_F(Explain, policy_order_names_the_values) {
    schema(R"("mail": {"type": "register", "policy": "order", "order": ["pending", "yes", "no"]})");
    begin(R"({"mail": "pending"})");
    both(R"({"mail": "no"})", R"({"mail": "yes"})");
    auto const mail = field_of(space[0], "mail");
    EXPECT_EQ(mail.value, Value("no"));
    EXPECT_EQ(mail.rule, R"(policy "order": "no" stands behind "yes" in the order)");
}

TEST_F(Explain, policy_keep_all_loses_nothing) {
    schema(R"("notes": {"type": "register", "policy": "keep-all"})");
    begin(R"({"notes": "a"})");
    both(R"({"notes": "b"})", R"({"notes": "c"})");
    auto const notes = field_of(space[0], "notes");
    EXPECT_EQ(notes.value, Value(Array{Value("c"), Value("b")}));
    EXPECT_EQ(notes.rule, R"(policy "keep-all": all 2 concurrent values, the latest first)");
    EXPECT_EQ(notes.lost[0].why, "not lost: shown among the others");
}

TEST_F(Explain, flags_say_which_side_wins) {
    schema(R"("vip": {"type": "flag", "wins": "disable"}, "open": {"type": "flag"})");
    begin(R"({"vip": true, "open": true})");
    both(R"({"vip": false, "open": false})",
         R"({"vip": {"$enable": true}, "open": {"$enable": true}})");
    auto const vip = field_of(space[0], "vip");
    EXPECT_EQ(vip.value, Value(false));
    EXPECT_EQ(vip.rule, "wins = \"disable\": off wins over a concurrent on");
    EXPECT_EQ(vip.written->source, "crm");
    EXPECT_EQ(field_of(space[0], "open").rule, "on wins over a concurrent off");
}

TEST_F(Explain, counters_are_the_sum_of_what_sites_counted) {
    schema(R"("points": {"type": "counter"})");
    begin(R"({"points": 10})");
    both(R"({"points": {"$inc": -2}})", R"({"points": {"$inc": 5}})");
    auto const points = field_of(space[0], "points");
    EXPECT_EQ(points.value, Value(13));
    EXPECT_EQ(points.rule, "the sum of what 2 sites counted");
    ASSERT_EQ(points.shares.size(), 2u);
    for (Share const& share : points.shares)
        EXPECT_EQ(share.value, Value(share.origin.dot.actor == space[0].actor() ? 8 : 5));
    ASSERT_GE(points.before.size(), 1u);
    EXPECT_EQ(points.before.back().value, Value(10));
}

TEST_F(Explain, A7_increments_of_a_counter_that_was_taken_away_are_told_with_their_amount) {
    schema(R"("points": {"type": "counter"}, "stock": {"type": "bounded-counter", "min": 0})");
    begin(R"({"points": 10, "stock": 10})");
    write(0, R"({"stock": {"$inc": -1}})", "crm");
    space.converge();
    write(1, R"({"points": null, "stock": null})", "shop");
    write(0, R"({"points": {"$inc": 2}, "stock": {"$inc": -3}})", "crm");
    write(0, R"({"points": {"$inc": 4}})", "erp");
    space.converge();
    auto const points = field_of(space[1], "points");
    EXPECT_FALSE(points.value);
    EXPECT_EQ(points.rule, "somebody took it away");
    ASSERT_TRUE(points.written);
    EXPECT_EQ(points.written->source, "shop");
    ASSERT_EQ(points.lost.size(), 1u);
    EXPECT_EQ(points.lost[0].value, Value(object_of(R"({"$inc": 6})")));
    EXPECT_EQ(points.lost[0].origin.source, "erp");
    EXPECT_EQ(points.lost[0].origin.dot.actor, space[0].actor());
    EXPECT_EQ(points.lost[0].why,
              "adds nothing: somebody who had not seen it took the counter away");
    auto const stock = field_of(space[0], "stock");
    ASSERT_EQ(stock.lost.size(), 1u);
    EXPECT_EQ(stock.lost[0].value, Value(object_of(R"({"$inc": -3})")));

    write(1, R"({"points": {"$inc": 1}})", "shop");
    space.converge();
    EXPECT_THAT(field_of(space[0], "points").lost, IsEmpty());
    EXPECT_EQ(field_of(space[0], "points").value, Value(1));

    // Also where the clock of who took it away is behind.
    write(0, R"({"points": 5})", "crm");
    space.converge();
    space[0].clock.advance(60'000);
    write(0, R"({"points": {"$inc": 1}})", "crm");
    write(1, R"({"points": null})", "office");
    space.converge();
    EXPECT_EQ(field_of(space[0], "points").written->source, "office");
}

TEST_F(Explain, bounded_counters_tell_who_may_use_how_much) {
    schema(R"("stock": {"type": "bounded-counter", "min": 0})");
    begin(R"({"stock": 10})");
    write(0, R"({"stock": {"$inc": -4}})", "crm");
    auto const stock = field_of(space[0], "stock");
    EXPECT_EQ(stock.value, Value(6));
    ASSERT_EQ(stock.shares.size(), 1u);
    EXPECT_EQ(stock.shares[0].value, Value(6));
    ASSERT_TRUE(stock.rights);
    EXPECT_EQ(stock.rights->of(space[0].actor()), 6);
}

TEST_F(Explain, sets_lists_and_texts_tell_who_gave_what) {
    schema(R"("tags": {"type": "set"}, "lines": {"type": "list"}, "memo": {"type": "text"})");
    begin(R"({"tags": ["a"], "lines": ["x"], "memo": "hello"})");
    write(1, R"({"tags": {"$add": "b"}, "lines": ["x", "y"], "memo": "hello you"})", "shop");
    space.converge();
    auto const site_of = [&](Share const& share) {
        return share.origin.dot.actor == space[1].actor() ? 1 : 0;
    };
    auto const tags = field_of(space[0], "tags");
    ASSERT_EQ(tags.shares.size(), 2u);
    EXPECT_EQ(tags.shares[1].value, Value("b"));
    EXPECT_EQ(site_of(tags.shares[1]), 1);
    auto const lines = field_of(space[0], "lines");
    ASSERT_EQ(lines.shares.size(), 2u);
    EXPECT_EQ(lines.shares[0].value, Value("x"));
    EXPECT_EQ(site_of(lines.shares[0]), 0);
    EXPECT_EQ(site_of(lines.shares[1]), 1);
    EXPECT_NE(lines.shares[0].element, "");
    auto const memo = field_of(space[0], "memo");
    EXPECT_EQ(memo.rule, "what 2 sites wrote and nobody has cut");
    for (Share const& share : memo.shares)
        EXPECT_EQ(share.value, Value(site_of(share) == 1 ? 4 : 5));
}

TEST_F(Explain, maps_are_told_leaf_by_leaf) {
    begin(R"({"contact": {"email": "a", "phone": "1"}, "name": "Ann"})");
    EXPECT_THAT(names_of(story_of(space[0])),
                ElementsAre("contact.email", "contact.phone", "name"));
    EXPECT_THAT(names_of(story_of(space[0], "contact")),
                ElementsAre("contact.email", "contact.phone"));
    EXPECT_THAT(names_of(story_of(space[0], "contact.phone")), ElementsAre("contact.phone"));
    EXPECT_EQ(field_of(space[0], "contact.phone").value, Value("1"));
    EXPECT_THAT(story_of(space[0], "contact.pho").fields, IsEmpty());
    write(0, R"({"contact": {"phone": "2"}})", "crm");
    auto const phone = field_of(space[0], "contact.phone");
    ASSERT_EQ(phone.before.size(), 1u);
    EXPECT_EQ(phone.before[0].value, Value("1"));
    EXPECT_THAT(field_of(space[0], "contact.email").before, IsEmpty());
}

TEST_F(Explain, values_of_another_type_and_defaults) {
    begin(R"({"name": "Ann"})");
    both(R"({"address": "here"})", R"({"address": {"street": "there"}})");
    auto const story = story_of(space[0], "address");
    EXPECT_THAT(names_of(story), ElementsAre("address", "address.street"));
    ASSERT_EQ(story.fields[0].lost.size(), 1u);
    EXPECT_EQ(story.fields[0].lost[0].value, Value("here"));
    EXPECT_EQ(story.fields[0].lost[0].why,
              R"(written as "register"; the latest write made it "map")");
    schema(R"("state": {"type": "register", "default": "open"}, "name": {"type": "counter"})");
    auto const state = field_of(space[0], "state");
    EXPECT_EQ(state.value, Value("open"));
    EXPECT_FALSE(state.written);
    EXPECT_EQ(state.rule, "nothing is written there: the schema's default");
    auto const name = field_of(space[0], "name");
    EXPECT_FALSE(name.value);
    EXPECT_EQ(name.rule, "nothing was written as what the schema says");
    ASSERT_EQ(name.lost.size(), 1u);
    EXPECT_EQ(name.lost[0].why, R"(written as "register"; the schema says "counter")");
}

TEST_F(Explain, a_default_that_is_read_again_tells_who_took_the_value_away) {
    schema(R"("state": {"type": "register", "default": "open"})");
    begin(R"({"state": "closed"})");
    write(1, R"({"state": null})", "shop");
    space.converge();
    EXPECT_THAT(names_of(story_of(space[0])), ElementsAre("state"));
    auto const state = field_of(space[0], "state");
    EXPECT_EQ(state.value, Value("open"));
    EXPECT_EQ(state.rule, "it was taken away, so the schema's default is read");
    ASSERT_TRUE(state.written);
    EXPECT_EQ(state.written->source, "shop");
    ASSERT_EQ(state.before.size(), 1u);
    EXPECT_EQ(state.before[0].value, Value("closed"));
    EXPECT_EQ(state.before[0].replaced.dot, state.written->dot);
}

TEST_F(Explain, a_field_that_was_taken_away_tells_who_did_it) {
    begin(R"({"name": "Ann", "city": "Oslo"})");
    write(1, R"({"city": null})", "shop");
    space.converge();
    auto const city = field_of(space[0], "city");
    EXPECT_FALSE(city.value);
    EXPECT_EQ(city.rule, "it was taken away");
    ASSERT_TRUE(city.written);
    EXPECT_EQ(city.written->source, "shop");
    ASSERT_EQ(city.before.size(), 1u);
    EXPECT_EQ(city.before[0].value, Value("Oslo"));
}

TEST_F(Explain, a_field_that_went_with_a_delete_names_the_delete) {
    begin(R"({"name": "Ann", "city": "Oslo"})");
    auto const deleted = space[0].erase("customers", "c1");
    space[0].put("customers", "c1", object_of(R"({"name": "Bea"})"));
    auto const city = field_of(space[0], "city");
    EXPECT_FALSE(city.value);
    ASSERT_TRUE(city.written);
    EXPECT_EQ(city.written->dot, *deleted.dot);
}

TEST_F(Explain, a_value_that_a_concurrent_edit_brought_back_keeps_its_author) {
    begin(R"({"name": "Ann", "city": "Oslo"})");
    space[1].patch("customers", "c1", object_of(R"({"city": "Lund"})"));
    space[0].erase("customers", "c1");
    space.converge();
    write(0, R"({"name": "Bea"})", "crm");
    auto const name = field_of(space[0], "name");
    ASSERT_EQ(name.before.size(), 1u);
    EXPECT_EQ(name.before[0].value, Value("Ann"));
    EXPECT_EQ(name.before[0].written->hlc.ms(), test::kTestNowMs);
    EXPECT_EQ(name.before[0].replaced.dot, name.written->dot);
}

// As seen where the removal comes last.
TEST_F(Explain, a_value_that_a_removal_reveals_keeps_its_author) {
    Space three(3);
    three[0].put("customers", "c1", object_of(R"({"city": "Oslo"})"));
    three.converge();
    three[1].clock.advance(5'000);
    three[1].patch("customers", "c1", object_of(R"({"city": "Kiel"})"));
    three.pull(1, 2);
    auto const lund = three[0].patch("customers", "c1", object_of(R"({"city": "Lund"})"));
    three.pull(1, 0);
    three[2].patch("customers", "c1", object_of(R"({"city": null})"));
    three.pull(2, 0);
    three[0].patch("customers", "c1", object_of(R"({"city": "Rome"})"));
    auto const before = field_of(three[0], "city").before;
    ASSERT_GE(before.size(), 2u);
    EXPECT_EQ(before[0].value, Value("Lund"));
    EXPECT_EQ(before[0].written->dot, *lund.dot);
    EXPECT_EQ(before[1].value, Value("Kiel"));
    EXPECT_EQ(before[1].written->dot.actor, three[1].actor());
}

TEST_F(Explain, only_the_last_five_values_before) {
    begin(R"({"n": 0})");
    for (int n = 1; n < 9; ++n)
        space[0].patch("customers", "c1", Object{{"n", Value(n)}});
    auto const story = field_of(space[0], "n");
    ASSERT_EQ(story.before.size(), kFormerMax);
    EXPECT_EQ(story.before.front().value, Value(7));
    EXPECT_EQ(story.before.back().value, Value(3));
}

TEST_F(Explain, deleted_records_tell_who_deleted_them) {
    begin(R"({"name": "Ann"})");
    auto const deleted = space[1].erase("customers", "c1");
    space.converge();
    auto story = story_of(space[0]);
    EXPECT_EQ(story.state, RecordStory::State::deleted);
    ASSERT_EQ(story.deletes.size(), 1u);
    EXPECT_EQ(story.deletes[0].dot, *deleted.dot);
    EXPECT_THAT(story.fields, IsEmpty());
    // Also when nothing but the history is left of it.
    space.acknowledge();
    space.acknowledge();
    ASSERT_EQ(value_of(space[0]->purge(100)), 1u);
    story = story_of(space[0]);
    EXPECT_EQ(story.state, RecordStory::State::deleted);
    EXPECT_THAT(story.why, HasSubstr("purged"));
    ASSERT_EQ(story.deletes.size(), 1u);
    EXPECT_EQ(story.deletes[0].dot, *deleted.dot);
}

TEST_F(Explain, an_edit_that_brought_a_deleted_record_back) {
    begin(R"({"name": "Ann"})");
    auto const deleted = space[1].erase("customers", "c1");
    write(0, R"({"city": "Lund"})", "crm");
    space.converge();
    auto story = story_of(space[0]);
    EXPECT_EQ(story.state, RecordStory::State::exists);
    EXPECT_THAT(story.why, HasSubstr("bring the whole record back"));
    ASSERT_EQ(story.deletes.size(), 1u);
    EXPECT_EQ(story.deletes[0].dot, *deleted.dot);
    ASSERT_EQ(story.not_deleting.size(), 1u);
    EXPECT_EQ(story.not_deleting[0].source, "crm");
    space[0].set_schema(R"({"customers": {"delete": "delete-wins"}})");
    story = story_of(space[0]);
    EXPECT_EQ(story.state, RecordStory::State::deleted);
    EXPECT_THAT(story.why, HasSubstr("it stays deleted"));
    EXPECT_EQ(story.not_deleting.size(), 1u);
}

}  // namespace
}  // namespace inos
