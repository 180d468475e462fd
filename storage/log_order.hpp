// The entries of a log, of several actors, in an order in which each comes behind all that its
// author had seen. For a state that comes into force (replica_switch.cpp): they are read from the
// log or from what was staged.
//
// Thread: the replica's. A feed holds a view of the engine and is for one walk. Errors:
// Errc::corruption for rows that are malformed or missing; Errc::protocol where entries wait for
// one another, or for what is not there.
#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "storage/replica_stage.hpp"

namespace inos {

// Views into the feed's cursor.
struct LogItem {
    Dot dot;
    std::string_view bytes, signature;  // no signature: none that is staged
    crypto::Hash32 chain{};
    std::vector<DepHead> deps;
    VoidReason reason{};  // of an entry in the log, as the next two
    std::uint64_t arrived_ms = 0;
    std::vector<Dot> links;
};

class LogFeed {
public:
    // Of the actor's entries from `first` to `last`; the cursor is over their rows. `before`: what
    // the author had seen in front of the first; the entries say only what is new.
    LogFeed(Dot first, Seq last, VersionVector before, std::unique_ptr<Cursor> cursor, bool staged)
        : next_(first),
          last_(last),
          before_(std::move(before)),
          cursor_(std::move(cursor)),
          staged_(staged) {}

    bool is_staged() const { return staged_; }
    ActorId actor() const { return next_.actor; }
    std::optional<LogItem> const& item() const { return item_; }  // none: behind the last
    Result<void> advance();
    // Does the next entry build on nothing but this?
    bool ready(VersionVector const& done) const;

private:
    Result<void> read();

    Dot next_;
    Seq last_;
    VersionVector before_;  // of the first one, as long as that is the next
    std::unique_ptr<Cursor> cursor_;
    bool staged_;
    std::optional<LogItem> item_;
};

// `done`: what is in front of the feeds.
Result<void> in_causal_order(std::vector<LogFeed>& feeds,
                             VersionVector done,
                             std::function<Result<void>(LogFeed const&)> const& visit);

// Of what is random anyway.
struct HashOfTag {
    std::size_t operator()(RecordTag const& tag) const {
        std::size_t hash = 0;
        std::memcpy(&hash, tag.data() + 4, sizeof(hash));  // behind what stands for the collection
        return hash;
    }
};

}  // namespace inos
