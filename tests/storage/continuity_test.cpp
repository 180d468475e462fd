// A site that cannot be certain to continue goes on under a new actor: when, how, and what others
// see of it. Directories are copied, put back and started twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/entry_hash.hpp"
#include "tests/support/lives.hpp"

namespace inos::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ContinuityTest : public testing::Test {
protected:
    Life& shop() { return lives[0]; }
    Life& office() { return lives[1]; }

    Lives lives{2};
};

TEST_F(ContinuityTest, C1_the_first_write_of_a_copy_takes_a_new_actor_that_continues) {
    Dot const last = shop().put("a");
    lives.meet(0, 1);
    office().put("b");
    lives.meet(0, 1);
    auto const held = shop()->vector();
    shop().clock.set(kTestNowMs - 3'600'000);
    shop().reopen(marks(9));
    EXPECT_EQ(shop()->doubt(), Doubt::copied);
    EXPECT_EQ(shop()->actor(), last.actor) << "reading needs no new one";
    Dot const next = shop().put("c");
    EXPECT_NE(next.actor, last.actor);
    EXPECT_EQ(next.seq, 1u);
    EXPECT_EQ(shop()->doubt(), Doubt::none);
    EXPECT_EQ(value_of(shop()->deps_of(next)), held);
    EXPECT_EQ(shop().put("d"), (Dot{next.actor, 2}));
    auto const steps = value_of(shop()->history({"customers", "c"})).steps;
    auto const before = value_of(shop()->history({"customers", "a"})).steps;
    EXPECT_GT(steps.front().hlc, before.front().hlc) << "whatever the clock says";
    EXPECT_EQ(shop()->membership().by_actor(next.actor)->name,
              shop()->membership().by_actor(last.actor)->name);
    lives.meet(0, 1);
    EXPECT_TRUE(office().has("d"));
    EXPECT_EQ(office()->root(), shop()->root());
    shop().reopen(marks(9));
    EXPECT_EQ(shop()->doubt(), Doubt::none);
    EXPECT_EQ(shop().put("e"), (Dot{next.actor, 3}));
}

TEST_F(ContinuityTest, what_makes_no_entry_takes_no_actor) {
    shop().put("a");
    shop().reopen(marks(9));
    ActorId const actor = shop()->actor();
    EXPECT_FALSE(value_of(shop().try_put("a", R"({"x":true})")).dot) << "it reads so already";
    EXPECT_FALSE(shop().try_put("", "{}")) << "a name that is none";
    EXPECT_EQ(shop()->actor(), actor);
    shop().reopen(marks(9));
    EXPECT_EQ(shop()->doubt(), Doubt::copied) << "still, at the next start";
}

TEST_F(ContinuityTest, C4_the_certificate_is_on_the_disk_before_the_first_entry) {
    shop().put("a");
    for (auto const outcome : {FaultEngine::Outcome::lost, FaultEngine::Outcome::kept})
        for (std::size_t const at : {1, 2}) {
            Contents const before = shop().contents();
            shop().restore(before, marks(9));
            ActorId const old = shop()->actor();
            shop().engine->fail_write(at, outcome);
            EXPECT_FALSE(shop().try_put("b", "{}"));
            EXPECT_TRUE(shop()->failed());
            shop().reopen(marks(9));
            bool const is_renewed = at == 2 || outcome == FaultEngine::Outcome::kept;
            EXPECT_EQ(shop()->actor() != old, is_renewed);
            EXPECT_EQ(shop().has("b"), at == 2 && outcome == FaultEngine::Outcome::kept);
            shop().restore(before, shop().present());
        }
}

TEST_F(ContinuityTest, after_a_reboot_a_peer_confirms_or_the_first_write_takes_a_new_actor) {
    Dot const last = shop().put("a");
    lives.meet(0, 1);
    Contents const stopped = shop().contents();
    shop().reopen(marks(1, "boot 2"));
    EXPECT_EQ(shop()->doubt(), Doubt::rebooted);
    EXPECT_TRUE(lives.meet(0, 1).at_first.confirmed);
    EXPECT_EQ(shop()->doubt(), Doubt::none);
    shop().reopen(marks(1, "boot 2"));
    EXPECT_EQ(shop()->doubt(), Doubt::none) << "it lasts";
    EXPECT_EQ(shop().put("b"), (Dot{last.actor, 2}));

    shop().restore(stopped, marks(1, "boot 3"));
    EXPECT_NE(shop().put("c").actor, last.actor);
}

