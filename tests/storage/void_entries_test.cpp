// Authentic entries that break the rules, entries of newer versions, clocks, members and faults.
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
    BrokenAuthor author() { return BrokenAuthor(space[2], space.id(), space_->digest_key()); }

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
    BrokenAuthor newer(space[2], space.id(), space.digest_key());
    Op unknown;
    unknown.kind = 77;
    unknown.body = "of the future";
    Op mixed = simple_op("customers", "ann");
    mixed.edits.push_back({99, path_child({}, "name", CellType::register_), "new"});
    Op list = simple_op("customers", "bob");
    list.edits.push_back({static_cast<std::uint64_t>(EditKind::write),
                          path_child({}, "lines", static_cast<CellType>(0x1f)),
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
