// What becomes of a real database when the disk fails below it: one test for each row of the table
// in docs/operations.md (faults of the disk), with the row's name in its own. Full disks, failed
// syncs and file systems that become read-only are made by tests/support/fault_files.hpp.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/engines/rocks.hpp"
#include "storage/record_repair.hpp"
#include "tests/support/fault_files.hpp"
#include "tests/support/space.hpp"
#include "tests/support/temp_dir.hpp"

namespace inos::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using Pages = Faults::Pages;

std::string value_for(int n) {
    return std::string(400, static_cast<char>('a' + n % 26)) + std::to_string(n);
}

class DiskFaults : public ::testing::Test {
protected:
    Result<std::unique_ptr<Engine>> try_open() {
        RocksOptions options;
        options.env = files.env();
        return open_rocks(path, options);
    }
    void open() { engine = value_of(try_open()); }
    Result<void> put(int n, Durability durability = Durability::synced) {
        WriteBatch batch;
        batch.put(Family::records, std::to_string(n), value_for(n));
        batch.put(Family::log, std::to_string(n), value_for(n));
        return engine->write(batch, durability);
    }
    // Acknowledged ones, from the next number on.
    void put_some(int count) {
        for (int i = 0; i < count; ++i)
            value_of(put(next++));
    }
    // What was acknowledged is there; what was not is there or not, as a whole.
    void expect_all() const {
        for (int n = 0; n < next; ++n)
            ASSERT_EQ(value_of(engine->get(Family::records, std::to_string(n))), value_for(n)) << n;
        auto const either = value_of(engine->get(Family::records, std::to_string(next)));
        ASSERT_EQ(either, value_of(engine->get(Family::log, std::to_string(next))));
        ASSERT_TRUE(!either || either == value_for(next));
    }
    void restart() {
        engine.reset();
        open();
    }
    fs::path newest(std::string const& end) const {
        fs::path found;
        for (auto const& file : fs::directory_iterator(path))
            if (file.path().filename().string().find(end) != std::string::npos)
                found = std::max(found, file.path());
        return found;
    }
    static std::string bytes_of(fs::path const& file) {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    static void write(fs::path const& file, std::string const& bytes) {
        std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    }
    static std::string flipped(std::string bytes, std::size_t at) {
        bytes[at] = static_cast<char>(bytes[at] ^ 4);
        return bytes;
    }

    TempDir dir;
    std::string path = dir / "db";
    FaultFiles files;
    Faults& faults = files.faults();
    std::unique_ptr<Engine> engine;
    int next = 0;
};

TEST_F(DiskFaults, D19_full_disk_refuses_writes_reads_on_and_goes_on_when_there_is_room) {
    open();
    put_some(5);
    for (std::uint64_t const room : {0u, 1u, 11u, 300u, 840u, 5'000u, 70'000u}) {
        faults.set_room(room);
        Result<void> written;
        for (int i = 0; i < 1'000 && written; ++i)
            if ((written = put(next))) ++next;
        ASSERT_FALSE(written);
        EXPECT_EQ(written.error().code, Errc::no_space) << written.error().message;
        expect_all();
        EXPECT_EQ(engine->recover().error().code, Errc::no_space);
        expect_all();
        faults.set_room(std::nullopt);
        value_of(engine->recover());
        expect_all();
        put_some(3);
        expect_all();
    }
    restart();
    expect_all();
    EXPECT_FALSE(fs::exists(path + "/recover.probe"));
}

// There is room for the probe, and not for what the log holds.
TEST_F(DiskFaults, D19_full_disk_that_has_too_little_room_for_the_log_is_opened_to_be_read) {
    open();
    put_some(300);
    faults.set_room(10);
    EXPECT_FALSE(put(next));
    faults.set_room(80'000);
    EXPECT_EQ(engine->recover().error().code, Errc::no_space);
    expect_all();
    EXPECT_EQ(put(next).error().code, Errc::no_space);
    std::atomic<bool> never = false;
    EXPECT_FALSE(engine->scrub(never));
    EXPECT_FALSE(engine->keep_only(Family::records, {}));
    expect_all();
    EXPECT_EQ(engine->recover().error().code, Errc::no_space);
    expect_all();
    faults.set_room(std::nullopt);
    value_of(engine->recover());
    put_some(5);
    expect_all();
    restart();
    expect_all();
}

TEST_F(DiskFaults, D19_full_disk_is_not_opened_anew_below_a_reader) {
    open();
    put_some(5);
    {
        auto const cursor = engine->scan(Family::records, "", "x");
        EXPECT_EQ(engine->recover().error().code, Errc::unavailable);
        EXPECT_TRUE(cursor->valid());
    }
    value_of(engine->recover());
    expect_all();
}

TEST_F(DiskFaults, D19_full_disk_heals_below_a_whole_replica_without_a_new_start) {
    SpaceSetup setup;
    setup.rocks_below = dir.path();
    setup.rocks.env = files.env();
    Space space(2, setup);
    Site& site = space[0];
    int done = 0;
    for (std::uint64_t const room : {0u, 100u, 1'000u, 20'000u}) {
        faults.set_room(room);
        auto const write = [&] {
            return site.try_commit({{Write::Kind::put, {"c", "x"}, {{"n", Value(done + 1)}}, {}}});
        };
        for (int i = 0; i < 200 && write(); ++i)
            ++done;
        ASSERT_TRUE(site->failed());
        EXPECT_EQ(write().error().code, Errc::no_space);
        EXPECT_EQ(site->recover().error().code, Errc::no_space);
        EXPECT_EQ(site.field("c", "x", "n"), done == 0 ? Value() : Value(done));
        faults.set_room(std::nullopt);
        value_of(site->recover());
        Value const n = site.field("c", "x", "n");
        EXPECT_THAT(n, AnyOf(done == 0 ? Value() : Value(done), Value(done + 1)));
        space.converge();
        EXPECT_EQ(space[1].field("c", "x", "n"), n);
        EXPECT_EQ(space[1]->root(), site->root());
        EXPECT_EQ(value_of(site->recompute_root()), site->root());
        ASSERT_TRUE(write());
        ++done;
    }
    EXPECT_EQ(site->doubt(), Doubt::none);
}

// Every sync that a piece of work asks for fails in turn, and then the power is cut.
TEST_F(DiskFaults, W4_failed_sync_ends_all_writes_and_nothing_acknowledged_is_lost) {
    for (auto const pages : {Pages::kept, Pages::dropped}) {
        std::size_t failed = 0;
        for (std::size_t n = 1; n <= 12; ++n) {
            open();
            put_some(2);
            std::size_t const before = faults.failures();
            faults.fail_sync(n, pages);
            Result<void> written;
            for (int i = 0; i < 10 && written; ++i)
                if ((written = put(next))) ++next;
            if (faults.failures() > before) {
                ASSERT_FALSE(written);
                EXPECT_EQ(written.error().code, Errc::io);
                for (int i = 0; i < 3; ++i)
                    EXPECT_FALSE(put(next));
                ++failed;
                expect_all();
            }
            faults.fail_sync(1'000'000, pages);  // the one that was not reached
            engine.reset();
            faults.drop_unsynced(n % 3 * 100);
            open();
            expect_all();
            engine.reset();
        }
        EXPECT_GE(failed, 9u);
    }
}

TEST_F(DiskFaults, W4_failed_sync_keeps_a_replica_from_writing_until_the_next_start) {
    SpaceSetup setup;
    setup.rocks_below = dir.path();
    setup.rocks.env = files.env();
    for (auto const pages : {Pages::kept, Pages::dropped}) {
        SpaceSetup here = setup;
        here.rocks_below = dir / (pages == Pages::kept ? "kept" : "dropped");
        fs::create_directory(here.rocks_below);
        Space space(1, here);
        Site& site = space[0];
        site.put("c", "a", {});
        faults.fail_sync(1, pages);
        Write const write{Write::Kind::put, {"c", "b"}, {}, {}};
        EXPECT_EQ(site.try_commit({write}).error().code, Errc::io);
        EXPECT_EQ(site->recover().error().code, Errc::io);
        EXPECT_EQ(site.try_commit({write}).error().code, Errc::io);
        EXPECT_TRUE(site.get("c", "a"));
        site.close();
        faults.drop_unsynced();
        site.reopen_on(value_of(open_rocks(here.rocks_below + "/site0", here.rocks)));
        EXPECT_TRUE(site.get("c", "a"));
        value_of(site.try_commit({write}));
        EXPECT_EQ(value_of(site->recompute_root()), site->root());
        EXPECT_EQ(site->vector().at(site.actor()), 2u);
    }
}

TEST_F(DiskFaults, W4_failed_write_ends_all_writes_and_reads_go_on) {
    open();
    put_some(5);
    faults.fail_writes(true);
    EXPECT_EQ(put(next).error().code, Errc::io);
    faults.fail_writes(false);
    EXPECT_FALSE(put(next)) << "nobody knows what the log holds";
    expect_all();
    restart();
    expect_all();
    put_some(5);
    expect_all();
}

TEST_F(DiskFaults,
       W4_read_only_file_system_refuses_writes_reads_on_and_refuses_a_start_with_words) {
    open();
    put_some(5);
    faults.set_read_only(true);
    EXPECT_EQ(put(next).error().code, Errc::io);
    expect_all();
    EXPECT_EQ(engine->recover().error().code, Errc::io);
    expect_all();
    engine.reset();
    auto const refused = try_open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::io);
    EXPECT_THAT(refused.error().message, HasSubstr("read-only file system"));
    EXPECT_THAT(refused.error().message, HasSubstr(path));
    faults.set_read_only(false);
    open();
    expect_all();
    put_some(5);
    expect_all();
}

// The power is cut with writes that nobody was told to be on the disk: each stays whole or goes,
// and none stays behind one that went.
TEST_F(DiskFaults, D20_torn_log_tail_is_cut_off_at_whatever_byte) {
    for (std::uint64_t kept = 0; kept < 5'000; kept += 263) {
        open();
        put_some(2);
        for (int i = 1; i <= 5; ++i)
            value_of(put(next + i, Durability::flushed));
        engine.reset();
        faults.drop_unsynced(kept);
        open();
        for (int n = 0; n < next; ++n)
            ASSERT_EQ(value_of(engine->get(Family::records, std::to_string(n))), value_for(n)) << n;
        bool gone = false;
        WriteBatch rest;
        for (int i = 1; i <= 5; ++i) {
            auto const key = std::to_string(next + i);
            bool const there = value_of(engine->get(Family::records, key)).has_value();
            ASSERT_EQ(value_of(engine->get(Family::log, key)).has_value(), there);
            ASSERT_FALSE(gone && there) << kept;
            gone = gone || !there;
            rest.remove(Family::records, key);
            rest.remove(Family::log, key);
        }
        value_of(engine->write(rest, Durability::synced));
        engine.reset();
    }
}

TEST_F(DiskFaults, W1_flipped_bit_in_log_is_refused_and_nothing_is_touched) {
    open();
    put_some(50);
    engine.reset();
    fs::path const log = newest(".log");
    std::string const good = bytes_of(log);
    write(log, flipped(good, good.size() / 2));
    auto const refused = try_open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::corruption);
    EXPECT_THAT(refused.error().message, HasSubstr("inos restore"));
    write(log, good);
    open();
    expect_all();
}

TEST_F(DiskFaults, D20_flipped_bit_in_table_is_an_error_and_never_another_value) {
    open();
    put_some(50);
    restart();  // what the log held lies in tables now
    engine.reset();
    fs::path const table = newest(".sst");
    std::string const good = bytes_of(table);
    std::size_t errors = 0;
    for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 40) {
        write(table, flipped(good, at));
        auto opened = try_open();
        if (!opened) {
            ++errors;
            EXPECT_EQ(opened.error().code, Errc::corruption) << opened.error().message;
            continue;
        }
        for (auto const family : {Family::records, Family::log})
            for (int n = 0; n < next; ++n) {
                auto const found = (*opened)->get(family, std::to_string(n));
                if (found)
                    ASSERT_EQ(*found, value_for(n)) << at;
                else
                    ++errors;
            }
    }
    EXPECT_GT(errors, 40u);
    write(table, good);
    open();
    expect_all();
}