TEST_F(ContinuityTest, a_peer_that_lacks_our_last_entry_confirms_nothing) {
    shop().put("a");
    lives.meet(0, 1);
    shop().put("b");
    shop().reopen(marks(1, "boot 2"));
    auto const heads = Lives::heads(*office());
    EXPECT_FALSE(value_of(shop()->compare_heads(heads)).confirmed);
    EXPECT_EQ(shop()->doubt(), Doubt::rebooted);
    lives.meet(0, 1);
    EXPECT_TRUE(lives.meet(0, 1).at_first.confirmed) << "now it holds it";
}

TEST_F(ContinuityTest, C1_an_old_copy_takes_back_its_entries_and_reuses_none) {
    shop().put("a");
    lives.meet(0, 1);
    Contents const backup = shop().contents();
    Dot const last = shop().put("b");
    lives.meet(0, 1);
    shop().put("lost");  // reached nobody, and is in no copy
    // Put back so well that no mark shows it, as when a disk is rolled back.
    shop().restore(backup, marks(1));
    ASSERT_EQ(shop()->doubt(), Doubt::none);
    auto const meeting = lives.meet(0, 1);
    EXPECT_TRUE(meeting.at_first.over);
    EXPECT_FALSE(meeting.forked());
    EXPECT_TRUE(shop().has("b")) << "taken back";
    EXPECT_EQ(shop()->doubt(), Doubt::seen_more);
    shop().reopen(marks(1));
    EXPECT_EQ(shop()->doubt(), Doubt::seen_more) << "whatever the marks say";
    Dot const next = shop().put("c");
    EXPECT_NE(next.actor, last.actor);
    lives.meet(0, 1);
    EXPECT_TRUE(office().has("c"));
    EXPECT_EQ(office()->root(), shop()->root());
    EXPECT_EQ(shop()->doubt(), Doubt::none);
}

