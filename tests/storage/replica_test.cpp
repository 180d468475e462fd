// What one replica promises to those who write to it and read from it.
#include "storage/replica.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/space.hpp"

namespace inos {
namespace {

using test::object_of;
using test::Site;
using test::Space;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Write put(std::string key, std::string_view json, std::string collection = "customers") {
    return {Write::Kind::put, {std::move(collection), std::move(key)}, object_of(json), {}};
}
Write patch(std::string key, std::string_view json, std::string collection = "customers") {
    return {Write::Kind::patch, {std::move(collection), std::move(key)}, object_of(json), {}};
}
Write erase(std::string key, std::string collection = "customers") {
    return {Write::Kind::delete_, {std::move(collection), std::move(key)}, {}, {}};
}
Write if_match(Write write, std::string version) {
    write.if_match = std::move(version);
    return write;
}

class ReplicaTest : public testing::Test {
protected:
    static std::string show(std::optional<RecordView> const& view) {
        return view ? write_json(Value(view->fields)) : "nothing";
    }
    std::string show(std::string key, std::string collection = "customers") {
        return show(site.get(std::move(collection), std::move(key)));
    }
    void expect_sound() {
        auto const root = site->recompute_root();
        ASSERT_TRUE(root) << root.error().message;
        EXPECT_EQ(*root, site->root());
    }
    Error refused(std::vector<Write> writes) {
        auto const before = test::contents(*site.engine);
        auto const result = site.try_commit(std::move(writes));
        EXPECT_FALSE(result);
        EXPECT_EQ(test::contents(*site.engine), before);
        return result ? Error() : result.error();
    }

