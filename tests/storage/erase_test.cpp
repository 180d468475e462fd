// Erasure: what was erased is gone at every site, from the records and from the log, and stays
// away, while chains, signatures and everything else keep holding.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/entry_hash.hpp"
#include "storage/keys.hpp"
#include "tests/support/broken_author.hpp"
#include "tests/support/space.hpp"
#include "tests/support/temp_dir.hpp"

namespace inos {
namespace {

using test::BrokenAuthor;
using test::FaultEngine;
using test::object_of;
using test::simple_op;
using test::Site;
using test::Space;
using testing::HasSubstr;

// Does any key or value of the engine hold the text?
bool holds(Site const& site, std::string const& text) {
    for (auto const& [key, value] : test::contents(*site.engine))
        if (key.second.find(text) != std::string::npos || value.find(text) != std::string::npos)
            return true;
    return false;
}

void expect_same(Space& space) {
    for (std::size_t i = 0; i < space.size(); ++i) {
        EXPECT_EQ(space[i]->vector(), space[0]->vector()) << i;
        EXPECT_EQ(space[i]->root(), space[0]->root()) << i;
        EXPECT_EQ(test::value_of(space[i]->recompute_root()), space[i]->root()) << i;
    }
}

TEST(Erase, A17_nothing_of_the_record_is_left_at_any_site) {
    Space space(3);
    space[0].put("customers", "anna-key", object_of(R"({"name": "Anna-secret", "tags": ["vip"]})"));
    space[0].put("customers", "bob", object_of(R"({"name": "Bob"})"));
    space.converge();
    space[1].patch("customers", "anna-key", object_of(R"({"name": "Anna-second"})"));
    space.converge();
    space[2].erase_for_good("customers", "anna-key");
    space.converge();
    expect_same(space);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_FALSE(space[i].get("customers", "anna-key"));
        EXPECT_FALSE(holds(space[i], "anna-key")) << i;
        EXPECT_FALSE(holds(space[i], "Anna-")) << i;
        EXPECT_EQ(space[i].field("customers", "bob", "name"), Value("Bob"));
        EXPECT_EQ(space[i]->record_count(), 1u);
        EXPECT_TRUE(test::value_of(space[i]->history({"customers", "anna-key"})).empty());
    }
}

TEST(Erase, of_a_record_in_one_entry_with_others_leaves_the_others) {
    Space space(2);
    space[0].commit({{Write::Kind::put, {"c", "anna"}, object_of(R"({"n": "A-secret"})"), {}},
                     {Write::Kind::put, {"c", "bob"}, object_of(R"({"n": "B"})"), {}}});
    space[0].erase_for_good("c", "anna");
    space[0].patch("c", "bob", object_of(R"({"n": "B2"})"));
    space.converge();
    EXPECT_FALSE(holds(space[0], "A-secret"));
    EXPECT_FALSE(holds(space[1], "A-secret"));
    EXPECT_EQ(space[1].field("c", "bob", "n"), Value("B2"));
    auto const history = test::value_of(space[1]->history({"c", "bob"}));
    EXPECT_EQ(history.size(), 2u);
    expect_same(space);
}

TEST(Erase, of_several_records_of_one_entry_leaves_nothing_of_any) {
    Space space(3);
    std::vector<Write> import;
    for (char const* key : {"anna", "bea", "carl", "dora"})
        import.push_back({Write::Kind::put,
                          {"c", key},
                          object_of(R"({"n": "secret-)" + std::string(key) + "\"}"),
                          {}});
    space[0].commit(import);
    space.converge();
    // In one transaction, and in two of one group: in both the entry is rewritten more than once.
    space[1].commit(
        {{Write::Kind::erase, {"c", "anna"}, {}, {}}, {Write::Kind::erase, {"c", "bea"}, {}, {}}});
    std::vector<Transaction> const group(1,
                                         {"test", {{Write::Kind::erase, {"c", "carl"}, {}, {}}}});
    ASSERT_TRUE(space[1]->commit(group).front());
    space.converge();  // one batch brings all of them
    space.admit({"late", Role::writer, {}});
    space.pull(0, 3);
    for (std::size_t i = 0; i < 4; ++i) {
        for (char const* key : {"anna", "bea", "carl"})
            EXPECT_FALSE(holds(space[i], key)) << i;
        EXPECT_EQ(space[i].field("c", "dora", "n"), Value("secret-dora"));
    }
    expect_same(space);
}

