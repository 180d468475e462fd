// What a backup is made of: frames, contents, seals, and the rows of a database at one moment.
#include "storage/backup.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/engines/memory.hpp"
#include "storage/keys.hpp"

namespace inos {
namespace {

using testing::HasSubstr;

Result<void> ignore(BackupFrame const&) {
    return {};
}

BackupContents some_contents() {
    BackupContents contents;
    contents.format = "1";
    contents.space.fill(3);
    contents.space_name = "trade";
    contents.site.fill(4);
    contents.site_name = "shop";
    contents.actor = ActorId{77};
    contents.taken_ms = 1'700'000'000'123;
    contents.records = 12;
    contents.entries = 300;
    contents.files = {{"inos.toml", crypto::hash32("a")}};
    contents.chunks = {{crypto::hash32("b"), 5}, {crypto::hash32("c"), 1u << 20}};
    return contents;
}

TEST(Backup, contents_come_back_as_they_were_and_nothing_else_is_read) {
    BackupContents const contents = some_contents();
    std::string const bytes = contents.encode();
    ASSERT_EQ(BackupContents::decode(bytes), contents);
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(BackupContents::decode(bytes.substr(0, size))) << size;
    EXPECT_FALSE(BackupContents::decode(bytes + "x"));
    EXPECT_FALSE(BackupContents::decode("\2" + bytes.substr(1)));
}

TEST(Backup, frames_come_from_pieces_that_are_cut_anywhere) {
    std::string const bytes = std::string(kBackupMagic) + frame_bytes({'a', "one"}) +
                              frame_bytes({'r', ""}) + frame_bytes({'c', std::string(3'000, 'x')});
    for (std::size_t const step : {1u, 2u, 7u, 100u, 10'000u}) {
        BackupParser parser;
        std::string seen;
        for (std::size_t i = 0; i < bytes.size(); i += step)
            ASSERT_TRUE(parser.feed(bytes.substr(i, step), [&](BackupFrame frame) -> Result<void> {
                seen += frame.kind + std::to_string(frame.body.size()) + " ";
                return {};
            }));
        EXPECT_EQ(seen, "a3 r0 c3000 ");
        EXPECT_TRUE(parser.finish());
    }
}

TEST(Backup, what_is_no_backup_or_cut_off_says_so) {
    BackupParser other;
    auto const refused = other.feed("#!/bin/sh\n", ignore);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid);
    EXPECT_THAT(refused.error().message, HasSubstr("inos backup 1"));
    std::string const bytes = std::string(kBackupMagic) + frame_bytes({'a', "one"});
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        BackupParser parser;
        ASSERT_TRUE(parser.feed(bytes.substr(0, size), ignore));
        bool const at_a_border = size == kBackupMagic.size();
        EXPECT_EQ(parser.finish().has_value(), at_a_border) << size;
    }
    BackupParser parser;
    auto const endless = parser.feed(std::string(kBackupMagic) + "r\xff\xff\xff\xff", ignore);
    ASSERT_FALSE(endless);
    EXPECT_EQ(endless.error().code, Errc::corruption);
}

// ---- of a database ----------------------------------------------------------------------------

struct Read {
    BackupContents contents;
    std::vector<std::string> chunks;
};

Read read_all(BackupReader& reader) {
    Read read;
    BackupParser parser;
    while (!reader.done()) {
        auto const bytes = reader.next();
        EXPECT_TRUE(bytes);
        if (!bytes) break;
        EXPECT_TRUE(parser.feed(*bytes, [&](BackupFrame const& frame) -> Result<void> {
            auto const content = part_content(frame, nullptr);
            EXPECT_TRUE(content);
            if (frame.kind == 'r') read.chunks.push_back(*content);
            if (frame.kind == 'c') read.contents = *BackupContents::decode(*content);
            return {};
        }));
    }
    return read;
}

using Rows = std::set<std::tuple<Family, std::string, std::string>>;

Rows rows_of(std::vector<std::string> const& chunks) {
    Rows rows;
    for (auto const& chunk : chunks)
        EXPECT_TRUE(
            each_row(chunk, [&](Family family, std::string_view key, std::string_view value) {
                EXPECT_TRUE(rows.emplace(family, key, value).second);
            }));
    return rows;
}

std::string text_of(std::uint64_t i, std::size_t size) {
    std::string text;
    while (text.size() < size)
        text += crypto::hex(crypto::view(crypto::hash16(std::to_string(i++))));
    text.resize(size);
    return text;
}

void put_records(MemoryEngine& engine, std::uint64_t count) {
    WriteBatch batch;
    for (std::uint64_t i = 0; i < count; ++i)
        batch.put(Family::records,
                  keys::record(1, "customers", "c" + std::to_string(100'000 + i)),
                  text_of(i * 50, 1'000));
    ASSERT_TRUE(engine.write(batch, Durability::flushed));
}

TEST(Backup, of_one_moment_without_what_makes_it_this_site) {
    MemoryEngine engine;
    put_records(engine, 50);
    WriteBatch batch;
    batch.put(Family::meta, keys::meta_kind(1, 'm'), "marks");
    batch.put(Family::meta, keys::meta_kind(1, 'i') + "12345678", "invitation");
    batch.put(Family::meta, keys::meta_kind(1, 'o'), "own actor");
    batch.put(Family::meta, keys::directory("missing i and m"), "of the directory");
    batch.put(Family::staging, keys::meta_kind(1, 'm'), "a state that arrives");
    batch.put(Family::log, keys::log(1, {ActorId{1}, 1}), "");
    ASSERT_TRUE(engine.write(batch, Durability::flushed));
    BackupReader reader(engine, some_contents());
    put_records(engine, 60);
    WriteBatch later;
    later.remove(Family::meta, keys::meta_kind(1, 'o'));
    ASSERT_TRUE(engine.write(later, Durability::flushed));
    Read const read = read_all(reader);
    Rows const rows = rows_of(read.chunks);
    EXPECT_EQ(rows.size(), 50u + 3u);
    EXPECT_TRUE(rows.contains({Family::meta, keys::meta_kind(1, 'o'), "own actor"}));
    EXPECT_TRUE(
        rows.contains({Family::meta, keys::directory("missing i and m"), "of the directory"}));
    EXPECT_TRUE(rows.contains({Family::log, keys::log(1, {ActorId{1}, 1}), ""}));
    std::size_t const given = some_contents().chunks.size();
    ASSERT_EQ(read.contents.chunks.size(), given + read.chunks.size());
    for (std::size_t i = 0; i < read.chunks.size(); ++i)
        EXPECT_EQ(read.contents.chunks[given + i].hash, part_hash(read.chunks[i], nullptr));
}

TEST(Backup, what_was_not_touched_is_the_same_the_next_time) {
    MemoryEngine engine;
    put_records(engine, 20'000);
    BackupReader first(engine, some_contents());
    Read const before = read_all(first);
    std::set<crypto::Hash32> there;
    for (auto const& chunk : before.contents.chunks)
        there.insert(chunk.hash);
    EXPECT_GT(there.size(), 40u);
    EXPECT_LT(there.size(), 200u);
    WriteBatch batch;
    batch.put(Family::records, keys::record(1, "customers", "c107000"), "changed");
    batch.put(Family::records, keys::record(1, "customers", "c112000x"), "new");
    batch.remove(Family::records, keys::record(1, "customers", "c102000"));
    ASSERT_TRUE(engine.write(batch, Durability::flushed));
    BackupReader second(engine, some_contents());
    Read const after = read_all(second);
    std::size_t fresh = 0;
    for (auto const& chunk : after.contents.chunks)
        fresh += there.contains(chunk.hash) ? 0 : 1;
    EXPECT_GE(fresh, 1u);
    EXPECT_LE(fresh, 6u);
    EXPECT_EQ(rows_of(after.chunks).size(), 20'000u);
}

TEST(Backup, a_chunk_that_is_cut_anywhere_is_refused_unless_between_rows) {
    MemoryEngine engine;
    put_records(engine, 2);
    BackupReader reader(engine, some_contents());
    Read const read = read_all(reader);
    std::string const& rows = read.chunks.at(0);
    std::size_t whole = 0;
    for (std::size_t size = 1; size <= rows.size(); ++size)
        whole += each_row(rows.substr(0, size), [](Family, auto, auto) {}) ? 1 : 0;
    EXPECT_EQ(whole, 3u);
    EXPECT_FALSE(each_row("", [](Family, auto, auto) {}));
    EXPECT_FALSE(each_row("\x7f", [](Family, auto, auto) {}));
}

// ---- sealed -----------------------------------------------------------------------------------

TEST(Backup, sealed_parts_open_with_the_passphrase_alone_and_as_what_they_are) {
    auto const seal = BackupSeal::make("a long passphrase");
    ASSERT_TRUE(seal);
    std::string const rows = "rows that nobody may read";
    BackupFrame const frame = part_frame('r', rows, &*seal);
    EXPECT_EQ(frame.body.find("nobody"), std::string::npos);
    auto const again = BackupSeal::open("a long passphrase", seal->frame());
    ASSERT_TRUE(again);
    EXPECT_EQ(part_content(frame, &*again).value(), rows);
    EXPECT_EQ(part_hash(rows, &*again), part_hash(rows, &*seal));
    EXPECT_NE(part_hash(rows, &*again), part_hash(rows, nullptr));
    auto const other = BackupSeal::open("another passphrase", seal->frame());
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Errc::forbidden);
    EXPECT_FALSE(part_content({'f', frame.body}, &*again));
    for (std::size_t i = 0; i < frame.body.size(); ++i) {
        BackupFrame changed = frame;
        changed.body[i] = static_cast<char>(changed.body[i] ^ 1);
        EXPECT_FALSE(part_content(changed, &*again)) << i;
    }
    EXPECT_FALSE(BackupSeal::make("short"));
    BackupFrame costly = seal->frame();
    costly.body[20] = '\x7f';  // memory that no seal asks for
    EXPECT_FALSE(BackupSeal::open("a long passphrase", costly));
}

}  // namespace
}  // namespace inos
