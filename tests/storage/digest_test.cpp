// Sums of digests: order does not matter, and what is taken away leaves no trace.
#include "storage/digest.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/tape.hpp"

namespace inos {
namespace {

using test::Tape;

Digest128 random_digest(Tape& tape) {
    crypto::Hash16 bytes;
    for (auto& byte : bytes)
        byte = tape.chance(30) ? 0xff : static_cast<std::uint8_t>(tape.word());
    return Digest128::from(bytes);
}

crypto::Secret secret(char fill) {
    return crypto::Secret(std::string(32, fill));
}

Cell cell(std::string path, Dot dot, std::string payload = "x") {
    return {std::move(path), dot, Hlc::from(5, 0), "crm", std::move(payload)};
}

std::string const kName = path_child({}, "name", CellType::register_);
std::string const kPoints = path_child({}, "points", CellType::counter);

TEST(Digest, carries_and_borrows_over_all_128_bits) {
    crypto::Hash16 ones, one{};
    ones.fill(0xff);
    one[15] = 1;
    Digest128 sum = Digest128::from(ones);
    sum += Digest128::from(one);
    EXPECT_EQ(sum, Digest128());
    sum -= Digest128::from(one);
    EXPECT_EQ(sum, Digest128::from(ones));
    EXPECT_EQ(Digest128::from(one).text(), "00000000000000000000000000000001");
}

RC_GTEST_PROP(Digest, sums_do_not_depend_on_order_and_subtract_exactly, (Tape tape)) {
    Digest128 const a = random_digest(tape), b = random_digest(tape), c = random_digest(tape);
    Digest128 one = a, other = c;
    one += b;
    one += c;
    other += a;
    other += b;
    RC_ASSERT(one == other);
    one -= b;
    one -= a;
    RC_ASSERT(one == c);
    RC_ASSERT(Digest128::from(a.bytes()) == a);
}

TEST(RecordDigest, depends_on_everything_that_is_read) {
    Record base;
    base.insert(cell(std::string(kExistencePath), {ActorId{1}, 1}, ""));
    base.insert(cell(kName, {ActorId{1}, 2}));
    auto const of = [](Record const& record,
                       std::string_view collection = "c",
                       std::string_view key = "k",
                       char fill = 1) {
        return record_digest(secret(fill), collection, key, record).text();
    };
    std::string const digest = of(base);
    EXPECT_EQ(of(base), digest);
    EXPECT_NE(of(base, "d"), digest);
    EXPECT_NE(of(base, "c", "l"), digest);
    EXPECT_NE(of(base, "ck", ""), of(base, "c", "k"));
    EXPECT_NE(of(base, "c", "k", 2), digest);
    Cell const was = base[1];
    auto const changed = [&](auto change) {
        Record record;
        record.insert(base[0]);
        Cell next = was;
        change(next);
        record.insert(next);
        return of(record);
    };
    EXPECT_NE(changed([](Cell& c) { c.path = path_child({}, "nam", CellType::register_); }),
              digest);
    EXPECT_NE(changed([](Cell& c) { c.dot.actor = ActorId{2}; }), digest);
    EXPECT_NE(changed([](Cell& c) { c.dot.seq = 3; }), digest);
    EXPECT_NE(changed([](Cell& c) { c.hlc = Hlc::from(6, 0); }), digest);
    EXPECT_NE(changed([](Cell& c) { c.source = "shop"; }), digest);
    EXPECT_NE(changed([](Cell& c) { c.payload = "y"; }), digest);
}

TEST(RecordDigest, of_a_counter_depends_on_actor_and_total_only) {
    auto const of = [](Dot dot, RunCell run, std::uint64_t ms) {
        Record record;
        Cell counter = cell(kPoints, dot, run.encode());
        counter.hlc = Hlc::from(ms, 0);
        record.insert(counter);
        return record_digest(secret(1), "c", "k", record);
    };
    auto const digest = of({ActorId{1}, 5}, {7, 2}, 1);
    EXPECT_EQ(of({ActorId{1}, 9}, {7, 3}, 2), digest);
    EXPECT_FALSE(of({ActorId{1}, 5}, {8, 2}, 1) == digest);
    EXPECT_FALSE(of({ActorId{2}, 5}, {7, 2}, 1) == digest);
}

TEST(CollectionSums, count_unmarked_and_uncovered_records_apart) {
    Record record;
    EXPECT_EQ(digest_class(state_of(record)), DigestClass::none);
    record.insert(cell(std::string(kExistencePath), {ActorId{1}, 1}, ""));
    EXPECT_EQ(digest_class(state_of(record)), DigestClass::unmarked);
    VersionVector seen;
    seen.set(ActorId{1}, 1);
    std::string payload;
    seen.encode(payload);
    record.insert(cell(std::string(kDeletePath), {ActorId{1}, 2}, payload));
    EXPECT_EQ(digest_class(state_of(record)), DigestClass::none);
    record.insert(cell(kName, {ActorId{2}, 1}));
    EXPECT_EQ(digest_class(state_of(record)), DigestClass::uncovered);
}

TEST(CollectionSums, what_nobody_sees_counts_as_no_record) {
    Record record;
    record.insert(cell(kName, {ActorId{2}, 1}));
    EXPECT_EQ(digest_class(state_of(record)), DigestClass::hidden);
    VersionVector seen;
    seen.set(ActorId{2}, 1);
    std::string payload;
    seen.encode(payload);
    record.insert(cell(std::string(kDeletePath), {ActorId{1}, 1}, payload));
    EXPECT_EQ(digest_class(state_of(record)), DigestClass::none);
    record.insert(cell(kName, {ActorId{2}, 2}));
    RecordState const state = state_of(record);
    EXPECT_FALSE(visible(state, DeletePolicy::update_wins));
    CollectionSums sums;
    Digest128 const digest = record_digest(secret(1), "c", "k", record);
    sums.add(digest_class(state), digest);
    EXPECT_EQ(sums.records(DeletePolicy::update_wins), 0u);
    EXPECT_EQ(sums.sum(DeletePolicy::update_wins), digest);
    EXPECT_EQ(sums.sum(DeletePolicy::delete_wins), Digest128());
    sums.subtract(digest_class(state), digest);
    EXPECT_EQ(sums, CollectionSums());
}

RC_GTEST_PROP(CollectionSums, add_and_subtract_and_read_back, (Tape tape)) {
    CollectionSums sums;
    Digest128 unmarked, both;
    std::uint64_t counts[5] = {};
    for (std::size_t n = tape.below(20); n > 0; --n) {
        auto const which = static_cast<DigestClass>(tape.below(5));
        Digest128 const digest = random_digest(tape), passing = random_digest(tape);
        sums.add(which, digest);
        sums.add(DigestClass::uncovered, passing);
        sums.subtract(DigestClass::uncovered, passing);
        ++counts[static_cast<std::size_t>(which)];
        if (which == DigestClass::unmarked || which == DigestClass::hidden) unmarked += digest;
        if (which != DigestClass::none) both += digest;
    }
    RC_ASSERT(sums.sum(DeletePolicy::delete_wins) == unmarked);
    RC_ASSERT(sums.sum(DeletePolicy::update_wins) == both);
    RC_ASSERT(sums.records(DeletePolicy::delete_wins) == counts[1]);
    RC_ASSERT(sums.records(DeletePolicy::update_wins) == counts[1] + counts[2]);
    CollectionSums again;
    RC_ASSERT(CollectionSums::decode(sums.encode(), again));
    RC_ASSERT(again == sums);
    std::string bytes = sums.encode();
    RC_ASSERT(!CollectionSums::decode(bytes + '\0', again));
    RC_ASSERT(!CollectionSums::decode(bytes.substr(0, bytes.size() - 1), again));
    bytes[0] = 2;
    RC_ASSERT(!CollectionSums::decode(bytes, again));
}

}  // namespace
}  // namespace inos