    Space space{2};
    Site& site = space[0];
};

TEST_F(ReplicaTest, reads_what_was_put) {
    Committed const done = site.commit({put("ann", R"({"name":"Ann","age":7})")});
    EXPECT_EQ(done.dot, (Dot{site.actor(), 1}));
    EXPECT_TRUE(done.writes[0].created);
    EXPECT_TRUE(done.writes[0].changed);
    auto const view = site.get("customers", "ann");
    EXPECT_EQ(show(view), R"({"age":7,"name":"Ann"})");
    EXPECT_EQ(view->id, "ann");
    EXPECT_EQ(view->version, done.writes[0].version);
    EXPECT_EQ(view->version.size(), 32u);
    EXPECT_EQ(show("bob"), "nothing");
    EXPECT_EQ(show("ann", "orders"), "nothing");
    expect_sound();
}

TEST_F(ReplicaTest, put_replaces_and_patch_merges) {
    site.commit({put("ann", R"({"name":"Ann","age":7,"to":{"street":"A","city":"Kiel"}})")});
    site.commit({patch("ann", R"({"age":null,"to":{"street":"B"}})")});
    EXPECT_EQ(show("ann"), R"({"name":"Ann","to":{"city":"Kiel","street":"B"}})");
    Committed const done = site.commit({put("ann", R"({"age":8})")});
    EXPECT_FALSE(done.writes[0].created);
    EXPECT_EQ(show("ann"), R"({"age":8})");
    expect_sound();
}

TEST_F(ReplicaTest, a_record_without_fields_exists) {
    site.commit({put("ann", "{}")});
    EXPECT_EQ(show("ann"), "{}");
    EXPECT_EQ(site->record_count(), 1u);
}

TEST_F(ReplicaTest, what_changes_nothing_makes_no_entry) {
    site.commit({put("ann", R"({"name":"Ann","tags":[1,2]})")});
    auto const vector = site->vector();
    auto const before = test::contents(*site.engine);
    for (Write const& write : {put("ann", R"({"name":"Ann","tags":[1,2]})"),
                               patch("ann", R"({"name":"Ann"})"),
                               patch("ann", "{}"),
                               erase("bob")}) {
        Committed const done = site.commit({write});
        EXPECT_FALSE(done.dot);
        EXPECT_FALSE(done.writes[0].changed);
        EXPECT_EQ(done.writes[0].found, write.kind != Write::Kind::delete_);
    }
    EXPECT_EQ(site->vector(), vector);
    EXPECT_EQ(test::contents(*site.engine), before);
}

TEST_F(ReplicaTest, deletes_and_starts_afresh) {
    site.commit({put("ann", R"({"name":"Ann","age":7})")});
    Committed const gone = site.commit({erase("ann")});
    EXPECT_TRUE(gone.writes[0].found);
    EXPECT_EQ(gone.writes[0].version, "");
    EXPECT_EQ(show("ann"), "nothing");
    EXPECT_EQ(site->record_count(), 0u);
    EXPECT_EQ(site->root(), Digest128());
    expect_sound();
    Committed const again = site.commit({patch("ann", R"({"name":"Anna"})")});
    EXPECT_TRUE(again.writes[0].created);
    EXPECT_EQ(show("ann"), R"({"name":"Anna"})");
    expect_sound();
}

TEST_F(ReplicaTest, resolving_a_conflict_leaves_one_value_everywhere) {
    site.commit({put("ann", R"({"name":"Ann"})")});
    space.pull(0, 1);
    site.commit({patch("ann", R"({"name":"Anne"})")});
    space[1].commit({patch("ann", R"({"name":"Anna"})")});
    space.converge();
    auto const conflicted = site.get("customers", "ann");
    ASSERT_EQ(conflicted->conflicts.size(), 1u);
    EXPECT_EQ(conflicted->conflicts[0].field, "name");
    EXPECT_EQ(conflicted->conflicts[0].values.size(), 2u);
    // Written even though it reads so already.
    Value const shown = site.field("customers", "ann", "name");
    Committed const done =
        site.commit({{Write::Kind::resolve, {"customers", "ann"}, {{"name", shown}}, {}}});
    EXPECT_TRUE(done.dot);
    EXPECT_NE(done.writes[0].version, conflicted->version);
    space.converge();
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_THAT(space[i].get("customers", "ann")->conflicts, IsEmpty());
        EXPECT_EQ(space[i].field("customers", "ann", "name"), shown);
    }
    EXPECT_EQ(refused({{Write::Kind::resolve, {"customers", "bob"}, {{"name", shown}}, {}}}).code,
              Errc::invalid);
    EXPECT_EQ(refused({{Write::Kind::resolve, {"customers", "ann"}, {{"age", shown}}, {}}}).code,
              Errc::invalid);
    EXPECT_EQ(refused({{Write::Kind::resolve, {"customers", "ann"}, {}, {}}}).code, Errc::invalid);
}

TEST_F(ReplicaTest, a_transaction_is_one_entry_over_several_records) {
    Committed const done = site.commit(
        {put("ann", R"({"a":1})"), put("o1", R"({"of":"ann"})", "orders"), erase("nobody")});
    EXPECT_EQ(done.writes.size(), 3u);
    EXPECT_EQ(site->vector().at(site.actor()), 1u);
    space.pull(0, 1);
    EXPECT_EQ(space[1].records(), site.records());
}

TEST_F(ReplicaTest, a_transaction_sees_its_own_writes) {
    Committed const done = site.commit({put("ann", R"({"a":1,"b":1})"),
                                        patch("ann", R"({"b":2,"n":{"$inc":2}})"),
                                        patch("ann", R"({"n":{"$inc":3}})"),
                                        put("bob", R"({"a":1})"),
                                        erase("bob"),
                                        erase("cid"),
                                        put("cid", R"({"a":9})")});
    EXPECT_TRUE(done.writes[0].created);
    EXPECT_FALSE(done.writes[1].created);
    EXPECT_EQ(done.writes[0].version, done.writes[2].version);
    EXPECT_EQ(done.writes[4].version, "");
    EXPECT_EQ(show("ann"), R"({"a":1,"b":2,"n":5})");
    EXPECT_EQ(show("bob"), "nothing");
    EXPECT_EQ(show("cid"), R"({"a":9})");
    EXPECT_EQ(site.get("customers", "ann")->version, done.writes[2].version);
    site.commit({erase("ann"), put("ann", R"({"c":1})"), patch("cid", R"({"a":1})"), erase("cid")});
    EXPECT_EQ(show("ann"), R"({"c":1})");
    EXPECT_EQ(show("cid"), "nothing");
    expect_sound();
    space.pull(0, 1);
    EXPECT_EQ(space[1].records(), site.records());
    EXPECT_EQ(space[1]->root(), site->root());
}

TEST_F(ReplicaTest, writes_that_cancel_each_other_make_no_entry) {
    Committed const done = site.commit({put("ann", R"({"a":1})"), erase("ann")});
    EXPECT_FALSE(done.dot);
    EXPECT_TRUE(site->vector().empty());
    EXPECT_EQ(show("ann"), "nothing");
}

TEST_F(ReplicaTest, a_failed_transaction_leaves_no_trace_while_others_of_its_group_succeed) {
    site.commit({put("ann", R"({"a":1})")});
    std::string const version = site.get("customers", "ann")->version;
    auto const results = site->commit({
        {"test", {put("bob", R"({"a":1})")}},
        {"test", {put("cid", R"({"a":1})"), if_match(put("ann", R"({"a":2})"), "stale")}},
        {"test", {patch("bob", R"({"b":2})")}},
        {"test", {put("dan", R"({"a":{"$inc":"x"}})")}},
        {"test", {if_match(put("ann", R"({"a":3})"), version)}},
        {"test", {if_match(put("ann", R"({"a":4})"), version)}},
    });
    ASSERT_EQ(results.size(), 6u);
    EXPECT_TRUE(results[0]);
    EXPECT_EQ(results[1].error().code, Errc::conflict);
    EXPECT_TRUE(results[2]);
    EXPECT_EQ(results[3].error().code, Errc::invalid);
    EXPECT_TRUE(results[4]);
    EXPECT_EQ(results[5].error().code, Errc::conflict);
    EXPECT_EQ(show("ann"), R"({"a":3})");
    EXPECT_EQ(show("bob"), R"({"a":1,"b":2})");
    EXPECT_EQ(show("cid"), "nothing");
    EXPECT_EQ(show("dan"), "nothing");
    EXPECT_EQ(site->vector().at(site.actor()), 4u);
    EXPECT_EQ(results[4]->dot->seq, 4u);
    expect_sound();
    space.pull(0, 1);
    EXPECT_EQ(space[1].records(), site.records());
}

TEST_F(ReplicaTest, if_match_names_the_version_or_nothing) {
    EXPECT_EQ(refused({if_match(put("ann", "{}"), "0")}).code, Errc::conflict);
    site.commit({if_match(put("ann", "{}"), "")});
    Error const error = refused({if_match(put("ann", R"({"a":1})"), "")});
    EXPECT_EQ(error.code, Errc::conflict);
    EXPECT_THAT(error.message, HasSubstr("\"ann\" in \"customers\""));
    site.commit({if_match(erase("ann"), site.get("customers", "ann")->version)});
    EXPECT_EQ(show("ann"), "nothing");
}

TEST_F(ReplicaTest, versions_change_exactly_when_the_state_does) {
    site.commit({put("ann", R"({"a":1,"n":{"$inc":1}})"), put("bob", R"({"a":1,"n":{"$inc":1}})")});
    auto const version = [&] { return site.get("customers", "ann")->version; };
    std::string const first = version();
    EXPECT_NE(first, site.get("customers", "bob")->version);
    site.commit({put("bob", R"({"a":2})")});
    site.commit({patch("ann", R"({"a":1})")});
    EXPECT_EQ(version(), first);
    site.reopen();
    EXPECT_EQ(version(), first);
    site.commit({patch("ann", R"({"n":{"$inc":1}})")});
    std::string const second = version();
    EXPECT_NE(second, first);
    // The same value again is another state: it was written later, by somebody who had seen more.
    site.commit({patch("ann", R"({"a":2})")});
    site.commit({patch("ann", R"({"a":1})")});
    EXPECT_NE(version(), second);
    space.pull(0, 1);
    EXPECT_EQ(space[1].get("customers", "ann")->version, version());
}

TEST_F(ReplicaTest, lists_in_the_order_of_ids_page_by_page) {
    for (char const* id : {"b", "a/1", "a", "c", "\xc3\xa9", "aa", "A", "z"})
        site.commit({put(id, "{}")});
    site.commit({put("a", "{}", "customer"), put("a", "{}", "customers2"), erase("z")});
    auto const ids = [&](std::string const& after, std::size_t limit) {
        auto const page = test::value_of(site->list("customers", after, limit));
        std::vector<std::string> out;
        for (auto const& record : page.records)
            out.push_back(record.id);
        out.push_back(page.next ? "next " + *page.next : "end");
        return out;
    };
    EXPECT_THAT(ids("", 100), ElementsAre("A", "a", "a/1", "aa", "b", "c", "\xc3\xa9", "end"));
    EXPECT_THAT(ids("", 3), ElementsAre("A", "a", "a/1", "next a/1"));
    EXPECT_THAT(ids("a/1", 3), ElementsAre("aa", "b", "c", "next c"));
    EXPECT_THAT(ids("c", 3), ElementsAre("\xc3\xa9", "end"));
    EXPECT_THAT(ids("b0", 1), ElementsAre("c", "next c"));
    EXPECT_THAT(ids("\xc3\xa9", 3), ElementsAre("end"));
    EXPECT_THAT(ids("", 0), ElementsAre("A", "next A"));
}

TEST_F(ReplicaTest, a_page_ends_early_when_it_passes_over_many_that_are_not_shown) {
    for (char const* id : {"a", "b", "c", "d", "e", "f"})
        site.commit({put(id, "{}")});
    for (char const* id : {"b", "c", "d", "e"})
        site.commit({erase(id)});
    auto const first = test::value_of(site->list("customers", "", 10, 2));
    ASSERT_EQ(first.records.size(), 1u);
    EXPECT_EQ(first.next, "d");
    auto const second = test::value_of(site->list("customers", "a", 10, 2));
    EXPECT_TRUE(second.records.empty());
    EXPECT_EQ(second.next, "d");
    auto const third = test::value_of(site->list("customers", "d", 10, 2));
    ASSERT_EQ(third.records.size(), 1u);
    EXPECT_EQ(third.records[0].id, "f");
    EXPECT_FALSE(third.next);
}

TEST_F(ReplicaTest, counts_visible_records_and_hides_reserved_collections) {
    site.commit({put("ann", "{}"), put("bob", "{}"), put("o1", "{}", "orders")});
    site.set_schema(R"({"customers":{"delete":"delete-wins"}})");
    site.commit({erase("bob"), erase("o1", "orders")});
    auto const collections = site->collections();
    ASSERT_EQ(collections.size(), 1u);
    EXPECT_EQ(collections[0].name, "customers");
    EXPECT_EQ(collections[0].records, 1u);
    EXPECT_EQ(site->record_count(), 1u);
    EXPECT_EQ(test::value_of(site->list("_schema", "", 10)).records.size(), 1u);
}

TEST_F(ReplicaTest, limits_are_refused_with_the_number_and_the_place) {
    std::string const value(kPayloadBytesMax, 'x');
    Error error = refused({put("ann", "{}"), put("bob", R"({"memo":")" + value + R"("})")});
    EXPECT_EQ(error.code, Errc::too_large);
    EXPECT_EQ(error.field, "memo");
    EXPECT_THAT(error.message, HasSubstr("262144"));
    EXPECT_THAT(error.message, HasSubstr("\"bob\" in \"customers\""));

    std::string const name(257, 'n');
    for (Write const& write : {put(name, "{}"),
                               put("", "{}"),
                               put("a\nb", "{}"),
                               put("\xff", "{}"),
                               put("a", "{}", name),
                               put("a", "{}", ""),
                               put("a", R"({")" + name + R"(":1})")}) {
        error = refused({write});
        EXPECT_EQ(error.code, Errc::too_large) << error.message;
        EXPECT_THAT(error.message, HasSubstr("256 bytes of UTF-8"));
    }
    site.commit({put(std::string(256, 'k'), "{}", std::string(256, 'c'))});

    auto const result = site->commit({{std::string(65, 's'), {put("ann", "{}")}}}).front();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().field, "source");
}

