// A whole state from one site to another: for those who lack what was cut, resumable, all at once,
// and nothing that its source cannot have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/history.hpp"
#include "storage/log_retention.hpp"
#include "tests/storage/exchange_support.hpp"

namespace inos {
namespace {

using test::contents;
using test::FaultEngine;
using test::object_of;
using test::Site;
using test::Space;
using test::text;
using test::value_of;
using testing::HasSubstr;
using testing::IsEmpty;

class States : public testing::Test {
protected:
    static SiteId const& id(Site const& site) { return site.keys.identity.public_key; }
    void cut(Site& site) {
        space.acknowledge();
        while (value_of(cut_log(*site, 0, 1'000)) > 0) {
        }
    }
    StatePart part(Site& from, Site& to, std::size_t rows = 2) {
        return value_of(
            from->give_state(id(to), *to->state_ask(id(from)), {kStatePartBytes, rows}));
    }
    Result<bool> take(Site& from, Site& to, StatePart const& part) {
        return to->take_state(id(from), part);
    }
    // How many parts that took.
    std::size_t transfer(Site& from, Site& to, std::size_t rows = 2) {
        for (std::size_t parts = 1; parts < 1'000; ++parts)
            if (value_of(take(from, to, part(from, to, rows)))) return parts;
        return 0;
    }
    void fill(int count) {
        for (int n = 0; n < count; ++n)
            space[n % 2].put("c", "x" + std::to_string(n), {{"n", Value(n)}});
        space.converge();
    }
    void expect_same(Site& one, Site& other) {
        EXPECT_EQ(one->vector(), other->vector());
        EXPECT_EQ(one->root(), other->root());
        EXPECT_EQ(value_of(one->recompute_root()), one->root());
    }
    // Whatever it says, it is not taken, and changes nothing that is shown.
    std::string refusal(Site& to, StatePart const& part) {
        auto const root = to->root();
        auto const taken = take(space[0], to, part);
        EXPECT_FALSE(taken);
        EXPECT_EQ(to->root(), root);
        return taken ? "" : taken.error().message;
    }

    Space space{2};
};

TEST_F(States, D15_a_site_that_joins_gets_the_state_where_the_log_is_cut) {
    fill(9);
    cut(space[0]);
    Site& fresh = space.admit({"fresh"});
    ASSERT_FALSE(space[0]->collect(fresh->vector(), 1'000));
    EXPECT_EQ(transfer(space[0], fresh), 5u);
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
    EXPECT_FALSE(value_of(take(space[0], away, part(space[0], away))));
    EXPECT_EQ(away.records(), before);
    ASSERT_TRUE(away->state_progress());
    EXPECT_EQ(away->state_progress()->here, 2u);
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
    EXPECT_FALSE(value_of(take(space[0], fresh, part(space[0], fresh))));
    part(space[0], fresh);  // lost on the way
    fresh.reopen();
    EXPECT_EQ(fresh->state_progress()->here, 2u);
    EXPECT_EQ(part(space[0], fresh).after, std::string("c\0x1", 4));
    space[0].reopen();  // it has forgotten the snapshot, and makes the same again
    StatePart const next = part(space[0], fresh);
    EXPECT_THAT(next.manifest, IsEmpty());
    EXPECT_FALSE(value_of(take(space[0], fresh, next)));
    EXPECT_FALSE(value_of(take(space[0], fresh, next)));  // once more
    EXPECT_EQ(fresh->state_progress()->here, 4u);
    space[0].reopen();
    space[0].put("c", "x0", {{"n", Value(100)}});  // now it is another one
    EXPECT_FALSE(value_of(take(space[0], fresh, part(space[0], fresh))));
    EXPECT_EQ(fresh->state_progress()->here, 2u);
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

TEST_F(States, C1_none_goes_where_histories_differ_or_cannot_be_compared) {
    fill(4);
    auto ask = *space[1]->state_ask(id(space[0]));
    ask.heads[0].chain[0] ^= 1;
    auto const given = space[0]->give_state(id(space[1]), ask);
    ASSERT_FALSE(given);
    EXPECT_EQ(given.error().code, Errc::conflict);
}

TEST_F(States, only_of_those_who_may_write_everything) {
    Site& clerk = space.admit({"clerk", Role::writer, {"c"}});
    fill(4);
    auto const ask = *space[0]->state_ask(id(clerk));
    EXPECT_EQ(clerk->give_state(id(space[0]), ask).error().code, Errc::forbidden);
    // One that says so all the same.
    StateManifest manifest;
    manifest.source = id(clerk);
    StatePart part;
    part.manifest = manifest.encode(space.id(), clerk.keys.identity);
    part.id = crypto::hash16(part.manifest);
    EXPECT_EQ(take(clerk, space[0], part).error().code, Errc::forbidden);
}

TEST_F(States, a_source_that_lies_is_found_out) {
    Site& clerk = space.admit({"clerk", Role::writer, {"d"}});
    space.converge();
    clerk.put("d", "w", {{"n", Value(1)}});
    fill(3);
    cut(space[0]);
    Site& fresh = space.admit({"fresh"});
    StatePart const whole = part(space[0], fresh, 100);
    auto const changed = [&](auto const& change) {
        StatePart lie = whole;
        change(lie);
        return refusal(fresh, lie);
    };
    auto const record = [&](Dot dot) {
        Record made;
        made.insert({std::string(kExistencePath), dot, {}, "", ""});
        return made.encode();
    };
    Dot const beyond{space[0].actor(), 1'000}, clerks{clerk.actor(), 1};
    EXPECT_THAT(changed([](StatePart& lie) { lie.rows.pop_back(); }), HasSubstr("root differs"));
    EXPECT_THAT(changed([](StatePart& lie) { std::swap(lie.rows[0], lie.rows[1]); }),
                HasSubstr("do not ascend"));
    EXPECT_THAT(changed([&](StatePart& lie) { lie.rows[0].record = record(beyond); }),
                HasSubstr("nobody can have made"));
    EXPECT_THAT(changed([&](StatePart& lie) { lie.rows[0].record = record(clerks); }),
                HasSubstr("nobody can have made"));
    EXPECT_THAT(changed([](StatePart& lie) { lie.rows[0].record = "no record"; }),
                HasSubstr("nobody can have made"));
    EXPECT_THAT(changed([](StatePart& lie) { lie.rows[0].name = "c"; }),
                HasSubstr("nobody can have made"));
    EXPECT_THAT(
        changed([&](StatePart& lie) {
            Record mark;
            mark.insert({std::string(kErasePath), {space[0].actor(), 1}, {}, "", ""});
            lie.rows[0] = {std::string("c\0\1", 3) + std::string(16, 't'), mark.encode(), ""};
        }),
        HasSubstr("erasure that nobody has signed"));
    EXPECT_THAT(changed([&](StatePart& lie) {
                    auto manifest = value_of(decode_state_manifest(space.id(), lie.manifest));
                    manifest.heads[0].chain[0] ^= 1;
                    lie.manifest = manifest.encode(space.id(), space[0].keys.identity);
                    lie.id = crypto::hash16(lie.manifest);
                }),
                HasSubstr("not signed"));
    EXPECT_TRUE(value_of(take(space[0], fresh, whole)));
    expect_same(fresh, space[0]);
}

}  // namespace
}  // namespace inos
