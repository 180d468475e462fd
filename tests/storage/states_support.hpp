// What the tests of states share.
#pragma once

#include <string>

#include "storage/log_retention.hpp"
#include "tests/storage/exchange_support.hpp"

namespace inos::test {

class States : public testing::Test {
protected:
    static SiteId const& id(Site const& site) { return site.keys.identity.public_key; }
    void cut(Site& site) {
        space.acknowledge();
        while (value_of(cut_log(*site, 0, 1'000)) > 0) {
        }
    }
    StatePart part(Site& from, Site& to, std::size_t rows = 2) {
        StateAsk const ask = *to->state_ask(id(from));
        auto given = from->give_state(id(to), ask, {kStatePartBytes, rows});
        if (given || given.error().code != Errc::unavailable) return value_of(std::move(given));
        from.clock.advance(20'000);  // it has just made another one
        EXPECT_TRUE(from->scrubbed(from->scrub_ticket()));
        return value_of(from->give_state(id(to), ask, {kStatePartBytes, rows}));
    }
    // True: it is in force.
    Result<bool> take(Site& from, Site& to, StatePart const& part) {
        INOS_TRY(StateTaken const taken, to->take_state(id(from), part));
        return taken == StateTaken::in_force;
    }
    // How many parts that took.
    std::size_t transfer(Site& from, Site& to, std::size_t rows = 2) {
        for (std::size_t parts = 1; parts < 1'000; ++parts)
            if (value_of(take(from, to, part(from, to, rows)))) return parts;
        return 0;
    }
    // Parts until a record has come.
    void transfer_some(Site& from, Site& to) {
        do {
            ASSERT_FALSE(value_of(take(from, to, part(from, to, 1))));
        } while (!part(from, to, 1).after.starts_with(state_row::kRecord));
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

}  // namespace inos::test
