#include "net/change_feed.hpp"

#include <algorithm>
#include <utility>

#include "net/api.hpp"
#include "net/api_format.hpp"
#include "storage/json.hpp"

namespace inos {
namespace {

// With the cursor to begin from, where another one cannot be gone on from.
Value feed_error(Error const& error) {
    Value value = error_value(status_and_code(error.code).second, error.message, error.field);
    if (error.code != Errc::gone) return value;
    Value inner = *value.find("error");
    set_member(*inner.as<Object>(), "cursor", Value("0"));
    set_member(*value.as<Object>(), "error", std::move(inner));
    return value;
}

HttpResponse refusal(Error const& error) {
    return json_response(status_and_code(error.code).first, feed_error(error));
}

}  // namespace

struct ChangeFeed::Watcher {
    Request request;
    HttpRespond respond;  // until it has begun
    std::uint64_t deadline_ms = 0;
    std::shared_ptr<HttpStream> stream = std::make_shared<HttpStream>(": still here\n\n");
    std::shared_ptr<Membership const> membership;

    FeedCursor at;                                    // everything up to here was sent
    VersionVector told;                               // ... and the client knows it up to here
    std::uint64_t told_ms = 0;                        // when it was told
    std::string cursor;                               // `at` as text
    FeedGeneration generation{};                      // of the store, when it began
    CursorStanding standing = CursorStanding::ahead;  // until it has begun
    bool snapshot = false;                            // the group is one
    std::shared_ptr<ChangeReader> reader;             // of the group under way
    std::optional<std::uint64_t> view_ms;             // since when it has held a view
    std::optional<RecordChange> kept;  // its last change so far: there may be another behind it

    bool begun = false;
    bool gone = false;
    bool fresh = true;     // there may be something beyond `at`
    bool reading = false;  // the store was asked
    bool pumping = false;

    bool wants_more() const {
        if (gone || reading) return false;
        return begun ? stream->has_room() && (reader || fresh) : fresh;
    }
    void stand_at(FeedCursor const& where) {
        at = where;
        cursor = at.text();
    }
};

// What the store is asked.
struct ChangeFeed::Ask {
    bool begun = false, from_now = false;
    VersionVector seen;
    FeedCursor at;
    std::string collection;
    FeedGeneration generation{};
    std::shared_ptr<ChangeReader> reader;
};

// What one call of the store came to.
struct ChangeFeed::Found {
    CursorStanding standing = CursorStanding::good;
    FeedCursor now;  // where a feed without a cursor begins
    FeedGeneration generation{};
    std::shared_ptr<Membership const> membership;
    std::shared_ptr<ChangeReader> reader;
    Result<ChangePage> page = ChangePage{};

