// The API's change feed: what a request for it may say. What it sends is change_feed.hpp's.
#include <utility>

#include "net/api.hpp"
#include "net/api_call.hpp"
#include "net/api_format.hpp"

namespace inos {
namespace {

// A browser that connects again names the last event that it saw in a header; the address is the
// one it began with. 0 and nothing stand for the beginning; no cursor at all for now.
Result<std::optional<FeedCursor>> parse_since(HttpRequest const& request) {
    auto const param = request.query.find("since");
    std::string_view const last_event = request.header("last-event-id");
    if (last_event.empty() && param == request.query.end()) return std::optional<FeedCursor>();
    std::string_view const text = last_event.empty() ? param->second : last_event;
    if (text.empty() || text == "0") return std::optional(FeedCursor());
    auto cursor = FeedCursor::parse(text);
    if (cursor) return cursor;
    return fail(Errc::usage,
                "the cursor is malformed; pass the \"cursor\" of an event, or of X-Inos-Frontier, "
                "unchanged, 0 for everything, or none for what comes from now on",
                "since");
}

}  // namespace

void Api::get_changes(CallPtr call) {
    ChangeFeed::Request request;
    auto since = parse_since(call->request);
    if (!since) return send(call, api_error(since.error()));
    request.since = *std::move(since);
    auto const snapshot = flag_param(call->request, "snapshot");
    if (!snapshot) return send(call, api_error(snapshot.error()));
    // A client that connects again after a whole snapshot goes on behind it.
    request.snapshot = *snapshot && call->request.header("last-event-id").empty();
    if (request.snapshot && request.since)
        return send(call,
                    api_error(400,
                              "usage",
                              "a snapshot begins from nothing: \"snapshot\" and \"since\" exclude "
                              "each other",
                              "since"));
    if (request.snapshot) request.since = FeedCursor();
    if (call->seen) request.seen = *call->seen;
    request.collection = std::string(call->param("collection"));
    auto const allowed = check_collection(request.collection);
    if (!allowed) return send(call, api_error(allowed.error()));
    std::string_view const live = call->param("live");
    request.live = live != "false";
    if (request.live && !live.empty() && live != "true")
        return send(call, api_error(400, "usage", "\"live\" is true or false", "live"));
    if (!node_.running())
        return send(call,
                    api_error(503,
                              "unavailable",
                              "the change feed needs a running node; start it with: inos run"));
    changes_.watch(std::move(request),
                   [this, call](HttpResponse response) { send(call, std::move(response)); });
}

}  // namespace inos
