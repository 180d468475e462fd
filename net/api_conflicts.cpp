// The API's conflicts: records whose fields have concurrent values that differ, and deciding them.
#include <utility>

#include "net/api.hpp"
#include "net/api_call.hpp"
#include "net/api_format.hpp"
#include "storage/json.hpp"

namespace inos {
namespace {

constexpr std::size_t kRecordsDefault = 100;
constexpr std::size_t kRecordsMax = 1'000;
constexpr std::size_t kPageRecords = 100;  // names read from the index at a time

struct Search {
    std::string only;  // this collection; empty: all
    RecordName after;
    std::size_t limit = kRecordsDefault;
};

// One page of a search: until enough is found or looked at, then `next` says where to go on.
class Page {
public:
    explicit Page(Search search) : only_(search.only), after_(search.after), found_(search.limit) {}

    HttpResponse read(Replica const& replica) {
        auto const done = go(replica);
        return done ? found_.answer("records", next_) : api_error(done.error());
    }

private:
    Result<void> go(Replica const& replica) {
        for (bool more = true; more;) {
            INOS_TRY(auto const names, replica.conflict_candidates(after_, only_, kPageRecords));
            more = names.size() == kPageRecords;
            for (RecordName const& name : names) {
                after_ = name;
                if (name.collection.front() != '_') {
                    INOS_TRY(auto const record, replica.get(name));
                    // What lies under an alias is not read; its master has a turn of its own.
                    if (record && record->alias.empty()) add(replica, name.collection, *record);
                } else if (name.collection == kAliasCollection) {
                    INOS_TRY(auto const record, replica.get(name));
                    if (record) add_alias(replica, *record);
                }
                if (!found_.full() && ++scanned_ < kConflictScanMax) continue;
                next_ = name;
                return {};
            }
        }
        return {};
    }

    void add(Replica const& replica, std::string const& collection, RecordView const& record) {
        if (record.conflicts.empty()) return;
        found_.add(
            Value(Object{{"collection", Value(collection)},
                         {"id", Value(record.id)},
                         {"version", Value(record.version)},
                         {"conflicts", conflicts_value(record.conflicts, replica.membership())}}));
    }

    // Sites that made one id an alias of different records: shown as a conflict of that id. Another
    // merge decides it.
    void add_alias(Replica const& replica, RecordView record) {
        std::erase_if(record.conflicts, [](Conflict const& one) { return one.field != "to"; });
        auto const alias = Alias::parse(record.id, record.fields);
        if (!alias || record.conflicts.empty()) return;
        record.id = alias->from;
        record.conflicts.front().field = kAliasCollection;
        add(replica, alias->collection, record);
    }

    std::string only_;
    RecordName after_;
    AnswerPage found_;
    std::size_t scanned_ = 0;
    std::optional<RecordName> next_;
};

Result<Write> parse_resolution(Object const& body) {
    INOS_CHECK(check_members(body, {"collection", "id", "field", "value", "if_match"}));
    Write write;
    write.kind = Write::Kind::resolve;
    INOS_TRY(write.name.collection, text_member(body, "collection"));
    INOS_CHECK(check_collection(write.name.collection));
    INOS_TRY(write.name.key, text_member(body, "id"));
    INOS_TRY(std::string const field, text_member(body, "field"));
    if (find_member(body, "if_match")) {
        INOS_TRY(write.if_match, text_member(body, "if_match"));
    }
    Value const* value = find_member(body, "value");
    if (!value)
        return fail(
            Errc::invalid, "\"value\" is missing; it is what the field shall have", "value");
    write.fields = {{field, *value}};
    return write;
}

}  // namespace

void Api::list_conflicts(CallPtr call) {
    Search search;
    search.only = std::string(call->param("collection"));
    auto const allowed = check_collection(search.only);
    if (!allowed) return send(call, api_error(allowed.error()));
    if (call->request.query.contains("limit")) {
        auto const number = parse_number("limit", call->param("limit"), 1, kRecordsMax);
        if (!number) return send(call, api_error(number.error()));
        search.limit = static_cast<std::size_t>(*number);
    }
    auto after = parse_record_cursor(call->param("after"));
    if (!after) return send(call, api_error(after.error()));
    search.after = *std::move(after);
    read(std::move(call),
         [search = std::move(search)](Replica& replica) { return Page(search).read(replica); });
}

void Api::resolve_conflict(CallPtr call) {
    auto const body = parse_json_object(call->request.body);
    if (!body) return send(call, body_error(body.error()));
    auto resolution = parse_resolution(*body);
    if (!resolution) return send(call, write_error(resolution.error()));
    Transaction transaction;
    transaction.writes.push_back(*std::move(resolution));
    write(std::move(call), std::move(transaction), [](Committed const& committed) {
        WriteOutcome const& outcome = committed.writes.front();
        Written written;
        written.etag = outcome.version;
        Object settled;
        set_member(settled, "id", Value(outcome.id));
        set_member(settled, "version", Value(outcome.version));
        set_member(settled, "changed", Value(outcome.changed));
        add_warnings(settled, outcome.warnings);
        written.body = Value(std::move(settled));
        return written;
    });
}

}  // namespace inos