TEST_F(ContinuityTest, entries_taken_back_without_a_comparison_end_the_actor_too) {
    Contents const backup = shop().contents();
    shop().put("a");
    lives.meet(0, 1);
    shop().restore(backup, marks(1));
    auto const batch = value_of(office()->collect(shop()->vector(), 1'000));
    shop().engine->fail_write(1, FaultEngine::Outcome::kept);
    EXPECT_FALSE(shop()->apply(batch));
    shop().reopen(marks(1));
    EXPECT_EQ(shop()->doubt(), Doubt::seen_more) << "one write with the entries";
    EXPECT_EQ(shop().put("b").seq, 1u);
}

TEST_F(ContinuityTest, C1_an_old_copy_that_writes_first_loses_nothing_either) {
    shop().put("a");
    lives.meet(0, 1);
    Contents const backup = shop().contents();
    shop().put("b");
    lives.meet(0, 1);
    shop().restore(backup, marks(9));
    shop().put("c");
    EXPECT_FALSE(lives.meet(0, 1).forked());
    for (Life* life : {&shop(), &office()})
        for (char const* key : {"a", "b", "c"})
            EXPECT_TRUE(life->has(key)) << key;
    EXPECT_EQ(office()->root(), shop()->root());
    ActorId const actor = shop()->actor();
    EXPECT_EQ(shop().put("d").actor, actor) << "one new actor is enough";
}

TEST_F(ContinuityTest, an_acknowledgement_of_a_later_life_is_counted_on_from_and_tells) {
    shop().put("a");
    lives.meet(0, 1);
    value_of(shop()->acknowledge());
    Contents const backup = shop().contents();
    shop().put("b");
    auto const later = value_of(shop()->acknowledge());
    ASSERT_TRUE(later);
    shop().restore(backup, marks(1));
    ASSERT_EQ(shop()->doubt(), Doubt::none);
    EXPECT_THAT(value_of(shop()->add_acknowledgements({*later})), SizeIs(1));
    EXPECT_EQ(shop()->doubt(), Doubt::seen_more) << "it says that we held what we do not";
    shop().restore(backup, marks(1));
    shop().engine->fail_write(1, FaultEngine::Outcome::kept);
    EXPECT_FALSE(shop()->add_acknowledgements({*later}));
    shop().reopen(marks(1));
    EXPECT_EQ(shop()->doubt(), Doubt::seen_more) << "one write with the acknowledgement";
    auto const mine = value_of(shop()->acknowledge());
    ASSERT_TRUE(mine);
    EXPECT_THAT(value_of(office()->add_acknowledgements({*later})), SizeIs(1));
    EXPECT_THAT(value_of(office()->add_acknowledgements({*mine})), SizeIs(1));
}

// A machine's snapshot resumed twice: all marks are right in both.
TEST_F(ContinuityTest, D6_two_running_copies_are_found_by_their_chains) {
    shop().put("a");
    lives.meet(0, 1);
    std::size_t const clone = lives.clone(0, marks(1));
    Dot const ours = shop().put("b");
    lives[clone].put("c");
    Dot const theirs = lives[clone].put("d");
    ASSERT_EQ(ours.actor, theirs.actor);
    EXPECT_FALSE(lives.meet(0, 1).forked());
    auto const before = office()->root();

    auto const meeting = lives.meet(clone, 1);
    ASSERT_TRUE(meeting.forked());
    ASSERT_THAT(meeting.at_first.forks, SizeIs(1));
    EXPECT_THAT(meeting.at_second.forks, IsEmpty()) << "who holds less cannot know";
    auto const& found = meeting.at_first.forks[0];
    EXPECT_EQ(found.actor, ours.actor);
    EXPECT_EQ(found.seq, ours.seq);
    EXPECT_TRUE(meeting.at_first.over);
    EXPECT_THAT(lives[clone]->forks(), IsEmpty()) << "it was said, not shown";
    // Each side shows what it holds, signed by the site. Who holds less cannot tell a fork from
    // what came later.
    auto const unclear = value_of(office()->add_fork(found.actor, found.seq, found.ours));
    EXPECT_FALSE(unclear.found);
    EXPECT_THAT(office()->forks(), IsEmpty());
    auto const heads = value_of(shop()->compare_heads(Lives::heads(*lives[clone])));
    EXPECT_THAT(heads.forks, IsEmpty());
    ASSERT_TRUE(unclear.cannot);
    auto const answer = unclear.cannot->ours;
    auto const told = value_of(lives[clone]->add_fork(found.actor, found.seq, answer));
    ASSERT_TRUE(told.found);
    EXPECT_TRUE(told.found->is_new);
    EXPECT_FALSE(value_of(lives[clone]->add_fork(found.actor, found.seq, answer)).found->is_new);
    auto const own = value_of(office()->add_fork(found.actor, found.seq, answer));
    EXPECT_FALSE(own.found || own.cannot) << "its own side";
    Fork const& kept = lives[clone]->forks().at(found.actor);
    EXPECT_NE(kept.ours.chain, kept.theirs.chain);
    EXPECT_EQ(office()->root(), before) << "nothing was taken, nothing was lost";
    // The copy that noticed goes on under a new actor, and says so after a restart.
    lives[clone].reopen(marks(1));
    EXPECT_EQ(lives[clone]->doubt(), Doubt::forked);
    EXPECT_THAT(lives[clone]->forks(), SizeIs(1));
    EXPECT_NE(lives[clone].put("e").actor, ours.actor);
    EXPECT_TRUE(lives[clone].has("c") && lives[clone].has("d"));
    EXPECT_TRUE(lives.meet(clone, 1).forked());
}

TEST_F(ContinuityTest, D6_a_later_head_of_one_history_is_no_fork) {
    Dot const first = shop().put("a");
    lives.meet(0, 1);
    shop().put("b");
    auto const head = value_of(shop()->head_of(first.actor));
    EXPECT_FALSE(value_of(office()->add_fork(first.actor, 1, head)).found);
    EXPECT_THAT(office()->forks(), IsEmpty());
    lives.meet(0, 1);
    EXPECT_FALSE(value_of(office()->add_fork(first.actor, 1, head)).found);
    EXPECT_EQ(office()->add_fork(first.actor, 0, head).error().code, Errc::protocol);
    EXPECT_EQ(office()->add_fork(first.actor, 3, head).error().code, Errc::protocol);
    EXPECT_THAT(office()->forks(), IsEmpty());
}

// A version vector is not signed: any member may claim anything.
TEST_F(ContinuityTest, what_is_said_and_not_shown_neither_lasts_nor_stops_the_site) {
    Dot last = shop().put("a");
    auto const claim = [&](Seq seq) {
        return value_of(shop()->compare_heads({{shop()->actor(), seq, {}}}));
    };
    EXPECT_TRUE(claim(kSeqMax).over);
    EXPECT_EQ(shop()->doubt(), Doubt::seen_more);
    EXPECT_FALSE(claim(kSeqMax).over) << "told once";
    shop().reopen(marks(1));
    EXPECT_EQ(shop()->doubt(), Doubt::none) << "nothing of it is stored";
    EXPECT_EQ(shop().put("b"), (Dot{last.actor, 2}));
    std::size_t renewed = 0;
    for (int i = 0; i < 40; ++i) {
        claim(i % 2 == 0 ? kSeqMax : shop()->vector().at(shop()->actor()));
        ActorId const before = shop()->actor();
        shop().put("key " + std::to_string(i));
        if (shop()->actor() != before) ++renewed;
    }
    EXPECT_EQ(renewed, kSuspicionsPerDay);
    EXPECT_THAT(shop()->forks(), IsEmpty());
    shop().reopen(marks(9));
    shop().put("z");  // none of them counts among the new actors of the day
}

TEST_F(ContinuityTest, D6_a_claim_is_not_forgotten_over_a_fork_of_somebody_else) {
    shop().put("a");
    lives.meet(0, 1);
    Dot const other = office().put("b");
    lives.meet(0, 1);
    Seq const have = shop()->vector().at(shop()->actor());
    for (bool const first : {true, false}) {
        shop().reopen(marks(1));
        std::vector<DepHead> heads{{shop()->actor(), have + 1, {}}, {other.actor, other.seq, {}}};
        if (first) std::swap(heads[0], heads[1]);
        EXPECT_THAT(value_of(shop()->compare_heads(heads)).forks, SizeIs(1));
        EXPECT_EQ(shop()->doubt(), Doubt::seen_more);
    }
}

TEST_F(ContinuityTest, C5_the_certificate_of_a_continuation_does_not_grow) {
    std::size_t size = 0;
    for (std::uint64_t i = 0; i < 10; ++i) {
        shop().reopen(marks(10 + i));
        shop().put("at the shop " + std::to_string(i));
        office().reopen(marks(100 + i));
        office().put("at the office " + std::to_string(i));
        lives.meet(0, 1);
        auto const bytes = shop()->membership().bytes_of(shop()->actor());
        if (i == 0) size = bytes->size();
        EXPECT_LE(bytes->size(), size + 10);
    }
}

TEST_F(ContinuityTest, D6_equal_version_vectors_hide_no_fork) {
    std::size_t const clone = lives.clone(0, marks(1));
    shop().put("a");
    lives[clone].put("b");
    EXPECT_EQ(shop()->vector(), lives[clone]->vector());
    EXPECT_NE(shop()->chains(), lives[clone]->chains());
    auto const meeting = lives.meet(0, clone);
    EXPECT_TRUE(meeting.at_first.over);
    EXPECT_TRUE(meeting.at_second.over);
    EXPECT_NE(shop().put("c").actor, lives[clone].put("d").actor);
}

TEST_F(ContinuityTest, C7_copies_that_can_be_told_apart_never_share_an_actor) {
    shop().put("a");
    std::size_t const clone = lives.clone(0, marks(9));
    Dot const one = shop().put("b"), two = lives[clone].put("c");
    EXPECT_NE(one.actor, two.actor);
    lives.converge();
    for (std::size_t i = 0; i < lives.size(); ++i) {
        EXPECT_TRUE(lives[i].has("b") && lives[i].has("c"));
        EXPECT_EQ(lives[i]->root(), shop()->root());
        EXPECT_THAT(lives[i]->forks(), IsEmpty());
    }
}

TEST_F(ContinuityTest, a_fork_that_nobody_signed_is_a_breach) {
    Dot const dot = shop().put("a");
    lives.meet(0, 1);
    ActorHead head{1, {}, {}};
    EXPECT_EQ(office()->add_fork(dot.actor, 1, head).error().code, Errc::protocol);
    EXPECT_EQ(office()->add_fork(ActorId{5}, 1, head).error().code, Errc::protocol);
    EXPECT_THAT(office()->forks(), IsEmpty());
}

TEST_F(ContinuityTest, takes_sixteen_new_actors_a_day_and_then_no_more_writes) {
    for (std::uint64_t i = 0; i < kRenewalsPerDay; ++i) {
        shop().reopen(marks(10 + i));
        shop().put(std::to_string(i));
    }
    shop().reopen(marks(99));
    auto const refused = shop().try_put("z", "{}");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
    EXPECT_THAT(refused.error().message, HasSubstr("16 new actors"));
    EXPECT_FALSE(shop()->failed());
    EXPECT_TRUE(shop().has("3")) << "reads go on";
    auto const patch = [](char const* key, char const* json) {
        return Transaction{"test", {{Write::Kind::patch, {"customers", key}, object_of(json), {}}}};
    };
    auto const results = shop()->commit({patch("3", R"({"x":true})"),
                                         patch("new", R"({"x":true})"),
                                         patch("", "{}"),
                                         patch("3", R"({"x":true})")});
    ASSERT_THAT(results, SizeIs(4));
    EXPECT_TRUE(results[0] && results[3]) << "what changes nothing needs no actor";
    EXPECT_EQ(results[1].error().code, Errc::unavailable);
    EXPECT_EQ(results[2].error().code, Errc::too_large) << "its own fault";
    shop().clock.set(shop().clock.now_ms() + 25 * 3'600'000ull);
    EXPECT_TRUE(shop().try_put("z", "{}"));
}

// ---- rights of bounded counters -----------------------------------------------------------------

class EarlierRights : public ContinuityTest {
protected:
    void begin(char const* policy) {
        std::string const json = std::string(R"({"customers":{"fields":{"stock":{)") +
                                 R"("type":"bounded-counter","offline_rights":")" + policy +
                                 "\"}}}}";
        Transaction const schema{"test", schema_writes(object_of(json), {})};
        value_of(lives[0]->commit({schema}).front());
        inc(10);
        lives.meet(0, 1);
    }
    Result<Committed> try_inc(std::int64_t delta) {
        return shop().try_put("lamp", R"({"stock":{"$inc":)" + std::to_string(delta) + "}}");
    }
    void inc(std::int64_t delta) { value_of(try_inc(delta)); }
    Errc refusal(std::int64_t delta) {
        auto const result = try_inc(delta);
        return result ? Errc::internal : result.error().code;
    }
    Value stock(Life& at) {
        auto const view = value_of(at->get({"customers", "lamp"}));
        return *find_member(view->fields, "stock");
    }
};

TEST_F(EarlierRights, E4_strict_ones_are_frozen_until_a_peer_confirms) {
    begin("strict");
    shop().reopen(marks(1, "boot 2"));
    shop().put("a");
    EXPECT_EQ(refusal(-1), Errc::rights) << "the earlier actor's";
    lives.meet(0, 1);
    inc(-4);
    inc(-6);
    EXPECT_EQ(refusal(-1), Errc::rights);
    lives.meet(0, 1);
    EXPECT_EQ(stock(office()), Value(0));
    EXPECT_EQ(office()->root(), shop()->root());
    shop().reopen(marks(1, "boot 3"));
    shop().put("b");
    lives.meet(0, 1);
    EXPECT_EQ(refusal(-1), Errc::rights) << "they were used once";
}

TEST_F(EarlierRights, E4_trust_disk_ones_are_there_at_once) {
    begin("trust-disk");
    shop().reopen(marks(1, "boot 2"));
    shop().put("a");
    inc(-10);
    EXPECT_EQ(refusal(-1), Errc::rights);
    lives.meet(0, 1);
    EXPECT_EQ(stock(office()), Value(0));
}

TEST_F(EarlierRights, E4_those_of_a_copied_directory_stay_frozen_for_its_original_may_use_them) {
    begin("trust-disk");
    std::size_t const clone = lives.clone(0, marks(9));
    lives[clone].put("a");
    lives.meet(clone, 1);
    auto const refused = lives[clone].try_put("lamp", R"({"stock":{"$inc":-1}})");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::rights);
    inc(-10);
    lives.converge();
    EXPECT_EQ(stock(office()), Value(0));
    EXPECT_EQ(stock(lives[clone]), Value(0));
}

