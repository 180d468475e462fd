// Groups of changes: what a reader beyond a version vector is told, in which pieces, and at which
// moment.
#include "storage/changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/keys.hpp"
#include "tests/support/space.hpp"

namespace inos::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

Object name(std::string const& text) {
    return {{"name", Value(text)}};
}

// "customers/ann={...} site0 test", or "=gone".
std::string text_of(RecordChange const& change, Space& space) {
    auto const* certificate = space[0]->membership().by_actor(change.actor);
    return change.name.collection + "/" + change.name.key + "=" +
           (change.fields ? write_json(*change.fields) : "gone") + " " +
           (certificate ? certificate->name : "?") + " " + change.source;
}

class Changes : public ::testing::Test {
protected:
    // The rest of a group.
    std::vector<std::string> drain(ChangeReader& reader, Replica const& replica) {
        std::vector<std::string> texts;
        for (bool done = false; !done; ++pages) {
            auto page = value_of(reader.next(replica));
            for (RecordChange const& change : page.changes)
                texts.push_back(text_of(change, space));
            done = page.done;
        }
        return texts;
    }
    std::vector<std::string> since(VersionVector const& from,
                                   std::string const& collection = {},
                                   ChangeLimits const& limits = {}) {
        ChangeReader reader(from, collection, limits);
        auto texts = drain(reader, *space[0]);
        EXPECT_EQ(reader.to(), space[0]->vector());
        return texts;
    }

    // Why there is no group behind that.
    std::string refused(VersionVector const& from, ChangeLimits const& limits = {}) {
        ChangeReader reader(from, {}, limits);
        for (;;) {
            auto const page = reader.next(*space[0]);
            if (page && page->done) return "";
            if (page) continue;
            EXPECT_EQ(page.error().code, Errc::gone);
            return page.error().message;
        }
    }
    // So few that every record counts as touched.
    static ChangeLimits few_names() {
        ChangeLimits limits;
        limits.names_max = 4;
        limits.step_ops = 3;
        limits.step_records = 2;
        return limits;
    }

    Space space{2};
    int pages = 0;
};

