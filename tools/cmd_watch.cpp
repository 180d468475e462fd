// inos watch: the change feed, one JSON document a line.
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include "storage/json.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"

namespace inos {
namespace {

struct Options {
    std::string collection, since;
    bool once = false, snapshot = false;
};

// Says where to go on, once there was something to go on from.
Error with_cursor(Error error, std::string const& cursor) {
    bool const usable = error.code != Errc::invalid && error.code != Errc::gone;
    if (!cursor.empty() && usable)
        error.message +=
            "; the last cursor was " + cursor + ", go on with: inos watch --since " + cursor;
    return error;
}

Error error_of_event(ServerEvent const& event) {
    auto const body = parse_json(event.data);
    auto const* const error = body ? body->find("error") : nullptr;
    bool const gone = error && text_of(*error, "code") == "gone";
    return error_of({gone ? 410 : 500, {}, event.data});
}

Result<int> watch(Context& context, Options const& options) {
    INOS_TRY(auto client, Client::open(context));
    ApiRequest request{"GET", "/v1/changes", {}, {}, ""};
    if (!options.collection.empty()) request.query["collection"] = options.collection;
    if (options.snapshot && !options.since.empty())
        return fail(Errc::usage, "--snapshot begins from nothing: it excludes --since", "--since");
    if (options.snapshot)
        request.query["snapshot"] = "true";
    else if (!options.since.empty() || options.once)
        request.query["since"] = options.since.empty() ? "0" : options.since;
    if (options.once) request.query["live"] = "false";

    std::string cursor = options.since == "0" ? "" : options.since;
    bool arriving = options.snapshot;  // nothing has come of it yet
    std::optional<Error> failure;
    auto const on_event = [&](ServerEvent const& event) {
        if (!event.id.empty()) cursor = event.id;
        if (event.name == "error") failure = error_of_event(event);
        bool const position =
            event.name == "cursor" && (options.once || std::exchange(arriving, false));
        bool const told = event.name == "snapshot" || event.name == "schema";
        if (event.name.empty()) arriving = false;
        if (!event.name.empty() && !position && !told) return !failure;
        context.terminal.out << event.data << '\n';
        context.terminal.out.flush();
        if (!context.terminal.out)
            failure = Error{Errc::io, "the change feed cannot be written to standard output", ""};
        return !failure;
    };
    auto const ended = client->events(request, on_event);
    if (failure) return tl::unexpected<Error>(with_cursor(*failure, cursor));
    if (!ended) return tl::unexpected<Error>(with_cursor(ended.error(), cursor));
    if (options.once) return kExitDone;
    return tl::unexpected<Error>(
        with_cursor(Error{Errc::unavailable, "the node has stopped", ""}, cursor));
}

}  // namespace

void add_watch(CommandLine& line) {
    auto options = std::make_shared<Options>();
    line.add("watch", "Print every change as it happens, one JSON document a line")
        .optional_argument("COLLECTION", options->collection, "only of this collection")
        .option("--since",
                options->since,
                "CURSOR",
                "what came after this \"cursor\" of a line first; 0: everything")
        .flag("--snapshot",
              options->snapshot,
              "first {\"snapshot\":true} and every record there is, then what comes")
        .flag("--once", options->once, "end after what is there now; without --since, everything")
        .note(
            "Needs the running node. \"fields\" is null for a record that was deleted. Lines with "
            "\"more\": true\n"
            "belong to one group with the next line, so a transaction never ends on one of them. "
            "The cursor of\n"
            "any line is a place to go on from, at every site of the space. With --once the last "
            "line is\n"
            "{\"cursor\"} alone if only other collections have changed behind the line before. A "
            "line\n"
            "{\"collections\"} says that a schema has changed, and with it what the records of "
            "these "
            "read as.\n"
            "Status 3: the cursor is too old, or of another history; begin with --snapshot.")
        .example("inos watch --snapshot --once", "what there is, without what was deleted")
        .example("inos watch customers", "from now on, until Ctrl-C")
        .example("inos watch --since 0 --once > all.jsonl", "what there is, and where it ends")
        .body([options](Context& context) { return watch(context, *options); });
}

}  // namespace inos
