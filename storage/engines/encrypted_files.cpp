#include "storage/engines/encrypted_files.hpp"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <string>

#include <rocksdb/file_system.h>

namespace inos {
namespace {

using crypto::FileCipher;
using crypto::FileStream;
using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

constexpr std::uint64_t kHead = FileCipher::kHeadBytes;
// Ciphertext does not end in so many zeros.
constexpr std::uint64_t kZerosMin = 16;
// Of the zeros so many are kept: ciphertext may end in a few, and a record of the database's logs
// has a longer head than this, so that what does not belong to one is taken for a torn one.
constexpr std::uint64_t kZerosKept = 6;

IOStatus foreign(std::string const& name, std::string_view head) {
    return IOStatus::Corruption(name,
                                FileCipher::is_head(head)
                                    ? "it was not written under this directory's key"
                                : FileCipher::is_torn_head(head)
                                    ? "it is too short to be a file of this directory"
                                    : "it is not encrypted, as all files of this directory are");
}

IOStatus refused(char const* what) {
    return IOStatus::NotSupported(std::string(what) + " an encrypted file");
}

// Decrypts what was read at `offset` of the content into `scratch`, where it may be already.
void decrypt(FileStream const& stream, std::uint64_t offset, Slice* read, char* scratch) {
    if (read->empty()) return;
    stream.apply(offset, read->data(), scratch, read->size());
    *read = Slice(scratch, read->size());
}

// The database's own log names keys when something is wrong. What is wrong comes as a status, too.
class NoLog final : public rocksdb::Logger {
public:
    using rocksdb::Logger::Logv;
    void Logv(char const*, va_list) override {}
};

// A file of which there is nothing yet.
class NoContent final : public rocksdb::FSSequentialFile {
public:
    IOStatus Read(size_t, IOOptions const&, Slice* result, char*, IODebugContext*) override {
        *result = Slice();
        return IOStatus::OK();
    }
    IOStatus Skip(uint64_t) override { return IOStatus::OK(); }
};

class SequentialFile final : public rocksdb::FSSequentialFileOwnerWrapper {
public:
    // `below` stands behind the head.
    SequentialFile(std::unique_ptr<rocksdb::FSSequentialFile> below,
                   FileStream stream,
                   std::uint64_t content_bytes)
        : FSSequentialFileOwnerWrapper(std::move(below)),
          stream_(std::move(stream)),
          end_(content_bytes) {}

    IOStatus Read(size_t n,
                  IOOptions const& options,
                  Slice* result,
                  char* scratch,
                  IODebugContext* dbg) override {
        n = static_cast<size_t>(std::min<std::uint64_t>(n, end_ - std::min(offset_, end_)));
        auto const status = FSSequentialFileOwnerWrapper::Read(n, options, result, scratch, dbg);
        if (!status.ok()) return status;
        decrypt(stream_, offset_, result, scratch);
        offset_ += result->size();
        return status;
    }
    IOStatus Skip(uint64_t n) override {
        auto const status = FSSequentialFileOwnerWrapper::Skip(n);
        if (status.ok()) offset_ += n;
        return status;
    }
    IOStatus InvalidateCache(size_t offset, size_t length) override {
        return FSSequentialFileOwnerWrapper::InvalidateCache(offset + kHead, length);
    }
    IOStatus PositionedRead(
        uint64_t, size_t, IOOptions const&, Slice*, char*, IODebugContext*) override {
        return refused("reading directly");
    }

private:
    FileStream stream_;
    std::uint64_t offset_ = 0;
    std::uint64_t end_;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
public:
    RandomAccessFile(std::unique_ptr<rocksdb::FSRandomAccessFile> below, FileStream stream)
        : FSRandomAccessFileOwnerWrapper(std::move(below)), stream_(std::move(stream)) {}

