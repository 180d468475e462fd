#include "tools/write_options.hpp"

#include <ostream>

#include "storage/json.hpp"
#include "tools/output.hpp"

namespace inos {

void add_write_options(Command& command, WriteOptions& options) {
    command
        .option("--if-match",
                options.if_match,
                "VERSION",
                "only if the record still is this version (inos get shows it)")
        .option("--source",
                options.source,
                "NAME",
                "who asks for the write: what policy \"priority\" ranks")
        .option("--idempotency-key",
                options.request,
                "KEY",
                "made again under the same KEY within a day, it is not done twice")
        .option("--wait", options.wait, "N", "return when N other sites have it durably too")
        .option("--timeout", options.timeout_s, "SECONDS", "how long --wait waits; default 10");
}

void apply_write_options(ApiRequest& request, WriteOptions const& options) {
    if (!options.if_match.empty()) request.headers["if-match"] = "\"" + options.if_match + "\"";
    if (!options.request.empty()) request.headers["idempotency-key"] = options.request;
    if (!options.source.empty()) request.query["source"] = options.source;
    if (options.wait > 0) {
        request.query["wait"] = std::to_string(options.wait);
        request.query["timeout"] = std::to_string(options.timeout_s);
    }
}

Result<int> send_write(Context& context,
                       ApiRequest const& request,
                       std::string const& what,
                       std::string_view done) {
    INOS_TRY(auto client, Client::open(context));
    INOS_TRY(auto response, client->request(request));
    if (response.status >= 400) return tl::unexpected<Error>(error_of(response));
    auto const body = parse_json(response.body);
    if (body) print_warnings(context, *body);
    if (context.json) {
        context.terminal.out << (response.body.empty() ? "{}" : response.body) << '\n';
    } else {
        bool const unchanged = body && body->find("changed") && !bool_of(*body, "changed");
        if (done.empty())
            done = response.status == 204              ? "deleted"
                   : body && bool_of(*body, "created") ? "created"
                   : unchanged                         ? "unchanged"
                                                       : "stored";
        context.terminal.out << what << " " << done << '\n';
    }
    if (response.status == 202) {
        return fail(
            Errc::unavailable,
            what +
                " is durable here, but not yet at as many other sites as --wait asks for; it "
                "will go there when they can be reached");
    }
    return kExitDone;
}

}  // namespace inos
