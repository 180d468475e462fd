// The engine on RocksDB: what the replica relies on, and what a damaged or busy directory answers.
// That unsynced writes may be lost cannot be shown here: a program's end leaves them in the page
// cache.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/engines/memory.hpp"
#include "storage/engines/rocks.hpp"
#include "tests/support/temp_dir.hpp"
#include "tools/simulation/fault_engine.hpp"

namespace inos {
namespace {

namespace fs = std::filesystem;
using sim::contents;
using test::TempDir;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::unique_ptr<Engine> open_or_throw(std::string const& path) {
    auto engine = open_rocks(path);
    if (!engine) throw std::runtime_error(engine.error().message);
    return *std::move(engine);
}

void put(Engine& engine, std::string key, std::string value, Family family = Family::records) {
    WriteBatch batch;
    batch.put(family, std::move(key), std::move(value));
    ASSERT_TRUE(engine.write(batch, Durability::synced));
}

std::vector<std::string> keys(Engine const& engine, std::string_view from, std::string_view to) {
    std::vector<std::string> found;
    auto cursor = engine.scan(Family::records, from, to);
    for (; cursor->valid(); cursor->next())
        found.emplace_back(cursor->key());
    EXPECT_TRUE(cursor->status());
    return found;
}

// Both engines keep the same contract.
class EngineContract : public testing::TestWithParam<bool> {
protected:
    EngineContract()
        : engine(GetParam() ? open_or_throw(dir / "db") : std::make_unique<MemoryEngine>()) {}
    TempDir dir;
    std::unique_ptr<Engine> engine;
};
INSTANTIATE_TEST_SUITE_P(Engines, EngineContract, testing::Bool(), [](auto const& of) {
    return of.param ? "rocks" : "memory";
});

TEST_P(EngineContract, families_are_apart) {
    for (std::size_t i = 0; i < kFamilies; ++i)
        put(*engine, "key", std::to_string(i), static_cast<Family>(i));
    for (std::size_t i = 0; i < kFamilies; ++i)
        EXPECT_EQ(**engine->get(static_cast<Family>(i), "key"), std::to_string(i));
    EXPECT_FALSE(*engine->get(Family::records, "other"));
    EXPECT_EQ(contents(*engine).size(), kFamilies);
}

TEST_P(EngineContract, a_batch_is_done_in_order_over_several_families) {
    put(*engine, "b", "old");
    WriteBatch batch;
    batch.put(Family::records, "a", "1");
    batch.put(Family::log, "a", std::string("\0\xff\0", 3));
    batch.remove(Family::records, "b");
    batch.put(Family::records, "a", "2");
    batch.put(Family::records, "c", "1");
    batch.remove(Family::records, "c");
    batch.remove(Family::meta, "nothing");
    batch.put(Family::meta, "empty", "");
    ASSERT_TRUE(engine->write(batch, Durability::flushed));
    EXPECT_EQ(**engine->get(Family::records, "a"), "2");
    EXPECT_EQ(**engine->get(Family::log, "a"), std::string("\0\xff\0", 3));
    EXPECT_EQ(**engine->get(Family::meta, "empty"), "");
    EXPECT_THAT(keys(*engine, "", "z"), ElementsAre("a"));
    ASSERT_TRUE(engine->write({}, Durability::synced));
}

TEST_P(EngineContract, scans_are_bounded_and_ordered_by_unsigned_bytes) {
    std::string const high("\xff\xff"), zero("b\0", 2);
    for (std::string const& key :
         {std::string("b"), std::string("a"), zero, high, std::string("c")})
        put(*engine, key, key);
    EXPECT_THAT(keys(*engine, "", "\xff\xff\xff"), ElementsAre("a", "b", zero, "c", high));
    EXPECT_THAT(keys(*engine, "b", "c"), ElementsAre("b", zero));
    EXPECT_THAT(keys(*engine, zero, high), ElementsAre(zero, "c"));
    EXPECT_THAT(keys(*engine, "d", "e"), IsEmpty());
    EXPECT_THAT(keys(*engine, "b", "b"), IsEmpty());
}

TEST_P(EngineContract, a_scan_sees_the_moment_it_was_made) {
    for (char const* key : {"a", "b", "c"})
        put(*engine, key, "old");
    auto cursor = engine->scan(Family::records, "", "z");
    WriteBatch batch;
    batch.put(Family::records, "b", "new");
    batch.remove(Family::records, "c");
    batch.put(Family::records, "d", "new");
    ASSERT_TRUE(engine->write(batch, Durability::flushed));
    std::string seen;
    for (; cursor->valid(); cursor->next())
        seen += std::string(cursor->key()) + "=" + std::string(cursor->value()) + " ";
    EXPECT_TRUE(cursor->status());
    EXPECT_EQ(seen, "a=old b=old c=old ");
}

class RocksFiles : public testing::Test {
protected:
    // The newest write-ahead log.
    fs::path wal() const {
        std::vector<fs::path> logs;
        for (auto const& file : fs::directory_iterator(path))
            if (file.path().extension() == ".log") logs.push_back(file.path());
        return *std::max_element(logs.begin(), logs.end());
    }
    void fill(int batches) {
        auto const engine = open_or_throw(path);
        for (int i = 0; i < batches; ++i) {
            WriteBatch batch;
            batch.put(Family::records, std::to_string(1'000 + i), std::string(500, 'r'));
            batch.put(Family::log, std::to_string(1'000 + i), std::string(500, 'l'));
            ASSERT_TRUE(engine->write(batch, Durability::synced));
        }
    }

    TempDir dir;
    std::string path = dir / "db";
};

TEST_F(RocksFiles, opens_with_what_was_written) {
    fill(50);
    auto const before = contents(*open_or_throw(path));
    EXPECT_EQ(before.size(), 100u);
    EXPECT_EQ(contents(*open_or_throw(path)), before);
}

TEST_F(RocksFiles, D20_torn_log_tail_loses_the_torn_batch_only) {
    fill(200);
    fs::path const log = wal();
    fs::resize_file(log, fs::file_size(log) - 7);
    auto engine = open_or_throw(path);
    auto const left = contents(*engine);
    // Both families of the torn batch are gone, all others are there.
    EXPECT_EQ(left.size(), 398u);
    EXPECT_FALSE(left.contains({Family::records, "1199"}));
    EXPECT_FALSE(left.contains({Family::log, "1199"}));
    put(*engine, "after", "1");
    engine.reset();
    EXPECT_EQ(contents(*open_or_throw(path)).size(), 399u);
}

TEST_F(RocksFiles, W1_flipped_bit_in_log_is_refused) {
    fill(200);
    std::fstream file(wal(), std::ios::in | std::ios::out | std::ios::binary);
    auto const middle = static_cast<std::streamoff>(fs::file_size(wal()) / 2);
    file.seekg(middle);
    char const was = static_cast<char>(file.get());
    file.seekp(middle);
    file.put(static_cast<char>(was ^ 1));
    file.close();
    auto const engine = open_rocks(path);
    ASSERT_FALSE(engine);
    EXPECT_EQ(engine.error().code, Errc::corruption) << engine.error().message;
    EXPECT_THAT(engine.error().message, HasSubstr(path));
}

TEST_F(RocksFiles, a_second_handle_is_a_conflict_until_the_first_is_closed) {
    auto first = open_or_throw(path);
    auto const second = open_rocks(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::conflict) << second.error().message;
    first.reset();
    EXPECT_TRUE(open_rocks(path));
}

TEST_F(RocksFiles, a_second_process_is_a_conflict) {
    int opened[2], done[2];
    ASSERT_EQ(::pipe(opened), 0);
    ASSERT_EQ(::pipe(done), 0);
    pid_t const child = ::fork();
    ASSERT_GE(child, 0);
    char byte = 0;
    if (child == 0) {
        ::close(opened[0]);
        ::close(done[1]);
        auto const engine = open_rocks(path);
        byte = engine ? 'y' : 'n';
        bool const told = ::write(opened[1], &byte, 1) == 1;
        bool const ended = ::read(done[0], &byte, 1) == 0;  // the parent has closed its end
        ::_exit(told && ended ? 0 : 1);
    }
    ::close(opened[1]);
    ::close(done[0]);
    EXPECT_EQ(::read(opened[0], &byte, 1), 1);
    EXPECT_EQ(byte, 'y');
    auto const second = open_rocks(path);
    EXPECT_FALSE(second);
    if (!second) {
        EXPECT_EQ(second.error().code, Errc::conflict) << second.error().message;
    }
    ::close(done[1]);
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    ::close(opened[0]);
    EXPECT_TRUE(open_rocks(path));
}

TEST_F(RocksFiles, a_missing_parent_is_an_error_that_names_the_place) {
    for (char const* name : {"missing/db", "locked/db"}) {
        auto const engine = open_rocks(dir / name);
        ASSERT_FALSE(engine);
        EXPECT_EQ(engine.error().code, Errc::io) << engine.error().message;
        EXPECT_THAT(engine.error().message, HasSubstr(dir / name));
    }
}

}  // namespace
}  // namespace inos
