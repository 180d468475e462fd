// The API's duplicates: records that agree in their collection's identity, making one's id an alias
// of the other's, and taking that back.
#include <memory>
#include <optional>
#include <utility>

#include "net/api.hpp"
#include "net/api_call.hpp"
#include "net/api_format.hpp"
#include "storage/duplicates.hpp"
#include "storage/json.hpp"

namespace inos {
namespace {

// The two records that a merge is about, and its taking back.
struct Pair {
    std::string collection, into, from;
};

Result<Pair> parse_pair(Object const& body) {
    INOS_CHECK(check_members(body, {"collection", "into", "from"}));
    Pair pair;
    INOS_TRY(pair.collection, text_member(body, "collection"));
    INOS_CHECK(check_collection(pair.collection));
    INOS_TRY(pair.into, text_member(body, "into"));
    INOS_TRY(pair.from, text_member(body, "from"));
    return pair;
}

Value texts_value(std::vector<std::string> const& texts) {
    Array array;
    for (std::string const& text : texts)
        array.push_back(Value(text));
    return Value(std::move(array));
}

Value groups_value(Duplicates const& duplicates) {
    Array groups;
    for (DuplicateGroup const& group : duplicates.groups)
        groups.push_back(Value(Object{{"collection", Value(group.collection)},
                                      {"identity", Value(group.identity)},
                                      {"ids", texts_value(group.ids)}}));
    return Value(std::move(groups));
}

Value merged_value(std::vector<MergedRecord> const& records) {
    Array merged;
    for (MergedRecord const& record : records)
        merged.push_back(Value(Object{{"collection", Value(record.alias.collection)},
                                      {"from", Value(record.alias.from)},
                                      {"into", Value(record.master)},
                                      {"changed", Value(record.changed)},
                                      {"orphaned", Value(record.orphaned)},
                                      {"rivals", texts_value(record.rivals)}}));
    return Value(std::move(merged));
}

Value differences_value(std::vector<FieldDifference> const& differences) {
    Array array;
    for (FieldDifference const& one : differences)
        array.push_back(
            Value(Object{{"field", Value(one.field)}, {"kept", one.kept}, {"left", one.left}}));
    return Value(std::move(array));
}

// What the answer says of a merge, besides what the write came to.
Object merge_value(std::string const& from, RecordMerge const& merge) {
    Object body;
    set_member(body, "id", Value(merge.into));
    set_member(body, "alias", Value(from));
    set_member(body, "copied", texts_value(merge.copied));
    set_member(body, "differing", differences_value(merge.differing));
    return body;
}

Value with_changed(Object body, Committed const& committed) {
    set_member(body, "changed", Value(committed.dot.has_value()));
    return Value(std::move(body));
}

// A search in steps, each a piece of work of its own for the store.
class DuplicateQuery {
public:
    explicit DuplicateQuery(std::string collection)
        : collection_(collection), search_(std::move(collection)) {}

    bool done() const { return done_; }

    // The answer, when all is done.
    std::optional<HttpResponse> step(Replica& replica) {
        auto const finished = search_.step(replica, kDuplicateStep);
        if (finished && !*finished) return std::nullopt;
        done_ = true;
        return finished ? answer(replica) : api_error(finished.error());
    }

private:
    HttpResponse answer(Replica& replica) {
        auto merged = merged_records(replica, collection_);
        if (!merged) return api_error(merged.error());
        Duplicates const duplicates = search_.take();
        bool const all = merged->size() <= kMergedMax;
        if (!all) merged->resize(kMergedMax);
        return json_response(200,
                             Value(Object{{"groups", groups_value(duplicates)},
                                          {"complete", Value(duplicates.complete && all)},
                                          {"merged", merged_value(*merged)}}));
    }

    std::string collection_;
    DuplicateSearch search_;
    bool done_ = false;
};

void go_on(Store& store, std::shared_ptr<DuplicateQuery> query, HttpRespond respond) {
    store.query([query](Replica& replica) { return query->step(replica); },
                [&store, query, respond](std::optional<HttpResponse> answer) {
                    if (answer) return respond(*std::move(answer));
                    go_on(store, query, respond);
                });
}

}  // namespace

// The first step waits, as all reads do, until this node has seen what the client has.
void Api::list_duplicates(CallPtr call) {
    std::string const collection(call->param("collection"));
    auto const allowed = check_collection(collection);
    if (!allowed) return send(call, api_error(allowed.error()));
    auto const query = std::make_shared<DuplicateQuery>(collection);
    auto const first = std::make_shared<Call>(*call);
    first->respond = [this, call, query](HttpResponse response) {
        if (query->done() || response.status != 200) return call->respond(std::move(response));
        auto respond = [call, headers = std::move(response.headers)](HttpResponse answer) {
            if (auto const seen = headers.find("X-Inos-Frontier"); seen != headers.end())
                answer.headers["X-Inos-Frontier"] = seen->second;
            call->respond(std::move(answer));
        };
        go_on(store_, query, std::move(respond));
    };
    read(first, [query](Replica& replica) {
        auto answer = query->step(replica);
        return answer ? *std::move(answer) : json_response(200, Value());
    });
}

void Api::merge_records(CallPtr call) {
    auto const body = parse_json_object(call->request.body);
    if (!body) return send(call, body_error(body.error()));
    auto const pair = parse_pair(*body);
    if (!pair) return send(call, write_error(pair.error()));
    auto work = [pair = *pair](Replica& replica) {
        return plan_merge(replica, pair.collection, pair.into, pair.from);
    };
    auto done = [this, call, from = pair->from](Result<RecordMerge> merge) {
        if (!merge) return send(call, write_error(merge.error()));
        auto answer = [body = merge_value(from, *merge)](Committed const& committed) {
            Written written;
            written.body = with_changed(body, committed);
            return written;
        };
        write(call, {"", std::move(merge->writes)}, std::move(answer));
    };
    store_.query(std::move(work), std::move(done));
}

void Api::unmerge_record(CallPtr call) {
    auto const body = parse_json_object(call->request.body);
    if (!body) return send(call, body_error(body.error()));
    auto const pair = parse_pair(*body);
    if (!pair) return send(call, write_error(pair.error()));
    auto work = [pair = *pair](Replica& replica) {
        return plan_unmerge(replica, pair.collection, pair.into, pair.from);
    };
    auto done = [this, call, from = pair->from](Result<std::vector<Write>> writes) {
        if (!writes) return send(call, write_error(writes.error()));
        auto answer = [from](Committed const& committed) {
            Written written;
            written.body = with_changed(Object{{"id", Value(from)}}, committed);
            return written;
        };
        write(call, {"", *std::move(writes)}, std::move(answer));
    };
    store_.query(std::move(work), std::move(done));
}

}  // namespace inos
