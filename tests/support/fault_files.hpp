// Files below a real RocksDB that fail as they are told to: a disk that is full after so many
// bytes, a sync that fails (and whose pages the kernel drops or keeps), a file system that has
// become read-only. What was not synced can be dropped, as a loss of power does. What fails depends
// on nothing but the calls that came before.
//
//   FaultFiles files;
//   auto engine = open_rocks(path, {.env = files.env()});
//   files.faults().room = 4'096;      from now on 4,096 bytes more can be written
//
// Not simulated: that names in a directory are lost with it. The files of RocksDB's own notes (LOG)
// never fail, and never count. Thread safety: all may be called from any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <unistd.h>

namespace inos::test {

// What the files do, and have done.
class Faults {
public:
    enum class Pages { kept, dropped };  // of a file whose sync has failed

    void set_room(std::optional<std::uint64_t> bytes) {
        std::lock_guard const lock(mutex_);
        room_ = bytes;
    }
    // The n-th sync from now (from 1) fails, and no other one.
    void fail_sync(std::size_t n, Pages pages) {
        std::lock_guard const lock(mutex_);
        fail_sync_at_ = syncs_ + n;
        pages_ = pages;
    }
    void fail_writes(bool fail) {
        std::lock_guard const lock(mutex_);
        failing_writes_ = fail;
    }
    void set_read_only(bool read_only) {
        std::lock_guard const lock(mutex_);
        read_only_ = read_only;
    }
    std::size_t syncs() const {
        std::lock_guard const lock(mutex_);
        return syncs_;
    }
    // Of syncs and writes that were made to fail.
    std::size_t failures() const {
        std::lock_guard const lock(mutex_);
        return failures_;
    }
    // The power is cut: nothing has the files open any more. Of what is not synced in each file the
    // first `kept` bytes stay.
    void drop_unsynced(std::uint64_t kept = 0) {
        std::lock_guard const lock(mutex_);
        for (auto& [name, file] : files_)
            if (file.written > file.synced + kept) cut(name, file, file.synced + kept);
    }

    // ---- for the files ------------------------------------------------------------------------
    using Status = rocksdb::IOStatus;

    Status changing() {  // the directory, or anything that has no size
        std::lock_guard const lock(mutex_);
        if (!read_only_) return Status::OK();
        ++failures_;
        return Status::IOError("an injected read-only file system");
    }
    void made(std::string const& name, std::uint64_t size) {
        std::lock_guard const lock(mutex_);
        files_[name] = {size, size};
    }
    // How many of the bytes are written before it fails.
    std::pair<Status, std::size_t> appending(std::string const& name, std::size_t bytes) {
        std::lock_guard const lock(mutex_);
        auto const count = [&](std::size_t fit, Status status) {
            files_[name].written += fit;
            if (room_) *room_ -= fit;
            if (!status.ok()) ++failures_;
            return std::pair(std::move(status), fit);
        };
        if (read_only_) return count(0, Status::IOError("an injected read-only file system"));
        if (failing_writes_) return count(0, Status::IOError("an injected error of a write"));
        if (!room_ || bytes <= *room_) return count(bytes, Status::OK());
        return count(static_cast<std::size_t>(*room_), Status::NoSpace("an injected full disk"));
    }
    // True: go on with the sync, then call synced().
    Status syncing(std::string const& name) {
        std::lock_guard const lock(mutex_);
        if (++syncs_ != fail_sync_at_) return Status::OK();
        ++failures_;
        File& file = files_[name];
        if (pages_ == Pages::dropped) cut(name, file, file.synced);
        return Status::IOError("an injected error of a sync");
    }
    void synced(std::string const& name) {
        std::lock_guard const lock(mutex_);
        files_[name].synced = files_[name].written;
    }
    void renamed(std::string const& from, std::string const& to) {
        std::lock_guard const lock(mutex_);
        auto const known = files_.extract(from);
        if (known) files_[to] = known.mapped();
    }
    void truncated(std::string const& name, std::uint64_t size) {
        std::lock_guard const lock(mutex_);
        files_[name].written = size;
        files_[name].synced = std::min(files_[name].synced, size);
    }
    void gone(std::string const& name) {
        std::lock_guard const lock(mutex_);
        files_.erase(name);
    }

private:
    struct File {
        std::uint64_t written = 0, synced = 0;
    };
    static void cut(std::string const& name, File& file, std::uint64_t size) {
        (void)!::truncate(name.c_str(), static_cast<off_t>(size));
        file.written = size;
    }

