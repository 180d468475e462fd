// GET /v1/erasures: what was erased for good, and which sites have no byte of it any more.
// GET and POST /v1/orphans: edits whose record every site has purged, for a person to decide.
#include <algorithm>
#include <utility>

#include "net/api.hpp"
#include "net/api_call.hpp"
#include "net/api_format.hpp"
#include "storage/json.hpp"

namespace inos {
namespace {

constexpr std::size_t kOrphansDefault = 100;
constexpr std::size_t kPageOrphans = 100;  // read at a time

Value names(std::vector<std::string> const& list) {
    Array array;
    for (auto const& name : list)
        array.push_back(Value(name));
    return Value(std::move(array));
}

// The id is gone; its tag tells erasures apart.
Value erasure_value(ErasureStatus const& status) {
    bool const known = !status.site.empty();
    return Value(Object{{"tag", Value(crypto::hex(crypto::view(status.tag)))},
                        {"collection", Value(status.collection)},
                        {"site", known ? Value(status.site) : Value()},
                        {"source", known ? Value(status.source) : Value()},
                        {"time", known ? Value(utc_text(status.time.ms())) : Value()},
                        {"done", names(status.done)},
                        {"waiting", names(status.waiting)}});
}

HttpResponse orphans_page(Replica const& replica,
                          std::string const& only,
                          RecordName after,
                          std::size_t limit) {
    AnswerPage found(limit);
    for (bool more = true; more;) {
        auto const page = replica.orphans(after, only, kPageOrphans);
        if (!page) return api_error(page.error());
        more = page->size() == kPageOrphans;
        for (RecordView const& view : *page) {
            after = {view.collection, view.id};
            found.add(Value(Object{{"collection", Value(view.collection)},
                                   {"id", Value(view.id)},
                                   {"fields", Value(view.fields)}}));
            if (found.full()) return found.answer("orphans", after);
        }
    }
    return found.answer("orphans", std::nullopt);
}

}  // namespace

void Api::list_erasures(CallPtr call) {
    read(std::move(call), [](Replica& replica) {
        auto list = replica.erasure_status();
        std::sort(
            list.begin(), list.end(), [](auto const& a, auto const& b) { return a.time < b.time; });
        Array erasures;
        for (ErasureStatus const& status : list)
            erasures.push_back(erasure_value(status));
        return json_response(200, Value(Object{{"erasures", Value(std::move(erasures))}}));
    });
}

void Api::list_orphans(CallPtr call) {
    std::uint64_t limit = kOrphansDefault;
    if (call->request.query.contains("limit")) {
        auto const number = parse_number("limit", call->param("limit"), 1, kListLimitMax);
        if (!number) return send(call, api_error(number.error()));
        limit = *number;
    }
    auto after = parse_record_cursor(call->param("after"));
    if (!after) return send(call, api_error(after.error()));
    auto work = [only = std::string(call->param("collection")), after = *std::move(after), limit](
                    Replica& replica) { return orphans_page(replica, only, after, limit); };
    read(std::move(call), std::move(work));
}

void Api::decide_orphan(CallPtr call) {
    auto const body = parse_json_object(call->request.body);
    if (!body) return send(call, body_error(body.error()));
    auto const parse = [&body]() -> Result<Transaction> {
        INOS_CHECK(check_members(*body, {"collection", "id", "keep"}));
        Write write;
        INOS_TRY(write.name.collection, text_member(*body, "collection"));
        INOS_CHECK(check_collection(write.name.collection));
        INOS_TRY(write.name.key, text_member(*body, "id"));
        Value const* keep = find_member(*body, "keep");
        if (!keep || !keep->as<bool>())
            return fail(Errc::invalid, "\"keep\" has to be true or false", "keep");
        write.kind = *keep->as<bool>() ? Write::Kind::revive : Write::Kind::cover;
        return Transaction{"", {write}};
    };
    auto transaction = parse();
    if (!transaction) return send(call, write_error(transaction.error()));
    RecordName const name = transaction->writes.front().name;
    // Only what is listed: a record that is there has other ways to be written.
    auto work = [name](Replica& replica) { return replica.is_orphan(name); };
    auto done = [this, call, name, transaction = *std::move(transaction)](Result<bool> orphan) {
        if (!orphan) return send(call, api_error(orphan.error()));
        if (!*orphan)
            return send(call,
                        api_error(404,
                                  "not_found",
                                  "there is no edit without a record under \"" + name.key +
                                      "\" in \"" + name.collection + "\"",
                                  "id"));
        write(call, transaction, [name](Committed const&) {
            Written written;
            written.body =
                Value(Object{{"collection", Value(name.collection)}, {"id", Value(name.key)}});
            return written;
        });
    };
    store_.query(std::move(work), std::move(done));
}

}  // namespace inos
