// Duplicates and aliases: found by their identity, merged without losing anything, taken back, and
// the same at all sites whatever they did at the same time.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "storage/aliases.hpp"
#include "storage/changes.hpp"
#include "storage/duplicates.hpp"
#include "tests/storage/exchange_support.hpp"
#include "tests/support/space.hpp"

namespace inos {
namespace {

using test::object_of;
using test::Site;
using test::Space;
using test::value_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kSchema = R"({"c":{"identity":["email"],"fields":{
    "email":{"type":"register"},"points":{"type":"counter"},"tags":{"type":"set"},
    "contact":{"type":"map"},"state":{"type":"register","default":"new"}}}})";

class AliasTest : public testing::Test {
protected:
    AliasTest() {
        site.set_schema(kSchema);
        space.converge();
    }

    static RecordMerge merge(Site& at, std::string into, std::string from) {
        auto plan = value_of(plan_merge(*at, "c", into, from));
        at.commit(plan.writes);
        return plan;
    }
    static void unmerge(Site& at, std::string into, std::string from) {
        at.commit(value_of(plan_unmerge(*at, "c", into, from)));
    }
    static Error refused(Site& at, std::string into, std::string from) {
        auto const plan = plan_merge(*at, "c", into, from);
        EXPECT_FALSE(plan);
        return plan ? Error() : plan.error();
    }
    static std::string show(Site& at, std::string id) {
        auto const view = at.get("c", std::move(id));
        return view ? view->id + write_json(Value(view->fields)) : "nothing";
    }
    static std::vector<std::string> listed(Site& at) {
        std::vector<std::string> ids;
        for (RecordView const& view : value_of(at->list("c", "", 100)).records)
            ids.push_back(view.id);
        return ids;
    }
    static std::vector<std::vector<std::string>> groups(Site& at) {
        std::vector<std::vector<std::string>> ids;
        for (DuplicateGroup const& group : value_of(find_duplicates(*at, "c")).groups)
            ids.push_back(group.ids);
        return ids;
    }
    void put(Site& at, std::string id, std::string_view fields) {
        at.put("c", std::move(id), object_of(fields));
    }

    Space space{3};
    Site& site = space[0];
};

TEST_F(AliasTest, duplicates_agree_in_the_identity_however_it_was_typed) {
    put(site, "a", R"({"email":"Ann@Example.org "})");
    put(site, "b", R"({"email":"ann@example.org"})");
    put(site, "c", R"({"email":"bob@example.org"})");
    put(site, "d", R"({"email":""})");
    put(site, "e", R"({"email":"  "})");
    put(site, "f", R"({"email":null})");
    put(site, "g", R"({"name":"nobody"})");
    put(site, "h", R"({"name":"nobody"})");
    put(site, "i", R"({"email":"ann@example.org"})");
    site.erase("c", "i");
    auto const found = value_of(find_duplicates(*site, ""));
    ASSERT_EQ(found.groups.size(), 1u);
    EXPECT_TRUE(found.complete);
    EXPECT_EQ(found.groups[0].collection, "c");
    EXPECT_THAT(found.groups[0].ids, ElementsAre("a", "b"));
    EXPECT_EQ(write_json(Value(found.groups[0].identity)), R"({"email":"ann@example.org"})");
}

TEST_F(AliasTest, an_identity_may_be_several_fields_and_paths_into_maps) {
    site.set_schema(R"({"c":{"identity":["name","contact.city"],"fields":{
        "name":{"type":"register","default":"x"}}}})");
    put(site, "a", R"({"name":"Ann","contact":{"city":"Kiel"}})");
    put(site, "b", R"({"name":"ann","contact":{"city":"KIEL"}})");
    put(site, "c", R"({"name":"Ann","contact":{"city":"Lund"}})");
    put(site, "d", R"({"contact":{"city":"Kiel"}})");
    put(site, "e", R"({"contact":{"city":"Kiel"}})");
    EXPECT_THAT(groups(site), ElementsAre(ElementsAre("a", "b"))) << "a default is no identity";
}

