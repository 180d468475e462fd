#include "tools/import_progress.hpp"

#include <cstdio>
#include <filesystem>
#include <sstream>

#include "storage/crypto/crypto.hpp"
#include "tools/files.hpp"

namespace inos {
namespace {

constexpr std::size_t kFileBytesMax = 200;
constexpr char const* kMagic = "inos-import-1";

}  // namespace

Result<ImportProgress> ImportProgress::open(std::string const& data_dir,
                                            std::string const& identity) {
    std::string const folder = data_dir + "/imports";
    std::error_code error;
    std::filesystem::create_directory(folder, error);
    if (error)
        return fail(Errc::io, "cannot create \"" + folder + "\": " + error.message(), folder);
    return ImportProgress(folder + "/" + crypto::hex(crypto::view(crypto::hash16(identity))));
}

ImportCounts ImportProgress::load() const {
    auto const text = read_file(path_, kFileBytesMax);
    if (!text) return {};
    std::istringstream in(*text);
    std::string magic;
    ImportCounts counts;
    if (!(in >> magic >> counts.records >> counts.created >> counts.changed) || magic != kMagic)
        return {};
    return counts;
}

Result<void> ImportProgress::save(ImportCounts const& counts) const {
    return replace_file(path_,
                        std::string(kMagic) + " " + std::to_string(counts.records) + " " +
                            std::to_string(counts.created) + " " + std::to_string(counts.changed) +
                            "\n");
}

void ImportProgress::remove() const {
    std::remove(path_.c_str());
    std::remove((path_ + ".new").c_str());  // of a run that was killed while it was noting
}

}  // namespace inos
