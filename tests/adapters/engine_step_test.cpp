// The three-way step, with a record, an object and a shadow that go on from step to step.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/pair_bindings.hpp"

namespace inos::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Did = Pair::Did;

RecordName const kName{"c", "x"};

Value tags(std::initializer_list<char const*> names) {
    Array array;
    for (char const* name : names)
        array.emplace_back(name);
    return Value(std::move(array));
}

Value inc(std::int64_t by) {
    return Value(Object{{"$inc", Value(by)}});
}

class EngineStep : public ::testing::Test {
protected:
    explicit EngineStep(DeletePolicy on_delete = DeletePolicy::update_wins)
        : schemas(customer_schemas(on_delete)) {}

    // Both sides hold the same, and the shadow knows it.
    void begin() {
        local({{"name", Value("Ann")}, {"city", Value("Kiel")}, {"tags", tags({"a", "b"})}});
        local({{"stock", inc(10)}});
        ASSERT_TRUE(pair.settle());
        ASSERT_EQ(pair.system.value("/Name"), Value("Ann"));
        pair.counts = {};
    }
    void local(Object fields, std::string source = "office") {
        node.set_source(std::move(source));
        node.set_time(time += 1'000);
        ASSERT_TRUE(node.patch(kName, std::move(fields)));
    }
    std::vector<Conflict> conflicts() const { return node.resolved(kName).conflicts; }

    std::uint64_t time = 1'700'000'000'000;
    Schemas schemas;
    MiniReplica node{ActorId{1}, "office", schemas};
    Pair pair{node, customer_binding(), kName, "shop"};
};

TEST_F(EngineStep, a_record_makes_an_object_and_then_nothing_is_to_do) {
    begin();
    EXPECT_EQ(pair.system.created(), 1u);
    EXPECT_EQ(pair.system.writes(), 1u);
    EXPECT_EQ(pair.system.value("/Address/City"), Value("Kiel"));
    EXPECT_EQ(pair.system.value("/Tags"), tags({"a", "b"}));
    EXPECT_EQ(pair.system.value("/Stock"), Value(10));
    EXPECT_EQ(pair.round(), Did::nothing);
    EXPECT_EQ(pair.counts.echo_suppressed, 1u);
}

TEST_F(EngineStep, an_object_makes_a_record_with_all_that_it_has) {
    pair.system.edit("/Name", Value("Eve"));
    pair.system.edit("/Address/City", Value("Ulm"));
    pair.system.edit("/Tags", tags({"vip"}));
    pair.system.edit("/Stock", Value(7));
    pair.system.edit("/Owner", Value("Otto"));
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/name"), Value("Eve"));
    EXPECT_EQ(pair.field("/tags"), tags({"vip"}));
    EXPECT_EQ(pair.field("/stock"), Value(7));
    EXPECT_EQ(pair.field("/owner"), Value("Otto"));
    EXPECT_EQ(pair.system.writes(), 0u) << "what came from there is not sent back";
}

TEST_F(EngineStep, F1_only_what_has_changed_goes_out_with_the_compare_token) {
    begin();
    local({{"name", Value("Anna")}});
    auto const step = pair.plan();
    ASSERT_TRUE(step.outbound);
    EXPECT_EQ(step.outbound->kind, OutboundWrite::Kind::update);
    EXPECT_EQ(step.outbound->token, pair.system.token());
    ASSERT_EQ(step.outbound->fields.size(), 1u);
    EXPECT_EQ(step.outbound->fields[0].path, "/name");
    EXPECT_EQ(pair.settle(), 1);
    EXPECT_EQ(pair.system.value("/Name"), Value("Anna"));
}

TEST_F(EngineStep, what_users_change_there_comes_in_and_is_not_sent_back) {
    begin();
    auto const writes = pair.system.writes();
    pair.system.edit("/Name", Value("Eve"));
    EXPECT_EQ(pair.settle(), 1);
    EXPECT_EQ(pair.field("/name"), Value("Eve"));
    pair.system.edit("/Name", Value("Eva"));
    EXPECT_EQ(pair.settle(), 1);
    EXPECT_THAT(conflicts(), IsEmpty()) << "the second edit has seen the first";
    EXPECT_EQ(pair.system.writes(), writes);
}

TEST_F(EngineStep, edits_on_both_sides_are_concurrent_and_the_policy_decides) {
    begin();
    local({{"city", Value("Bonn")}});
    pair.system.edit("/Address/City", Value("Ulm"));
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.counts.conflicts, 1u);
    EXPECT_EQ(pair.field("/city"), Value("Bonn")) << "the office goes first";
    EXPECT_EQ(pair.system.value("/Address/City"), Value("Bonn"));
    ASSERT_EQ(conflicts().size(), 1u) << "and what lost can be read";
    // Now the shop has been shown both, so that what it says next counts.
    pair.system.edit("/Address/City", Value("Essen"));
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/city"), Value("Essen"));
    EXPECT_THAT(conflicts(), IsEmpty());
}