TEST_F(AliasTest, of_a_field_that_keeps_all_the_first_value_is_the_identity) {
    site.set_schema(R"({"c":{"identity":["email"],"fields":{
        "email":{"type":"register","policy":"keep-all"}}}})");
    put(site, "a", R"({"email":"Ann@x.org"})");
    put(site, "b", R"({"email":" ann@x.org"})");
    put(site, "d", R"({"name":"none"})");
    EXPECT_THAT(groups(site), ElementsAre(ElementsAre("a", "b")));
}

// What is written between the steps is found or not; nothing that is gone is told.
TEST_F(AliasTest, duplicates_are_looked_for_in_steps) {
    for (char const* id : {"a", "b", "d", "e", "f", "g"})
        put(site, id, R"({"email":"x"})");
    DuplicateSearch search("c");
    std::size_t steps = 1;
    while (!value_of(search.step(*site, 2))) {
        if (++steps == 2) site.erase("c", "a");
        if (steps == 3) put(site, "b", R"({"email":"y"})");
    }
    EXPECT_GE(steps, 4u);
    Duplicates const found = search.take();
    ASSERT_EQ(found.groups.size(), 1u);
    EXPECT_THAT(found.groups[0].ids, ElementsAre("d", "e", "f", "g"));
    EXPECT_TRUE(found.complete);
}

TEST_F(AliasTest, a_collection_without_identity_says_how_to_get_one) {
    auto const found = find_duplicates(*site, "orders");
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().message, HasSubstr("identity = [\"email\"]"));
    EXPECT_EQ(found.error().field, "collection");
}

TEST_F(AliasTest, a_long_answer_says_that_there_are_more) {
    std::vector<Write> writes;
    for (std::size_t i = 0; i < 2 * (kDuplicateGroupsMax + 5); ++i)
        writes.push_back({Write::Kind::put,
                          {"c", "r" + std::to_string(i)},
                          {{"email", Value("e" + std::to_string(i / 2))}},
                          {}});
    site.commit(writes);
    auto const found = value_of(find_duplicates(*site, "c"));
    EXPECT_EQ(found.groups.size(), kDuplicateGroupsMax);
    EXPECT_FALSE(found.complete);
}

TEST_F(AliasTest, a_merge_copies_what_is_missing_and_shows_what_differs) {
    put(site, "a", R"({"email":"x","name":"Ann","contact":{"phone":"1"},"fax":null})");
    put(site, "b", R"({"email":"x","name":"Anna","contact":{"phone":"2","city":"Kiel"},
        "points":7,"tags":["vip"],"age":null,"fax":"9","sub":{"deep":{"n":null}}})");
    site.patch("c", "b", object_of(R"({"hits":{"$inc":3},"labels":{"$add":["l"]}})"));
    auto const before = show(site, "b");
    RecordMerge const done = merge(site, "a", "b");
    EXPECT_EQ(done.into, "a");
    EXPECT_THAT(done.copied,
                ElementsAre("age", "contact.city", "hits", "labels", "points", "sub", "tags"));
    ASSERT_EQ(done.differing.size(), 3u);
    EXPECT_EQ(done.differing[0].field, "contact.phone");
    EXPECT_EQ(done.differing[1].field, "fax");
    EXPECT_EQ(done.differing[2].field, "name");
    EXPECT_EQ(done.differing[2].kept, Value("Ann"));
    EXPECT_EQ(done.differing[2].left, Value("Anna"));
    std::string const both =
        R"(a{"age":null,"contact":{"city":"Kiel","phone":"1"},"email":"x","fax":null,"hits":3,)"
        R"("labels":["l"],"name":"Ann","points":7,"state":"new","sub":{"deep":{"n":null}},)"
        R"("tags":["vip"]})";
    EXPECT_EQ(show(site, "a"), both);
    EXPECT_EQ(show(site, "b"), both);
    EXPECT_EQ(site.get("c", "b")->alias, "b");
    EXPECT_EQ(site.get("c", "a")->alias, "");
    EXPECT_THAT(listed(site), ElementsAre("a"));
    EXPECT_EQ(site->record_count(), 1u);
    EXPECT_THAT(groups(site), IsEmpty());
    // What came along as a counter and as a set still is one.
    site.patch("c", "a", object_of(R"({"hits":{"$inc":1},"labels":{"$add":["m"]}})"));
    EXPECT_EQ(site.field("c", "b", "hits"), Value(4));
    unmerge(site, "a", "b");
    EXPECT_EQ(show(site, "b"), before);
    EXPECT_THAT(listed(site), ElementsAre("a", "b"));
    EXPECT_EQ(site->record_count(), 2u);
}

