// The API's collections and records.
#include <utility>

#include "net/api.hpp"
#include "net/api_call.hpp"
#include "net/api_format.hpp"
#include "storage/json.hpp"
#include "storage/run_query.hpp"

namespace inos {
namespace {

constexpr std::size_t kListDefault = 100;

// If-Match: the version that the record must have. If-None-Match: * is "must not exist", which for
// the replica is the version of no record: empty.
Result<std::optional<std::string>> precondition(std::string_view match,
                                                std::string_view none_match) {
    auto const unusable = [](std::string header, std::string_view value) {
        return fail(Errc::usage,
                    "the header " + header + ": " + std::string(value) +
                        " is not understood; If-Match takes one version as an answer's ETag names "
                        "it, and If-None-Match takes * (only if there is no such record)");
    };
    if (!none_match.empty()) {
        if (none_match != "*" || !match.empty()) return unusable("If-None-Match", none_match);
        return std::optional<std::string>("");
    }
    if (match.empty()) return std::optional<std::string>();
    std::string_view version = match;
    bool const quoted = version.size() > 2 && version.front() == '"' && version.back() == '"';
    if (quoted) version = version.substr(1, version.size() - 2);
    if (version.find_first_of("\"*, /") != std::string_view::npos)
        return unusable("If-Match", match);
    return std::optional(std::string(version));
}

std::string missing(RecordName const& name) {
    return "there is no record \"" + name.key + "\" in \"" + name.collection + "\"";
}

struct Listing {
    Query query;
    std::optional<Projection> projection;
    bool count = false, explain = false;
};

std::string bound_of(QueryPlan const& plan, Query const& query) {
    if (plan.ordered) return "a page may end before it is full";
    if (!query.order.fields().empty())
        return "refused above " + std::to_string(kSortMax) + " records to be sorted";
    return "above " + std::to_string(kSortMax) +
           " entries of the index all records are looked at instead";
}

Value plan_value(QueryPlan const& plan, Query const& query) {
    Array fields, conditions;
    for (auto const& path : plan.index ? plan.index->fields : std::vector<FieldPath>())
        fields.push_back(Value(dotted(path)));
    for (auto const& condition : plan.conditions)
        conditions.push_back(Value(condition));
    bool const by_id = query.order.fields().empty();
    bool const is_best = plan.ordered && (plan.index || !query.where);
    auto const better = helpful_index(query.where ? &*query.where : nullptr, query.order);
    Array help;
    if (!is_best && !(plan.index && plan.index->fields == better))
        for (auto const& path : better)
            help.push_back(Value(dotted(path)));
    return Value(Object{{"index", plan.index ? Value(std::move(fields)) : Value()},
                        {"conditions", Value(std::move(conditions))},
                        {"order",
                         Value(by_id          ? "id"
                               : plan.ordered ? "index"
                                              : "sorted")},
                        {"would_help", help.empty() ? Value() : Value(std::move(help))},
                        {"bound", Value(bound_of(plan, query))}});
}

// Records until there are enough, the answer is long enough, or too many were looked at that are
// not shown: then there may be fewer than `limit`, or none, and more behind `next`.
HttpResponse list_page(Replica& replica, Listing const& listing) {
    if (listing.explain)
        return json_response(
            200,
            Value(Object{{"plan", plan_value(plan_of(replica, listing.query), listing.query)}}));
    HttpResponse response = json_response(200, Value());
    std::string& body = response.body = listing.count ? "{" : "{\"records\":[";
    std::uint64_t count = 0;
    auto const end = run_query(replica, listing.query, [&](RecordView& record) {
        if (count++ > 0 && !listing.count) body += ',';
        if (listing.count) return true;
        if (listing.projection) record.fields = listing.projection->of(record.fields);
        append_json(body, record_value(record, replica.membership()));
        return body.size() < kAnswerBytesMax;
    });
    if (!end) return api_error(end.error());
    body += listing.count ? "\"count\":" + std::to_string(count) : "]";
    body += ",\"next\":";
    append_json(body, end->next ? Value(*end->next) : Value());
    body += '}';
    return response;
}

// Of all records, without looking at them.
HttpResponse count_all(Replica& replica, std::string const& collection) {
    std::uint64_t count = 0;
    for (CollectionInfo const& info : replica.collections())
        if (info.name == collection) count = info.records;
    return json_response(200, Value(Object{{"count", number_value(count)}, {"next", Value()}}));
}

Result<Listing> listing_of(HttpRequest const& request, std::string const& collection) {
    auto const& asked = request.query;
    Listing listing;
    listing.query.collection = collection;
    listing.query.after = request.param("after");
    listing.query.limit = kListDefault;
    if (asked.contains("where")) {
        INOS_TRY(listing.query.where, Where::parse(request.param("where")));
    }
    if (asked.contains("order")) {
        INOS_TRY(listing.query.order, Order::parse(request.param("order")));
    }
    if (asked.contains("fields")) {
        INOS_TRY(listing.projection, Projection::parse(request.param("fields")));
    }
    INOS_TRY(listing.count, flag_param(request, "count"));
    INOS_TRY(listing.explain, flag_param(request, "explain"));
    if (asked.contains("limit")) {
        INOS_TRY(auto const number,
                 parse_number("limit", request.param("limit"), 1, kListLimitMax));
        listing.query.limit = static_cast<std::size_t>(number);
    }
    if (!listing.count) return listing;
    for (char const* other : {"order", "fields", "limit"})
        if (asked.contains(other))
            return tl::unexpected(Error{Errc::usage,
                                        "\"" + std::string(other) +
                                            "\" makes no sense with \"count\": all records of "
                                            "which \"where\" is true are counted",
                                        std::string(other)});
    listing.query.limit = kListLimitMax;
    return listing;
}

}  // namespace

void Api::list_collections(CallPtr call) {
    read(std::move(call), [](Replica& replica) {
        Array list;
        for (CollectionInfo const& info : replica.collections())
            list.push_back(
                Value(Object{{"name", Value(info.name)}, {"records", number_value(info.records)}}));
        return json_response(200, Value(std::move(list)));
    });
}

void Api::list_records(CallPtr call) {
    std::string const collection = call->args[0];
    auto const allowed = check_collection(collection);
    if (!allowed) return send(call, api_error(allowed.error()));
    auto listing = listing_of(call->request, collection);
    if (!listing) return send(call, api_error(listing.error()));
    bool const all = listing->count && !listing->query.where && !listing->explain;
    if (all)
        return read(std::move(call),
                    [collection](Replica& replica) { return count_all(replica, collection); });
    read(std::move(call),
         [listing = *std::move(listing)](Replica& replica) { return list_page(replica, listing); });
}

void Api::get_record(CallPtr call) {
    RecordName const name{call->args[0], call->args[1]};
    auto const allowed = check_collection(name.collection);
    if (!allowed) return send(call, api_error(allowed.error()));
    auto const elements = flag_param(call->request, "elements");
    if (!elements) return send(call, api_error(elements.error()));
    if (call->request.query.contains("at")) return get_record_as_of(std::move(call));
    Lists const lists = *elements ? Lists::elements : Lists::values;
    read(std::move(call), [name, lists](Replica& replica) {
        auto const record = replica.get(name, lists);
        if (!record) return api_error(record.error());
        if (!*record) return api_error(404, "not_found", missing(name));
        HttpResponse response = json_response(200, record_value(**record, replica.membership()));
        response.headers["ETag"] = "\"" + (*record)->version + "\"";
        return response;
    });
}

void Api::put_record(CallPtr call) {
    change_record(std::move(call), Write::Kind::put);
}

void Api::patch_record(CallPtr call) {
    change_record(std::move(call), Write::Kind::patch);
}

void Api::change_record(CallPtr call, Write::Kind kind) {
    RecordName const name{call->args[0], call->args[1]};
    auto const allowed = check_collection(name.collection);
    if (!allowed) return send(call, api_error(allowed.error()));
    auto if_match = precondition(call->header("if-match"), call->header("if-none-match"));
    if (!if_match) return send(call, api_error(if_match.error()));
    auto fields = parse_json_object(call->request.body);
    if (!fields) return send(call, body_error(fields.error()));
    Transaction transaction;
    transaction.writes.push_back({kind, name, *std::move(fields), *std::move(if_match)});
    write(std::move(call), std::move(transaction), [](Committed const& committed) {
        WriteOutcome const& outcome = committed.writes.front();
        Written written;
        written.status = outcome.created ? 201 : 200;
        written.etag = outcome.version;
        Object body;
        set_member(body, "id", Value(outcome.id));
        set_member(body, "version", Value(outcome.version));
        set_member(body, "created", Value(outcome.created));
        set_member(body, "changed", Value(outcome.changed));
        add_warnings(body, outcome.warnings);
        written.body = Value(std::move(body));
        return written;
    });
}

void Api::delete_record(CallPtr call) {
    RecordName const name{call->args[0], call->args[1]};
    auto const allowed = check_collection(name.collection);
    if (!allowed) return send(call, api_error(allowed.error()));
    auto const erase = flag_param(call->request, "erase");
    if (!erase) return send(call, api_error(erase.error()));
    auto if_match = precondition(call->header("if-match"), call->header("if-none-match"));
    if (!if_match) return send(call, api_error(if_match.error()));
    Transaction transaction;
    bool const for_good = *erase;
    auto const kind = for_good ? Write::Kind::erase : Write::Kind::delete_;
    transaction.writes.push_back({kind, name, {}, *std::move(if_match)});
    write(std::move(call), std::move(transaction), [name, for_good](Committed const& committed) {
        Written written;
        // An id can be erased before its record has come here.
        written.status = for_good || committed.writes.front().found ? 204 : 404;
        if (written.status == 404) written.body = error_value("not_found", missing(name));
        return written;
    });
}

}  // namespace inos
