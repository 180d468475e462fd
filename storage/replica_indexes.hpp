// Inside the replica: the secondary indexes that it keeps up, builds and drops.
//
//   index  space u32 | 't' | id 16                   -> version u8 | phase u8 | done varint
//                                                       | collection blob | built blob
//   index  space u32 | 's' | id 16 | values | key     -> empty: the record `key` has these values
//
// An index that the schemas ask for is cleared, built, and ready. Building walks the records by
// their keys, a bounded piece at a time; writes meanwhile keep up the entries of every record that
// they touch, in the write of the record itself, so a walk that comes by later finds them so. One
// that is not asked for any more is cleared and forgotten. Which are asked for is noted durably
// before the first write under the new schemas: so an index is never taken for one that was kept
// up all the time. Deleted records have no entries; records below aliases do. What is erased goes
// with the record from indexes that are kept up; one that is cleared or built may name it until
// that is done, so the disk is scrubbed after it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "storage/replica.hpp"
#include "storage/secondary_index.hpp"

namespace inos {

class Inspector;

class Replica::Indexes {
public:
    explicit Indexes(Replica& replica) : replica_(replica) {}

    // From the engine, whatever was known before: which there are, ...
    Result<void> load();
    // ... and, after the schemas were read, of which fields. What cannot be read is built anew.
    Result<void> follow_schemas();
    // The entries of a record in this state, ascending, in all indexes that are kept up.
    std::vector<std::string> entries(RecordName const& name, Record const& record) const;
    // Takes the one and puts the other.
    static void change(WriteBatch& batch,
                       std::vector<std::string> const& before,
                       std::vector<std::string> const& after);
    // All are cleared and built anew; until then none is kept up.
    void begin_again(WriteBatch& batch);
    // Those of one collection. For records whose entries nobody knows: they cannot be read, or are
    // not what was stored. The batch has to be written, or the replica to fail.
    void begin_again(WriteBatch& batch, std::string_view collection);
    // Begins those again that are not what the records say; answers which, in words.
    Result<std::vector<std::string>> mend();

    Result<bool> work(std::size_t budget);
    bool at_work() const;
    std::vector<IndexDefinition> ready(std::string_view collection) const;
    std::vector<IndexStatus> status() const;
    Result<void> check() const;

private:
    friend class inos::Inspector;
    enum class Phase : std::uint8_t { clearing = 1, building = 2, ready = 3 };
    struct Kept {
        Phase phase = Phase::clearing;
        std::uint64_t done = 0;  // records that are in it
        std::string collection;
        std::string built;                   // while building: the last key that was looked at
        std::vector<FieldPath> fields = {};  // empty: no schema asks for it
        // Its entries lie where the disk cannot read: it stays as it is until the next start, and
        // what was erased is not said to be gone.
        bool given_up = false;

        void clear() {
            phase = Phase::clearing;
            done = 0;
            built.clear();
        }
        std::string encode() const;
        static std::optional<Kept> decode(std::string_view bytes);
    };

    std::string row(std::string const& id) const;
    std::string entry(std::string const& id, std::string_view values, std::string_view key) const;
    Result<bool> clear(std::string const& id, Kept& kept, std::size_t budget);
    Result<bool> build(std::string const& id, Kept& kept, std::size_t budget);
    Result<void> check(std::string const& id, Kept const& kept) const;

    Replica& replica_;
    std::map<std::string, Kept> kept_;  // by id
    bool all_read_ = true;              // of the rows of kept_
    std::string turn_;                  // which was worked at last
};

}  // namespace inos
