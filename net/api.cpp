#include "net/api.hpp"

#include <algorithm>
#include <utility>

#include "net/api_call.hpp"
#include "net/api_format.hpp"
#include "storage/near_miss.hpp"

namespace inos {
namespace {

using Segments = std::vector<std::string>;

bool is_argument(std::string_view segment) {
    return segment.starts_with('{');
}

Segments split(std::string_view pattern) {
    Segments segments;
    while (!pattern.empty()) {
        pattern.remove_prefix(1);  // the slash
        std::size_t const end = std::min(pattern.find('/'), pattern.size());
        segments.emplace_back(pattern.substr(0, end));
        pattern.remove_prefix(end);
    }
    return segments;
}

// What the pattern's arguments stand for, or nothing when the path is another one.
std::optional<Segments> match(Segments const& pattern, Segments const& path) {
    if (pattern.size() != path.size()) return std::nullopt;
    Segments args;
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (is_argument(pattern[i]) && !path[i].empty())
            args.push_back(path[i]);
        else if (pattern[i] != path[i])
            return std::nullopt;
    }
    return args;
}

std::string joined(Segments const& segments) {
    std::string path;
    for (std::string const& segment : segments)
        path += "/" + segment;
    return path;
}

}  // namespace

// One line per route: method, pattern, handler, query parameters, what it is for.
struct Api::Route {
    char const* method;
    char const* pattern;
    void (Api::*handler)(CallPtr);
    std::vector<std::string> params;
    char const* about;
    Segments segments = split(pattern);
};

std::vector<Api::Route> const& Api::table() {
    static std::vector<std::string> const none;
    static std::vector<std::string> const writing{"wait", "timeout", "source"};
    static constexpr char const* kCollections = "/v1/collections";
    static constexpr char const* kRecords = "/v1/collections/{collection}/records";
    static constexpr char const* kMerge = "/v1/duplicates/merge";
    static constexpr char const* kUnmerge = "/v1/duplicates/unmerge";
    static constexpr char const* kResolve = "/v1/conflicts/resolve";
    static constexpr char const* kRecord = "/v1/collections/{collection}/records/{id}";
    static constexpr char const* kHistory = "/v1/collections/{collection}/records/{id}/history";
    static constexpr char const* kExplain = "/v1/collections/{collection}/records/{id}/explain";
    static constexpr char const* kRestore = "/v1/collections/{collection}/records/{id}/restore";
    static std::vector<std::string> const telling{"limit", "before", "own"};
    static std::vector<std::string> const deleting{"wait", "timeout", "source", "erase"};
    static std::vector<std::string> const listing{
        "where", "order", "fields", "limit", "after", "count", "explain"};
    static std::vector<std::string> const watching{"since", "collection", "snapshot", "live"};
    static std::vector<std::string> const searching{"collection", "limit", "after"};
    static std::vector<Route> const routes{
        // clang-format off
        {"GET", kCollections, &Api::list_collections, none, "Collections and their sizes"},
        {"GET", kRecords, &Api::list_records, listing, "Records by id, a page at a time"},
        {"GET", kRecord, &Api::get_record, {"elements", "at"}, "One record, now or as it was"},
        {"PUT", kRecord, &Api::put_record, writing, "Make a record what the body says"},
        {"PATCH", kRecord, &Api::patch_record, writing, "Merge the body into a record's fields"},
        {"DELETE", kRecord, &Api::delete_record, deleting, "Delete a record"},
        {"GET", kHistory, &Api::get_history, telling, "Every change of a record"},
        {"GET", kExplain, &Api::get_explanation, {"field"}, "Why a record says what it says"},
        {"POST", kRestore, &Api::restore_record, writing, "Make a record what it was"},
        {"POST", "/v1/transactions", &Api::post_transaction, writing, "All or nothing"},
        {"GET", "/v1/conflicts", &Api::list_conflicts, searching, "Fields with rival values"},
        {"GET", "/v1/changes", &Api::get_changes, watching, "The change feed"},
        {"POST", kResolve, &Api::resolve_conflict, writing, "Decide a conflict"},
        {"GET", "/v1/duplicates", &Api::list_duplicates, {"collection"}, "Records that look alike"},
        {"POST", kMerge, &Api::merge_records, writing, "Make an id an alias of another"},
        {"POST", kUnmerge, &Api::unmerge_record, writing, "Take an alias back"},
        {"GET", "/v1/erasures", &Api::list_erasures, none, "What was erased, and where it is gone"},
        {"GET", "/v1/orphans", &Api::list_orphans, searching, "Edits of records that are gone"},
        {"POST", "/v1/orphans", &Api::decide_orphan, writing, "Keep or drop such an edit"},
        {"GET", "/v1/schema", &Api::get_schema, none, "The schema document in force"},
        {"POST", "/v1/schema", &Api::post_schema, writing, "Apply a schema document"},
        {"GET", "/v1/status", &Api::get_status, none, "This site, its spaces, its peers"},
        {"GET", "/v1/members", &Api::get_members, none, "The sites of the space"},
        {"POST", "/v1/members", &Api::post_member, none, "Change what a site may do"},
        {"DELETE", "/v1/members", &Api::delete_member, {"site"}, "Retire a site for good"},
        {"POST", "/v1/members/rotate-key", &Api::rotate_key, none, "A new key seals"},
        {"GET", "/v1/members/reviews", &Api::list_reviews, none, "What retired sites wrote last"},
        {"POST", "/v1/members/reviews", &Api::decide_review, writing, "Keep or revert that"},
        {"POST", "/v1/members/recover", &Api::recover, none, "Make this site an admin"},
        {"POST", "/v1/verify", &Api::post_verify, none, "Compare what all sites hold"},
        {"GET", "/v1/peers", &Api::get_peers, none, "Connections to other sites"},
        {"POST", "/v1/peers", &Api::post_peer, none, "Dial a peer now and from now on"},
        {"DELETE", "/v1/peers", &Api::delete_peer, {"url"}, "Hang up and forget a peer"},
        {"GET", "/v1/invites", &Api::get_invites, none, "Open invitations"},
        {"POST", "/v1/invites", &Api::post_invite, none, "Make a pairing code"},
        {"DELETE", "/v1/invites", &Api::delete_invite, {"id"}, "Revoke an invitation"},
        {"GET", "/v1/backup", &Api::get_backup, none, "All that the site holds, as a backup file"},
        {"GET", "/metrics", &Api::get_metrics, none, "Measurements for Prometheus"},
        {"GET", "/healthz", &Api::get_health, none, "The program runs"},
        {"GET", "/readyz", &Api::get_readiness, none, "The node takes reads and writes"},
        // clang-format on
    };
    return routes;
}