    IOStatus Read(uint64_t offset,
                  size_t n,
                  IOOptions const& options,
                  Slice* result,
                  char* scratch,
                  IODebugContext* dbg) const override {
        auto const status =
            FSRandomAccessFileOwnerWrapper::Read(offset + kHead, n, options, result, scratch, dbg);
        if (status.ok()) decrypt(stream_, offset, result, scratch);
        return status;
    }
    IOStatus MultiRead(rocksdb::FSReadRequest* requests,
                       size_t count,
                       IOOptions const& options,
                       IODebugContext* dbg) override {
        return FSRandomAccessFile::MultiRead(requests, count, options, dbg);  // by Read
    }
    IOStatus ReadAsync(rocksdb::FSReadRequest& request,
                       IOOptions const& options,
                       std::function<void(rocksdb::FSReadRequest const&, void*)> done,
                       void* argument,
                       void** handle,
                       rocksdb::IOHandleDeleter* deleter,
                       IODebugContext* dbg) override {
        return FSRandomAccessFile::ReadAsync(  // by Read
            request,
            options,
            std::move(done),
            argument,
            handle,
            deleter,
            dbg);
    }
    IOStatus Prefetch(uint64_t offset,
                      size_t n,
                      IOOptions const& options,
                      IODebugContext* dbg) override {
        return FSRandomAccessFileOwnerWrapper::Prefetch(offset + kHead, n, options, dbg);
    }
    IOStatus InvalidateCache(size_t offset, size_t length) override {
        return FSRandomAccessFileOwnerWrapper::InvalidateCache(offset + kHead, length);
    }

private:
    FileStream stream_;
};

// Thread: as FSWritableFile says, one at a time.
class WritableFile final : public rocksdb::FSWritableFileOwnerWrapper {
public:
    WritableFile(std::unique_ptr<rocksdb::FSWritableFile> empty,
                 rocksdb::FileSystem& files,
                 std::string name,
                 std::string head,
                 FileStream stream)
        : FSWritableFileOwnerWrapper(std::move(empty)),
          files_(files),
          name_(std::move(name)),
          head_(std::move(head)),
          stream_(std::move(stream)) {}

    IOStatus Append(Slice const& data, IOOptions const& options, IODebugContext* dbg) override {
        for (std::size_t from = 0; from < data.size(); from += kAtOnce) {
            if (cut_) return refused("appending, after it was cut, to");
            if (auto const status = find_end(options, dbg); !status.ok()) return status;
            std::string_view const piece = data.ToStringView().substr(from, kAtOnce);
            // The head goes with the first bytes, so that a full disk is met by writing only.
            std::string_view const head = std::string_view(head_).substr(std::min(end_, kHead));
            buffer_.resize(std::max(buffer_.size(), head.size() + piece.size()));
            head.copy(buffer_.data(), head.size());
            stream_.apply(
                content_bytes(), piece.data(), buffer_.data() + head.size(), piece.size());
            Slice const bytes(buffer_.data(), head.size() + piece.size());
            auto const status = FSWritableFileOwnerWrapper::Append(bytes, options, dbg);
            unsure_ = !status.ok();
            if (unsure_) return status;
            end_ += bytes.size();
        }
        return IOStatus::OK();
    }
    IOStatus Append(Slice const& data,
                    IOOptions const& options,
                    rocksdb::DataVerificationInfo const&,  // of the content, not of what is written
                    IODebugContext* dbg) override {
        return Append(data, options, dbg);
    }
    IOStatus PositionedAppend(Slice const&, uint64_t, IOOptions const&, IODebugContext*) override {
        return refused("writing at a place in");
    }
    IOStatus PositionedAppend(Slice const&,
                              uint64_t,
                              IOOptions const&,
                              rocksdb::DataVerificationInfo const&,
                              IODebugContext*) override {
        return refused("writing at a place in");
    }
    // Before it is closed, to the size that it has.
    IOStatus Truncate(uint64_t size, IOOptions const& options, IODebugContext* dbg) override {
        if (size == 0 && end_ == 0) return IOStatus::OK();
        cut_ = cut_ || size != content_bytes();
        return FSWritableFileOwnerWrapper::Truncate(size + kHead, options, dbg);
    }
    uint64_t GetFileSize(IOOptions const&, IODebugContext*) override { return content_bytes(); }
    IOStatus InvalidateCache(size_t offset, size_t length) override {
        return FSWritableFileOwnerWrapper::InvalidateCache(offset + kHead, length);
    }
    IOStatus RangeSync(uint64_t offset,
                       uint64_t size,
                       IOOptions const& options,
                       IODebugContext* dbg) override {
        return FSWritableFileOwnerWrapper::RangeSync(offset + kHead, size, options, dbg);
    }
    void PrepareWrite(size_t offset,
                      size_t size,
                      IOOptions const& options,
                      IODebugContext* dbg) override {
        FSWritableFileOwnerWrapper::PrepareWrite(offset + kHead, size, options, dbg);
    }
    IOStatus Allocate(uint64_t offset,
                      uint64_t size,
                      IOOptions const& options,
                      IODebugContext* dbg) override {
        return FSWritableFileOwnerWrapper::Allocate(offset + kHead, size, options, dbg);
    }

private:
    static constexpr std::size_t kAtOnce = 1u << 20;