TEST_F(EngineStep, fields_that_were_shown_unequally_do_not_hide_each_others_edits) {
    begin();
    // The city waits, for the system does not take it; the name, written later, is there.
    pair.binding.maps[1].max = 4;
    local({{"city", Value("Bielefeld")}});
    local({{"name", Value("Anna")}});
    ASSERT_TRUE(pair.settle());
    ASSERT_EQ(pair.system.value("/Name"), Value("Anna"));
    ASSERT_EQ(pair.system.value("/Address/City"), Value("Kiel"));
    pair.system.edit("/Address/City", Value("Ulm"));
    pair.system.edit("/Name", Value("Eve"));
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/name"), Value("Eve"));
    EXPECT_EQ(pair.field("/city"), Value("Bielefeld"));
    ASSERT_EQ(conflicts().size(), 1u) << "only the city's edit had not been shown";
    EXPECT_EQ(conflicts()[0].field, "city");
}

TEST_F(EngineStep, a_second_edit_there_does_not_hide_one_that_was_never_shown) {
    begin();
    local({{"city", Value("Bonn")}});
    pair.system.edit("/Address/City", Value("Ulm"));
    ASSERT_EQ(pair.round(), Did::inbound);
    pair.system.edit("/Address/City", Value("Essen"));  // before Bonn was sent
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/city"), Value("Bonn")) << "the office goes first";
    EXPECT_EQ(pair.system.value("/Address/City"), Value("Bonn"));
}

TEST_F(EngineStep, the_same_change_on_both_sides_makes_no_entry) {
    begin();
    local({{"name", Value("Eve")}});
    pair.system.edit("/Name", Value("Eve"));
    auto const entries = node.log().size();
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.counts.agreed, 1u);
    EXPECT_EQ(node.log().size(), entries);
    pair.system.edit("/Name", Value("Eva"));
    ASSERT_TRUE(pair.settle());
    EXPECT_THAT(conflicts(), IsEmpty());
}

TEST_F(EngineStep, F3_the_form_in_which_a_system_keeps_a_value_is_no_change) {
    pair.system.normalise = [](Pointer const& pointer, Value value) {
        auto const* text = value.as<std::string>();
        return text && pointer.text() == "/Name" ? Value("<" + *text + ">") : value;
    };
    local({{"name", Value("Ann")}});
    ASSERT_TRUE(pair.settle());
    EXPECT_THAT(pair.normalised, ElementsAre("/name"));
    EXPECT_EQ(pair.system.value("/Name"), Value("<Ann>"));
    EXPECT_EQ(pair.field("/name"), Value("Ann"));
    EXPECT_EQ(pair.system.writes(), 1u);
}

TEST_F(EngineStep, F22_what_is_read_after_a_write_and_is_another_value_is_a_change) {
    begin();
    pair.evidence = Evidence::read_back;
    local({{"name", Value("Anna")}});
    pair.system.normalise = [](Pointer const&, Value) { return Value("Eve"); };  // somebody's edit
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/name"), Value("Eve"));
    EXPECT_THAT(conflicts(), IsEmpty()) << "it came after our write";
}

