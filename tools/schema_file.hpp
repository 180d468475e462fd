// A schema file (TOML): read into a document for storage/schema_document.hpp, and problems with the
// document traced back to their line and column. Pure; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/value.hpp"
#include "storage/result.hpp"
#include "storage/schema_document.hpp"

namespace inos {

class SchemaFile {
public:
    // `name` is what errors call the file. Errc::invalid for broken TOML, or values that no schema
    // can hold (dates): "NAME:LINE:COLUMN: what".
    static Result<SchemaFile> parse(std::string_view text, std::string name);
    SchemaFile(SchemaFile&&) noexcept;
    SchemaFile& operator=(SchemaFile&&) noexcept;
    ~SchemaFile();

    Object const& document() const { return document_; }
    // "FILE:LINE:COLUMN: message", ordered by place.
    std::vector<std::string> describe(std::vector<SchemaProblem> const& problems) const;

private:
    struct Tree;
    SchemaFile(std::string name, std::unique_ptr<Tree> tree, Object document);

    std::string name_;
    std::unique_ptr<Tree> tree_;
    Object document_;
};

}  // namespace inos
