// Acknowledgements, stability and purging: deleted records go when every member is known to hold
// the deletion, and not before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/acknowledgements.hpp"
#include "storage/keys.hpp"
#include "storage/replica_stage.hpp"
#include "tests/support/broken_author.hpp"
#include "tests/support/corrupt.hpp"
#include "tests/support/space.hpp"

namespace inos {
namespace {

using test::object_of;
using test::Space;
using testing::HasSubstr;

// Cells that the site holds of a record, shown or not.
std::size_t cells(test::Site& site, std::string const& collection, std::string const& key) {
    auto const bytes =
        test::value_of(site.engine->get(Family::records, keys::record(1, collection, key)));
    RecordName const name{collection, key};
    return bytes ? test::value_of(StoredRecord::decode(*bytes, name)).record.cells().size() : 0;
}

std::size_t purge(test::Site& site) {
    return test::value_of(site->purge(1000));
}

void expect_same(Space& space) {
    for (std::size_t i = 0; i < space.size(); ++i) {
        EXPECT_EQ(space[i]->root(), space[0]->root()) << i;
        EXPECT_EQ(test::value_of(space[i]->recompute_root()), space[i]->root()) << i;
    }
}

// The second site took away its edit, which had kept the record, before it heard of the delete. The
// first one, which does not know that, still shows the record and writes to it.
TEST(Purge, A1_a_record_that_somebody_still_shows_stays) {
    Space space(2);
    space[1].put("c", "x", object_of(R"({"n": 1})"));
    space.converge();
    space[1].patch("c", "x", object_of(R"({"m": 1})"));
    space[0].erase("c", "x");
    space.pull(1, 0);
    space[1].patch("c", "x", object_of(R"({"m": null})"));
    space.pull(0, 1);
    space.acknowledge();
    EXPECT_EQ(purge(space[1]), 0u);
    space[0].patch("c", "x", object_of(R"({"n": 2})"));
    space.converge();
    EXPECT_EQ(space[1].field("c", "x", "n"), Value(2));
    expect_same(space);
    space[0].erase("c", "x");
    space.converge();
    space.acknowledge();
    EXPECT_EQ(purge(space[1]), 1u);
}

TEST(Purge, C6_a_deleted_record_goes_when_all_have_acknowledged_the_delete) {
    Space space(3);
    space[0].put("c", "x", object_of(R"({"n": 1, "m": 2})"));
    space.converge();
    space[1].erase("c", "x");
    space.pull(1, 0);
    space.pull(1, 2);
    EXPECT_GT(cells(space[0], "c", "x"), 0u);
    space.acknowledge();
    EXPECT_EQ(purge(space[0]), 1u);
    EXPECT_EQ(cells(space[0], "c", "x"), 0u);
    EXPECT_EQ(purge(space[0]), 0u);
    space.converge();
    expect_same(space);  // purged here, not there: the same root
    EXPECT_EQ(test::value_of(space[0]->history({"c", "x"})).size(), 2u);  // the log still knows
    // The id can be used again.
    space[0].put("c", "x", object_of(R"({"n": 3})"));
    space.converge();
    EXPECT_EQ(space[2].field("c", "x", "n"), Value(3));
    expect_same(space);
}

TEST(Purge, A1_a_site_that_was_away_through_it_does_not_bring_the_record_back) {
    Space space(3);
    space[0].put("c", "x", object_of(R"({"n": 1})"));
    space.converge();
    space.acknowledge();
    space[1].erase("c", "x");
    for (int round = 0; round < 3; ++round) {
        space.pull(1, 0);
        test::value_of(space[0]->acknowledge());
        test::value_of(space[1]->acknowledge());
        for (auto const& [site, bytes] : space[1]->acknowledgements())
            test::value_of(space[0]->add_acknowledgements({bytes}));
        EXPECT_EQ(purge(space[0]), 0u);  // site 2 has not acknowledged
    }
    space[2].patch("c", "x", object_of(R"({"n": 2})"));  // it has not seen the delete
    space.converge();
    expect_same(space);
    EXPECT_EQ(space[0].field("c", "x", "n"), Value(2));  // whole again, by update-wins
    space[0].erase("c", "x");
    space.converge();
    space.acknowledge();
    for (std::size_t i = 0; i < 3; ++i)
        EXPECT_EQ(purge(space[i]), 1u);
    expect_same(space);
}

TEST(Purge, A2_an_acknowledgement_says_what_is_durable_and_nothing_later) {
    Space space(2);
    space[0].put("c", "x", object_of(R"({"n": 1})"));
    space.converge();
    space[0].erase("c", "x");
    space.acknowledge();  // site 1 acknowledges without the delete
    EXPECT_EQ(purge(space[0]), 0u);
    space.pull(0, 1);
    EXPECT_EQ(purge(space[0]), 0u);  // it has the delete, and has not said so
    test::value_of(space[1]->acknowledge());
    space[1].reopen();  // a crash right after an acknowledgement: all that it named is there
    EXPECT_TRUE(space[1]->vector().includes(space[0]->vector()));
    space.acknowledge();
    EXPECT_EQ(purge(space[0]), 1u);
}

TEST(Purge, A3_a_silent_member_holds_it_back_and_is_named) {
    Space space(3);
    space[0].put("c", "x", object_of(R"({"n": 1})"));
    space.converge();
    space.acknowledge();
    EXPECT_TRUE(space[0]->purge_blockers().empty());
    space[0].erase("c", "x");
    space.pull(0, 1);
    for (std::size_t i : {0u, 1u})
        test::value_of(space[i]->acknowledge());
    for (auto const& [site, bytes] : space[1]->acknowledgements())
        test::value_of(space[0]->add_acknowledgements({bytes}));
    EXPECT_EQ(purge(space[0]), 0u);
    auto const blockers = space[0]->purge_blockers();
    ASSERT_EQ(blockers.size(), 1u);
    EXPECT_EQ(blockers[0].name, "site2");
    EXPECT_EQ(blockers[0].entries, 1u);
}

TEST(Purge, a_newcomer_that_others_do_not_know_yet_is_waited_for) {
    Space space(2);
    space[0].put("c", "x", object_of(R"({"n": 1})"));
    space.converge();
    space[0].erase("c", "x");
    space.converge();
    space.acknowledge();
    space.admit({"late", Role::writer, {}});
    // Everybody has acknowledged the delete; the newcomer has not.
    EXPECT_EQ(purge(space[1]), 0u);
    space.converge();
    space.acknowledge();
    EXPECT_EQ(purge(space[1]), 1u);
}

TEST(Purge, A15_sites_purge_when_they_like_and_an_id_is_used_again) {
    Space space(3);
    for (int round = 0; round < 4; ++round) {
        std::size_t const at = static_cast<std::size_t>(round) % 3;
        space[at].put("c", "x", object_of(R"({"n": 1, "round": 0})"));
        space.converge();
        space[(at + 1) % 3].erase("c", "x");
        space.converge();
        space.acknowledge();
        EXPECT_EQ(purge(space[at]), 1u);
        space[(at + 2) % 3].put("c", "x", object_of(R"({"only": 1})"));
        space.converge();
        for (std::size_t i = 0; i < 3; ++i)
            EXPECT_EQ(space[i].get("c", "x")->fields, object_of(R"({"only": 1})"));
        expect_same(space);
        space[0].erase("c", "x");
        space.converge();
    }
}

// Numbers belong to the actor, so a record that is gone takes none along.
TEST(Purge, C3_an_id_that_was_purged_begins_again_with_numbers_nobody_has_seen) {
    Space space(2);
    Dot const first = *space[0].put("c", "x", object_of(R"({"n": {"$inc": 5}})")).dot;
    space.converge();
    Dot const deleted = *space[0].erase("c", "x").dot;
    space.converge();
    space.acknowledge();
    for (std::size_t i : {0, 1})
        EXPECT_EQ(purge(space[i]), 1u);
    space[0].reopen();
    Dot const again = *space[0].put("c", "x", object_of(R"({"n": {"$inc": 2}})")).dot;
    EXPECT_EQ(again, (Dot{first.actor, deleted.seq + 1}));
    space.converge();
    for (std::size_t i : {0, 1})
        EXPECT_EQ(space[i].field("c", "x", "n"), Value(2));
    expect_same(space);
}

TEST(Purge, delete_wins_deletes_again_what_met_an_edit) {
    Space space(3);
    space[0].set_schema(R"({"c": {"delete": "delete-wins", "fields": {}}})");
    space[0].put("c", "x", object_of(R"({"n": 1})"));
    space.converge();
    space[1].erase("c", "x");
    space[2].patch("c", "x", object_of(R"({"n": 2})"));
    space.converge();
    space.acknowledge();
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_FALSE(space[i].get("c", "x"));
        EXPECT_EQ(purge(space[i]), 0u);  // an edit that no marker covers
    }
    EXPECT_EQ(test::value_of(space[0]->delete_again(100)), 0u);  // not its delete
    EXPECT_EQ(test::value_of(space[1]->delete_again(100)), 1u);
    EXPECT_EQ(test::value_of(space[1]->delete_again(100)), 0u);
    space.converge();
    space.acknowledge();
    for (std::size_t i = 0; i < 3; ++i)
        EXPECT_EQ(purge(space[i]), 1u);
    expect_same(space);
}

TEST(Purge, removed_elements_of_lists_go_without_a_change_of_the_root) {
    Space space(2);
    space[0].set_schema(R"({"c": {"fields": {"lines": {"type": "list"}}}})");
    space[0].put("c", "x", object_of(R"({"lines": ["a", "b", "c"]})"));
    space.converge();
    space[1].put("c", "x", object_of(R"({"lines": ["a", "c"]})"));
    space.converge();
    space.acknowledge();
    std::size_t const before = cells(space[0], "c", "x");
    auto const root = space[0]->root();
    EXPECT_EQ(purge(space[0]), 1u);
    EXPECT_LT(cells(space[0], "c", "x"), before);
    EXPECT_EQ(space[0]->root(), root);
    expect_same(space);
    EXPECT_EQ(space[0].field("c", "x", "lines"), Value(Array{Value("a"), Value("c")}));
}

// Records come and go at three sites; what stays is the log, and a name for each history.
TEST(Purge, A16_churn_leaves_no_markers_behind) {
    Space space(3);
    for (int round = 0; round < 30; ++round) {
        for (int i = 0; i < 5; ++i) {
            std::string const key = "r" + std::to_string(i);
            space[static_cast<std::size_t>(round + i) % 3].put(
                "c", key, object_of(R"({"n": 1, "m": {"a": [1, 2]}})"));
        }
        space.converge();
        for (int i = 0; i < 5; ++i)
            space[static_cast<std::size_t>(round) % 3].erase("c", "r" + std::to_string(i));
        space.converge();
        space.acknowledge();
        for (std::size_t at = 0; at < 3; ++at)
            purge(space[at]);
    }
    for (std::size_t at = 0; at < 3; ++at) {
        for (int i = 0; i < 5; ++i)
            EXPECT_EQ(cells(space[at], "c", "r" + std::to_string(i)), 0u);
        auto cursor =
            space[at].engine->scan(Family::index, keys::meta_kind(1, 'd'), keys::meta_kind(1, 'e'));
        EXPECT_FALSE(cursor->valid());
        EXPECT_EQ(space[at]->record_count(), 0u);
    }
    expect_same(space);
}

// What an old copy of a site would send: edits to records that everybody has purged.
TEST(Purge, A4_orphan_edits_are_listed_and_kept_or_dropped) {
    Space space(3);
    for (char const* key : {"keep", "drop"})
        space[0].put("c", key, object_of(R"({"n": 1})"));
    space.converge();
    for (char const* key : {"keep", "drop"})
        space[0].erase("c", key);
    space.converge();
    space.acknowledge();
    for (std::size_t i = 0; i < 3; ++i)
        EXPECT_EQ(purge(space[i]), 2u);
    test::BrokenAuthor old_copy(space[2], space.id(), space.digest_key());
    for (char const* key : {"keep", "drop"}) {
        Op op = test::simple_op("c", key, "edited");
        op.fresh = false;
        old_copy.say(old_copy.header({"c", "name"}), {op});
    }
    for (std::size_t i : {0u, 1u}) {
        test::value_of(space[i]->apply(old_copy.batch()));
        EXPECT_EQ(space[i]->record_count(), 0u);
        EXPECT_FALSE(space[i].get("c", "keep"));
        auto const orphans = test::value_of(space[i]->orphans({}, "", 10));
        ASSERT_EQ(orphans.size(), 2u);
        EXPECT_EQ(orphans[0].id, "drop");
        EXPECT_EQ(orphans[0].collection, "c");
        EXPECT_EQ(orphans[0].fields, object_of(R"({"name": "edited"})"));
        auto const keys_behind = [&](RecordName const& after, std::string_view only) {
            std::vector<std::string> keys;
            for (auto const& one : test::value_of(space[i]->orphans(after, only, 10)))
                keys.push_back(one.id);
            return keys;
        };
        EXPECT_EQ(keys_behind({}, "c"), (std::vector<std::string>{"drop", "keep"}));
        EXPECT_EQ(keys_behind({"c", "drop"}, ""), (std::vector<std::string>{"keep"}));
        EXPECT_EQ(keys_behind({"b", "z"}, "c"), (std::vector<std::string>{"drop", "keep"}));
        EXPECT_TRUE(keys_behind({"c", "keep"}, "c").empty());
        EXPECT_TRUE(keys_behind({}, "b").empty());
    }
    space[0].commit({{Write::Kind::revive, {"c", "keep"}, {}, {}},
                     {Write::Kind::cover, {"c", "drop"}, {}, {}}});
    space.pull(0, 1);
    for (std::size_t i : {0u, 1u}) {
        EXPECT_TRUE(test::value_of(space[i]->orphans({}, "", 10)).empty());
        EXPECT_EQ(space[i].field("c", "keep", "name"), Value("edited"));
        EXPECT_FALSE(space[i].get("c", "drop"));
    }
    EXPECT_EQ(space[0]->root(), space[1]->root());
    // The old copy, which has not heard of that, goes on.
    Op again = test::simple_op("c", "drop", "edited again");
    again.fresh = false;
    old_copy.say(old_copy.header({"c", "name"}), {again});
    for (std::size_t i : {0u, 1u}) {
        test::value_of(space[i]->apply(old_copy.batch()));
        EXPECT_FALSE(space[i].get("c", "drop"));
        EXPECT_EQ(space[i]->record_count(), 1u) << "the one that was kept";
    }
    EXPECT_EQ(space[0]->root(), space[1]->root());
}

// The lone edit is kept as it is: it lacks what the schema asks for, and what is read of it beside,
// a default or the array of a field that keeps all, is not written.
TEST(Purge, an_orphan_that_is_kept_is_what_was_written_whatever_the_schema_asks_for) {
    Space space(2);
    space[0].set_schema(R"({"c": {"fields": {
        "n": {"type": "register", "required": true},
        "notes": {"type": "register", "policy": "keep-all"},
        "state": {"type": "register", "default": "open"}}}})");
    space[0].put("c", "keep", object_of(R"({"n": 1})"));
    space[0].erase("c", "keep");
    space.converge();
    space.acknowledge();
    for (std::size_t i = 0; i < 2; ++i)
        EXPECT_EQ(purge(space[i]), 1u);
    test::BrokenAuthor old_copy(space[1], space.id(), space.digest_key());
    Op op = test::simple_op("c", "keep", "edited");
    op.fresh = false;
    op.edits.push_back({static_cast<std::uint64_t>(EditKind::write),
                        path_child({}, "notes", CellType::register_),
                        encode(Value("call back"))});
    old_copy.say(old_copy.header({"c", "name", "notes"}), {op});
    test::value_of(space[0]->apply(old_copy.batch()));
    auto const done = space[0].commit({{Write::Kind::revive, {"c", "keep"}, {}, {}}});
    ASSERT_EQ(done.writes.front().warnings.size(), 1u);
    EXPECT_EQ(done.writes.front().warnings[0].field, "n");
    EXPECT_EQ(space[0].get("c", "keep")->fields,
              object_of(R"({"name": "edited", "notes": ["call back"], "state": "open"})"));
    EXPECT_TRUE(types_at(test::value_of(space[0]->record_at({"c", "keep"})), path_name({}, "state"))
                    .empty());
}