// The disk was rolled back before the machine started again: what the earlier actor used after that
// moment must not be used again.
TEST_F(EarlierRights, E4_those_of_an_actor_that_went_on_elsewhere_stay_frozen) {
    begin("trust-disk");
    Contents const before = shop().contents();
    inc(-10);
    lives.meet(0, 1);
    shop().restore(before, marks(1, "boot 2"));
    shop().put("a");
    EXPECT_THAT(shop()->earlier_actors().trusted, SizeIs(1));
    lives.meet(0, 1);
    EXPECT_THAT(shop()->earlier_actors().trusted, IsEmpty());
    EXPECT_EQ(refusal(-1), Errc::rights);
    EXPECT_EQ(stock(shop()), Value(0));
}

// A peer had confirmed the earlier actor; then the directory was copied. Both go on.
TEST_F(EarlierRights, E4_confirmed_ones_are_not_there_twice_after_a_copy) {
    begin("strict");
    shop().reopen(marks(1, "boot 2"));
    shop().put("a");
    lives.meet(0, 1);
    ASSERT_THAT(shop()->earlier_actors().certain, SizeIs(1));
    std::size_t const clone = lives.clone(0, marks(9, "boot 2"));
    lives[clone].put("b");
    EXPECT_FALSE(lives[clone].try_put("lamp", R"({"stock":{"$inc":-1}})"));
    inc(-10);
    lives.converge();
    EXPECT_FALSE(lives[clone].try_put("lamp", R"({"stock":{"$inc":-1}})"));
    EXPECT_EQ(stock(office()), Value(0));
}

