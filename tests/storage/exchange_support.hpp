// What the tests of the exchange between replicas share.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "tests/support/broken_author.hpp"
#include "tests/support/space.hpp"

namespace inos::test {

inline void expect_equal(Space& space) {
    for (std::size_t i = 0; i < space.size(); ++i) {
        EXPECT_EQ(space[i]->vector(), space[0]->vector()) << "site " << i;
        EXPECT_EQ(space[i]->root(), space[0]->root()) << "site " << i;
        EXPECT_EQ(space[i].records(), space[0].records()) << "site " << i;
        EXPECT_EQ(value_of(space[i]->recompute_root()), space[i]->root()) << "site " << i;
    }
}

// The batch is refused and the site is as it was.
inline Error refusal(Site& site, EntryBatch const& batch) {
    auto const before = contents(*site.engine);
    auto const vector = site->vector();
    auto const root = site->root();
    auto const report = site->apply(batch);
    EXPECT_FALSE(report);
    EXPECT_EQ(contents(*site.engine), before);
    EXPECT_EQ(site->vector(), vector);
    EXPECT_EQ(site->root(), root);
    EXPECT_FALSE(site->failed());
    return report ? Error{Errc::internal, "it was taken", {}} : report.error();
}

inline Object text(std::string const& value) {
    return {{"name", Value(value)}};
}

inline EntryBatch all_of(Site& site) {
    return value_of(site->collect({}, 64 << 20));
}

// Stored log entries of an actor, as bytes on the wire.
inline std::vector<std::string> log_of(Site& site, ActorId actor) {
    std::vector<std::string> entries;
    for (EntryRun const& run : all_of(site).runs)
        if (run.actor == actor)
            entries.insert(entries.end(), run.entries.begin(), run.entries.end());
    return entries;
}

}  // namespace inos::test
