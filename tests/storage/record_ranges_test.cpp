// Finding the records that differ between two sites by sums over ranges.
#include "storage/record_ranges.hpp"

#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"
#include "tests/support/space.hpp"

namespace inos {
namespace {

using test::value_of;

std::string stored(std::uint64_t seed, DigestClass which = DigestClass::unmarked) {
    crypto::Hash16 bytes{};
    for (std::size_t i = 0; i < 8; ++i)
        bytes[i] = bytes[15 - i] = static_cast<std::uint8_t>(seed >> (8 * i));
    return StoredRecord::encode(Digest128::from(bytes), which, {}, {});
}

void put(MemoryEngine& engine, std::string const& key, std::string value) {
    WriteBatch batch;
    batch.put(Family::records, keys::space_begin(1) + key, std::move(value));
    value_of(engine.write(batch, Durability::flushed));
}

void remove(MemoryEngine& engine, std::string const& key) {
    WriteBatch batch;
    batch.remove(Family::records, keys::space_begin(1) + key);
    value_of(engine.write(batch, Durability::flushed));
}

struct Found {
    std::set<std::string> keys;
    std::size_t asked = 0, items = 0, parts = 0;
};

// What `ours` finds out by asking `theirs` until there is nothing left to ask.
Found differences(MemoryEngine const& ours, MemoryEngine const& theirs) {
    Found found;
    std::vector<RecordRange> open{{}};
    while (!open.empty()) {
        RecordRange const range = open.back();
        open.pop_back();
        auto const summary = value_of(summarize(theirs, 1, range));
        ++found.asked;
        found.items += summary.items.size();
        found.parts += summary.parts.size();
        EXPECT_LE(summary.items.size(), kRangeItemsMax);
        EXPECT_LE(summary.parts.size(), kRangePartsMax + 1);
        if (!(summary.range == range)) open.push_back({summary.range.to, range.to});
        auto const differing = value_of(compare_range(ours, 1, summary));
        for (auto const& part : differing.ranges)
            open.push_back(part.range);
        for (auto const& item : differing.records)
            EXPECT_TRUE(found.keys.insert(item.key).second) << "found twice";
    }
    return found;
}

std::string key_of(std::uint64_t i) {
    return "c" + std::to_string(i % 3) + std::string(1, '\0') + std::to_string(i * 7919);
}

TEST(RecordRanges, D25_exactly_the_records_that_differ_are_found) {
    for (std::uint64_t const seed : {1, 2, 3, 4, 5, 6, 7, 8}) {
        std::mt19937_64 random(seed);
        std::size_t const records = std::size_t{1} << (2 * (seed % 7));
        MemoryEngine ours, theirs;
        for (std::size_t i = 0; i < records; ++i)
            for (auto* engine : {&ours, &theirs})
                put(*engine, key_of(i), stored(i + 1));
        std::set<std::string> changed;
        for (std::size_t n = random() % (records + 2); n > 0; --n) {
            std::uint64_t const i = random() % (records + 10);
            if (!changed.insert(key_of(i)).second) continue;
            MemoryEngine& engine = random() % 2 ? ours : theirs;
            bool const is_there = i < records;
            if (is_there && random() % 2)
                remove(engine, key_of(i));
            else
                put(engine, key_of(i), stored(1'000'000 + i));
        }
        EXPECT_EQ(differences(ours, theirs).keys, changed) << "seed " << seed;
        EXPECT_EQ(differences(theirs, ours).keys, changed) << "seed " << seed;
    }
}

TEST(RecordRanges, one_difference_among_many_costs_a_few_answers) {
    MemoryEngine ours, theirs;
    for (std::uint64_t i = 0; i < 20'000; ++i)
        for (auto* engine : {&ours, &theirs})
            put(*engine, key_of(i), stored(i + 1));
    EXPECT_EQ(differences(ours, theirs).asked, 1u);
    put(ours, key_of(777), stored(5));
    auto const found = differences(ours, theirs);
    EXPECT_EQ(found.keys, std::set{key_of(777)});
    EXPECT_LE(found.asked, 4u);
    EXPECT_LE(found.items, kRangeItemsMax);
    EXPECT_LE(found.parts, 3 * kRangePartsMax);
}

TEST(RecordRanges, what_counts_in_no_root_is_passed_over) {
    MemoryEngine ours, theirs;
    put(ours, key_of(1), stored(1, DigestClass::none));
    EXPECT_TRUE(differences(ours, theirs).keys.empty());
    put(theirs, key_of(1), stored(1, DigestClass::hidden));
    EXPECT_EQ(differences(ours, theirs).keys.size(), 1u);
}

TEST(RecordRanges, all_missing_at_one_side_is_found_in_bounded_steps) {
    MemoryEngine ours, theirs;
    std::size_t constexpr kRecords = 3 * kRangeFoundMax;
    for (std::uint64_t i = 0; i < kRecords; ++i)
        put(ours, key_of(i), stored(i + 1));
    auto const first = value_of(compare_range(ours, 1, value_of(summarize(theirs, 1, {}))));
    EXPECT_EQ(first.records.size(), kRangeFoundMax);
    EXPECT_EQ(differences(ours, theirs).keys.size(), kRecords);
    EXPECT_EQ(differences(theirs, ours).keys.size(), kRecords);
}

TEST(RecordRanges, D24_answers_that_no_site_could_have_made_are_refused) {
    MemoryEngine engine;
    auto const refused = [&](RangeSummary const& summary) {
        auto const compared = compare_range(engine, 1, summary);
        return !compared && compared.error().code == Errc::protocol;
    };
    EXPECT_TRUE(refused({{"b", "a"}, {}, {}}));
    EXPECT_TRUE(refused({{"a", "z"}, {{"z", {}, 1}}, {{"b", {}, DigestClass::hidden}}}));
    EXPECT_TRUE(refused({{"b", "z"}, {}, {{"a", {}, DigestClass::hidden}}}));
    EXPECT_TRUE(refused({{"a", "c"}, {}, {{"c", {}, DigestClass::hidden}}}));
    EXPECT_TRUE(
        refused({{"a", ""}, {}, {{"c", {}, DigestClass::hidden}, {"c", {}, DigestClass::hidden}}}));
    EXPECT_TRUE(refused({{"a", "z"}, {{"c", {}, 1}, {"b", {}, 1}, {"z", {}, 1}}, {}}));
    EXPECT_TRUE(refused({{"a", "z"}, {{"c", {}, 1}}, {}}));
    EXPECT_TRUE(refused({{"a", ""}, {{"", {}, 1}, {"", {}, 1}}, {}}));
    EXPECT_FALSE(refused({{"a", ""}, {{"c", {}, 1}, {"", {}, 1}}, {}}));
}

}  // namespace
}  // namespace inos