TEST_F(EngineStep, a_write_with_an_old_token_does_nothing_and_is_decided_anew) {
    begin();
    local({{"city", Value("Bonn")}});
    ASSERT_EQ(pair.round(1), Did::crashed);  // the intent is durable
    pair.system.edit("/Address/City", Value("Ulm"));
    EXPECT_EQ(pair.round(), Did::stale);
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.system.overwritten(), 0u);
    EXPECT_EQ(pair.field("/city"), Value("Bonn"));
    EXPECT_EQ(conflicts().size(), 1u);
}

TEST_F(EngineStep, E10_a_value_that_says_nothing_does_not_come_in_and_is_put_right) {
    begin();
    local({{"consent", Value("no")}});
    ASSERT_TRUE(pair.settle());
    ASSERT_EQ(pair.system.value("/OptedOut"), Value(true));
    pair.system.edit("/OptedOut", Value(false));
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/consent"), Value("no"));
    EXPECT_EQ(pair.system.value("/OptedOut"), Value(true));
}

TEST_F(EngineStep, elements_of_sets_are_added_and_removed_one_by_one) {
    begin();
    local({{"tags", Value(Object{{"$add", tags({"c"})}, {"$remove", tags({"a"})}})}});
    pair.system.add("/Tags", Value("d"));
    pair.system.remove("/Tags", Value("b"));
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/tags"), tags({"c", "d"}));
    EXPECT_EQ(pair.system.value("/Tags"), tags({"c", "d"}));
}

TEST_F(EngineStep, F12_counters_go_both_ways_as_differences) {
    begin();
    local({{"stock", inc(-3)}});
    pair.system.count("/Stock", -2);
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/stock"), Value(5));
    EXPECT_EQ(pair.system.value("/Stock"), Value(5));
}

TEST_F(EngineStep, F12_a_difference_that_was_sent_is_not_taken_for_theirs) {
    begin();
    local({{"stock", inc(-3)}});
    pair.lose_answer = true;
    ASSERT_EQ(pair.round(), Did::crashed);
    ASSERT_EQ(pair.system.value("/Stock"), Value(7));
    auto const waiting = pair.plan();
    EXPECT_FALSE(waiting.inbound);
    EXPECT_FALSE(waiting.outbound);
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/stock"), Value(7));
    EXPECT_EQ(pair.system.value("/Stock"), Value(7));
}

TEST_F(EngineStep, what_goes_out_only_is_written_again_where_somebody_changed_it) {
    begin();
    local({{"label", Value("A")}});
    ASSERT_TRUE(pair.settle());
    pair.system.edit("/Label", Value("B"));
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/label"), Value("A"));
    EXPECT_EQ(pair.system.value("/Label"), Value("A"));
}

TEST_F(EngineStep, F9_a_field_that_is_hidden_says_nothing) {
    begin();
    Object const all = *pair.system.object();
    Object const hidden{{"Name", Value("Ann")}};
    auto const fields = pair.fields();
    auto const views = field_views(pair.binding, &fields, &hidden);
    auto const step = plan_step({pair.binding,
                                 node.record(kName),
                                 node.schema(kName),
                                 pair.shadow,
                                 views,
                                 true,
                                 "1",
                                 {},
                                 pair.now_ms});
    EXPECT_FALSE(step.inbound);
    EXPECT_FALSE(step.outbound);
}

TEST_F(EngineStep, E10_a_field_that_is_emptied_there_is_emptied_here) {
    begin();
    pair.system.edit("/Name", Value());
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(find_member(pair.fields(), "name"), nullptr);
    local({{"name", Value("Ann")}});
    local({{"name", Value()}});
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.system.value("/Name"), Value());
}

TEST_F(EngineStep, a_value_that_cannot_be_taken_is_told_once_and_left_alone) {
    begin();
    pair.system.edit("/Name", Value(Object{{"$inc", Value(1)}}));
    ASSERT_TRUE(pair.settle());
    ASSERT_EQ(pair.problems.size(), 1u);
    EXPECT_EQ(pair.problems[0].kind, StepProblem::Kind::refused_in);
    EXPECT_EQ(pair.problems[0].path, "/name");
    EXPECT_THAT(pair.problems[0].why, HasSubstr("begins with $"));
    EXPECT_EQ(pair.field("/name"), Value("Ann"));
    EXPECT_TRUE(pair.system.value("/Name").as<Object>());
}

