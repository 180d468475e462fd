// inos duplicates: records that are about the same thing, by their collection's identity.
#include <memory>
#include <ostream>

#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace inos {
namespace {

std::string joined(Array const& texts) {
    std::string text;
    for (Value const& item : texts)
        text += (text.empty() ? "" : ", ") + cell_text(&item);
    return text;
}

// {"email": "a@b.c"} as email=a@b.c
std::string identity_text(Value const* identity) {
    auto const* fields = identity ? identity->as<Object>() : nullptr;
    std::string text;
    for (Member const& member : fields ? *fields : Object{})
        text += (text.empty() ? "" : ", ") + member.key + "=" + cell_text(&member.value);
    return text;
}

void print_groups(Context& context, Value const& answer) {
    Table table({"collection", "identity", "ids"});
    for (Value const& group : array_of(answer, "groups"))
        table.add({text_of(group, "collection"),
                   identity_text(group.find("identity")),
                   joined(array_of(group, "ids"))});
    if (table.empty()) {
        context.terminal.out << "no duplicates\n";
    } else {
        table.print(context.terminal);
    }
    if (!bool_of(answer, "complete"))
        context.terminal.out << "there are more; merge some of these and look again\n";
}

void print_merged(Context& context, Value const& answer) {
    Table table({"collection", "id", "stands for", ""});
    for (Value const& record : array_of(answer, "merged")) {
        std::string const rivals = joined(array_of(record, "rivals"));
        std::string note = bool_of(record, "changed") ? "changed since" : "";
        if (bool_of(record, "orphaned"))
            note = "that was deleted meanwhile; inos unmerge shows this one again";
        if (!rivals.empty()) note += (note.empty() ? "or for " : ", or for ") + rivals;
        table.add({text_of(record, "collection"),
                   text_of(record, "from"),
                   text_of(record, "into"),
                   note});
    }
    if (table.empty()) {
        context.terminal.out << "no merged records\n";
    } else {
        table.print(context.terminal);
    }
}

}  // namespace

void add_duplicates(CommandLine& line) {
    struct Options {
        std::string collection;
        bool merged = false;
    };
    auto options = std::make_shared<Options>();
    line.add("duplicates", "List records that agree in their collection's identity")
        .optional_argument("COLLECTION", options->collection, "only of this collection")
        .flag("--merged", options->merged, "records that were merged into others instead")
        .note(
            "The schema says which fields make the identity, such as identity = [\"email\"]. Texts "
            "are\n"
            "compared without white space at their ends and in small letters. Nothing is changed: "
            "see\n"
            "inos merge-records.")
        .example("inos duplicates customers", "customers with the same e-mail address")
        .example("inos duplicates --merged", "which ids stand for other records")
        .body([options](Context& context) -> Result<int> {
            INOS_TRY(auto client, Client::open(context));
            ApiRequest request{"GET", "/v1/duplicates", {}, {}, ""};
            if (!options->collection.empty()) request.query["collection"] = options->collection;
            INOS_TRY(auto const answer, client->call(request));
            if (context.json) {
                for (Value const& one : array_of(answer, options->merged ? "merged" : "groups"))
                    print_json_line(context, one);
                if (!options->merged && !bool_of(answer, "complete"))
                    context.terminal.err << "warning: there are more duplicates than these\n";
            } else if (options->merged) {
                print_merged(context, answer);
            } else {
                print_groups(context, answer);
            }
            return kExitDone;
        });
}

}  // namespace inos
