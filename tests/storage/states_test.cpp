// A whole state from one site to another: for those who lack what was cut, resumable, all at once,
// and such that whoever got it is a site like any other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/history.hpp"
#include "storage/member_review.hpp"
#include "storage/staged_state.hpp"
#include "tests/storage/states_support.hpp"

namespace inos::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::string_view_literals;

TEST_F(States, D15_a_site_that_joins_gets_the_state_where_the_log_is_cut) {
    fill(9);
    cut(space[0]);
    Site& fresh = space.admit({"fresh"});
    ASSERT_FALSE(space[0]->collect(fresh->vector(), 1'000));
    EXPECT_EQ(transfer(space[0], fresh), 7u);
    expect_same(fresh, space[0]);
    EXPECT_TRUE(fresh->caught_up());
    EXPECT_EQ(contents(*fresh.engine, Family::staging).size(), 0u);
    EXPECT_FALSE(value_of(read_past(*fresh, {"c", "x1"})).complete);
    // It goes on like any other, and so it does after a restart.
    fresh.reopen();
    fresh.patch("c", "x1", {{"n", Value(100)}});
    space.pull(2, 0);
    space[0].patch("c", "x1", {{"n", Value(101)}});
    space.pull(0, 2);
    expect_same(fresh, space[0]);
    EXPECT_EQ(value_of(read_past(*fresh, {"c", "x1"})).steps.size(), 2u);
}

TEST_F(States, nothing_is_seen_before_all_of_it_is_here_and_local_writes_go_on) {
    fill(4);
    Site& away = space.admit({"away"});
    space.pull(0, 2);
    space[0].erase("c", "x0");
    space[0].put("c", "y", {{"n", Value(1)}});
    cut(space[1]);
    auto const before = away.records();
    transfer_some(space[0], away);
    EXPECT_EQ(away.records(), before);
    ASSERT_TRUE(away->state_progress());
    EXPECT_GE(away->state_progress()->here, 1u);
    away.patch("c", "x2", {{"m", Value(7)}});
    away.put("c", "z", {{"n", Value(8)}});
    EXPECT_GT(transfer(space[0], away), 0u);
    EXPECT_EQ(away.get("c", "x0"), std::nullopt);
    EXPECT_EQ(away.field("c", "y", "n"), Value(1));
    EXPECT_EQ(away.field("c", "x2", "m"), Value(7));
    EXPECT_EQ(away.field("c", "z", "n"), Value(8));
    EXPECT_FALSE(away->state_progress());
    space.pull(2, 0);
    expect_same(away, space[0]);
    // What it wrote itself is still in its log, and reached from the record.
    auto const past = value_of(read_past(*away, {"c", "x2"}));
    EXPECT_EQ(past.steps.size(), 1u);
    EXPECT_FALSE(past.complete);
    space.pull(0, 1);
    space[1].erase_for_good("c", "z");
    space.pull(1, 2);
    for (auto const& [key, value] : contents(*away.engine, Family::log))
        EXPECT_THAT(value, testing::Not(HasSubstr("\x01z"))) << "erasing reaches it";
}

TEST_F(States, goes_on_after_restarts_and_lost_parts_and_begins_again_with_another_snapshot) {
    fill(9);
    cut(space[0]);
    Site& fresh = space.admit({"fresh"});
    transfer_some(space[0], fresh);
    part(space[0], fresh);  // lost on the way
    fresh.reopen();
    EXPECT_EQ(fresh->state_progress()->here, 1u);
    EXPECT_EQ(part(space[0], fresh).after, std::string("rc\0x0", 5));
    space[0].reopen();  // it has forgotten the snapshot, and makes the same again
    StatePart const next = part(space[0], fresh);
    EXPECT_THAT(next.manifest, IsEmpty());
    EXPECT_FALSE(value_of(take(space[0], fresh, next)));
    EXPECT_FALSE(value_of(take(space[0], fresh, next)));  // once more
    EXPECT_EQ(fresh->state_progress()->here, 3u);
    space[0].reopen();
    space[0].put("c", "x0", {{"n", Value(100)}});  // now it is another one
    EXPECT_FALSE(value_of(take(space[0], fresh, part(space[0], fresh))));
    EXPECT_EQ(fresh->state_progress()->here, 0u);
    transfer(space[0], fresh);
    expect_same(fresh, space[0]);
}

TEST_F(States, A17_what_was_erased_there_goes_here_and_stays_away) {
    space[0].put("c", "person-1-key", text("secret-of-1"));
    space[0].put("c", "x", text("y"));
    space.converge();
    space[1].patch("c", "person-1-key", text("secret-of-1-too"));  // nobody has it yet
    space[0].erase_for_good("c", "person-1-key");
    transfer(space[0], space[1]);
    EXPECT_TRUE(space[1]->is_erased(RecordName{"c", "person-1-key"}));
    EXPECT_TRUE(space[1]->needs_scrub());
    for (auto const& [key, value] : contents(*space[1].engine))
        EXPECT_THAT(value, testing::Not(HasSubstr("secret-of-1")));
    space.converge();
    expect_same(space[0], space[1]);
    EXPECT_EQ(space[1]
                  .try_commit({{Write::Kind::put, {"c", "person-1-key"}, text("z"), {}}})
                  .error()
                  .code,
              Errc::gone);
}

// Else a loss of power makes the source use a number twice that the receiver knows already.
TEST_F(States, with_flushed_commits_nothing_of_our_own_leaves_before_a_sync) {
    Space flushed(2, {.seed = 1, .durability = Durability::flushed, .rocks_below = {}});
    Site& source = flushed[0];
    source.put("c", "x", {{"n", Value(1)}});
    std::size_t const syncs = source.engine->syncs();
    part(source, flushed[1]);
    EXPECT_EQ(source.engine->syncs(), syncs + 1);
    part(source, flushed[1]);
    EXPECT_EQ(source.engine->syncs(), syncs + 1);
    source.engine->lose_unsynced(0);
    source.reopen();
    EXPECT_EQ(source->vector().at(source.actor()), 1u);
}

// The proof has come with a stub, the erase itself only with the state.
TEST_F(States, A17_an_erasure_that_was_pending_here_is_carried_out_in_the_log_as_well) {
    space[0].put("c", "person-1-key", text("name"));
    space.pull(0, 1);
    space[1].patch("c", "person-1-key", text("secret-of-1"));  // nobody has it yet
    space[0].patch("c", "person-1-key", text("name-2"));
    space[0].erase_for_good("c", "person-1-key");
    value_of(space[1]->apply(value_of(space[0]->collect(space[1]->vector(), 1))));
    ASSERT_FALSE(space[1]->root_comparable());
    transfer(space[0], space[1]);
    EXPECT_TRUE(space[1]->root_comparable());
    EXPECT_TRUE(space[1]->needs_scrub());
    for (auto const& [key, value] : contents(*space[1].engine))
        EXPECT_THAT(value, testing::Not(HasSubstr("secret-of-1")));
}

// So many that they do not go with one write.
TEST_F(States, what_is_left_of_one_that_was_given_up_half_way_is_no_part_of_the_next_one) {
    for (std::size_t n = 0; n < 12; ++n) {
        std::vector<Write> writes;
        for (std::size_t i = 0; i < 1'000; ++i) {
            std::string const key = std::to_string(10'000 + n * 1'000 + i);
            writes.push_back({Write::Kind::put, {"c", key}, {}, {}});
        }
        space[0].commit(std::move(writes));
    }
    Site& away = space[1];
    away.put("c", "own", {{"n", Value(1)}});  // nobody has it: roots are not comparable
    for (int n = 0; n < 3; ++n)
        EXPECT_FALSE(value_of(take(space[0], away, part(space[0], away, 4'000 - n))));
    space[0].erase("c", "20999");
    space[0].reopen();
    StatePart const other = part(space[0], away, 100);
    away.engine->fail_write(2, FaultEngine::Outcome::lost);
    EXPECT_FALSE(take(space[0], away, other));
    away.reopen();
    EXPECT_EQ(contents(*away.engine, Family::staging).size(), 0u);
    transfer(space[0], away, 100'000);
    EXPECT_EQ(away.get("c", "20999"), std::nullopt);
    space.pull(1, 0);
    expect_same(away, space[0]);
}

// In one write with the erasing: else a crash leaves the contents, and a scrub is told of as done.
TEST_F(States, A17_what_arrives_is_given_up_with_the_write_that_erases) {
    space[0].put("c", "person-1-key", text("secret-of-1"));
    space[0].put("c", "x", text("y"));
    Site& away = space[1];
    EXPECT_FALSE(value_of(take(space[0], away, part(space[0], away, 1))));
    space[0].erase_for_good("c", "person-1-key");
    EntryBatch const batch = value_of(space[0]->collect(away->vector(), 1 << 20));
    away.engine->fail_write(2, FaultEngine::Outcome::lost);
    (void)away->apply(batch);
    away.reopen();
    EXPECT_TRUE(away->is_erased(RecordName{"c", "person-1-key"}));
    for (auto const& [key, value] : contents(*away.engine))
        EXPECT_THAT(value, testing::Not(HasSubstr("secret-of-1")));
}

// A read that fails behind the write must not leave us with the vector of before it: our next
// entry would take a number that is used.
TEST_F(States, what_fails_behind_an_erasing_write_ends_the_replica) {
    space[0].put("c", "person-1-key", text("name"));
    space[0].put("c", "x", text("y"));
    space.converge();
    Site& away = space[1];
    space[0].put("c", "z", text("y"));
    EXPECT_FALSE(value_of(take(space[0], away, part(space[0], away, 1))));
    away.engine->fail_write(2, FaultEngine::Outcome::lost);
    (void)away.try_commit({{Write::Kind::erase, {"c", "person-1-key"}, {}, {}}});
    EXPECT_TRUE(away->failed());
    EXPECT_EQ(away->vector().at(away.actor()), 1u);
}

// A snapshot that is under way at the source holds what is being erased there.
TEST_F(States, A17_what_is_erased_at_the_source_is_not_sent_any_more) {
    space[0].put("c", "a", text("x"));
    space[0].put("c", "person-1-key", text("secret-of-1"));
    Site& away = space[1];
    EXPECT_FALSE(value_of(take(space[0], away, part(space[0], away, 1))));
    space[0].erase_for_good("c", "person-1-key");
    StatePart const next = part(space[0], away, 10);
    EXPECT_FALSE(next.manifest.empty()) << "another one";
    EXPECT_THAT(next.encode(), testing::Not(HasSubstr("secret-of-1")));
}

// ---- what the receiver can do afterwards --------------------------------------------------------

class StatesOfThree : public States {
protected:
    // Of two admins, so that the first one's end is not the end of states, and one that may write a
    // little or nothing.
    void admit(Role role, std::vector<std::string> scope) {
        space.admit({"other", Role::admin});
        space.admit({"small", role, std::move(scope)});
        space.converge();
    }
    Site& source() { return space[0]; }
    Site& third() { return space[2]; }
    Site& small() { return space[3]; }

    // All have acknowledged what was first; then the third one is away, and of what follows it has
    // acknowledged nothing.
    void part_ways() {
        fill(6);
        space.acknowledge();
        source().patch("c", "x0", {{"n", Value(100)}});
        space[1].put("c", "late", {{"n", Value(101)}});
        space.pull(1, 0);
        source().put("d", "y", {{"n", Value(102)}});
        ASSERT_GT(transfer(source(), small()), 0u);
    }
};

TEST_F(StatesOfThree, D15_a_reader_passes_on_what_a_third_site_lacks_when_the_source_is_lost) {
    admit(Role::reader, {});
    part_ways();
    expect_same(small(), source());
    EXPECT_FALSE(small()->log_starts().empty());
    EXPECT_GT(space.pull(3, 2), 0u);  // the source is never seen again
    expect_same(third(), small());
    EXPECT_EQ(third().field("c", "late", "n"), Value(101));
    third().patch("c", "late", {{"n", Value(103)}});
    space.pull(2, 3);
    expect_same(third(), small());
}

TEST_F(StatesOfThree, D15_what_a_scoped_writer_writes_after_a_state_reaches_a_third_site) {
    admit(Role::writer, {"c"});
    part_ways();
    small().patch("c", "late", {{"m", Value(1)}});
    space.pull(3, 2);
    EXPECT_EQ(third().field("c", "late", "m"), Value(1));
    expect_same(third(), small());
}

// A list that ended at the first entry that does not come would hide those behind it.
TEST_F(StatesOfThree, A17_erasing_reaches_every_entry_that_came_whatever_the_source_s_order) {
    admit(Role::reader, {});
    space[1].put("c", "person-1-key", text("secret-of-1"));
    space.pull(1, 0);
    space.pull(1, 2);
    space.pull(0, 3);
    third().patch("c", "person-1-key", text("secret-of-1-b"));
    source().patch("c", "person-1-key", text("secret-of-1-c"));
    space.acknowledge();  // the third has not seen the source's
    space.pull(2, 0);     // of the two the source applies the third's last
    space.pull(2, 1);
    space.pull(2, 3);
    space[1].put("c", "x", text("y"));
    space.pull(1, 0);
    space.acknowledge();
    third().put("c", "z", text("y"));
    ASSERT_GT(transfer(source(), small()), 0u);
    source().erase_for_good("c", "person-1-key");
    space.pull(0, 3);
    expect_same(small(), source());
    for (auto const& [key, value] : contents(*small().engine))
        EXPECT_THAT(value, testing::Not(HasSubstr("secret-of-1")));
}

// Every hash is here: two copies of a directory are told apart however long ago they parted.
TEST_F(StatesOfThree, C1_forks_are_found_far_below_what_came_as_entries) {
    admit(Role::reader, {});
    fill(200);
    space.acknowledge();
    Site& fresh = space.admit({"fresh", Role::reader});
    cut(source());
    transfer(source(), fresh);
    for (Seq const seq : {1u, 63u, 64u, 65u, 100u}) {
        Dot const dot{source().actor(), seq};
        auto const chain = value_of(space[1]->chain_prefix_at(dot));
        ASSERT_EQ(value_of(fresh->chain_prefix_at(dot)), chain);
        DepHead head{dot.actor, dot.seq, *chain};
        EXPECT_EQ(value_of(fresh->compare_heads({head})).forks.size(), 0u);
        head.chain[0] ^= 1;
        EXPECT_EQ(value_of(fresh->compare_heads({head})).forks.size(), 1u);
    }
}

// The receiver's own hashes stay where the source's go on.
TEST_F(StatesOfThree, all_hashes_are_there_after_one_state_upon_another) {
    admit(Role::admin, {});
    fill(90);
    for (int round = 0; round < 3; ++round) {
        Site& from = round % 2 ? small() : source();
        for (int n = 0; n < 50; ++n)
            source().patch("c", "x" + std::to_string(n), {{"n", Value(round)}});
        space.pull(0, 1);
        space.pull(0, 2);
        if (round % 2) space.pull(0, 3);
        space.acknowledge();
        cut(source());
        ASSERT_GT(transfer(from, round % 2 ? source() : small()), 0u);
        if (!(round % 2)) expect_same(small(), source());
        for (Seq seq = 1; seq <= small()->vector().at(source().actor()); ++seq)
            ASSERT_EQ(value_of(small()->chain_prefix_at({source().actor(), seq})),
                      value_of(space[1]->chain_prefix_at({source().actor(), seq})));
    }
}

TEST_F(StatesOfThree, C1_an_old_copy_takes_a_state_and_goes_on_under_a_new_actor) {
    admit(Role::admin, {});
    fill(10);
    Contents const old = contents(*space[1].engine);
    space[1].put("c", "own", {{"n", Value(1)}});
    space.converge();
    cut(source());
    space[1].engine->replace(old);
    space[1].reopen();
    ActorId const before = space[1]->actor();
    transfer(source(), space[1]);
    expect_same(space[1], source());
    EXPECT_EQ(space[1]->doubt(), Doubt::seen_more);
    space[1].patch("c", "own", {{"n", Value(2)}});
    EXPECT_NE(space[1]->actor(), before);
    value_of(source()->add_statements(value_of(stored_statements(*space[1].engine, 1))));
    space.pull(1, 0);
    expect_same(space[1], source());
}

// What only the source wrote is one stretch without signatures; whoever got it has to pass it on.
TEST_F(StatesOfThree, what_only_the_source_wrote_can_be_passed_on_in_pieces) {
    admit(Role::reader, {});
    space.acknowledge();
    for (int n = 0; n < 60; ++n)
        source().put("c", "x" + std::to_string(n), text(std::string(5'000, 'x')));
    transfer(source(), small(), 10);
    EntryBatch const batch = value_of(small()->collect(third()->vector(), 1));
    EXPECT_LT(batch.bytes(), 100'000u);
    space.pull(3, 2);
    expect_same(third(), small());
}

// A part that is half full, and then the largest entry that there can be.
TEST_F(StatesOfThree, rows_of_any_size_fit_into_parts) {
    admit(Role::reader, {});
    space.acknowledge();
    auto const big = [](std::string const& key, std::size_t bytes) {
        Write write{Write::Kind::put, {"c", key}, {}, {}};
        for (std::size_t at = 0; at < bytes; at += 250'000)
            write.fields.emplace_back(
                "f" + std::to_string(at),
                Value(std::string(250'000, static_cast<char>('a' + at % 26))));
        return write;
    };
    source().commit({big("a", 750'000)});
    source().commit({big("b", 250'000)});
    source().commit({big("c", 750'000), big("d", 750'000), big("e", 750'000), big("f", 750'000)});
    EXPECT_GT(transfer(source(), small(), 1'000), 2u);
    expect_same(small(), source());
}

// Its review may be anybody's.
TEST_F(StatesOfThree, what_an_admin_has_to_review_comes_as_entries) {
    admit(Role::admin, {});
    third().put("c", "a", {{"n", Value(1)}});
    third().put("c", "b", {{"n", Value(2)}});
    space.pull(2, 1);
    value_of(source()->retire(id(third())));
    for (std::size_t at : {1u, 3u})
        value_of(space[at]->add_statements(value_of(stored_statements(*source().engine, 1))));
    space.pull(1, 0);
    ASSERT_EQ(value_of(not_reviewed_behind(*source())).size(), 1u);
    transfer(source(), small());
    auto const reviews = value_of(list_reviews(*small()));
    ASSERT_EQ(reviews.size(), 1u);
    EXPECT_EQ(reviews[0].not_kept, 0u);
    EXPECT_EQ(reviews[0].records.size(), 2u);
}

// On a slow line the first part is asked for again before it is there.
TEST_F(States, the_same_snapshot_is_sent_again_while_its_first_part_is_under_way) {
    fill(4);
    Site& away = space.admit({"away"});
    StatePart const first = part(space[0], away);
    space[0].put("c", "y", {{"n", Value(1)}});
    space[0].clock.advance(50'000);
    StatePart const again = part(space[0], away);
    EXPECT_EQ(again.id, first.id);
    EXPECT_EQ(again.encode(), first.encode());
    EXPECT_EQ(value_of(away->take_state(id(space[0]), first)), StateTaken::more);
    EXPECT_EQ(value_of(away->take_state(id(space[0]), again)), StateTaken::stale);
}

TEST_F(States, what_is_staged_and_cannot_be_read_is_given_up) {
    fill(4);
    Site& away = space.admit({"away"});
    EXPECT_FALSE(value_of(take(space[0], away, part(space[0], away))));
    WriteBatch batch;
    batch.put(Family::staging, staging::key(1, staging::kManifest), "of another version");
    ASSERT_TRUE(away.engine->write(batch, Durability::synced));
    away.reopen();
    EXPECT_FALSE(away->state_progress());
    EXPECT_EQ(contents(*away.engine, Family::staging).size(), 0u);
}

// It has been erased here, and not yet there.
TEST_F(States, A17_what_is_erased_here_is_not_staged) {
    space[0].put("c", "person-1-key", text("secret-of-1"));
    space.converge();
    space[0].patch("c", "person-1-key", text("secret-of-1-b"));
    space[1].erase_for_good("c", "person-1-key");
    space[0].put("c", "z", text("y"));
    EXPECT_TRUE(space[1]->scrubbed(space[1]->scrub_ticket()));
    transfer_some(space[0], space[1]);
    for (auto const& [key, value] : contents(*space[1].engine, Family::staging)) {
        EXPECT_THAT(value, testing::Not(HasSubstr("secret-of-1")));
        EXPECT_THAT(key.second, testing::Not(HasSubstr("rc\0person-1-key"sv)));
    }
    // Its name is in the position, and goes from the disk with it.
    space[0].put("c", "z", text("y2"));
    space[0].reopen();
    EXPECT_FALSE(value_of(take(space[0], space[1], part(space[0], space[1], 1))));
    EXPECT_TRUE(space[1]->needs_scrub());
    ASSERT_GT(transfer(space[0], space[1]), 0u);
    space.pull(1, 0);
    expect_same(space[0], space[1]);
}

TEST_F(States, where_nobody_cuts_logs_entries_go_however_many) {
    Site& away = space.admit({"away"});
    for (int n = 0; n < 1'010; ++n)
        space[0].patch("c", "x", {{"n", Value(n)}});
    space.pull(0, 1);
    space.acknowledge();
    EXPECT_FALSE(value_of(space[0]->prefers_state(id(away), away->vector(), false)));
}

TEST_F(States, where_logs_are_cut_a_state_is_preferred_to_many_more_entries_than_records) {
    fill(3);
    cut(space[0]);
    Site& away = space.admit({"away"});
    for (int n = 0; n < 1'010; ++n)
        space[0].patch("c", "x", {{"n", Value(n)}});
    space.pull(0, 1);
    SiteId const to = id(away);
    auto const prefers = [&](bool gone) {
        return value_of(space[0]->prefers_state(to, away->vector(), gone));
    };
    EXPECT_FALSE(prefers(false)) << "another one has not acknowledged it";
    space.acknowledge();
    EXPECT_FALSE(prefers(false)) << "it was found a moment ago";
    space[0].clock.advance(20'000);
    EXPECT_TRUE(prefers(false));
    EXPECT_TRUE(prefers(false));
    EXPECT_FALSE(prefers(false)) << "nobody asks for what is offered";
    EXPECT_FALSE(value_of(space[1]->prefers_state(to, away->vector(), true))) << "no admin";
    space[0]->state_failed(to);
    EXPECT_FALSE(prefers(false));
    EXPECT_TRUE(prefers(true)) << "there is no other way";
    transfer(space[0], away);
    EXPECT_FALSE(value_of(space[1]->prefers_state(to, away->vector(), false)));
    expect_same(away, space[0]);
}

// ---- wherever the machine stops -----------------------------------------------------------------

// Pieces so small that every phase of the switch takes several writes.
class StatesCut : public testing::TestWithParam<FaultEngine::Outcome> {
protected:
    static std::unique_ptr<Space> made() {
        SpaceSetup setup;
        setup.state_write_bytes = 200;
        auto space = std::make_unique<Space>(4, setup);
        Space& all = *space;
        for (int n = 0; n < 70; ++n)
            all[n % 2].put("c", "x" + std::to_string(n % 9), {{"n", Value(n)}});
        // One that names an entry in the middle of what goes from the log.
        all.pull(1, 0);
        value_of(all[3]->apply(value_of(all[0]->collect({}, 1'000))));
        all[3].put("c", "z", {{"n", Value(1)}});
        all[0].put("c", "person-1-key", text("secret-of-1"));
        for (std::size_t to : {1u, 2u, 3u})
            all.pull(0, to);
        all[0].erase_for_good("c", "person-1-key");
        all.pull(0, 1);
        for (int n = 0; n < 70; ++n)
            all[n % 2].patch("c", "x" + std::to_string(n % 7), {{"m", Value(n)}});
        all.pull(1, 0);
        all.pull(0, 3);
        all.acknowledge();
        all.pull(3, 0);
        all[0].erase("c", "x1");
        all[2].patch("c", "x2", {{"own", Value(1)}});
        all[2].put("c", "y", {{"own", Value(2)}});
        return space;
    }

    // The last part, taken or not.
    static StatePart transfer(Space& all, bool stop_before_last) {
        SiteId const source = all[0].keys.identity.public_key,
                     sink = all[2].keys.identity.public_key;
        for (;;) {
            auto const ask = all[2]->state_ask(source);
            EXPECT_TRUE(all[0]->scrubbed(all[0]->scrub_ticket()));
            all[0].clock.advance(20'000);
            auto const part = value_of(all[0]->give_state(sink, *ask, {}));
            if (part.last && stop_before_last) return part;
            if (value_of(all[2]->take_state(source, part)) == StateTaken::in_force) return part;
        }
    }
};

TEST_P(StatesCut, C5_a_switch_that_is_interrupted_anywhere_comes_to_the_same) {
    auto const whole = made();
    transfer(*whole, false);
    auto const expected = (*whole)[2].records();
    auto const log = contents(*(*whole)[2].engine, Family::log).size();
    ASSERT_EQ(contents(*(*whole)[2].engine, Family::staging).size(), 0u);
    std::size_t calls = 0;
    for (bool stopped = true; stopped;) {
        auto const space = made();
        Site& away = (*space)[2];
        StatePart const last = transfer(*space, true);
        auto const before = away.records();
        stopped = false;
        away.engine->die_at(
            ++calls, FaultEngine::Counted::calls, GetParam(), [&] { stopped = true; });
        (void)away->take_state((*space)[0].keys.identity.public_key, last);
        if (stopped) away.engine->lose_unsynced(calls % 3);
        away.reopen();
        bool const in_force = away->vector().includes((*space)[0]->vector());
        if (in_force)
            ASSERT_EQ(away.records(), expected) << calls;
        else
            ASSERT_EQ(away.records(), before) << calls;
        if (!in_force) transfer(*space, false);
        ASSERT_EQ(away.records(), expected) << calls;
        ASSERT_EQ(value_of(away->recompute_root()), away->root()) << calls;
        ASSERT_EQ(contents(*away.engine, Family::log).size(), log) << calls;
        ASSERT_EQ(contents(*away.engine, Family::staging).size(), 0u) << calls;
        ASSERT_TRUE(away->needs_scrub()) << calls;
        space->pull(2, 0);
        ASSERT_EQ((*space)[0]->root(), away->root()) << calls;
    }
    EXPECT_GT(calls, 80u);
}

INSTANTIATE_TEST_SUITE_P(Outcomes,
                         StatesCut,
                         testing::Values(FaultEngine::Outcome::lost, FaultEngine::Outcome::kept));

}  // namespace
}  // namespace inos::test
