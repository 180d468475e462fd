// The simulator's checkers: they agree with what is right, and each of them sees what is wrong.
// What no correct replica does is made by telling the ledger another story than the node, or by
// changing an engine behind the replica's back.
#include "tools/simulation/checkers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"
#include "storage/schema_document.hpp"
#include "tools/simulation/people.hpp"
#include "tools/simulation/rebuild.hpp"

namespace inos::sim {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::ThrowsMessage;

auto fails_with(char const* text) {
    return ThrowsMessage<CheckFailed>(HasSubstr(text));
}

Write put(char const* collection, char const* key, std::string_view json) {
    return {Write::Kind::put, {collection, key}, object_of(json), {}};
}
Write patch(char const* collection, char const* key, std::string_view json) {
    return {Write::Kind::patch, {collection, key}, object_of(json), {}};
}

// Two nodes that hold one order, as the ledger says.
struct Checked {
    SimWorld world{SimOptions{.seed = 3, .store_delay_ms = 0}};
    SimNode& a = world.found("a");
    SimNode& b = world.member("b");
    Ledger ledger;
    Tape tape = Tape::seeded(1);

    Checked() {
        a.commit(schema_writes(object_of(R"({"totals": {"fields": {"n": {"type": "counter"}}},
                          "stock": {"fields": {"left": {"type": "bounded-counter", "min": 0}}},
                          "mixed": {"fields": {"tags": {"type": "set"}, "n": {"type": "counter"}}},
                          "strict": {"delete": "delete-wins"}})"),
                               {}));
        world.connect(b, a);
        EXPECT_TRUE(world.converge());
        world.step(1'000);
        does(a, put(kOrders, "o1", R"({"n": 1})"));
    }
    // Somebody asks for `asked`, and the node does `done`.
    Asked& does(SimNode& node, Write asked, std::vector<Write> done) {
        Asked& entry = begins(node, std::move(asked), std::move(done));
        EXPECT_TRUE(world.converge());
        return entry;
    }
    Asked& begins(SimNode& node, Write asked, std::vector<Write> done) {
        Asked& entry = ledger.ask();
        entry.node = node.name();
        entry.actor = node.replica().actor();
        entry.source = People::source_of(entry.number);
        entry.writes.push_back(std::move(asked));
        std::uint64_t const at = entry.number;
        node.submit({entry.source, std::move(done)}, [this, at](Result<Committed> const& result) {
            ledger.at(at).outcome = Outcome::acknowledged;
            ledger.at(at).dot = value_of(result).dot;
        });
        return ledger.at(at);
    }
    Asked& does(SimNode& node, Write const& write) { return does(node, write, {write}); }

