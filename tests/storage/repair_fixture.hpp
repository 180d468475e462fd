// What the tests of record repair share: rounds of it at one site and between two, damage below a
// replica, and a site that has to come out as it was. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/keys.hpp"
#include "storage/log_starts.hpp"
#include "storage/record_repair.hpp"
#include "storage/replica_stage.hpp"
#include "tests/support/space.hpp"

namespace inos::test {

using Raw = std::optional<std::string>;

inline Raw raw(Site& site, Family family, std::string const& key) {
    return value_of(site.engine->get(family, key));
}

inline void put_raw(Site& site, Family family, std::string const& key, Raw value) {
    WriteBatch batch;
    batch.changes.push_back({family, key, std::move(value)});
    value_of(site.engine->write(batch, Durability::synced));
}

inline std::string record_key(std::string const& key, std::string const& collection = "c") {
    return keys::record(1, collection, key);
}

inline constexpr Teller kAdmin{.admin = true, .stands_in = false};
inline constexpr Teller kStandIn{.admin = false, .stands_in = true};
inline constexpr Teller kReader{};

inline void finish(RecordRepair& repair, std::size_t budget = 300) {
    while (!value_of(repair.step(budget))) {
    }
}

// Its secondary indexes are built, and what its records are.
inline void expect_indexed(Site& site) {
    while (value_of(site->build_indexes(100))) {
    }
    value_of(site->check_indexes());
}

// Everything that `inos verify --repair` does without a peer.
inline RepairReport check(Site& site, std::size_t budget = 300) {
    RecordRepair repair(*site);
    finish(repair, budget);
    expect_indexed(site);
    return repair.take_report();
}

// What a node does by itself with the records that it has found damaged.
inline RepairReport mend(Site& site) {
    auto const& damaged = site->damaged_records();
    RecordRepair repair(*site, std::vector(damaged.begin(), damaged.end()));
    finish(repair);
    expect_indexed(site);
    return repair.take_report();
}

// Of all records in which two sites differ.
inline std::vector<std::string> differing(Site& at, Site& peer) {
    std::vector<std::string> keys;
    std::vector<RecordRange> open{{}};
    while (!open.empty()) {
        RecordRange const asked = open.back();
        open.pop_back();
        auto const summary = value_of(summarize(*peer.engine, 1, asked));
        if (summary.range.to != asked.to) open.push_back({summary.range.to, asked.to});
        auto const found = value_of(compare_range(*at.engine, 1, summary));
        for (auto const& part : found.ranges)
            open.push_back(part.range);
        for (RangeItem const& item : found.records)
            keys.push_back(item.key);
    }
    return keys;
}

// One side of what two sites do when their roots differ: `at` finds what differs, looks at its own
// log, and asks where that cannot tell.
inline RepairReport repair_with(Site& at, Site& peer, Teller const& teller = kAdmin) {
    RecordRepair repair(*at, differing(at, peer));
    finish(repair);
    for (auto keys = repair.next_open(); !keys.empty(); keys = repair.next_open())
        value_of(repair.merge(value_of(shared_states(*peer, keys)), teller));
    finish(repair);
    expect_indexed(at);
    return repair.take_report();
}

inline void flip(Site& site, Family family, std::string const& key) {
    std::string bad = *raw(site, family, key);
    bad.back() = static_cast<char>(bad.back() ^ 1);
    put_raw(site, family, key, bad);
}

inline std::string shared_key(std::string const& key) {
    return "c" + std::string(1, '\0') + key;
}

// The record is not there any more, and the sums say so, as a fault of the program would have it.
inline void lose_without_trace(Site& site, std::string const& key) {
    auto const sums_key = keys::digest(1, "c");
    CollectionSums sums;
    EXPECT_TRUE(CollectionSums::decode(*raw(site, Family::digests, sums_key), sums));
    auto const head = StoredRecord::head(*raw(site, Family::records, record_key(key)));
    sums.subtract(head.digest_class, head.digest);
    put_raw(site, Family::digests, sums_key, sums.encode());
    put_raw(site, Family::records, record_key(key), std::nullopt);
    site.reopen();
}

// Takes the first entries of an actor away, as a retention does.
inline void cut(Site& site, ActorId actor, Seq seq) {
    WriteBatch batch;
    std::vector<crypto::Hash16> chains;
    for (Seq at = 1; at <= seq; ++at) {
        chains.push_back(cut_hash(*value_of(site->chain_at({actor, at}))));
        batch.remove(Family::log, keys::log(1, {actor, at}));
    }
    VersionVector deps = *value_of(site->deps_of({actor, seq}));
    deps.set(actor, 0);
    std::string encoded;
    deps.encode(encoded);
    batch.put(Family::index, keys::deps(1, {actor, seq}), std::move(encoded));
    crypto::Hash32 const chain = *value_of(site->chain_at({actor, seq}));
    batch.put(Family::meta, keys::meta(1, 'b', actor), LogStart{seq, {}, chain}.encode());
    value_of(put_cut_chains(*site.engine, 1, {actor, 1}, chains, batch));
    value_of(site.engine->write(batch, Durability::synced));
    site.reopen();
}

struct Shop {
    Shop() : space(2) {
        space[0].put("c", "ann", object_of(R"({"name": "Ann", "city": "Kiel"})"));
        space[0].put("c", "bob", object_of(R"({"name": "Bob", "tags": ["a", "b"]})"));
        space[1].put("c", "cid", object_of(R"({"name": "Cid"})"));
        space.converge();
        space[1].patch("c", "ann", object_of(R"({"city": "Bonn"})"));
        space[0].patch("c", "bob", object_of(R"({"stock": {"$inc": 5}})"));
        space[0].erase("c", "cid");
        space[0].put("d", "x", object_of(R"({"n": 1})"));
        space.converge();
        before = contents(*space[0].engine);
    }
    Site& site() { return space[0]; }

    // The site is again what it was, to the last byte: records, indexes, digests, log.
    void expect_mended(RepairReport const& report) {
        EXPECT_TRUE(report.left.empty());
        EXPECT_FALSE(report.repaired.empty());
        EXPECT_TRUE(contents(*site().engine) == before);
        EXPECT_EQ(site()->root(), space[1]->root());
        EXPECT_EQ(value_of(site()->recompute_root()), site()->root());
        EXPECT_EQ(check(site()).mended, 0u) << "once is enough";
    }

    Space space;
    test::Contents before;
};

}  // namespace inos::test
