// Reads a replica's whole log in a causal order, piece by piece, and checks on the way that it is
// what its authors chained: the only thing that can be believed where the rest of what is stored is
// in doubt. So nothing stored beside the chained bytes is used: whether an entry is void is judged
// again, and what its author had seen is added up from the entries themselves.
//
// A log may begin behind its first entries, where these were cut (storage/log_starts.hpp); nothing
// is cut while there is a reader. What is damaged is passed over and named. Thread: the replica's.
// Costs a hash of every entry; for repair only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/replica.hpp"

namespace inos {

struct HashedEntry;

// An entry that is what its author wrote, and not void.
struct ProvenEntry {
    Dot dot;
    Entry const& entry;
    EntryFrame const& frame;
    std::vector<RecordTag> const& tags;
    StoredEntry const& stored;
    VersionVector const& deps;  // what its author had seen, its own entries before it included
};

class LogReader {
public:
    explicit LogReader(Replica const& replica);
    ~LogReader();
    LogReader(LogReader const&) = delete;
    LogReader& operator=(LogReader const&) = delete;

    using Wants = std::function<bool(Dot, EntryFrame const&, std::vector<RecordTag> const&)>;
    using See = std::function<void(ProvenEntry const&)>;
    // Reads on, about `budget` bytes. True: all is read that the replica holds now. May be called
    // again after that, for what has come since. Entries that `wants` refuses are not decoded; it
    // is asked of damaged ones, too.
    Result<bool> read(std::size_t budget, Wants const& wants, See const& see);

    // Where the log is not what its authors chained, in words.
    std::vector<std::string> const& damage() const { return damage_; }
    // False: a state has come into force since, and what was read is another log.
    bool current() const { return pin_ == replica_.log_pin_; }
    bool cut() const;  // it begins behind its first entries
    bool whole() const { return damage_.empty() && !cut(); }
    bool is_cut(Dot dot) const;
    // Read, and what its author wrote.
    bool intact(Dot dot) const;
    // Whether who had seen these had seen all entries that are damaged: none of them answers him.
    bool after_damage(VersionVector const& deps) const;

private:
    struct Actor;

    Result<void> list_actors();
    Actor& actor(ActorId id);
    bool ready(EntryHeader const& header) const;
    bool behind(Actor const& actor) const;
    Result<bool> read_actor(Actor& actor, std::size_t& left, Wants const& wants, See const& see);
    Result<bool> take(
        Actor& actor, Seq seq, std::string_view value, Wants const& wants, See const& see);
    Result<bool> names_entries(std::optional<EntryHeader> const& header) const;
    Result<void> find_deps(Actor& actor);
    void broken(Actor& actor, Seq first, Seq last, char const* what);
    void check_ends();

    Replica const& replica_;
    std::shared_ptr<void const> pin_;  // Replica::log_pin_
    std::map<ActorId, Actor> actors_;
    std::vector<std::string> damage_;
    bool listed_ = false, ends_checked_ = false;
};

}  // namespace inos
