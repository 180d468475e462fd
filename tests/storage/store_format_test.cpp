// What an older store becomes, and what becomes of what a newer program has written: nothing.
#include "storage/store_format.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/backup.hpp"
#include "tests/storage/repair_fixture.hpp"

namespace inos::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Object name(std::string const& text) {
    return {{"name", Value(text)}};
}

// ---- the store's number -------------------------------------------------------------------------

constexpr std::size_t kRowsAtOnce = 3;

// Only for tests: format 2 puts a version in front of rows "x", 3 rows at a time; format 3 renames
// them to "y".
StoreUpgrade const kVersionsForX{
    1,
    "rows x have versions",
    [](Engine const& engine, std::string& position, WriteBatch& batch) -> Result<bool> {
        auto cursor = engine.scan(Family::meta, "x" + position, "y");
        for (std::size_t i = 0; i < kRowsAtOnce && cursor->valid(); ++i, cursor->next()) {
            batch.put(
                Family::meta, std::string(cursor->key()), "\1" + std::string(cursor->value()));
            position = std::string(cursor->key().substr(1)) + '\0';
        }
        INOS_CHECK(cursor->status());
        return !cursor->valid();
    }};
StoreUpgrade const kRenamesX{
    2,
    "rows x are rows y",
    [](Engine const& engine, std::string& position, WriteBatch& batch) -> Result<bool> {
        position = "all at once";
        for (auto cursor = engine.scan(Family::meta, "x", "y"); cursor->valid(); cursor->next()) {
            batch.remove(Family::meta, std::string(cursor->key()));
            batch.put(Family::meta,
                      "y" + std::string(cursor->key().substr(1)),
                      std::string(cursor->value()));
        }
        return true;
    }};
std::array const kUpgrades{kVersionsForX, kRenamesX};

class StoreFormat : public ::testing::Test {
protected:
    static void put(Engine& engine, std::string const& key, std::string const& value) {
        WriteBatch batch;
        batch.put(Family::meta, key, value);
        value_of(engine.write(batch, Durability::synced));
    }
    static std::unique_ptr<FaultEngine> store(std::string const& format) {
        auto engine = std::make_unique<FaultEngine>(std::make_unique<MemoryEngine>());
        put(*engine, keys::directory("format"), format);
        for (int i = 0; i < 10; ++i)
            put(*engine, "x" + std::to_string(i), "value");
        return engine;
    }
    static Error refused(Engine& engine, std::span<StoreUpgrade const> upgrades, std::uint64_t to) {
        auto const before = contents(engine);
        auto const done = upgrade_store(engine, "shop", upgrades, to);
        EXPECT_FALSE(done);
        EXPECT_EQ(contents(engine), before);
        return done ? Error() : done.error();
    }
};

TEST_F(StoreFormat, tells_newer_versions_from_damage) {
    EXPECT_FALSE(is_newer_version(1, 2));
    EXPECT_FALSE(is_newer_version(2, 2));
    EXPECT_TRUE(is_newer_version(3, 2));
    EXPECT_TRUE(is_newer_version(2 + kVersionsAhead, 2));
    EXPECT_FALSE(is_newer_version(3 + kVersionsAhead, 2));
    EXPECT_FALSE(is_newer_version(0xff, 2));
}

TEST_F(StoreFormat, D13_an_older_store_is_upgraded_step_by_step) {
    auto const engine = store("1");
    EXPECT_THAT(value_of(upgrade_store(*engine, "shop", kUpgrades, 3)),
                ElementsAre("format 2: rows x have versions", "format 3: rows x are rows y"));
    EXPECT_EQ(engine->writes(), 11u + 4u + 1u);
    EXPECT_EQ(engine->syncs(), engine->writes());
    auto const all = contents(*engine);
    EXPECT_EQ(all.size(), 11u);
    EXPECT_EQ(all.at({Family::meta, keys::directory("format")}), "3");
    EXPECT_EQ(all.at({Family::meta, "y7"}), "\1value");
    EXPECT_THAT(value_of(upgrade_store(*engine, "shop", kUpgrades, 3)), IsEmpty());
    EXPECT_EQ(contents(*engine), all);
}