TEST_F(AliasTest, writes_to_an_alias_go_to_its_record) {
    put(site, "a", R"({"email":"x"})");
    put(site, "b", R"({"email":"x"})");
    merge(site, "a", "b");
    Committed const done = site.patch("c", "b", object_of(R"({"name":"Ann"})"));
    EXPECT_EQ(done.writes[0].id, "a");
    EXPECT_EQ(done.writes[0].version, site.get("c", "a")->version);
    EXPECT_EQ(site.field("c", "a", "name"), Value("Ann"));
    auto const wrong =
        site.try_commit({{Write::Kind::patch, {"c", "b"}, {{"n", Value(1)}}, std::string("0")}});
    EXPECT_FALSE(wrong);
    site.commit({{Write::Kind::patch, {"c", "b"}, {{"n", Value(1)}}, done.writes[0].version}});
    EXPECT_EQ(site.field("c", "a", "n"), Value(1));
    site.erase("c", "b");
    EXPECT_EQ(show(site, "a"), "nothing");
    EXPECT_EQ(show(site, "b"), "nothing");
    EXPECT_THAT(listed(site), IsEmpty());
    EXPECT_EQ(site->record_count(), 0u);
}

TEST_F(AliasTest, transactions_that_wait_together_follow_an_alias_made_by_the_first) {
    put(site, "a", R"({"email":"x"})");
    put(site, "b", R"({"email":"x"})");
    auto const plan = value_of(plan_merge(*site, "c", "a", "b"));
    auto const results =
        site->commit({{"test", plan.writes},
                      {"test", {{Write::Kind::patch, {"c", "b"}, {{"n", Value(1)}}, {}}}}});
    ASSERT_TRUE(results[0] && results[1]);
    EXPECT_EQ(results[1]->writes[0].id, "a");
    EXPECT_EQ(site.field("c", "a", "n"), Value(1));
}

TEST_F(AliasTest, E6_the_same_record_made_at_two_sites_becomes_one_without_losing_either) {
    put(space[1], "shop-1", R"({"email":"ann@example.org","name":"Ann","points":5})");
    put(space[2], "crm-1", R"({"email":"Ann@Example.org","city":"Kiel","points":2})");
    space.converge();
    for (std::size_t i = 0; i < 3; ++i)
        EXPECT_THAT(groups(space[i]), ElementsAre(ElementsAre("crm-1", "shop-1"))) << i;
    merge(space[1], "shop-1", "crm-1");
    // Meanwhile another site, which does not know, edits the record that was merged away.
    space[2].patch("c", "crm-1", object_of(R"({"phone":"1"})"));
    space.converge();
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(show(space[i], "crm-1"), show(space[1], "shop-1")) << i;
        EXPECT_THAT(listed(space[i]), ElementsAre("shop-1")) << i;
        auto const merged = value_of(merged_records(*space[i], ""));
        ASSERT_EQ(merged.size(), 1u);
        EXPECT_TRUE(merged[0].changed) << "the edit is not forgotten";
    }
    EXPECT_EQ(space[0].field("c", "shop-1", "city"), Value("Kiel"));
    EXPECT_EQ(space[0].field("c", "shop-1", "phone"), Value());
    RecordMerge const again = merge(space[0], "shop-1", "crm-1");
    EXPECT_THAT(again.copied, ElementsAre("phone"));
    EXPECT_FALSE(value_of(merged_records(*space[0], "c"))[0].changed);
    space.converge();
    EXPECT_EQ(space[2].field("c", "crm-1", "phone"), Value("1"));
    unmerge(space[2], "shop-1", "crm-1");
    space.converge();
    EXPECT_EQ(show(space[1], "crm-1"),
              R"(crm-1{"city":"Kiel","email":"Ann@Example.org","phone":"1","points":2,)"
              R"("state":"new"})");
    test::expect_equal(space);
}

