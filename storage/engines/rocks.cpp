#include "storage/engines/rocks.hpp"

#include <array>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

namespace inos {
namespace {

rocksdb::Slice slice(std::string_view text) {
    return {text.data(), text.size()};
}

Error error_of(rocksdb::Status const& status, std::string const& what) {
    Errc code = Errc::io;
    if (status.IsNoSpace())
        code = Errc::no_space;
    else if (status.IsCorruption())
        code = Errc::corruption;
    return Error{code, what + ": " + status.ToString(), {}};
}

// There is no code for it, only the words of another process's lock and of our own. The path is in
// the text too, so "lock" alone would not do.
bool says_locked(rocksdb::Status const& status) {
    std::string const text = status.ToString();
    return status.IsIOError() && (text.find("While lock file") != std::string::npos ||
                                  text.find("lock hold by current process") != std::string::npos);
}

class RocksCursor final : public Cursor {
public:
    RocksCursor(rocksdb::DB& db,
                rocksdb::ColumnFamilyHandle* family,
                std::string_view from,
                std::string_view to)
        : to_(to), to_slice_(to_) {
        rocksdb::ReadOptions options;
        options.iterate_upper_bound = &to_slice_;
        options.auto_prefix_mode = true;
        iterator_.reset(db.NewIterator(options, family));
        iterator_->Seek(slice(from));
    }
    bool valid() const override { return iterator_->Valid(); }
    void next() override { iterator_->Next(); }
    std::string_view key() const override { return iterator_->key().ToStringView(); }
    std::string_view value() const override { return iterator_->value().ToStringView(); }
    Result<void> status() const override {
        if (iterator_->status().ok()) return {};
        return tl::unexpected(error_of(iterator_->status(), "reading the database"));
    }

private:
    std::string to_;
    rocksdb::Slice to_slice_;
    std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksEngine final : public Engine {
public:
    RocksEngine(std::unique_ptr<rocksdb::DB> db,
                std::array<rocksdb::ColumnFamilyHandle*, kFamilies> families)
        : db_(std::move(db)), families_(families) {}

    ~RocksEngine() override {
        for (auto* family : families_)
            db_->DestroyColumnFamilyHandle(family);
        db_->Close();
    }

    Result<std::optional<std::string>> get(Family family, std::string_view key) const override {
        std::string value;
        auto const status = db_->Get({}, handle(family), slice(key), &value);
        if (status.ok()) return std::optional(std::move(value));
        if (status.IsNotFound()) return std::optional<std::string>();
        return tl::unexpected(error_of(status, "reading the database"));
    }

    std::unique_ptr<Cursor> scan(Family family,
                                 std::string_view from,
                                 std::string_view to) const override {
        return std::make_unique<RocksCursor>(*db_, handle(family), from, to);
    }

    Result<void> write(WriteBatch const& batch, Durability durability) override {
        rocksdb::WriteBatch out(0, 0, 8, 0);
        for (auto const& change : batch.changes) {
            auto const status = change.value
                                    ? out.Put(handle(change.family), change.key, *change.value)
                                    : out.Delete(handle(change.family), change.key);
            if (!status.ok()) return tl::unexpected(error_of(status, "building a write"));
        }
        rocksdb::WriteOptions options;
        options.sync = durability == Durability::synced;
        auto const status = db_->Write(options, &out);
        if (status.ok()) return {};
        return tl::unexpected(error_of(status, "writing the database"));
    }

private:
    rocksdb::ColumnFamilyHandle* handle(Family family) const {
        return families_[static_cast<std::size_t>(family)];
    }

    std::unique_ptr<rocksdb::DB> db_;
    std::array<rocksdb::ColumnFamilyHandle*, kFamilies> families_;
};

rocksdb::DBOptions db_options() {
    rocksdb::DBOptions options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    options.paranoid_checks = true;
    options.track_and_verify_wals_in_manifest = true;
    options.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
    options.max_background_jobs = 2;
    options.max_open_files = 512;
    options.keep_log_file_num = 2;
    options.max_total_wal_size = 128 << 20;
    options.bytes_per_sync = 1 << 20;
    return options;
}

rocksdb::ColumnFamilyOptions family_options(RocksOptions const& options,
                                            std::shared_ptr<rocksdb::Cache> const& cache) {
    rocksdb::ColumnFamilyOptions family;
    family.write_buffer_size = options.write_buffer_bytes;
    family.compression = rocksdb::kLZ4Compression;
    family.bottommost_compression = rocksdb::kZSTD;
    family.memtable_protection_bytes_per_key = 8;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.format_version = 5;
    family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return family;
}

}  // namespace

Result<std::unique_ptr<Engine>> open_rocks(std::string const& path, RocksOptions const& options) {
    auto const cache = rocksdb::NewLRUCache(options.cache_bytes);
    auto const family = family_options(options, cache);
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors{
        {rocksdb::kDefaultColumnFamilyName, family}};
    for (std::size_t i = 0; i < kFamilies; ++i)
        descriptors.emplace_back(family_name(static_cast<Family>(i)), family);
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* raw = nullptr;
    auto const status = rocksdb::DB::Open(db_options(), path, descriptors, &handles, &raw);
    if (!status.ok()) {
        Error error = error_of(status, "opening the database in \"" + path + "\"");
        if (says_locked(status)) error.code = Errc::conflict;
        return tl::unexpected(std::move(error));
    }
    std::unique_ptr<rocksdb::DB> db(raw);
    db->DestroyColumnFamilyHandle(handles.front());
    std::array<rocksdb::ColumnFamilyHandle*, kFamilies> families{};
    std::copy(handles.begin() + 1, handles.end(), families.begin());
    return std::unique_ptr<Engine>(std::make_unique<RocksEngine>(std::move(db), families));
}

}  // namespace inos
