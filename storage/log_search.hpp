// What a replica's log says of some records: each is built up again from its entries, in the order
// in which the reader brings them. Also where the history of every record begins. Bounded by
// kSearchBytesMax of steps, as much of records, and kSearchLinksMax of links in memory: of a record
// over the first only the outcome is kept, over the second it is left for another search.
#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/log_reader.hpp"

namespace inos {

inline constexpr std::size_t kSearchBytesMax = 64u << 20;
inline constexpr std::size_t kSearchLinksMax = 1'000'000;  // of lists through the log

// The list through the log that a record's history is (StoredEntry::links).
enum class Trail {
    whole,   // it names every entry that touched the record, and no other
    cut,     // it does, as far as the log reaches back
    broken,  // it does not: an entry is damaged, or a link is
};

struct FoundRecord {
    RecordName name;
    RecordTag tag{};
    bool marks = false;  // those of an erased record
    Record record;       // as its intact entries make it
    std::vector<HistoryStep> steps;
    bool steps_kept = true;
    bool left_out = false;  // there was no room for it; what is here says nothing
    std::size_t step_bytes = 0, record_bytes = 0, measured = 0;  // of memory, about
    Dot newest;                  // of the entries that touched it, as they were read; seq 0: none
    bool links_kept = true;      // the two next are all of it
    std::vector<Dot> order;      // the entries that touched it, in the order they were read
    std::map<Dot, Dot> links{};  // of each of them
    Trail trail = Trail::broken;
    Dot last;                        // its history begins there
    std::optional<Erasure> erasure;  // of marks: the proof
    // Of a record that was erased: all entries that still hold something of it, whatever they are
    // worth.
    std::vector<Dot> remains;
    bool remains_kept = true;    // that is all of them
    bool erased_before = false;  // before anything was read; else some of them may be missing
};

class LogSearch {
public:
    explicit LogSearch(Replica const& replica);

    // Before read(). A name may be that of an erased record's marks (keys::erased_key).
    void want(RecordName const& name);
    void want(RecordTag const& tag);        // of a record whose name only the log knows
    Result<bool> read(std::size_t budget);  // as LogReader::read

    LogReader const& reader() const { return reader_; }
    // Null: not looked for. What is found is good when read() has come to the end, until it is
    // called again.
    FoundRecord* find(RecordName const& name);
    // Names of those that were looked for by their tags.
    std::vector<RecordName> names_of_tags() const;
    // Of records that entries have touched which came after the search began.
    std::set<RecordName> const& touched_since() const { return since_; }

private:
    // Of a record: its tag. Of marks: the collection, too, for a tag says nothing of it.
    using Key = std::pair<RecordTag, std::string>;
    Key key_of(RecordName const& name) const;
    bool wants(Dot dot, EntryFrame const& frame, std::vector<RecordTag> const& tags);
    void see(ProvenEntry const& item);
    void add_step(FoundRecord& found, ProvenEntry const& item, std::size_t op, Op const& present);
    void count_bytes(FoundRecord& found, HistoryStep const& step);
    void follow(FoundRecord& found) const;

    Replica const& replica_;
    LogReader reader_;
    std::map<Key, FoundRecord> found_;
    std::vector<RecordTag> tags_;
    std::set<Key> moved_;  // to be followed again
    VersionVector began_;  // what was there at the beginning
    std::set<RecordName> since_;
    std::size_t bytes_ = 0, record_bytes_ = 0, links_ = 0;
};

using ErasedMarks = std::pair<RecordTag, std::string>;  // whose record was erased, in which

// Where the history of every record begins, by the records' tags, and all erasures.
class LogHeads {
public:
    explicit LogHeads(Replica const& replica);
    Result<bool> read(std::size_t budget);
    LogReader const& reader() const { return reader_; }
    std::map<RecordTag, Dot>& heads() { return heads_; }
    std::set<ErasedMarks> const& erased() const { return erased_; }

private:
    void see(ProvenEntry const& item);

    LogReader reader_;
    std::map<RecordTag, Dot> heads_;
    std::set<ErasedMarks> erased_;
};

void apply_to(Record& record, HistoryStep const& step);
// The cells that one step makes of nothing.
Record made_by(HistoryStep const& step);

}  // namespace inos