    std::uint64_t content_bytes() const { return std::max(end_, kHead) - kHead; }

    // The database writes the same bytes again when a full disk has space again. What came to the
    // file of the first try stays in front of them, and its part of the stream is used.
    IOStatus find_end(IOOptions const& options, IODebugContext* dbg) {
        if (!unsure_) return IOStatus::OK();
        std::uint64_t size = 0;
        auto const status = files_.GetFileSize(name_, options, &size, dbg);
        if (!status.ok()) return status;
        if (size < end_) return IOStatus::IOError(name_, "it became shorter meanwhile");
        end_ = size;
        unsure_ = false;
        return status;
    }

    rocksdb::FileSystem& files_;  // below
    std::string const name_, head_;
    FileStream stream_;
    std::uint64_t end_ = 0;  // how much of the file is written, with its head
    bool unsure_ = false;    // after a write that failed
    bool cut_ = false;
    std::string buffer_;
};

class EncryptedFiles final : public rocksdb::FileSystemWrapper {
public:
    EncryptedFiles(std::shared_ptr<rocksdb::FileSystem> below, FileCipher cipher)
        : FileSystemWrapper(std::move(below)), cipher_(std::move(cipher)) {}

    char const* Name() const override { return "inos::EncryptedFiles"; }

    IOStatus NewSequentialFile(std::string const& name,
                               FileOptions const& options,
                               std::unique_ptr<rocksdb::FSSequentialFile>* result,
                               IODebugContext* dbg) override {
        std::uint64_t written = 0;
        auto status = written_bytes(name, options, written, dbg);
        if (!status.ok()) return status;
        std::unique_ptr<rocksdb::FSSequentialFile> below;
        status = FileSystemWrapper::NewSequentialFile(name, options, &below, dbg);
        if (!status.ok()) return status;
        std::array<char, kHead> buffer;
        std::string head;
        while (head.size() < std::min(written, kHead)) {
            Slice piece;
            status =
                below->Read(kHead - head.size(), options.io_options, &piece, buffer.data(), dbg);
            if (!status.ok()) return status;
            if (piece.empty()) return IOStatus::IOError(name, "it became shorter meanwhile");
            head.append(piece.data(), piece.size());
        }
        auto stream = cipher_.stream(head);
        if (written <= kHead && (stream || FileCipher::is_torn_head(head))) {
            *result = std::make_unique<NoContent>();
            return status;
        }
        if (!stream) return foreign(name, head);
        *result =
            std::make_unique<SequentialFile>(std::move(below), *std::move(stream), written - kHead);
        return status;
    }

    IOStatus NewRandomAccessFile(std::string const& name,
                                 FileOptions const& options,
                                 std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                 IODebugContext* dbg) override {
        std::unique_ptr<rocksdb::FSRandomAccessFile> below;
        auto status = FileSystemWrapper::NewRandomAccessFile(name, options, &below, dbg);
        if (!status.ok()) return status;
        std::array<char, kHead> buffer;
        Slice head;
        status = below->Read(0, kHead, options.io_options, &head, buffer.data(), dbg);
        if (!status.ok()) return status;
        auto stream = cipher_.stream(head.ToStringView());
        if (!stream) return foreign(name, head.ToStringView());
        *result = std::make_unique<RandomAccessFile>(std::move(below), *std::move(stream));
        return status;
    }

