// inos members: the sites of the space.
#include <memory>
#include <ostream>

#include "storage/json.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {
namespace {

std::string writes_text(Value const& member) {
    std::string scope;
    for (auto const& collection : array_of(member, "scope"))
        scope += (scope.empty() ? "" : ", ") + cell_text(&collection);
    std::string const role = text_of(member, "role");
    if (role != "admin" && role != "writer") return "nothing";
    return scope.empty() ? "everything" : scope;
}

// What a retired site's shares of bounded counters wait for; empty: for nothing.
std::string waiting_text(Value const& member) {
    std::string names;
    for (auto const& name : array_of(member, "heir_waits_for"))
        names += (names.empty() ? "" : ", ") + cell_text(&name);
    if (names.empty()) return {};
    return "what " + text_of(member, "name") + " held of bounded counters is " +
           text_of(member, "heir") + "'s to use when it has heard from " + names;
}

// What is known of it: who retired it, or when it was last heard of and what it may not hold yet.
std::string state_text(Value const& member) {
    std::string const state = text_of(member, "state");
    if (state == "retired")
        return "retired by " + text_of(member, "retired_by") + ", " + text_of(member, "retired");
    if (state == "refused") return "admitted by a site that was retired";
    if (bool_of(member, "self")) return "this site";
    std::string const seen = text_of(member, "acknowledged");
    auto const missing = static_cast<std::uint64_t>(number_of(member, "missing"));
    if (seen.empty()) return "never heard of";
    if (missing == 0) return "holds all that is here";
    return grouped(missing) + " entries behind on " + seen;
}

Result<int> list(Context& context) {
    INOS_TRY(auto client, Client::open(context));
    INOS_TRY(auto const answer, client->call({"GET", "/v1/members", {}, {}, ""}));
    auto const* listed = answer.as<Array>();
    Array const& members = listed ? *listed : array_of(answer, "members");
    if (context.json) {
        print_json_line(context, Value(members));
        return kExitDone;
    }
    Table table({"name", "role", "may write", "state", "site"});
    for (auto const& member : members)
        table.add({text_of(member, "name"),
                   text_of(member, "role"),
                   writes_text(member),
                   state_text(member),
                   text_of(member, "site")});
    table.print(context.terminal);
    for (auto const& member : members)
        if (auto const waiting = waiting_text(member); !waiting.empty())
            context.terminal.out << clean_text(waiting) << '\n';
    return kExitDone;
}

std::string names_text(Array const& records) {
    std::string names;
    for (Value const& record : records)
        names += (names.empty() ? "" : ", ") + text_of(record, "collection") + "/" +
                 text_of(record, "id");
    return names;
}

Result<int> list_reviews(Context& context) {
    INOS_TRY(auto client, Client::open(context));
    INOS_TRY(auto const answer, client->call({"GET", "/v1/members/reviews", {}, {}, ""}));
    Array const& reviews = array_of(answer, "reviews");
    if (context.json) {
        for (Value const& review : reviews)
            print_json_line(context, review);
        return kExitDone;
    }
    Table table({"actor", "site", "because", "entries", "records"});
    for (Value const& review : reviews) {
        auto const not_kept = static_cast<std::uint64_t>(number_of(review, "not_kept"));
        table.add(
            {text_of(review, "actor"),
             text_of(review, "name"),
             text_of(review, "reason") == "retired" ? "it was retired by then"
                                                    : "it had fewer rights by then",
             std::to_string(number_of(review, "from")) + " to " +
                 std::to_string(number_of(review, "to")) +
                 (not_kept > 0 ? " (the first " + grouped(not_kept) + " are no longer kept)" : ""),
             names_text(array_of(review, "records"))});
    }
    if (table.empty())
        context.terminal.out << "nothing waits for a review\n";
    else
        table.print(context.terminal);
    return kExitDone;
}

Result<int> decide(Context& context, std::string const& actor, char const* decision) {
    INOS_TRY(auto client, Client::open(context));
    Object body{{"actor", Value(actor)}, {"decision", Value(decision)}};
    INOS_TRY(auto const answer,
             client->call({"POST", "/v1/members/reviews", {}, {}, write_json(Value(body))}));
    if (context.json) {
        print_json_line(context, answer);
        return kExitDone;
    }
    auto const changed = static_cast<std::uint64_t>(number_of(answer, "changed"));
    if (text_of(answer, "decision") == "keep")
        context.terminal.out << "kept\n";
    else
        context.terminal.out << "reverted: " << grouped(changed) << " records are as if it had not "
                             << "been written\n";
    if (auto const left = static_cast<std::uint64_t>(number_of(answer, "left_count")); left > 0)
        context.terminal.err << "warning: " << grouped(left)
                             << " records stay as they are, because their history is not kept "
                                "back to its beginning here; look at them yourself: "
                             << clean_text(names_text(array_of(answer, "left"))) << '\n';
    return kExitDone;
}

}  // namespace

void add_members(CommandLine& line) {
    auto& command =
        line.add("members", "List the sites of the space, their rights and what is known of them");
    command.example("inos members", "who belongs to the space, as far as this site knows")
        .example("inos members --json", "for scripts")
        .body(list);
    command.subcommand("review", "What was taken from sites that were retired by then")
        .note(
            "Members that had not heard of it took these entries in good faith, so all sites hold "
            "them. Keep\n"
            "them or revert them; that is an ordinary edit, and counts everywhere.")
        .example("inos members review", "what waits for a decision")
        .body(list_reviews);
    for (char const* decision : {"keep", "revert"}) {
        auto actor = std::make_shared<std::string>();
        command.subcommand(decision, std::string(decision) + " what inos members review shows")
            .argument("ACTOR", *actor, "as inos members review shows it")
            .example("inos members " + std::string(decision) + " 61061ee48f5f00a7",
                     "all that is listed of this actor")
            .body(
                [actor, decision](Context& context) { return decide(context, *actor, decision); });
    }
}

}  // namespace inos
