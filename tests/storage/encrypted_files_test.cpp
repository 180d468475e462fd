// RocksDB's files, encrypted: what is read back after crashes at any byte, after failed writes and
// under names that were used before, and what is refused.
#include "storage/engines/encrypted_files.hpp"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include "storage/engines/rocks.hpp"
#include "tests/support/temp_dir.hpp"
#include "tools/simulation/fault_engine.hpp"

namespace inos {
namespace {

namespace fs = std::filesystem;
using rocksdb::FileOptions;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;
using sim::contents;
using test::TempDir;
using testing::HasSubstr;

constexpr std::size_t kHead = crypto::FileCipher::kHeadBytes;

crypto::FileCipher cipher_of(char c) {
    crypto::init();
    return crypto::FileCipher(crypto::Secret(std::string(32, c)));
}

std::string bytes_of(std::string const& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream bytes;
    bytes << in.rdbuf();
    return bytes.str();
}

void put_bytes(std::string const& path, std::string_view bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

std::string zeros(std::size_t count) {
    return std::string(count, '\0');
}

std::string text(std::size_t size) {
    std::string out;
    for (std::size_t i = 0; out.size() < size; ++i)
        out += "record " + std::to_string(i) + ";";
    out.resize(size);
    return out;
}

// A disk on which an append fails: after `left` more bytes, which are written, as a full disk does.
class FullDisk final : public rocksdb::FileSystemWrapper {
public:
    FullDisk() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
    char const* Name() const override { return "FullDisk"; }
    std::size_t left = std::string::npos;

    IOStatus NewWritableFile(std::string const& name,
                             FileOptions const& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* result,
                             rocksdb::IODebugContext* dbg) override {
        std::unique_ptr<rocksdb::FSWritableFile> file;
        auto const status = FileSystemWrapper::NewWritableFile(name, options, &file, dbg);
        if (status.ok()) *result = std::make_unique<File>(std::move(file), *this);
        return status;
    }

private:
    class File final : public rocksdb::FSWritableFileOwnerWrapper {
    public:
        File(std::unique_ptr<rocksdb::FSWritableFile> file, FullDisk& disk)
            : FSWritableFileOwnerWrapper(std::move(file)), disk_(disk) {}
        using FSWritableFileOwnerWrapper::Append;
        IOStatus Append(Slice const& data,
                        IOOptions const& options,
                        rocksdb::IODebugContext* dbg) override {
            std::size_t const fits = std::min(disk_.left, data.size());
            if (disk_.left != std::string::npos) disk_.left -= fits;
            auto const status =
                FSWritableFileOwnerWrapper::Append(Slice(data.data(), fits), options, dbg);
            if (!status.ok() || fits == data.size()) return status;
            FSWritableFileOwnerWrapper::Flush(options, dbg);
            return IOStatus::NoSpace("the disk is full");
        }

    private:
        FullDisk& disk_;
    };
};

class EncryptedFiles : public testing::Test {
protected:
    std::unique_ptr<rocksdb::FSWritableFile> create(std::string const& name) {
        std::unique_ptr<rocksdb::FSWritableFile> file;
        EXPECT_TRUE(files->NewWritableFile(dir / name, {}, &file, nullptr).ok());
        return file;
    }
    void write(std::string const& name, std::vector<std::string> const& pieces) {
        auto const file = create(name);
        for (auto const& piece : pieces)
            ASSERT_TRUE(file->Append(piece, {}, nullptr).ok());
        ASSERT_TRUE(file->Close({}, nullptr).ok());
    }
    // From the beginning on, `step` bytes at once.
    std::string read(std::string const& name, std::size_t step = 1000) {
        std::unique_ptr<rocksdb::FSSequentialFile> file;
        status = files->NewSequentialFile(dir / name, {}, &file, nullptr);
        std::string out, buffer(step, '\0');
        while (status.ok()) {
            Slice piece;
            status = file->Read(step, {}, &piece, buffer.data(), nullptr);
            if (piece.empty()) break;
            out.append(piece.data(), piece.size());
        }
        return out;
    }
    std::string read_at(std::string const& name, std::uint64_t offset, std::size_t size) {
        std::unique_ptr<rocksdb::FSRandomAccessFile> file;
        status = files->NewRandomAccessFile(dir / name, {}, &file, nullptr);
        if (!status.ok()) return {};
        std::string buffer(size, '\0');
        Slice piece;
        status = file->Read(offset, size, {}, &piece, buffer.data(), nullptr);
        return piece.ToString();
    }
    std::uint64_t size(std::string const& name) {
        std::uint64_t size = 0;
        EXPECT_TRUE(files->GetFileSize(dir / name, {}, &size, nullptr).ok());
        return size;
    }

    TempDir dir;
    std::shared_ptr<FullDisk> disk = std::make_shared<FullDisk>();
    std::shared_ptr<rocksdb::FileSystem> files = encrypted_files(disk, cipher_of('k'));
    IOStatus status;
};

TEST_F(EncryptedFiles, are_read_as_they_were_written_and_hold_nothing_of_it) {
    std::string const content = text(3'000'000);
    write("a", {content.substr(0, 7), content.substr(7, 100), content.substr(107)});
    EXPECT_EQ(read("a"), content);
    EXPECT_EQ(read("a", 4'000'000), content);
    EXPECT_EQ(size("a"), content.size());
    EXPECT_EQ(bytes_of(dir / "a").size(), content.size() + kHead);
    EXPECT_EQ(bytes_of(dir / "a").find("record"), std::string::npos);
    for (std::uint64_t at : {0u, 1u, 63u, 64u, 65u, 4095u, 2'999'990u})
        EXPECT_EQ(read_at("a", at, 100), content.substr(at, 100)) << at;
    std::unique_ptr<rocksdb::FSSequentialFile> file;
    ASSERT_TRUE(files->NewSequentialFile(dir / "a", {}, &file, nullptr).ok());
    ASSERT_TRUE(file->Skip(1'234'567).ok());
    char buffer[20];
    Slice piece;
    ASSERT_TRUE(file->Read(sizeof buffer, {}, &piece, buffer, nullptr).ok());
    EXPECT_EQ(piece.ToString(), content.substr(1'234'567, sizeof buffer));
}

// One key stream is never used for two contents: XOR of two files would show both.
TEST_F(EncryptedFiles, one_name_written_twice_has_two_streams) {
    std::set<std::string> seen;
    for (int i = 0; i < 20; ++i) {
        write("CURRENT", {zeros(64)});
        EXPECT_TRUE(seen.insert(bytes_of(dir / "CURRENT").substr(kHead)).second);
        EXPECT_EQ(read("CURRENT"), zeros(64));
        ASSERT_TRUE(files->RenameFile(dir / "CURRENT", dir / "old", {}, nullptr).ok());
        EXPECT_EQ(read("old"), zeros(64)) << "a new name changes nothing";
        std::unique_ptr<rocksdb::FSWritableFile> file;
        ASSERT_TRUE(files->ReuseWritableFile(dir / "new", dir / "old", {}, &file, nullptr).ok());
        ASSERT_TRUE(file->Append(zeros(64), {}, nullptr).ok());
        ASSERT_TRUE(file->Close({}, nullptr).ok());
        EXPECT_TRUE(seen.insert(bytes_of(dir / "new").substr(kHead)).second);
    }
}

TEST_F(EncryptedFiles, cut_at_any_byte_give_what_is_in_front_of_it) {
    std::string const content = text(200);
    write("a", {content});
    std::string const bytes = bytes_of(dir / "a");
    for (std::size_t left = 0; left <= bytes.size(); ++left) {
        put_bytes(dir / "cut", bytes.substr(0, left));
        std::size_t const expected = left < kHead ? 0 : left - kHead;
        EXPECT_EQ(read("cut"), content.substr(0, expected)) << left;
        EXPECT_TRUE(status.ok()) << status.ToString();
        EXPECT_EQ(size("cut"), expected);
    }
}

// A crash may leave a file with its size and without its bytes.
TEST_F(EncryptedFiles, zeros_at_the_end_are_no_content_but_for_a_few_bytes) {
    std::string const content = text(200);
    write("a", {content});
    std::string const bytes = bytes_of(dir / "a");
    for (std::size_t const count : {16u, 100u, 4096u, 20'000u}) {
        put_bytes(dir / "zeros", bytes + zeros(count));
        std::string const got = read("zeros");
        ASSERT_TRUE(status.ok()) << status.ToString();
        EXPECT_EQ(got.substr(0, content.size()), content) << count;
        EXPECT_LE(got.size(), content.size() + 6);
    }
    for (std::string const& lost : {zeros(16), zeros(64), zeros(5000)}) {
        put_bytes(dir / "lost", lost);
        EXPECT_EQ(read("lost"), "");
        EXPECT_TRUE(status.ok()) << status.ToString();
    }
    // Content that is zeros is written, and comes back.
    write("b", {zeros(5000)});
    EXPECT_EQ(read("b"), zeros(5000));
}

// The last bytes of ciphertext are zero once in a while; nothing of it may be lost then.
TEST_F(EncryptedFiles, content_before_lost_bytes_is_whole_whatever_it_ends_in) {
    int ends_in_zero = 0;
    for (int i = 0; i < 3'000 && ends_in_zero < 5; ++i) {
        write("a", {"content"});
        std::string const bytes = bytes_of(dir / "a");
        if (bytes.back() != '\0') continue;
        ++ends_in_zero;
        put_bytes(dir / "a", bytes + zeros(4096));
        EXPECT_EQ(read("a").substr(0, 7), "content");
    }
    EXPECT_EQ(ends_in_zero, 5);
}

TEST_F(EncryptedFiles, of_another_key_or_of_none_are_refused_in_words) {
    write("a", {text(200)});
    auto const others = encrypted_files(rocksdb::FileSystem::Default(), cipher_of('l'));
    std::unique_ptr<rocksdb::FSSequentialFile> sequential;
    std::unique_ptr<rocksdb::FSRandomAccessFile> random;
    for (auto const& got : {others->NewSequentialFile(dir / "a", {}, &sequential, nullptr),
                            others->NewRandomAccessFile(dir / "a", {}, &random, nullptr)}) {
        EXPECT_TRUE(got.IsCorruption());
        EXPECT_THAT(got.ToString(), HasSubstr("not written under this directory's key"));
    }
    for (std::string const& plain : {std::string("MANIFEST-000005\n"), text(200)}) {
        put_bytes(dir / "plain", plain);
        read("plain");
        EXPECT_THAT(status.ToString(), HasSubstr("is not encrypted"));
        read_at("plain", 0, 10);
        EXPECT_THAT(status.ToString(), HasSubstr("is not encrypted"));
    }
    put_bytes(dir / "short", bytes_of(dir / "a").substr(0, 63));
    read_at("short", 0, 10);
    EXPECT_THAT(status.ToString(), HasSubstr("too short"));
}

// What the database does when a full disk has space again: the same bytes once more, behind what
// came to the file. The stream is that of the place where they come to stand.
TEST_F(EncryptedFiles, after_a_failed_write_go_on_behind_what_came_to_the_disk) {
    std::string const first = text(100), second = text(300);
    for (std::size_t fits = 0; fits < second.size(); fits += 7) {
        auto const file = create("a");
        ASSERT_TRUE(file->Append(first, {}, nullptr).ok());
        ASSERT_TRUE(file->Flush({}, nullptr).ok());
        disk->left = fits;
        EXPECT_TRUE(file->Append(second, {}, nullptr).IsNoSpace());
        EXPECT_TRUE(file->Append(second, {}, nullptr).IsNoSpace()) << "and again";
        disk->left = std::string::npos;
        ASSERT_TRUE(file->Append(second, {}, nullptr).ok());
        ASSERT_TRUE(file->Close({}, nullptr).ok());
        EXPECT_EQ(read("a"), first + second.substr(0, fits) + second) << fits;
    }
    // Also within the head.
    for (std::size_t fits = 0; fits <= kHead; ++fits) {
        auto const file = create("b");
        disk->left = fits;
        EXPECT_TRUE(file->Append(second, {}, nullptr).IsNoSpace());
        disk->left = std::string::npos;
        ASSERT_TRUE(file->Append(second, {}, nullptr).ok());
        ASSERT_TRUE(file->Close({}, nullptr).ok());
        EXPECT_EQ(read("b"), second) << fits;
    }
}

TEST_F(EncryptedFiles, what_would_use_a_stream_twice_is_refused) {
    write("a", {text(200)});
    std::string const before = bytes_of(dir / "a");
    std::unique_ptr<rocksdb::FSWritableFile> file;
    std::unique_ptr<rocksdb::FSRandomRWFile> anywhere;
    std::unique_ptr<rocksdb::MemoryMappedFileBuffer> mapped;
    EXPECT_TRUE(files->ReopenWritableFile(dir / "a", {}, &file, nullptr).IsNotSupported());
    EXPECT_TRUE(files->NewRandomRWFile(dir / "a", {}, &anywhere, nullptr).IsNotSupported());
    EXPECT_TRUE(files->NewMemoryMappedFileBuffer(dir / "a", &mapped).IsNotSupported());
    EXPECT_TRUE(files->Truncate(dir / "a", 10, {}, nullptr).IsNotSupported());
    EXPECT_EQ(bytes_of(dir / "a"), before);
    std::shared_ptr<rocksdb::Logger> log;
    ASSERT_TRUE(files->NewLogger(dir / "LOG", {}, &log, nullptr).ok());
    log->Flush();
    EXPECT_FALSE(fs::exists(dir / "LOG"));
    auto const cut = create("b");
    ASSERT_TRUE(cut->Append(text(200), {}, nullptr).ok());
    EXPECT_TRUE(cut->PositionedAppend("x", 10, {}, nullptr).IsNotSupported());
    ASSERT_TRUE(cut->Truncate(100, {}, nullptr).ok());
    EXPECT_TRUE(cut->Append("x", {}, nullptr).IsNotSupported());
    ASSERT_TRUE(cut->Close({}, nullptr).ok());
    EXPECT_EQ(read("b"), text(100));
}

// ---- the whole database
// ------------------------------------------------------------------------

class EncryptedDatabase : public testing::Test {
protected:
    static RocksOptions with_key(char c) {
        RocksOptions options;
        options.cipher = cipher_of(c);
        return options;
    }
    Result<std::unique_ptr<Engine>> open(char c = 'k') { return open_rocks(path, with_key(c)); }
    std::unique_ptr<Engine> open_or_throw() {
        auto engine = open();
        if (!engine) throw std::runtime_error(engine.error().message);
        return *std::move(engine);
    }
    static void put(Engine& engine, std::string key, std::string value) {
        WriteBatch batch;
        batch.put(Family::records, std::move(key), std::move(value));
        ASSERT_TRUE(engine.write(batch, Durability::synced));
    }
    void fill(int batches) {
        auto const engine = open_or_throw();
        for (int i = 0; i < batches; ++i) {
            WriteBatch batch;
            batch.put(Family::records, std::to_string(1'000 + i), std::string(50, 'r'));
            batch.put(Family::log, std::to_string(1'000 + i), std::string(50, 'l'));
            ASSERT_TRUE(engine->write(batch, Durability::synced));
        }
    }
    std::string wal() const {
        std::set<std::string> logs;
        for (auto const& file : fs::directory_iterator(path))
            if (file.path().extension() == ".log") logs.insert(file.path());
        return *logs.rbegin();
    }
    // All bytes of all files, as the disk has them or, with the key, as the database does.
    std::string all_bytes(bool decrypted) {
        auto const files = encrypted_files(rocksdb::FileSystem::Default(), cipher_of('k'));
        std::string all;
        for (auto const& file : fs::directory_iterator(path)) {
            std::string bytes = bytes_of(file.path());
            if (decrypted && bytes.size() > kHead) {
                auto const stream = cipher_of('k').stream(bytes.substr(0, kHead));
                EXPECT_TRUE(stream) << file.path();
                bytes.erase(0, kHead);
                if (stream) stream->apply(0, bytes.data(), bytes.data(), bytes.size());
            }
            all += file.path().filename().string() + bytes;
        }
        return all;
    }

    TempDir dir;
    std::string path = dir / "db";
};

TEST_F(EncryptedDatabase, no_file_is_in_clear_and_there_is_no_log_of_it) {
    fill(500);
    {
        auto const engine = open_or_throw();
        std::atomic<bool> never = false;
        ASSERT_TRUE(engine->scrub(never));
        put(*engine, "key of a record", "value of a record");
    }
    for (auto const& file : fs::directory_iterator(path)) {
        std::string const bytes = bytes_of(file.path());
        EXPECT_TRUE(bytes.empty() || cipher_of('k').stream(bytes.substr(0, kHead))) << file.path();
        EXPECT_THAT(file.path().filename().string(), testing::Not(HasSubstr("LOG")));
    }
    for (char const* word : {"key of", "value of", "records", "leveldb"}) {
        EXPECT_EQ(all_bytes(false).find(word), std::string::npos) << word;
        EXPECT_NE(all_bytes(true).find(word), std::string::npos)
            << "the test looks for what is there: " << word;
    }
}

TEST_F(EncryptedDatabase, opens_with_its_key_only) {
    fill(50);
    auto const before = contents(*open_or_throw());
    EXPECT_EQ(before.size(), 100u);
    auto const other = open('l');
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().message, HasSubstr("not written under this directory's key"));
    EXPECT_FALSE(open_rocks(path)) << "without a key";
    EXPECT_EQ(contents(*open_or_throw()), before) << "nothing was harmed";
    std::string const plain = dir / "plain";
    ASSERT_TRUE(open_rocks(plain));
    auto const refused = open_rocks(plain, with_key('k'));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("is not encrypted"));
}

// The log of an unclean end, cut at every byte of its last records.
TEST_F(EncryptedDatabase, a_torn_log_loses_the_torn_batches_only) {
    fill(20);
    std::string const log = wal(), bytes = bytes_of(log);
    std::string const copy = dir / "copy";
    fs::copy(path, copy, fs::copy_options::recursive);
    std::size_t last = 40;
    for (std::size_t off = 0; off < 600; off += off < 20 ? 3 : 67) {
        fs::remove_all(path);
        fs::copy(copy, path, fs::copy_options::recursive);
        fs::resize_file(log, bytes.size() - off);
        auto engine = open();
        ASSERT_TRUE(engine) << off << ": " << engine.error().message;
        auto const left = contents(**engine);
        EXPECT_EQ(left.size() % 2, 0u) << "batches are whole";
        EXPECT_LE(left.size(), last);
        EXPECT_EQ(left.contains({Family::records, "1000"}), !left.empty());
        last = left.size();
        put(**engine, "after", "1");
        engine->reset();
        EXPECT_EQ(contents(*open_or_throw()).size(), last + 1);
    }
    EXPECT_LT(last, 40u);
    // Lost bytes behind the last record, within the head, and nothing of the log at all.
    for (std::string const& left : {bytes + zeros(5'000), bytes.substr(0, 30), std::string()}) {
        fs::remove_all(path);
        fs::copy(copy, path, fs::copy_options::recursive);
        put_bytes(log, left);
        auto const engine = open();
        ASSERT_TRUE(engine) << engine.error().message;
        EXPECT_EQ(contents(**engine).size(), left.size() > bytes.size() ? 40u : 0u);
    }
}

TEST_F(EncryptedDatabase, a_flipped_bit_in_the_middle_of_the_log_is_refused) {
    fill(200);
    std::string bytes = bytes_of(wal());
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    put_bytes(wal(), bytes);
    auto const engine = open();
    ASSERT_FALSE(engine);
    EXPECT_EQ(engine.error().code, Errc::corruption) << engine.error().message;
}

TEST_F(EncryptedDatabase, a_scrub_leaves_nothing_even_for_who_has_the_key) {
    auto const engine = open_or_throw();
    put(*engine, "forgotten-key", "forgotten-value");
    put(*engine, "other", std::string(1000, 'o'));
    std::atomic<bool> never = false;
    ASSERT_TRUE(engine->scrub(never));
    WriteBatch batch;
    batch.remove(Family::records, "forgotten-key");
    ASSERT_TRUE(engine->write(batch, Durability::synced));
    EXPECT_NE(all_bytes(true).find("forgotten"), std::string::npos);
    ASSERT_TRUE(engine->scrub(never));
    EXPECT_EQ(all_bytes(true).find("forgotten"), std::string::npos);
    EXPECT_TRUE(**engine->get(Family::records, "other") == std::string(1000, 'o'));
    ASSERT_TRUE(engine->keep_only(Family::records, {"other"}));
    EXPECT_EQ(contents(*engine).size(), 1u);
}

}  // namespace
}  // namespace inos