// An entry whose erased form is longer than what its author may write is in effect all the same.
TEST(Erase, one_of_thousands_of_records_of_a_large_entry) {
    Space space(2);
    std::vector<Write> import;
    std::string const text(6'260, 'x');
    for (int i = 0; i < 500; ++i)
        import.push_back({Write::Kind::put,
                          {"c", "k" + std::to_string(i)},
                          Object{
                              { "n",
                                Value(text) }},
                          {}});
    space[0].commit(import);
    space[0].erase_for_good("c", "k17");
    auto const stored = space[0].engine->get(
        Family::log, keys::log(space[0]->space_number(), {space[0].actor(), 1}));
    ASSERT_GT(test::value_of(stored)->size(), kEntryBytesMax);
    space.converge();
    EXPECT_EQ(space[1]->record_count(), 499u);
    EXPECT_EQ(test::value_of(space[1]->history({"c", "k18"})).size(), 1u);
    expect_same(space);
}

TEST(Erase, A17_wins_over_concurrent_edits_wherever_they_arrive_later) {
    Space space(3);
    space[0].put("c", "anna", object_of(R"({"n": "A"})"));
    space.converge();
    space[0].erase_for_good("c", "anna");
    space[1].patch("c", "anna", object_of(R"({"n": "late-secret"})"));
    space[2].erase("c", "anna");
    space[2].put("c", "anna", object_of(R"({"n": "again-secret"})"));
    space.pull(1, 2);
    space.pull(2, 0);
    EXPECT_FALSE(holds(space[0], "secret"));
    space.converge();
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_FALSE(holds(space[i], "secret")) << i;
        EXPECT_FALSE(space[i].get("c", "anna"));
    }
    expect_same(space);
    // A newcomer learns all of it from stubs.
    space.admit({"late", Role::writer, {}});
    space.pull(1, 3);
    expect_same(space);
    EXPECT_FALSE(holds(space[3], "anna"));
}

TEST(Erase, a_write_to_an_erased_id_is_gone_and_makes_no_entry) {
    Space space(2);
    space[0].put("c", "anna", object_of(R"({"n": 1})"));
    space[0].erase_for_good("c", "anna");
    space.converge();
    for (std::size_t i = 0; i < 2; ++i) {
        for (auto const kind : {Write::Kind::put, Write::Kind::patch, Write::Kind::delete_}) {
            auto const refused =
                space[i].try_commit({{kind, {"c", "anna"}, object_of(R"({"n": 2})"), {}}});
            ASSERT_FALSE(refused);
            EXPECT_EQ(refused.error().code, Errc::gone);
            EXPECT_THAT(refused.error().message, HasSubstr("erased for good"));
        }
        space[i].reopen();
        EXPECT_FALSE(space[i].try_commit({{Write::Kind::put, {"c", "anna"}, {}, {}}}));
        EXPECT_FALSE(space[i].erase_for_good("c", "anna").dot);  // once is enough
    }
    EXPECT_EQ(space[0]->vector().at(space[0].actor()), 2u);
}

TEST(Erase, an_id_that_never_was_can_be_erased_ahead) {
    Space space(2);
    space[1].put("c", "anna", object_of(R"({"n": "secret"})"));
    EXPECT_TRUE(space[0].erase_for_good("c", "anna").dot);
    space.converge();
    expect_same(space);
    EXPECT_FALSE(space[1].get("c", "anna"));
    EXPECT_FALSE(holds(space[1], "secret"));
}

TEST(Erase, A5_two_sites_erase_the_same_record) {
    Space space(3);
    space[0].put("c", "anna", object_of(R"({"n": "secret"})"));
    space.converge();
    space[0].erase_for_good("c", "anna");
    space[1].erase_for_good("c", "anna");
    space.converge();
    expect_same(space);
    EXPECT_FALSE(holds(space[2], "secret"));
}

// The stubs come before the erase that explains them: what they were is not known, but that they
// had to go is.
TEST(Erase, stubs_that_come_before_their_erase_need_its_proof) {
    Space space(2);
    space[0].put("c", "anna", object_of(R"({"n": 1})"));
    space[0].put("c", "bob", object_of(R"({"n": 1})"));
    space[0].erase_for_good("c", "anna");
    EntryBatch batch = test::value_of(space[0]->collect({}, 1 << 20));
    ASSERT_EQ(batch.erasures.size(), 1u);
    EntryBatch const first = test::value_of(space[0]->collect({}, 1));
    ASSERT_EQ(first.entries(), 1u);
    ASSERT_TRUE(test::value_of(space[1]->apply(first)).applied == 1);
    EXPECT_FALSE(space[1]->root_comparable());
    space[1].reopen();
    EXPECT_FALSE(space[1]->root_comparable());
    space.pull(0, 1);
    EXPECT_TRUE(space[1]->root_comparable());
    expect_same(space);

    Space other(2);
    other[0].put("c", "anna", object_of(R"({"n": 1})"));
    other[0].erase_for_good("c", "anna");
    EntryBatch without = test::value_of(other[0]->collect({}, 1 << 20));
    without.erasures.clear();
    auto const refused = other[1]->apply(without);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::protocol);
}