std::vector<ApiRoute> Api::routes() {
    std::vector<ApiRoute> list;
    for (Route const& route : table())
        list.push_back({route.method, route.pattern, route.about, route.params});
    return list;
}

Api::Api(Store& store, NodeControl& node, Clock const& clock)
    : store_(store),
      node_(node),
      clock_(clock),
      changes_(store, clock),
      started_ms_(clock.monotonic_ms()) {}

Api::~Api() = default;

std::string_view Api::Call::param(std::string_view name) const {
    return request.param(name);
}

std::string_view Api::Call::header(std::string_view name) const {
    auto const found = request.headers.find(std::string(name));
    return found == request.headers.end() ? std::string_view() : std::string_view(found->second);
}

void Api::handle(HttpRequest request, HttpRespond respond) {
    auto call = std::make_shared<Call>();
    call->request = std::move(request);
    call->respond = std::move(respond);
    std::string allowed;
    for (Route const& route : table()) {
        auto args = match(route.segments, call->request.segments);
        if (!args) continue;
        if (call->request.method == route.method) {
            call->args = *std::move(args);
            return dispatch(route, call);
        }
        allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
    }
    if (allowed.empty()) return send(call, no_such_path(call->request));
    HttpResponse response = api_error(405,
                                      "method_not_allowed",
                                      "\"" + call->request.path + "\" does not take " +
                                          call->request.method + ", only " + allowed);
    response.headers["Allow"] = allowed;
    send(call, std::move(response));
}

void Api::dispatch(Route const& route, CallPtr const& call) {
    for (auto const& [name, value] : call->request.query) {
        if (std::find(route.params.begin(), route.params.end(), name) != route.params.end())
            continue;
        std::string allowed;
        for (std::string const& param : route.params)
            allowed += (allowed.empty() ? "\"" : ", \"") + param + "\"";
        if (allowed.empty()) allowed = "no parameters";
        return send(call,
                    api_error(400,
                              "usage",
                              "unknown query parameter \"" + name + "\"; " + route.method + " " +
                                  route.pattern + " takes " + allowed,
                              name));
    }
    std::string_view const frontier = call->header("x-inos-frontier");
    if (!frontier.empty()) {
        call->seen = parse_frontier(frontier);
        if (!call->seen)
            return send(call,
                        api_error(400,
                                  "usage",
                                  "X-Inos-Frontier is malformed; send back what an answer carried, "
                                  "unchanged"));
    }
    (this->*route.handler)(call);
}