TEST_F(EngineStep, F18_a_value_that_the_system_cannot_hold_does_not_keep_others_back) {
    begin();
    pair.binding.maps[1].max = 4;
    local({{"city", Value("Bielefeld")}, {"name", Value("Anna")}});
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.system.value("/Name"), Value("Anna"));
    EXPECT_EQ(pair.system.value("/Address/City"), Value("Kiel"));
    ASSERT_FALSE(pair.problems.empty());
    EXPECT_EQ(pair.problems[0].kind, StepProblem::Kind::refused_out);
    EXPECT_EQ(pair.problems[0].path, "/city");
}

TEST_F(EngineStep, F3_two_sides_that_undo_each_other_are_stopped) {
    begin();
    for (int i = 0; i < 20; ++i) {
        pair.system.edit("/Name", Value(i % 2 == 0 ? "A" : "B"));
        pair.settle();
    }
    ASSERT_EQ(pair.problems.size(), 1u);
    EXPECT_EQ(pair.problems[0].kind, StepProblem::Kind::flips);
    EXPECT_TRUE(pair.shadow.field("/name")->quarantined);
    local({{"name", Value("C")}});
    ASSERT_TRUE(pair.settle());
    EXPECT_NE(pair.system.value("/Name"), Value("C"));
}

TEST_F(EngineStep, changes_back_and_forth_over_a_longer_time_are_nobodys_fault) {
    begin();
    for (int i = 0; i < 20; ++i) {
        pair.now_ms += pair.binding.errors.flips_per_ms;
        pair.system.edit("/Name", Value(i % 2 == 0 ? "A" : "B"));
        pair.settle();
    }
    EXPECT_THAT(pair.problems, IsEmpty());
}

// ---- deletions ----------------------------------------------------------------------------------

TEST_F(EngineStep, a_deleted_object_deletes_its_record_if_it_was_not_edited) {
    begin();
    pair.binding.deletes.in = DeleteRule::propagate;
    local({{"note", Value("not mapped")}});
    pair.system.remove_object();
    ASSERT_TRUE(pair.settle());
    EXPECT_FALSE(node.exists(kName));
    EXPECT_EQ(pair.shadow.state, Shadow::State::gone);
    EXPECT_EQ(pair.system.created(), 1u);
}

TEST_F(EngineStep, a_record_that_was_edited_meanwhile_survives_and_makes_an_object_again) {
    begin();
    pair.binding.deletes.in = DeleteRule::propagate;
    local({{"name", Value("Anna")}});
    pair.system.remove_object();
    ASSERT_TRUE(pair.settle());
    EXPECT_TRUE(node.exists(kName));
    EXPECT_EQ(pair.field("/city"), Value("Kiel"));
    EXPECT_EQ(pair.system.value("/Name"), Value("Anna"));
    EXPECT_EQ(pair.system.value("/Stock"), Value(10));
    EXPECT_EQ(pair.system.created(), 2u);
}

TEST_F(EngineStep, a_counter_that_moved_meanwhile_keeps_the_record_too) {
    begin();
    pair.binding.deletes.in = DeleteRule::propagate;
    local({{"stock", inc(1)}});
    pair.system.remove_object();
    ASSERT_TRUE(pair.settle());
    EXPECT_TRUE(node.exists(kName));
    EXPECT_EQ(pair.system.value("/Stock"), Value(11));
}

TEST_F(EngineStep, a_deleted_object_parts_from_its_record) {
    begin();
    pair.system.remove_object();
    ASSERT_TRUE(pair.settle());
    local({{"name", Value("Anna")}});
    ASSERT_TRUE(pair.settle());
    EXPECT_TRUE(node.exists(kName));
    EXPECT_EQ(pair.shadow.state, Shadow::State::parted);
    EXPECT_EQ(pair.system.created(), 1u);
}