TEST(Acknowledgement, says_the_same_after_a_round_trip_and_refuses_corruption) {
    auto const key = crypto::SigningKey::from_seed(crypto::Secret(std::string(32, 's')));
    SpaceId space{};
    space.fill(9);
    Acknowledgement ack;
    ack.site = key.public_key;
    ack.counter = 300;
    ack.heads = {{ActorId{1}, 5, {1}}, {ActorId{2}, 9, {2}}};
    ack.scrubbed.emplace().set(ActorId{1}, 4);
    for (bool const all : {false, true}) {
        if (all) ack.scrubbed.reset();
        std::string const bytes = ack.encode(space, key);
        auto const again = test::value_of(decode_acknowledgement(space, bytes));
        EXPECT_TRUE(again.same_as(ack));
        EXPECT_EQ(again.counter, 300u);
        test::for_every_corruption(bytes, [&](std::string const& bad) {
            EXPECT_FALSE(decode_acknowledgement(space, bad));
        });
        SpaceId other{};
        EXPECT_FALSE(decode_acknowledgement(other, bytes));
    }
}

TEST(Acknowledgement, of_another_space_is_refused_and_old_ones_are_passed_over) {
    Space space(2), other(2, {7, Durability::synced, {}});
    space[0].put("c", "x", object_of(R"({"n": 1})"));
    auto const first = *test::value_of(space[0]->acknowledge());
    EXPECT_FALSE(test::value_of(space[0]->acknowledge()));  // nothing has changed
    space[0].put("c", "y", object_of(R"({"n": 1})"));
    auto const second = *test::value_of(space[0]->acknowledge());
    EXPECT_EQ(test::value_of(space[1]->add_acknowledgements({second})).size(), 1u);
    EXPECT_TRUE(test::value_of(space[1]->add_acknowledgements({first, second})).empty());
    EXPECT_TRUE(test::value_of(other[0]->add_acknowledgements({})).empty());
    auto const refused = other[0]->add_acknowledgements({second});  // of another space
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::protocol);
    Space more(3);
    auto const late = *test::value_of(more[2]->acknowledge());
    std::string const unknown = late;
    EXPECT_EQ(test::value_of(more[0]->add_acknowledgements({unknown})).size(), 1u);
}

}  // namespace
}  // namespace inos
