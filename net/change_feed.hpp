// The change feed: what GET /v1/changes sends, as server-sent events.
//
// A cursor is a version vector as text, the same that X-Inos-Frontier carries, so it needs no
// memory here and means the same at every site of the space. A feed sends group after group
// (storage/changes.hpp): all that this node holds beyond the cursor, one event for each record with
// the fields that it has now, and, when live, what comes later in the same way.
//
//   data: {"collection","cursor","fields"|null,"id","more":true,"site","source"}
//   id: CURSOR + data: the same without "more"         the last event of a group
//   event: cursor + id: CURSOR + data: {"cursor"}      where the feed stands; it tells no change
//   event: error + data: {"error":{...}}               the last one: it cannot go on
//
// Every event but the last of a group carries the cursor at which the group began. So a client that
// keeps the last cursor it saw repeats a group it saw in part and skips nothing, and one that waits
// for an event without "more" sees no transaction half.
//
// A feed begins when this node holds what the cursor names, within kFrontierWaitMs, else 503.
// Without a cursor it begins with where it stands; one whose position moved without a change for
// its client says so every kPositionMs.
//
// Threads: the node's; the store's answers come back into this object, so it has to outlive them.
// Limits: kWatchersMax feeds; a feed whose client is slow holds one group as storage/changes.hpp
// bounds it. Where a large group is read through a view of the whole engine, and erased data waits
// to be taken off the disk, such a feed ends with an error when it has had the view for kViewMs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/http_stream.hpp"
#include "net/http_types.hpp"
#include "net/store.hpp"
#include "storage/changes.hpp"
#include "storage/clock.hpp"

namespace inos {

inline constexpr std::size_t kWatchersMax = 64;
inline constexpr std::uint64_t kPositionMs = 15'000;
inline constexpr std::uint64_t kViewMs = 60'000;

class ChangeFeed {
public:
    struct Request {
        std::optional<VersionVector> since;  // none: from now on
        VersionVector seen;                  // to be held besides `since` before the feed begins
        std::string collection;              // empty: all
        bool live = true;                    // false: ends after what is there now
    };

    ChangeFeed(Store& store, Clock const& clock) : store_(store), clock_(clock) {}
    ~ChangeFeed();
    ChangeFeed(ChangeFeed const&) = delete;
    ChangeFeed& operator=(ChangeFeed const&) = delete;

    // Answers with a stream, or why there is none.
    void watch(Request request, HttpRespond respond);

    // The replica holds more than before.
    void on_progress();
    void tick(std::uint64_t monotonic_ms);
    // Views of the engine keep erased data on the disk: ends the feeds that have had one for long.
    void make_way();
    std::size_t watchers() const { return watchers_.size(); }

private:
    struct Watcher;
    struct Found;
    using WatcherPtr = std::shared_ptr<Watcher>;

    void pump(WatcherPtr const& watcher);
    void step(WatcherPtr const& watcher);
    void take(WatcherPtr const& watcher, Found found);
    void begin(WatcherPtr const& watcher);
    void refuse(WatcherPtr const& watcher, HttpResponse response);
    void end_group(WatcherPtr const& watcher);
    void send(Watcher& watcher, RecordChange const& change, bool more) const;
    void send_position(Watcher& watcher) const;
    void fail(WatcherPtr const& watcher, Error const& error);
    void remove(WatcherPtr const& watcher);

    Store& store_;
    Clock const& clock_;
    std::vector<WatcherPtr> watchers_;
};

}  // namespace inos