// They were confirmed, taken over and used up in a life that a rolled-back disk does not know.
TEST_F(EarlierRights, E4_confirmed_ones_have_to_be_confirmed_again_after_the_next_reboot) {
    begin("strict");
    shop().reopen(marks(1, "boot 2"));
    shop().put("a");
    lives.meet(0, 1);
    Contents const confirmed = shop().contents();
    inc(-10);
    lives.meet(0, 1);
    shop().restore(confirmed, marks(1, "boot 3"));
    shop().put("b");
    EXPECT_EQ(refusal(-1), Errc::rights);
    lives.meet(0, 1);
    EXPECT_EQ(refusal(-1), Errc::rights) << "the peer knows more of the actor in between";
    EXPECT_EQ(stock(shop()), Value(0));
}

// Two machines started from one disk's snapshot: a peer confirms the last entry to both.
TEST_F(EarlierRights, E4_the_certificate_of_another_life_freezes_them) {
    begin("strict");
    std::size_t const clone = lives.clone(0, marks(1, "boot 3"));
    shop().reopen(marks(1, "boot 2"));
    shop().put("a");
    lives[clone].put("b");
    lives.meet(0, 1);
    inc(-10);
    lives.meet(clone, 1);
    EXPECT_FALSE(lives[clone].try_put("lamp", R"({"stock":{"$inc":-1}})"));
    lives.converge();
    EXPECT_EQ(stock(office()), Value(0));
}