// The machine stops in every single call, in which what is written is there or not: the store opens,
// and is what it would have been.
TEST_F(StoreFormat, C4_an_upgrade_that_is_interrupted_anywhere_goes_on) {
    auto const whole = store("1");
    value_of(upgrade_store(*whole, "shop", kUpgrades, 3));
    auto const expected = contents(*whole);
    std::size_t deaths = 0;
    for (auto const outcome : {FaultEngine::Outcome::lost, FaultEngine::Outcome::kept}) {
        bool ended = false;
        for (std::size_t call = 1; !ended; ++call) {
            ASSERT_LT(call, 100u);
            auto const engine = store("1");
            engine->die_at(call, FaultEngine::Counted::calls, outcome, nullptr);
            ended = upgrade_store(*engine, "shop", kUpgrades, 3).has_value();
            deaths += ended ? 0 : 1;
            engine->lose_unsynced(outcome == FaultEngine::Outcome::kept ? 1 : 0);
            engine->heal();
            value_of(upgrade_store(*engine, "shop", kUpgrades, 3));
            EXPECT_EQ(contents(*engine), expected) << "call " << call;
        }
    }
    EXPECT_GT(deaths, 20u);
}

TEST_F(StoreFormat, D13_a_newer_store_is_refused_with_words) {
    auto const engine = store("7");
    auto const error = refused(*engine, kUpgrades, 3);
    EXPECT_EQ(error.code, Errc::unsupported);
    EXPECT_THAT(error.message, HasSubstr("the database in \"shop\" has format version 7"));
    EXPECT_THAT(error.message, HasSubstr("this program reads up to 3"));
    EXPECT_THAT(error.message, HasSubstr("restore a backup"));
}

TEST_F(StoreFormat, a_store_that_is_too_old_or_of_no_format_is_refused) {
    auto const old = store("1");
    EXPECT_EQ(refused(*old, std::span(kUpgrades).subspan(1), 3).code, Errc::unsupported);
    for (std::string const bad : {"", "0", "-1", "1 ", "one", "99999999999999999999"}) {
        auto const engine = store(bad);
        EXPECT_EQ(refused(*engine, kUpgrades, 3).code, Errc::corruption) << bad;
    }
    MemoryEngine empty;
    EXPECT_EQ(refused(empty, kUpgrades, 3).code, Errc::corruption);
    auto const other = store("1");
    put(*other, keys::directory("upgrade"), "2 x");
    EXPECT_EQ(refused(*other, kUpgrades, 3).code, Errc::corruption);
}

TEST_F(StoreFormat, of_this_program_needs_no_upgrade) {
    auto const engine = store(std::to_string(kStoreFormat));
    EXPECT_THAT(value_of(upgrade_store(*engine, "shop", store_upgrades())), IsEmpty());
    for (StoreUpgrade const& upgrade : store_upgrades())
        EXPECT_LT(upgrade.from, kStoreFormat);
}

// ---- rows of a newer program --------------------------------------------------------------------

class NewerRows : public ::testing::Test {
protected:
    NewerRows() {
        space[0].put("c", "ann", name("Ann"));
        space[0].put("c", "bob", name("Bob"));
        space.converge();
    }
    static std::string newer(std::string row) {
        ++row[0];
        return row;
    }
    // Whatever is tried, it says so, and the rows stay.
    template <class Act>
    void expect_untouched(Act const& act) {
        auto const before = contents(*space[0].engine);
        auto const done = act();
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().code, Errc::unsupported) << done.error().message;
        EXPECT_THAT(done.error().message, HasSubstr("has format version 3"));
        EXPECT_EQ(contents(*space[0].engine), before);
    }
    Result<void> repair_all() {
        RecordRepair repair(*space[0]);
        for (bool end = false; !end;) {
            INOS_TRY(end, repair.step());
        }
        return {};
    }

    Space space{2};
};

TEST_F(NewerRows, D12_of_small_families_keep_the_store_closed) {
    put_raw(space[0], Family::digests, keys::digest(1, "c"), "\2 what nobody knows here");
    auto const before = contents(*space[0].engine);
    EXPECT_THROW(space[0].reopen(), std::logic_error);
    EXPECT_EQ(contents(*space[0].engine), before);
}