TEST_F(AliasTest, E7_equal_identities_are_found_and_neither_refused_nor_deleted) {
    put(space[1], "x", R"({"email":"e"})");
    put(space[2], "y", R"({"email":"e"})");
    space.converge();
    EXPECT_TRUE(site.put("c", "z", object_of(R"({"email":"e"})")).writes[0].created);
    EXPECT_THAT(listed(site), ElementsAre("x", "y", "z"));
    EXPECT_THAT(groups(site), ElementsAre(ElementsAre("x", "y", "z")));
}

TEST_F(AliasTest, a_merge_is_seen_whole_or_not_at_all) {
    put(site, "a", R"({"email":"x"})");
    put(site, "b", R"({"email":"x","name":"Ann"})");
    space.converge();
    merge(site, "a", "b");
    EXPECT_EQ(space.pull(0, 1), 1u) << "one entry holds the alias and what was copied";
    EXPECT_EQ(space[1].field("c", "a", "name"), Value("Ann"));
    EXPECT_THAT(listed(space[1]), ElementsAre("a"));
}

TEST_F(AliasTest, erasing_a_merged_record_erases_what_was_merged_into_it) {
    put(site, "a", R"({"email":"x"})");
    put(site, "b", R"({"email":"x","name":"secret"})");
    space.converge();
    merge(space[1], "a", "b");
    space[1].commit({{Write::Kind::erase, {"c", "b"}, {}, {}}});
    space.converge();
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_TRUE(space[i]->is_erased({"c", "a"}) && space[i]->is_erased({"c", "b"}));
        EXPECT_EQ(show(space[i], "a"), "nothing");
        EXPECT_EQ(show(space[i], "b"), "nothing");
        EXPECT_THAT(space[i]->aliases().list(), IsEmpty());
        EXPECT_EQ(space[i]->record_count(), 0u);
    }
    for (std::size_t i = 0; i < 3; ++i)
        for (auto const& [key, value] : test::contents(*space[i].engine))
            EXPECT_THAT(value, Not(HasSubstr("secret"))) << i;
    site.reopen();
    EXPECT_THAT(site->aliases().list(), IsEmpty());
}

// Two sites clean up one duplicate in their own way.
TEST_F(AliasTest, a_master_that_was_deleted_meanwhile_is_told_of) {
    put(site, "a", R"({"email":"x"})");
    put(site, "b", R"({"email":"x"})");
    space.converge();
    space[1].erase("c", "a");
    merge(space[2], "a", "b");
    space.converge();
    for (std::size_t i = 0; i < 3; ++i) {
        auto const merged = value_of(merged_records(*space[i], "c"));
        ASSERT_EQ(merged.size(), 1u);
        EXPECT_TRUE(merged[0].orphaned);
        EXPECT_THAT(listed(space[i]), IsEmpty());
    }
    unmerge(site, "a", "b");
    EXPECT_THAT(listed(site), ElementsAre("b"));
}

// What upkeep does to a record because of its own cells is not done to the one that its id stands
// for.
TEST_F(AliasTest, deleting_again_below_an_alias_leaves_the_master_alone) {
    site.set_schema(R"({"c": {"delete": "delete-wins", "fields": {}}})");
    put(site, "a", R"({"name":"A"})");
    put(site, "b", R"({"name":"B"})");
    space.converge();
    space[1].erase("c", "b");
    space[2].patch("c", "b", object_of(R"({"tel":"1"})"));
    merge(space[2], "a", "b");
    space.converge();
    EXPECT_EQ(value_of(space[1]->delete_again(100)), 1u);
    EXPECT_EQ(value_of(space[1]->delete_again(100)), 0u);
    space.converge();
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(space[i].field("c", "a", "name"), Value("A"));
        EXPECT_EQ(listed(space[i]), (std::vector<std::string>{"a"}));
    }
}

TEST_F(AliasTest, the_change_feed_tells_of_what_a_merge_hides) {
    put(site, "a", R"({"email":"x"})");
    put(site, "b", R"({"email":"x","name":"B"})");
    auto const changes_since = [&](VersionVector const& since) {
        ChangeReader reader(since, "c");
        std::string seen;
        for (bool done = false; !done;) {
            ChangePage const page = value_of(reader.next(*site));
            for (RecordChange const& change : page.changes)
                seen += change.name.key +
                        (change.fields ? write_json(Value(*change.fields)) : " gone ");
            done = page.done;
        }
        return seen;
    };
    VersionVector before = site->vector();
    merge(site, "a", "b");
    EXPECT_EQ(changes_since(before), R"(a{"email":"x","name":"B","state":"new"}b gone )");
    before = site->vector();
    unmerge(site, "a", "b");
    EXPECT_EQ(changes_since(before), R"(b{"email":"x","name":"B","state":"new"})");
}