    void end() { check_end(world, ledger, tape); }
    void look() { check_seen(world, ledger, 10); }
    // Changes what a node's engine holds; the replica does not know.
    static void change(SimNode& node, WriteBatch const& batch) {
        value_of(node.engine().write(batch, Durability::synced));
    }
    static void remove_all(SimNode& node, Family family, std::string const& prefix = {}) {
        WriteBatch batch;
        for (auto const& [at, value] : contents(node.engine(), family))
            if (at.second.starts_with(prefix)) batch.remove(family, at.second);
        EXPECT_THAT(batch.changes, Not(IsEmpty()));
        change(node, batch);
    }
};

TEST(Checkers, agree_with_what_is_right) {
    Checked run;
    run.does(run.a, patch(kTotals, "all", R"({"n": {"$inc": 3}})"));
    run.does(run.b, patch(kFields, "a", R"({"v": 3})"));
    run.does(run.a, put(kLoose, "a", R"({"v": 4, "w": 4})"));
    run.does(run.b, put(kLoose, "a", R"({"v": 5})"));
    run.does(run.a, put(kStrict, "a", R"({"v": 6})"));
    run.does(run.b, {Write::Kind::delete_, {kStrict, "a"}, {}, {}});
    run.does(run.a, patch(kMixed, "a", R"({"tags": {"$add": "x"}})"));
    run.does(run.b, patch(kMixed, "a", R"({"n": {"$inc": 2}})"));
    run.does(run.a, patch(kMixed, "a", R"({"n": null})"));
    run.does(run.b, patch(kMixed, "a", R"({"n": {"$inc": 4}})"));
    EXPECT_NO_THROW(run.end());
    EXPECT_NO_THROW(run.look());
    EXPECT_NO_THROW(check_equal_vectors(run.world));
    EXPECT_NO_THROW(check_bounds(run.world));
    EXPECT_NO_THROW(check_queues(run.world));
}

// A delete that saw none of what followed elsewhere: does anything of that bring the record back?
TEST(Checkers, know_what_is_left_of_what_a_delete_had_not_seen) {
    std::string_view const add = R"({"tags": {"$add": "x"}})",
                           remove = R"({"tags": {"$remove": "x"}})";
    std::string_view const count = R"({"n": {"$inc": 2}})", take = R"({"n": null})";
    for (auto const& [first, second] : {std::pair(add, remove), std::pair(count, take)})
        for (std::string_view const before :
             {R"({"n": {"$inc": 1}})", R"({"tags": {"$add": "y"}})"}) {
            Checked run;
            run.does(run.a, patch(kMixed, "a", before));
            run.world.network().partition("a", "b");
            for (std::string_view const json : {first, second}) {
                Write const write = patch(kMixed, "a", json);
                run.begins(run.a, write, {write});
            }
            Write const deletes{Write::Kind::delete_, {kMixed, "a"}, {}, {}};
            run.begins(run.b, deletes, {deletes});
            run.world.network().heal_all();
            EXPECT_TRUE(run.world.converge());
            EXPECT_NO_THROW(run.end());
        }
}

// ---- the ledger against the log -----------------------------------------------------------------

TEST(Checkers, miss_what_was_acknowledged_and_is_gone) {
    Checked run;
    Asked& asked = run.ledger.ask();
    asked.outcome = Outcome::acknowledged;
    asked.dot = Dot{run.a.replica().actor(), 77};
    EXPECT_THAT([&] { run.end(); }, fails_with("I1: t2"));
}

TEST(Checkers, find_what_was_refused_and_is_there) {
    Checked run;
    run.ledger.at(1).outcome = Outcome::refused;
    EXPECT_THAT([&] { run.end(); }, fails_with("I1: t1"));
}

TEST(Checkers, see_another_value_than_the_one_that_was_written) {
    Checked run;
    run.b.put(kOrders, "o1", R"({"n": 5})");
    EXPECT_TRUE(run.world.converge());
    EXPECT_THAT([&] { run.look(); }, fails_with("I8"));
    EXPECT_THAT([&] { run.end(); }, fails_with("I1"));
}

TEST(Checkers, find_a_record_that_nobody_asked_for) {
    Checked run;
    run.b.put(kOrders, "o2", R"({"n": 2})");
    EXPECT_TRUE(run.world.converge());
    EXPECT_THAT([&] { run.end(); }, fails_with("I1: there are orders that nobody made"));
}

TEST(Checkers, see_a_node_that_does_not_hold_what_it_acknowledged) {
    Checked run;
    run.ledger.at(1).dot->seq += 5;
    EXPECT_THAT([&] { run.look(); }, fails_with("I8: a does not hold"));
}

TEST(Checkers, see_half_of_a_transaction) {
    Checked run;
    Asked& asked = run.does(run.a, put(kPairs, "2-a", R"({"n": 2})"));
    asked.writes.push_back(put(kPairs, "2-b", R"({"n": 2})"));
    asked.outcome = Outcome::unknown;
    EXPECT_THAT([&] { run.look(); }, fails_with("E14"));
}

TEST(Checkers, see_a_wrong_sum) {
    Checked run;
    run.does(run.a,
             patch(kTotals, "all", R"({"n": {"$inc": 5}})"),
             {patch(kTotals, "all", R"({"n": {"$inc": 3}})")});
    EXPECT_THAT([&] { run.end(); }, fails_with("I5: a reads 3 in totals/all; done were 5"));
}

TEST(Checkers, see_another_field_than_the_latest) {
    Checked run;
    run.does(run.a, patch(kFields, "a", R"({"v": 2})"), {patch(kFields, "a", R"({"v": 9})")});
    EXPECT_THAT([&] { run.end(); }, fails_with("shows another value of fields/a"));
}

TEST(Checkers, see_a_counter_under_its_bound) {
    Checked run;
    run.a.patch(kStock, "a", R"({"left": {"$inc": 3}})");
    EXPECT_NO_THROW(check_bounds(run.world, 3));
    EXPECT_THAT([&] { check_bounds(run.world, 4); }, fails_with("E4: a shows stock/a at 3"));
}

// ---- records that come and go -------------------------------------------------------------------

TEST(Checkers, see_an_older_value_of_a_field) {
    Checked run;
    run.does(run.a, put(kLoose, "a", R"({"v": 2})"));
    run.does(run.b, patch(kLoose, "a", R"({"v": 3})"), {patch(kLoose, "a", R"({"v": 8})")});
    EXPECT_THAT([&] { run.end(); }, fails_with("shows v of loose/a as 8; it has to be 3"));
}

TEST(Checkers, see_what_a_put_should_have_taken_away) {
    Checked run;
    run.does(run.a, put(kLoose, "a", R"({"v": 2, "w": 2})"));
    run.does(run.b, put(kLoose, "a", R"({"v": 3})"), {patch(kLoose, "a", R"({"v": 3})")});
    EXPECT_THAT([&] { run.end(); }, fails_with("shows w of loose/a as 2; it has to be null"));
}

TEST(Checkers, see_an_element_that_was_removed_and_a_sum_that_was_taken_away) {
    Checked set;
    set.does(set.a, patch(kMixed, "a", R"({"tags": {"$add": ["x", "y"]}})"));
    set.ledger.all().back().writes.front() = patch(kMixed, "a", R"({"tags": {"$add": "x"}})");
    EXPECT_THAT([&] { set.end(); }, fails_with("shows tags of mixed/a"));
    Checked sum;
    sum.does(sum.a, patch(kMixed, "a", R"({"n": {"$inc": 2}})"));
    sum.does(sum.b,
             patch(kMixed, "a", R"({"n": null})"),
             {patch(kMixed, "a", R"({"tags": {"$add": "x"}})")});
    EXPECT_THAT([&] { sum.end(); }, fails_with("shows n of mixed/a as 2; it has to be 0"));
}

TEST(Checkers, miss_a_record_that_nobody_deleted) {
    for (char const* collection : {kLoose, kStrict}) {
        Checked run;
        run.does(run.a, put(collection, "a", R"({"v": 2})"));
        Checked::remove_all(run.b, Family::records, keys::record(kSimSpace, collection, "a"));
        EXPECT_THAT([&] { run.end(); }, fails_with("is not there at b"));
    }
}

TEST(Checkers, see_a_record_that_was_deleted) {
    for (char const* collection : {kLoose, kStrict}) {
        Checked run;
        run.does(run.a, put(collection, "a", R"({"v": 2})"));
        auto const records = contents(run.b.engine(), Family::records);
        run.does(run.a, {Write::Kind::delete_, {collection, "a"}, {}, {}});
        WriteBatch back;
        std::string const key = keys::record(kSimSpace, collection, "a");
        back.put(Family::records, key, records.at({Family::records, key}));
        Checked::change(run.b, back);
        EXPECT_THAT([&] { run.end(); }, fails_with("is there at b"));
    }
}

TEST(Checkers, find_what_is_left_of_an_erased_record) {
    Checked run;
    std::string const key = People::person_key(2), secret = People::person_secret(2);
    run.does(run.a, put(kPersons, key.c_str(), R"({"name": ")" + secret + R"("})"));
    run.does(run.b, {Write::Kind::erase, {kPersons, key}, {}, {}});
    run.world.step(60'000);
    EXPECT_NO_THROW(run.end());
    WriteBatch back;
    back.put(Family::index, "somewhere", "a value with " + secret + " in it");
    Checked::change(run.a, back);
    EXPECT_THAT([&] { run.end(); }, fails_with("R5: a still holds something of"));
}

// ---- logs and states ----------------------------------------------------------------------------

TEST(Checkers, see_other_records_under_the_same_vector) {
    Checked run;
    run.b.crash();
    Checked::remove_all(run.b, Family::digests);
    run.b.start();
    EXPECT_THAT([&] { check_equal_vectors(run.world); }, fails_with("I2: b and a"));
}

TEST(Checkers, see_a_gap_in_a_log) {
    Checked run;
    Dot const first{run.a.replica().actor(), 1};
    EXPECT_NO_THROW(read_log(run.b.engine()));
    Checked::remove_all(run.b, Family::log, keys::log(kSimSpace, first));
    EXPECT_THAT([&] { read_log(run.b.engine()); }, fails_with("I6: a gap in the log"));
}

TEST(Checkers, see_other_bytes_of_an_entry) {
    Checked run;
    Dot const dot = *run.ledger.at(1).dot;
    std::string const key = keys::log(kSimSpace, dot);
    std::string value = contents(run.b.engine(), Family::log).at({Family::log, key});
    std::string const bytes = read_log(run.b.engine()).at(dot).bytes;
    // version, form, length of the header, header, salt
    std::size_t const salt = value.size() - bytes.size() + 3 + static_cast<unsigned char>(bytes[2]);
    value[salt] ^= 1;
    WriteBatch batch;
    batch.put(Family::log, key, value);
    Checked::change(run.b, batch);
    EXPECT_THAT([&] { run.end(); }, fails_with("I7: b holds other bytes of t1"));
}

TEST(Checkers, see_an_entry_without_a_signature) {
    Checked run;
    Dot const dot = *run.ledger.at(1).dot;
    Checked::remove_all(run.b, Family::log, keys::signature(kSimSpace, dot));
    EXPECT_THAT([&] { check_rebuilt(run.b, run.world.space_keys(), run.tape); },
                testing::Throws<std::exception>());
}

TEST(Checkers, see_a_state_that_is_not_that_of_the_log) {
    Checked run;
    auto const records = contents(run.a.engine(), Family::records);
    WriteBatch batch;
    batch.put(Family::records,
              keys::record(kSimSpace, kOrders, "o9"),
              records.at({Family::records, keys::record(kSimSpace, kOrders, "o1")}));
    Checked::change(run.a, batch);
    EXPECT_THAT([&] { check_rebuilt(run.a, run.world.space_keys(), run.tape); },
                fails_with("I3, the log again: other records"));
}

TEST(Checkers, see_an_index_that_lacks_a_record) {
    Checked run;
    run.a.commit({{Write::Kind::delete_, {kOrders, "o1"}, {}, {}}});
    EXPECT_NO_THROW(check_indexes(run.a));
    Checked::remove_all(run.a, Family::index, keys::meta_kind(kSimSpace, 'd'));
    EXPECT_THAT([&] { check_indexes(run.a); }, fails_with("I3"));
}

// ---- after restarts -----------------------------------------------------------------------------

TEST(Checkers, see_a_node_that_came_back_with_less) {
    Checked run;
    ActorId const own = run.b.replica().actor();
    VersionVector before = run.b.replica().vector();
    before.raise(run.a.replica().actor(), 50);
    EXPECT_THAT([&] { check_recovered(run.world, run.b, before, own, true, run.ledger); },
                fails_with("I8: b came back"));
}

TEST(Checkers, see_a_node_that_lost_what_it_acknowledged) {
    Checked run;
    run.ledger.at(1).dot->seq += 5;
    ActorId const own = run.a.replica().actor();
    EXPECT_THAT([&] { check_recovered(run.world, run.a, {}, own, false, run.ledger); },
                fails_with("I1: a acknowledged t1"));
    EXPECT_NO_THROW(check_recovered(run.world, run.a, {}, own, true, run.ledger));
    EXPECT_TRUE(run.ledger.at(1).lost);
}

TEST(Checkers, see_what_left_a_node_before_it_was_on_its_disk) {
    for (bool const running : {true, false}) {
        Checked run;
        ActorId const own = run.a.replica().actor();
        VersionVector before;
        before.set(own, run.a.replica().vector().at(own));
        run.a.crash();
        for (Family const family : {Family::log, Family::records, Family::digests})
            Checked::remove_all(run.a, family);
        Checked::remove_all(run.a, Family::meta, keys::meta_kind(kSimSpace, 'a'));
        run.a.start();
        if (!running) run.b.crash();
        EXPECT_THAT([&] { check_recovered(run.world, run.a, before, own, true, run.ledger); },
                    fails_with("W2: entries of a are at b"));
        // It had less before too: an older directory, which has not met the other site yet.
        before = {};
        EXPECT_NO_THROW(check_recovered(run.world, run.a, before, own, true, run.ledger));
    }
}

TEST(Checkers, see_a_queue_that_is_too_long) {
    Checked run;
    auto const x = run.world.network().transport("x"), y = run.world.network().transport("y");
    std::shared_ptr<Connection> taken, dialled;
    value_of(x->listen(
        "x", 7711, [&](std::shared_ptr<Connection> connection) { taken = std::move(connection); }));
    y->dial(SimNetwork::address("x"), [&](Result<std::shared_ptr<Connection>> connection) {
        dialled = value_of(std::move(connection));
    });
    run.world.step(1'000);
    ASSERT_TRUE(taken && dialled);
    EXPECT_NO_THROW(check_queues(run.world));
    for (std::size_t sent = 0; sent <= kQueueHardLimit + kFrameLimit; sent += kFrameLimit)
        dialled->send(std::string(kFrameLimit, 'x'));
    EXPECT_THAT([&] { check_queues(run.world); }, fails_with("I12: more waits"));
}

TEST(Checkers, see_histories_that_differ) {
    Checked run;
    Dot const dot = *run.ledger.at(1).dot;
    std::string const key = keys::log(kSimSpace, dot);
    std::string value = contents(run.b.engine(), Family::log).at({Family::log, key});
    value[12] ^= 1;  // version, reason, when it came (6 bytes), the chain's hash
    WriteBatch batch;
    batch.put(Family::log, key, value);
    Checked::change(run.b, batch);
    EXPECT_THAT([&] { run.end(); }, fails_with("D6: b holds another history"));
}

TEST(Checkers, allow_only_alarms_that_have_a_reason) {
    for (char const* line : {"alarm upkeep: an injected error of a write",
                             "alarm erased data is still on the disk: the machine has lost power",
                             "alarm \"s1\": the clock of \"s1\" is more than 5 minutes ahead"})
        EXPECT_NO_THROW(check_alarm("s0", line));
    for (char const* line :
         {"alarm upkeep: a key in the index of deletions is malformed",
          "alarm \"s1\": 3 entries break the rules; they are kept without effect",
          "alarm \"s1\": holds the same entries as this site, but not the same "
          "records: run `inos verify`"})
        EXPECT_THAT([&] { check_alarm("s0", line); }, fails_with("s0 says: alarm"));
    char const* const damaged = "alarm \"a\" of \"c\": it is damaged, and the log does not tell it";
    EXPECT_THAT([&] { check_alarm("s0", damaged); }, fails_with("s0 says: alarm"));
    Swarm swarm;
    swarm.damage = true;
    EXPECT_NO_THROW(check_alarm("s0", damaged, swarm));
}

}  // namespace
}  // namespace inos::sim
