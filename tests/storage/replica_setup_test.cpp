// What a replica does by what it was set up with: durability, rights, and its place in the engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/space.hpp"
#include "tests/support/temp_dir.hpp"

namespace inos {
namespace {

using test::object_of;
using test::Site;
using test::Space;
using testing::HasSubstr;

Write put(std::string key, std::string_view json, std::string collection = "customers") {
    return {Write::Kind::put, {std::move(collection), std::move(key)}, object_of(json), {}};
}

TEST(ReplicaDurability, flushed_commits_do_not_sync_but_nothing_leaves_before_a_sync) {
    Space space(2, {.seed = 1, .durability = Durability::flushed, .rocks_below = {}});
    Site& site = space[0];
    std::size_t const syncs = site.engine->syncs();
    site.put("customers", "ann", {});
    EXPECT_EQ(site.engine->syncs(), syncs);
    // Else a power cut makes the site use a number twice that others know already.
    auto const batch = test::value_of(site->collect({}, 1'000));
    EXPECT_EQ(batch.entries(), 1u);
    EXPECT_EQ(site.engine->syncs(), syncs + 1);
    ASSERT_TRUE(site->collect({}, 1'000));
    EXPECT_EQ(site.engine->syncs(), syncs + 1);
    space[1].put("customers", "bob", {});
    space.pull(1, 0);
    site.put("customers", "cid", {});
    space.pull(1, 0);
    std::size_t const before = site.engine->syncs();
    space.pull(0, 1);
    EXPECT_EQ(site.engine->syncs(), before + 1);
}

// The acknowledgement that follows says that they are on the disk.
TEST(ReplicaDurability, D2_entries_of_others_are_synced_whatever_own_commits_are) {
    Space space(2, {.seed = 1, .durability = Durability::flushed, .rocks_below = {}});
    space[0].put("customers", "ann", {});
    std::size_t const syncs = space[1].engine->syncs();
    space.pull(0, 1);
    EXPECT_EQ(space[1].engine->syncs(), syncs + 1);
}

TEST(ReplicaRights, are_checked_before_anything_is_planned) {
    Space space({{"hq", Role::admin, {}},
                 {"shop", Role::writer, {"orders"}},
                 {"screen", Role::reader, {}},
                 {"meet", Role::relay, {}},
                 {"desk", Role::writer, {}}});
    EXPECT_TRUE(space[1].try_commit({put("1", "{}", "orders")}));
    EXPECT_TRUE(space[4].try_commit({put("1", "{}", "orders")}));
    auto const error = [&](std::size_t site, std::string const& collection) {
        auto const result = space[site].try_commit({put("1", "{}", collection)});
        return result ? Error{Errc::internal, "not refused", {}} : result.error();
    };
    EXPECT_EQ(error(1, "customers").code, Errc::forbidden);
    EXPECT_THAT(error(1, "customers").message, HasSubstr("may not write \"customers\""));
    EXPECT_EQ(error(2, "orders").code, Errc::forbidden);
    EXPECT_THAT(error(2, "orders").message, HasSubstr("reader"));
    EXPECT_EQ(error(3, "orders").code, Errc::forbidden);
    EXPECT_EQ(error(4, "_schema").code, Errc::forbidden);
    EXPECT_EQ(error(4, "_spaces").code, Errc::forbidden);
    space[0].set_schema(R"({"orders":{"delete":"delete-wins"}})");
}

TEST(ReplicaSpaces, two_spaces_in_one_engine_do_not_see_each_other) {
    Space one(1), two(1, {.seed = 2, .durability = {}, .rocks_below = {}});
    Site& site = one[0];
    Membership membership(two.genesis());
    ASSERT_TRUE(membership.add_all(two.certificates()));
    ReplicaOptions const options{
        2, two[0].actor(), two[0].keys.identity, two.digest_key(), Durability::synced};
    auto const other = test::value_of(Replica::open(*site.engine, site.clock, membership, options));
    site.put("customers", "ann", object_of(R"({"a":1})"));
    ASSERT_TRUE(other->commit({{"test", {put("bob", "{}")}}}).front());
    site.reopen();
    EXPECT_EQ(site->record_count(), 1u);
    EXPECT_EQ(other->record_count(), 1u);
    EXPECT_EQ(test::value_of(other->list("customers", "", 10)).records[0].id, "bob");
    EXPECT_EQ(test::value_of(site->recompute_root()), site->root());
    EXPECT_EQ(test::value_of(other->recompute_root()), other->root());
}

TEST(ReplicaOnRocks, behaves_as_in_memory) {
    test::TempDir dir;
    Space space(2, {.rocks_below = dir.path()});
    space[0].set_schema(R"({"customers":{"fields":{"tags":{"type":"set"}}}})");
    for (int i = 0; i < 20; ++i)
        space[0].put("customers", std::to_string(i), object_of(R"({"tags":["a","b"]})"));
    space[0].erase("customers", "7");
    space.pull(0, 1, 1);
    space[1].patch("customers", "8", object_of(R"({"tags":{"$remove":"a"}})"));
    space.converge();
    for (std::size_t i = 0; i < 2; ++i) {
        space[i].reopen();
        EXPECT_EQ(space[i]->record_count(), 19u);
        EXPECT_EQ(space[i]->vector().at(space[0].actor()), 22u);
        EXPECT_EQ(test::value_of(space[i]->recompute_root()), space[0]->root());
    }
    EXPECT_EQ(space[1].records(), space[0].records());
}

}  // namespace
}  // namespace inos