// Whoever follows a site keeps a copy of what is seen there, whatever was merged with what.
TEST_F(AliasTest, the_change_feed_leaves_its_followers_with_what_is_listed) {
    std::string const long_id(250, 'l');
    std::vector<std::string> const ids{"a", "b", "d", long_id};
    for (auto const& id : ids)
        put(site, id, R"({"email":"x"})");
    space.converge();
    VersionVector told;
    std::set<std::string> copy;
    auto const follow = [&] {
        ChangeReader reader(told, "c");
        for (bool done = false; !done;) {
            ChangePage const page = value_of(reader.next(*site));
            for (RecordChange const& change : page.changes)
                change.fields ? void(copy.insert(change.name.key))
                              : void(copy.erase(change.name.key));
            done = page.done;
        }
        told = reader.to();
        auto const shown = listed(site);
        EXPECT_EQ(copy, std::set<std::string>(shown.begin(), shown.end()));
    };
    follow();
    merge(space[0], "b", "a");
    follow();
    merge(space[1], "a", "b");
    merge(space[2], "d", long_id);
    space.converge();
    follow();  // a circle, of which the lowest id is seen
    unmerge(space[1], "a", "b");
    space.converge();
    follow();
    unmerge(space[2], "d", long_id);
    space.converge();
    follow();
    site.erase_for_good("c", "a");
    follow();
}

TEST_F(AliasTest, aliases_are_still_there_after_a_restart) {
    put(site, "a", R"({"email":"x"})");
    put(site, "b", R"({"email":"x"})");
    put(site, "d", R"({"email":"x"})");
    merge(site, "a", "b");
    merge(site, "a", "d");
    unmerge(site, "a", "d");
    site.reopen();
    EXPECT_THAT(listed(site), ElementsAre("a", "d"));
    EXPECT_EQ(site->record_count(), 2u);
    EXPECT_EQ(site.get("c", "b")->id, "a");
}

TEST_F(AliasTest, chains_lead_to_their_end) {
    for (char const* id : {"a", "b", "d"})
        put(site, id, R"({"email":"x"})");
    merge(site, "b", "a");
    merge(site, "d", "b");
    EXPECT_EQ(site.get("c", "a")->id, "d");
    EXPECT_EQ(site.get("c", "b")->id, "d");
    EXPECT_THAT(listed(site), ElementsAre("d"));
    EXPECT_EQ(refused(site, "a", "d").code, Errc::invalid) << "a stands for d already";
}

TEST_F(AliasTest, two_sites_that_merged_each_other_the_other_way_round_agree_on_the_lower_id) {
    put(site, "a", R"({"email":"x","name":"A"})");
    put(site, "b", R"({"email":"x","name":"B"})");
    space.converge();
    merge(space[1], "a", "b");
    merge(space[2], "b", "a");
    space.converge();
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(space[i].get("c", "a")->id, "a");
        EXPECT_EQ(space[i].get("c", "b")->id, "a");
        EXPECT_THAT(listed(space[i]), ElementsAre("a"));
        EXPECT_EQ(space[i]->record_count(), 1u);
    }
    unmerge(site, "a", "b");
    EXPECT_THAT(listed(site), ElementsAre("a", "b"));
    EXPECT_EQ(show(site, "b"), R"(b{"email":"x","name":"B","state":"new"})");
}