TEST(Erase, ops_in_void_entries_go_too_and_the_entry_stays_void) {
    Space space({{"a", Role::admin, {}}, {"b", Role::writer, {}}, {"c", Role::writer, {"orders"}}});
    BrokenAuthor broken(space[2], space.id(), space.digest_key());
    broken.say(broken.header({"orders", "customers", "name"}),
               {simple_op("orders", "good"), simple_op("customers", "anna-key", "secret")});
    ASSERT_EQ(test::value_of(space[0]->apply(broken.batch())).voided, 1u);
    EXPECT_TRUE(holds(space[0], "secret"));
    space[0].erase_for_good("customers", "anna-key");
    EXPECT_FALSE(holds(space[0], "secret"));
    EXPECT_FALSE(holds(space[0], "anna-key"));
    space.pull(0, 1);
    EXPECT_FALSE(space[1].get("orders", "good"));  // void there as well
    EXPECT_EQ(space[0]->root(), space[1]->root());
}

TEST(Erase, an_erase_that_its_author_did_not_sign_is_void) {
    Space space(3);
    space[0].put("c", "anna", object_of(R"({"n": 1})"));
    space.converge();
    BrokenAuthor broken(space[2], space.id(), space.digest_key());
    Op op;
    op.kind = static_cast<std::uint64_t>(OpKind::erase);
    op.collection = "c";
    op.tag = record_tag(space.digest_key(), "c", "anna");
    broken.say(broken.header({"c"}), {op});
    EXPECT_EQ(test::value_of(space[0]->apply(broken.batch())).voided, 1u);
    EXPECT_TRUE(space[0].get("c", "anna"));
}

TEST(Erase, names_a_record_of_the_collection_that_its_author_may_write) {
    Space space({{"a", Role::writer, {}}, {"b", Role::writer, {}}, {"m", Role::writer, {"o"}}});
    space[0].put("c", "anna", object_of(R"({"n": 1})"));
    space[0].put("o", "1", object_of(R"({"n": 1})"));
    space.converge();
    BrokenAuthor broken(space[2], space.id(), space.digest_key());
    Op op;
    op.kind = static_cast<std::uint64_t>(OpKind::erase);
    op.collection = "o";
    op.tag = record_tag(space.digest_key(), "c", "anna");
    auto const statement = erasure_statement(space.id(), space[2].actor(), "o", op.tag);
    op.proof = crypto::sign(space[2].keys.identity, statement);
    broken.say(broken.header({"o"}), {op});
    EXPECT_EQ(test::value_of(space[0]->apply(broken.batch())).voided, 1u);
    EXPECT_TRUE(space[0].get("c", "anna"));
    EXPECT_FALSE(space[0]->is_erased({"c", "anna"}));
    EXPECT_TRUE(space[0].try_commit({{Write::Kind::put, {"c", "anna"}, {}, {}}}));
    // A proof without a stub that it explains, or of another collection, erases nothing either.
    broken.say(broken.header({"o", "name"}), {simple_op("o", "2")});
    auto batch = broken.batch();
    RecordTag const mine = record_tag(space.digest_key(), "o", "1");
    auto const proof = [&](RecordTag const& tag) {
        auto const text = erasure_statement(space.id(), space[2].actor(), "o", tag);
        return Erasure{tag, "o", space[2].actor(), crypto::sign(space[2].keys.identity, text)};
    };
    batch.erasures = {proof(op.tag)};
    EXPECT_FALSE(space[0]->apply(batch));
    batch.erasures = {proof(mine)};
    EXPECT_EQ(test::value_of(space[0]->apply(batch)).applied, 1u);
    EXPECT_FALSE(space[0]->is_erased({"o", "1"}));
}

TEST(Erase, A17_receipts_name_the_sites_that_have_scrubbed_their_disk) {
    Space space(3);
    space[0].put("c", "anna", object_of(R"({"n": 1})"));
    space[0].erase_for_good("c", "anna");
    space.converge();
    space.acknowledge();
    auto status = space[0]->erasure_status();
    ASSERT_EQ(status.size(), 1u);
    EXPECT_EQ(status[0].collection, "c");
    EXPECT_EQ(status[0].site, "site0");
    EXPECT_EQ(status[0].waiting.size(), 3u);
    for (std::size_t i : {0u, 2u}) {
        EXPECT_TRUE(space[i]->needs_scrub());
        auto const ticket = space[i]->scrub_ticket();
        test::value_of(space[i]->scrubbed(ticket));
        EXPECT_FALSE(space[i]->needs_scrub());
    }
    space[1].reopen();
    EXPECT_TRUE(space[1]->needs_scrub());
    space.acknowledge();
    status = space[0]->erasure_status();
    EXPECT_EQ(status[0].done, (std::vector<std::string>{"site0", "site2"}));
    EXPECT_EQ(status[0].waiting, (std::vector<std::string>{"site1"}));
    // An erasure that came during a scrub needs another one, ...
    auto const ticket = space[1]->scrub_ticket();
    space[1].erase_for_good("c", "bob");
    test::value_of(space[1]->scrubbed(ticket));
    EXPECT_TRUE(space[1]->needs_scrub());
}