    Result<void> look(Replica const& replica, Ask const& ask);
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
    std::weak_ptr<Watcher> const weak = watcher;
    watcher->stream->on_room([this, weak] {
        if (auto const alive = weak.lock()) pump(alive);
    });
    watcher->stream->on_close([this, weak] {
        if (auto const alive = weak.lock()) remove(alive, "client");
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
        if (!watcher->begun) {
            if (watcher->deadline_ms <= monotonic_ms)
                refuse(watcher, refusal(cursor_refused(watcher->standing)));
            continue;
        }
        if (watcher->view_ms && monotonic_ms >= *watcher->view_ms + kViewMsMax) {
            fail(watcher,
                 Error{Errc::unavailable,
                       "the client takes too long to read what has changed since its cursor; "
                       "connect again with the last cursor, and read faster",
                       {}},
                 "slow");
            continue;
        }
        bool const quiet = !watcher->reader && !(watcher->told == watcher->at.at);
        if (quiet && monotonic_ms >= watcher->told_ms + kPositionMs) send_position(*watcher);
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
                       {}},
                 "slow");
}

std::uint64_t ChangeFeed::behind(VersionVector const& held) const {
    std::uint64_t most = 0;
    for (auto const& watcher : watchers_) {
        if (!watcher->begun) continue;
        std::uint64_t entries = 0;
        for (auto const& [actor, seq] : held.items())
            entries += seq - std::min(seq, watcher->told.at(actor));
        most = std::max(most, entries);
    }
    return most;
}

std::size_t ChangeFeed::waiting_bytes() const {
    std::size_t bytes = 0;
    for (auto const& watcher : watchers_)
        bytes += watcher->stream->waiting_bytes();
    return bytes;
}

// A store that answers at once must not make this recursive: hence the loop.
void ChangeFeed::pump(WatcherPtr const& watcher) {
    if (std::exchange(watcher->pumping, true)) return;
    while (watcher->wants_more())
        step(watcher);
    watcher->pumping = false;
}

Result<void> ChangeFeed::Found::look(Replica const& replica, Ask const& ask) {
    page->done = true;
    membership = replica.shared_membership();
    INOS_TRY(generation, feed_generation(replica.engine(), replica.space_number()));
    if (!ask.begun && !ask.from_now) {
        INOS_TRY(standing, judge_cursor(replica, ask.at));
    }
    if (ask.begun && generation != ask.generation) standing = CursorStanding::repaired;
    if (!replica.vector().includes(ask.seen) && standing == CursorStanding::good)
        standing = CursorStanding::ahead;
    if (standing != CursorStanding::good) return {};
    reader = ask.reader;
    if (ask.from_now) {
        INOS_TRY(now, feed_cursor(replica));
        return {};
    }
    if (!reader && ask.begun && ask.at.at == replica.vector()) return {};
    if (!reader) reader = std::make_shared<ChangeReader>(ask.at.at, ask.collection);
    INOS_TRY(page, reader->next(replica));
    return {};
}

void ChangeFeed::step(WatcherPtr const& watcher) {
    watcher->reading = true;
    watcher->fresh = watcher->fresh && watcher->reader;
    Request const& request = watcher->request;
    Ask ask{watcher->begun,
            !watcher->begun && !request.since,
            watcher->begun ? VersionVector() : request.seen,
            watcher->begun ? watcher->at : request.since.value_or(FeedCursor()),
            request.collection,
            watcher->generation,
            std::exchange(watcher->reader, nullptr)};
    auto work = [ask = std::move(ask)](Replica& replica) {
        Found found;
        auto const looked = found.look(replica, ask);
        if (!looked) found.page = tl::unexpected<Error>(looked.error());
        return found;
    };
    store_.query(std::move(work), [this, watcher](Found found) {
        watcher->reading = false;
        if (!watcher->gone) take(watcher, std::move(found));
        pump(watcher);
    });
}

void ChangeFeed::take(WatcherPtr const& watcher, Found found) {
    watcher->reader = std::move(found.reader);
    if (!watcher->begun) {
        watcher->standing = found.standing;
        bool const waits = may_come(found.standing);
        if (found.page && waits) return;
        if (found.page && found.standing != CursorStanding::good)
            found.page = tl::unexpected<Error>(cursor_refused(found.standing));
        if (!found.page) return refuse(watcher, refusal(found.page.error()));
        watcher->generation = found.generation;
        watcher->stand_at(watcher->request.since.value_or(found.now));
        watcher->told = watcher->at.at;
        begin(watcher);
        if (watcher->gone) return;
        if (!watcher->request.since) send_position(*watcher);
    }
    if (found.page && found.standing != CursorStanding::good)
        found.page = tl::unexpected<Error>(cursor_refused(found.standing));
    if (!found.page)
        return fail(
            watcher, found.page.error(), found.page.error().code == Errc::gone ? "gone" : "error");
    watcher->membership = std::move(found.membership);
    bool const views = watcher->reader && watcher->reader->holds_view();
    if (!views)
        watcher->view_ms.reset();
    else if (!watcher->view_ms)
        watcher->view_ms = clock_.monotonic_ms();
    for (RecordChange& change : found.page->changes) {
        if (watcher->snapshot && !change.fields) continue;
        if (watcher->kept) send(*watcher, *watcher->kept, true);
        watcher->kept = std::move(change);
    }
    if (found.page->done) end_group(watcher);
}

void ChangeFeed::refuse(WatcherPtr const& watcher, HttpResponse response) {
    auto const respond = std::exchange(watcher->respond, nullptr);
    remove(watcher, nullptr);
    respond(std::move(response));
}

void ChangeFeed::begin(WatcherPtr const& watcher) {
    watcher->begun = true;
    watcher->told_ms = clock_.monotonic_ms();
    watcher->snapshot = watcher->request.snapshot;
    watcher->stream->write("retry: " + std::to_string(kRetryMs) + "\n\n");
    if (watcher->snapshot) watcher->stream->write("event: snapshot\ndata: {\"snapshot\":true}\n\n");
    HttpResponse response;
    response.headers["Content-Type"] = "text/event-stream";
    response.headers["Cache-Control"] = "no-store";
    response.stream = watcher->stream;
    std::exchange(watcher->respond, nullptr)(std::move(response));
}

void ChangeFeed::end_group(WatcherPtr const& watcher) {
    if (watcher->reader) {
        send_schemas(*watcher);
        watcher->stand_at(watcher->reader->cursor());
    }
    watcher->reader.reset();
    watcher->view_ms.reset();
    bool const was_snapshot = std::exchange(watcher->snapshot, false);
    bool const live = watcher->request.live;
    if (watcher->kept) {
        send(*watcher, *watcher->kept, false);
        watcher->kept.reset();
        watcher->told = watcher->at.at;
        watcher->told_ms = clock_.monotonic_ms();
    } else if (was_snapshot || (!live && !(watcher->told == watcher->at.at))) {
        send_position(*watcher);
    }
    if (live) return;
    watcher->stream->end();
    remove(watcher, "done");
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
    watcher.told = watcher.at.at;
    watcher.told_ms = clock_.monotonic_ms();
    watcher.stream->write("event: cursor\nid: " + watcher.cursor + "\ndata: {\"cursor\":\"" +
                          watcher.cursor + "\"}\n\n");
}

void ChangeFeed::send_schemas(Watcher const& watcher) {
    Array collections;
    for (std::string const& name : watcher.reader->schemas())
        if (watcher.request.collection.empty() || name == watcher.request.collection)
            collections.push_back(Value(name));
    if (collections.empty()) return;
    Object const data{{"collections", Value(std::move(collections))}};
    watcher.stream->write("event: schema\ndata: " + write_json(Value(data)) + "\n\n");
}

void ChangeFeed::fail(WatcherPtr const& watcher, Error const& error, char const* reason) {
    watcher->stream->write("event: error\ndata: " + write_json(feed_error(error)) + "\n\n");
    watcher->stream->end();
    remove(watcher, reason);
}

// `reason`: in ended(); null: it had not begun.
void ChangeFeed::remove(WatcherPtr const& watcher, char const* reason) {
    if (reason && watcher->begun) ++ended_[reason];
    watcher->gone = true;
    watcher->stream->detach();
    // What it has of the engine is let go where the engine is used.
    if (watcher->reader)
        store_.run([reader = std::exchange(watcher->reader, nullptr)](Replica&) {}, [] {});
    std::erase(watchers_, watcher);
}

}  // namespace inos
