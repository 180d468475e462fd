// Sites that hold the same entries and not the same records find out and put it right, over a
// simulated network; and `inos verify --repair` as the node carries it out.
#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/peer_manager.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"
#include "tests/support/sim.hpp"
#include "tools/simulation/sim_world.hpp"

namespace inos::test {
namespace {

using testing::HasSubstr;

class Repair : public testing::TestWithParam<std::uint64_t> {
protected:
    Repair()
        : world({.seed = 5, .store_delay_ms = GetParam()}),
          a(world.found("a")),
          b(world.member("b")) {
        for (int i = 0; i < 300; ++i)
            a.put("c", "r" + std::to_string(i), R"({"name":"Ann","n":)" + std::to_string(i) + "}");
        world.connect(a, b);
        EXPECT_TRUE(world.converge());
    }

    std::string key(std::string const& id) { return keys::record(1, "c", id); }
    void put_raw(SimNode& node, Family family, std::string key, std::optional<std::string> value) {
        WriteBatch batch;
        batch.changes.push_back({family, std::move(key), std::move(value)});
        value_of(node.engine().write(batch, Durability::synced));
    }
    // Another value in the record, with its digest and in the collection's sums, as a fault of the
    // program would write it.
    void falsify(SimNode& node, std::string const& id) {
        std::string const value = *value_of(node.engine().get(Family::records, key(id)));
        StoredRecord stored = value_of(StoredRecord::decode(value, {"c", id}));
        for (std::size_t i = 0; i < stored.record.cells().size(); ++i) {
            auto& payload = stored.record[i].payload;
            if (payload.ends_with("Ann")) payload.replace(payload.size() - 3, 3, "Eve");
        }
        auto const digest = record_digest(world.space_keys().digest, "c", id, stored.record);
        CollectionSums sums;
        ASSERT_TRUE(CollectionSums::decode(
            *value_of(node.engine().get(Family::digests, keys::digest(1, "c"))), sums));
        sums.subtract(stored.digest_class, stored.digest);
        sums.add(stored.digest_class, digest);
        put_raw(node,
                Family::records,
                key(id),
                StoredRecord::encode(digest, stored.digest_class, stored.last, stored.record));
        put_raw(node, Family::digests, keys::digest(1, "c"), sums.encode());
    }
    bool same_roots() { return a.replica().root() == b.replica().root(); }

