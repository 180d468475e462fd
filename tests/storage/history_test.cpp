// A record's past: every change with what it did and how it ended, and the record as of a moment.
#include "storage/history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/copied_fields.hpp"
#include "tests/support/broken_author.hpp"
#include "tests/support/space.hpp"

namespace inos {
namespace {

using test::BrokenAuthor;
using test::object_of;
using test::simple_op;
using test::Site;
using test::Space;
using test::value_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

RecordPast past_of(Site& site, std::string key = "c1", std::string collection = "customers") {
    return value_of(read_past(*site, {std::move(collection), std::move(key)}));
}

std::vector<StepStory> stories_of(Site& site, std::string const& key = "c1") {
    auto const past = past_of(site, key);
    return tell_steps(past, site->schema("customers"), 0, past.steps.size(), [](ActorId) {
        return std::string("a site");
    });
}

// Told of are the newest steps that fit, and that they are not all.
TEST(History, reads_no_more_of_a_past_than_fits) {
    Space space(1);
    for (int i = 0; i < 5; ++i)
        space[0].put("customers",
                     "c1",
                     Object{{"memo", Value(std::string(1'000, static_cast<char>('a' + i)))}});
    RecordName const name{"customers", "c1"};
    for (auto const& [limits, steps] : std::vector<std::pair<HistoryLimits, std::size_t>>{
             {{100, 2'000}, 2}, {{100, 1}, 1}, {{2, 1'000'000}, 2}, {{5, 1'000'000}, 5}}) {
        auto const past = value_of(read_past(*space[0], name, limits));
        EXPECT_EQ(past.steps.size(), steps);
        EXPECT_EQ(past.complete, steps == 5);
        EXPECT_EQ(past.steps.back().op.edits.front().payload,
                  encode(Value(std::string(1'000, 'e'))));
    }
    auto const past = value_of(read_past(*space[0], name));
    auto const stories = tell_steps(past, {}, 0, 5, [](ActorId) { return std::string("a"); });
    EXPECT_GT(stories[0].bytes(), 1'000 + stories[0].fields[0].words.size());
}

// "field: words, from -> to, outcome" of one step.
std::vector<std::string> words_of(StepStory const& story) {
    auto const text = [](std::optional<Value> const& value) {
        return value ? write_json(*value) : std::string("nothing");
    };
    std::vector<std::string> words;
    for (FieldStep const& field : story.fields) {
        char const* const ended = field.outcome == Outcome::in_effect  ? "in effect"
                                  : field.outcome == Outcome::replaced ? "replaced"
                                                                       : "lost";
        words.push_back(field.field + ": " + field.words + ", " + text(field.from) + " -> " +
                        text(field.to) + ", " + ended);
    }
    return words;
}

Object fields_as_of(Site& site, VersionVector const& moment) {
    auto const record = record_as_of(past_of(site), moment);
    auto const& schema = site->schema("customers");
    return visible(state_of(record), schema.on_delete) ? resolve(record, schema).fields : Object{};
}

TEST(History, tells_what_each_change_did_and_how_it_ended) {
    Space space(2);
    space[0].put("customers", "c1", object_of(R"({"name": "Ann", "city": "Oslo"})"));
    space[0].patch("customers", "c1", object_of(R"({"city": "Lund"})"));
    space[0].patch("customers", "c1", object_of(R"({"name": null})"));
    auto const stories = stories_of(space[0]);
    ASSERT_EQ(stories.size(), 3u);
    EXPECT_EQ(stories[0].kind, StepKind::fresh);
    EXPECT_THAT(words_of(stories[0]),
                ElementsAre("city: set to \"Oslo\", nothing -> \"Oslo\", replaced",
                            "name: set to \"Ann\", nothing -> \"Ann\", replaced"));
    EXPECT_EQ(stories[0].outcome, Outcome::replaced);
    EXPECT_EQ(stories[1].kind, StepKind::change);
    EXPECT_THAT(words_of(stories[1]),
                ElementsAre("city: set to \"Lund\", \"Oslo\" -> \"Lund\", in effect"));
    EXPECT_THAT(words_of(stories[2]), ElementsAre("name: removed, \"Ann\" -> nothing, in effect"));
    EXPECT_TRUE(past_of(space[0]).complete);
}

TEST(History, names_concurrent_steps_and_the_one_that_lost) {
    Space space(2);
    space[0].put("customers", "c1", object_of(R"({"city": "Oslo"})"));
    space.converge();
    space[1].clock.advance(5'000);
    auto const early = space[0].patch("customers", "c1", object_of(R"({"city": "Lund"})"));
    auto const late = space[1].patch("customers", "c1", object_of(R"({"city": "Kiel"})"));
    space.converge();
    for (std::size_t i = 0; i < 2; ++i) {
        auto const stories = stories_of(space[i]);
        auto const past = past_of(space[i]);
        ASSERT_EQ(stories.size(), 3u);
        EXPECT_THAT(stories[0].concurrent, IsEmpty());
        for (std::size_t step : {1u, 2u}) {
            bool const lost = past.steps[step].dot == *early.dot;
            EXPECT_EQ(stories[step].outcome, lost ? Outcome::lost : Outcome::in_effect);
            EXPECT_THAT(stories[step].concurrent, ElementsAre(lost ? *late.dot : *early.dot));
        }
    }
    space[0].patch("customers", "c1", object_of(R"({"city": "Rome"})"));
    auto const after = stories_of(space[0]);
    EXPECT_EQ(after[1].outcome, Outcome::replaced);
    EXPECT_EQ(after[2].outcome, Outcome::replaced);
    EXPECT_EQ(after[3].outcome, Outcome::in_effect);
}

TEST(History, describes_every_type_in_words) {
    Space space(1);
    space[0].set_schema(R"({"customers": {"fields": {
        "points": {"type": "counter"}, "tags": {"type": "set"}, "vip": {"type": "flag"},
        "lines": {"type": "list"}, "memo": {"type": "text"}, "contact": {"type": "map"},
        "stock": {"type": "bounded-counter"}}}})");
    space[0].put("customers", "c1", object_of(R"({"points": 5, "tags": ["a"], "vip": true,
        "lines": ["x"], "memo": "hello", "contact": {"email": "e"}, "stock": 9})"));
    space[0].patch("customers", "c1", object_of(R"({"points": {"$inc": -2},
        "tags": {"$add": "b", "$remove": "a"}, "vip": false, "memo": "hell",
        "contact": {"email": null, "phone": "1"}, "stock": {"$inc": -4}, "lines": ["x", "y"]})"));
    auto const stories = stories_of(space[0]);
    EXPECT_THAT(words_of(stories[0]),
                ElementsAre("contact.email: set to \"e\", nothing -> \"e\", replaced",
                            "lines: inserted \"x\", nothing -> [\"x\"], in effect",
                            "memo: wrote \"hello\", nothing -> \"hello\", in effect",
                            "points: +5, nothing -> 5, in effect",
                            "stock: +9, nothing -> 9, in effect",
                            "tags: added \"a\", nothing -> [\"a\"], replaced",
                            "vip: switched on, nothing -> true, replaced"));
    EXPECT_THAT(words_of(stories[1]),
                ElementsAre("contact.email: removed, \"e\" -> nothing, in effect",
                            "contact.phone: set to \"1\", nothing -> \"1\", in effect",
                            "lines: inserted \"y\", [\"x\"] -> [\"x\",\"y\"], in effect",
                            "memo: cut 1 character, \"hello\" -> \"hell\", in effect",
                            "points: -2, 5 -> 3, in effect",
                            "stock: -4, 9 -> 5, in effect",
                            "tags: took out \"a\", added \"b\", [\"a\"] -> [\"b\"], in effect",
                            "vip: switched off, true -> false, in effect"));
    auto const lines = value_of(space[0]->get({"customers", "c1"}, Lists::elements));
    auto const id = find_member(lines->fields, "lines")->as<Array>()->front().find("element");
    Object remove{{"$remove", *id}};
    space[0].patch("customers", "c1", Object{{"lines", Value(std::move(remove))}});
    EXPECT_THAT(words_of(stories_of(space[0])[2]),
                ElementsAre("lines: removed the element " + *id->as<std::string>() +
                            ", [\"x\",\"y\"] -> [\"y\"], in effect"));
}

// Two sites' entries of one number: only its own author's is the one that made an element.
TEST(History, words_tell_who_inserts_from_who_sets) {
    Space space(2);
    space[0].set_schema(R"({"customers": {"fields": {"lines": {"type": "list"}}}})");
    auto const made = space[0].put("customers", "c1", object_of(R"({"lines": ["x"]})"));
    space.converge();
    while (space[1]->vector().at(space[1].actor()) + 1 < made.dot->seq)
        space[1].put(
            "other",
            "o",
            Object{
                {"n", Value(static_cast<std::int64_t>(space[1]->vector().at(space[1].actor())))}});
    auto const lines = value_of(space[1]->get({"customers", "c1"}, Lists::elements));
    auto const id = find_member(lines->fields, "lines")->as<Array>()->front().find("element");
    Object set{{"$set", Value(Object{{"element", *id}, {"value", Value("y")}})}};
    auto const done = space[1].patch("customers", "c1", Object{{"lines", Value(std::move(set))}});
    ASSERT_EQ(done.dot->seq, made.dot->seq);
    EXPECT_THAT(words_of(stories_of(space[1])[1]),
                ElementsAre(HasSubstr("set the element " + *id->as<std::string>())));
}

TEST(History, deleted_records_keep_theirs_and_a_write_begins_afresh) {
    Space space(1);
    space[0].put("customers", "c1", object_of(R"({"name": "Ann"})"));
    space[0].erase("customers", "c1");
    auto stories = stories_of(space[0]);
    ASSERT_EQ(stories.size(), 2u);
    EXPECT_EQ(stories[0].outcome, Outcome::replaced);
    EXPECT_EQ(stories[0].exists, true);
    EXPECT_EQ(stories[1].kind, StepKind::delete_);
    EXPECT_EQ(stories[1].outcome, Outcome::in_effect);
    EXPECT_EQ(stories[1].exists, false);
    space[0].put("customers", "c1", {});
    stories = stories_of(space[0]);
    EXPECT_EQ(stories[1].outcome, Outcome::replaced);
    EXPECT_EQ(stories[2].kind, StepKind::fresh);
    EXPECT_EQ(stories[2].outcome, Outcome::in_effect);
}

TEST(History, a_delete_that_a_concurrent_edit_undoes_is_lost) {
    Space space(2);
    space[0].put("customers", "c1", object_of(R"({"name": "Ann"})"));
    space.converge();
    space[0].erase("customers", "c1");
    space[1].patch("customers", "c1", object_of(R"({"city": "Lund"})"));
    space.converge();
    auto const past = past_of(space[0]);
    auto const stories = stories_of(space[0]);
    for (StepStory const& story : stories)
        EXPECT_EQ(story.outcome,
                  story.kind == StepKind::delete_ ? Outcome::lost : Outcome::in_effect);
    space[0].set_schema(R"({"customers": {"delete": "delete-wins"}})");
    for (StepStory const& story : stories_of(space[0])) {
        bool const edit = story.kind == StepKind::change;
        bool const deletes = story.kind == StepKind::delete_;
        EXPECT_EQ(story.outcome,
                  edit      ? Outcome::lost
                  : deletes ? Outcome::in_effect
                            : Outcome::replaced);
    }
}

TEST(History, as_of_a_vector_is_what_was_there) {
    Space space(2);
    space[0].put("customers", "c1", object_of(R"({"name": "Ann"})"));
    auto const first = space[0]->vector();
    space[0].patch("customers", "c1", object_of(R"({"name": "Anna", "city": "Lund"})"));
    auto const second = space[0]->vector();
    space[0].erase("customers", "c1");
    EXPECT_EQ(fields_as_of(space[0], first), object_of(R"({"name": "Ann"})"));
    EXPECT_EQ(fields_as_of(space[0], second), object_of(R"({"name": "Anna", "city": "Lund"})"));
    EXPECT_EQ(fields_as_of(space[0], space[0]->vector()), Object{});
    EXPECT_EQ(fields_as_of(space[0], {}), Object{});
}

TEST(History, as_of_a_time_goes_by_the_authors_clocks) {
    Space space(2);
    space[0].put("customers", "c1", object_of(R"({"n": 1})"));
    space[0].clock.advance(1'000);
    space[0].patch("customers", "c1", object_of(R"({"n": 2})"));
    auto const past = past_of(space[0]);
    auto const at = [&](std::uint64_t ms) { return fields_as_of(space[0], moment_of(past, ms)); };
    EXPECT_EQ(at(test::kTestNowMs - 1), Object{});
    EXPECT_EQ(at(test::kTestNowMs), object_of(R"({"n": 1})"));
    EXPECT_EQ(at(test::kTestNowMs + 999), object_of(R"({"n": 1})"));
    EXPECT_EQ(at(test::kTestNowMs + 1'000), object_of(R"({"n": 2})"));
}

// A clock that is an hour ahead made the record; somebody with the right time edits it. As of the
// edit's time the record it was made for has to be there too.
TEST(History, B6_as_of_a_time_holds_what_its_entries_had_seen_whatever_their_stamps) {
    Space space(2);
    space[1].clock.advance(3'600'000);
    space[1].put("customers", "c1", object_of(R"({"name": "Ann"})"));
    space.converge();
    space[0].patch("customers", "c1", object_of(R"({"city": "Lund"})"));
    auto const past = past_of(space[0]);
    std::uint64_t const edited = past.steps[1].hlc.ms();
    ASSERT_LT(edited, past.steps[0].hlc.ms());
    EXPECT_EQ(fields_as_of(space[0], moment_of(past, edited)),
              object_of(R"({"name": "Ann", "city": "Lund"})"));
    EXPECT_EQ(fields_as_of(space[0], moment_of(past, edited - 1)), Object{});
}

TEST(History, entries_that_are_void_do_not_show) {
    Space space(std::vector<test::SiteSetup>{{"a"}, {"scoped", Role::writer, {"orders"}}});
    space[0].put("customers", "c1", object_of(R"({"name": "Ann"})"));
    BrokenAuthor author(space[1], space.id(), space.digest_key());
    author.say({simple_op("customers", "c1", "no right")});
    EXPECT_EQ(value_of(space[0]->apply(author.batch())).voided, 1u);
    EXPECT_EQ(stories_of(space[0]).size(), 1u);
}

TEST(History, entries_in_which_other_records_were_erased_still_show) {
    Space space(2);
    space[0].commit({{Write::Kind::put, {"customers", "c1"}, object_of(R"({"name": "Ann"})"), {}},
                     {Write::Kind::put, {"customers", "gone"}, object_of(R"({"name": "X"})"), {}}});
    space.converge();
    space[1].erase_for_good("customers", "gone");
    space.converge();
    for (std::size_t i = 0; i < 2; ++i) {
        auto const stories = stories_of(space[i]);
        ASSERT_EQ(stories.size(), 1u);
        EXPECT_THAT(words_of(stories[0]),
                    ElementsAre("name: set to \"Ann\", nothing -> \"Ann\", in effect"));
        auto const refused = read_past(*space[i], {"customers", "gone"});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::gone);
        EXPECT_THAT(refused.error().message, HasSubstr("\"gone\""));
    }
}

TEST(History, what_is_restored_leaves_out_defaults_and_unwraps_a_kept_value) {
    Space space(2);
    space[0].set_schema(R"({"customers": {"fields": {
        "state": {"type": "register", "default": "open"},
        "notes": {"type": "register", "policy": "keep-all"}}}})");
    space[0].put("customers", "c1", object_of(R"({"notes": "a"})"));
    space.converge();
    auto const& schema = space[0]->schema("customers");
    EXPECT_EQ(copied_fields(past_of(space[0]).now, past_of(space[0]).now, schema),
              object_of(R"({"notes": "a"})"));
    space[1].clock.advance(1'000);
    space[0].patch("customers", "c1", object_of(R"({"notes": "b"})"));
    space[1].patch("customers", "c1", object_of(R"({"notes": "c"})"));
    space.converge();
    EXPECT_EQ(copied_fields(past_of(space[0]).now, past_of(space[0]).now, schema),
              object_of(R"({"notes": ["c", "b"]})"));
}

Outcome outcome_of(Site& site, Dot dot) {
    auto const past = past_of(site);
    for (StepStory const& story : stories_of(site))
        if (past.steps[story.step].dot == dot) return story.outcome;
    throw std::logic_error("there is no such step");
}

TEST(History, A7_a_removal_holds_beside_increments_that_add_nothing) {
    Space space(2);
    space[0].set_schema(R"({"customers": {"fields": {
        "points": {"type": "counter"}, "stock": {"type": "bounded-counter"}}}})");
    space[0].put("customers", "c1", object_of(R"({"points": 10, "stock": 10})"));
    space.converge();
    space[0].patch("customers", "c1", object_of(R"({"points": {"$inc": 2}})"));
    space[0].commit({{Write::Kind::transfer,
                      {"customers", "c1"},
                      object_of(R"({"stock": 1})"),
                      {},
                      space[1].actor()}});
    auto const gone =
        space[1].patch("customers", "c1", object_of(R"({"points": null, "stock": null})"));
    space.converge();
    ASSERT_EQ(space[0].get("customers", "c1")->fields, Object{});
    EXPECT_EQ(outcome_of(space[0], *gone.dot), Outcome::in_effect);
}

TEST(History, a_removed_list_stays_removed_beside_moves_and_removals_of_its_elements) {
    Space space(2);
    space[0].set_schema(R"({"customers": {"fields": {"lines": {"type": "list"}}}})");
    space[0].put("customers", "c1", object_of(R"({"lines": ["x", "y", "z"]})"));
    space.converge();
    space[0].patch("customers", "c1", object_of(R"({"lines": ["y", "x"]})"));
    auto const gone = space[1].patch("customers", "c1", object_of(R"({"lines": null})"));
    space.converge();
    ASSERT_EQ(space[0].get("customers", "c1")->fields, Object{});
    EXPECT_EQ(outcome_of(space[0], *gone.dot), Outcome::in_effect);
}

TEST(History, how_a_removed_element_ended_does_not_depend_on_who_has_purged) {
    Space space(2);
    space[0].set_schema(R"({"customers": {"fields": {"lines": {"type": "list"}}}})");
    space[0].put("customers", "c1", object_of(R"({"lines": ["x", "y"]})"));
    auto const removed = space[0].patch("customers", "c1", object_of(R"({"lines": ["y"]})"));
    space.converge();
    space.acknowledge();
    ASSERT_GT(value_of(space[0]->purge(1'000)), 0u);
    ASSERT_LT(past_of(space[0]).now.cells().size(), past_of(space[1]).now.cells().size());
    EXPECT_EQ(outcome_of(space[1], *removed.dot), Outcome::in_effect);
    EXPECT_EQ(outcome_of(space[0], *removed.dot), Outcome::in_effect);
    space[0].patch("customers", "c1", object_of(R"({"lines": null})"));
    space.converge();
    EXPECT_EQ(outcome_of(space[0], *removed.dot), Outcome::replaced);
    EXPECT_EQ(outcome_of(space[1], *removed.dot), Outcome::replaced);
}

// The counter is taken away at one site, counted up at the other, and there the record is deleted.
TEST(History, how_an_increment_without_its_counter_ended_does_not_depend_on_who_has_purged) {
    Space space(2);
    space[1].put("customers", "c1", object_of(R"({"points": {"$inc": 1}})"));
    space.converge();
    auto const counted = space[1].patch("customers", "c1", object_of(R"({"points": {"$inc": 2}})"));
    space[0].patch("customers", "c1", object_of(R"({"points": null})"));
    space.pull(0, 1);
    EXPECT_EQ(outcome_of(space[1], *counted.dot), Outcome::lost);
    space[1].erase("customers", "c1");
    space.converge();
    space.acknowledge();
    ASSERT_GT(value_of(space[0]->purge(1'000)), 0u);
    ASSERT_LT(past_of(space[0]).now.cells().size(), past_of(space[1]).now.cells().size());
    for (std::size_t i : {0, 1})
        EXPECT_EQ(outcome_of(space[i], *counted.dot), Outcome::replaced)
            << "the delete had seen it";
}

// Who took the list away had seen the removal; that the record is deleted besides changes nothing.
TEST(History, a_removal_of_an_element_that_was_taken_away_is_replaced_also_in_a_deleted_record) {
    Space space(2);
    space[0].set_schema(
        R"({"customers": {"delete": "delete-wins", "fields": {"lines": {"type": "list"}}}})");
    space[0].put("customers", "c1", object_of(R"({"lines": ["x", "y"]})"));
    space.converge();
    auto const removed = space[0].patch("customers", "c1", object_of(R"({"lines": ["y"]})"));
    space[0].patch("customers", "c1", object_of(R"({"lines": null})"));
    EXPECT_EQ(outcome_of(space[0], *removed.dot), Outcome::replaced);
    space[1].erase("customers", "c1");
    space.converge();
    ASSERT_FALSE(space[0].get("customers", "c1"));
    EXPECT_EQ(outcome_of(space[0], *removed.dot), Outcome::replaced);
}

TEST(History, a_delete_is_replaced_by_who_writes_having_seen_it_also_if_deleted_again) {
    Space space(1);
    space[0].put("customers", "c1", object_of(R"({"name": "Ann"})"));
    auto const first = space[0].erase("customers", "c1");
    space[0].put("customers", "c1", object_of(R"({"name": "Bea"})"));
    auto const second = space[0].erase("customers", "c1");
    EXPECT_EQ(outcome_of(space[0], *first.dot), Outcome::replaced);
    EXPECT_EQ(outcome_of(space[0], *second.dot), Outcome::in_effect);
}

}  // namespace
}  // namespace inos
