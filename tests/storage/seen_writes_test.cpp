// Writes by somebody who has seen less of a record than is here, and changes of the journal that go
// with a transaction: what adapters stand on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/space.hpp"

namespace inos::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Write patch(Object fields, std::optional<VersionVector> seen = std::nullopt) {
    Write write{Write::Kind::patch, {"c", "x"}, std::move(fields), {}};
    write.seen = std::move(seen);
    return write;
}

Write removal(VersionVector seen) {
    Write write{Write::Kind::delete_, {"c", "x"}, {}, {}};
    write.seen = std::move(seen);
    return write;
}

class SeenWrites : public ::testing::Test {
protected:
    // What a system shows that has been told everything that is here now.
    VersionVector shown() const { return seen_cells(value_of(site->record_at({"c", "x"}))); }
    Value field(std::string_view name) { return site.field("c", "x", name); }
    std::vector<Value> rivals(std::size_t at, std::string_view name) {
        auto const view = space[at].get("c", "x");
        std::vector<Value> values;
        for (Conflict const& conflict : view->conflicts)
            if (conflict.field == name)
                for (ConflictValue const& value : conflict.values)
                    values.push_back(value.value);
        return values;
    }

    Space space{2};
    Site& site = space[0];
};

TEST_F(SeenWrites, replaces_what_was_shown) {
    site.put("c", "x", {{"city", Value("Kiel")}});
    auto const seen = shown();
    site.commit({patch({{"city", Value("Ulm")}}, seen)}, "shop");
    EXPECT_EQ(field("city"), Value("Ulm"));
    EXPECT_THAT(rivals(0, "city"), IsEmpty());
}

TEST_F(SeenWrites, is_concurrent_with_an_edit_that_was_not_shown) {
    site.put("c", "x", {{"city", Value("Kiel")}, {"name", Value("Ann")}});
    auto const seen = shown();
    site.patch("c", "x", {{"city", Value("Bonn")}});
    site.commit({patch({{"city", Value("Ulm")}, {"name", Value("Eve")}}, seen)}, "shop");
    EXPECT_THAT(rivals(0, "city"), ElementsAre(Value("Ulm"), Value("Bonn")));
    EXPECT_THAT(rivals(0, "name"), IsEmpty());
    space.converge();
    EXPECT_THAT(rivals(1, "city"), ElementsAre(Value("Ulm"), Value("Bonn")));
    EXPECT_EQ(space[1]->root(), site->root());
}

TEST_F(SeenWrites, goes_to_the_policy_of_the_field) {
    site.set_schema(R"({"c": {"fields": {"city": {"type": "register", "policy": "priority",
                    "ranking": ["office", "shop"]}}}})");
    site.put("c", "x", {{"city", Value("Kiel")}});
    auto const seen = shown();
    site.commit({patch({{"city", Value("Bonn")}})}, "office");
    site.commit({patch({{"city", Value("Ulm")}}, seen)}, "shop");
    EXPECT_EQ(field("city"), Value("Bonn")) << "the office goes first";
    EXPECT_THAT(rivals(0, "city"), ElementsAre(Value("Bonn"), Value("Ulm")));
    site.commit({patch({{"city", Value("Essen")}}, shown())}, "shop");
    EXPECT_EQ(field("city"), Value("Essen")) << "the shop has seen what the office wrote";
}

TEST_F(SeenWrites, taking_a_field_away_leaves_what_was_not_shown) {
    site.put("c", "x", {{"city", Value("Kiel")}, {"name", Value("Ann")}});
    auto const seen = shown();
    site.patch("c", "x", {{"city", Value("Bonn")}});
    site.commit({patch({{"city", Value()}, {"name", Value()}}, seen)}, "shop");
    EXPECT_EQ(field("city"), Value("Bonn"));
    EXPECT_EQ(field("name"), Value());
}