    RepairReport repaired(SimNode& node) {
        std::optional<Result<RepairReport>> report;
        node.peers().repair([&](Result<RepairReport> made) { report = std::move(made); });
        EXPECT_TRUE(world.run_until([&] { return report.has_value(); }, kRepairTimeoutMs + 5'000));
        return value_of(*std::move(report));
    }

    SimWorld world;
    SimNode& a;
    SimNode& b;
};

INSTANTIATE_TEST_SUITE_P(Stores, Repair, testing::Values(0, 7));

TEST_P(Repair, D17_records_that_differ_are_put_right_when_the_sites_meet) {
    b.stop();
    for (char const* id : {"r7", "r250"})
        falsify(b, id);
    b.start();
    EXPECT_FALSE(same_roots());
    EXPECT_TRUE(world.run_until([&] { return same_roots(); }, 20'000));
    EXPECT_EQ(b.field("c", "r7", "name"), Value("Ann"));
    EXPECT_EQ(a.field("c", "r250", "name"), Value("Ann"));
    EXPECT_EQ(value_of(b.replica().recompute_root()), b.replica().root());
    world.step(1'000);
    EXPECT_EQ(b.logged("record_repaired"), 2u);
    EXPECT_EQ(a.logged("record_repaired"), 0u) << "what can be proven stays";
    EXPECT_EQ(a.logged("alarm"), 1u);
}

TEST_P(Repair, D17_both_may_be_wrong_and_many_at_that) {
    a.stop();
    b.stop();
    for (int i = 0; i < 200; ++i)
        falsify(i % 2 ? a : b, "r" + std::to_string(i));
    a.start();
    b.start();
    EXPECT_TRUE(world.run_until(
        [&] { return same_roots() && a.field("c", "r1", "name") == Value("Ann"); }, 60'000));
    for (int i = 0; i < 300; ++i)
        for (SimNode* node : {&a, &b})
            EXPECT_EQ(node->field("c", "r" + std::to_string(i), "name"), Value("Ann")) << i;
    EXPECT_EQ(value_of(a.replica().recompute_root()), b.replica().root());
}

TEST_P(Repair, goes_on_after_the_connection_broke_at_any_moment) {
    b.stop();
    for (int i = 0; i < 300; i += 3)
        falsify(b, "r" + std::to_string(i));
    b.start();
    for (std::uint64_t ms = 0; ms < 60 && !same_roots(); ++ms) {
        world.step(300 + ms);
        world.network().cut("a", "b");
    }
    EXPECT_TRUE(world.run_until([&] { return same_roots(); }, 90'000));
    EXPECT_EQ(b.field("c", "r3", "name"), Value("Ann"));
}

TEST_P(Repair, writes_go_on_meanwhile) {
    b.stop();
    for (int i = 0; i < 300; i += 7)
        falsify(b, "r" + std::to_string(i));
    b.start();
    for (int i = 0; i < 40; ++i) {
        (i % 2 ? a : b).patch("c", "r" + std::to_string(i * 7), R"({"m":1})");
        world.step(50);
    }
    EXPECT_TRUE(world.run_until([&] { return world.all_equal() && same_roots(); }, 60'000));
    EXPECT_EQ(b.field("c", "r0", "name"), Value("Ann"));
    EXPECT_EQ(b.field("c", "r14", "m"), Value(1));
}

TEST_P(Repair, verify_repair_finds_what_no_root_shows) {
    std::string const good = *value_of(b.engine().get(Family::records, key("r9")));
    std::string bad = good;
    bad.back() = static_cast<char>(bad.back() ^ 1);
    put_raw(b, Family::records, key("r9"), bad);
    put_raw(b, Family::records, key("r10"), std::nullopt);
    EXPECT_TRUE(same_roots());
    auto const report = repaired(b);
    EXPECT_EQ(report.looked, 299u);
    ASSERT_EQ(report.repaired.size(), 2u);
    std::set<std::string> keys;
    for (RepairNote const& note : report.repaired)
        keys.insert(note.name.key);
    EXPECT_EQ(keys, (std::set<std::string>{"r10", "r9"}));
    EXPECT_EQ(b.peers().repair_counts().mended, 2u);
    EXPECT_TRUE(report.left.empty());
    EXPECT_EQ(*value_of(b.engine().get(Family::records, key("r9"))), good);
    EXPECT_EQ(b.field("c", "r10", "name"), Value("Ann"));
    EXPECT_TRUE(repaired(b).repaired.empty());
}

// Where the site's own log cannot tell any more, the peer's does.
TEST_P(Repair, D20_verify_repair_asks_the_peer_where_the_own_log_is_damaged) {
    std::string const log_key = keys::log(1, {a.replica().actor(), 5});
    std::string entry = *value_of(b.engine().get(Family::log, log_key));
    entry.back() = static_cast<char>(entry.back() ^ 1);
    put_raw(b, Family::log, log_key, entry);
    std::string value = *value_of(b.engine().get(Family::records, key("r9")));
    value.back() = static_cast<char>(value.back() ^ 1);
    put_raw(b, Family::records, key("r9"), value);
    auto const report = repaired(b);
    ASSERT_FALSE(report.log_damage.empty());
    EXPECT_TRUE(report.left.empty()) << report.left[0].what;
    EXPECT_THAT(report.log_damage[0], HasSubstr("entry 5 of \"a\""));
    EXPECT_EQ(b.field("c", "r9", "n"), Value(9));
    EXPECT_TRUE(same_roots());
    EXPECT_EQ(value_of(b.replica().recompute_root()), a.replica().root());
}

TEST_P(Repair, one_at_a_time_at_one_site) {
    std::optional<bool> first, second;
    a.peers().repair([&](Result<RepairReport> const& made) { first = made.has_value(); });
    a.peers().repair([&](Result<RepairReport> const& made) { second = made.has_value(); });
    EXPECT_EQ(second, std::optional(false));
    EXPECT_FALSE(first);
    EXPECT_TRUE(world.run_until([&] { return first == true; }, 10'000));
}

// What was written before the peer went away is summed all the same.
TEST_P(Repair, D17_a_round_that_is_broken_off_ends_what_it_has_begun) {
    std::string const log_key = keys::log(1, {a.replica().actor(), 5});
    std::string entry = *value_of(b.engine().get(Family::log, log_key));
    entry.back() = static_cast<char>(entry.back() ^ 1);
    put_raw(b, Family::log, log_key, entry);
    std::string const good = *value_of(b.engine().get(Family::records, key("r0")));
    for (int i = 0; i < 300; ++i)
        put_raw(b, Family::records, key("r" + std::to_string(i)), std::string("no record"));
    b.peers().repair([](Result<RepairReport> const&) {});
    auto const first_came = [&] {
        return *value_of(b.engine().get(Family::records, key("r0"))) == good;
    };
    ASSERT_TRUE(world.run_until(first_came, 20'000));
    auto const rounds = b.peers().repair_counts().rounds;
    a.stop();
    ASSERT_TRUE(
        world.run_until([&] { return b.peers().repair_counts().rounds > rounds; }, kRepairRoundMs));
    CollectionSums kept, expected;
    ASSERT_TRUE(CollectionSums::decode(
        *value_of(b.engine().get(Family::digests, keys::digest(1, "c"))), kept));
    auto cursor = b.engine().scan(Family::records, key(""), keys::record_end(1, "c"));
    for (; cursor->valid(); cursor->next()) {
        auto const head = StoredRecord::head(cursor->value());
        expected.add(head.digest_class, head.digest);
    }
    EXPECT_EQ(kept, expected);
}

// Who says that the records are the same, and then that they are not, does not begin anew.
TEST_P(Repair, D24_an_agreement_in_between_shortens_no_pause) {
    std::uint64_t const began_ms = world.network().now_ms();
    for (int i = 0; i < 10; ++i) {
        b.stop();
        falsify(b, "r7");
        b.start();
        EXPECT_TRUE(world.run_until([&] { return same_roots(); }, 3'600'000));
        world.step(1'000);
    }
    // Of the site at which nothing was to be mended: one at once, then after pauses that double.
    std::uint64_t allowed = 1;
    for (std::uint64_t pause_ms = kRepairPauseMs, ms = world.network().now_ms() - began_ms;
         ms > pause_ms;
         pause_ms *= 2, ++allowed)
        ms -= pause_ms;
    EXPECT_LT(allowed, 8u) << "or the test shows nothing";
    EXPECT_LE(a.peers().repair_counts().rounds, allowed);
}

// What the store comes upon is looked at by the node itself, without a word from anybody.
TEST_P(Repair, D20_a_record_that_entries_find_damaged_is_repaired_without_a_peer) {
    put_raw(b, Family::records, key("r9"), std::string("no record"));
    a.patch("c", "r9", R"({"m":1})");
    ASSERT_TRUE(world.run_until([&] { return !b.replica().damaged_records().empty(); }, 5'000));
    a.stop();
    EXPECT_TRUE(world.run_until([&] { return b.replica().damaged_records().empty(); }, 20'000));
    EXPECT_TRUE(world.run_until([&] { return b.peers().repair_counts().rounds > 0; }, 20'000));
    EXPECT_EQ(b.field("c", "r9", "m"), Value(1));
    EXPECT_EQ(b.field("c", "r9", "n"), Value(9));
    EXPECT_EQ(value_of(b.replica().recompute_root()), b.replica().root());
    EXPECT_EQ(b.logged("record_repaired"), 1u);
    auto const rounds = b.peers().repair_counts().rounds;
    world.step(600'000);
    EXPECT_EQ(b.peers().repair_counts().rounds, rounds) << "then there is nothing to do";
}

// Where a block was lost on a cut log: no state is given until somebody whose word counts holds the
// same.
TEST_P(Repair, D20_rows_are_missing_until_the_root_is_an_admins) {
    SimNode& reader = world.member("reader", Role::reader);
    b.stop();
    world.connect(a, reader);
    EXPECT_TRUE(world.run_until([&] { return reader.connected_with("a"); }, 5'000));
    EXPECT_TRUE(
        world.run_until([&] { return reader.replica().vector() == a.replica().vector(); }, 20'000));
    auto const lose = [&](SimNode& node) {
        node.stop();
        put_raw(node, Family::meta, keys::meta_kind(1, 'n'), std::string());
        node.start();
        return RecordRepair::rows_missing(node.replica());
    };
    EXPECT_TRUE(lose(a));
    EXPECT_TRUE(world.run_until([&] { return reader.connected_with("a"); }, 40'000));
    world.step(60'000);
    EXPECT_TRUE(RecordRepair::rows_missing(a.replica())) << "a reader's root is no proof";
    EXPECT_EQ(a.logged("alarm"), 1u) << "once in a while";
    EXPECT_TRUE(lose(b));
    // Of the two a writer of everything speaks for the only admin.
    for (SimNode* node : {&a, &b})
        EXPECT_TRUE(
            world.run_until([&] { return !RecordRepair::rows_missing(node->replica()); }, 60'000));
    EXPECT_EQ(value_of(a.engine().get(Family::meta, keys::meta_kind(1, 'n'))), std::nullopt);
    EXPECT_EQ(a.logged("records_complete"), 1u);
}

// A reader says what it holds, and may hold what it likes: without proof nobody takes it over.
TEST_P(Repair, only_who_may_write_everything_is_believed_where_nothing_can_be_proven) {
    SimNode& reader = world.member("reader", Role::reader);
    a.stop();
    world.connect(b, reader);
    EXPECT_TRUE(world.run_until([&] { return reader.connected_with("b"); }, 5'000));
    EXPECT_TRUE(world.run_until([&] { return world.all_equal(); }, 20'000));
    std::string const log_key = keys::log(1, {b.replica().vector().items()[0].first, 5});
    std::string entry = *value_of(b.engine().get(Family::log, log_key));
    entry.back() = static_cast<char>(entry.back() ^ 1);
    put_raw(b, Family::log, log_key, entry);
    std::string value = *value_of(b.engine().get(Family::records, key("r9")));
    value.back() = static_cast<char>(value.back() ^ 1);
    put_raw(b, Family::records, key("r9"), value);
    auto const report = repaired(b);
    EXPECT_EQ(report.left.size(), 1u);
    // It is tried again, alone and with the reader, but ever more rarely.
    auto const rounds = b.peers().repair_counts().rounds;
    world.step(3'600'000);
    EXPECT_GE(b.peers().repair_counts().rounds, rounds + 3);
    EXPECT_LE(b.peers().repair_counts().rounds, rounds + 2 * 12);
    auto const left = *value_of(b.engine().get(Family::records, key("r9")));
    EXPECT_EQ(left.substr(18), value.substr(18)) << "as it was found, behind its head";
    a.start();
    EXPECT_TRUE(world.run_until([&] { return b.connected_with("a"); }, 40'000));
    EXPECT_TRUE(world.run_until([&] { return b.replica().root() == a.replica().root(); }, 40'000));
}

}  // namespace
}  // namespace inos::test
