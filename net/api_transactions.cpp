// POST /v1/transactions: several writes, all or nothing, here and at every site.
#include <utility>

#include "net/api.hpp"
#include "net/api_call.hpp"
#include "net/api_format.hpp"
#include "storage/json.hpp"
#include "storage/near_miss.hpp"

namespace inos {
namespace {

// A record's fields lie three levels deeper here than in the body of a PUT.
constexpr int kDepthMax = kValueDepthMax + 3;

Result<Write::Kind> parse_kind(std::string const& op) {
    if (op == "put") return Write::Kind::put;
    if (op == "patch") return Write::Kind::patch;
    if (op == "delete") return Write::Kind::delete_;
    if (op == "erase") return Write::Kind::erase;
    std::string const hint = did_you_mean(op, {"put", "patch", "delete", "erase"});
    return fail(Errc::invalid,
                "unknown op \"" + op + "\"" +
                    (hint.empty() ? "; there is \"put\", \"patch\", \"delete\", \"erase\"" : hint),
                "op");
}

Result<Write> parse_op(Value const& value) {
    auto const* op = value.as<Object>();
    if (!op) return fail(Errc::invalid, "an op has to be an object");
    INOS_CHECK(check_members(*op, {"op", "collection", "id", "fields", "if_match"}));
    INOS_TRY(std::string const kind, text_member(*op, "op"));
    Write write;
    INOS_TRY(write.kind, parse_kind(kind));
    INOS_TRY(write.name.collection, text_member(*op, "collection"));
    INOS_CHECK(check_collection(write.name.collection));
    INOS_TRY(write.name.key, text_member(*op, "id"));
    if (find_member(*op, "if_match")) {
        INOS_TRY(write.if_match, text_member(*op, "if_match"));
    }
    Value const* fields = find_member(*op, "fields");
    if (write.kind == Write::Kind::delete_ || write.kind == Write::Kind::erase) {
        if (!fields) return write;
        return fail(Errc::invalid, "\"" + kind + "\" takes no \"fields\"", "fields");
    }
    auto const* object = fields ? fields->as<Object>() : nullptr;
    if (!object)
        return fail(Errc::invalid, "\"fields\" is missing; it has to be an object", "fields");
    write.fields = *object;
    return write;
}

Result<Transaction> parse_transaction(Object const& body) {
    INOS_CHECK(check_members(body, {"ops"}));
    Value const* ops = find_member(body, "ops");
    auto const* array = ops ? ops->as<Array>() : nullptr;
    if (!array) return fail(Errc::invalid, "\"ops\" is missing; it has to be a list", "ops");
    if (array->size() > kEntryOpsMax)
        return fail(Errc::too_large,
                    "a transaction takes at most " + std::to_string(kEntryOpsMax) + " ops, not " +
                        std::to_string(array->size()) + "; split it",
                    "ops");
    Transaction transaction;
    for (std::size_t i = 0; i < array->size(); ++i) {
        std::string const place = "ops[" + std::to_string(i) + "]";
        auto write = parse_op((*array)[i]);
        if (!write) {
            Error error = write.error().prefixed(place);
            error.field = error.field.empty() ? place : place + "." + error.field;
            return tl::unexpected<Error>(std::move(error));
        }
        transaction.writes.push_back(*std::move(write));
    }
    return transaction;
}

Value outcome_value(Write const& write, WriteOutcome const& outcome) {
    bool const exists = !outcome.version.empty();
    Object op{{"changed", Value(outcome.changed)},
              {"collection", Value(write.name.collection)},
              {"created", Value(outcome.created)},
              {"id", Value(outcome.id)},
              {"version", exists ? Value(outcome.version) : Value()}};
    if (write.kind == Write::Kind::delete_) set_member(op, "found", Value(outcome.found));
    add_warnings(op, outcome.warnings);
    return Value(std::move(op));
}

}  // namespace

void Api::post_transaction(CallPtr call) {
    auto const body = parse_json_object(call->request.body, kDepthMax);
    if (!body) return send(call, body_error(body.error()));
    auto transaction = parse_transaction(*body);
    if (!transaction) return send(call, write_error(transaction.error()));
    // What the answer says of each write: its name and kind, not its fields.
    std::vector<Write> named;
    for (Write const& write : transaction->writes)
        named.push_back({write.kind, write.name, {}, {}});
    auto answer = [named = std::move(named)](Committed const& committed) {
        Array ops;
        for (std::size_t i = 0; i < named.size(); ++i)
            ops.push_back(outcome_value(named[i], committed.writes[i]));
        Written written;
        written.body = Value(Object{{"ops", Value(std::move(ops))}});
        return written;
    };
    write(std::move(call), *std::move(transaction), std::move(answer));
}

}  // namespace inos