TEST_F(ReplicaTest, limits_of_a_record_hold_for_what_it_would_become) {
    Object leaves;
    for (int i = 0; i < 1'024; ++i)
        set_member(leaves, "f" + std::to_string(i), Value(i));
    site.put("customers", "ann", leaves);
    Error error = refused({patch("ann", R"({"one":"more"})")});
    EXPECT_EQ(error.code, Errc::too_large);
    EXPECT_THAT(error.message, HasSubstr("1025 fields and map leaves; the limit is 1024"));
    site.commit({patch("ann", R"({"f1":null,"one":"instead"})")});
    // Elements of a set do not count.
    Array elements;
    for (int i = 0; i < 2'000; ++i)
        elements.push_back(Value(i));
    site.set_schema(R"({"customers":{"fields":{"tags":{"type":"set"}}}})");
    site.put("customers", "tags", {{"tags", Value(elements)}});

    std::string const quarter(250 << 10, 'x');
    for (char const* field : {"a", "b", "c", "d"})
        site.patch("customers", "big", {{field, Value(quarter)}});
    error = refused({patch("big", R"({"e":")" + quarter + R"("})")});
    EXPECT_EQ(error.code, Errc::too_large);
    EXPECT_THAT(error.message, HasSubstr("the limit is 1048576"));
}

TEST_F(ReplicaTest, limits_of_an_entry_ask_to_split_it) {
    std::vector<Write> writes;
    for (int i = 0; i <= 10'000; ++i)
        writes.push_back(put(std::to_string(i), "{}"));
    Error error = refused(writes);
    EXPECT_EQ(error.code, Errc::too_large);
    EXPECT_THAT(error.message, HasSubstr("10001 changes is over the limit of 10000; split it"));
    writes.pop_back();
    site.commit(writes);

    writes.clear();
    std::string const value(256'000, 'x');
    for (int i = 0; i < 13; ++i)
        writes.push_back(put("big" + std::to_string(i), R"({"a":")" + value + R"("})"));
    error = refused(writes);
    EXPECT_EQ(error.code, Errc::too_large);
    EXPECT_THAT(error.message, HasSubstr("bytes is over the limit of 3145728; split it"));
    writes.pop_back();
    site.commit(writes);
    expect_sound();
    space.pull(0, 1);
    EXPECT_EQ(space[1]->root(), site->root());
}

TEST_F(ReplicaTest, a_group_is_one_write_with_one_sync) {
    std::vector<Transaction> group;
    for (int i = 0; i < 20; ++i)
        group.push_back({"test", {put(std::to_string(i), "{}")}});
    std::size_t const writes = site.engine->writes(), syncs = site.engine->syncs();
    for (auto const& result : site->commit(group))
        EXPECT_TRUE(result);
    EXPECT_EQ(site.engine->writes(), writes + 1);
    EXPECT_EQ(site.engine->syncs(), syncs + 1);
    EXPECT_TRUE(site->commit({}).empty());
    site.commit({put("1", "{}")});
    EXPECT_EQ(site.engine->writes(), writes + 1);
}

TEST_F(ReplicaTest, after_a_failed_write_nothing_is_acknowledged_and_nothing_more_is_written) {
    using Outcome = test::FaultEngine::Outcome;
    site.commit({put("ann", R"({"a":1})")});
    for (Outcome const outcome : {Outcome::lost, Outcome::kept}) {
        auto const vector = site->vector();
        auto const root = site->root();
        site.engine->fail_write(1, outcome, Errc::io);
        auto const results = site->commit({{"test", {put("bob", R"({"a":1})")}},
                                           {"test", {erase("nobody")}},
                                           {"test", {put("cid", R"({"a":1})")}}});
        ASSERT_EQ(results.size(), 3u);
        for (auto const& result : results)
            EXPECT_EQ(result.error().code, Errc::io);
        EXPECT_TRUE(site->failed());
        EXPECT_EQ(site->vector(), vector);
        EXPECT_EQ(site->root(), root);
        std::size_t const writes = site.engine->writes();
        Error const error = site.try_commit({put("dan", "{}")}).error();
        EXPECT_EQ(error.code, Errc::io);
        EXPECT_THAT(error.message, HasSubstr("start the node again"));
        space[1].put("customers", "eve" + std::to_string(writes), {});
        auto const batch = test::value_of(space[1]->collect(site->vector(), 1'000));
        EXPECT_FALSE(site->apply(batch));
        EXPECT_EQ(site.engine->writes(), writes);
        site.reopen();
        EXPECT_FALSE(site->failed());
        bool const kept = outcome == Outcome::kept;
        EXPECT_EQ(show("bob"), kept ? R"({"a":1})" : "nothing");
        EXPECT_EQ(show("cid"), kept ? R"({"a":1})" : "nothing");
        EXPECT_EQ(site->vector().at(site.actor()), kept ? 3u : 1u);
        expect_sound();
    }
    site.commit({put("dan", "{}")});
    EXPECT_EQ(site->vector().at(site.actor()), 4u);
}

TEST_F(ReplicaTest, every_kind_of_write_stops_after_one_of_any_kind_has_failed) {
    using Outcome = test::FaultEngine::Outcome;
    site.commit({put("ann", "{}")});
    site.engine->fail_write(1, Outcome::lost);
    EXPECT_FALSE(site->collect({}, 1'000));  // has to keep a signature
    EXPECT_TRUE(site->failed());
    EXPECT_FALSE(site.try_commit({put("bob", "{}")}));
    site.reopen();

    Certificate other = space[1].certificate;
    other.actor = ActorId{77};
    std::vector<std::string> const set{issue(other, site.keys.identity)};
    site.engine->fail_write(1, Outcome::lost);
    EXPECT_FALSE(site->add_statements(set));
    EXPECT_TRUE(site->failed());
    EXPECT_FALSE(site->membership().by_actor(other.actor));
    std::size_t const writes = site.engine->writes();
    EXPECT_FALSE(site->add_statements(set));
    EXPECT_FALSE(site->collect({}, 1'000));
    EXPECT_EQ(site.engine->writes(), writes);
    site.reopen();
    EXPECT_EQ(test::value_of(site->add_statements(set)), 1u);
}

TEST_F(ReplicaTest, a_failed_read_fails_the_transaction_alone) {
    site.commit({put("ann", "{}")});
    site.engine->fail_reads(true);
    EXPECT_EQ(site.try_commit({put("ann", R"({"a":1})")}).error().code, Errc::io);
    site.engine->fail_reads(false);
    EXPECT_FALSE(site->failed());
    site.commit({put("ann", R"({"a":1})")});
    expect_sound();
}

TEST_F(ReplicaTest, opens_as_it_was) {
    site.commit({put("ann", R"({"a":1})"), put("o1", "{}", "orders")});
    site.set_schema(R"({"customers":{"fields":{"tags":{"type":"set"}}}})");
    space[1].put("customers", "bob", {});
    space.pull(1, 0);
    site.commit({erase("o1", "orders")});
    auto const vector = site->vector();
    auto const root = site->root();
    auto const count = site->record_count();
    auto const before = test::contents(*site.engine);
    site.reopen();
    EXPECT_EQ(site->vector(), vector);
    EXPECT_EQ(site->root(), root);
    EXPECT_EQ(site->record_count(), count);
    EXPECT_EQ(site->schema("customers").fields.count("tags"), 1u);
    EXPECT_EQ(test::contents(*site.engine), before);
    expect_sound();
    site.commit({put("cid", "{}")});
    EXPECT_EQ(site->vector().at(site.actor()), vector.at(site.actor()) + 1);
    space.pull(0, 1);
    EXPECT_EQ(space[1]->root(), site->root());
}

Hlc last_stamp(Site& site) {
    auto const batch = test::value_of(site->collect({}, 64 << 20));
    Hlc last;
    for (EntryRun const& run : batch.runs) {
        if (run.actor != site.actor()) continue;
        auto const frame = frame_entry(run.entries.back());
        last = std::max(last, decode_header(frame->header)->hlc);
    }
    return last;
}

TEST_F(ReplicaTest, I6_stamps_grow_also_when_the_clock_went_back) {
    Hlc last;
    for (std::int64_t const step : {0, 0, 5'000, -3'600'000, 0, -86'400'000, 1, 90'000'000}) {
        site.clock.set(site.clock.now_ms() + static_cast<std::uint64_t>(step));
        site.reopen();
        site.commit({patch("ann", R"({"n":{"$inc":1}})")});
        Hlc const stamp = last_stamp(site);
        EXPECT_GT(stamp, last);
        last = stamp;
    }
    EXPECT_EQ(last.ms(), site.clock.now_ms());
}

TEST_F(ReplicaTest, a_change_of_schema_reads_the_same_cells_differently) {
    site.commit({put("ann", R"({"n":1})"), put("bob", R"({"n":1})"), put("cid", R"({"n":1})")});
    space.pull(0, 1);
    site.commit({erase("ann"), erase("bob")});
    space[1].commit({patch("ann", R"({"n":2})")});  // not seen by the delete
    space.converge();
    auto const before = site.records();
    auto const lax = site->root();
    EXPECT_EQ(show("ann"), R"({"n":2})");
    EXPECT_EQ(site->record_count(), 2u);

    site.set_schema(R"({"customers":{"delete":"delete-wins"}})");
    auto after = site.records();
    std::erase_if(after, [&](auto const& item) { return !before.contains(item.first); });
    EXPECT_EQ(after, before);
    EXPECT_EQ(show("ann"), "nothing");
    EXPECT_EQ(site->record_count(), 1u);
    expect_sound();
    site.reopen();
    expect_sound();
    EXPECT_EQ(site->record_count(), 1u);
    space.pull(0, 1);
    EXPECT_EQ(space[1]->root(), site->root());
    EXPECT_EQ(space[1]->record_count(), 1u);

    site.set_schema(R"({"customers":{"delete":"update-wins"}})");
    EXPECT_EQ(show("ann"), R"({"n":2})");
    EXPECT_NE(site->root(), lax);  // the schema's record counts too
    expect_sound();
}

TEST_F(ReplicaTest, transactions_after_a_schema_in_one_group_are_checked_by_it) {
    Transaction schema{
        "test", schema_writes(object_of(R"({"c":{"fields":{"n":{"type":"counter"}}}})"), {})};
    auto const results = site->commit({{"test", {put("a", R"({"n":"x"})", "c")}},
                                       schema,
                                       {"test", {put("b", R"({"n":"x"})", "c")}},
                                       {"test", {put("c", R"({"n":5})", "c")}}});
    EXPECT_TRUE(results[0]);
    EXPECT_TRUE(results[1]);
    EXPECT_FALSE(results[2]);
    EXPECT_TRUE(results[3]);
    EXPECT_EQ(show("c", "c"), R"({"n":5})");
}

TEST_F(ReplicaTest, a_write_that_succeeded_but_cannot_be_read_back_stops_the_replica) {
    // A block with schemas that cannot be read: the write is done, its reading fails.
    site.engine->make_unreadable(Family::records, std::string("\0\0\0\1_schema\0other", 17));
    auto const results =
        site->commit({{"test", schema_writes(object_of(R"({"c":{"delete":"delete-wins"}})"), {})},
                      {"test", {put("ann", "{}")}}});
    ASSERT_EQ(results.size(), 2u);
    EXPECT_EQ(results[0].error().code, Errc::corruption);
    EXPECT_FALSE(results[1]);
    EXPECT_TRUE(site->failed());
}

TEST_F(ReplicaTest, opening_without_the_own_certificate_is_refused) {
    auto opened = Replica::open(*site.engine,
                                site.clock,
                                Membership(space.genesis()),
                                {1, site.actor(), site.keys.identity, space.digest_key(), {}});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::corruption);
}

TEST_F(ReplicaTest, a_damaged_record_is_named_when_it_is_read_and_when_roots_are_recomputed) {
    site.commit({put("ann", R"({"a":1})"), put("bob", R"({"a":1})")});
    for (auto& [name, value] : site.records()) {
        if (!name.second.ends_with("ann")) continue;
        WriteBatch damage;
        std::string changed = value;
        changed[3] = static_cast<char>(changed[3] ^ 1);  // of the digest
        damage.put(Family::records, name.second, changed);
        ASSERT_TRUE(site.engine->write(damage, Durability::synced));
        auto const root = site->recompute_root();
        ASSERT_FALSE(root);
        EXPECT_EQ(root.error().code, Errc::corruption);
        EXPECT_THAT(root.error().message, HasSubstr("\"ann\" in \"customers\""));
        damage.put(Family::records, name.second, value.substr(0, value.size() - 1));
        ASSERT_TRUE(site.engine->write(damage, Durability::synced));
        auto const view = site->get({"customers", "ann"});
        ASSERT_FALSE(view);
        EXPECT_EQ(view.error().code, Errc::corruption);
        EXPECT_FALSE(site->list("customers", "", 10));
    }
}

}  // namespace
}  // namespace inos