HttpResponse Api::no_such_path(HttpRequest const& request) const {
    std::vector<std::string> near, all;
    for (Route const& route : table()) {
        Segments path = route.segments;
        for (std::size_t i = 0; i < path.size(); ++i)
            if (is_argument(path[i]) && i < request.segments.size() && !request.segments[i].empty())
                path[i] = request.segments[i];
        near.push_back(joined(path));
        if (std::find(all.begin(), all.end(), route.pattern) == all.end())
            all.emplace_back(route.pattern);
    }
    std::string hint = did_you_mean(joined(request.segments), near);
    if (hint.empty()) {
        for (std::string const& pattern : all)
            hint += (hint.empty() ? "; there is " : ", ") + pattern;
    }
    return api_error(
        404, "not_found", "there is no \"" + request.path.substr(0, 200) + "\"" + hint);
}

void Api::send(CallPtr const& call, HttpResponse response) {
    VersionVector frontier = held_;
    if (call->seen) frontier.merge(*call->seen);
    if (!frontier.empty()) response.headers["X-Inos-Frontier"] = frontier_text(frontier);
    count_answer(response.status);
    call->respond(std::move(response));
}

// ---- reads -----------------------------------------------------------------------------------

void Api::read(CallPtr call, ReadWork work) {
    attempt({std::move(call), std::move(work), clock_.monotonic_ms() + kFrontierWaitMs});
}

// Reads if the replica holds what the client has seen; else the request waits for on_progress().
void Api::attempt(Reading reading) {
    struct Answer {
        VersionVector held;
        std::optional<HttpResponse> response;
    };
    auto work = [seen = reading.call->seen, work = reading.work](Replica& replica) {
        Answer answer{replica.vector(), std::nullopt};
        if (!seen || answer.held.includes(*seen)) answer.response = work(replica);
        return answer;
    };
    auto done = [this, reading = std::move(reading)](Answer answer) mutable {
        held_.merge(answer.held);
        if (answer.response) return send(reading.call, *std::move(answer.response));
        if (waiting_.size() < kWaitingMax) return waiting_.push_back(std::move(reading));
        send(reading.call,
             api_error(503,
                       "unavailable",
                       "too many reads wait for this node to catch up; ask again later"));
    };
    store_.query(std::move(work), std::move(done));
}

void Api::on_progress() {
    changes_.on_progress();
    if (waiting_.empty()) return;
    check_again_ = checking_;
    if (checking_) return;
    checking_ = true;
    store_.query([](Replica& replica) { return replica.vector(); },
                 [this](VersionVector held) {
                     checking_ = false;
                     held_.merge(held);
                     auto const ready = std::stable_partition(
                         waiting_.begin(), waiting_.end(), [&](Reading const& reading) {
                             return !held.includes(*reading.call->seen);
                         });
                     std::vector<Reading> now(std::make_move_iterator(ready),
                                              std::make_move_iterator(waiting_.end()));
                     waiting_.erase(ready, waiting_.end());
                     for (Reading& reading : now)
                         attempt(std::move(reading));
                     if (std::exchange(check_again_, false)) on_progress();
                 });
}

void Api::tick(std::uint64_t monotonic_ms) {
    changes_.tick(monotonic_ms);
    auto const late =
        std::stable_partition(waiting_.begin(), waiting_.end(), [&](Reading const& reading) {
            return reading.deadline_ms > monotonic_ms;
        });
    std::vector<Reading> over(std::make_move_iterator(late),
                              std::make_move_iterator(waiting_.end()));
    waiting_.erase(late, waiting_.end());
    for (Reading const& reading : over)
        send(reading.call,
             api_error(503,
                       "unavailable",
                       "this node has not received yet what X-Inos-Frontier names; ask again, or "
                       "leave the header out to read what is here"));
}

// ---- writes ----------------------------------------------------------------------------------

Result<Api::Waiting> Api::waiting_of(Call const& call) const {
    constexpr std::uint64_t kSitesMax = 1'000, kDefaultS = 10;
    Waiting waiting;
    if (!call.param("wait").empty()) {
        INOS_TRY(waiting.sites, parse_number("wait", call.param("wait"), 0, kSitesMax));
    }
    waiting.timeout_ms = kDefaultS * 1'000;
    if (!call.param("timeout").empty()) {
        INOS_TRY(std::uint64_t const seconds,
                 parse_number("timeout", call.param("timeout"), 0, kWaitTimeoutMaxS));
        waiting.timeout_ms = seconds * 1'000;
    }
    return waiting;
}