TEST_F(SeenWrites, members_of_sets_that_were_not_shown_stay) {
    site.set_schema(R"({"c": {"fields": {"tags": {"type": "set"}, "n": {"type": "counter"}}}})");
    site.put("c", "x", {{"tags", Value(Array{Value("a"), Value("b")})}, {"n", Value(5)}});
    auto const seen = shown();
    site.patch("c",
               "x",
               {{"tags", Value(Object{{"$add", Value(Array{Value("b")})}})},
                {"n", Value(Object{{"$inc", Value(2)}})}});
    site.commit({patch({{"tags", Value(Object{{"$remove", Value(Array{Value("a"), Value("b")})}})},
                        {"n", Value(Object{{"$inc", Value(10)}})}},
                       seen)},
                "shop");
    EXPECT_EQ(field("tags"), Value(Array{Value("b")}));
    EXPECT_EQ(field("n"), Value(17));
    space.converge();
    EXPECT_EQ(space[1]->root(), site->root());
    EXPECT_EQ(space[1].field("c", "x", "n"), Value(17));
}

TEST_F(SeenWrites, inside_maps_each_leaf_is_for_itself) {
    site.put("c", "x", {{"at", Value(Object{{"city", Value("Kiel")}, {"zip", Value("1")}})}});
    auto const seen = shown();
    site.patch("c", "x", {{"at", Value(Object{{"city", Value("Bonn")}})}});
    site.commit({patch({{"at", Value(Object{{"zip", Value("2")}})}}, seen)}, "shop");
    EXPECT_EQ(field("at"), Value(Object{{"city", Value("Bonn")}, {"zip", Value("2")}}));
    std::size_t const cells = value_of(site->record_at({"c", "x"})).cells().size();
    site.commit({patch({{"at", Value(Object{{"zip", Value("3")}})}}, shown())}, "shop");
    EXPECT_EQ(value_of(site->record_at({"c", "x"})).cells().size(), cells);
}

TEST_F(SeenWrites, makes_no_entry_where_it_reads_so_already) {
    site.put("c", "x", {{"city", Value("Kiel")}});
    EXPECT_FALSE(site.commit({patch({{"city", Value("Kiel")}}, shown())}).dot);
}

TEST_F(SeenWrites, a_deletion_leaves_a_record_that_was_edited_meanwhile) {
    site.put("c", "x", {{"city", Value("Kiel")}});
    auto const seen = shown();
    site.patch("c", "x", {{"name", Value("Ann")}});
    site.commit({removal(seen)}, "shop");
    EXPECT_EQ(field("city"), Value("Kiel")) << "all of it comes back";
    EXPECT_EQ(field("name"), Value("Ann"));
    // Edits go on although a marker is there.
    site.commit({patch({{"name", Value("Eve")}}, shown())}, "shop");
    EXPECT_EQ(field("name"), Value("Eve"));
    site.commit({removal(shown())}, "shop");
    EXPECT_FALSE(site.get("c", "x"));
    space.converge();
    EXPECT_FALSE(space[1].get("c", "x"));
    EXPECT_EQ(space[1]->root(), site->root());
}

TEST_F(SeenWrites, a_deletion_that_saw_nothing_makes_no_entry) {
    site.put("c", "x", {{"city", Value("Kiel")}});
    EXPECT_FALSE(site.commit({removal({})}).dot);
    EXPECT_TRUE(site.get("c", "x"));
}

TEST_F(SeenWrites, is_refused_where_the_record_was_deleted_meanwhile) {
    site.put("c", "x", {{"city", Value("Kiel")}, {"name", Value("Ann")}});
    auto const seen = shown();
    site.erase("c", "x");
    auto const refused = site.try_commit({patch({{"city", Value("Ulm")}}, seen)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::conflict);
    EXPECT_THAT(refused.error().message, HasSubstr("\"x\" in \"c\" is not there"));
    EXPECT_FALSE(site.get("c", "x"));
}

TEST_F(SeenWrites, is_refused_beside_another_write_to_the_record) {
    site.put("c", "x", {{"city", Value("Kiel")}});
    auto const seen = shown();
    Write const plain = patch({{"name", Value("Ann")}});
    Write const seeing = patch({{"city", Value("Ulm")}}, seen);
    for (auto const& writes : {std::vector{plain, seeing}, std::vector{seeing, plain}}) {
        auto const refused = site.try_commit(writes);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::invalid);
        EXPECT_THAT(refused.error().message, HasSubstr("has to be the only one"));
    }
    EXPECT_EQ(field("city"), Value("Kiel"));
}