TEST_F(EarlierRights, E4_a_fork_of_the_earlier_actor_freezes_them) {
    begin("trust-disk");
    std::size_t const clone = lives.clone(0, marks(1));
    shop().reopen(marks(1, "boot 2"));
    shop().put("a");
    ActorId const earlier = shop()->earlier_actors().trusted.at(0);
    lives[clone].put("b");
    EXPECT_FALSE(value_of(shop()->compare_heads(Lives::heads(*lives[clone]))).confirmed);
    lives.meet(clone, 1);
    lives.meet(0, 1);  // takes "b" back: the earlier actor went on elsewhere
    EXPECT_THAT(shop()->earlier_actors().trusted, IsEmpty()) << earlier.value;
    EXPECT_EQ(refusal(-1), Errc::rights);
}

TEST_F(EarlierRights, they_are_asked_for_by_the_actor_that_will_use_them) {
    begin("strict");
    ActorId const old = shop()->actor();
    shop().reopen(marks(9));
    auto const refused = try_inc(-11);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::rights);
    EXPECT_NE(shop()->actor(), old) << "not by the one that is left";
    EXPECT_THAT(refused.error().message, HasSubstr("0 available at this site"));
}

TEST_F(EarlierRights, frozen_ones_are_named_as_such) {
    begin("strict");
    shop().reopen(marks(1, "boot 2"));
    auto const refused = try_inc(-1);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message,
                HasSubstr("0 at other sites, 10 of this site frozen until another site"));
}

TEST(EarlierRightsAlone, a_site_without_others_keeps_its_rights) {
    Lives lives(1);
    Transaction const schema{
        "test",
        schema_writes(object_of(R"({"customers":{"fields":{"stock":{"type":"bounded-counter"}}}})"),
                      {})};
    value_of(lives[0]->commit({schema}).front());
    value_of(lives[0].try_put("lamp", R"({"stock":{"$inc":10}})"));
    lives[0].reopen(marks(1, "boot 2"));
    value_of(lives[0].try_put("lamp", R"({"stock":{"$inc":-10}})"));
    EXPECT_FALSE(lives[0].try_put("lamp", R"({"stock":{"$inc":-1}})"));
}

}  // namespace
}  // namespace inos::test
