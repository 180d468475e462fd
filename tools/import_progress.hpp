// How far an import has come, so that a second run after an interruption goes on behind the last
// batch that was acknowledged. One small file per import below DIR/imports, removed when it is
// done.
//
//   DIR/imports/<32 hex of the import's identity>  =  "inos-import-1 RECORDS CREATED CHANGED\n"
//
// The identity is over the file's content and all that decides what becomes of it. Losing the file
// costs time only: the records are stored again, which changes nothing.
#pragma once

#include <cstdint>
#include <string>

#include "storage/result.hpp"

namespace inos {

struct ImportCounts {
    std::uint64_t records = 0;  // acknowledged
    std::uint64_t created = 0;
    std::uint64_t changed = 0;
};

class ImportProgress {
public:
    // Makes DIR/imports. Nothing is read or written before.
    static Result<ImportProgress> open(std::string const& data_dir, std::string const& identity);

    ImportCounts load() const;  // zeros when there is none, or none that can be read
    Result<void> save(ImportCounts const& counts) const;
    void remove() const;

private:
    explicit ImportProgress(std::string path) : path_(std::move(path)) {}

    std::string path_;
};

}  // namespace inos