TEST_F(AliasTest, two_masters_for_one_id_are_a_conflict_that_the_next_merge_decides) {
    for (char const* id : {"a", "b", "d"})
        put(site, id, R"({"email":"x"})");
    space.converge();
    merge(space[1], "a", "b");
    space[2].clock.advance(1'000);
    merge(space[2], "d", "b");
    space.converge();
    EXPECT_EQ(site.get("c", "b")->id, "d");
    auto const merged = value_of(merged_records(*site, "c"));
    ASSERT_EQ(merged.size(), 1u);
    EXPECT_THAT(merged[0].rivals, ElementsAre("a"));
    merge(site, "a", "b");
    EXPECT_THAT(value_of(merged_records(*site, "c"))[0].rivals, IsEmpty());
    space.converge();
    EXPECT_EQ(space[1].get("c", "b")->id, "a");
}

TEST_F(AliasTest, what_cannot_be_merged_is_refused_with_a_reason) {
    for (char const* id : {"a", "b", "d"})
        put(site, id, R"({"email":"x"})");
    EXPECT_EQ(refused(site, "a", "a").code, Errc::invalid);
    EXPECT_EQ(refused(site, "a", "nobody").code, Errc::not_found);
    EXPECT_EQ(refused(site, "nobody", "a").code, Errc::not_found);
    merge(site, "a", "b");
    EXPECT_THAT(refused(site, "d", "b").message, HasSubstr("stands for \"a\" already"));
    EXPECT_EQ(refused(site, "b", "a").code, Errc::invalid) << "a circle";
    EXPECT_FALSE(plan_unmerge(*site, "c", "d", "b"));
    EXPECT_EQ(plan_unmerge(*site, "c", "a", "d").error().code, Errc::not_found);
    merge(site, "b", "d");
    EXPECT_EQ(site.get("c", "d")->id, "a") << "an alias means its record";
}

TEST_F(AliasTest, values_that_the_schema_refuses_are_left_behind) {
    put(site, "a", R"({"email":"x"})");
    put(site, "b", R"({"email":"x","age":200,"name":"B"})");
    site.set_schema(R"({"c":{"fields":{"age":{"type":"register","max":150}}}})");
    RecordMerge const done = merge(site, "a", "b");
    EXPECT_THAT(done.copied, ElementsAre("name"));
    ASSERT_EQ(done.differing.size(), 1u);
    EXPECT_EQ(done.differing[0].field, "age");
    EXPECT_EQ(done.differing[0].left, Value(200));
    EXPECT_EQ(site.field("c", "a", "age"), Value());
}

// One write is copied; what else stood there is told, not hidden.
TEST_F(AliasTest, of_several_kept_values_the_first_is_copied_and_the_others_differ) {
    site.set_schema(R"({"c":{"identity":["email"],"fields":{
        "notes":{"type":"register","policy":"keep-all"}}}})");
    put(site, "a", R"({"email":"x"})");
    put(site, "b", R"({"email":"x"})");
    space.converge();
    space[1].clock.advance(1'000);
    site.patch("c", "b", object_of(R"({"notes":"call"})"));
    space[1].patch("c", "b", object_of(R"({"notes":{"$null":true}})"));
    space.converge();
    RecordMerge const done = merge(site, "a", "b");
    EXPECT_THAT(done.copied, ElementsAre("notes"));
    EXPECT_EQ(site.field("c", "a", "notes"), Value(Array{Value()}));
    ASSERT_EQ(done.differing.size(), 1u);
    EXPECT_EQ(done.differing[0].field, "notes");
    EXPECT_EQ(done.differing[0].kept, Value());
    EXPECT_EQ(done.differing[0].left, Value("call"));
}

TEST_F(AliasTest, a_new_merge_after_the_master_changed_is_refused) {
    put(site, "a", R"({"email":"x"})");
    put(site, "b", R"({"email":"x","name":"B"})");
    auto const plan = value_of(plan_merge(*site, "c", "a", "b"));
    site.patch("c", "a", object_of(R"({"name":"A"})"));
    EXPECT_FALSE(site.try_commit(plan.writes));
    EXPECT_EQ(site.field("c", "a", "name"), Value("A"));
}

TEST(AliasScope, follows_the_collection_that_the_alias_is_about) {
    Space space({{"office"}, {"shop", Role::writer, {"c"}}, {"crm", Role::writer, {"other"}}});
    for (char const* collection : {"c", "other"})
        for (char const* id : {"a", "b"})
            space[0].put(collection, id, object_of(R"({"n":1})"));
    space.converge();
    EXPECT_TRUE(space[1].try_commit(value_of(plan_merge(*space[1], "c", "a", "b")).writes));
    auto const foreign = space[2].try_commit(value_of(plan_merge(*space[2], "c", "a", "b")).writes);
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().code, Errc::forbidden);
    space.converge();
    EXPECT_EQ(space[0].get("c", "b")->id, "a") << "other sites take it from a writer of \"c\"";
    EXPECT_EQ(space[0].get("other", "b")->id, "b");
    test::expect_equal(space);
}