// An erasure that meets a broken entry in the log: nothing of it is written by what comes with it.
// At whichever call the disk fails.
TEST(Erase, that_fails_half_way_writes_nothing) {
    for (std::size_t calls = 1;; ++calls) {
        ASSERT_LT(calls, 1'000u);
        SCOPED_TRACE(calls);
        Space space(1);
        space[0].put("c", "anna", object_of(R"({"n": 1})"));
        space[0].patch("c", "anna", object_of(R"({"n": 2})"));
        space[0].engine->die_at(
            calls, FaultEngine::Counted::calls, FaultEngine::Outcome::lost, [] {});
        Transaction const erase{"test", {{Write::Kind::erase, {"c", "anna"}, {}, {}}}};
        Transaction const put{"test", {{Write::Kind::put, {"c", "bob"}, {}, {}}}};
        bool const done = space[0]->commit({erase, put})[0].has_value();
        space[0].reopen();
        bool const erased = space[0]->is_erased(RecordName{"c", "anna"});
        EXPECT_TRUE(erased || !done);
        EXPECT_EQ(space[0].field("c", "anna", "n"), erased ? Value() : Value(2));
        EXPECT_EQ(space[0]->vector().at(space[0].actor()), erased ? 4u : 2u);
        EXPECT_EQ(test::value_of(space[0]->recompute_root()), space[0]->root());
        if (!done) continue;
        EXPECT_GT(calls, 5u) << "or it read nothing";
        break;
    }
}

// Greps the database's files: tables, logs, lists of tables, notes.
bool disk_holds(std::string const& directory, std::string const& text) {
    for (auto const& file : std::filesystem::recursive_directory_iterator(directory)) {
        if (!file.is_regular_file()) continue;
        std::ifstream in(file.path(), std::ios::binary);
        std::string const bytes{std::istreambuf_iterator<char>(in), {}};
        if (bytes.find(text) != std::string::npos) return true;
    }
    return false;
}

TEST(Erase, A17_a_scrub_leaves_no_byte_on_the_disk) {
    test::TempDir directory;
    std::atomic<bool> cancelled = false;
    test::SpaceSetup setup;
    setup.rocks_below = directory.path();
    Space space(2, setup);
    // The record is the first of its collection, so its key bounds a table.
    space[0].put(
        "c", "aaa-secret-key", object_of(R"({"n": "secret-value", "m": {"secret-k": 1}})"));
    for (int i = 0; i < 200; ++i)
        space[0].put("c", "b" + std::to_string(i), object_of(R"({"n": "other"})"));
    space[1].put("c", "aaa-secret-key", object_of(R"({"n": "secret-conflict"})"));
    space.converge();
    test::value_of(space[0].engine->scrub(cancelled));  // it is in tables by now
    EXPECT_TRUE(disk_holds(directory.path(), "secret"));
    space[1].erase_for_good("c", "aaa-secret-key");
    space.converge();
    for (std::size_t i = 0; i < 2; ++i) {
        auto const ticket = space[i]->scrub_ticket();
        test::value_of(space[i].engine->scrub(cancelled));
        test::value_of(space[i]->scrubbed(ticket));
    }
    EXPECT_FALSE(disk_holds(directory.path(), "secret"));
    EXPECT_EQ(space[0]->record_count(), 200u);
    expect_same(space);
    space[0].put("c", "after", object_of(R"({"n": 1})"));  // the engine goes on
    space[0].reopen();
    EXPECT_TRUE(space[0].get("c", "after"));
}

// Both erased it before they met: what each hears from the other is no news to its disk.
TEST(Erase, of_what_was_erased_before_leaves_nothing_to_scrub) {
    Space space{2};
    space[0].put("c", "ann", {{"n", Value(1)}});
    space.converge();
    for (std::size_t at : {0u, 1u}) {
        space[at].erase_for_good("c", "ann");
        ASSERT_TRUE(space[at]->needs_scrub());
        ASSERT_TRUE(space[at]->scrubbed(space[at]->scrub_ticket()));
        ASSERT_FALSE(space[at]->needs_scrub());
    }
    space.converge();
    for (std::size_t at : {0u, 1u})
        EXPECT_FALSE(space[at]->needs_scrub()) << at;
    space[1].put("c", "bob", {{"n", Value(1)}});
    space.converge();
    space[1].erase_for_good("c", "bob");
    space.converge();
    for (std::size_t at : {0u, 1u})
        EXPECT_TRUE(space[at]->needs_scrub()) << at;
}

}  // namespace
}  // namespace inos
