// inos list: the records of a collection, or the collections.
#include <algorithm>
#include <memory>
#include <ostream>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"
#include "tools/progress.hpp"

namespace inos {
namespace {

constexpr std::uint64_t kTableRows = 50;    // default for people
constexpr std::uint64_t kPageRows = 1'000;  // per request

struct Options {
    std::string collection, after, where, order, fields;
    std::uint64_t limit = 0;  // 0: the default
    bool count = false, explain = false;
};

Result<int> list_collections(Context& context, Client& client) {
    INOS_TRY(auto const answer, client.call({"GET", "/v1/collections", {}, {}, ""}));
    auto const* collections = answer.as<Array>();
    Table table({"collection", "records"});
    for (auto const& collection : collections ? *collections : Array{}) {
        if (context.json) print_json_line(context, collection);
        table.add({text_of(collection, "name"),
                   grouped(static_cast<std::uint64_t>(number_of(collection, "records")))});
    }
    if (context.json) return kExitDone;
    if (table.empty()) {
        context.terminal.out << "no records yet\n";
    } else {
        table.print(context.terminal);
    }
    return kExitDone;
}

ApiRequest request_of(Options const& options) {
    ApiRequest request{"GET", collection_path(options.collection), {}, {}, ""};
    if (!options.where.empty()) request.query["where"] = options.where;
    if (!options.order.empty()) request.query["order"] = options.order;
    if (!options.fields.empty()) request.query["fields"] = options.fields;
    return request;
}

Result<int> count_records(Context& context, Client& client, Options const& options) {
    Progress progress(context.terminal, "counting", 0);
    std::uint64_t count = 0;
    for (std::string after;;) {
        ApiRequest request = request_of(options);
        request.query["count"] = "true";
        if (!after.empty()) request.query["after"] = after;
        INOS_TRY(auto const page, client.call(request));
        count += static_cast<std::uint64_t>(number_of(page, "count"));
        progress.update(count);
        after = text_of(page, "next");
        if (after.empty()) break;
    }
    progress.clear();
    if (context.json)
        print_json_line(context,
                        Value(Object{{"collection", Value(options.collection)},
                                     {"count", Value(static_cast<std::int64_t>(count))}}));
    else
        context.terminal.out << grouped(count) << '\n';
    return kExitDone;
}

std::string joined(Array const& texts, char const* between) {
    std::string all;
    for (Value const& text : texts)
        if (auto const* one = text.as<std::string>()) all += (all.empty() ? "" : between) + *one;
    return all;
}

Result<int> explain_query(Context& context, Client& client, Options const& options) {
    ApiRequest request = request_of(options);
    request.query["explain"] = "true";
    INOS_TRY(auto const answer, client.call(request));
    if (context.json) {
        print_json_line(context, answer);
        return kExitDone;
    }
    Value const* plan = answer.find("plan");
    Value const none;
    Value const& shown = plan ? *plan : none;
    std::string const index = joined(array_of(shown, "index"), ", ");
    std::string const conditions = joined(array_of(shown, "conditions"), " and ");
    std::string const order = text_of(shown, "order");
    auto& out = context.terminal.out;
    out << "reads      "
        << (index.empty() ? "every record of the collection: no index helps"
                          : "the index of " + clean_text(index))
        << '\n';
    if (!conditions.empty()) out << "only where " << clean_text(conditions) << '\n';
    out << "order      "
        << (order == "index"    ? "as the index has it"
            : order == "sorted" ? "sorted when all have been read"
                                : "by id")
        << '\n'
        << "bound      " << clean_text(text_of(shown, "bound")) << '\n';
    std::string const help = joined(array_of(shown, "would_help"), ", ");
    if (!help.empty()) out << "would help an index of " << clean_text(help) << '\n';
    return kExitDone;
}

Result<int> list_records(Context& context, Client& client, Options const& options) {
    std::uint64_t const limit = options.limit > 0 ? options.limit
                                : context.json    ? UINT64_MAX
                                                  : kTableRows;
    std::string after = options.after;
    Array shown;
    bool more = true;
    for (std::uint64_t count = 0; more && count < limit;) {
        ApiRequest request = request_of(options);
        request.query["limit"] = std::to_string(std::min(limit - count, kPageRows));
        if (!after.empty()) request.query["after"] = after;
        INOS_TRY(auto const page, client.call(request));
        for (auto const& record : array_of(page, "records")) {
            ++count;
            if (context.json) {
                print_json_line(context, record);
            } else {
                shown.push_back(record);
            }
        }
        after = text_of(page, "next");
        more = !after.empty();
    }
    if (context.json) return kExitDone;
    if (shown.empty()) {
        context.terminal.out << "no records in \"" << clean_text(options.collection) << "\""
                             << (options.where.empty() ? "" : " of which that is true")
                             << (options.after.empty() ? "" : " after that id") << '\n';
        return kExitDone;
    }
    print_records(context, shown);
    if (more) {
        context.terminal.out << context.terminal.dim("more: --after '" + clean_text(after) + "'")
                             << '\n';
    }
    return kExitDone;
}

}  // namespace

void add_list(CommandLine& line) {
    auto options = std::make_shared<Options>();
    line.add("list", "List the records of a collection, or the collections")
        .optional_argument(
            "COLLECTION", options->collection, "the collection; without one: all collections")
        .option("--limit", options->limit, "N", "at most N records; default 50, with --json all")
        .option("--after", options->after, "ID", "begin behind this id")
        .option("--where",
                options->where,
                "EXPR",
                "only records of which EXPR is true: FIELD and = != < <= > >= contains "
                "prefix in (A, B), exists FIELD; and, or, not")
        .option("--order",
                options->order,
                "A,-B.C",
                "in the order of these fields, - descends; without it by id")
        .option("--fields", options->fields, "A,B.C", "of each record only these fields")
        .flag("--count", options->count, "only say how many there are")
        .flag("--explain", options->explain, "only say which index answers it, if any")
        .example("inos list", "which collections there are")
        .example("inos list customers --limit 20", "the first twenty customers, by id")
        .example("inos list customers --where 'city = \"Kiel\" and not exists phone'",
                 "whom nobody in Kiel can call")
        .example("inos list orders --where 'state = \"open\"' --order=-created --limit 10",
                 "the ten newest open orders")
        .example("inos list customers --json | jq -r .fields.email",
                 "every customer, one JSON document a line")
        .body([options](Context& context) -> Result<int> {
            INOS_TRY(auto client, Client::open(context));
            if (options->collection.empty()) return list_collections(context, *client);
            if (options->count) return count_records(context, *client, *options);
            if (options->explain) return explain_query(context, *client, *options);
            return list_records(context, *client, *options);
        });
}

}  // namespace inos
