// RocksDB's files, encrypted as storage/crypto/file_cipher.hpp draws them: every file that the
// database writes through this file system, tables, logs, lists and options alike.
//
// A byte of a stream is used once, because
//   - every file that is begun gets a head of its own, whatever its name is and was before;
//   - files are written from beginning to end only: no appending to a file of before, no writing at
//     a place, no appending after a cut. The database does none of it with the options of
//     engines/rocks.cpp; here it is refused (NotSupported);
//   - after a write that failed the next one goes behind what came to the file of it, with the part
//     of the stream that belongs there.
// What a crash leaves is read as the database reads it of plain files: a file that is shorter than
// its head is empty, and zeros at a file's end, where its size came to the disk and its bytes did
// not, are no content.
//
// There is no LOG of the database: what it notes is dropped. Names of files, sizes and times are
// as without encryption.
#pragma once

#include <memory>

#include "storage/crypto/file_cipher.hpp"

namespace rocksdb {
class FileSystem;
}

namespace inos {

// Errors: Corruption "... was not written under this directory's key" for a file of another key or
// none. Thread safety and lifetime: as `below`.
std::shared_ptr<rocksdb::FileSystem> encrypted_files(std::shared_ptr<rocksdb::FileSystem> below,
                                                     crypto::FileCipher cipher);

}  // namespace inos