TEST_F(Changes, are_one_for_each_record_with_its_fields_and_newest_writer) {
    space[0].put("customers", "bob", name("Bob"));
    auto const from = space[0]->vector();
    space[0].put("customers", "ann", name("Ann"));
    space[0].put("customers", "ann", name("Anna"));
    space[0].put("orders", "o1", {});
    space.pull(0, 1);
    space[1].clock.advance(10'000);
    space[1].commit({{Write::Kind::patch, {"orders", "o1"}, {{"sum", Value(5)}}, {}}}, "shop");
    space[1].erase("customers", "bob");
    space.pull(1, 0);
    EXPECT_THAT(since(from),
                ElementsAre("customers/ann={\"name\":\"Anna\"} site0 test",
                            "customers/bob=gone site1 test",
                            "orders/o1={\"sum\":5} site1 shop"));
    EXPECT_THAT(since(from, "orders"), ElementsAre("orders/o1={\"sum\":5} site1 shop"));
    EXPECT_THAT(since(from, "nothing"), IsEmpty());
    EXPECT_THAT(since(space[0]->vector()), IsEmpty());
}

TEST_F(Changes, name_who_took_a_field_away) {
    space[0].put("customers", "ann", {{"name", Value("Ann")}, {"fax", Value(1)}});
    space.pull(0, 1);
    auto const from = space[0]->vector();
    space[1].commit({{Write::Kind::patch, {"customers", "ann"}, {{"fax", Value()}}, {}}}, "crm");
    space.pull(1, 0);
    EXPECT_THAT(since(from), ElementsAre("customers/ann={\"name\":\"Ann\"} site1 crm"));
}

TEST_F(Changes, from_the_beginning_are_all_records) {
    space[0].set_schema(R"({"customers":{"fields":{"tags":{"type":"set"}}}})");
    for (int i = 0; i < 5; ++i)
        space[0].put("customers", "c" + std::to_string(i), {});
    space[0].put("orders", "o", {});
    space[0].erase("customers", "c3");
    EXPECT_THAT(since({}),
                ElementsAre("customers/c0={} site0 test",
                            "customers/c1={} site0 test",
                            "customers/c2={} site0 test",
                            "customers/c3=gone site0 test",
                            "customers/c4={} site0 test",
                            "orders/o={} site0 test"));
    EXPECT_THAT(since({}, "orders"), ElementsAre("orders/o={} site0 test"));
}

TEST_F(Changes, leave_out_reserved_collections_and_entries_without_effect) {
    auto const from = space[0]->vector();
    space[0].set_schema(R"({"customers":{"fields":{"tags":{"type":"set"}}}})");
    EXPECT_THAT(since(from), IsEmpty());
    EXPECT_THAT(since(space[0]->vector()), IsEmpty());
}

TEST_F(Changes, tell_of_an_erasure_at_every_site_that_held_the_record) {
    space[0].put("customers", "ann", name("Ann"));
    space[0].put("customers", "bob", name("Bob"));
    space.converge();
    auto const from = space[0]->vector();
    space[1].erase_for_good("customers", "ann");
    space.converge();
    auto const told = since(from);
    ASSERT_THAT(told, SizeIs(1));
    EXPECT_THAT(told.front(), HasSubstr("ann"));
    EXPECT_THAT(told.front(), Not(HasSubstr("Ann")));
    // Who begins now hears nothing of her. After a restart nobody knows the name any more, and who
    // was not told has to begin again.
    EXPECT_THAT(since({}), SizeIs(1));
    auto const behind = space[0]->vector();
    space[0].reopen();
    EXPECT_THAT(since(behind), IsEmpty());
    EXPECT_THAT(since({}), SizeIs(1));
    EXPECT_THAT(refused(from), HasSubstr("erased for good"));
    EXPECT_THAT(refused(from, few_names()), HasSubstr("erased for good"));
}

// Somebody may have seen at another site, or here before the store was put back, what came here
// together with its erasure: nobody here can tell its name.
TEST_F(Changes, A17_end_at_the_erasure_of_what_was_never_here) {
    space[0].put("customers", "cy", name("Cy"));
    auto const from = space[0]->vector();
    space[1].put("customers", "ann", name("Ann"));
    space[1].erase_for_good("customers", "ann");
    space[1].put("customers", "bob", name("Bob"));
    space.pull(1, 0);
    EXPECT_THAT(refused(from), HasSubstr("erased for good"));
    EXPECT_THAT(since(space[0]->vector()), IsEmpty());
    EXPECT_THAT(since({}), SizeIs(2));
}

// Where every record counts as touched, what is not there any more has to be told all the same.
TEST_F(Changes, A1_tell_of_purged_records_however_many_have_changed) {
    for (int i = 0; i < 10; ++i)
        space[0].put("c", "k" + std::to_string(i), name("first"));
    auto const from = space[0]->vector();
    space[0].erase("c", "k3");
    space[0].erase("c", "k9");
    space[0].erase("c", "k5");
    for (int i = 0; i < 5; ++i)
        space[0].put("d", "k" + std::to_string(i), name("second"));
    space[0].put("c", "k5", name("again"));
    space.converge();
    space.acknowledge();
    EXPECT_GT(value_of(space[0]->purge(100)), 0u);
    WriteBatch gone;  // as when the log was cut behind the reader's first step
    gone.remove(Family::records, keys::record(1, "c", "k9"));
    value_of(space[0].engine->write(gone, Durability::synced));
    auto const told = since(from, {}, few_names());
    ASSERT_EQ(told.size(), 15u);
    EXPECT_EQ(told[3], "c/k3=gone site0 test");
    EXPECT_EQ(told[5], "c/k5={\"name\":\"again\"} site0 test");
    EXPECT_EQ(told[9], "c/k9=gone site0 test");
    EXPECT_EQ(since(from, "c", few_names()).size(), 3u);  // not too many
    ChangeLimits fewer = few_names();
    fewer.names_max = 2;
    EXPECT_THAT(refused(from, fewer), HasSubstr("too many to tell"));
}

TEST_F(Changes, name_the_schemas_that_were_touched) {
    space[0].put("customers", "ann", name("Ann"));
    auto const from = space[0]->vector();
    space[0].set_schema(R"({"customers":{"fields":{"tags":{"type":"set"}}}})");
    ChangeReader reader(from, {});
    EXPECT_THAT(drain(reader, *space[0]), IsEmpty());
    EXPECT_THAT(reader.schemas(), ElementsAre("customers"));
    ChangeReader later(space[0]->vector(), {});
    EXPECT_THAT(drain(later, *space[0]), IsEmpty());
    EXPECT_THAT(later.schemas(), IsEmpty());
}

TEST_F(Changes, are_read_in_steps_of_ops_whatever_the_size_of_entries) {
    auto const from = space[0]->vector();
    std::vector<Write> import;
    for (int i = 0; i < 400; ++i)
        import.push_back({Write::Kind::put, {"c", "k" + std::to_string(i)}, name("x"), {}});
    for (int round = 0; round < 5; ++round) {
        import.front().fields = name(std::to_string(round));
        for (Write& write : import)
            write.name.key += "'";
        space[0].commit(import);
    }
    ChangeLimits limits;
    limits.step_ops = 400;
    ChangeReader reader(from, {}, limits);
    int steps = 0;
    while (value_of(reader.next(*space[0])).changes.empty())
        ++steps;
    EXPECT_EQ(steps, from.empty() ? 0 : 4);
    // Too many names are given up as soon as they are too many.
    limits.step_ops = 1'000'000;
    limits.names_max = 600;
    ChangeReader many(from, {}, limits);
    EXPECT_FALSE(value_of(many.next(*space[0])).changes.empty());
    EXPECT_TRUE(many.holds_view());
}

// However a group is cut into pieces and whichever way it is read, it says the same.
TEST_F(Changes, are_the_same_for_all_limits) {
    for (int i = 0; i < 30; ++i)
        space[0].put("c" + std::to_string(i % 3), "k" + std::to_string(i), name("first"));
    auto const from = space[0]->vector();
    for (int i = 0; i < 30; i += 2)
        space[0].put("c" + std::to_string(i % 3), "k" + std::to_string(i), name("second"));
    space[0].erase("c1", "k13");
    auto const expected = since(from);
    EXPECT_EQ(expected.size(), 16u);
    ChangeLimits small;
    small.step_ops = 2;
    small.step_bytes = 1;
    EXPECT_EQ(since(from, {}, small), expected);
    small.step_bytes = 1'000'000;
    small.step_records = 3;
    small.direct_max = 5;
    pages = 0;
    EXPECT_EQ(since(from, {}, small), expected);
    EXPECT_GT(pages, 15);
    small.direct_max = 100;
    small.direct_bytes = 200;
    EXPECT_EQ(since(from, {}, small), expected);
    small = few_names();
    EXPECT_EQ(since(from, {}, small).size(), 30u);
    EXPECT_EQ(since(from, "c1", small).size(), 10u);
}

// E14: a group is one moment, also when it is read slowly while the replica goes on.
TEST_F(Changes, E14_are_of_one_moment_however_slowly_they_are_read) {
    auto const both = [](std::string const& value) {
        return std::vector<Write>{{Write::Kind::put, {"a", "first"}, name(value), {}},
                                  {Write::Kind::put, {"z", "last"}, name(value), {}}};
    };
    space[0].commit(both("old"));
    auto const from = space[0]->vector();
    space[0].commit(both("new"));
    ChangeLimits direct, cursor, all;
    direct.step_bytes = cursor.step_bytes = all.step_bytes = 1;
    cursor.direct_max = 0;
    all.names_max = 0;
    for (ChangeLimits const& limits : {direct, cursor, all}) {
        ChangeReader reader(from, {}, limits);
        auto first = value_of(reader.next(*space[0]));
        while (first.changes.empty())
            first = value_of(reader.next(*space[0]));
        auto const moment = space[0]->vector();
        auto const before = text_of(first.changes.front(), space).substr(7);
        space[0].commit(both("newer" + std::to_string(moment.items().front().second)));
        auto const rest = drain(reader, *space[0]);
        ASSERT_EQ(rest.size(), 1u);
        EXPECT_EQ(rest.front().substr(6), before);
        EXPECT_EQ(reader.to(), moment);
    }
}

TEST_F(Changes, take_in_what_comes_while_the_names_are_read) {
    for (int i = 0; i < 10; ++i)
        space[0].put("c", "k" + std::to_string(i), {});
    VersionVector from;
    from.set(space[0].actor(), 1);
    ChangeLimits limits;
    limits.step_ops = 3;
    ChangeReader reader(from, {}, limits);
    EXPECT_THAT(value_of(reader.next(*space[0])).changes, IsEmpty());
    space[0].put("c", "late", {});
    EXPECT_EQ(drain(reader, *space[0]).size(), 10u);
    EXPECT_EQ(reader.to(), space[0]->vector());
}

TEST_F(Changes, say_when_the_log_does_not_reach_back) {
    for (int i = 0; i < 3; ++i)
        space[0].put("c", "k" + std::to_string(i), {});
    VersionVector from;
    from.set(space[0].actor(), 1);
    WriteBatch cut;
    cut.remove(Family::log, keys::log(1, {space[0].actor(), 2}));
    value_of(space[0].engine->write(cut, Durability::synced));
    auto const page = ChangeReader(from, {}).next(*space[0]);
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().code, Errc::gone);
    EXPECT_THAT(page.error().message, HasSubstr("snapshot=true"));
}

}  // namespace
}  // namespace inos::test
