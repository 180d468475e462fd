// What replicas take from one another, what they refuse, and that they end up equal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/storage/exchange_support.hpp"

namespace inos {
namespace {

using test::all_of;
using test::BrokenAuthor;
using test::expect_equal;
using test::log_of;
using test::object_of;
using test::refusal;
using test::simple_op;
using test::Site;
using test::Space;
using test::text;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Exchange, two_to_five_sites_converge) {
    for (std::size_t sites = 2; sites <= 5; ++sites) {
        Space space(sites);
        for (std::size_t i = 0; i < sites; ++i) {
            space[i].put("customers", "ann", text("from " + std::to_string(i)));
            space[i].put("customers", std::to_string(i), text("own"));
        }
        space.converge();
        expect_equal(space);
        EXPECT_EQ(space[0]->record_count(), sites + 1);
        for (std::size_t i = 0; i < sites; ++i)
            space[i].patch("customers", "ann", object_of(R"({"n":{"$inc":1}})"));
        space.converge();
        expect_equal(space);
        EXPECT_EQ(space[0].field("customers", "ann", "n"), Value(static_cast<int>(sites)));
    }
}

TEST(Exchange, what_a_site_learnt_it_forwards_without_the_author) {
    Space space(4);
    space[0].put("customers", "ann", text("A"));
    space.pull(0, 1);
    space[1].patch("customers", "ann", object_of(R"({"age":1})"));
    space.pull(1, 2);
    space[2].patch("customers", "ann", object_of(R"({"age":2})"));
    space.pull(2, 3);
    EXPECT_EQ(space[3].records(), space[2].records());
    EXPECT_EQ(space[3]->root(), space[2]->root());
    EXPECT_EQ(log_of(space[3], space[0].actor()), log_of(space[0], space[0].actor()));
    space.pull(3, 0);
    space.pull(3, 1);
    expect_equal(space);
}

// Goal: every batch can be applied on its own, whatever its size, by a receiver that holds nothing
// but what came in earlier batches. Method: sites that ping-pong, then forwarders with tiny
// targets.
TEST(Exchange, every_batch_ends_at_signed_heads_and_is_causally_closed) {
    Space space(4);
    for (int round = 0; round < 12; ++round) {
        Site& site = space[static_cast<std::size_t>(round % 2)];
        for (int i = 0; i <= round % 3; ++i)
            site.put("customers", std::to_string(round) + "." + std::to_string(i), text("x"));
        space.pull(round % 2 == 0 ? 0 : 1, round % 2 == 0 ? 1 : 0);
    }
    space.pull(0, 2);  // large batches, so 2 has seen few of the places where batches ended
    std::size_t batches = 0;
    while (space[3]->vector() != space[2]->vector()) {
        auto const batch = test::value_of(space[2]->collect(space[3]->vector(), 1));
        auto const report = space[3]->apply(batch);
        ASSERT_TRUE(report) << report.error().message;
        ASSERT_EQ(report->applied, batch.entries());
        // A forwarder can cut wherever an author had learnt something new.
        EXPECT_LE(batch.entries(), 3u);
        ++batches;
    }
    EXPECT_GE(batches, 12u);
    expect_equal(space);
}

TEST(Exchange, an_own_log_is_cut_anywhere) {
    Space space(2);
    std::vector<Transaction> group;
    for (int i = 0; i < 50; ++i)
        group.push_back({"test", {{Write::Kind::put, {"c", std::to_string(i)}, text("x"), {}}}});
    space[0]->commit(group);
    for (Seq seq = 1; seq <= 50; ++seq) {
        auto const batch = test::value_of(space[0]->collect(space[1]->vector(), 1));
        EXPECT_EQ(batch.entries(), 1u);
        ASSERT_EQ(batch.heads.size(), 1u);
        EXPECT_EQ(batch.heads[0].seq, seq);
        ASSERT_TRUE(space[1]->apply(batch));
    }
    expect_equal(space);
    EXPECT_TRUE(test::value_of(space[0]->collect(space[1]->vector(), 1)).empty());
    // All in one batch: no more signatures than needed.
    EXPECT_EQ(all_of(space[0]).heads.size(), 1u);
}

TEST(Exchange, D4_what_is_counted_is_there_whatever_a_failing_disk_does) {
    for (auto const outcome : {sim::FaultEngine::Outcome::lost, sim::FaultEngine::Outcome::kept}) {
        Space space(2);
        space[0].put("customers", "ann", object_of(R"({"n": 1})"));
        space[0].put("customers", "bob", object_of(R"({"n": 2})"));
        space[1].engine->fail_write(1, outcome);
        EXPECT_FALSE(space.try_pull(0, 1));
        space[1].reopen();
        bool const kept = outcome == sim::FaultEngine::Outcome::kept;
        EXPECT_EQ(space[1]->vector().at(space[0].actor()), kept ? 2u : 0u);
        for (char const* key : {"ann", "bob"})
            EXPECT_EQ(space[1].get("customers", key).has_value(), kept);
        EXPECT_EQ(test::value_of(space[1]->recompute_root()), space[1]->root());
        EXPECT_EQ(space.pull(0, 1), kept ? 0u : 2u);
        EXPECT_EQ(space[1]->root(), space[0]->root());
    }
}

TEST(Exchange, large_entries_go_in_batches_below_the_limit_of_a_message) {
    Space space(3);
    std::string const value(255'000, 'x');
    for (int entry = 0; entry < 4; ++entry) {
        std::vector<Write> writes;
        for (int i = 0; i < 12; ++i)
            writes.push_back({Write::Kind::put,
                              {"big", std::to_string(entry) + "." + std::to_string(i)},
                              text(value),
                              {}});
        space[static_cast<std::size_t>(entry % 2)].commit(writes);
        space.pull(0, 1);
        space.pull(1, 0);
    }
    while (space[2]->vector() != space[0]->vector()) {
        auto const batch = test::value_of(space[0]->collect(space[2]->vector(), 64 << 20));
        std::size_t bytes = 0;
        for (EntryRun const& run : batch.runs)
            for (auto const& entry : run.entries)
                bytes += entry.size();
        EXPECT_LE(bytes, 3'500'000u);
        ASSERT_TRUE(space[2]->apply(batch));
    }
    expect_equal(space);
}

TEST(Exchange, I7_a_batch_may_come_twice_and_overlap_others) {
    Space space(2);
    for (int i = 0; i < 6; ++i)
        space[0].patch("customers", "ann", object_of(R"({"n":{"$inc":1}})"));
    auto const all = all_of(space[0]);
    auto const early = test::value_of(space[0]->collect({}, 1));
    ASSERT_TRUE(space[1]->apply(early));
    auto const report = test::value_of(space[1]->apply(all));
    EXPECT_EQ(report.known, 1u);
    EXPECT_EQ(report.applied, 5u);
    auto const before = test::contents(*space[1].engine);
    for (EntryBatch const& again : {all, early}) {
        auto const repeated = test::value_of(space[1]->apply(again));
        EXPECT_EQ(repeated.applied, 0u);
        EXPECT_EQ(repeated.known, again.entries());
    }
    EXPECT_EQ(test::contents(*space[1].engine), before);
    EXPECT_EQ(space[1].field("customers", "ann", "n"), Value(6));
    expect_equal(space);
}

TEST(Exchange, sites_that_sign_before_they_learn_can_be_forwarded_in_pieces) {
    Space space(3);
    space[1].put("customers", "bob", text("B"));
    for (int i = 0; i < 3; ++i)
        space[0].put("customers", std::to_string(i), text("A"));
    space.pull(1, 0);  // 0 signs its entry 3 first
    space[0].put("customers", "3", text("A"));
    auto const batch = all_of(space[0]);
    std::vector<Seq> own;
    for (SignedHead const& head : batch.heads)
        if (head.actor == space[0].actor()) own.push_back(head.seq);
    EXPECT_THAT(own, ElementsAre(3u, 4u));
    space.pull(0, 2);
    EXPECT_EQ(space[2]->root(), space[0]->root());
}

class Refusals : public testing::Test {
protected:
    Refusals() {
        space[0].put("customers", "ann", text("Ann"));
        space[0].put("customers", "bob", text("Bob"));
        space[0].put("customers", "cid", text("Cid"));
        batch = all_of(space[0]);
    }
    void expect_protocol(EntryBatch const& bad, std::string const& words) {
        Error const error = refusal(space[1], bad);
        EXPECT_EQ(error.code, Errc::protocol) << error.message;
        EXPECT_THAT(error.message, HasSubstr(words));
    }

    Space space{3};
    EntryBatch batch;
};

TEST_F(Refusals, a_gap) {
    batch.runs[0].first = 2;
    batch.runs[0].entries.erase(batch.runs[0].entries.begin());
    expect_protocol(batch, "entry 2 of \"site0\" came without the one before it, 1");
    batch.runs[0].first = 0;
    expect_protocol(batch, "out of range");
    batch.runs[0].first = kSeqMax + 1;
    expect_protocol(batch, "out of range");
}

TEST_F(Refusals, a_missing_or_foreign_signature) {
    EntryBatch bad = batch;
    bad.heads.clear();
    expect_protocol(bad, "has not signed");
    bad = batch;
    bad.heads[0].seq = 2;
    expect_protocol(bad, "is not what its author signed");
    bad.heads[0].seq = 4;
    expect_protocol(bad, "did not come");
    bad = batch;
    bad.heads[0].actor = space[2].actor();
    expect_protocol(bad, "did not come");
    bad.heads[0].actor = ActorId{12345};
    expect_protocol(bad, "without a certificate");
    // Signed by another member.
    bad = batch;
    auto const chain = test::value_of(space[0]->chain_at({space[0].actor(), 3}));
    bad.heads[0].signature =
        sign(space[2].keys.identity, head_statement(space.id(), {space[0].actor(), 3}, *chain));
    expect_protocol(bad, "is not what its author signed");
    // Cut behind the author's back.
    bad = batch;
    bad.runs[0].entries.pop_back();
    expect_protocol(bad, "did not come");
}

TEST_F(Refusals, any_flipped_byte_of_an_entry_or_a_signature) {
    for (std::size_t i = 0; i < batch.runs[0].entries.size(); ++i) {
        std::string& entry = batch.runs[0].entries[i];
        for (std::size_t at = 0; at < entry.size(); ++at) {
            for (unsigned const bit : {0x01u, 0x80u}) {
                char const was = entry[at];
                entry[at] = static_cast<char>(static_cast<unsigned char>(was) ^ bit);
                auto const report = space[1]->apply(batch);
                ASSERT_FALSE(report) << "entry " << i << " byte " << at;
                // The first bytes are the format's version and form.
                EXPECT_TRUE(report.error().code == Errc::protocol ||
                            (at <= 1 && report.error().code == Errc::unsupported));
                entry[at] = was;
            }
        }
    }
    for (std::size_t at = 0; at < 64; ++at) {
        EntryBatch bad = batch;
        bad.heads[0].signature[at] ^= 1;
        ASSERT_FALSE(space[1]->apply(bad)) << "byte " << at;
    }
    EXPECT_THAT(test::contents(*space[1].engine, Family::log), IsEmpty());
    EXPECT_THAT(space[1].records(), IsEmpty());
    ASSERT_TRUE(space[1]->apply(batch));
}

TEST_F(Refusals, swapped_entries) {
    std::swap(batch.runs[0].entries[0], batch.runs[0].entries[1]);
    expect_protocol(batch, "is not what its author signed");
}

TEST_F(Refusals, entries_of_unknown_actors_or_under_another_name) {
    EntryBatch bad = batch;
    bad.runs[0].actor = ActorId{12345};
    expect_protocol(bad, "without a certificate");
    bad = batch;
    bad.runs[0].actor = bad.heads[0].actor = space[2].actor();
    expect_protocol(bad, "is not what its author signed");
}

TEST_F(Refusals, D9_an_entry_before_what_it_had_seen) {
    space.pull(0, 2);
    space[2].put("customers", "dan", text("Dan"));
    EntryBatch bad = all_of(space[2]);
    std::swap(bad.runs[0], bad.runs[1]);
    expect_protocol(bad, "came before an entry that it had seen");
    bad.runs.pop_back();
    bad.heads.pop_back();
    expect_protocol(bad, "entry 1 of \"site2\" came before an entry that it had seen");
}

TEST_F(Refusals, an_entry_that_had_seen_another_history) {
    BrokenAuthor author(space[2], space.id(), space.digest_key());
    EntryHeader header = author.header();
    auto const chain = test::value_of(space[0]->chain_at({space[0].actor(), 3}));
    header.deps = {{space[0].actor(), 3, chain_prefix(*chain)}};
    header.deps[0].chain[7] ^= 1;
    author.say(header, {simple_op("customers", "dan")});
    ASSERT_TRUE(space[1]->apply(batch));
    expect_protocol(author.batch(), "another history");
}

TEST_F(Refusals, a_good_part_does_not_save_the_rest_of_a_batch) {
    space[2].put("customers", "dan", text("Dan"));
    EntryBatch both = all_of(space[2]);
    both.runs.push_back(batch.runs[0]);
    both.heads.push_back(batch.heads[0]);
    both.heads.back().signature[0] ^= 1;
    expect_protocol(both, "is not what its author signed");
}

TEST_F(Refusals, a_newer_format_of_entries) {
    BrokenAuthor author(space[2], space.id(), space.digest_key());
    author.say({simple_op("customers", "dan")});
    std::string newer = author.entries()[0];
    newer[0] = 2;
    author.say_bytes(newer);
    Error const error = refusal(space[1], author.batch());
    EXPECT_EQ(error.code, Errc::unsupported);
    EXPECT_THAT(error.message, HasSubstr("upgrade this node"));
}

// Anybody could put an entry into the form without ops: that must not make an edit disappear.
TEST_F(Refusals, an_entry_whose_ops_a_forwarder_took_away) {
    std::string& entry = batch.runs[0].entries[1];
    entry = *erase_ops(
        entry, space.digest_key(), [](RecordTag const&) { return true; }, VoidReason::none);
    expect_protocol(batch, "an operation that no erasure explains");
}

TEST_F(Refusals, an_erasure_that_nobody_signed) {
    Erasure erasure{RecordTag{1}, "customers", space[2].actor(), {}};
    batch.erasures.push_back(erasure);
    expect_protocol(batch, "an erasure that nobody here may have signed");
}

TEST_F(Refusals, more_entries_or_bytes_than_anybody_could_pass_on) {
    BrokenAuthor many(space[2], space.id(), space.digest_key());
    EntryBatch bad = many.say_bytes("x").batch();
    bad.runs[0].entries.resize(kBatchEntriesMax + 1);
    expect_protocol(bad, "over the limit of a batch");
    bad.runs[0].entries = {std::string(kBatchBytesMax + 1, 'x')};
    expect_protocol(bad, "over the limit of a batch");
    bad = batch;
    bad.heads.resize(4, bad.heads[0]);
    expect_protocol(bad, "more signatures than entries");
}

// A member fills its log with entries of no bytes: what others make of them can still be passed on.
TEST(Exchange, entries_of_no_bytes_do_not_gather_in_one_batch) {
    Space space(3);
    BrokenAuthor author(space[2], space.id(), space.digest_key());
    for (int part = 0; part < 3; ++part) {
        for (int i = 0; i < 300; ++i)
            author.say_bytes({});
        ASSERT_TRUE(space[0]->apply(author.batch(static_cast<Seq>(part) * 300 + 1)));
    }
    auto const batch = test::value_of(space[0]->collect({}, 300 * kEntryWeight));
    EXPECT_EQ(batch.entries(), 300u);
    space.pull(0, 1, 300 * kEntryWeight);
    EXPECT_EQ(space[1]->vector(), space[0]->vector());
}

// What one member puts into a record must not make the entries of others void.
TEST(Exchange, a_field_whose_name_is_none_does_not_get_into_a_record) {
    for (auto const& name : {std::string("a\nb"), std::string("\xff"), std::string(300, 'n')}) {
        Space space(3);
        BrokenAuthor author(space[2], space.id(), space.digest_key());
        Op op = simple_op("customers", "ann");
        op.edits.push_back({static_cast<std::uint64_t>(EditKind::write),
                            path_child({}, name, CellType::register_),
                            encode(Value("x"))});
        author.say({op});
        auto const report = test::value_of(space[0]->apply(author.batch()));
        EXPECT_EQ(report.voided, 1u);
        space[0].put("customers", "ann", text("Ann"));
        space.pull(0, 1);
        EXPECT_EQ(space[1].field("customers", "ann", "name"), Value("Ann"));
        EXPECT_EQ(space[1]->root(), space[0]->root());
    }
}

}  // namespace
}  // namespace inos