Result<std::string> Api::source_of(Call const& call) const {
    std::string_view const header = call.header("x-inos-source");
    std::string_view const param = call.param("source");
    std::string_view const named = header.empty() ? param : header;
    if (!call.request.from_socket) {
        if (named.empty()) return call.request.role.empty() ? "api" : call.request.role;
        return fail(Errc::forbidden,
                    "a source can be named on the node's socket only; here the token's role is the "
                    "source of what it writes",
                    "source");
    }
    if (named.empty()) return std::string("local");
    if (valid_name(named) && named.size() <= kSourceBytesMax) return std::string(named);
    return fail(Errc::usage,
                "the source has to be 1 to " + std::to_string(kSourceBytesMax) +
                    " bytes of UTF-8 without control characters",
                "source");
}

namespace {

constexpr std::size_t kRequestNameMax = 255;

// What the header Idempotency-Key says, within what the token's role has asked for. How long an
// answer waits for other sites may differ from one try to the next.
Result<std::optional<RequestName>> request_name(HttpRequest const& request,
                                                std::string const& source) {
    if (!request.headers.contains("idempotency-key")) return std::optional<RequestName>();
    std::string_view const key = request.header("idempotency-key");
    bool const plain =
        std::all_of(key.begin(), key.end(), [](char c) { return c > 32 && c < 127; });
    if (key.empty() || key.size() > kRequestNameMax || !plain)
        return tl::unexpected(Error{Errc::usage,
                                    "the header Idempotency-Key has to be 1 to " +
                                        std::to_string(kRequestNameMax) +
                                        " printable ASCII characters without blanks",
                                    "Idempotency-Key"});
    RequestName name{
        (request.from_socket ? "socket" : "role " + request.role) + '\0' + std::string(key), {}};
    auto const put = [&](std::string_view text) { put_blob(name.contents, text); };
    put(request.method);
    put(request.path);
    put(source);
    put(request.header("if-match"));
    put(request.header("if-none-match"));
    for (auto const& [param, value] : request.query) {
        if (param == "wait" || param == "timeout" || param == "source") continue;
        put(param);
        put(value);
    }
    put(request.body);
    return std::optional(std::move(name));
}

}  // namespace

void Api::write(CallPtr call, Transaction transaction, WriteAnswer answer) {
    auto const waiting = waiting_of(*call);
    if (!waiting) return send(call, api_error(waiting.error()));
    auto source = source_of(*call);
    if (!source) return send(call, api_error(source.error()));
    transaction.source = *std::move(source);
    auto request = request_name(call->request, transaction.source);
    if (!request) return send(call, api_error(request.error()));
    transaction.request = *std::move(request);
    bool const must_be_new =
        transaction.writes.size() == 1 && transaction.writes.front().if_match == "";
    auto done = [this, call, waiting = *waiting, must_be_new, answer = std::move(answer)](
                    Result<Committed> committed) {
        if (!committed && must_be_new && committed.error().code == Errc::conflict)
            committed.error().message = "there is such a record already";
        if (!committed) return send(call, write_error(committed.error()));
        Written result = answer(*committed);
        result.replayed = committed->replayed;
        if (committed->dot) {
            held_.raise(committed->dot->actor, committed->dot->seq);
            VersionVector entry;
            entry.raise(committed->dot->actor, committed->dot->seq);
            return this->written(call, waiting, std::move(entry), std::move(result));
        }
        // Nothing changed, because it was so already: by entries up to now, maybe of others.
        auto finish = [this, call, waiting, result = std::move(result)](VersionVector now) mutable {
            held_.merge(now);
            this->written(call, waiting, std::move(now), std::move(result));
        };
        store_.query([](Replica& replica) { return replica.vector(); }, std::move(finish));
    };
    store_.commit(std::move(transaction), std::move(done));
}

// The write is durable here, by entries that `held` names; answers when as many other sites have
// them as the client wants.
void Api::written(CallPtr call, Waiting waiting, VersionVector held, Written written) {
    int const written_status = written.status;
    auto answer = [this, call, waiting, written = std::move(written)](std::size_t sites) mutable {
        bool const reached = sites >= waiting.sites;
        int const status = reached ? written.status : 202;
        if (!written.body.as<Object>()) written.body = Value(Object{});
        if (waiting.sites > 0 && status < 400)
            set_member(*written.body.as<Object>(), "acknowledged", number_value(sites));
        HttpResponse response = json_response(status, written.body);
        if (status == 204) {
            response.headers.erase("Content-Type");
            response.body.clear();
        }
        if (!written.etag.empty()) response.headers["ETag"] = "\"" + written.etag + "\"";
        if (written.replayed) response.headers["Idempotency-Replayed"] = "true";
        send(call, std::move(response));
    };
    if (waiting.sites == 0 || written_status >= 400) return answer(waiting.sites);
    node_.wait_acknowledged(std::move(held), waiting.sites, waiting.timeout_ms, std::move(answer));
}

}  // namespace inos