    IOStatus NewWritableFile(std::string const& name,
                             FileOptions const& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* result,
                             IODebugContext* dbg) override {
        std::unique_ptr<rocksdb::FSWritableFile> below;
        auto const status = FileSystemWrapper::NewWritableFile(name, options, &below, dbg);
        if (!status.ok()) return status;
        std::string head = cipher_.new_head();
        auto stream = cipher_.stream(head);
        *result = std::make_unique<WritableFile>(
            std::move(below), *target(), name, std::move(head), *std::move(stream));
        return status;
    }

    IOStatus ReuseWritableFile(std::string const& name,
                               std::string const& old_name,
                               FileOptions const& options,
                               std::unique_ptr<rocksdb::FSWritableFile>* result,
                               IODebugContext* dbg) override {
        auto const status = RenameFile(old_name, name, options.io_options, dbg);
        return status.ok() ? NewWritableFile(name, options, result, dbg) : status;
    }

    IOStatus ReopenWritableFile(std::string const&,
                                FileOptions const&,
                                std::unique_ptr<rocksdb::FSWritableFile>*,
                                IODebugContext*) override {
        return refused("appending to");
    }
    IOStatus NewRandomRWFile(std::string const&,
                             FileOptions const&,
                             std::unique_ptr<rocksdb::FSRandomRWFile>*,
                             IODebugContext*) override {
        return refused("writing at a place in");
    }
    IOStatus NewMemoryMappedFileBuffer(std::string const&,
                                       std::unique_ptr<rocksdb::MemoryMappedFileBuffer>*) override {
        return refused("mapping");
    }
    IOStatus Truncate(std::string const&, size_t, IOOptions const&, IODebugContext*) override {
        return refused("cutting");
    }
    IOStatus NewLogger(std::string const&,
                       IOOptions const&,
                       std::shared_ptr<rocksdb::Logger>* result,
                       IODebugContext*) override {
        *result = std::make_shared<NoLog>();
        return IOStatus::OK();
    }

    IOStatus GetFileSize(std::string const& name,
                         IOOptions const& options,
                         uint64_t* size,
                         IODebugContext* dbg) override {
        auto const status = FileSystemWrapper::GetFileSize(name, options, size, dbg);
        if (status.ok()) *size -= std::min<std::uint64_t>(*size, kHead);
        return status;
    }
    IOStatus GetChildrenFileAttributes(std::string const& dir,
                                       IOOptions const& options,
                                       std::vector<rocksdb::Env::FileAttributes>* result,
                                       IODebugContext* dbg) override {
        return FileSystem::GetChildrenFileAttributes(dir, options, result, dbg);  // by GetFileSize
    }

private:
    // The file's size on the disk without the zeros at its end that nobody wrote.
    IOStatus written_bytes(std::string const& name,
                           FileOptions const& options,
                           std::uint64_t& written,
                           IODebugContext* dbg) {
        std::uint64_t size = 0;
        auto status = FileSystemWrapper::GetFileSize(name, options.io_options, &size, dbg);
        if (!status.ok()) return status;
        std::unique_ptr<rocksdb::FSRandomAccessFile> file;
        status = FileSystemWrapper::NewRandomAccessFile(name, options, &file, dbg);
        if (!status.ok()) return status;
        std::uint64_t end = size;
        std::array<char, 4096> buffer;
        for (bool zeros = true; zeros && end > 0;) {
            std::size_t const n = std::min<std::uint64_t>(buffer.size(), end);
            Slice piece;
            status = file->Read(end - n, n, options.io_options, &piece, buffer.data(), dbg);
            if (!status.ok()) return status;
            if (piece.size() != n) return IOStatus::IOError(name, "it became shorter meanwhile");
            auto const last = piece.ToStringView().find_last_not_of('\0');
            zeros = last == std::string_view::npos;
            end = zeros ? end - n : end - n + last + 1;
        }
        bool const unwritten = size - end >= kZerosMin;
        written = unwritten && end > 0 ? end + kZerosKept : unwritten ? 0 : size;
        return status;
    }

    FileCipher cipher_;
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> encrypted_files(std::shared_ptr<rocksdb::FileSystem> below,
                                                     FileCipher cipher) {
    return std::make_shared<EncryptedFiles>(std::move(below), std::move(cipher));
}

}  // namespace inos
