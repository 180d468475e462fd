// The change feed: what GET /v1/changes sends, as server-sent events.
//
// A cursor is a version vector and what made it, as text (storage/feed_cursor.hpp), so it needs no
// memory here and is good at every site of the space; a bare X-Inos-Frontier is taken, too. A feed
// sends group after group (storage/changes.hpp): all that this node holds beyond the cursor, one
// event for each record with the fields that it has now, and, when live, what comes later in the
// same way.
//
//   data: {"collection","cursor","fields"|null,"id","more":true,"site","source"}
//   id: CURSOR + data: the same without "more"         the last event of a group
//   event: cursor + id: CURSOR + data: {"cursor"}      where the feed stands; it tells no change
//   event: snapshot + data: {"snapshot":true}          the next group is all there is: forget others
//   event: schema + data: {"collections"}              records of these may read otherwise from here
//   event: error + data: {"error":{...}}               the last one: it cannot go on
//   retry: MS                                          how soon to connect again, at the beginning
//
// Every event but the last of a group carries the cursor at which the group began. So a client that
// keeps the last cursor it saw repeats a group it saw in part and skips nothing, and one that waits
// for an event without "more" sees no transaction half.
//
// A feed begins when this node holds what the cursor names, within kFrontierWaitMs, else 503. Where
// it cannot be gone on from (judge_cursor, or the log does not reach back) the answer is 410, with
// the cursor 0 to begin from; a feed that is open then ends with that error.
// Without a cursor it begins with where it stands; one whose position moved without a change for
// its client says so every kPositionMs.
//
// Threads: the node's; the store's answers come back into this object, so it has to outlive them.
// Limits: kWatchersMax feeds; a feed whose client is slow holds one group as storage/changes.hpp
// bounds it, and what net/http_stream.hpp says. Where a large group is read through a view of the
// whole engine, the feed ends with an error when it has had the view for kViewMsMax, or for kViewMs
// while erased data waits to be taken off the disk. It never keeps the log from being cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/http_stream.hpp"
#include "net/http_types.hpp"
#include "net/store.hpp"
#include "storage/changes.hpp"
#include "storage/clock.hpp"
#include "storage/feed_cursor.hpp"

namespace inos {

inline constexpr std::size_t kWatchersMax = 64;
inline constexpr std::uint64_t kPositionMs = 15'000;
inline constexpr std::uint64_t kViewMs = 60'000;
inline constexpr std::uint64_t kViewMsMax = 600'000;
inline constexpr std::uint64_t kRetryMs = 3'000;

class ChangeFeed {
public:
    struct Request {
        std::optional<FeedCursor> since;  // none: from now on
        VersionVector seen;               // to be held besides `since` before the feed begins
        std::string collection;           // empty: all
        bool snapshot = false;            // the first group is all visible records; since: empty
        bool live = true;                 // false: ends after what is there now
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
    // Of `held`, entries that the client which is furthest behind has not been told of.
    std::uint64_t behind(VersionVector const& held) const;
    // Bytes that wait in this process for clients to take them.
    std::size_t waiting_bytes() const;
    // Feeds that have ended, by reason: client (it went, or the server stopped), done (not live),
    // gone (it cannot go on from its cursor), slow, error.
    std::map<std::string, std::uint64_t> const& ended() const { return ended_; }

private:
    struct Watcher;
    struct Ask;
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
    static void send_schemas(Watcher const& watcher);
    void fail(WatcherPtr const& watcher, Error const& error, char const* reason);
    void remove(WatcherPtr const& watcher, char const* reason);

    Store& store_;
    Clock const& clock_;
    std::vector<WatcherPtr> watchers_;
    std::map<std::string, std::uint64_t> ended_{
        {"client", 0}, {"done", 0}, {"error", 0}, {"gone", 0}, {"slow", 0}};
};

}  // namespace inos
