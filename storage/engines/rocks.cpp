#include "storage/engines/rocks.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <mutex>
#include <shared_mutex>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/file_system.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "storage/engines/encrypted_files.hpp"

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
                std::string_view to,
                Direction direction,
                std::shared_ptr<std::atomic<int>> open)
        : from_(from),
          to_(to),
          from_slice_(from_),
          to_slice_(to_),
          direction_(direction),
          open_(std::move(open)) {
        ++*open_;
        rocksdb::ReadOptions options;
        options.iterate_lower_bound = &from_slice_;
        options.iterate_upper_bound = &to_slice_;
        options.auto_prefix_mode = true;
        iterator_.reset(db.NewIterator(options, family));
        if (direction_ == Direction::ascending)
            iterator_->SeekToFirst();
        else
            iterator_->SeekToLast();
    }
    ~RocksCursor() override {
        iterator_.reset();
        --*open_;
    }
    bool valid() const override { return iterator_->Valid(); }
    void next() override {
        if (direction_ == Direction::ascending)
            iterator_->Next();
        else
            iterator_->Prev();
    }
    std::string_view key() const override { return iterator_->key().ToStringView(); }
    std::string_view value() const override { return iterator_->value().ToStringView(); }
    Result<void> status() const override {
        if (iterator_->status().ok()) return {};
        return tl::unexpected(error_of(iterator_->status(), "reading the database"));
    }

private:
    std::string from_, to_;
    rocksdb::Slice from_slice_, to_slice_;
    Direction direction_;
    std::shared_ptr<std::atomic<int>> open_;  // how many cursors there are
    std::unique_ptr<rocksdb::Iterator> iterator_;
};

class ClosedCursor final : public Cursor {
public:
    explicit ClosedCursor(Error error) : error_(std::move(error)) {}
    bool valid() const override { return false; }
    void next() override {}
    std::string_view key() const override { return {}; }
    std::string_view value() const override { return {}; }
    Result<void> status() const override { return tl::unexpected(error_); }

private:
    Error error_;
};

// Where the files are; `env` is null for the plain disk.
struct Place {
    std::string path;
    std::shared_ptr<rocksdb::Env> env;
};