TEST_F(NewerRows, D12_every_kind_of_small_row_is_looked_at) {
    for (VersionedRow const& kind : versioned_rows()) {
        MemoryEngine engine;
        WriteBatch batch;
        std::string const key =
            kind.kind == 0 ? keys::digest(1, "c") : keys::meta_kind(1, kind.kind);
        batch.put(kind.family, key, std::string(1, static_cast<char>(kind.reads)) + "x");
        value_of(engine.write(batch, Durability::synced));
        EXPECT_TRUE(refuse_newer_rows(engine, 1)) << kind.what;
        batch.put(kind.family, key, std::string(1, static_cast<char>(kind.reads + 1)) + "x");
        value_of(engine.write(batch, Durability::synced));
        auto const refused = refuse_newer_rows(engine, 1);
        ASSERT_FALSE(refused) << kind.what;
        EXPECT_EQ(refused.error().code, Errc::unsupported);
        EXPECT_THAT(refused.error().message, HasSubstr(kind.what));
        EXPECT_TRUE(refuse_newer_rows(engine, 2)) << kind.what;
    }
}

TEST_F(NewerRows, D12_a_record_is_neither_read_nor_written_nor_repaired) {
    std::string const key = record_key("ann");
    put_raw(space[0], Family::records, key, newer(*raw(space[0], Family::records, key)));
    expect_untouched([&] { return space[0]->get({"c", "ann"}); });
    expect_untouched([&] {
        return space[0].try_commit({{Write::Kind::put, {"c", "ann"}, name("Anna"), {}}});
    });
    expect_untouched([&] {
        return space[0].try_commit({{Write::Kind::delete_, {"c", "ann"}, {}, {}}});
    });
    expect_untouched([&] { return repair_all(); });
    expect_untouched([&]() -> Result<void> {
        RecordRepair repair(*space[0], std::vector<std::string>{std::string("c\0ann", 5)});
        for (bool end = false; !end;) {
            INOS_TRY(end, repair.step());
        }
        return {};
    });
    // Nor is what a peer has written to it.
    space[1].put("c", "ann", name("Annie"));
    expect_untouched([&] { return space.try_pull(1, 0); });
    EXPECT_TRUE(space[0]->damaged_records().empty());
    // The others are what they were, and a newer program finds its row as it left it.
    EXPECT_EQ(space[0].field("c", "bob", "name"), Value("Bob"));
    space[0].reopen();
    EXPECT_EQ(space[0].field("c", "bob", "name"), Value("Bob"));
}

TEST_F(NewerRows, D12_a_record_that_rules_keeps_the_store_closed) {
    space[0].set_schema(R"({"c":{"fields":{"tags":{"type":"set"}}}})");
    std::string const key = keys::record(1, "_schema", "c");
    put_raw(space[0], Family::records, key, newer(*raw(space[0], Family::records, key)));
    auto const before = contents(*space[0].engine);
    EXPECT_THROW(space[0].reopen(), std::logic_error);
    EXPECT_EQ(contents(*space[0].engine), before);
}

TEST_F(NewerRows, D12_an_entry_of_the_log_is_no_damage) {
    std::string const key = keys::log(1, {space[0].actor(), 2});
    put_raw(space[0], Family::log, key, newer(*raw(space[0], Family::log, key)));
    expect_untouched([&] { return repair_all(); });
    put_raw(space[0], Family::records, record_key("bob"), std::nullopt);
    expect_untouched([&] { return repair_all(); });
}

// A byte that no program will write for long is damage, and is repaired.
TEST_F(NewerRows, are_told_from_damage) {
    put_raw(space[0], Family::records, record_key("ann"), "rubbish");
    EXPECT_EQ(check(space[0]).mended, 1u);
    EXPECT_EQ(space[0].field("c", "ann", "name"), Value("Ann"));
}

TEST_F(NewerRows, D13_a_backup_of_a_newer_program_is_refused_as_such) {
    BackupParser parser;
    auto const fed =
        parser.feed("inos backup 2\nwhatever", [](BackupFrame const&) { return Result<void>(); });
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().code, Errc::unsupported);
    EXPECT_THAT(fed.error().message, HasSubstr("the backup has format version 2"));
}

}  // namespace
}  // namespace inos::test