TEST_F(SeenWrites, is_refused_for_what_has_no_context) {
    site.put("c", "x", {{"city", Value("Kiel")}});
    Write write{Write::Kind::put, {"c", "x"}, {{"city", Value("Ulm")}}, {}};
    write.seen = shown();
    auto const refused = site.try_commit({write});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid);
    EXPECT_THAT(refused.error().message, HasSubstr("only changes and deletions can"));
}

// ---- the journal --------------------------------------------------------------------------------

class Journal : public SeenWrites {
protected:
    static Transaction with_row(std::vector<Write> writes, std::string key) {
        Transaction transaction{"shop", std::move(writes)};
        transaction.journal = [key](WriteBatch& batch, std::optional<Dot> const& dot) {
            batch.put(Family::journal, key, dot ? std::to_string(dot->seq) : "none");
        };
        return transaction;
    }
    std::string row(std::string const& key) const {
        auto const value = value_of(site.engine->get(Family::journal, key));
        return value ? *value : "(nothing)";
    }
};

TEST_F(Journal, goes_with_the_entry_and_is_told_its_dot) {
    site.put("c", "x", {{"city", Value("Kiel")}});
    auto const results = site->commit({with_row({patch({{"city", Value("Ulm")}})}, "one"),
                                       with_row({patch({{"city", Value("Bonn")}})}, "two")});
    EXPECT_EQ(row("one"), std::to_string(results[0]->dot->seq));
    EXPECT_EQ(row("two"), std::to_string(results[1]->dot->seq));
    site.reopen();
    EXPECT_EQ(row("two"), std::to_string(results[1]->dot->seq));
}

TEST_F(Journal, is_written_alone_where_nothing_changes) {
    site.put("c", "x", {{"city", Value("Kiel")}});
    auto const before = site->vector();
    EXPECT_FALSE(
        value_of(site->commit({with_row({patch({{"city", Value("Kiel")}})}, "one")})[0]).dot);
    EXPECT_FALSE(value_of(site->commit({with_row({}, "two")})[0]).dot);
    EXPECT_EQ(row("one"), "none");
    EXPECT_EQ(row("two"), "none");
    EXPECT_EQ(site->vector(), before);
}

TEST_F(Journal, of_a_refused_transaction_is_not_written) {
    auto const results = site->commit({with_row({patch({{"city", Value("Ulm")}}, shown())}, "one"),
                                       with_row({patch({{"city", Value("Bonn")}})}, "two")});
    EXPECT_FALSE(results[0]);
    EXPECT_EQ(row("one"), "(nothing)");
    EXPECT_NE(row("two"), "(nothing)");
}

TEST_F(Journal, and_entry_are_both_there_or_neither) {
    site.put("c", "x", {{"city", Value("Kiel")}});
    for (auto const outcome : {FaultEngine::Outcome::kept, FaultEngine::Outcome::lost}) {
        bool const kept = outcome == FaultEngine::Outcome::kept;
        std::string const key = kept ? "kept" : "lost";
        site.engine->fail_write(1, outcome);
        EXPECT_FALSE(site->commit({with_row({patch({{"city", Value(key)}})}, key)})[0]);
        site.reopen();
        EXPECT_EQ(field("city") == Value(key), kept);
        EXPECT_EQ(row(key) != "(nothing)", kept);
    }
}

}  // namespace
}  // namespace inos::test