TEST_F(EngineStep, a_deleted_object_is_noted_in_the_record) {
    begin();
    pair.binding.deletes.in = DeleteRule::archive;
    pair.binding.deletes.archive_in = Archive{at("/name"), Value(" (gone)"), true};
    pair.system.remove_object();
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/name"), Value("Ann (gone)"));
    EXPECT_EQ(pair.shadow.state, Shadow::State::parted);
}

TEST_F(EngineStep, a_deleted_object_is_ignored) {
    begin();
    pair.binding.deletes.in = DeleteRule::ignore;
    pair.system.remove_object();
    ASSERT_TRUE(pair.settle());
    local({{"name", Value("Anna")}});
    ASSERT_TRUE(pair.settle());
    EXPECT_TRUE(node.exists(kName));
    EXPECT_EQ(pair.system.created(), 1u);
}

TEST_F(EngineStep, F15_an_object_that_comes_back_brings_its_record_back) {
    begin();
    pair.binding.deletes.in = DeleteRule::propagate;
    Object const before = *pair.system.object();
    pair.system.remove_object();
    ASSERT_TRUE(pair.settle());
    ASSERT_FALSE(node.exists(kName));
    for (Member const& member : before)
        pair.system.edit("/" + member.key, member.value);
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/name"), Value("Ann"));
    EXPECT_EQ(pair.field("/stock"), Value(10));
}

TEST_F(EngineStep, a_deleted_record_deletes_its_object) {
    begin();
    pair.binding.deletes.out = DeleteRule::propagate;
    ASSERT_TRUE(node.erase(kName));
    ASSERT_TRUE(pair.settle());
    EXPECT_FALSE(pair.system.object());
    EXPECT_EQ(pair.shadow.state, Shadow::State::deleted);
}

TEST_F(EngineStep, a_deleted_record_leaves_its_object_as_the_binding_says) {
    begin();
    ASSERT_TRUE(node.erase(kName));
    ASSERT_TRUE(pair.settle());
    EXPECT_TRUE(pair.system.object());
    EXPECT_EQ(pair.shadow.state, Shadow::State::live);
    pair.binding.deletes.out = DeleteRule::archive;
    pair.binding.deletes.archive_out = Archive{at("/Label"), Value("closed")};
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.system.value("/Label"), Value("closed"));
    EXPECT_EQ(pair.shadow.state, Shadow::State::parted);
}

TEST_F(EngineStep, an_edit_that_the_deleter_had_not_seen_brings_the_whole_record_back) {
    begin();
    pair.binding.deletes.out = DeleteRule::propagate;
    ASSERT_TRUE(node.erase(kName));
    pair.system.edit("/Name", Value("Eve"));
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/name"), Value("Eve"));
    EXPECT_EQ(pair.field("/city"), Value("Kiel"));
    EXPECT_EQ(pair.field("/tags"), tags({"a", "b"}));
    EXPECT_EQ(pair.field("/stock"), Value(10));
}

class EngineStepDeleteWins : public EngineStep {
protected:
    EngineStepDeleteWins() : EngineStep(DeletePolicy::delete_wins) {}
};

TEST_F(EngineStepDeleteWins, such_an_edit_goes_with_the_object_and_counts_as_a_conflict) {
    begin();
    pair.binding.deletes.out = DeleteRule::propagate;
    ASSERT_TRUE(node.erase(kName));
    pair.system.edit("/Name", Value("Eve"));
    ASSERT_TRUE(pair.settle());
    EXPECT_FALSE(node.exists(kName));
    EXPECT_FALSE(pair.system.object());
    EXPECT_EQ(pair.counts.conflicts, 1u);
}

TEST_F(EngineStep, of_an_erased_record_nothing_is_read_and_nothing_kept) {
    begin();
    pair.erased = true;
    pair.system.edit("/Name", Value("Eve"));
    EXPECT_EQ(pair.round(), Did::suppressed);
    EXPECT_TRUE(pair.shadow.fields.empty());
}

