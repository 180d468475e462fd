#include "net/change_feed.hpp"

#include <algorithm>
#include <utility>

#include "net/api.hpp"
#include "net/api_format.hpp"
#include "storage/json.hpp"

namespace inos {

struct ChangeFeed::Watcher {
    Request request;
    HttpRespond respond;  // until it has begun
    std::uint64_t deadline_ms = 0;
    std::shared_ptr<HttpStream> stream = std::make_shared<HttpStream>(": still here\n\n");
    std::shared_ptr<Membership const> membership;

    VersionVector at;                      // everything up to here was sent
    VersionVector told;                    // ... and the client knows it up to here
    std::uint64_t told_ms = 0;             // when it was told
    std::string cursor;                    // `at` as text
    std::shared_ptr<ChangeReader> reader;  // of the group under way
    std::optional<std::uint64_t> view_ms;  // since when it has held a view
    std::optional<RecordChange> kept;      // its last change so far: there may be another behind it

    bool begun = false;
    bool gone = false;
    bool fresh = true;     // there may be something beyond `at`
    bool reading = false;  // the store was asked
    bool pumping = false;

    bool wants_more() const {
        if (gone || reading) return false;
        return begun ? stream->has_room() && (reader || fresh) : fresh;
    }
    void stand_at(VersionVector const& vector) {
        at = vector;
        cursor = frontier_text(at);
    }
};

// What one call of the store came to.
struct ChangeFeed::Found {
    bool held = false;  // the replica holds what the feed begins with
    VersionVector now;
    std::shared_ptr<Membership const> membership;
    std::shared_ptr<ChangeReader> reader;
    Result<ChangePage> page = ChangePage{};
};

ChangeFeed::~ChangeFeed() {
    for (auto const& watcher : watchers_) {
        watcher->gone = true;
        watcher->stream->end();
    }
}

void ChangeFeed::watch(Request request, HttpRespond respond) {
    if (watchers_.size() >= kWatchersMax) {
        return respond(api_error(503,
                                 "unavailable",
                                 "the change feed has " + std::to_string(kWatchersMax) +
                                     " clients already; try again later"));
    }
    auto const watcher = std::make_shared<Watcher>();
    watcher->request = std::move(request);
    watcher->respond = std::move(respond);
    watcher->deadline_ms = clock_.monotonic_ms() + kFrontierWaitMs;
    if (watcher->request.since) watcher->request.seen.merge(*watcher->request.since);
    std::weak_ptr<Watcher> const weak = watcher;
    watcher->stream->on_room([this, weak] {
        if (auto const alive = weak.lock()) pump(alive);
    });
    watcher->stream->on_close([this, weak] {
        if (auto const alive = weak.lock()) remove(alive);
    });
    watchers_.push_back(watcher);
    pump(watcher);
}

void ChangeFeed::on_progress() {
    for (auto const& watcher : std::vector(watchers_)) {
        watcher->fresh = true;
        pump(watcher);
    }
}

void ChangeFeed::tick(std::uint64_t monotonic_ms) {
    for (auto const& watcher : std::vector(watchers_)) {
        if (watcher->begun) {
            bool const quiet = !watcher->reader && !(watcher->told == watcher->at);
            if (quiet && monotonic_ms >= watcher->told_ms + kPositionMs) send_position(*watcher);
        } else if (watcher->deadline_ms <= monotonic_ms) {
            refuse(watcher,
                   api_error(503,
                             "unavailable",
                             "this node has not received yet what the cursor names; ask again, or "
                             "at the site that the cursor is from"));
        }
    }
}

void ChangeFeed::make_way() {
    std::uint64_t const now = clock_.monotonic_ms();
    for (auto const& watcher : std::vector(watchers_))
        if (watcher->view_ms && now >= *watcher->view_ms + kViewMs)
            fail(watcher,
                 Error{Errc::unavailable,
                       "this node takes erased data off its disk and cannot keep what this feed "
                       "reads from; connect again with the last cursor, and read faster",
                       {}});
}

// A store that answers at once must not make this recursive: hence the loop.
void ChangeFeed::pump(WatcherPtr const& watcher) {
    if (std::exchange(watcher->pumping, true)) return;
    while (watcher->wants_more())
        step(watcher);
    watcher->pumping = false;
}

void ChangeFeed::step(WatcherPtr const& watcher) {
    watcher->reading = true;
    watcher->fresh = watcher->fresh && watcher->reader;
    struct Ask {
        bool begun, from_now;
        VersionVector seen, at;
        std::string collection;
        std::shared_ptr<ChangeReader> reader;
    };
    Request const& request = watcher->request;
    Ask ask{watcher->begun,
            !watcher->begun && !request.since,
            request.seen,
            watcher->begun ? watcher->at : request.since.value_or(VersionVector()),
            request.collection,
            std::exchange(watcher->reader, nullptr)};
    auto work = [ask = std::move(ask)](Replica& replica) {
        Found found;
        found.held = ask.begun || replica.vector().includes(ask.seen);
        found.now = replica.vector();
        found.membership = replica.shared_membership();
        found.reader = ask.reader;
        found.page->done = true;
        if (!found.held || ask.from_now) return found;
        if (!found.reader && ask.at == found.now) return found;
        if (!found.reader) found.reader = std::make_shared<ChangeReader>(ask.at, ask.collection);
        found.page = found.reader->next(replica);
        return found;
    };
    store_.query(std::move(work), [this, watcher](Found found) {
        watcher->reading = false;
        if (!watcher->gone) take(watcher, std::move(found));
        pump(watcher);
    });
}

void ChangeFeed::take(WatcherPtr const& watcher, Found found) {
    if (!found.held) return;
    watcher->membership = std::move(found.membership);
    if (!watcher->begun) {
        if (!found.page) return refuse(watcher, api_error(found.page.error()));
        watcher->stand_at(watcher->request.since.value_or(found.now));
        watcher->told = watcher->at;
        begin(watcher);
        if (watcher->gone) return;
        if (!watcher->request.since) send_position(*watcher);
    }
    if (!found.page) return fail(watcher, found.page.error());
    watcher->reader = std::move(found.reader);
    bool const views = watcher->reader && watcher->reader->holds_view();
    if (!views)
        watcher->view_ms.reset();
    else if (!watcher->view_ms)
        watcher->view_ms = clock_.monotonic_ms();
    for (RecordChange& change : found.page->changes) {
        if (watcher->kept) send(*watcher, *watcher->kept, true);
        watcher->kept = std::move(change);
    }
    if (found.page->done) end_group(watcher);
}

void ChangeFeed::refuse(WatcherPtr const& watcher, HttpResponse response) {
    auto const respond = std::exchange(watcher->respond, nullptr);
    remove(watcher);
    respond(std::move(response));
}

void ChangeFeed::begin(WatcherPtr const& watcher) {
    watcher->begun = true;
    watcher->told_ms = clock_.monotonic_ms();
    HttpResponse response;
    response.headers["Content-Type"] = "text/event-stream";
    response.headers["Cache-Control"] = "no-store";
    response.stream = watcher->stream;
    std::exchange(watcher->respond, nullptr)(std::move(response));
}

void ChangeFeed::end_group(WatcherPtr const& watcher) {
    if (watcher->reader) watcher->stand_at(watcher->reader->to());
    watcher->reader.reset();
    if (watcher->kept) {
        send(*watcher, *watcher->kept, false);
        watcher->kept.reset();
        watcher->told = watcher->at;
        watcher->told_ms = clock_.monotonic_ms();
    }
    if (watcher->request.live) return;
    if (!(watcher->told == watcher->at)) send_position(*watcher);
    watcher->stream->end();
    remove(watcher);
}

void ChangeFeed::send(Watcher& watcher, RecordChange const& change, bool more) const {
    auto const* const certificate = watcher.membership->by_actor(change.actor);
    Object event{{"cursor", Value(watcher.cursor)},
                 {"collection", Value(change.name.collection)},
                 {"id", Value(change.name.key)},
                 {"fields", change.fields ? Value(*change.fields) : Value()},
                 {"source", Value(change.source)},
                 {"site", Value(certificate ? certificate->name : actor_text(change.actor))}};
    if (more) set_member(event, "more", Value(true));
    std::string text = more ? "" : "id: " + watcher.cursor + "\n";
    text += "data: ";
    append_json(text, Value(std::move(event)));
    watcher.stream->write(text + "\n\n");
}

void ChangeFeed::send_position(Watcher& watcher) const {
    watcher.told = watcher.at;
    watcher.told_ms = clock_.monotonic_ms();
    watcher.stream->write("event: cursor\nid: " + watcher.cursor + "\ndata: {\"cursor\":\"" +
                          watcher.cursor + "\"}\n\n");
}

void ChangeFeed::fail(WatcherPtr const& watcher, Error const& error) {
    auto const [status, code] = status_and_code(error.code);
    watcher->stream->write("event: error\ndata: " +
                           write_json(error_value(code, error.message, error.field)) + "\n\n");
    watcher->stream->end();
    remove(watcher);
}

void ChangeFeed::remove(WatcherPtr const& watcher) {
    watcher->gone = true;
    watcher->stream->detach();
    // What it has of the engine is let go where the engine is used.
    if (watcher->reader)
        store_.run([reader = std::exchange(watcher->reader, nullptr)](Replica&) {}, [] {});
    std::erase(watchers_, watcher);
}

}  // namespace inos