TEST_F(DiskFaults, D20_flipped_bit_in_manifest_is_refused_or_without_effect) {
    open();
    put_some(50);
    restart();
    engine.reset();
    fs::path const manifest = newest("MANIFEST-");
    fs::path const kept = dir / "kept";
    fs::copy(path, kept, fs::copy_options::recursive);
    std::string const good = bytes_of(manifest);
    std::size_t refused = 0;
    for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 30) {
        fs::remove_all(path);
        fs::copy(kept, path, fs::copy_options::recursive);
        write(manifest, flipped(good, at));
        auto opened = try_open();
        if (!opened) {
            ++refused;
            EXPECT_THAT(opened.error().message, HasSubstr(path));
            write(manifest, good);
            opened = try_open();  // nothing was touched
        }
        engine = value_of(std::move(opened));
        expect_all();
        engine.reset();
    }
    EXPECT_GT(refused, 20u);
}

TEST_F(DiskFaults, D20_damaged_current_is_refused_and_nothing_is_touched) {
    open();
    put_some(50);
    restart();
    engine.reset();
    fs::path const current = path + "/CURRENT";
    std::string good = bytes_of(current);
    auto const expect_refused = [&](std::string const& what) {
        auto const refused = try_open();
        ASSERT_FALSE(refused) << what;
        EXPECT_THAT(refused.error().message, HasSubstr(path)) << what;
        write(current, good);
        open();
        expect_all();
        engine.reset();
        good = bytes_of(current);  // every opening writes it anew
    };
    for (std::string const bad : {"", "MANIFEST-0", "MANIFEST-999999\n", "nonsense\n"}) {
        write(current, bad);
        expect_refused("\"" + bad + "\"");
    }
    // RocksDB by itself would begin a new database here, and remove the old one's files.
    fs::remove(current);
    auto const refused = try_open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::corruption);
    EXPECT_THAT(refused.error().message, HasSubstr("lacks its file CURRENT"));
    EXPECT_THAT(refused.error().message, HasSubstr("inos restore"));
    expect_refused("missing");
}

}  // namespace
}  // namespace inos::test
