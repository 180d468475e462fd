// The Engine on RocksDB 7.8, one database per data directory, one column family per Family.
//
// Settings (measured, docs/storage-format.md): WAL always on; kTolerateCorruptedTailRecords,
// because the default recovery mode silently drops synced writes behind a flipped bit;
// paranoid_checks; WAL files tracked in the MANIFEST; 8 protection bytes per key in memory. One WAL
// serves all families, so a batch over several is atomic.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "storage/crypto/file_cipher.hpp"
#include "storage/engine.hpp"

namespace inos {

struct RocksOptions {
    std::size_t cache_bytes = 64 << 20;         // block cache, shared by all families
    std::size_t write_buffer_bytes = 32 << 20;  // per family, before it is flushed to a file
    // The files are encrypted with it (engines/encrypted_files.hpp).
    std::optional<crypto::FileCipher> cipher = std::nullopt;
};

// Opens the database in `path`, made if missing. Errc::conflict when another process has it open.
Result<std::unique_ptr<Engine>> open_rocks(std::string const& path,
                                           RocksOptions const& options = {});

}  // namespace inos
