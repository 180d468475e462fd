// The API's collections and records.
#include <algorithm>
#include <utility>

#include "net/api.hpp"
#include "net/api_call.hpp"
#include "net/api_format.hpp"
#include "storage/json.hpp"
#include "storage/query.hpp"

namespace inos {
namespace {

constexpr std::size_t kListDefault = 100;
constexpr std::size_t kPageRecords = 100;  // read from the replica at a time

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
    std::string collection, after;
    std::size_t limit = kListDefault;
    std::optional<Where> where;
    std::optional<Projection> projection;
};

// Records behind `after`, until there are enough, the answer is long enough, or too many were
// looked at that are not shown: then there may be fewer than `limit`, or none, and more behind
// `next`.
HttpResponse list_page(Replica& replica, Listing const& listing) {
    std::string after = listing.after;
    std::size_t limit = listing.limit;
    HttpResponse response = json_response(200, Value());
    std::string& body = response.body = "{\"records\":[";
    std::optional<std::string> next;
    std::size_t count = 0, skipped = 0;
    do {
        std::size_t const wanted =
            listing.where ? kPageRecords : std::min(kPageRecords, limit - count);
        auto page = replica.list(listing.collection, after, wanted, kListSkipMax - skipped);
        if (!page) return api_error(page.error());
        next = page->next;
        skipped += page->skipped;
        for (std::size_t i = 0; i < page->records.size(); ++i) {
            RecordView& record = page->records[i];
            if (listing.where && !listing.where->selects(record.id, record.fields)) {
                ++skipped;
                continue;
            }
            if (listing.projection) record.fields = listing.projection->of(record.fields);
            if (count++ > 0) body += ',';
            append_json(body, record_value(record, replica.membership()));
            if (body.size() < kAnswerBytesMax && count < limit) continue;
            bool const last = i + 1 == page->records.size();
            if (!last) next = page->records[i].id;
            limit = count;
            break;
        }
        after = next.value_or("");
    } while (next && count < limit && skipped <= kListSkipMax);
    body += "],\"next\":";
    append_json(body, next ? Value(*next) : Value());
    body += '}';
    return response;
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
    Listing listing{collection, std::string(call->param("after")), kListDefault, {}, {}};
    if (call->request.query.contains("where")) {
        auto where = Where::parse(call->param("where"));
        if (!where) return send(call, api_error(where.error()));
        listing.where = *std::move(where);
    }
    if (call->request.query.contains("fields")) {
        auto projection = Projection::parse(call->param("fields"));
        if (!projection) return send(call, api_error(projection.error()));
        listing.projection = *std::move(projection);
    }
    if (call->request.query.contains("limit")) {
        auto const number = parse_number("limit", call->param("limit"), 1, kListLimitMax);
        if (!number) return send(call, api_error(number.error()));
        listing.limit = static_cast<std::size_t>(*number);
    }
    read(std::move(call),
         [listing = std::move(listing)](Replica& replica) { return list_page(replica, listing); });
}

void Api::get_record(CallPtr call) {
    RecordName const name{call->args[0], call->args[1]};
    auto const allowed = check_collection(name.collection);
    if (!allowed) return send(call, api_error(allowed.error()));
    std::string_view const elements = call->param("elements");
    if (!elements.empty() && elements != "true" && elements != "false")
        return send(call,
                    api_error(400, "usage", "\"elements\" has to be true or false", "elements"));
    if (call->request.query.contains("at")) return get_record_as_of(std::move(call));
    Lists const lists = elements == "true" ? Lists::elements : Lists::values;
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
    std::string_view const erase = call->param("erase");
    if (!erase.empty() && erase != "true" && erase != "false")
        return send(call, api_error(400, "usage", "\"erase\" has to be true or false", "erase"));
    auto if_match = precondition(call->header("if-match"), call->header("if-none-match"));
    if (!if_match) return send(call, api_error(if_match.error()));
    Transaction transaction;
    bool const for_good = erase == "true";
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
