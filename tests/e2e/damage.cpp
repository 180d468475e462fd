// Changes what is stored of a record behind a node's back, as a failing disk would, in a directory
// whose node is not running: one byte of its value, or all of it, or one byte of the table that it
// lies in, so that the database cannot read a whole block any more.
//   inos_damage DIR COLLECTION ID flip|lose|tear
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>

#include "storage/engines/rocks.hpp"
#include "storage/keys.hpp"

namespace {

int fail(char const* what) {
    std::fprintf(stderr, "inos_damage: %s\n", what);
    return 1;
}

bool holds(std::string const& table, std::string const& key) {
    rocksdb::SstFileReader reader{rocksdb::Options()};
    if (!reader.Open(table).ok()) return false;
    std::unique_ptr<rocksdb::Iterator> const at(reader.NewIterator({}));
    at->Seek(key);
    return at->Valid() && at->key() == key;
}

int tear(std::string const& database, std::string const& key) {
    constexpr std::streamoff kInFirstBlock = 12;
    for (auto const& file : std::filesystem::directory_iterator(database)) {
        if (file.path().extension() != ".sst" || !holds(file.path(), key)) continue;
        std::fstream table(file.path(), std::ios::in | std::ios::out | std::ios::binary);
        table.seekg(kInFirstBlock);
        char const byte = static_cast<char>(table.get() ^ 1);
        table.seekp(kInFirstBlock);
        table.put(byte);
        return table.flush() ? 0 : fail("the table cannot be written");
    }
    return fail("no table holds the record");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fputs("usage: inos_damage DIR COLLECTION ID flip|lose|tear\n", stderr);
        return 2;
    }
    std::string const database = std::string(argv[1]) + "/db", how = argv[4];
    auto engine = inos::open_rocks(database);
    if (!engine) return fail(engine.error().message.c_str());
    std::string const key = inos::keys::record(1, argv[2], argv[3]);
    auto const value = (*engine)->get(inos::Family::records, key);
    if (!value || !*value || (*value)->empty()) return fail("no such record");
    if (how == "tear") {
        std::atomic<bool> never = false;
        if (!(*engine)->scrub(never)) return fail("the tables cannot be written");
        engine->reset();
        return tear(database, key);
    }
    std::string bad = **value;
    bad.back() = static_cast<char>(bad.back() ^ 1);
    inos::WriteBatch batch;
    if (how == "lose")
        batch.remove(inos::Family::records, key);
    else
        batch.put(inos::Family::records, key, bad);
    return (*engine)->write(batch, inos::Durability::synced) ? 0 : 1;
}