TEST_F(EngineStep, F8_an_object_is_gone_when_two_audits_in_a_row_have_missed_it) {
    EXPECT_FALSE(note_miss(pair.shadow));
    EXPECT_TRUE(note_miss(pair.shadow));
    begin();
    EXPECT_EQ(pair.shadow.misses, 0u);
}

// ---- the first look -----------------------------------------------------------------------------

class FirstLook : public EngineStep {
protected:
    void both(Value city_here, Value city_there) {
        local({{"city", std::move(city_here)}, {"name", Value("Ann")}});
        pair.system.edit("/Name", Value("Ann"));
        pair.system.edit("/Address/City", std::move(city_there));
    }
    void rule(Differing::Rule rule, bool prefer_record = false) {
        pair.binding.initial.differing_at[at("/city")] = {rule, prefer_record};
    }
};

TEST_F(FirstLook, the_side_that_has_no_value_takes_the_others) {
    both(Value(), Value("Ulm"));
    local({{"label", Value("A")}});
    pair.system.edit("/Label", Value());
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/city"), Value("Ulm"));
    EXPECT_EQ(pair.system.value("/Label"), Value("A"));
    EXPECT_THAT(conflicts(), IsEmpty());
}

TEST_F(FirstLook, values_that_differ_are_concurrent) {
    both(Value("Kiel"), Value("Ulm"));
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/city"), Value("Kiel")) << "the office goes first";
    EXPECT_EQ(pair.system.value("/Address/City"), Value("Kiel"));
    EXPECT_EQ(conflicts().size(), 1u);
}

TEST_F(FirstLook, one_side_is_preferred) {
    rule(Differing::Rule::prefer, false);
    both(Value("Kiel"), Value("Ulm"));
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/city"), Value("Ulm"));
    EXPECT_THAT(conflicts(), IsEmpty());
}

TEST_F(FirstLook, the_other_side_is_preferred) {
    rule(Differing::Rule::prefer, true);
    both(Value("Kiel"), Value("Ulm"));
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/city"), Value("Kiel"));
    EXPECT_EQ(pair.system.value("/Address/City"), Value("Kiel"));
    EXPECT_THAT(conflicts(), IsEmpty());
}

TEST_F(FirstLook, the_newer_one_is_preferred) {
    rule(Differing::Rule::newest);
    both(Value("Kiel"), Value("Ulm"));
    pair.object_ms = time + 60'000;
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/city"), Value("Ulm"));
}

TEST_F(FirstLook, the_older_one_is_not_preferred) {
    rule(Differing::Rule::newest);
    both(Value("Kiel"), Value("Ulm"));
    pair.object_ms = time - 60'000;
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/city"), Value("Kiel"));
    EXPECT_EQ(pair.system.value("/Address/City"), Value("Kiel"));
}

TEST_F(FirstLook, nothing_is_written_before_somebody_decides) {
    rule(Differing::Rule::review);
    both(Value("Kiel"), Value("Ulm"));
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/city"), Value("Kiel"));
    EXPECT_EQ(pair.system.value("/Address/City"), Value("Ulm"));
    ASSERT_FALSE(pair.problems.empty());
    EXPECT_EQ(pair.problems[0].kind, StepProblem::Kind::review);
}

TEST_F(FirstLook, F13_two_numbers_of_a_counter_are_never_added_up) {
    local({{"stock", inc(5)}});
    pair.system.edit("/Stock", Value(7));
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/stock"), Value(5));
    EXPECT_EQ(pair.system.value("/Stock"), Value(7));
    ASSERT_FALSE(pair.problems.empty());
    EXPECT_EQ(pair.problems[0].kind, StepProblem::Kind::review);
    pair.binding.initial.differing = {Differing::Rule::prefer, true};
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.system.value("/Stock"), Value(5));
}

TEST_F(FirstLook, sets_grow_together) {
    local({{"tags", tags({"a"})}});
    pair.system.edit("/Tags", tags({"b"}));
    ASSERT_TRUE(pair.settle());
    EXPECT_EQ(pair.field("/tags"), tags({"a", "b"}));
    EXPECT_EQ(pair.system.value("/Tags"), tags({"a", "b"}));
}

}  // namespace
}  // namespace inos::test