rocksdb::DBOptions db_options(Place const& place) {
    rocksdb::DBOptions options;
    if (place.env) options.env = place.env.get();
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    // What the log holds after a crash may not be synced, and is as soon as the database is open:
    // peers are told that it is here.
    options.avoid_flush_during_recovery = false;
    options.paranoid_checks = true;
    options.track_and_verify_wals_in_manifest = true;
    options.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
    options.max_background_jobs = 2;
    options.max_open_files = 512;
    options.keep_log_file_num = 2;
    // At the level below the database notes keys in its own log file.
    options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
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

// An open database and its families.
struct Opened {
    std::unique_ptr<rocksdb::DB> db;
    std::array<rocksdb::ColumnFamilyHandle*, kFamilies> families{};
    std::array<std::uint64_t, kFamilies> generations{};  // of each: see name_of
};

// A family that was written anew (Engine::keep_only) has a number behind its name. Where there are
// two of a family the older one is whole, and the other one was not finished.
std::string name_of(std::size_t family, std::uint64_t generation) {
    std::string const name = family_name(static_cast<Family>(family));
    return generation == 0 ? name : name + '~' + std::to_string(generation);
}

struct FamilyName {
    std::size_t family = 0;
    std::uint64_t generation = 0;
};
std::optional<FamilyName> family_of(std::string const& name) {
    for (std::size_t i = 0; i < kFamilies; ++i) {
        std::string const base = name_of(i, 0);
        if (name == base) return FamilyName{i, 0};
        if (!name.starts_with(base + '~')) continue;
        auto const digits = std::string_view(name).substr(base.size() + 1);
        FamilyName found{i, 0};
        auto const end = digits.data() + digits.size();
        auto const read = std::from_chars(digits.data(), end, found.generation);
        if (read.ec == std::errc() && read.ptr == end) return found;
    }
    return std::nullopt;
}

// Takes up the families that are whole, and drops the others.
Result<void> take_families(Opened& opened, std::vector<rocksdb::ColumnFamilyHandle*> handles) {
    std::array<rocksdb::ColumnFamilyHandle*, kFamilies> chosen{};
    std::vector<rocksdb::ColumnFamilyHandle*> unfinished;
    for (auto* handle : handles) {
        auto const name = family_of(handle->GetName());
        if (!name) {
            opened.db->DestroyColumnFamilyHandle(handle);
            continue;
        }
        auto& held = chosen[name->family];
        if (!held || name->generation < opened.generations[name->family]) {
            if (held) unfinished.push_back(held);
            held = handle;
            opened.generations[name->family] = name->generation;
        } else {
            unfinished.push_back(handle);
        }
    }
    opened.families = chosen;
    for (auto* handle : unfinished) {
        auto const status = opened.db->DropColumnFamily(handle);
        opened.db->DestroyColumnFamilyHandle(handle);
        if (!status.ok()) return tl::unexpected(error_of(status, "opening the database"));
    }
    return {};
}

Result<Opened> open_database(Place const& place, rocksdb::ColumnFamilyOptions const& family) {
    auto const& path = place.path;
    auto const options = db_options(place);
    std::vector<std::string> names;
    if (!rocksdb::DB::ListColumnFamilies(options, path, &names).ok())
        names = {rocksdb::kDefaultColumnFamilyName};  // a new one, or opening it says what is wrong
    for (std::size_t i = 0; i < kFamilies; ++i)
        if (std::none_of(names.begin(), names.end(), [i](auto const& name) {
                auto const found = family_of(name);
                return found && found->family == i;
            }))
            names.push_back(name_of(i, 0));
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    for (auto const& name : names)
        descriptors.emplace_back(name, family);
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* raw = nullptr;
    auto const status = rocksdb::DB::Open(options, path, descriptors, &handles, &raw);
    if (!status.ok()) {
        Error error = error_of(status, "opening the database in \"" + path + "\"");
        if (says_locked(status)) error.code = Errc::conflict;
        return tl::unexpected(std::move(error));
    }
    Opened opened;
    opened.db.reset(raw);
    if (auto taken = take_families(opened, std::move(handles)); !taken)
        return tl::unexpected(taken.error());
    return opened;
}

class RocksEngine final : public Engine {
public:
    RocksEngine(Place place, rocksdb::ColumnFamilyOptions options, Opened opened)
        : place_(std::move(place)), options_(std::move(options)), opened_(std::move(opened)) {}

    ~RocksEngine() override { close(); }

    Result<std::optional<std::string>> get(Family family, std::string_view key) const override {
        std::shared_lock const lock(mutex_);
        if (!opened_.db) return tl::unexpected(closed());
        std::string value;
        auto const status = opened_.db->Get({}, handle(family), slice(key), &value);
        if (status.ok()) return std::optional(std::move(value));
        if (status.IsNotFound()) return std::optional<std::string>();
        return tl::unexpected(error_of(status, "reading the database"));
    }

    using Engine::scan;
    std::unique_ptr<Cursor> scan(Family family,
                                 std::string_view from,
                                 std::string_view to,
                                 Direction direction) const override {
        std::shared_lock const lock(mutex_);
        if (!opened_.db) return std::make_unique<ClosedCursor>(closed());
        return std::make_unique<RocksCursor>(
            *opened_.db, handle(family), from, to, direction, cursors_);
    }

    Result<void> write(WriteBatch const& batch, Durability durability) override {
        std::shared_lock const lock(mutex_);
        if (!opened_.db) return tl::unexpected(closed());
        rocksdb::WriteBatch out(0, 0, 8, 0);
        for (auto const& change : batch.changes) {
            auto const status = change.value
                                    ? out.Put(handle(change.family), change.key, *change.value)
                                    : out.Delete(handle(change.family), change.key);
            if (!status.ok()) return tl::unexpected(error_of(status, "building a write"));
        }
        rocksdb::WriteOptions options;
        options.sync = durability == Durability::synced;
        auto const status = opened_.db->Write(options, &out);
        if (status.ok()) return {};
        return tl::unexpected(error_of(status, "writing the database"));
    }

    // Flushing ends the logs that hold old values, compacting the tables that hold them. The file
    // that lists the tables names their first and last keys and only ever grows while the database
    // is open: so it is closed for a moment and opened again, which begins a new list.
    Result<void> scrub(std::atomic<bool>& cancelled) override {
        {
            std::shared_lock const lock(mutex_);
            if (!opened_.db) return tl::unexpected(closed());
            if (*cursors_ > 0) return tl::unexpected(being_read());
            INOS_CHECK(compact_all(cancelled));
        }
        std::unique_lock const lock(mutex_);
        if (*cursors_ > 0) return tl::unexpected(being_read());
        close();
        INOS_TRY(opened_, open_database(place_, options_));
        return {};
    }

    Result<void> keep_only(Family family, std::vector<std::string> const& keys) override {
        std::unique_lock const lock(mutex_);
        if (!opened_.db) return tl::unexpected(closed());
        if (*cursors_ > 0) return tl::unexpected(being_read());
        auto const index = static_cast<std::size_t>(family);
        std::uint64_t const generation = opened_.generations[index] + 1;
        rocksdb::ColumnFamilyHandle* fresh = nullptr;
        auto const made =
            opened_.db->CreateColumnFamily(options_, name_of(index, generation), &fresh);
        if (!made.ok()) return tl::unexpected(error_of(made, "writing a family anew"));
        auto copied = copy(opened_.families[index], fresh, keys);
        auto* const gone = copied ? opened_.families[index] : fresh;
        auto const dropped = opened_.db->DropColumnFamily(gone);
        if (copied && dropped.ok()) {
            opened_.families[index] = fresh;
            opened_.generations[index] = generation;
        }
        if (copied && !dropped.ok()) {
            opened_.db->DropColumnFamily(fresh);  // else its name is taken the next time
            opened_.db->DestroyColumnFamilyHandle(fresh);
            return tl::unexpected(error_of(dropped, "writing a family anew"));
        }
        opened_.db->DestroyColumnFamilyHandle(gone);
        return copied;
    }

private:
    static constexpr std::size_t kCopiedAtOnce = 1 << 20;  // bytes, about

    Result<void> copy(rocksdb::ColumnFamilyHandle* from,
                      rocksdb::ColumnFamilyHandle* to,
                      std::vector<std::string> const& keys) const {
        rocksdb::WriteBatch batch(0, 0, 8, 0);
        rocksdb::Status status;
        for (std::size_t i = 0; i < keys.size() && status.ok(); ++i) {
            rocksdb::PinnableSlice value;
            status = opened_.db->Get({}, from, keys[i], &value);
            if (status.IsNotFound()) {
                status = rocksdb::Status::OK();
                continue;
            }
            if (status.ok()) status = batch.Put(to, keys[i], value);
            if (status.ok() && batch.GetDataSize() > kCopiedAtOnce) {
                status = opened_.db->Write({}, &batch);
                batch.Clear();
            }
        }
        if (status.ok()) status = opened_.db->Write({}, &batch);
        if (status.ok()) status = opened_.db->Flush({}, to);
        if (status.ok()) return {};
        return tl::unexpected(error_of(status, "writing a family anew"));
    }

    rocksdb::ColumnFamilyHandle* handle(Family family) const {
        return opened_.families[static_cast<std::size_t>(family)];
    }

    static Error being_read() {
        return Error{Errc::unavailable, "the database is being read; scrub it again later", {}};
    }

    Error closed() const {
        return Error{
            Errc::io, "the database in \"" + place_.path + "\" could not be opened again", {}};
    }

    Result<void> compact_all(std::atomic<bool>& cancelled) {
        std::vector<rocksdb::ColumnFamilyHandle*> const all(opened_.families.begin(),
                                                            opened_.families.end());
        if (auto const status = opened_.db->Flush({}, all); !status.ok())
            return tl::unexpected(error_of(status, "flushing the database"));
        rocksdb::CompactRangeOptions options;
        options.canceled = &cancelled;
        options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
        for (auto* family : all)
            if (auto const status = opened_.db->CompactRange(options, family, nullptr, nullptr);
                !status.ok()) {
                if (status.IsIncomplete())
                    return fail(Errc::unavailable, "scrubbing the database was cancelled");
                return tl::unexpected(error_of(status, "compacting the database"));
            }
        return {};
    }

    void close() {
        if (!opened_.db) return;
        for (auto* family : opened_.families)
            opened_.db->DestroyColumnFamilyHandle(family);
        opened_.db->Close();
        opened_.db.reset();
    }

    Place place_;  // outlives what is opened
    rocksdb::ColumnFamilyOptions options_;
    // Guards `opened_` against being closed and opened again, which scrub() alone does.
    mutable std::shared_mutex mutex_;
    Opened opened_;
    std::shared_ptr<std::atomic<int>> cursors_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace

Result<std::unique_ptr<Engine>> open_rocks(std::string const& path, RocksOptions const& options) {
    auto const cache = rocksdb::NewLRUCache(options.cache_bytes);
    auto const family = family_options(options, cache);
    Place place{path, nullptr};
    if (options.cipher)
        place.env = rocksdb::NewCompositeEnv(
            encrypted_files(rocksdb::FileSystem::Default(), *options.cipher));
    INOS_TRY(Opened opened, open_database(place, family));
    return std::unique_ptr<Engine>(
        std::make_unique<RocksEngine>(std::move(place), family, std::move(opened)));
}

}  // namespace inos
