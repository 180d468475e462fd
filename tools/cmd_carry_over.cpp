// inos carry-over: what a retired site wrote and nobody got, shown, and written anew by the site
// that took its place.
#include <fstream>
#include <memory>
#include <ostream>
#include <set>

#include "storage/crypto/site_id.hpp"
#include "storage/json.hpp"
#include "storage/site_directory.hpp"
#include "storage/undelivered.hpp"
#include "tools/client.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"
#include "tools/system_clock.hpp"
#include "tools/unlock.hpp"

namespace inos {
namespace {

// What the new site knows of the old one's actors, by the status of its node.
VersionVector vector_of(Value const& status) {
    VersionVector vector;
    for (Value const& space : array_of(status, "spaces")) {
        auto const* shown = space.find("vector");
        auto const* actors = shown ? shown->as<Object>() : nullptr;
        for (std::size_t i = 0; actors && i < actors->size(); ++i) {
            auto const bytes = crypto::unhex((*actors)[i].key);
            auto const* seq = (*actors)[i].value.as<std::int64_t>();
            if (bytes && bytes->size() == 8 && seq && *seq > 0)
                vector.set(ActorId{Reader(*bytes).u64()}, static_cast<Seq>(*seq));
        }
    }
    return vector;
}

// A member would deliver it itself, and then it would be there twice.
struct Old {
    std::vector<Undelivered> undelivered;
    crypto::Secret mark_key;  // of the lines of its carried-over
};
Result<Old> read_old(Context const& context,
                     std::string const& dir,
                     VersionVector const& known,
                     Value const& members) {
    SystemClock const clock;
    INOS_TRY(auto const key, unlock(context, dir));
    INOS_TRY(auto const site, open_site(dir, clock, Durability::synced, pointer_to(key)));
    std::string const id = site_id_text(site->keys.identity.public_key);
    bool former = false;
    if (auto const* list = members.as<Array>())
        for (Value const& member : *list)
            former =
                former || (text_of(member, "site") == id && text_of(member, "state") != "member");
    if (!former)
        return fail(Errc::conflict,
                    "the site in \"" + dir +
                        "\" was not retired, as far as is known here; its own "
                        "node brings what it has",
                    dir);
    INOS_TRY(auto list, list_undelivered(*site->replica, known));
    return Old{std::move(list),
               crypto::derived_key(site->keys.sealing.secret, "inos carried over")};
}

ApiRequest write_of(Undelivered const& one) {
    std::string const path = record_path(one.name.collection, one.name.key);
    if (one.deleted) return {"DELETE", path, {}, {}, ""};
    return {"PATCH", path, {}, {}, write_json(Value(one.fields))};
}

// What was carried over stands in OLD/carried-over, so that counters are not added to twice: a line
// for each record, noted before it is written, and one with a dash in front if that was refused.
// The line is a keyed hash: the file tells nobody what was in the record.
std::string line_of(Undelivered const& one, crypto::Secret const& mark_key) {
    std::string const record = write_json(
        Value(Array{Value(one.name.collection), Value(one.name.key), Value(one.fields)}));
    return crypto::hex(crypto::view(crypto::hash16(record, mark_key.view())));
}

Result<std::set<std::string>> carried(std::string const& old) {
    std::set<std::string> done;
    std::ifstream file(old + "/carried-over");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('-'))
            done.erase(line.substr(1));
        else
            done.insert(line);
    }
    return done;
}

Result<void> note_carried(std::string const& old, std::string const& line) {
    std::string const path = old + "/carried-over";
    std::ofstream file(path, std::ios::app);
    file << line << '\n' << std::flush;
    if (file) return {};
    return fail(Errc::io, "cannot write \"" + path + "\"", path);
}

Value shown(Undelivered const& one, std::string const& result) {
    Object value{{"collection", Value(one.name.collection)}, {"id", Value(one.name.key)}};
    if (one.deleted)
        set_member(value, "deleted", Value(true));
    else
        set_member(value, "fields", Value(one.fields));
    Array unclear;
    for (auto const& field : one.unclear)
        unclear.push_back(Value(field));
    if (!unclear.empty()) set_member(value, "unclear", Value(std::move(unclear)));
    if (!result.empty()) set_member(value, "result", Value(result));
    return Value(std::move(value));
}

Result<int> carry_over(Context& context, std::string const& old, bool keep) {
    INOS_TRY(auto client, Client::open(context));
    INOS_TRY(auto const status, client->call({"GET", "/v1/status", {}, {}, ""}));
    INOS_TRY(auto const members, client->call({"GET", "/v1/members", {}, {}, ""}));
    INOS_TRY(auto const found, read_old(context, old, vector_of(status), members));
    auto const& list = found.undelivered;
    Table table({"record", keep ? "" : "change", keep ? "result" : "value"});
    std::size_t refused = 0;
    INOS_TRY(auto done, carried(old));
    for (Undelivered const& one : list) {
        std::string result;
        std::string const line = line_of(one, found.mark_key);
        if (!one.deleted && one.fields.empty()) {
            result = "not written: see for yourself";
        } else if (done.contains(line)) {
            result = "carried over before";
        } else if (keep) {
            INOS_CHECK(note_carried(old, line));
            auto const written = client->call(write_of(one));
            bool const gone = one.deleted && !written && written.error().code == Errc::not_found;
            result = written || gone ? "written" : written.error().message;
            if (!written && !gone) {
                ++refused;
                INOS_CHECK(note_carried(old, "-" + line));
            }
        }
        if (context.json) {
            print_json_line(context, shown(one, result));
            continue;
        }
        std::string what = one.deleted ? "deleted" : write_json(Value(one.fields));
        for (auto const& field : one.unclear)
            what += "; what it did to \"" + field + "\" cannot be told any more";
        table.add({one.name.collection + "/" + one.name.key,
                   keep          ? ""
                   : one.deleted ? "delete"
                                 : "set",
                   keep ? result : what});
    }
    if (!context.json && list.empty())
        context.terminal.out << "all that the site wrote has reached others\n";
    else if (!context.json)
        table.print(context.terminal);
    if (!context.json && !keep && !list.empty())
        context.terminal.out << "to write that here: the same with --keep; to drop it: nothing\n";
    return refused == 0 ? kExitDone : kExitFailed;
}

}  // namespace

void add_carry_over(CommandLine& line) {
    struct Options {
        std::string old;
        bool keep = false;
    };
    auto options = std::make_shared<Options>();
    line.add("carry-over", "What a retired site wrote that never reached anybody")
        .argument("OLD", options->old, "the directory of the retired site")
        .flag("--keep", options->keep, "write it anew here; without it, it is only shown")
        .note(
            "After inos join in the directory of a site that was retired. Counters get what was "
            "added "
            "there, other\n"
            "fields the value that they had there, as an ordinary edit of today.")
        .example("inos carry-over ./laptop.retired-1 --data ./laptop", "look first")
        .example("inos carry-over ./laptop.retired-1 --data ./laptop --keep", "then keep it")
        .body([options](Context& context) {
            return carry_over(context, options->old, options->keep);
        });
}

}  // namespace inos