TEST(AliasScope, of_an_author_who_erases_does_not_make_the_entry_void_elsewhere) {
    Space space({{"office"}, {"shop", Role::writer, {"c"}}});
    space[0].put("c", "a", object_of(R"({"n":1})"));
    space[0].put("c", "b", object_of(R"({"n":1})"));
    space[0].commit(value_of(plan_merge(*space[0], "c", "a", "b")).writes);
    space.converge();
    space[1].commit({{Write::Kind::erase, {"c", "b"}, {}, {}}});
    space.converge();
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_TRUE(space[i]->is_erased({"c", "a"}) && space[i]->is_erased({"c", "b"})) << i;
        EXPECT_THAT(space[i]->aliases().list(), IsEmpty()) << i;
    }
    test::expect_equal(space);
}

TEST(AliasRecords, that_do_not_fit_their_key_are_no_aliases) {
    Alias const alias{"c", "a", "b", "v"};
    std::string const key = alias_key("c", "a");
    EXPECT_EQ(Alias::parse(key, alias.fields()), alias);
    EXPECT_FALSE(Alias::parse(alias_key("c", "z"), alias.fields()));
    EXPECT_FALSE(Alias::parse(alias_key("c", "a"), Alias{"c", "a", "a", ""}.fields()));
    EXPECT_FALSE(Alias::parse(alias_key("_schema", "a"), Alias{"_schema", "a", "b", ""}.fields()));
    EXPECT_FALSE(Alias::parse(key, object_of(R"({"collection":"c","from":"a","to":7})")));
    EXPECT_FALSE(Alias::parse(key, {}));
}

TEST(AliasKeys, stay_within_the_limit_of_names) {
    EXPECT_EQ(alias_key("c", "a"), "=c/a");
    EXPECT_EQ(alias_key("c/d%", "a/b"), "=c%2Fd%25/a/b");
    EXPECT_EQ(collection_concerned(kAliasCollection, "=c%2Fd%25/a/b"), "c/d%");
    EXPECT_EQ(collection_concerned("c", "=d/a"), "c");
    EXPECT_EQ(hidden_by("=c%2Fd%25/a/b"), (RecordName{"c/d%", "a/b"}));
    EXPECT_FALSE(hidden_by("#c/00"));
    EXPECT_EQ(collection_concerned(kAliasCollection, ""), kAliasCollection);
    std::string const long_name(256, 'x');
    for (auto const& collection : {std::string("c"), std::string(230, '%'), long_name})
        for (auto const& id : {std::string("a"), long_name}) {
            std::string const key = alias_key(collection, id);
            EXPECT_TRUE(valid_name(key)) << key;
            EXPECT_NE(key, alias_key(collection, id.substr(0, id.size() - 1) + "y"));
            bool const hidden = key.front() == '!';
            EXPECT_EQ(collection_concerned(kAliasCollection, key),
                      hidden ? std::string(kAliasCollection) : collection);
        }
}

RC_GTEST_PROP(AliasChains, end_at_one_record_for_all_of_a_circle, ()) {
    auto const ids = *rc::gen::inRange(1, 12);
    std::map<std::string, std::string> to;
    Aliases aliases;
    for (int i = 0; i < ids; ++i) {
        auto const target = *rc::gen::inRange(0, ids + 2);
        std::string const from = "r" + std::to_string(i), into = "r" + std::to_string(target);
        if (from == into) continue;
        to[from] = into;
        aliases.set(alias_key("c", from), Alias{"c", from, into});
    }
    for (int i = 0; i < ids + 2; ++i) {
        std::string const id = "r" + std::to_string(i);
        // By the definition: walk until a record, or all around the circle.
        std::set<std::string> seen;
        std::string at = id;
        while (to.contains(at) && seen.insert(at).second)
            at = to[at];
        std::string expected = at;
        if (to.contains(at))
            for (std::string next = to[at]; next != at; next = to[next])
                expected = std::min(expected, next);
        RC_ASSERT(aliases.master("c", id) == expected);
        RC_ASSERT(aliases.master("c", aliases.master("c", id)) == expected);
    }
}

}  // namespace
}  // namespace inos
