// The API's schema: the document in force, and applying one.
#include <utility>

#include "net/api.hpp"
#include "net/api_format.hpp"
#include "storage/json.hpp"
#include "storage/schema_document.hpp"

namespace inos {
namespace {

// 422 with the first problem as the error, and all of them beside it.
HttpResponse problems_response(std::vector<SchemaProblem> const& problems) {
    Array all;
    for (SchemaProblem const& problem : problems)
        all.push_back(
            Value(Object{{"path", Value(problem.path)}, {"message", Value(problem.message)}}));
    SchemaProblem const& first = problems.front();
    std::string message = first.path + ": " + first.message;
    if (problems.size() > 1)
        message += " (and " + std::to_string(problems.size() - 1) + " more, see \"problems\")";
    Value body = error_value("invalid", message, first.path);
    set_member(*body.as<Object>()->front().value.as<Object>(), "problems", Value(std::move(all)));
    return json_response(422, body);
}

}  // namespace

void Api::get_schema(CallPtr call) {
    read(std::move(call), [](Replica& replica) {
        return json_response(200, Value(schema_document(replica.schema_documents())));
    });
}

void Api::post_schema(CallPtr call) {
    auto document = parse_json_object(call->request.body);
    if (!document) return send(call, body_error(document.error()));
    auto const problems = check_schema(*document);
    if (!problems.empty()) return send(call, problems_response(problems));
    auto work = [document = *document](Replica& replica) {
        return schema_writes(document, replica.schema_documents());
    };
    auto done = [this, call, document = *document](std::vector<Write> writes) {
        Array named, changed;
        for (Member const& member : document)
            named.push_back(Value(member.key));
        for (Write const& write : writes)
            changed.push_back(Value(write.name.key));
        Written written;
        written.body = Value(Object{{"collections", Value(std::move(named))},
                                    {"changed", Value(std::move(changed))}});
        write(call, {"", std::move(writes)}, [written](Committed const&) { return written; });
    };
    store_.query(std::move(work), std::move(done));
}

}  // namespace inos