    mutable std::mutex mutex_;  // guards all of it
    std::map<std::string, File> files_;
    std::optional<std::uint64_t> room_;
    std::size_t syncs_ = 0, fail_sync_at_ = 0, failures_ = 0;
    Pages pages_ = Pages::kept;
    bool failing_writes_ = false, read_only_ = false;
};

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
public:
    using Status = rocksdb::IOStatus;
    using Options = rocksdb::IOOptions;
    using Debug = rocksdb::IODebugContext;

    FaultyFile(std::unique_ptr<rocksdb::FSWritableFile>&& file, std::string name, Faults& faults)
        : FSWritableFileOwnerWrapper(std::move(file)), name_(std::move(name)), faults_(faults) {}

    Status Append(rocksdb::Slice const& data, Options const& options, Debug* debug) override {
        auto const [status, fit] = faults_.appending(name_, data.size());
        auto written = target()->Append({data.data(), fit}, options, debug);
        return status.ok() ? written : status;
    }
    Status Append(rocksdb::Slice const& data,
                  Options const& options,
                  rocksdb::DataVerificationInfo const&,
                  Debug* debug) override {
        return Append(data, options, debug);
    }
    Status Sync(Options const& options, Debug* debug) override {
        if (auto status = faults_.syncing(name_); !status.ok()) return status;
        auto status = target()->Sync(options, debug);
        if (status.ok()) faults_.synced(name_);
        return status;
    }
    Status Fsync(Options const& options, Debug* debug) override { return Sync(options, debug); }
    // Says nothing of what is on the disk, and never fails here.
    Status RangeSync(std::uint64_t, std::uint64_t, Options const&, Debug*) override {
        return Status::OK();
    }
    Status Truncate(std::uint64_t size, Options const& options, Debug* debug) override {
        auto status = target()->Truncate(size, options, debug);
        if (status.ok()) faults_.truncated(name_, size);
        return status;
    }

private:
    std::string name_;
    Faults& faults_;
};

class FaultFileSystem final : public rocksdb::FileSystemWrapper {
public:
    using Status = rocksdb::IOStatus;
    using Options = rocksdb::IOOptions;
    using Debug = rocksdb::IODebugContext;
    using File = std::unique_ptr<rocksdb::FSWritableFile>;

    explicit FaultFileSystem(Faults& faults)
        : FileSystemWrapper(rocksdb::FileSystem::Default()), faults_(faults) {}

    char const* Name() const override { return "FaultFileSystem"; }
    Status NewWritableFile(std::string const& name,
                           rocksdb::FileOptions const& options,
                           File* file,
                           Debug* debug) override {
        return opened(
            name, 0, file, [&] { return target()->NewWritableFile(name, options, file, debug); });
    }
    Status ReopenWritableFile(std::string const& name,
                              rocksdb::FileOptions const& options,
                              File* file,
                              Debug* debug) override {
        std::uint64_t size = 0;
        target()->GetFileSize(name, {}, &size, debug).PermitUncheckedError();
        return opened(name, size, file, [&] {
            return target()->ReopenWritableFile(name, options, file, debug);
        });
    }
    Status ReuseWritableFile(std::string const& name,
                             std::string const& old_name,
                             rocksdb::FileOptions const& options,
                             File* file,
                             Debug* debug) override {
        faults_.gone(old_name);
        return opened(name, 0, file, [&] {
            return target()->ReuseWritableFile(name, old_name, options, file, debug);
        });
    }
    Status RenameFile(std::string const& from,
                      std::string const& to,
                      Options const& options,
                      Debug* debug) override {
        auto status = faults_.changing();
        if (status.ok()) status = target()->RenameFile(from, to, options, debug);
        if (status.ok()) faults_.renamed(from, to);
        return status;
    }
    Status DeleteFile(std::string const& name, Options const& options, Debug* debug) override {
        auto status = faults_.changing();
        if (status.ok()) status = target()->DeleteFile(name, options, debug);
        if (status.ok()) faults_.gone(name);
        return status;
    }

private:
    static bool is_note(std::string const& name) {
        return name.substr(name.find_last_of('/') + 1).starts_with("LOG");
    }
    template <class Open>
    Status opened(std::string const& name, std::uint64_t size, File* file, Open open) {
        if (is_note(name)) return open();
        auto status = faults_.changing();
        if (status.ok()) status = open();
        if (!status.ok()) return status;
        faults_.made(name, size);
        *file = std::make_unique<FaultyFile>(std::move(*file), name, faults_);
        return status;
    }

    Faults& faults_;
};

class FaultFiles {
public:
    Faults& faults() { return faults_; }
    rocksdb::Env* env() { return env_.get(); }

private:
    Faults faults_;
    std::unique_ptr<rocksdb::Env> env_ =
        rocksdb::NewCompositeEnv(std::make_shared<FaultFileSystem>(faults_));
};

}  // namespace inos::test
