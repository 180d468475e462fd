// What replicas take from one another, what they refuse, and that they end up equal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "tests/support/broken_author.hpp"
#include "tests/support/space.hpp"

namespace inos {
namespace {

using test::BrokenAuthor;
using test::object_of;
using test::simple_op;
using test::Site;
using test::Space;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void expect_equal(Space& space) {
    for (std::size_t i = 0; i < space.size(); ++i) {
        EXPECT_EQ(space[i]->vector(), space[0]->vector()) << "site " << i;
        EXPECT_EQ(space[i]->root(), space[0]->root()) << "site " << i;
        EXPECT_EQ(space[i].records(), space[0].records()) << "site " << i;
        EXPECT_EQ(test::value_of(space[i]->recompute_root()), space[i]->root()) << "site " << i;
    }
}

// The batch is refused and the site is as it was.
Error refusal(Site& site, EntryBatch const& batch) {
    auto const before = test::contents(*site.engine);
    auto const vector = site->vector();
    auto const root = site->root();
    auto const report = site->apply(batch);
    EXPECT_FALSE(report);
    EXPECT_EQ(test::contents(*site.engine), before);
    EXPECT_EQ(site->vector(), vector);
    EXPECT_EQ(site->root(), root);
    EXPECT_FALSE(site->failed());
    return report ? Error{Errc::internal, "it was taken", {}} : report.error();
}

Object text(std::string const& value) {
    return {{"name", Value(value)}};
}

EntryBatch all_of(Site& site) {
    return test::value_of(site->collect({}, 64 << 20));
}

// Stored log entries of an actor, as bytes on the wire.
std::vector<std::string> log_of(Site& site, ActorId actor) {
    std::vector<std::string> entries;
    for (EntryRun const& run : all_of(site).runs)
        if (run.actor == actor)
            entries.insert(entries.end(), run.entries.begin(), run.entries.end());
    return entries;
}

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

TEST_F(Refusals, an_entry_before_what_it_had_seen) {
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
    BrokenAuthor author(space[2], space.id());
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
    BrokenAuthor author(space[2], space.id());
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
    auto const frame = *frame_entry(entry);
    std::string without("\1\1", 2);
    put_blob(without, frame.header);
    put_varint(without, 1);
    put_varint(without, 0);
    without += crypto::view(op_hash(frame, 0));
    entry = without;
    Error const error = refusal(space[1], batch);
    EXPECT_EQ(error.code, Errc::unsupported) << error.message;
    EXPECT_THAT(error.message, HasSubstr("erased"));
}

TEST_F(Refusals, more_entries_or_bytes_than_anybody_could_pass_on) {
    BrokenAuthor many(space[2], space.id());
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
    BrokenAuthor author(space[2], space.id());
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
        BrokenAuthor author(space[2], space.id());
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

// Authentic entries against the rules: kept, counted and forwarded by everybody, without effect.
class VoidEntries : public testing::Test {
protected:
    // Site 0 hears it from the author, site 1 from site 0, and both go on with the author after it.
    void expect_void(BrokenAuthor author, VoidReason reason) {
        SCOPED_TRACE(describe(reason));
        author.say({simple_op(good_collection, "after")});
        auto const root = space[0]->root();
        auto report = space[0]->apply(author.batch());
        ASSERT_TRUE(report) << report.error().message;
        bool const writer = space[2].certificate.may_write(good_collection);
        EXPECT_EQ(report->voided, writer ? 1u : 2u);
        EXPECT_EQ(report->applied, 2u);
        EXPECT_EQ(space[0]->vector().at(space[2].actor()), 2u);
        if (!writer) {
            EXPECT_EQ(space[0]->root(), root);
        }
        auto const stored = test::contents(*space[0].engine, Family::log)
                                .at({Family::log, keys::log(1, {space[2].actor(), 1})});
        EXPECT_EQ(static_cast<VoidReason>(stored[1]), reason);
        space.pull(0, 1, 1);
        EXPECT_EQ(log_of(space[1], space[2].actor()), author.entries());
        EXPECT_EQ(space[1].records(), space[0].records());
        EXPECT_EQ(space[1]->root(), space[0]->root());
        EXPECT_EQ(space[0].records().size(), writer ? 1u : 0u);
        space[1].reopen();
        EXPECT_EQ(space[1]->root(), space[0]->root());
        EXPECT_EQ(space[1]->vector(), space[0]->vector());
        auto const chain = space[1]->chain_at({space[2].actor(), 2});
        EXPECT_EQ(**chain, author.chain());
    }
    void start(test::SiteSetup const& author) {
        space_ = std::make_unique<Space>(std::vector<test::SiteSetup>{{"a"}, {"b"}, author});
    }
    BrokenAuthor author() { return BrokenAuthor(space[2], space.id()); }

    std::unique_ptr<Space> space_ =
        std::make_unique<Space>(std::vector<test::SiteSetup>{{"a"}, {"b"}, {"broken"}});
    struct {
        std::unique_ptr<Space>& holder;
        Site& operator[](std::size_t i) { return (*holder)[i]; }
        SpaceId id() const { return holder->id(); }
        void pull(std::size_t from, std::size_t to, std::size_t target) {
            holder->pull(from, to, target);
        }
    } space{space_};
    std::string good_collection = "customers";
};

TEST_F(VoidEntries, malformed_bytes) {
    for (std::string const& bytes : {std::string("\1"),
                                     std::string(),
                                     std::string("\0\0\0", 3),
                                     std::string("\1\0\5hello\1\2\3\4\5\6\7\10\0", 17)}) {
        start({"broken"});
        BrokenAuthor broken = author();
        broken.say_bytes(bytes);
        expect_void(broken, VoidReason::malformed);
    }
    start({"broken"});
    BrokenAuthor broken = author();
    Op op = simple_op("customers", "ann");
    op.edits[0].path = "no path";
    broken.say({op});
    expect_void(broken, VoidReason::malformed);
}

TEST_F(VoidEntries, a_wrong_dot_even_with_deps_that_nobody_can_meet) {
    BrokenAuthor broken = author();
    EntryHeader header = broken.header();
    header.dot.seq = 7;
    header.deps = {{ActorId{99}, 99, {}}};
    broken.say(header, {simple_op("customers", "ann")});
    expect_void(broken, VoidReason::wrong_dot);
    start({"broken"});
    BrokenAuthor other = author();
    header = other.header();
    header.dot.actor = space[0].actor();
    other.say(header, {simple_op("customers", "ann")});
    expect_void(other, VoidReason::wrong_dot);
}

TEST_F(VoidEntries, collections_out_of_scope) {
    good_collection = "orders";
    start({"broken", Role::writer, {"orders"}});
    BrokenAuthor broken = author();
    // One op of several is enough.
    broken.say(broken.header({"orders", "customers", "name"}),
               {simple_op("orders", "1"), simple_op("customers", "ann")});
    // The next entry is in scope: it stands for itself.
    EntryHeader header = broken.header({"orders", "name"});
    BrokenAuthor next = broken;
    next.say(header, {simple_op("orders", "after")});
    auto const report = test::value_of(space[0]->apply(next.batch()));
    EXPECT_EQ(report.voided, 1u);
    space.pull(0, 1, 1);
    EXPECT_EQ(space[1]->root(), space[0]->root());
    EXPECT_EQ(space[1].field("orders", "after", "name"), Value("x"));
    EXPECT_FALSE(space[1].get("orders", "1"));
}

TEST_F(VoidEntries, schemas_by_writers_that_are_no_admins) {
    BrokenAuthor broken = author();
    broken.say(broken.header({"_schema", "name"}), {simple_op("_schema", "customers")});
    expect_void(broken, VoidReason::out_of_scope);
}

TEST_F(VoidEntries, readers_and_relays_that_write) {
    for (Role const role : {Role::reader, Role::relay}) {
        start({"broken", role, {}});
        BrokenAuthor broken = author();
        broken.say({simple_op("customers", "ann")});
        expect_void(broken, VoidReason::not_a_writer);
    }
}

TEST_F(VoidEntries, over_the_limits) {
    auto const check = [this](std::vector<Op> const& ops, std::string source = {}) {
        start({"broken"});
        BrokenAuthor broken = author();
        EntryHeader header = broken.header();
        header.source = std::move(source);
        broken.say(header, ops);
        expect_void(broken, VoidReason::over_limit);
    };
    check({simple_op("customers", "ann", std::string(kPayloadBytesMax, 'x'))});
    check({simple_op("customers", "ann")}, std::string(65, 's'));
    check(std::vector<Op>(10'001, simple_op("customers", "ann")));
    check(std::vector<Op>(13, simple_op("customers", "ann", std::string(250'000, 'x'))));
}

TEST_F(VoidEntries, clocks_at_the_end_of_time) {
    BrokenAuthor broken = author();
    EntryHeader header = broken.header();
    header.hlc.value = kHlcMax.value + 1;
    broken.say(header, {simple_op("customers", "ann")});
    expect_void(broken, VoidReason::out_of_range);
    Site& site = space[0];
    site.put("customers", "later", text("x"));
    EXPECT_FALSE(site->failed());
}

TEST(NewerVersions, D8_D12_unknown_kinds_are_kept_and_forwarded_byte_for_byte) {
    Space space(3);
    BrokenAuthor newer(space[2], space.id());
    Op unknown;
    unknown.kind = 77;
    unknown.body = "of the future";
    Op mixed = simple_op("customers", "ann");
    mixed.edits.push_back({99, path_child({}, "name", CellType::register_), "new"});
    Op list = simple_op("customers", "bob");
    list.edits.push_back({static_cast<std::uint64_t>(EditKind::write),
                          path_child({}, "lines", static_cast<CellType>(0x30)),
                          "cell"});
    newer.say({unknown, mixed}).say({unknown}).say({list});
    auto const report = test::value_of(space[0]->apply(newer.batch()));
    EXPECT_EQ(report.voided, 0u);
    space.pull(0, 1);
    EXPECT_EQ(log_of(space[1], space[2].actor()), newer.entries());
    EXPECT_EQ(space[1].records(), space[0].records());
    EXPECT_EQ(space[1]->root(), space[0]->root());
    EXPECT_EQ(space[1].field("customers", "ann", "name"), Value("x"));
    // Editing beside a cell of an unknown type keeps it.
    space[1].patch("customers", "bob", text("y"));
    space.pull(1, 0);
    EXPECT_EQ(space[1].records(), space[0].records());
    EXPECT_THAT(space[0].records().rbegin()->second, HasSubstr("cell"));
}

TEST(Clocks, B1_a_skewed_clock_is_reported_and_its_entry_applied) {
    Space space(2);
    space[1].clock.advance(4 * 60'000);
    space[1].put("customers", "ann", text("A"));
    auto report = test::value_of(space[0]->apply(all_of(space[1])));
    EXPECT_THAT(report.skewed_sites, IsEmpty());
    space[1].clock.advance(2 * 60'000);
    space[1].put("customers", "ann", text("B"));
    space[1].put("customers", "ann", text("C"));
    report = test::value_of(space[0]->apply(all_of(space[1])));
    EXPECT_THAT(report.skewed_sites, ElementsAre("site1"));
    EXPECT_EQ(space[0].field("customers", "ann", "name"), Value("C"));
}

TEST(Clocks, B1_ten_years_ahead_on_the_only_peer_does_not_make_later_edits_lose) {
    Space space(2);
    space[1].clock.advance(10ULL * 365 * 86'400'000);
    space[1].put("customers", "ann", text("from the future"));
    space.pull(1, 0);
    space[0].patch("customers", "ann", text("later"));
    space.pull(0, 1);
    expect_equal(space);
    EXPECT_EQ(space[1].field("customers", "ann", "name"), Value("later"));
    EXPECT_THAT(space[1].get("customers", "ann")->conflicts, IsEmpty());
    // The own stamps stay near the own clock.
    space[0].reopen();
    space[0].patch("customers", "ann", text("latest"));
    auto const entries = log_of(space[0], space[0].actor());
    auto const stamp = decode_header(frame_entry(entries.back())->header)->hlc;
    EXPECT_LE(stamp.ms(), space[0].clock.now_ms() + kHlcAheadMaxMs);
}

TEST(Members, a_new_site_writes_only_after_it_has_caught_up) {
    Space space(2);
    space[0].put("customers", "ann", text("A"));
    Site& late = space.admit({"late"});
    auto const refused = late.try_commit({{Write::Kind::put, {"customers", "x"}, {}, {}}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
    space.pull(0, 2);
    late.put("customers", "x", {});
    space.converge();
    expect_equal(space);
}

TEST(Faults, a_batch_is_applied_in_one_write_or_not_at_all) {
    using Outcome = test::FaultEngine::Outcome;
    for (Outcome const outcome : {Outcome::lost, Outcome::kept}) {
        Space space(2);
        for (int i = 0; i < 5; ++i)
            space[0].put("customers", std::to_string(i), text("x"));
        space[1].put("customers", "own", text("x"));
        auto const batch = all_of(space[0]);
        space[1].engine->fail_write(1, outcome);
        EXPECT_FALSE(space[1]->apply(batch));
        EXPECT_TRUE(space[1]->failed());
        EXPECT_EQ(space[1]->vector().at(space[0].actor()), 0u);
        space[1].reopen();
        EXPECT_EQ(space[1]->vector().at(space[0].actor()), outcome == Outcome::kept ? 5u : 0u);
        space.converge();
        expect_equal(space);
    }
}

TEST(Faults, a_log_with_a_hole_is_reported_instead_of_sending_nothing) {
    Space space(2);
    space[0].put("customers", "ann", text("A"));
    WriteBatch hole;
    hole.remove(Family::log, keys::log(1, {space[0].actor(), 1}));
    ASSERT_TRUE(space[0].engine->write(hole, Durability::synced));
    auto const batch = space[0]->collect({}, 1'000);
    ASSERT_FALSE(batch);
    EXPECT_EQ(batch.error().code, Errc::corruption);
}

}  // namespace
}  // namespace inos
